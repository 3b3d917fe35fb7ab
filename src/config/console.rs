//! Where the console listens, and who may do what there.

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::Serialize;

use crate::config::listen::{self, ADDRESS_REMEDY};
use crate::config::problem::Place;
use crate::config::reader::{Placed, Reader};
use crate::console::May;
use crate::proxy::{TlsError, TlsIdentity};

const LISTEN: &str = "listen.console";
const CERT: &str = "listen.console_tls.cert_file";
const KEY: &str = "listen.console_tls.key_file";
const ALLOW: &str = "listen.console_allow";
const ANYONE_MAY: &str = "listen.console_anyone_may";
const BEHIND_PROXY: &str = "listen.console_behind_proxy";

/// Who may do what at the console, and over what.
#[derive(Clone, Debug, Serialize)]
pub struct ConsoleConfig {
    /// What needs no token.
    pub anyone_may: May,
    /// A proxy in front terminates TLS.
    pub behind_proxy: bool,
    /// The networks that are answered; empty for all.
    pub allow: Vec<IpNet>,
    /// The certificate; plain HTTP without.
    pub tls: Option<ConsoleTlsConfig>,
}

impl ConsoleConfig {
    /// Everything without a token, on this machine: for a recorder that lives as long as one command.
    pub fn all_here() -> Self {
        Self { anyone_may: May::Start, behind_proxy: false, allow: Vec::new(), tls: None }
    }
}

/// The console's certificate.
#[derive(Clone, Debug, Serialize)]
pub struct ConsoleTlsConfig {
    /// The chain in PEM, the console's own certificate first.
    pub cert_file: PathBuf,
    /// Its key in PEM.
    pub key_file: PathBuf,
    /// What the files hold.
    #[serde(skip)]
    pub identity: TlsIdentity,
}

/// `listen.console`.
pub(crate) fn address(reader: &mut Reader<'_>) -> Option<Placed<SocketAddr>> {
    let (text, place) = reader.text(LISTEN)?;
    match text.parse() {
        Ok(address) => Some((address, place)),
        Err(_) => {
            reader.problem(place, LISTEN, Some(format!("{text:?}")), "is no address to listen on", ADDRESS_REMEDY);
            None
        }
    }
}

/// The keys beside `listen.console`.
pub(crate) fn access(reader: &mut Reader<'_>, address: Option<&Placed<SocketAddr>>) -> ConsoleConfig {
    let behind_proxy = reader.flag(BEHIND_PROXY);
    let (tls, written) = tls(reader);
    let allow = allow(reader);
    let open = address.filter(|(address, _)| !address.ip().is_loopback());
    if let Some((address, place)) = open
        && !written
        && !behind_proxy
    {
        let value = Some(format!("\"{address}\""));
        let remedy = format!(
            "write {CERT} and key_file, or {BEHIND_PROXY} = true if a proxy in front of it terminates TLS, or a loopback \
             address such as \"127.0.0.1:9090\""
        );
        reader.problem(place.clone(), LISTEN, value, "is open to other machines and has no TLS", remedy);
    }
    let anyone_may = anyone_may(reader, open.is_some(), behind_proxy);
    ConsoleConfig { anyone_may, behind_proxy, allow, tls }
}

/// By default a stop on this machine, and nothing where others may come from.
fn anyone_may(reader: &mut Reader<'_>, open: bool, behind_proxy: bool) -> May {
    let cautious = if open || behind_proxy { May::Nothing } else { May::Stop };
    let Some((text, place)) = reader.text(ANYONE_MAY) else { return cautious };
    let Some(may) = May::parse(&text) else {
        let words: Vec<String> = May::WORDS.iter().map(|(word, _)| format!("{word:?}")).collect();
        let remedy = format!("write one of {}", words.join(", "));
        reader.problem(place, ANYONE_MAY, Some(format!("{text:?}")), "is none of its words", remedy);
        return cautious;
    };
    if open && !behind_proxy && may != May::Nothing {
        let text = "would hold for everyone who reaches the address, and it is open to other machines";
        let remedy = "remove it and give people tokens with `darklaunch token create`";
        reader.problem(place, ANYONE_MAY, Some(format!("\"{}\"", word(may))), text, remedy);
    } else if behind_proxy && may > May::View {
        let may = word(may);
        reader.warnings.push(format!(
            "{ANYONE_MAY} = \"{may}\" holds for everyone whom the proxy in front of the console lets through"
        ));
    }
    may
}

fn word(may: May) -> &'static str {
    May::WORDS.iter().find(|(_, one)| *one == may).map_or("", |(word, _)| word)
}

fn allow(reader: &mut Reader<'_>) -> Vec<IpNet> {
    let mut nets = Vec::new();
    for (text, place) in reader.texts(ALLOW) {
        let one = text.parse().ok().map(|address: std::net::IpAddr| IpNet::from(address));
        match one.or_else(|| text.parse().ok()) {
            Some(net) => nets.push(net),
            None => {
                let remedy = "write an address or a network, such as \"192.0.2.7\" or \"10.0.0.0/8\"";
                reader.problem(place, ALLOW, Some(format!("{text:?}")), "is no address and no network", remedy);
            }
        }
    }
    nets
}

/// The certificate, and whether something was written about one.
fn tls(reader: &mut Reader<'_>) -> (Option<ConsoleTlsConfig>, bool) {
    let written = |reader: &Reader<'_>, key: &str| reader.raw.values.contains_key(key);
    let any = written(reader, CERT) || written(reader, KEY);
    let (cert, key) = (listen::file(reader, CERT), listen::file(reader, KEY));
    for (given, other) in [(CERT, KEY), (KEY, CERT)] {
        if written(reader, given) && !written(reader, other) {
            let place = place_of(reader, given);
            reader.problem(place, given, None, "is only half of what TLS needs", format!("write {other} as well"));
        }
    }
    let (Some(cert), Some(key)) = (cert, key) else { return (None, any) };
    match TlsIdentity::from_pem(&cert.1, &key.1, None) {
        Ok(identity) => (Some(ConsoleTlsConfig { cert_file: cert.0.0, key_file: key.0.0, identity }), any),
        Err(error) => {
            let (name, (path, place)) = if let TlsError::Key(_) = error { (KEY, key.0) } else { (CERT, cert.0) };
            let value = Some(format!("{:?}", path.display().to_string()));
            let remedy = "name a PEM file: the certificate with its chain, or its own key";
            reader.problem(place, name, value, &error.to_string(), remedy);
            (None, any)
        }
    }
}

fn place_of(reader: &Reader<'_>, key: &str) -> Place {
    reader.raw.values.get(key).map_or_else(|| reader.whole(), |found| found.place.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Environment, Problems, parse};
    use std::path::Path;

    const LISTEN: &str = "[listen]\ntraffic = \"127.0.0.1:8080\"\nconsole = \"";
    const REST: &str = "[integrations.a]\nmatch.path_prefix = \"/\"\nshadow.url = \"http://s.example\"\n";

    fn read(text: &str) -> Result<(Config, Vec<String>), Problems> {
        parse("darklaunch.toml", Path::new("/etc/dl"), text, &Environment::default())
    }

    #[test]
    fn a_console_that_other_machines_reach_needs_tls_or_a_declared_proxy() {
        let folder = tempfile::tempdir().unwrap();
        let identity = rcgen::generate_simple_self_signed(vec!["console.internal".to_owned()]).unwrap();
        let file = |name: &str, text: String| {
            std::fs::write(folder.path().join(name), text).unwrap();
            folder.path().join(name).display().to_string()
        };
        let (cert, key) = (file("cert", identity.cert.pem()), file("key", identity.signing_key.serialize_pem()));
        let with = |address: &str, more: &str| format!("{LISTEN}{address}\"\n{more}\n{REST}");
        let tls = format!("console_tls.cert_file = \"{cert}\"\nconsole_tls.key_file = \"{key}\"");
        for (address, more, anyone_may) in [
            ("127.0.0.1:9090", "", May::Stop),
            ("[::1]:9090", "console_anyone_may = \"start\"", May::Start),
            ("127.0.0.1:9090", "console_behind_proxy = true", May::Nothing),
            ("127.0.0.1:9090", &tls, May::Stop),
            ("0.0.0.0:9090", &tls, May::Nothing),
            ("0.0.0.0:9090", "console_behind_proxy = true", May::Nothing),
            ("0.0.0.0:9090", "console_behind_proxy = true\nconsole_anyone_may = \"view\"", May::View),
        ] {
            let console = read(&with(address, more)).unwrap_or_else(|problems| panic!("{problems}")).0.console;
            assert_eq!(
                (console.anyone_may, console.tls.is_some()),
                (anyone_may, more.contains("tls")),
                "{address} {more}"
            );
        }
        let warned = with("0.0.0.0:9090", "console_behind_proxy = true\nconsole_anyone_may = \"stop\"");
        assert!(read(&warned).unwrap().1[0].contains("whom the proxy in front of the console lets through"));
        for (address, more, words) in [
            (
                "192.0.2.1:9090",
                "",
                ":3:11: listen.console = \"192.0.2.1:9090\" is open to other machines and has no TLS",
            ),
            ("0.0.0.0:9090", &format!("{tls}\nconsole_anyone_may = \"stop\""), "would hold for everyone who reaches"),
            ("127.0.0.1:9090", "console_anyone_may = \"read\"", "\"nothing\", \"view\", \"stop\", \"start\""),
            ("127.0.0.1:9090", "console_allow = [\"10.0.0.0/33\"]", ":4:18: listen.console_allow = \"10.0.0.0/33\""),
            ("127.0.0.1:9090", "console_allow = \"office\"", "is no address and no network"),
            (
                "127.0.0.1:9090",
                &format!("console_tls.cert_file = \"{cert}\""),
                "write listen.console_tls.key_file as well",
            ),
            ("127.0.0.1:9090", &tls.replace(&key, &cert), "listen.console_tls.key_file"),
            ("127.0.0.1:9090", &tls.replace(&key, "absent"), "cannot be read"),
        ] {
            let message = read(&with(address, more)).unwrap_err().to_string();
            assert!(message.contains(words) && message.contains("1 problem"), "{words}: {message}");
        }
        let nets = read(&with("127.0.0.1:9090", "console_allow = [\"10.0.0.0/8\", \"192.0.2.7\", \"2001:db8::/32\"]"));
        assert_eq!(nets.unwrap().0.console.allow.len(), 3);
    }
}
