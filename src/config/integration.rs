//! One integration's section: whom it concerns, its two upstreams, and what of it is mirrored.

use std::net::SocketAddr;

use http::{HeaderName, HeaderValue, Uri};
use serde::{Serialize, Serializer};
use url::Url;

use crate::config::problem::Place;
use crate::config::raw::shown_text;
use crate::config::reader::{Placed, Reader};
use crate::config::secret::{Reference, Secret};

/// Everything of one integration.
#[derive(Clone, Debug, Serialize)]
pub struct IntegrationConfig {
    /// `^[a-z][a-z0-9_]*$`
    pub name: String,
    /// Which requests are its own.
    pub matcher: Matcher,
    /// Take the prefix away before calling upstream.
    pub strip_prefix: bool,
    /// Absent: a sink, which answers 204.
    pub primary: Option<PrimaryConfig>,
    /// The new provider.
    pub shadow: ShadowConfig,
    /// What is mirrored, and how much of it.
    pub mirror: MirrorConfig,
    /// When the system pauses by itself.
    pub breaker: BreakerConfig,
}

/// Which requests are an integration's own: host and path, both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Matcher {
    /// Lowercase, without a port; `None` for any.
    pub host: Option<String>,
    /// Begins with `/`; without a `/` at its end unless it is `/`.
    pub path_prefix: String,
}

/// Today's provider.
#[derive(Clone, Debug, Serialize)]
pub struct PrimaryConfig {
    /// What pages call it; its host if `None`.
    pub name: Option<String>,
    /// http or https; no credentials, query or fragment.
    #[serde(serialize_with = "uri_text")]
    pub url: Uri,
    /// Milliseconds.
    pub connect_timeout_ms: u64,
    /// Milliseconds of silence.
    pub read_timeout_ms: u64,
}

/// The new provider.
#[derive(Clone, Debug, Serialize)]
pub struct ShadowConfig {
    /// As [`PrimaryConfig::name`].
    pub name: Option<String>,
    /// As [`PrimaryConfig::url`].
    #[serde(serialize_with = "uri_text")]
    pub url: Uri,
    /// Set on every shadow request; values may be secret.
    #[serde(serialize_with = "header_texts")]
    pub headers: Vec<(HeaderName, Secret)>,
    /// Taken away besides the credentials that never reach the shadow.
    #[serde(serialize_with = "names")]
    pub drop_headers: Vec<HeaderName>,
    /// Passed on although they look like credentials.
    #[serde(serialize_with = "names")]
    pub keep_headers: Vec<HeaderName>,
    /// Query parameters passed on although they look like credentials.
    pub keep_query: Vec<String>,
    /// Milliseconds.
    pub connect_timeout_ms: u64,
    /// Milliseconds of silence.
    pub read_timeout_ms: u64,
    /// Milliseconds of the whole call.
    pub total_timeout_ms: u64,
    /// A 200 with GraphQL `errors` is no success.
    pub success_graphql: bool,
    /// JSON pointers that make a 200 no success.
    pub success_error_pointers: Vec<ErrorPointer>,
}

/// `/error`, or `/status=failed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorPointer {
    /// RFC 6901.
    pub pointer: String,
    /// The text that is an error; `None`: any value but null, false, zero and empty.
    pub expected: Option<String>,
}

/// What is hashed for the sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum SampleKey {
    /// The capture's id: each call alone.
    Capture,
    /// Method, path and query: equal calls are always in or always out.
    Target,
    /// A header's value; the name is lowercase.
    Header(String),
    /// A query parameter's value.
    Query(String),
    /// A cookie's value.
    Cookie(String),
}

/// `POST /orders/{id}`; `/orders` for every method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EndpointTemplate {
    /// Uppercase; `None` for every method (only in `exclude`).
    pub method: Option<String>,
    /// Begins with `/`; `{name}` stands for one whole segment.
    pub path: String,
}

/// What is mirrored.
#[derive(Clone, Debug, Serialize)]
pub struct MirrorConfig {
    /// On from the first start.
    pub enabled: bool,
    /// Parts per million.
    pub sample_ppm: u32,
    /// What is hashed.
    pub sample_key: SampleKey,
    /// Methods mirrored everywhere, uppercase.
    pub methods: Vec<String>,
    /// Endpoints mirrored besides.
    pub allow: Vec<EndpointTemplate>,
    /// Endpoints never mirrored.
    pub exclude: Vec<EndpointTemplate>,
    /// Declared endpoints.
    pub endpoints: Vec<EndpointTemplate>,
    /// Bytes of one body copied at most.
    pub body_bytes_max: u64,
    /// Calls that wait.
    pub queue_calls_max: usize,
    /// Shadow calls at once.
    pub in_flight_max: usize,
    /// Bytes held for the shadow.
    pub memory_bytes_max: u64,
    /// Shadow calls per second.
    pub rate_per_s: Option<u32>,
    /// Shadow calls per UTC day.
    pub daily_calls_max: Option<u64>,
}

/// When mirroring pauses by itself.
#[derive(Clone, Debug, Serialize)]
pub struct BreakerConfig {
    /// Share of failures, parts per million.
    pub failures_share_ppm: u32,
    /// Calls before the share counts.
    pub min_calls: u32,
    /// Seconds.
    pub window_s: u32,
    /// Seconds of the pause.
    pub open_s: u32,
}

fn uri_text<S: Serializer>(uri: &Uri, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(uri)
}

fn names<S: Serializer>(names: &[HeaderName], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(names.iter().map(HeaderName::as_str))
}

fn header_texts<S: Serializer>(headers: &[(HeaderName, Secret)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(headers.iter().map(|(name, secret)| (name.as_str(), secret)))
}

const URL_REMEDY: &str = "write scheme, host and path only, such as \"https://api.new.example\"";
const ENDPOINT_REMEDY: &str = "write a method and a path, such as \"POST /orders/{id}\"";
/// Longest name of a provider, characters.
const NAME_CHARS_MAX: usize = 40;
/// Methods that change nothing at the provider (RFC 9110, 9.2.1) and can be repeated to a second one.
const SAFE: &[&str] = &["GET", "HEAD", "OPTIONS"];
const METHODS: &[&str] = &["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "QUERY"];
/// Names under which a literal value is most likely a credential.
const CREDENTIAL_WORDS: &[&str] = &["authorization", "cookie", "key", "token", "secret", "password"];

/// One section's view of the reader.
struct Section<'r, 'e> {
    reader: &'r mut Reader<'e>,
    name: &'r str,
    listening: &'r [SocketAddr],
}

/// Checks one section: its match, and the whole unless what it stands on is missing, which then is among the problems.
pub(crate) fn check(
    reader: &mut Reader<'_>,
    name: &str,
    place: &Place,
    listening: &[SocketAddr],
) -> (Option<Matcher>, Option<IntegrationConfig>) {
    let mut section = Section { reader, name, listening };
    let matcher = section.matcher(place);
    let strip_prefix = section.flag("match.strip_prefix");
    let primary = section.primary();
    let shadow = section.shadow(place);
    let mirror = section.mirror();
    let breaker = section.breaker();
    let (Some(own), Some(shadow)) = (matcher.clone(), shadow) else { return (matcher, None) };
    if primary.as_ref().is_some_and(|primary| primary.url == shadow.url) {
        let text =
            format!("integrations.{name}: primary and shadow are the same URL, so every mirrored call is doubled");
        section.reader.warnings.push(text);
    }
    let name = name.to_owned();
    (matcher, Some(IntegrationConfig { name, matcher: own, strip_prefix, primary, shadow, mirror, breaker }))
}

impl Section<'_, '_> {
    fn key(&self, key: &str) -> String {
        format!("integrations.{}.{key}", self.name)
    }

    fn text(&mut self, key: &str) -> Option<Placed<String>> {
        self.reader.text(&self.key(key))
    }

    fn texts(&mut self, key: &str) -> Vec<Placed<String>> {
        self.reader.texts(&self.key(key))
    }

    fn flag(&mut self, key: &str) -> bool {
        self.reader.flag(&self.key(key))
    }

    fn duration_ms(&mut self, key: &str) -> u64 {
        self.reader.duration_ms(&self.key(key))
    }

    fn count<T: TryFrom<u64>>(&mut self, key: &str) -> Option<T> {
        self.reader.count(&self.key(key)).and_then(|count| T::try_from(count).ok())
    }

    fn wrong(&mut self, (value, place): Placed<String>, key: &str, text: &str, remedy: impl Into<String>) {
        let key = self.key(key);
        self.reader.problem(place, &key, Some(shown_text(&value)), text, remedy);
    }

    fn matcher(&mut self, place: &Place) -> Option<Matcher> {
        let host = self.text("match.host");
        let prefix = self.text("match.path_prefix");
        if host.is_none() && prefix.is_none() {
            let key = self.key("match");
            if !self.reader.raw.problems.iter().any(|problem| problem.key.starts_with(&key)) {
                self.reader.missing(place.clone(), &key, "write match.path_prefix = \"/\", or match.host");
            }
            return None;
        }
        if let Some((text, at)) = &host
            && !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
        {
            let remedy = "write the name alone, such as \"payments.internal\"";
            self.wrong((text.clone(), at.clone()), "match.host", "is no host name", remedy);
        }
        let path_prefix = match prefix {
            None => "/".to_owned(),
            Some((text, at)) => {
                if !text.starts_with('/') || text.contains(['?', '#', ' ']) {
                    let remedy = "begin with / and leave out query and fragment, such as \"/payments\"";
                    self.wrong((text.clone(), at), "match.path_prefix", "is no path", remedy);
                }
                let trimmed = text.trim_end_matches('/');
                if trimmed.is_empty() { "/".to_owned() } else { trimmed.to_owned() }
            }
        };
        Some(Matcher { host: host.map(|(host, _)| host.to_ascii_lowercase()), path_prefix })
    }

    fn primary(&mut self) -> Option<PrimaryConfig> {
        let url = self.text("primary.url").and_then(|url| self.upstream("primary.url", url));
        let name = self.provider_name("primary.name");
        let connect_timeout_ms = self.duration_ms("primary.connect_timeout");
        let read_timeout_ms = self.duration_ms("primary.read_timeout");
        Some(PrimaryConfig { name, url: url?, connect_timeout_ms, read_timeout_ms })
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
    fn upstream(&mut self, key: &str, (text, place): Placed<String>) -> Option<Uri> {
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
                Ok(uri) if self.is_ourselves(&url) => {
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

    fn shadow(&mut self, place: &Place) -> Option<ShadowConfig> {
        let written = self.reader.raw.values.contains_key(&self.key("shadow.url"));
        if !written {
            let key = self.key("shadow.url");
            self.reader.missing(
                place.clone(),
                &key,
                "write the new provider, such as shadow.url = \"https://api.new.example\"",
            );
        }
        let url = self.text("shadow.url").and_then(|url| self.upstream("shadow.url", url));
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

    fn mirror(&mut self) -> MirrorConfig {
        let methods = self.methods();
        let allow = self.templates("mirror.allow", false);
        if methods.is_empty() && allow.is_empty() {
            let key = self.key("mirror.methods");
            if let Some(place) = self.reader.raw.values.get(&key).map(|found| found.place.clone())
                && !self.reader.raw.problems.iter().any(|problem| problem.key == key)
            {
                let remedy = "write [\"GET\", \"HEAD\"], or name endpoints in mirror.allow";
                self.reader.problem(place, &key, None, "is empty, so that nothing would be mirrored", remedy);
            }
        }
        let body_bytes_max = self.reader.size_bytes(&self.key("mirror.max_body"));
        let memory_bytes_max = self.reader.size_bytes(&self.key("mirror.memory"));
        if memory_bytes_max > 0 && body_bytes_max > memory_bytes_max {
            let place = [self.key("mirror.memory"), self.key("mirror.max_body")]
                .iter()
                .find_map(|key| self.reader.raw.values.get(key).map(|found| found.place.clone()))
                .unwrap_or_else(|| self.reader.whole());
            let remedy = "raise mirror.memory, best to max_body times in_flight";
            let key = self.key("mirror.memory");
            self.reader.problem(place, &key, None, "holds less than one body of mirror.max_body", remedy);
        }
        MirrorConfig {
            enabled: self.flag("mirror.enabled"),
            sample_ppm: self.reader.percent_ppm(&self.key("mirror.sample")),
            sample_key: self.sample_key(),
            methods,
            allow,
            exclude: self.templates("mirror.exclude", true),
            endpoints: self.templates("mirror.endpoints", false),
            body_bytes_max,
            queue_calls_max: self.count("mirror.queue").unwrap_or_default(),
            in_flight_max: self.count("mirror.in_flight").unwrap_or_default(),
            memory_bytes_max,
            rate_per_s: self.reader.rate_per_s(&self.key("mirror.rate")),
            daily_calls_max: self.count("mirror.daily_calls"),
        }
    }

    fn methods(&mut self) -> Vec<String> {
        let key = "mirror.methods";
        let mut methods = Vec::new();
        for (text, place) in self.texts(key) {
            if SAFE.contains(&text.as_str()) {
                methods.push(text);
                continue;
            }
            let upper = text.to_ascii_uppercase();
            let (problem, remedy) = if SAFE.contains(&upper.as_str()) {
                ("is no method: they are uppercase", format!("did you mean \"{upper}\"?"))
            } else if METHODS.contains(&upper.as_str()) {
                let remedy = format!("name the endpoints in mirror.allow, such as \"{upper} /orders\"");
                ("changes data, and the shadow would do the work a second time", remedy)
            } else {
                ("is no method that can be mirrored", format!("write one of {}", SAFE.join(", ")))
            };
            self.wrong((text, place), key, problem, remedy);
        }
        methods
    }

    fn templates(&mut self, key: &str, bare: bool) -> Vec<EndpointTemplate> {
        let mut templates = Vec::new();
        for (text, place) in self.texts(key) {
            match template(&text, bare) {
                Ok(template) => templates.push(template),
                Err(why) => self.wrong((text, place), key, why, ENDPOINT_REMEDY),
            }
        }
        templates
    }

    fn sample_key(&mut self) -> SampleKey {
        let key = "mirror.sample_key";
        let Some((text, place)) = self.text(key) else { return SampleKey::Capture };
        match text.split_once(':') {
            None if text == "capture" => return SampleKey::Capture,
            None if text == "target" => return SampleKey::Target,
            Some(("header", name)) if name.parse::<HeaderName>().is_ok() => {
                return SampleKey::Header(name.to_ascii_lowercase());
            }
            Some(("query", name)) if !name.is_empty() => return SampleKey::Query(name.to_owned()),
            Some(("cookie", name)) if !name.is_empty() => return SampleKey::Cookie(name.to_owned()),
            _ => {}
        }
        let remedy = "write \"capture\", \"target\", \"header:NAME\", \"query:NAME\" or \"cookie:NAME\"";
        self.wrong((text, place), key, "is no key to sample by", remedy);
        SampleKey::Capture
    }

    fn breaker(&mut self) -> BreakerConfig {
        let seconds = |section: &mut Self, key: &str| {
            let seconds = section.reader.duration_in(&section.key(key), 1_000, "seconds");
            u32::try_from(seconds).unwrap_or(u32::MAX)
        };
        BreakerConfig {
            failures_share_ppm: self.reader.percent_ppm(&self.key("breaker.failures_share")),
            min_calls: self.count("breaker.min_calls").unwrap_or_default(),
            window_s: seconds(self, "breaker.window"),
            open_s: seconds(self, "breaker.open"),
        }
    }
}

fn template(text: &str, bare: bool) -> Result<EndpointTemplate, &'static str> {
    let (method, path) = match text.split_once(' ') {
        Some((method, path)) => (Some(method), path.trim_start()),
        None if bare => (None, text),
        None => return Err("is no endpoint: it has no method"),
    };
    if method.is_some_and(|method| !METHODS.contains(&method)) {
        return Err("is no endpoint: its method is not known (they are uppercase)");
    }
    if !path.starts_with('/') || path.contains(['?', '#', ' ']) {
        return Err("is no endpoint: its path must begin with / and have no query");
    }
    let whole = |segment: &str| {
        let inner = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(segment);
        !inner.contains(['{', '}']) && (inner == segment || !inner.is_empty())
    };
    if !path.split('/').all(whole) {
        return Err("is no endpoint: {name} stands for one whole segment");
    }
    Ok(EndpointTemplate { method: method.map(str::to_owned), path: path.to_owned() })
}
