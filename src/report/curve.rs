//! The figures of a run's course: how even calls and CPU are over time and regions, what reserved and opportunistic
//! functions use, and the shares and percentiles by trigger. Written where `output.curve` asks for them.
//!
//! The course is cut to whole windows between `output.settle_s` and the end of arrivals, so that neither the filling of
//! backlogs from nothing nor the drain enters it. A ratio over a window without anything is undefined.

use super::Finished;
use super::summary::{Entry, List, Value, share};
use crate::ledger::Column;
use crate::sim::FunctionStats;
use crate::stats::quantile_of_sorted;
use crate::types::{Duration, RegionId};
use crate::workload::{FunctionProfile, MeanCall, Quota, Trigger, WorkloadSpec};

const HOUR_S: f64 = 3600.0;
const DAY_S: f64 = 86_400.0;

/// The quota classes, in the order of their series.
const CLASSES: [Quota; 2] = [Quota::Reserved, Quota::Opportunistic];

/// Which ledger bins count, and how wide they are.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cut {
    bin_ns: u64,
    from_ns: u64,
    to_ns: u64,
}

impl Cut {
    /// The sums of `bins` over every whole window of `width` that lies between the ends, windows being counted from the run's
    /// start; nothing if `width` is no multiple of a bin's. Bins that are not there are 0.
    fn windows(&self, bins: &[f64], width: Duration) -> Vec<f64> {
        let width = width.0;
        if width == 0 || !width.is_multiple_of(self.bin_ns) {
            return Vec::new();
        }
        let each = (width / self.bin_ns) as usize;
        (self.from_ns.div_ceil(width)..self.to_ns / width)
            .map(|w| {
                let first = (w as usize * each).min(bins.len());
                bins[first..(first + each).min(bins.len())].iter().sum()
            })
            .collect()
    }
}

/// Largest over smallest; undefined without values or where the smallest is 0.
fn max_min(values: &[f64]) -> f64 {
    share(largest(values), smallest(values))
}

fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::max)
}

fn smallest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::min)
}

fn mean(values: &[f64]) -> f64 {
    share(values.iter().sum(), values.len() as f64)
}

/// Largest over mean.
fn peak_mean(values: &[f64]) -> f64 {
    share(largest(values), mean(values))
}

/// Pearson's correlation; undefined where one of the two does not change.
///
/// Formula: sum (a - mean a)(b - mean b) / sqrt(sum (a - mean a)² · sum (b - mean b)²). Example: 1, 2, 3 and 3, 2, 1 give -1.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (ma, mb) = (mean(a), mean(b));
    let sum = |f: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(x, y)| f(x - ma, y - mb)).sum::<f64>();
    let spread = (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt();
    share(sum(&|x, y| x * y), spread)
}

/// A quantile of unsorted values; undefined without any.
fn quantile(values: &[f64], p: f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile_of_sorted(&sorted, p)
}

/// Percentile over functions: the k-th of n stands at (k - 1/2)/n (Hazen), between two of them the logarithm is linear, as far as there is one;
/// the extremes beyond.
fn over_functions(values: &[f64], p: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (Some(&first), Some(&last)) = (sorted.first(), sorted.last()) else { return f64::NAN };
    let at = p * sorted.len() as f64 - 0.5;
    if at <= 0.0 {
        return first;
    }
    let below = at as usize;
    match sorted.get(below + 1) {
        Some(&above) if sorted[below] > 0.0 => sorted[below] * libm::pow(above / sorted[below], at - below as f64),
        Some(&above) => sorted[below] + (at - below as f64) * (above - sorted[below]),
        None => last,
    }
}

/// By region, the difference of the largest and the smallest at every place of equally long series.
fn spread(regions: &[Vec<f64>]) -> Vec<f64> {
    let length = regions.iter().map(Vec::len).min().unwrap_or(0);
    let at = |i: usize| regions.iter().map(|r| r[i]).collect::<Vec<f64>>();
    (0..length).map(|i| largest(&at(i)) - smallest(&at(i))).collect()
}

/// All figures of the course.
pub(super) fn figures(list: &mut List, run: &Finished<'_>) {
    let cut = cut(run);
    let step = Duration::from_secs_f64(run.scenario.output.step_s);
    calls(list, run, cut, step);
    cpu(list, run, cut);
    quota(list, run, cut, step);
    triggers(list, run);
}

/// From the end of settling to the end of arrivals: `time.duration_s`, or without it the begin of the last bin with an arrival,
/// which may be partial.
fn cut(run: &Finished<'_>) -> Cut {
    let bin_ns = run.outcome.site.step().0;
    let from_ns = Duration::from_secs_f64(run.scenario.output.settle_s).0;
    let rows = (0..run.regions.len()).map(|r| run.outcome.series.rows(RegionId::from_index(r)));
    let last = rows.filter_map(|rows| rows.iter().rposition(|row| row.received > 0)).max().unwrap_or(0);
    let to_ns = match run.scenario.time.duration_s {
        Some(seconds) => Duration::from_secs_f64(seconds).0.min(run.outcome.end.0),
        None => last as u64 * bin_ns,
    };
    Cut { bin_ns, from_ns, to_ns }
}

/// One value per ledger bin, summed over regions.
fn counts(run: &Finished<'_>, of: impl Fn(&crate::sim::Counts) -> f64) -> Vec<f64> {
    let mut sum: Vec<f64> = Vec::new();
    for r in 0..run.regions.len() {
        let rows = run.outcome.series.rows(RegionId::from_index(r));
        sum.resize(sum.len().max(rows.len()), 0.0);
        sum.iter_mut().zip(rows).for_each(|(s, row)| *s += of(row));
    }
    sum
}

fn calls(list: &mut List, run: &Finished<'_>, cut: Cut, step: Duration) {
    let received = counts(run, |c| c.received as f64);
    let executed = counts(run, |c| c.executed as f64);
    let hour = Duration::from_secs_f64(HOUR_S);
    let (in_steps, out_steps) = (cut.windows(&received, step), cut.windows(&executed, step));
    list.count(
        "curve.steps",
        in_steps.len() as u64,
        "whole steps of output.step_s from output.settle_s to the end of arrivals",
    );
    for (name, steps, hours, meanings) in [
        ("received", &in_steps, cut.windows(&received, hour), RECEIVED),
        ("executed", &out_steps, cut.windows(&executed, hour), EXECUTED),
    ] {
        list.number(&format!("curve.{name}_max_min"), max_min(steps), "1", meanings[0]);
        list.number(&format!("curve.{name}_peak_mean"), peak_mean(steps), "1", meanings[1]);
        list.number(&format!("curve.{name}_hourly_max_min"), max_min(&hours), "1", meanings[2]);
    }
    let ratio = share(largest(&in_steps), largest(&out_steps));
    let meaning = "largest number of calls received over largest number executed in a step";
    list.number("curve.peak_received_peak_executed", ratio, "1", meaning);
}

const RECEIVED: [&str; 3] = [
    "calls received in a step: largest over smallest",
    "calls received in a step: largest over mean",
    "calls received in an hour: largest over smallest",
];
const EXECUTED: [&str; 3] = [
    "calls that finished in a step: largest over smallest",
    "calls that finished in a step: largest over mean",
    "calls that finished in an hour: largest over smallest",
];

fn cpu(list: &mut List, run: &Finished<'_>, cut: Cut) {
    let by_region: Vec<Vec<f64>> = (0..run.regions.len())
        .map(|r| run.outcome.site.rows(RegionId::from_index(r)).iter().map(|b| b[Column::BusyCore as usize]).collect())
        .collect();
    let cores: Vec<f64> = run.regions.iter().map(|r| r.cores).collect();
    let utilization = |width_s: f64| -> (Vec<f64>, Vec<Vec<f64>>) {
        let busy: Vec<Vec<f64>> =
            by_region.iter().map(|bins| cut.windows(bins, Duration::from_secs_f64(width_s))).collect();
        let all = (0..busy.first().map_or(0, Vec::len))
            .map(|w| busy.iter().map(|b| b[w]).sum::<f64>() / (cores.iter().sum::<f64>() * width_s))
            .collect();
        let each = busy.iter().zip(&cores).map(|(b, c)| b.iter().map(|x| x / (c * width_s)).collect()).collect();
        (all, each)
    };
    let (days, _) = utilization(DAY_S);
    for (name, value, meaning) in [
        ("min", smallest(&days), "CPU in use over all cores, lowest mean over a day of the run"),
        ("max", largest(&days), "CPU in use over all cores, highest mean over a day of the run"),
        ("mean", mean(&days), "CPU in use over all cores, mean of the days' means"),
    ] {
        list.number(&format!("curve.cpu_daily_{name}"), value, "1", meaning);
    }
    let (hours, each) = utilization(HOUR_S);
    let meaning = "CPU in use over all cores, means over hours: largest over smallest";
    list.number("curve.cpu_hourly_max_min", max_min(&hours), "1", meaning);
    let between = spread(&each);
    for (name, value, meaning) in [
        (
            "mean",
            mean(&between),
            "CPU utilization of the busiest less that of the least busy region, means over hours: mean over hours",
        ),
        ("p95", quantile(&between, 0.95), "the same: 95th percentile over hours, linear between order statistics"),
        ("max", largest(&between), "the same: largest over hours"),
    ] {
        list.number(&format!("curve.cpu_spread_{name}"), value, "1", meaning);
    }
}

fn quota(list: &mut List, run: &Finished<'_>, cut: Cut, step: Duration) {
    let functions = || run.outcome.profiles.iter().zip(&run.outcome.functions);
    let of = |quota: Quota, what: &dyn Fn(&FunctionProfile, &FunctionStats) -> f64| -> f64 {
        functions().filter(|(p, _)| p.quota == quota).map(|(p, f)| what(p, f)).sum()
    };
    let cpu = CLASSES.map(|quota| of(quota, &core_s));
    let executed = CLASSES.map(|quota| of(quota, &|_, f| f.executed as f64));
    let missed = CLASSES.map(|quota| of(quota, &|_, f| f.missed as f64));
    for (i, quota) in CLASSES.iter().enumerate() {
        let name = quota.name();
        let key = |what: &str| format!("quota.{name}_{what}");
        list.number(
            &key("calls_share"),
            share(executed[i], executed[0] + executed[1]),
            "1",
            "executed calls of the class over all",
        );
        let meaning = "cores that the function demands x time that its executed calls run alone: of the class over all";
        list.number(&key("cpu_share"), share(cpu[i], cpu[0] + cpu[1]), "1", meaning);
        list.number(
            &key("missed_share"),
            share(missed[i], executed[i]),
            "1",
            "executed calls of the class that ended after their deadline, over all of it",
        );
    }
    let [reserved, opportunistic] = [0, 1].map(|i| cut.windows(&counts(run, |c| c.cpu_core_s[i]), step));
    let meaning = "correlation over steps of the CPU of reserved and opportunistic calls, that of a call spread evenly over its execution; -1: they complement each other";
    list.number("quota.cpu_correlation", correlation(&reserved, &opportunistic), "1", meaning);
}

/// CPU work of a function's executed calls \[core-s\].
fn core_s(profile: &FunctionProfile, stats: &FunctionStats) -> f64 {
    profile.cpu.as_cores() * stats.work_s
}

const TRIGGERS: [Trigger; 7] = [
    Trigger::Http,
    Trigger::Queue,
    Trigger::Event,
    Trigger::Timer,
    Trigger::Storage,
    Trigger::Orchestration,
    Trigger::Other,
];

const LEVELS: [(&str, f64); 5] = [("p10", 0.1), ("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)];

fn triggers(list: &mut List, run: &Finished<'_>) {
    let mips = match &run.scenario.workload {
        Some(WorkloadSpec::Xfaas(spec)) => Some(spec.mips_per_core),
        _ => None,
    };
    let called: Vec<(&FunctionProfile, &FunctionStats)> =
        run.outcome.profiles.iter().zip(&run.outcome.functions).filter(|(_, f)| f.executed > 0).collect();
    for trigger in TRIGGERS {
        if called.iter().any(|(p, _)| p.trigger == trigger) {
            of_trigger(list, &called, trigger, mips);
        }
    }
}

/// The figures by trigger that a run may have, all undefined: those of functions that are not known before the run.
pub fn trigger_figures() -> Vec<Entry> {
    let mut list = List::new();
    TRIGGERS.iter().for_each(|&trigger| of_trigger(&mut list, &[], trigger, Some(1.0)));
    list.into_entries().into_iter().map(|entry| Entry { value: Value::Number(f64::NAN), ..entry }).collect()
}

fn of_trigger(list: &mut List, called: &[(&FunctionProfile, &FunctionStats)], trigger: Trigger, mips: Option<f64>) {
    let own: Vec<_> = called.iter().filter(|(p, _)| p.trigger == trigger).collect();
    let key = |what: &str| format!("triggers.{}.{what}", trigger.name());
    let meaning = "functions with an executed call: of the trigger over all";
    list.number(&key("functions_share"), share(own.len() as f64, called.len() as f64), "1", meaning);
    let executed = |of: &mut dyn Iterator<Item = &FunctionStats>| of.map(|f| f.executed).sum::<u64>() as f64;
    let part = executed(&mut own.iter().map(|(_, f)| *f));
    let all = executed(&mut called.iter().map(|(_, f)| *f));
    list.number(&key("calls_share"), share(part, all), "1", "executed calls: of the trigger over all");
    let part: f64 = own.iter().map(|(p, f)| core_s(p, f)).sum();
    let all: f64 = called.iter().map(|(p, f)| core_s(p, f)).sum();
    let meaning = "cores that the function demands x time that its executed calls run alone: of the trigger over all";
    list.number(&key("compute_share"), share(part, all), "1", meaning);
    let per_call = |p: &FunctionProfile, f: &FunctionStats| core_s(p, f) / f.executed as f64;
    let cpu: Vec<f64> = own.iter().map(|(p, f)| per_call(p, f)).collect();
    let memory: Vec<f64> = own.iter().map(|(p, _)| p.memory.as_mb()).collect();
    let time: Vec<f64> = own.iter().map(|(_, f)| f.busy_s / f.executed as f64).collect();
    let asked: Vec<MeanCall> = own.iter().filter_map(|(p, _)| p.mean_call).collect();
    let asked_s: Vec<f64> = asked.iter().map(|c| c.time.as_secs_f64()).collect();
    let mut percentiles = |what: &str, values: &[f64], unit: &'static str, meaning: &'static str| {
        for (name, p) in LEVELS {
            list.number(&key(&format!("{what}_{name}")), over_functions(values, p), unit, meaning);
        }
    };
    percentiles(
        "cpu_core_s",
        &cpu,
        "core-s",
        "mean CPU of an executed call: percentile over functions, the k-th of n at (k - 1/2)/n",
    );
    if let Some(mips) = mips {
        let mi: Vec<f64> = cpu.iter().map(|x| x * mips).collect();
        percentiles("cpu_mi", &mi, "MI", "the same in million instructions, by workload.xfaas.mips_per_core");
        let mi: Vec<f64> = asked.iter().map(|c| c.core_s * mips).collect();
        let meaning = "the same, as the workload means it: not the mean of the calls that came by chance";
        percentiles("asked_cpu_mi", &mi, "MI", meaning);
    }
    percentiles(
        "memory_mb",
        &memory,
        "MB",
        "memory of the function: percentile over functions, the k-th of n at (k - 1/2)/n",
    );
    percentiles(
        "exec_s",
        &time,
        "s",
        "mean time in execution of a call: percentile over functions, the k-th of n at (k - 1/2)/n",
    );
    percentiles(
        "asked_s",
        &asked_s,
        "s",
        "time that the mean call would take with all the cores it can use, where the workload says: percentile over functions",
    );
}

#[cfg(test)]
mod tests;
