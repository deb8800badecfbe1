//! The full walk in a real browser: order, scan, pay, and the shop is told. What
//! the pages looked like is in `target/screenshots`.

use std::time::Duration;

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

/// What the keys send.
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const F9: &str = "\u{e039}";

/// The cashier has seen that a code is asked for.
const SCAN_FORM_FOR_A_WHILE: &str = "#scan-form:not([hidden]):not([data-fresh])";

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
    chrome.find(SCAN_FORM_FOR_A_WHILE).await;
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
    chrome.find(SCAN_FORM_FOR_A_WHILE).await;
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

#[tokio::test]
#[ignore = "needs Chromium and chromedriver; cargo xtask test runs it"]
async fn enter_pressed_twice_or_held_opens_no_qr_order_by_itself() {
    const SALE: &str = "return sessionStorage.getItem('tongbao.till.sale')";

    let demo = Demo::start().await;
    let chrome = at_the_till(&demo.till).await;
    let waits_for_a_code = async |chrome: &Chrome| {
        chrome.find("#scan-form:not([hidden])").await;
        assert_eq!(chrome.run(SALE).await, serde_json::Value::Null);
    };

    key_in(&chrome, "#amount", &format!("1{ENTER}{ENTER}")).await;
    waits_for_a_code(&chrome).await;
    key_in(&chrome, "#code", ESCAPE).await;
    chrome.find("#amount-form:not([hidden])").await;

    // The amount is still there, and the key stays down for long.
    chrome.hold_enter(5).await;
    waits_for_a_code(&chrome).await;
    chrome.find(SCAN_FORM_FOR_A_WHILE).await;
    chrome.hold_enter(0).await;
    chrome.find("#qr:not([hidden])").await;
    assert_ne!(chrome.run(SALE).await, serde_json::Value::Null);

    chrome.close().await;
    assert!(demo.stop().await.success());
}

/// Signs in, as far as the amount.
async fn at_the_till(address: &str) -> Chrome {
    let chrome = Chrome::start(ZH.accept).await;
    chrome.goto(address).await;
    key_in(&chrome, "#key", ENTER).await;
    chrome.find("#amount-form:not([hidden])").await;
    chrome
}

/// The cashier types the amount, and scans what the person shows.
async fn charge(chrome: &Chrome, demo: &Demo, yuan: &str, person: &str) {
    key_in(chrome, "#amount", &format!("{yuan}{ENTER}")).await;
    let code = demo.payment_code(person).await;
    key_in(chrome, "#code", &format!("{code}{ENTER}")).await;
}

#[tokio::test]
#[ignore = "needs Chromium and chromedriver; cargo xtask test runs it"]
async fn a_payment_code_ends_in_words_that_a_cashier_can_act_on() {
    let demo = Demo::start().await;
    let chrome = at_the_till(&demo.till).await;
    let had = demo.balance("alice").await;

    // Above ¥500 the wallet asks for the password.
    charge(&chrome, &demo, "600", "alice").await;
    chrome
        .find("#answer[data-tone=wait] #cancel:not([hidden])")
        .await;
    chrome.find_text("verdict", "等待顾客输入密码").await;
    chrome.photograph("till-password").await;
    demo.answer_prompt("alice", true).await;
    chrome.find("#answer[data-tone=good]").await;
    assert_eq!(chrome.text("#verdict").await, "已收款 ¥600.00");
    key_in(&chrome, "#next", ENTER).await;

    // The customer says no.
    charge(&chrome, &demo, "700", "alice").await;
    chrome.find_text("verdict", "等待顾客输入密码").await;
    demo.answer_prompt("alice", false).await;
    chrome
        .find("#answer[data-tone=bad] #again:not([hidden])")
        .await;
    assert_eq!(chrome.text("#verdict").await, "未收款 ¥700.00");
    assert_eq!(chrome.text("#line").await, "顾客没有完成付款，没有扣款。");
    chrome.photograph("till-declined").await;
    // A code that was used is refused, and the sale is still open.
    key_in(&chrome, "#again", ENTER).await;
    key_in(&chrome, "#code", &format!("134567890123456789{ENTER}")).await;
    chrome.find_text("line", "付款码已过期或用过").await;
    key_in(&chrome, "body", ESCAPE).await;
    chrome.find("#answer #next:not([hidden])").await;
    assert_eq!(chrome.text("#verdict").await, "已取消，未收款");
    key_in(&chrome, "#next", ENTER).await;

    // The customer leaves the prompt alone: after half a minute it is taken back.
    charge(&chrome, &demo, "800", "alice").await;
    chrome.find_text("verdict", "等待顾客输入密码").await;
    let reversed = "#answer[data-tone=bad] #again:not([hidden])";
    chrome.find_within(Duration::from_secs(90), reversed).await;
    assert_eq!(chrome.text("#verdict").await, "未收款 ¥800.00");
    assert!(chrome.text("#line").await.contains("已经撤销"));
    chrome.photograph("till-reversed").await;

    assert_eq!(had - demo.balance("alice").await, 60_000);
    chrome.close().await;
    assert!(demo.stop().await.success());
}

#[tokio::test]
#[ignore = "needs Chromium and chromedriver; cargo xtask test runs it"]
async fn the_last_sale_goes_back_by_keyboard_once_its_amount_is_typed() {
    let demo = Demo::start().await;
    let chrome = at_the_till(&demo.till).await;
    let had = demo.balance("alice").await;
    key_in(&chrome, "body", F9).await;
    chrome.find_text("book-problem", "还没有可退的收款").await;
    for yuan in ["30", "12.34"] {
        charge(&chrome, &demo, yuan, "alice").await;
        chrome.find("#answer[data-tone=good]").await;
        key_in(&chrome, "#next", ENTER).await;
    }

    // Enter alone, a scanner's digits, and more than there is change nothing.
    key_in(&chrome, "body", F9).await;
    chrome.find("#refund-form:not([hidden])").await;
    assert!(chrome.text("#refund-last").await.ends_with("收款 ¥12.34"));
    chrome.photograph("till-refund").await;
    for typed in ["", "134567890123456789", "12.35"] {
        key_in(&chrome, "#refund-amount", &format!("{typed}{ENTER}")).await;
        chrome.find_text("refund-problem", "¥12.34").await;
        chrome.clear("#refund-amount").await;
    }
    key_in(&chrome, "#refund-amount", &format!("2.34{ENTER}")).await;
    chrome.find("#answer #next:not([hidden])").await;
    let verdict = chrome.text("#verdict").await;
    assert!(verdict.contains("¥2.34"), "{verdict}");
    chrome.photograph("till-refunding").await;
    chrome
        .find_within(Duration::from_secs(90), "#answer[data-tone=good]")
        .await;
    assert_eq!(chrome.text("#verdict").await, "已退款 ¥2.34");
    chrome.find_text("store-refunded", "¥2.34").await;
    assert_eq!(
        chrome.text("#last li:first-child").await.lines().last(),
        Some("已退 ¥2.34")
    );
    chrome.photograph("till-refunded").await;
    assert_eq!(had - demo.balance("alice").await, 4_000);

    // The rest, and then there is nothing more of it: never quietly the sale before.
    key_in(&chrome, "body", F9).await;
    chrome.find("#refund-form:not([hidden])").await;
    key_in(&chrome, "#refund-amount", &format!("10{ENTER}")).await;
    chrome.find("#answer #next:not([hidden])").await;
    key_in(&chrome, "#next", ENTER).await;
    key_in(&chrome, "body", F9).await;
    chrome
        .find_text("book-problem", "已经全部退款或正在退款")
        .await;
    assert_eq!(chrome.text("#today-amount").await, "¥42.34");

    // The other store's till sees nothing of it.
    let other = at_the_till(&demo.other_till).await;
    assert!(other.text("#place").await.contains("断桥店"));
    assert_eq!(other.text("#store-amount").await, "¥0.00");
    assert_eq!(other.text("#last").await, "");
    other.close().await;
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
