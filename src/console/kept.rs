//! Pages are made once for all who may see the same, and sent packed.
//!
//! Twenty people who reload cost what one does: a page is kept for a second, or until a switch changes, by its address and
//! the rights of who asked. Packing runs on a worker, never on the thread that answers a stop.

use crate::console::access::{Caller, May};
use crate::console::routes::Desk;
use crate::exchange::{Clock, Instant};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a page is shown again.
const KEPT: Duration = Duration::from_secs(1);
/// Pages kept at once; more are made each time.
const PAGES_MAX: usize = 64;
/// The largest page that is kept or packed, bytes.
const PAGE_BYTES_MAX: usize = 1 << 20;
/// Smaller answers are not worth packing, bytes.
const PACKED_BYTES_MIN: usize = 1_024;
/// The longest address by which a page is kept, bytes.
const ADDRESS_BYTES_MAX: usize = 512;

/// Whose page: address, name, rights, the secret in its forms.
type Key = (String, Option<Arc<str>>, May, Option<Arc<str>>);

/// One page, as it was made.
#[derive(Clone, Debug)]
struct Page {
    /// When it was made, and with which state of the switches.
    made: Instant,
    switches: u64,
    kind: HeaderValue,
    plain: Bytes,
    packed: Option<Bytes>,
}

/// The pages of the last second.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pages(Arc<Mutex<BTreeMap<Key, Page>>>);

impl Pages {
    fn fresh(&self, key: &Key, switches: u64, clock: Clock) -> Option<Page> {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let page = pages.get(key)?;
        let age = clock.now().saturating_duration_since(page.made);
        (age < KEPT && page.switches == switches).then(|| page.clone())
    }

    fn keep(&self, key: Key, page: Page) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.retain(|_, other| page.made.saturating_duration_since(other.made) < KEPT);
        if pages.len() < PAGES_MAX {
            pages.insert(key, page);
        }
    }
}

/// The layer around the pages and their style sheet and script.
pub(crate) async fn keep(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    if *request.method() != Method::GET {
        return next.run(request).await;
    }
    let takes_packed = takes_gzip(request.headers());
    let (key, switches, made) = (key(&request), switches(&desk), desk.shared.clock.now());
    if let Some(page) = key.as_ref().and_then(|key| desk.pages.fresh(key, switches, desk.shared.clock)) {
        return page.answer(takes_packed);
    }
    let answer = next.run(request).await;
    let Some(kind) = answer.headers().get(header::CONTENT_TYPE).filter(|_| answer.status() == StatusCode::OK).cloned()
    else {
        return answer;
    };
    let (head, body) = answer.into_parts();
    // Pages are made whole in memory: this waits for nothing, and only one that is too large fails.
    let Ok(plain) = to_bytes(body, PAGE_BYTES_MAX).await else {
        return (StatusCode::INTERNAL_SERVER_ERROR, "the page is too large").into_response();
    };
    let page = Page { made, switches, kind, packed: packed(&plain).await, plain };
    let mut answer = page.answer(takes_packed);
    head.headers.into_iter().for_each(|(name, value)| {
        if let Some(name) = name.filter(|name| !answer.headers().contains_key(name)) {
            answer.headers_mut().insert(name, value);
        }
    });
    if let Some(key) = key {
        desk.pages.keep(key, page);
    }
    answer
}

impl Page {
    fn answer(&self, takes_packed: bool) -> Response {
        let packed = self.packed.as_ref().filter(|_| takes_packed);
        let mut answer = Body::from(packed.unwrap_or(&self.plain).clone()).into_response();
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, self.kind.clone());
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if packed.is_some() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        answer
    }
}

fn key(request: &Request) -> Option<Key> {
    let caller = request.extensions().get::<Caller>()?;
    let address = request.uri().path_and_query()?.as_str();
    let (name, may, secret) = caller.sees();
    (address.len() <= ADDRESS_BYTES_MAX).then(|| (address.to_owned(), name, may, secret))
}

/// A number that differs when a switch does.
fn switches(desk: &Desk) -> u64 {
    let states = desk.shared.switchboard.iter().map(|switch| switch.state());
    states.fold(17, |sum: u64, state| {
        let one =
            state.revision.wrapping_mul(4).wrapping_add(u64::from(state.on) * 2 + u64::from(state.paused.is_some()));
        sum.wrapping_mul(1_000_003).wrapping_add(one)
    })
}

/// Whether the other side reads gzip: named, and not refused by `q=0` (RFC 9110, 12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let given = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    given.flat_map(|value| value.split(',')).any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let refused = parts.any(|part| {
            let weight = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
            weight.and_then(|weight| weight.parse::<f32>().ok()).is_some_and(|weight| weight <= 0.0)
        });
        named && !refused
    })
}

async fn packed(plain: &Bytes) -> Option<Bytes> {
    if plain.len() < PACKED_BYTES_MIN {
        return None;
    }
    let plain = plain.clone();
    let pack = move || {
        let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::fast());
        encoder.write_all(&plain).and_then(|()| encoder.finish()).ok()
    };
    let packed = tokio::task::spawn_blocking(pack).await.ok().flatten();
    packed.map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_read_it_only() {
        let with = |text: &'static str| {
            takes_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(text))]))
        };
        assert!(with("gzip") && with("br;q=1.0, GZIP;q=0.8") && with("deflate, gzip"));
        assert!(
            !with("") && !with("br") && !with("gzip;q=0") && !with("gzip; q=0.000") && !takes_gzip(&HeaderMap::new())
        );
    }

    #[test]
    fn a_page_is_kept_for_those_with_the_same_rights_until_a_switch_changes_and_never_too_many() {
        let (pages, clock) = (Pages::default(), Clock);
        let key = |at: usize, may| (format!("/{at}"), None, may, None);
        let page = |switches| Page {
            made: clock.now(),
            switches,
            kind: HeaderValue::from_static("text/html"),
            plain: Bytes::from_static(b"x"),
            packed: None,
        };
        pages.keep(key(0, May::View), page(1));
        assert!(pages.fresh(&key(0, May::View), 1, clock).is_some());
        assert!(pages.fresh(&key(0, May::View), 2, clock).is_none());
        assert!(pages.fresh(&key(0, May::Stop), 1, clock).is_none());
        (0..2 * PAGES_MAX).for_each(|at| pages.keep(key(at, May::View), page(1)));
        assert_eq!(pages.0.lock().unwrap().len(), PAGES_MAX);
        let old = Page { made: clock.now() - KEPT, ..page(1) };
        let other = Pages::default();
        other.keep(key(1, May::View), old);
        assert!(other.fresh(&key(1, May::View), 1, clock).is_none());
    }
}
