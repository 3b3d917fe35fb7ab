//! What the sample providers answer: JSON with personal data, some of it gzipped, some of it chunked.

use crate::demo::chance::Chance;
use crate::demo::people::{People, Person};
use crate::demo::{ADDRESS_SEARCH, CUSTOMER, CUSTOMER_PAYMENTS, NEW_PAYMENT, STATUS};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::Method;
use http_body::Frame;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The endpoint a request belongs to, or `other`.
pub fn endpoint(method: &Method, path: &str) -> &'static str {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (method.as_str(), segments.as_slice()) {
        ("GET", ["customers", _]) => CUSTOMER,
        ("GET", ["customers", _, "payments"]) => CUSTOMER_PAYMENTS,
        ("GET", ["addresses", "search"]) => ADDRESS_SEARCH,
        ("POST", ["payments"]) => NEW_PAYMENT,
        ("GET", ["status"]) => STATUS,
        _ => "other",
    }
}

/// The status and document of a request that nothing goes wrong with.
pub fn answer(endpoint: &'static str, path: &str, body: &[u8], people: &People, newer: bool) -> (u16, Value) {
    let asked = path.trim_matches('/').split('/').nth(1).unwrap_or_default();
    let known = people.by_id(asked);
    match (endpoint, known) {
        (CUSTOMER, Some(person)) => (200, customer(person, newer)),
        (CUSTOMER_PAYMENTS, Some(person)) => (200, payments(person, newer)),
        (CUSTOMER | CUSTOMER_PAYMENTS, None) => (404, json!({"message": "no such customer"})),
        (ADDRESS_SEARCH, _) => (200, addresses(people)),
        (NEW_PAYMENT, _) => payment(body),
        (STATUS, _) => (200, json!({"status": "operational", "version": if newer { 2 } else { 1 }})),
        _ => (404, json!({"message": "no such endpoint"})),
    }
}

fn customer(person: &Person, newer: bool) -> Value {
    let mut document = json!({
        "id": person.id, "name": person.name, "email": person.email, "phone": person.phone, "iban": person.iban,
        "address": {"street": person.street, "city": "Sampletown", "country": "DE"},
        "access_token": person.token, "note": format!("please write to {} only", person.email),
    });
    if newer {
        document["risk"] = json!("low");
    }
    document
}

fn payments(person: &Person, newer: bool) -> Value {
    // The new provider writes amounts as texts: a difference that the comparison has to find.
    let amount = |cents: u32| if newer { json!(format!("{cents}")) } else { json!(cents) };
    let list: Vec<Value> = (1..=3)
        .map(|nth| json!({"payment": nth, "amount_cents": amount(nth * 1250), "card_number": person.card, "status": "settled"}))
        .collect();
    json!({"customer": person.id, "email": person.email, "payments": list})
}

fn addresses(people: &People) -> Value {
    let found: Vec<Value> = people.all().iter().take(8).map(|p| json!({"name": p.name, "street": p.street})).collect();
    json!({"results": found})
}

fn payment(body: &[u8]) -> (u16, Value) {
    let Ok(asked) = serde_json::from_slice::<Value>(body) else {
        return (400, json!({"message": "the body is no JSON"}));
    };
    (
        201,
        json!({"status": "accepted", "card": asked["card"], "email": asked["email"], "amount_cents": asked["amount_cents"]}),
    )
}

/// A body as bytes on the wire, and whether it is gzipped.
pub fn encode(document: &Value, gzip: bool) -> (Bytes, bool) {
    let plain = document.to_string();
    if gzip {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let packed = encoder.write_all(plain.as_bytes()).and_then(|()| encoder.finish());
        if let Ok(packed) = packed {
            return (packed.into(), true);
        }
    }
    (plain.into(), false)
}

/// A body of unknown length, which HTTP/1.1 sends chunked: one frame for each piece.
pub struct Pieces(VecDeque<Bytes>);

impl Pieces {
    /// Cuts a body into pieces of uneven sizes.
    pub fn cut(mut body: Bytes, chance: &mut Chance) -> Self {
        let mut pieces = VecDeque::new();
        while !body.is_empty() {
            let size = (1 + chance.below(200)).min(body.len());
            pieces.push_back(body.split_to(size));
        }
        Self(pieces)
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }
}
