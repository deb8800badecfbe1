//! A service provider asks for its sub-merchants: with its own key, for all of them.

use tongbao_wire::wechat_v2::head::Reply;
use tongbao_wire::wechat_v2::{
    Fields, Merchants, ReplyHead, RequestHead, Stranger, notification, sign,
};

use crate::fixture::{self, named};
use crate::operations::OPERATIONS;

const SUB: [(&str, &str); 2] = [
    ("sub_appid", "wx7777777777777777"),
    ("sub_mch_id", "1900000209"),
];

#[test]
fn every_request_names_the_sub_merchant() {
    for operation in OPERATIONS {
        for (name, _) in SUB {
            let limit = operation.limits.iter().find(|limit| limit.field == name);
            let limit = limit.unwrap_or_else(|| panic!("{}: {name}", operation.name));
            assert_eq!((limit.required, limit.max_chars), (false, 32));
        }
    }
    let mut of_one = 0;
    for example in fixture::signed() {
        let operation = OPERATIONS
            .iter()
            .find(|operation| example.id.split('-').next() == Some(operation.name));
        let Some(operation) = operation else { continue };
        let mut fields = example.fields();
        for (name, value) in SUB {
            fields.insert(name, value);
        }

        let written = (operation.request)(&fields).unwrap();
        let sign = |fields: &Fields<'_>| sign::sign(fields, &example.key(), example.sign_type());
        assert_eq!(sign(&written), sign(&fields), "{}", example.id);
        of_one += 1;
    }
    assert!(of_one >= OPERATIONS.len(), "{of_one}");
}

#[test]
fn every_answer_names_the_sub_merchant() {
    let mut of_one = 0;
    for message in fixture::responses() {
        let operation = OPERATIONS
            .iter()
            .find(|operation| message.id.split('-').next() == Some(operation.name));
        let Some(operation) = operation else { continue };
        let body = message.body();
        let mut fields = Fields::read(body.as_bytes()).unwrap();
        for (name, value) in SUB {
            fields.insert(name, value);
        }

        let written = (operation.answer)(&fields).unwrap();
        let sign = |fields: &Fields<'_>| sign::sign(fields, &message.key(), message.sign_type());
        assert_eq!(sign(&written), sign(&fields), "{}", message.id);
        of_one += 1;
    }
    assert_eq!(of_one, fixture::responses().len());
}

#[test]
fn an_answer_about_another_sub_merchant_is_a_strangers_though_its_signature_is_good() {
    let message = named(fixture::responses(), "micropay-sub-merchant");
    let body = message.body();
    let fields = Fields::read(body.as_bytes()).unwrap();
    assert_eq!(
        sign::verify(&fields, &message.key(), message.sign_type()),
        Ok(())
    );
    let head = ReplyHead {
        sub_appid: fields.get("sub_appid").map(str::to_owned),
        sub_mch_id: fields.get("sub_mch_id").map(str::to_owned),
        ..reply_head()
    };

    let verdict = |asked: &RequestHead| head.merchants().check(asked.merchants());
    assert_eq!(verdict(&asked_for("1900000209")), Ok(()));
    assert_eq!(
        verdict(&asked_for("1900000210")),
        Err(Stranger {
            field: "sub_mch_id"
        })
    );
    let for_itself = RequestHead {
        sub_appid: None,
        sub_mch_id: None,
        ..asked_for("")
    };
    assert_eq!(
        verdict(&for_itself),
        Err(Stranger {
            field: "sub_mch_id"
        })
    );
}

#[test]
fn a_stranger_is_known_by_any_of_four_names() {
    let ours = Merchants {
        appid: "wx8888888888888888",
        mch_id: "1900000109",
        sub_appid: Some("wx7777777777777777"),
        sub_mch_id: Some("1900000209"),
    };
    let stranger = |said: Merchants<'_>| said.check(ours).map_err(|stranger| stranger.field);

    assert_eq!(stranger(ours), Ok(()));
    assert_eq!(stranger(Merchants { appid: "x", ..ours }), Err("appid"));
    assert_eq!(
        stranger(Merchants {
            mch_id: "x",
            ..ours
        }),
        Err("mch_id")
    );
    let sub_mch_id = |sub_mch_id| stranger(Merchants { sub_mch_id, ..ours });
    assert_eq!(sub_mch_id(None), Err("sub_mch_id"));
    assert_eq!(sub_mch_id(Some("x")), Err("sub_mch_id"));
    let sub_appid = |sub_appid| stranger(Merchants { sub_appid, ..ours });
    assert_eq!(sub_appid(Some("x")), Err("sub_appid"));
    assert_eq!(sub_appid(None), Ok(()));
}

#[test]
fn a_notification_says_for_whom_it_is() {
    let body = named(fixture::notifications(), "pay-sub-merchant").body();
    let fields = Fields::read(body.as_bytes()).unwrap();
    let read = notification::Notification::from_fields(&fields).unwrap();
    let Reply::Done { head, .. } = read else {
        panic!("a payment");
    };

    let ours = asked_for("1900000209");
    assert_eq!(head.merchants().check(ours.merchants()), Ok(()));
    assert_eq!(ours.payee(), "1900000209");
    assert_eq!(ours.client_appid(), "wx7777777777777777");
}

#[test]
fn an_application_of_a_sub_merchant_needs_the_sub_merchant() {
    let head = asked_for("1900000209");
    assert_eq!(head.lacks(), None);

    let nobodys_app = RequestHead {
        sub_mch_id: None,
        ..head.clone()
    };
    assert_eq!(nobodys_app.lacks(), Some("sub_mch_id"));
    let providers_app = RequestHead {
        sub_appid: None,
        ..head
    };
    assert_eq!(providers_app.lacks(), None);
}

fn asked_for(sub_mch_id: &str) -> RequestHead {
    RequestHead {
        appid: "wx8888888888888888".into(),
        mch_id: "1900000109".into(),
        sub_appid: Some("wx7777777777777777".into()),
        sub_mch_id: Some(sub_mch_id.into()),
        nonce_str: "n".into(),
        sign_type: None,
    }
}

fn reply_head() -> ReplyHead {
    ReplyHead {
        return_msg: None,
        appid: "wx8888888888888888".into(),
        mch_id: "1900000109".into(),
        sub_appid: None,
        sub_mch_id: None,
        device_info: None,
        nonce_str: "n".into(),
        sign_type: None,
    }
}
