//! What platforms tell us, and what others say in their name.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::future::join_all;
use http::{Method, Request};
use serde_json::{Value, json};
use tongbao_simulator::{Account, FaultKind, Outgoing};
use tongbao_wire::wechat_v2::{ApiKey, Fields, SignType, sign};

use crate::support::{Answer, World};

/// The notification that the platform would send now.
fn outgoing(world: &World) -> Outgoing {
    world.fired().pop().unwrap()
}

/// With other fields, signed again with the account's own key.
fn resigned(request: &Request<Bytes>, change: impl FnOnce(&mut Fields<'static>)) -> Request<Bytes> {
    let mut fields = Fields::read(request.body()).unwrap().into_owned();
    fields.remove("sign");
    change(&mut fields);
    let key = ApiKey::new(&Account::ready_made().api_v2_key.0).unwrap();
    sign::insert_sign(&mut fields, &key, SignType::HmacSha256);
    with_body(request, fields.write())
}

fn with_body(request: &Request<Bytes>, body: impl Into<Bytes>) -> Request<Bytes> {
    let mut changed = request.clone();
    *changed.body_mut() = body.into();
    changed
}

fn text_of(request: &Request<Bytes>) -> String {
    String::from_utf8(request.body().to_vec()).unwrap()
}

fn is_received(answer: &Answer) -> bool {
    answer.text.contains("SUCCESS")
}

/// A payment that is paid at the platform, with the notification under way.
async fn paid_at_platform(world: &World) -> (Value, Outgoing) {
    let payment = world.order("T1").await;
    world.pay(&payment, "alice");
    (payment, outgoing(world))
}

#[tokio::test]
async fn a_message_that_is_not_proven_genuine_changes_nothing_and_is_kept() {
    let world = World::open().await;
    let (payment, genuine) = paid_at_platform(&world).await;
    let genuine = genuine.request;
    let text = text_of(&genuine);
    let forged = text.replace("<cash_fee>1234", "<cash_fee>1");
    let twice = text.replacen("<xml>", "<xml><total_fee>1</total_fee>", 1);
    let doctype = format!("<!DOCTYPE xml [<!ENTITY a \"b\">]>{text}");
    let unsigned = {
        let mut fields = Fields::read(genuine.body()).unwrap();
        fields.remove("sign");
        fields.write()
    };
    let other_account = resigned(&genuine, |fields| fields.insert("mch_id", "1900000109"));
    let other_app = resigned(&genuine, |fields| {
        fields.insert("appid", "wx0000000000000000");
    });
    let large = format!("<xml><a>{}</a></xml>", "x".repeat(2 * 1024 * 1024));
    let mut with_query = genuine.clone();
    *with_query.uri_mut() = format!("{}?a=1", genuine.uri()).parse().unwrap();
    let mut encoded = genuine.clone();
    encoded
        .headers_mut()
        .insert("content-encoding", "gzip".parse().unwrap());
    let before = world.payment(&payment).await;

    for (request, reason) in [
        (with_body(&genuine, forged), "sign_mismatch"),
        (with_body(&genuine, unsigned), "sign_missing"),
        (other_account, "other_account"),
        (other_app, "other_account"),
        (with_body(&genuine, twice), "xml_duplicate"),
        (with_body(&genuine, doctype), "xml_doctype"),
        (with_body(&genuine, large), "too_large"),
        (with_body(&genuine, "{}"), "xml_stray_text"),
        (with_body(&genuine, ""), "xml_root"),
        (with_query, "query_string"),
        (encoded, "content_encoding"),
    ] {
        // Ids of one millisecond are in no order.
        world
            .clock
            .set(world.clock.time() + Duration::from_millis(1));
        let answer = world.notify(&request).await;
        assert!(
            answer.text.contains("FAIL") && !is_received(&answer),
            "{reason}: {answer:?}"
        );
        assert_eq!(world.payment(&payment).await, before, "{reason}");
        let newest = world.inbox().await.remove(0);
        assert_eq!((&*newest.0, newest.1.as_deref()), ("refused", Some(reason)));
    }
    // The platform is asked without them.
    world.pass(Duration::from_mins(1)).await;
    assert_eq!(world.payment(&payment).await["state"], "paid");
}

#[tokio::test]
async fn a_forged_notification_of_the_platforms_own_shape_changes_nothing() {
    let world = World::open().await;
    let payment = world.order("T1").await;
    world.fault_of(FaultKind::ForgedNotification);
    let other = world.order("T2").await;
    world.settle().await;

    for payment in [payment, other] {
        assert_eq!(world.payment(&payment).await["state"], "pending");
    }
    assert!(world.shop.told().is_empty());
}

#[tokio::test]
async fn a_flood_of_forgeries_is_sampled() {
    let world = World::open().await;
    let path = format!("/notify/{}", world.channel().await);
    for number in 0..200 {
        let body = Bytes::from(format!("<xml><a>{number}</a></xml>"));
        let request = Request::post(&path).body(body).unwrap();
        assert!(!is_received(&world.notify(&request).await));
    }
    assert_eq!(world.inbox().await.len(), 20);
}

#[tokio::test]
async fn the_same_notification_fifty_times_at_once_has_one_effect() {
    let world = World::open().await;
    let (payment, genuine) = paid_at_platform(&world).await;
    let answers = join_all((0..50).map(|_| world.notify(&genuine.request))).await;
    assert_eq!(
        answers.iter().filter(|answer| is_received(answer)).count(),
        50
    );
    world.settle().await;

    assert_eq!(world.payment(&payment).await["state"], "paid");
    assert_eq!(world.shop.told_kinds(), ["payment.paid"]);
    let inbox = world.inbox().await;
    assert_eq!(
        inbox.iter().map(|(_, _, copies)| copies).sum::<i64>(),
        50,
        "{inbox:?}"
    );
}

#[tokio::test]
async fn a_wrong_amount_is_a_case_and_is_acknowledged() {
    let world = World::open().await;
    world.books_differ("a wrong amount was told and trusted");
    let channel = format!("/v1/channels/{}", world.channel().await);
    let trusting = json!({"confirm": "signature"}).to_string();
    world
        .send_json(Method::PATCH, &channel, &[], &trusting)
        .await;
    let payment = world.order("T1").await;
    world.fault_of(FaultKind::WrongAmountNotification);
    world.pay(&payment, "alice");
    let told = outgoing(&world);
    assert!(is_received(&world.deliver(told).await));

    let cases = world.get("/v1/cases").await.json();
    insta::assert_json_snapshot!("cases", cases);
    assert_eq!(world.payment(&payment).await["state"], "pending");
}

/// The platform's own message about an order that was made after the backup
/// that was put back.
async fn after_a_backup() -> (World, Outgoing) {
    let world = World::open().await;
    let backup = tempfile::tempdir().unwrap();
    let backup = backup.path().join("backup.db");
    rusqlite::Connection::open(world.database())
        .unwrap()
        .execute("VACUUM INTO ?", [backup.to_str().unwrap()])
        .unwrap();
    let (_, genuine) = paid_at_platform(&world).await;
    let put_back = |database: &std::path::Path| {
        std::fs::copy(&backup, database).unwrap();
    };
    (world.restarted_after(put_back).await, genuine)
}

async fn open_cases(world: &World) -> Vec<Value> {
    let cases = world.get("/v1/cases?state=unresolved").await.json();
    cases["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn money_for_an_unknown_order_is_a_case_that_the_platform_confirms() {
    let (world, genuine) = after_a_backup().await;
    assert!(is_received(&world.notify(&genuine.request).await));
    assert!(is_received(&world.notify(&genuine.request).await));

    let cases = open_cases(&world).await;
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0]["kind"], "unknown_payment");
    assert_eq!(
        (&cases[0]["source"], &cases[0]["amount"]),
        (&json!("query"), &json!(1234))
    );
    assert_eq!(world.inbox().await, [("case".to_owned(), None, 2)]);
    world.settle().await;
    assert_eq!(world.shop.told_kinds(), ["case.opened"]);
}

#[tokio::test]
async fn money_for_an_unknown_order_is_kept_although_the_platform_is_silent() {
    let (world, genuine) = after_a_backup().await;
    world.fault_of(FaultKind::NoAnswer);
    assert!(is_received(&world.notify(&genuine.request).await));
    let cases = open_cases(&world).await;
    assert_eq!(
        (cases.len(), &cases[0]["source"]),
        (1, &json!("notification"))
    );
}

#[tokio::test]
async fn who_holds_the_key_makes_no_money_out_of_orders_that_are_not_there() {
    let world = World::open().await;
    world.books_differ("the platform was silent about what its key was used for");
    let (payment, genuine) = paid_at_platform(&world).await;
    for number in 0..50 {
        let forged = resigned(&genuine.request, |fields| {
            fields.insert("out_trade_no", format!("OTHERSYSTEM{number}"));
        });
        assert!(!is_received(&world.notify(&forged).await));
    }
    assert_eq!(open_cases(&world).await.len(), 0);
    let reason = Some("unknown_order_not_paid".to_owned());
    let inbox = world.inbox().await;
    assert_eq!(inbox.len(), 20);
    assert!(inbox.iter().all(|row| row.1 == reason), "{inbox:?}");

    // No more than that is asked in a minute, and kept when nobody answers.
    world.pass(Duration::from_mins(1)).await;
    world.fault_of(FaultKind::NoAnswer);
    for number in 0..50 {
        let forged = resigned(&genuine.request, |fields| {
            fields.insert("out_trade_no", format!("ANOTHERSYSTEM{number}"));
            fields.insert("transaction_id", format!("42000000{number:020}"));
        });
        world.notify(&forged).await;
    }
    assert_eq!(open_cases(&world).await.len(), 20);
    assert_eq!(world.payment(&payment).await["merchant_order_no"], "T1");
}

#[tokio::test]
async fn an_account_that_is_not_there_hears_nothing() {
    let world = World::open().await;
    for path in [
        "/notify/chn_00000000000000000000000000",
        "/notify/x",
        "/notify/pay_1",
    ] {
        let request = Request::post(path).body(Body::from("<xml></xml>")).unwrap();
        assert_eq!(world.send(request).await.status, 404, "{path}");
    }
}
