//! A whole capture: request, both answers, then the search for what is left.

use crate::exchange::{BodyCopy, BodyState, Capture, DropReason, ResponseCopy};
use crate::redact::engine::Redactor;
use crate::redact::format::{decode, form, headers};
use crate::redact::pass::Pass;
use crate::redact::sealed::{Part, Recording, Redacted, Side};
use crate::redact::stand_in::pseudonym::MASK;
use crate::redact::stand_in::residue::Residue;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};

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
    kept(pass, &request.headers, &mut request.body);
    lines(pass, &mut request.headers);
    let mut primary = capture.primary.as_mut().and_then(|exchange| exchange.response.as_mut());
    let mut shadow = capture.shadow.response.as_mut();
    let twins = primary.as_deref().zip(shadow.as_deref()).is_some_and(|(primary, shadow)| are_twins(primary, shadow));
    if let Some(answer) = &mut primary {
        pass.side = Side::Primary;
        let dropped_before = pass.parts_dropped;
        kept(pass, &answer.headers, &mut answer.body);
        if twins {
            pass.count_body_again(Side::Shadow, &dropped_before);
        }
        lines(pass, &mut answer.headers);
    }
    if let Some(answer) = &mut shadow {
        pass.side = Side::Shadow;
        match primary.filter(|_| twins) {
            Some(primary) => answer.body = primary.body.clone(),
            None => kept(pass, &answer.headers, &mut answer.body),
        }
        lines(pass, &mut answer.headers);
    }
    capture
}

/// Whether two answers have one body, to be read the same way: then it is redacted once. Where the new provider answers
/// as the old one does, that is every other body.
fn are_twins(primary: &ResponseCopy, shadow: &ResponseCopy) -> bool {
    let reads_same = |name: &HeaderName| primary.headers.get_all(name) == shadow.headers.get_all(name);
    primary.body == shadow.body && reads_same(&CONTENT_TYPE) && reads_same(&CONTENT_ENCODING)
}

/// What may be kept of a body.
fn kept(pass: &mut Pass<'_>, lines: &HeaderMap, copy: &mut BodyCopy) {
    pass.part = Part::Body;
    if copy.state == BodyState::Complete {
        match body(pass, lines, copy) {
            Ok(bytes) => copy.bytes = bytes.into(),
            Err(reason) => *copy = BodyCopy::dropped(reason, copy.seen_bytes),
        }
    }
}

fn lines(pass: &mut Pass<'_>, lines: &mut HeaderMap) {
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
    let request = &capture.request;
    let named = [request.target.as_bytes(), capture.endpoint.as_bytes()].into_iter();
    let answers = capture.primary.iter().chain(std::iter::once(&capture.shadow));
    let answers: Vec<_> = answers.filter_map(|exchange| exchange.response.as_ref()).collect();
    let headers = std::iter::once(&request.headers).chain(answers.iter().map(|answer| &answer.headers));
    let mut bodies: Vec<&[u8]> = answers.iter().map(|answer| &answer.body.bytes[..]).collect();
    // What both answers have is looked at once.
    bodies.dedup();
    let pieces = named.chain(headers.flat_map(HeaderMap::values).map(HeaderValue::as_bytes)).chain(bodies);
    pieces.chain([&request.body.bytes[..]]).any(|piece| residue.is_mentioned(piece))
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
