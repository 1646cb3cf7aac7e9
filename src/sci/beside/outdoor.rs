//! PUE by outdoor temperature: what the air is, what PUE follows from it, and the overhead that this adds to the ledger.

use std::f64::consts::PI;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{bounds, it_j};
use crate::grid::{Steps, StepsFile};
use crate::ledger::{Column, Rates, SiteBook};
use crate::types::{Duration, JOULES_PER_KWH, RegionId, SimTime};

/// `[regions.pue_outdoor]`: PUE that follows the outdoor air.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PueOutdoor {
    /// The outdoor air.
    pub temperature: Temperature,
    /// Points of [temperature in °C, PUE], rising in temperature; linear between them, and the nearest one beyond them, which
    /// the summary says.
    #[schemars(length(min = 1))]
    pub curve: Vec<[f64; 2]>,
}

/// Where the outdoor temperature comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Temperature {
    /// The same at all times.
    Constant {
        /// Outdoor air \[°C\].
        #[schemars(range(min = -90.0, max = 60.0))]
        temperature_c: f64,
    },
    /// A wave over the year and one over the day.
    Typical(TypicalTemperature),
    /// A CSV file `time_utc,temperature_c`; each value holds until the next stamp.
    Csv(StepsFile),
}

/// T(t) = mean + A_year cos(2 pi (t - t_warmest_day) / year) + A_day cos(2 pi (t - t_warmest_hour) / day), a year of 365.2425
/// days.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TypicalTemperature {
    /// Mean over the year \[°C\].
    #[schemars(range(min = -90.0, max = 60.0))]
    pub mean_c: f64,
    /// Half of the difference between the warmest and the coldest day \[K\]. Default 0.
    #[schemars(range(min = 0.0, max = 60.0))]
    #[serde(default)]
    pub annual_amplitude_c: f64,
    /// Day of the year, from 1, at whose noon UTC the year's wave is at its top. Default 200, a month after the June solstice;
    /// in the south about 18. Assumed: air lags behind the sun by about a month.
    #[schemars(range(min = 1.0, max = 366.0))]
    #[serde(default = "warmest_day")]
    pub warmest_day: f64,
    /// Half of the difference between day and night \[K\]. Default 0.
    #[schemars(range(min = 0.0, max = 60.0))]
    #[serde(default)]
    pub daily_amplitude_c: f64,
    /// Hour of the day, UTC, at which the day's wave is at its top. Default 15. Assumed: mid-afternoon at Greenwich; subtract
    /// an hour for every 15 degrees to the east.
    #[schemars(range(min = 0.0, max = 24.0))]
    #[serde(default = "warmest_hour")]
    pub warmest_hour_utc: f64,
}

fn warmest_day() -> f64 {
    200.0
}

fn warmest_hour() -> f64 {
    15.0
}

const DAY_S: f64 = 86_400.0;
/// The mean year of the Gregorian calendar \[s\].
const YEAR_S: f64 = 365.2425 * DAY_S;

/// PUE over outdoor temperature: linear between points, constant beyond them.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve(Vec<[f64; 2]>);

impl Curve {
    /// A curve through points of [°C, PUE].
    ///
    /// # Errors
    /// No point, a temperature that does not rise or is no temperature of air, a PUE that is not from 1 to 10.
    pub fn new(points: &[[f64; 2]]) -> Result<Self, String> {
        if points.is_empty() {
            return Err("the curve has no point".into());
        }
        if let Some([t, _]) = points.iter().find(|[t, _]| !(-90.0..=60.0).contains(t)) {
            return Err(format!("{t} °C cannot be outdoor air: -90 to 60 °C are possible"));
        }
        if let Some([t, pue]) = points.iter().find(|[_, pue]| !(1.0..=10.0).contains(pue)) {
            return Err(format!("PUE {pue} at {t} °C is not from 1 to 10"));
        }
        if let Some(w) = points.windows(2).find(|w| w[0][0] >= w[1][0]) {
            return Err(format!("{} °C stands after {} °C: temperatures must rise", w[1][0], w[0][0]));
        }
        Ok(Self(points.to_vec()))
    }

    /// PUE at a temperature \[°C\], and whether that lies outside the curve.
    ///
    /// Example: through (10, 1.1) and (30, 1.3), PUE is 1.15 at 15 °C, and 1.3 at 35 °C, outside.
    pub fn at(&self, temperature_c: f64) -> (f64, bool) {
        let points = &self.0;
        let above = points.partition_point(|[t, _]| *t <= temperature_c);
        match (above.checked_sub(1).map(|i| points[i]), points.get(above)) {
            (None, first) => (first.map_or(1.0, |p| p[1]), true),
            (Some([t, pue]), None) => (pue, temperature_c > t),
            (Some([t0, pue0]), Some([t1, pue1])) => (pue0 + (pue1 - pue0) * (temperature_c - t0) / (t1 - t0), false),
        }
    }
}

/// Outdoor air over simulated time.
#[derive(Debug, Clone, PartialEq)]
pub enum Air {
    /// Steps, or one constant.
    Steps(Steps),
    /// Waves; and how far into its calendar year (UTC) the run starts \[s\].
    Waves(TypicalTemperature, f64),
}

impl Air {
    /// Waves for a run that starts at `start`.
    pub fn waves(typical: TypicalTemperature, start: Timestamp) -> Self {
        let utc = jiff::tz::Offset::UTC.to_datetime(start);
        let into_day = f64::from(utc.hour()) * 3600.0 + f64::from(utc.minute()) * 60.0 + f64::from(utc.second());
        let into_second = f64::from(utc.subsec_nanosecond()) * 1e-9;
        Self::Waves(typical, f64::from(utc.date().day_of_year() - 1) * DAY_S + into_day + into_second)
    }

    /// The mean over [`from`, `to`) \[°C\], exact: a wave's mean over a length L is its value in the middle x sin(h) / h with
    /// h = pi L / period.
    pub fn mean(&self, from: SimTime, to: SimTime) -> f64 {
        match self {
            Self::Steps(steps) => steps.mean(from, to),
            Self::Waves(w, into_year_s) => {
                let length = to.saturating_since(from).as_secs_f64();
                let middle = into_year_s + from.as_secs_f64() + length / 2.0;
                let wave = |amplitude: f64, top_s: f64, period_s: f64| {
                    let half = PI * length / period_s;
                    let flattened = if half > 0.0 { libm::sin(half) / half } else { 1.0 };
                    amplitude * flattened * libm::cos(2.0 * PI * (middle - top_s) / period_s)
                };
                w.mean_c
                    + wave(w.annual_amplitude_c, (w.warmest_day - 0.5) * DAY_S, YEAR_S)
                    + wave(w.daily_amplitude_c, w.warmest_hour_utc * 3600.0, DAY_S)
            }
        }
    }
}

/// A region's air and what PUE makes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outdoor {
    /// The air.
    pub air: Air,
    /// PUE over its temperature.
    pub curve: Curve,
}

/// What the air was and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct OutdoorBook {
    /// Temperature x time [°C·s].
    pub temperature_c_s: f64,
    /// Time \[s\].
    pub run_s: f64,
    /// Time with air outside the curve \[s\].
    pub clamped_s: f64,
}

impl Outdoor {
    /// PUE in a bin: the curve's at the mean temperature of the bin.
    pub fn pue(&self, step: Duration, bin: usize, end: SimTime) -> f64 {
        let (from, to) = bounds(step, bin, end);
        self.curve.at(self.air.mean(from, to)).0
    }

    /// Mean PUE over time, up to `end`: what an operator knows of the site beforehand.
    pub fn mean_pue(&self, step: Duration, end: SimTime) -> f64 {
        let end = end.max(SimTime(1));
        let bins = super::bins(step, end);
        let weighed = |bin| {
            let (from, to) = bounds(step, bin, end);
            self.pue(step, bin, end) * to.saturating_since(from).as_secs_f64()
        };
        (0..bins).map(weighed).sum::<f64>() / end.as_secs_f64()
    }

    /// Fills the region's overhead in: for every bin, IT energy x (PUE - 1).
    pub fn add_overhead(&self, site: &mut SiteBook, region: RegionId, end: SimTime) {
        let step = site.step();
        for (bin, row) in site.rows_mut(region).iter_mut().enumerate() {
            row[Column::Overhead as usize] = it_j(row) * (self.pue(step, bin, end) - 1.0);
        }
    }

    /// What the air was over the run.
    pub fn book(&self, step: Duration, end: SimTime) -> OutdoorBook {
        let mut book = OutdoorBook::default();
        for bin in 0..super::bins(step, end) {
            let (from, to) = bounds(step, bin, end);
            let seconds = to.saturating_since(from).as_secs_f64();
            let temperature = self.air.mean(from, to);
            book.temperature_c_s += temperature * seconds;
            book.run_s += seconds;
            book.clamped_s += if self.curve.at(temperature).1 { seconds } else { 0.0 };
        }
        book
    }
}

/// Facility over IT energy, and facility over IT emissions, of a region's rows: what its functions are charged pro rata.
/// 1 and 1 where there is no IT energy, or none that emits.
pub fn means(rows: &[Rates], g_per_kwh: &[f64]) -> (f64, f64) {
    let [mut it, mut overhead, mut it_g, mut overhead_g] = [0.0; 4];
    for (row, intensity) in rows.iter().zip(g_per_kwh) {
        let (own, more) = (it_j(row), row[Column::Overhead as usize]);
        it += own;
        overhead += more;
        it_g += own / JOULES_PER_KWH * intensity;
        overhead_g += more / JOULES_PER_KWH * intensity;
    }
    let over = |more: f64, own: f64| if own > 0.0 { 1.0 + more / own } else { 1.0 };
    (over(overhead, it), over(overhead_g, it_g))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> SimTime {
        SimTime::from_secs_f64(seconds)
    }

    #[test]
    fn the_curve_is_linear_inside_and_says_when_it_is_left() {
        let curve = Curve::new(&[[10.0, 1.1], [30.0, 1.3]]).expect("a right curve");
        assert!((curve.at(15.0).0 - 1.15).abs() < 1e-12 && !curve.at(15.0).1);
        assert_eq!([curve.at(10.0), curve.at(30.0)], [(1.1, false), (1.3, false)]);
        assert_eq!([curve.at(9.9), curve.at(35.0)], [(1.1, true), (1.3, true)]);
        for (points, part) in [
            (&[][..], "no point"),
            (&[[10.0, 0.9]], "PUE 0.9 at 10 °C"),
            (&[[10.0, 1.1], [10.0, 1.2]], "temperatures must rise"),
            (&[[288.0, 1.1]], "288 °C cannot be outdoor air"),
            (&[[f64::NAN, 1.1]], "NaN °C"),
            (&[[1.0, f64::NAN]], "PUE NaN"),
        ] {
            let error = Curve::new(points).expect_err("a wrong curve");
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_policy_is_told_the_mean_over_time_also_where_there_is_none() {
        let air = Air::Steps(Steps::constant(15.0));
        let curve = Curve::new(&[[10.0, 1.1], [30.0, 1.3]]).expect("a right curve");
        let outdoor = Outdoor { air, curve };
        let mean = |end_s: f64| outdoor.mean_pue(Duration::from_secs(300), at(end_s));
        for end_s in [0.0, 1.0, 300.0, 1000.0] {
            assert!((mean(end_s) - 1.15).abs() < 1e-12, "{}", mean(end_s));
        }
    }

    #[test]
    fn waves_have_their_tops_where_they_should_and_means_of_a_fine_sum() {
        let typical = TypicalTemperature {
            mean_c: 10.0,
            annual_amplitude_c: 8.0,
            warmest_day: 200.0,
            daily_amplitude_c: 4.0,
            warmest_hour_utc: 12.0,
        };
        // Noon of day 200 of 2022, 19 July: both waves are at their top.
        let air = Air::waves(typical, "2022-07-19T12:00:00Z".parse().expect("an instant"));
        assert!((air.mean(at(0.0), at(0.0)) - 22.0).abs() < 1e-12);
        // Half a day later the day's wave is at its bottom and the year's has hardly moved.
        assert!((air.mean(at(43_200.0), at(43_200.0)) - 14.0).abs() < 1e-3);
        // Over whole periods nothing is left of a wave; over a part, what a sum over seconds says.
        assert!((air.mean(at(0.0), at(365.2425 * 86_400.0 * 4.0)) - 10.0).abs() < 1e-3);
        let fine: f64 = (0..7200).map(|s| air.mean(at(f64::from(s) + 0.5), at(f64::from(s) + 0.5))).sum();
        assert!((air.mean(at(0.0), at(7200.0)) - fine / 7200.0).abs() < 1e-8);
    }
}
