//! Calls as a payment API sees them: 1 KiB requests, 2 KiB answers of both providers, full of what differs from call to call.

use darklaunch::exchange::{
    BodyCopy, Capture, CaptureId, Clock, Exchange, Outcome, RequestCopy, ResponseCopy, Role, Timings,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::fmt::Write;
use std::sync::Arc;

/// A generator of numbers: splitmix64.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}

/// What is drawn.
pub struct Traffic {
    pub dice: Dice,
    /// Of the answers so many percent are ones that were given shortly before.
    pub repeated_percent: u64,
    /// Of the shadow's answers so many percent equal the primary's.
    pub same_percent: u64,
    endpoints: Vec<(Method, Arc<str>)>,
    recent: Vec<String>,
    integration: Arc<str>,
}

/// Answers that may be given again.
const RECENT: usize = 2_000;

impl Traffic {
    pub fn new(seed: u64, repeated_percent: u64, same_percent: u64) -> Self {
        let endpoints = (0..40).map(|n| match n % 4 {
            0 => (Method::POST, format!("POST /v1/resource{n}/{{id}}/charges").into()),
            _ => (Method::GET, format!("GET /v1/resource{n}/{{id}}").into()),
        });
        Self {
            dice: Dice::new(seed),
            repeated_percent,
            same_percent,
            endpoints: endpoints.collect(),
            recent: Vec::new(),
            integration: "payments".into(),
        }
    }

    pub fn capture(&mut self) -> Capture {
        let (method, endpoint) = self.endpoints[self.dice.below(self.endpoints.len() as u64) as usize].clone();
        let request = self.request();
        let old = self.answer();
        let new = if self.dice.below(100) < self.same_percent { old.clone() } else { self.answer() };
        let failing = self.dice.below(200) == 0;
        let now = Clock.unix_us();
        let id = CaptureId::fresh();
        let target = format!("/v1/resource/{:x}?expand=lines", self.dice.next() >> 24);
        Capture {
            id,
            integration: Arc::clone(&self.integration),
            endpoint,
            received_unix_us: now,
            request: RequestCopy { method, target, headers: self.request_headers(), body: whole(request) },
            primary: Some(self.exchange(Role::Primary, now, old, 200)),
            shadow: self.exchange(Role::Shadow, now, new, if failing { 503 } else { 200 }),
        }
    }

    fn exchange(&mut self, role: Role, now: i64, body: String, status: u16) -> Exchange {
        let total_us = 20_000 + self.dice.below(60_000);
        let timings = Timings {
            queue_wait_us: self.dice.below(300),
            connect_us: (self.dice.below(50) == 0).then_some(900),
            ttfb_us: Some(total_us - 700),
            total_us,
        };
        Exchange {
            role,
            started_unix_us: now + 250,
            response: Some(ResponseCopy { status, headers: self.answer_headers(body.len()), body: whole(body) }),
            failure: None,
            outcome: Outcome::of_status(status),
            timings,
        }
    }

    fn request_headers(&mut self) -> HeaderMap {
        let id = format!("req_{:016x}", self.dice.next());
        lines(&[
            ("host", "api.current.example"),
            ("accept", "application/json"),
            ("content-type", "application/json"),
            ("user-agent", "shop/4.2.1 (orders)"),
            ("accept-encoding", "gzip"),
            ("x-request-id", &id),
        ])
    }

    fn answer_headers(&mut self, length: usize) -> HeaderMap {
        let (id, length) = (format!("{:016x}", self.dice.next()), length.to_string());
        lines(&[
            ("content-type", "application/json; charset=utf-8"),
            ("content-length", &length),
            ("date", "Tue, 03 Mar 2026 10:11:12 GMT"),
            ("server", "provider"),
            ("cache-control", "no-store"),
            ("x-request-id", &id),
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ])
    }

    /// About 1 KiB.
    fn request(&mut self) -> String {
        let mut text = format!(
            r#"{{"reference":"ord_{:016x}","amount":{},"currency":"EUR","customer":"cus_{:016x}","capture":true,"description":"Order {}","lines":["#,
            self.dice.next(),
            self.dice.below(100_000),
            self.dice.next(),
            self.dice.below(1_000_000)
        );
        self.lines_of(&mut text, 7);
        text.push_str("]}");
        text
    }

    /// About 2 KiB.
    fn answer(&mut self) -> String {
        if self.recent.len() >= 16 && self.dice.below(100) < self.repeated_percent {
            let at = self.dice.below(self.recent.len() as u64) as usize;
            return self.recent[at].clone();
        }
        let mut text = format!(
            r#"{{"id":"ch_{:016x}","object":"charge","status":"succeeded","amount":{},"currency":"EUR","created":{},"livemode":false,"customer":{{"id":"cus_{:016x}","object":"customer","tier":"standard"}},"balance_transaction":"txn_{:016x}","payment_method_details":{{"type":"card","card":{{"brand":"visa","country":"DE","exp_month":{},"exp_year":2028,"funding":"credit","fingerprint":"{:016x}"}}}},"lines":["#,
            self.dice.next(),
            self.dice.below(100_000),
            1_700_000_000 + self.dice.below(50_000_000),
            self.dice.next(),
            self.dice.next(),
            1 + self.dice.below(12),
            self.dice.next(),
        );
        self.lines_of(&mut text, 13);
        text.push_str("]}");
        if self.recent.len() < RECENT {
            self.recent.push(text.clone());
        } else {
            let at = self.dice.below(RECENT as u64) as usize;
            self.recent[at].clone_from(&text);
        }
        text
    }

    fn lines_of(&mut self, text: &mut String, count: u64) {
        for n in 0..count {
            let comma = if n == 0 { "" } else { "," };
            // Writing to memory does not fail.
            let _ = write!(
                text,
                r#"{comma}{{"sku":"SKU-{:06}","quantity":{},"unit_amount":{},"tax_rate":"19.0","description":"Article {:x}","discountable":true}}"#,
                self.dice.below(1_000_000),
                1 + self.dice.below(5),
                self.dice.below(20_000),
                self.dice.next() >> 40,
            );
        }
    }
}

fn whole(text: String) -> BodyCopy {
    BodyCopy::complete(text.into())
}

fn lines(all: &[(&'static str, &str)]) -> HeaderMap {
    let valid = all
        .iter()
        .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?)));
    valid.collect()
}
