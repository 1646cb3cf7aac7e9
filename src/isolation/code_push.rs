//! New code that is pushed to running workers, and how they get warm again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[runtime.code_push]`: new code is pushed to all workers in three phases, and calls run slower on a worker with new code until it has
/// compiled it.
///
/// Formula: a call that begins at age a of its worker's code [s since it came] runs at the factor F(a) = 1 + (F0 - 1) max(0, 1 - a / W),
/// with F0 `initial_factor` and W the worker's warm-up time. F falls while the call runs: w seconds of work take the time T with
/// integral of da / F(a) over [a, a + T] = w.
///
/// Source: XFaaS (Sahraei et al., SOSP 2023) for the three phases and for the times marked published. How much slower calls are is not
/// published. `docs/workers.md`, section 4.
///
/// By hand: F0 = 3, W = 180 s, a = 90 s: F = 2. A short call takes twice its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CodePush {
    /// Time from one push to the next \[s\]; the first is after this time. Default 10800 (published: every 3 h).
    #[schemars(range(min = 1.0))]
    pub every_s: f64,
    /// Whether the last phase gets the seeders' profiles and compiles before calls need it. Default true.
    pub cooperative: bool,
    /// Workers of the first phase: the lowest-numbered ones of the fleet. Default 2 (published: few).
    pub canaries: u32,
    /// Share of the workers in the second phase, rounded to the nearest; at least one if above 0. Default 0.02 (published).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub seeder_share: f64,
    /// Time from the first phase to the second \[s\]. Default 600 (not published; assumed).
    #[schemars(range(min = 0.0))]
    pub canary_s: f64,
    /// Time from the second phase to the last \[s\]. Default 1500 (assumed: the published 25 min that profiling takes at most).
    #[schemars(range(min = 0.0))]
    pub seeder_s: f64,
    /// Time until a worker without foreign profiles is warm \[s\]: canaries and seeders, and all without cooperation. Default 1260
    /// (published: 21 min).
    #[schemars(range(min = 0.0))]
    pub warmup_s: f64,
    /// Time until a worker of the last phase is warm with the seeders' profiles \[s\]. Default 180 (published: 3 min).
    #[schemars(range(min = 0.0))]
    pub cooperative_warmup_s: f64,
    /// By how much longer calls run right after new code came; 1 is not at all. Default 3 (not published; assumed).
    #[schemars(range(min = 1.0, max = 1000.0))]
    pub initial_factor: f64,
}

impl Default for CodePush {
    fn default() -> Self {
        Self {
            every_s: 10_800.0,
            cooperative: true,
            canaries: 2,
            seeder_share: 0.02,
            canary_s: 600.0,
            seeder_s: 1500.0,
            warmup_s: 1260.0,
            cooperative_warmup_s: 180.0,
            initial_factor: 3.0,
        }
    }
}

/// A phase of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushPhase {
    /// A few workers.
    Canary,
    /// Workers that profile for the others.
    Seeder,
    /// All others.
    Rest,
}

impl CodePush {
    /// What is wrong with it: key, message, help.
    pub fn problem(&self) -> Option<(&'static str, String, &'static str)> {
        (self.canary_s + self.seeder_s >= self.every_s).then(|| {
            (
                "every_s",
                format!(
                    "the last phase of a push begins {} s after the first, when the next push has begun",
                    self.canary_s + self.seeder_s
                ),
                "let every_s be longer than canary_s + seeder_s",
            )
        })
    }

    /// The phase of each of a number of workers: canaries first, seeders evenly among the others.
    pub fn phases(&self, workers: usize) -> Vec<PushPhase> {
        let canaries = (self.canaries as usize).min(workers);
        let others = workers - canaries;
        let least = usize::from(self.seeder_share > 0.0);
        let seeders = ((self.seeder_share * workers as f64).round() as usize).max(least).min(others);
        let is_seeder = |j: usize| (j + 1) * seeders / others > j * seeders / others;
        (0..workers)
            .map(|w| match w.checked_sub(canaries) {
                None => PushPhase::Canary,
                Some(j) if is_seeder(j) => PushPhase::Seeder,
                Some(_) => PushPhase::Rest,
            })
            .collect()
    }

    /// When a phase gets new code, after the push began, and how long its workers need to get warm \[s\].
    pub fn phase(&self, phase: PushPhase) -> (f64, f64) {
        let alone = self.warmup_s;
        match phase {
            PushPhase::Canary => (0.0, alone),
            PushPhase::Seeder => (self.canary_s, alone),
            PushPhase::Rest => {
                (self.canary_s + self.seeder_s, if self.cooperative { self.cooperative_warmup_s } else { alone })
            }
        }
    }

    /// Time that `work_s` takes from age `age_s` on, where workers need `warmup_s` \[s\].
    ///
    /// With k = (F0 - 1) / W the work done while F falls from F(a) to F(b) is ln(F(a) / F(b)) / k, so that F at the end is
    /// F(a) exp(-k w), and the time is (F(a) - F at the end) / k; what is left when F reaches 1 takes its own time.
    pub fn stretched_s(&self, work_s: f64, age_s: f64, warmup_s: f64) -> f64 {
        if age_s >= warmup_s || self.initial_factor <= 1.0 {
            return work_s;
        }
        let k = (self.initial_factor - 1.0) / warmup_s;
        let begins = 1.0 + k * (warmup_s - age_s);
        let until_warm = libm::log(begins) / k;
        if work_s >= until_warm {
            return (warmup_s - age_s) + (work_s - until_warm);
        }
        -begins * libm::expm1(-k * work_s) / k
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_stretched_as_a_sum_of_small_steps_is() {
        let push = CodePush::default();
        for (work, age, warmup) in [
            (1.0_f64, 0.0_f64, 180.0_f64),
            (155.0, 10.0, 180.0),
            (50.0, 150.0, 180.0),
            (1000.0, 3.0, 1260.0),
            (5.0, 180.0, 180.0),
        ] {
            // Time goes on in steps of a millisecond until the work is done.
            let (mut done, mut t) = (0.0_f64, 0.0_f64);
            while done < work {
                let f = 1.0 + 2.0 * (1.0 - (age + t + 0.0005) / warmup).max(0.0);
                done += 0.001 / f;
                t += 0.001;
            }
            let ours = push.stretched_s(work, age, warmup);
            assert!((ours - t).abs() < 0.005, "{work} s at {age} s of {warmup} s: {ours} instead of {t}");
        }
        // A short call runs at the factor of the instant at which it begins.
        assert!((push.stretched_s(1e-6, 90.0, 180.0) / 1e-6 - 2.0).abs() < 1e-6);
        assert_eq!(CodePush { initial_factor: 1.0, ..push }.stretched_s(7.0, 0.0, 180.0), 7.0);
    }

    #[test]
    fn phases_have_their_sizes_and_seeders_stand_apart() {
        let count = |push: &CodePush, n: usize| {
            let all = push.phases(n);
            [PushPhase::Canary, PushPhase::Seeder, PushPhase::Rest].map(|p| all.iter().filter(|q| **q == p).count())
        };
        let push = CodePush::default();
        assert_eq!(count(&push, 1000), [2, 20, 978]);
        assert_eq!(count(&push, 10), [2, 1, 7]);
        assert_eq!(count(&push, 2), [2, 0, 0]);
        assert_eq!(count(&push, 1), [1, 0, 0]);
        assert_eq!(count(&CodePush { canaries: 0, seeder_share: 0.0, ..push.clone() }, 5), [0, 0, 5]);
        let seeders: Vec<usize> = (0..1000).filter(|&i| push.phases(1000)[i] == PushPhase::Seeder).collect();
        assert!(seeders.windows(2).all(|w| w[1] - w[0] >= 49), "{seeders:?}");
        assert_eq!(push.phase(PushPhase::Rest), (2100.0, 180.0));
        assert_eq!(CodePush { cooperative: false, ..push.clone() }.phase(PushPhase::Rest), (2100.0, 1260.0));
        assert_eq!(push.phase(PushPhase::Seeder), (600.0, 1260.0));
        assert!(push.problem().is_none() && CodePush { every_s: 2100.0, ..push }.problem().is_some());
    }
}
