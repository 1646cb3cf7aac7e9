//! The warm sets: which idle sandbox a call takes, found in constant time.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sandbox::{List, NONE, Sandboxes, Which};
use crate::types::{HostId, PoolId, RegionId, SandboxId};

/// Which of several idle sandboxes of a pool the next call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReuseOrder {
    /// The one idle for the longest time.
    #[default]
    Lru,
    /// The one idle for the shortest time.
    Mru,
    /// The one created last (SimFaaS; McGrath's scheduler).
    NewestCreated,
    /// The order of dslab-faas: an insertion-ordered set whose removal moves the last element into the hole; take the first.
    Dslab,
}

/// Among which sandboxes the reuse order chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarmScope {
    /// All idle sandboxes of the pool in the region: the sandbox decides the host.
    Region,
    /// Those on one host: the packing policy decides the host first.
    Host,
}

/// One set of idle sandboxes.
#[derive(Debug, Clone, Copy, Default)]
struct Set {
    list: List,
    len: u32,
    /// Index into the side tables of the orders that need one.
    side: u32,
    /// The host and its position in its pool's list of warm hosts (scope host).
    host: u32,
    position: u32,
}

/// All warm sets of a run.
#[derive(Debug)]
pub struct WarmPools {
    order: ReuseOrder,
    scope: WarmScope,
    regions: usize,
    sets: Vec<Set>,
    /// Scope region: set of (pool, region). Scope host with one host: set of pool. Else by hash.
    by_host: FxHashMap<u64, u32>,
    single_host: bool,
    /// Scope host: the sets that are not empty, per (pool, region).
    warm_hosts: Vec<Vec<u32>>,
    newest: Vec<BTreeSet<(u64, u32)>>,
    vectors: Vec<Vec<u32>>,
}

impl WarmPools {
    /// Empty sets for `regions` regions and `hosts` hosts in all.
    pub fn new(order: ReuseOrder, scope: WarmScope, regions: usize, hosts: usize) -> Self {
        Self {
            order,
            scope,
            regions,
            sets: Vec::new(),
            by_host: FxHashMap::default(),
            single_host: hosts == 1,
            warm_hosts: Vec::new(),
            newest: Vec::new(),
            vectors: Vec::new(),
        }
    }

    /// Makes room for pools `0..pools`.
    pub fn grow(&mut self, pools: usize) {
        if self.scope == WarmScope::Region || self.single_host {
            let wanted = pools * self.regions;
            while self.sets.len() < wanted {
                self.new_set(0);
            }
        }
        if self.scope == WarmScope::Host {
            self.warm_hosts.resize_with(pools * self.regions, Vec::new);
        }
    }

    fn new_set(&mut self, host: u32) -> u32 {
        let side = match self.order {
            ReuseOrder::NewestCreated => {
                self.newest.push(BTreeSet::new());
                self.newest.len() - 1
            }
            ReuseOrder::Dslab => {
                self.vectors.push(Vec::new());
                self.vectors.len() - 1
            }
            ReuseOrder::Lru | ReuseOrder::Mru => 0,
        };
        self.sets.push(Set { side: side as u32, host, ..Set::default() });
        (self.sets.len() - 1) as u32
    }

    #[inline]
    fn find(&self, pool: PoolId, region: RegionId, host: HostId) -> Option<u32> {
        if self.scope == WarmScope::Region || self.single_host {
            return Some((pool.index() * self.regions + region.index()) as u32);
        }
        self.by_host.get(&key(pool, host)).copied()
    }

    fn find_or_create(&mut self, pool: PoolId, region: RegionId, host: HostId) -> u32 {
        match self.find(pool, region, host) {
            Some(set) => set,
            None => {
                let set = self.new_set(host.0);
                self.by_host.insert(key(pool, host), set);
                set
            }
        }
    }

    /// Adds a sandbox that has just become idle.
    #[inline]
    pub fn insert(&mut self, sandboxes: &mut Sandboxes, region: RegionId, id: SandboxId) {
        self.insert_at(sandboxes, region, id, false);
    }

    /// Adds a sandbox that runs calls and can take one more: by age (`lru`, `mru`) it is taken before any idle one.
    pub fn insert_partly_busy(&mut self, sandboxes: &mut Sandboxes, region: RegionId, id: SandboxId) {
        self.insert_at(sandboxes, region, id, true);
    }

    #[inline]
    fn insert_at(&mut self, sandboxes: &mut Sandboxes, region: RegionId, id: SandboxId, next: bool) {
        let s = &sandboxes[id];
        let (pool, host) = (s.pool, s.host);
        let at = self.find_or_create(pool, region, host);
        let set = &mut self.sets[at as usize];
        match self.order {
            ReuseOrder::Lru if next => sandboxes.push_front(&mut set.list, Which::Warm, id),
            ReuseOrder::Lru | ReuseOrder::Mru => sandboxes.push_back(&mut set.list, Which::Warm, id),
            ReuseOrder::NewestCreated => {
                self.newest[set.side as usize].insert((sandboxes[id].created, id.0));
            }
            ReuseOrder::Dslab => {
                let v = &mut self.vectors[set.side as usize];
                sandboxes[id].warm_links.prev = v.len() as u32;
                v.push(id.0);
            }
        }
        set.len += 1;
        if self.scope == WarmScope::Host && set.len == 1 {
            let hosts = &mut self.warm_hosts[pool.index() * self.regions + region.index()];
            set.position = hosts.len() as u32;
            set.host = host.0;
            hosts.push(at);
        }
    }

    /// Takes a sandbox out: it is reused, expired or evicted.
    #[inline]
    pub fn remove(&mut self, sandboxes: &mut Sandboxes, region: RegionId, id: SandboxId) {
        let s = &sandboxes[id];
        let (pool, host) = (s.pool, s.host);
        let at = self.find(pool, region, host).expect("an idle sandbox stands in the set it was inserted in");
        let set = &mut self.sets[at as usize];
        match self.order {
            ReuseOrder::Lru | ReuseOrder::Mru => sandboxes.unlink(&mut set.list, Which::Warm, id),
            ReuseOrder::NewestCreated => {
                self.newest[set.side as usize].remove(&(sandboxes[id].created, id.0));
            }
            ReuseOrder::Dslab => {
                let v = &mut self.vectors[set.side as usize];
                let hole = sandboxes[id].warm_links.prev;
                v.swap_remove(hole as usize);
                if let Some(&moved) = v.get(hole as usize) {
                    sandboxes[SandboxId(moved)].warm_links.prev = hole;
                }
            }
        }
        set.len -= 1;
        if self.scope == WarmScope::Host && set.len == 0 {
            let hole = set.position;
            let hosts = &mut self.warm_hosts[pool.index() * self.regions + region.index()];
            hosts.swap_remove(hole as usize);
            if let Some(&moved) = hosts.get(hole as usize) {
                self.sets[moved as usize].position = hole;
            }
        }
    }

    #[inline]
    fn choose(&self, set: u32) -> Option<SandboxId> {
        let set = &self.sets[set as usize];
        let id = match self.order {
            ReuseOrder::Lru => set.list.head,
            ReuseOrder::Mru => set.list.tail,
            ReuseOrder::NewestCreated => self.newest[set.side as usize].last().map_or(NONE, |&(_, id)| id),
            ReuseOrder::Dslab => self.vectors[set.side as usize].first().copied().unwrap_or(NONE),
        };
        (id != NONE).then_some(SandboxId(id))
    }

    /// The idle sandbox of the pool in the region that the reuse order names (scope region).
    #[inline]
    pub fn in_region(&self, pool: PoolId, region: RegionId) -> Option<SandboxId> {
        debug_assert_eq!(self.scope, WarmScope::Region);
        self.choose((pool.index() * self.regions + region.index()) as u32)
    }

    /// Of the first `limit` idle sandboxes of the pool in the region, in the reuse order, the first that suits (scope
    /// region).
    pub fn in_region_where(
        &self,
        sandboxes: &Sandboxes,
        pool: PoolId,
        region: RegionId,
        limit: usize,
        suits: impl Fn(SandboxId) -> bool,
    ) -> Option<SandboxId> {
        let set = &self.sets[pool.index() * self.regions + region.index()];
        let suits = |id: &u32| suits(SandboxId(*id));
        let found = match self.order {
            ReuseOrder::Lru | ReuseOrder::Mru => {
                let backwards = self.order == ReuseOrder::Mru;
                let step = |&id: &u32| {
                    let links = sandboxes[SandboxId(id)].warm_links;
                    Some(if backwards { links.prev } else { links.next }).filter(|&next| next != NONE)
                };
                let first = Some(if backwards { set.list.tail } else { set.list.head }).filter(|&id| id != NONE);
                std::iter::successors(first, step).take(limit).find(suits)
            }
            ReuseOrder::NewestCreated => {
                self.newest[set.side as usize].iter().rev().map(|&(_, id)| id).take(limit).find(suits)
            }
            ReuseOrder::Dslab => self.vectors[set.side as usize].iter().copied().take(limit).find(suits),
        };
        found.map(SandboxId)
    }

    /// The idle sandbox of the pool on the host that the reuse order names (scope host).
    #[inline]
    pub fn on_host(&self, pool: PoolId, region: RegionId, host: HostId) -> Option<SandboxId> {
        self.find(pool, region, host).and_then(|set| self.choose(set))
    }

    /// The hosts of the region that have an idle sandbox of the pool (scope host), in no meaningful order.
    #[inline]
    pub fn hosts(&self, pool: PoolId, region: RegionId) -> impl Iterator<Item = HostId> + '_ {
        let sets: &[u32] = match self.scope {
            WarmScope::Host => &self.warm_hosts[pool.index() * self.regions + region.index()],
            WarmScope::Region => &[],
        };
        sets.iter().map(|&s| HostId(self.sets[s as usize].host))
    }
}

#[inline]
fn key(pool: PoolId, host: HostId) -> u64 {
    u64::from(pool.0) << 32 | u64::from(host.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(order: ReuseOrder, scope: WarmScope) -> Vec<u32> {
        let (f, r) = (PoolId(0), RegionId(0));
        let mut boxes = Sandboxes::default();
        let mut pools = WarmPools::new(order, scope, 1, 2);
        pools.grow(1);
        let ids: Vec<_> = (0..4)
            .map(|_| boxes.create((f, crate::types::FunctionId(0)), HostId(1), 1, crate::types::SimTime::ZERO))
            .collect();
        for i in [2, 0, 3, 1] {
            pools.insert(&mut boxes, r, ids[i]);
        }
        let mut out = Vec::new();
        while let Some(id) = match scope {
            WarmScope::Region => pools.in_region(f, r),
            WarmScope::Host => pools.hosts(f, r).next().and_then(|h| pools.on_host(f, r, h)),
        } {
            pools.remove(&mut boxes, r, id);
            out.push(id.0);
        }
        out
    }

    #[test]
    fn each_reuse_order_takes_the_sandbox_it_names() {
        for scope in [WarmScope::Region, WarmScope::Host] {
            assert_eq!(taken(ReuseOrder::Lru, scope), [2, 0, 3, 1]);
            assert_eq!(taken(ReuseOrder::Mru, scope), [1, 3, 0, 2]);
            assert_eq!(taken(ReuseOrder::NewestCreated, scope), [3, 2, 1, 0]);
            // Inserted 2 0 3 1: take 2, 1 moves to the front; take 1, 3 moves; take 3, 0 is left.
            assert_eq!(taken(ReuseOrder::Dslab, scope), [2, 1, 3, 0]);
        }
    }
}
