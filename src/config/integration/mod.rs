//! One integration's section: whom it concerns, its two upstreams, and what of it is mirrored.

mod matcher;
mod mirroring;
mod reach;
mod reviewing;
mod sampling;
mod upstreams;

pub use reach::ReachConfig;
pub use reviewing::ProviderConfig;

use std::net::SocketAddr;

use http::{HeaderName, Uri};
use serde::{Serialize, Serializer};

use crate::config::problem::Place;
use crate::config::raw::shown_text;
use crate::config::reader::{Placed, Reader};
use crate::config::secret::Secret;
use crate::config::{IntegrationRedaction, WebhookConfig, alerting, redaction};
use crate::proxy::{Forwarded, Listen};
use crate::review;

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
    /// What it adds to the redaction rules for everyone.
    pub redaction: IntegrationRedaction,
    /// When the system pauses by itself.
    pub breaker: BreakerConfig,
    /// What a go-live review holds it against.
    pub review: review::Settings,
    /// What the console says of the new provider beside the review's words.
    pub provider: ProviderConfig,
    /// Told of this integration's alerts, beside those told of all.
    pub webhooks: Vec<WebhookConfig>,
}

/// Which requests are an integration's own: all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Matcher {
    /// Positions in `listen.traffic`, ascending; `None` for any.
    pub listeners: Option<Vec<usize>>,
    /// Lowercase, without a port; `None` for any.
    pub host: Option<String>,
    /// The name, lowercase, and the value of a header; without a value, that it is there.
    pub header: Option<(String, Option<String>)>,
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
    /// How it is reached.
    pub reach: ReachConfig,
    /// Milliseconds.
    pub connect_timeout_ms: u64,
    /// Milliseconds of silence.
    pub read_timeout_ms: u64,
    /// The application's `Host` instead of the provider's.
    pub keep_host: bool,
    /// What it hears of who called.
    pub forwarded: Forwarded,
}

/// The new provider.
#[derive(Clone, Debug, Serialize)]
pub struct ShadowConfig {
    /// As [`PrimaryConfig::name`].
    pub name: Option<String>,
    /// As [`PrimaryConfig::url`].
    #[serde(serialize_with = "uri_text")]
    pub url: Uri,
    /// As [`PrimaryConfig::reach`].
    pub reach: ReachConfig,
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
    /// The value in the JSON body that an RFC 6901 pointer names.
    Json(String),
}

/// `POST /orders 50%`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EndpointShare {
    /// Which requests.
    pub endpoint: EndpointTemplate,
    /// Parts per million, at most the integration's share.
    pub share_ppm: u32,
}

/// `1% -> 25% over 5d`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RampConfig {
    /// Parts per million at the start.
    pub from_ppm: u32,
    /// Parts per million at the end; more than at the start.
    pub to_ppm: u32,
    /// Milliseconds with mirroring on.
    pub over_ms: u64,
}

/// `POST /orders/{id}`; `/orders` for every method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EndpointTemplate {
    /// Uppercase; `None` for every method (only in `exclude` and `shares`).
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
    /// Endpoints with a share of their own.
    pub shares: Vec<EndpointShare>,
    /// Instead of `sample_ppm`: a rising share.
    pub ramp: Option<RampConfig>,
    /// Share of failures in an hour that holds the ramp, parts per million; 0 for never.
    pub ramp_failures_share_ppm: u32,
    /// Calls in the hour before that share counts.
    pub ramp_min_calls: u64,
    /// A shadow call that took longer counts among the failures, milliseconds.
    pub ramp_slower_than_ms: u64,
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

pub(in crate::config) fn header_texts<S: Serializer>(
    headers: &[(HeaderName, Secret)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(headers.iter().map(|(name, secret)| (name.as_str(), secret)))
}

/// One section's view of the reader.
struct Section<'r, 'e> {
    reader: &'r mut Reader<'e>,
    name: &'r str,
    listening: &'r [SocketAddr],
    traffic: &'r [Listen],
}

/// Checks one section: its match, and the whole unless what it stands on is missing, which then is among the problems.
pub(crate) fn check(
    reader: &mut Reader<'_>,
    name: &str,
    place: &Place,
    listening: &[SocketAddr],
    traffic: &[Listen],
) -> (Option<Matcher>, Option<IntegrationConfig>) {
    let mut section = Section { reader, name, listening, traffic };
    let matcher = section.matcher(place);
    let strip_prefix = section.flag("match.strip_prefix");
    let primary = section.primary();
    let shadow = section.shadow(place);
    let mirror = section.mirror();
    let redaction = redaction::integration(section.reader, section.name);
    let breaker = section.breaker();
    let mut review = section.review();
    let provider = section.provider();
    let key = section.key("alerts.webhooks");
    let webhooks = alerting::webhooks(section.reader, &key);
    let (Some(own), Some(shadow)) = (matcher.clone(), shadow) else { return (matcher, None) };
    if primary.as_ref().is_some_and(|primary| primary.url == shadow.url && primary.reach.socket == shadow.reach.socket)
    {
        let text =
            format!("integrations.{name}: primary and shadow are the same URL, so every mirrored call is doubled");
        section.reader.warnings.push(text);
    }
    review.sample = f64::from(mirror.sample_ppm) / 1e6;
    // A provider that does not begin to answer is silent.
    review.recording_timeout_us = Some(shadow.total_timeout_ms.min(shadow.read_timeout_ms).saturating_mul(1_000));
    let (name, matched) = (name.to_owned(), own);
    let whole = IntegrationConfig {
        name,
        matcher: matched,
        strip_prefix,
        primary,
        shadow,
        mirror,
        redaction,
        breaker,
        review,
        provider,
        webhooks,
    };
    (matcher, Some(whole))
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
}
