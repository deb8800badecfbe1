//! `mweb_url`: where a mobile browser goes to open the wallet (H5).
//!
//! The platform looks at where the browser comes from: the page that leads there must be of a
//! domain that the merchant registered, and from the address that the order named as
//! `spbill_create_ip`.

use crate::query;

const REDIRECT: &str = "redirect_url";

/// The same address, with the page to come back to afterwards, paid or not, in the
/// place of another one.
pub fn with_redirect_url(mweb_url: &str, redirect_url: &str) -> String {
    let (there, query) = mweb_url.split_once('?').unwrap_or((mweb_url, ""));
    let is_the_page = |pair: &&str| {
        pair.strip_prefix(REDIRECT)
            .is_some_and(|rest| rest.starts_with('='))
    };
    let kept = query.split('&').filter(|pair| !pair.is_empty());
    let kept = kept.filter(|pair| !is_the_page(pair));
    let page = format!("{REDIRECT}={}", query::encode(redirect_url));
    let query: Vec<_> = kept.chain([page.as_str()]).collect();
    format!("{there}?{}", query.join("&"))
}

/// The platform's side: the page to come back to. `None` also for an address that says it twice.
pub fn redirect_url(mweb_url: &str) -> Option<String> {
    let (_, query) = mweb_url.split_once('?')?;
    query::read(query)?.remove(REDIRECT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_to_come_back_to_is_encoded() {
        let there = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1&package=2";
        let back = "https://shop.example/orders?no=A 1&x=+#done";

        let both = with_redirect_url(there, back);
        assert_eq!(
            both,
            format!(
                "{there}&redirect_url=https%3A%2F%2Fshop.example%2Forders%3Fno%3DA%201%26x%3D%2B%23done"
            )
        );
        assert_eq!(redirect_url(&both).as_deref(), Some(back));
        let elsewhere = with_redirect_url(&both, "https://pay.example/c");
        assert_eq!(
            elsewhere,
            format!("{there}&redirect_url=https%3A%2F%2Fpay.example%2Fc")
        );
    }

    #[test]
    fn an_address_without_a_page_to_come_back_to_has_none() {
        assert_eq!(redirect_url("https://wx.tenpay.com/"), None);
        assert_eq!(redirect_url("https://wx.tenpay.com/?prepay_id=wx1"), None);
        assert_eq!(
            redirect_url("https://a/?redirect_url=b&redirect_url=c"),
            None
        );
        assert_eq!(
            redirect_url(&with_redirect_url("https://a/", "https://b/")).as_deref(),
            Some("https://b/")
        );
    }
}
