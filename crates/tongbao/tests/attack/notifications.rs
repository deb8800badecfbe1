//! Groups A and B: forged, replayed, re-split and mangled notifications.

use std::collections::BTreeSet;

use std::time::Instant;

use serde_json::Value;
use tongbao::attack::{self, Forgery, Must, Target};
use tongbao::secret::Secret;

use crate::database::difference;
use crate::world::{NEIGHBOURS_KEY, Placed, World, neighbour};

#[test]
fn where_a_signature_is_believed_no_forgery_is() {
    every_forgery("signature");
}

#[test]
fn where_the_platform_is_asked_no_forgery_does_more_than_ask() {
    every_forgery("query");
}

#[test]
fn where_orders_are_signed_with_md5_no_forgery_is_believed() {
    every_forgery("md5");
}

/// B5, B6: signed with the right key, and cannot be right. Whoever has leaked
/// the key makes work for a person, and pays nothing.
#[test]
fn what_cannot_be_right_is_one_case_and_no_payment() {
    for channel in ["query", "signature"] {
        let mut world = World::open("cases");
        let first = world.order("first", channel);
        let rows = attack::forgeries(&World::target(&first));
        for row in rows
            .iter()
            .filter(|row| row.must == Must::Case && row.attack() != "B7")
        {
            let order = world.order(&row.id, channel);
            let mut rows = attack::forgeries(&World::target(&order));
            rows.retain(|other| other.id == row.id);
            let before = world.get("/v1/cases")["data"].as_array().unwrap().len();
            for _ in 0..3 {
                let headers: Vec<_> = rows[0].headers().collect();
                let answer = world
                    .client
                    .send("POST", &order.notify, &headers, &rows[0].body);
                assert!(
                    attack::is_success(answer.status, &answer.body),
                    "{}",
                    row.id
                );
            }
            let payment = world.get(&format!("/v1/payments/{}", order.id));
            assert_eq!(payment["state"], "pending", "{}, {}", row.id, row.what);
            let cases = world.get("/v1/cases")["data"].as_array().unwrap().len();
            assert_eq!(cases, before + 1, "{}, {}", row.id, row.what);
            // Where a signature is believed, the wrong amount was received.
            if channel == "query" {
                world.pay(&order);
            }
        }
        let events = world.get("/v1/events?limit=100");
        for event in events["data"].as_array().unwrap() {
            let kind = event["type"].as_str().unwrap();
            assert!(
                kind == "payment.paid" || kind.starts_with("case."),
                "{event}"
            );
        }
    }
}

/// B7: signed with the right key, about orders that nobody placed. The platform
/// is asked, and knows nothing of them either.
#[test]
fn money_for_unknown_orders_is_nothing_when_the_platform_denies_it() {
    let mut world = World::open("unknown");
    let order = world.order("T1", "signature");
    let before = world.database.facts(&order.id);
    for row in attack::forgeries(&World::target(&order)) {
        if row.attack() == "B7" {
            let answer = world.tell(&order.notify, &row.body);
            assert!(
                !attack::is_success(answer.status, &answer.body),
                "{}",
                row.id
            );
        }
    }
    let after = world.database.facts(&order.id);
    assert!(before == after, "{}", difference(&before, &after));
    world.pay(&order);
}

/// B1, B16: the same message a thousand times has one effect, and the answer is
/// the platform's own word every time, to the byte.
#[test]
fn a_message_that_comes_a_thousand_times_counts_once() {
    let mut world = World::open("replay");
    let order = world.order("T1", "signature");
    let (path, body) = world.paid_at_platform(&order);
    world.tell(&path, &body);
    let before = world.database.facts(&order.id);
    for _ in 0..1_000 {
        let answer = world.tell(&path, &body);
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.text(),
            "<xml><return_code><![CDATA[SUCCESS]]></return_code>\
             <return_msg><![CDATA[OK]]></return_msg></xml>"
        );
    }
    // By now the platform may have been asked, as it was to be in any case.
    let mut after = world.database.facts(&order.id);
    let asked = before.iter().filter(|line| line.starts_with("|job|query|"));
    after.extend(
        asked
            .filter(|line| !after.contains(line))
            .cloned()
            .collect::<Vec<_>>(),
    );
    after.sort();
    assert!(before == after, "{}", difference(&before, &after));
    let kept = world.database.rows("SELECT sum(copies) FROM inbox");
    assert_eq!(kept, ["|1001"], "counted, and kept once");
}

/// B8, B22: nothing leads out of "paid".
#[test]
fn a_paid_payment_stays_paid_whatever_is_said() {
    let mut world = World::open("paid");
    let order = world.order("T1", "signature");
    world.pay(&order);
    for row in attack::forgeries(&World::target(&order)) {
        if row.must == Must::Refuse && ["A15", "B3", "B8"].contains(&row.attack()) {
            strike(&mut world, &order, &row).unwrap();
        }
    }
    let second = attack::genuine(&World::target(&order));
    let answer = world.tell(&order.notify, &second);
    assert!(attack::is_success(answer.status, &answer.body));
    let payment = world.get(&format!("/v1/payments/{}", order.id));
    assert_eq!(payment["state"], "paid");
    let cases = world.get("/v1/cases");
    assert_eq!(
        cases["data"].as_array().unwrap().len(),
        1,
        "another trade for one number: {cases}"
    );
}

/// B20: whoever has the key may make us ask, once.
#[test]
fn a_thousand_hints_ask_one_question() {
    let mut world = World::open("hints");
    let order = world.order("T1", "query");
    let hint = attack::genuine(&World::target(&order));
    let before = world.queries(&order);
    let since = Instant::now();
    for _ in 0..1_000 {
        let answer = world.tell(&order.notify, &hint);
        assert!(attack::is_success(answer.status, &answer.body));
    }
    let asked = world.queries(&order) - before;
    // One in a minute for the hints; the payment's own questions are five seconds
    // apart at least.
    let minutes = since.elapsed().as_secs() / 60 + 1;
    let own = since.elapsed().as_secs() / 5 + 1;
    assert!(
        (1..=minutes + own).contains(&(asked as u64)),
        "{asked} questions"
    );
    world.pay(&order);
}

/// A30, B4: two merchants on one gateway.
#[test]
fn a_message_of_one_merchant_says_nothing_to_another() {
    let mut world = World::open("tenants");
    let ours = world.order("T1", "signature");
    let theirs = world.order_of(NEIGHBOURS_KEY, "T1", "signature");
    let (their_path, their_message) = world.paid_at_platform(&theirs);
    let before = world.database.facts(&ours.id);

    let answer = world.tell(&ours.notify, &their_message);
    assert!(
        !attack::is_success(answer.status, &answer.body),
        "their message, on our route"
    );

    let neighbour = neighbour();
    let account = |mch_id: &str, app_id: &str, key: &str| attack::Account {
        app_id: app_id.to_owned(),
        mch_id: mch_id.to_owned(),
        key: Secret::new(key),
    };
    let us = World::target(&ours).account;
    let their_key = &*neighbour.api_v2_key.0;
    for (what, number, account) in [
        (
            "our ids under their key",
            &ours,
            account(&us.mch_id, &us.app_id, their_key),
        ),
        (
            "their ids under their key",
            &ours,
            account(&neighbour.mch_id, &neighbour.app_id, their_key),
        ),
        (
            "their ids under our key",
            &ours,
            account(&neighbour.mch_id, &neighbour.app_id, us.key.expose()),
        ),
        (
            "their number and ids, our key",
            &theirs,
            account(&neighbour.mch_id, &neighbour.app_id, us.key.expose()),
        ),
    ] {
        let target = Target {
            account,
            out_trade_no: number.out_trade_no.clone(),
            ..World::target(&ours)
        };
        let answer = world.tell(&ours.notify, &attack::genuine(&target));
        assert!(!attack::is_success(answer.status, &answer.body), "{what}");
    }
    let after = world.database.facts(&ours.id);
    assert!(before == after, "{}", difference(&before, &after));

    // Their number under our account is an order that we do not know.
    let target = Target {
        out_trade_no: theirs.out_trade_no.clone(),
        ..World::target(&ours)
    };
    world.tell(&ours.notify, &attack::genuine(&target));
    let payment = world.api(
        NEIGHBOURS_KEY,
        "GET",
        &format!("/v1/payments/{}", theirs.id),
        &Value::Null,
    );
    assert_eq!(payment.json()["state"], "pending");
    let cases = world
        .api(NEIGHBOURS_KEY, "GET", "/v1/cases", &Value::Null)
        .json();
    assert_eq!(cases["data"].as_array().unwrap().len(), 0);

    let answer = world.tell(&their_path, &their_message);
    assert!(attack::is_success(answer.status, &answer.body));
    world.pay(&ours);
}

/// The whole table, attack by attack: each has its order, which it leaves as it
/// was, and which the platform's own message then still pays.
fn every_forgery(channel: &'static str) {
    let mut world = World::open(channel);
    let first = world.order("first", channel);
    let rows = attack::forgeries(&World::target(&first));
    let attacks: BTreeSet<_> = rows.iter().map(|row| row.attack().to_owned()).collect();
    let (mut sent, mut wrong) = (0, Vec::new());
    for attack in attacks {
        let order = world.order(&attack, channel);
        let mut rows = attack::forgeries(&World::target(&order));
        rows.retain(|row| row.attack() == attack && row.must != Must::Case);
        for row in rows {
            sent += 1;
            wrong.extend(strike(&mut world, &order, &row).err());
        }
        world.pay(&order);
    }
    world.pay(&first);
    assert!(
        wrong.is_empty(),
        "{} of {sent}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(sent > 700, "{sent} messages");
    eprintln!("{sent} forged messages on {channel}");
}

/// Sends it, and looks at what it did.
fn strike(world: &mut World, order: &Placed, row: &Forgery) -> Result<(), String> {
    let Forgery { id, what, .. } = row;
    let facts = |world: &World| match row.must {
        Must::Refuse => world.database.facts(&order.id),
        Must::Ask | Must::Case => world.database.facts_but_hints(&order.id),
    };
    let before = facts(world);
    let target = format!("{}{}", order.notify, row.query);
    let headers: Vec<_> = row.headers().collect();
    let answer = world.client.send("POST", &target, &headers, &row.body);
    let after = facts(world);
    // HTTP 200 in any case: the words inside are the answer.
    let believed = attack::is_success(answer.status, &answer.body);
    if answer.status != 200 || believed != (row.must == Must::Ask) {
        return Err(format!("{id}, {what}: {} {}", answer.status, answer.text()));
    }
    if before != after {
        let difference = difference(&before, &after);
        return Err(format!("{id}, {what}, changed\n{difference}"));
    }
    Ok(())
}
