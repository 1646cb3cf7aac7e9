//! A curve of virtual capacity for the day ahead, below which jobs must stay: flexible work is pushed out of dirty hours.

use microlp::{ComparisonOp, LinearExpr, OptimizationDirection, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Admission, Ceiling};
use crate::scheduler::View;
use crate::types::{Duration, RegionId, SimTime};

const HOUR: Duration = Duration::from_secs(3600);
const HOURS: usize = 24;
/// What moving work costs in the program, over the mean intensity: so little that it decides between equals only.
const TIE: f64 = 1e-6;

/// Caps all that runs in a region by an hourly curve, planned a day ahead; jobs give way, calls and instances never do.
///
/// Formula, per region and day, with U\[h\] \[cores\] the inflexible use expected for each hour, τ \[core-h\] the flexible use of a day,
/// and f\[h\] [g/kWh] the forecast:
///
/// ```text
///   choose δ[h] >= -1 and y   to minimise   λe Σ_h f[h] δ[h] τ/24  +  λp y
///   Σ_h δ[h] = 0              U[h] + (1 + δ[h]) τ/24 <= y
///   VCC[h] = [U[h] + (1 + δ[h]) τ/24] R <= capacity
///   jobs may hold at most VCC[h] - what all else demands
/// ```
///
/// Power follows use with one slope, which therefore cancels. Of equal plans the one that moves least is taken. U\[h\] is the mean of the
/// same hour over the days seen; τ is the given quantile of the days' flexible use, so that rarely a day's work does not fit below the curve.
/// Both are sampled from the first job on. On the first days nothing is shaped, nor on a day whose forecast does not reach through it or
/// whose use would not fit into the capacity. Days and hours are counted from the run's start. Queued jobs spill into the next hour. That
/// shaping stops for a week after a missed target is not modelled.
///
/// Source: Radovanović et al., *Carbon-Aware Computing for Datacenters*, IEEE Trans. Power Systems 2022 (arXiv 2106.11750).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VirtualCapacityCurve {
    /// λe, weight of carbon \[ratio\]. Default 1.
    #[schemars(range(min = 0.0))]
    #[serde(default = "carbon_weight")]
    pub carbon_weight: f64,
    /// λp, what a kilowatt of the day's peak costs, in grams [g/kW per day]. Default 500: assumed, since the source does not publish its weights;
    /// a kilowatt more is then worth it from five hours that are 100 g/kWh cleaner. More keeps the day flatter.
    #[schemars(range(min = 0.0))]
    #[serde(default = "peak_weight")]
    pub peak_weight_g_per_kw: f64,
    /// Which quantile of the days' flexible use is planned for \[share\]. Default 0.97 (the source's).
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "quantile")]
    pub quantile: f64,
    /// R, reservations over use \[ratio\]. Default 1: jobs use what they hold here.
    #[schemars(range(min = 0.01))]
    #[serde(default = "reservation_ratio")]
    pub reservation_ratio: f64,
    /// Days on which nothing is shaped, to learn from \[days\]. Default 7: assumed, a week.
    #[schemars(range(min = 1))]
    #[serde(default = "training_days")]
    pub training_days: u32,
    /// How many past days are looked at \[days\]. Default 28: assumed.
    #[schemars(range(min = 1))]
    #[serde(default = "history_days")]
    pub history_days: u32,
    /// How often use is sampled \[s\]. Default 900: assumed.
    #[schemars(range(min = 1.0, max = 3600.0))]
    #[serde(default = "sample")]
    pub sample_s: f64,
}

fn carbon_weight() -> f64 {
    1.0
}
fn peak_weight() -> f64 {
    500.0
}
fn quantile() -> f64 {
    0.97
}
fn reservation_ratio() -> f64 {
    1.0
}
fn training_days() -> u32 {
    7
}
fn history_days() -> u32 {
    28
}
fn sample() -> f64 {
    900.0
}

/// One day: inflexible and flexible use of each hour \[core-h\].
#[derive(Debug, Clone, Copy, Default)]
struct Day {
    inflexible: [f64; HOURS],
    flexible: [f64; HOURS],
}

/// What is known of a region.
#[derive(Debug, Default)]
struct Seen {
    /// Past days, oldest first.
    days: std::collections::VecDeque<Day>,
    /// The number of the present day.
    today: u64,
    /// Whether the present day has been seen from its first hour on: else nothing is learnt from it.
    is_whole: bool,
    present: Day,
    /// When it was sampled last, and what was seen: inflexible and flexible use \[cores\].
    last: Option<(SimTime, f64, f64)>,
    /// The curve of the present day \[cores\], if it is shaped.
    curve: Option<[f64; HOURS]>,
    /// Whether the present day has been planned.
    is_planned: bool,
}

/// The policy with what it has seen, by region.
#[derive(Debug)]
pub(super) struct Curves {
    spec: VirtualCapacityCurve,
    seen: Vec<Seen>,
}

impl VirtualCapacityCurve {
    /// δ of each hour for inflexible use \[cores\], flexible use of the day \[core-h\], intensities [g/kWh] and what the region can use at
    /// most \[cores\]; `None` if it does not fit.
    fn shape(&self, inflexible: &[f64; HOURS], tau: f64, g_per_kwh: &[f64; HOURS], most: f64) -> Option<[f64; HOURS]> {
        let mean = tau / HOURS as f64;
        if mean <= 0.0 || inflexible.iter().any(|u| u + mean > most) {
            return None;
        }
        // In units of the mean flexible use, which may be anything; intensities over their mean.
        let level = g_per_kwh.iter().sum::<f64>() / HOURS as f64;
        let scale = if level > 0.0 { level } else { 1.0 };
        let mut program = Problem::new(OptimizationDirection::Minimize);
        let y = program.add_var(self.peak_weight_g_per_kw / scale, (0.0, f64::INFINITY));
        let mut moved = LinearExpr::empty();
        let mut parts = Vec::with_capacity(HOURS);
        for (u, g) in inflexible.iter().zip(g_per_kwh) {
            let price = self.carbon_weight * g / scale;
            // δ = up - down.
            let up = program.add_var(price + TIE, (0.0, (most - u) / mean - 1.0));
            let down = program.add_var(TIE - price, (0.0, 1.0));
            moved.add(up, 1.0);
            moved.add(down, -1.0);
            let mut peak = LinearExpr::empty();
            peak.add(up, 1.0);
            peak.add(down, -1.0);
            peak.add(y, -1.0);
            program.add_constraint(peak, ComparisonOp::Le, -(u / mean + 1.0));
            parts.push((up, down));
        }
        program.add_constraint(moved, ComparisonOp::Eq, 0.0);
        let solution = program.solve().ok()?.into_solution().ok()?;
        let mut delta = [0.0; HOURS];
        for (d, (up, down)) in delta.iter_mut().zip(parts) {
            *d = (solution.var_value(up) - solution.var_value(down)).max(-1.0);
        }
        // What the solver's tolerance leaves over is spread, so that the day's work is conserved.
        let over = delta.iter().sum::<f64>() / HOURS as f64;
        delta.iter_mut().for_each(|d| *d = (*d - over).max(-1.0));
        Some(delta)
    }
}

impl Seen {
    /// Books what was seen last until now.
    fn pass(&mut self, now: SimTime, history: usize) {
        let Some((mut from, inflexible, flexible)) = self.last else {
            self.today = now.0 / (HOUR.0 * HOURS as u64);
            self.is_whole = now.0 % (HOUR.0 * HOURS as u64) < HOUR.0;
            return;
        };
        while from < now {
            let hour = from.0 / HOUR.0;
            let to = SimTime((hour + 1) * HOUR.0).min(now);
            let share = (to - from).0 as f64 / HOUR.0 as f64;
            let at = (hour % HOURS as u64) as usize;
            self.present.inflexible[at] += inflexible * share;
            self.present.flexible[at] += flexible * share;
            from = to;
            let day = to.0 / (HOUR.0 * HOURS as u64);
            if day > self.today {
                let day_over = std::mem::take(&mut self.present);
                if std::mem::replace(&mut self.is_whole, true) {
                    self.days.push_back(day_over);
                }
                if self.days.len() > history {
                    self.days.pop_front();
                }
                (self.today, self.is_planned) = (day, false);
            }
        }
    }
}

impl Curves {
    pub(super) fn new(spec: VirtualCapacityCurve) -> Self {
        Curves { spec, seen: Vec::new() }
    }

    /// The curve of the day that begins now, from what was seen of the days before.
    fn curve(&self, region: usize, view: &View<'_>) -> Option<[f64; HOURS]> {
        let seen = &self.seen[region];
        let n = seen.days.len();
        if n < self.spec.training_days.min(self.spec.history_days) as usize {
            return None;
        }
        let mut inflexible = [0.0; HOURS];
        for (h, u) in inflexible.iter_mut().enumerate() {
            *u = seen.days.iter().map(|d| d.inflexible[h]).sum::<f64>() / n as f64;
        }
        let mut totals: Vec<f64> = seen.days.iter().map(|d| d.flexible.iter().sum()).collect();
        totals.sort_by(f64::total_cmp);
        // The smallest total that is not exceeded by this share of the days.
        let rank = ((self.spec.quantile * n as f64).ceil() as usize).clamp(1, n);
        let tau = totals[rank - 1];
        let mut g_per_kwh = [0.0; HOURS];
        let midnight = SimTime(seen.today * HOUR.0 * HOURS as u64);
        for (h, g) in g_per_kwh.iter_mut().enumerate() {
            let from = midnight + Duration(HOUR.0 * h as u64);
            *g = view.forecasts[region].mean(view.now, from, from + HOUR)?.0;
        }
        let capacity = view.regions[region].cpu_capacity as f64 * 1e-6;
        let delta = self.spec.shape(&inflexible, tau, &g_per_kwh, capacity / self.spec.reservation_ratio)?;
        let mut curve = [0.0; HOURS];
        for h in 0..HOURS {
            curve[h] = (inflexible[h] + (1.0 + delta[h]) * tau / HOURS as f64) * self.spec.reservation_ratio;
        }
        Some(curve)
    }
}

impl Admission for Curves {
    fn is_passive(&self) -> bool {
        true
    }

    fn limits_jobs(&self) -> bool {
        true
    }

    fn ceiling(&mut self, region: RegionId, view: &View<'_>) -> Ceiling {
        let at = region.index();
        if self.seen.len() <= at {
            self.seen.resize_with(at + 1, Seen::default);
        }
        let load = &view.regions[at];
        let others = load.cpu_demand.saturating_sub(load.jobs_demand);
        let seen = &mut self.seen[at];
        seen.pass(view.now, self.spec.history_days as usize);
        seen.last = Some((view.now, others as f64 * 1e-6, load.jobs_demand as f64 * 1e-6));
        if !seen.is_planned {
            seen.is_planned = true;
            let curve = self.curve(at, view);
            self.seen[at].curve = curve;
        }
        let hour = view.now.0 / HOUR.0;
        let next_hour = SimTime((hour + 1) * HOUR.0);
        let until = next_hour.min(view.now + Duration::from_secs_f64(self.spec.sample_s));
        let cpu = match &self.seen[at].curve {
            Some(curve) => ((curve[(hour % HOURS as u64) as usize] * 1e6).round() as u64).saturating_sub(others),
            None => u64::MAX,
        };
        Ceiling { cpu, until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::{Forecast, PerfectForecast, Signal};
    use crate::scheduler::{RegionLoad, Reserved};

    fn day(f: impl Fn(usize) -> f64) -> [f64; HOURS] {
        std::array::from_fn(f)
    }

    fn spec(carbon: f64, peak: f64) -> VirtualCapacityCurve {
        let text = format!("carbon_weight = {carbon}\npeak_weight_g_per_kw = {peak}\ntraining_days = 1");
        toml::from_str(&text).expect("right keys")
    }

    /// Wave-like use [cores] and intensity [g/kWh].
    fn wave() -> ([f64; HOURS], [f64; HOURS]) {
        let turn = |h: usize, by: f64| (h as f64 / 24.0 * std::f64::consts::TAU + by).sin();
        (day(|h| 50.0 + 20.0 * turn(h, 0.5)), day(|h| 300.0 + 150.0 * turn(h, 2.0)))
    }

    #[test]
    fn work_is_conserved_and_the_curve_stays_between_the_inflexible_use_and_the_capacity() {
        let (u, g) = wave();
        for (carbon, peak) in [(1.0, 0.0), (1.0, 500.0), (0.0, 100.0), (1.0, 1e6)] {
            let delta = spec(carbon, peak).shape(&u, 480.0, &g, 100.0).expect("it fits");
            assert!(delta.iter().sum::<f64>().abs() < 1e-9);
            for h in 0..HOURS {
                let used = u[h] + (1.0 + delta[h]) * 20.0;
                assert!(used >= u[h] - 1e-9 && used <= 100.0 + 1e-5, "{used} in hour {h}");
            }
            let moved: f64 = (0..HOURS).map(|h| delta[h] * g[h]).sum();
            assert!(moved <= 1e-6 || carbon == 0.0 || peak > 1e5, "carbon grows by {moved}");
        }
        assert_eq!(spec(1.0, 0.0).shape(&u, 480.0, &g, 80.0), None);
        assert_eq!(spec(1.0, 0.0).shape(&u, 0.0, &g, 100.0), None);
    }

    #[test]
    fn without_a_peak_s_price_work_fills_the_cleanest_hours_up_to_the_capacity() {
        let g = day(|h| 100.0 + h as f64);
        // 24 core-h of work over 2 cores of room: the twelve cleanest hours.
        let delta = spec(1.0, 0.0).shape(&day(|_| 1.0), 24.0, &g, 3.0).expect("it fits");
        for (h, d) in delta.iter().enumerate() {
            assert!((d - if h < 12 { 1.0 } else { -1.0 }).abs() < 1e-6, "hour {h}: {d}");
        }
    }

    #[test]
    fn constant_intensity_moves_nothing() {
        let (u, _) = wave();
        let delta = spec(1.0, 0.0).shape(&u, 480.0, &day(|_| 321.0), 100.0).expect("it fits");
        assert!(delta.iter().all(|d| d.abs() < 1e-9), "{delta:?}");
    }

    #[test]
    fn raising_the_peak_s_price_never_raises_the_peak() {
        let (u, g) = wave();
        let peaks: Vec<f64> = [0.0, 10.0, 100.0, 300.0, 500.0, 1000.0, 3000.0, 1e5]
            .iter()
            .map(|&price| {
                let delta = spec(1.0, price).shape(&u, 480.0, &g, 100.0).expect("it fits");
                (0..HOURS).map(|h| u[h] + (1.0 + delta[h]) * 20.0).fold(0.0, f64::max)
            })
            .collect();
        assert!(peaks.windows(2).all(|w| w[1] <= w[0] + 1e-6), "{peaks:?}");
        assert!(peaks[0] > peaks[7] + 5.0);
        // The flattest day has its peak at the highest inflexible hour, or at the mean of all.
        let all = u.iter().sum::<f64>() / 24.0 + 20.0;
        assert!((peaks[7] - all.max(u.iter().copied().fold(0.0, f64::max))).abs() < 1e-5, "{peaks:?}");
    }

    #[test]
    fn a_day_is_shaped_from_the_days_before() {
        let hour = HOUR.0 as i64;
        let info = Signal::constant("X", 0.0).expect("a constant").info().clone();
        let g: Vec<f64> = (0..72).map(|h| if h % 24 < 12 { 400.0 } else { 100.0 }).collect();
        let signal = Signal::new(info, (0..72).map(|h| h * hour).collect(), g, 72 * hour).expect("three days");
        let forecasts: Vec<Box<dyn Forecast>> = vec![Box::new(PerfectForecast::new(signal))];
        let mut curves = Curves::new(spec(1.0, 0.0));
        let (mut now, mut of_day_two) = (SimTime::ZERO, Vec::new());
        while now < SimTime(48 * HOUR.0) {
            // Two cores of calls; jobs hold three.
            let load = RegionLoad {
                cpu_capacity: 8_000_000,
                cpu_demand: 5_000_000,
                jobs_cpu: 3_000_000,
                jobs_demand: 3_000_000,
                ..RegionLoad::default()
            };
            let view = View {
                now,
                regions: &[load],
                forecasts: &forecasts,
                observed: &[],
                reserved: Reserved::default(),
                network: &crate::network::NOWHERE,
            };
            let ceiling = curves.ceiling(RegionId(0), &view);
            assert_eq!(ceiling.until - now, Duration::from_secs(900));
            if now < SimTime(24 * HOUR.0) {
                assert_eq!(ceiling.cpu, u64::MAX);
            } else {
                of_day_two.push(ceiling.cpu as f64 * 1e-6);
            }
            now = ceiling.until;
        }
        // 72 core-h: all into the twelve clean hours, six cores each, as many as there are beside the calls.
        assert_eq!(of_day_two.len(), 96);
        assert!(of_day_two[..48].iter().all(|c| *c < 1e-3) && of_day_two[48..].iter().all(|c| (c - 6.0).abs() < 1e-3));
        let curve = curves.seen[0].curve.expect("the second day is shaped");
        assert!((curve.iter().sum::<f64>() - (48.0 + 72.0)).abs() < 1e-6);
    }
}
