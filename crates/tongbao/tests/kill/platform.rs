//! The platform: the simulator in this process, which no kill touches, with
//! things going wrong at it all the time.

use std::collections::BTreeSet;
use std::time::Duration;

use tongbao_simulator::server::Simulator;
use tongbao_simulator::{FaultKind, NewFault, NotificationId, NotificationKind, Outcome};

use super::chance::Chance;
use super::pause;

const FAULTS: [FaultKind; 14] = [
    FaultKind::NoAnswer,
    FaultKind::RefuseConnection,
    FaultKind::Http500,
    FaultKind::SystemError,
    FaultKind::SystemErrorAfterEffect,
    FaultKind::FrequencyLimited,
    FaultKind::Slow,
    FaultKind::GarbageAnswer,
    FaultKind::BadSignatureAnswer,
    FaultKind::DropNotification,
    FaultKind::DuplicateNotification,
    FaultKind::DelayNotification,
    FaultKind::ForgedNotification,
    FaultKind::WrongAmountNotification,
];

/// Something goes wrong a few times a second, for ever.
pub(crate) async fn weather(simulator: Simulator, mut chance: Chance) {
    loop {
        pause(chance.millis(400)).await;
        let kind = chance.choose(&FAULTS);
        let delays = [FaultKind::Slow, FaultKind::DelayNotification].contains(&kind);
        let fault = NewFault {
            times: Some(1),
            seconds: delays.then_some(1),
            ..NewFault::of(kind)
        };
        simulator.act(|platform, now| platform.add_fault(now, fault));
    }
}

/// What the gateway has acknowledged since it was asked the last time: the
/// number of the order, and where it was told.
pub(crate) fn acknowledged(
    simulator: &Simulator,
    seen: &mut BTreeSet<NotificationId>,
) -> Vec<(String, NotificationKind)> {
    simulator.look(|platform, _| {
        let accepted = platform.notifications().filter(|notification| {
            let mut outcomes = notification.tries.iter().flat_map(|one| &one.outcome);
            outcomes.any(Outcome::is_accepted)
        });
        accepted
            .filter(|notification| seen.insert(notification.id))
            .map(|notification| (notification.out_trade_no.clone(), notification.kind))
            .collect()
    })
}

/// How long the last faults may still be felt.
pub(crate) const AFTERMATH: Duration = Duration::from_secs(90);
