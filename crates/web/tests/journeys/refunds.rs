//! Money that goes back: asked for, lost, doubled, forged; and at the end the
//! platform's own books say the same as ours.

use std::time::Duration;

use bytes::Bytes;
use futures::future::{join, join_all};
use http::Request;
use serde_json::{Value, json};
use tongbao_simulator::{CLIENT_CERTIFICATE, FaultKind, NewFault};

use crate::support::{Answer, World};

/// With a certificate, as the platform wants it for refunds.
pub(crate) async fn open() -> World {
    let world = World::open().await;
    let settings = json!({"settings": {
        "client_certificate": CLIENT_CERTIFICATE[0],
        "client_key": CLIENT_CERTIFICATE[1],
    }});
    let path = format!("/v1/channels/{}", world.channel().await);
    let settings = settings.to_string();
    let patched = world.send_json(http::Method::PATCH, &path, &[], &settings);
    assert_eq!(patched.await.status, 200);
    world
}

/// Paid by Alice, ¥12.34.
async fn bought(world: &World, number: &str) -> Value {
    let payment = world.order(number).await;
    world.pay(&payment, "alice");
    world.settle().await;
    world.payment(&payment).await
}

async fn order_of(world: &World, number: String) -> Value {
    world.order(&number).await
}

fn path(payment: &Value) -> String {
    format!("/v1/payments/{}/refunds", payment["id"].as_str().unwrap())
}

fn wanted(number: &str, amount: i64) -> Value {
    json!({"merchant_refund_no": number, "amount": amount, "reason": "少了一杯"})
}

async fn refund(world: &World, payment: &Value, number: &str, amount: i64) -> Answer {
    world.post(&path(payment), &wanted(number, amount)).await
}

async fn read(world: &World, refund: &Value) -> Value {
    let path = format!("/v1/refunds/{}", refund["id"].as_str().unwrap());
    world.get(&path).await.json()
}

fn once(world: &World, kind: FaultKind) {
    world.fault(NewFault {
        times: Some(1),
        ..NewFault::of(kind)
    });
}

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn a_part_goes_back_and_the_shop_is_told() {
    let world = open().await;
    let payment = bought(&world, "T1").await;

    let answer = refund(&world, &payment, "R1", 500).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let asked = answer.json();
    // Taken is not done.
    assert_eq!(
        (&asked["state"], &asked["amount"]),
        (&json!("processing"), &json!(500))
    );
    assert_eq!(world.payment(&payment).await["amount_refunded"], 0);

    world.pass(HOUR).await;
    let done = read(&world, &asked).await;
    assert_eq!(done["state"], "succeeded");
    let payment = world.payment(&payment).await;
    assert_eq!(payment["amount_refunded"], 500);
    assert_eq!(payment["refunds"], json!([done]));
    assert_eq!(payment["state"], "paid");
    assert_eq!(
        world.shop.told_kinds(),
        ["payment.paid", "refund.succeeded"]
    );
    assert_eq!(world.shop.told()[1].body["data"], done);
}

fn queries(world: &World) -> usize {
    let platform = world.platform();
    let journal = platform.journal();
    journal
        .filter(|entry| entry.path == "/pay/refundquery")
        .count()
}

#[tokio::test]
async fn whoever_wants_to_know_now_has_the_channel_asked() {
    let world = open().await;
    let payment = bought(&world, "T1").await;
    let refunds = async |number| refund(&world, &payment, number, 500).await.json();
    let (first, second) = (refunds("R1").await, refunds("R2").await);
    let path = |refund: &Value| format!("/v1/refunds/{}", refund["id"].as_str().unwrap());
    let now = |refund: &Value| format!("{}?refresh=true", path(refund));
    assert_eq!(first["state"], "processing");
    // Silence changes nothing.
    once(&world, FaultKind::NoAnswer);
    assert_eq!(world.get(&now(&first)).await.json(), first);

    // The payer has the money, and no query of ours is due yet.
    world
        .clock
        .set(world.clock.time() + Duration::from_secs(30));
    let unasked = world.get(&path(&first)).await.json();
    assert_eq!(unasked["state"], "processing");
    drop(world.fired());
    let fresh = world.get(&now(&first)).await.json();
    assert_eq!(fresh["state"], "succeeded");
    assert_eq!(world.get(&path(&first)).await.json(), fresh);

    // What waits for its minute was never sent, and what has ended is known.
    let before = queries(&world);
    for refund in [&first, &second] {
        assert_eq!(world.get(&now(refund)).await.status, 200);
    }
    assert_eq!(queries(&world), before);
    let waits = world.get(&now(&second)).await.json();
    assert_eq!(waits["state"], "unknown");

    let odd = world
        .get(&format!("{}?refresh=perhaps", path(&second)))
        .await;
    assert_eq!(odd.status, 422);

    world.pass(HOUR).await;
    assert_eq!(world.shop.told_kinds().len(), 3);
}

#[tokio::test]
async fn several_refunds_wait_for_each_other_and_all_arrive() {
    let world = open().await;
    let payment = bought(&world, "T1").await;
    for number in ["R1", "R2", "R3"] {
        let answer = refund(&world, &payment, number, 400).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    let above = refund(&world, &payment, "R4", 35).await;
    assert_eq!(above.problem(), (409, "refund_above_rest".to_owned(), None));

    world.pass(HOUR).await;
    assert_eq!(world.payment(&payment).await["amount_refunded"], 1200);
}

#[tokio::test]
async fn the_same_number_is_the_same_refund_and_other_content_is_refused() {
    let world = open().await;
    let payment = bought(&world, "T1").await;
    let other = bought(&world, "T2").await;
    let first = refund(&world, &payment, "R1", 500).await;
    let again = refund(&world, &payment, "R1", 500).await;
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.json()["id"], again.json()["id"]);

    let conflict = |field: &str| (409, "refund_no_conflict".to_owned(), Some(field.to_owned()));
    let differs = refund(&world, &payment, "R1", 501).await;
    assert_eq!(differs.problem(), conflict("amount"));
    let mut body = wanted("R1", 500);
    body["reason"] = json!("少了两杯");
    let differs = world.post(&path(&payment), &body).await;
    assert_eq!(differs.problem(), conflict("reason"));
    let differs = refund(&world, &other, "R1", 500).await;
    assert_eq!(differs.problem(), conflict("payment"));

    world.pass(HOUR).await;
    assert_eq!(world.platform().truth().refunds().count(), 1);
}

#[tokio::test]
async fn what_cannot_go_back_is_refused_and_says_why() {
    let world = open().await;
    let unpaid = world.order("T1").await;
    let answer = refund(&world, &unpaid, "R1", 500).await;
    assert_eq!(answer.problem(), (409, "payment_not_paid".to_owned(), None));

    let payment = bought(&world, "T2").await;
    let answer = refund(&world, &payment, "R1", 1235).await;
    assert_eq!(
        answer.problem(),
        (409, "refund_above_rest".to_owned(), None)
    );
    assert!(answer.json()["detail"].as_str().unwrap().contains("12.34"));
    for (amount, number, reason, field) in [
        (0, "R1", "x", "amount"),
        (-1, "R1", "x", "amount"),
        (1, "", "x", "merchant_refund_no"),
        (1, "退1", "x", "merchant_refund_no"),
        (1, "R1", "a&b", "reason"),
    ] {
        let mut body = wanted(number, amount);
        body["reason"] = json!(reason);
        let answer = world.post(&path(&payment), &body).await;
        let invalid = (422, "invalid_field".to_owned(), Some(field.to_owned()));
        assert_eq!(answer.problem(), invalid);
    }
    let nowhere = world
        .get("/v1/refunds/rfd_00000000000000000000000001")
        .await;
    assert_eq!(nowhere.status, 404);
    assert_eq!(world.platform().truth().refunds().count(), 0);
}

#[tokio::test]
async fn without_a_certificate_nothing_is_begun() {
    let world = World::open().await;
    let payment = bought(&world, "T1").await;
    let answer = refund(&world, &payment, "R1", 500).await;
    let missing = (409, "client_certificate_missing".to_owned(), None);
    assert_eq!(answer.problem(), missing);
    assert_eq!(world.payment(&payment).await["refunds"], json!([]));
}

#[tokio::test]
async fn a_lost_answer_is_a_question_and_the_number_stays() {
    let world = open().await;
    let payment = bought(&world, "T1").await;
    world.fault(NewFault {
        path: Some("/secapi/pay/refund".to_owned()),
        times: Some(1),
        ..NewFault::of(FaultKind::NoAnswer)
    });
    let asked = refund(&world, &payment, "R1", 1234).await.json();
    assert_eq!(asked["state"], "unknown");
    // It counts as gone as long as nobody knows.
    let second = refund(&world, &payment, "R2", 1).await;
    assert_eq!(
        second.problem(),
        (409, "refund_above_rest".to_owned(), None)
    );

    let world = world.restarted().await;
    world.pass(HOUR).await;
    assert_eq!(read(&world, &asked).await["state"], "succeeded");
    assert_eq!(world.platform().truth().refunds().count(), 1);
}

#[tokio::test]
async fn one_that_never_arrived_is_sent_again_under_its_number() {
    let world = open().await;
    let payment = bought(&world, "T1").await;
    world.fault(NewFault {
        path: Some("/secapi/pay/refund".to_owned()),
        times: Some(1),
        ..NewFault::of(FaultKind::RefuseConnection)
    });
    let asked = refund(&world, &payment, "R1", 1234).await.json();
    assert_eq!(asked["state"], "unknown");
    world.pass(HOUR).await;
    assert_eq!(read(&world, &asked).await["state"], "succeeded");
}

#[tokio::test]
async fn a_payer_who_cannot_take_it_is_a_case_and_it_goes_on_when_a_person_has_acted() {
    let world = open().await;
    let payment = bought(&world, "T1").await;
    once(&world, FaultKind::AbnormalRefund);
    let asked = refund(&world, &payment, "R1", 500).await.json();
    world.pass(HOUR).await;
    let stands = read(&world, &asked).await;
    assert_eq!(stands["state"], "abnormal");
    assert_eq!(world.shop.told_kinds(), ["payment.paid", "case.opened"]);
    let cases = world.get("/v1/cases").await.json();
    let case = &cases["data"][0];
    assert_eq!(case["kind"], "refund_abnormal");
    assert_eq!(case["transaction_id"], stands["refund_id"]);
    assert_eq!(case["amount"], 500);
    // The money is spoken for.
    let above = refund(&world, &payment, "R2", 1234).await;
    assert_eq!(above.problem(), (409, "refund_above_rest".to_owned(), None));

    let now = world.platform_now();
    let number = stands["refund_id"].as_str().unwrap();
    let decision = tongbao_simulator::RefundDecision::Success;
    world
        .platform()
        .decide_refund(now, number, decision)
        .unwrap();
    world.pass(HOUR).await;
    assert_eq!(read(&world, &asked).await["state"], "succeeded");
}

#[tokio::test]
async fn one_that_the_platform_gives_up_leaves_the_money_for_another() {
    let world = open().await;
    let payment = bought(&world, "T1").await;
    once(&world, FaultKind::CloseRefund);
    let asked = refund(&world, &payment, "R1", 1234).await.json();
    world.pass(HOUR).await;
    assert_eq!(read(&world, &asked).await["state"], "closed");
    assert_eq!(world.shop.told_kinds(), ["payment.paid", "refund.failed"]);

    let second = refund(&world, &payment, "R2", 1234).await;
    assert_eq!(second.status, 201, "{second:?}");
    world.pass(HOUR).await;
    assert_eq!(read(&world, &second.json()).await["state"], "succeeded");
}

#[tokio::test]
async fn a_forged_message_changes_nothing_and_its_sender_learns_nothing() {
    let world = open().await;
    let payment = bought(&world, "T1").await;
    refund(&world, &payment, "R1", 500).await;
    let channel = world.channel().await;
    let before = world.payment(&payment).await;
    let mut answers = Vec::new();
    for req_info in ["", "AAAA", "AAAAAAAAAAAAAAAAAAAAAA==", "no base64"] {
        let body = format!(
            "<xml><return_code>SUCCESS</return_code><appid>wx7e57000000000001</appid>\
             <mch_id>1900007357</mch_id><nonce_str>n</nonce_str><req_info>{req_info}</req_info></xml>"
        );
        let request = Request::post(format!("https://pay.test/notify/{channel}"));
        let request = request.body(Bytes::from(body)).unwrap();
        answers.push(world.notify(&request).await.text);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(answers[0].contains("FAIL"), "{answers:?}");
    assert_eq!(world.payment(&payment).await, before);
    world.pass(HOUR).await;
}

#[tokio::test]
async fn of_two_refunds_of_the_whole_at_the_same_instant_one_is_made() {
    let world = open().await;
    let (batches, size) = (20, 50);
    for batch in 0..batches {
        let numbers = (0..size).map(|place| format!("{batch}-{place}"));
        let orders = numbers.map(|number| order_of(&world, number));
        let payments = join_all(orders).await;
        for payment in &payments {
            world.pay(payment, "alice");
        }
        world.settle().await;
        let twice = payments.iter().map(|payment| {
            let number = payment["merchant_order_no"].as_str().unwrap();
            let (first, second) = (format!("{number}-A"), format!("{number}-B"));
            async {
                let (first, second) = (first, second);
                join(
                    refund(&world, payment, &first, 1234),
                    refund(&world, payment, &second, 1234),
                )
                .await
            }
        });
        for (first, second) in join_all(twice).await {
            let mut statuses = [first.status, second.status];
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 409], "{first:?} {second:?}");
        }
        // Alice's purse is not bottomless: what she got back she spends again.
        world.pass(Duration::from_mins(2)).await;
    }
    world.pass(HOUR).await;
    let platform = world.platform();
    let truth = platform.truth();
    assert_eq!(truth.refunds().count(), batches * size);
    truth.check().unwrap();
    assert_eq!(truth.kept_fen(), 0);
}
