//! Who the payer is: the questions and answers between a page, the gateway and the platform, as
//! addresses and as JSON. No secret is printed, and nothing that comes twice is taken.

use std::fmt::Debug;

use tongbao_wire::wechat_openid::authorize::{Authorize, Callback};
use tongbao_wire::wechat_openid::reply::{Content, Reply};
use tongbao_wire::wechat_openid::{access_token, jscode2session};
use url::Url;

/// Names and values.
pub const WORDS: &[&str] = &[
    "appid=wx1",
    "&secret=s",
    "&code=c",
    "&js_code=c",
    "&grant_type=authorization_code",
    "&state=s1",
    "&",
    "=",
    "%",
    "%2B",
    "+",
    "%ff",
    "#wechat_redirect",
    "?",
    "&scope=snsapi_base",
    "&response_type=code",
    "redirect_uri=https%3A%2F%2Fshop.example%2F",
    "{",
    "}",
    "\"",
    ":",
    ",",
    "\"errcode\":0",
    "\"errcode\":40029",
    "\"errmsg\":\"\"",
    "\"openid\":\"o\"",
    "\"openid\":\"\"",
    "\"access_token\":\"t\"",
    "\"session_key\":\"k\"",
    "\"expires_in\":7200",
    "-1",
    "1e9",
    "null",
    "https://open.weixin.qq.com/connect/oauth2/authorize",
];

/// See the module.
pub fn run(input: &[u8]) {
    answers::<access_token::Token>(input);
    answers::<jscode2session::Session>(input);
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(request) = access_token::Request::from_query(text) {
        let query = request.to_query();
        each_once(text, &["appid", "secret", "code", "grant_type"]);
        assert_eq!(
            access_token::Request::from_query(query.expose()).as_ref(),
            Ok(&request)
        );
        hides(&request, request.secret.expose());
    }
    if let Ok(request) = jscode2session::Request::from_query(text) {
        let query = request.to_query();
        each_once(text, &["appid", "secret", "js_code", "grant_type"]);
        assert_eq!(
            jscode2session::Request::from_query(query.expose()).as_ref(),
            Ok(&request)
        );
        hides(&request, request.secret.expose());
    }
    if let Ok(callback) = Callback::from_query(text) {
        each_once(text, &["state"]);
        let url = callback.to_url("https://shop.example/back?no=1");
        let query = url.split_once('?').map_or("", |(_, query)| query);
        assert_eq!(Callback::from_query(query).as_ref(), Ok(&callback));
        let url = Url::parse(&url).expect("an address");
        assert!(
            url.query_pairs()
                .any(|(name, value)| name == "state" && value == callback.state)
        );
    }
    if let Ok(authorize) = Authorize::from_url(text) {
        let url = authorize.to_url().expect("it was read");
        assert_eq!(Authorize::from_url(&url).as_ref(), Ok(&authorize));
        let url = Url::parse(&url).expect("an address");
        let page = url.query_pairs().find(|(name, _)| name == "redirect_uri");
        assert_eq!(page.expect("it is there").1, authorize.redirect_uri);
    }
}

fn answers<T: Content + Debug + PartialEq>(input: &[u8]) {
    let Ok(reply) = Reply::<T>::from_json(input) else {
        return;
    };
    if let Reply::Done(content) = &reply {
        assert!(content.is_whole());
    }
    let again = Reply::<T>::from_json(reply.to_json().as_bytes());
    assert_eq!(again.as_ref(), Ok(&reply));
}

fn each_once(query: &str, names: &[&str]) {
    for wanted in names {
        let found = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == wanted);
        assert_eq!(found.count(), 1, "{wanted} of {query}");
    }
}

/// A short secret may stand in any text.
fn hides(request: &impl Debug, secret: &str) {
    assert!(secret.len() < 16 || !format!("{request:?}").contains(secret));
}
