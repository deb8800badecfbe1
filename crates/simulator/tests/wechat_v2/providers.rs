//! A service provider that acts for sub-merchants.

use tongbao_simulator::Account;
use tongbao_wire::wechat_v2::refund_notification::Envelope;
use tongbao_wire::wechat_v2::{ErrorCode, Fields};

use crate::common::{Merchant, code, read};
use crate::stage::{Stage, error, is_signed};

const TEA: [(&str, &str); 1] = [("sub_mch_id", "1900007401")];
const TEA_WITH_APP: [(&str, &str); 2] = [
    ("sub_mch_id", "1900007401"),
    ("sub_appid", "wx7e57000000000102"),
];
const BOOKS: [(&str, &str); 1] = [("sub_mch_id", "1900007402")];

fn stage_of(sub: &[(&'static str, &str)]) -> Stage {
    let mut stage = Stage::new();
    stage.platform.add_account(Account::service_provider());
    stage.merchant = Merchant::provider(sub);
    stage
}

fn money_of(stage: &Stage, sub_mch_id: &str) -> u64 {
    let provider = &stage.platform.truth().accounts[&stage.merchant.mch_id];
    provider
        .sub_merchant(sub_mch_id)
        .unwrap()
        .funds
        .unsettled_fen
}

#[test]
fn the_money_is_the_sub_merchants_and_messages_name_it() {
    let mut stage = stage_of(&TEA_WITH_APP);
    let placed = stage.place("T00001", 1_000);
    assert!(is_signed(&stage, &placed));
    assert_eq!(placed.get("sub_mch_id"), Some("1900007401"));
    assert_eq!(placed.get("sub_appid"), Some("wx7e57000000000102"));
    let target = code(&placed);
    let prompt = stage.platform.scan(stage.now, "alice", &target).unwrap();
    assert_eq!(prompt.payee, "通宝测试茶馆");
    stage.pay(&target).unwrap();

    assert_eq!(money_of(&stage, "1900007401"), 1_000);
    let told = stage.pass(0);
    let notice = read(told[0].request.body());
    assert!(is_signed(&stage, &notice));
    assert_eq!(notice.get("sub_mch_id"), Some("1900007401"));
    let alice = stage.platform.truth().wallets["alice"].clone();
    assert_eq!(
        notice.get("openid"),
        Some(&*alice.openid_in("wx7e57000000000101"))
    );
    assert_eq!(
        notice.get("sub_openid"),
        Some(&*alice.openid_in("wx7e57000000000102"))
    );
    assert_eq!(stage.platform.truth().check(), Ok(()));
}

#[test]
fn a_refund_comes_out_of_the_sub_merchants_money() {
    let mut stage = stage_of(&TEA);
    let target = code(&stage.place("T00001", 1_000));
    stage.pay(&target).unwrap();
    stage.pass(0);
    let fields = Fields::from_iter([
        ("out_trade_no", "T00001"),
        ("out_refund_no", "R1"),
        ("total_fee", "1000"),
        ("refund_fee", "400"),
        ("notify_url", "http://shop.test/refunds"),
    ]);
    assert_eq!(
        stage.ask("/secapi/pay/refund", &fields).get("err_code"),
        None
    );
    assert_eq!(money_of(&stage, "1900007401"), 600);

    let told = stage.pass(10);
    let envelope = Envelope::from_fields(&read(told[0].request.body())).unwrap();
    assert_eq!(envelope.sub_mch_id.as_deref(), Some("1900007401"));
    assert_eq!(envelope.open(&stage.merchant.key).unwrap().refund_fee, 400);
    assert_eq!(stage.platform.truth().check(), Ok(()));
}

#[test]
fn one_sub_merchants_order_is_not_anothers() {
    let mut stage = stage_of(&TEA);
    stage.place("T00001", 1_000);
    stage.merchant = Merchant::provider(&BOOKS);

    for refused in [stage.query("T00001"), stage.close("T00001")] {
        assert_eq!(error(&refused).0, "ORDERNOTEXIST");
    }
    stage.merchant = Merchant::provider(&TEA);
    assert_eq!(stage.state("T00001"), "NOTPAY");
}

#[test]
fn a_provider_names_one_of_its_own() {
    let mut stage = stage_of(&[]);
    let refused = stage.place("T00001", 1);
    assert_eq!(
        refused.get("return_msg"),
        Some("受理机构必须传入sub_mch_id")
    );

    stage.merchant = Merchant::provider(&[("sub_mch_id", "1900007499")]);
    assert_eq!(
        error(&stage.place("T00001", 1)).0,
        ErrorCode::ParamError.as_str()
    );
    let stranger = [
        ("sub_mch_id", "1900007401"),
        ("sub_appid", "wx7e57000000000001"),
    ];
    stage.merchant = Merchant::provider(&stranger);
    let refused = stage.place("T00001", 1);
    assert_eq!(
        refused.get("return_msg"),
        Some("sub_mch_id与sub_appid不匹配")
    );

    stage.merchant = Merchant::ready_made();
    stage.merchant.sub = vec![("sub_mch_id", "1900007401".to_owned())];
    assert_eq!(error(&stage.place("T00001", 1)).0, "NOAUTH");
}

#[test]
fn a_sub_openid_is_of_the_sub_merchants_application() {
    let mut stage = stage_of(&TEA_WITH_APP);
    let alice = stage.platform.truth().wallets["alice"].clone();
    let mut order = |number: &str, openid: String| {
        let mut order = Merchant::order(number, 1);
        order.insert("trade_type", "JSAPI");
        order.insert("sub_openid", openid);
        stage.ask("/pay/unifiedorder", &order)
    };
    let of_provider = order("T00001", alice.openid_in("wx7e57000000000101"));
    let said = of_provider.get("return_msg");
    assert_eq!(said, Some("appid and openid not match"));
    let placed = order("T00001", alice.openid_in("wx7e57000000000102"));
    assert!(placed.get("prepay_id").is_some());
}
