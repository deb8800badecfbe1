//! The platform: the simulator in this process, which no kill touches, with
//! things going wrong at it all the time.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tongbao_simulator::server::Simulator;
use tongbao_simulator::{Account, FaultKind, NewFault, NotificationId, NotificationKind, Outcome};

use crate::chance::Chance;
use crate::gateway::API_KEY;
use crate::pause;

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

/// A gateway with two accounts at this platform: `signature` believes a signed
/// notification, `query` asks the platform first.
pub(crate) fn gateway_config(platform: SocketAddr) -> Value {
    let account = Account::ready_made();
    let channel = |confirm| {
        json!({
            "kind": "wechat_v2",
            "name": confirm,
            "confirm": confirm,
            "settings": {
                "app_id": account.app_id,
                "mch_id": account.mch_id,
                "api_v2_key": account.api_v2_key.0,
                "close_after_secs": "0",
            },
        })
    };
    json!({
        "channel_timeout_secs": 3,
        "platforms": { "wechat_pay": format!("http://{platform}") },
        "webhooks": { "allow_http": true, "allow_networks": ["127.0.0.0/8"] },
        "log": { "level": "warn" },
        "merchants": [{
            "name": "shop",
            "api_key": API_KEY,
            "channels": [channel("signature"), channel("query")],
        }],
    })
}

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

/// How long the last faults may still be felt: a webhook that was broken off four
/// times waits three minutes, a lease of the killed one, and a machine may be
/// slow.
pub(crate) const AFTERMATH: Duration = Duration::from_mins(4);
