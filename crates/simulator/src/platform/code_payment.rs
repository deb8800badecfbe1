//! Paying at a till: the merchant scans the person's code, and the phone may ask.

use std::time::Duration;

use super::cashier::{Prompt, Receipt, Refusal};
use super::fault::FaultKind;
use super::refund::RefundSource;
use super::timer::Timer;
use super::trade::{PayFailure, RevokedBy, Trade, TradeId, TradeState};
use super::{Moment, Platform};
use crate::UnixMillis;

/// In which a second payment of the same amount may be asked about.
const SAME_AMOUNT_WITHIN: Duration = Duration::from_mins(1);

/// What a person says to a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// Pays. Without a password here, the person types the right one.
    Accept {
        /// What is typed.
        password: Option<&'a str>,
    },
    /// Does not pay.
    Decline,
}

impl Platform {
    /// Takes the money of a code payment that was just placed, or has the phone ask for it.
    pub(super) fn charge(&mut self, at: Moment, id: TradeId, wallet: &str) {
        let Some(trade) = self.trades.get(id).cloned() else {
            return;
        };
        if self.is_asked(at, &trade, wallet) {
            let order = Some(&*trade.out_trade_no);
            self.faults
                .strike(&[FaultKind::AskPassword], at, None, order);
            let until_inside = at.inside + Duration::from_secs(self.settings.code_payment_secs);
            self.set_state(id, TradeState::UserPaying { until_inside });
            self.timers.set(until_inside, Timer::PromptEnds(id));
        } else if self.take(at, &trade, wallet).is_ok()
            && let Some(payer) = self.wallets.get_mut(wallet)
        {
            payer.count_free_payment(at);
        }
    }

    fn is_asked(&self, at: Moment, trade: &Trade, wallet: &str) -> bool {
        let by_rule = self
            .wallets
            .get(wallet)
            .is_none_or(|payer| self.asks_password(at, payer, trade));
        let paid_alike = |other: &Trade| {
            other.amount_fen == trade.amount_fen
                && other.paid().is_some_and(|paid| {
                    paid.wallet == wallet && at.inside.since(paid.at.inside) < SAME_AMOUNT_WITHIN
                })
        };
        by_rule || (self.settings.confirm_same_amount && self.trades.iter().any(paid_alike))
    }

    /// What the person's phone asks just now, the oldest question first.
    pub fn prompts(&self, wallet: &str) -> Vec<Prompt> {
        let prompt = |trade: &Trade| Prompt {
            payee: self.payee(trade),
            subject: trade.subject.clone(),
            amount_fen: trade.amount_fen,
            password_required: true,
            out_trade_no: trade.out_trade_no.clone(),
            trade_type: trade.trade_type.clone(),
        };
        self.asking(wallet).map(prompt).collect()
    }

    fn asking<'p>(&'p self, wallet: &'p str) -> impl Iterator<Item = &'p Trade> {
        self.trades.iter().filter(move |trade| {
            matches!(trade.state, TradeState::UserPaying { .. })
                && trade.scanned.as_deref() == Some(wallet)
        })
    }

    /// The person answers the prompt of a code payment: of this order, or the oldest one.
    ///
    /// The receipt of what was paid; `None` when the person declined.
    pub fn confirm(
        &mut self,
        now: UnixMillis,
        wallet: &str,
        out_trade_no: Option<&str>,
        reply: Reply<'_>,
    ) -> Result<Option<Receipt>, Refusal> {
        let at = self.moment(now);
        let payer = self.wallet(wallet)?;
        let trade = self
            .asking(wallet)
            .filter(|trade| !is_over(trade, at))
            .find(|trade| out_trade_no.is_none_or(|number| trade.out_trade_no == number))
            .ok_or(Refusal::NoPrompt)?
            .clone();
        let typed = match reply {
            Reply::Accept { password } => password.unwrap_or(&payer.password).to_owned(),
            Reply::Decline => {
                let why = PayFailure::Declined;
                self.set_state(trade.id, TradeState::PayError { at, why });
                return Ok(None);
            }
        };
        self.check_password(at, wallet, &typed)?;
        self.take(at, &trade, wallet).map(Some)
    }

    /// Takes the money, or books why it could not be taken.
    fn take(&mut self, at: Moment, trade: &Trade, wallet: &str) -> Result<Receipt, Refusal> {
        let taken = self.settle(at, trade, wallet);
        let why = match taken {
            Ok(_) => return taken,
            Err(Refusal::NotEnough { .. }) => PayFailure::NotEnough,
            Err(_) => PayFailure::AccountClosed,
        };
        self.set_state(trade.id, TradeState::PayError { at, why });
        taken
    }

    /// The platform itself undoes what nobody has answered.
    pub(super) fn on_prompt_ends(&mut self, at: Moment, id: TradeId) {
        let trade = self.trades.get(id);
        if trade.is_some_and(|trade| matches!(trade.state, TradeState::UserPaying { .. })) {
            self.revoke(at, id, RevokedBy::Timeout);
        }
    }

    /// Undoes a code payment; money that was taken goes back at once. `false` when the merchant
    /// has less than that.
    pub(super) fn revoke(&mut self, at: Moment, id: TradeId, by: RevokedBy) -> bool {
        let Some(trade) = self.trades.get(id).cloned() else {
            return false;
        };
        let paid = trade.paid().cloned();
        if let Some(paid) = &paid {
            let source = RefundSource::Unsettled;
            let funds = self.funds_of(&trade);
            if !funds.is_some_and(|funds| funds.take(source, trade.amount_fen)) {
                return false;
            }
            if let Some(payer) = self.wallets.get_mut(&paid.wallet) {
                payer.balance_fen = payer.balance_fen.saturating_add(trade.amount_fen);
            }
        }
        self.set_state(id, TradeState::Revoked { at, by, paid });
        true
    }

    fn set_state(&mut self, id: TradeId, state: TradeState) {
        if let Some(trade) = self.trades.get_mut(id) {
            trade.state = state;
        }
    }
}

/// Whether the time to answer has passed, though its timer has not been fired yet.
fn is_over(trade: &Trade, at: Moment) -> bool {
    matches!(trade.state, TradeState::UserPaying { until_inside } if until_inside <= at.inside)
}
