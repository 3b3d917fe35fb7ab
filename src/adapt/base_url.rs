//! The address of an upstream: scheme, authority and base path, joined with raw targets without normalising them.

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};

/// Where an upstream is. Its path has no trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    scheme: Scheme,
    authority: Authority,
    path: String,
    host: HeaderValue,
}

/// Why a text is no upstream address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Not a URL at all, or without a host.
    #[error("url is not understood; write it like https://api.example.com or https://api.example.com/v1")]
    NotAUrl,
    /// Another scheme than http and https.
    #[error("url has scheme `{0}`; use http or https")]
    Scheme(String),
    /// User name or password inside.
    #[error("url carries a user name or password; set the credential as a header instead")]
    UserInfo,
    /// A query inside.
    #[error("url carries a query; leave only scheme, host, port and path")]
    Query,
}

impl BaseUrl {
    /// Reads `https://host[:port][/path]`. The text is not repeated in errors: it might carry a secret.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let parts = text.parse::<Uri>().map_err(|_| BaseUrlError::NotAUrl)?.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(BaseUrlError::NotAUrl);
        };
        if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
            return Err(BaseUrlError::Scheme(scheme.to_string()));
        }
        if authority.as_str().contains('@') {
            return Err(BaseUrlError::UserInfo);
        }
        let path = parts.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
        if path.query().is_some() {
            return Err(BaseUrlError::Query);
        }
        let host = HeaderValue::try_from(authority.as_str()).map_err(|_| BaseUrlError::NotAUrl)?;
        Ok(Self { scheme, authority, path: path.path().trim_end_matches('/').to_owned(), host })
    }

    /// The `Host` of requests to it.
    pub fn host(&self) -> &HeaderValue {
        &self.host
    }

    /// `host[:port]`, for people.
    pub fn authority(&self) -> &str {
        self.authority.as_str()
    }

    /// The path and query at this upstream of one as received; `None` when they do not fit together.
    pub fn path_of(&self, target: &PathAndQuery) -> Option<PathAndQuery> {
        match self.path.is_empty() || !target.as_str().starts_with('/') {
            true => Some(target.clone()),
            false => PathAndQuery::try_from(format!("{}{target}", self.path)).ok(),
        }
    }

    /// The address of a target (path and query as received) at this upstream; `None` when they do not fit together.
    pub fn join(&self, target: &str) -> Option<Uri> {
        let path = if self.path.is_empty() || !target.starts_with('/') {
            PathAndQuery::try_from(target).ok()?
        } else {
            PathAndQuery::try_from(format!("{}{target}", self.path)).ok()?
        };
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).ok()
    }
}

impl std::fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)
    }
}
