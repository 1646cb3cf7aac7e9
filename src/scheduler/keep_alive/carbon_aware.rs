//! Choose each keep-alive time by a weighted score of expected service time and expected carbon.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IdleView, KeepAlive, Plan};
use crate::scheduler::idle_times::{BinCounts, ByPool, Gaps};
use crate::scheduler::{CallView, Known, PoolView, SiteFacts, View};
use crate::types::Duration;

/// Keeps each sandbox for the time of the lowest score, after EcoLife.
///
/// Formula, over candidates k = 0, step, …, max, with the pool's own idle times T seen so far:
///
/// ```text
/// score(k) = lambda S(k) / max S + (1 - lambda) C(k) / max C          maxima over the candidates; first of equals
/// S(k) = work + P(T >= k) start                                       [s]
/// C(k) = call + P(T >= k) cold + memory rate E[min(T, k)]             [gCO2e]
/// call = core-seconds of a call x w;   cold = core-seconds of the start x w, or its measured joules x PUE x I(now) / 3.6e6
/// w    = watts per busy core above idle x PUE x I(now) / 3.6e6        [g per core-second]
/// rate = idle watts per byte x PUE x I(now) / 3.6e6 + embodied        [g per second and byte]
/// ```
///
/// I is the intensity believed for now. What differs from EcoLife: one hardware generation per region, so that only the time
/// is chosen; the exact minimum over the grid instead of a particle swarm (with 31 choices the swarm approximates it); the
/// memory's share of the host's idle power and embodied emissions instead of separate shares of CPU and DRAM.
///
/// Embodied emissions are sunk: no keep-alive time changes them. EcoLife counts them, and so does the default; Bashir et al.
/// (SoCC 2024, The Sunk Carbon Fallacy) show what that costs, and `include_embodied = false` is the run-time rule they ask for.
///
/// Source: Jiang et al., EcoLife, SC 2024. Example: idle times always 90 s; a start of 2 s beside calls of 1 s. Of the times
/// below 120 s none is warm; from 120 s on all are, after 90 s of memory each: the choice is between 0 and 120 s.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CarbonAware {
    /// Weight of service time; the rest is carbon's. Default 0.5 (published).
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "lambda")]
    pub lambda: f64,
    /// Longest time considered \[s\]. Default 1800 (published).
    #[schemars(range(min = 1.0, max = 2_678_400.0))]
    #[serde(default = "max_keep")]
    pub max_keep_s: f64,
    /// Step of the times considered \[s\]. Default 60 (published).
    #[schemars(range(min = 1.0, max = 2_678_400.0))]
    #[serde(default = "step")]
    pub step_s: f64,
    /// Whether embodied emissions count. Default true (published).
    #[serde(default = "yes")]
    pub include_embodied: bool,
    /// Time kept before `min_samples` idle times of the pool are known \[s\]. Default 600 (assumed: that of `fixed`).
    #[schemars(range(min = 0.0), extend("x-allow-infinite" = true))]
    #[serde(default = "fallback")]
    pub fallback_s: f64,
    /// Idle times that must be known. Default 1 (assumed).
    #[schemars(range(min = 1))]
    #[serde(default = "min_samples")]
    pub min_samples: u32,
}

fn lambda() -> f64 {
    0.5
}
fn max_keep() -> f64 {
    1800.0
}
fn step() -> f64 {
    60.0
}
fn yes() -> bool {
    true
}
fn fallback() -> f64 {
    600.0
}
fn min_samples() -> u32 {
    1
}

/// What is known of one pool.
struct Learnt {
    gaps: Gaps,
    bins: BinCounts,
    /// Count and sum of the idle times of each step \[s\].
    steps: Vec<(u32, f64)>,
    calls: u64,
    work_s: f64,
    work_core_s: f64,
}

/// The policy with what it has learnt.
pub(super) struct Score {
    spec: CarbonAware,
    sites: Arc<[SiteFacts]>,
    pools: ByPool<Option<Box<Learnt>>>,
}

/// What one candidate is expected to give.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Expected {
    service_s: f64,
    carbon_g: f64,
}

impl Score {
    pub(super) fn new(spec: CarbonAware, known: &Known) -> Self {
        Self { spec, sites: Arc::clone(&known.sites), pools: ByPool::new(known) }
    }
}

impl Learnt {
    /// The expectation of every candidate, from 0 on.
    fn candidates(
        &self,
        step_s: f64,
        sandbox: &IdleView<'_>,
        start_g: f64,
        core_s_g: f64,
        byte_s_g: f64,
    ) -> Vec<Expected> {
        let n = self.bins.total() as f64;
        let calls = self.calls.max(1) as f64;
        let (work, call_g) = (self.work_s / calls, self.work_core_s / calls * core_s_g);
        let held_g = sandbox.memory.0 as f64 * byte_s_g;
        let (mut warm, mut warm_s) = (0.0, 0.0);
        (0..=self.steps.len())
            .map(|k| {
                // Expiry comes before an arrival at the same instant: an idle time of exactly k is cold.
                if let Some(&(count, sum_s)) = k.checked_sub(1).and_then(|below| self.steps.get(below)) {
                    warm += f64::from(count);
                    warm_s += sum_s;
                }
                let cold = (n - warm) / n;
                let idle_s = (warm_s + (n - warm) * k as f64 * step_s) / n;
                Expected {
                    service_s: work + cold * sandbox.start.as_secs_f64(),
                    carbon_g: call_g + cold * start_g + held_g * idle_s,
                }
            })
            .collect()
    }
}

/// The candidate of the lowest score, the first of equals.
fn lowest(candidates: &[Expected], lambda: f64) -> usize {
    let largest = |of: fn(&Expected) -> f64| candidates.iter().map(of).fold(0.0, f64::max);
    let share = |value: f64, of: f64| if of > 0.0 { value / of } else { 0.0 };
    let (most_s, most_g) = (largest(|c| c.service_s), largest(|c| c.carbon_g));
    let (mut best, mut chosen) = (f64::INFINITY, 0);
    for (k, c) in candidates.iter().enumerate() {
        let score = lambda * share(c.service_s, most_s) + (1.0 - lambda) * share(c.carbon_g, most_g);
        if score < best {
            (best, chosen) = (score, k);
        }
    }
    chosen
}

impl KeepAlive for Score {
    fn keep(&mut self, sandbox: &IdleView<'_>, view: &View<'_>) -> Plan {
        let spec = &self.spec;
        let fallback = Duration::from_secs_f64(spec.fallback_s).into();
        let Some(learnt) = self.pools.of(&sandbox.pool) else { return fallback };
        if learnt.bins.total() < u64::from(spec.min_samples) {
            return fallback;
        }
        let region = sandbox.pool.region.index();
        let Some(intensity) = view.forecasts.get(region).and_then(|f| f.at(view.now, view.now)) else {
            return fallback;
        };
        let site = self.sites.get(region).copied().unwrap_or_default();
        let joule_g = site.pue * intensity.0 / 3.6e6;
        let embodied_g = if spec.include_embodied { site.embodied_g_per_s_per_byte } else { 0.0 };
        let byte_s_g = site.idle_w_per_byte * joule_g + embodied_g;
        let core_s_g = site.dynamic_w_per_core * joule_g;
        let start_g = sandbox.start_energy_j.map_or(sandbox.start_core_s * core_s_g, |joules| joules * joule_g);
        let candidates = learnt.candidates(spec.step_s, sandbox, start_g, core_s_g, byte_s_g);
        Duration::from_secs_f64(lowest(&candidates, spec.lambda) as f64 * spec.step_s).into()
    }

    fn observes(&self) -> bool {
        true
    }

    fn arrived(&mut self, call: &CallView<'_>, pool: &PoolView, view: &View<'_>) {
        let spec = &self.spec;
        let learnt = self.pools.of(pool).get_or_insert_with(|| {
            let bins = BinCounts::new(spec.max_keep_s, spec.step_s);
            let steps = vec![(0, 0.0); bins.bins()];
            Box::new(Learnt { gaps: Gaps::default(), bins, steps, calls: 0, work_s: 0.0, work_core_s: 0.0 })
        });
        let work_s = call.expected_work.as_secs_f64();
        learnt.calls += 1;
        learnt.work_s += work_s;
        learnt.work_core_s += work_s * call.profile.cpu.as_cores();
        let Some(gap) = learnt.gaps.gap(pool, view.now) else { return };
        let bin = learnt.bins.bin(gap);
        learnt.bins.add(bin);
        if let Some((count, sum_s)) = learnt.steps.get_mut(bin) {
            *count += 1;
            *sum_s += gap.as_secs_f64();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::tests::{feed, idle, known, pool};

    fn policy(keys: &str) -> Score {
        Score::new(toml::from_str(keys).expect("right keys"), &known(1))
    }

    fn after(keys: &str, gaps_s: &[f64]) -> Plan {
        let (mut p, mut pool) = (policy(keys), pool(0, 0));
        let end = feed(&mut p, &mut pool, 0.0, gaps_s);
        idle(&mut p, &pool, end)
    }

    #[test]
    fn the_weights_of_the_example_decide_by_hand() {
        // At 360 g/kWh a joule is 1e-4 g. A call of 1 core·s at 2 W: 2e-4 g; a start of 1 core·s: 2e-4 g; 90 s of 0.1 W: 9e-4 g.
        //   k = 0:   S = 1 + 2 = 3 s,  C = 2e-4 + 2e-4           =  4e-4 g
        //   k = 60:  S = 3 s,          C = 4e-4 + 60 x 1e-5      = 10e-4 g
        //   k = 120: S = 1 s,          C = 2e-4 + 9e-4           = 11e-4 g, the largest
        //   lambda = 0.5:  k = 0: 0.5 + 0.5 x 4/11 = 0.682;  k = 120: 0.5 / 3 + 0.5 = 0.667
        //   lambda = 0.45: k = 0: 0.45 + 0.55 x 4/11 = 0.65; k = 120: 0.15 + 0.55 = 0.70
        assert_eq!(after("", &[90.0; 3]), Duration::from_secs(120).into());
        assert_eq!(after("lambda = 0.45", &[90.0; 3]), Duration::ZERO.into());
        let mut p = policy("");
        let mut pool = pool(0, 0);
        feed(&mut p, &mut pool, 0.0, &[90.0; 3]);
        let learnt = p.pools.of(&pool).as_ref().expect("it has learnt");
        assert_eq!((learnt.calls, learnt.bins.total(), learnt.steps[1]), (3, 3, (3, 270.0)));
    }

    #[test]
    fn carbon_alone_keeps_nothing_and_time_alone_keeps_until_all_are_warm() {
        assert_eq!(after("lambda = 0", &[90.0, 600.0]), Duration::ZERO.into());
        assert_eq!(after("lambda = 1", &[90.0, 600.0]), Duration::from_secs(660).into(), "600 s need more than 600 s");
        assert_eq!(after("lambda = 1", &[1800.0]), Duration::ZERO.into(), "out of reach: the first of equals");
    }

    #[test]
    fn without_samples_it_falls_back() {
        assert_eq!(after("", &[]), Duration::from_secs(600).into());
        assert_eq!(after("min_samples = 2\nfallback_s = 5", &[90.0]), Duration::from_secs(5).into());
    }

    #[test]
    fn embodied_emissions_count_unless_they_are_sunk() {
        let mut known = known(1);
        let site = SiteFacts { embodied_g_per_s_per_byte: 1e-10, dynamic_w_per_core: 100.0, ..known.sites[0] };
        known.sites = vec![site].into();
        let plan = |keys: &str| {
            let mut p = Score::new(toml::from_str(keys).expect("right keys"), &known);
            let mut pool = pool(0, 0);
            let end = feed(&mut p, &mut pool, 0.0, &[90.0; 3]);
            idle(&mut p, &pool, end)
        };
        // A start costs 100 J = 1e-2 g; 90 s of memory cost 9e-4 g, with embodied emissions 0.9 g more.
        assert_eq!(plan("lambda = 0"), Duration::ZERO.into());
        assert_eq!(plan("lambda = 0\ninclude_embodied = false"), Duration::from_secs(120).into());
    }
}
