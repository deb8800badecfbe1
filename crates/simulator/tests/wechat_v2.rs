//! WeChat Pay API v2, played on a clock that the test moves.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{HEARD, Merchant, NOON, code, post, read};
use tongbao_simulator::{
    Delivered, EarlyClose, FaultKind, NewFault, NotificationKind, NotificationState,
    NotifySchedule, Outgoing, Platform, Refusal, Settings, Target, UnixMillis, WireResponse,
};
use tongbao_wire::wechat_v2::{Fields, SignType, sign};

/// A platform, a merchant, and a clock.
struct Stage {
    platform: Platform,
    merchant: Merchant,
    now: UnixMillis,
}

impl Stage {
    fn new() -> Self {
        Self {
            platform: Platform::new(7),
            merchant: Merchant::ready_made(),
            now: NOON,
        }
    }

    fn ask(&mut self, path: &str, fields: &Fields<'_>) -> Fields<'static> {
        let request = self.merchant.request(path, fields);
        self.exchange(&request)
    }

    fn exchange(&mut self, request: &http::Request<Bytes>) -> Fields<'static> {
        let response = self.platform.handle(self.now, request);
        read(response.answer().unwrap().body())
    }

    fn place(&mut self, number: &str, fen: u64) -> Fields<'static> {
        self.ask("/pay/unifiedorder", &Merchant::order(number, fen))
    }

    fn query(&mut self, number: &str) -> Fields<'static> {
        self.ask("/pay/orderquery", &Merchant::number(number))
    }

    fn state(&mut self, number: &str) -> String {
        self.query(number).get("trade_state").unwrap().to_owned()
    }

    fn close(&mut self, number: &str) -> Fields<'static> {
        self.ask("/pay/closeorder", &Merchant::number(number))
    }

    fn pass(&mut self, secs: u64) -> Vec<Outgoing> {
        self.now = self.now + Duration::from_secs(secs);
        self.platform.fire(self.now)
    }

    fn pay(&mut self, target: &Target) -> Result<String, Refusal> {
        self.platform
            .pay(self.now, "alice", target, Some("123456"))
            .map(|receipt| receipt.transaction_id)
    }

    fn fault(&mut self, asked: NewFault) {
        self.platform.add_fault(self.now, asked);
    }

    fn answer(&mut self, outgoing: &Outgoing, status: u16, body: &'static [u8]) {
        let body = Bytes::from_static(body);
        self.platform
            .answered(self.now, outgoing.id, Delivered::Http { status, body });
    }

    fn balance(&self, wallet: &str) -> u64 {
        self.platform.truth().wallets[wallet].balance_fen
    }
}

fn is_signed(stage: &Stage, fields: &Fields<'_>) -> bool {
    let merchant = &stage.merchant;
    sign::verify(fields, &merchant.key, merchant.sign_type).is_ok()
}

fn names<'a>(fields: &'a Fields<'_>) -> Vec<&'a str> {
    fields.iter().map(|(name, _)| name).collect()
}

fn error(fields: &Fields<'_>) -> (String, String) {
    let get = |name| fields.get(name).unwrap_or_default().to_owned();
    (get("err_code"), get("err_code_des"))
}

#[test]
fn an_order_is_placed_paid_told_and_found() {
    let mut stage = Stage::new();

    let placed = stage.place("T00001", 888);
    assert!(is_signed(&stage, &placed));
    assert_eq!(
        names(&placed),
        [
            "return_code",
            "return_msg",
            "appid",
            "mch_id",
            "nonce_str",
            "sign",
            "result_code",
            "prepay_id",
            "trade_type",
            "code_url"
        ]
    );
    let code = code(&placed);
    let prompt = stage.platform.scan(stage.now, "alice", &code).unwrap();
    assert_eq!((prompt.amount_fen, prompt.password_required), (888, false));
    assert_eq!(prompt.payee, "通宝测试商户");

    let transaction_id = stage.pay(&code).unwrap();
    assert_eq!(transaction_id.len(), 28);
    assert!(transaction_id.starts_with("42"));
    assert_eq!(stage.balance("alice"), 1_000_000 - 888);

    let told = stage.pass(0);
    let [told] = &told[..] else {
        panic!("one notification")
    };
    assert_eq!(told.request.uri(), common::NOTIFY_URL);
    let notice = read(told.request.body());
    assert!(is_signed(&stage, &notice));
    assert_eq!(notice.get("transaction_id"), Some(&*transaction_id));
    assert!(names(&notice).is_sorted(), "{:?}", names(&notice));

    let found = stage.query("T00001");
    assert_eq!(found.get("trade_state"), Some("SUCCESS"));
    assert_eq!(found.get("transaction_id"), Some(&*transaction_id));
    assert_eq!(found.get("time_end"), Some("20261121120000"));
}

#[test]
fn a_reply_is_signed_with_the_algorithm_of_its_request() {
    let mut stage = Stage::new();
    let placed = stage.place("T00001", 1);
    stage.merchant = Merchant::with_hmac();
    let found = stage.query("T00001");

    assert_eq!(placed.get("sign").unwrap().len(), 32);
    assert_eq!(found.get("sign").unwrap().len(), 64);
    assert!(is_signed(&stage, &found));
}

#[test]
fn a_notification_is_signed_with_the_algorithm_of_its_order() {
    for sign_type in [SignType::Md5, SignType::HmacSha256] {
        for said in [false, true] {
            let mut stage = Stage::new();
            stage.merchant.sign_type = sign_type;
            stage.platform.set_settings(Settings {
                notify_sign_type: said,
                ..Settings::default()
            });
            let code = code(&stage.place("T00001", 1));
            stage.pay(&code).unwrap();
            let notice = read(stage.pass(0)[0].request.body());

            assert!(is_signed(&stage, &notice));
            assert_eq!(
                notice.get("sign_type"),
                said.then_some(sign_type.as_str()),
                "{sign_type}"
            );
        }
    }
}

#[test]
fn each_state_has_the_fields_of_real_replies() {
    let head = "return_code return_msg appid mch_id";
    let cases = [
        (
            "NOTPAY",
            format!(
                "{head} device_info nonce_str sign result_code total_fee out_trade_no \
                 trade_state trade_state_desc"
            ),
        ),
        (
            "CLOSED",
            format!(
                "{head} nonce_str sign result_code out_trade_no attach trade_state \
                 trade_state_desc"
            ),
        ),
        (
            "SUCCESS",
            format!(
                "{head} nonce_str sign result_code openid is_subscribe trade_type bank_type \
                 total_fee fee_type cash_fee cash_fee_type transaction_id out_trade_no attach \
                 time_end trade_state trade_state_desc"
            ),
        ),
    ];
    for (state, expected) in cases {
        let mut stage = Stage::new();
        let code = code(&stage.place("T00001", 888));
        match state {
            "CLOSED" => drop(stage.close("T00001")),
            "SUCCESS" => drop(stage.pay(&code).unwrap()),
            _ => {}
        }
        let found = stage.query("T00001");
        let mut expected: Vec<_> = expected.split_whitespace().collect();
        let mut given = names(&found);
        expected.sort_unstable();
        given.sort_unstable();

        assert_eq!(found.get("trade_state"), Some(state));
        assert_eq!(given, expected, "{state}");
        assert!(is_signed(&stage, &found));
    }
}

#[test]
fn an_order_is_found_by_either_number_of_its_own_merchant() {
    let mut stage = Stage::new();
    let code = code(&stage.place("T00001", 1));
    let transaction_id = stage.pay(&code).unwrap();
    let by_id = |id: String| Fields::from_iter([("transaction_id", id)]);

    let found = stage.ask("/pay/orderquery", &by_id(transaction_id));
    assert_eq!(found.get("out_trade_no"), Some("T00001"));
    let unknown = stage.ask("/pay/orderquery", &by_id("42".repeat(14)));
    assert_eq!(error(&unknown).0, "ORDERNOTEXIST");
    let odd = stage.ask("/pay/orderquery", &by_id("pay_1".into()));
    assert_eq!(error(&odd).0, "INVALID_TRANSACTIONID");
    let unknown = stage.query("T00002");
    assert_eq!(
        error(&unknown),
        ("ORDERNOTEXIST".into(), "order not exist".into())
    );
}

/// The envelope's checks, in the platform's order; none of these replies is signed.
#[test]
fn a_request_that_cannot_be_trusted_is_refused_unsigned() {
    let mut stage = Stage::new();
    let path = "/pay/unifiedorder";
    let good = Merchant::order("T00001", 1);
    let with = |name: &'static str, value: &'static str| {
        let mut fields = Merchant::order("T00001", 1);
        fields.insert(name, value);
        fields
    };
    let signed = |fields: &Fields<'_>| post(path, stage.merchant.sign(fields));
    let replaced = |from: &str, to: &str| post(path, stage.merchant.sign(&good).replace(from, to));
    let cases = [
        (
            http::Request::get(path).body(Bytes::new()).unwrap(),
            "请使用post方法",
        ),
        (post(path, ""), "post数据为空"),
        (post(path, "{}"), "XML格式错误"),
        (post(path, "<xml><a>1</a><a>2</a></xml>"), "XML格式错误"),
        (
            post(path, &b"<xml><a>\xd6\xd0</a></xml>"[..]),
            "编码格式错误",
        ),
        (post(path, "<xml></xml>"), "缺少参数"),
        (replaced("nonce_str", "nonce"), "缺少参数"),
        (signed(&with("body", "")), "缺少参数"),
        (replaced("1900007357", "1900000000"), "mch_id不存在"),
        (replaced("wx7e57", "wx7e58"), "appid不存在"),
        (replaced("豆浆", "豆腐"), "签名错误"),
        (
            signed(&with("sign_type", "HMAC_SHA256")),
            "invalid sign_type",
        ),
        (signed(&with("total_fee", "1.5")), "invalid total_fee"),
        (signed(&with("total_fee", "0")), "invalid total_fee"),
        (
            signed(&with("out_trade_no", "订单00001")),
            "invalid out_trade_no",
        ),
        (signed(&with("out_trade_no", "T1")), "invalid out_trade_no"),
        (
            signed(&with("notify_url", "http://a.test/?b=1")),
            "invalid notify_url",
        ),
        (
            signed(&with("spbill_create_ip", "here")),
            "invalid spbill_create_ip",
        ),
        (
            signed(&with("trade_type", "MICROPAY")),
            "invalid trade_type",
        ),
        (
            signed(&with("trade_type", "JSAPI")),
            "JSAPI支付必须传openid",
        ),
        (signed(&with("product_id", "")), "缺少参数"),
        (signed(&with("fee_type", "USD")), "invalid fee_type"),
        (
            signed(&with("time_expire", "20261121120059")),
            "time_expire时间过短，刷卡至少1分钟，其他5分钟",
        ),
    ];
    for (request, text) in cases {
        let body = request.body().clone();
        let reply = stage.exchange(&request);

        assert_eq!(reply.get("return_msg"), Some(text), "{body:?}");
        assert_eq!(names(&reply), ["return_code", "return_msg"]);
        assert_eq!(reply.get("return_code"), Some("FAIL"));
    }
    assert_eq!(stage.platform.truth().trades().count(), 0);
}

#[test]
fn an_unknown_path_is_the_front_servers_404() {
    let mut platform = Platform::new(7);
    let response = platform.handle(NOON, &post("/pay/nothing", "<xml/>"));

    assert_eq!(response.answer().unwrap().status(), 404);
}

#[test]
fn the_same_order_again_is_the_same_prepay_for_two_hours() {
    let mut stage = Stage::new();
    let first = stage.place("T00001", 1);
    stage.pass(7_199);
    let second = stage.place("T00001", 1);
    stage.pass(1);
    let old = code(&first);
    assert_eq!(stage.pay(&old), Err(Refusal::CodeExpired));
    let third = stage.place("T00001", 1);

    assert_eq!(first.get("prepay_id"), second.get("prepay_id"));
    assert_eq!(first.get("code_url"), second.get("code_url"));
    assert_ne!(first.get("prepay_id"), third.get("prepay_id"));
    assert_eq!(stage.pay(&old), Err(Refusal::CodeExpired));
    assert!(stage.pay(&code(&third)).is_ok());
}

#[test]
fn a_used_number_with_other_content_is_refused() {
    let changes = [
        ("total_fee", "2"),
        ("body", "油条"),
        ("notify_url", "http://shop.test/other"),
        ("attach", "x"),
        ("product_id", "p2"),
    ];
    for (name, value) in changes {
        let mut stage = Stage::new();
        stage.place("T00001", 1);
        let mut other = Merchant::order("T00001", 1);
        other.insert(name, value);
        let reply = stage.ask("/pay/unifiedorder", &other);

        assert_eq!(
            error(&reply),
            ("INVALID_REQUEST".into(), "201 商户订单号重复".into()),
            "{name}"
        );
        assert!(is_signed(&stage, &reply));
    }
}

#[test]
fn what_is_over_cannot_be_ordered_closed_or_paid_again() {
    let mut stage = Stage::new();
    let paid = code(&stage.place("T00001", 1));
    stage.pay(&paid).unwrap();
    let closed = code(&stage.place("T00002", 1));
    let reply = stage.close("T00002");
    assert_eq!(reply.get("result_msg"), Some("OK"));

    assert_eq!(error(&stage.place("T00001", 1)).0, "ORDERPAID");
    assert_eq!(error(&stage.close("T00001")).0, "ORDERPAID");
    assert_eq!(stage.pay(&paid), Err(Refusal::OrderPaid));
    assert_eq!(error(&stage.place("T00002", 1)).0, "ORDERCLOSED");
    assert_eq!(error(&stage.close("T00002")).0, "ORDERCLOSED");
    assert_eq!(stage.pay(&closed), Err(Refusal::OrderClosed));
    assert_eq!(error(&stage.close("T00003")).0, "ORDERNOTEXIST");
}

#[test]
fn a_close_within_five_minutes_has_three_ways_to_end() {
    let cases = [
        (EarlyClose::Accepted, "", "CLOSED"),
        (EarlyClose::Refused, "TRADE_STATE_ERROR", "NOTPAY"),
        (EarlyClose::WithoutEffect, "", "NOTPAY"),
    ];
    for (early_close, err_code, state) in cases {
        let mut stage = Stage::new();
        stage.platform.set_settings(Settings {
            early_close,
            ..Settings::default()
        });
        stage.place("T00001", 1);
        stage.pass(299);
        let reply = stage.close("T00001");
        assert_eq!(error(&reply).0, err_code);
        assert_eq!(stage.state("T00001"), state);

        stage.pass(1);
        stage.close("T00001");
        assert_eq!(stage.state("T00001"), "CLOSED");
    }
}

#[test]
fn an_expired_order_is_unpaid_for_a_while_and_then_closed() {
    let mut stage = Stage::new();
    let mut order = Merchant::order("T00001", 1);
    order.insert("time_expire", "20261121121000");
    let code = code(&stage.ask("/pay/unifiedorder", &order));
    let mut other = Merchant::order("T00002", 1);
    other.insert("time_expire", "20261121121000");
    let seen = common::code(&stage.ask("/pay/unifiedorder", &other));

    stage.pass(599);
    stage.platform.scan(stage.now, "alice", &seen).unwrap();
    stage.pass(1);
    assert_eq!(stage.pay(&code), Err(Refusal::OrderExpired));
    assert_eq!(stage.state("T00001"), "NOTPAY");
    stage.pass(59);
    assert!(stage.pay(&seen).is_ok(), "who saw the prompt may finish");
    stage.pass(241);
    assert_eq!(stage.state("T00001"), "CLOSED");
    assert_eq!(stage.state("T00002"), "SUCCESS");
}

#[test]
fn moved_time_ages_orders_and_leaves_dates_on_the_wall() {
    let mut stage = Stage::new();
    let old = code(&stage.place("T00001", 1));
    stage.platform.advance(Duration::from_hours(2));
    assert_eq!(stage.pay(&old), Err(Refusal::CodeExpired));

    // A client's `time_expire` is by its own clock, which nobody moved.
    let mut order = Merchant::order("T00002", 1);
    order.insert("time_expire", "20261121121000");
    let fresh = code(&stage.ask("/pay/unifiedorder", &order));
    stage.pay(&fresh).unwrap();
    assert_eq!(
        stage.query("T00002").get("time_end"),
        Some("20261121120000")
    );
}

#[test]
fn a_password_is_asked_above_the_limit_and_after_five_free_payments() {
    let mut stage = Stage::new();
    let mut codes = (1..=8).map(|n| format!("T0000{n}")).map(|number| {
        let fen = if number == "T00001" { 50_001 } else { 100 };
        (number, fen)
    });
    let mut next = |stage: &mut Stage| {
        let (number, fen) = codes.next().unwrap();
        code(&stage.place(&number, fen))
    };
    let free = |stage: &mut Stage, code: &Target| {
        stage
            .platform
            .pay(stage.now, "alice", code, None)
            .map(|receipt| receipt.amount_fen)
    };

    let large = next(&mut stage);
    assert_eq!(free(&mut stage, &large), Err(Refusal::PasswordRequired));
    for _ in 0..5 {
        let code = next(&mut stage);
        assert_eq!(free(&mut stage, &code), Ok(100));
    }
    let sixth = next(&mut stage);
    assert_eq!(free(&mut stage, &sixth), Err(Refusal::PasswordRequired));
    stage.platform.advance(Duration::from_hours(24));
    let tomorrow = next(&mut stage);
    assert_eq!(free(&mut stage, &tomorrow), Ok(100));
}

#[test]
fn five_wrong_passwords_lock_the_wallet() {
    let mut stage = Stage::new();
    let code = code(&stage.place("T00001", 1));
    let wrong = |stage: &mut Stage| {
        stage
            .platform
            .pay(stage.now, "alice", &code, Some("000000"))
            .unwrap_err()
    };

    for tries_left in (0..5).rev() {
        assert_eq!(wrong(&mut stage), Refusal::WrongPassword { tries_left });
    }
    assert!(matches!(
        stage.pay(&code),
        Err(Refusal::WalletLocked { .. })
    ));
    stage.platform.advance(Duration::from_hours(3));
    let again = common::code(&stage.place("T00002", 1));
    assert!(stage.pay(&again).is_ok());
}

#[test]
fn a_wallet_pays_what_it_has_and_what_is_meant_for_it() {
    let mut stage = Stage::new();
    let dear = code(&stage.place("T00001", 1_000_001));
    assert_eq!(
        stage.pay(&dear),
        Err(Refusal::NotEnough {
            balance_fen: 1_000_000,
            amount_fen: 1_000_001
        })
    );
    let now = stage.now;
    let cases = [
        ("bob", &dear, Refusal::OtherPlatform),
        ("carol", &dear, Refusal::UnknownWallet("carol".into())),
    ];
    for (wallet, target, refusal) in cases {
        assert_eq!(stage.platform.scan(now, wallet, target), Err(refusal));
    }
    let unknown = Target::CodeUrl("weixin://wxpay/bizpayurl?pr=000000000".into());
    assert_eq!(stage.pay(&unknown), Err(Refusal::UnknownCode));

    let mut page = Merchant::order("T00002", 5);
    page.insert("trade_type", "JSAPI");
    page.insert("openid", "oSomebodyElse");
    let placed = stage.ask("/pay/unifiedorder", &page);
    let prepay = Target::PrepayId(placed.get("prepay_id").unwrap().to_owned());
    assert_eq!(stage.pay(&prepay), Err(Refusal::OtherPayer));
}

#[test]
fn payments_move_money_and_make_none() {
    let mut stage = Stage::new();
    let before = stage.platform.truth().total_fen();
    for n in 1..=20 {
        let code = code(&stage.place(&format!("T{n:05}"), n * 7));
        stage.pay(&code).unwrap();
        assert_eq!(stage.pay(&code), Err(Refusal::OrderPaid));
    }

    let books = stage.platform.truth();
    assert_eq!(books.total_fen(), before);
    assert_eq!(books.paid_fen(), 210 * 7);
    assert_eq!(books.accounts[&stage.merchant.mch_id].balance_fen, 210 * 7);
}

/// How long after the payment each try leaves when the merchant never answers properly.
fn tries(schedule: NotifySchedule) -> Vec<u64> {
    let mut stage = Stage::new();
    stage.platform.set_settings(Settings {
        notify_schedule: schedule,
        ..Settings::default()
    });
    let code = code(&stage.place("T00001", 1));
    stage.pay(&code).unwrap();
    let mut sent = Vec::new();
    while let Some(due) = stage.platform.next_due() {
        stage.now = due;
        for outgoing in stage.platform.fire(due) {
            sent.push(due.since(NOON).as_secs());
            stage.answer(&outgoing, 200, b"success");
        }
    }
    sent
}

#[test]
fn a_notification_is_repeated_on_either_published_schedule() {
    assert_eq!(
        tries(NotifySchedule::Older),
        [0, 15, 30, 60, 240, 2040, 3840, 5640, 7440, 11040]
    );
    let current = tries(NotifySchedule::Current);
    assert_eq!(current[..5], [0, 15, 30, 60, 240]);
    assert_eq!(current.len(), 16);
    assert_eq!(current.last(), Some(&(24 * 3600 + 4 * 60)));
}

#[test]
fn only_http_200_with_the_platforms_own_word_counts_as_heard() {
    let cases: [(u16, &[u8], bool); 8] = [
        (200, HEARD, true),
        (
            200,
            b"<xml>\n<return_code>SUCCESS</return_code>\n</xml>",
            true,
        ),
        (200, b"success", false),
        (200, b"{\"code\":\"SUCCESS\"}", false),
        (200, b"<xml><return_code>FAIL</return_code></xml>", false),
        (201, HEARD, false),
        (302, HEARD, false),
        (500, HEARD, false),
    ];
    for (status, body, heard) in cases {
        let mut stage = Stage::new();
        let code = code(&stage.place("T00001", 1));
        stage.pay(&code).unwrap();
        let sent = stage.pass(0);
        stage.answer(&sent[0], status, body);
        let notification = stage.platform.notifications().next().unwrap();

        assert_eq!(
            notification.state == NotificationState::Accepted,
            heard,
            "{status} {}",
            String::from_utf8_lossy(body)
        );
    }
}

#[test]
fn an_answer_after_five_seconds_is_no_answer() {
    let mut stage = Stage::new();
    let code = code(&stage.place("T00001", 1));
    stage.pay(&code).unwrap();
    let sent = stage.pass(0);
    assert!(stage.pass(5).is_empty());
    stage.answer(&sent[0], 200, HEARD);

    let again = stage.pass(10);
    assert_eq!(again.len(), 1, "15 seconds after the first");
    stage.answer(&again[0], 200, HEARD);
    assert!(stage.pass(100_000).is_empty());
}

#[test]
fn the_same_seed_and_the_same_calls_give_the_same_bytes() {
    let run = || {
        let mut stage = Stage::new();
        let code = code(&stage.place("T00001", 1));
        stage.pay(&code).unwrap();
        stage.pass(0)[0].request.body().clone()
    };
    assert_eq!(run(), run());
}

#[test]
fn a_snapshot_goes_on_where_it_was_taken() {
    let mut stage = Stage::new();
    let code = code(&stage.place("T00001", 1));
    let open = common::code(&stage.place("T00002", 1));
    stage.pay(&code).unwrap();
    let sent = stage.pass(0);
    stage.answer(&sent[0], 500, b"");
    let snapshot = serde_json::to_string(&stage.platform).unwrap();
    stage.platform = serde_json::from_str(&snapshot).unwrap();

    assert_eq!(stage.state("T00001"), "SUCCESS");
    assert!(stage.pay(&open).is_ok());
    assert_eq!(stage.pass(15).len(), 2, "the repetition and the new one");
}

// Faults.

fn path_fault(kind: FaultKind) -> NewFault {
    NewFault {
        path: Some("/pay/unifiedorder".into()),
        times: Some(1),
        ..NewFault::of(kind)
    }
}

#[test]
fn a_fault_says_whether_the_order_was_placed() {
    let cases = [
        (FaultKind::NoAnswer, true),
        (FaultKind::RefuseConnection, false),
        (FaultKind::Http500, false),
        (FaultKind::SystemError, false),
        (FaultKind::SystemErrorAfterEffect, true),
        (FaultKind::FrequencyLimited, false),
        (FaultKind::Slow, true),
        (FaultKind::GarbageAnswer, true),
        (FaultKind::BadSignatureAnswer, true),
    ];
    for (kind, placed) in cases {
        let mut stage = Stage::new();
        stage.fault(path_fault(kind));
        let request = stage
            .merchant
            .request("/pay/unifiedorder", &Merchant::order("T00001", 1));
        let response = stage.platform.handle(stage.now, &request);

        let exists = stage.platform.truth().trades().count() == 1;
        assert_eq!(exists, placed, "{kind:?}");
        assert!(
            seems_like(kind, &stage, &response),
            "{kind:?}: {response:?}"
        );
        let retried = stage.place("T00001", 1);
        assert_eq!(retried.get("result_code"), Some("SUCCESS"), "{kind:?}");
    }
}

fn seems_like(kind: FaultKind, stage: &Stage, response: &WireResponse) -> bool {
    let fields = || read(response.answer().unwrap().body());
    match (kind, response) {
        (FaultKind::NoAnswer, WireResponse::Dropped { .. })
        | (FaultKind::RefuseConnection, WireResponse::Refused) => true,
        (FaultKind::Http500, WireResponse::Answer { response, .. }) => response.status() == 500,
        (FaultKind::SystemError | FaultKind::SystemErrorAfterEffect, _) => {
            error(&fields()).0 == "SYSTEMERROR" && is_signed(stage, &fields())
        }
        (FaultKind::FrequencyLimited, _) => fields().get("return_msg") == Some("频率限制"),
        (FaultKind::Slow, WireResponse::Answer { delay, .. }) => delay.as_secs() == 10,
        (FaultKind::GarbageAnswer, WireResponse::Answer { response, .. }) => {
            response.status() == 200 && Fields::read(response.body()).is_err()
        }
        (FaultKind::BadSignatureAnswer, _) => {
            fields().get("result_code") == Some("SUCCESS") && !is_signed(stage, &fields())
        }
        _ => false,
    }
}

#[test]
fn lost_notifications_go_on_by_the_schedule() {
    let mut stage = Stage::new();
    stage.fault(NewFault {
        times: Some(2),
        ..NewFault::of(FaultKind::DropNotification)
    });
    let code = code(&stage.place("T00001", 1));
    stage.pay(&code).unwrap();

    assert!(stage.pass(0).is_empty());
    assert!(stage.pass(15).is_empty());
    assert_eq!(stage.pass(15).len(), 1);
}

#[test]
fn a_duplicate_arrives_twice_at_once_and_is_heard_once() {
    let mut stage = Stage::new();
    stage.fault(NewFault::of(FaultKind::DuplicateNotification));
    let code = code(&stage.place("T00001", 1));
    stage.pay(&code).unwrap();
    let sent = stage.pass(0);

    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].request.body(), sent[1].request.body());
    stage.answer(&sent[0], 500, b"");
    stage.answer(&sent[1], 200, HEARD);
    assert!(stage.pass(15).is_empty());
}

#[test]
fn a_delayed_notification_leaves_late() {
    let mut stage = Stage::new();
    stage.fault(NewFault {
        seconds: Some(90),
        ..NewFault::of(FaultKind::DelayNotification)
    });
    let code = code(&stage.place("T00001", 1));
    stage.pay(&code).unwrap();

    assert!(stage.pass(0).is_empty());
    assert!(stage.pass(89).is_empty());
    assert_eq!(stage.pass(1).len(), 1);
}

#[test]
fn reordered_notifications_swap_places() {
    let mut stage = Stage::new();
    stage.fault(NewFault {
        times: Some(1),
        ..NewFault::of(FaultKind::ReorderNotification)
    });
    for number in ["T00001", "T00002"] {
        let code = code(&stage.place(number, 1));
        stage.pay(&code).unwrap();
    }
    let sent = stage.pass(0);
    let order: Vec<_> = sent
        .iter()
        .map(|sent| {
            read(sent.request.body())
                .get("out_trade_no")
                .map(str::to_owned)
        })
        .collect();

    assert_eq!(order, [Some("T00002".into()), Some("T00001".into())]);
    for outgoing in &sent {
        stage.answer(outgoing, 200, HEARD);
    }
    let left = stage.pass(60);
    assert!(left.is_empty(), "nothing is told twice: {left:?}");
}

#[test]
fn a_forgery_claims_an_unpaid_order_and_is_tried_once() {
    let mut stage = Stage::new();
    stage.place("T00001", 1);
    stage.fault(NewFault {
        out_trade_no: Some("T00001".into()),
        times: Some(1),
        ..NewFault::of(FaultKind::ForgedNotification)
    });
    let sent = stage.pass(0);
    let forged = read(sent[0].request.body());

    assert_eq!(forged.get("result_code"), Some("SUCCESS"));
    assert_eq!(forged.get("total_fee"), Some("1"));
    assert!(!is_signed(&stage, &forged));
    assert_eq!(stage.state("T00001"), "NOTPAY");
    stage.answer(&sent[0], 200, b"<xml/>");
    assert!(stage.pass(100_000).is_empty());
}

#[test]
fn a_forgery_awaits_the_next_order() {
    let mut stage = Stage::new();
    stage.fault(NewFault {
        times: Some(1),
        ..NewFault::of(FaultKind::ForgedNotification)
    });
    assert!(stage.pass(0).is_empty());
    stage.place("T00001", 1);
    stage.place("T00002", 1);

    assert_eq!(stage.pass(0).len(), 1);
    let notification = stage.platform.notifications().next().unwrap();
    assert_eq!(notification.kind, NotificationKind::Forged);
}

#[test]
fn a_wrong_amount_is_signed_and_the_books_are_right() {
    let mut stage = Stage::new();
    stage.fault(NewFault::of(FaultKind::WrongAmountNotification));
    let code = code(&stage.place("T00001", 888));
    stage.pay(&code).unwrap();
    let notice = read(stage.pass(0)[0].request.body());

    assert!(is_signed(&stage, &notice));
    assert_eq!(notice.get("total_fee"), Some("1"));
    assert_eq!(stage.query("T00001").get("total_fee"), Some("888"));
    assert_eq!(stage.balance("alice"), 1_000_000 - 888);
}

#[test]
fn the_risk_control_may_ask_for_the_password_at_any_time() {
    let mut stage = Stage::new();
    stage.fault(NewFault {
        times: Some(1),
        ..NewFault::of(FaultKind::AskPassword)
    });
    let code = code(&stage.place("T00001", 1));
    let free = |stage: &mut Stage| stage.platform.pay(stage.now, "alice", &code, None);

    assert_eq!(free(&mut stage), Err(Refusal::PasswordRequired));
    assert_eq!(free(&mut stage), Err(Refusal::PasswordRequired));
    assert!(stage.pay(&code).is_ok());
}

#[test]
fn a_refusal_leaves_a_hint_for_the_developer_and_no_key() {
    let mut stage = Stage::new();
    let body = stage
        .merchant
        .sign(&Merchant::order("T00001", 1))
        .replace("豆浆", "豆腐");
    stage.exchange(&post("/pay/unifiedorder", body));
    let entry = stage.platform.journal().next().unwrap();

    assert_eq!(entry.outcome, "签名错误");
    let hint = entry.hint.as_deref().unwrap();
    assert!(hint.contains("body=豆腐&mch_id=1900007357"), "{hint}");
    assert!(!hint.contains("TongbaoSimulatorTestKey"));
}
