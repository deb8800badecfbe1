//! The power fails.

use super::Failure;
use super::day::Played;
use super::recovery::Torture;

impl Torture {
    /// The power fails before each operation, with several fates for what was
    /// not synced.
    pub(super) fn power_cuts(&self, step: usize, played: &Played) -> Result<(), Failure> {
        for (operation, medium) in (0..).zip(&played.history) {
            if self.day.only.is_some_and(|(_, only)| only != operation) {
                continue;
            }
            let acknowledged = operation >= played.answered_at;
            let last = [played.last()];
            let allowed = if acknowledged {
                &last[..]
            } else {
                &played.states[..]
            };
            // Where nothing waits to be synced there is one fate.
            let fates = if medium.is_synced() { 1 } else { self.day.cuts };
            for fate in 0..fates {
                let chance = self.chance(step, operation, fate);
                self.disk.machine().restore(medium.clone(), chance);
                self.disk.machine().cut_power();
                self.recovered(allowed).map_err(|what| {
                    self.failure(step, operation, format!("power cut {fate}"), what)
                })?;
            }
        }
        Ok(())
    }
}
