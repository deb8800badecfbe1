//! Somebody without a key, or with one that has leaked, who sends what looks like
//! good news; who has overheard what the platform once sent; and another of those
//! for whom a service provider acts, under the same key.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tongbao_core::channel::Confirm;
use tongbao_core::{Attempt, Payment, Refund};
use tongbao_simulator::{Outgoing, TryId};

use super::World;
use super::account::Account;
use super::network::{NOBODYS, channel_of, sha256};
use crate::forgery;

/// So many messages are kept to be sent again.
const OVERHEARD: usize = 16;

impl World {
    /// One message, invented or sent again.
    pub(super) fn attacker_acts(&mut self) {
        let overheard = self.overheard.len();
        let neighbour = self.plan.provider && self.chance.percent(40);
        let of_a_neighbour = neighbour.then(|| self.of_a_neighbour()).flatten();
        let request = if let Some(request) = of_a_neighbour {
            request
        } else if overheard > 0 && self.chance.percent(20) {
            self.overheard[self.chance.index(overheard)].clone()
        } else {
            let Some(forged) = self.forge() else { return };
            forged
        };
        self.sends_to_us(request);
    }

    fn sends_to_us(&mut self, request: Request<Bytes>) {
        self.kernel.count(true);
        let id = TryId {
            notification: NOBODYS,
            number: 0,
        };
        let outgoing = Outgoing {
            id,
            request,
            answer_within: Duration::from_secs(5),
        };
        self.notifies(outgoing, true);
    }

    /// Good news under a key that was good once.
    pub(super) fn old_key_is_tried(&mut self) {
        let accounts = self.accounts.clone();
        let ended = accounts.iter().filter(|one| self.has_ended(one));
        let ended: Vec<_> = ended.collect();
        let of_one = |attempt: &Attempt| {
            let mut ended = ended.iter();
            ended.find(|one| one.channel == attempt.channel).copied()
        };
        let (mut attempts, mut refunds) = (self.attempts(), self.refunds());
        attempts.retain(|attempt| of_one(attempt).is_some());
        refunds.retain(|(attempt, _)| of_one(attempt).is_some());
        let Some(attempt) = attempts.get(self.chance.index(attempts.len())) else {
            return;
        };
        let refund = refunds.get(self.chance.index(refunds.len()));
        let refund = refund.filter(|_| self.chance.percent(30));
        let attempt = refund.map_or(attempt, |(attempt, _)| attempt);
        let Some(account) = of_one(attempt) else {
            return;
        };
        let request = self.good_news(account, attempt, refund.map(|(_, refund)| refund));
        let request = self.not_to_be_believed(request);
        self.sends_to_us(request);
    }

    /// In this account's name and under its first key.
    fn good_news(
        &mut self,
        account: &Account,
        attempt: &Attempt,
        refund: Option<&Refund>,
    ) -> Request<Bytes> {
        let (chance, whose, key) = (&mut self.chance, account.merchants(), Some(&*account.key));
        match refund {
            Some(refund) => forgery::refund_notification(chance, whose, attempt, refund, key),
            None => forgery::notification(chance, whose, attempt, key),
        }
    }

    /// Somebody listens: the last messages, and one of the first.
    pub(super) fn overhear(&mut self, request: &Request<Bytes>) {
        if self.plan.attacks == 0 {
            return;
        }
        if self.overheard.len() == OVERHEARD {
            self.overheard.remove(1);
        }
        self.overheard.push(request.clone());
    }

    fn attempts(&self) -> Vec<Attempt> {
        let tables = self.gateway.tables();
        let payments = tables.payments.values();
        payments.flat_map(|one| one.attempts.clone()).collect()
    }

    /// Each with the attempt out of which it goes.
    fn refunds(&self) -> Vec<(Attempt, Refund)> {
        let tables = self.gateway.tables();
        let payments = tables.payments.values();
        let of_one = |one: &Payment| {
            let of = |refund: &Refund| Some((one.attempt(refund.attempt)?.clone(), refund.clone()));
            one.refunds.iter().filter_map(of).collect::<Vec<_>>()
        };
        payments.flat_map(of_one).collect()
    }

    fn forge(&mut self) -> Option<Request<Bytes>> {
        let (attempts, refunds) = (self.attempts(), self.refunds());
        if !refunds.is_empty() && self.chance.percent(50) {
            let (attempt, refund) = &refunds[self.chance.index(refunds.len())];
            let account = self.account_of(attempt)?;
            // Of a refund a message is but a hint, whoever has the key.
            let leaked = self.leaked(&account, true);
            let whose = account.merchants();
            let request =
                forgery::refund_notification(&mut self.chance, whose, attempt, refund, leaked);
            return Some(self.forged(request, leaked));
        }
        if attempts.is_empty() {
            return None;
        }
        let attempt = &attempts[self.chance.index(attempts.len())];
        let account = self.account_of(attempt)?;
        let leaked = self.leaked(&account, self.plan.confirm == Confirm::Query);
        let whose = account.merchants();
        let request = forgery::notification(&mut self.chance, whose, attempt, leaked);
        Some(self.forged(request, leaked))
    }

    /// Signed with a service provider's key, and of another of its sub-merchants:
    /// genuine and led astray, or written about an order of ours.
    fn of_a_neighbour(&mut self) -> Option<Request<Bytes>> {
        let request = if self.chance.percent(50) {
            self.led_astray()?
        } else {
            self.written_by_a_neighbour()?
        };
        Some(self.not_to_be_believed(request))
    }

    /// What was told of one at the address of another.
    fn led_astray(&mut self) -> Option<Request<Bytes>> {
        let subs = self.accounts.iter().filter(|one| one.sub.is_some());
        let subs: Vec<_> = subs.map(|one| one.channel).collect();
        let told = self.overheard.iter();
        let told: Vec<_> = told
            .filter_map(|request| Some((channel_of(request)?, request)))
            .filter(|(channel, _)| subs.contains(channel))
            .collect();
        let (from, request) = told.get(self.chance.index(told.len()))?;
        let (from, mut request) = (*from, (*request).clone());
        let others: Vec<_> = subs.into_iter().filter(|one| *one != from).collect();
        forgery::address(&mut request, self.chance.pick(&others));
        Some(request)
    }

    /// Good news of an order of one, in the name of another.
    fn written_by_a_neighbour(&mut self) -> Option<Request<Bytes>> {
        let accounts = self.accounts.clone();
        let of_a_sub = |attempt: &Attempt| {
            let mut subs = accounts.iter().filter(|one| one.sub.is_some());
            subs.find(|one| one.channel == attempt.channel)
        };
        let (mut attempts, mut refunds) = (self.attempts(), self.refunds());
        attempts.retain(|attempt| of_a_sub(attempt).is_some());
        refunds.retain(|(attempt, _)| of_a_sub(attempt).is_some());
        let attempt = attempts.get(self.chance.index(attempts.len()))?;
        let refund = refunds.get(self.chance.index(refunds.len()));
        let refund = refund.filter(|_| self.chance.percent(50));
        let attempt = refund.map_or(attempt, |(attempt, _)| attempt);
        let others = accounts.iter().filter(|one| one.sub.is_some());
        let others: Vec<_> = others
            .filter(|one| one.channel != attempt.channel)
            .collect();
        let other = others[self.chance.index(others.len())];
        Some(self.good_news(other, attempt, refund.map(|(_, refund)| refund)))
    }

    fn account_of(&self, attempt: &Attempt) -> Option<Account> {
        let mut accounts = self.accounts.iter();
        let of = accounts.find(|account| account.channel == attempt.channel);
        of.cloned()
    }

    fn leaked<'a>(&mut self, account: &'a Account, may: bool) -> Option<&'a str> {
        (may && self.chance.percent(50)).then_some(&account.key)
    }

    /// What nobody with a key has written must change nothing.
    fn forged(&self, request: Request<Bytes>, leaked: Option<&str>) -> Request<Bytes> {
        if leaked.is_some() {
            return request;
        }
        self.not_to_be_believed(request)
    }

    fn not_to_be_believed(&self, request: Request<Bytes>) -> Request<Bytes> {
        let hash = sha256(request.body());
        if let Some(channel) = channel_of(&request) {
            self.truth.known().forged.insert((channel, hash));
        }
        request
    }
}
