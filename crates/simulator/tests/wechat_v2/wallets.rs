//! Passwords and money of those who pay.

use std::time::Duration;

use tongbao_simulator::{Refusal, Target, Wallet, WalletPlatform};

use crate::common::{Merchant, code};
use crate::stage::Stage;

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
    let again = crate::common::code(&stage.place("T00002", 1));
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
    let kind = WalletPlatform::Wechat;
    let other = Wallet::new("other", kind, "oSomebodyElse", 5, "123456").unwrap();
    stage.platform.add_wallet(other).unwrap();
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
    assert_eq!(books.kept_fen(), 210 * 7);
    let funds = books.accounts[&stage.merchant.mch_id].funds;
    assert_eq!(funds.unsettled_fen, 210 * 7);
    assert_eq!(books.check(), Ok(()));
}
