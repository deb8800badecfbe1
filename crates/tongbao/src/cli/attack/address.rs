//! Whose gateway it may be.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, bail, ensure};
use reqwest::Url;

/// The addresses behind the URL: all of this machine or of a private network,
/// or the caller says that they are theirs.
pub(super) async fn resolve(url: &Url, owned: bool) -> anyhow::Result<Vec<SocketAddr>> {
    ensure!(
        matches!(url.scheme(), "http" | "https"),
        "{url} is not http or https"
    );
    ensure!(
        url.query().is_none() && url.fragment().is_none(),
        "{url} has a query string; a notify_url has none"
    );
    let host = url
        .host_str()
        .with_context(|| format!("{url} has no host"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default().unwrap_or(80);
    let found = tokio::net::lookup_host((host, port)).await;
    let addresses: Vec<_> = found
        .with_context(|| format!("{host} is not found"))?
        .collect();
    ensure!(!addresses.is_empty(), "{host} has no address");
    if let Some(public) = addresses.iter().find(|address| !is_private(address.ip()))
        && !owned
    {
        bail!(
            "{} is a public address. Attack only what is yours; if this gateway is, say \
             --i-own-this-gateway",
            public.ip()
        );
    }
    Ok(addresses)
}

/// This machine, or a network that no stranger is reached by.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn allowed(url: &str, owned: bool) -> bool {
        let url = url.parse().unwrap();
        // An address needs no looking up.
        resolve(&url, owned).now_or_never().unwrap().is_ok()
    }

    #[tokio::test]
    async fn only_addresses_of_nobody_else_are_attacked_unasked() {
        for url in [
            "http://127.0.0.1:8080/notify",
            "https://10.0.0.7/notify",
            "http://192.168.1.1/notify",
            "http://[::1]:80/notify",
            "http://[fd00::1]/notify",
        ] {
            assert!(allowed(url, false), "{url}");
        }
        for url in [
            "http://8.8.8.8/notify",
            "http://169.254.169.254/",
            "http://100.64.0.1/notify",
            "http://[2001:db8::1]/notify",
            "http://0x08080808/notify",
        ] {
            assert!(!allowed(url, false), "{url}");
            assert!(allowed(url, true), "{url}");
        }
        for url in ["ftp://127.0.0.1/", "http://127.0.0.1/?a=1"] {
            assert!(!allowed(url, true), "{url}");
        }
    }
}
