//! Calls in flight: an arena of slots, so that memory grows with what is in flight and never with the trace.

use crate::types::{Duration, FunctionId, RegionId, SimTime};

/// Where a call is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Between arrival and release (admission, shifting).
    Held,
    /// Waiting for room.
    Waiting,
    /// Waiting for its own sandbox to start.
    Starting,
    /// Executing.
    Running,
    /// A free slot.
    Gone,
}

/// One call.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// When it arrived.
    pub arrival: SimTime,
    /// When its caller wants it to start.
    pub start: SimTime,
    /// When shifting let it go.
    pub released: SimTime,
    /// When it began to execute.
    pub began: SimTime,
    /// How long it runs alone.
    pub work: Duration,
    /// When it must have finished.
    pub deadline: SimTime,
    /// What it calls.
    pub function: FunctionId,
    /// Where it arrived.
    pub home: RegionId,
    /// Where it runs.
    pub region: RegionId,
    /// Its sandbox.
    pub sandbox: u32,
    /// Where it is on its way.
    pub stage: Stage,
    /// The next call that waits for the start of the same sandbox; `NONE` for the last.
    pub next: u32,
    /// Its turn among the calls that share CPU, by which its end is recognised.
    pub order: u64,
    /// How often it was handed out by a durable queue.
    pub attempt: u32,
    /// Whether it is executed once more than it must be.
    pub again: bool,
    /// The call, by slot and generation, of which it is a copy because nothing was heard of it in time; slot `NONE` if it is none.
    pub origin: (u32, u32),
    /// Whether its service throws an exception at it.
    pub failed: bool,
    /// Whether its sandbox was started for it.
    pub cold: bool,
    /// Whether it counts as deferred: it was let go later than it arrived.
    pub deferred: bool,
    /// Counts the uses of the slot.
    pub generation: u32,
    /// The host's dynamic clocks when it began to execute.
    pub dynamic_mark: f64,
    /// The weighted clock.
    pub dynamic_weight_mark: f64,
    /// Its sandbox's clocks of the share per call when it began to execute: only where a sandbox takes several calls.
    pub share_mark: f64,
    /// The weighted clock.
    pub share_weight_mark: f64,
}

/// The arena.
#[derive(Debug, Default)]
pub struct Calls {
    slots: Vec<Call>,
    free: Vec<u32>,
}

impl std::ops::Index<u32> for Calls {
    type Output = Call;
    #[inline]
    fn index(&self, slot: u32) -> &Call {
        &self.slots[slot as usize]
    }
}

impl std::ops::IndexMut<u32> for Calls {
    #[inline]
    fn index_mut(&mut self, slot: u32) -> &mut Call {
        &mut self.slots[slot as usize]
    }
}

impl Calls {
    /// Takes a slot.
    #[inline]
    pub fn insert(&mut self, call: Call) -> u32 {
        match self.free.pop() {
            Some(slot) => {
                let old = &mut self.slots[slot as usize];
                *old = Call { generation: old.generation.wrapping_add(1), ..call };
                slot
            }
            None => {
                self.slots.push(call);
                u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 calls are in flight")
            }
        }
    }

    /// Whether a queue still waits to hear of a call: always, but for a copy of a call that has ended.
    pub fn is_wanted(&self, call: &Call) -> bool {
        let (slot, generation) = call.origin;
        self.slots
            .get(slot as usize)
            .is_none_or(|origin| origin.generation == generation && origin.stage != Stage::Gone)
    }

    /// All calls in flight, by slot.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Call)> {
        (0u32..).zip(&self.slots).filter(|(_, c)| c.stage != Stage::Gone)
    }

    /// Gives a slot back.
    #[inline]
    pub fn remove(&mut self, slot: u32) {
        self.slots[slot as usize].stage = Stage::Gone;
        self.free.push(slot);
    }

    /// How many calls are in flight.
    pub fn in_flight(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// The most calls that were ever in flight together.
    pub fn most_in_flight(&self) -> usize {
        self.slots.len()
    }
}
