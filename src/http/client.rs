//! Where a request comes from: the address at the other end, or behind the proxies that are trusted.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::HeaderMap;
use ipnet::IpNet;
use prometheus_client::metrics::gauge::Gauge;

use super::metrics::Held;

use super::admission::{Counted, Tally};

/// The client's address. Proxies append the address that they see to `X-Forwarded-For`, so reading it from its end, what
/// a trusted proxy wrote is believed, and nothing that stands before.
pub(super) fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
    let mut client = peer.to_canonical();
    let values = headers.get_all("x-forwarded-for").iter().rev();
    let entries = values.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
    for entry in entries {
        if !is_trusted(client) {
            break;
        }
        let Ok(address) = entry.trim().parse::<IpAddr>() else {
            break;
        };
        client = address.to_canonical();
    }
    client
}

/// The open connections of each address.
#[derive(Clone, Debug, Default)]
pub(super) struct Connections {
    all: Tally<IpAddr>,
    /// All of them together.
    open: Gauge,
}

/// A connection that counts.
#[derive(Debug)]
pub(super) struct Open {
    _of_address: Counted<IpAddr>,
    _of_all: Held,
}

impl Connections {
    /// Counts all of them in `open`, too.
    pub(super) fn counted(open: Gauge) -> Self {
        Self {
            open,
            ..Self::default()
        }
    }

    /// Counts one more for an address, until the guard is dropped; none if it has `most` already, or there are `all`.
    pub(super) fn open(&self, address: IpAddr, most: usize, all: usize) -> Option<Open> {
        if usize::try_from(self.open.get()).is_ok_and(|open| open >= all) {
            return None;
        }
        let of_address = self.all.open(one_client(address), most)?;
        Some(Open {
            _of_address: of_address,
            _of_all: Held::new(&self.open),
        })
    }
}

/// Whoever has one address of IPv6 has the 64 bits behind its prefix.
pub(super) fn one_client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_trusted_proxy_says_is_believed() {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        for (peer, forwarded, client) in [
            ("203.0.113.9", &[][..], "203.0.113.9"),
            ("203.0.113.9", &["198.51.100.1"][..], "203.0.113.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("fd00::1", &["2001:db8::1"], "2001:db8::1"),
            ("10.0.0.1", &["198.51.100.1, nonsense"], "10.0.0.1"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ] {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            let found = address(peer.parse().unwrap(), &headers, &trusted);
            assert_eq!(found, client.parse::<IpAddr>().unwrap(), "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn connections_are_counted_until_they_are_closed() {
        let all = Connections::default();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = all.open(address("192.0.2.1"), 2, 3);
        let second = all.open(address("::ffff:192.0.2.1"), 2, 3);
        assert!(first.is_some() && second.is_some() && all.open(address("192.0.2.1"), 2, 3).is_none());
        assert!(all.open(address("192.0.2.2"), 2, 3).is_some());
        drop(first);
        assert!(all.open(address("192.0.2.1"), 2, 3).is_some());
        let third = all.open(address("192.0.2.3"), 2, 3);
        assert!(
            third.is_some() && all.open(address("192.0.2.4"), 2, 2).is_none(),
            "there are as many as may be"
        );
        drop((second, third));
        assert!(all.all.is_empty());
        let _first = all.open(address("2001:db8::1"), 1, 3);
        assert!(all.open(address("2001:db8::ffff:1"), 1, 3).is_none());
        assert!(all.open(address("2001:db8:0:1::1"), 1, 3).is_some());
    }
}
