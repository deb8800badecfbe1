//! Which machines a merchant may have us call: nothing that the standard library knows as not
//! public, in whatever spelling, and no door but the web's.
//!
//! An input is an address, or sixteen bytes that are one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tongbao::config::Webhooks;
use tongbao::seams::{AddressPolicy, Lane};
use url::{Host, Url};

/// Spellings of this machine and of its neighbours.
pub const WORDS: &[&str] = &[
    "https://",
    "http://",
    "file://",
    "gopher://",
    "user@",
    ":pw@",
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0177.0.0.1",
    "0x7f.1",
    "0x7f000001",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fd00::1]",
    "[fe80::1%25eth0]",
    "169.254.169.254",
    "100.100.100.200",
    "10.0.0.1",
    "192.168.0.1",
    "172.16.0.1",
    "0.0.0.0",
    "255.255.255.255",
    "8.8.8.8",
    "[2400:3200::1]",
    "localhost",
    "shop.example",
    "商店.example",
    "１２７.0.0.1",
    "%31",
    "。",
    ".",
    ":22",
    ":80",
    ":443",
    ":8443",
    ":6379",
    ":65536",
    "/",
    "\\",
    "?",
    "#",
    "@",
];

/// See the module.
pub fn run(input: &[u8]) {
    let strict = AddressPolicy::new(&Webhooks::default());
    if let Ok(bytes) = <[u8; 16]>::try_from(input) {
        let v6 = Ipv6Addr::from(bytes);
        let v4 = Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]);
        for address in [
            IpAddr::V6(v6),
            IpAddr::V4(v4),
            IpAddr::V6(v4.to_ipv6_mapped()),
        ] {
            assert!(!strict.allows(Lane::Listed, address));
            if strict.allows(Lane::Web, address) {
                is_nobody_special(address);
            }
        }
    }
    let Ok(url) = std::str::from_utf8(input)
        .unwrap_or_default()
        .parse::<Url>()
    else {
        return;
    };
    let Ok(lane) = strict.lane(&url) else { return };
    assert_eq!(lane, Lane::Web);
    assert_eq!(url.scheme(), "https");
    assert!(url.username().is_empty() && url.password().is_none());
    assert!(matches!(url.port_or_known_default(), Some(80 | 443 | 8443)));
    match url.host() {
        Some(Host::Ipv4(address)) => is_nobody_special(address.into()),
        Some(Host::Ipv6(address)) => is_nobody_special(address.into()),
        Some(Host::Domain(name)) => assert!(!name.is_empty() && name.parse::<IpAddr>().is_err()),
        None => panic!("{url} has no host"),
    }
}

/// What the standard library knows of special addresses.
fn is_nobody_special(address: IpAddr) {
    let special = match address {
        IpAddr::V4(address) => {
            address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_broadcast()
                || address.is_documentation()
        }
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.to_ipv4().is_some()
        }
    };
    assert!(!special, "{address} may be called");
}
