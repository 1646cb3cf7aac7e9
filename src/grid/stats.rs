//! A series in figures: its level, its spread, its day, and how long it remembers. Means weigh by time; gaps are left out.

use jiff::tz::Offset;
use jiff::{Timestamp, civil};
use serde::Serialize;

use super::import::Interval;

const HOUR_NS: i64 = 3_600_000_000_000;
const DAY_NS: i64 = 24 * HOUR_NS;

/// The figures of a series.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stats {
    /// Intervals with a value.
    pub n: usize,
    /// First instant.
    pub first: String,
    /// End of the last interval.
    pub end: String,
    /// Most common length of the intervals \[s\].
    pub step_s: f64,
    /// Lengths of intervals \[s\] and how many there are of each.
    pub steps: Vec<(f64, usize)>,
    /// Gaps: stretches without a value.
    pub gaps: usize,
    /// Their length together \[h\].
    pub gap_h: f64,
    /// Intervals whose value is estimated.
    pub estimated: usize,
    /// Intervals of which nobody says whether they are estimated.
    pub estimated_unknown: usize,
    /// Time-weighted mean [g/kWh].
    pub mean_g_per_kwh: f64,
    /// Lowest value [g/kWh].
    pub min_g_per_kwh: f64,
    /// Highest value [g/kWh].
    pub max_g_per_kwh: f64,
    /// Time-weighted standard deviation [g/kWh], population.
    pub sd_g_per_kwh: f64,
    /// Percentiles [g/kWh]: the lowest value at or below which the series is for that share of the time.
    pub percentiles_g_per_kwh: Percentiles,
    /// Mean over complete UTC days of the day's standard deviation over its mean; `None` without a complete day.
    pub daily_cv: Option<f64>,
    /// Complete UTC days.
    pub complete_days: usize,
    /// Time-weighted means of the 24 UTC hours [g/kWh], over all days; `None` for an hour without a value.
    pub by_hour_g_per_kwh: Vec<Option<f64>>,
    /// The same, Monday to Friday (UTC).
    pub weekdays_by_hour_g_per_kwh: Vec<Option<f64>>,
    /// The same, Saturday and Sunday (UTC).
    pub weekend_by_hour_g_per_kwh: Vec<Option<f64>>,
    /// Standard deviation of the residual [g/kWh], population. The residual is the value less the mean of the values that
    /// begin in its month (1 to 12, years together) and UTC hour.
    pub residual_sd_g_per_kwh: f64,
    /// Autocorrelation of the residual over one step: mean product of neighbouring values' residuals over their mean square. Where
    /// values are missing, the next one that there is counts as the neighbour, as in data/grid/zones.csv.
    pub residual_lag1_autocorrelation: Option<f64>,
    /// The same over 24 hours, for the pairs that there are.
    pub residual_lag24h_autocorrelation: Option<f64>,
}

/// Percentiles [g/kWh].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Percentiles {
    /// 1st.
    pub p1: f64,
    /// 5th.
    pub p5: f64,
    /// 10th.
    pub p10: f64,
    /// 25th.
    pub p25: f64,
    /// 50th.
    pub p50: f64,
    /// 75th.
    pub p75: f64,
    /// 90th.
    pub p90: f64,
    /// 95th.
    pub p95: f64,
    /// 99th.
    pub p99: f64,
}

/// A sum of values weighted by time.
#[derive(Debug, Clone, Copy, Default)]
struct Weighted {
    sum: f64,
    weight: f64,
}

impl Weighted {
    fn add(&mut self, value: f64, ns: i64) {
        self.sum += value * ns as f64;
        self.weight += ns as f64;
    }

    fn mean(self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }
}

/// The figures of intervals that stand side by side; `None` where no one has a value.
///
/// Example: 100 g/kWh for one hour and 200 for three have a mean of 175, a standard deviation of 43.3, a median of 200.
pub fn stats(intervals: &[Interval]) -> Option<Stats> {
    let known: Vec<(i64, i64, f64)> = intervals.iter().filter_map(|i| Some((i.start, i.end, i.value?))).collect();
    let mut all = Weighted::default();
    known.iter().for_each(|&(a, b, v)| all.add(v, b - a));
    let mean = all.mean()?;
    let mut squares = Weighted::default();
    known.iter().for_each(|&(a, b, v)| squares.add((v - mean) * (v - mean), b - a));
    let gap = |i: &Interval| i.value.is_none();
    let gaps = usize::from(intervals.first().is_some_and(gap))
        + intervals.windows(2).filter(|w| !gap(&w[0]) && gap(&w[1])).count();
    let steps = steps(intervals);
    let step = steps.iter().max_by_key(|(length, n)| (*n, std::cmp::Reverse(*length)))?.0;
    let (residual, residual_sd) = residuals(&known);
    let (daily_cv, complete_days) = daily(intervals);
    let hours = Hours::of(&known);
    Some(Stats {
        n: known.len(),
        first: time(intervals.first()?.start).to_string(),
        end: time(intervals.last()?.end).to_string(),
        step_s: step as f64 / 1e9,
        steps: steps.into_iter().map(|(length, n)| (length as f64 / 1e9, n)).collect(),
        gaps,
        gap_h: intervals.iter().filter(|i| gap(i)).map(|i| i.end - i.start).sum::<i64>() as f64 / HOUR_NS as f64,
        estimated: intervals.iter().filter(|i| !gap(i) && i.estimated == Some(true)).count(),
        estimated_unknown: intervals.iter().filter(|i| !gap(i) && i.estimated.is_none()).count(),
        mean_g_per_kwh: mean,
        min_g_per_kwh: known.iter().map(|k| k.2).fold(f64::INFINITY, f64::min),
        max_g_per_kwh: known.iter().map(|k| k.2).fold(0.0, f64::max),
        sd_g_per_kwh: libm::sqrt(squares.mean()?),
        percentiles_g_per_kwh: percentiles(&known),
        daily_cv,
        complete_days,
        by_hour_g_per_kwh: hours.all.map(Weighted::mean).to_vec(),
        weekdays_by_hour_g_per_kwh: hours.weekdays.map(Weighted::mean).to_vec(),
        weekend_by_hour_g_per_kwh: hours.weekend.map(Weighted::mean).to_vec(),
        residual_sd_g_per_kwh: residual_sd,
        residual_lag1_autocorrelation: autocorrelation(&residual, neighbours(&residual)),
        residual_lag24h_autocorrelation: autocorrelation(&residual, later(&residual, DAY_NS)),
    })
}

fn time(ns: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(ns)).expect("64 bits of nanoseconds end in the year 2262")
}

fn utc(ns: i64) -> civil::DateTime {
    Offset::UTC.to_datetime(time(ns))
}

/// Lengths and how many there are of each, the shortest first.
fn steps(intervals: &[Interval]) -> Vec<(i64, usize)> {
    let mut lengths: Vec<i64> = intervals.iter().map(|i| i.end - i.start).collect();
    lengths.sort_unstable();
    lengths.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect()
}

/// The residuals with their starts, and their standard deviation.
fn residuals(known: &[(i64, i64, f64)]) -> (Vec<(i64, f64)>, f64) {
    let cell = |ns: i64| {
        let at = utc(ns);
        (at.month() as usize - 1) * 24 + at.hour() as usize
    };
    let mut means = vec![Weighted::default(); 12 * 24];
    known.iter().for_each(|&(a, b, v)| means[cell(a)].add(v, b - a));
    let mean = |ns: i64| means[cell(ns)].mean().expect("the cell holds this value");
    let residual: Vec<(i64, f64)> = known.iter().map(|&(a, _, v)| (a, v - mean(a))).collect();
    let mut squares = Weighted::default();
    known.iter().zip(&residual).for_each(|(&(a, b, _), &(_, r))| squares.add(r * r, b - a));
    let sd = squares.mean().map_or(0.0, libm::sqrt);
    (residual, sd)
}

/// The mean product of pairs of residuals over the mean square of all residuals; `None` without pairs or spread.
///
/// Formula: r = (sum over pairs of x y / pairs) / (sum of x² / n). The residuals' mean is zero by construction.
fn autocorrelation(residual: &[(i64, f64)], pairs: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let square = residual.iter().map(|r| r.1 * r.1).sum::<f64>() / residual.len() as f64;
    let (products, n) = pairs.fold((0.0, 0.0), |(sum, n), (x, y)| (sum + x * y, n + 1.0));
    (n > 0.0 && square > 0.0).then(|| products / n / square)
}

/// Each residual with the next one that there is.
fn neighbours(residual: &[(i64, f64)]) -> impl Iterator<Item = (f64, f64)> {
    residual.windows(2).map(|w| (w[0].1, w[1].1))
}

/// Each residual with the one that begins `lag` later, where there is one.
fn later(residual: &[(i64, f64)], lag: i64) -> impl Iterator<Item = (f64, f64)> {
    let find = move |at: i64| residual.binary_search_by_key(&(at + lag), |r| r.0).ok();
    residual.iter().filter_map(move |&(at, x)| Some((x, residual[find(at)?].1)))
}

fn percentiles(known: &[(i64, i64, f64)]) -> Percentiles {
    let mut sorted: Vec<(f64, i64)> = known.iter().map(|&(a, b, v)| (v, b - a)).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: i128 = sorted.iter().map(|s| i128::from(s.1)).sum();
    let at = |percent: i128| {
        let mut before = 0i128;
        for (value, length) in &sorted {
            before += i128::from(*length);
            if before * 100 >= total * percent {
                return *value;
            }
        }
        f64::NAN
    };
    Percentiles {
        p1: at(1),
        p5: at(5),
        p10: at(10),
        p25: at(25),
        p50: at(50),
        p75: at(75),
        p90: at(90),
        p95: at(95),
        p99: at(99),
    }
}

/// Cuts intervals at multiples of `length` since 1970: the bin, the part's length and its value.
fn pieces(start: i64, end: i64, length: i64) -> impl Iterator<Item = (i64, i64)> {
    let mut at = start;
    std::iter::from_fn(move || {
        (at < end).then(|| {
            let bin = at.div_euclid(length);
            let until = ((bin + 1) * length).min(end);
            let piece = (bin, until - at);
            at = until;
            piece
        })
    })
}

/// The mean over complete days of standard deviation over mean, and how many there are.
fn daily(intervals: &[Interval]) -> (Option<f64>, usize) {
    let mut parts: Vec<(i64, i64, f64)> = Vec::new();
    for i in intervals {
        if let Some(value) = i.value {
            parts.extend(pieces(i.start, i.end, DAY_NS).map(|(day, length)| (day, length, value)));
        }
    }
    let (mut sum, mut days) = (0.0, 0);
    for day in parts.chunk_by(|a, b| a.0 == b.0) {
        let (mut mean, mut squares) = (Weighted::default(), Weighted::default());
        day.iter().for_each(|&(_, length, v)| mean.add(v, length));
        let Some(m) = mean.mean().filter(|m| mean.weight == DAY_NS as f64 && *m > 0.0) else { continue };
        day.iter().for_each(|&(_, length, v)| squares.add((v - m) * (v - m), length));
        sum += libm::sqrt(squares.sum / squares.weight) / m;
        days += 1;
    }
    ((days > 0).then(|| sum / f64::from(days)), days as usize)
}

/// Sums by UTC hour.
struct Hours {
    all: [Weighted; 24],
    weekdays: [Weighted; 24],
    weekend: [Weighted; 24],
}

impl Hours {
    fn of(known: &[(i64, i64, f64)]) -> Self {
        let none = [Weighted::default(); 24];
        let mut hours = Hours { all: none, weekdays: none, weekend: none };
        for &(start, end, value) in known {
            for (bin, length) in pieces(start, end, HOUR_NS) {
                let hour = bin.rem_euclid(24) as usize;
                // 1 January 1970 was a Thursday: day 0 has the number 3 counted from Monday.
                let weekday = (bin.div_euclid(24) + 3).rem_euclid(7);
                hours.all[hour].add(value, length);
                let part = if weekday < 5 { &mut hours.weekdays } else { &mut hours.weekend };
                part[hour].add(value, length);
            }
        }
        hours
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_640_995_200_000_000_000; // 2022-01-01T00:00:00Z, a Saturday

    fn interval(from_h: i64, to_h: i64, value: Option<f64>) -> Interval {
        Interval { start: START + from_h * HOUR_NS, end: START + to_h * HOUR_NS, value, estimated: None }
    }

    #[test]
    fn figures_weigh_by_time_and_leave_gaps_out() {
        let s =
            stats(&[interval(0, 1, Some(100.0)), interval(1, 4, Some(200.0)), interval(4, 6, None)]).expect("values");
        assert_eq!((s.n, s.gaps, s.gap_h), (2, 1, 2.0));
        assert_eq!(s.mean_g_per_kwh, 175.0);
        assert!((s.sd_g_per_kwh - 43.301_270_189_221_93).abs() < 1e-12);
        assert_eq!((s.percentiles_g_per_kwh.p25, s.percentiles_g_per_kwh.p50), (100.0, 200.0));
        assert_eq!(s.by_hour_g_per_kwh[..5], [Some(100.0), Some(200.0), Some(200.0), Some(200.0), None]);
        assert_eq!((s.weekend_by_hour_g_per_kwh[0], s.weekdays_by_hour_g_per_kwh[0]), (Some(100.0), None));
        assert_eq!((s.daily_cv, s.complete_days), (None, 0));
        assert!(stats(&[interval(0, 1, None)]).is_none());
    }

    #[test]
    fn a_day_that_alternates_has_its_closed_forms() {
        // 100 and 300 in turn, two days: mean 200, every day's CV 0.5; the profile explains everything, no residual is left.
        let hours: Vec<Interval> = (0..48).map(|h| interval(h, h + 1, Some([100.0, 300.0][h as usize % 2]))).collect();
        let s = stats(&hours).expect("values");
        assert_eq!((s.mean_g_per_kwh, s.sd_g_per_kwh, s.daily_cv, s.complete_days), (200.0, 100.0, Some(0.5), 2));
        assert_eq!((s.residual_sd_g_per_kwh, s.residual_lag1_autocorrelation), (0.0, None));
        // A second day 20 above the first: residuals -10 and +10, each day alike.
        let level = |h: i64| if h < 24 { 100.0 } else { 120.0 };
        let days: Vec<Interval> = (0..48).map(|h| interval(h, h + 1, Some(level(h)))).collect();
        let s = stats(&days).expect("values");
        assert_eq!(s.residual_sd_g_per_kwh, 10.0);
        // 47 neighbours, 46 of them alike: (46 x 100 - 100) / 47 / 100. All 24 pairs over a day are opposites.
        assert!((s.residual_lag1_autocorrelation.expect("pairs") - 45.0 / 47.0).abs() < 1e-12);
        assert_eq!(s.residual_lag24h_autocorrelation, Some(-1.0));
    }

    #[test]
    fn weekdays_are_those_of_the_calendar() {
        // 2022-01-03 was a Monday.
        let s = stats(&[interval(48, 49, Some(7.0))]).expect("values");
        assert_eq!((s.weekdays_by_hour_g_per_kwh[0], s.weekend_by_hour_g_per_kwh[0]), (Some(7.0), None));
    }
}
