//! Which requests are an integration's own.

use crate::config::integration::{Matcher, Section};
use crate::config::problem::Place;
use crate::proxy::Listen;
use http::{HeaderName, HeaderValue};

const MATCHES: [&str; 4] = ["match.host", "match.path_prefix", "match.header", "match.listener"];

impl Section<'_, '_> {
    pub(crate) fn matcher(&mut self, place: &Place) -> Option<Matcher> {
        let given = MATCHES.iter().any(|key| self.reader.raw.values.contains_key(&self.key(key)));
        let (host, path_prefix) = (self.host(), self.path_prefix());
        let (header, listeners) = (self.header(), self.listeners());
        if !given {
            let key = self.key("match");
            if !self.reader.raw.problems.iter().any(|problem| problem.key.starts_with(&key)) {
                let remedy = "write match.path_prefix = \"/\", or match.host, match.header or match.listener";
                self.reader.missing(place.clone(), &key, remedy);
            }
            return None;
        }
        Some(Matcher { listeners, host, header, path_prefix })
    }

    fn host(&mut self) -> Option<String> {
        let (text, at) = self.text("match.host")?;
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-') {
            let remedy = "write the name alone, such as \"payments.internal\"";
            self.wrong((text.clone(), at), "match.host", "is no host name", remedy);
        }
        Some(text.to_ascii_lowercase())
    }

    fn path_prefix(&mut self) -> String {
        let Some((text, at)) = self.text("match.path_prefix") else { return "/".to_owned() };
        if !text.starts_with('/') || text.contains(['?', '#', ' ']) {
            let remedy = "begin with / and leave out query and fragment, such as \"/payments\"";
            self.wrong((text.clone(), at), "match.path_prefix", "is no path", remedy);
        }
        let trimmed = text.trim_end_matches('/');
        if trimmed.is_empty() { "/".to_owned() } else { trimmed.to_owned() }
    }

    fn header(&mut self) -> Option<(String, Option<String>)> {
        let (text, at) = self.text("match.header")?;
        let (name, value) = match text.split_once(':') {
            Some((name, value)) => (name.trim(), Some(value.trim().to_owned())),
            None => (text.as_str(), None),
        };
        let good = HeaderName::from_bytes(name.as_bytes()).is_ok()
            && value.as_ref().is_none_or(|value| !value.is_empty() && HeaderValue::from_str(value).is_ok());
        if !good {
            let remedy = "write \"name: value\", or the name alone for any value, such as \"x-provider: newpay\"";
            self.wrong((text.clone(), at), "match.header", "is no header", remedy);
        }
        Some((name.to_ascii_lowercase(), value))
    }

    /// The positions of what is meant: a port alone may be that of several addresses.
    fn listeners(&mut self) -> Option<Vec<usize>> {
        let (text, at) = self.text("match.listener")?;
        let relative = text.strip_prefix("unix:").map(|path| self.reader.path(path, &at));
        let meant = |listen: &Listen| match listen {
            Listen::Unix(path) => relative.as_ref() == Some(path),
            Listen::Tcp(addr) | Listen::Tls(addr) => {
                text == listen.to_string() || text == addr.to_string() || text == addr.port().to_string()
            }
        };
        let found: Vec<usize> = (0..self.traffic.len()).filter(|at| meant(&self.traffic[*at])).collect();
        if found.is_empty() {
            let all: Vec<String> = self.traffic.iter().map(ToString::to_string).collect();
            let remedy = format!("write one of {}, or its port", all.join(", "));
            self.wrong((text, at), "match.listener", "is none of listen.traffic", remedy);
        }
        Some(found)
    }
}
