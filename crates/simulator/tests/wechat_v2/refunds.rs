//! Money on its way back: asked for, processed, told.

use tongbao_simulator::{
    FaultKind, NewFault, NotificationKind, Outgoing, RefundDecision, RefundState, Settings, Target,
    WalletStatus,
};
use tongbao_wire::wechat_v2::Fields;
use tongbao_wire::wechat_v2::refund_notification::{Envelope, Refund};
use tongbao_wire::wechat_v2::refunded::{RefundRequestSource, RefundStatus};

use crate::common::{HEARD, Merchant, code, read};
use crate::stage::{Stage, error, is_signed};

const TOLD_AT: &str = "http://shop.test/notify/refund";
const YEAR: u64 = 365 * 24 * 3600;

impl Stage {
    /// An order of ¥10.00 that alice has paid, and been told of.
    fn paid(&mut self, number: &str) {
        let target = code(&self.place(number, 1_000));
        self.pay(&target).unwrap();
        for told in self.pass(0) {
            self.answer(&told, 200, HEARD);
        }
    }

    fn refund(&mut self, number: &str, out_refund_no: &str, fen: u64) -> Fields<'static> {
        self.refund_of(&[
            ("out_trade_no", number),
            ("out_refund_no", out_refund_no),
            ("total_fee", "1000"),
            ("refund_fee", &fen.to_string()),
            ("notify_url", TOLD_AT),
        ])
    }

    fn refund_of(&mut self, fields: &[(&'static str, &str)]) -> Fields<'static> {
        let fields: Fields<'static> = fields
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        self.ask("/secapi/pay/refund", &fields)
    }

    fn ask_refund(&mut self, name: &'static str, number: &str) -> Fields<'static> {
        let fields = Fields::from_iter([(name, number.to_owned())]);
        self.ask("/pay/refundquery", &fields)
    }

    fn status(&mut self, out_refund_no: &str) -> String {
        let found = self.ask_refund("out_refund_no", out_refund_no);
        found.get("refund_status_0").unwrap().to_owned()
    }

    fn open(&self, told: &Outgoing) -> Refund {
        let fields = read(told.request.body());
        let envelope = Envelope::from_fields(&fields).unwrap();
        envelope.open(&self.merchant.key).unwrap()
    }

    fn books_are_right(&self) {
        assert_eq!(self.platform.truth().check(), Ok(()));
    }
}

fn is_error(fields: &Fields<'_>, code: &str) {
    assert_eq!(error(fields).0, code, "{fields:?}");
}

#[test]
fn a_refund_is_taken_processed_and_told() {
    let mut stage = Stage::new();
    stage.paid("T00001");
    let taken = stage.refund("T00001", "R1", 300);

    assert!(is_signed(&stage, &taken));
    assert_eq!(taken.get("refund_fee"), Some("300"));
    let refund_id = taken.get("refund_id").unwrap().to_owned();
    assert_eq!((refund_id.len(), &refund_id[..3]), (29, "503"));
    assert_eq!(stage.status("R1"), "PROCESSING");
    assert_eq!(stage.state("T00001"), "REFUND");
    assert_eq!(stage.balance("alice"), 1_000_000 - 1_000);
    stage.books_are_right();

    assert_eq!(stage.pass(9).len(), 0);
    let told = stage.pass(1);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].request.uri(), TOLD_AT);
    let said = stage.open(&told[0]);
    assert_eq!(said.refund_status, RefundStatus::Success);
    assert_eq!((said.refund_fee, said.total_fee), (300, 1_000));
    assert_eq!((&*said.out_refund_no, said.refund_id), ("R1", refund_id));
    assert_eq!(said.refund_request_source, Some(RefundRequestSource::Api));
    assert!(read(told[0].request.body()).get("sign").is_none());
    assert_eq!(stage.status("R1"), "SUCCESS");
    assert_eq!(stage.balance("alice"), 1_000_000 - 700);
    stage.books_are_right();
}

#[test]
fn one_number_is_one_refund_and_only_of_one_content() {
    let mut stage = Stage::new();
    stage.paid("T00001");
    stage.paid("T00002");
    let first = stage.refund("T00001", "R1", 300);
    let again = stage.refund("T00001", "R1", 300);

    assert_eq!(first.get("refund_id"), again.get("refund_id"));
    is_error(&stage.refund("T00001", "R1", 301), "REFUND_FEE_MISMATCH");
    is_error(&stage.refund("T00002", "R1", 300), "REFUND_FEE_MISMATCH");
    stage.pass(100);
    let later = stage.refund("T00001", "R1", 300);
    assert_eq!(first.get("refund_id"), later.get("refund_id"));
    assert_eq!(stage.platform.truth().refunds().count(), 1);
}

#[test]
fn refunds_never_exceed_what_was_paid() {
    let mut stage = Stage::new();
    stage.paid("T00001");
    is_error(&stage.refund("T00001", "R0", 1_001), "REFUND_FEE_INVALID");
    stage.refund("T00001", "R1", 600);
    is_error(&stage.refund("T00001", "R2", 400), "FREQUENCY_LIMITED");
    stage.pass(60);
    is_error(&stage.refund("T00001", "R2", 401), "REFUND_FEE_INVALID");
    assert_eq!(stage.refund("T00001", "R2", 400).get("err_code"), None);
    stage.pass(60);
    let more = stage.refund("T00001", "R3", 1);
    assert_eq!(error(&more), ("ERROR".into(), "订单已全额退款".into()));
    stage.books_are_right();
    assert_eq!(stage.balance("alice"), 1_000_000);
}

#[test]
fn a_payment_has_fifty_refunds_and_an_answer_ten() {
    let mut stage = Stage::new();
    stage.paid("T00001");
    for n in 0..50 {
        let taken = stage.refund("T00001", &format!("R{n}"), 1);
        assert_eq!(taken.get("err_code"), None, "{n}");
        stage.pass(60);
    }
    is_error(&stage.refund("T00001", "R50", 1), "INVALID_REQUEST");

    let first = stage.ask_refund("out_trade_no", "T00001");
    assert_eq!(first.get("total_refund_count"), Some("50"));
    assert_eq!(first.get("refund_count"), Some("10"));
    assert_eq!(first.get("out_refund_no_9"), Some("R9"));
    let page = |stage: &mut Stage, offset: &'static str| {
        let fields = Fields::from_iter([("out_trade_no", "T00001"), ("offset", offset)]);
        stage.ask("/pay/refundquery", &fields)
    };
    assert_eq!(page(&mut stage, "40").get("out_refund_no_0"), Some("R40"));
    is_error(&page(&mut stage, "50"), "PARAM_ERROR");
}

#[test]
fn refunds_are_found_by_four_numbers() {
    let mut stage = Stage::new();
    stage.paid("T00001");
    is_error(
        &stage.ask_refund("out_trade_no", "T00001"),
        "REFUNDNOTEXIST",
    );
    let taken = stage.refund("T00001", "R1", 300);
    for name in [
        "refund_id",
        "out_refund_no",
        "transaction_id",
        "out_trade_no",
    ] {
        let number = taken.get(name).unwrap().to_owned();
        let found = stage.ask_refund(name, &number);
        assert!(is_signed(&stage, &found));
        assert_eq!(found.get("out_refund_no_0"), Some("R1"), "{name}");
    }
    is_error(&stage.ask_refund("out_refund_no", "R2"), "REFUNDNOTEXIST");
    is_error(
        &stage.ask_refund("out_trade_no", "T00002"),
        "REFUNDNOTEXIST",
    );
}

#[test]
fn only_what_was_paid_within_a_year_goes_back() {
    let mut stage = Stage::new();
    stage.place("UNPAID", 1_000);
    is_error(&stage.refund("UNPAID", "R1", 1), "TRADE_STATE_ERROR");
    is_error(&stage.refund("NOBODY", "R1", 1), "ORDERNOTEXIST");
    stage.paid("T00001");
    let other_total = stage.refund_of(&[
        ("out_trade_no", "T00001"),
        ("out_refund_no", "R1"),
        ("total_fee", "999"),
        ("refund_fee", "1"),
    ]);
    is_error(&other_total, "REFUND_FEE_MISMATCH");
    stage.pass(YEAR);
    assert_eq!(stage.refund("T00001", "R1", 1).get("err_code"), None);
    stage.pass(60);
    is_error(&stage.refund("T00001", "R2", 1), "TRADE_OVERDUE");
}

#[test]
fn the_merchant_must_have_the_money() {
    let mut stage = Stage::new();
    stage.paid("T00001");
    let mch_id = stage.merchant.mch_id.clone();
    assert!(
        stage
            .platform
            .move_funds(&mch_id, |funds| funds.settle(1_000))
    );
    is_error(&stage.refund("T00001", "R1", 300), "NOTENOUGH");
    assert!(!stage.platform.move_funds(&mch_id, |funds| funds.settle(1)));

    assert!(
        stage
            .platform
            .move_funds(&mch_id, |funds| funds.recharge(300))
    );
    is_error(&stage.refund("T00001", "R1", 300), "NOTENOUGH");
    let recharged = stage.refund_of(&[
        ("out_trade_no", "T00001"),
        ("out_refund_no", "R1"),
        ("total_fee", "1000"),
        ("refund_fee", "300"),
        ("refund_account", "REFUND_SOURCE_RECHARGE_FUNDS"),
    ]);
    assert_eq!(
        recharged.get("err_code"),
        None,
        "the same number, once it is there"
    );
    stage.books_are_right();
}

#[test]
fn a_dead_card_makes_a_refund_abnormal_until_a_person_decides() {
    for (decision, word) in [
        (RefundDecision::Success, "SUCCESS"),
        (RefundDecision::Closed, "REFUNDCLOSE"),
    ] {
        let mut stage = Stage::new();
        stage.paid("T00001");
        let dead = WalletStatus::CardClosed;
        stage.platform.set_wallet_status("alice", dead).unwrap();
        let refund_id = stage.refund("T00001", "R1", 300);
        let refund_id = refund_id.get("refund_id").unwrap();
        let told = stage.pass(10);
        assert_eq!(stage.open(&told[0]).refund_status, RefundStatus::Change);
        assert_eq!(stage.status("R1"), "CHANGE");
        stage.books_are_right();

        let decided = stage.platform.decide_refund(stage.now, refund_id, decision);
        assert_eq!(decided, Ok(()));
        assert_eq!(stage.status("R1"), word);
        assert_eq!(stage.pass(0).len(), 1, "told again");
        stage.books_are_right();
        let twice = stage.platform.decide_refund(stage.now, refund_id, decision);
        assert!(twice.is_err());
    }
}

#[test]
fn a_closed_account_takes_nothing_back() {
    let mut stage = Stage::new();
    stage.paid("T00001");
    stage
        .platform
        .set_wallet_status("alice", WalletStatus::Closed)
        .unwrap();

    is_error(&stage.refund("T00001", "R1", 300), "USER_ACCOUNT_ABNORMAL");
    let code: Target = code(&stage.place("T00002", 1));
    assert!(stage.pay(&code).is_err());
    let shown = stage.platform.auth_code(stage.now, "alice").unwrap();
    let charged = stage.ask(
        "/pay/micropay",
        &Merchant::charge("T00003", 1, &shown.digits),
    );
    is_error(&charged, "TRADE_ERROR");
    stage.books_are_right();
}

#[test]
fn a_closed_refund_gives_the_merchant_the_money_for_another_try() {
    let mut stage = Stage::new();
    stage.paid("T00001");
    stage.fault(NewFault {
        times: Some(1),
        ..NewFault::of(FaultKind::CloseRefund)
    });
    stage.refund("T00001", "R1", 1_000);
    stage.pass(10);
    assert_eq!(stage.status("R1"), "REFUNDCLOSE");
    stage.pass(60);

    let same = stage.refund("T00001", "R1", 1_000);
    assert_eq!(same.get("err_code"), None, "the same answer, the same end");
    assert_eq!(stage.status("R1"), "REFUNDCLOSE");
    assert_eq!(stage.refund("T00001", "R2", 1_000).get("err_code"), None);
    stage.pass(10);
    assert_eq!(stage.balance("alice"), 1_000_000);
    stage.books_are_right();
}

#[test]
fn a_refund_without_an_address_is_told_where_the_account_says() {
    let mut stage = Stage::new();
    stage.paid("T00001");
    let fields = [
        ("out_trade_no", "T00001"),
        ("out_refund_no", "R1"),
        ("total_fee", "1000"),
        ("refund_fee", "1"),
    ];
    stage.refund_of(&fields);
    assert_eq!(stage.pass(60).len(), 0, "nowhere");

    let mch_id = stage.merchant.mch_id.clone();
    let url = Some(TOLD_AT.to_owned());
    stage.platform.set_refund_notify_url(&mch_id, url);
    let made = stage
        .platform
        .refund_on_pages(stage.now, &mch_id, "T00001", 2);
    let told = stage.pass(60);
    let said = stage.open(&told[0]);
    assert_eq!(said.out_refund_no, made.unwrap().out_refund_no);
    let vendor = RefundRequestSource::VendorPlatform;
    assert_eq!(said.refund_request_source, Some(vendor));
}

#[test]
fn faults_befall_the_telling_of_refunds_as_that_of_payments() {
    let told_with = |kind| {
        let mut stage = Stage::new();
        stage.paid("T00001");
        stage.fault(NewFault {
            path: Some("/notify/refund".into()),
            times: Some(1),
            ..NewFault::of(kind)
        });
        stage.refund("T00001", "R1", 300);
        let mut told = stage.pass(0);
        told.extend(stage.pass(10));
        (stage, told)
    };
    assert_eq!(told_with(FaultKind::DropNotification).1.len(), 0);
    assert_eq!(told_with(FaultKind::DelayNotification).1.len(), 0);
    assert_eq!(told_with(FaultKind::DuplicateNotification).1.len(), 2);

    let (stage, told) = told_with(FaultKind::ForgedRefundNotification);
    let fields = read(told[0].request.body());
    let envelope = Envelope::from_fields(&fields).unwrap();
    assert!(envelope.open(&stage.merchant.key).is_err());
    assert_eq!(stage.open(&told[1]).refund_fee, 300);

    let (stage, told) = told_with(FaultKind::WrongAmountNotification);
    assert_eq!(stage.open(&told[0]).refund_fee, 1);

    let (stage, told) = told_with(FaultKind::GarbageNotification);
    assert!(Fields::read(told[0].request.body()).is_err());
    assert_eq!(stage.open(&told[1]).refund_fee, 300);
    let kinds: Vec<_> = stage
        .platform
        .notifications()
        .map(|told| told.kind)
        .collect();
    let (genuine, garbage) = (NotificationKind::Genuine, NotificationKind::Garbage);
    assert_eq!(kinds, [genuine, garbage, genuine]);
}

#[test]
fn a_refund_whose_answer_is_lost_is_made_once() {
    let mut stage = Stage::new();
    stage.paid("T00001");
    stage.fault(NewFault {
        path: Some("/secapi/pay/refund".into()),
        times: Some(1),
        err_code: Some("BIZERR_NEED_RETRY".into()),
        ..NewFault::of(FaultKind::SystemErrorAfterEffect)
    });
    is_error(&stage.refund("T00001", "R1", 1_000), "BIZERR_NEED_RETRY");
    assert_eq!(stage.refund("T00001", "R1", 1_000).get("err_code"), None);
    stage.pass(10);
    assert_eq!(stage.balance("alice"), 1_000_000);
}

#[test]
fn where_requests_are_counted_too_many_are_refused() {
    let mut stage = Stage::new();
    stage.platform.set_settings(Settings {
        frequency_limits: true,
        ..Settings::default()
    });
    stage.paid("T00001");
    for n in 0..6 {
        is_error(
            &stage.refund("T00001", &format!("BAD{n}"), 2_000),
            "REFUND_FEE_INVALID",
        );
    }
    is_error(&stage.refund("T00001", "R1", 1), "INVALID_REQ_TOO_MUCH");
    stage.pass(60);
    assert_eq!(stage.refund("T00001", "R1", 1).get("err_code"), None);

    for _ in 0..30 {
        let code = Merchant::charge("T00002", 1, "130000000000000000");
        is_error(&stage.ask("/pay/micropay", &code), "AUTH_CODE_ERROR");
    }
    let code = Merchant::charge("T00002", 1, "130000000000000000");
    let refused = stage.ask("/pay/micropay", &code);
    assert_eq!(refused.get("return_msg"), Some("频率限制"));
    assert!(refused.get("sign").is_none());
}

#[test]
fn a_refund_goes_on_from_a_snapshot() {
    let mut stage = Stage::new();
    stage.paid("T00001");
    stage.refund("T00001", "R1", 300);
    let text = serde_json::to_string(&stage.platform).unwrap();
    stage.platform = serde_json::from_str(&text).unwrap();

    assert_eq!(stage.pass(10).len(), 1);
    let refund = stage.platform.truth().refunds().next().unwrap().1.clone();
    assert!(matches!(refund.state, RefundState::Success { .. }));
    is_error(&stage.refund("T00001", "R1", 301), "REFUND_FEE_MISMATCH");
    stage.books_are_right();
}
