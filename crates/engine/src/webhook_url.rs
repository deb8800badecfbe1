//! Which addresses a merchant may name. Which machines may be reached is the
//! transport's business, which sees the address it connects to.

use http::Uri;
use tongbao_core::order::Invalid;
use url::Url;

/// An absolute http or https address with a host, without a user, and not our
/// own notification route.
pub(crate) fn check(url: &str, public_url: &str) -> Result<(), Invalid> {
    let refused = |detail: &str| Invalid::new("url", detail);
    if url.len() > 2_048 {
        return Err(refused("is longer than 2048 characters"));
    }
    let uri: Uri = url
        .parse()
        .map_err(|_| refused("is not an address; send https://host/path"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(refused("is not http or https; send https://host/path"));
    }
    let host = uri
        .authority()
        .map(http::uri::Authority::as_str)
        .unwrap_or_default();
    if host.is_empty() || host.contains('@') {
        return Err(refused(
            "has no host, or a user in front of it; send https://host/path",
        ));
    }
    // `http` reads the parts and no more; a port above 65535 is found here.
    let read = Url::parse(url)
        .map_err(|_| refused("has a host or a port that is none; send https://host/path"))?;
    if is_own(&read, public_url) {
        return Err(refused("is this gateway's own notification address"));
    }
    Ok(())
}

/// In whatever spelling: an origin has one form.
fn is_own(url: &Url, public_url: &str) -> bool {
    Url::parse(&format!("{public_url}/notify/"))
        .is_ok_and(|own| url.origin() == own.origin() && url.path().starts_with(own.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_web_addresses_are_taken() {
        let own = "https://pay.example.com";
        assert_eq!(check("https://shop.example.com/hook?a=1", own), Ok(()));
        for url in [
            "",
            "shop.example.com/hook",
            "/hook",
            "ftp://shop.example.com/",
            "file:///etc/passwd",
            "https://user@shop.example.com/",
            "https://pay.example.com/notify/chn_1",
            "https://PAY.example.com:443/a/../notify/chn_1",
            "https://shop.example.com:99999/",
            "https://[::1/",
            "https://:443/",
            "https://shop.example.com/a b",
        ] {
            assert!(check(url, own).is_err(), "{url}");
        }
    }
}
