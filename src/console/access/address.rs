//! Where a request comes from: the connection's other end, or whom a declared proxy speaks for.

use http::HeaderMap;
use ipnet::{IpNet, Ipv6Net};
use std::net::{IpAddr, SocketAddr};

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// The recorder's own user, through the socket in its state folder.
    Owner,
    /// An address of the network.
    Network(IpAddr),
}

impl Peer {
    /// An IPv4 address in IPv6 clothing is that IPv4 address.
    pub(crate) fn of(address: SocketAddr) -> Self {
        Self::Network(address.ip().to_canonical())
    }
}

/// Whom a proxy speaks for: the last entry of `X-Forwarded-For`, since all before it are the caller's own words.
pub(crate) fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let line = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    parse(line.rsplit(',').next()?.trim())
}

/// `192.0.2.1`, `192.0.2.1:80`, `::1` or `[::1]:80`.
fn parse(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse().ok().map(|with_port: SocketAddr| with_port.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// Whether somebody else may have sent the request on: then it does not count as this machine's own.
pub(crate) fn was_forwarded(headers: &HeaderMap) -> bool {
    ["forwarded", "x-forwarded-for", "x-real-ip", "via"].iter().any(|name| headers.contains_key(*name))
}

/// Whether an address is answered. No list answers all, and this machine always is.
pub(crate) fn allowed(address: IpAddr, allow: &[IpNet]) -> bool {
    let address = address.to_canonical();
    allow.is_empty() || address.is_loopback() || allow.iter().any(|net| net.contains(&address))
}

/// What counts as one place when attempts and connections are counted: an IPv4 address, or the /64 that one IPv6 user has.
pub(crate) fn place(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Net::new(v6, 64).map_or(IpAddr::V6(v6), |net| IpAddr::V6(net.network())),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_proxys_own_word_is_the_last_one() {
        for (lines, found) in [
            (vec!["203.0.113.9"], Some("203.0.113.9")),
            (vec!["127.0.0.1, 203.0.113.9"], Some("203.0.113.9")),
            (vec!["127.0.0.1", "203.0.113.9:55000"], Some("203.0.113.9")),
            (vec!["[2001:db8::1]:443"], Some("2001:db8::1")),
            (vec!["[2001:db8::1]"], Some("2001:db8::1")),
            (vec!["::ffff:203.0.113.9"], Some("203.0.113.9")),
            (vec!["203.0.113.9, unknown"], None),
            (vec![""], None),
            (vec![], None),
        ] {
            assert_eq!(forwarded_for(&headers(&lines)), found.map(|text| text.parse().unwrap()), "{lines:?}");
        }
    }

    #[test]
    fn a_list_of_networks_answers_those_and_this_machine() {
        let nets: Vec<IpNet> = ["203.0.113.0/24", "2001:db8::/32"].iter().map(|net| net.parse().unwrap()).collect();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        for good in ["203.0.113.77", "::ffff:203.0.113.77", "2001:db8::7", "127.0.0.1", "::1"] {
            assert!(allowed(ip(good), &nets), "{good}");
        }
        for bad in ["203.0.114.1", "2001:db9::1", "198.51.100.1"] {
            assert!(!allowed(ip(bad), &nets) && allowed(ip(bad), &[]), "{bad}");
        }
        assert_eq!(place(ip("2001:db8::1")), place(ip("2001:db8::ffff")));
        assert_ne!(place(ip("203.0.113.1")), place(ip("203.0.113.2")));
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_a_panic_and_addresses_come_back(text in "\\PC{0,60}", bytes in any::<[u8; 16]>()) {
            let _ = parse(&text);
            let address = IpAddr::from(bytes);
            prop_assert_eq!(parse(&address.to_string()), Some(address.to_canonical()));
            prop_assert_eq!(parse(&SocketAddr::new(address, 80).to_string()), Some(address.to_canonical()));
        }
    }
}
