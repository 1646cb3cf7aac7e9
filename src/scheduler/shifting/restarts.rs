//! Plans of several pieces that leave time for what suspending costs.

use super::{Plan, Work};
use crate::types::{Duration, SimTime};

/// How often a plan is laid again with more time for restarts; then the work runs at once, without a break.
const ROUNDS: usize = 16;

/// Lays a plan of pieces that do `left` of the work and what its restarts take: laid again with that much more, until no more is missing.
/// A pause that is not longer than a checkpoint and a restart is no pause: the work runs through it. `lay` appends pieces that last as long
/// as it is told, and says whether there is room for that; where there is none, nothing is planned.
///
/// Without costs of suspension this is the plan as it is laid first.
pub(super) fn with_restarts(
    work: &Work<'_>,
    now: SimTime,
    left: Duration,
    plan: &mut Plan,
    mut lay: impl FnMut(Duration, &mut Plan) -> bool,
) -> bool {
    let costs = work.kind.and_then(|k| k.interruption).unwrap_or_default();
    let pause = costs.checkpoint + costs.restart;
    let mut paid = Duration::ZERO;
    for _ in 0..ROUNDS {
        plan.pieces.clear();
        if !lay(left + paid, plan) {
            plan.pieces.clear();
            return false;
        }
        plan.pieces.dedup_by(|later, earlier| {
            let joins = later.from.saturating_since(earlier.until) <= pause && later.nodes == earlier.nodes;
            if joins {
                earlier.until = later.until;
            }
            joins
        });
        let goes_on = work.running > 0 && plan.pieces.first().is_some_and(|p| p.from <= now);
        let is_new = work.running == 0 && work.done == Duration::ZERO;
        let restarts = plan.pieces.len() as u64 - u64::from(goes_on || is_new).min(plan.pieces.len() as u64);
        let lost = Duration(costs.restart.0.saturating_mul(restarts));
        if lost <= paid {
            return true;
        }
        paid = lost;
    }
    plan.pieces.clear();
    false
}
