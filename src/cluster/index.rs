//! The indexed pool of a region's hosts: every packing rule finds its host in logarithmic time.

use std::sync::atomic::{AtomicU64, Ordering};

use super::changes::ChangeLog;
use super::order::Order;

/// What the index knows of one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Memory that can still be given out \[bytes\].
    pub memory: u64,
    /// CPU that can still be given out [millionths of a core]; `u64::MAX` where CPU limits nothing.
    pub cpu: u64,
    /// How loaded the host is, for least-loaded rules [millionths of its CPU capacity].
    pub load: u64,
    /// Whether it takes anything at all (it is on).
    pub open: bool,
}

/// Which orders a packing policy needs; an order that nobody needs costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Orders {
    /// Hosts by free memory (best fit, worst fit).
    pub memory: bool,
    /// Hosts by free CPU (the same by CPU).
    pub cpu: bool,
    /// Hosts by load (least loaded).
    pub load: bool,
    /// A log of changed hosts (rules that keep scores).
    pub changes: bool,
}

/// A node of the tree: bounds over the hosts below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Node {
    /// Largest free memory + 1; 0 means that no host below is open.
    memory: u64,
    cpu: u64,
    load: u64,
}

const NO_ORDER: &str = "the policy names the orders that it uses in Packing::orders";
const CLOSED: Node = Node { memory: 0, cpu: 0, load: u64::MAX };

/// Hosts 0..n of one region, searchable by free memory, free CPU and load.
///
/// A complete binary tree holds per node the largest free memory and CPU and the smallest load below it. Ties go to the
/// lowest host number. Searches are exact; where two constraints pull apart they may visit more than one path.
#[derive(Debug)]
pub struct HostIndex {
    /// Names this index among all of the process. Compared for equality alone: its value decides nothing.
    id: u64,
    hosts: usize,
    leaves: usize,
    nodes: Vec<Node>,
    orders: Orders,
    /// Whether any of what follows is kept.
    keeps_more: bool,
    by_memory: Option<Order>,
    by_cpu: Option<Order>,
    changes: Option<ChangeLog>,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

impl HostIndex {
    /// An index of `hosts` closed hosts.
    pub fn new(hosts: usize, orders: Orders) -> Self {
        let leaves = hosts.next_power_of_two().max(1);
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            hosts,
            leaves,
            nodes: vec![CLOSED; 2 * leaves],
            orders,
            keeps_more: orders.memory || orders.cpu || orders.changes,
            by_memory: orders.memory.then(|| Order::new(hosts)),
            by_cpu: orders.cpu.then(|| Order::new(hosts)),
            changes: orders.changes.then(|| ChangeLog::new(hosts)),
        }
    }

    /// Updates one host.
    #[inline]
    pub fn update(&mut self, host: usize, slot: Slot) {
        let load = if self.orders.load { slot.load } else { 0 };
        let node = if slot.open { Node { memory: slot.memory.saturating_add(1), cpu: slot.cpu, load } } else { CLOSED };
        if self.nodes[self.leaves + host] != node {
            self.replace(host, node);
        }
    }

    /// Whether the order by load is kept; if not, nobody needs to work out a host's load.
    #[inline]
    pub fn orders_load(&self) -> bool {
        self.orders.load
    }

    fn replace(&mut self, host: usize, node: Node) {
        let mut at = self.leaves + host;
        let old = self.nodes[at];
        if self.keeps_more {
            self.keep(host as u32, old, node);
        }
        self.nodes[at] = node;
        while at > 1 {
            at /= 2;
            let (a, b) = (self.nodes[2 * at], self.nodes[2 * at + 1]);
            let joined = Node { memory: a.memory.max(b.memory), cpu: a.cpu.max(b.cpu), load: a.load.min(b.load) };
            if self.nodes[at] == joined {
                break;
            }
            self.nodes[at] = joined;
        }
    }

    /// Brings the orders up to date, and the log of changes, that not every policy needs.
    #[inline(never)]
    fn keep(&mut self, host: u32, old: Node, node: Node) {
        if (old.memory, old.cpu) != (node.memory, node.cpu) {
            let key = |n: &Node| (n.memory > 0).then(|| (n.memory - 1, n.cpu));
            let (from, to) = (key(&old), key(&node));
            if let Some(order) = &mut self.by_memory {
                order.move_to(host, from.is_some(), to);
            }
            if let Some(order) = &mut self.by_cpu {
                order.move_to(host, from.is_some(), to.map(|(memory, cpu)| (cpu, memory)));
            }
        }
        if let Some(changes) = &mut self.changes {
            changes.push(host);
        }
    }

    #[inline]
    fn may_fit(&self, at: usize, memory: u64, cpu: u64) -> bool {
        let n = &self.nodes[at];
        n.memory > memory && n.cpu >= cpu
    }

    /// Whether a host has room for this much memory and CPU.
    #[inline]
    pub fn fits(&self, host: usize, memory: u64, cpu: u64) -> bool {
        self.may_fit(self.leaves + host, memory, cpu)
    }

    /// Whether a host has this much free CPU, whatever its memory.
    #[inline]
    pub fn cpu_fits(&self, host: usize, cpu: u64) -> bool {
        self.nodes[self.leaves + host].cpu >= cpu
    }

    /// What was last said of a host.
    pub fn slot(&self, host: usize) -> Slot {
        let n = self.nodes[self.leaves + host];
        Slot { memory: n.memory.saturating_sub(1), cpu: n.cpu, load: n.load, open: n.memory > 0 }
    }

    /// A host's load as last updated (0 where the order by load is not kept).
    #[inline]
    pub fn load(&self, host: usize) -> u64 {
        self.nodes[self.leaves + host].load
    }

    /// A host's free memory as last updated \[bytes\].
    #[inline]
    pub fn memory(&self, host: usize) -> u64 {
        self.nodes[self.leaves + host].memory.saturating_sub(1)
    }

    /// How many hosts there are.
    pub fn hosts(&self) -> usize {
        self.hosts
    }

    /// The lowest-numbered host from `from` on that has room.
    pub fn first_fit(&self, from: usize, memory: u64, cpu: u64) -> Option<usize> {
        self.first_below(1, 0, self.leaves, from, memory, cpu)
    }

    fn first_below(&self, at: usize, low: usize, width: usize, from: usize, memory: u64, cpu: u64) -> Option<usize> {
        if low + width <= from || !self.may_fit(at, memory, cpu) {
            return None;
        }
        if width == 1 {
            return Some(low);
        }
        let half = width / 2;
        self.first_below(2 * at, low, half, from, memory, cpu)
            .or_else(|| self.first_below(2 * at + 1, low + half, half, from, memory, cpu))
    }

    /// The lowest-numbered host from `from` on that has room, or else the lowest-numbered one before it.
    pub fn first_fit_round(&self, from: usize, memory: u64, cpu: u64) -> Option<usize> {
        self.first_fit(from, memory, cpu).or_else(|| self.first_fit(0, memory, cpu))
    }

    /// The lowest-numbered host from `from` on and before `to` that has room.
    pub fn first_fit_in(&self, from: usize, to: usize, memory: u64, cpu: u64) -> Option<usize> {
        self.first_fit(from, memory, cpu).filter(|&host| host < to)
    }

    /// The host with the least free memory that has room. Needs [`Orders::memory`].
    pub fn best_fit(&self, memory: u64, cpu: u64) -> Option<usize> {
        self.by_memory.as_ref().expect(NO_ORDER).first(memory, cpu)
    }

    /// The host with the most free memory among those that have room. Needs [`Orders::memory`].
    pub fn worst_fit(&self, memory: u64, cpu: u64) -> Option<usize> {
        self.by_memory.as_ref().expect(NO_ORDER).last(memory, cpu)
    }

    /// The host with the least free CPU that has room. Needs [`Orders::cpu`].
    pub fn best_fit_by_cpu(&self, memory: u64, cpu: u64) -> Option<usize> {
        self.by_cpu.as_ref().expect(NO_ORDER).first(cpu, memory)
    }

    /// The host with the most free CPU among those that have room. Needs [`Orders::cpu`].
    pub fn worst_fit_by_cpu(&self, memory: u64, cpu: u64) -> Option<usize> {
        self.by_cpu.as_ref().expect(NO_ORDER).last(cpu, memory)
    }

    /// Which hosts have changed. Needs [`Orders::changes`].
    #[inline]
    pub fn changes(&self) -> &ChangeLog {
        self.changes.as_ref().expect(NO_ORDER)
    }

    /// Tells this index from every other one of the process.
    #[inline]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The least loaded host that has room. Needs [`Orders::load`].
    pub fn least_loaded(&self, memory: u64, cpu: u64) -> Option<usize> {
        debug_assert!(self.orders.load);
        let mut search = Least::<false> { index: self, within: (0, self.hosts), memory, cpu, best: None };
        search.below(1, 0, self.leaves);
        search.best.map(|(_, host)| host)
    }

    /// The least loaded host from `from` on and before `to` that has room. Needs [`Orders::load`].
    pub fn least_loaded_in(&self, from: usize, to: usize, memory: u64, cpu: u64) -> Option<usize> {
        debug_assert!(self.orders.load);
        let mut search = Least::<true> { index: self, within: (from, to), memory, cpu, best: None };
        search.below(1, 0, self.leaves);
        search.best.map(|(_, host)| host)
    }
}

/// A search for the least loaded host, in a part of the hosts where `PART`.
struct Least<'a, const PART: bool> {
    index: &'a HostIndex,
    within: (usize, usize),
    memory: u64,
    cpu: u64,
    best: Option<(u64, usize)>,
}

impl<const PART: bool> Least<'_, PART> {
    fn below(&mut self, at: usize, low: usize, width: usize) {
        if PART && (low + width <= self.within.0 || low >= self.within.1) {
            return;
        }
        let nodes = &self.index.nodes;
        let load = nodes[at].load;
        if !self.index.may_fit(at, self.memory, self.cpu) || self.best.is_some_and(|b| (load, low) > b) {
            return;
        }
        if width == 1 {
            self.best = Some((load, low));
            return;
        }
        let half = width / 2;
        let (left, right) = ((2 * at, low), (2 * at + 1, low + half));
        let (a, b) = if nodes[right.0].load < nodes[left.0].load { (right, left) } else { (left, right) };
        self.below(a.0, a.1, half);
        self.below(b.0, b.1, half);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Seed;

    #[test]
    fn every_search_agrees_with_a_linear_scan() {
        for hosts in [1usize, 2, 7, 64, 100] {
            let mut s = Seed(9).stream("index", hosts as u64);
            let all = Orders { memory: true, cpu: true, load: true, changes: true };
            let mut index = HostIndex::new(hosts, all);
            let mut slots = vec![Slot { memory: 0, cpu: 0, load: 0, open: false }; hosts];
            for _ in 0..3000 {
                let h = s.below(hosts as u64) as usize;
                slots[h] = Slot { memory: s.below(20), cpu: s.below(8), load: s.below(5), open: s.below(10) > 0 };
                index.update(h, slots[h]);
                let (m, c, from) = (s.below(20), s.below(8), s.below(hosts as u64) as usize);
                let fits: Vec<usize> =
                    (0..hosts).filter(|&i| slots[i].open && slots[i].memory >= m && slots[i].cpu >= c).collect();
                assert_eq!(index.first_fit(from, m, c), fits.iter().copied().find(|&i| i >= from));
                assert_eq!(index.best_fit(m, c), fits.iter().copied().min_by_key(|&i| (slots[i].memory, i)));
                let most = fits.iter().copied().min_by_key(|&i| (std::cmp::Reverse(slots[i].memory), i));
                assert_eq!(index.worst_fit(m, c), most);
                assert_eq!(index.best_fit_by_cpu(m, c), fits.iter().copied().min_by_key(|&i| (slots[i].cpu, i)));
                let most = fits.iter().copied().min_by_key(|&i| (std::cmp::Reverse(slots[i].cpu), i));
                assert_eq!(index.worst_fit_by_cpu(m, c), most);
                let to = s.below(hosts as u64 + 1) as usize;
                assert_eq!(index.first_fit_in(from, to, m, c), fits.iter().copied().find(|&i| i >= from && i < to));
                let within = fits.iter().copied().filter(|&i| i >= from && i < to);
                assert_eq!(index.least_loaded_in(from, to, m, c), within.min_by_key(|&i| (slots[i].load, i)));
                let round = fits.iter().copied().find(|&i| i >= from).or(fits.first().copied());
                assert_eq!(index.first_fit_round(from, m, c), round);
                assert_eq!(index.least_loaded(m, c), fits.iter().copied().min_by_key(|&i| (slots[i].load, i)));
            }
        }
    }
}
