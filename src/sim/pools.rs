//! Pools: the functions that share sandboxes, and what is known of each pool in each region.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::engine::Engine;
use crate::isolation::Scope;
use crate::scheduler::PoolView;
use crate::types::{FunctionId, PoolId, RegionId, SimTime};
use crate::workload::FunctionProfile;

/// Numbers the pools: one function, one tenant or one trust domain each, in the order in which they are first named.
#[derive(Debug, Default)]
pub struct PoolNumbers {
    tenants: Vec<Option<PoolId>>,
    domains: FxHashMap<u32, PoolId>,
    count: usize,
}

impl PoolNumbers {
    /// The pool of a function, under a scope of isolation.
    pub fn of(&mut self, scope: Scope, profile: &FunctionProfile) -> PoolId {
        let next = PoolId::from_index(self.count);
        let pool = match scope {
            Scope::Request | Scope::Function => next,
            Scope::Tenant => {
                let tenant = profile.tenant.index();
                if self.tenants.len() <= tenant {
                    self.tenants.resize(tenant + 1, None);
                }
                *self.tenants[tenant].get_or_insert(next)
            }
            Scope::TrustDomain => *self.domains.entry(profile.trust_domain).or_insert(next),
        };
        self.count += usize::from(pool == next);
        pool
    }

    /// How many pools there are.
    pub fn count(&self) -> usize {
        self.count
    }
}

/// One pool in one region.
#[derive(Debug, Clone)]
pub(super) struct PoolState {
    pub sandboxes: u32,
    pub idle: u32,
    pub starting: u32,
    pub running: u32,
    pub waiting: u32,
    /// How many sandboxes scaling wants at least.
    pub floor: u32,
    /// Whether scaling is asked for it.
    pub called: bool,
    /// Whether it waits for room for what it lacks of the floor.
    pub lacks: bool,
    /// Counts arrivals and plans: a pre-warming planned at another count is void.
    pub stamp: u32,
    /// When a pre-warmed sandbox goes.
    pub prewarm_until: SimTime,
    pub last_end: Option<SimTime>,
    pub last_function: FunctionId,
    /// Running and waiting calls x time since `asked` [call·s].
    demand_s: f64,
    since: SimTime,
    asked: SimTime,
    /// Calls that wait for a sandbox of this pool.
    pub queue: VecDeque<u32>,
}

impl PoolState {
    fn new() -> Self {
        Self {
            sandboxes: 0,
            idle: 0,
            starting: 0,
            running: 0,
            waiting: 0,
            floor: 0,
            called: false,
            lacks: false,
            stamp: 0,
            prewarm_until: SimTime::ZERO,
            last_end: None,
            last_function: FunctionId(0),
            demand_s: 0.0,
            since: SimTime::ZERO,
            asked: SimTime::ZERO,
            queue: VecDeque::new(),
        }
    }

    fn advance(&mut self, now: SimTime) {
        self.demand_s += f64::from(self.running + self.waiting) * (now - self.since).as_secs_f64();
        self.since = now;
    }

    /// Changes how many calls run.
    pub fn run(&mut self, now: SimTime, change: i32) {
        self.advance(now);
        self.running = self.running.checked_add_signed(change).expect("a call ends that had begun");
    }

    /// Changes how many calls wait.
    pub fn wait(&mut self, now: SimTime, change: i32) {
        self.advance(now);
        self.waiting = self.waiting.checked_add_signed(change).expect("a call stops waiting that had waited");
    }

    /// The mean of running and waiting calls since the last time this was asked; the present number, if no time has passed.
    pub fn take_mean_demand(&mut self, now: SimTime) -> f64 {
        let mean = self.mean_demand(now);
        self.advance(now);
        (self.demand_s, self.asked) = (0.0, now);
        mean
    }

    fn mean_demand(&self, now: SimTime) -> f64 {
        let present = f64::from(self.running + self.waiting);
        let span = (now - self.asked).as_secs_f64();
        if span > 0.0 { (self.demand_s + present * (now - self.since).as_secs_f64()) / span } else { present }
    }
}

/// All pools.
pub(super) struct Pools {
    scope: Scope,
    numbers: PoolNumbers,
    regions: usize,
    /// Pools by regions, where pools are followed; else empty.
    table: Vec<PoolState>,
    followed: bool,
    /// Memory of the largest function of each pool \[bytes\].
    pub largest: Vec<u64>,
    /// Whether a function was announced that is larger than those of its pool before it.
    pub grown: bool,
    /// Calls begun, by pool.
    pub uses: Vec<u64>,
    /// Whether a snapshot of the pool exists in the region, where the first start makes it.
    pub has_snapshot: Vec<bool>,
    pub slots: u32,
    peaks: Vec<u32>,
}

impl Pools {
    /// No pools yet. `followed`: keep the numbers that [`PoolView`] shows; nobody needs them in the plain case.
    pub fn new(scope: Scope, regions: usize, followed: bool, slots: u32, peaks: Vec<u32>) -> Self {
        Self {
            scope,
            numbers: PoolNumbers::default(),
            regions,
            table: Vec::new(),
            followed,
            largest: Vec::new(),
            grown: false,
            uses: Vec::new(),
            has_snapshot: Vec::new(),
            slots,
            peaks,
        }
    }

    /// Whether the numbers of [`PoolView`] are kept.
    #[inline]
    pub fn followed(&self) -> bool {
        self.followed
    }

    /// The pool of a new function; whether the pool is new.
    pub fn announce(&mut self, profile: &FunctionProfile, id: FunctionId) -> (PoolId, bool) {
        let pool = self.numbers.of(self.scope, profile);
        let new = pool.index() == self.largest.len();
        if new {
            self.largest.push(0);
            self.uses.push(0);
            let entries = self.numbers.count() * self.regions;
            self.has_snapshot.resize(entries, false);
            if self.followed {
                self.table.resize(entries, PoolState { last_function: id, ..PoolState::new() });
            }
        }
        let largest = &mut self.largest[pool.index()];
        self.grown |= !new && profile.memory.0 > *largest;
        *largest = (*largest).max(profile.memory.0);
        (pool, new)
    }

    /// How many pools there are.
    pub fn count(&self) -> usize {
        self.numbers.count()
    }

    /// The number of a pool in a region.
    #[inline]
    pub fn entry(&self, pool: PoolId, region: RegionId) -> usize {
        pool.index() * self.regions + region.index()
    }

    /// The pool and region of a number.
    pub fn parts(&self, entry: usize) -> (PoolId, RegionId) {
        (PoolId::from_index(entry / self.regions), RegionId::from_index(entry % self.regions))
    }

    /// One pool in one region. Only where pools are followed.
    #[inline]
    pub fn at(&mut self, pool: PoolId, region: RegionId) -> &mut PoolState {
        let entry = self.entry(pool, region);
        &mut self.table[entry]
    }

    /// The count that decides whether a planned pre-warming still holds.
    pub fn view_stamp(&self, pool: PoolId, region: RegionId) -> u32 {
        self.table[self.entry(pool, region)].stamp
    }

    /// What policies see of a pool; all zero where pools are not followed.
    pub fn view(&self, pool: PoolId, region: RegionId, now: SimTime) -> PoolView {
        let entry = self.entry(pool, region);
        let nothing = PoolView {
            pool,
            region,
            sandboxes: 0,
            idle: 0,
            starting: 0,
            running: 0,
            waiting: 0,
            slots: self.slots,
            last_end: None,
            mean_demand: 0.0,
            peak: self.peaks.get(entry).copied(),
        };
        match self.table.get(entry) {
            None => nothing,
            Some(p) => PoolView {
                sandboxes: p.sandboxes,
                idle: p.idle,
                starting: p.starting,
                running: p.running,
                waiting: p.waiting,
                last_end: p.last_end,
                mean_demand: p.mean_demand(now),
                ..nothing
            },
        }
    }
}

impl Engine<'_> {
    /// The pool of a function.
    #[inline]
    pub(super) fn pool_of(&self, function: FunctionId) -> PoolId {
        self.needs[function.index()].pool
    }

    /// Follows a change in a pool, if pools are followed.
    #[inline]
    pub(super) fn follow(&mut self, pool: PoolId, region: RegionId, change: impl FnOnce(&mut PoolState, SimTime)) {
        if self.pools.followed() {
            let now = self.now;
            change(self.pools.at(pool, region), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Memory, MilliCores, TenantId};
    use crate::workload::{Quota, Trigger};

    fn profile(tenant: u32, domain: u32) -> FunctionProfile {
        FunctionProfile {
            name: "f".into(),
            tenant: TenantId(tenant),
            memory: Memory(1),
            cpu: MilliCores(1),
            trigger: Trigger::Http,
            criticality: 0,
            quota: Quota::Reserved,
            trust_domain: domain,
            quota_cores: None,
            mean_call: None,
        }
    }

    #[test]
    fn pools_follow_the_scope() {
        let functions = [profile(0, 7), profile(1, 7), profile(0, 9)];
        for (scope, wanted) in [
            (Scope::Request, [0, 1, 2]),
            (Scope::Function, [0, 1, 2]),
            (Scope::Tenant, [0, 1, 0]),
            (Scope::TrustDomain, [0, 0, 1]),
        ] {
            let mut numbers = PoolNumbers::default();
            let pools: Vec<u32> = functions.iter().map(|f| numbers.of(scope, f).0).collect();
            assert_eq!(pools, wanted, "{scope:?}");
        }
    }

    #[test]
    fn demand_is_a_time_mean() {
        let mut p = PoolState::new();
        let s = SimTime::from_secs_f64;
        p.run(s(0.0), 1);
        p.run(s(4.0), 1);
        p.wait(s(8.0), 1);
        // 1 for 4 s, 2 for 4 s, 3 for 2 s.
        assert_eq!(p.take_mean_demand(s(10.0)), 1.8);
        assert_eq!(p.take_mean_demand(s(11.0)), 3.0);
    }
}
