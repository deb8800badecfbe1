//! Where a request comes from.

use std::net::IpAddr;

use http::request::Parts;

/// The address at the other end of the connection. Whoever accepts connections puts
/// it into every request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// The caller's address. A proxy in front of the gateway, on this machine or in its
/// network, is believed when it names the one that called it; nobody else is.
pub(crate) fn address_of(parts: &Parts) -> Option<IpAddr> {
    let Peer(peer) = parts.extensions.get()?;
    let peer = peer.to_canonical();
    if !is_near(peer) {
        return Some(peer);
    }
    let named = parts
        .headers
        .get_all("x-forwarded-for")
        .into_iter()
        .next_back();
    // What stands before the last one came from the caller itself.
    let named = named.and_then(|line| line.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    Some(named.unwrap_or(peer))
}

fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn only_a_proxy_of_ours_is_believed() {
        for (peer, forwarded, address) in [
            ("203.0.113.7", &[][..], "203.0.113.7"),
            ("203.0.113.7", &["198.51.100.1"], "203.0.113.7"),
            ("127.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.0.0.2", &["198.51.100.1"], "198.51.100.1"),
            ("172.17.0.1", &["6.6.6.6, 2001:db8::1"], "2001:db8::1"),
            ("127.0.0.1", &["6.6.6.6", "198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["unknown"], "127.0.0.1"),
            ("fd00::1", &[], "fd00::1"),
        ] {
            let mut request = Request::builder();
            for line in forwarded {
                request = request.header("x-forwarded-for", *line);
            }
            let (mut parts, ()) = request.body(()).unwrap().into_parts();
            parts.extensions.insert(Peer(peer.parse().unwrap()));
            assert_eq!(address_of(&parts), Some(address.parse().unwrap()), "{peer}");
        }
        let (parts, ()) = Request::new(()).into_parts();
        assert_eq!(address_of(&parts), None);
    }
}
