//! The checkout page where the wallet is: inside WeChat, in a phone's browser, on a
//! desk. The driver plays what only WeChat's own browser has: its name, and the
//! bridge by which a page calls the wallet, which goes to the simulated phone.

use serde_json::{Value, json};

use crate::chrome::Chrome;
use crate::program::Demo;

const WECHAT: &str = "Mozilla/5.0 (Linux; Android 14; 23013RK75C) AppleWebKit/537.36 (KHTML, like \
                      Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 XWEB/1160065 \
                      MMWEBSDK/20231202 MicroMessenger/8.0.47.2560(0x28002F30) WeChat/arm64";
const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 \
                     (KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1";

/// What the page called, and what it is answered: the driver looks, lets the
/// simulated person act, and answers.
const BRIDGE: &str = "\
    window.WeixinJSBridge = {
        invoke(name, params, answer) {
            window.called = (window.called ?? 0) + 1;
            window.wallet = { name, params };
            window.answer = answer;
        },
    };";

#[tokio::test]
#[ignore = "needs Chromium and chromedriver; cargo xtask test runs it"]
async fn inside_wechat_the_page_calls_the_wallet_and_follows_what_the_person_does() {
    for (accept, sure, cancelled) in [
        ("zh-CN,zh;q=0.9", "确认", "您取消了付款"),
        ("en-GB,en;q=0.9", "checking", "You cancelled"),
    ] {
        let demo = Demo::start().await;
        let chrome = Chrome::start(accept).await;
        chrome.pretend(WECHAT).await;
        chrome.before_every_page(BRIDGE).await;
        let payment = new_payment(&demo, "T1").await;
        chrome.goto(checkout_of(&payment)).await;

        // WeChat asks nothing; the simulator asks who reads.
        chrome.find("a[href*='wallet=alice']").await;
        chrome.photograph("wechat-who-reads").await;
        chrome.click("a[href*='wallet=alice']").await;
        chrome.find("#checkout[data-state=wallet]").await;
        let json = called(&chrome, 1).await;
        chrome
            .run("window.answer({ err_msg: 'get_brand_wcpay_request:cancel' })")
            .await;
        chrome.find("#wallet-says:not([hidden])").await;
        assert!(chrome.text("#wallet-says").await.contains(cancelled));
        chrome.photograph("checkout-wechat-cancelled").await;

        chrome.click("#wallet").await;
        assert_eq!(called(&chrome, 2).await, json);
        pay(&demo, &json).await;
        chrome
            .run("window.answer({ err_msg: 'get_brand_wcpay_request:ok' })")
            .await;
        chrome.find("#checkout[data-state=paid]").await;
        assert_ne!(sure, "");
        chrome.photograph("checkout-wechat-paid").await;

        // Another order, which the reader pays by the code after all.
        let payment = new_payment(&demo, "T2").await;
        chrome.goto(checkout_of(&payment)).await;
        chrome.click("a[href*='wallet=alice']").await;
        chrome.find("#checkout[data-state=wallet]").await;
        called(&chrome, 1).await;
        chrome
            .run("window.answer({ err_msg: 'get_brand_wcpay_request:fail' })")
            .await;
        chrome.photograph("checkout-wechat-failed").await;
        chrome.click("a.other").await;
        chrome.find("#stage .code svg").await;
        chrome.photograph("checkout-wechat-code").await;
        chrome.click("a.other").await;
        chrome.click("a[href*='wallet=alice']").await;
        chrome.find("#checkout[data-state=wallet]").await;

        chrome.close().await;
        assert!(demo.stop().await.success());
    }
}

#[tokio::test]
#[ignore = "needs Chromium and chromedriver; cargo xtask test runs it"]
async fn without_the_bridge_the_page_says_so() {
    let demo = Demo::start().await;
    let chrome = Chrome::start("zh-CN").await;
    chrome.pretend(WECHAT).await;
    let payment = new_payment(&demo, "T1").await;
    chrome.goto(checkout_of(&payment)).await;
    chrome.click("a[href*='wallet=alice']").await;
    chrome.find("#wallet-says:not([hidden])").await;
    assert!(chrome.text("#wallet-says").await.contains("没有回应"));
    chrome.find("#wallet:not([disabled])").await;
    chrome.photograph("checkout-wechat-silent").await;
    chrome.close().await;
    assert!(demo.stop().await.success());
}

#[tokio::test]
#[ignore = "needs Chromium and chromedriver; cargo xtask test runs it"]
async fn a_phones_browser_goes_to_the_wallet_and_comes_back() {
    for accept in ["zh-CN,zh;q=0.9", "en-GB,en;q=0.9"] {
        let demo = Demo::start().await;
        let chrome = Chrome::start(accept).await;
        chrome.pretend(PHONE).await;
        let payment = new_payment(&demo, "T1").await;
        chrome.goto(checkout_of(&payment)).await;
        chrome.find("#ways button").await;
        chrome.photograph("checkout-phone").await;
        chrome.click("#ways button").await;
        // The button leads on to the simulated phone, which pays.
        chrome.find("#prompt").await;
        chrome.photograph("phone-from-the-browser").await;
        chrome
            .find("#password")
            .await
            .send_keys("123456")
            .await
            .unwrap();
        chrome.click(".confirm .wechat-pay").await;
        chrome.find("#receipt").await;

        chrome.goto(checkout_of(&payment)).await;
        chrome.find("#checkout[data-state=paid]").await;
        chrome.photograph("checkout-phone-paid").await;

        let payment = new_payment(&demo, "T2").await;
        chrome.goto(checkout_of(&payment)).await;
        chrome.click("#ways button").await;
        chrome.find("#prompt").await;
        // The reader has come back without paying.
        chrome.goto(checkout_of(&payment)).await;
        chrome.find("#leave").await;
        chrome.photograph("checkout-phone-leaving").await;
        chrome.close().await;
        assert!(demo.stop().await.success());
    }
}

async fn new_payment(demo: &Demo, number: &str) -> Value {
    let new = json!({"merchant_order_no": number, "amount": 1234, "subject": "豆浆 × 2"});
    demo.ask("/v1/payments", &new.to_string()).await
}

fn checkout_of(payment: &Value) -> &str {
    payment["checkout_url"].as_str().unwrap()
}

/// What the page handed to the wallet the n-th time.
async fn called(chrome: &Chrome, times: u64) -> String {
    loop {
        let seen = chrome
            .run("return [window.called ?? 0, window.wallet ?? null]")
            .await;
        if seen[0].as_u64() == Some(times) {
            assert_eq!(seen[1]["name"], "getBrandWCPayRequest");
            return seen[1]["params"].to_string();
        }
        assert!(seen[0].as_u64() < Some(times), "{seen}");
        chrome.find("#checkout").await;
    }
}

/// The wallet opens what the page handed over, and the person pays.
async fn pay(demo: &Demo, json: &str) {
    let params: Value = serde_json::from_str(json).unwrap();
    let opened = demo
        .ask_phone(
            "/_sim/wallets/alice/open",
            &json!({ "jsapi": params }).to_string(),
        )
        .await;
    let pay = json!({"prepay_id": opened["prepay_id"], "password": "123456"});
    demo.ask_phone("/_sim/wallets/alice/pay", &pay.to_string())
        .await;
}
