//! What arrives at the notification address: believed only with a signature, never above its
//! grade, and never with another amount than the message has.

use std::sync::LazyLock;

use bytes::Bytes;
use tongbao_channels::{Channel, Told};
use tongbao_core::{Grade, Outcome};
use tongbao_simulator::Account;
use tongbao_wire::wechat_v2::{Fields, SignType, req_info, sign};

use crate::account;

pub use crate::messages::WORDS;

/// See the module.
pub fn run(input: &[u8]) {
    static CHANNEL: LazyLock<Box<dyn Channel>> =
        LazyLock::new(|| account::channel(SignType::HmacSha256));
    arrives(&**CHANNEL, Bytes::copy_from_slice(input));
    let Ok(mut fields) = Fields::read(input) else {
        return;
    };
    // Behind the signature there are more readers.
    for sign_type in [SignType::HmacSha256, SignType::Md5] {
        arrives(&**CHANNEL, account::signed(&fields, sign_type));
    }
    let account = Account::ready_made();
    fields.insert("appid", account.app_id);
    fields.insert("mch_id", account.mch_id);
    arrives(&**CHANNEL, account::signed(&fields, SignType::HmacSha256));
}

fn arrives(channel: &dyn Channel, body: Bytes) {
    let request = account::post("/notify", body);
    let Ok(notification) = channel.notification(&request, account::NOON) else {
        return;
    };
    let fields = Fields::read(request.body()).expect("it was believed");
    if let Told::Refund { .. } = notification.told {
        // Encrypted and not signed: it opens, and is a hint.
        assert_eq!(notification.grade, Grade::Weak);
        let req_info = fields.get("req_info").expect("it was opened");
        assert!(req_info::open(req_info, &account::key()).is_ok());
        return;
    }
    let genuine = |sign_type| sign::verify(&fields, &account::key(), sign_type).is_ok();
    let as_ordered = genuine(SignType::HmacSha256);
    assert!(
        as_ordered || genuine(SignType::Md5),
        "believed without a signature"
    );
    let strong_enough = as_ordered && sign::is_unambiguous(&fields);
    let grade = if strong_enough {
        Grade::Shared
    } else {
        Grade::Weak
    };
    assert_eq!(notification.grade, grade);

    let account = Account::ready_made();
    assert_eq!(fields.get("appid"), Some(&*account.app_id));
    assert_eq!(fields.get("mch_id"), Some(&*account.mch_id));
    assert_eq!(fields.get("return_code"), Some("SUCCESS"));
    assert_eq!(fields.get("result_code"), Some("SUCCESS"));
    assert_eq!(fields.get("trade_state"), None, "a query's answer");
    assert_eq!(
        fields.get("out_trade_no"),
        Some(&*notification.out_trade_no)
    );
    let Told::Payment(Outcome::Success { receipt }) = notification.told else {
        panic!("only paid orders are notified so: {notification:?}");
    };
    assert_eq!(
        fields.get("total_fee"),
        Some(&*receipt.amount.minor().to_string())
    );
    assert_eq!(fields.get("transaction_id"), Some(&*receipt.transaction_id));
    let currency = fields.present("fee_type").unwrap_or("CNY");
    assert_eq!(receipt.amount.currency().as_str(), currency);
}
