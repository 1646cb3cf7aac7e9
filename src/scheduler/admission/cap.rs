//! A moving cap on the CPU that jobs hold: low while electricity is dirty for what is to come, high while it is clean.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Admission, Ceiling};
use crate::scheduler::View;
use crate::types::{Duration, RegionId, SimTime};

/// Caps the cores of a region's jobs by the present intensity between the bounds of the steps to come.
///
/// Formula, with M cores (or executors), B of them guaranteed, K = M - B, c the present intensity, L and U the lowest and highest of c and the
/// forecast of the next steps:
///
/// ```text
///   α   = 1 / (1 + W0((L/U - 1)/e))                     W0: the principal branch of Lambert's W
///   Φ_i = U [1 - (1 - 1/α) (1 + 1/(αK))^(i-1)]          i = 1..K
///   cap = B + number of i with Φ_i >= c
/// ```
///
/// U = L says nothing: then cap = M. So it is where the forecast knows no later step. Never preempts: what is above a lowered cap drains.
/// Calls are all admitted. A job larger than the cap waits for a higher one; one comes, since at c = L all of M
/// is free.
///
/// Source: Lechowicz et al., CAP in *carbon-aware-dag* (2025): the formula of its agent for first in, first out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// B over M: what is never taken away \[share\]. Default 0.2: assumed. Rounded up to whole executors, at least one.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "guaranteed_share")]
    pub guaranteed_share: f64,
    /// M, into how many equal parts the region's cores are divided \[executors\]. Default: its whole cores.
    #[schemars(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executors: Option<u32>,
    /// How many steps of the forecast L and U are taken from \[steps\]. Default 48 (the source's).
    #[schemars(range(min = 1))]
    #[serde(default = "look_ahead_steps")]
    pub look_ahead_steps: u32,
    /// Which formula. Default `fifo`.
    #[serde(default)]
    pub thresholds: CapThresholds,
}

/// How the thresholds fall with the executors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CapThresholds {
    /// By (1 + 1/(αK))^(i-1), down to L: what the analysis has, and the source's agent for first in, first out.
    #[default]
    Fifo,
    /// By (1 + 1/K)^i, as in the source's other agents: falls below L, so that dirtier hours are capped harder and not all of M is ever free.
    Steep,
}

fn guaranteed_share() -> f64 {
    0.2
}

fn look_ahead_steps() -> u32 {
    48
}

impl Default for Cap {
    fn default() -> Self {
        Self {
            guaranteed_share: guaranteed_share(),
            executors: None,
            look_ahead_steps: look_ahead_steps(),
            thresholds: CapThresholds::Fifo,
        }
    }
}

/// The principal branch of Lambert's W, w e^w = x, for x in \[-1/e, 0\].
///
/// Newton's iteration with Halley's correction, from the series at the branch point; right to 1e-15 but for the square root of the rounding of
/// x near -1/e.
fn lambert_w0(x: f64) -> f64 {
    let p2 = 2.0 * (std::f64::consts::E * x + 1.0);
    if p2 <= 0.0 {
        return -1.0;
    }
    let p = p2.sqrt();
    let mut w = -1.0 + p * (1.0 - p * (1.0 / 3.0 - p * (11.0 / 72.0)));
    for _ in 0..32 {
        let e = libm::exp(w);
        let f = w * e - x;
        let step = f / (e * (w + 1.0) - (w + 2.0) * f / (2.0 * w + 2.0));
        if !step.is_finite() {
            break;
        }
        w -= step;
        if step.abs() <= 1e-16 * w.abs() {
            break;
        }
    }
    w
}

impl Cap {
    /// B of so many executors.
    fn guaranteed(&self, executors: u64) -> u64 {
        ((self.guaranteed_share * executors as f64).ceil() as u64).clamp(1.min(executors), executors)
    }

    /// How many executors jobs may hold.
    fn cap(&self, executors: u64, c: f64, low: f64, high: f64) -> u64 {
        let guaranteed = self.guaranteed(executors);
        let k = executors - guaranteed;
        if k == 0 || high <= low {
            return executors;
        }
        let inverse = 1.0 + lambert_w0((low / high - 1.0) / std::f64::consts::E);
        let phi = |i: u64| {
            let growth = match self.thresholds {
                CapThresholds::Fifo => libm::exp((i - 1) as f64 * libm::log1p(inverse / k as f64)),
                CapThresholds::Steep => libm::exp(i as f64 * libm::log1p(1.0 / k as f64)),
            };
            high * (1.0 - (1.0 - inverse) * growth)
        };
        // Thresholds fall: the number of those that are not below c.
        let (mut free, mut taken) = (0, k);
        while free < taken {
            let middle = free + (taken - free).div_ceil(2);
            if phi(middle) >= c {
                free = middle;
            } else {
                taken = middle - 1;
            }
        }
        guaranteed + free
    }
}

impl Admission for Cap {
    fn is_passive(&self) -> bool {
        true
    }

    fn limits_jobs(&self) -> bool {
        true
    }

    fn ceiling(&mut self, region: RegionId, view: &View<'_>) -> Ceiling {
        let present = view.observed[region.index()].step(view.now);
        let forecast = &view.forecasts[region.index()];
        let ahead = Duration((present.to - present.from).0.saturating_mul(u64::from(self.look_ahead_steps)));
        let until = (present.to + ahead).min(forecast.known_until(view.now));
        let mut steps = Vec::new();
        if present.to < until {
            forecast.steps(view.now, present.to, until, &mut steps);
        }
        let c = present.g_per_kwh;
        let (low, high) = steps.iter().fold((c, c), |(low, high), s| (low.min(s.g_per_kwh), high.max(s.g_per_kwh)));
        let capacity = view.regions[region.index()].cpu_capacity;
        let executors = self.executors.map_or(capacity / 1_000_000, u64::from);
        let until = if present.to > view.now { present.to } else { SimTime::NEVER };
        if executors == 0 {
            return Ceiling { cpu: capacity, until };
        }
        let cap = self.cap(executors, c, low.max(0.0), high);
        // A part of a core that is left over counts with the whole.
        let cpu = if cap == executors {
            capacity
        } else {
            (u128::from(capacity) * u128::from(cap) / u128::from(executors)) as u64
        };
        Ceiling { cpu, until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::{Forecast, Observed, PerfectForecast, Signal};
    use crate::scheduler::{RegionLoad, Reserved};

    #[test]
    fn lambert_s_w_has_its_known_values_and_inverts() {
        // W(-0.1), W(-0.2), W(-0.3), W(-0.35): printed tables.
        for (x, w) in [
            (-0.1, -0.111_832_559_158_963),
            (-0.2, -0.259_171_101_819_073_7),
            (-0.3, -0.489_402_227_180_214_9),
            (-0.35, -0.716_638_816_456_073_6),
        ] {
            assert!((lambert_w0(x) - w).abs() < 1e-13, "W({x}) = {}", lambert_w0(x));
        }
        assert_eq!((lambert_w0(0.0), lambert_w0(-1.0)), (0.0, -1.0));
        for n in 0..1000 {
            let x = -f64::from(n) / 1000.0 / std::f64::consts::E;
            let w = lambert_w0(x);
            assert!((w * w.exp() - x).abs() < 1e-15 && (-1.0..=0.0).contains(&w), "{x} {w}");
        }
        // The closed form: W(-ln 2 / 2) = -ln 2.
        let ln2 = std::f64::consts::LN_2;
        assert!((lambert_w0(-ln2 / 2.0) + ln2).abs() < 1e-14);
    }

    #[test]
    fn the_cap_falls_with_intensity_between_the_guaranteed_and_all() {
        for thresholds in [CapThresholds::Fifo, CapThresholds::Steep] {
            let cap = Cap { thresholds, ..Cap::default() };
            for (low, high) in [(50.0, 400.0), (200.0, 210.0), (0.0, 300.0)] {
                let caps: Vec<u64> =
                    (0..=100).map(|n| cap.cap(100, low + (high - low) * f64::from(n) / 100.0, low, high)).collect();
                assert!(caps.windows(2).all(|w| w[0] >= w[1]), "{caps:?}");
                assert!(caps.iter().all(|c| (20..=100).contains(c)));
                assert_eq!(caps[100], 20, "at U nothing but the guaranteed is free");
                if thresholds == CapThresholds::Fifo {
                    assert_eq!(caps[0], 100, "at L everything is free");
                } else {
                    assert_eq!(caps[0] > 20, low > 0.0, "steep thresholds lie below L; where L is 0, all of them");
                }
            }
        }
        let all = Cap { guaranteed_share: 1.0, ..Cap::default() };
        assert_eq!(all.cap(10, 400.0, 100.0, 400.0), 10);
        assert_eq!(Cap::default().cap(10, 300.0, 300.0, 300.0), 10);
        assert_eq!(Cap { guaranteed_share: 0.0, ..all }.cap(10, 400.0, 100.0, 400.0), 1);
    }

    #[test]
    fn the_thresholds_are_those_of_the_closed_form() {
        // L/U - 1 = -e ln 2 / 2 gives W = -ln 2, so that 1/α = 1 - ln 2.
        let ln2 = std::f64::consts::LN_2;
        let (high, inverse) = (1000.0, 1.0 - ln2);
        let low = high * (1.0 - std::f64::consts::E * ln2 / 2.0);
        let cap = Cap { guaranteed_share: 0.5, ..Cap::default() };
        for i in 1..=4_u64 {
            let phi = high * (1.0 - ln2 * (1.0 + inverse / 4.0).powi(i as i32 - 1));
            assert_eq!(cap.cap(8, phi - 1e-6, low, high), 4 + i);
            assert_eq!(cap.cap(8, phi + 1e-6, low, high), 4 + i - 1);
            let steep = Cap { thresholds: CapThresholds::Steep, ..cap.clone() };
            let phi = high * (1.0 - ln2 * 1.25_f64.powi(i as i32));
            assert_eq!(steep.cap(8, phi - 1e-6, low, high), 4 + i);
            assert_eq!(steep.cap(8, phi + 1e-6, low, high), 4 + i - 1);
        }
        // The last threshold lies above L, and comes down to it as K grows.
        let fine = Cap::default();
        assert_eq!((fine.cap(8, low, low, high), fine.cap(1_000_000, low, low, high)), (8, 1_000_000));
        assert!(fine.cap(1_000_000, low * 1.00001, low, high) < 1_000_000);
    }

    fn ceiling(cap: &mut Cap, signal: &Signal, now_h: f64) -> (f64, f64) {
        let forecasts: Vec<Box<dyn Forecast>> = vec![Box::new(PerfectForecast::new(signal.clone()))];
        let (observed, now) = ([Observed::new(signal.clone())], SimTime::from_secs_f64(now_h * 3600.0));
        let regions = [RegionLoad { cpu_capacity: 10_500_000, ..RegionLoad::default() }];
        let view = View {
            now,
            regions: &regions,
            forecasts: &forecasts,
            observed: &observed,
            reserved: Reserved::default(),
            network: &crate::network::NOWHERE,
        };
        let c = cap.ceiling(RegionId(0), &view);
        (c.cpu as f64 * 1e-6, c.until.as_secs_f64() / 3600.0)
    }

    #[test]
    fn the_ceiling_holds_for_a_step_and_looks_so_many_steps_ahead() {
        let hour = 3_600_000_000_000;
        let info = Signal::constant("X", 0.0).expect("a constant").info().clone();
        let g = vec![200.0, 400.0, 100.0, 50.0];
        let signal = Signal::new(info, (0..4).map(|h| h * hour).collect(), g, 4 * hour).expect("four hours");
        let mut cap = Cap { look_ahead_steps: 1, ..Cap::default() };
        // The next hour is dirtier: everything that a coarse K leaves. Then it is the dirtiest.
        let (clean, until) = ceiling(&mut cap, &signal, 0.25);
        assert!(clean > 8.0 && until == 1.0, "{clean}");
        assert_eq!(ceiling(&mut cap, &signal, 1.0), (2.1, 2.0));
        // Nothing is known past the last hour.
        assert_eq!(ceiling(&mut cap, &signal, 3.5).0, 10.5);
        // One hour ahead, 200 is the cleanest; three hours ahead it is not.
        assert!(ceiling(&mut Cap { look_ahead_steps: 3, ..cap.clone() }, &signal, 0.0).0 < clean);
        assert_eq!(ceiling(&mut cap, &Signal::constant("X", 300.0).expect("a constant"), 5.0).0, 10.5);
        assert_eq!(ceiling(&mut Cap { executors: Some(2), ..cap }, &signal, 1.0).0, 5.25);
    }
}
