//! Which idle sandbox of a host goes first when room is needed.

use std::collections::BTreeSet;

use super::sandbox::{List, NONE, Sandboxes, Which};
use crate::types::{HostId, SandboxId};

/// The order in which idle sandboxes of a host go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvictionOrder {
    /// The one that is idle longest.
    Lru,
    /// The one of the lowest priority = clock + uses x start time / memory (greedy-dual; FaasCache, ASPLOS 2021).
    GreedyDual,
    /// The one that holds most memory; of equal ones the one idle longest.
    Largest,
}

/// The idle sandboxes of every host, in the order in which they go.
#[derive(Debug)]
pub struct IdleOrder {
    order: EvictionOrder,
    /// By age: one list per host.
    lists: Vec<List>,
    /// By key: (key, when it became idle in turn, sandbox).
    sorted: Vec<BTreeSet<(u64, u64, u32)>>,
    turns: Vec<u64>,
    turn: u64,
    /// Greedy-dual: the priority of the last sandbox that went, per host.
    clocks: Vec<f64>,
}

impl IdleOrder {
    /// Empty lists for `hosts` hosts.
    pub fn new(order: EvictionOrder, hosts: usize) -> Self {
        let by_age = order == EvictionOrder::Lru;
        Self {
            order,
            lists: vec![List::default(); if by_age { hosts } else { 0 }],
            sorted: vec![BTreeSet::new(); if by_age { 0 } else { hosts }],
            turns: Vec::new(),
            turn: 0,
            clocks: vec![0.0; if order == EvictionOrder::GreedyDual { hosts } else { 0 }],
        }
    }

    /// The order.
    pub fn order(&self) -> EvictionOrder {
        self.order
    }

    /// Adds a sandbox that has become idle.
    pub fn insert(&mut self, sandboxes: &mut Sandboxes, id: SandboxId) {
        let host = sandboxes[id].host.index();
        if self.order == EvictionOrder::Lru {
            return sandboxes.push_back(&mut self.lists[host], Which::Host, id);
        }
        if self.turns.len() <= id.index() {
            self.turns.resize(id.index() + 1, 0);
        }
        self.turn += 1;
        self.turns[id.index()] = self.turn;
        let key = self.key(sandboxes, id);
        self.sorted[host].insert((key, self.turn, id.0));
    }

    /// Takes a sandbox out: it is reused or gone.
    pub fn remove(&mut self, sandboxes: &mut Sandboxes, id: SandboxId) {
        let host = sandboxes[id].host.index();
        if self.order == EvictionOrder::Lru {
            return sandboxes.unlink(&mut self.lists[host], Which::Host, id);
        }
        let entry = (self.key(sandboxes, id), self.turns[id.index()], id.0);
        self.sorted[host].remove(&entry);
    }

    /// The largest go first, so their keys count down.
    fn key(&self, sandboxes: &Sandboxes, id: SandboxId) -> u64 {
        match self.order {
            EvictionOrder::Largest => u64::MAX - sandboxes[id].memory,
            _ => sandboxes[id].evict_key,
        }
    }

    /// The idle sandbox of a host that goes first.
    pub fn first(&self, host: HostId) -> Option<SandboxId> {
        let id = match self.order {
            EvictionOrder::Lru => self.lists[host.index()].head,
            _ => self.sorted[host.index()].first().map_or(NONE, |&(_, _, id)| id),
        };
        (id != NONE).then_some(SandboxId(id))
    }

    /// The first idle sandbox of a host, in the order in which they go, that may go.
    pub fn first_that(
        &self,
        sandboxes: &Sandboxes,
        host: HostId,
        mut may_go: impl FnMut(SandboxId) -> bool,
    ) -> Option<SandboxId> {
        match self.order {
            EvictionOrder::Lru => {
                let mut at = self.lists[host.index()].head;
                while at != NONE && !may_go(SandboxId(at)) {
                    at = sandboxes.after(Which::Host, SandboxId(at));
                }
                (at != NONE).then_some(SandboxId(at))
            }
            _ => self.sorted[host.index()].iter().map(|&(_, _, id)| SandboxId(id)).find(|&id| may_go(id)),
        }
    }

    /// The greedy-dual priority of a use: clock + uses x cost / size, where cost is the start time \[s\] and size the memory
    /// \[MB\]. As bits, which order like the number, because it is never negative.
    ///
    /// Example: clock 2, 3 uses, 0.5 s, 100 MB: 2.015.
    pub fn priority(&self, host: HostId, uses: u64, cost_s: f64, size_mb: f64) -> u64 {
        let clock = self.clocks.get(host.index()).copied().unwrap_or(0.0);
        (clock + uses as f64 * cost_s / size_mb.max(1e-6)).to_bits()
    }

    /// A sandbox is evicted: the host's clock moves on to its priority, and never back. (One that was never used has none, and
    /// one that was busy during later evictions has an old one.)
    pub fn evicted(&mut self, sandboxes: &Sandboxes, id: SandboxId) {
        if self.order == EvictionOrder::GreedyDual {
            let clock = &mut self.clocks[sandboxes[id].host.index()];
            *clock = clock.max(f64::from_bits(sandboxes[id].evict_key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{FunctionId, PoolId, SimTime};

    fn order_of_leaving(order: EvictionOrder, boxes: &[(u64, u64, f64)]) -> Vec<u32> {
        let mut sandboxes = Sandboxes::default();
        let mut idle = IdleOrder::new(order, 1);
        for &(memory, uses, cost_s) in boxes {
            let id = sandboxes.create((PoolId(0), FunctionId(0)), HostId(0), memory, SimTime::ZERO);
            sandboxes[id].evict_key = idle.priority(HostId(0), uses, cost_s, memory as f64);
            idle.insert(&mut sandboxes, id);
        }
        let mut left = Vec::new();
        while let Some(id) = idle.first(HostId(0)) {
            idle.evicted(&sandboxes, id);
            idle.remove(&mut sandboxes, id);
            left.push(id.0);
        }
        left
    }

    #[test]
    fn each_order_sends_the_sandbox_it_names() {
        // Priorities: 1 x 1 / 100 = 0.01, 10 x 1 / 50 = 0.2, 1 x 1 / 400 = 0.0025.
        let boxes = [(100, 1, 1.0), (50, 10, 1.0), (400, 1, 1.0)];
        assert_eq!(order_of_leaving(EvictionOrder::Lru, &boxes), [0, 1, 2]);
        assert_eq!(order_of_leaving(EvictionOrder::Largest, &boxes), [2, 0, 1]);
        assert_eq!(order_of_leaving(EvictionOrder::GreedyDual, &boxes), [2, 0, 1]);
        let equal = [(100, 1, 1.0); 3];
        assert_eq!(order_of_leaving(EvictionOrder::Largest, &equal), [0, 1, 2], "of equal ones the one idle longest");
    }

    #[test]
    fn the_clock_of_greedy_dual_is_the_priority_of_the_last_that_went() {
        let mut sandboxes = Sandboxes::default();
        let mut idle = IdleOrder::new(EvictionOrder::GreedyDual, 1);
        let id = sandboxes.create((PoolId(0), FunctionId(0)), HostId(0), 100, SimTime::ZERO);
        sandboxes[id].evict_key = idle.priority(HostId(0), 4, 0.5, 100.0);
        idle.evicted(&sandboxes, id);
        assert_eq!(f64::from_bits(idle.priority(HostId(0), 1, 0.5, 100.0)), 0.02 + 0.005);
        // One that was started in vain has no priority, and does not turn the clock back.
        let unused = sandboxes.create((PoolId(0), FunctionId(0)), HostId(0), 100, SimTime::ZERO);
        idle.evicted(&sandboxes, unused);
        assert_eq!(f64::from_bits(idle.priority(HostId(0), 1, 0.5, 100.0)), 0.02 + 0.005);
    }
}
