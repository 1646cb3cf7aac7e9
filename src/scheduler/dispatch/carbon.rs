//! Carbon: an extension of the utilization controller, published by nobody.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::grid::Step;
use crate::scheduler::View;
use crate::types::{Duration, RegionId, SimTime};

/// The rates of opportunistic functions follow carbon intensity, too: S becomes S x f_r in region r.
///
/// ```text
///   g_r(c) = clamp((U - c) / (U - L), floor, 1)             1 where U = L
///            c: intensity; L, U: the least and the greatest of the present and of what is forecast for the window to come,
///            of all regions together (across_regions) or of region r alone
///   w_r    = the region's share of all CPU capacity
///
///   normalize   f_r(now), with c_r the present intensity
///   none        g_r(c_r)                                    as it stands: all factors are at most 1
///   instant     g_r(c_r) / sum over q of w_q g_q(c_q)       only where: at every instant the regions' room is what it was without carbon
///   window      g_r(c_r) / mean over the window and over regions (by w) of g           when and where: the window's room is what it was
///               g_r(c_r) / mean over the window of g_r      without across_regions: only when: every region keeps its room over the window
/// ```
///
/// A mean of 0 leaves the factors at 1. Factors above 1 may ask for more room than a region has: calls then wait in its RunQ.
///
/// Why to normalize: without it the mean factor m takes room away. The law `paced` gives it back through the backlog, which rises by (1/m - 1)/gain
/// windows of deferrable calls above its set point: with m = 0.55 by 0.8 days, on top of a quarter, more than a deadline of a day leaves.
///
/// Source: ours. An extension of XFaaS (SOSP 2023), whose controller has no carbon term.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CarbonScale {
    /// How far ahead L, U and the mean are looked for \[s\]. Default 86400.
    #[schemars(range(min = 1.0))]
    #[serde(default = "window")]
    pub window_s: f64,
    /// The least factor before normalizing. Default 0.1 (assumed).
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "floor")]
    pub floor: f64,
    /// Whether L and U are those of all regions together, so that regions are compared with each other, or of the region alone. Default true.
    #[serde(default = "yes")]
    pub across_regions: bool,
    /// What the factors keep. Default `window`.
    #[serde(default)]
    pub normalize: Normalize,
}

/// What the factors keep of the room that there was without carbon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Normalize {
    /// Nothing: room is taken away while electricity is dirty, and the backlog gives it back.
    None,
    /// The room of all regions at every instant: work moves in space alone.
    Instant,
    /// The room of the window: work moves in time and, across regions, in space.
    #[default]
    Window,
}

fn window() -> f64 {
    86_400.0
}
fn floor() -> f64 {
    0.1
}
fn yes() -> bool {
    true
}

impl Default for CarbonScale {
    fn default() -> Self {
        Self { window_s: window(), floor: floor(), across_regions: yes(), normalize: Normalize::default() }
    }
}

/// One region's window.
#[derive(Debug, Clone, Copy)]
struct Ahead {
    present: f64,
    low: f64,
    high: f64,
    /// Share of all CPU capacity.
    weight: f64,
    /// Where its steps stand in the list of all: from, to.
    steps: (usize, usize),
}

impl CarbonScale {
    fn raw(&self, c: f64, low: f64, high: f64) -> f64 {
        if high > low { ((high - c) / (high - low)).clamp(self.floor, 1.0) } else { 1.0 }
    }

    /// The time-weighted mean of the raw factor over a region's window; the present one where nothing is known.
    fn mean(&self, region: &Ahead, steps: &[Step]) -> f64 {
        let steps = &steps[region.steps.0..region.steps.1];
        let length = |s: &Step| (s.to - s.from).as_secs_f64();
        let total: f64 = steps.iter().map(length).sum();
        if total > 0.0 {
            let sum: f64 = steps.iter().map(|s| length(s) * self.raw(s.g_per_kwh, region.low, region.high)).sum();
            sum / total
        } else {
            self.raw(region.present, region.low, region.high)
        }
    }

    /// What is seen of every region; all steps one region after the other.
    fn look(&self, view: &View<'_>, steps: &mut Vec<Step>) -> Vec<Ahead> {
        let now = view.now;
        let end = now + Duration::from_secs_f64(self.window_s);
        let capacity: f64 = view.regions.iter().map(|r| r.cpu_capacity as f64).sum();
        let even = 1.0 / view.regions.len().max(1) as f64;
        let mut all = Vec::with_capacity(view.regions.len());
        for (r, load) in view.regions.iter().enumerate() {
            let r = RegionId::from_index(r);
            let (present, forecast) = (view.observed[r.index()].step(now).g_per_kwh, &view.forecasts[r.index()]);
            let from = steps.len();
            let until = forecast.known_until(now).min(end);
            if now < until {
                forecast.steps(now, now, until, steps);
            }
            let bounds = steps[from..]
                .iter()
                .fold((present, present), |(low, high), s| (low.min(s.g_per_kwh), high.max(s.g_per_kwh)));
            let weight = if capacity > 0.0 { load.cpu_capacity as f64 / capacity } else { even };
            all.push(Ahead { present, low: bounds.0, high: bounds.1, weight, steps: (from, steps.len()) });
        }
        if self.across_regions {
            let low = all.iter().map(|a| a.low).fold(f64::INFINITY, f64::min);
            let high = all.iter().map(|a| a.high).fold(f64::NEG_INFINITY, f64::max);
            all.iter_mut().for_each(|a| (a.low, a.high) = (low, high));
        }
        all
    }

    /// The factor of every region now. Looks through the whole window of every forecast: [`CarbonFactors`] remembers.
    pub fn factors(&self, view: &View<'_>, factors: &mut Vec<f64>) {
        let mut steps = Vec::new();
        let all = self.look(view, &mut steps);
        factors.clear();
        factors.extend(all.iter().map(|a| self.raw(a.present, a.low, a.high)));
        let divide = |factors: &mut [f64], by: f64| {
            factors.iter_mut().for_each(|f| *f = if by > 0.0 { *f / by } else { 1.0 });
        };
        match self.normalize {
            Normalize::None => {}
            Normalize::Instant => {
                let mean = all.iter().zip(factors.iter()).map(|(a, f)| a.weight * f).sum();
                divide(factors, mean);
            }
            Normalize::Window if self.across_regions => {
                let mean = all.iter().map(|a| a.weight * self.mean(a, &steps)).sum();
                divide(factors, mean);
            }
            Normalize::Window => {
                for (a, f) in all.iter().zip(factors.iter_mut()) {
                    divide(std::slice::from_mut(f), self.mean(a, &steps));
                }
            }
        }
    }
}

/// How long factors are kept at most: forecasts may be issued anew, and capacity may change.
const KEPT: Duration = Duration::from_secs(900);

/// The factors, computed again when a region's intensity takes its next step, and every 15 minutes.
#[derive(Debug, Clone)]
pub struct CarbonFactors {
    spec: CarbonScale,
    factors: Vec<f64>,
    until: SimTime,
}

impl CarbonFactors {
    /// Factors that have not been asked for yet.
    pub fn new(spec: CarbonScale) -> Self {
        Self { spec, factors: Vec::new(), until: SimTime::ZERO }
    }

    /// The factor of every region now.
    pub fn now(&mut self, view: &View<'_>) -> &[f64] {
        if view.now >= self.until || self.factors.len() != view.regions.len() {
            self.spec.factors(view, &mut self.factors);
            let steps = view.observed.iter().map(|o| o.step(view.now).to).filter(|&to| to > view.now);
            self.until = steps.fold(view.now + KEPT, SimTime::min);
        }
        &self.factors
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::{Forecast, Observed, PerfectForecast, Signal};
    use crate::scheduler::{RegionLoad, Reserved};

    /// A perfect forecast of hourly intensities per region, repeated over ten rounds.
    struct Grid {
        regions: Vec<RegionLoad>,
        forecasts: Vec<Box<dyn Forecast>>,
        observed: Vec<Observed>,
    }

    impl Grid {
        fn new(regions: &[(u64, &[f64])]) -> Self {
            let signal = |values: &[f64]| {
                let hour = 3_600_000_000_000_i64;
                let values: Vec<f64> = values.iter().copied().cycle().take(10 * values.len()).collect();
                let starts = (0..values.len() as i64).map(|i| i * hour).collect();
                let end = values.len() as i64 * hour;
                let info = Signal::constant("X", 0.0).expect("a constant").info().clone();
                Signal::new(info, starts, values, end).expect("a signal")
            };
            let signals: Vec<Signal> = regions.iter().map(|r| signal(r.1)).collect();
            let load = |r: &(u64, &[f64])| RegionLoad { cpu_capacity: r.0, ..RegionLoad::default() };
            Self {
                regions: regions.iter().map(load).collect(),
                forecasts: signals.iter().map(|s| Box::new(PerfectForecast::new(s.clone())) as _).collect(),
                observed: signals.into_iter().map(Observed::new).collect(),
            }
        }

        fn view(&self, hour: f64) -> View<'_> {
            View {
                now: SimTime::from_secs_f64(hour * 3600.0),
                regions: &self.regions,
                forecasts: &self.forecasts,
                observed: &self.observed,
                reserved: Reserved::default(),
                network: &crate::network::NOWHERE,
            }
        }

        fn factors(&self, spec: &CarbonScale, hour: f64) -> Vec<f64> {
            let mut factors = vec![9.0];
            spec.factors(&self.view(hour), &mut factors);
            factors
        }
    }

    fn spec(text: &str) -> CarbonScale {
        toml::from_str(text).expect(text)
    }

    #[track_caller]
    fn close(got: &[f64], wanted: &[f64]) {
        let near = got.len() == wanted.len() && got.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(near, "{got:?} is not {wanted:?}");
    }

    /// Two regions, one three times as large; over four hours L = 100, U = 500.
    fn two() -> Grid {
        Grid::new(&[(3, &[100.0, 200.0, 300.0, 400.0]), (1, &[500.0, 300.0, 300.0, 460.0])])
    }

    #[test]
    fn raw_factors_by_hand() {
        let raw = "normalize = \"none\"\nwindow_s = 14400.0";
        close(&two().factors(&spec(raw), 0.0), &[1.0, 0.1]);
        close(&two().factors(&spec(raw), 1.0), &[0.75, 0.5]);
        close(&two().factors(&spec(raw), 3.5), &[0.25, 0.1]);
        // Alone: 100 to 400, and 300 to 500.
        let alone = format!("{raw}\nacross_regions = false\nfloor = 0.0");
        close(&two().factors(&spec(&alone), 0.0), &[1.0, 0.0]);
        close(&two().factors(&spec(&alone), 3.0), &[0.0, 0.2]);
        // An hour ahead there is only the present: of each region alone it is all there is, and no reason to slow.
        let short = "normalize = \"none\"\nwindow_s = 3600.0\nfloor = 0.0\n";
        close(&two().factors(&spec(&format!("{short}across_regions = false")), 0.0), &[1.0, 1.0]);
        close(&two().factors(&spec(short), 0.0), &[1.0, 0.0]);
    }

    #[test]
    fn over_an_instant_the_room_stays_and_moves_to_the_cleaner_region() {
        let spec = spec("normalize = \"instant\"\nwindow_s = 14400.0");
        // (3 x 0.75 + 1 x 0.5)/4 = 0.6875.
        close(&two().factors(&spec, 1.0), &[0.75 / 0.6875, 0.5 / 0.6875]);
        for hour in 0..16 {
            let f = two().factors(&spec, f64::from(hour) + 0.3);
            close(&[0.75 * f[0] + 0.25 * f[1]], &[1.0]);
        }
    }

    #[test]
    fn over_a_window_the_room_stays_in_the_mean_of_a_day_that_repeats() {
        let grid = two();
        let mean = |spec: &CarbonScale, weights: [f64; 2]| {
            let room = |hour: u32| {
                let f = grid.factors(spec, f64::from(hour) + 0.5);
                weights[0] * f[0] + weights[1] * f[1]
            };
            (0..4).map(room).sum::<f64>() / 4.0
        };
        let across = spec("window_s = 14400.0");
        close(&[mean(&across, [0.75, 0.25])], &[1.0]);
        // Mean raw factors: (1 + 0.75 + 0.5 + 0.25)/4, and (0.1 + 0.5 + 0.5 + 0.1)/4, by capacity.
        let by = 0.75 * 0.625 + 0.25 * 0.3;
        close(&grid.factors(&across, 0.0), &[1.0 / by, 0.1 / by]);
        // Alone, every region keeps its own room; over an instant it would not.
        let alone = spec("window_s = 14400.0\nacross_regions = false");
        close(&[mean(&alone, [1.0, 0.0]), mean(&alone, [0.0, 1.0])], &[1.0, 1.0]);
        let raw = CarbonScale { normalize: Normalize::None, ..across };
        assert!(mean(&raw, [0.75, 0.25]) < 0.6);
    }

    #[test]
    fn equal_intensities_leave_everything_as_it_is() {
        for normalize in ["none", "instant", "window"] {
            for across in [true, false] {
                let spec = spec(&format!("normalize = \"{normalize}\"\nacross_regions = {across}\nfloor = 0.0"));
                close(&Grid::new(&[(1, &[300.0]), (5, &[300.0])]).factors(&spec, 0.0), &[1.0, 1.0]);
                // No host is on anywhere.
                close(&Grid::new(&[(0, &[300.0])]).factors(&spec, 0.0), &[1.0]);
                assert_eq!(Grid::new(&[]).factors(&spec, 0.0), Vec::<f64>::new());
            }
        }
        // Both are at their worst, and the floor is 0: there is no choice at this instant.
        let all = Grid::new(&[(1, &[400.0, 100.0]), (1, &[400.0, 100.0])]);
        close(&all.factors(&spec("normalize = \"instant\"\nfloor = 0.0"), 0.0), &[1.0, 1.0]);
    }

    #[test]
    fn what_is_remembered_is_what_would_be_computed_at_the_last_step() {
        let (grid, spec) = (two(), spec("window_s = 14400.0"));
        let mut kept = CarbonFactors::new(spec.clone());
        // Every three minutes: computed at full quarters of an hour, and kept for the four ticks that follow.
        for tick in 0..300_u32 {
            let got = kept.now(&grid.view(f64::from(tick) / 20.0)).to_vec();
            close(&got, &grid.factors(&spec, f64::from(tick / 5) / 4.0));
        }
        // A step within the quarter is not missed: 50 minutes, 55 minutes, an hour.
        let mut kept = CarbonFactors::new(spec.clone());
        for minutes in [50.0, 55.0, 60.0] {
            kept.now(&grid.view(minutes / 60.0));
        }
        close(kept.now(&grid.view(1.0)), &grid.factors(&spec, 1.0));
    }

    #[test]
    fn without_normalizing_the_backlog_rises_by_the_closed_form() {
        use super::super::{Controller, Seen};
        // 60 calls a period, all deferrable; 100 periods in the window; only 0.8 of the room is left.
        let law = toml::from_str("paced = { window_s = 1000.0, gain = 2.0, ceiling = 9.0 }").expect("right keys");
        let (mut controller, mut backlog, mut last) = (Controller::new(law, 10.0), 0_u64, 0.0);
        let mut carry = 0.0;
        for _ in 0..2000 {
            backlog += 60;
            let seen = Seen { deferrable: 60, backlog, quota: 1.0, ..Seen::default() };
            let room: f64 = 0.8 * controller.scale(&seen) + carry;
            let gone = (room as u64).min(backlog);
            carry = room - gone as f64;
            backlog -= gone;
            last = seen.backlog as f64 / 6000.0;
        }
        // Set point 0.25 and (1/0.8 - 1)/2 windows of 6000 calls.
        assert!((last - 0.375).abs() < 1e-3, "{last}");
    }
}
