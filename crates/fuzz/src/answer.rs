//! What a platform answers to our calls: money only from a signed answer about this very order,
//! and whatever cannot be read or trusted is "unknown".
//!
//! An input is a line `start 200`, `query 200` or `close 200`, then the body.

use std::sync::LazyLock;

use bytes::Bytes;
use http::Response;
use tongbao_channels::{Answer, Call, Channel, Order};
use tongbao_core::{Failure, Grade, Money, Outcome, Scene, Timestamp};
use tongbao_simulator::Account;
use tongbao_wire::wechat_v2::{Fields, SignType, sign};

use crate::account;

pub use crate::messages::WORDS;

const NUMBER: &str = "01kb2v7q4w8z3n5m6r7t9x1c2d";

/// See the module.
pub fn run(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n');
    let Some((line, body)) = end.map(|end| (&input[..end], &input[end + 1..])) else {
        return;
    };
    let line = String::from_utf8_lossy(line);
    let (word, status) = line.split_once(' ').unwrap_or((&line, "200"));
    let Some(call) = call(word) else { return };
    let status = status.parse().unwrap_or(200);
    comes_back(&call, status, Bytes::copy_from_slice(body));
    if let Ok(mut fields) = Fields::read(body) {
        comes_back(
            &call,
            status,
            account::signed(&fields, SignType::HmacSha256),
        );
        let account = Account::ready_made();
        fields.insert("appid", account.app_id);
        fields.insert("mch_id", account.mch_id);
        comes_back(
            &call,
            status,
            account::signed(&fields, SignType::HmacSha256),
        );
    }
}

fn call(word: &str) -> Option<Call<'static>> {
    let created_at = Timestamp::from_secs(1_795_233_600);
    let order = Order {
        out_trade_no: NUMBER,
        amount: Money::fen(1),
        subject: "茶",
        scene: Scene::Native,
        auth_code: None,
        payer: None,
        client_ip: None,
        created_at,
        expires_at: created_at,
        notify_url: "https://pay.test/notify/chn_1",
        pages: tongbao_channels::Pages {
            site: "https://pay.test",
            back: "https://shop.test",
        },
        asked_at: created_at,
    };
    match word {
        "start" => Some(Call::Start(order)),
        "query" => Some(Call::Query {
            out_trade_no: NUMBER,
        }),
        "close" => Some(Call::Close {
            out_trade_no: NUMBER,
        }),
        _ => None,
    }
}

fn comes_back(call: &Call<'_>, status: u16, body: Bytes) {
    static CHANNEL: LazyLock<Box<dyn Channel>> =
        LazyLock::new(|| account::channel(SignType::HmacSha256));
    let mut response = Response::new(body);
    let Ok(status) = http::StatusCode::from_u16(status) else {
        return;
    };
    *response.status_mut() = status;
    let Answer { grade, outcome } = CHANNEL.decode(call, &response, account::NOON);
    assert_eq!(grade, Grade::Strong);
    texts_are_short(&outcome);

    let fields = Fields::read(response.body()).unwrap_or_default();
    let signed = sign::verify(&fields, &account::key(), SignType::HmacSha256).is_ok();
    let says = |name: &str| fields.present(name).unwrap_or_default();
    let ours = says("mch_id") == Account::ready_made().mch_id && says("sub_mch_id").is_empty();
    let believed = status == 200 && signed && ours && says("return_code") == "SUCCESS";
    let done = believed && says("result_code") == "SUCCESS";
    let query = matches!(call, Call::Query { .. });
    let state = |words: &[&str]| {
        query && done && says("out_trade_no") == NUMBER && words.contains(&says("trade_state"))
    };
    let right = match &outcome {
        Outcome::Success { receipt } => {
            assert_eq!(says("total_fee"), receipt.amount.minor().to_string());
            assert_eq!(says("transaction_id"), receipt.transaction_id);
            state(&["SUCCESS", "REFUND"])
        }
        Outcome::Accepted { .. } => {
            matches!(call, Call::Start(_)) && done && !says("code_url").is_empty()
        }
        Outcome::NotPaid => state(&["NOTPAY"]),
        Outcome::UserPaying => state(&["USERPAYING", "ACCEPT"]),
        Outcome::Revoked => state(&["REVOKED"]),
        Outcome::PayError { .. } => state(&["PAYERROR"]),
        Outcome::Closed => {
            let closed = done || says("err_code") == "ORDERCLOSED";
            state(&["CLOSED"]) || matches!(call, Call::Close { .. }) && believed && closed
        }
        Outcome::NotFound => {
            believed && says("err_code") == "ORDERNOTEXIST" && !matches!(call, Call::Start(_))
        }
        // A refusal by the platform's front comes unsigned, over TLS; an order was not placed.
        Outcome::Refused { .. } => {
            let unsigned = status == 200 && says("return_code") == "FAIL";
            matches!(call, Call::Start(_)) && (believed || unsigned)
        }
        Outcome::Unknown { .. } => true,
    };
    assert!(right, "{call:?} {status}: {outcome:?}");
}

/// They become rows.
fn texts_are_short(outcome: &Outcome) {
    let (Outcome::Unknown { why: text, .. }
    | Outcome::Refused {
        failure: Failure { detail: text, .. },
    }
    | Outcome::PayError {
        failure: Failure { detail: text, .. },
    }) = outcome
    else {
        return;
    };
    assert!(text.len() <= 256, "{} bytes", text.len());
}
