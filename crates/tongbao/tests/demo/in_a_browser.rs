//! The full walk in a real browser: order, scan, pay, and the shop is told. What
//! the pages looked like is in `target/screenshots`.

use fantoccini::wd::WindowHandle;

use crate::chrome::Chrome;
use crate::program::Demo;

/// Words of one language that the walk must meet.
struct Words {
    tag: &'static str,
    accept: &'static str,
    teapot: &'static str,
    paid: &'static str,
}

const ZH: Words = Words {
    tag: "zh-CN",
    accept: "zh-CN,zh;q=0.9,en;q=0.5",
    teapot: "紫砂壶",
    paid: "已支付，备货中",
};

const EN: Words = Words {
    tag: "en",
    accept: "en-GB,en;q=0.9",
    teapot: "Yixing teapot",
    paid: "Paid, shipping",
};

/// A page that is loaded again forgets this.
const REMEMBER: &str = "window.remembers = true";
const REMEMBERS: &str = "return window.remembers === true";

#[tokio::test]
#[ignore = "needs Chromium and chromedriver; cargo xtask test runs it"]
async fn in_chinese_an_order_is_paid_by_picking_its_code_and_every_page_follows() {
    let demo = Demo::start().await;
    let chrome = Chrome::start(ZH.accept).await;
    let shop = chrome.tab().await;
    look_around(&chrome, &demo, &ZH).await;
    order_the_teapot(&chrome, &demo, &ZH).await;

    let phone = chrome.new_tab().await;
    chrome.goto(&demo.phone).await;
    chrome.click("a.person[href*='alice']").await;
    chrome.find("#codes a.code").await;
    chrome.photograph("phone-codes").await;
    chrome.click("#codes a.code").await;
    chrome.find("#prompt").await;
    chrome.photograph("phone-prompt").await;
    type_password(&chrome, "000000").await;
    chrome.find("#wrong:not(:empty)").await;
    chrome.photograph("phone-wrong-password").await;
    pay(&chrome).await;
    chrome.photograph("phone-receipt").await;

    see_it_arrive(&chrome, &shop, &ZH).await;
    chrome.switch_to(&phone).await;
    chrome.goto(&demo.phone).await;
    chrome.find("#notifications .badge.accepted").await;
    chrome.photograph("phone-afterwards").await;

    chrome.close().await;
    assert!(demo.stop().await.success());
}

#[tokio::test]
#[ignore = "needs Chromium and chromedriver; cargo xtask test runs it"]
async fn in_english_an_order_is_paid_by_the_shops_link_to_the_phone() {
    let demo = Demo::start().await;
    let chrome = Chrome::start(EN.accept).await;
    let checkout = chrome.tab().await;
    look_around(&chrome, &demo, &EN).await;
    order_the_teapot(&chrome, &demo, &EN).await;

    let order = chrome.new_tab().await;
    chrome.goto(&demo.shop).await;
    chrome.find("#checkout").await;
    chrome.photograph("shop-with-an-order").await;
    chrome.click("a.row[href^='/orders/']").await;
    chrome.find("#standing[data-standing=waiting]").await;
    chrome.photograph("order-waiting").await;
    chrome.run(REMEMBER).await;
    let link = chrome
        .find("a#phone")
        .await
        .attr("href")
        .await
        .unwrap()
        .unwrap();

    chrome.new_tab().await;
    chrome.goto(&link).await;
    chrome.find("#prompt").await;
    chrome.photograph("phone-prompt").await;
    pay(&chrome).await;
    chrome.photograph("phone-receipt").await;

    chrome.switch_to(&order).await;
    chrome.find("#standing[data-standing=paid]").await;
    assert_eq!(
        chrome.run(REMEMBERS).await,
        true,
        "the order page was loaded again"
    );
    see_it_arrive(&chrome, &checkout, &EN).await;

    chrome.close().await;
    assert!(demo.stop().await.success());
}

#[tokio::test]
#[ignore = "needs Chromium and chromedriver; cargo xtask test runs it"]
async fn an_order_that_is_closed_at_the_gateway_is_closed_on_every_page() {
    let demo = Demo::start().await;
    let chrome = Chrome::start(ZH.accept).await;
    let checkout = chrome.tab().await;
    chrome.goto(&demo.shop).await;
    chrome.click("form:has([value=longjing]) button").await;
    chrome.find("#stage .code svg").await;

    chrome.new_tab().await;
    chrome.goto(&demo.shop).await;
    chrome.click("a.row[href^='/orders/']").await;
    chrome.find("#standing[data-standing=waiting]").await;
    let payment = chrome.text("#payment").await;
    demo.ask(&format!("/v1/payments/{payment}/close"), "{}")
        .await;

    chrome.find("#standing[data-standing=closed]").await;
    chrome.photograph("order-closed").await;
    chrome.switch_to(&checkout).await;
    chrome.find("#checkout[data-state=closed]").await;
    chrome.photograph("checkout-closed").await;

    chrome.close().await;
    assert!(demo.stop().await.success());
}

#[tokio::test]
#[ignore = "needs Chromium and chromedriver; cargo xtask test runs it"]
async fn without_scripts_the_walk_is_the_same() {
    let demo = Demo::start().await;
    let chrome = Chrome::start(ZH.accept).await;
    let shop = chrome.tab().await;
    chrome.switch_scripts_off().await;
    chrome.goto(&demo.shop).await;
    chrome.click("form:has([value=gaiwan]) button").await;
    chrome.find("#stage .code svg").await;

    chrome.new_tab().await;
    chrome.switch_scripts_off().await;
    chrome.goto(&demo.phone).await;
    chrome.click("a.person[href*='alice']").await;
    chrome.click("#codes a.code").await;
    pay(&chrome).await;

    // The pages look again by themselves.
    chrome.switch_to(&shop).await;
    chrome.click("[data-state=paid] a.button").await;
    chrome.find("#standing[data-standing=paid]").await;

    chrome.close().await;
    assert!(demo.stop().await.success());
}

/// What the Enter key sends.
const ENTER: &str = "\u{e007}";

async fn key_in(chrome: &Chrome, css: &str, keys: &str) {
    let field = chrome.find(css).await;
    field.send_keys(keys).await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and chromedriver; cargo xtask test runs it"]
async fn at_the_till_the_keyboard_is_enough_and_the_answer_is_large() {
    let demo = Demo::start().await;
    let chrome = Chrome::start(ZH.accept).await;
    let till = chrome.tab().await;
    chrome.goto(&demo.till).await;
    chrome.find("#door:not([hidden])").await;
    let address = chrome.url().await;
    assert!(!address.contains("tk_"), "the key stays in {address}");
    chrome.photograph("till-door").await;
    key_in(&chrome, "#key", ENTER).await;
    chrome.find("#desk:not([hidden])").await;
    assert!(chrome.text("#place").await.contains("西湖店"));
    chrome.photograph("till-amount").await;

    // Without a payment code, a QR code for the customer.
    key_in(&chrome, "#amount", &format!("12.34{ENTER}")).await;
    chrome.find("#scan-form:not([hidden])").await;
    chrome.photograph("till-scan").await;
    key_in(&chrome, "#code", ENTER).await;
    chrome.find("#qr:not([hidden])").await;
    chrome.photograph("till-qr").await;
    chrome.new_tab().await;
    chrome.goto(&demo.phone).await;
    chrome.click("a.person[href*='alice']").await;
    chrome.click("#codes a.code").await;
    pay(&chrome).await;
    chrome.switch_to(&till).await;
    chrome.find("#answer[data-tone=good]").await;
    assert_eq!(chrome.text("#verdict").await, "已收款 ¥12.34");
    chrome.find("#last li .paid").await;
    assert_eq!(chrome.text("#today-amount").await, "¥12.34");
    chrome.photograph("till-paid").await;

    // The scanner types digits and Enter.
    key_in(&chrome, "#next", ENTER).await;
    key_in(&chrome, "#amount", &format!("0.66{ENTER}")).await;
    let code = demo.payment_code("alice").await;
    key_in(&chrome, "#code", &format!("{code}{ENTER}")).await;
    chrome.find("#answer[data-tone=good]").await;
    assert_eq!(chrome.text("#verdict").await, "已收款 ¥0.66");
    chrome.find("#last li:nth-child(2) .paid").await;
    assert_eq!(chrome.text("#today-amount").await, "¥13.00");

    // A sale that is broken off is closed.
    key_in(&chrome, "#next", ENTER).await;
    key_in(&chrome, "#amount", &format!("5{ENTER}")).await;
    key_in(&chrome, "#code", ENTER).await;
    chrome.find("#qr:not([hidden])").await;
    chrome.click("#cancel").await;
    chrome
        .find("#answer[data-tone=bad] #next:not([hidden])")
        .await;
    chrome.photograph("till-cancelled").await;

    chrome.close().await;
    assert!(demo.stop().await.success());
}

/// The first page names everything that there is.
async fn look_around(chrome: &Chrome, demo: &Demo, words: &Words) {
    chrome.goto(&demo.docs).await;
    chrome.find("h1").await;
    chrome.photograph("docs").await;

    chrome
        .goto(&format!("{}/orders/TEA-000000000000", demo.shop))
        .await;
    chrome.find("main h1").await;
    // The browser complains of a page that is not found, as it should.
    chrome.forget_complaints().await;

    chrome.goto(&demo.shop).await;
    assert_eq!(
        chrome.run("return document.documentElement.lang").await,
        words.tag
    );
    for link in [format!("{}/", demo.phone), demo.docs.clone()] {
        chrome.find(&format!("a[href^='{link}']")).await;
    }
    assert!(chrome.text(".shelf").await.contains(words.teapot));
    chrome.photograph("shop").await;
}

/// Ends on the checkout page, which shows the code.
async fn order_the_teapot(chrome: &Chrome, demo: &Demo, words: &Words) {
    chrome.goto(&demo.shop).await;
    chrome.click("form:has([value=teapot]) button").await;
    chrome.find("#stage .code svg").await;
    assert_eq!(
        chrome.run("return document.documentElement.lang").await,
        words.tag
    );
    let order = chrome.text(".order").await;
    for part in ["¥680.00", "通宝茶铺", words.teapot] {
        assert!(order.contains(part), "no {part} in {order}");
    }
    chrome.photograph("checkout-waiting").await;
    let side =
        chrome.run("return document.querySelector('.code svg').getBoundingClientRect().width");
    assert!(side.await.as_f64() >= Some(240.0));
    let bytes = chrome.run(
        "return performance.getEntriesByType('navigation')
            .concat(performance.getEntriesByType('resource'))
            .reduce((sum, entry) => sum + entry.transferSize, 0)",
    );
    assert!(bytes.await.as_u64() < Some(60_000));
    chrome.run(REMEMBER).await;
}

/// On the phone, at the prompt.
async fn pay(chrome: &Chrome) {
    assert!(chrome.text("#prompt").await.contains("通宝茶铺"));
    type_password(chrome, "123456").await;
    chrome.find("#receipt").await;
}

async fn type_password(chrome: &Chrome, password: &str) {
    let field = chrome.find("#password").await;
    field.send_keys(password).await.unwrap();
    chrome.click(".confirm .wechat-pay").await;
}

/// The checkout page turns to paid where it stands, and leads back to the shop.
async fn see_it_arrive(chrome: &Chrome, checkout: &WindowHandle, words: &Words) {
    chrome.switch_to(checkout).await;
    chrome.find("#checkout[data-state=paid]").await;
    assert_eq!(
        chrome.run(REMEMBERS).await,
        true,
        "the checkout page was loaded again"
    );
    chrome.photograph("checkout-paid").await;
    chrome.click("#stage a.button").await;
    chrome.find("#standing[data-standing=paid]").await;
    assert_eq!(chrome.text("#standing").await, words.paid);
    chrome.click("summary").await;
    chrome.photograph("order-paid").await;
}
