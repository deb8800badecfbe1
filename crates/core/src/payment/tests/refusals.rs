//! What cannot be started.

use std::time::Duration;

use super::words::{CAREFUL, LIFE, NOON, attempt, event, id, new_payment, payment};
use crate::id::Id;
use crate::payment::MAX_ATTEMPTS;
use crate::{Attempt, AttemptId, ChannelId, Event, Refusal, Scene};

fn started(attempt: Attempt) -> Event {
    Event::AttemptStarted {
        attempt: Box::new(attempt),
    }
}

#[test]
fn the_same_way_of_paying_is_open_once() {
    let second = |channel: &str, scene| Attempt {
        id: id("c"),
        scene,
        ..attempt(channel, NOON)
    };
    let stands = payment("pending, a pending, b closed");
    for (attempt, answer) in [
        (
            second("a", Scene::Native),
            Some(Refusal::AlreadyOpen(id("a"))),
        ),
        (second("a", Scene::Jsapi), None),
        (second("b", Scene::Native), None),
    ] {
        let refusal = stands.clone().on(started(attempt), NOON, CAREFUL).err();
        assert_eq!(refusal, answer);
    }
}

#[test]
fn nothing_starts_when_the_time_is_up() {
    let end = NOON + LIFE;
    let in_time = new_payment().on(
        event("start a", end),
        end - Duration::from_millis(1),
        CAREFUL,
    );
    assert!(in_time.is_ok());
    let late = new_payment().on(event("start a", end), end, CAREFUL);
    assert_eq!(late.err(), Some(Refusal::Expired));
}

#[test]
fn attempts_are_bounded() {
    let mut payment = new_payment();
    for n in 1..100 {
        let id = AttemptId::from_bits(n);
        let channel = ChannelId::from_bits(n);
        let next = Attempt::new(id, format!("NO{n}"), channel, Scene::Native, NOON);
        match payment.clone().on(started(next), NOON, CAREFUL) {
            Ok(step) => payment = step.payment,
            Err(refusal) => {
                assert_eq!(refusal, Refusal::TooManyAttempts);
                break;
            }
        }
    }
    assert_eq!(payment.attempts.len(), MAX_ATTEMPTS);
}
