//! The accounts by period: at the edge between two periods, what has been booked and what is still open is added up and
//! compared with the edge before. Only read: a run with periods is, event for event and bit for bit, the run without.

use super::calls::Stage;
use super::engine::Engine;
use super::setup::{AccountSink, SimError};
use crate::cluster::{Phase, SandboxState};
use crate::ledger::{Balances, Held};
use crate::types::{Duration, SandboxId, SimTime};

/// Where the accounts of each period go.
pub(super) struct Periods<'a> {
    step: Duration,
    start: SimTime,
    balances: Balances,
    sink: AccountSink<'a>,
}

impl<'a> Periods<'a> {
    pub fn new(step: Duration, groups: usize, sink: AccountSink<'a>) -> Self {
        Self { step, start: SimTime::ZERO, balances: Balances::new(groups), sink }
    }

    /// When the present period ends.
    pub fn edge(&self) -> SimTime {
        self.start + self.step
    }
}

impl Engine<'_> {
    /// Closes all periods that end before `until`; everything that happens up to their ends has happened, and nothing later.
    pub(super) fn close_periods(&mut self, until: SimTime) {
        while self.next_edge < until {
            self.close_period(self.next_edge, true);
        }
    }

    /// Closes the last period at the end of the run, when all that was open is booked.
    pub(super) fn close_last_period(&mut self) {
        if self.periods.as_ref().is_some_and(|p| p.start < self.now) {
            self.close_period(self.now, false);
        }
    }

    /// Closes the present period at `at`, with what is open then or without.
    fn close_period(&mut self, at: SimTime, with_open: bool) {
        let Some(mut periods) = self.periods.take() else { return };
        periods.balances.read(&self.accounts);
        if with_open {
            self.add_open_sandboxes(at, &mut periods.balances);
            self.add_open_calls(at, &mut periods.balances);
            self.add_open_instances(at, &mut periods.balances);
        }
        if let Err(message) = periods.balances.hand_over(periods.start, &mut *periods.sink) {
            self.failure.get_or_insert(SimError::Accounts(message));
        }
        periods.start = at;
        self.next_edge = periods.edge();
        self.periods = Some(periods);
    }

    /// What sandboxes have held, and starts have drawn, since they were last credited: as at the end of a run.
    fn add_open_sandboxes(&self, at: SimTime, balances: &mut Balances) {
        for (_, s) in self.sandboxes.iter() {
            let h = &self.hosts[s.host.index()];
            let (share_clock, dynamic_clock) = h.clocks_at(at);
            let busy = self.shares.busy.of(s.memory);
            let (state, bytes) = match s.state {
                SandboxState::Starting if s.phase == Phase::Queued => continue,
                SandboxState::Starting => (Held::Starting, busy),
                SandboxState::Busy if self.slots == 1 => (Held::Busy, busy),
                SandboxState::Warm => (Held::Warm, self.shares.idle(s.tier, s.memory).0),
                // Several calls share it, each with its own part.
                SandboxState::Busy | SandboxState::Gone => continue,
            };
            let mut share_s = [0.0; 3];
            share_s[state as usize] = (share_clock - s.share_mark) * bytes as f64;
            let start_j = match (s.state, s.start_w) {
                (SandboxState::Starting, Some(power_w)) => (at.as_secs_f64() - s.dynamic_mark) * power_w,
                (SandboxState::Starting, None) => (dynamic_clock - s.dynamic_mark) * f64::from(s.start_demand),
                _ => 0.0,
            };
            balances.add((s.function, h.group), share_s, [0.0, start_j]);
        }
    }

    /// What calls in execution have drawn, and, where several share a sandbox, their parts of it.
    fn add_open_calls(&self, at: SimTime, balances: &mut Balances) {
        for (_, call) in self.calls.iter().filter(|(_, c)| c.stage == Stage::Running) {
            let s = &self.sandboxes[SandboxId(call.sandbox)];
            let h = &self.hosts[s.host.index()];
            let (share_clock, dynamic_clock) = h.clocks_at(at);
            let mut share_s = [0.0; 3];
            if self.slots > 1 {
                let each = self.shares.busy.of(s.memory) as f64 / f64::from(s.calls.max(1));
                let clock = s.call_share_clock + (share_clock - s.share_mark) * each;
                share_s[Held::Busy as usize] = clock - call.share_mark;
            }
            let demand = self.needs[call.function.index()].cpu as f64;
            let call_j = (dynamic_clock - call.dynamic_mark) * demand;
            balances.add((call.function, h.group), share_s, [call_j, 0.0]);
        }
    }
}
