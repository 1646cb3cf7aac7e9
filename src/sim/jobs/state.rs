//! What the engine keeps of a job in flight.

use crate::scheduler::shifting::{Piece, Purchase};
use crate::types::{Duration, SimTime};

/// Where a job is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It waits because its plan says so.
    Waiting,
    /// It should run, and admission lets no more jobs run.
    Capped,
    /// It should run, and waits for nodes, or for them to start.
    Placing,
    /// It goes back to where it was suspended.
    Restarting,
    /// It computes.
    Computing,
    /// It writes down where it is, to be suspended.
    Checkpointing,
    /// It was evicted, and is tried again.
    Evicted,
    /// A free slot.
    Gone,
}

/// A job in flight.
#[derive(Debug, Clone)]
pub struct JobState {
    /// Its place in the list of jobs.
    pub job: u32,
    /// Where it is.
    pub stage: Stage,
    /// Counts what was planned for it: an event with another number is void. The first is of its plan, the second of its progress.
    pub generation: [u32; 2],
    /// Its plan, and the first piece of it that is not over.
    pub pieces: Vec<Piece>,
    /// The piece that comes or is under way.
    pub next: usize,
    /// Whether the policy lets it go.
    pub held: bool,
    /// When the policy wants to be asked again.
    pub again: SimTime,
    /// On which terms its CPU is bought from its next start on.
    pub purchase: Purchase,
    /// On which terms it is now.
    pub bought: Bought,
    /// Its nodes, by their slots: those that wait for room, too.
    pub nodes: Vec<u32>,
    /// How many of them are ready.
    pub ready: u32,
    /// The most that were ready at a time.
    pub most: u32,
    /// How many it should have.
    pub wanted: u32,
    /// How much is done, in time on its base nodes.
    pub done: Duration,
    /// How much of that is safe from an eviction.
    pub saved: Duration,
    /// Since when its progress, or its present stage, counts.
    pub since: SimTime,
    /// When it started or resumed last.
    pub began: SimTime,
    /// When it first started.
    pub started: SimTime,
    /// Time during which it had its nodes and used them.
    pub ran: Duration,
    /// The part of it that restarts and checkpoints took.
    pub overhead: Duration,
    /// Time during which it waited for room or for admission.
    pub queued: Duration,
    /// Times it was started or resumed, and evicted.
    pub starts: u32,
    /// Times it was evicted.
    pub evictions: u32,
    /// Core time of its nodes while they computed, restarts and checkpoints included [core·s].
    pub core_s: f64,
    /// Dynamic energy of the nodes that it has given back \[J\].
    pub dynamic_j: f64,
}

/// On which terms the CPU of a job that runs is bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bought {
    /// It does not run.
    Nothing,
    /// From what is reserved.
    Reserved,
    /// On demand.
    OnDemand,
    /// Spot.
    Spot,
}

impl JobState {
    /// A job that has just arrived.
    pub fn new(job: u32) -> Self {
        Self {
            job,
            stage: Stage::Waiting,
            generation: [0; 2],
            pieces: Vec::new(),
            next: 0,
            held: false,
            again: SimTime::NEVER,
            purchase: Purchase::Cheapest,
            bought: Bought::Nothing,
            nodes: Vec::new(),
            ready: 0,
            most: 0,
            wanted: 0,
            done: Duration::ZERO,
            saved: Duration::ZERO,
            since: SimTime::ZERO,
            began: SimTime::ZERO,
            started: SimTime::NEVER,
            ran: Duration::ZERO,
            overhead: Duration::ZERO,
            queued: Duration::ZERO,
            starts: 0,
            evictions: 0,
            core_s: 0.0,
            dynamic_j: 0.0,
        }
    }

    /// Takes the place of a job that is over; what was planned for that one stays void, and memory is kept.
    pub fn renew(&mut self, job: u32) {
        let generation = self.generation.map(|g| g.wrapping_add(1));
        let (mut pieces, mut nodes) = (std::mem::take(&mut self.pieces), std::mem::take(&mut self.nodes));
        pieces.clear();
        nodes.clear();
        *self = Self { generation, pieces, nodes, ..Self::new(job) };
    }

    /// Whether it has nodes in use.
    pub fn is_running(&self) -> bool {
        matches!(self.stage, Stage::Restarting | Stage::Computing | Stage::Checkpointing)
    }
}
