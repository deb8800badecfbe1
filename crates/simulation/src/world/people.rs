//! People who look at the cases now and then, and decide: in a hurry, twice, at
//! the same instant as the gateway, or about what is decided already.

use std::time::Duration;

use tongbao_core::{Case, CaseAction, CaseId, CaseState};

use super::World;
use crate::event::WorldEvent;
use crate::gateway::Call;

/// Early enough that the shortest day sees what comes of it.
pub(super) const UNTIL: Duration = Duration::from_hours(2);

/// So many of a hundred cases somebody sees in the moment in which they are opened,
/// where anybody does.
pub(super) const HURRIED: u32 = 30;

/// Most look at what waits for them; some look at whatever there is.
const CURIOUS: u32 = 30;

impl World {
    pub(super) fn plan_people(&mut self) {
        for _ in 0..self.plan.people {
            let wait = self.chance.millis(0, UNTIL.as_secs() * 1_000);
            self.kernel.after(wait, WorldEvent::Person);
        }
    }

    pub(super) fn person_decides(&mut self) {
        let curious = self.chance.percent(CURIOUS);
        let wanted = |case: &&Case| curious || case.state == CaseState::NeedsPerson;
        let tables = self.gateway.tables();
        let cases: Vec<_> = tables
            .cases
            .iter()
            .filter(wanted)
            .map(|case| case.id)
            .collect();
        drop(tables);
        if cases.is_empty() || self.alive().is_empty() {
            return;
        }
        let case = self.chance.pick(&cases);
        self.decides_about(case);
        // Whoever has decided comes back to see what became of it.
        if self.chance.percent(20) {
            let wait = Duration::from_mins(self.chance.between(1, 120));
            self.kernel.after(wait, WorldEvent::Person);
        }
    }

    pub(super) fn decides_about(&mut self, case: CaseId) {
        let alive = self.alive();
        if alive.is_empty() {
            return;
        }
        let action = self.chance.pick(&[
            CaseAction::Refund,
            CaseAction::Refund,
            CaseAction::Accept,
            CaseAction::Dismiss,
        ]);
        let key = self
            .chance
            .percent(50)
            .then(|| format!("{case}-{action:?}"));
        let clicks = self.chance.pick(&[1, 1, 2]);
        for _ in 0..clicks {
            let (node, face) = alive[self.chance.index(alive.len())].clone();
            let call = Call::Decide { case, action };
            let (kernel, gateway, story) = (
                self.kernel.clone(),
                self.gateway.clone(),
                self.story.clone(),
            );
            story.tell(kernel.now(), "person", &format!("node {node}"), || {
                format!("{action:?} {case}")
            });
            let answer = face.call(&self.caller, call.clone(), key.clone());
            let wait = self.chance.millis(0, 300);
            self.kernel.spawn(node, async move {
                // Two clicks do not arrive at the same instant.
                if clicks > 1 {
                    kernel.sleep(wait).await;
                }
                let heard = answer.await;
                if let Err(what) = gateway.replies(&call, &heard) {
                    story.violate(kernel.now(), "E5", what);
                }
            });
        }
    }
}
