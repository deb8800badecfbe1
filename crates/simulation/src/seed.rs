//! What a seed decides before anything happens: swarm testing, where each run
//! has its own mix of faults, some absent and some heavy.

use std::fmt;
use std::time::Duration;

use tongbao_core::AutoRefund;
use tongbao_core::channel::Confirm;
use tongbao_simulator::{EarlyClose, NotifySchedule};

use crate::alarm::Stray;
use crate::chance::Chance;
use crate::kernel::Order;
use crate::model_store::Manners;
use crate::saboteur::Bug;

/// After the last commit nothing is left to do: past the last look at an ended
/// attempt and the webhooks' schedule.
const LAST_LOOK: Duration = Duration::from_hours(32);

/// Where no query is ever answered there is no end to asking. By this time every
/// notification and webhook that failed has been repeated.
const LAST_WORD: Duration = Duration::from_hours(3);

/// One defence is switched off, so that defences cannot hide each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefenceOff {
    /// All of them work.
    None,
    /// No notification ever arrives: queries must find everything.
    Notifications,
    /// No query is ever answered: notifications must do.
    Queries,
    /// Leases end while their holders are at work: fences must do.
    Leases,
    /// The database takes an order number twice: looking first must do, and two
    /// that look at once make two payments.
    UniqueNumbers,
}

/// What goes wrong, in percent of occasions.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// A request of ours is lost on the way.
    pub request_lost: u32,
    /// The answer to it is lost.
    pub answer_lost: u32,
    /// The connection is refused.
    pub refused: u32,
    /// It arrives after we have given up.
    pub late: u32,
    /// The platform answers `SYSTEMERROR`, an error page, garbage or a wrong
    /// signature.
    pub platform_errs: u32,
    /// A notification is lost on the way.
    pub notification_lost: u32,
    /// It arrives twice at once, by two routes.
    pub notification_doubled: u32,
    /// The platform's message states a wrong amount, genuinely signed.
    pub wrong_amount: u32,
    /// The acknowledgement is lost.
    pub ack_lost: u32,
    /// The merchant's endpoint fails.
    pub webhook_fails: u32,
    /// The database.
    pub store: Manners,
    /// One node dies about every so many seconds; zero is never.
    pub crash_every_secs: u64,
    /// Of each ten thousand awaits, so many are a node's last.
    pub crash_at_await: u32,
}

impl Faults {
    /// Nothing goes wrong.
    pub const NONE: Self = Self {
        request_lost: 0,
        answer_lost: 0,
        refused: 0,
        late: 0,
        platform_errs: 0,
        notification_lost: 0,
        notification_doubled: 0,
        wrong_amount: 0,
        ack_lost: 0,
        webhook_fails: 0,
        store: Manners {
            unknown_after: 0,
            unknown_before: 0,
            full: 0,
        },
        crash_every_secs: 0,
        crash_at_await: 0,
    };
}

/// The API key of an account is changed, at the platform and here.
#[derive(Clone, Copy, Debug)]
pub struct KeyChange {
    /// Which of the accounts at the platform.
    pub account: usize,
    /// When the platform has the new key.
    pub there: Duration,
    /// When somebody enters it here.
    pub here: Duration,
    /// So long after that the old one is believed.
    pub overlap: Duration,
}

impl KeyChange {
    /// In one day of four, while the faults last: what is signed with the other key
    /// is one.
    fn draw(seed: u64, accounts: usize, off: DefenceOff) -> Option<Self> {
        let mut chance = Chance::fork(seed, "key change");
        if !chance.percent(25) {
            return None;
        }
        let first = chance.millis(60_000, 840_000);
        let second = first + chance.millis(0, 240_000);
        // The manual's order, and the other one.
        let (there, here) = if chance.percent(60) {
            (first, second)
        } else {
            (second, first)
        };
        let minutes = chance.pick(&[10, 30, 60, 25 * 60]);
        Some(Self {
            account: chance.index(accounts),
            there,
            here,
            // What comes again may be all that tells of a payment.
            overlap: Duration::from_mins(if off == DefenceOff::Queries {
                25 * 60
            } else {
                minutes
            }),
        })
    }
}

/// Everything that a seed decides beforehand.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "habits that do not depend on each other"
)]
pub struct Plan {
    /// The seed itself.
    pub seed: u64,
    /// How many orders there are.
    pub orders: usize,
    /// Gateway processes on one database.
    pub nodes: u32,
    /// What goes wrong until the world heals.
    pub faults: Faults,
    /// Which defence is off throughout.
    pub off: DefenceOff,
    /// What it takes before a notification may set "paid".
    pub confirm: Confirm,
    /// The merchant keeps late money.
    pub accept_late: bool,
    /// What the merchant lets go back without a person.
    pub auto_refund: AutoRefund,
    /// The platform's habits.
    pub notify_schedule: NotifySchedule,
    /// The platform's habits.
    pub notify_sign_type: bool,
    /// The platform's habits.
    pub early_close: EarlyClose,
    /// How old an order must be before the channels close it, in seconds.
    pub close_after_secs: u32,
    /// The channels sign with MD5.
    pub md5: bool,
    /// A service provider's sub-merchants sell beside the merchant's own accounts.
    pub provider: bool,
    /// An API key is changed in the middle of the day.
    pub key_change: Option<KeyChange>,
    /// How often somebody looks at the cases, and decides.
    pub people: u32,
    /// Some decide about a case in the moment in which it is opened.
    pub hurried: bool,
    /// Forged messages.
    pub attacks: u32,
    /// A second endpoint listens to everything and never answers.
    pub dead_endpoint: bool,
    /// The database answers within so many milliseconds, in either direction. The
    /// longer, the more happens between a question and its answer.
    pub store_lag: u64,
    /// Which of several ready tasks comes next.
    pub order: Order,
    /// The longest sleep of a node's worker. The longer, the less does looking
    /// hide that nothing rang.
    pub nap: Duration,
    /// When faults stop.
    pub heals_after: Duration,
    /// So long afterwards the world must be at rest.
    pub rests_after: Duration,
    /// A mistake that is made on purpose.
    pub bug: Option<Bug>,
    /// A clock or a random number that is read past the seams, on purpose.
    pub stray: Option<Stray>,
}

impl fmt::Display for Plan {
    /// Without what is not so.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{self:#?}");
        let silent = |line: &&str| {
            let line = line.trim_end();
            ![": 0,", ": 0ns,", ": false,", ": None,"]
                .iter()
                .any(|nothing| line.ends_with(nothing))
        };
        let lines: Vec<_> = text.lines().filter(silent).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// Off, on with limits that are reached now and then, on with a limit a day that is
/// reached soon, or on with limits that nothing reaches.
fn draw_limits(chance: &mut Chance) -> AutoRefund {
    let (enabled, per_case_fen, per_day_fen) = chance.pick(&[
        (false, 50_000, 500_000),
        (true, 250_000, 400_000),
        (true, 500_000, 250_000),
        (true, 500_000, 100_000_000),
        (true, 500_000, 100_000_000),
    ]);
    AutoRefund {
        enabled,
        per_case_fen,
        per_day_fen,
    }
}

impl Plan {
    /// What the seed decides, with at most so many orders.
    pub fn draw(seed: u64, orders: usize) -> Self {
        let mut chance = Chance::fork(seed, "plan");
        let mut level = |rare: u32, heavy: u32| {
            let levels = [0, 0, rare, rare, heavy];
            levels[chance.index(levels.len())]
        };
        let faults = Faults {
            request_lost: level(3, 25),
            answer_lost: level(3, 25),
            refused: level(3, 25),
            late: level(2, 10),
            platform_errs: level(3, 25),
            notification_lost: level(10, 80),
            notification_doubled: level(10, 60),
            wrong_amount: level(2, 20),
            ack_lost: level(5, 40),
            webhook_fails: level(10, 60),
            store: Manners {
                unknown_after: level(1, 10),
                unknown_before: level(1, 10),
                full: level(1, 5),
            },
            crash_every_secs: u64::from(level(600, 60)),
            crash_at_await: level(1, 20),
        };
        let off = match chance.index(8) {
            0 => DefenceOff::Notifications,
            1 => DefenceOff::Queries,
            2 => DefenceOff::Leases,
            3 => DefenceOff::UniqueNumbers,
            _ => DefenceOff::None,
        };
        let provider = Chance::fork(seed, "provider").percent(25);
        Self {
            seed,
            orders: chance.index(orders) + 1,
            nodes: chance.pick(&[1, 1, 2]),
            faults,
            off,
            // Without queries, only a believed signature can settle anything.
            confirm: if off == DefenceOff::Queries {
                Confirm::Signature
            } else {
                chance.pick(&[Confirm::Query, Confirm::Signature])
            },
            accept_late: chance.percent(20),
            auto_refund: draw_limits(&mut Chance::fork(seed, "limits")),
            notify_schedule: chance.pick(&[NotifySchedule::Current, NotifySchedule::Older]),
            notify_sign_type: chance.percent(30),
            early_close: chance.pick(&[
                EarlyClose::Accepted,
                EarlyClose::Accepted,
                EarlyClose::Refused,
                EarlyClose::WithoutEffect,
            ]),
            // Where nothing is waited for, the platform's refusals are met.
            close_after_secs: Chance::fork(seed, "closing").pick(&[300, 300, 0]),
            md5: chance.percent(40),
            provider,
            key_change: KeyChange::draw(seed, 2 + usize::from(provider), off),
            people: Chance::fork(seed, "people").pick(&[0, 0, 4, 16]),
            hurried: Chance::fork(seed, "hurried").percent(30),
            attacks: chance.pick(&[0, 0, 10, 40]),
            dead_endpoint: chance.percent(10),
            store_lag: chance.pick(&[2, 4, 4, 40]),
            order: chance.pick(&[Order::Any, Order::Any, Order::Any, Order::Priorities]),
            nap: Duration::from_secs(chance.pick(&[300, 1_800, 7_200, 86_400])),
            heals_after: Duration::from_mins(if off == DefenceOff::Queries {
                chance.between(20, 45)
            } else {
                chance.between(20, 90)
            }),
            rests_after: if off == DefenceOff::Queries {
                LAST_WORD
            } else {
                LAST_LOOK
            },
            bug: None,
            stray: None,
        }
    }
}
