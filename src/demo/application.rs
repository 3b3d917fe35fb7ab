//! The application of the demo: a steady schedule of varied calls, and what it saw of the answers.

use crate::demo::chance::Chance;
use crate::demo::people::{People, spaced};
use crate::demo::{ADDRESS_SEARCH, CUSTOMER, CUSTOMER_PAYMENTS, NEW_PAYMENT, PROVIDER_HEADER, STATUS};
use crate::exchange::Clock;
use bytes::Bytes;
use hdrhistogram::Histogram;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Longest the application waits for one answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the application could not run.
#[derive(Debug, thiserror::Error)]
pub enum ApplicationError {
    /// A worker ended before its work.
    #[error("a worker of the sample application ended early: {0}")]
    Worker(#[from] tokio::task::JoinError),
    /// The histogram could not be made.
    #[error("the application's latency histogram could not be made: {0}")]
    Histogram(#[from] hdrhistogram::CreationError),
}

/// What to call, how often.
#[derive(Clone, Debug)]
pub struct Application {
    /// Where to: `http://127.0.0.1:PORT`, the recorder or, to compare, a provider itself.
    pub url: String,
    /// How many calls.
    pub calls: usize,
    /// How many calls may be open at once.
    pub in_flight_max: usize,
    /// Calls that fall due each second.
    pub calls_per_s: u32,
    /// Which people and bodies, in which order.
    pub seed: u64,
}

/// What the application saw.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Calls that got a whole answer.
    pub answered: u64,
    /// Calls that got none, or half of one.
    pub failed: u64,
    /// Answers by who gave them (the `x-provider` header; empty where it was absent).
    pub by_provider: BTreeMap<String, u64>,
    /// Answers by status.
    pub by_status: BTreeMap<u16, u64>,
    /// Calls by endpoint.
    pub by_endpoint: BTreeMap<&'static str, u64>,
    /// From the call to the answer's last byte, microseconds, answered calls only.
    pub latency_us: Histogram<u64>,
}

struct OneCall {
    endpoint: &'static str,
    answer: Option<(u16, String, u64)>,
}

impl Application {
    /// The demo's usual schedule against `url`.
    pub fn new(url: impl Into<String>, calls: usize, seed: u64) -> Self {
        Self { url: url.into(), calls, in_flight_max: 16, calls_per_s: 300, seed }
    }

    /// Makes every call, and reports `progress(done, total)` after each.
    pub async fn run(
        &self,
        people: Arc<People>,
        clock: Clock,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Seen, ApplicationError> {
        let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        let (report, mut reports) = mpsc::channel(64);
        let turn = Arc::new(AtomicUsize::new(0));
        let started = clock.now();
        let mut workers = JoinSet::new();
        for _ in 0..self.in_flight_max.max(1) {
            let (plan, people, turn) = (self.clone(), people.clone(), turn.clone());
            let (client, report) = (client.clone(), report.clone());
            workers.spawn(async move {
                loop {
                    let nth = turn.fetch_add(1, Ordering::Relaxed);
                    if nth >= plan.calls {
                        break;
                    }
                    let due = Duration::from_secs_f64(nth as f64 / f64::from(plan.calls_per_s.max(1)));
                    tokio::time::sleep(due.saturating_sub(clock.now() - started)).await;
                    let call = plan.call(nth, &people, &client, clock).await;
                    if report.send(call).await.is_err() {
                        break;
                    }
                }
            });
        }
        drop(report);
        let mut seen = Seen::new()?;
        let mut done = 0;
        while let Some(call) = reports.recv().await {
            seen.add(call);
            done += 1;
            progress(done, self.calls);
        }
        while let Some(ended) = workers.join_next().await {
            ended?;
        }
        Ok(seen)
    }

    async fn call(
        &self,
        nth: usize,
        people: &People,
        client: &Client<HttpConnector, Full<Bytes>>,
        clock: Clock,
    ) -> OneCall {
        let (endpoint, method, target, body) = self.plan(nth, people);
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{target}", self.url))
            .header(header::AUTHORIZATION, format!("Bearer {}", people.api_key()))
            .header(header::ACCEPT_ENCODING, "gzip")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(body));
        let Ok(request) = request else { return OneCall { endpoint, answer: None } };
        let started = clock.now();
        let exchange = async {
            let response = client.request(request).await.ok()?;
            let status = response.status().as_u16();
            let provider = response.headers().get(PROVIDER_HEADER).and_then(|value| value.to_str().ok());
            let provider = provider.unwrap_or_default().to_owned();
            response.into_body().collect().await.ok()?;
            Some((status, provider, clock.elapsed_us(started)))
        };
        OneCall { endpoint, answer: tokio::time::timeout(CALL_TIMEOUT, exchange).await.ok().flatten() }
    }

    /// The nth call: endpoint, method, target, body.
    fn plan(&self, nth: usize, people: &People) -> (&'static str, Method, String, String) {
        let mut chance = Chance::new(self.seed ^ 0xCA11, nth as u64);
        let person = chance.one_of(people.all());
        let id = &person.id;
        let get = |endpoint, target| (endpoint, Method::GET, target, String::new());
        match chance.below(20) {
            0..8 => get(CUSTOMER, format!("/customers/{id}")),
            8..12 => get(CUSTOMER_PAYMENTS, format!("/customers/{id}/payments?email={}&limit=3", person.email)),
            12..15 => get(ADDRESS_SEARCH, format!("/addresses/search?q={}", person.street.replace(' ', "+"))),
            15..19 => {
                // As people type it, every third time: a rule that knows bare digits only would miss it.
                let card = if nth.is_multiple_of(3) { spaced(&person.card) } else { person.card.clone() };
                let body = json!({
                    "amount_cents": 100 + chance.below(90_000), "card": {"number": card, "holder": person.name},
                    "email": person.email, "phone": person.phone, "iban": person.iban, "token": person.token,
                });
                (NEW_PAYMENT, Method::POST, "/payments".to_owned(), body.to_string())
            }
            _ => get(STATUS, "/status".to_owned()),
        }
    }
}

impl Seen {
    fn new() -> Result<Self, ApplicationError> {
        let latency_us = Histogram::new_with_bounds(1, 600_000_000, 3)?;
        let (by_provider, by_status, by_endpoint) = Default::default();
        Ok(Self { answered: 0, failed: 0, by_provider, by_status, by_endpoint, latency_us })
    }

    fn add(&mut self, call: OneCall) {
        *self.by_endpoint.entry(call.endpoint).or_default() += 1;
        let Some((status, provider, total_us)) = call.answer else {
            self.failed += 1;
            return;
        };
        self.answered += 1;
        *self.by_provider.entry(provider).or_default() += 1;
        *self.by_status.entry(status).or_default() += 1;
        self.latency_us.saturating_record(total_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{CURRENT, ENDPOINTS, NEW, Providers};

    async fn run(on_new: bool) -> (Seen, Providers) {
        let providers = Providers::start(11).await.unwrap();
        let url = if on_new { &providers.new_url } else { &providers.current_url };
        let application = Application { calls_per_s: 1000, ..Application::new(url, 400, 5) };
        let mut last = (0, 0);
        let seen = application.run(providers.people.clone(), Clock, |done, total| last = (done, total)).await.unwrap();
        assert_eq!(last, (400, 400));
        (seen, providers)
    }

    #[tokio::test]
    async fn the_current_provider_answers_everything() {
        let (seen, providers) = run(false).await;
        assert_eq!((seen.answered, seen.failed, seen.by_provider[CURRENT]), (400, 0, 400));
        assert!(seen.by_status.keys().all(|status| [200, 201].contains(status)), "{:?}", seen.by_status);
        assert_eq!(seen.by_endpoint.len(), ENDPOINTS.len());
        assert_eq!((providers.current.requests(), providers.new.requests()), (400, 0));
        assert_eq!(providers.current.authorizations(), 400);
        providers.close(Duration::from_secs(5)).await;
    }

    #[tokio::test]
    async fn the_new_provider_counts_its_own_faults() {
        let (seen, providers) = run(true).await;
        assert_eq!(seen.by_provider[NEW], 400);
        let counts = &providers.new;
        for status in [429, 503] {
            let counted = counts.with_status(|kind| kind.status == status);
            assert!(counted > 0);
            assert_eq!(seen.by_status.get(&status).copied().unwrap_or_default(), counted, "{status}");
        }
        assert!(counts.with_status(|kind| kind.status == 200 && kind.says_error) > 0);
        assert_eq!(counts.with_status(|_| true), 400);
        providers.close(Duration::from_secs(5)).await;
    }
}
