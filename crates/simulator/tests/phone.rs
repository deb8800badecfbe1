//! The phone's page, through the router, without a browser.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use axum::Router;
use axum::body::Body;
use common::{Merchant, NOON, read};
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use tongbao_simulator::Platform;
use tongbao_simulator::server::{Simulator, router};
use tongbao_wire::wechat_v2::Fields;
use tower::ServiceExt as _;

struct Phone {
    router: Router,
    simulator: Simulator,
}

impl Phone {
    fn new() -> Self {
        let simulator = Simulator::new(Platform::new(7), || NOON);
        Self {
            router: router(simulator.clone()),
            simulator,
        }
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn see(&self, path: &str) -> String {
        let response = self
            .send(Request::get(path).body(Body::empty()).unwrap())
            .await;
        assert_eq!(response.status(), 200, "{path}");
        text(response).await
    }

    async fn submit(&self, path: &str, form: &str) -> Response<Body> {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(form.to_owned()))
            .unwrap();
        self.send(request).await
    }

    /// The code of a fresh order, as it stands in a link.
    async fn place(&self, order: &Fields<'_>) -> String {
        let request = Merchant::ready_made().request("/pay/unifiedorder", order);
        let response = self.send(request.map(Body::from)).await;
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let code_url = read(&body).get("code_url").unwrap().to_owned();
        code_url
            .replace(':', "%3A")
            .replace('/', "%2F")
            .replace('?', "%3F")
            .replace('=', "%3D")
    }

    fn balance(&self) -> u64 {
        self.simulator
            .look(|platform, _| platform.truth().wallets["alice"].balance_fen)
    }
}

async fn text(response: Response<Body>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn location(response: &Response<Body>) -> &str {
    response.headers()[header::LOCATION].to_str().unwrap()
}

#[tokio::test]
async fn a_code_is_picked_and_paid_without_a_script() {
    let phone = Phone::new();
    let code = phone.place(&Merchant::order("T00001", 88_800)).await;
    let home = phone.see("/").await;
    let link = format!("/?wallet=alice&amp;code={code}");
    assert!(home.contains(&link), "{link} not in {home}");

    let prompt = phone.see(&format!("/?wallet=alice&code={code}")).await;
    for part in ["通宝测试商户", "¥888.00", "豆浆", "T00001"] {
        assert!(prompt.contains(part), "{part}");
    }
    let other = format!("/?wallet=alice&amp;lang=en&amp;code={code}");
    assert!(prompt.contains(&other), "another language, the same prompt");
    let paid = phone
        .submit(
            "/phone/pay",
            &format!("wallet=alice&code={code}&password=123456"),
        )
        .await;
    assert_eq!(paid.status(), StatusCode::SEE_OTHER);
    let receipt = phone.see(location(&paid)).await;
    assert!(receipt.contains("支付成功"));
    assert_eq!(phone.balance(), 1_000_000 - 88_800);
}

#[tokio::test]
async fn a_wrong_or_missing_password_pays_nothing_and_says_so() {
    let phone = Phone::new();
    let code = phone.place(&Merchant::order("T00001", 100)).await;
    let cases = [
        ("&password=000000", "还可以输入 4 次"),
        ("&password=", "请输入六位支付密码"),
        ("", "请输入六位支付密码"),
    ];
    for (password, answer) in cases {
        let form = format!("wallet=alice&code={code}{password}");
        let page = text(phone.submit("/phone/pay", &form).await).await;

        assert!(page.contains(answer), "{password}");
        assert!(page.contains("id=\"prompt\""), "the prompt stays");
    }
    assert_eq!(phone.balance(), 1_000_000);
}

#[tokio::test]
async fn what_cannot_be_paid_is_explained() {
    let phone = Phone::new();
    let code = phone.place(&Merchant::order("T00001", 100)).await;
    assert!(phone.see("/?code=x").await.contains("平台没有发出过这个码"));
    let bobs = phone.see(&format!("/?wallet=bob&code={code}")).await;
    assert!(bobs.contains("这是微信支付的收款码"));
    let nobodys = phone.see(&format!("/?wallet=%3Cb%3E&code={code}")).await;
    assert!(
        nobodys.contains("id=\"prompt\""),
        "whoever can pay is asked"
    );
}

#[tokio::test]
async fn the_language_is_the_browsers_until_one_is_chosen() {
    let phone = Phone::new();
    let ask = |path: &str, name: header::HeaderName, value: &'static str| {
        Request::get(path)
            .header(name, value)
            .body(Body::empty())
            .unwrap()
    };
    let english = ask("/", header::ACCEPT_LANGUAGE, "en-GB,en;q=0.9,zh;q=0.1");
    assert!(
        text(phone.send(english).await)
            .await
            .contains("<html lang=\"en\">")
    );
    let french = ask("/", header::ACCEPT_LANGUAGE, "fr");
    assert!(
        text(phone.send(french).await)
            .await
            .contains("<html lang=\"zh-CN\">")
    );

    let chosen = phone
        .send(ask("/?lang=en", header::ACCEPT_LANGUAGE, "zh-CN"))
        .await;
    let cookie = chosen.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("lang=en;"), "{cookie}");
    let kept = phone.send(ask("/", header::COOKIE, "lang=en")).await;
    assert!(text(kept).await.contains("<html lang=\"en\">"));
}

#[tokio::test]
async fn a_merchants_text_stays_text() {
    let phone = Phone::new();
    let mut order = Merchant::order("T00001", 100);
    order.insert("body", "<script>alert(1)</script>\"'&amp;");
    phone.place(&order).await;
    let page = phone.see("/").await;

    assert!(!page.contains("<script>alert"));
    assert!(page.contains("&#60;script&#62;alert(1)"), "{page}");
}

#[tokio::test]
async fn the_page_runs_nothing_but_its_own_module() {
    let phone = Phone::new();
    let response = phone
        .send(Request::get("/").body(Body::empty()).unwrap())
        .await;
    let policy = response.headers()[header::CONTENT_SECURITY_POLICY].clone();
    let policy = policy.to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"));
    assert!(!policy.contains("unsafe"));

    let page = text(response).await;
    for inline in ["style=", "<style", "onclick", "onload", "<script>"] {
        assert!(!page.contains(inline), "{inline}");
    }
    for asset in ["phone.css", "phone.js", "mark.svg"] {
        phone.see(&format!("/_sim/assets/{asset}")).await;
    }
}

#[tokio::test]
async fn another_sites_form_is_refused() {
    let phone = Phone::new();
    let code = phone.place(&Merchant::order("T00001", 100)).await;
    let request = Request::post("/phone/pay")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site")
        .body(Body::from(format!(
            "wallet=alice&code={code}&password=123456"
        )))
        .unwrap();

    assert_eq!(phone.send(request).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(phone.balance(), 1_000_000);
}

#[tokio::test]
async fn faults_and_the_clock_are_moved_by_forms() {
    let phone = Phone::new();
    let on = phone
        .submit(
            "/phone/faults",
            "wallet=alice&kind=no_answer&times=1&out_trade_no=T00009",
        )
        .await;
    assert_eq!(location(&on), "/?wallet=alice#faults");
    let page = phone.see("/").await;
    assert!(page.contains("no_answer · T00009"));

    phone.submit("/phone/faults/off", "wallet=alice").await;
    assert!(!phone.see("/").await.contains("no_answer · T00009"));
    phone
        .submit("/phone/clock", "wallet=alice&advance_seconds=3600")
        .await;
    assert!(phone.see("/").await.contains("2026-11-21 13:00:00"));
}

#[tokio::test]
async fn a_code_is_shown_charged_asked_about_and_paid_on_the_phone() {
    let phone = Phone::new();
    let shown = phone.submit("/phone/code", "wallet=alice").await;
    assert_eq!(location(&shown), "/?wallet=alice&screen=code");
    let page = phone.see(location(&shown)).await;
    let digits = phone.simulator.look(|platform, now| {
        let codes = platform.live_codes(now, "alice");
        codes[0].digits.clone()
    });
    assert!(page.contains(&digits[..4]) && page.contains("class=\"till-code\""));

    let charge = Merchant::charge("T00001", 60_000, &digits);
    let charge = Merchant::ready_made().request("/pay/micropay", &charge);
    phone.send(charge.map(Body::from)).await;
    let asked = phone.see("/?wallet=alice&screen=code").await;
    assert!(asked.contains("付款码已用过或已过期"));
    assert!(asked.contains("¥600.00") && asked.contains("不付"));
    let form = "wallet=alice&out_trade_no=T00001&accept=true&password=";
    let wrong = text(
        phone
            .submit("/phone/confirm", &format!("{form}000000"))
            .await,
    )
    .await;
    assert!(wrong.contains("还可以输入 4 次"));
    let paid = phone
        .submit("/phone/confirm", &format!("{form}123456"))
        .await;
    assert!(phone.see(location(&paid)).await.contains("支付成功"));
    assert_eq!(phone.balance(), 1_000_000 - 60_000);
}

#[tokio::test]
async fn what_a_page_or_a_browser_opens_is_a_prompt_and_refunds_are_listed() {
    let phone = Phone::new();
    let mut order = Merchant::order("T00001", 1_000);
    order.insert("trade_type", "MWEB");
    let scene = r#"{"h5_info":{"type":"Wap","wap_url":"https://a.test","wap_name":"a"}}"#;
    order.insert("scene_info", scene);
    let request = Merchant::ready_made().request("/pay/unifiedorder", &order);
    let response = phone.send(request.map(Body::from)).await;
    let placed = read(&response.into_body().collect().await.unwrap().to_bytes());
    let url = placed.get("mweb_url").unwrap().to_owned();
    let path = &url[url.find("/cgi-bin/").unwrap()..];

    let sent = phone
        .send(Request::get(path).body(Body::empty()).unwrap())
        .await;
    assert_eq!(sent.status(), StatusCode::SEE_OTHER);
    let prompt = phone.see(location(&sent)).await;
    assert!(prompt.contains("¥10.00") && prompt.contains("id=\"prompt\""));
    let prepay_id = placed.get("prepay_id").unwrap();
    assert!(
        phone.see("/").await.contains(prepay_id),
        "listed for opening"
    );

    let pay = format!("wallet=alice&prepay_id={prepay_id}&password=123456");
    phone.submit("/phone/pay", &pay).await;
    phone.simulator.act(|platform, now| {
        let made = platform.refund_on_pages(now, "1900007357", "T00001", 300);
        made.unwrap();
    });
    let home = phone.see("/").await;
    assert!(home.contains("¥3.00") && home.contains("处理中") && home.contains("有退款"));
}

#[tokio::test]
async fn a_page_asks_who_reads_it_and_gets_a_code() {
    let phone = Phone::new();
    let asked = "/connect/oauth2/authorize?appid=wx7e57000000000001\
                 &redirect_uri=https%3A%2F%2Fshop.test%2Fback&response_type=code\
                 &scope=snsapi_base&state=s1";
    let page = phone.see(asked).await;
    assert!(page.contains("谁在看这个页面") && page.contains("alice") && !page.contains("bob"));

    let chosen = format!("{asked}&wallet=alice");
    let sent = phone
        .send(Request::get(&chosen).body(Body::empty()).unwrap())
        .await;
    let back = location(&sent);
    assert!(back.starts_with("https://shop.test/back?code=0"), "{back}");
    assert!(back.ends_with("&state=s1"));
    let bad = asked.replace("response_type=code", "response_type=token");
    let refused = phone
        .send(Request::get(&bad).body(Body::empty()).unwrap())
        .await;
    assert_eq!(refused.status(), 422);
}
