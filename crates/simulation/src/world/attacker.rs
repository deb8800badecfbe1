//! Somebody without a key, or with one that has leaked, who sends what looks like
//! good news; and who has overheard what the platform once sent.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tongbao_core::channel::Confirm;
use tongbao_core::{Attempt, Refund};
use tongbao_simulator::{NotificationId, Outgoing, TryId};

use super::network::sha256;
use super::{Account, World};
use crate::forgery;

/// So many messages are kept to be sent again.
const OVERHEARD: usize = 16;

impl World {
    /// One message, invented or sent again.
    pub(super) fn attacker_acts(&mut self) {
        let overheard = self.overheard.len();
        let request = if overheard > 0 && self.chance.percent(20) {
            self.overheard[self.chance.index(overheard)].clone()
        } else {
            let Some(forged) = self.forge() else { return };
            forged
        };
        self.kernel.count(true);
        let id = TryId {
            notification: NotificationId(u64::MAX),
            number: 0,
        };
        let outgoing = Outgoing {
            id,
            request,
            answer_within: Duration::from_secs(5),
        };
        self.notifies(outgoing, true);
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

    fn forge(&mut self) -> Option<Request<Bytes>> {
        let tables = self.gateway.tables();
        let payments = tables.payments.values();
        let attempts: Vec<_> = payments.flat_map(|one| one.attempts.clone()).collect();
        let payments = tables.payments.values();
        let refunds: Vec<_> = payments
            .flat_map(|one| {
                let of =
                    |refund: &Refund| Some((one.attempt(refund.attempt)?.clone(), refund.clone()));
                one.refunds.iter().filter_map(of).collect::<Vec<_>>()
            })
            .collect();
        drop(tables);
        if !refunds.is_empty() && self.chance.percent(50) {
            let (attempt, refund) = &refunds[self.chance.index(refunds.len())];
            let account = self.account_of(attempt)?;
            // Of a refund a message is but a hint, whoever has the key.
            let leaked = self.leaked(&account, true);
            let request = forgery::refund_notification(
                &mut self.chance,
                &account.mch_id,
                attempt,
                refund,
                leaked,
            );
            return Some(self.forged(request, leaked));
        }
        if attempts.is_empty() {
            return None;
        }
        let attempt = &attempts[self.chance.index(attempts.len())];
        let account = self.account_of(attempt)?;
        let leaked = self.leaked(&account, self.plan.confirm == Confirm::Query);
        let request = forgery::notification(&mut self.chance, &account.mch_id, attempt, leaked);
        Some(self.forged(request, leaked))
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
        if leaked.is_none() {
            let hash = sha256(request.body());
            self.truth.known().forged.insert(hash);
        }
        request
    }
}
