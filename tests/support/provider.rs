//! Providers over TLS, HTTP/2 and unix sockets, which count their connections, and the authority behind their names.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::convert::Infallible;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// A certificate authority of the lab's.
pub struct Authority {
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, PEM.
pub struct Identity {
    pub cert: String,
    pub key: String,
}

impl Authority {
    pub fn new() -> Self {
        darklaunch::app::install_tls();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    pub fn identity(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let cert = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        Identity { cert: cert.pem(), key: key.serialize_pem() }
    }

    /// What a server named so needs; `asks` is the authority of the client certificates it wants to see.
    pub fn server(&self, name: &str, alpn: &[&str], asks: Option<&Self>) -> Arc<ServerConfig> {
        let identity = self.identity(name);
        let builder = ServerConfig::builder();
        let builder = match asks {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
                builder.with_client_cert_verifier(WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap())
            }
        };
        let chain = vec![CertificateDer::from_pem_slice(identity.cert.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
        let mut config = builder.with_single_cert(chain, key).unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

/// One request as it came.
#[derive(Clone)]
pub struct Heard {
    pub version: Version,
    pub authority: Option<String>,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub trailers: HeaderMap,
}

#[derive(Default)]
struct Book {
    accepted: AtomicUsize,
    names: Mutex<Vec<Option<String>>>,
    heard: Mutex<Vec<Heard>>,
}

/// Answers every request with its own body and the trailer `x-sum`.
pub struct Provider {
    pub address: String,
    book: Arc<Book>,
    _serving: JoinSet<()>,
}

impl Provider {
    /// On loopback: HTTP/1.1 and HTTP/2, by prior knowledge or by what `tls` offers.
    pub async fn on_loopback(tls: Option<Arc<ServerConfig>>) -> Self {
        // The stories' own client needs it as well.
        darklaunch::app::install_tls();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (book, mut serving) = (Arc::<Book>::default(), JoinSet::new());
        let kept = Arc::clone(&book);
        serving.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                kept.accepted.fetch_add(1, Ordering::SeqCst);
                let (book, tls) = (Arc::clone(&kept), tls.clone());
                open.spawn(async move {
                    let Some(tls) = tls else { return serve(stream, book).await };
                    let Ok(stream) = TlsAcceptor::from(tls).accept(stream).await else { return };
                    book.names.lock().unwrap().push(stream.get_ref().1.server_name().map(str::to_owned));
                    serve(stream, book).await;
                });
            }
        });
        Self { address, book, _serving: serving }
    }

    /// On a unix socket.
    pub fn on_socket(path: &Path) -> Self {
        darklaunch::app::install_tls();
        let listener = tokio::net::UnixListener::bind(path).unwrap();
        let (book, mut serving) = (Arc::<Book>::default(), JoinSet::new());
        let kept = Arc::clone(&book);
        serving.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                kept.accepted.fetch_add(1, Ordering::SeqCst);
                open.spawn(serve(stream, Arc::clone(&kept)));
            }
        });
        Self { address: path.display().to_string(), book, _serving: serving }
    }

    /// Connections taken so far.
    pub fn accepted(&self) -> usize {
        self.book.accepted.load(Ordering::SeqCst)
    }

    /// The names TLS was asked for, a handshake each.
    pub fn names(&self) -> Vec<Option<String>> {
        self.book.names.lock().unwrap().clone()
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.book.heard.lock().unwrap().clone()
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, book: Arc<Book>) {
    let service = service_fn(move |request| answer(request, Arc::clone(&book)));
    // A connection that fails is what some stories want.
    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

/// A body that does not tell its length: one that is told leaves no room for trailers in HTTP/1.1.
struct Untold<B>(B);

impl<B: Body + Unpin> Body for Untold<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }
}

async fn answer(
    request: Request<Incoming>,
    book: Arc<Book>,
) -> Result<Response<impl Body<Data = Bytes, Error = Infallible>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let read = body.collect().await?;
    let trailers = read.trailers().cloned().unwrap_or_default();
    let authority = head.uri.authority().map(ToString::to_string);
    let body = read.to_bytes();
    let heard = Heard { version: head.version, authority, headers: head.headers, body: body.clone(), trailers };
    book.heard.lock().unwrap().push(heard);
    let sum = HeaderMap::from_iter([("x-sum".parse().unwrap(), body.len().to_string().parse().unwrap())]);
    let body = Full::new(body).with_trailers(std::future::ready(Some(Ok(sum))));
    Ok(Response::builder().header("trailer", "x-sum").header("x-provider", "p").body(Untold(body)).unwrap())
}
