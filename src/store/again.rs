//! A stored capture as the line carried it, so that it can be redacted again, and what becomes of it then.

use crate::compare::{Examined, Verdict};
use crate::exchange::{BodyCopy, Capture, DropReason, Exchange, Failure, RequestCopy, ResponseCopy, Role, Timings};
use crate::redact::{Recording, Redacted, Redactor};
use crate::store::prepare::Part;
use crate::store::{Prepared, Preparer, Samples, StoredBody, StoredCapture, StoredExchange, block, prepare};
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

impl StoredCapture {
    /// The capture, bodies without their content coding (and therefore without its header line); `None` if the row holds
    /// what no capture can: a method or a header that HTTP does not allow.
    pub fn to_capture(&self) -> Option<Capture> {
        let summary = &self.summary;
        Some(Capture {
            id: summary.id,
            integration: summary.integration.as_str().into(),
            endpoint: summary.endpoint.as_str().into(),
            received_unix_us: summary.received_unix_us,
            request: RequestCopy {
                method: Method::from_bytes(summary.method.as_bytes()).ok()?,
                target: summary.target.clone(),
                headers: lines(&self.request_headers)?,
                body: body(&self.request_body),
            },
            primary: match &self.primary {
                Some(primary) => Some(exchange(Role::Primary, primary)?),
                None => None,
            },
            shadow: exchange(Role::Shadow, &self.shadow)?,
        })
    }
}

fn exchange(role: Role, stored: &StoredExchange) -> Option<Exchange> {
    let summary = &stored.summary;
    let headers = lines(&stored.headers)?;
    let answer = |status| ResponseCopy { status, headers, body: body(&stored.body) };
    Some(Exchange {
        role,
        started_unix_us: summary.started_unix_us,
        response: summary.status.map(answer),
        failure: summary.failure.map(|kind| Failure { kind }),
        outcome: summary.outcome,
        timings: Timings {
            queue_wait_us: summary.queue_wait_us,
            connect_us: summary.connect_us,
            ttfb_us: summary.ttfb_us,
            total_us: summary.total_us,
        },
    })
}

fn lines(stored: &[(String, String)]) -> Option<HeaderMap> {
    let mut lines = HeaderMap::with_capacity(stored.len());
    for (name, value) in stored {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        if name != CONTENT_ENCODING {
            lines.append(name, HeaderValue::from_bytes(value.as_bytes()).ok()?);
        }
    }
    Some(lines)
}

fn body(stored: &StoredBody) -> BodyCopy {
    match &stored.bytes {
        Some(bytes) => BodyCopy { seen_bytes: stored.seen_bytes, ..BodyCopy::complete(bytes.clone().into()) },
        // Why is told elsewhere; here it is only absent.
        None => BodyCopy::dropped(DropReason::Cut, stored.seen_bytes),
    }
}

/// Why a body is absent that retention took, as [`StoredBody`] says it.
const PRUNED: &str = "pruned";
/// Likewise, that cannot be read.
const DAMAGED: &str = "damaged";

/// A stored capture, and what today's rules make of it.
pub(in crate::store) struct Again {
    pub seq: i64,
    pub stored: StoredCapture,
    /// What was stored, as a capture; and redacted once more.
    pub before: Capture,
    pub after: Redacted<Recording>,
}

impl Again {
    /// None where the row cannot be a capture, or a body of it cannot be read.
    pub fn of(redactor: &Redactor, seq: i64, stored: StoredCapture) -> Option<Self> {
        let answers = stored.primary.iter().chain([&stored.shadow]).map(|exchange| &exchange.body);
        if answers.chain([&stored.request_body]).any(|body| body.drop_reason.as_deref() == Some(DAMAGED)) {
            return None;
        }
        let before = stored.to_capture()?;
        let after = redactor.capture(before.clone());
        Some(Self { seq, stored, before, after })
    }

    /// Whether anything is another than before; what is no longer compared is not looked at.
    pub fn is_changed(&self) -> bool {
        let (before, after) = (&self.before, &self.after.capture);
        before.request.target != after.request.target
            || before.endpoint != after.endpoint
            || messages(before).zip(messages(after)).any(|(a, b)| a != b)
    }

    /// Why bodies that were kept are kept no longer.
    pub fn newly_dropped(&self) -> impl Iterator<Item = DropReason> {
        let both = messages(&self.before).zip(messages(&self.after.capture));
        both.filter(|((_, a), _)| a.drop_reason().is_none()).filter_map(|(_, (_, b))| b.drop_reason())
    }

    /// Ready to be written in place of what was stored: with the hits of both times, with the bodies that are absent as
    /// absent as they were, and compared anew if both answers are there. Its counted hits are today's only.
    pub fn prepare(&self, preparer: &mut Preparer, redactor: &Redactor) -> (Prepared, Option<Samples>) {
        let stored = &self.stored;
        let mut recording: Recording = (*self.after).clone();
        let request = &mut recording.capture.request;
        restore(&mut request.headers, &mut request.body, &stored.request_headers, &stored.request_body);
        if let (Some(primary), Some(stored)) = (&mut recording.capture.primary, &stored.primary) {
            restore_answer(primary, stored);
        }
        restore_answer(&mut recording.capture.shadow, &stored.shadow);
        recording.hits.splice(0..0, block::hits_named(&stored.hits));
        let there = |exchange: &StoredExchange| exchange.body.bytes.is_some();
        let both = stored.primary.as_ref().is_some_and(there) && there(&stored.shadow);
        let examined = if both { preparer.examine(&self.after) } else { self.as_compared(redactor) };
        let (mut prepared, samples) = preparer.parts(&recording, &examined);
        if !both {
            prepared.verdict = stored.summary.verdict.clone().into();
        }
        (prepared.hits, _) = prepare::hits(&self.after.hits);
        let let_go = |part: &mut Part, body: &StoredBody| {
            if body.drop_reason.as_deref() == Some(PRUNED) {
                part.let_go();
            }
        };
        let_go(&mut prepared.body, &stored.request_body);
        let_go(&mut prepared.shadow.part, &stored.shadow.body);
        if let (Some(primary), Some(stored)) = (&mut prepared.primary, &stored.primary) {
            let_go(&mut primary.part, &stored.body);
        }
        (prepared, samples)
    }

    /// What differed, as told before; a place whose name a rule objects to is told no more exactly than the root.
    fn as_compared(&self, redactor: &Redactor) -> Examined {
        let mut differences = self.stored.differences.clone();
        for one in &mut differences {
            if !redactor.residue("text/plain", one.path.as_bytes()).is_empty() {
                one.path = "$".to_owned();
            }
        }
        Examined { verdict: Verdict::Differs(differences), shape: None }
    }
}

fn messages(capture: &Capture) -> impl Iterator<Item = (&HeaderMap, &BodyCopy)> {
    let answers = capture.primary.iter().chain([&capture.shadow]).filter_map(|exchange| exchange.response.as_ref());
    let answers = answers.map(|answer| (&answer.headers, &answer.body));
    std::iter::once((&capture.request.headers, &capture.request.body)).chain(answers)
}

fn restore_answer(exchange: &mut Exchange, stored: &StoredExchange) {
    if let Some(answer) = &mut exchange.response {
        restore(&mut answer.headers, &mut answer.body, &stored.headers, &stored.body);
    }
}

/// The content coding was left out on the way to redaction, which would have undone it once more; and a body that was
/// absent is so for the reason it was.
fn restore(headers: &mut HeaderMap, copy: &mut BodyCopy, lines: &[(String, String)], body: &StoredBody) {
    let codings = lines.iter().filter(|(name, _)| name.eq_ignore_ascii_case(CONTENT_ENCODING.as_str()));
    for value in codings.filter_map(|(_, value)| HeaderValue::from_bytes(value.as_bytes()).ok()) {
        headers.append(CONTENT_ENCODING, value);
    }
    if body.bytes.is_none() {
        let reason = DropReason::ALL.into_iter().find(|known| body.drop_reason.as_deref() == Some(known.name()));
        *copy = BodyCopy::dropped(reason.unwrap_or(DropReason::Cut), body.seen_bytes);
    }
}
