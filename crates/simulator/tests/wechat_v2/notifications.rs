//! How the merchant is told of a payment.

use tongbao_simulator::{NotificationState, NotifySchedule, Settings};
use tongbao_wire::wechat_v2::SignType;

use crate::common::{HEARD, NOON, code, read};
use crate::stage::{Stage, is_signed};

#[test]
fn a_notification_is_signed_with_the_algorithm_of_its_order() {
    for sign_type in [SignType::Md5, SignType::HmacSha256] {
        for said in [false, true] {
            let mut stage = Stage::new();
            stage.merchant.sign_type = sign_type;
            stage.platform.set_settings(Settings {
                notify_sign_type: said,
                ..Settings::default()
            });
            let code = code(&stage.place("T00001", 1));
            stage.pay(&code).unwrap();
            let notice = read(stage.pass(0)[0].request.body());

            assert!(is_signed(&stage, &notice));
            assert_eq!(
                notice.get("sign_type"),
                said.then_some(sign_type.as_str()),
                "{sign_type}"
            );
        }
    }
}

/// How long after the payment each try leaves when the merchant never answers properly.
fn tries(schedule: NotifySchedule) -> Vec<u64> {
    let mut stage = Stage::new();
    stage.platform.set_settings(Settings {
        notify_schedule: schedule,
        ..Settings::default()
    });
    let code = code(&stage.place("T00001", 1));
    stage.pay(&code).unwrap();
    let mut sent = Vec::new();
    while let Some(due) = stage.platform.next_due() {
        stage.now = due;
        for outgoing in stage.platform.fire(due) {
            sent.push(due.since(NOON).as_secs());
            stage.answer(&outgoing, 200, b"success");
        }
    }
    sent
}

#[test]
fn a_notification_is_repeated_on_either_published_schedule() {
    assert_eq!(
        tries(NotifySchedule::Older),
        [0, 15, 30, 60, 240, 2040, 3840, 5640, 7440, 11040]
    );
    let current = tries(NotifySchedule::Current);
    assert_eq!(current[..5], [0, 15, 30, 60, 240]);
    assert_eq!(current.len(), 16);
    assert_eq!(current.last(), Some(&(24 * 3600 + 4 * 60)));
}

#[test]
fn only_http_200_with_the_platforms_own_word_counts_as_heard() {
    let cases: [(u16, &[u8], bool); 8] = [
        (200, HEARD, true),
        (
            200,
            b"<xml>\n<return_code>SUCCESS</return_code>\n</xml>",
            true,
        ),
        (200, b"success", false),
        (200, b"{\"code\":\"SUCCESS\"}", false),
        (200, b"<xml><return_code>FAIL</return_code></xml>", false),
        (201, HEARD, false),
        (302, HEARD, false),
        (500, HEARD, false),
    ];
    for (status, body, heard) in cases {
        let mut stage = Stage::new();
        let code = code(&stage.place("T00001", 1));
        stage.pay(&code).unwrap();
        let sent = stage.pass(0);
        stage.answer(&sent[0], status, body);
        let notification = stage.platform.notifications().next().unwrap();

        assert_eq!(
            notification.state == NotificationState::Accepted,
            heard,
            "{status} {}",
            String::from_utf8_lossy(body)
        );
    }
}

#[test]
fn an_answer_after_five_seconds_is_no_answer() {
    let mut stage = Stage::new();
    let code = code(&stage.place("T00001", 1));
    stage.pay(&code).unwrap();
    let sent = stage.pass(0);
    assert!(stage.pass(5).is_empty());
    stage.answer(&sent[0], 200, HEARD);

    let again = stage.pass(10);
    assert_eq!(again.len(), 1, "15 seconds after the first");
    stage.answer(&again[0], 200, HEARD);
    assert!(stage.pass(100_000).is_empty());
}
