//! Where an origin is and how it is reached: name, TCP or a unix socket, then TLS.

use crate::http1::Io;
use crate::upstream::{HttpVersion, Tls};
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;
use tower_service::Service;

/// Longest path of a unix socket, bytes: what the system's own address has room for.
pub const UNIX_PATH_BYTES_MAX: usize = 107;

const H1: &str = "http/1.1";
const H2: &str = "h2";

/// How an origin is reached, beside its URL.
#[derive(Clone, Debug)]
pub struct TargetSettings {
    /// A unix socket to connect to in place of the URL's host and port.
    pub socket: Option<PathBuf>,
    /// Which HTTP is spoken.
    pub http: HttpVersion,
    /// For an https URL.
    pub tls: Tls,
    /// Name, TCP and TLS at most, milliseconds.
    pub connect_timeout_ms: u64,
}

/// Why a leg could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// No scheme or no host.
    #[error("url is not understood; write it like https://api.example.com")]
    NotAUrl,
    /// TLS cannot ask for this host.
    #[error("url names {0}, which no certificate can be made out to")]
    Name(String),
    /// No roots to trust.
    #[error("tls could not be set up: {0}; check that the system's certificates are installed")]
    Tls(#[from] rustls::Error),
}

/// One leg's origin: everything about it that does not change from call to call. Shared by all who call it.
#[derive(Debug)]
pub struct Target {
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
    pub(crate) host: HeaderValue,
    pub(crate) http: HttpVersion,
    pub(crate) connect_timeout: Duration,
    address: Address,
    tls: Option<Handshake>,
}

#[derive(Debug)]
enum Address {
    Tcp(Uri),
    Unix(PathBuf),
}

/// Two offers, since what needs an upgrade must not end on HTTP/2.
struct Handshake {
    name: ServerName<'static>,
    best: TlsConnector,
    http1: TlsConnector,
}

impl std::fmt::Debug for Handshake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Handshake({:?})", self.name)
    }
}

impl Target {
    /// Reads the certificates to trust, so that a call never does.
    ///
    /// # Errors
    /// The URL has no host, or the system has no certificates.
    pub fn new(url: &Uri, settings: TargetSettings) -> Result<Self, TargetError> {
        let (Some(scheme), Some(authority)) = (url.scheme(), url.authority()) else {
            return Err(TargetError::NotAUrl);
        };
        let tls = match *scheme == Scheme::HTTPS {
            true => Some(Handshake::new(authority, &settings)?),
            false => None,
        };
        let address = match settings.socket {
            Some(path) => Address::Unix(path),
            None => Address::Tcp(url.clone()),
        };
        Ok(Self {
            scheme: scheme.clone(),
            authority: authority.clone(),
            host: HeaderValue::try_from(authority.as_str()).map_err(|_| TargetError::NotAUrl)?,
            http: settings.http,
            connect_timeout: Duration::from_millis(settings.connect_timeout_ms),
            address,
            tls,
        })
    }

    /// Whether a connection may turn out to speak HTTP/2, and so to be shared.
    pub(crate) fn may_be_http2(&self) -> bool {
        match self.http {
            HttpVersion::Auto => self.tls.is_some(),
            HttpVersion::Http1 => false,
            HttpVersion::Http2 => true,
        }
    }
}

impl Handshake {
    fn new(authority: &Authority, settings: &TargetSettings) -> Result<Self, TargetError> {
        let name = match settings.tls.server_name() {
            Some(name) => name.clone(),
            None => {
                let host = authority.host().trim_start_matches('[').trim_end_matches(']');
                ServerName::try_from(host.to_owned()).map_err(|_| TargetError::Name(host.to_owned()))?
            }
        };
        let best: &[&str] = match settings.http {
            HttpVersion::Auto => &[H2, H1],
            HttpVersion::Http1 => &[H1],
            HttpVersion::Http2 => &[H2],
        };
        let best = settings.tls.config(Arc::new(ring::default_provider()), best)?;
        let mut http1 = best.clone();
        http1.alpn_protocols = vec![H1.as_bytes().to_vec()];
        Ok(Self { name, best: TlsConnector::from(Arc::new(best)), http1: TlsConnector::from(Arc::new(http1)) })
    }
}

/// A connection and which HTTP it speaks.
pub(crate) struct Connected {
    pub(crate) io: Box<dyn Io>,
    pub(crate) http2: bool,
}

/// Connects to one origin.
pub(crate) struct Connector(HttpConnector);

impl Connector {
    pub(crate) fn new(limit: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // Shared out among a name's addresses, so that one that is silent leaves time for the next.
        tcp.set_connect_timeout(Some(limit));
        Self(tcp)
    }

    /// One connection; `upgradable` asks for HTTP/1.1. The caller limits its time.
    pub(crate) async fn connect(&self, target: &Target, upgradable: bool) -> io::Result<Connected> {
        let io: Box<dyn Io> = match &target.address {
            Address::Tcp(uri) => {
                let mut tcp = self.0.clone();
                std::future::poll_fn(|cx| tcp.poll_ready(cx)).await.map_err(io::Error::other)?;
                Box::new(tcp.call(uri.clone()).await.map_err(io::Error::other)?.into_inner())
            }
            Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
        };
        let Some(tls) = &target.tls else {
            return Ok(Connected { io, http2: target.http == HttpVersion::Http2 });
        };
        let offer = if upgradable { &tls.http1 } else { &tls.best };
        let io = offer.connect(tls.name.clone(), io).await?;
        let http2 = io.get_ref().1.alpn_protocol() == Some(H2.as_bytes());
        if target.http == HttpVersion::Http2 && !http2 {
            return Err(io::Error::other("the origin does not speak HTTP/2"));
        }
        Ok(Connected { io: Box::new(io), http2 })
    }
}
