//! Which requests are an integration's own.

use crate::config::integration::{Matcher, Section};
use crate::config::problem::Place;

impl Section<'_, '_> {
    pub(crate) fn matcher(&mut self, place: &Place) -> Option<Matcher> {
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
}
