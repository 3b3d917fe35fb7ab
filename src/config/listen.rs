//! Where traffic is taken: addresses of three kinds, and the certificate of those with TLS.

use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::config::reader::{Placed, Reader};
use crate::proxy::{Listen, TlsError, TlsIdentity};

pub(crate) const ADDRESS_REMEDY: &str = "write IP:PORT, such as \"127.0.0.1:8080\"";
const LISTEN_REMEDY: &str = "write IP:PORT, tls:IP:PORT or unix:PATH, such as \"127.0.0.1:8080\", \"tls:0.0.0.0:8443\" or \"unix:/run/dl.sock\"";
const CERT: &str = "listen.tls.cert_file";
const KEY: &str = "listen.tls.key_file";
const CLIENT_CA: &str = "listen.tls.client_ca_file";
/// A chain or a bundle of authorities may have this many bytes; the system's own bundle has a quarter.
const PEM_BYTES_MAX: u64 = 1 << 20;

/// The certificate of the `tls:` addresses.
#[derive(Clone, Debug, Serialize)]
pub struct ListenTlsConfig {
    /// The chain in PEM, the recorder's own certificate first.
    pub cert_file: PathBuf,
    /// Its key in PEM.
    pub key_file: PathBuf,
    /// Authorities in PEM: the application must show a certificate of one of them.
    pub client_ca_file: Option<PathBuf>,
    /// A handshake must be done within, milliseconds.
    pub handshake_timeout_ms: u64,
    /// What the files hold.
    #[serde(skip)]
    pub identity: TlsIdentity,
}

pub(crate) fn listen_texts<S: Serializer>(listens: &[Listen], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(listens.iter().map(ToString::to_string))
}

/// `listen.traffic`.
pub(crate) fn traffic(reader: &mut Reader<'_>) -> Vec<Placed<Listen>> {
    let key = "listen.traffic";
    let texts = reader.texts(key);
    if texts.is_empty() && !reader.raw.problems.iter().any(|problem| problem.key == key) {
        let place = reader.whole();
        reader.missing(place, key, ADDRESS_REMEDY);
    }
    let mut listens: Vec<Placed<Listen>> = Vec::new();
    for (text, place) in texts {
        let Some(listen) = parse(reader, &text, &place) else {
            reader.problem(place, key, Some(format!("{text:?}")), "is no address to listen on", LISTEN_REMEDY);
            continue;
        };
        if listens.iter().any(|(other, _)| same(&listen, other)) {
            let value = Some(format!("\"{listen}\""));
            reader.problem(place.clone(), key, value, "is listed twice", "remove one of the two");
        }
        listens.push((listen, place));
    }
    listens
}

/// Relative paths of sockets count from the file's folder, as all do.
fn parse(reader: &Reader<'_>, text: &str, place: &crate::config::Place) -> Option<Listen> {
    match Listen::parse(text)? {
        Listen::Unix(path) => Some(Listen::Unix(reader.path(&path.display().to_string(), place))),
        listen => Some(listen),
    }
}

fn same(a: &Listen, b: &Listen) -> bool {
    match (a.addr(), b.addr()) {
        (Some(a), Some(b)) => collide(a, b),
        _ => a == b,
    }
}

/// Whether binding one would fail because of the other; port 0 is a new port each time.
pub(crate) fn collide(a: SocketAddr, b: SocketAddr) -> bool {
    let everywhere = |address: SocketAddr| address.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && (a.ip() == b.ip() || everywhere(a) || everywhere(b))
}

/// `listen.tls`; needed exactly when an address wants it.
pub(crate) fn tls(reader: &mut Reader<'_>, traffic: &[Placed<Listen>]) -> Option<ListenTlsConfig> {
    let handshake_timeout_ms = reader.duration_ms("listen.tls.handshake_timeout");
    let cert = file(reader, CERT);
    let key = file(reader, KEY);
    let client_ca = file(reader, CLIENT_CA);
    let wanted = traffic.iter().find(|(listen, _)| matches!(listen, Listen::Tls(_)));
    match wanted {
        Some((listen, place)) => {
            for (name, found) in [(CERT, &cert), (KEY, &key)] {
                if found.is_none() && !reader.raw.values.contains_key(name) {
                    let (place, value) = (place.clone(), Some(format!("\"{listen}\"")));
                    reader.problem(
                        place,
                        "listen.traffic",
                        value,
                        "has no certificate",
                        format!("write {name} as well"),
                    );
                }
            }
        }
        None if cert.is_some() || key.is_some() || client_ca.is_some() => {
            let text = "listen.tls is not used: write an address of listen.traffic as tls:IP:PORT";
            reader.warnings.push(text.to_owned());
        }
        None => {}
    }
    let (cert, key) = (cert?, key?);
    let ca = client_ca.as_ref().map(|(_, pem)| pem.as_slice());
    match TlsIdentity::from_pem(&cert.1, &key.1, ca) {
        Ok(identity) => Some(ListenTlsConfig {
            cert_file: cert.0.0,
            key_file: key.0.0,
            client_ca_file: client_ca.map(|((path, _), _)| path),
            handshake_timeout_ms,
            identity,
        }),
        Err(error) => {
            let (name, (path, place)) = match (&error, client_ca) {
                (TlsError::Key(_), _) => (KEY, key.0),
                (TlsError::ClientCa(_), Some((found, _))) => (CLIENT_CA, found),
                _ => (CERT, cert.0),
            };
            let remedy =
                "name a PEM file: the certificate with its chain, its own key, or the authorities of the clients";
            reader.problem(place, name, Some(format!("{:?}", path.display().to_string())), &error.to_string(), remedy);
            None
        }
    }
}

/// A file's path and place, with what is in it.
pub(crate) fn file(reader: &mut Reader<'_>, key: &str) -> Option<(Placed<PathBuf>, Vec<u8>)> {
    let (text, place) = reader.text(key)?;
    let path = reader.path(&text, &place);
    match read(&path) {
        Ok(pem) => Some(((path, place), pem)),
        Err(why) => {
            let remedy = "name a PEM file that the recorder's user may read";
            reader.problem(place, key, Some(format!("{text:?}")), &format!("cannot be read: {why}"), remedy);
            None
        }
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut pem = Vec::new();
    File::open(path)?.take(PEM_BYTES_MAX).read_to_end(&mut pem)?;
    Ok(pem)
}
