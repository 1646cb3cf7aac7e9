//! A look at the whole workload before the run: for declared oracles, and to size what is provisioned for the peak.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Arrivals, Batch, FunctionProfile, WorkloadError};
use crate::types::{Duration, FunctionId, PoolId, RegionId, SimTime};

/// When every pool will be called, by region: for declared oracles only. 8 bytes per call.
#[derive(Debug, Clone, Default)]
pub struct Future {
    regions: usize,
    /// Where the times of (pool, region) begin; one more entry at the end.
    starts: Vec<usize>,
    times: Vec<SimTime>,
}

impl Future {
    /// From the arrival times of every (pool, region), pools outermost: `lists[pool * regions + region]`, each in order.
    pub fn new(regions: usize, lists: &[Vec<SimTime>]) -> Self {
        let mut starts = vec![0];
        for list in lists {
            starts.push(starts[starts.len() - 1] + list.len());
        }
        Self { regions, starts, times: lists.concat() }
    }

    /// The `skip`-th arrival after `now`, not counting arrivals at `now`; `None` if there are no more.
    pub fn next(&self, pool: PoolId, region: RegionId, now: SimTime, skip: usize) -> Option<SimTime> {
        let at = pool.index() * self.regions + region.index();
        let own = &self.times[*self.starts.get(at)?..*self.starts.get(at + 1)?];
        let first = own.partition_point(|&t| t <= now);
        own.get(first + skip).copied()
    }
}

/// What a survey is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct SurveyRequest {
    /// The quantile over time of the calls in execution that [`Survey::peaks`] gives, in 0..=1; 1 is the maximum ever.
    /// `None` leaves it empty.
    pub quantile: Option<f64>,
    /// Whether to keep every arrival time: 8 bytes per call, twice that while it is put together.
    pub future: bool,
    /// Factor on the work of every call, for example the isolation mechanism's CPU factor; 1 = none.
    pub factor: f64,
    /// Added to the stay of every call.
    pub extra: Duration,
    /// Arrivals at or after this are not taken; `None` takes all.
    pub until: Option<SimTime>,
}

/// What a workload asks for, with capacity without end: every call starts when it arrives, in the region where it
/// arrives, and stays for work × factor + extra.
///
/// Lists by (pool, region) have the pools outermost: `list[pool * regions + region]`.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// The functions that were announced, by [`FunctionId`].
    pub profiles: Vec<FunctionProfile>,
    /// The tenants that were announced, by `TenantId`.
    pub tenants: Vec<Box<str>>,
    /// By (pool, region): the smallest L such that at most L calls are in execution during the asked share of the time
    /// from 0 to [`Survey::end`]; empty if no quantile was asked for.
    pub peaks: Vec<u32>,
    /// By (pool, region): mean over that time of the calls in execution.
    pub mean: Vec<f64>,
    /// By (pool, region): calls that arrive.
    pub calls: Vec<u64>,
    /// Every arrival time, if asked for.
    pub future: Option<Future>,
    /// How many pools there are.
    pub pools: usize,
    /// How many regions there are.
    pub regions: usize,
    /// Where the look ends: the cut if there is one, else the last arrival.
    pub end: SimTime,
}

/// Draws the whole workload from `arrivals`, which has to be an opening of its own: afterwards it is used up.
///
/// `pool_of` is asked once for each function, in their order. Ends come before arrivals of the same instant, as in a run.
/// Memory grows with the pools, with the calls in execution and with the largest number of them, not with the calls
/// (but see [`SurveyRequest::future`]).
///
/// # Errors
/// The input is unreadable or wrong.
pub fn survey(
    arrivals: &mut dyn Arrivals,
    regions: usize,
    pool_of: &mut dyn FnMut(FunctionId, &FunctionProfile) -> PoolId,
    request: &SurveyRequest,
) -> Result<Survey, WorkloadError> {
    let (mut profiles, mut tenants) = (Vec::new(), Vec::new());
    let mut pools: Vec<PoolId> = Vec::new();
    // At quantile 1 the maximum is enough.
    let mut look = Look { levels: request.quantile.is_some_and(|q| q < 1.0), ..Look::default() };
    let mut lists: Vec<Vec<SimTime>> = Vec::new();
    let mut last = SimTime::ZERO;
    let mut batch = Batch::default();
    'batches: loop {
        arrivals.next_batch(&mut batch)?;
        for profile in batch.functions.drain(..) {
            pools.push(pool_of(FunctionId::from_index(pools.len()), &profile));
            profiles.push(profile);
        }
        tenants.append(&mut batch.tenants);
        let sites = pools.iter().map(|p| (p.index() + 1) * regions).max().unwrap_or(0).max(look.sites.len());
        look.sites.resize_with(sites, Site::default);
        if request.future {
            lists.resize_with(sites, Vec::new);
        }
        if batch.calls.is_empty() {
            break;
        }
        for call in &batch.calls {
            if request.until.is_some_and(|until| call.time >= until) {
                break 'batches;
            }
            last = call.time;
            let site = pools[call.function.index()].index() * regions + call.region.index();
            let work = if request.factor == 1.0 {
                call.work
            } else {
                Duration::from_secs_f64(call.work.as_secs_f64() * request.factor)
            };
            look.arrive(call.time, call.time + (work + request.extra), site, call.count);
            if request.future {
                lists[site].extend((0..call.count).map(|_| call.time));
            }
        }
    }
    let end = request.until.unwrap_or(last);
    look.pass(end);
    for site in &mut look.sites {
        site.stay(end, look.levels);
    }
    let sites = &look.sites;
    Ok(Survey {
        peaks: request.quantile.map_or(Vec::new(), |q| sites.iter().map(|s| s.quantile(q, end)).collect()),
        mean: sites.iter().map(|s| if end.0 == 0 { 0.0 } else { s.call_ns as f64 / end.0 as f64 }).collect(),
        calls: sites.iter().map(|s| s.calls).collect(),
        future: request.future.then(|| Future::new(regions, &lists)),
        pools: sites.len() / regions.max(1),
        regions,
        end,
        profiles,
        tenants,
    })
}

/// The calls in execution, everywhere.
#[derive(Debug, Default)]
struct Look {
    sites: Vec<Site>,
    /// (end, site, how many), the earliest first.
    ends: BinaryHeap<Reverse<(SimTime, usize, u32)>>,
    /// Whether to keep the time at each level.
    levels: bool,
}

impl Look {
    fn arrive(&mut self, now: SimTime, end: SimTime, site: usize, count: u32) {
        self.pass(now);
        let at = &mut self.sites[site];
        at.stay(now, self.levels);
        at.level += count;
        at.highest = at.highest.max(at.level);
        at.calls += u64::from(count);
        self.ends.push(Reverse((end, site, count)));
    }

    /// Lets every call end that ends up to and including `now`.
    fn pass(&mut self, now: SimTime) {
        while let Some(&Reverse((end, site, count))) = self.ends.peek() {
            if end > now {
                break;
            }
            self.ends.pop();
            let at = &mut self.sites[site];
            at.stay(end, self.levels);
            at.level -= count;
        }
    }
}

/// The calls in execution of one pool in one region.
#[derive(Debug, Default)]
struct Site {
    level: u32,
    since: SimTime,
    highest: u32,
    calls: u64,
    /// Time integral of the level \[ns\].
    call_ns: u128,
    /// Time spent at each level \[ns\].
    level_ns: Vec<u64>,
}

impl Site {
    /// Books the time since the last change at the present level.
    fn stay(&mut self, now: SimTime, levels: bool) {
        let time = now.saturating_since(self.since).0;
        self.since = now;
        self.call_ns += u128::from(self.level) * u128::from(time);
        if levels && time > 0 {
            let level = self.level as usize;
            if self.level_ns.len() <= level {
                self.level_ns.resize(level + 1, 0);
            }
            self.level_ns[level] += time;
        }
    }

    /// The smallest level that is not exceeded during a share `q` of the time; the maximum ever for 1, or if no time passes.
    fn quantile(&self, q: f64, end: SimTime) -> u32 {
        let wanted = q * end.0 as f64;
        let mut below = 0u64;
        let mut levels = self.level_ns.iter().map(|&ns| {
            below += ns;
            below as f64 >= wanted
        });
        if end.0 == 0 { self.highest } else { levels.position(|enough| enough).map_or(self.highest, |l| l as u32) }
    }
}

#[cfg(test)]
mod tests;
