//! Pause and resume online, where every start and every stop costs something.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Online, Plan, PriceBounds, Rule, Shifting, Work};
use crate::scheduler::View;

/// k-min search with two thresholds: work that runs goes on at prices that would not make it start.
///
/// Formula, with bounds L and U of the intensity, β the cost of a start and of a stop, and i = 1..k:
///
/// ```text
///   Φ_i = U [1 - (1 - 1/α) (1 + 1/(αk))^(i-1)] + 2β [1/(kα) - 1/k + 1] (1 + 1/(αk))^(i-1)
///   α > 1 solves Φ_(k+1) = L + 2β
///   running: goes on if c <= Φ_i        paused: resumes if c <= Φ_i - 2β
/// ```
///
/// β = 0 is k-min. Where U - L <= 2β no pause can pay, and it runs at once. Steps, unknown lengths, work that cannot be suspended, and
/// the forced end are those of `k-min`. β guides the decisions only: what suspending costs is the job's checkpoint and restart.
///
/// Source: Lechowicz et al., *The Online Pause and Resume Problem*, POMACS 7(3), 2023. Their released code solves α from an equation in
/// which one sign differs from this; it is not offered, since that α bounds nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseAndResume {
    /// β, what a start, and a stop, cost: the intensity of a step, times its share of the step's energy [gCO2e/kWh]. Default 20: assumed;
    /// the source tries costs up to a tenth of U. More makes it pause less.
    #[schemars(range(min = 0.0))]
    #[serde(default = "switching")]
    pub switching_g_per_kwh: f64,
    /// U and L. Default: those observed in the last 168 h.
    #[serde(default)]
    pub bounds: PriceBounds,
}

fn switching() -> f64 {
    20.0
}

impl Default for PauseAndResume {
    fn default() -> Self {
        Self { switching_g_per_kwh: switching(), bounds: PriceBounds::default() }
    }
}

impl PauseAndResume {
    pub(super) fn build(&self) -> Box<dyn Shifting> {
        Box::new(Search(Online::new(self.bounds.clone(), Rule::KMin(self.switching_g_per_kwh))))
    }
}

struct Search(Online);

impl Shifting for Search {
    fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
        self.0.plan(work, view, plan);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scheduler::bound::{Level, Task, unlimited};
    use crate::scheduler::shifting::lab_scaling::{self, Runs, Sample, follow, grams};
    use crate::scheduler::shifting::{KMin, OneMin};
    use crate::types::{Duration, SimTime};
    use crate::workload::jobs::{Interruption, JobKind};

    fn fixed(low: f64, high: f64) -> PriceBounds {
        PriceBounds::Fixed { lowest_g_per_kwh: low, highest_g_per_kwh: high }
    }

    fn opr(beta: f64, bounds: PriceBounds) -> PauseAndResume {
        PauseAndResume { switching_g_per_kwh: beta, bounds }
    }

    fn hours(runs: &Runs) -> Vec<(f64, f64)> {
        runs.iter().map(|r| (r.0.as_secs_f64() / 3600.0, r.1.as_secs_f64() / 3600.0)).collect()
    }

    fn free() -> JobKind {
        JobKind { interruption: Some(Interruption::default()), ..JobKind::default() }
    }

    #[test]
    fn work_that_runs_goes_on_at_a_price_that_would_not_make_it_start() {
        // k = 2, L = 100, U = 400, β = 20.
        let t = crate::scheduler::shifting::Thresholds::new(100.0, 400.0, 2, 20.0);
        let between = t.running(2) - 1.0;
        assert!(between > t.paused(2) + 30.0);
        let kind = free();
        let job = Sample { kind: Some(&kind), hours: 2.0, slack_h: 6.0, ..Sample::default() };
        let start = t.paused(1) - 1.0;
        let g = [400.0, 400.0, start, between, 400.0, 400.0, 400.0, 400.0];
        assert_eq!(hours(&follow(&mut *opr(20.0, fixed(100.0, 400.0)).build(), &g, job)), [(2.0, 4.0)]);
    }

    #[test]
    fn where_no_pause_can_pay_it_runs_at_once() {
        let kind = free();
        let job = Sample { kind: Some(&kind), hours: 3.0, slack_h: 5.0, ..Sample::default() };
        let g = [400.0, 390.0, 380.0, 370.0, 360.0, 360.0, 360.0, 360.0];
        assert_eq!(hours(&follow(&mut *opr(20.0, fixed(360.0, 400.0)).build(), &g, job)), [(0.0, 3.0)]);
        assert_ne!(hours(&follow(&mut *opr(0.0, fixed(360.0, 400.0)).build(), &g, job)), [(0.0, 3.0)]);
    }

    #[test]
    fn on_a_real_year_no_online_search_beats_the_offline_optimum() {
        let Some(g) = lab_scaling::ci_lca("US-CAL-CISO") else { return };
        let signal = lab_scaling::signal(&g[..8760]);
        let kind = free();
        let (mut now, mut best, mut shares) = (0.0, 0.0, [0.0; 4]);
        for a in (168..8700).step_by(25) {
            let from = SimTime::from_secs_f64(f64::from(a) * 3600.0);
            // The part of the year that the job can see or meet.
            let (first, last) = (a as usize - 168, a as usize + 36);
            let job = Sample {
                kind: Some(&kind),
                now: SimTime::from_secs_f64(168.0 * 3600.0),
                hours: 6.0,
                slack_h: 24.0,
                ..Sample::default()
            };
            let length = Duration::from_secs(6 * 3600);
            now += signal.integral(from, from + length) / 3600.0;
            let task = Task {
                earliest: from,
                deadline: from + length + Duration::from_secs(24 * 3600),
                length,
                levels: vec![Level { speed: 1.0, power_w: 1000.0, cores: 1.0 }],
                interruptible: true,
            };
            let bound = unlimited(&[task], &signal).expect("a bound")[0];
            best += bound;
            // What a policy has seen is of one signal: a new one for each part of the year.
            let policies =
                [OneMin::default().build(), KMin::default().build(), opr(20.0, PriceBounds::default()).build()];
            for (mut policy, sum) in policies.into_iter().zip(&mut shares) {
                let emitted = grams(&follow(&mut *policy, &g[first..last], job), &g[first..last]);
                assert!(emitted >= bound * (1.0 - 1e-9), "{emitted} g is less than {bound} g");
                *sum += emitted;
            }
        }
        shares[3] = best;
        let saved = shares.map(|grams| (1000.0 * (1.0 - grams / now)).round() / 10.0);
        // As docs/shifting-scaling.md says: one-min, k-min, pause-and-resume, the bound [%].
        assert_eq!(saved, [24.6, 20.8, 23.4, 30.3]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn all_work_is_done_by_its_deadline_for_every_series(
            g in prop::collection::vec(0.0..1000.0f64, 60),
            start in 0..20u32,
            length_min in 1..900u32,
            slack_min in 0..1500u32,
            checkpoint_s in 0..900u64,
            restart_s in 0..900u64,
            interruptible: bool,
            which in 0..4u8,
        ) {
            let costs = Interruption { checkpoint: Duration::from_secs(checkpoint_s), restart: Duration::from_secs(restart_s) };
            let kind = JobKind { interruption: interruptible.then_some(costs), ..JobKind::default() };
            let now = SimTime::from_secs_f64(f64::from(start) * 1800.0 + 7.0);
            let (hours, slack_h) = (f64::from(length_min) / 60.0, f64::from(slack_min) / 60.0);
            let job = Sample { kind: Some(&kind), now, hours, slack_h, ..Sample::default() };
            let mut policy = match which {
                0 => OneMin::default().build(),
                1 => KMin { bounds: PriceBounds::Hindsight {} }.build(),
                2 => opr(30.0, PriceBounds::default()).build(),
                _ => opr(30.0, fixed(200.0, 600.0)).build(),
            };
            let runs = follow(&mut *policy, &g, job);
            let ran: u64 = runs.iter().map(|r| (r.1 - r.0).0).sum();
            let deadline = now + Duration::from_secs(u64::from(length_min + slack_min) * 60);
            prop_assert!(runs[0].0 >= now && runs[runs.len() - 1].1 <= deadline, "{:?} passes {deadline:?}", runs);
            prop_assert!(ran >= u64::from(length_min) * 60_000_000_000);
            if slack_min == 0 {
                prop_assert_eq!((runs.len(), runs[0].0), (1, now));
            }
        }

        #[test]
        fn without_cost_it_is_k_min_and_keeps_to_the_worst_ratio(
            g in prop::collection::vec(100.0..400.0f64, 48),
            length_h in 1..12u32,
        ) {
            let kind = free();
            let job = Sample { kind: Some(&kind), hours: f64::from(length_h), slack_h: f64::from(48 - length_h), ..Sample::default() };
            let ours = follow(&mut *opr(0.0, fixed(100.0, 400.0)).build(), &g, job);
            prop_assert_eq!(&ours, &follow(&mut *KMin { bounds: fixed(100.0, 400.0) }.build(), &g, job));
            let mut sorted = g.clone();
            sorted.sort_by(f64::total_cmp);
            let best: f64 = sorted[..length_h as usize].iter().sum();
            let alpha = crate::scheduler::shifting::Thresholds::new(100.0, 400.0, u64::from(length_h), 0.0).alpha;
            let emitted = grams(&ours, &g);
            prop_assert!(emitted >= best * (1.0 - 1e-9) && emitted <= alpha * best * (1.0 + 1e-9), "{} {}", emitted, best);
        }
    }
}
