//! The two providers: their addresses, names, headers and time limits.

use crate::config::integration::{ErrorPointer, PrimaryConfig, Section, ShadowConfig};
use crate::config::problem::Place;
use crate::config::reader::Placed;
use crate::config::secret::{Reference, Secret};
use crate::proxy::Forwarded;
use http::{HeaderName, HeaderValue, Uri};
use std::net::SocketAddr;
use url::Url;

const URL_REMEDY: &str = "write scheme, host and path only, such as \"https://api.new.example\"";
/// What `primary.forwarded` may say.
const FORWARDED: &[(&str, Forwarded)] = &[
    ("pass", Forwarded::Pass),
    ("append", Forwarded::Append),
    ("x-forwarded", Forwarded::XForwarded),
    ("remove", Forwarded::Remove),
];
/// Longest name of a provider, characters.
const NAME_CHARS_MAX: usize = 40;
/// Names under which a literal value is most likely a credential.
const CREDENTIAL_WORDS: &[&str] = &["authorization", "cookie", "key", "token", "secret", "password"];

impl Section<'_, '_> {
    pub(crate) fn primary(&mut self) -> Option<PrimaryConfig> {
        let url = self.text("primary.url").and_then(|url| self.upstream("primary", url));
        let reach = self.reach("primary", url.as_ref());
        let name = self.provider_name("primary.name");
        let connect_timeout_ms = self.duration_ms("primary.connect_timeout");
        let read_timeout_ms = self.duration_ms("primary.read_timeout");
        let keep_host = self.choice("primary.host", &[("provider", false), ("keep", true)]);
        let forwarded = self.choice("primary.forwarded", FORWARDED);
        Some(PrimaryConfig { name, url: url?, reach, connect_timeout_ms, read_timeout_ms, keep_host, forwarded })
    }

    /// One of a few words; the first where it is left out or wrong.
    fn choice<T: Copy + Default>(&mut self, key: &str, words: &[(&str, T)]) -> T {
        let Some((text, place)) = self.text(key) else { return T::default() };
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return *value;
        }
        let words: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        self.wrong((text, place), key, "is no choice here", format!("write one of {}", words.join(", ")));
        T::default()
    }

    fn provider_name(&mut self, key: &str) -> Option<String> {
        let (name, place) = self.text(key)?;
        let chars = name.trim().chars().count();
        if (1..=NAME_CHARS_MAX).contains(&chars) && !name.chars().any(char::is_control) {
            return Some(name.trim().to_owned());
        }
        let remedy = format!("write 1 to {NAME_CHARS_MAX} characters, such as \"NewPay\", or leave it out");
        self.wrong((name, place), key, "is no name for a page", remedy);
        None
    }

    /// The URL as it was written: `url::Url` only judges it, since it would normalise the path.
    fn upstream(&mut self, of: &str, (text, place): Placed<String>) -> Option<Uri> {
        let key = &format!("{of}.url");
        // With a socket of its own the URL's address is only a name.
        let by_socket = self.reader.raw.values.contains_key(&self.key(&format!("{of}.socket")));
        let (problem, value) = match Url::parse(&text) {
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                let remedy = "take them out of the URL; the shadow's own stand in shadow.headers as \"env:NAME\"";
                let key = self.key(key);
                self.reader.problem(place, &key, None, "carries credentials in its URL", remedy);
                return None;
            }
            Ok(url) if !matches!(url.scheme(), "http" | "https") => ("is neither http nor https", text),
            Ok(url) if url.fragment().is_some() => ("has a fragment, which is never sent", text),
            Ok(url) if url.query().is_some() => ("has a query, which would be lost", text),
            Ok(url) => match text.parse::<Uri>() {
                Ok(uri) if !by_socket && self.is_ourselves(&url) => {
                    drop(uri);
                    ("is an address that darklaunch itself listens on: a loop", text)
                }
                Ok(uri) if uri.authority().is_some() => return Some(uri),
                _ => ("is no URL", text),
            },
            Err(_) => ("is no URL", text),
        };
        self.wrong((value, place), key, problem, URL_REMEDY);
        None
    }

    fn is_ourselves(&self, url: &Url) -> bool {
        let host = match url.host() {
            Some(url::Host::Ipv4(ip)) => std::net::IpAddr::V4(ip),
            Some(url::Host::Ipv6(ip)) => std::net::IpAddr::V6(ip),
            Some(url::Host::Domain("localhost")) => std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
            _ => return false,
        };
        let here = |own: &SocketAddr| own.ip() == host || (own.ip().is_unspecified() && host.is_loopback());
        self.listening.iter().any(|own| own.port() != 0 && Some(own.port()) == url.port_or_known_default() && here(own))
    }

    pub(crate) fn shadow(&mut self, place: &Place) -> Option<ShadowConfig> {
        let written = self.reader.raw.values.contains_key(&self.key("shadow.url"));
        if !written {
            let key = self.key("shadow.url");
            self.reader.missing(
                place.clone(),
                &key,
                "write the new provider, such as shadow.url = \"https://api.new.example\"",
            );
        }
        let url = self.text("shadow.url").and_then(|url| self.upstream("shadow", url));
        let reach = self.reach("shadow", url.as_ref());
        let name = self.provider_name("shadow.name");
        let headers = self.headers();
        let drop_headers = self.header_names("shadow.drop_headers");
        let keep_headers = self.header_names("shadow.keep_headers");
        let keep_query = self.texts("shadow.keep_query").into_iter().map(|(name, _)| name).collect();
        let pointers = self.texts("shadow.success.error_pointers");
        let success_error_pointers = pointers.into_iter().filter_map(|text| self.error_pointer(text)).collect();
        let connect_timeout_ms = self.duration_ms("shadow.connect_timeout");
        let read_timeout_ms = self.duration_ms("shadow.read_timeout");
        let total_timeout_ms = self.duration_ms("shadow.total_timeout");
        let success_graphql = self.flag("shadow.success.graphql");
        Some(ShadowConfig {
            name,
            url: url?,
            reach,
            headers,
            drop_headers,
            keep_headers,
            keep_query,
            connect_timeout_ms,
            read_timeout_ms,
            total_timeout_ms,
            success_graphql,
            success_error_pointers,
        })
    }

    fn header_names(&mut self, key: &str) -> Vec<HeaderName> {
        let texts = self.texts(key);
        texts.into_iter().filter_map(|name| self.header_name(key, name)).collect()
    }

    fn header_name(&mut self, key: &str, (text, place): Placed<String>) -> Option<HeaderName> {
        let name = text.parse().ok();
        if name.is_none() {
            self.wrong((text, place), key, "is no header name", "write a name such as \"x-tenant\"");
        }
        name
    }

    fn headers(&mut self) -> Vec<(HeaderName, Secret)> {
        let rows = self.reader.headers(&self.key("shadow.headers"));
        let mut headers = Vec::new();
        for (name, (text, place)) in rows {
            let key = format!("shadow.headers.{name}");
            let Some(header) = self.header_name("shadow.headers", (name, place.clone())) else { continue };
            let Some(secret) = self.header_value(&key, &header, &text, &place) else { continue };
            if HeaderValue::from_bytes(secret.expose()).is_err() {
                let text = format!("refers to {}, whose value holds bytes no header may have", secret.reference());
                let (key, remedy) = (self.key(&key), "leave line breaks and control characters out of the value");
                self.reader.problem(place, &key, None, &text, remedy);
                continue;
            }
            headers.push((header, secret));
        }
        headers
    }

    /// `env:NAME`, `file:PATH`, either behind a word as in `Bearer env:NAME`, or a literal.
    fn header_value(&mut self, key: &str, name: &HeaderName, text: &str, place: &Place) -> Option<Secret> {
        let word_end = text.find(' ').map_or(0, |space| space + 1);
        let (word, rest) = text.split_at(word_end);
        let folder = self.reader.folder;
        let behind = Reference::parse(rest, folder).map(|reference| (word, reference));
        let Some((word, reference)) = Reference::parse(text, folder).map(|all| ("", all)).or(behind) else {
            if CREDENTIAL_WORDS.iter().any(|word| name.as_str().contains(word)) {
                let key = self.key(key);
                let text = format!("{place}: {key} holds a literal value; keep it out of the file with \"env:NAME\"");
                self.reader.warnings.push(text);
            }
            return Some(Secret::literal(text));
        };
        match reference.resolve(self.reader.environment) {
            Ok(secret) => Some(secret.behind(word)),
            Err(why) => {
                let key = self.key(key);
                let remedy = "set the variable or write the file before the start";
                self.reader.problem(place.clone(), &key, None, &why.to_string(), remedy);
                None
            }
        }
    }

    fn error_pointer(&mut self, (text, place): Placed<String>) -> Option<ErrorPointer> {
        if !text.starts_with('/') {
            let remedy = "begin with /, such as \"/error\" or \"/status=failed\"";
            self.wrong((text, place), "shadow.success.error_pointers", "is no JSON pointer", remedy);
            return None;
        }
        Some(match text.split_once('=') {
            Some((pointer, expected)) => {
                ErrorPointer { pointer: pointer.trim().to_owned(), expected: Some(expected.trim().to_owned()) }
            }
            None => ErrorPointer { pointer: text, expected: None },
        })
    }
}
