//! What shifting may know of a call or a job, and what it answers: a plan.

use crate::scheduler::WorkToken;
use crate::types::{Duration, FunctionId, RegionId, SimTime};
use crate::workload::FunctionProfile;
use crate::workload::jobs::JobKind;

/// What a policy may know of a call or a job.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// Its name while it is in flight.
    pub token: WorkToken,
    /// The account that it is charged to: a call's function.
    pub account: FunctionId,
    /// What is known of the account.
    pub profile: &'a FunctionProfile,
    /// Where it runs.
    pub region: RegionId,
    /// When the scheduler learned of it.
    pub arrival: SimTime,
    /// When it would start without any shifting; a job that is announced beforehand wants to start later than it arrives.
    pub wanted: SimTime,
    /// How much later than that it may start and, if it is suspended, end; forever without a deadline that anybody knows.
    pub slack: Duration,
    /// What is believed of its whole length, on its base nodes and without a break; `None` if nothing is.
    pub length: Option<Duration>,
    /// How much of it is done, in time on its base nodes; what was lost is not done.
    pub done: Duration,
    /// How long it has made no progress since it wanted to: it waited, or was suspended or resumed.
    pub waited: Duration,
    /// Its queue class; 0 for calls.
    pub class: u32,
    /// CPU of one of its nodes [millionths of a core].
    pub cpu: u64,
    /// Its base nodes; 1 for calls.
    pub nodes: u32,
    /// Whether and how it can be suspended and scaled; `None` for calls, which can be neither.
    pub kind: Option<&'a JobKind>,
    /// The nodes on which it runs now; 0 while it waits.
    pub running: u32,
}

impl Work<'_> {
    /// The latest start that keeps its slack.
    pub fn latest_start(&self) -> SimTime {
        self.wanted + self.slack
    }

    /// What is believed to be left of it; `None` if nothing is believed. Work that has outrun its estimate has nothing left, as far as is
    /// known.
    pub fn left(&self) -> Option<Duration> {
        self.length.map(|length| Duration(length.0.saturating_sub(self.done.0)))
    }

    /// How much longer it may wait.
    pub fn patience(&self) -> Duration {
        if self.slack == Duration::FOREVER {
            return Duration::FOREVER;
        }
        Duration(self.slack.0.saturating_sub(self.waited.0))
    }

    /// The earliest start for a policy that does not move work forward: when it wants to start, or now.
    pub fn at_once(&self, now: SimTime) -> SimTime {
        self.wanted.max(now)
    }

    /// Until when it may wait from now on, if it does not run before; later than [`Work::latest_start`] once part of it has run. What it takes to
    /// suspend and to resume it is left time for.
    pub fn may_wait_until(&self, now: SimTime) -> SimTime {
        let costs = self.kind.and_then(|k| k.interruption).unwrap_or_default();
        let cost = match (self.running > 0, self.done > Duration::ZERO) {
            (true, _) => costs.checkpoint + costs.restart,
            (false, true) => costs.restart,
            (false, false) => Duration::ZERO,
        };
        self.wanted.max(now) + Duration(self.patience().0.saturating_sub(cost.0))
    }

    /// By when it must end, as far as its length is known: its slack after its end without shifting.
    pub fn deadline(&self) -> SimTime {
        match self.length {
            Some(length) => self.wanted + self.slack + length,
            None => SimTime::NEVER,
        }
    }

    /// Whether it may be suspended.
    pub fn is_interruptible(&self) -> bool {
        self.kind.is_some_and(|k| k.interruption.is_some())
    }

    /// All the CPU of its base nodes [millionths of a core].
    pub fn cores(&self) -> u64 {
        self.cpu * u64::from(self.nodes)
    }
}

/// A stretch of time in which work runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// When it starts or resumes.
    pub from: SimTime,
    /// When it is suspended if it is not done; never: it runs until it is done.
    pub until: SimTime,
    /// On how many nodes; 0 stands for its base nodes.
    pub nodes: u32,
}

/// On which terms a job's CPU is bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purchase {
    /// Reserved cores where enough are free, else on demand.
    #[default]
    Cheapest,
    /// Spot.
    Spot,
}

/// When work runs: the answer of a shifting policy. The engine reuses its memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// When it runs, in order of time, without overlap, none before the present. Of a call, and of a job that cannot be suspended, only the
    /// first start counts: it then runs until it is done. Work that has not ended when its plan has is asked for again.
    pub pieces: Vec<Piece>,
    /// When the policy wants to be asked again whatever happens, later than the present; never by default. What was planned until then holds.
    pub again: SimTime,
    /// Whether nothing is planned until the policy itself lets the work go; then `pieces` may be what happens if it never does.
    pub held: bool,
    /// On which terms its CPU is bought, from its next start on.
    pub purchase: Purchase,
}

impl Default for Plan {
    fn default() -> Self {
        Self { pieces: Vec::new(), again: SimTime::NEVER, held: false, purchase: Purchase::Cheapest }
    }
}

impl Plan {
    /// Nothing is planned.
    pub fn clear(&mut self) {
        self.pieces.clear();
        (self.again, self.held, self.purchase) = (SimTime::NEVER, false, Purchase::Cheapest);
    }

    /// It starts at this instant and runs until it is done.
    pub fn start(&mut self, at: SimTime) {
        self.pieces.push(Piece { from: at, until: SimTime::NEVER, nodes: 0 });
    }

    /// It runs on its base nodes for this while, which is joined to the piece before where they touch.
    pub fn run(&mut self, from: SimTime, until: SimTime) {
        self.run_on(from, until, 0);
    }

    /// It runs on so many nodes for this while, which is joined to the piece before where they touch and are alike.
    pub fn run_on(&mut self, from: SimTime, until: SimTime, nodes: u32) {
        match self.pieces.last_mut() {
            Some(last) if last.until == from && last.nodes == nodes => last.until = until,
            _ if from < until => self.pieces.push(Piece { from, until, nodes }),
            _ => {}
        }
    }

    /// It waits until the policy lets it go.
    pub fn hold(&mut self) {
        self.held = true;
    }

    /// When it starts; `None` if nothing is planned.
    pub fn first(&self) -> Option<SimTime> {
        self.pieces.first().map(|p| p.from)
    }
}
