//! What of the page changes: one view for every way a payment can stand.

use std::collections::BTreeMap;

use jiff::tz::Offset;
use tongbao_core::merchant::Merchant;
use tongbao_core::{Action, Attempt, AttemptState, CloseReason, Payment, Scene, State, Timestamp};
use tongbao_engine::{Way, kind, kinds};

use super::reader::{Browser, Reader, WhyTheCode};
use super::text::{self, Text};
use super::wallet;
use crate::app::App;
use crate::pages::language::Language;
use crate::pages::qr::Qr;
use crate::problem::Problem;

/// How a payment stands, to its payer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing<'a> {
    /// No way of paying is open: choose one.
    Ready {
        /// The try before came to nothing.
        again: bool,
    },
    /// The channel has been asked for a code, and has not answered yet.
    Preparing(&'a Attempt),
    /// Here is the code.
    Waiting(&'a Attempt, &'a str),
    /// The reader's own wallet is a call away.
    Wallet(&'a Attempt, &'a serde_json::Value),
    /// The reader's browser can open the wallet there.
    Leaving(&'a Attempt, &'a str),
    /// It could until a while ago, and can again after asking for another way there.
    TooLate(&'a Attempt),
    /// Somebody has scanned it.
    Paying,
    /// Time is up, or the merchant closes it: whether somebody paid is not yet
    /// certain.
    Confirming,
    Paid(Timestamp),
    Closed,
    Expired,
}

impl<'a> Standing<'a> {
    pub(super) fn of(payment: &'a Payment, now: Timestamp, reader: &Reader) -> Self {
        match payment.state {
            State::Paid { at, .. } => return Self::Paid(at),
            State::Closed {
                reason: CloseReason::Expired,
                ..
            } => return Self::Expired,
            State::Closed {
                reason: CloseReason::Requested,
                ..
            } => return Self::Closed,
            State::Closing { .. } => return Self::Confirming,
            State::Created if now >= payment.expires_at => return Self::Expired,
            State::Pending if now >= payment.expires_at => return Self::Confirming,
            State::Created | State::Pending => {}
        }
        let mut open = payment
            .attempts
            .iter()
            .rev()
            .filter(|attempt| attempt.state.is_open());
        // Whoever is typing the password here may have walked away from it, and may
        // press again: it is one order, which is paid once.
        if let Some(own) = reader.own(payment) {
            return match &own.action {
                Some(Action::WechatJsapi { params }) => Self::Wallet(own, params),
                _ => Self::Preparing(own),
            };
        }
        if open
            .clone()
            .any(|attempt| attempt.state == AttemptState::UserPaying)
        {
            return Self::Paying;
        }
        if reader.browser == Browser::Phone
            && let Some(attempt) = open.clone().find(|attempt| attempt.scene == Scene::H5)
        {
            return match &attempt.action {
                Some(action) if action.is_stale(now) => Self::TooLate(attempt),
                Some(Action::Redirect { url, .. }) if is_web(url) => Self::Leaving(attempt, url),
                _ => Self::Preparing(attempt),
            };
        }
        let Some(attempt) = open.find(|attempt| attempt.scene == Scene::Native) else {
            return Self::Ready {
                again: payment.attempts.iter().any(|it| !it.state.is_open()),
            };
        };
        match &attempt.action {
            Some(Action::QrCode { code_url }) => Self::Waiting(attempt, code_url),
            Some(
                Action::WechatJsapi { .. }
                | Action::WechatApp { .. }
                | Action::Redirect { .. }
                | Action::None,
            )
            | None => Self::Preparing(attempt),
        }
    }

    /// The payer can still pay.
    const fn is_open(self) -> bool {
        match self {
            Self::Ready { .. }
            | Self::Preparing(_)
            | Self::Waiting(..)
            | Self::Wallet(..)
            | Self::Leaving(..)
            | Self::TooLate(_)
            | Self::Paying => true,
            Self::Confirming | Self::Paid(_) | Self::Closed | Self::Expired => false,
        }
    }

    /// The word in JSON and in the page.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Ready { .. } => "ready",
            Self::Preparing(_) => "preparing",
            Self::Waiting(..) => "waiting",
            Self::Wallet(..) => "wallet",
            Self::Leaving(..) => "leaving",
            Self::TooLate(_) => "too_late",
            Self::Paying => "paying",
            Self::Confirming => "confirming",
            Self::Paid(_) => "paid",
            Self::Closed => "closed",
            Self::Expired => "expired",
        }
    }
}

/// One view.
pub(super) struct Stage {
    /// The word of its standing.
    pub(super) word: &'static str,
    /// Nothing will change any more.
    pub(super) last: bool,
    /// The payer can still pay: the time that is left matters.
    pub(super) open: bool,
    pub(super) view: View,
    /// What the reader should know first.
    pub(super) note: Option<&'static str>,
    /// The wallet may be tried again.
    pub(super) may_try: bool,
}

/// A drawn code with what to do with it.
pub(super) struct Code {
    pub(super) qr: Qr,
    pub(super) help: String,
}

pub(super) enum View {
    /// A button for every way.
    Choose {
        scene: &'static str,
        ways: Vec<Button>,
        again: bool,
        /// Pressed by itself when there is only one.
        at_once: bool,
        /// A code that is open beside them.
        code: Option<Code>,
    },
    Code(Code),
    /// A button that calls the wallet around the page.
    Wallet {
        button: String,
        params: String,
    },
    /// A link into the wallet.
    Leave {
        button: String,
        url: String,
    },
    /// One sign, one heading, one line.
    Message {
        sign: Sign,
        heading: String,
        line: String,
        /// When it was paid.
        paid_at: Option<String>,
    },
}

/// A way of paying.
pub(super) struct Button {
    pub(super) channel: String,
    pub(super) label: &'static str,
    /// Its style: the wallet's own colour.
    pub(super) platform: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Busy,
    Done,
    Over,
    Problem,
}

impl Sign {
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Done => "done",
            Self::Over => "over",
            Self::Problem => "problem",
        }
    }
}

impl Stage {
    pub(super) async fn of(
        app: &App,
        payment: &Payment,
        merchant: &Merchant,
        reader: &Reader,
        language: Language,
    ) -> Result<Self, Problem> {
        let text = text::of(language);
        let standing = Standing::of(payment, app.engine.now(), reader);
        let ways = app.engine.ways_to_pay(merchant).await?;
        let by_browser = reader.browser == Browser::Phone && !refused(payment, Scene::H5);
        let into_wallet = if by_browser {
            buttons(&ways, Scene::H5, language)
        } else {
            Vec::new()
        };
        let view = match standing {
            Standing::Ready { again } if !into_wallet.is_empty() => {
                choose(Scene::H5, into_wallet, again, None)
            }
            Standing::Waiting(attempt, code_url) if !into_wallet.is_empty() => {
                let label = label(app, attempt, language).await?;
                let help = text.or_scan.replace("{}", label);
                let code = Qr::of(code_url).map(|qr| Code { qr, help });
                choose(Scene::H5, into_wallet, false, code)
            }
            Standing::Ready { again } => match buttons(&ways, Scene::Native, language) {
                none if none.is_empty() => message(Sign::Problem, text.no_way, text.no_way_line),
                ways => choose(Scene::Native, ways, again, None),
            },
            Standing::Waiting(attempt, code_url) => {
                let label = label(app, attempt, language).await?;
                let help = match reader.browser {
                    Browser::Wechat => text.press,
                    Browser::Phone => text.scan_from_elsewhere,
                    Browser::Elsewhere => text.scan,
                };
                code(code_url, &help.replace("{}", label), text)
            }
            Standing::Wallet(attempt, params) => {
                let label = label(app, attempt, language).await?;
                let amount = payment.order.amount.to_string();
                View::Wallet {
                    button: text
                        .pay_with
                        .replace("{}", label)
                        .replace("{amount}", &amount),
                    params: params.to_string(),
                }
            }
            Standing::Leaving(attempt, url) => {
                let page = app.engine.checkout_url(payment);
                View::Leave {
                    button: text
                        .open
                        .replace("{}", label(app, attempt, language).await?),
                    url: app.engine.leads_back(attempt.channel, url, &page).await?,
                }
            }
            Standing::TooLate(attempt) => {
                let button = button(app, attempt, language).await?;
                choose(Scene::H5, vec![button], false, None)
            }
            Standing::Preparing(attempt) => {
                let label = label(app, attempt, language).await?;
                message(
                    Sign::Busy,
                    text.preparing,
                    &text.preparing_line.replace("{}", label),
                )
            }
            Standing::Paying => message(Sign::Busy, text.paying, text.paying_line),
            Standing::Confirming => message(Sign::Busy, text.confirming, text.confirming_line),
            Standing::Paid(at) => View::Message {
                sign: Sign::Done,
                heading: text.paid.to_owned(),
                line: String::new(),
                paid_at: Some(date_time(at)),
            },
            Standing::Closed => message(Sign::Over, text.closed, text.closed_line),
            Standing::Expired => message(Sign::Over, text.expired, text.expired_line),
        };
        let (note, may_try) = match standing {
            Standing::TooLate(_) => (Some(text.link_over), false),
            _ => first_of_all(payment, reader, &view, &ways, text),
        };
        Ok(Self {
            note,
            may_try,
            word: standing.word(),
            last: matches!(
                standing,
                Standing::Paid(_) | Standing::Closed | Standing::Expired
            ),
            open: standing.is_open(),
            view,
        })
    }
}

/// What a reader inside the wallet is told who has to pay by a code, and whether the
/// wallet may be tried.
fn first_of_all(
    payment: &Payment,
    reader: &Reader,
    view: &View,
    ways: &[Way],
    text: &Text,
) -> (Option<&'static str>, bool) {
    let shows_code = matches!(view, View::Choose { .. } | View::Code(_));
    if reader.browser != Browser::Wechat || !shows_code {
        return (None, false);
    }
    if !ways.iter().any(|way| way.scene == Scene::Jsapi) {
        return (Some(text.no_wallet), false);
    }
    let note = match reader.code {
        Some(WhyTheCode::Failed) => Some(text.wallet_failed),
        Some(WhyTheCode::Chosen) => None,
        None if wallet::refused(payment) => Some(text.wallet_failed),
        None => reader.departure.is_some().then_some(text.wallet_stopped),
    };
    (note, true)
}

fn choose(scene: Scene, ways: Vec<Button>, again: bool, code: Option<Code>) -> View {
    // The browser goes elsewhere only when its reader wants it to.
    let at_once = scene == Scene::Native && ways.len() == 1 && !again;
    View::Choose {
        scene: scene.as_str(),
        ways,
        again,
        at_once,
        code,
    }
}

/// The channel has refused such an order before: it would again.
fn refused(payment: &Payment, scene: Scene) -> bool {
    let mut attempts = payment.attempts.iter();
    attempts.any(|it| it.scene == scene && it.state == AttemptState::Failed)
}

fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

fn code(code_url: &str, help: &str, text: &Text) -> View {
    match Qr::of(code_url) {
        Some(qr) => View::Code(Code {
            qr,
            help: help.to_owned(),
        }),
        None => message(Sign::Problem, text.no_code, text.no_code_line),
    }
}

fn message(sign: Sign, heading: &str, line: &str) -> View {
    View::Message {
        sign,
        heading: heading.to_owned(),
        line: line.to_owned(),
        paid_at: None,
    }
}

/// One button a kind of channel: to a payer, two accounts at one platform are
/// one way of paying.
fn buttons(ways: &[Way], scene: Scene, language: Language) -> Vec<Button> {
    let mut buttons = BTreeMap::new();
    let of_scene = ways.iter().filter(|way| way.scene == scene);
    for (place, way) in of_scene.enumerate() {
        let kind = kinds().iter().find(|kind| kind.label == way.label);
        let button = Button {
            channel: way.channel.to_string(),
            label: language.of(way.label),
            platform: kind.map_or("other", |kind| kind.platform),
        };
        buttons.entry(button.label).or_insert((place, button));
    }
    let mut buttons: Vec<_> = buttons.into_values().collect();
    buttons.sort_by_key(|(place, _)| *place);
    buttons.into_iter().map(|(_, button)| button).collect()
}

/// The attempt's own way again.
async fn button(app: &App, attempt: &Attempt, language: Language) -> Result<Button, Problem> {
    let account = app.engine.store().channel(attempt.channel).await?;
    let kind = account.and_then(|account| kind(&account.kind));
    Ok(Button {
        channel: attempt.channel.to_string(),
        label: kind.map_or("", |kind| language.of(kind.label)),
        platform: kind.map_or("other", |kind| kind.platform),
    })
}

/// What the payer calls the attempt's platform.
async fn label(app: &App, attempt: &Attempt, language: Language) -> Result<&'static str, Problem> {
    let account = app.engine.store().channel(attempt.channel).await?;
    let kind = account.and_then(|account| kind(&account.kind));
    Ok(kind.map_or("", |kind| language.of(kind.label)))
}

/// China has one time zone and no summer time.
const CHINA: Offset = Offset::constant(8);

fn date_time(at: Timestamp) -> String {
    in_china(at, "%Y-%m-%d %H:%M:%S")
}

/// `14:32`.
pub(super) fn clock_time(at: Timestamp) -> String {
    in_china(at, "%H:%M")
}

fn in_china(at: Timestamp, format: &str) -> String {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(instant) => CHINA.to_datetime(instant).strftime(format).to_string(),
        Err(_) => at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use tongbao_core::id::Id;
    use tongbao_core::{AttemptId, ChannelId, MerchantId, Money, Order, PaymentId};

    use super::*;

    const NOON: Timestamp = Timestamp::from_secs(1_795_233_600);

    fn payment(state: State, attempts: &[Attempt]) -> Payment {
        let order = Order {
            merchant_order_no: "T1".to_owned(),
            amount: Money::fen(1_234),
            subject: "豆浆".to_owned(),
            metadata: json!({}),
            store: None,
            return_url: None,
        };
        let (id, merchant) = (PaymentId::from_bits(1), MerchantId::from_bits(2));
        let until = NOON + Duration::from_mins(30);
        let made = Payment::create(id, merchant, order, "token".to_owned(), NOON, until);
        Payment {
            state,
            attempts: attempts.to_vec(),
            ..made.payment
        }
    }

    fn attempt(state: AttemptState, code_url: Option<&str>) -> Attempt {
        let (id, channel) = (AttemptId::from_bits(3), ChannelId::from_bits(4));
        let attempt = Attempt::new(id, "N1".to_owned(), channel, Scene::Native, NOON);
        Attempt {
            state,
            action: code_url.map(|code_url| Action::QrCode {
                code_url: code_url.to_owned(),
            }),
            ..attempt
        }
    }

    #[test]
    fn a_payer_sees_how_the_payment_stands() {
        use AttemptState::{Closed, Failed, Pending, Unknown, UserPaying};

        let later = NOON + Duration::from_mins(30);
        let asked = attempt(Unknown, None);
        let open = attempt(Pending, Some("weixin://1"));
        let asking_again = attempt(Unknown, Some("weixin://1"));
        let paying = attempt(UserPaying, Some("weixin://1"));
        let (failed, closed) = (attempt(Failed, None), attempt(Closed, Some("weixin://1")));
        let barcode = Attempt {
            scene: Scene::Barcode,
            ..attempt(Pending, None)
        };
        let paid = State::Paid {
            attempt: open.id,
            at: NOON,
        };
        let closed_for = |reason| State::Closed { reason, at: NOON };
        for (state, attempts, now, word) in [
            (State::Created, vec![], NOON, "ready"),
            (State::Pending, vec![asked.clone()], NOON, "preparing"),
            (State::Pending, vec![open.clone()], NOON, "waiting"),
            (State::Pending, vec![asking_again], NOON, "waiting"),
            (State::Pending, vec![paying], NOON, "paying"),
            (State::Pending, vec![failed.clone()], NOON, "ready"),
            (State::Pending, vec![failed, open.clone()], NOON, "waiting"),
            (
                State::Pending,
                vec![closed.clone(), asked],
                NOON,
                "preparing",
            ),
            (State::Pending, vec![barcode], NOON, "ready"),
            (State::Created, vec![], later, "expired"),
            (State::Pending, vec![open.clone()], later, "confirming"),
            (
                State::Closing {
                    reason: CloseReason::Requested,
                },
                vec![open.clone()],
                NOON,
                "confirming",
            ),
            (paid, vec![open], later, "paid"),
            (
                closed_for(CloseReason::Requested),
                vec![closed.clone()],
                NOON,
                "closed",
            ),
            (
                closed_for(CloseReason::Expired),
                vec![closed],
                later,
                "expired",
            ),
        ] {
            let payment = payment(state, &attempts);
            assert_eq!(
                Standing::of(&payment, now, &Reader::at(Browser::Elsewhere)).word(),
                word,
                "{state:?} {attempts:?}"
            );
        }
    }

    #[test]
    fn what_a_reader_sees_depends_on_where_the_page_is_open() {
        let (jsapi, h5) = (AttemptId::from_bits(5), AttemptId::from_bits(6));
        let native = attempt(AttemptState::Pending, Some("weixin://1"));
        let in_wallet = |state, known: bool| Attempt {
            id: jsapi,
            scene: Scene::Jsapi,
            action: known.then(|| Action::WechatJsapi {
                params: json!({"appId": "wx1"}),
            }),
            ..attempt(state, None)
        };
        let by_browser = |url: &str| Attempt {
            id: h5,
            scene: Scene::H5,
            action: Some(Action::Redirect {
                url: url.to_owned(),
                until: None,
            }),
            ..attempt(AttemptState::Pending, None)
        };
        let ending = |secs| Attempt {
            action: Some(Action::Redirect {
                url: "https://wx.tenpay.com/x".to_owned(),
                until: Some(NOON + Duration::from_secs(secs)),
            }),
            ..by_browser("")
        };
        let wechat = |own: Option<AttemptId>| Reader {
            attempt: own,
            ..Reader::at(Browser::Wechat)
        };
        let by_code = Reader {
            code: Some(WhyTheCode::Chosen),
            ..wechat(Some(jsapi))
        };
        let pending = in_wallet(AttemptState::Pending, true);
        let paying = in_wallet(AttemptState::UserPaying, true);
        let unknown = in_wallet(AttemptState::Unknown, false);
        let failed = in_wallet(AttemptState::Failed, false);
        let web = by_browser("https://wx.tenpay.com/x");
        let phone = Reader::at(Browser::Phone);
        for (attempts, reader, word) in [
            (vec![pending.clone()], wechat(Some(jsapi)), "wallet"),
            (vec![native.clone(), paying], wechat(Some(jsapi)), "wallet"),
            (vec![unknown], wechat(Some(jsapi)), "preparing"),
            // Another payer's order is no use to this one.
            (
                vec![native.clone(), pending.clone()],
                wechat(None),
                "waiting",
            ),
            (
                vec![native.clone(), pending.clone()],
                wechat(Some(h5)),
                "waiting",
            ),
            (vec![native.clone(), pending.clone()], by_code, "waiting"),
            (vec![native.clone(), failed], wechat(Some(jsapi)), "waiting"),
            (vec![native.clone(), web.clone()], phone.clone(), "leaving"),
            (vec![ending(300)], phone.clone(), "leaving"),
            // Whoever is sent there now arrives too late.
            (vec![native.clone(), ending(15)], phone.clone(), "too_late"),
            (vec![ending(0)], phone.clone(), "too_late"),
            (
                vec![by_browser("javascript:alert(1)")],
                phone.clone(),
                "preparing",
            ),
            (vec![native.clone(), pending], phone, "waiting"),
            (vec![native, web], Reader::at(Browser::Elsewhere), "waiting"),
        ] {
            let payment = payment(State::Pending, &attempts);
            let seen = Standing::of(&payment, NOON, &reader).word();
            assert_eq!(seen, word, "{reader:?} {attempts:?}");
        }
    }

    #[test]
    fn only_a_try_before_makes_it_another_one() {
        let again = |attempts: &[Attempt]| {
            let payment = payment(State::Pending, attempts);
            matches!(
                Standing::of(&payment, NOON, &Reader::at(Browser::Elsewhere)),
                Standing::Ready { again: true }
            )
        };
        assert!(!again(&[]));
        assert!(again(&[attempt(AttemptState::Failed, None)]));
    }

    #[test]
    fn times_are_those_of_china() {
        let late = Timestamp::from_secs(1_795_190_399);
        assert_eq!(date_time(late), "2026-11-20 23:59:59");
        assert_eq!(
            clock_time(late + std::time::Duration::from_secs(1)),
            "00:00"
        );
    }
}
