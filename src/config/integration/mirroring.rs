//! What is mirrored, how much of it, and when that pauses.

use crate::config::integration::{BreakerConfig, EndpointTemplate, MirrorConfig, Section};

const ENDPOINT_REMEDY: &str = "write a method and a path, such as \"POST /orders/{id}\"";
/// Methods that change nothing at the provider (RFC 9110, 9.2.1) and can be repeated to a second one.
const SAFE: &[&str] = &["GET", "HEAD", "OPTIONS"];
const METHODS: &[&str] = &["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "QUERY"];

impl Section<'_, '_> {
    pub(crate) fn mirror(&mut self) -> MirrorConfig {
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
        let mirror = MirrorConfig {
            enabled: self.flag("mirror.enabled"),
            sample_ppm: self.reader.percent_ppm(&self.key("mirror.sample")),
            sample_key: self.sample_key(),
            shares: self.shares(),
            ramp: self.ramp(),
            ramp_failures_share_ppm: self.reader.percent_ppm(&self.key("mirror.ramp_gates.failures_share")),
            ramp_min_calls: self.count("mirror.ramp_gates.min_calls").unwrap_or_default(),
            ramp_slower_than_ms: self.duration_ms("mirror.ramp_gates.slower_than"),
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
        };
        self.warn_of_shares(&mirror);
        mirror
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

    pub(crate) fn breaker(&mut self) -> BreakerConfig {
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

pub(crate) fn template(text: &str, bare: bool) -> Result<EndpointTemplate, &'static str> {
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
