//! What goes wrong on purpose.

use tongbao_simulator::{FaultKind, NewFault, NotificationKind, Refusal, WireResponse};
use tongbao_wire::wechat_v2::Fields;

use crate::common::{HEARD, Merchant, code, read};
use crate::stage::{Stage, error, is_signed};

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
