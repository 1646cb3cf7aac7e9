//! Pushes of new code: how far each worker is from warm, and what that costs.

use crate::cluster::{Group, UNITS_PER_CORE};
use crate::isolation::{CodePush, PushPhase};
use crate::types::{Duration, HostId, RegionId, SimTime};

/// What pushes have cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PushTotals {
    /// Calls that began on a worker that was not warm.
    pub slowed: u64,
    /// CPU time beyond what the same calls need on warm workers [core·s].
    pub extra_core_s: f64,
    /// Energy of that CPU time by region and ledger bin, at the mean power of a core between no and full load, PUE included \[J\].
    pub extra_j: Vec<Vec<f64>>,
}

/// What is known of every worker's code.
#[derive(Debug)]
pub(super) struct Pushes {
    spec: CodePush,
    phases: Vec<PushPhase>,
    every: u64,
    /// By phase: when it gets new code after the push began, and its warm-up time.
    times: [(u64, u64); 3],
    /// Facility power of a busy core above idle, by host group [W/core].
    w_per_core: Vec<f64>,
    bin: u64,
    pub totals: PushTotals,
}

impl Pushes {
    pub fn new(spec: &CodePush, hosts: usize, groups: &[Group], regions: usize, bin: Duration) -> Self {
        let ns = |s: f64| Duration::from_secs_f64(s).0;
        let times = [PushPhase::Canary, PushPhase::Seeder, PushPhase::Rest].map(|p| {
            let (after, warmup) = spec.phase(p);
            (ns(after), ns(warmup))
        });
        let watts = |g: &Group| (g.power.watts(1.0) - g.idle_w) * g.pue / (g.cpu as f64 / UNITS_PER_CORE);
        Self {
            phases: spec.phases(hosts),
            every: ns(spec.every_s).max(1),
            times,
            w_per_core: groups.iter().map(watts).collect(),
            bin: bin.0.max(1),
            totals: PushTotals { extra_j: vec![Vec::new(); regions], ..PushTotals::default() },
            spec: spec.clone(),
        }
    }

    /// Age of a worker's code, and its warm-up time, if it is not warm. Before its first push a worker is warm.
    fn age(&self, host: HostId, now: SimTime) -> Option<(u64, u64)> {
        let (after, warmup) = self.times[self.phases[host.index()] as usize];
        let since_first = now.0.checked_sub(self.every + after)?;
        let age = since_first % self.every;
        (age < warmup).then_some((age, warmup))
    }

    /// How long a call runs that begins now, alone on its worker, and what that costs beyond a warm one; `at`: its worker, and the
    /// worker's group and region.
    pub fn stretch(&mut self, at: (HostId, usize, RegionId), now: SimTime, work: Duration, cores: f64) -> Duration {
        let Some((age, warmup)) = self.age(at.0, now) else { return work };
        let s = |ns: u64| ns as f64 * 1e-9;
        let longer = Duration::from_secs_f64(self.spec.stretched_s(work.as_secs_f64(), s(age), s(warmup)));
        let extra_core_s = (longer.as_secs_f64() - work.as_secs_f64()) * cores;
        self.totals.slowed += 1;
        self.totals.extra_core_s += extra_core_s;
        let bins = &mut self.totals.extra_j[at.2.index()];
        let bin = (now.0 / self.bin) as usize;
        if bins.len() <= bin {
            bins.resize(bin + 1, 0.0);
        }
        bins[bin] += extra_core_s * self.w_per_core[at.1];
        longer
    }
}
