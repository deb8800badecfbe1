//! The checkout page where the wallet is: inside WeChat, and in a phone's browser.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use tongbao_simulator::{Account, FaultKind, NewFault, Opening, Refusal};
use tongbao_web::Peer;
use tongbao_wire::wechat_openid::authorize::Authorize;

use crate::support::{Answer, PUBLIC_URL, World, order};

const WECHAT: &str = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Mobile Safari/537.36 \
                      MicroMessenger/8.0.47";
const PHONE: &str = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Mobile Safari/537.36";

/// A browser that keeps its cookies.
struct Browser<'a> {
    world: &'a World,
    agent: &'static str,
    /// Path, name, value.
    cookies: Vec<[String; 3]>,
}

impl<'a> Browser<'a> {
    fn new(world: &'a World, agent: &'static str) -> Self {
        Self {
            world,
            agent,
            cookies: Vec::new(),
        }
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path), Body::empty()).await
    }

    async fn send(&mut self, request: http::request::Builder, body: Body) -> Answer {
        let here = request.uri_ref().unwrap().path().to_owned();
        let cookies = self.cookies.iter();
        let cookies: Vec<_> = cookies
            .filter(|[path, ..]| here.starts_with(path))
            .map(|[_, name, value]| format!("{name}={value}"))
            .collect();
        let mut request = request
            .header("user-agent", self.agent)
            .header("accept-language", "zh")
            .header("cookie", cookies.join("; "))
            .body(body)
            .unwrap();
        let peer = Peer("203.0.113.7".parse().unwrap());
        request.extensions_mut().insert(peer);
        let answer = self.world.send(request).await;
        for set in answer.headers.get_all("set-cookie") {
            let text = set.to_str().unwrap();
            let (pair, rest) = text.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let path = rest.split_once("Path=").unwrap().1;
            let path = path.split(';').next().unwrap();
            let known = |it: &[String; 3]| it[0] == path && it[1] == name;
            self.cookies.retain(|it| !known(it));
            if !rest.contains("Max-Age=0") {
                self.cookies.push([path, name, value].map(str::to_owned));
            }
            for word in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/checkout/"] {
                assert!(rest.contains(word), "{text}");
            }
        }
        answer
    }

    /// The page's own form.
    async fn presses(&mut self, payment: &Value, more: &str) -> Answer {
        let form = Request::post(format!("{}/attempts?lang=zh", path_of(payment)))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        let channel = self.world.channel().await;
        let body = Body::from(format!("channel={channel}{more}"));
        self.send(form, body).await
    }

    /// Where the page sends it.
    async fn leaves(&mut self, path: &str) -> Authorize {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        Authorize::from_url(answer.header("location").unwrap()).unwrap()
    }

    /// The way out, the person's consent, and the way back.
    async fn is_named(&mut self, path: &str, wallet: &str) -> Answer {
        let asked = self.leaves(path).await;
        let back = consents(self.world, &asked, wallet);
        self.get(&back).await
    }
}

/// The address of ours that the platform sends the person back to.
fn consents(world: &World, asked: &Authorize, wallet: &str) -> String {
    let now = world.platform_now();
    let back = world.platform().authorize(now, wallet, asked).unwrap();
    back.strip_prefix(PUBLIC_URL).unwrap().to_owned()
}

async fn world() -> World {
    let world = World::open().await;
    world
        .set_app_secret(&Account::ready_made().app_secret.0)
        .await;
    world
}

async fn payment(world: &World, number: &str) -> Value {
    let mut new = order(number);
    new.as_object_mut().unwrap().remove("attempt");
    new["return_url"] = json!("https://shop.test/orders/1");
    world.post("/v1/payments", &new).await.json()
}

fn path_of(payment: &Value) -> String {
    let url = payment["checkout_url"].as_str().unwrap();
    url.strip_prefix(PUBLIC_URL).unwrap().to_owned()
}

fn state_of(answer: &Answer) -> &str {
    assert_eq!(answer.status, 200, "{answer:?}");
    let text = answer.text.split_once("data-state=\"").unwrap().1;
    text.split_once('"').unwrap().0
}

/// What the page hands to the wallet around it.
fn params_of(answer: &Answer) -> String {
    let text = answer.text.split_once("data-params=\"").unwrap().1;
    let text = text.split_once('"').unwrap().0;
    text.replace("&#34;", "\"").replace("&quot;", "\"")
}

/// Where the page's button leads.
fn link_of(answer: &Answer) -> String {
    let text = answer.text.split_once("id=\"leave\" href=\"").unwrap().1;
    let text = text.split_once('"').unwrap().0;
    text.replace("&#38;", "&").replace("&amp;", "&")
}

async fn pays(world: &World, wallet: &str, opening: Opening) -> Option<String> {
    let now = world.platform_now();
    let opened = world.platform().open(now, &opening).unwrap();
    let paid = world
        .platform()
        .pay(now, wallet, &opened.target, Some("123456"));
    paid.unwrap();
    world.settle().await;
    opened.redirect_url
}

fn try_again(payment: &Value) -> String {
    format!("{}/wechat?lang=zh", path_of(payment))
}

fn to_the_code(payment: &Value) -> String {
    format!("{}?lang=zh&wallet=no", path_of(payment))
}

#[tokio::test]
async fn inside_wechat_the_reader_is_named_and_pays_on_the_page() {
    let world = world().await;
    let payment = payment(&world, "T1").await;
    let mut alice = Browser::new(&world, WECHAT);
    let back = alice.is_named(&path_of(&payment), "alice").await;
    assert_eq!(back.status, 303);
    let page = format!("{}?lang=zh", path_of(&payment));
    assert_eq!(back.header("location"), Some(&*page));

    let shown = alice.get(&page).await;
    assert_eq!(state_of(&shown), "wallet");
    insta::assert_snapshot!("checkout_wallet", {
        let main = shown.text.split_once("<main").unwrap().1.to_owned();
        main.replace(
            shown
                .text
                .split_once("data-params=\"")
                .unwrap()
                .1
                .split_once('"')
                .unwrap()
                .0,
            "(params)",
        )
    });
    let attempt = &world.payment(&payment).await["attempts"][0];
    assert_eq!(attempt["scene"], "jsapi");
    let app_id = Account::ready_made().app_id;
    let name = world.platform().truth().wallets["alice"].openid_in(&app_id);
    assert_eq!(attempt["payer"]["openid"], name);
    // As it stands for this reader, also where only that is asked.
    let status = alice.get(&format!("{}/status", path_of(&payment))).await;
    assert_eq!(status.json()["state"], "wallet");

    // She cancels, and presses again: it is the same order.
    let json = params_of(&shown);
    let now = world.platform_now();
    let opened = world
        .platform()
        .open(now, &Opening::Jsapi { json: json.clone() });
    let target = opened.unwrap().target;
    world.platform().cancel(now, "alice", &target).unwrap();
    world.settle().await;
    let again = alice.get(&page).await;
    assert_eq!(params_of(&again), json);
    pays(&world, "alice", Opening::Jsapi { json }).await;
    assert_eq!(state_of(&alice.get(&page).await), "paid");
    assert_eq!(world.platform().truth().trades().count(), 1);
}

#[tokio::test]
async fn a_code_that_is_open_already_is_no_reason_not_to_use_the_wallet() {
    let world = world().await;
    let payment = world.order("T1").await;
    let mut alice = Browser::new(&world, WECHAT);
    alice.is_named(&path_of(&payment), "alice").await;
    let shown = alice.get(&path_of(&payment)).await;
    assert_eq!(state_of(&shown), "wallet");

    // Somebody else has the same link: he is asked for himself.
    let mut bob = Browser::new(&world, WECHAT);
    bob.leaves(&path_of(&payment)).await;
    // And whoever wants the code sees it.
    let code = alice.get(&to_the_code(&payment)).await;
    assert_eq!(state_of(&code), "waiting");
    assert!(code.text.contains("长按") && code.text.contains("/wechat?lang=zh"));
    // Our own script is never led elsewhere.
    let request = Request::get(path_of(&payment)).header("x-tongbao-refresh", "1");
    assert_eq!(bob.send(request, Body::empty()).await.status, 200);
}

#[tokio::test]
async fn only_the_browser_that_left_is_listened_to_when_it_comes_back() {
    let world = world().await;
    let mine = payment(&world, "T1").await;
    let other = payment(&world, "T2").await;
    let mut alice = Browser::new(&world, WECHAT);
    let mut mallory = Browser::new(&world, WECHAT);
    let asked = alice.leaves(&path_of(&mine)).await;
    let malls = mallory.leaves(&path_of(&mine)).await;
    let others = alice.leaves(&path_of(&other)).await;
    let departure = alice.cookies.pop().unwrap();
    // The last departure counts; each page keeps its own in its own path.
    let asked_again = alice.leaves(&try_again(&mine)).await;
    assert_ne!(asked.state, asked_again.state);

    let code = || {
        let back = consents(&world, &asked_again, "alice");
        let code = back.split_once("code=").unwrap().1;
        code.split('&').next().unwrap().to_owned()
    };
    let back = format!("{}/wechat/back?lang=zh", path_of(&mine));
    let state = &asked_again.state;
    let mut flipped = state.clone().into_bytes();
    let last = flipped.len() - 1;
    flipped[last] = if flipped[last] == b'0' { b'1' } else { b'0' };
    let later = format!("{:012x}{}", 0xffff_ffff_u64, &state[12..]);
    let states = [
        String::new(),
        "0".repeat(108),
        String::from_utf8(flipped).unwrap(),
        // An end in the future, a browser that is not this one, another payment's.
        later,
        malls.state.clone(),
        others.state.clone(),
        state.to_uppercase(),
        format!("{state}0"),
        state[..107].to_owned(),
    ];
    for forged in states {
        let address = format!("{back}&code={}&state={forged}", code());
        let answer = alice.get(&address).await;
        assert_eq!(answer.status, 303, "{forged}");
        assert_eq!(
            answer.header("location"),
            Some(&*to_the_code(&mine)),
            "{forged}"
        );
    }
    for query in [
        "",
        "&code=c",
        "&state=",
        "&state=a&state=b&code=c",
        "&code=%ff&state=%00",
    ] {
        let answer = alice.get(&format!("{back}{query}")).await;
        assert_eq!(
            answer.header("location"),
            Some(&*to_the_code(&mine)),
            "{query}"
        );
    }
    // Somebody else's browser, and no browser at all.
    for mut stranger in [
        Browser::new(&world, WECHAT),
        Browser {
            cookies: vec![[path_of(&mine), departure[1].clone(), departure[2].clone()]],
            ..Browser::new(&world, WECHAT)
        },
    ] {
        let address = format!("{back}&code={}&state={state}", code());
        let answer = stranger.get(&address).await;
        assert_eq!(answer.header("location"), Some(&*to_the_code(&mine)));
    }
    assert_eq!(world.payment(&mine).await["attempts"], json!([]));
    assert_eq!(world.payment(&other).await["attempts"], json!([]));

    // The genuine way works, once.
    let address = format!("{back}&code={}&state={state}", code());
    let page = format!("{}?lang=zh", path_of(&mine));
    assert_eq!(alice.get(&address).await.header("location"), Some(&*page));
    let replayed = format!("{back}&code={}&state={state}", code());
    assert_eq!(
        alice.get(&replayed).await.header("location"),
        Some(&*to_the_code(&mine))
    );
    assert_eq!(
        world.payment(&mine).await["attempts"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn who_comes_back_too_late_or_without_a_code_sees_the_code() {
    let world = world().await;
    let payment = payment(&world, "T1").await;
    let mut alice = Browser::new(&world, WECHAT);
    let asked = alice.leaves(&path_of(&payment)).await;
    world.pass(Duration::from_mins(10)).await;
    let late = consents(&world, &asked, "alice");
    assert_eq!(
        alice.get(&late).await.header("location"),
        Some(&*to_the_code(&payment))
    );

    let asked = alice.leaves(&try_again(&payment)).await;
    let path = format!(
        "{}/wechat/back?lang=zh&state={}",
        path_of(&payment),
        asked.state
    );
    assert_eq!(
        alice.get(&path).await.header("location"),
        Some(&*to_the_code(&payment))
    );
    assert_eq!(world.payment(&payment).await["attempts"], json!([]));
}

#[tokio::test]
async fn nothing_that_comes_with_a_request_says_where_a_browser_goes() {
    let world = world().await;
    let payment = payment(&world, "T1").await;
    let path = path_of(&payment);
    for more in [
        "?lang=//evil.test",
        "?redirect_uri=https://evil.test",
        "?return_url=https://evil.test&lang=zh",
    ] {
        let mut alice = Browser::new(&world, WECHAT);
        let request = Request::get(format!("{path}{more}"))
            .header("host", "evil.test")
            .header("x-forwarded-host", "evil.test")
            .header("x-forwarded-proto", "http")
            .header("referer", "https://evil.test/");
        let answer = alice.send(request, Body::empty()).await;
        let asked = Authorize::from_url(answer.header("location").unwrap()).unwrap();
        assert_eq!(
            asked.redirect_uri,
            format!("{PUBLIC_URL}{path}/wechat/back?lang=zh")
        );
        let back = consents(&world, &asked, "alice");
        let back = format!("{back}&redirect_uri=https://evil.test&lang2=//evil.test");
        let answer = alice.get(&back).await;
        assert!(
            answer.header("location").unwrap().starts_with(&path),
            "{answer:?}"
        );
    }
    let mut alice = Browser::new(&world, WECHAT);
    let answer = alice
        .get("/checkout/00000000000000000000000000/wechat")
        .await;
    assert_eq!(answer.status, 404);
    let answer = alice
        .get("/checkout/00000000000000000000000000/wechat/back?state=1&code=2")
        .await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn what_fails_inside_wechat_leads_to_the_code_and_not_round_in_circles() {
    let world = world().await;
    let payment = payment(&world, "T1").await;
    let mut alice = Browser::new(&world, WECHAT);
    for errcode in ["40163", "40125", "45011", "-1"] {
        world.fault(NewFault {
            path: Some("/sns/oauth2/access_token".to_owned()),
            times: Some(1),
            err_code: Some(errcode.to_owned()),
            ..NewFault::of(FaultKind::SystemError)
        });
        let answer = alice.is_named(&path_of(&payment), "alice").await;
        assert_eq!(
            answer.header("location"),
            Some(&*to_the_code(&payment)),
            "{errcode}"
        );
    }
    let page = alice.get(&to_the_code(&payment)).await;
    assert_eq!(state_of(&page), "ready");
    assert!(page.text.contains("微信支付没有打开"));

    // The platform refuses the order itself: nobody is sent away again.
    world.fault(NewFault {
        path: Some("/pay/unifiedorder".to_owned()),
        times: Some(1),
        err_code: Some("NOAUTH".to_owned()),
        ..NewFault::of(FaultKind::SystemError)
    });
    let answer = alice.is_named(&path_of(&payment), "alice").await;
    assert_eq!(answer.header("location"), Some(&*to_the_code(&payment)));
    assert_eq!(
        world.payment(&payment).await["attempts"][0]["state"],
        "failed"
    );
    assert_eq!(state_of(&alice.get(&path_of(&payment)).await), "ready");
    // But may go when the reader asks for it.
    alice.leaves(&try_again(&payment)).await;
}

#[tokio::test]
async fn whom_wechat_stops_on_a_page_of_its_own_is_not_sent_there_on_every_reload() {
    const WHY: &str = "微信没有完成对本页的授权";

    let world = world().await;
    let payment = payment(&world, "T1").await;
    let path = path_of(&payment);
    let mut alice = Browser::new(&world, WECHAT);
    alice.leaves(&path).await;
    // WeChat's error page leads nowhere: she opens the link again, and again.
    for _ in 0..2 {
        let page = alice.get(&path).await;
        assert_eq!(state_of(&page), "ready");
        assert!(page.text.contains(WHY) && page.text.contains("data-alone"));
    }
    let english = alice.get(&format!("{path}?lang=en")).await;
    assert!(
        english
            .text
            .contains("WeChat did not finish letting this page in")
    );
    // Whoever has not been there goes there first.
    Browser::new(&world, WECHAT).leaves(&path).await;

    // She takes the code.
    alice.presses(&payment, "").await;
    let page = alice.get(&path).await;
    assert_eq!(state_of(&page), "waiting");
    assert!(page.text.contains(WHY) && page.text.contains("请长按二维码"));

    // Trying again does try again, and this time WeChat lets her through.
    let back = alice.is_named(&try_again(&payment), "alice").await;
    assert_eq!(back.header("location"), Some(&*format!("{path}?lang=zh")));
    let page = alice.get(&path).await;
    assert_eq!(state_of(&page), "wallet");
    assert!(!page.text.contains(WHY));
}

#[tokio::test]
async fn a_mini_programs_page_inside_wechat_shows_the_code_and_sends_nobody_away() {
    let world = world().await;
    let path = format!("/v1/channels/{}", world.channel().await);
    let settings = json!({"settings": {"app_kind": "mini_program"}}).to_string();
    let patched = world.send_json(http::Method::PATCH, &path, &[], &settings);
    let patched = patched.await.json();
    assert_eq!(patched["settings"]["app_kind"], "mini_program");

    let payment = world.order("T1").await;
    let mut alice = Browser::new(&world, WECHAT);
    let page = alice.get(&path_of(&payment)).await;
    assert_eq!(state_of(&page), "waiting");
    assert!(page.text.contains("长按") && !page.text.contains("/wechat?lang"));

    let attempts = format!("/v1/payments/{}/attempts", payment["id"].as_str().unwrap());
    let of_a_page = json!({"scene": "jsapi", "payer": {"code": "0c0de"}});
    let refused = world.post(&attempts, &of_a_page).await;
    let problem = (422, "no_channel".to_owned(), Some("channel".to_owned()));
    assert_eq!(refused.problem(), problem);
    assert!(refused.text.contains("app_kind"), "{refused:?}");
}

#[tokio::test]
async fn without_an_app_secret_the_page_inside_wechat_says_what_to_do() {
    let world = World::open().await;
    let payment = world.order("T1").await;
    let mut alice = Browser::new(&world, WECHAT);
    let page = alice.get(&path_of(&payment)).await;
    assert_eq!(state_of(&page), "waiting");
    assert!(page.text.contains("商家没有开通微信内支付"));
    assert!(!page.text.contains("/wechat?lang"));
    let english = alice.get(&format!("{}?lang=en", path_of(&payment))).await;
    assert!(english.text.contains("Press and hold the code"));
    let asks = alice
        .get(&format!("{}/wechat?lang=zh", path_of(&payment)))
        .await;
    assert_eq!(asks.header("location"), Some(&*to_the_code(&payment)));
}

#[tokio::test]
async fn a_phones_browser_opens_the_wallet_and_comes_back_to_the_page() {
    let world = world().await;
    let payment = payment(&world, "T1").await;
    let path = path_of(&payment);
    let mut phone = Browser::new(&world, PHONE);
    let page = phone.get(&path).await;
    assert_eq!(state_of(&page), "ready");
    assert!(page.text.contains("name=\"scene\" value=\"h5\""));
    assert!(!page.text.contains("data-alone"));

    let answer = phone.presses(&payment, "&scene=h5").await;
    assert_eq!(answer.header("location"), Some(&*format!("{path}?lang=zh")));
    let page = phone.get(&path).await;
    assert_eq!(state_of(&page), "leaving");
    let link = link_of(&page);
    assert!(page.text.contains("referrerpolicy=\"origin\""));

    let back = pays(&world, "alice", Opening::MwebUrl(link)).await;
    assert_eq!(back.as_deref(), payment["checkout_url"].as_str());
    assert_eq!(state_of(&phone.get(&path).await), "paid");
    // The merchant's own page is for who asked over the API.
    let trade = world.platform().truth().trades().count();
    assert_eq!(trade, 1);
}

#[tokio::test]
async fn a_link_that_is_over_is_asked_for_again_and_is_the_same_order() {
    let world = world().await;
    let payment = payment(&world, "T1").await;
    let path = path_of(&payment);
    let mut phone = Browser::new(&world, PHONE);
    phone.presses(&payment, "&scene=h5").await;
    let first = link_of(&phone.get(&path).await);
    world.pass(Duration::from_mins(4)).await;
    assert_eq!(link_of(&phone.get(&path).await), first);

    world.pass(Duration::from_mins(1)).await;
    let now = world.platform_now();
    let opened = world.platform().open(now, &Opening::MwebUrl(first.clone()));
    assert_eq!(opened, Err(Refusal::BrowserTooLate));
    let page = phone.get(&path).await;
    assert_eq!(state_of(&page), "too_late");
    assert!(page.text.contains("链接已经过期") && !page.text.contains(&first));
    assert!(page.text.contains("name=\"scene\" value=\"h5\""));
    let english = phone.get(&format!("{path}?lang=en")).await;
    assert!(english.text.contains("The link is over"));

    // Nothing comes of asking: there is no other link, and the order stands.
    for fault in [
        NewFault::of(FaultKind::NoAnswer),
        NewFault {
            err_code: Some("NOAUTH".to_owned()),
            ..NewFault::of(FaultKind::SystemError)
        },
    ] {
        world.fault(NewFault {
            path: Some("/pay/unifiedorder".to_owned()),
            times: Some(1),
            ..fault
        });
        phone.presses(&payment, "&scene=h5").await;
        assert_eq!(state_of(&phone.get(&path).await), "too_late");
        world.pass(Duration::from_secs(10)).await;
        let attempts = &world.payment(&payment).await["attempts"];
        assert_eq!(attempts[0]["state"], "pending");
    }

    phone.presses(&payment, "&scene=h5").await;
    let second = link_of(&phone.get(&path).await);
    assert_ne!(second, first);
    pays(&world, "alice", Opening::MwebUrl(second)).await;
    assert_eq!(state_of(&phone.get(&path).await), "paid");
    let paid = world.payment(&payment).await;
    assert_eq!(paid["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(world.platform().truth().trades().count(), 1);
}

#[tokio::test]
async fn a_merchant_gets_another_link_by_starting_the_same_attempt_again() {
    let world = world().await;
    let payment = payment(&world, "T1").await;
    let path = format!("/v1/payments/{}/attempts", payment["id"].as_str().unwrap());
    let start = json!({"scene": "h5", "client_ip": "203.0.113.7"});
    let first = world.post(&path, &start).await.json();
    assert_eq!(first["action"]["expires_at"], "2026-11-21T04:05:00Z");
    world.pass(Duration::from_mins(2)).await;
    assert_eq!(world.post(&path, &start).await.json(), first);

    world.pass(Duration::from_mins(3)).await;
    let second = world.post(&path, &start).await;
    assert_eq!(second.status, 200);
    let second = second.json();
    assert_eq!(second["id"], first["id"]);
    assert_eq!(second["out_trade_no"], first["out_trade_no"]);
    assert_eq!(second["action"]["expires_at"], "2026-11-21T04:10:00Z");
    assert_ne!(second["action"]["url"], first["action"]["url"]);
    assert_eq!(world.payment(&payment).await["attempts"][0], second);

    // Whoever has paid needs none.
    let url = second["action"]["url"].as_str().unwrap().to_owned();
    pays(&world, "alice", Opening::MwebUrl(url)).await;
    world.pass(Duration::from_mins(6)).await;
    let late = world.post(&path, &start).await;
    assert_eq!(late.problem().1, "payment_already_paid");
}

#[tokio::test]
async fn on_a_phone_an_open_code_stands_beside_the_button() {
    let world = world().await;
    let payment = world.order("T1").await;
    let mut phone = Browser::new(&world, PHONE);
    let page = phone.get(&path_of(&payment)).await;
    assert_eq!(state_of(&page), "waiting");
    assert!(page.text.contains("value=\"h5\"") && page.text.contains("<path"));
}
