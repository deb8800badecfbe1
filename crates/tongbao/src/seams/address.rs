//! Which addresses of merchants may be called.
//!
//! A merchant who may name an address may try to name one of ours: the
//! database's, the cloud's metadata service, a router's page. So an address is
//! refused unless it is public, or in a network that the operator lists.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};
use reqwest::Url;

use crate::config::Webhooks;

/// The operator's decision.
#[derive(Clone, Debug)]
pub struct AddressPolicy {
    networks: Vec<IpNet>,
    allow_http: bool,
}

/// Who may be behind the port that an address names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// A port of the web: public addresses and listed networks.
    Web,
    /// Any other port: listed networks alone.
    Listed,
}

impl AddressPolicy {
    /// The policy of the configuration's `[webhooks]`.
    pub fn new(webhooks: &Webhooks) -> Self {
        Self {
            networks: webhooks.allow_networks.as_slice().to_vec(),
            allow_http: webhooks.allow_http,
        }
    }

    /// What the address itself says. A name is not resolved here: whoever
    /// connects asks [`Self::allows`] about what it connects to.
    pub fn lane(&self, url: &Url) -> Result<Lane, String> {
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            "http" => return Err("http: is not allowed; use https:".to_owned()),
            scheme => return Err(format!("{scheme}: is not https:")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the address has a user in it".to_owned());
        }
        let lane = match url.port_or_known_default() {
            Some(80 | 443 | 8443) => Lane::Web,
            Some(port) if port > 1023 && !self.networks.is_empty() => Lane::Listed,
            port => {
                let port = port.unwrap_or_default();
                return Err(format!("port {port} is not allowed; use 443, 80 or 8443"));
            }
        };
        let host = url.host_str().ok_or("the address has no host")?;
        // The URL parser has brought every spelling of a number to this one.
        let literal = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>();
        match literal {
            Ok(address) if !self.allows(lane, address) => Err(refusal(address)),
            _ => Ok(lane),
        }
    }

    /// Whether a connection to this address may be made.
    pub fn allows(&self, lane: Lane, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(&address))
            || (lane == Lane::Web && is_public(address))
    }
}

pub(super) fn refusal(address: IpAddr) -> String {
    format!("{address} is not a public address; list its network in webhooks.allow_networks")
}

/// Somebody else's machine on the internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Not in IANA's registry of special-purpose addresses.
fn is_public_v4(address: Ipv4Addr) -> bool {
    !SPECIAL_V4.iter().any(|network| network.contains(&address))
}

const SPECIAL_V4: [Ipv4Net; 15] = [
    v4([0, 0, 0, 0], 8),       // this network
    v4([10, 0, 0, 0], 8),      // private
    v4([100, 64, 0, 0], 10),   // carrier-grade NAT, and a cloud's metadata service
    v4([127, 0, 0, 0], 8),     // loopback
    v4([169, 254, 0, 0], 16),  // link-local, and other clouds' metadata services
    v4([172, 16, 0, 0], 12),   // private
    v4([192, 0, 0, 0], 24),    // protocol assignments
    v4([192, 0, 2, 0], 24),    // documentation
    v4([192, 88, 99, 0], 24),  // 6to4 relays
    v4([192, 168, 0, 0], 16),  // private
    v4([198, 18, 0, 0], 15),   // benchmarks
    v4([198, 51, 100, 0], 24), // documentation
    v4([203, 0, 113, 0], 24),  // documentation
    v4([224, 0, 0, 0], 4),     // multicast
    v4([240, 0, 0, 0], 4),     // reserved, broadcast
];

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

/// In the part of the space that is given out, and not one of the forms that
/// carry another address inside: mapped, 6to4, Teredo, NAT64.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    match a {
        0x2001 => b > 0x01ff && b != 0x0db8, // protocol assignments; documentation
        0x2002 => false,                     // 6to4
        0x3fff => b > 0x0fff,                // documentation
        _ => a & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(networks: &[&str], allow_http: bool) -> AddressPolicy {
        let allow_networks = networks
            .iter()
            .map(|network| network.parse().unwrap())
            .collect();
        AddressPolicy::new(&Webhooks {
            allow_networks,
            allow_http,
        })
    }

    fn lane(policy: &AddressPolicy, url: &str) -> Result<Lane, String> {
        policy.lane(&Url::parse(url).unwrap())
    }

    #[test]
    fn addresses_that_are_not_public_are_refused_in_every_spelling() {
        let strict = policy(&[], true);
        for host in [
            "127.0.0.1",
            "127.255.255.254",
            "127.1",
            "2130706433",
            "0177.0.0.1",
            "0x7f.0.0.1",
            "0x7f000001",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:8.8.8.8]",
            "[::127.0.0.1]",
            "[fe80::1]",
            "[fec0::1]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[ff02::1]",
            "[2001::1]",
            "[2001:db8::1]",
            "[2002:7f00:1::]",
            "[2002:808:808::1]",
            "[3fff::1]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b:1::1]",
            "[100::1]",
            "[5f00::1]",
        ] {
            assert!(
                lane(&strict, &format!("https://{host}/")).is_err(),
                "{host}"
            );
            assert!(
                lane(&strict, &format!("http://{host}:80/hook")).is_err(),
                "{host}"
            );
        }
    }

    #[test]
    fn public_addresses_are_allowed() {
        let strict = policy(&[], false);
        for host in [
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "223.255.255.255",
            "[2001:4860:4860::8888]",
            "[2400:3200::1]",
            "shop.example.com",
            "商店.example.com",
        ] {
            assert_eq!(
                lane(&strict, &format!("https://{host}/")),
                Ok(Lane::Web),
                "{host}"
            );
        }
    }

    #[test]
    fn only_the_webs_schemes_and_ports_are_allowed() {
        let strict = policy(&[], false);
        for (url, words) in [
            ("http://shop.example.com/", "use https:"),
            ("file:///etc/passwd", "file: is not https:"),
            ("gopher://shop.example.com/", "gopher: is not https:"),
            ("ftp://shop.example.com/", "ftp: is not https:"),
            ("https://user@shop.example.com/", "a user"),
            ("https://:word@shop.example.com/", "a user"),
            ("https://shop.example.com:22/", "port 22"),
            ("https://shop.example.com:6379/", "port 6379"),
            ("https://shop.example.com:65535/", "port 65535"),
        ] {
            let refused = lane(&strict, url).unwrap_err();
            assert!(refused.contains(words), "{url}: {refused}");
        }
        for port in [80, 443, 8443] {
            assert!(lane(&strict, &format!("https://shop.example.com:{port}/")).is_ok());
        }
    }

    #[test]
    fn a_listed_network_may_be_called_on_any_high_port() {
        let local = policy(&["127.0.0.0/8", "fd00::/8"], true);
        assert_eq!(lane(&local, "http://127.0.0.1:3000/"), Ok(Lane::Listed));
        assert_eq!(lane(&local, "http://[fd00::1]:3000/"), Ok(Lane::Listed));
        assert_eq!(lane(&local, "http://127.0.0.1/"), Ok(Lane::Web));

        assert!(lane(&local, "http://127.0.0.1:22/").is_err(), "a low port");
        assert!(
            lane(&local, "http://10.0.0.1:3000/").is_err(),
            "another network"
        );
        assert!(
            lane(&local, "http://8.8.8.8:3000/").is_err(),
            "a public address"
        );
        // A name may resolve to anything: it is judged when it is connected to.
        assert_eq!(lane(&local, "http://localhost:3000/"), Ok(Lane::Listed));
        assert!(!local.allows(Lane::Listed, "8.8.8.8".parse().unwrap()));
    }
}
