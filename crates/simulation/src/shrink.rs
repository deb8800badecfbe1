//! A smaller world in which the same thing still goes wrong.

use crate::model_store::Manners;
use crate::seed::{Faults, Plan};
use crate::world::Outcome;

/// Fewer orders, then fewer kinds of faults, as long as it still fails.
pub fn smaller(mut plan: Plan, run: &dyn Fn(Plan, bool) -> Outcome) -> Plan {
    let fails = |plan: &Plan| !run(plan.clone(), false).violations.is_empty();
    for orders in 1..plan.orders {
        let fewer = Plan {
            orders,
            ..plan.clone()
        };
        if fails(&fewer) {
            plan = fewer;
            break;
        }
    }
    let quieter: [fn(&mut Faults); 13] = [
        |faults| faults.request_lost = 0,
        |faults| faults.answer_lost = 0,
        |faults| faults.refused = 0,
        |faults| faults.late = 0,
        |faults| faults.platform_errs = 0,
        |faults| faults.notification_lost = 0,
        |faults| faults.notification_doubled = 0,
        |faults| faults.wrong_amount = 0,
        |faults| faults.ack_lost = 0,
        |faults| faults.webhook_fails = 0,
        |faults| faults.store = Manners::default(),
        |faults| faults.crash_every_secs = 0,
        |faults| faults.crash_at_await = 0,
    ];
    for quiet in quieter {
        let mut fewer = plan.clone();
        quiet(&mut fewer.faults);
        if fails(&fewer) {
            plan = fewer;
        }
    }
    let fewer = Plan {
        attacks: 0,
        ..plan.clone()
    };
    if fails(&fewer) {
        plan = fewer;
    }
    let simpler: [fn(&mut Plan); 4] = [
        |plan| plan.nodes = 1,
        |plan| plan.provider = false,
        |plan| plan.key_change = None,
        |plan| plan.hurried = false,
    ];
    for simplify in simpler {
        let mut fewer = plan.clone();
        simplify(&mut fewer);
        if fails(&fewer) {
            plan = fewer;
        }
    }
    plan
}
