//! What the page shows, made of the platform's books.

use askama::Template;

use super::lang::Lang;
use super::qr::Qr;
use super::text::Text;
use super::{print, words};
use crate::{
    Fault, FaultId, FaultKind, Moment, Notification, NotificationKind, NotificationState, Outcome,
    Platform, Prompt, Refusal, Target, Trade, TradeState, Try, UnixMillis, Wallet, WalletPlatform,
};

/// Outcomes of requests that are no refusal.
const GOOD: [&str; 7] = [
    "SUCCESS",
    "NOTPAY",
    "CLOSED",
    "USERPAYING",
    "PAYERROR",
    "REVOKED",
    "REFUND",
];
/// Of each list, the newest are enough to look at.
const LISTED: usize = 12;

/// The whole page.
#[derive(Template)]
#[template(path = "phone/page.html")]
pub(super) struct Page {
    pub(super) live: Live,
    pub(super) screen: Screen,
}

/// The parts that change by themselves, each with the id it has in the page.
#[derive(Template)]
#[template(path = "phone/live.html")]
pub(super) struct Fresh {
    pub(super) live: Live,
}

/// What both are made of.
pub(super) struct Live {
    lang: Lang,
    t: &'static Text,
    people: Vec<Person>,
    wallet: Person,
    /// The time on the phone.
    clock: String,
    codes: Vec<Offer>,
    /// Code payments that wait for this person.
    asks: Vec<Ask>,
    time: Time,
    faults: Vec<FaultRow>,
    fault_groups: Vec<FaultGroup>,
    trades: Vec<TradeRow>,
    notifications: Vec<NotificationRow>,
    requests: Vec<RequestRow>,
}

/// What the phone's screen shows.
pub(super) enum Screen {
    Home,
    Prompt(PromptScreen),
    Receipt(ReceiptScreen),
    /// What is shown at a till; `None` when the last one was used or has expired.
    Code(Option<CodeScreen>),
    Refused {
        why: String,
    },
}

pub(super) struct CodeScreen {
    digits: String,
    until: String,
    qr: Option<Qr>,
}

pub(super) struct PromptScreen {
    payee: String,
    initial: String,
    subject: String,
    amount: String,
    out_trade_no: String,
    /// Name and value of the form's field that says what is paid.
    target: (&'static str, String),
    error: Option<String>,
}

pub(super) struct ReceiptScreen {
    payee: String,
    subject: String,
    amount: String,
    paid_at: String,
    transaction_id: String,
    balance: String,
}

struct Person {
    id: String,
    initial: String,
    platform: &'static str,
    is_wechat: bool,
    balance: String,
    password: String,
}

/// An order whose code waits to be scanned.
struct Offer {
    /// Name and value in the link.
    target: (&'static str, String),
    trade_type: String,
    subject: String,
    out_trade_no: String,
    amount: String,
    until: String,
}

struct Ask {
    payee: String,
    subject: String,
    amount: String,
    out_trade_no: String,
}

/// Who reads a page that asks for an authorization.
#[derive(Template)]
#[template(path = "phone/readers.html")]
pub(super) struct Readers {
    pub(super) lang: Lang,
    pub(super) title: &'static str,
    pub(super) app_id: String,
    pub(super) people: Vec<Reader>,
}

pub(super) struct Reader {
    pub(super) id: String,
    pub(super) initial: String,
    pub(super) link: String,
}

struct Time {
    now: String,
    /// Empty when nobody has moved it.
    ahead: String,
    /// Value, label, and whether it is this one.
    speeds: Vec<(u32, String, bool)>,
}

struct FaultRow {
    id: u64,
    word: &'static str,
    what: &'static str,
    /// What it is aimed at.
    aim: String,
    hits: u32,
    on: bool,
}

struct FaultGroup {
    label: &'static str,
    kinds: Vec<(&'static str, &'static str)>,
}

struct TradeRow {
    out_trade_no: String,
    subject: String,
    amount: String,
    time: String,
    word: &'static str,
    state: &'static str,
    refunds: Vec<RefundRow>,
}

struct RefundRow {
    out_refund_no: String,
    amount: String,
    word: &'static str,
    state: &'static str,
}

struct NotificationRow {
    id: u64,
    out_trade_no: String,
    url: String,
    lie: Option<&'static str>,
    word: &'static str,
    state: &'static str,
    next: Option<String>,
    body: String,
    tries: Vec<TryRow>,
}

struct TryRow {
    number: u32,
    time: String,
    word: &'static str,
    verdict: &'static str,
    status: Option<u16>,
    reason: Option<String>,
    answer: Option<String>,
}

struct RequestRow {
    time: String,
    path: String,
    out_trade_no: Option<String>,
    outcome: String,
    good: bool,
    hint: Option<String>,
    fault: Option<String>,
}

/// Who holds the phone: the person asked for, or the first one who could pay.
pub(super) fn whose_phone(platform: &Platform, asked: Option<&str>, to_pay: bool) -> String {
    let wallets = platform.truth().wallets;
    let first = wallets
        .values()
        .find(|wallet| !to_pay || wallet.platform == WalletPlatform::Wechat);
    asked
        .filter(|id| wallets.contains_key(*id))
        .or(first.map(|wallet| &*wallet.id))
        .unwrap_or_default()
        .to_owned()
}

/// What this person paid; the home screen when it was not this person.
pub(super) fn receipt(
    platform: &Platform,
    now: UnixMillis,
    wallet: &str,
    transaction_id: &str,
) -> Screen {
    let books = platform.truth();
    let of_this = |trade: &&Trade| {
        trade
            .paid()
            .is_some_and(|paid| paid.transaction_id == transaction_id && paid.wallet == wallet)
    };
    let Some(trade) = books.trades().rev().find(of_this) else {
        return Screen::Home;
    };
    let paid_at = trade.paid().map_or(now, |paid| paid.at.inside);
    let balance = books.wallets.get(wallet).map_or(0, |w| w.balance_fen);
    Screen::Receipt(ReceiptScreen {
        payee: platform.payee(trade),
        subject: trade.subject.clone(),
        amount: print::yuan(trade.amount_fen),
        paid_at: print::date_time(paid_at),
        transaction_id: transaction_id.to_owned(),
        balance: print::yuan(balance),
    })
}

impl Screen {
    pub(super) fn prompt(prompt: Prompt, target: &Target, error: Option<String>) -> Self {
        Self::Prompt(PromptScreen {
            initial: initial(&prompt.payee),
            payee: prompt.payee,
            subject: prompt.subject,
            amount: print::yuan(prompt.amount_fen),
            out_trade_no: prompt.out_trade_no,
            target: match target {
                Target::CodeUrl(code_url) => ("code", code_url.clone()),
                Target::PrepayId(prepay_id) => ("prepay_id", prepay_id.clone()),
            },
            error,
        })
    }

    pub(super) fn refused(refusal: &Refusal, lang: Lang) -> Self {
        Self::Refused {
            why: words::refusal(refusal, lang),
        }
    }
}

impl Live {
    pub(super) fn of(platform: &Platform, now: UnixMillis, lang: Lang, wallet: &str) -> Self {
        let at = platform.moment(now);
        let books = platform.truth();
        let mut people: Vec<_> = books
            .wallets
            .values()
            .map(|wallet| Person::of(wallet, lang))
            .collect();
        people.sort_by_key(|person| !person.is_wechat);
        let wallet = books.wallets.get(wallet).or(books.wallets.values().next());
        let payer = wallet;
        let wallet = wallet.map_or_else(Person::nobody, |wallet| Person::of(wallet, lang));
        let codes = if wallet.is_wechat {
            let newest_first = books.trades().rev();
            let open = newest_first.filter_map(|trade| Offer::of(trade, at, payer?));
            open.take(LISTED).collect()
        } else {
            Vec::new()
        };
        let asks = asks(platform, &wallet.id);
        Self {
            lang,
            t: Text::of(lang),
            people,
            wallet,
            clock: print::clock(at.inside),
            asks,
            codes,
            time: Time::of(platform, at, lang),
            faults: platform
                .faults()
                .map(|fault| FaultRow::of(fault, at, lang))
                .collect(),
            fault_groups: fault_groups(lang),
            trades: books
                .trades()
                .rev()
                .take(LISTED)
                .map(|trade| TradeRow::of(trade, lang))
                .collect(),
            notifications: platform
                .notifications()
                .rev()
                .take(LISTED)
                .map(|notification| NotificationRow::of(notification, lang))
                .collect(),
            requests: platform
                .journal()
                .rev()
                .take(LISTED)
                .map(|entry| RequestRow {
                    time: print::time(entry.at),
                    path: entry.path.clone(),
                    out_trade_no: entry.out_trade_no.clone(),
                    good: GOOD.contains(&&*entry.outcome),
                    outcome: entry.outcome.clone(),
                    hint: entry.hint.clone(),
                    fault: entry.fault.clone(),
                })
                .collect(),
        }
    }
}

impl Person {
    fn of(wallet: &Wallet, lang: Lang) -> Self {
        Self {
            id: wallet.id.clone(),
            initial: initial(&wallet.id),
            platform: words::wallet(wallet.platform, lang),
            is_wechat: wallet.platform == WalletPlatform::Wechat,
            balance: print::yuan(wallet.balance_fen),
            password: wallet.password.clone(),
        }
    }

    fn nobody() -> Self {
        Self {
            id: String::new(),
            initial: String::new(),
            platform: "",
            is_wechat: false,
            balance: print::yuan(0),
            password: String::new(),
        }
    }
}

impl Offer {
    fn of(trade: &Trade, at: Moment, payer: &Wallet) -> Option<Self> {
        let prepay = trade.prepay.as_ref()?;
        let target = match &prepay.code_url {
            Some(code_url) => ("code", code_url.clone()),
            None => ("prepay_id", prepay.prepay_id.clone()),
        };
        let only = trade.openid.as_ref();
        if only.is_some_and(|only| *only != payer.openid_in(&trade.app_id)) {
            return None;
        }
        let until = prepay.until_inside;
        let until = trade
            .expires_inside
            .map_or(until, |expires| expires.min(until));
        (trade.is_open(at) && at.inside < until).then(|| Self {
            target,
            trade_type: trade.trade_type.to_string(),
            subject: trade.subject.clone(),
            out_trade_no: trade.out_trade_no.clone(),
            amount: print::yuan(trade.amount_fen),
            until: print::clock(until),
        })
    }
}

impl Time {
    fn of(platform: &Platform, at: Moment, lang: Lang) -> Self {
        let ahead = at.inside.since(at.wall).as_secs();
        let (days, hours) = (ahead / 86_400, ahead / 3600 % 24);
        let (minutes, seconds) = (ahead / 60 % 60, ahead % 60);
        let units = lang.of([["天", "小时", "分", "秒"], ["d", "h", "m", "s"]]);
        let parts = [days, hours, minutes, seconds].into_iter().zip(units);
        let ahead: Vec<_> = parts
            .filter(|(number, _)| *number > 0)
            .map(|(number, unit)| format!("{number} {unit}"))
            .collect();
        Self {
            now: print::date_time(at.inside),
            ahead: ahead.join(" "),
            speeds: [0, 1, 60, 3600]
                .map(|speed| (speed, words::speed(speed, lang), speed == platform.speed()))
                .into(),
        }
    }
}

impl FaultRow {
    fn of(fault: &Fault, at: Moment, lang: Lang) -> Self {
        let FaultId(id) = fault.id;
        let aims = [&fault.asked.path, &fault.asked.out_trade_no];
        let aims: Vec<_> = aims.into_iter().flatten().map(String::as_str).collect();
        Self {
            id,
            word: fault.asked.kind.as_str(),
            what: words::fault(fault.asked.kind, lang),
            aim: aims.join(" · "),
            hits: fault.hits,
            on: fault.is_on(at),
        }
    }
}

impl TradeRow {
    fn of(trade: &Trade, lang: Lang) -> Self {
        let word = trade.word();
        let time = match &trade.state {
            TradeState::NotPay | TradeState::UserPaying { .. } => trade.created,
            TradeState::Success(paid) => paid.at,
            TradeState::Closed { at, .. }
            | TradeState::PayError { at, .. }
            | TradeState::Revoked { at, .. } => *at,
        };
        Self {
            out_trade_no: trade.out_trade_no.clone(),
            subject: trade.subject.clone(),
            amount: print::yuan(trade.amount_fen),
            time: print::time(time.inside),
            word,
            state: words::state(word, lang),
            refunds: trade
                .refunds
                .iter()
                .map(|refund| RefundRow {
                    out_refund_no: refund.out_refund_no.clone(),
                    amount: print::yuan(refund.fen),
                    word: refund.state.word(),
                    state: words::refund(refund.state.word(), lang),
                })
                .collect(),
        }
    }
}

impl NotificationRow {
    fn of(notification: &Notification, lang: Lang) -> Self {
        let word = match (notification.kind, notification.state) {
            (NotificationKind::Forged, NotificationState::Accepted) => "believed",
            (_, state) => state.word(),
        };
        let next = match notification.state {
            NotificationState::Waiting(due) => Some(print::time(due)),
            NotificationState::Sent | NotificationState::Accepted | NotificationState::GivenUp => {
                None
            }
        };
        Self {
            id: notification.id.0,
            out_trade_no: notification.out_trade_no.clone(),
            url: notification.url.clone(),
            lie: words::notification_kind(notification.kind, lang),
            word,
            state: words::notification_state(word, lang),
            next,
            body: notification.body.clone(),
            tries: notification
                .tries
                .iter()
                .map(|try_| TryRow::of(try_, lang))
                .collect(),
        }
    }
}

impl TryRow {
    fn of(try_: &Try, lang: Lang) -> Self {
        let word = try_.verdict();
        let (status, reason, answer) = match &try_.outcome {
            Some(Outcome::Answered {
                status,
                excerpt,
                verdict,
            }) => (
                Some(*status),
                verdict.clone().err(),
                Some(excerpt.clone()).filter(|excerpt| !excerpt.is_empty()),
            ),
            Some(Outcome::NoAnswer { why }) => (None, Some(why.clone()), None),
            Some(Outcome::Lost) | None => (None, None, None),
        };
        Self {
            number: try_.number,
            time: print::time(try_.sent.inside),
            word,
            verdict: words::verdict(word, lang),
            status,
            reason,
            answer,
        }
    }
}

fn asks(platform: &Platform, wallet: &str) -> Vec<Ask> {
    let prompts = platform.prompts(wallet).into_iter();
    prompts
        .map(|prompt| Ask {
            payee: prompt.payee,
            subject: prompt.subject,
            amount: print::yuan(prompt.amount_fen),
            out_trade_no: prompt.out_trade_no,
        })
        .collect()
}

/// What befalls people's money, and no message.
fn is_of_people(kind: FaultKind) -> bool {
    let of_people = [
        FaultKind::AskPassword,
        FaultKind::AbnormalRefund,
        FaultKind::CloseRefund,
    ];
    of_people.contains(&kind)
}

/// The newest code that a till could still use.
pub(super) fn code(platform: &Platform, now: UnixMillis, wallet: &str) -> Screen {
    let codes = platform.live_codes(now, wallet);
    Screen::Code(codes.last().map(|code| CodeScreen {
        digits: grouped(&code.digits),
        until: print::time(code.until_inside),
        qr: Qr::of(&code.digits),
    }))
}

/// By four, as wallets print them.
fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && place % 4 == 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

fn fault_groups(lang: Lang) -> Vec<FaultGroup> {
    let t = Text::of(lang);
    let group = |label, fits: fn(FaultKind) -> bool| FaultGroup {
        label,
        kinds: FaultKind::ALL
            .into_iter()
            .filter(|kind| fits(*kind))
            .map(|kind| (kind.as_str(), words::fault(kind, lang)))
            .collect(),
    };
    let of_notifications = |kind: FaultKind| kind.as_str().ends_with("_notification");
    vec![
        group(t.of_requests, |kind| {
            !kind.as_str().ends_with("_notification") && !is_of_people(kind)
        }),
        group(t.of_notifications, of_notifications),
        group(t.of_people, is_of_people),
    ]
}

pub(super) fn initial(name: &str) -> String {
    name.chars().take(1).flat_map(char::to_uppercase).collect()
}
