//! What TLS to an origin trusts, shows and asks for.

use rustls::client::ResolvesClientCert;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use std::fmt;
use std::sync::Arc;

/// Which certificates an origin may show, which one it is shown, and under which name it is asked for.
#[derive(Clone, Default)]
pub struct Tls {
    roots: Option<Arc<RootCertStore>>,
    identity: Option<Arc<CertifiedKey>>,
    server_name: Option<ServerName<'static>>,
}

/// Why a PEM file or a name cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// No certificate in it.
    #[error("holds no PEM certificate")]
    NoCertificate,
    /// No private key in it.
    #[error("holds no PEM private key that is not encrypted")]
    NoKey,
    /// Damaged, or not what it says.
    #[error("cannot be used: {0}")]
    Unusable(String),
    /// The two files are no pair.
    #[error("is not the key of the client certificate")]
    NoPair,
    /// Neither a DNS name nor an IP address.
    #[error("is neither a DNS name nor an IP address")]
    NoName,
}

impl Tls {
    /// Trusts the certificate authorities of a PEM bundle, and none but them.
    ///
    /// # Errors
    /// The bundle holds no certificate, or one that is damaged.
    pub fn trust_only(&mut self, bundle: &[u8]) -> Result<(), PemError> {
        let mut roots = RootCertStore::empty();
        for authority in certificates(bundle)? {
            roots.add(authority).map_err(unusable)?;
        }
        self.roots = Some(Arc::new(roots));
        Ok(())
    }

    /// Shows a client certificate, with its chain, to an origin that asks for one.
    ///
    /// # Errors
    /// One of the two cannot be read, or they are no pair.
    pub fn show(&mut self, chain: &[u8], key: &[u8]) -> Result<(), PemError> {
        let chain = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|why| match why {
            pem::Error::NoItemsFound => PemError::NoKey,
            why => PemError::Unusable(why.to_string()),
        })?;
        let identity = CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|why| match why {
            rustls::Error::InconsistentKeys(_) => PemError::NoPair,
            why => unusable(why),
        })?;
        self.identity = Some(Arc::new(identity));
        Ok(())
    }

    /// Asks for, and verifies, this name in place of the URL's host.
    ///
    /// # Errors
    /// It is no name.
    pub fn call_it(&mut self, name: &str) -> Result<(), PemError> {
        self.server_name = Some(ServerName::try_from(name.to_owned()).map_err(|_| PemError::NoName)?);
        Ok(())
    }

    pub(crate) fn server_name(&self) -> Option<&ServerName<'static>> {
        self.server_name.as_ref()
    }

    /// The handshake's settings, offering these protocols. `provider` is what signs and encrypts.
    pub(crate) fn config(&self, provider: Arc<CryptoProvider>, alpn: &[&str]) -> Result<ClientConfig, rustls::Error> {
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let builder = match &self.roots {
            Some(roots) => builder.with_root_certificates(Arc::clone(roots)),
            None => builder.with_platform_verifier()?,
        };
        let mut config = match &self.identity {
            Some(identity) => {
                let one: Arc<dyn ResolvesClientCert> = Arc::new(SingleCertAndKey::from(Arc::clone(identity)));
                builder.with_client_cert_resolver(one)
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(config)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("own_roots", &self.roots.as_ref().map(|roots| roots.len()))
            .field("identity", &self.identity.is_some())
            .field("server_name", &self.server_name)
            .finish()
    }
}

fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let read = read.map_err(|why| PemError::Unusable(why.to_string()))?;
    if read.is_empty() { Err(PemError::NoCertificate) } else { Ok(read) }
}

fn unusable(why: rustls::Error) -> PemError {
    PemError::Unusable(why.to_string())
}
