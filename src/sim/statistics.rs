//! What is counted while the run goes on: per function, per region and time bin, and over all. Constant memory.

use super::instances::Lived;
use crate::stats::LogHistogram;
use crate::types::{Duration, RegionId, SimTime};

/// What is counted of one function.
#[derive(Debug, Clone, Default)]
pub struct FunctionStats {
    /// Calls that arrived.
    pub received: u64,
    /// Calls that finished.
    pub executed: u64,
    /// Calls that were refused or gave up.
    pub rejected: u64,
    /// Executed calls that waited for the start of a sandbox, even if another one became free first and took the call.
    pub cold: u64,
    /// Executed calls that ended after their deadline.
    pub missed: u64,
    /// Sum of latencies (arrival to end) of executed calls \[ns\].
    pub latency_sum_ns: u128,
    /// Latencies of executed calls \[ns\], to within 1.6 %.
    pub latency: LogHistogram<5>,
    /// Time in execution \[s\].
    pub busy_s: f64,
    /// Time that its executed calls run alone \[s\]: the work that was asked for, however long it took.
    pub work_s: f64,
    /// Memory of idle sandboxes x time [MB·s].
    pub idle_mb_s: f64,
    /// Sandboxes that were started.
    pub starts: u64,
    /// What its instances have done, where it is an account of instances.
    pub lived: Lived,
}

/// What is counted over all calls.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Latencies of calls that were not deferred: arrival to end \[ns\], to within 0.05 %.
    pub undeferred: LogHistogram<10>,
    /// Latencies of deferred calls: arrival to end \[ns\].
    pub deferred_latency: LogHistogram<10>,
    /// Latencies of deferred calls from their release on \[ns\].
    pub deferred_service: LogHistogram<10>,
    /// Durations of starts of sandboxes, from creation to ready \[ns\]; resumes are none.
    pub starts: LogHistogram<10>,
    /// Sum of all latencies \[ns\].
    pub latency_sum_ns: u128,
    /// Sum of all latencies from release on \[ns\].
    pub service_sum_ns: u128,
    /// Sum of the delays between arrival and release \[ns\].
    pub deferral_sum_ns: u128,
    /// Longest delay between arrival and release.
    pub deferral_max: Duration,
    /// Calls that gave up waiting.
    pub timed_out: u64,
    /// Calls that found their queue full or no queue.
    pub turned_away: u64,
    /// Calls that admission refused.
    pub refused: u64,
    /// Sandboxes evicted under memory pressure.
    pub evicted: u64,
    /// Sandboxes that expired.
    pub expired: u64,
    /// Calls that had to wait for room, or for a sandbox of their pool.
    pub waited: u64,
    /// Idle sandboxes removed because the memory in use did not fit the host.
    pub reclaimed: u64,
    /// Idle sandboxes removed because idle ones exceeded their budget.
    pub over_budget: u64,
    /// Calls that began in a paused or snapshotted sandbox.
    pub resumed: u64,
    /// Sandboxes started ahead of calls by keep-alive or scaling.
    pub prewarmed: u64,
    /// Sandboxes that went without ever having had a call.
    pub prewarmed_in_vain: u64,
    /// Sandboxes that were to be started ahead of calls and found no room.
    pub prewarm_without_room: u64,
    /// Starts that had to wait for a host's limit on creations.
    pub creations_limited: u64,
    /// Time spent in each phase of a start: waiting for the limit, boot, init and load, resume \[s\].
    pub phase_s: [f64; 4],
    /// Lifetimes of the sandboxes that are gone \[s\], and how many they are.
    pub lifetimes: (f64, u64),
    /// Idle memory by tier: ready, paused, snapshotted (what it would hold in memory) [MB·s].
    pub idle_tier_mb_s: [f64; 3],
    /// Starts, resumes and reuses that found more memory in use on their host than it has.
    pub exhaustions: u64,
    /// Busy sandboxes killed.
    pub killed: u64,
    /// Calls that were killed and tried again.
    pub retried: u64,
    /// Execution that was lost with them \[s\], and its dynamic energy \[J\].
    pub lost: (f64, f64),
    /// What was sent between regions.
    pub network: NetworkTotals,
    /// Most hosts that held a sandbox together.
    pub hosts_used_max: u32,
    /// Hosts that held a sandbox x time [host·s].
    pub hosts_used_s: f64,
}

/// What was sent between regions.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct NetworkTotals {
    /// Executed calls that ran away from the region where they arrived.
    pub calls_away: u64,
    /// Jobs that were sent to another region when they arrived.
    pub jobs_away: u64,
    /// What executed calls waited for messages and data between regions, there and back \[ns\].
    pub on_the_way_ns: u128,
    /// What was sent \[MB\].
    pub sent_mb: f64,
}

/// The share of cold calls of one pool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolCounts {
    /// Executed calls.
    pub executed: u64,
    /// Those for which a sandbox was started.
    pub cold: u64,
}

/// What is counted per region and time bin.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counts {
    /// Calls that arrived here.
    pub received: u64,
    /// Calls that finished here.
    pub executed: u64,
    /// Calls that arrived here and were rejected.
    pub rejected: u64,
    /// Sandboxes started here for a call.
    pub cold: u64,
    /// Waiting calls x time [call·s].
    pub queued_s: f64,
    /// Calls held back by admission or shifting x time [call·s].
    pub deferred_s: f64,
    /// CPU of calls that finished, of reserved and of opportunistic functions, each call's spread evenly over its execution \[core-s\]; 0 where
    /// nobody asks for it.
    pub cpu_core_s: [f64; 2],
}

/// The counts of all regions by time bin.
#[derive(Debug, Clone)]
pub struct Series {
    step: u64,
    split_cpu: bool,
    /// The bin of the latest count and its start: time moves on, so nearly all counts fall into it.
    current: (usize, u64),
    regions: Vec<Region>,
}

#[derive(Debug, Clone, Default)]
struct Region {
    rows: Vec<Counts>,
    since: SimTime,
    queued: u32,
    deferred: u32,
}

impl Series {
    /// Empty series with bins of `step`; `split_cpu` says whether the CPU of the two quota classes is kept.
    pub fn new(regions: usize, step: Duration, split_cpu: bool) -> Self {
        Self { step: step.0.max(1), split_cpu, current: (0, 0), regions: vec![Region::default(); regions] }
    }

    /// The counts of one bin, to add to.
    #[inline]
    pub fn at(&mut self, region: RegionId, now: SimTime) -> &mut Counts {
        if now.0.wrapping_sub(self.current.1) >= self.step {
            let bin = now.0 / self.step;
            self.current = (bin as usize, bin * self.step);
        }
        let bin = self.current.0;
        let rows = &mut self.regions[region.index()].rows;
        if rows.len() <= bin {
            rows.resize(bin + 1, Counts::default());
        }
        &mut rows[bin]
    }

    /// Whether the CPU of the two quota classes is kept.
    #[inline]
    pub fn splits_cpu(&self) -> bool {
        self.split_cpu
    }

    /// Spreads the CPU of a call evenly over its execution; `class` is 0 for reserved, 1 for opportunistic.
    pub fn spread_cpu(&mut self, region: RegionId, (from, to): (SimTime, SimTime), class: usize, core_s: f64) {
        let step = self.step;
        let rows = &mut self.regions[region.index()].rows;
        let last = (to.0 / step) as usize;
        if rows.len() <= last {
            rows.resize(last + 1, Counts::default());
        }
        if from >= to {
            rows[last].cpu_core_s[class] += core_s;
            return;
        }
        let per_ns = core_s / (to.0 - from.0) as f64;
        let mut at = from.0;
        while at < to.0 {
            let bin = at / step;
            let end = to.0.min((bin + 1).saturating_mul(step));
            rows[bin as usize].cpu_core_s[class] += per_ns * (end - at) as f64;
            at = end;
        }
    }

    /// Integrates waiting and held-back calls up to `now`.
    pub fn advance(&mut self, region: RegionId, now: SimTime) {
        let step = self.step;
        let r = &mut self.regions[region.index()];
        let mut from = r.since.0;
        r.since = now;
        if r.queued == 0 && r.deferred == 0 {
            return;
        }
        while from < now.0 {
            let bin = from / step;
            let to = now.0.min((bin + 1).saturating_mul(step));
            if r.rows.len() <= bin as usize {
                r.rows.resize(bin as usize + 1, Counts::default());
            }
            let dt = (to - from) as f64 * 1e-9;
            r.rows[bin as usize].queued_s += f64::from(r.queued) * dt;
            r.rows[bin as usize].deferred_s += f64::from(r.deferred) * dt;
            from = to;
        }
    }

    /// Changes how many calls wait, from `now` on.
    pub fn queue(&mut self, region: RegionId, now: SimTime, change: i32) {
        self.advance(region, now);
        let r = &mut self.regions[region.index()];
        r.queued = r.queued.checked_add_signed(change).expect("a call leaves a queue that it had entered");
    }

    /// Changes how many calls are held back, from `now` on.
    pub fn defer(&mut self, region: RegionId, now: SimTime, change: i32) {
        self.advance(region, now);
        let r = &mut self.regions[region.index()];
        r.deferred = r.deferred.checked_add_signed(change).expect("a call is released that had been held back");
    }

    /// The rows of one region.
    pub fn rows(&self, region: RegionId) -> &[Counts] {
        &self.regions[region.index()].rows
    }

    /// The bins' width.
    pub fn step(&self) -> Duration {
        Duration(self.step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_of_a_call_is_spread_over_its_execution() {
        let region = RegionId::from_index(0);
        let mut series = Series::new(1, Duration(10), true);
        // 12 core-s over 5..35: a sixth in the first bin, a third in each of the next two, a sixth in the last.
        series.spread_cpu(region, (SimTime(5), SimTime(35)), 1, 12.0);
        series.spread_cpu(region, (SimTime(21), SimTime(21)), 0, 1.0);
        series.spread_cpu(region, (SimTime(20), SimTime(30)), 0, 2.0);
        let of = |class: usize| series.rows(region).iter().map(|row| row.cpu_core_s[class]).collect::<Vec<_>>();
        for (x, wanted) in of(1).iter().zip([2.0, 4.0, 4.0, 2.0]) {
            assert!((x - wanted).abs() < 1e-12, "{:?}", of(1));
        }
        assert_eq!(of(0), [0.0, 0.0, 3.0, 0.0]);
        assert!((of(1).iter().sum::<f64>() - 12.0).abs() < 1e-12);
    }
}
