//! How far a service's callers are behind after an outage, and when they have caught up.

use super::Dispatching;
use crate::cluster::NONE;
use crate::sim::engine::Engine;
use crate::sim::services::Services;
use crate::types::{Duration, FunctionId, SimTime};

/// What is behind because of one service: calls that its exceptions made invisible, and calls in durable queues that were refused before or are of
/// reserved functions, which would have started within seconds.
#[derive(Debug, Clone, Default)]
pub struct Behind {
    /// Calls now.
    calls: u64,
    /// Most calls.
    pub most: u64,
    /// Its outages in order of time: from, until, the calls behind when it began, and when they were that few again after its end.
    pub outages: Vec<CaughtUp>,
    /// The first outage that callers have not caught up from.
    next: usize,
}

/// One outage, and how its callers caught up.
#[derive(Debug, Clone, Copy)]
pub struct CaughtUp {
    from: SimTime,
    until: SimTime,
    before: Option<u64>,
    /// How long after its end the calls behind were no more than before; `None` while they are more.
    pub after: Option<Duration>,
}

impl Services {
    /// Nobody is behind yet.
    pub(super) fn behind(&self) -> Vec<Behind> {
        let outage = |(from, until)| CaughtUp { from, until, before: None, after: None };
        let of = |s| Behind { outages: self.outages(s).map(outage).collect(), ..Behind::default() };
        (0..self.len()).map(of).collect()
    }
}

impl Dispatching {
    /// A call of a function falls behind (+1) or is so no more (-1), if it counts.
    pub(super) fn fall_behind(&mut self, function: FunctionId, refused_before: bool, change: i64) {
        let gate = &self.gates[function.index()];
        if gate.service == NONE || (gate.scaled && !refused_before) {
            return;
        }
        let behind = &mut self.behind[gate.service as usize];
        behind.calls = behind.calls.checked_add_signed(change).expect("a call catches up that had fallen behind");
        behind.most = behind.most.max(behind.calls);
    }
}

impl Engine<'_> {
    /// Looks whether callers have caught up, at every poll.
    pub(super) fn look_behind(&mut self) {
        for behind in &mut self.dispatch.behind {
            let Some(outage) = behind.outages.get_mut(behind.next) else { continue };
            if self.now < outage.from {
                outage.before = Some(behind.calls);
            } else if self.now >= outage.until && behind.calls <= outage.before.unwrap_or(0) {
                outage.after = Some(self.now - outage.until);
                behind.next += 1;
            }
        }
    }
}
