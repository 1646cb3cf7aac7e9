//! Where a call or a job may go at all: residency, hosts large enough, the bound on round trips, hosts that are on, room.

use super::super::shifting::Work;
use super::super::{CallView, RegionLoad, View};
use crate::network::Traffic;
use crate::types::{Duration, FunctionId, RegionId};

/// A call or a job, as far as routing looks at it.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// Whose it is.
    pub function: FunctionId,
    /// Where it arrived.
    pub home: RegionId,
    /// What moves if it runs elsewhere.
    pub traffic: Traffic,
    /// How long it is expected to run alone. Where nothing is believed of a job's length, an hour.
    pub work: Duration,
    /// CPU that it demands, all nodes together [millionths of a core].
    pub cpu: u64,
    /// Memory that one host must hold \[bytes\]; 0 for a job, whose nodes the engine checks.
    pub memory: u64,
    /// Whether it is a job.
    pub is_job: bool,
}

/// Length of a job of which nothing is known. Assumed: it only weighs energy against transfer.
const UNKNOWN: Duration = Duration::from_secs(3600);

impl Ask {
    /// A call.
    #[inline]
    pub fn of_call(call: &CallView<'_>, view: &View<'_>) -> Self {
        Self {
            function: call.function,
            home: call.region,
            traffic: view.network.traffic(call.function),
            work: call.expected_work,
            cpu: u64::from(call.profile.cpu.0) * 1000,
            memory: call.profile.memory.0,
            is_job: false,
        }
    }

    /// A job: of what its function's calls move it moves nothing, only its own data.
    pub fn of_job(work: &Work<'_>) -> Self {
        Self {
            function: work.account,
            home: work.region,
            traffic: Traffic { data_mb: work.kind.map_or(0.0, |k| k.data_mb), ..Traffic::default() },
            work: work.length.unwrap_or(UNKNOWN),
            cpu: work.cpu * u64::from(work.nodes),
            memory: 0,
            is_job: true,
        }
    }

    /// Whether it may run in a region, and a host there can ever hold it.
    #[inline]
    fn may_run(&self, region: RegionId, view: &View<'_>) -> bool {
        view.network.allows(self.function, region) && view.regions[region.index()].largest_function >= self.memory
    }

    /// CPU demand of a region over its capacity if this came on top: running and waiting calls (as one core each) and the nodes of jobs,
    /// also those that wait for room. Infinite where no host is on.
    #[inline]
    pub fn load(&self, load: &RegionLoad) -> f64 {
        if load.cpu_capacity == 0 {
            return f64::INFINITY;
        }
        let jobs = load.jobs_cpu.saturating_sub(load.jobs_demand);
        let claimed = (load.cpu_demand + jobs + self.cpu) as f64 + f64::from(load.queued) * 1e6;
        claimed / load.cpu_capacity as f64
    }
}

/// The region with the lowest score of those where work may go: with hosts on before those without, home before others, then by number.
///
/// Work may go where residency allows it, a host can hold it, and the round trip from home takes no longer than `max_rtt`. Where that leaves
/// none (home is no place for it, and everything else too far), it goes to the nearest place that is one.
#[inline]
pub fn lowest(ask: &Ask, view: &View<'_>, max_rtt: Duration, mut score: impl FnMut(RegionId) -> f64) -> RegionId {
    let mut best: Option<(bool, f64, RegionId)> = None;
    let all = (0..view.regions.len()).map(RegionId::from_index).filter(|r| *r != ask.home);
    for region in std::iter::once(ask.home).chain(all) {
        if view.network.rtt(ask.home, region) > max_rtt || !ask.may_run(region, view) {
            continue;
        }
        let off = view.regions[region.index()].hosts_on == 0;
        let score = score(region);
        if best.is_none_or(|(was_off, lowest, _)| (was_off && !off) || (was_off == off && score < lowest)) {
            best = Some((off, score, region));
        }
    }
    best.map_or_else(|| nearest_place(ask, view), |(_, _, region)| region)
}

/// As [`lowest`], where regions in which this would push the load above `max_load` come last, the least loaded of them first.
#[inline]
pub fn lowest_with_room(
    ask: &Ask,
    view: &View<'_>,
    (max_rtt, max_load): (Duration, f64),
    mut score: impl FnMut(RegionId) -> f64,
) -> RegionId {
    let mut has_room = false;
    let region = lowest(ask, view, max_rtt, |region| {
        let load = ask.load(&view.regions[region.index()]);
        if load > max_load {
            return f64::INFINITY;
        }
        has_room = true;
        score(region)
    });
    if has_room {
        return region;
    }
    lowest(ask, view, max_rtt, |region| ask.load(&view.regions[region.index()]))
}

/// Where work runs that was to run in `wanted`: there, if residency allows it; else in the nearest place where it does.
pub fn confined(wanted: RegionId, ask: &Ask, view: &View<'_>) -> RegionId {
    if view.network.allows(ask.function, wanted) { wanted } else { nearest_place(ask, view) }
}

/// The nearest region that may and can hold this; where none can, the nearest that may.
#[cold]
fn nearest_place(ask: &Ask, view: &View<'_>) -> RegionId {
    let rtt = |region: &RegionId| (view.network.rtt(ask.home, *region), *region != ask.home, *region);
    let all = || (0..view.regions.len()).map(RegionId::from_index);
    let can = all().filter(|r| ask.may_run(*r, view)).min_by_key(rtt);
    let may = || all().filter(|r| view.network.allows(ask.function, *r)).min_by_key(rtt);
    can.or_else(may).unwrap_or(ask.home)
}

/// A bound in a scenario as a time; none is for ever.
pub(super) fn bound(max_rtt_ms: Option<f64>) -> Duration {
    max_rtt_ms.map_or(Duration::FOREVER, |ms| Duration::from_secs_f64(ms / 1000.0))
}
