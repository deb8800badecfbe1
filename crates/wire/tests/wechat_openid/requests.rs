use proptest::prelude::*;
use tongbao_wire::secret::Secret;
use tongbao_wire::wechat_openid::authorize::{Authorize, Callback, Scope};
use tongbao_wire::wechat_openid::{ParamError, access_token, jscode2session};

#[test]
fn a_mini_programs_code_is_exchanged_at_this_address() {
    let request = jscode2session::Request {
        appid: "wx8888888888888888".into(),
        secret: Secret::new("0123456789abcdef0123456789abcdef"),
        js_code: "0716AVll20uHk94SLDml27etM946AVlq".into(),
    };

    let query = request.to_query();
    assert_eq!(jscode2session::PATH, "/sns/jscode2session");
    assert_eq!(
        query.expose(),
        "appid=wx8888888888888888&secret=0123456789abcdef0123456789abcdef\
         &js_code=0716AVll20uHk94SLDml27etM946AVlq&grant_type=authorization_code"
    );
    assert_eq!(
        jscode2session::Request::from_query(query.expose()),
        Ok(request)
    );
}

#[test]
fn a_pages_code_is_exchanged_at_this_address() {
    let request = access_token::Request {
        appid: "wx8888888888888888".into(),
        secret: Secret::new("0123456789abcdef0123456789abcdef"),
        code: "041Nsb0w3".into(),
    };

    let query = request.to_query();
    assert_eq!(access_token::PATH, "/sns/oauth2/access_token");
    assert_eq!(
        query.expose(),
        "appid=wx8888888888888888&secret=0123456789abcdef0123456789abcdef\
         &code=041Nsb0w3&grant_type=authorization_code"
    );
    assert_eq!(
        access_token::Request::from_query(query.expose()),
        Ok(request)
    );
}

#[test]
fn a_secret_does_not_print_with_its_request() {
    let request = access_token::Request {
        appid: "wx1".into(),
        secret: Secret::new("hunter2"),
        code: "c".into(),
    };

    assert!(!format!("{request:?} {:?}", request.to_query()).contains("hunter2"));
}

#[test]
fn a_request_that_lacks_a_parameter_is_named() {
    let read = |query: &str| jscode2session::Request::from_query(query).unwrap_err();

    assert_eq!(read(""), ParamError::Missing("grant_type"));
    assert_eq!(
        read("grant_type=client_credential"),
        ParamError::Malformed("grant_type")
    );
    assert_eq!(
        read("grant_type=authorization_code&appid=&secret=s&js_code=c"),
        ParamError::Missing("appid")
    );
    assert_eq!(
        read("grant_type=authorization_code&appid=a&js_code=c"),
        ParamError::Missing("secret")
    );
    assert_eq!(
        read("grant_type=authorization_code&appid=a&secret=s&code=c"),
        ParamError::Missing("js_code")
    );
    assert_eq!(
        read("grant_type=authorization_code&appid=a&appid=b&secret=s&js_code=c"),
        ParamError::Unreadable
    );
    assert_eq!(
        read("grant_type=authorization_code&appid=%ff&secret=s&js_code=c"),
        ParamError::Unreadable
    );
}

#[test]
fn a_reader_is_sent_to_wechat_and_comes_back_with_a_code() {
    let question = authorize();

    let url = question.to_url().unwrap();
    assert_eq!(
        url,
        "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx8888888888888888\
         &redirect_uri=https%3A%2F%2Fpay.example.com%2Fc%2Fpay_1%3Flang%3Dzh\
         &response_type=code&scope=snsapi_base&state=6b3f0a#wechat_redirect"
    );
    assert_eq!(Authorize::from_url(&url), Ok(question.clone()));

    let callback = Callback {
        code: Some("041Nsb0w3".into()),
        state: question.state,
    };
    let back = callback.to_url(&question.redirect_uri);
    assert_eq!(
        back,
        "https://pay.example.com/c/pay_1?lang=zh&code=041Nsb0w3&state=6b3f0a"
    );
    let (_, query) = back.split_once('?').unwrap();
    assert_eq!(Callback::from_query(query), Ok(callback));
}

#[test]
fn a_reader_who_refuses_comes_back_without_a_code() {
    let callback = Callback {
        code: None,
        state: "6b3f0a".into(),
    };

    assert_eq!(
        callback.to_url("https://pay.example.com/c"),
        "https://pay.example.com/c?state=6b3f0a"
    );
    assert_eq!(Callback::from_query("state=6b3f0a&code="), Ok(callback));
}

#[test]
fn nobody_comes_back_without_the_state_that_was_given() {
    for (query, why) in [
        ("code=c", ParamError::Missing("state")),
        ("code=c&state=a&state=b", ParamError::Unreadable),
        ("code=c&state=a-b", ParamError::Malformed("state")),
        ("code=c&state=%3Cscript%3E", ParamError::Malformed("state")),
    ] {
        assert_eq!(Callback::from_query(query), Err(why), "{query}");
    }
}

#[test]
fn an_address_that_wechat_would_refuse_is_not_made() {
    let with_state = |state: &str| Authorize {
        state: state.to_owned(),
        ..authorize()
    };
    let with_page = |page: &str| Authorize {
        redirect_uri: page.to_owned(),
        ..authorize()
    };

    assert!(with_state(&"7".repeat(128)).to_url().is_ok());
    for state in ["", "a b", "状态", "a#b", &"7".repeat(129)] {
        assert_eq!(
            with_state(state).to_url(),
            Err(ParamError::Malformed("state"))
        );
    }
    for page in [
        "",
        "pay.example.com",
        "//pay.example.com",
        "javascript:alert(1)",
        "https://",
        "https:///a",
        "https://a/#b",
        "https://a/ b",
        "https://a/\n",
        "https://例.com/",
    ] {
        assert_eq!(
            with_page(page).to_url(),
            Err(ParamError::Malformed("redirect_uri")),
            "{page:?}"
        );
    }
}

#[test]
fn an_address_that_is_not_wechats_question_is_refused() {
    let good = authorize().to_url().unwrap();
    let read = |from: &str, to: &str| {
        let url = good.replacen(from, to, 1);
        assert_ne!(url, good);
        Authorize::from_url(&url).unwrap_err()
    };

    assert_eq!(read("#wechat_redirect", ""), ParamError::Unreadable);
    assert_eq!(read("open.weixin", "open.weixln"), ParamError::Unreadable);
    assert_eq!(
        read("response_type=code", "response_type=token"),
        ParamError::Malformed("response_type")
    );
    assert_eq!(read("scope=snsapi_base", ""), ParamError::Missing("scope"));
    assert_eq!(
        read("https%3A", "javascript%3A"),
        ParamError::Malformed("redirect_uri")
    );
}

#[test]
fn a_new_scope_is_kept_as_it_came() {
    let url = authorize().to_url().unwrap().replace("base", "new");

    let question = Authorize::from_url(&url).unwrap();
    assert_eq!(question.scope, Scope::Other("snsapi_new".into()));
    assert_eq!(question.to_url(), Ok(url));
}

proptest! {
    #[test]
    fn any_address_is_read_without_a_panic(text in "[a-z%&=#?0-9]{0,60}|.{0,40}") {
        let _ = jscode2session::Request::from_query(&text);
        let _ = access_token::Request::from_query(&text);
        let _ = Callback::from_query(&text);
        let _ = Authorize::from_url(&text);
    }

    #[test]
    fn any_request_reads_back(appid in ".{1,20}", secret in ".{1,20}", code in ".{1,20}") {
        prop_assume!(![&appid, &secret, &code].iter().any(|text| text.contains('\u{fffd}')));
        let request = jscode2session::Request {
            appid: appid.clone(),
            secret: Secret::new(&*secret),
            js_code: code.clone(),
        };
        let read = jscode2session::Request::from_query(request.to_query().expose());
        prop_assert_eq!(read, Ok(request));

        let request = access_token::Request { appid, secret: Secret::new(secret), code };
        let read = access_token::Request::from_query(request.to_query().expose());
        prop_assert_eq!(read, Ok(request));
    }

    #[test]
    fn any_page_is_come_back_to(path in "[!-\"$-~]{0,40}", state in "[A-Za-z0-9]{1,128}") {
        let question = Authorize {
            redirect_uri: format!("https://pay.example.com/{path}"),
            state,
            ..authorize()
        };
        prop_assert_eq!(Authorize::from_url(&question.to_url().unwrap()), Ok(question));
    }
}

fn authorize() -> Authorize {
    Authorize {
        appid: "wx8888888888888888".into(),
        redirect_uri: "https://pay.example.com/c/pay_1?lang=zh".into(),
        scope: Scope::Base,
        state: "6b3f0a".into(),
    }
}
