//! How a page, a mini-program, an app and a browser get from the order to the wallet.

use proptest::prelude::*;
use tongbao_wire::wechat_v2::jsapi_call::Caller;
use tongbao_wire::wechat_v2::scene_info::{H5Info, H5Kind, SceneInfo, StoreInfo};
use tongbao_wire::wechat_v2::unified_order::{self, Reply};
use tongbao_wire::wechat_v2::{
    ApiKey, AppCall, CallError, FieldError, Fields, JsapiCall, RequestHead, SignError, SignType,
    TimeStamp, TradeType, mweb,
};

use crate::fixture::{self, Signed, named};

const CALLERS: [Caller; 3] = [Caller::Bridge, Caller::MiniProgram, Caller::JsSdk];

#[test]
fn published_and_computed_calls_survive_the_struct_and_sign_the_same() {
    for example in examples("jsapi").chain(examples("miniprogram")) {
        let call = JsapiCall::from_fields(&example.fields()).unwrap();

        assert_eq!(call.to_fields(), example.fields(), "{}", example.id);
        assert_eq!(
            call.pay_sign(&example.key()),
            example.sign,
            "{}",
            example.id
        );
    }
    for example in examples("app") {
        let call = AppCall::from_fields(&example.fields()).unwrap();
        assert_eq!(call.to_fields(), example.fields(), "{}", example.id);

        let json = call.to_json(example.sign_type(), &example.key());
        let sign = format!(r#""sign":"{}""#, example.sign);
        assert!(json.contains(&sign), "{}: {json}", example.id);
    }
}

#[test]
fn each_caller_is_handed_its_own_names() {
    let example = examples("jsapi-md5").next().unwrap();
    let call = JsapiCall::from_fields(&example.fields()).unwrap();
    let json = |caller| call.to_json(caller, &example.key());

    assert_eq!(
        json(Caller::Bridge),
        r#"{"appId":"wx8888888888888888","timeStamp":"1767240930","nonceStr":"5K8264ILTKCH16CQ2502SI8ZNMTM67VS","package":"prepay_id=wx201410272009395522657a690389285100","signType":"MD5","paySign":"B8C2E07B923F828BF20B861EB8F2A4BB"}"#
    );
    assert_eq!(
        json(Caller::MiniProgram),
        r#"{"timeStamp":"1767240930","nonceStr":"5K8264ILTKCH16CQ2502SI8ZNMTM67VS","package":"prepay_id=wx201410272009395522657a690389285100","signType":"MD5","paySign":"B8C2E07B923F828BF20B861EB8F2A4BB"}"#
    );
    assert_eq!(
        json(Caller::JsSdk),
        r#"{"nonceStr":"5K8264ILTKCH16CQ2502SI8ZNMTM67VS","package":"prepay_id=wx201410272009395522657a690389285100","signType":"MD5","timestamp":"1767240930","paySign":"B8C2E07B923F828BF20B861EB8F2A4BB"}"#
    );
}

#[test]
fn an_app_is_handed_lower_case_names() {
    let example = examples("app-md5").next().unwrap();
    let call = AppCall::from_fields(&example.fields()).unwrap();

    assert_eq!(
        call.to_json(SignType::Md5, &example.key()),
        r#"{"appid":"wx8888888888888888","partnerid":"1900000109","prepayid":"wx201410272009395522657a690389285100","package":"Sign=WXPay","noncestr":"5K8264ILTKCH16CQ2502SI8ZNMTM67VS","timestamp":"1767240930","sign":"FFB4961E16A3CAA3933C084D0348DF6D"}"#
    );
}

#[test]
fn the_wallet_takes_what_the_server_made() {
    for sign_type in [SignType::Md5, SignType::HmacSha256] {
        let order = head(sign_type);
        let call = JsapiCall::of_order(&order, "wx1", "n", time_stamp());
        for caller in CALLERS {
            let read = JsapiCall::from_json(
                &call.to_json(caller, &key()),
                "wx8888888888888888",
                sign_type,
                &key(),
            );
            assert_eq!(read.as_ref(), Ok(&call), "{caller:?}");
        }
        let call = AppCall::of_order(&order, "wx1", "n", time_stamp());
        let read = AppCall::from_json(&call.to_json(sign_type, &key()), sign_type, &key());
        assert_eq!(read, Ok(call));
    }
}

#[test]
fn the_order_decides_the_algorithm() {
    let call = JsapiCall::of_order(&head(SignType::Md5), "wx1", "n", time_stamp());
    let json = call.to_json(Caller::Bridge, &key());
    let read = |order| JsapiCall::from_json(&json, "wx8888888888888888", order, &key());
    assert!(read(SignType::Md5).is_ok());
    assert_eq!(read(SignType::HmacSha256), Err(CallError::SignType));

    let call = AppCall::of_order(&head(SignType::Md5), "wx1", "n", time_stamp());
    let json = call.to_json(SignType::Md5, &key());
    let read = |order| AppCall::from_json(&json, order, &key());
    assert!(read(SignType::Md5).is_ok());
    assert_eq!(
        read(SignType::HmacSha256),
        Err(CallError::Sign(SignError::Form))
    );
}

#[test]
fn a_sub_merchants_client_calls_with_the_sub_merchants_application() {
    let order = RequestHead {
        sub_appid: Some("wx7777777777777777".into()),
        sub_mch_id: Some("1900000209".into()),
        ..head(SignType::Md5)
    };
    let page = JsapiCall::of_order(&order, "wx1", "n", time_stamp());
    let app = AppCall::of_order(&order, "wx1", "n", time_stamp());

    assert_eq!(page.app_id, "wx7777777777777777");
    assert_eq!(
        (&*app.appid, &*app.partnerid),
        ("wx7777777777777777", "1900000209")
    );
    let providers_page = RequestHead {
        sub_appid: None,
        ..order
    };
    let page = JsapiCall::of_order(&providers_page, "wx1", "n", time_stamp());
    assert_eq!(page.app_id, "wx8888888888888888");
}

#[test]
fn a_page_of_another_application_does_not_open_the_wallet() {
    let call = JsapiCall::of_order(&head(SignType::Md5), "wx1", "n", time_stamp());
    let read = |caller| {
        let json = call.to_json(caller, &key());
        JsapiCall::from_json(&json, "wx6666666666666666", SignType::Md5, &key())
    };

    assert_eq!(
        read(Caller::Bridge),
        Err(FieldError::Malformed("appId").into())
    );
    assert_eq!(read(Caller::MiniProgram), Err(SignError::Mismatch.into()));
}

#[test]
fn a_mistaken_page_is_told_what_is_wrong() {
    let call = JsapiCall::of_order(&head(SignType::Md5), "wx1", "n", time_stamp());
    let good = call.to_json(Caller::Bridge, &key());
    let changed = |from: &str, to: &str| {
        let json = good.replacen(from, to, 1);
        assert_ne!(json, good);
        JsapiCall::from_json(&json, "wx8888888888888888", SignType::Md5, &key()).unwrap_err()
    };
    let malformed = |field| CallError::Field(FieldError::Malformed(field));
    let missing = |field| CallError::Field(FieldError::Missing(field));

    assert_eq!(changed(r#""1767240930""#, "1767240930"), CallError::Json);
    assert_eq!(changed("{", r#"{"nonceStr":"m","#), CallError::Json);
    assert_eq!(changed("}", ""), CallError::Json);
    assert_eq!(changed("{", "[{"), CallError::Json);
    assert_eq!(
        changed("}", &format!("{}}}", " ".repeat(16 * 1024))),
        CallError::Json
    );
    assert_eq!(
        changed("1767240930", "1767240930000"),
        malformed("timeStamp")
    );
    assert_eq!(changed("prepay_id=wx1", "wx1"), malformed("package"));
    assert_eq!(changed("prepay_id=wx1", "prepay_id="), malformed("package"));
    assert_eq!(changed("MD5", "md5"), malformed("signType"));
    assert_eq!(changed("timeStamp", "timestomp"), missing("timeStamp"));
    assert_eq!(changed("paySign", "sign"), SignError::Missing.into());
    assert_eq!(
        changed("{", r#"{"timestamp":"1767240930","#),
        FieldError::Unexpected("timestamp").into()
    );
    assert_eq!(changed("wx1", "wx2"), SignError::Mismatch.into());
    assert_eq!(
        changed("{", r#"{"total_fee":"1","#),
        SignError::Mismatch.into()
    );
}

#[test]
fn a_mistaken_app_is_told_what_is_wrong() {
    let call = AppCall::of_order(&head(SignType::Md5), "wx1", "n", time_stamp());
    let good = call.to_json(SignType::Md5, &key());
    let changed = |from: &str, to: &str| {
        let json = good.replacen(from, to, 1);
        assert_ne!(json, good);
        AppCall::from_json(&json, SignType::Md5, &key()).unwrap_err()
    };

    assert_eq!(
        changed("Sign=WXPay", "prepay_id=wx1"),
        FieldError::Malformed("package").into()
    );
    assert_eq!(
        changed("prepayid", "prepayId"),
        FieldError::Missing("prepayid").into()
    );
    assert_eq!(
        changed("1767240930", "176724093"),
        FieldError::Malformed("timestamp").into()
    );
    assert_eq!(changed("wx1", "wx2"), SignError::Mismatch.into());
}

#[test]
fn a_browser_is_sent_where_the_platform_says_and_comes_back() {
    let body = named(fixture::responses(), "unifiedorder-mweb-ok").body();
    let fields = Fields::read(body.as_bytes()).unwrap();
    let Reply::Done { content, .. } = Reply::from_fields(&fields).unwrap() else {
        panic!("placed");
    };
    assert_eq!(content.trade_type, TradeType::Mweb);

    let there = mweb::with_redirect_url(&content.mweb_url.unwrap(), "https://shop.example/o/1");
    assert!(there.starts_with("https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx"));
    assert_eq!(
        mweb::redirect_url(&there).as_deref(),
        Some("https://shop.example/o/1")
    );
}

#[test]
fn a_browsers_order_says_which_site_it_comes_from() {
    let example = fixture::request("unifiedorder-mweb");
    let order = unified_order::Request::from_fields(&example.fields()).unwrap();
    let scene = order.scene_info().unwrap().unwrap();

    assert_eq!(scene, SceneInfo::site("https://m.example.com", "测试商店"));
    assert_eq!(Some(scene.to_json()), order.optional.scene_info);
    assert_eq!(scene.h5_info.unwrap().lacks(), None);
    assert_eq!(order.lacks(), None);
}

#[test]
fn an_app_or_a_store_says_its_names() {
    let app = |kind, bundle_id: Option<&str>, package_name: Option<&str>| H5Info {
        app_name: Some("通宝".into()),
        bundle_id: bundle_id.map(str::to_owned),
        package_name: package_name.map(str::to_owned),
        ..H5Info::new(kind)
    };
    let scenes = [
        (
            r#"{"h5_info":{"type":"IOS","app_name":"通宝","bundle_id":"com.example.a"}}"#,
            app(H5Kind::Ios, Some("com.example.a"), None),
        ),
        (
            r#"{"h5_info":{"type":"Android","app_name":"通宝","package_name":"com.example.a"}}"#,
            app(H5Kind::Android, None, Some("com.example.a")),
        ),
    ];
    for (json, expected) in scenes {
        let scene = SceneInfo::from_json(json).unwrap();
        assert_eq!(scene.h5_info, Some(expected));
        assert_eq!(scene.to_json(), json);
    }
    let json = r#"{"store_info":{"id":"SZT-1","name":"店","area_code":"440305","address":"路"}}"#;
    let scene = SceneInfo::from_json(json).unwrap();
    assert_eq!(
        scene.store_info,
        Some(StoreInfo {
            id: "SZT-1".into(),
            name: Some("店".into()),
            area_code: Some("440305".into()),
            address: Some("路".into()),
        })
    );
    assert_eq!(scene.to_json(), json);
}

#[test]
fn each_kind_of_scene_has_what_it_needs() {
    assert_eq!(H5Info::new(H5Kind::Wap).lacks(), Some("wap_url"));
    assert_eq!(H5Info::new(H5Kind::Ios).lacks(), Some("app_name"));
    assert_eq!(H5Info::new(H5Kind::Android).lacks(), Some("app_name"));
    assert_eq!(H5Info::new(H5Kind::Other("HarmonyOS".into())).lacks(), None);
    let nameless = SceneInfo::site("https://m.example.com", "");
    assert_eq!(nameless.h5_info.unwrap().lacks(), Some("wap_name"));
}

#[test]
fn a_scene_that_is_not_one_is_malformed_and_a_new_kind_is_kept() {
    let with = |scene: &'static str| {
        let example = fixture::request("unifiedorder-mweb");
        let mut fields = example.fields().into_owned();
        fields.insert("scene_info", scene);
        unified_order::Request::from_fields(&fields)
            .unwrap()
            .scene_info()
    };
    let deep: &'static str = Box::leak("[".repeat(100_000).into_boxed_str());

    for scene in [
        "Wap",
        "{",
        "[]",
        "1",
        r#"{"h5_info":{}}"#,
        r#"{"h5_info":{"type":1}}"#,
        deep,
    ] {
        assert_eq!(with(scene), Err(FieldError::Malformed("scene_info")));
    }
    let new = with(r#"{"h5_info":{"type":"HarmonyOS","app_name":"a"},"x":1}"#).unwrap();
    assert_eq!(
        new.unwrap().h5_info.unwrap().kind,
        H5Kind::Other("HarmonyOS".into())
    );
}

proptest! {
    #[test]
    fn any_call_that_is_made_is_taken(
        app_id in "[!-~]{1,32}",
        nonce in ".{1,32}",
        prepay in ".{1,64}",
        secs in 1_000_000_000_u64..=9_999_999_999,
        hmac in any::<bool>(),
    ) {
        let sign_type = if hmac { SignType::HmacSha256 } else { SignType::Md5 };
        let order = RequestHead { appid: app_id.clone(), ..head(sign_type) };
        let time_stamp = TimeStamp::from_unix_secs(secs).unwrap();
        let page = JsapiCall::of_order(&order, &prepay, &nonce, time_stamp);
        for caller in CALLERS {
            let json = page.to_json(caller, &key());
            let read = JsapiCall::from_json(&json, &app_id, sign_type, &key());
            prop_assert_eq!(read.as_ref(), Ok(&page));
        }
        let app = AppCall::of_order(&order, &prepay, &nonce, time_stamp);
        let read = AppCall::from_json(&app.to_json(sign_type, &key()), sign_type, &key());
        prop_assert_eq!(read, Ok(app));
    }

    #[test]
    fn any_text_is_taken_for_a_call_without_a_panic(text in "[{}\":,a-z0-9=\\\\]{0,80}|.{0,40}") {
        prop_assert!(JsapiCall::from_json(&text, "wx1", SignType::Md5, &key()).is_err());
        prop_assert!(AppCall::from_json(&text, SignType::Md5, &key()).is_err());
        let _ = SceneInfo::from_json(&text);
    }
}

fn head(sign_type: SignType) -> RequestHead {
    RequestHead {
        appid: "wx8888888888888888".into(),
        mch_id: "1900000109".into(),
        sub_appid: None,
        sub_mch_id: None,
        nonce_str: "n".into(),
        sign_type: (sign_type != SignType::Md5).then_some(sign_type),
    }
}

fn time_stamp() -> TimeStamp {
    TimeStamp::from_unix_secs(1_767_240_930).unwrap()
}

fn examples(prefix: &'static str) -> impl Iterator<Item = Signed> {
    let examples = fixture::second_signed();
    let found: Vec<_> = examples
        .into_iter()
        .filter(|example| example.id.starts_with(prefix))
        .collect();
    assert!(!found.is_empty(), "{prefix}");
    found.into_iter()
}

fn key() -> ApiKey {
    ApiKey::new("GatewayTestKeyForVectors00000001").unwrap()
}
