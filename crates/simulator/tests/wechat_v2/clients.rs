//! Pages, mini-programs, apps and browsers that open the wallet; and who their readers are.

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use tongbao_simulator::{Account, Opened, Opening, Refusal, SubMerchant, Target};
use tongbao_wire::secret::Secret;
use tongbao_wire::wechat_openid::authorize::{Authorize, Scope};
use tongbao_wire::wechat_openid::{access_token, jscode2session};
use tongbao_wire::wechat_v2::jsapi_call::Caller;
use tongbao_wire::wechat_v2::{AppCall, Fields, JsapiCall, SignType, TimeStamp, mweb};

use crate::common::Merchant;
use crate::stage::{Stage, error};

const ALICE: &str = "oTongbaoSimulatorAlice000001";

impl Stage {
    fn place_for(
        &mut self,
        number: &str,
        trade_type: &str,
        more: &[(&'static str, &str)],
    ) -> Fields<'static> {
        let mut order = Merchant::order(number, 100);
        order.insert("trade_type", trade_type.to_owned());
        for (name, value) in more {
            order.insert(*name, (*value).to_owned());
        }
        self.ask("/pay/unifiedorder", &order)
    }

    fn jsapi_call(&self, prepay_id: &str, sign_type: SignType) -> JsapiCall {
        JsapiCall {
            app_id: self.merchant.app_id.clone(),
            time_stamp: TimeStamp::from_unix_secs(1_795_233_600).unwrap(),
            nonce_str: "n".to_owned(),
            prepay_id: prepay_id.to_owned(),
            sign_type,
        }
    }

    fn handed(&self, opening: &Opening) -> Result<Opened, Refusal> {
        self.platform.open(self.now, opening)
    }

    /// The answer's JSON.
    fn get(&mut self, path: &str, query: &Secret) -> Value {
        let uri = format!("{path}?{}", query.expose());
        let request = Request::get(uri).body(Bytes::new()).unwrap();
        let response = self.platform.handle(self.now, &request);
        serde_json::from_slice(response.answer().unwrap().body()).unwrap()
    }

    fn session(&mut self, app_id: &str, secret: &str, code: &str) -> Value {
        let question = jscode2session::Request {
            appid: app_id.to_owned(),
            secret: Secret::new(secret),
            js_code: code.to_owned(),
        };
        self.get(jscode2session::PATH, &question.to_query())
    }
}

fn prepay_id(placed: &Fields<'_>) -> String {
    placed.get("prepay_id").expect("placed").to_owned()
}

#[test]
fn an_openid_is_somebodys_and_of_this_application() {
    let mut stage = Stage::new();
    let alice = stage.platform.truth().wallets["alice"].clone();
    let elsewhere = alice.openid_in("wx7e57000000000101");
    assert_ne!(elsewhere, ALICE);
    assert_eq!(elsewhere.len(), 28);

    for other in [&*elsewhere, "oNobody"] {
        let refused = stage.place_for("T00001", "JSAPI", &[("openid", other)]);
        let said = refused.get("return_msg");
        assert_eq!(said, Some("appid and openid not match"));
    }
    let placed = stage.place_for("T00001", "JSAPI", &[("openid", ALICE)]);
    let target = Target::PrepayId(prepay_id(&placed));
    stage.pay(&target).unwrap();
    assert_eq!(stage.query("T00001").get("openid"), Some(ALICE));
}

#[test]
fn a_page_opens_the_wallet_with_the_orders_own_signature() {
    for sign_type in [SignType::Md5, SignType::HmacSha256] {
        let mut stage = Stage::new();
        stage.merchant.sign_type = sign_type;
        let placed = stage.place_for("T00001", "JSAPI", &[("openid", ALICE)]);
        let call = stage.jsapi_call(&prepay_id(&placed), sign_type);
        for caller in [Caller::Bridge, Caller::MiniProgram, Caller::JsSdk] {
            let json = call.to_json(caller, &stage.merchant.key);
            let opened = stage.handed(&Opening::Jsapi { json }).unwrap();
            assert_eq!(opened.target, Target::PrepayId(prepay_id(&placed)));
        }
        let json = call.to_json(Caller::Bridge, &stage.merchant.key);
        let changed = json.replace("\"n\"", "\"m\"");
        let refused = stage.handed(&Opening::Jsapi { json: changed });
        assert!(matches!(refused, Err(Refusal::BadCall(_))));

        let other = match sign_type {
            SignType::Md5 => SignType::HmacSha256,
            SignType::HmacSha256 => SignType::Md5,
        };
        let call = stage.jsapi_call(&prepay_id(&placed), other);
        let json = call.to_json(Caller::Bridge, &stage.merchant.key);
        let refused = stage.handed(&Opening::Jsapi { json });
        assert!(
            matches!(refused, Err(Refusal::BadCall(_))),
            "another algorithm"
        );
    }
}

#[test]
fn an_app_opens_the_wallet_for_its_own_merchant() {
    let mut stage = Stage::new();
    let placed = stage.place_for("T00001", "APP", &[]);
    let call = AppCall {
        appid: stage.merchant.app_id.clone(),
        partnerid: stage.merchant.mch_id.clone(),
        prepayid: prepay_id(&placed),
        noncestr: "n".to_owned(),
        timestamp: TimeStamp::from_unix_secs(1_795_233_600).unwrap(),
    };
    let json = call.to_json(SignType::Md5, &stage.merchant.key);
    let opened = stage.handed(&Opening::App { json }).unwrap();
    stage.pay(&opened.target).unwrap();

    let stranger = AppCall {
        partnerid: "1900000002".to_owned(),
        ..call
    };
    let json = stranger.to_json(SignType::Md5, &stage.merchant.key);
    assert!(stage.handed(&Opening::App { json }).is_err());
}

#[test]
fn a_browser_opens_the_wallet_within_five_minutes() {
    let mut stage = Stage::new();
    let lacking = stage.place_for("T00001", "MWEB", &[]);
    assert_eq!(lacking.get("return_msg"), Some("缺少参数"));
    let scene = r#"{"h5_info":{"type":"Wap","wap_url":"https://shop.test","wap_name":"shop"}}"#;
    let placed = stage.place_for("T00001", "MWEB", &[("scene_info", scene)]);
    let url = placed.get("mweb_url").unwrap().to_owned();
    assert!(url.starts_with("https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id="));

    let with_return = mweb::with_redirect_url(&url, "https://shop.test/done?no=1");
    let opened = stage.handed(&Opening::MwebUrl(with_return)).unwrap();
    let back = opened.redirect_url.as_deref();
    assert_eq!(back, Some("https://shop.test/done?no=1"));
    stage.pass(5 * 60);
    let late = stage.handed(&Opening::MwebUrl(url));
    assert_eq!(late, Err(Refusal::BrowserTooLate));
    stage.pay(&opened.target).unwrap();
}

#[test]
fn a_login_code_is_the_applications_for_five_minutes_and_once() {
    let mut stage = Stage::new();
    let account = Account::ready_made();
    let (app_id, secret) = (&*account.app_id, &*account.app_secret.0);
    let code = |stage: &mut Stage| {
        stage
            .platform
            .login_code(stage.now, "alice", app_id)
            .unwrap()
    };

    let first = code(&mut stage);
    let session = stage.session(app_id, secret, &first);
    assert_eq!(session["openid"], ALICE);
    assert!(session["session_key"].is_string());
    assert_eq!(stage.session(app_id, secret, &first)["errcode"], 40163);
    assert_eq!(stage.session(app_id, secret, "made up")["errcode"], 40029);

    let late = code(&mut stage);
    stage.pass(5 * 60);
    assert_eq!(stage.session(app_id, secret, &late)["errcode"], 40029);

    let burnt = code(&mut stage);
    assert_eq!(stage.session(app_id, "wrong", &burnt)["errcode"], 40125);
    assert_eq!(stage.session(app_id, secret, &burnt)["errcode"], 40163);
    assert_eq!(stage.session("wx0", secret, &burnt)["errcode"], 40013);
    let bob = stage.platform.login_code(stage.now, "bob", app_id);
    assert_eq!(bob, Err(Refusal::OtherPlatform));
}

#[test]
fn a_page_learns_who_reads_it_and_a_mini_programs_code_is_none_of_its() {
    let mut stage = Stage::new();
    let account = Account::ready_made();
    let asked = Authorize {
        appid: account.app_id.clone(),
        redirect_uri: "https://shop.test/back".to_owned(),
        scope: Scope::Base,
        state: "s1".to_owned(),
    };
    let back = stage
        .platform
        .authorize(stage.now, "alice", &asked)
        .unwrap();
    let code = back.strip_prefix("https://shop.test/back?code=").unwrap();
    let code = code.strip_suffix("&state=s1").unwrap().to_owned();
    let question = |code: String| access_token::Request {
        appid: account.app_id.clone(),
        secret: Secret::new(&*account.app_secret.0),
        code,
    };
    let token = stage.get(access_token::PATH, &question(code).to_query());
    assert_eq!(
        (&token["openid"], &token["scope"]),
        (&ALICE.into(), &"snsapi_base".into())
    );

    let other = stage
        .platform
        .login_code(stage.now, "alice", &account.app_id);
    let token = stage.get(access_token::PATH, &question(other.unwrap()).to_query());
    assert_eq!(token["errcode"], 40029);
}

#[test]
fn a_code_whose_owner_was_asked_for_is_this_merchants_alone() {
    let mut stage = Stage::new();
    let neighbour = Account::new(
        "1900000002",
        "wx7e57000000000002",
        "s",
        "TongbaoSimulatorTestKey000000002",
        "隔壁",
    );
    stage.platform.add_account(neighbour.clone());
    let code = stage.platform.auth_code(stage.now, "alice").unwrap().digits;
    let shown = Fields::from_iter([("auth_code", code.clone())]);
    let holder = stage.ask("/tools/authcodetoopenid", &shown);
    assert_eq!(holder.get("openid"), Some(ALICE));

    let ours = std::mem::replace(&mut stage.merchant, Merchant::of(&neighbour));
    let charge = Merchant::charge("T00001", 1, &code);
    let refused = stage.ask("/pay/micropay", &charge);
    assert_eq!(error(&refused).0, "AUTH_CODE_INVALID");
    stage.merchant = ours;
    assert_eq!(stage.ask("/pay/micropay", &charge).get("err_code"), None);
    let again = stage.ask("/tools/authcodetoopenid", &shown);
    assert_eq!(error(&again).0, "AUTH_CODE_INVALID", "spent");
}

#[test]
fn a_sub_merchants_application_has_openids_of_its_own() {
    let mut stage = Stage::new();
    let provider = Account::service_provider();
    let SubMerchant { app, .. } = provider.sub_merchants[0].clone();
    let app = app.unwrap();
    stage.platform.add_account(provider);
    let code = stage
        .platform
        .login_code(stage.now, "alice", &app.app_id)
        .unwrap();
    let session = stage.session(&app.app_id, &app.app_secret.0, &code);

    let alice = &stage.platform.truth().wallets["alice"];
    assert_eq!(session["openid"], alice.openid_in(&app.app_id));
    assert_ne!(session["openid"], ALICE);
}
