//! The state machine behind every face.

pub mod account;
pub mod cashier;
pub mod client_call;
pub mod code_payment;
pub mod fault;
mod frequency;
pub mod journal;
mod login;
pub mod notification;
mod pace;
pub mod payment_code;
pub mod refund;
pub mod refunding;
pub mod response;
pub mod settings;
mod timer;
pub mod trade;
mod trades;
pub mod wallet;
mod wechat_openid;
mod wechat_v2;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};

use crate::UnixMillis;
use crate::chance::Chance;
use account::{Account, Funds, TestKey};
use fault::{Fault, FaultId, FaultKind, Faults, NewFault};
use frequency::Frequency;
use journal::{Entry, Journal};
use login::LoginCodes;
use notification::{Notification, NotificationId, Notifications, Outgoing};
pub use pace::Moment;
use pace::Pace;
use payment_code::PaymentCodes;
use refund::{Refund, RefundState};
use response::{WireResponse, front_page, no_certificate, respond};
use settings::Settings;
use timer::{Timer, Timers};
use trade::{Trade, TradeState};
use trades::Trades;
use wallet::{Wallet, WalletPlatform};

/// The payment platforms with their books, their people and their faults.
///
/// Deterministic: the same seed and the same calls give the same bytes. Serialized it is a
/// snapshot, from which it goes on as if nothing had happened.
#[derive(Debug, Serialize, Deserialize)]
pub struct Platform {
    settings: Settings,
    pace: Pace,
    chance: Chance,
    accounts: BTreeMap<String, Account>,
    wallets: BTreeMap<String, Wallet>,
    trades: Trades,
    payment_codes: PaymentCodes,
    login_codes: LoginCodes,
    notifications: Notifications,
    /// Notifications that wait for another one to go first.
    held_back: Vec<NotificationId>,
    faults: Faults,
    frequency: Frequency,
    journal: Journal,
    timers: Timers,
}

/// An extension of a request that came over TLS. Without it, the request came over plain HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secured {
    /// The merchant whose certificate the client has shown.
    pub certificate_of: Option<String>,
}

/// What a path belongs to.
#[derive(Clone, Copy, Debug)]
enum Service {
    WechatV2(wechat_v2::Operation),
    WechatOpenid(wechat_openid::Exchange),
}

impl Service {
    fn at(path: &str) -> Option<Self> {
        let openid = || wechat_openid::Exchange::at(path).map(Self::WechatOpenid);
        let operation = wechat_v2::Operation::at(path).map(Self::WechatV2);
        operation.or_else(openid)
    }

    const fn faults(self) -> &'static [FaultKind] {
        match self {
            Self::WechatV2(operation) => operation.faults(),
            Self::WechatOpenid(_) => &FaultKind::OF_REQUESTS,
        }
    }
}

/// The platform's own truth, for tests to hold other books against.
#[derive(Debug)]
pub struct Books<'a> {
    trades: &'a Trades,
    /// By number.
    pub accounts: &'a BTreeMap<String, Account>,
    /// By id.
    pub wallets: &'a BTreeMap<String, Wallet>,
}

impl Platform {
    /// With the ready-made account, `alice` and `bob`.
    ///
    /// A seed that was used before gives the same `transaction_id`s again on the same day: a
    /// program that starts without a snapshot should choose a new one.
    #[expect(
        clippy::missing_panics_doc,
        reason = "the ready-made people keep the rules"
    )]
    pub fn new(seed: u64) -> Self {
        let mut platform = Self {
            settings: Settings::default(),
            pace: Pace::default(),
            chance: Chance::new(seed),
            accounts: BTreeMap::new(),
            wallets: BTreeMap::new(),
            trades: Trades::default(),
            payment_codes: PaymentCodes::default(),
            login_codes: LoginCodes::default(),
            notifications: Notifications::default(),
            held_back: Vec::new(),
            faults: Faults::default(),
            frequency: Frequency::default(),
            journal: Journal::default(),
            timers: Timers::default(),
        };
        platform.add_account(Account::ready_made());
        let people = [
            (
                "alice",
                WalletPlatform::Wechat,
                "oTongbaoSimulatorAlice000001",
            ),
            ("bob", WalletPlatform::Alipay, "2088000000000002"),
        ];
        for (id, kind, openid) in people {
            let wallet = Wallet::new(id, kind, openid, 1_000_000, "123456")
                .expect("the ready-made people keep the rules");
            platform.wallets.insert(id.to_owned(), wallet);
        }
        platform
    }

    /// Another merchant; one of the same number is replaced.
    pub fn add_account(&mut self, account: Account) {
        self.accounts.insert(account.mch_id.clone(), account);
    }

    /// Takes a merchant's request. The effects are there when this returns, whatever becomes of
    /// the response.
    pub fn handle(&mut self, now: UnixMillis, request: &Request<Bytes>) -> WireResponse {
        let at = self.moment(now);
        let path = request.uri().path();
        let Some(service) = Service::at(path) else {
            return WireResponse::now(front_page(StatusCode::NOT_FOUND));
        };
        let fields = wechat_v2::Fields::read(request.body());
        let order = wechat_v2::order_named_in(self, fields.as_ref().ok());
        let slow = self
            .faults
            .strike(&[FaultKind::Slow], at, Some(path), order.as_deref());
        let fault = self
            .faults
            .strike(service.faults(), at, Some(path), order.as_deref());
        let kind = fault.as_ref().map(|fault| fault.asked.kind);
        let mut entry = Entry {
            at: at.wall,
            path: path.to_owned(),
            out_trade_no: order,
            outcome: String::new(),
            hint: None,
            fault: kind
                .or(slow.as_ref().map(|_| FaultKind::Slow))
                .map(|kind| kind.as_str().into()),
        };
        let delay = slow.map(|fault| fault.delay()).unwrap_or_default();
        let response = self.respond(at, service, request, fields, fault.as_ref(), &mut entry);
        self.journal.push(entry);
        response.delayed(delay)
    }

    fn respond(
        &mut self,
        at: Moment,
        service: Service,
        request: &Request<Bytes>,
        fields: Result<wechat_v2::Fields<'_>, wechat_v2::XmlError>,
        fault: Option<&Fault>,
        entry: &mut Entry,
    ) -> WireResponse {
        let kind = fault.map(|fault| fault.asked.kind);
        match kind {
            Some(FaultKind::RefuseConnection) => return WireResponse::Refused,
            Some(FaultKind::Http500) => {
                return WireResponse::now(front_page(StatusCode::INTERNAL_SERVER_ERROR));
            }
            _ => {}
        }
        if let Service::WechatV2(operation) = service
            && operation.needs_certificate()
            && !self.has_certificate(request)
        {
            "no client certificate".clone_into(&mut entry.outcome);
            return WireResponse::now(no_certificate());
        }
        let response = match service {
            Service::WechatV2(operation) => {
                let answer = wechat_v2::answer(self, at, operation, request, fields, fault);
                entry.outcome = answer.outcome;
                entry.hint = answer.hint;
                respond(StatusCode::OK, "text/xml; charset=utf-8", answer.body)
            }
            Service::WechatOpenid(exchange) => {
                let (body, outcome) = wechat_openid::answer(self, at, exchange, request, fault);
                entry.outcome = outcome;
                respond(StatusCode::OK, "text/plain", body)
            }
        };
        match kind {
            Some(FaultKind::NoAnswer) => WireResponse::Dropped {
                delay: Duration::ZERO,
            },
            Some(FaultKind::GarbageAnswer) => WireResponse::now(respond(
                StatusCode::OK,
                "text/html",
                "<html><body>系统繁忙，请稍后再试",
            )),
            _ => WireResponse::now(response),
        }
    }

    /// Over plain HTTP there is none, and it may be done without.
    fn has_certificate(&self, request: &Request<Bytes>) -> bool {
        match request.extensions().get::<Secured>() {
            Some(secured) => secured.certificate_of.is_some(),
            None => !self.settings.certificate_over_http,
        }
    }

    /// When [`fire`](Self::fire) has something to do, on the clock that `now` is read from.
    /// `None` when nothing is planned, or the platform's time stands still.
    pub fn next_due(&self) -> Option<UnixMillis> {
        self.pace.wall_of(self.timers.next_due()?)
    }

    /// Does what is due by now, and hands out the notifications to be sent.
    pub fn fire(&mut self, now: UnixMillis) -> Vec<Outgoing> {
        let at = self.moment(now);
        let mut outgoing = Vec::new();
        while let Some(timer) = self.timers.pop_due(at.inside) {
            match timer {
                Timer::CloseUnpaid(trade) => self.on_close_unpaid(at, trade),
                Timer::PromptEnds(trade) => self.on_prompt_ends(at, trade),
                Timer::RefundDue(refund) => self.on_refund_due(at, refund),
                Timer::Notify(notification) => outgoing.extend(self.on_notify(at, notification)),
                Timer::AnswerDeadline(try_id) => self.on_answer_deadline(at, try_id),
            }
        }
        outgoing
    }

    /// Both clocks at this instant.
    pub fn moment(&self, now: UnixMillis) -> Moment {
        self.pace.at(now)
    }

    /// Moves the platform's time forward; what falls due is done by the next
    /// [`fire`](Self::fire).
    pub fn advance(&mut self, by: Duration) {
        self.pace.advance(by);
    }

    /// Seconds of the platform's time in one second outside: 1 as usual, 0 to move it by hand.
    pub fn set_speed(&mut self, now: UnixMillis, speed: u32) {
        self.pace.set_speed(now, speed);
    }

    /// As set by [`set_speed`](Self::set_speed).
    pub fn speed(&self) -> u32 {
        self.pace.speed()
    }

    /// The platform's habits.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// New habits; what is planned already stays planned.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Switches a fault on. A forgery about one order that is there and unpaid is sent at once;
    /// any other awaits the next order that fits.
    pub fn add_fault(&mut self, now: UnixMillis, asked: NewFault) -> FaultId {
        let at = self.moment(now);
        let forged = (asked.kind == FaultKind::ForgedNotification)
            .then(|| asked.out_trade_no.clone())
            .flatten();
        let id = self.faults.switch_on(at, asked);
        let victim = forged.and_then(|number| {
            let fits = |trade: &&Trade| trade.out_trade_no == number && trade.is_open(at);
            self.trades.iter().find(fits).map(|trade| trade.id)
        });
        if let Some(victim) = victim {
            self.forge_if_asked(at, victim);
        }
        id
    }

    /// Switches a fault off; `false` when there is none of this id.
    pub fn remove_fault(&mut self, id: FaultId) -> bool {
        self.faults.switch_off(id)
    }

    /// Switches all faults off.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// One fault.
    pub fn fault(&self, id: FaultId) -> Option<&Fault> {
        self.faults.get(id)
    }

    /// The faults that were switched on, those that have spent themselves included.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter()
    }

    /// All notifications, the oldest first.
    pub fn notifications(&self) -> impl DoubleEndedIterator<Item = &Notification> {
        self.notifications.iter()
    }

    /// The last requests, the oldest first.
    pub fn journal(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.journal.iter()
    }

    /// The platform's own books.
    pub fn truth(&self) -> Books<'_> {
        Books {
            trades: &self.trades,
            accounts: &self.accounts,
            wallets: &self.wallets,
        }
    }

    /// Where refunds are told of that do not say so themselves; `false` when there is no such
    /// merchant.
    pub fn set_refund_notify_url(&mut self, mch_id: &str, url: Option<String>) -> bool {
        let account = self.accounts.get_mut(mch_id);
        account
            .map(|account| account.refund_notify_url = url)
            .is_some()
    }

    /// Another key for API v2 from now on, as it is set in the merchant platform: what was signed
    /// before stays as it was. `false` when there is no such merchant.
    pub fn set_api_v2_key(&mut self, mch_id: &str, key: &str) -> bool {
        let account = self.accounts.get_mut(mch_id);
        account
            .map(|account| account.api_v2_key = TestKey(key.to_owned()))
            .is_some()
    }

    /// The merchant's money is moved from the platform to the bank or back; `false` when there is
    /// less, or no such merchant.
    pub fn move_funds(&mut self, mch_id: &str, change: impl FnOnce(&mut Funds) -> bool) -> bool {
        let mut accounts = self.accounts.values_mut();
        let funds = accounts.find_map(|account| {
            let own = account.mch_id == mch_id;
            account.funds_of((!own).then_some(mch_id))
        });
        funds.is_some_and(change)
    }
}

impl<'a> Books<'a> {
    /// All trades, the oldest first.
    pub fn trades(&self) -> impl DoubleEndedIterator<Item = &'a Trade> + use<'a> {
        self.trades.iter()
    }

    /// One merchant's order.
    pub fn trade(&self, mch_id: &str, out_trade_no: &str) -> Option<&'a Trade> {
        self.trades.by_number(mch_id, out_trade_no)
    }

    /// An order by its code or prepay id, those that have ended included.
    pub fn trade_of_handle(&self, handle: &str) -> Option<&'a Trade> {
        self.trades.by_handle(handle)
    }

    /// Every refund with its order, by order.
    pub fn refunds(&self) -> impl Iterator<Item = (&'a Trade, &'a Refund)> + use<'a> {
        self.trades()
            .flat_map(|trade| trade.refunds.iter().map(move |refund| (trade, refund)))
    }

    /// Fen in all wallets, with all merchants and between them: nothing that happens changes it.
    pub fn total_fen(&self) -> u64 {
        let people: u64 = self.wallets.values().map(|wallet| wallet.balance_fen).sum();
        let merchants: u64 = self.funds().map(Funds::total_fen).sum();
        let transit = self.refunds().filter(|(_, refund)| refund.is_in_transit());
        people + merchants + transit.map(|(_, refund)| refund.fen).sum::<u64>()
    }

    /// Fen received for orders that are paid, and not given back.
    pub fn kept_fen(&self) -> u64 {
        let paid = |trade: &&Trade| matches!(trade.state, TradeState::Success(_));
        self.trades()
            .filter(paid)
            .map(|trade| trade.amount_fen - trade.refunded_fen())
            .sum()
    }

    fn funds(&self) -> impl Iterator<Item = &'a Funds> + use<'a> {
        self.accounts.values().flat_map(|account| {
            let subs = account.sub_merchants.iter().map(|sub| &sub.funds);
            std::iter::once(&account.funds).chain(subs)
        })
    }

    /// Holds every balance against the payments and refunds that led to it. `Err` names the first
    /// that does not follow from them.
    pub fn check(&self) -> Result<(), String> {
        for wallet in self.wallets.values() {
            let paid_by =
                |trade: &&Trade| trade.paid().is_some_and(|paid| paid.wallet == wallet.id);
            let (mut paid, mut returned) = (0, 0);
            for trade in self.trades().filter(paid_by) {
                let arrived =
                    |refund: &&Refund| matches!(refund.state, RefundState::Success { .. });
                let refunds = trade.refunds.iter().filter(arrived);
                paid += trade.amount_fen;
                returned += refunds.map(|refund| refund.fen).sum::<u64>();
            }
            if wallet.balance_fen + paid != wallet.opening_fen() + returned {
                return Err(format!("wallet {}", wallet.id));
            }
        }
        for account in self.accounts.values() {
            self.check_funds(&account.funds, &account.mch_id)?;
            for sub in &account.sub_merchants {
                self.check_funds(&sub.funds, &sub.sub_mch_id)?;
            }
        }
        Ok(())
    }

    fn check_funds(&self, funds: &Funds, number: &str) -> Result<(), String> {
        let of = |trade: &&Trade| trade.payee() == number && trade.paid().is_some();
        let of = self.trades().filter(of);
        let kept: u64 = of
            .map(|trade| trade.amount_fen - trade.refunded_fen())
            .sum();
        if funds.total_fen() == funds.opening_fen() + kept {
            Ok(())
        } else {
            Err(format!("merchant {number}"))
        }
    }
}
