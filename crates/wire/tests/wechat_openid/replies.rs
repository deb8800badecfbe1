use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use tongbao_wire::secret::Secret;
use tongbao_wire::wechat_openid::access_token::Token;
use tongbao_wire::wechat_openid::jscode2session::Session;
use tongbao_wire::wechat_openid::reply::{Content, MAX_BODY_BYTES};
use tongbao_wire::wechat_openid::{Reply, ReplyError};

#[test]
fn every_answer_survives_the_struct() {
    let sessions = include_str!("../../fixtures/wechat_openid/sessions.json");
    for answer in read::<Vec<Value>>(sessions) {
        let session: Session = done(&answer);
        assert_eq!(session.openid, "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o");
        assert_eq!(session.session_key, Secret::new("tiihtNczf5v6AKRyjwEUhQ=="));
        survives(session, &answer);
    }
    let tokens = include_str!("../../fixtures/wechat_openid/tokens.json");
    for answer in read::<Vec<Value>>(tokens) {
        let token: Token = done(&answer);
        assert_eq!(token.openid, "OPENID");
        assert_eq!(token.expires_in, 7200);
        assert_eq!(
            token.is_of_a_person(),
            answer.get("is_snapshotuser").is_none()
        );
        survives(token, &answer);
    }
}

#[test]
fn every_failure_is_a_word_and_keeps_its_text() {
    #[derive(Deserialize)]
    struct Failure {
        word: String,
        body: Value,
    }
    let failures = include_str!("../../fixtures/wechat_openid/failures.json");
    for Failure { word, body } in read::<Vec<Failure>>(failures) {
        let reply = Reply::<Session>::from_json(body.to_string().as_bytes()).unwrap();
        let Reply::Failed { errcode, errmsg } = &reply else {
            panic!("{reply:?}");
        };
        assert_eq!(format!("{errcode:?}"), word);
        assert_eq!(*errmsg, body["errmsg"]);
        assert_eq!(read::<Value>(&reply.to_json()), body);
    }
}

#[test]
fn an_answer_without_a_whole_payer_is_none() {
    let good = json!({"openid": "o", "session_key": "k"});
    let with = |name: &str, value: Value| {
        let mut answer = good.clone();
        answer[name] = value;
        Reply::<Session>::from_json(answer.to_string().as_bytes())
    };

    assert!(with("openid", "p".into()).is_ok());
    assert!(with("errcode", 0.into()).is_ok());
    assert!(with("new", json!({"deep": [1]})).is_ok());
    for (name, value) in [
        ("openid", json!("")),
        ("openid", json!(1)),
        ("openid", json!(["o"])),
        ("openid", Value::Null),
        ("session_key", json!("")),
        ("errcode", json!("40029")),
        ("errcode", json!(0.5)),
        ("errmsg", json!(1)),
    ] {
        assert_eq!(
            with(name, value.clone()),
            Err(ReplyError::Malformed),
            "{name} {value}"
        );
    }
}

#[test]
fn what_readers_disagree_about_is_refused() {
    for body in [
        &br#"{"openid":"a","openid":"b","session_key":"k"}"#[..],
        br#"{"errcode":40029,"errcode":0,"openid":"a","session_key":"k"}"#,
        br#"{"openid":"a","session_key":"k"}{}"#,
        b"\xef\xbb\xbf{\"openid\":\"a\",\"session_key\":\"k\"}",
        b"{\"openid\":\"\xff\",\"session_key\":\"k\"}",
        b"",
        b"null",
        b"[]",
        b"<html>",
    ] {
        let read = Reply::<Session>::from_json(body);
        assert_eq!(read, Err(ReplyError::Malformed), "{body:?}");
    }
}

#[test]
fn an_endless_answer_is_refused_unread() {
    let deep = "[".repeat(MAX_BODY_BYTES);
    let read = |body: &str| Reply::<Token>::from_json(body.as_bytes());

    assert_eq!(read(&deep), Err(ReplyError::Malformed));
    assert_eq!(read(&format!("{deep}[")), Err(ReplyError::TooLarge));
}

#[test]
fn no_secret_prints() {
    let session: Session = done(&json!({"openid": "o", "session_key": "hunter2"}));
    let token: Token = done(
        &json!({"openid": "o", "access_token": "hunter2", "refresh_token": "hunter2", "expires_in": 1}),
    );

    assert!(!format!("{session:?} {token:?}").contains("hunter2"));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = Reply::<Session>::from_json(&body);
        let _ = Reply::<Token>::from_json(&body);
    }

    #[test]
    fn a_payer_survives_the_journey(
        openid in ".{1,20}",
        key in ".{1,20}",
        unionid in proptest::option::of(".{0,20}"),
        expires_in in any::<u64>(),
        snapshot in proptest::option::of(any::<u64>()),
    ) {
        let session = Session {
            openid: openid.clone(),
            session_key: Secret::new(&*key),
            unionid: unionid.clone(),
        };
        let sent = Reply::Done(session.clone()).to_json();
        prop_assert_eq!(Reply::from_json(sent.as_bytes()), Ok(Reply::Done(session)));

        let token = Token {
            access_token: Secret::new(&*key),
            expires_in,
            refresh_token: None,
            openid,
            scope: None,
            unionid,
            is_snapshotuser: snapshot,
        };
        let sent = Reply::Done(token.clone()).to_json();
        prop_assert_eq!(Reply::from_json(sent.as_bytes()), Ok(Reply::Done(token)));
    }
}

/// But for `errcode` 0, which says nothing.
fn survives<T: Content>(content: T, answer: &Value) {
    let mut expected = answer.clone();
    let fields = expected.as_object_mut().unwrap();
    fields.remove("errcode");
    fields.remove("errmsg");

    assert_eq!(read::<Value>(&Reply::Done(content).to_json()), expected);
}

fn done<T: Content + std::fmt::Debug>(answer: &Value) -> T {
    match Reply::from_json(answer.to_string().as_bytes()).unwrap() {
        Reply::Done(content) => content,
        failed @ Reply::Failed { .. } => panic!("{failed:?}"),
    }
}

fn read<T: for<'de> Deserialize<'de>>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}
