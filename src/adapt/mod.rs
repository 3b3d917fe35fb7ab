//! What the shadow needs to be different: address, credentials, path, headers; and what counts as its success.
//!
//! **Invariant:** no credential of the primary reaches the shadow unless the configuration names it as wanted.

mod base_url;
mod credentials;
mod success;
#[cfg(test)]
mod tests;

pub use base_url::{BaseUrl, BaseUrlError};
pub use credentials::{CREDENTIAL_HEADERS, CREDENTIAL_QUERY, CREDENTIAL_WORDS};
pub use success::{DECODED_BYTES_MAX, ErrorPointer, SuccessRule, outcome, retry_after_s};

use crate::exchange::{CaptureId, DropReason, RequestCopy};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, EXPECT, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};

/// Marks a shadow call, so that the provider can tell it and a loop can be seen. Never on the primary's request.
pub const CAPTURE_HEADER: HeaderName = HeaderName::from_static("darklaunch-capture");

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// How one integration's shadow request is made of the application's.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the shadow is; its path is put before the request's.
    pub shadow_url: BaseUrl,
    /// Headers set on every shadow request, replacing what was there: the shadow's own credentials (mark such values
    /// sensitive).
    pub headers_set: Vec<(HeaderName, HeaderValue)>,
    /// Headers left out besides the credentials.
    pub headers_drop: Vec<HeaderName>,
    /// Headers passed on although they look like credentials.
    pub headers_keep: Vec<HeaderName>,
    /// Query parameters passed on although they look like credentials.
    pub query_keep: Vec<String>,
    /// Path prefix taken off before the shadow's path is put on.
    pub strip_prefix: Option<String>,
    /// What counts as success.
    pub success: SuccessRule,
}

impl Settings {
    /// The defaults for a shadow at this address: credentials dropped, everything else as it came.
    pub fn to(shadow_url: BaseUrl) -> Self {
        Self {
            shadow_url,
            headers_set: Vec::new(),
            headers_drop: Vec::new(),
            headers_keep: Vec::new(),
            query_keep: Vec::new(),
            strip_prefix: None,
            success: SuccessRule::default(),
        }
    }
}

/// Why a shadow request could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdaptError {
    /// The copy holds no body.
    #[error("request body was not kept ({}); raise mirror.body_copy_bytes_max if it is too large", .0.name())]
    NoBody(DropReason),
    /// The path does not fit behind the shadow's address.
    #[error("request target does not fit behind shadow.url; check shadow.url and strip_prefix")]
    Target,
    /// The request could not be put together.
    #[error("shadow request could not be built; check the headers set for the shadow")]
    Build,
}

/// The request to send to the shadow: same method, path, query and body; its own host and credentials.
pub fn shadow_request(settings: &Settings, request: &RequestCopy, id: CaptureId) -> Result<Request<Bytes>, AdaptError> {
    if let Some(reason) = request.body.drop_reason() {
        return Err(AdaptError::NoBody(reason));
    }
    let target = credentials::without_query_credentials(&request.target, &settings.query_keep);
    let target = strip_prefix(&target, settings.strip_prefix.as_deref());
    let uri = settings.shadow_url.join(&target).ok_or(AdaptError::Target)?;
    let headers = shadow_headers(settings, request, id).ok_or(AdaptError::Build)?;
    let mut shadow = Request::new(request.body.bytes.clone());
    *shadow.method_mut() = request.method.clone();
    *shadow.uri_mut() = uri;
    *shadow.headers_mut() = headers;
    Ok(shadow)
}

fn shadow_headers(settings: &Settings, request: &RequestCopy, id: CaptureId) -> Option<HeaderMap> {
    let id = HeaderValue::try_from(id.to_string()).ok()?;
    let mut headers = HeaderMap::with_capacity(request.headers.len() + 4);
    for (name, value) in &request.headers {
        let secret = credentials::is_credential_header(name) && !settings.headers_keep.contains(name);
        // Host and length are the shadow's own; `Expect` was answered here.
        let ours = *name == HOST || *name == CONTENT_LENGTH || *name == EXPECT;
        if !secret && !ours && !settings.headers_drop.contains(name) {
            headers.append(name.clone(), value.clone());
        }
    }
    if !request.method.is_safe() && !headers.contains_key(&IDEMPOTENCY_KEY) {
        headers.insert(IDEMPOTENCY_KEY, id.clone());
    }
    for (name, value) in &settings.headers_set {
        headers.insert(name.clone(), value.clone());
    }
    if request.body.bytes.is_empty() && takes_body(&request.method) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    headers.insert(CAPTURE_HEADER, id);
    Some(headers)
}

fn takes_body(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

/// Takes a prefix off a target, at a segment boundary only; the result begins with `/`.
pub fn strip_prefix(target: &str, prefix: Option<&str>) -> String {
    let prefix = prefix.unwrap_or_default().trim_end_matches('/');
    match target.strip_prefix(prefix) {
        Some("") => "/".to_owned(),
        Some(rest) if rest.starts_with('/') => rest.to_owned(),
        Some(rest) if rest.starts_with('?') => format!("/{rest}"),
        _ => target.to_owned(),
    }
}
