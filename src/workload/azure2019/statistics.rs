//! What a joined trace looks like: the numbers by which an import is checked against a published description.

use serde::Serialize;

use super::Azure2019;
use super::join::{Function, JoinCounts};
use crate::workload::Trigger;

/// Averages below this count as this in the log-normal fits \[s\].
const FIT_FLOOR_S: f64 = 0.0005;
/// A function enters the burstiness statistics with at least this many calls.
const BURSTY_CALLS: u64 = 60;

/// Statistics of the sampled functions as the files give them: before `multiply`, spreading and drawing.
///
/// Quantiles interpolate linearly between order statistics (type 7 of Hyndman and Fan, the default of numpy and R).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statistics {
    /// What was read, dropped and corrected.
    pub join: JoinCounts,
    /// Functions.
    pub functions: u64,
    /// Apps: distinct (owner, app).
    pub apps: u64,
    /// Owners.
    pub owners: u64,
    /// Minutes.
    pub minutes: u64,
    /// Calls over all minutes.
    pub invocations: u64,
    /// Calls per second.
    pub invocations_per_s: f64,
    /// Header text and calls of the minute with most calls, the first of equals.
    pub peak_minute: (Box<str>, u64),
    /// Header text and calls of the minute with fewest calls, the first of equals.
    pub lowest_minute: (Box<str>, u64),
    /// Calls of each 60 minutes; the last may be shorter.
    pub hourly_invocations: Vec<u64>,
    /// Share of (function, minute) cells that are not zero.
    pub nonzero_cells: f64,
    /// Share of minutes in which a function is called, over functions.
    pub nonzero_minutes: Quantiles,
    /// Calls of a function, over functions.
    pub calls: Quantiles,
    /// Gini coefficient of the calls of functions.
    pub gini: f64,
    /// Share of functions called exactly once.
    pub called_once: f64,
    /// Share of functions called at most once a minute on average.
    pub at_most_one_per_minute: f64,
    /// Functions and calls by trigger, most functions first.
    pub triggers: Vec<TriggerRow>,
    /// Count of the duration file over the sum of the minutes, over called functions that have a Count.
    pub count_ratio: Quantiles,
    /// Average duration in ms, over functions.
    pub average_ms: Quantiles,
    /// Percentile 50 of the duration in ms, over functions.
    pub median_ms: Quantiles,
    /// Longest duration in ms, over functions.
    pub maximum_ms: Quantiles,
    /// Log-normal fit of the average durations in seconds, each function once.
    pub lognormal: LogNormal,
    /// Log-normal fit of the average durations in seconds, weighted by calls.
    pub lognormal_by_calls: LogNormal,
    /// Mean duration of a call in ms, after the averages of the file, which are not floored.
    pub mean_call_ms: f64,
    /// Mean number of running calls after the averages of the file: rate times mean duration (Little's law).
    pub mean_concurrency: f64,
    /// The same after the mean of the durations as they are drawn between the percentiles. It is larger where the
    /// last percent, between percentile 99 and a far Maximum, is not as heavy as a straight line makes it.
    pub drawn_mean_concurrency: f64,
    /// Average memory of the running calls [GB = 10^9 bytes], that is GB·s per second.
    pub mean_running_memory_gb: f64,
    /// Average memory in MB, over functions.
    pub mean_memory_mb: Quantiles,
    /// Largest memory in MB, over functions.
    pub peak_memory_mb: Quantiles,
    /// Memory samples, over functions that have them.
    pub memory_samples: Quantiles,
    /// Variance (divided by n) over mean of the minute counts, over functions with at least 60 calls.
    pub minute_iod: Quantiles,
    /// Coefficient of variation of the minute counts, over the same functions.
    pub minute_cv: Quantiles,
}

/// One row of the table of triggers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TriggerRow {
    /// The trigger's name.
    pub trigger: &'static str,
    /// Functions that have it.
    pub functions: u64,
    /// Their calls.
    pub invocations: u64,
}

/// A log-normal distribution: normal mean and standard deviation of the natural logarithm.
///
/// Unweighted, sigma is the sample standard deviation (divided by n - 1); weighted, it is divided by the weights' sum.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LogNormal {
    /// Mean of the logarithm.
    pub mu: f64,
    /// Standard deviation of the logarithm.
    pub sigma: f64,
}

/// A sorted sample.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Quantiles(Vec<f64>);

impl Quantiles {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_unstable_by(f64::total_cmp);
        Quantiles(sorted)
    }

    /// The values, ascending.
    pub fn sorted(&self) -> &[f64] {
        &self.0
    }

    /// The value at share `q` in 0..=1, linear between order statistics; NaN if the sample is empty.
    pub fn at(&self, q: f64) -> f64 {
        let Some(last) = self.0.len().checked_sub(1) else { return f64::NAN };
        let h = last as f64 * q.clamp(0.0, 1.0);
        let i = (h as usize).min(last);
        let next = self.0[(i + 1).min(last)];
        self.0[i] + (next - self.0[i]) * (h - i as f64)
    }

    /// The share of values below `x`; NaN if the sample is empty.
    pub fn share_below(&self, x: f64) -> f64 {
        self.0.partition_point(|v| *v < x) as f64 / self.0.len() as f64
    }

    /// The share of values above `x`; NaN if the sample is empty.
    pub fn share_above(&self, x: f64) -> f64 {
        (self.0.len() - self.0.partition_point(|v| *v <= x)) as f64 / self.0.len() as f64
    }

    /// The share of the sum that the `n` largest values hold.
    pub fn top_share(&self, n: usize) -> f64 {
        self.0.iter().rev().take(n).sum::<f64>() / self.0.iter().sum::<f64>()
    }

    /// Gini coefficient: sum of (2 i - n - 1) x_i over n times the sum of x, with x ascending and i from 1.
    pub fn gini(&self) -> f64 {
        let n = self.0.len() as f64;
        let weighted: f64 = self.0.iter().enumerate().map(|(i, x)| (2.0 * (i + 1) as f64 - n - 1.0) * x).sum();
        weighted / (n * self.0.iter().sum::<f64>())
    }
}

impl Azure2019 {
    /// The statistics of this input.
    pub fn statistics(&self) -> Statistics {
        let joined = &self.joined;
        let functions = &joined.functions;
        let minutes = joined.minutes.len();
        let per_minute: Vec<u64> =
            joined.minutes.iter().map(|m| m.iter().map(|(_, n)| u64::from(*n)).sum::<u64>()).collect();
        let extreme = |better: fn(u64, u64) -> bool| {
            let i = (0..minutes).reduce(|a, b| if better(per_minute[b], per_minute[a]) { b } else { a });
            i.map_or(("".into(), 0), |i| (joined.labels[i].clone(), per_minute[i]))
        };
        let mut nonzero = vec![0_u64; functions.len()];
        let mut squares = vec![0.0; functions.len()];
        for (f, n) in joined.minutes.iter().flatten() {
            nonzero[*f as usize] += 1;
            squares[*f as usize] += f64::from(*n) * f64::from(*n);
        }
        let invocations: u64 = per_minute.iter().sum();
        let seconds = minutes as f64 * 60.0;
        let calls = Quantiles::of(functions.iter().map(|f| f.calls as f64));
        let share = |of: fn(&Function, f64) -> bool| {
            functions.iter().filter(|f| of(f, minutes as f64)).count() as f64 / functions.len() as f64
        };
        let per_second =
            |of: fn(&Function) -> f64| functions.iter().map(|f| f.calls as f64 * of(f)).sum::<f64>() / seconds;
        let mean_concurrency = per_second(|f| f.durations.average_ms / 1000.0);
        // Variance and mean of the minute counts of each function called often enough.
        let bursty: Vec<(f64, f64)> = functions
            .iter()
            .zip(&squares)
            .filter(|(f, _)| f.calls >= BURSTY_CALLS)
            .map(|(f, squares)| {
                let mean = f.calls as f64 / minutes as f64;
                ((squares / minutes as f64 - mean * mean).max(0.0), mean)
            })
            .collect();
        Statistics {
            join: joined.counts,
            functions: functions.len() as u64,
            apps: u64::from(joined.apps),
            owners: joined.tenants.len() as u64,
            minutes: minutes as u64,
            invocations,
            invocations_per_s: invocations as f64 / seconds,
            peak_minute: extreme(|a, b| a > b),
            lowest_minute: extreme(|a, b| a < b),
            hourly_invocations: per_minute.chunks(60).map(|hour| hour.iter().sum()).collect(),
            nonzero_cells: nonzero.iter().sum::<u64>() as f64 / (functions.len() * minutes) as f64,
            nonzero_minutes: Quantiles::of(nonzero.iter().map(|n| *n as f64 / minutes as f64)),
            gini: calls.gini(),
            calls,
            called_once: share(|f, _| f.calls == 1),
            at_most_one_per_minute: share(|f, minutes| f.calls as f64 <= minutes),
            triggers: triggers(functions),
            count_ratio: Quantiles::of(
                functions.iter().filter(|f| f.calls > 0).filter_map(|f| Some(f.durations.count? / f.calls as f64)),
            ),
            average_ms: Quantiles::of(functions.iter().map(|f| f.durations.average_ms)),
            median_ms: Quantiles::of(functions.iter().map(|f| f.durations.median_ms)),
            maximum_ms: Quantiles::of(functions.iter().map(|f| f.durations.maximum_ms)),
            lognormal: lognormal(functions, |_| 1.0, 1.0),
            lognormal_by_calls: lognormal(functions, |f| f.calls as f64, 0.0),
            mean_call_ms: mean_concurrency * seconds / invocations as f64 * 1000.0,
            mean_concurrency,
            drawn_mean_concurrency: per_second(|f| f.durations.drawn_mean_s()),
            mean_running_memory_gb: per_second(|f| f.durations.average_ms / 1000.0 * f.mean_memory_mb / 1000.0),
            mean_memory_mb: Quantiles::of(functions.iter().map(|f| f.mean_memory_mb)),
            peak_memory_mb: Quantiles::of(functions.iter().map(|f| f.peak_memory_mb)),
            memory_samples: Quantiles::of(functions.iter().filter_map(|f| f.samples)),
            minute_iod: Quantiles::of(bursty.iter().map(|(variance, mean)| variance / mean)),
            minute_cv: Quantiles::of(bursty.iter().map(|(variance, mean)| variance.sqrt() / mean)),
        }
    }
}

fn triggers(functions: &[Function]) -> Vec<TriggerRow> {
    const ALL: [Trigger; 7] = [
        Trigger::Http,
        Trigger::Queue,
        Trigger::Event,
        Trigger::Timer,
        Trigger::Storage,
        Trigger::Orchestration,
        Trigger::Other,
    ];
    let mut rows: Vec<TriggerRow> = ALL
        .into_iter()
        .map(|t| {
            let of = || functions.iter().filter(move |f| f.trigger == t);
            TriggerRow { trigger: t.name(), functions: of().count() as u64, invocations: of().map(|f| f.calls).sum() }
        })
        .filter(|row| row.functions > 0)
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.functions));
    rows
}

/// Fits by moments of the logarithm; `lost` is subtracted from the weights' sum in the variance.
fn lognormal(functions: &[Function], weight: fn(&Function) -> f64, lost: f64) -> LogNormal {
    let log = |f: &Function| libm::log((f.durations.average_ms / 1000.0).max(FIT_FLOOR_S));
    let total: f64 = functions.iter().map(weight).sum();
    let mu = functions.iter().map(|f| weight(f) * log(f)).sum::<f64>() / total;
    let squares: f64 = functions.iter().map(|f| weight(f) * (log(f) - mu) * (log(f) - mu)).sum();
    LogNormal { mu, sigma: (squares / (total - lost)).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_linearly_between_order_statistics() {
        let q = Quantiles::of([4.0, 1.0, 2.0, 3.0].into_iter());
        assert_eq!([q.at(0.0), q.at(0.5), q.at(0.9), q.at(1.0)], [1.0, 2.5, 3.7, 4.0]);
        assert_eq!((q.share_below(2.0), q.share_above(2.0)), (0.25, 0.5));
        assert!(Quantiles::of([].into_iter()).at(0.5).is_nan());
    }

    #[test]
    fn gini_and_top_share_of_equal_and_of_concentrated_values_are_as_by_hand() {
        let equal = Quantiles::of([5.0; 4].into_iter());
        assert_eq!((equal.gini(), equal.top_share(1)), (0.0, 0.25));
        // One of four holds all: (n - 1) / n.
        let one = Quantiles::of([0.0, 0.0, 0.0, 9.0].into_iter());
        assert_eq!((one.gini(), one.top_share(1)), (0.75, 1.0));
    }
}
