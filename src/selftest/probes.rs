//! Which requests an integration's own rules should mirror: one for each method, one for each allowed endpoint.

use crate::config::{EndpointTemplate, IntegrationConfig};

/// Allowed endpoints that are tried; the rest would say nothing new.
const ALLOWED_MAX: usize = 16;

/// Paths of ours, of different lengths, since an exclusion such as `/{a}/{b}` names all of one length.
const PATHS: [&str; 4] = ["/selftest/canary", "/selftest", "/selftest/canary/deep", "/selftest/canary/deep/deeper"];

/// One kind of request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    pub(crate) method: String,
    pub(crate) path: String,
}

impl Probe {
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Whether it carries a body.
    pub(crate) fn has_body(&self) -> bool {
        matches!(self.method.as_str(), "POST" | "PUT" | "PATCH")
    }
}

/// The requests that should be mirrored, and what is wrong with the rules on their face.
pub(crate) fn probes(one: &IntegrationConfig) -> (Vec<Probe>, Vec<String>) {
    let mut problems = Vec::new();
    let mut probes: Vec<Probe> = one.mirror.methods.iter().map(|method| of_method(one, method)).collect();
    for template in one.mirror.allow.iter().take(ALLOWED_MAX) {
        let filled = filled(template);
        if below(&filled.path, &one.matcher.path_prefix) {
            probes.push(filled);
        } else {
            let (name, prefix) = (filled.name(), &one.matcher.path_prefix);
            problems.push(format!("mirror.allow names {name}, which is not below match.path_prefix {prefix}"));
        }
    }
    (probes, problems)
}

/// A request of no particular kind, where the rules leave none to be mirrored.
pub(crate) fn any(one: &IntegrationConfig) -> Probe {
    of_method(one, "GET")
}

/// A path of ours below the prefix: the first that no exclusion names, or just the first.
fn of_method(one: &IntegrationConfig, method: &str) -> Probe {
    let prefix = one.matcher.path_prefix.trim_end_matches('/');
    let excluded = |path: &&&str| one.mirror.exclude.iter().any(|rule| names(rule, method, &format!("{prefix}{path}")));
    let path = PATHS.iter().find(|path| !excluded(path)).unwrap_or(&PATHS[0]);
    Probe { method: method.to_owned(), path: format!("{prefix}{path}") }
}

/// Whether a template stands for this endpoint: segment by segment, `{name}` for any.
fn names(template: &EndpointTemplate, method: &str, path: &str) -> bool {
    let (wanted, given): (Vec<&str>, Vec<&str>) = (template.path.split('/').collect(), path.split('/').collect());
    let same = wanted.iter().zip(&given).all(|(wanted, given)| wanted.starts_with('{') || wanted == given);
    same && wanted.len() == given.len() && template.method.as_deref().is_none_or(|one| one == method)
}

/// `/orders/{id}` → `/orders/selftest`.
fn filled(template: &EndpointTemplate) -> Probe {
    let segment = |segment: &'_ str| if segment.starts_with('{') { "selftest".to_owned() } else { segment.to_owned() };
    let path = template.path.split('/').map(segment).collect::<Vec<_>>().join("/");
    Probe { method: template.method.clone().unwrap_or_else(|| "GET".to_owned()), path }
}

fn below(path: &str, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, parse};
    use std::path::Path;

    fn found(more: &str) -> (Vec<String>, Vec<String>) {
        let text = format!(
            "[listen]\ntraffic = \"127.0.0.1:0\"\n[integrations.payments]\nmatch.path_prefix = \"/pay\"\n\
             shadow.url = \"https://api.new.example\"\n{more}\n"
        );
        let (config, _) = parse("test.toml", Path::new(""), &text, &Environment::default()).unwrap();
        let (probes, problems) = probes(&config.integrations[0]);
        (probes.iter().map(Probe::name).collect(), problems)
    }

    #[test]
    fn each_method_and_each_allowed_endpoint_is_tried() {
        let (probes, problems) = found("mirror.allow = [\"POST /pay/orders/{id}\"]");
        assert_eq!(probes, ["GET /pay/selftest/canary", "HEAD /pay/selftest/canary", "POST /pay/orders/selftest"]);
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn an_excluded_path_is_no_good_probe() {
        let (probes, _) = found("mirror.exclude = [\"/pay/{a}/{b}\", \"HEAD /pay/selftest\"]");
        assert_eq!(probes, ["GET /pay/selftest", "HEAD /pay/selftest/canary/deep"]);
    }

    #[test]
    fn an_endpoint_outside_the_prefix_is_told() {
        let (_, problems) = found("mirror.allow = [\"POST /payments\"]");
        assert_eq!(problems, ["mirror.allow names POST /payments, which is not below match.path_prefix /pay"]);
    }
}
