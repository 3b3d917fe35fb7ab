//! A whole capture: request, both answers, then the search for what is left.

use crate::exchange::{BodyCopy, BodyState, Capture, DropReason, Exchange};
use crate::redact::engine::Redactor;
use crate::redact::format::{decode, form, headers};
use crate::redact::pass::Pass;
use crate::redact::sealed::{Part, Recording, Redacted, Side};
use crate::redact::stand_in::pseudonym::MASK;
use crate::redact::stand_in::residue::Residue;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

/// Redacts a capture and proves it clean.
pub(in crate::redact) fn redact(redactor: &Redactor, raw: Capture) -> Redacted<Recording> {
    let names = redactor.names.known();
    let mut pass = Pass::new(redactor, &names);
    let mut capture = all(&mut pass, raw.clone());
    let (residue, decoded) = (pass.residue(), std::mem::take(&mut pass.decoded));
    let (subjects, leaves) = (pass.subjects(), std::mem::take(&mut pass.leaves));
    let mut parts_dropped = pass.parts_dropped;
    let mut hits = pass.into_hits();
    if let Some(residue) = residue.as_ref().filter(|residue| residue.shows(&decoded) || is_dirty(&capture, residue)) {
        // A value named in one place is mentioned in another: a second pass replaces the mentions too.
        let mut again = Pass::new(redactor, &names);
        (again.known, again.before) = (Some(residue), Some(&leaves));
        capture = all(&mut again, raw);
        parts_dropped = again.parts_dropped;
        hits = again.into_hits();
        purge(&mut capture, residue);
    }
    Redacted::seal(Recording { capture, hits, parts_dropped, rules_hash: redactor.hash(), subjects })
}

fn all(pass: &mut Pass<'_>, mut capture: Capture) -> Capture {
    pass.side = Side::Request;
    pass.part = Part::Target;
    let request = &mut capture.request;
    request.target = form::target(pass, &request.target, 0).unwrap_or_else(|_| format!("/{MASK}"));
    // An inferred template may hold what the path held.
    capture.endpoint = pass.redactor.endpoint(&capture.endpoint).into();
    message(pass, &mut request.headers, &mut request.body);
    if let Some(primary) = &mut capture.primary {
        answer(pass, primary, Side::Primary);
    }
    answer(pass, &mut capture.shadow, Side::Shadow);
    capture
}

fn answer(pass: &mut Pass<'_>, exchange: &mut Exchange, side: Side) {
    pass.side = side;
    if let Some(response) = &mut exchange.response {
        message(pass, &mut response.headers, &mut response.body);
    }
}

fn message(pass: &mut Pass<'_>, lines: &mut HeaderMap, copy: &mut BodyCopy) {
    pass.part = Part::Body;
    if copy.state == BodyState::Complete {
        match body(pass, lines, copy) {
            Ok(bytes) => copy.bytes = bytes.into(),
            Err(reason) => *copy = BodyCopy::dropped(reason, copy.seen_bytes),
        }
    }
    pass.part = Part::Headers;
    headers::lines(pass, lines);
}

fn body(pass: &mut Pass<'_>, lines: &HeaderMap, copy: &BodyCopy) -> Result<Vec<u8>, DropReason> {
    let settings = &pass.redactor.settings;
    if copy.bytes.is_empty() {
        return Ok(Vec::new());
    }
    if copy.bytes.len() > settings.body_bytes_max {
        return Err(DropReason::OverCap);
    }
    let bytes = decode::content(lines, &copy.bytes, settings.expanded_bytes_max)?;
    let content_type = match lines.get(CONTENT_TYPE) {
        Some(value) => Some(value.to_str().map_err(|_| DropReason::UnknownType)?),
        None => None,
    };
    decode::body(pass, content_type, &bytes)
}

fn messages(capture: &mut Capture) -> impl Iterator<Item = (&mut HeaderMap, &mut BodyCopy)> {
    let answers = capture.primary.iter_mut().chain(std::iter::once(&mut capture.shadow));
    let answers = answers.filter_map(|exchange| exchange.response.as_mut()).map(|r| (&mut r.headers, &mut r.body));
    std::iter::once((&mut capture.request.headers, &mut capture.request.body)).chain(answers)
}

fn is_dirty(capture: &Capture, residue: &Residue) -> bool {
    fn texts<'a>(lines: &'a HeaderMap, body: &'a BodyCopy) -> impl Iterator<Item = &'a [u8]> {
        lines.values().map(HeaderValue::as_bytes).chain(std::iter::once(&body.bytes[..]))
    }
    let request = &capture.request;
    let answers = capture.primary.iter().chain(std::iter::once(&capture.shadow));
    let answers = answers.filter_map(|exchange| exchange.response.as_ref()).flat_map(|r| texts(&r.headers, &r.body));
    let named = [request.target.as_bytes(), capture.endpoint.as_bytes()].into_iter();
    let mut pieces = named.chain(texts(&request.headers, &request.body)).chain(answers);
    pieces.any(|piece| residue.is_mentioned(piece))
}

/// Drops bodies and masks lines that still show a value.
fn purge(capture: &mut Capture, residue: &Residue) {
    if residue.is_in(capture.request.target.as_bytes()) {
        capture.request.target = format!("/{MASK}");
    }
    if residue.is_in(capture.endpoint.as_bytes()) {
        capture.endpoint = MASK.into();
    }
    for (lines, body) in messages(capture) {
        if residue.is_in(&body.bytes) {
            *body = BodyCopy::dropped(DropReason::Residue, body.seen_bytes);
        }
        for value in lines.values_mut().filter(|value| residue.is_in(value.as_bytes())) {
            *value = HeaderValue::from_static(MASK);
        }
    }
}
