//! How many connections come from one address.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Counts those who are here, by address.
#[derive(Clone)]
pub(super) struct Crowd {
    most: u32,
    here: Arc<Mutex<BTreeMap<IpAddr, u32>>>,
}

/// One of them; leaves when dropped.
pub(super) struct Visit {
    crowd: Crowd,
    address: IpAddr,
}

impl Crowd {
    pub(super) fn new(most: u32) -> Self {
        Self {
            most,
            here: Arc::default(),
        }
    }

    /// `None` when too many are here from that address. A proxy on this machine
    /// speaks for everybody and is not counted.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Visit> {
        let address = household(address);
        if !address.is_loopback() {
            let mut here = self.lock();
            let count = here.entry(address).or_default();
            if *count >= self.most {
                return None;
            }
            *count += 1;
        }
        Some(Visit {
            crowd: self.clone(),
            address,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<IpAddr, u32>> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut here = self.crowd.lock();
        if let Some(count) = here.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                here.remove(&self.address);
            }
        }
    }
}

/// Everybody has 2^64 IPv6 addresses to choose from, so they count as one.
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(crowd: &Crowd, address: &str) -> Option<Visit> {
        crowd.enter(address.parse().unwrap())
    }

    #[test]
    fn an_address_has_so_many_places_and_no_more() {
        let crowd = Crowd::new(2);
        let first = enter(&crowd, "192.0.2.1");
        let _second = enter(&crowd, "::ffff:192.0.2.1");
        assert!(enter(&crowd, "192.0.2.1").is_none());
        assert!(enter(&crowd, "192.0.2.2").is_some());

        drop(first);
        assert!(enter(&crowd, "192.0.2.1").is_some());
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_together() {
        let crowd = Crowd::new(1);
        let _one = enter(&crowd, "2001:db8::1").unwrap();
        assert!(enter(&crowd, "2001:db8::ffff:2").is_none());
        assert!(enter(&crowd, "2001:db8:0:1::1").is_some());
    }

    #[test]
    fn this_machine_is_not_counted() {
        let crowd = Crowd::new(1);
        let all: Vec<_> = (0..9).map_while(|_| enter(&crowd, "127.0.0.1")).collect();
        assert_eq!(all.len(), 9);
    }

    #[test]
    fn nobody_is_remembered_after_they_left() {
        let crowd = Crowd::new(1);
        drop(enter(&crowd, "192.0.2.1"));
        assert!(crowd.lock().is_empty());
    }
}
