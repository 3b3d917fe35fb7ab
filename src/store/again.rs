//! A stored capture as the line carried it, so that it can be redacted again.

use crate::exchange::{BodyCopy, Capture, DropReason, Exchange, Failure, RequestCopy, ResponseCopy, Role, Timings};
use crate::store::{StoredBody, StoredCapture, StoredExchange};
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
