//! Our own answers, when there is none of the primary's to pass on.

use crate::exchange::{FailureKind, Refused};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;

/// Tells our own error answers from the provider's.
pub const ERROR_HEADER: HeaderName = HeaderName::from_static("darklaunch-error");

/// A one-line error answer of our own.
pub(crate) fn refuse(status: StatusCode, kind: &'static str, text: &'static str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(ERROR_HEADER, HeaderValue::from_static(kind));
    answer.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// The answer to a request that belongs to no integration.
pub(crate) fn of_refused(kind: Refused, text: &'static str) -> Response<Full<Bytes>> {
    let status = match kind {
        Refused::NoIntegration => StatusCode::NOT_FOUND,
        Refused::Host | Refused::RequestHead | Refused::RequestFraming => StatusCode::BAD_REQUEST,
        Refused::ConnectMethod | Refused::TransferCoding => StatusCode::NOT_IMPLEMENTED,
        Refused::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Refused::HeadTimeout => StatusCode::REQUEST_TIMEOUT,
    };
    refuse(status, kind.name(), text)
}

/// What the application hears when the primary could not answer.
pub(crate) fn of_failure(kind: FailureKind) -> Response<Full<Bytes>> {
    match kind {
        FailureKind::Connect => {
            refuse(StatusCode::BAD_GATEWAY, "primary_connect", "darklaunch: the provider could not be reached\n")
        }
        FailureKind::ConnectTimeout | FailureKind::ReadTimeout | FailureKind::TotalTimeout => {
            refuse(StatusCode::GATEWAY_TIMEOUT, "primary_timeout", "darklaunch: the provider did not answer in time\n")
        }
        FailureKind::Protocol => {
            refuse(StatusCode::BAD_GATEWAY, "primary_protocol", "darklaunch: the provider's answer is not HTTP\n")
        }
        FailureKind::ClientGone => refuse(
            StatusCode::BAD_REQUEST,
            "request_body",
            "darklaunch: the request's body broke off or is malformed\n",
        ),
        FailureKind::Reset | FailureKind::Aborted => {
            refuse(StatusCode::BAD_GATEWAY, "primary_reset", "darklaunch: the provider ended the connection\n")
        }
    }
}
