//! Giving money back: taken from the merchant at once, with the payer a while later.

use std::time::Duration;

use tongbao_wire::wechat_v2::BeijingTime;

use super::fault::FaultKind;
use super::refund::{Refund, RefundAskedBy, RefundKey, RefundSource, RefundState};
use super::timer::Timer;
use super::trade::{Trade, TradeId, TradeState};
use super::wallet::WalletStatus;
use super::{Moment, Platform};
use crate::UnixMillis;

/// The most refunds of one payment.
const MOST: usize = 50;
/// How long after the payment it can be refunded.
const REFUNDABLE: Duration = Duration::from_hours(365 * 24);

/// What a merchant wants given back.
pub(super) struct NewRefund {
    pub(super) out_refund_no: String,
    pub(super) fen: u64,
    pub(super) reason: Option<String>,
    pub(super) source: RefundSource,
    pub(super) asked_by: RefundAskedBy,
    pub(super) notify_url: Option<String>,
}

/// Why money does not go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefundRefusal {
    /// There is no such order or refund.
    #[error("there is no such order, or no such refund; GET /_sim/trades lists them")]
    Unknown,
    /// Never paid, or reversed.
    #[error("the order is not one that is paid")]
    NotPaid,
    /// More than a year after the payment.
    #[error("the payment is more than a year old")]
    Overdue,
    /// All of it was given back before.
    #[error("all of it was refunded before")]
    AllRefunded,
    /// More than is left of the payment.
    #[error("more than is left of the payment")]
    TooMuch,
    /// The fifty-first.
    #[error("a payment has at most 50 refunds")]
    TooMany,
    /// Within a minute of the last one, or as the settings say.
    #[error("too soon after the order's last refund")]
    TooSoon,
    /// The merchant has less.
    #[error("the merchant's account has less than that")]
    NotEnough,
    /// The payer's account is closed.
    #[error("the payer's account is closed")]
    PayerGone,
    /// Only what is abnormal is decided on by hand.
    #[error("only a refund in CHANGE awaits a person's decision")]
    NotAbnormal,
}

/// What a person decides on a refund that could not reach the payer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundDecision {
    /// It reaches the payer another way.
    Success,
    /// The merchant gets it back.
    Closed,
}

impl RefundRefusal {
    /// A stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::NotPaid => "not_paid",
            Self::Overdue => "overdue",
            Self::AllRefunded => "all_refunded",
            Self::TooMuch => "too_much",
            Self::TooMany => "too_many",
            Self::TooSoon => "too_soon",
            Self::NotEnough => "not_enough",
            Self::PayerGone => "payer_gone",
            Self::NotAbnormal => "not_abnormal",
        }
    }
}

impl Platform {
    /// Takes the money from the merchant and sends it on its way.
    pub(super) fn refund(
        &mut self,
        at: Moment,
        id: TradeId,
        new: NewRefund,
    ) -> Result<RefundKey, RefundRefusal> {
        let trade = self.trades.get(id).ok_or(RefundRefusal::Unknown)?.clone();
        self.may_refund(at, &trade, new.fen)?;
        let funds = self.funds_of(&trade);
        if !funds.is_some_and(|funds| funds.take(new.source, new.fen)) {
            return Err(RefundRefusal::NotEnough);
        }
        let refund = Refund {
            refund_id: self.fresh_refund_id(at),
            out_refund_no: new.out_refund_no,
            fen: new.fen,
            reason: new.reason,
            source: new.source,
            asked_by: new.asked_by,
            notify_url: new.notify_url,
            created: at,
            state: RefundState::Processing,
        };
        let key = RefundKey {
            trade: id,
            place: trade.refunds.len(),
        };
        self.trades.add_refund(id, refund);
        let due = at.inside + Duration::from_secs(self.settings.refund_secs);
        self.timers.set(due, Timer::RefundDue(key));
        self.forge_refund_if_asked(at, key);
        Ok(key)
    }

    fn may_refund(&self, at: Moment, trade: &Trade, fen: u64) -> Result<(), RefundRefusal> {
        let TradeState::Success(paid) = &trade.state else {
            return Err(RefundRefusal::NotPaid);
        };
        let gap = Duration::from_secs(self.settings.refund_gap_secs);
        let too_soon = |last: &Refund| at.inside.since(last.created.inside) < gap;
        let left = trade.amount_fen - trade.refunded_fen();
        if at.inside.since(paid.at.inside) > REFUNDABLE {
            Err(RefundRefusal::Overdue)
        } else if left == 0 {
            Err(RefundRefusal::AllRefunded)
        } else if fen > left {
            Err(RefundRefusal::TooMuch)
        } else if trade.refunds.len() >= MOST {
            Err(RefundRefusal::TooMany)
        } else if self.status_of(&paid.wallet) == WalletStatus::Closed {
            Err(RefundRefusal::PayerGone)
        } else if trade.refunds.last().is_some_and(too_soon) {
            Err(RefundRefusal::TooSoon)
        } else {
            Ok(())
        }
    }

    fn status_of(&self, wallet: &str) -> WalletStatus {
        let payer = self.wallets.get(wallet);
        payer.map_or(WalletStatus::Closed, |payer| payer.status)
    }

    /// The bank has dealt with it.
    pub(super) fn on_refund_due(&mut self, at: Moment, key: RefundKey) {
        let Some(trade) = self.trades.get(key.trade) else {
            return;
        };
        let Some(refund) = trade.refunds.get(key.place) else {
            return;
        };
        if refund.state != RefundState::Processing {
            return;
        }
        let number = trade.out_trade_no.clone();
        let wallet = trade.paid().map(|paid| paid.wallet.clone());
        let mut strikes = |kind| {
            let struck = self.faults.strike(&[kind], at, None, Some(&number));
            struck.is_some()
        };
        let state = if strikes(FaultKind::CloseRefund) {
            RefundState::Closed { at }
        } else if strikes(FaultKind::AbnormalRefund)
            || self.status_of(&wallet.unwrap_or_default()) != WalletStatus::Open
        {
            RefundState::Change { at }
        } else {
            RefundState::Success { at }
        };
        self.end_refund(at, key, state);
    }

    /// A person at the merchant decides on the platform's pages what becomes of a refund that
    /// could not reach the payer.
    pub fn decide_refund(
        &mut self,
        now: UnixMillis,
        refund_id: &str,
        decision: RefundDecision,
    ) -> Result<(), RefundRefusal> {
        let at = self.moment(now);
        let key = self.trades.refund_by_id(refund_id);
        let key = key.ok_or(RefundRefusal::Unknown)?;
        let refund = self.trades.refund(key).ok_or(RefundRefusal::Unknown)?;
        if !matches!(refund.state, RefundState::Change { .. }) {
            return Err(RefundRefusal::NotAbnormal);
        }
        let state = match decision {
            RefundDecision::Success => RefundState::Success { at },
            RefundDecision::Closed => RefundState::Closed { at },
        };
        self.end_refund(at, key, state);
        Ok(())
    }

    /// A person at the merchant refunds on the platform's pages: the merchant's program never
    /// heard of it. Its end is told where the account says, if it says so.
    pub fn refund_on_pages(
        &mut self,
        now: UnixMillis,
        mch_id: &str,
        out_trade_no: &str,
        fen: u64,
    ) -> Result<Refund, RefundRefusal> {
        let at = self.moment(now);
        let trade = self.trades.by_number(mch_id, out_trade_no);
        let id = trade.ok_or(RefundRefusal::Unknown)?.id;
        let new = NewRefund {
            out_refund_no: self.chance.digits(24),
            fen,
            reason: None,
            source: RefundSource::Unsettled,
            asked_by: RefundAskedBy::Pages,
            notify_url: None,
        };
        let key = self.refund(at, id, new)?;
        let refund = self.trades.refund(key);
        refund.cloned().ok_or(RefundRefusal::Unknown)
    }

    fn end_refund(&mut self, at: Moment, key: RefundKey, state: RefundState) {
        let Some(trade) = self.trades.get_mut(key.trade) else {
            return;
        };
        let Some(refund) = trade.refunds.get_mut(key.place) else {
            return;
        };
        refund.state = state;
        let (fen, source) = (refund.fen, refund.source);
        let trade = trade.clone();
        match state {
            RefundState::Success { .. } => {
                let payer = trade.paid().map(|paid| paid.wallet.clone());
                if let Some(payer) = payer.and_then(|payer| self.wallets.get_mut(&payer)) {
                    payer.balance_fen = payer.balance_fen.saturating_add(fen);
                }
            }
            RefundState::Closed { .. } => {
                if let Some(funds) = self.funds_of(&trade) {
                    funds.give(source, fen);
                }
            }
            RefundState::Processing | RefundState::Change { .. } => {}
        }
        self.tell_refund(at, key);
    }

    /// 29 digits: `503`, eight digits, the day, ten digits.
    fn fresh_refund_id(&mut self, at: Moment) -> String {
        let day = BeijingTime::from_unix_secs(at.wall.as_secs()).map_or_else(
            || "19700101".into(),
            |time| time.to_string()[..8].to_owned(),
        );
        loop {
            let (route, number) = (self.chance.digits(8), self.chance.digits(10));
            let id = format!("503{route}{day}{number}");
            if self.trades.refund_by_id(&id).is_none() {
                return id;
            }
        }
    }
}
