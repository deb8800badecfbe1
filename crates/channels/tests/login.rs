//! Whose code is it: what is asked, and what every answer comes to.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use tongbao_channels::{Addresses, Channel, ChannelError, NoPayer, Settings, kind};
use tongbao_core::{Scene, Timestamp};
use tongbao_wire::wechat_v2::sign::insert_sign;
use tongbao_wire::wechat_v2::{ApiKey, Fields, SignType};

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);
const KEY: &str = "TongbaoSimulatorTestKey000000001";
const SECRET: &str = "7e570000000000000000000000000001";

fn open(app_secret: Option<&str>) -> Result<Box<dyn Channel>, String> {
    open_with(app_secret, None)
}

fn open_with(app_secret: Option<&str>, app_kind: Option<&str>) -> Result<Box<dyn Channel>, String> {
    let kind = kind("wechat_v2").unwrap();
    let mut typed = serde_json::json!({
        "app_id": "wx7e57000000000001",
        "mch_id": "1900007357",
        "api_v2_key": KEY,
    });
    if let Some(secret) = app_secret {
        typed["app_secret"] = secret.into();
    }
    if let Some(app_kind) = app_kind {
        typed["app_kind"] = app_kind.into();
    }
    let settings = Settings::read(kind.fields, typed).unwrap();
    let addresses = Addresses::new(
        [
            ("wechat_api".to_owned(), "https://api.test".to_owned()),
            ("wechat_open".to_owned(), "https://open.test".to_owned()),
        ]
        .into(),
    );
    (kind.open)(&settings, &addresses).map_err(|error| error.to_string())
}

fn account() -> Box<dyn Channel> {
    open(Some(SECRET)).unwrap()
}

fn answer(status: StatusCode, body: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_owned()));
    *response.status_mut() = status;
    response
}

fn read(scene: Scene, body: &str) -> Result<String, NoPayer> {
    let account = account();
    let login = account.login(scene).unwrap();
    login.decode(scene, &answer(StatusCode::OK, body))
}

/// What a well account hears to the key doctor's question.
fn no_such_order() -> Response<Bytes> {
    let mut fields = Fields::from_iter([
        ("return_code", "SUCCESS"),
        ("appid", "wx7e57000000000001"),
        ("mch_id", "1900007357"),
        ("nonce_str", "nonce"),
        ("result_code", "FAIL"),
        ("err_code", "ORDERNOTEXIST"),
    ]);
    let key = ApiKey::new(KEY).unwrap();
    insert_sign(&mut fields, &key, SignType::HmacSha256);
    Response::new(Bytes::from(fields.write()))
}

#[test]
fn each_kind_of_page_asks_at_its_own_place() {
    let account = account();
    for (scene, address) in [
        (
            Scene::MiniProgram,
            "https://api.test/sns/jscode2session?appid=wx7e57000000000001\
             &secret=7e570000000000000000000000000001&js_code=0a%2Bb&grant_type=authorization_code",
        ),
        (
            Scene::Jsapi,
            "https://api.test/sns/oauth2/access_token?appid=wx7e57000000000001\
             &secret=7e570000000000000000000000000001&code=0a%2Bb&grant_type=authorization_code",
        ),
    ] {
        let login = account.login(scene).unwrap();
        let request = login.encode(scene, "0a+b").unwrap();
        assert_eq!(request.method(), Method::GET);
        assert_eq!(request.uri().to_string(), address);
        assert!(request.body().is_empty());
    }
}

#[test]
fn a_page_sends_its_reader_to_the_platform_and_back() {
    let account = account();
    let login = account.login(Scene::Jsapi).unwrap();
    let url = login.authorize("https://pay.test/back", "s7a7e").unwrap();
    assert_eq!(
        url,
        "https://open.test/connect/oauth2/authorize?appid=wx7e57000000000001\
         &redirect_uri=https%3A%2F%2Fpay.test%2Fback&response_type=code&scope=snsapi_base\
         &state=s7a7e#wechat_redirect"
    );
    for (back, state) in [("/back", "s"), ("https://pay.test/back", "s&scope=x")] {
        let refused = login.authorize(back, state).unwrap_err();
        assert!(
            matches!(refused, ChannelError::Unsendable { .. }),
            "{refused:?}"
        );
    }
}

#[test]
fn an_openid_is_the_payer() {
    let session = r#"{"openid":"oAlice","session_key":"k","unionid":"u"}"#;
    assert_eq!(read(Scene::MiniProgram, session).unwrap(), "oAlice");
    let token = r#"{"access_token":"t","expires_in":7200,"openid":"oAlice","errcode":0}"#;
    assert_eq!(read(Scene::Jsapi, token).unwrap(), "oAlice");
}

#[test]
fn every_documented_failure_has_its_own_cure() {
    for (errcode, label) in [
        (-1, "busy"),
        (40001, "wrong_secret"),
        (40013, "app_refused"),
        (40029, "code_invalid"),
        (40125, "wrong_secret"),
        (40163, "code_used"),
        (40226, "payer_blocked"),
        (42003, "code_expired"),
        (45009, "too_frequent"),
        (45011, "too_frequent"),
        (48001, "app_refused"),
        (50002, "app_refused"),
        // Nobody has said what these mean: the code may be spent.
        (40002, "unknown"),
        (99999, "unknown"),
    ] {
        for scene in [Scene::MiniProgram, Scene::Jsapi] {
            let body = format!(r#"{{"errcode":{errcode},"errmsg":"as it is, rid: 1-2"}}"#);
            let why = read(scene, &body).unwrap_err();
            assert_eq!(why.label(), label, "{errcode} {scene:?}");
            // The platform's own words are in ours, for those who look them up.
            assert!(
                why.to_string().contains(&format!("{errcode} as it is")),
                "{why}"
            );
        }
    }
}

#[test]
fn an_answer_that_names_nobody_is_no_answer() {
    let token = |more: &str| format!(r#"{{"access_token":"t","expires_in":1,{more}}}"#);
    for body in [
        String::new(),
        "<html>".to_owned(),
        token(r#""openid":"""#),
        token(r#""openid":"a b""#),
        token(r#""openid":"通宝""#),
        token(&format!(r#""openid":"{}""#, "o".repeat(129))),
        // The other kind of page's answer.
        r#"{"openid":"oAlice","session_key":"k"}"#.to_owned(),
        format!("{{\"openid\":\"{}\"}}", "o".repeat(20_000)),
    ] {
        let why = read(Scene::Jsapi, &body).unwrap_err();
        assert_eq!(why.label(), "unknown", "{body:.40}");
    }
    let good = token(r#""openid":"oAlice""#);
    assert!(read(Scene::Jsapi, &good).is_ok());

    let account = account();
    let login = account.login(Scene::Jsapi).unwrap();
    let broken = answer(StatusCode::BAD_GATEWAY, &good);
    let why = login.decode(Scene::Jsapi, &broken).unwrap_err();
    assert_eq!(why, NoPayer::Unknown("HTTP 502".to_owned()));
    let preview = token(r#""openid":"oNobody","is_snapshotuser":1"#);
    assert_eq!(read(Scene::Jsapi, &preview), Err(NoPayer::Preview));
}

#[test]
fn only_a_secret_lets_ask_and_only_where_one_person_pays() {
    let without = open(None).unwrap();
    for scene in Scene::ALL {
        let (with, without) = (account(), without.login(scene).err());
        match scene {
            Scene::Jsapi | Scene::MiniProgram => {
                assert!(with.login(scene).is_ok());
                let missing = matches!(without, Some(ChannelError::NoAppSecret(_)));
                assert!(missing, "{without:?}");
            }
            Scene::Native | Scene::App | Scene::H5 | Scene::Barcode => {
                let refused = ChannelError::UnsupportedScene(scene);
                assert_eq!(with.login(scene).err(), Some(refused.clone()));
                assert_eq!(without, Some(refused));
            }
        }
    }
}

#[test]
fn a_mini_program_knows_its_users_and_not_who_reads_a_page() {
    for app_kind in [None, Some("official_account"), Some("mini_program")] {
        let channel = open_with(Some(SECRET), app_kind).unwrap();
        assert!(channel.login(Scene::MiniProgram).is_ok());
        let page = channel.login(Scene::Jsapi).err();
        if app_kind == Some("mini_program") {
            assert!(matches!(page, Some(ChannelError::NoPages(_))), "{page:?}");
        } else {
            assert_eq!(page, None);
        }
    }
    for typed in ["", "Mini_Program", "app"] {
        let refused = open_with(Some(SECRET), Some(typed)).err().unwrap();
        assert!(refused.starts_with("settings.app_kind: "), "{refused}");
    }
}

#[test]
fn the_key_doctor_says_what_the_page_inside_wechat_will_do() {
    for (secret, app_kind, shows, asks) in [
        (None, None, false, false),
        (Some(SECRET), None, false, true),
        (Some(SECRET), Some("official_account"), false, false),
        (Some(SECRET), Some("mini_program"), true, false),
        (None, Some("mini_program"), true, false),
    ] {
        let found = open_with(secret, app_kind)
            .unwrap()
            .diagnose(&no_such_order(), NOW);
        assert!(found.healthy, "{found:?}");
        assert_eq!(found.cause.contains("shows a code"), shows, "{found:?}");
        assert_eq!(found.cure.contains("app_kind"), asks, "{found:?}");
    }
}

#[test]
fn a_payer_is_met_in_the_sub_merchants_application_if_it_has_one() {
    let kind = kind("wechat_v2").unwrap();
    let mut typed = serde_json::json!({
        "app_id": "wxprovider",
        "mch_id": "1900007400",
        "sub_mch_id": "1900007401",
        "api_v2_key": KEY,
        "app_secret": SECRET,
    });
    let asks_as = |typed: &serde_json::Value| {
        let settings = Settings::read(kind.fields, typed.clone()).unwrap();
        let channel = (kind.open)(&settings, &Addresses::default()).unwrap();
        let login = channel.login(Scene::Jsapi).unwrap();
        let request = login.encode(Scene::Jsapi, "0c0de").unwrap();
        let query = request.uri().query().unwrap();
        query.split('&').next().unwrap().to_owned()
    };
    assert_eq!(asks_as(&typed), "appid=wxprovider");
    typed["sub_appid"] = "wxshop".into();
    assert_eq!(asks_as(&typed), "appid=wxshop");
}

#[test]
fn a_secret_that_cannot_be_one_is_refused_and_not_repeated() {
    for typed in [
        "",
        "short",
        "7e57 0000000000000000000000000001",
        &"a".repeat(65),
    ] {
        let refused = open(Some(typed)).err().unwrap();
        assert!(refused.starts_with("settings.app_secret: "), "{refused}");
        assert!(typed.is_empty() || !refused.contains(typed), "{refused}");
    }
}
