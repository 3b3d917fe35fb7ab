//! From the configuration to every room's own settings.

use crate::adapt::{self, BaseUrl, ErrorPointer, SuccessRule};
use crate::config::{
    self, Config, ConsoleConfig, EndpointTemplate, IntegrationConfig, IntegrationRedaction, PrimaryConfig, ReachConfig,
    RedactionConfig, StateFolder,
};
use crate::console::{self, AccessSettings};
use crate::control::{self, BreakerSettings, EndpointShare, RampGates, RampPlan};
use crate::exchange::{Clock, Integration};
use crate::measure::{Server, Servers};
use crate::mirror::{self, Door, EndpointRule, JsonPointer, MemoryInAll};
use crate::proxy::{ENDPOINTS_MAX, EndpointNames, HeaderMatch, Matcher, Passing, Primary, Route};
use crate::redact::{Generation, PseudonymKey, RuleSource, builtin};
use crate::telemetry::Book;
use crate::upstream::{Target, TargetSettings};
use crate::{redact, store};
use http::{HeaderName, HeaderValue, Method, Uri};
use std::sync::Arc;

/// What decoding may expand a body to, as a multiple of what may be kept of it.
const EXPANSION_MAX: usize = 8;

/// The primary's read timeout of a sink, which has no primary: never used.
const PRIMARY_READ_TIMEOUT_MS: u64 = 60_000;

/// How deep redaction follows nesting.
const DEPTH_MAX: usize = 64;

/// What the redactors of a configuration are compiled from: for everyone, and by integration.
pub(crate) fn sources(config: &Config) -> (RuleSource, Vec<(Integration, RuleSource)>) {
    let of = |one: &IntegrationConfig| (name(one), source(&config.redaction, &one.redaction));
    let everyone = source(&config.redaction, &IntegrationRedaction::default());
    (everyone, config.integrations.iter().map(of).collect())
}

fn source(everyone: &RedactionConfig, own: &IntegrationRedaction) -> RuleSource {
    let mut files = if everyone.builtin_rules { builtin() } else { Vec::new() };
    files.extend(everyone.rule_files.iter().chain(&own.rule_files).cloned());
    let body_bytes_max = usize::try_from(everyone.body_bytes_max).unwrap_or(usize::MAX);
    let settings = redact::Settings {
        body_bytes_max,
        expanded_bytes_max: body_bytes_max.saturating_mul(EXPANSION_MAX),
        depth_max: DEPTH_MAX,
        kept_paths: own.kept_paths.clone(),
        kept_binary: own.kept_binary.clone(),
    };
    RuleSource { files, settings }
}

/// The redactors of a configuration, or every problem of their rules.
pub(crate) fn generation(config: &Config, key: [u8; 32]) -> Result<Generation, Vec<String>> {
    let (everyone, own) = sources(config);
    Generation::compile(&everyone, &own, &PseudonymKey::new(key))
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// The key of the pseudonyms: the configured one, else the state folder's own.
pub(crate) fn pseudonym_key(config: &Config, state: &StateFolder) -> Result<[u8; 32], config::StateError> {
    match &config.redaction.key {
        Some(key) => Ok(key.expose()),
        None => state.pseudonym_key(),
    }
}

pub(crate) fn store_settings(config: &Config) -> store::Settings {
    store::Settings {
        path: config.store.path.clone(),
        commit_interval_ms: config.store.commit_interval_ms,
        age_days_max: Some(config.store.age_days_max),
        size_bytes_max: Some(config.store.size_bytes_max),
        per_endpoint_max: config.store.per_endpoint_max,
        variety_captures: config.store.keep_newest,
        history_days_max: config.store.history_days_max,
        limits: limits(config),
        ..store::Settings::default()
    }
}

/// The limits of a run as its row keeps them: what its figures were measured under.
fn limits(config: &Config) -> String {
    let one = |one: &IntegrationConfig| {
        let limits = serde_json::json!({
            "total_timeout_us": one.shadow.total_timeout_ms.saturating_mul(1_000),
            "read_timeout_us": one.shadow.read_timeout_ms.saturating_mul(1_000),
            "connect_timeout_us": one.shadow.connect_timeout_ms.saturating_mul(1_000),
            "in_flight_max": one.mirror.in_flight_max,
            "sample_ppm": one.mirror.sample_ppm,
        });
        (one.name.clone(), limits)
    };
    serde_json::Value::Object(config.integrations.iter().map(one).collect()).to_string()
}

/// Where the console listens, and who may do what there.
pub(crate) fn console(config: &Config) -> console::Settings {
    let ConsoleConfig { anyone_may, behind_proxy, allow, tls } = &config.console;
    console::Settings {
        listen: config.listen_console,
        allowed_hosts: config.listen_console_hosts.clone(),
        access: AccessSettings { anyone: *anyone_may, behind_proxy: *behind_proxy, allow: allow.clone() },
        tls: tls.as_ref().map(|tls| tls.identity.for_http1()),
        owner_socket: Some(StateFolder::console_socket(&config.store.path)),
    }
}

/// Whether somebody could log in. A file that cannot be read is told elsewhere.
pub(crate) fn anybody(config: &Config) -> bool {
    StateFolder::tokens_of(&config.store.path).is_ok_and(|tokens| tokens.any_good(Clock.unix_us()))
}

/// The integration's name as the line carries it.
pub(crate) fn name(one: &IntegrationConfig) -> Integration {
    Integration::from(one.name.as_str())
}

pub(crate) fn switch(one: &IntegrationConfig) -> control::Settings {
    control::Settings {
        enabled: one.mirror.enabled,
        sample_ppm: one.mirror.sample_ppm,
        rate_per_s: one.mirror.rate_per_s,
        daily_calls_max: one.mirror.daily_calls_max,
        breaker: BreakerSettings {
            failures_share_percent: one.breaker.failures_share_ppm / 10_000,
            min_calls: u64::from(one.breaker.min_calls),
            window_s: u64::from(one.breaker.window_s),
            open_s: u64::from(one.breaker.open_s),
        },
        endpoint_shares: one.mirror.shares.iter().map(endpoint_share).collect(),
        ramp: one.mirror.ramp.as_ref().map(|ramp| RampPlan {
            from_ppm: ramp.from_ppm,
            to_ppm: ramp.to_ppm,
            over_ms: ramp.over_ms,
        }),
        ramp_gates: RampGates {
            failures_share_ppm: one.mirror.ramp_failures_share_ppm,
            min_calls: one.mirror.ramp_min_calls,
            slower_than_ms: one.mirror.ramp_slower_than_ms,
        },
    }
}

fn endpoint_share(share: &config::EndpointShare) -> EndpointShare {
    let config::EndpointShare { endpoint, share_ppm } = share;
    EndpointShare { method: endpoint.method.clone(), path: endpoint.path.clone(), share_ppm: *share_ppm }
}

/// The byte budget over all integrations.
pub(crate) fn memory_in_all(config: &Config) -> MemoryInAll {
    MemoryInAll::new(usize::try_from(config.limits.mirror_memory_bytes_max).unwrap_or(usize::MAX))
}

/// What the shadow needs to be different, or the field that does not fit.
pub(crate) fn adapt(one: &IntegrationConfig) -> Result<adapt::Settings, String> {
    let field = |key: &str| format!("integrations.{}.{key}", one.name);
    let shadow_url =
        BaseUrl::parse(&one.shadow.url.to_string()).map_err(|error| format!("{}: {error}", field("shadow.url")))?;
    let mut settings = adapt::Settings::to(shadow_url);
    for (name, secret) in &one.shadow.headers {
        let mut value = HeaderValue::from_bytes(secret.expose()).map_err(|_| {
            format!(
                "{}: {name} holds bytes a header cannot carry; check {}",
                field("shadow.headers"),
                secret.reference()
            )
        })?;
        value.set_sensitive(true);
        settings.headers_set.push((name.clone(), value));
    }
    settings.headers_drop = one.shadow.drop_headers.clone();
    settings.headers_keep = one.shadow.keep_headers.clone();
    settings.query_keep = one.shadow.keep_query.clone();
    settings.strip_prefix = strip_prefix(one);
    let pointers = one.shadow.success_error_pointers.iter();
    settings.success = SuccessRule {
        graphql: one.shadow.success_graphql,
        error_json_pointers: pointers
            .map(|one| ErrorPointer { pointer: one.pointer.clone(), expected: one.expected.clone() })
            .collect(),
    };
    Ok(settings)
}

pub(crate) fn strip_prefix(one: &IntegrationConfig) -> Option<String> {
    one.strip_prefix.then(|| one.matcher.path_prefix.clone())
}

pub(crate) fn mirror(one: &IntegrationConfig, memory_in_all: &MemoryInAll) -> mirror::Settings {
    let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    let rules = |templates: &[EndpointTemplate], mirror| -> Vec<EndpointRule> {
        templates.iter().flat_map(names).map(|endpoint| EndpointRule { endpoint, mirror }).collect()
    };
    // The first rule of an endpoint decides, so that an exclusion wins.
    let (excluded, allowed) = (rules(&one.mirror.exclude, false), rules(&one.mirror.allow, true));
    mirror::Settings {
        methods: one.mirror.methods.iter().filter_map(|name| Method::from_bytes(name.as_bytes()).ok()).collect(),
        endpoints: excluded.into_iter().chain(allowed).collect(),
        body_copy_bytes_max: bytes(one.mirror.body_bytes_max),
        queue_calls_max: one.mirror.queue_calls_max,
        in_flight_max: one.mirror.in_flight_max,
        bytes_max: bytes(one.mirror.memory_bytes_max),
        memory_in_all: memory_in_all.clone(),
        read_timeout_ms: one.shadow.read_timeout_ms,
        total_timeout_ms: one.shadow.total_timeout_ms,
        answer_bytes_max: bytes(one.mirror.body_bytes_max),
        sample_key: sample_key(&one.mirror.sample_key),
    }
}

/// Today's provider: its address and what its connections are made to.
pub(crate) fn primary(one: &IntegrationConfig, provider: &PrimaryConfig) -> Result<Primary, String> {
    let field = |error: String| format!("integrations.{}.primary.url: {error}", one.name);
    let url = BaseUrl::parse(&provider.url.to_string()).map_err(|error| field(error.to_string()))?;
    let target = target(&provider.url, &provider.reach, provider.connect_timeout_ms).map_err(field)?;
    Ok(Primary { url, target })
}

/// What the shadow's connections are made to.
pub(crate) fn shadow_target(one: &IntegrationConfig) -> Result<Arc<Target>, String> {
    target(&one.shadow.url, &one.shadow.reach, one.shadow.connect_timeout_ms)
        .map_err(|error| format!("integrations.{}.shadow.url: {error}", one.name))
}

fn target(url: &Uri, reach: &ReachConfig, connect_timeout_ms: u64) -> Result<Arc<Target>, String> {
    let ReachConfig { http, socket, tls, .. } = reach;
    let settings = TargetSettings { socket: socket.clone(), http: *http, tls: tls.clone(), connect_timeout_ms };
    Target::new(url, settings).map(Arc::new).map_err(|error| error.to_string())
}

/// Where an integration's requests go on the user's path.
pub(crate) fn route(one: &IntegrationConfig, door: Door, book: Arc<Book>) -> Result<Route, String> {
    let primary = match &one.primary {
        Some(provider) => Some(primary(one, provider)?),
        None => None,
    };
    // What rules speak of is declared as well and first: an inferred name might not be the one the rule was written for.
    let shares = one.mirror.shares.iter().map(|share| &share.endpoint);
    let templates = one.mirror.exclude.iter().chain(&one.mirror.allow).chain(shares).chain(&one.mirror.endpoints);
    let declared: Vec<String> = templates.flat_map(names).collect();
    Ok(Route {
        matcher: matcher(one)?,
        strip_prefix: one.strip_prefix,
        primary,
        primary_read_timeout_ms: one
            .primary
            .as_ref()
            .map_or(PRIMARY_READ_TIMEOUT_MS, |primary| primary.read_timeout_ms),
        passing: one
            .primary
            .as_ref()
            .map(|primary| Passing { forwarded: primary.forwarded, keep_host: primary.keep_host })
            .unwrap_or_default(),
        endpoints: EndpointNames::new(&declared, ENDPOINTS_MAX),
        door,
        book,
    })
}

fn matcher(one: &IntegrationConfig) -> Result<Matcher, String> {
    let bad = || format!("integrations.{}.match.header is no header", one.name);
    let header = match &one.matcher.header {
        Some((name, value)) => Some(HeaderMatch {
            name: HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?,
            value: value.as_deref().map(HeaderValue::from_str).transpose().map_err(|_| bad())?,
        }),
        None => None,
    };
    let config::Matcher { listeners, host, path_prefix, .. } = one.matcher.clone();
    Ok(Matcher { listeners, host, header, path_prefix })
}

/// The endpoints a template names: one, or without a method one for each there is.
fn names(template: &EndpointTemplate) -> Vec<String> {
    let methods: &[&str] = match &template.method {
        Some(method) => &[method.as_str()],
        None => &["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "QUERY"],
    };
    methods.iter().map(|method| format!("{method} {}", template.path)).collect()
}

fn sample_key(key: &config::SampleKey) -> mirror::SampleKey {
    match key {
        config::SampleKey::Header(name) => {
            HeaderName::from_bytes(name.as_bytes()).map_or(mirror::SampleKey::Request, mirror::SampleKey::Header)
        }
        config::SampleKey::Capture => mirror::SampleKey::Request,
        config::SampleKey::Target => mirror::SampleKey::Target,
        config::SampleKey::Query(name) => mirror::SampleKey::Query(name.clone()),
        config::SampleKey::Cookie(name) => mirror::SampleKey::Cookie(name.clone()),
        config::SampleKey::Json(pointer) => {
            JsonPointer::parse(pointer).map_or(mirror::SampleKey::Target, mirror::SampleKey::Json)
        }
    }
}

/// Where both providers are, as metrics and traces name them.
pub(crate) fn servers(one: &IntegrationConfig) -> Servers {
    Servers {
        primary: one.primary.as_ref().map(|primary| Server::of(&primary.url)),
        shadow: Server::of(&one.shadow.url),
    }
}

/// What both providers of each integration are called, and what the console says of them.
pub(crate) fn providers(config: &Config) -> Vec<console::Providers> {
    let host = |uri: &http::Uri| uri.authority().map_or_else(String::new, ToString::to_string);
    let of = |one: &IntegrationConfig| console::Providers {
        integration: name(one),
        primary: one.primary.as_ref().map(|primary| primary.name.clone().unwrap_or_else(|| host(&primary.url))),
        shadow: one.shadow.name.clone().unwrap_or_else(|| host(&one.shadow.url)),
        servers: servers(one),
        rate_per_s: one.mirror.rate_per_s,
        price_per_call: one.provider.price_per_call.clone(),
        documentation: one.provider.documentation.clone(),
        review: one.review.clone(),
    };
    config.integrations.iter().map(of).collect()
}
