//! Expiry lanes: sandboxes that stay equally long expire in the order in which they became idle, so a list per
//! distinct keep-alive replaces a heap.

use crate::cluster::Sandboxes;
use crate::cluster::{List, NONE, Which};
use crate::types::{Duration, SandboxId, SimTime};

/// At most this many distinct keep-alive times get a lane; further ones go through the event queue.
const LANES: usize = 8;

#[derive(Debug)]
struct Lane {
    keep: Duration,
    list: List,
    next: SimTime,
}

/// All lanes.
#[derive(Debug)]
pub struct ExpiryLanes {
    lanes: Vec<Lane>,
    /// The earliest expiry, or never, and its sandbox.
    soonest: (SimTime, SandboxId),
}

impl Default for ExpiryLanes {
    fn default() -> Self {
        Self { lanes: Vec::new(), soonest: (SimTime::NEVER, SandboxId(NONE)) }
    }
}

impl ExpiryLanes {
    /// Appends an idle sandbox that stays for `keep` from now; false if there is no lane for this time.
    #[inline]
    pub fn insert(&mut self, sandboxes: &mut Sandboxes, id: SandboxId, keep: Duration) -> bool {
        let lane = match self.lanes.iter().position(|l| l.keep == keep) {
            Some(lane) => lane,
            None if self.lanes.len() < LANES => {
                self.lanes.push(Lane { keep, list: List::default(), next: SimTime::NEVER });
                self.lanes.len() - 1
            }
            None => return false,
        };
        let l = &mut self.lanes[lane];
        sandboxes.push_back(&mut l.list, Which::Lane, id);
        let s = &mut sandboxes[id];
        s.lane = lane as u32;
        if l.list.head == id.0 {
            l.next = s.expires;
            self.find_soonest();
        }
        true
    }

    /// Takes a sandbox out of its lane, if it is in one.
    #[inline]
    pub fn remove(&mut self, sandboxes: &mut Sandboxes, id: SandboxId) {
        let lane = std::mem::replace(&mut sandboxes[id].lane, NONE);
        if lane == NONE {
            return;
        }
        let l = &mut self.lanes[lane as usize];
        let was_head = l.list.head == id.0;
        sandboxes.unlink(&mut l.list, Which::Lane, id);
        if was_head {
            l.next = if l.list.head == NONE { SimTime::NEVER } else { sandboxes[SandboxId(l.list.head)].expires };
            self.find_soonest();
        }
    }

    fn find_soonest(&mut self) {
        let first = self.lanes.iter().min_by_key(|l| l.next);
        self.soonest = first.map_or((SimTime::NEVER, SandboxId(NONE)), |l| (l.next, SandboxId(l.list.head)));
    }

    /// The earliest expiry and its sandbox; never if no sandbox will expire.
    #[inline]
    pub fn next(&self) -> (SimTime, SandboxId) {
        self.soonest
    }
}
