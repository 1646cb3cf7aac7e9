//! Rules that take the host of the highest score, without looking at every host: scores are kept per kind of request and brought
//! up to date for the hosts that have changed.
//!
//! Two requests are of one kind if no rule can tell them apart: same CPU, same memory, and the same trust domain where the rule
//! looks at it. For each kind there is a tournament over the hosts. When a request of that kind comes, the hosts that have changed
//! since the last one of the kind are scored anew (the index and the residents keep logs of changes), and the best host is at the
//! top. The same host comes out as if every host were scored, which the tests check.
//!
//! Source of the idea: Hadary et al., *Protean: VM Allocation Service at Scale*, OSDI 2020, whose placement caches the evaluation of
//! its rules by kind of request and updates it for the machines that changed. The structure is our own.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{
    CacheCounts, Fleet, HostFacts, InstanceRequest, Layout, NOT_ALLOWED, Packing, Placement, Pool, Request, Residents,
    Tournament, fixed,
};
use crate::cluster::{Orders, Slot};
use crate::types::{HostId, RegionId};
use crate::workload::instances::NO_DEPLOYMENT;

/// Kinds of requests that are kept at most, and the memory that they take together at most \[bytes\]; at least [`FEWEST_KINDS`]
/// are kept. The kind that was longest without a request goes first; when it comes again, all hosts are scored.
const MOST_KINDS: usize = 1024;
const MOST_BYTES: usize = 64 << 20;
const FEWEST_KINDS: usize = 8;

/// What a rule sees of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Ask {
    /// CPU that must be free [millionths of a core]; 0 where CPU is not counted.
    pub cpu: u64,
    /// Memory that must be free \[bytes\].
    pub memory: u64,
    /// Whether an instance asks, to which filters and residents matter; a call has neither.
    pub instance: bool,
    /// The trust domain of an instance, where [`Looks::trust`]; else 0.
    pub trust_domain: u32,
    /// Whether nobody of the trust domain stands in the region yet, where [`Looks::trust`]; else false.
    pub is_first: bool,
    /// Whether there must be room.
    pub room: bool,
}

impl Ask {
    /// The same for a call.
    pub(super) fn call(cpu: u64, memory: u64) -> Self {
        Self { cpu, memory, instance: false, trust_domain: 0, is_first: false, room: true }
    }
}

/// What a rule sees of a host.
pub(super) struct Candidate<'a> {
    pub host: HostId,
    pub facts: &'a HostFacts,
    /// What the host has over what the largest of its region has: CPU, memory.
    pub size: [f64; 2],
    /// What share of the host one millionth of a core is, and one byte.
    pub share: [f64; 2],
    pub slot: Slot,
    pub residents: &'a Residents,
}

impl Candidate<'_> {
    /// Share of the host that is free CPU; `None` where CPU is not counted.
    #[inline]
    pub(super) fn free_cpu(&self) -> Option<f64> {
        (self.slot.cpu != u64::MAX).then(|| self.slot.cpu as f64 * self.share[0])
    }

    /// Share of the host that is free memory.
    #[inline]
    pub(super) fn free_memory(&self) -> f64 {
        self.slot.memory as f64 * self.share[1]
    }

    /// Share of the host that the request's CPU is.
    #[inline]
    pub(super) fn asked_cpu(&self, ask: &Ask) -> f64 {
        ask.cpu as f64 * self.share[0]
    }

    /// Share of the host that the request's memory is.
    #[inline]
    pub(super) fn asked_memory(&self, ask: &Ask) -> f64 {
        ask.memory as f64 * self.share[1]
    }

    /// Whether nothing of the host is given out.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.slot.memory >= self.facts.memory && self.slot.cpu >= self.facts.cpu
    }
}

/// What a rule looks at, beside free CPU and memory.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Looks {
    /// Trust domains.
    pub trust: bool,
    /// Who stands on the host.
    pub residents: bool,
    /// Points for a failure domain with none of the deployment's instances over one with the most of them.
    pub spread: f64,
    /// How many more instances of a deployment a failure domain may hold than the one that holds fewest.
    pub max_skew: Option<u32>,
}

/// Scores one host for one request, from nothing but what it is handed.
pub(super) trait Rank: Send {
    /// Figures of all hosts of a region that scores are relative to.
    type Scale: Clone + Default + Send;

    /// What it looks at, always the same.
    fn looks(&self) -> Looks {
        Looks::default()
    }

    /// Asked once per kind of request.
    fn scale(&self, _ask: &Ask, _fleet: &Fleet, _region: RegionId) -> Self::Scale {
        Self::Scale::default()
    }

    /// Points of the host, whether it has room or not; `None` if the request must not go there.
    fn score(&self, ask: &Ask, scale: &Self::Scale, host: &Candidate<'_>) -> Option<f64>;
}

/// The scores for one kind of request.
struct Kind<S> {
    key: (u64, Ask),
    scale: S,
    tournament: Tournament,
    /// What of the index's and the residents' changes is in them.
    seen: (u64, u64),
    used: u64,
}

/// A policy that takes the host of the highest score that has room.
pub(super) struct Scored<R: Rank> {
    rank: R,
    looks: Looks,
    prefer_warm: bool,
    fleet: Arc<Fleet>,
    residents: Residents,
    layouts: Vec<Option<Layout>>,
    kinds: Vec<Kind<R::Scale>>,
    /// The place in `kinds` of each kind.
    by_kind: FxHashMap<(u64, Ask), u32>,
    clock: u64,
    counts: CacheCounts,
}

impl<R: Rank> Scored<R> {
    pub(super) fn new(rank: R, prefer_warm: bool, fleet: Arc<Fleet>) -> Self {
        Self {
            looks: rank.looks(),
            rank,
            prefer_warm,
            residents: Residents::new(Arc::clone(&fleet)),
            fleet,
            layouts: Vec::new(),
            kinds: Vec::new(),
            by_kind: FxHashMap::default(),
            clock: 0,
            counts: CacheCounts::default(),
        }
    }

    /// What the rule sees of an instance's request.
    fn ask(&self, request: &InstanceRequest, region: RegionId) -> Ask {
        let trust = self.looks.trust;
        Ask {
            cpu: request.cpu,
            memory: request.memory,
            instance: true,
            trust_domain: if trust { request.trust_domain } else { 0 },
            is_first: trust && !self.residents.anywhere(region, request.trust_domain),
            room: true,
        }
    }

    /// Score of one host of a region, in fixed point.
    #[inline]
    fn points(&self, ask: &Ask, scale: &R::Scale, pool: &Pool<'_>, local: usize) -> i64 {
        let slot = pool.index.slot(local);
        if ask.room && !pool.index.fits(local, ask.memory, ask.cpu) || !slot.open {
            return NOT_ALLOWED;
        }
        let host = pool.host(local);
        let (facts, size) = (self.fleet.facts(host), self.fleet.size(host));
        let share = self.fleet.share(host);
        let candidate = Candidate { host, facts, size, share, slot, residents: &self.residents };
        self.rank.score(ask, scale, &candidate).map_or(NOT_ALLOWED, fixed)
    }

    fn uses_failure_domains(&self) -> bool {
        self.looks.spread != 0.0 || self.looks.max_skew.is_some()
    }

    /// Makes the region's layout.
    fn lay_out(&mut self, pool: &Pool<'_>) {
        let (region, hosts) = (pool.region.index(), pool.index.hosts());
        if self.layouts.len() <= region {
            self.layouts.resize_with(region + 1, || None);
        }
        let by_domain = self.uses_failure_domains();
        self.layouts[region].get_or_insert_with(|| {
            if by_domain {
                Layout::by_failure_domain(&self.fleet, pool.region, pool.first_host, hosts)
            } else {
                Layout::whole(hosts)
            }
        });
    }

    /// The scores for this kind of request, up to date.
    fn kind(&mut self, ask: &Ask, pool: &Pool<'_>) -> usize {
        self.lay_out(pool);
        self.clock += 1;
        let key = (pool.index.id(), *ask);
        let now = (pool.index.changes().now(), self.residents.changes.now());
        let region = pool.region.index();
        let hosts = pool.index.hosts();
        let layout = self.layouts[region].take().expect("it has just been made");
        let at = if let Some(&at) = self.by_kind.get(&key) {
            let at = at as usize;
            let seen = self.kinds[at].seen;
            let mut tournament = std::mem::replace(&mut self.kinds[at].tournament, Tournament::none());
            let last = pool.first_host as usize + hosts;
            let residents = if self.looks.residents { seen.1 } else { now.1 };
            match (pool.index.changes().since(seen.0), self.residents.changes.since(residents)) {
                (Some(slots), Some(residents)) => {
                    let own = |h: &u32| (pool.first_host..last as u32).contains(h);
                    for local in slots.chain(residents.filter(own).map(|h| h - pool.first_host)) {
                        tournament.set(
                            &layout,
                            local as usize,
                            self.points(ask, &self.kinds[at].scale, pool, local as usize),
                        );
                        self.counts.rescored += 1;
                    }
                    self.counts.hits += 1;
                }
                _ => {
                    let scale = &self.kinds[at].scale;
                    tournament.fill(&layout, hosts, |local| self.points(ask, scale, pool, local));
                    self.counts.rescored += hosts as u64;
                    self.counts.stale += 1;
                }
            }
            self.kinds[at].tournament = tournament;
            at
        } else {
            let scale = self.rank.scale(ask, &self.fleet, pool.region);
            let mut tournament = Tournament::new(&layout);
            tournament.fill(&layout, hosts, |local| self.points(ask, &scale, pool, local));
            self.counts.misses += 1;
            self.counts.rescored += hosts as u64;
            let kind = Kind { key, scale, tournament, seen: now, used: self.clock };
            let most = (MOST_BYTES / layout.bytes()).clamp(FEWEST_KINDS, MOST_KINDS);
            let at = if self.kinds.len() < most {
                self.kinds.push(kind);
                self.kinds.len() - 1
            } else {
                let oldest = (0..self.kinds.len()).min_by_key(|&k| self.kinds[k].used).expect("some are kept");
                self.by_kind.remove(&self.kinds[oldest].key);
                self.kinds[oldest] = kind;
                oldest
            };
            self.by_kind.insert(key, at as u32);
            at
        };
        self.layouts[region] = Some(layout);
        (self.kinds[at].seen, self.kinds[at].used) = (now, self.clock);
        at
    }

    /// The host of the highest score; of the lowest number among equals.
    fn best(&mut self, ask: &Ask, deployment: u32, pool: &Pool<'_>) -> Option<usize> {
        if ask.room {
            // Where nobody can have room, nothing is scored.
            pool.index.first_fit(0, ask.memory, ask.cpu)?;
        }
        let at = self.kind(ask, pool);
        let layout = self.layouts[pool.region.index()].as_ref().expect("every region that was asked has one");
        let tournament = &self.kinds[at].tournament;
        if !self.uses_failure_domains() {
            return (tournament.best_of(layout, 0) != NOT_ALLOWED).then(|| tournament.host_of(layout, 0));
        }
        let counts = match deployment {
            NO_DEPLOYMENT => None,
            deployment => self.residents.spread(pool.region, deployment),
        };
        let terms = Spread::new(&self.looks, counts);
        let mut best: Option<(i64, usize)> = None;
        for part in 0..layout.parts() {
            let points = tournament.best_of(layout, part);
            if points == NOT_ALLOWED {
                continue;
            }
            let Some(term) = terms.of(part) else { continue };
            let points = points.saturating_add(term);
            let is_better = best.is_none_or(|(most, other)| {
                let lower = || tournament.host_of(layout, part) < tournament.host_of(layout, other);
                points > most || points == most && !layout.ascends() && lower()
            });
            if is_better {
                best = Some((points, part));
            }
        }
        best.map(|(_, part)| tournament.host_of(layout, part))
    }
}

/// What failure domains add to the scores of their hosts.
pub(super) struct Spread<'a> {
    counts: Option<&'a [u32]>,
    points: f64,
    /// Points for one instance less than the most.
    each: f64,
    fewest: u32,
    most: u32,
    max_skew: Option<u32>,
}

impl<'a> Spread<'a> {
    /// For a deployment with so many instances in each failure domain; `None` for a request of no deployment, or the first of one.
    pub(super) fn new(looks: &Looks, counts: Option<&'a [u32]>) -> Self {
        let of = counts.unwrap_or_default();
        let (fewest, most) = (of.iter().min().copied().unwrap_or(0), of.iter().max().copied().unwrap_or(0));
        let each = looks.spread / f64::from(most.max(1));
        Self { counts, points: looks.spread, each, fewest, most, max_skew: looks.max_skew }
    }

    /// Points of a failure domain in fixed point; `None` if one more instance there would make the deployment too uneven.
    ///
    /// Formula: weight x (most - n) / most, and weight where there are none anywhere; n - fewest must be below the skew.
    pub(super) fn of(&self, domain: usize) -> Option<i64> {
        let Some(counts) = self.counts else { return Some(fixed(self.points)) };
        // A part past the last failure domain has no hosts.
        let n = *counts.get(domain)?;
        if self.max_skew.is_some_and(|skew| n - self.fewest >= skew) {
            return None;
        }
        Some(fixed(self.each * f64::from(self.most - n)))
    }
}

impl<R: Rank> Packing for Scored<R> {
    fn place(&mut self, request: &Request, pool: &Pool<'_>) -> Placement {
        let ask = Ask::call(request.cpu, request.memory);
        if self.prefer_warm {
            // A call that may not have a new sandbox asks for more memory than there is; it is compared as if for a whole host.
            let largest = self.fleet.groups.iter().map(|g| g.memory).max().unwrap_or(u64::MAX);
            let wanted = Ask { room: false, memory: ask.memory.min(largest), ..ask };
            let scale = self.rank.scale(&wanted, &self.fleet, pool.region);
            let rank = |local: usize| std::cmp::Reverse(self.points(&wanted, &scale, pool, local));
            if let Some(warm) = pool.warm_by(request, rank) {
                return warm;
            }
        }
        match self.best(&ask, NO_DEPLOYMENT, pool) {
            Some(host) => pool.on(host, request),
            None => pool.last_resort(request),
        }
    }

    fn place_instance(&mut self, request: &InstanceRequest, pool: &Pool<'_>) -> Option<HostId> {
        let ask = self.ask(request, pool.region);
        self.best(&ask, request.deployment, pool).map(|local| pool.host(local))
    }

    fn instance_placed(&mut self, request: &InstanceRequest, host: HostId) {
        if self.looks.residents || self.uses_failure_domains() {
            self.residents.placed(request, host);
        }
    }

    fn instance_left(&mut self, request: &InstanceRequest, host: HostId) {
        if self.looks.residents || self.uses_failure_domains() {
            self.residents.left(request, host);
        }
    }

    fn orders(&self) -> Orders {
        Orders { changes: true, ..Orders::default() }
    }

    fn overflow(&mut self, request: &Request, pool: &Pool<'_>) -> HostId {
        let ask = Ask { room: false, ..Ask::call(request.cpu, request.memory) };
        pool.host(self.best(&ask, NO_DEPLOYMENT, pool).unwrap_or(0))
    }

    fn cache(&self) -> Option<CacheCounts> {
        Some(self.counts)
    }
}
