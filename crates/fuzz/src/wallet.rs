//! What payers, scanners, pages and apps bring: payment codes, calls to the wallet, addresses to
//! come back to, and where an order comes from.

use std::collections::BTreeMap;

use tongbao_wire::payment_code::{Wallet, trim};
use tongbao_wire::wechat_v2::app_call::AppCall;
use tongbao_wire::wechat_v2::auth_code::AuthCode;
use tongbao_wire::wechat_v2::jsapi_call::{Caller, JsapiCall};
use tongbao_wire::wechat_v2::scene_info::SceneInfo;
use tongbao_wire::wechat_v2::{Fields, SignType, mweb};
use url::Url;

use crate::account;

/// Codes, names and words.
pub const WORDS: &[&str] = &[
    "134567890123456789",
    "2834567890123456",
    "6234567890123456789",
    "fp",
    "0",
    "\r\n",
    "\t",
    "１",
    "{",
    "}",
    "\"",
    ":",
    ",",
    "\"appid\":\"wx1\"",
    "\"partnerid\":\"19\"",
    "\"prepayid\":\"wx2\"",
    "\"package\":\"Sign=WXPay\"",
    "\"package\":\"prepay_id=wx2\"",
    "\"noncestr\":\"n\"",
    "\"timestamp\":\"1795233600\"",
    "\"timeStamp\":\"1795233600\"",
    "\"appId\":\"wx1\"",
    "\"nonceStr\":\"n\"",
    "\"signType\":\"MD5\"",
    "\"signType\":\"HMAC-SHA256\"",
    "\"sign\":\"\"",
    "\"paySign\":\"\"",
    "\"h5_info\":{\"type\":\"Wap\"}",
    "\"wap_url\":\"https://shop.example\"",
    "\"store_info\":{\"id\":\"1\"}",
    "&",
    "=",
    "?",
    "#",
    "%",
    "+",
    "%2B",
    "redirect_url=",
    "通",
];

/// See the module.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    a_code_is_of_one_wallet(text);
    a_page_comes_back(text);
    if let Ok(scene) = SceneInfo::from_json(text) {
        assert_eq!(SceneInfo::from_json(&scene.to_json()), Ok(scene));
    }
    if let Ok(object) = serde_json::from_str::<BTreeMap<String, String>>(text) {
        calls_are_signed(&object.into_iter().collect());
    }
    for sign_type in [SignType::Md5, SignType::HmacSha256] {
        let key = account::key();
        if let Ok(call) = AppCall::from_json(text, sign_type, &key) {
            assert_eq!(
                AppCall::from_json(&call.to_json(sign_type, &key), sign_type, &key),
                Ok(call)
            );
        }
        // The application is the one that opens the wallet, never the text's choice.
        if let Ok(call) = JsapiCall::from_json(text, "wx1", sign_type, &key) {
            assert_eq!((&*call.app_id, call.sign_type), ("wx1", sign_type));
        }
    }
}

fn a_code_is_of_one_wallet(text: &str) {
    let trimmed = trim(text);
    assert_eq!(trim(trimmed), trimmed);
    assert!(text.contains(trimmed));
    let wallet = Wallet::of(text);
    let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    assert!(
        wallet.is_none() || digits || text.starts_with("fp"),
        "{text:?}"
    );
    let first: u32 = text.get(..2).and_then(|two| two.parse().ok()).unwrap_or(99);
    let of_wechat = digits && text.len() == 18 && (10..=15).contains(&first);
    assert_eq!(wallet == Some(Wallet::WeChat), of_wechat, "{text:?}");
    let of_alipay = digits && (16..=24).contains(&text.len()) && (25..=30).contains(&first);
    assert!(!of_alipay || wallet == Some(Wallet::Alipay), "{text:?}");
    let code = AuthCode::new(text);
    assert_eq!(code.is_some(), of_wechat);
    assert!(code.is_none_or(|code| code.as_str() == text && !format!("{code:?}").contains(text)));
}

fn a_page_comes_back(page: &str) {
    let there = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1&package=2";
    let both = mweb::with_redirect_url(there, page);
    // What stands for bytes that are no text is text here, and refused.
    if !page.contains('\u{fffd}') {
        assert_eq!(mweb::redirect_url(&both).as_deref(), Some(page));
    }
    let url = Url::parse(&both).expect("an address");
    let second_opinion = url.query_pairs().find(|(name, _)| name == "redirect_url");
    assert_eq!(second_opinion.expect("it is there").1, page);
    assert!(url.fragment().is_none());
    let _ = mweb::redirect_url(page);
}

fn calls_are_signed(fields: &Fields<'_>) {
    let key = account::key();
    if let Ok(call) = AppCall::from_fields(fields) {
        for sign_type in [SignType::Md5, SignType::HmacSha256] {
            let text = call.to_json(sign_type, &key);
            assert_eq!(
                AppCall::from_json(&text, sign_type, &key).as_ref(),
                Ok(&call)
            );
        }
        let text = call.to_json(SignType::Md5, &key);
        assert!(AppCall::from_json(&text, SignType::HmacSha256, &key).is_err());
    }
    if let Ok(call) = JsapiCall::from_fields(fields) {
        for caller in [Caller::Bridge, Caller::MiniProgram, Caller::JsSdk] {
            let text = call.to_json(caller, &key);
            let read = JsapiCall::from_json(&text, &call.app_id, call.sign_type, &key);
            assert_eq!(read.as_ref(), Ok(&call));
            let other = format!("{}x", call.app_id);
            assert!(JsapiCall::from_json(&text, &other, call.sign_type, &key).is_err());
        }
    }
}
