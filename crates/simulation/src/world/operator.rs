//! Somebody changes the API key of an account in the middle of the day: at the
//! platform and here, never at the same moment, and from the end of the overlap
//! on the old key is anybody's.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tongbao_core::{ChannelId, Timestamp};
use tongbao_wire::wechat_v2::refund_notification::Envelope;
use tongbao_wire::wechat_v2::{ApiKey, Fields, SignType, sign};

use super::account::Account;
use super::{MORNING, World, lock};
use crate::event::WorldEvent;
use crate::gateway::{Call, Heard};

/// The key that comes.
pub(super) const NEW_KEY: &str = "TongbaoSimulationTestKeyReplaced";

/// Whoever gets no answer sends the same again.
const AGAIN: Duration = Duration::from_secs(40);

/// A node knows of a change of an account at the latest so long after it.
const SETTLED: Duration = Duration::from_secs(10);

/// What arrives so long before the end of the overlap has been looked at by then.
const IN_TIME: Duration = Duration::from_mins(1);

/// So often somebody who has the old key tries it when it has ended.
const TRIES: usize = 4;

/// The key of one account at the platform is being changed.
pub(super) struct KeyChange {
    mch_id: String,
    /// Until then the old one is believed here.
    until: Timestamp,
}

/// What must become of a message while a key is being changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Due {
    /// It depends.
    #[default]
    Either,
    /// It is genuine, and its key is good here.
    Taken {
        /// The new key is known here, and it is written with the old one.
        overlapping: bool,
    },
    /// It is written with a key that has ended.
    Refused,
}

impl World {
    pub(super) fn plan_key_change(&mut self) {
        let Some(change) = self.plan.key_change else {
            return;
        };
        let there = self.accounts_there.get(change.account);
        let mch_id = there.cloned().unwrap_or_default();
        let ends = change.here + change.overlap;
        let places: Vec<_> = (0..self.accounts.len())
            .filter(|place| self.accounts[*place].mch_id == mch_id)
            .collect();
        self.key_change = Some(KeyChange {
            mch_id,
            until: MORNING + ends,
        });
        self.kernel
            .after(change.there, WorldEvent::PlatformChangesKey);
        for place in places {
            self.kernel.after(change.here, WorldEvent::Operator(place));
        }
        for _ in 0..TRIES {
            let wait = ends + self.chance.millis(0, 3_600_000);
            self.kernel.after(wait, WorldEvent::OldKey);
        }
    }

    pub(super) fn platform_changes_key(&self) {
        let Some(change) = &self.key_change else {
            return;
        };
        self.story
            .tell(self.kernel.now(), "operator", "platform", || {
                format!("another key for {}", change.mch_id)
            });
        lock(&self.platform).set_api_v2_key(&change.mch_id, NEW_KEY);
    }

    /// Enters the new key of one channel, until somebody says that it is there.
    pub(super) fn operator_acts(&mut self, place: usize) {
        let (Some(change), Some(account)) = (&self.key_change, self.accounts.get(place)) else {
            return;
        };
        let (channel, until) = (account.channel, change.until);
        if self.truth.known().rotated.contains_key(&channel) {
            return;
        }
        self.kernel.after(AGAIN, WorldEvent::Operator(place));
        let alive = self.alive();
        if alive.is_empty() {
            return;
        }
        let (node, face) = alive[self.chance.index(alive.len())].clone();
        let call = Call::ChangeKey {
            channel,
            key: NEW_KEY.to_owned(),
            until,
        };
        self.story.tell(
            self.kernel.now(),
            "operator",
            &format!("node {node}"),
            || format!("another key for {channel}, the old one until {until}"),
        );
        let (kernel, truth) = (self.kernel.clone(), self.truth.clone());
        let answer = face.call(&self.caller, call, None);
        self.kernel.spawn(node, async move {
            if answer.await == Heard::KeyChanged {
                let mut known = truth.known();
                known.rotated.entry(channel).or_insert(kernel.now());
            }
        });
    }

    /// The keys with which the platform may write to this account, by and by.
    pub(super) fn keys_of<'a>(&self, account: &'a Account) -> impl Iterator<Item = &'a str> {
        let changes = self.changing(account).is_some();
        [&*account.key]
            .into_iter()
            .chain(changes.then_some(NEW_KEY))
    }

    pub(super) fn changing(&self, account: &Account) -> Option<&KeyChange> {
        let change = self.key_change.as_ref();
        change.filter(|change| change.mch_id == account.mch_id)
    }

    /// The old key of this account has ended, and every node knows it.
    pub(super) fn has_ended(&self, account: &Account) -> bool {
        let now = self.kernel.now();
        let known_here = self.knows_new_key(account.channel);
        self.changing(account)
            .is_some_and(|change| change.until <= now && known_here)
    }

    fn knows_new_key(&self, channel: ChannelId) -> bool {
        let now = self.kernel.now();
        let known = self.truth.known();
        let since = known.rotated.get(&channel);
        since.is_some_and(|since| *since + SETTLED <= now)
    }

    /// What the platform's message, or anybody's, has to come to.
    pub(super) fn is_due(
        &self,
        channel: ChannelId,
        request: &Request<Bytes>,
        genuine: bool,
    ) -> Due {
        let mut accounts = self.accounts.iter();
        let account = accounts.find(|account| account.channel == channel);
        let change = account.and_then(|account| Some((account, self.changing(account)?)));
        let Some((account, change)) = change else {
            return Due::Either;
        };
        let known_here = self.knows_new_key(channel);
        let Ok(fields) = Fields::read(request.body()) else {
            return Due::Either;
        };
        if is_written_with(&account.key, &fields) {
            if self.has_ended(account) {
                Due::Refused
            } else if genuine && self.kernel.now() + IN_TIME < change.until {
                Due::Taken {
                    overlapping: known_here,
                }
            } else {
                Due::Either
            }
        } else if genuine && known_here && is_written_with(NEW_KEY, &fields) {
            Due::Taken { overlapping: false }
        } else {
            Due::Either
        }
    }
}

/// Whether the key has signed it, or closed what is in it.
fn is_written_with(key: &str, fields: &Fields<'_>) -> bool {
    let Ok(key) = ApiKey::new(key) else {
        return false;
    };
    if fields.get("req_info").is_some() {
        let envelope = Envelope::from_fields(fields);
        return envelope.is_ok_and(|envelope| envelope.open(&key).is_ok());
    }
    let mut types = [SignType::Md5, SignType::HmacSha256].into_iter();
    types.any(|by| sign::verify(fields, &key, by).is_ok())
}
