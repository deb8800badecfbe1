//! Payment codes at a till: charged, asked about, undone.

use tongbao_simulator::{
    FaultKind, NewFault, Platform, Refusal, Reply, RevokedBy, Settings, TradeState, Wallet,
    WalletPlatform,
};
use tongbao_wire::wechat_v2::Fields;

use crate::common::Merchant;
use crate::stage::{Stage, error, is_signed};

impl Stage {
    fn show(&mut self, wallet: &str) -> String {
        self.platform.auth_code(self.now, wallet).unwrap().digits
    }

    fn charge(&mut self, number: &str, fen: u64, auth_code: &str) -> Fields<'static> {
        self.ask("/pay/micropay", &Merchant::charge(number, fen, auth_code))
    }

    /// With a fresh code of alice's.
    fn scan_alice(&mut self, number: &str, fen: u64) -> Fields<'static> {
        let code = self.show("alice");
        self.charge(number, fen, &code)
    }

    fn reverse(&mut self, number: &str) -> Fields<'static> {
        self.ask("/secapi/pay/reverse", &Merchant::number(number))
    }

    fn says(&mut self, accept: bool) -> Result<bool, Refusal> {
        let reply = if accept {
            Reply::Accept { password: None }
        } else {
            Reply::Decline
        };
        let receipt = self.platform.confirm(self.now, "alice", None, reply)?;
        Ok(receipt.is_some())
    }

    fn mch_balance(&self) -> u64 {
        self.platform.truth().accounts[&self.merchant.mch_id]
            .funds
            .unsettled_fen
    }
}

const ASKED: (&str, &str) = ("USERPAYING", "需要用户输入支付密码");

fn is_error(fields: &Fields<'_>, code: &str) {
    assert_eq!(error(fields).0, code, "{fields:?}");
}

#[test]
fn a_small_amount_is_taken_at_once_and_told_in_the_answer_alone() {
    let mut stage = Stage::new();
    let paid = stage.scan_alice("T00001", 888);

    assert!(is_signed(&stage, &paid));
    assert_eq!(paid.get("trade_type"), Some("MICROPAY"));
    assert_eq!(paid.get("total_fee"), Some("888"));
    assert_eq!(paid.get("openid"), Some("oTongbaoSimulatorAlice000001"));
    assert_eq!(stage.balance("alice"), 1_000_000 - 888);
    assert_eq!(stage.mch_balance(), 888);
    assert_eq!(stage.pass(60).len(), 0, "no notification");
    let found = stage.query("T00001");
    assert_eq!(found.get("trade_state"), Some("SUCCESS"));
    assert_eq!(found.get("transaction_id"), paid.get("transaction_id"));
}

#[test]
fn a_code_is_good_for_one_minute_and_one_use() {
    let mut stage = Stage::new();
    let (first, second) = (stage.show("alice"), stage.show("alice"));
    assert_ne!(first, second);
    stage.charge("T00001", 1, &first);

    is_error(&stage.charge("T00002", 1, &first), "AUTH_CODE_INVALID");
    stage.pass(60);
    is_error(&stage.charge("T00003", 1, &second), "AUTHCODEEXPIRE");
    is_error(
        &stage.charge("T00004", 1, "130000000000000000"),
        "AUTH_CODE_ERROR",
    );
    for number in ["T00002", "T00003", "T00004"] {
        is_error(&stage.query(number), "ORDERNOTEXIST");
    }
}

#[test]
fn what_is_no_code_of_this_wallet_is_refused_by_its_form() {
    let mut stage = Stage::new();
    let bobs = stage.show("bob");
    assert!(bobs.starts_with("28"));
    for code in [&*bobs, "13456789012345678", "165678901234567890"] {
        let refused = stage.charge("T00001", 1, code);
        is_error(&refused, "AUTH_CODE_INVALID");
        assert!(is_signed(&stage, &refused));
    }
}

#[test]
fn a_spent_code_is_spent_even_by_a_failure() {
    let mut stage = Stage::new();
    let poor = Wallet::new("poor", WalletPlatform::Wechat, "oPoor", 99, "123456").unwrap();
    stage.platform.add_wallet(poor).unwrap();
    let code = stage.show("poor");

    is_error(&stage.charge("T00001", 100, &code), "NOTENOUGH");
    assert_eq!(stage.state("T00001"), "PAYERROR");
    is_error(&stage.charge("T00001", 100, &code), "NOTENOUGH");
    is_error(&stage.charge("T00002", 1, &code), "AUTH_CODE_INVALID");
    assert_eq!(stage.balance("poor"), 99);
}

#[test]
fn one_number_is_charged_once_whoever_asks_again() {
    let mut stage = Stage::new();
    let carol = Wallet::new("carol", WalletPlatform::Wechat, "oCarol", 500, "123456").unwrap();
    stage.platform.add_wallet(carol).unwrap();
    let code = stage.show("alice");
    let large = stage.charge("T00001", 50_001, &code);
    assert_eq!(error(&large), (ASKED.0.into(), ASKED.1.into()));

    is_error(&stage.charge("T00001", 50_001, &code), "USERPAYING");
    let carols = stage.show("carol");
    is_error(&stage.charge("T00001", 50_001, &carols), "BUYER_MISMATCH");
    is_error(&stage.charge("T00001", 50_002, &code), "OUT_TRADE_NO_USED");
    assert!(stage.says(true).unwrap());
    is_error(&stage.charge("T00001", 50_001, &code), "ORDERPAID");
    stage.reverse("T00001");
    is_error(&stage.charge("T00001", 50_001, &code), "ORDERREVERSED");
    stage.place("T00002", 1);
    is_error(&stage.charge("T00002", 1, &carols), "OUT_TRADE_NO_USED");
    is_error(&stage.place("T00001", 50_001), "INVALID_REQUEST");
}

#[test]
fn the_phone_asks_above_the_limit_after_five_free_ones_and_at_a_risk() {
    let mut stage = Stage::new();
    stage.scan_alice("LIMIT1", 50_000);
    assert_eq!(stage.state("LIMIT1"), "SUCCESS");
    is_error(&stage.scan_alice("LIMIT2", 50_001), "USERPAYING");

    let mut stage = Stage::new();
    for n in 0..5 {
        stage.scan_alice(&format!("FREE0{n}"), 1);
        assert_eq!(stage.state(&format!("FREE0{n}")), "SUCCESS");
    }
    is_error(&stage.scan_alice("FREE05", 1), "USERPAYING");
    stage.pass(24 * 3600);
    assert_eq!(stage.scan_alice("FREE06", 1).get("err_code"), None);

    stage.fault(NewFault {
        times: Some(1),
        ..NewFault::of(FaultKind::AskPassword)
    });
    is_error(&stage.scan_alice("RISK01", 1), "USERPAYING");
    assert_eq!(stage.scan_alice("RISK02", 1).get("err_code"), None);
}

#[test]
fn the_same_amount_within_a_minute_is_asked_about_where_that_is_the_habit() {
    let mut stage = Stage::new();
    stage.platform.set_settings(Settings {
        confirm_same_amount: true,
        ..Settings::default()
    });
    stage.scan_alice("T00001", 100);
    assert_eq!(stage.scan_alice("T00002", 101).get("err_code"), None);
    is_error(&stage.scan_alice("T00003", 100), "USERPAYING");
    stage.pass(60);
    assert_eq!(stage.scan_alice("T00004", 100).get("err_code"), None);
}

#[test]
fn the_person_pays_declines_or_mistypes() {
    let mut stage = Stage::new();
    stage.scan_alice("T00001", 60_000);
    stage.scan_alice("T00002", 70_000);
    let asked: Vec<_> = stage.platform.prompts("alice");
    assert_eq!(asked.len(), 2);
    assert_eq!((asked[0].amount_fen, asked[1].amount_fen), (60_000, 70_000));

    let wrong = Reply::Accept {
        password: Some("000000"),
    };
    let refused = stage.platform.confirm(stage.now, "alice", None, wrong);
    assert_eq!(refused, Err(Refusal::WrongPassword { tries_left: 4 }));
    assert_eq!(stage.state("T00001"), "USERPAYING");

    assert!(stage.says(true).unwrap());
    assert!(!stage.says(false).unwrap());
    assert_eq!(stage.says(true), Err(Refusal::NoPrompt));
    assert_eq!(stage.state("T00001"), "SUCCESS");
    assert_eq!(stage.state("T00002"), "PAYERROR");
    assert_eq!(stage.balance("alice"), 1_000_000 - 60_000);
}

#[test]
fn a_prompt_that_nobody_answers_is_revoked_after_45_seconds() {
    let mut stage = Stage::new();
    stage.scan_alice("T00001", 60_000);
    stage.pass(44);
    assert_eq!(stage.state("T00001"), "USERPAYING");
    stage.pass(1);
    assert_eq!(stage.state("T00001"), "REVOKED");
    assert_eq!(stage.says(true), Err(Refusal::NoPrompt));

    let trade = stage.platform.truth().trades().next().unwrap();
    assert!(matches!(
        &trade.state,
        TradeState::Revoked {
            by: RevokedBy::Timeout,
            paid: None,
            ..
        }
    ));
    let reversed = stage.reverse("T00001");
    assert_eq!(reversed.get("recall"), Some("N"), "again is no harm");
}

#[test]
fn a_reverse_undoes_whatever_has_become_of_the_payment() {
    let mut stage = Stage::new();
    stage.scan_alice("PAID01", 100);
    stage.scan_alice("DENIED", 60_000);
    stage.says(false).unwrap();
    stage.scan_alice("ASKING", 60_000);
    let early = stage.reverse("ASKING");
    is_error(&early, "USERPAYING");
    assert_eq!(early.get("recall"), Some("Y"));
    stage.pass(15);

    for number in ["PAID01", "DENIED", "ASKING", "PAID01"] {
        let reversed = stage.reverse(number);
        assert!(is_signed(&stage, &reversed));
        assert_eq!(reversed.get("result_code"), Some("SUCCESS"), "{number}");
        assert_eq!(reversed.get("recall"), Some("N"));
        assert_eq!(stage.state(number), "REVOKED");
    }
    assert_eq!(stage.balance("alice"), 1_000_000);
    assert_eq!(stage.mch_balance(), 0);
    assert!(stage.query("PAID01").get("transaction_id").is_some());
    assert_eq!(stage.says(true), Err(Refusal::NoPrompt));
}

#[test]
fn only_a_code_payment_of_the_last_seven_days_is_reversed() {
    let mut stage = Stage::new();
    stage.place("NATIVE", 100);
    is_error(&stage.reverse("NATIVE"), "INVALID_REQUEST");
    is_error(&stage.reverse("NOBODY"), "ORDERNOTEXIST");

    stage.scan_alice("T00001", 100);
    stage.scan_alice("T00002", 100);
    stage.pass(7 * 24 * 3600);
    assert_eq!(stage.reverse("T00001").get("recall"), Some("N"));
    stage.pass(1);
    let late = stage.reverse("T00002");
    is_error(&late, "REVERSE_EXPIRE");
    assert_eq!(late.get("recall"), Some("N"));
}

#[test]
fn a_close_is_not_for_code_payments() {
    let mut stage = Stage::new();
    stage.scan_alice("ASKING", 60_000);
    is_error(&stage.close("ASKING"), "TRADE_STATE_ERROR");
    stage.scan_alice("PAID01", 100);
    is_error(&stage.close("PAID01"), "ORDERPAID");
    stage.reverse("PAID01");
    is_error(&stage.close("PAID01"), "ORDERCLOSED");
}

#[test]
fn a_reverse_may_ask_again_or_lie() {
    let mut stage = Stage::new();
    stage.scan_alice("T00001", 100);
    let once = |kind| NewFault {
        times: Some(1),
        ..NewFault::of(kind)
    };
    stage.fault(once(FaultKind::RecallReverse));
    stage.fault(once(FaultKind::ReverseWithoutEffect));
    assert_eq!(stage.state("T00001"), "SUCCESS", "a query is not meant");

    let again = stage.reverse("T00001");
    is_error(&again, "SYSTEMERROR");
    assert_eq!(again.get("recall"), Some("Y"));
    let lied = stage.reverse("T00001");
    assert_eq!(lied.get("recall"), Some("N"));
    assert_eq!(stage.state("T00001"), "SUCCESS");
    stage.reverse("T00001");
    assert_eq!(stage.state("T00001"), "REVOKED");
}

#[test]
fn a_fault_may_bring_any_error_code_with_the_effect_or_without() {
    for (kind, done) in [
        (FaultKind::SystemError, false),
        (FaultKind::SystemErrorAfterEffect, true),
    ] {
        let mut stage = Stage::new();
        stage.fault(NewFault {
            path: Some("/pay/micropay".into()),
            err_code: Some("BANKERROR".into()),
            ..NewFault::of(kind)
        });
        let code = stage.show("alice");
        is_error(&stage.charge("T00001", 100, &code), "BANKERROR");
        let found = stage.query("T00001");
        assert_eq!(found.get("trade_state"), done.then_some("SUCCESS"));
    }
}

#[test]
fn a_code_payment_goes_on_from_a_snapshot() {
    let mut stage = Stage::new();
    let code = stage.show("alice");
    stage.scan_alice("T00001", 60_000);
    let text = serde_json::to_string(&stage.platform).unwrap();
    let again: Platform = serde_json::from_str(&text).unwrap();
    stage.platform = again;

    assert!(stage.says(true).unwrap());
    assert_eq!(stage.charge("T00002", 1, &code).get("err_code"), None);
    stage.pass(60);
    assert_eq!(stage.reverse("T00001").get("recall"), Some("N"));
    assert_eq!(stage.balance("alice"), 1_000_000 - 1);
}
