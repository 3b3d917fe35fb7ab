//! How a provider is reached beside its URL: a unix socket, the version of HTTP, and what TLS trusts and shows.

use crate::config::integration::Section;
use crate::config::reader::Placed;
use crate::upstream::{HttpVersion, PemError, Tls, UNIX_PATH_BYTES_MAX};
use http::Uri;
use serde::Serialize;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A certificate bundle may have this many bytes: the system's own has a quarter of it.
const PEM_FILE_BYTES_MAX: u64 = 1 << 20;

/// How a provider is reached.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ReachConfig {
    /// Which HTTP is spoken.
    pub http: HttpVersion,
    /// Connected to in place of the URL's host and port.
    pub socket: Option<PathBuf>,
    /// Trusted in place of the system's roots.
    pub ca_file: Option<PathBuf>,
    /// Shown to a provider that asks for a certificate.
    pub client_cert_file: Option<PathBuf>,
    /// Its key.
    pub client_key_file: Option<PathBuf>,
    /// Asked for and verified in place of the URL's host.
    pub server_name: Option<String>,
    /// What the files hold.
    #[serde(skip)]
    pub tls: Tls,
}

impl Section<'_, '_> {
    /// The keys of one provider, `of` being `primary` or `shadow`.
    pub(crate) fn reach(&mut self, of: &str, url: Option<&Uri>) -> ReachConfig {
        let mut reach = ReachConfig { http: self.http(of), socket: self.socket(of), ..ReachConfig::default() };
        let plain = url.is_some_and(|url| url.scheme_str() == Some("http"));
        for key in ["ca_file", "client_cert_file", "client_key_file", "server_name"] {
            let key = format!("{of}.tls.{key}");
            if plain && let Some(written) = self.text(&key) {
                let remedy = format!("write https in {of}.url, or remove the key");
                self.wrong(written, &key, "has no effect, since the URL is http", remedy);
            }
        }
        let key = format!("{of}.tls.ca_file");
        if let Some((path, bytes, written)) = self.pem(&key) {
            let read = reach.tls.trust_only(&bytes);
            self.usable(&key, written, read, "name a file of PEM certificates of authorities");
            reach.ca_file = Some(path);
        }
        self.identity(of, &mut reach);
        let key = format!("{of}.tls.server_name");
        if let Some(written) = self.text(&key) {
            reach.server_name = Some(written.0.clone());
            let read = reach.tls.call_it(&written.0);
            self.usable(
                &key,
                written,
                read,
                "write the name in the provider's certificate, such as \"api.new.example\"",
            );
        }
        reach
    }

    fn http(&mut self, of: &str) -> HttpVersion {
        let key = format!("{of}.http");
        match self.text(&key) {
            Some((text, _)) if text == "1.1" => HttpVersion::Http1,
            Some((text, _)) if text == "2" => HttpVersion::Http2,
            Some((text, place)) if text != "auto" => {
                let remedy = "write \"auto\", \"1.1\" or \"2\"";
                self.wrong((text, place), &key, "is no version of HTTP that is spoken", remedy);
                HttpVersion::Auto
            }
            _ => HttpVersion::Auto,
        }
    }

    fn socket(&mut self, of: &str) -> Option<PathBuf> {
        let key = format!("{of}.socket");
        let (text, place) = self.text(&key)?;
        let path = self.reader.path(&text, &place);
        let bytes = path.as_os_str().len();
        if bytes > UNIX_PATH_BYTES_MAX {
            let what = format!("is a path of {bytes} bytes, and a unix socket's has {UNIX_PATH_BYTES_MAX} at most");
            self.wrong((text, place), &key, &what, "name a shorter path");
            return None;
        }
        Some(path)
    }

    /// The client certificate and its key, which only make sense together.
    fn identity(&mut self, of: &str, reach: &mut ReachConfig) {
        let (cert_key, key_key) = (format!("{of}.tls.client_cert_file"), format!("{of}.tls.client_key_file"));
        let (cert_text, key_text) = (self.text(&cert_key), self.text(&key_key));
        let (Some(_), Some(_)) = (&cert_text, &key_text) else {
            let alone = cert_text.map(|text| (&cert_key, text, &key_key));
            if let Some((key, written, other)) = alone.or(key_text.map(|text| (&key_key, text, &cert_key))) {
                self.wrong(written, key, "stands alone", format!("give {other} too"));
            }
            return;
        };
        let (Some((cert_path, chain, cert)), Some((key_path, private, key))) =
            (self.pem(&cert_key), self.pem(&key_key))
        else {
            return;
        };
        match reach.tls.show(&chain, &private) {
            Err(why @ (PemError::NoKey | PemError::NoPair)) => {
                self.usable(&key_key, key, Err(why), "name the PEM file of the certificate's own private key");
            }
            read => self.usable(&cert_key, cert, read, "name a PEM file with the certificate first, then its chain"),
        }
        (reach.client_cert_file, reach.client_key_file) = (Some(cert_path), Some(key_path));
    }

    fn usable(&mut self, key: &str, written: Placed<String>, read: Result<(), PemError>, remedy: &str) {
        if let Err(why) = read {
            self.wrong(written, key, &why.to_string(), remedy);
        }
    }

    /// A file's path and bytes, and what was written.
    fn pem(&mut self, key: &str) -> Option<(PathBuf, Vec<u8>, Placed<String>)> {
        let (text, place) = self.text(key)?;
        let path = self.reader.path(&text, &place);
        match read(&path) {
            Ok(bytes) => Some((path, bytes, (text, place))),
            Err(why) => {
                self.wrong((text, place), key, &format!("cannot be read: {why}"), "name a readable PEM file");
                None
            }
        }
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(PEM_FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > PEM_FILE_BYTES_MAX {
        return Err(std::io::Error::other(format!("it has more than {PEM_FILE_BYTES_MAX} bytes")));
    }
    Ok(bytes)
}
