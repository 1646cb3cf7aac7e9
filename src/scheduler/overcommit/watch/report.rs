//! What a watch found: one row per predictor, and one per predictor and machine.

use super::{Cell, Tally, latency_proxy};
use crate::stats::quantile_of_sorted;
use crate::types::HostId;

/// Columns of a table of [`CellRow`]s: name, unit, meaning.
pub const CELL_COLUMNS: &[(&str, &str, &str)] = &[
    ("predictor", "text", "its name"),
    ("machines", "1", "machines with at least one step that was judged"),
    ("steps", "1", "steps of machines that were judged"),
    ("violation_rate", "1", "steps with a prediction below the peak over all, all machines together"),
    ("machine_violation_rate_mean", "1", "violation rate of a machine, mean over machines"),
    ("machine_violation_rate_none", "1", "share of machines with 0 violation rate of a machine"),
    ("machine_violation_rate_p25", "1", "violation rate of a machine, 25th percentile over machines"),
    ("machine_violation_rate_p50", "1", "violation rate of a machine, 50th percentile over machines"),
    ("machine_violation_rate_p75", "1", "violation rate of a machine, 75th percentile over machines"),
    ("machine_violation_rate_p90", "1", "violation rate of a machine, 90th percentile over machines"),
    ("machine_violation_rate_p95", "1", "violation rate of a machine, 95th percentile over machines"),
    ("machine_violation_rate_p99", "1", "violation rate of a machine, 99th percentile over machines"),
    ("severity", "1", "max(0, peak - prediction) / peak, mean over all steps"),
    ("severity_p50", "1", "severity, 50th percentile over all steps (to 0.05 %)"),
    ("severity_p90", "1", "severity, 90th percentile over all steps (to 0.05 %)"),
    ("severity_p95", "1", "severity, 95th percentile over all steps (to 0.05 %)"),
    ("severity_p99", "1", "severity, 99th percentile over all steps (to 0.05 %)"),
    ("severity_p9999", "1", "severity, 99.99th percentile over all steps (to 0.05 %)"),
    ("severity_of_violations", "1", "severity, mean over violations"),
    ("severity_of_violations_p50", "1", "severity, 50th percentile over violations (to 0.05 %)"),
    ("severity_of_violations_p90", "1", "severity, 90th percentile over violations (to 0.05 %)"),
    ("severity_of_violations_p95", "1", "severity, 95th percentile over violations (to 0.05 %)"),
    ("severity_of_violations_p99", "1", "severity, 99th percentile over violations (to 0.05 %)"),
    ("severity_of_violations_p9999", "1", "severity, 99.99th percentile over violations (to 0.05 %)"),
    ("machine_severity_mean", "1", "mean severity of a machine, mean over machines"),
    ("machine_severity_none", "1", "share of machines with 0 mean severity of a machine"),
    ("machine_severity_p25", "1", "mean severity of a machine, 25th percentile over machines"),
    ("machine_severity_p50", "1", "mean severity of a machine, 50th percentile over machines"),
    ("machine_severity_p75", "1", "mean severity of a machine, 75th percentile over machines"),
    ("machine_severity_p90", "1", "mean severity of a machine, 90th percentile over machines"),
    ("machine_severity_p95", "1", "mean severity of a machine, 95th percentile over machines"),
    ("machine_severity_p99", "1", "mean severity of a machine, 99th percentile over machines"),
    ("savings_mean", "1", "(limits - predictions) / limits of sums over machines, mean over steps"),
    ("savings_none", "1", "share of steps with 0 (limits - predictions) / limits of sums over machines"),
    ("savings_p25", "1", "(limits - predictions) / limits of sums over machines, 25th percentile over steps"),
    ("savings_p50", "1", "(limits - predictions) / limits of sums over machines, 50th percentile over steps"),
    ("savings_p75", "1", "(limits - predictions) / limits of sums over machines, 75th percentile over steps"),
    ("savings_p90", "1", "(limits - predictions) / limits of sums over machines, 90th percentile over steps"),
    ("savings_p95", "1", "(limits - predictions) / limits of sums over machines, 95th percentile over steps"),
    ("savings_p99", "1", "(limits - predictions) / limits of sums over machines, 99th percentile over steps"),
    ("machine_savings_mean", "1", "mean (limit - prediction) / limit of a machine, mean over machines"),
    ("machine_savings_none", "1", "share of machines with 0 mean (limit - prediction) / limit of a machine"),
    ("machine_savings_p25", "1", "mean (limit - prediction) / limit of a machine, 25th percentile over machines"),
    ("machine_savings_p50", "1", "mean (limit - prediction) / limit of a machine, 50th percentile over machines"),
    ("machine_savings_p75", "1", "mean (limit - prediction) / limit of a machine, 75th percentile over machines"),
    ("machine_savings_p90", "1", "mean (limit - prediction) / limit of a machine, 90th percentile over machines"),
    ("machine_savings_p95", "1", "mean (limit - prediction) / limit of a machine, 95th percentile over machines"),
    ("machine_savings_p99", "1", "mean (limit - prediction) / limit of a machine, 99th percentile over machines"),
    ("possible_savings", "1", "what the true peak would have saved, of sums over machines, mean over steps"),
    (
        "latency_proxy",
        "1",
        "relative increase of the p99 of CPU scheduling latency that went with the mean violation rate of machines in a published regression",
    ),
];

/// Columns of a table of [`MachineRow`]s: name, unit, meaning.
pub const MACHINE_COLUMNS: &[(&str, &str, &str)] = &[
    ("predictor", "text", "its name"),
    ("host", "1", "number of the host"),
    ("steps", "1", "steps that were judged"),
    ("empty_steps", "1", "steps without instances, which are not"),
    ("violations", "1", "steps with a prediction below the peak"),
    ("violation_rate", "1", "violations over steps that were judged"),
    ("severity", "1", "max(0, peak - prediction) / peak, mean over steps"),
    ("severity_of_violations", "1", "the same, mean over violations"),
    ("severity_max", "1", "the same, largest"),
    ("savings", "1", "(limit - prediction) / limit, mean over steps"),
    (
        "latency_proxy",
        "1",
        "relative increase of the p99 of CPU scheduling latency that went with the violation rate in a published regression",
    ),
];

/// Levels of the quantiles of severity.
const LEVELS: [f64; 5] = [0.5, 0.9, 0.95, 0.99, 0.9999];

/// Mean, share of zeros, and quantiles (linear between order statistics) of one figure over machines or steps.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spread {
    /// Arithmetic mean.
    pub mean: f64,
    /// Share of values that are 0.
    pub none: f64,
    /// 25th percentile.
    pub p25: f64,
    /// Median.
    pub p50: f64,
    /// 75th percentile.
    pub p75: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
}

impl Spread {
    /// All 0 of no values.
    pub fn of(mut values: Vec<f64>) -> Self {
        if values.is_empty() {
            return Self::default();
        }
        values.sort_unstable_by(f64::total_cmp);
        let n = values.len() as f64;
        let [p25, p50, p75, p90, p95, p99] = [0.25, 0.5, 0.75, 0.9, 0.95, 0.99].map(|q| quantile_of_sorted(&values, q));
        let none = values.iter().filter(|x| **x == 0.0).count() as f64 / n;
        Self { mean: values.iter().sum::<f64>() / n, none, p25, p50, p75, p90, p95, p99 }
    }

    /// In the order of the columns.
    fn values(&self) -> [f64; 8] {
        [self.mean, self.none, self.p25, self.p50, self.p75, self.p90, self.p95, self.p99]
    }
}

/// One predictor over all machines.
#[derive(Debug, Clone, PartialEq)]
pub struct CellRow {
    /// Its name.
    pub predictor: String,
    /// Machines with at least one step that was judged.
    pub machines: usize,
    /// Steps of machines that were judged.
    pub steps: u64,
    /// Violating steps over all, all machines together.
    pub violation_rate: f64,
    /// Violation rates of machines. The published figures.
    pub machine_violation_rate: Spread,
    /// Severity, mean over all steps.
    pub severity: f64,
    /// Severity over all steps at p50, p90, p95, p99, p99.99. As published: a step without violation has severity 0.
    pub severity_quantiles: [f64; 5],
    /// Severity, mean over violations; 0 without any.
    pub severity_of_violations: f64,
    /// Severity over violations at p50, p90, p95, p99, p99.99.
    pub severity_of_violations_quantiles: [f64; 5],
    /// Mean severities of machines.
    pub machine_severity: Spread,
    /// Savings of the cell, of sums over machines, over steps.
    pub savings: Spread,
    /// Mean savings of machines.
    pub machine_savings: Spread,
    /// What the true peak would have saved, of sums over machines, mean over steps.
    pub possible_savings: f64,
    /// See [`latency_proxy`], of the mean violation rate of machines.
    pub latency_proxy: f64,
}

impl CellRow {
    /// The numbers in the order of [`CELL_COLUMNS`], without the name.
    pub fn values(&self) -> Vec<f64> {
        let mut all = vec![self.machines as f64, self.steps as f64, self.violation_rate];
        all.extend(self.machine_violation_rate.values());
        all.push(self.severity);
        all.extend(self.severity_quantiles);
        all.push(self.severity_of_violations);
        all.extend(self.severity_of_violations_quantiles);
        for spread in [&self.machine_severity, &self.savings, &self.machine_savings] {
            all.extend(spread.values());
        }
        all.extend([self.possible_savings, self.latency_proxy]);
        all
    }
}

/// One predictor on one machine.
#[derive(Debug, Clone, PartialEq)]
pub struct MachineRow {
    /// Its name.
    pub predictor: String,
    /// The machine.
    pub host: HostId,
    /// Steps that were judged.
    pub steps: u64,
    /// Steps without instances, which are not.
    pub empty_steps: u64,
    /// Steps with a prediction below the peak.
    pub violations: u64,
    /// Violations over steps that were judged.
    pub violation_rate: f64,
    /// Severity, mean over steps.
    pub severity: f64,
    /// Severity, mean over violations; 0 without any.
    pub severity_of_violations: f64,
    /// Severity, largest.
    pub severity_max: f64,
    /// Savings, mean over steps.
    pub savings: f64,
    /// See [`latency_proxy`].
    pub latency_proxy: f64,
}

impl MachineRow {
    fn new(predictor: &str, host: HostId, tally: &Tally, empty_steps: u64) -> Self {
        let violation_rate = tally.mean(tally.violations as f64);
        Self {
            predictor: predictor.to_owned(),
            host,
            steps: tally.steps,
            empty_steps,
            violations: tally.violations,
            violation_rate,
            severity: tally.mean(tally.severity_sum),
            severity_of_violations: tally.severity_sum / tally.violations.max(1) as f64,
            severity_max: tally.severity_max,
            savings: tally.mean(tally.savings_sum),
            latency_proxy: latency_proxy(violation_rate),
        }
    }

    /// The numbers in the order of [`MACHINE_COLUMNS`], without the name.
    pub fn values(&self) -> Vec<f64> {
        vec![
            self.host.index() as f64,
            self.steps as f64,
            self.empty_steps as f64,
            self.violations as f64,
            self.violation_rate,
            self.severity,
            self.severity_of_violations,
            self.severity_max,
            self.savings,
            self.latency_proxy,
        ]
    }
}

/// What a watch found.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchReport {
    /// One row per predictor, in the order of the scenario.
    pub cell: Vec<CellRow>,
    /// One row per predictor and machine with at least one step that was judged.
    pub machines: Vec<MachineRow>,
}

impl WatchReport {
    /// `machines` gives, for a predictor, each machine's tally and steps without instances.
    pub(super) fn new(names: &[String], cell: &Cell, machines: impl Fn(usize) -> Vec<(HostId, Tally, u64)>) -> Self {
        let mut report = Self { cell: Vec::new(), machines: Vec::new() };
        for (p, name) in names.iter().enumerate() {
            let rows: Vec<MachineRow> =
                machines(p).iter().map(|(host, tally, empty)| MachineRow::new(name, *host, tally, *empty)).collect();
            report.cell.push(of_cell(name, p, cell, &rows, machines(p).iter().map(|m| m.1.severity_sum).sum()));
            report.machines.extend(rows);
        }
        report
    }
}

fn of_cell(name: &str, p: usize, cell: &Cell, rows: &[MachineRow], severity_sum: f64) -> CellRow {
    let spread = |of: fn(&MachineRow) -> f64| Spread::of(rows.iter().map(of).collect());
    let (steps, violations) = rows.iter().fold((0, 0), |(s, v), row| (s + row.steps, v + row.violations));
    let over = |x: f64, n: u64| if n == 0 { 0.0 } else { x / n as f64 };
    let machine_violation_rate = spread(|row| row.violation_rate);
    CellRow {
        predictor: name.to_owned(),
        machines: rows.len(),
        steps,
        violation_rate: over(violations as f64, steps),
        machine_violation_rate,
        severity: over(severity_sum, steps),
        severity_quantiles: LEVELS.map(|q| cell.severity(p, steps, q)),
        severity_of_violations: over(severity_sum, violations),
        severity_of_violations_quantiles: LEVELS.map(|q| cell.severity_of_violations(p, q)),
        machine_severity: spread(|row| row.severity),
        savings: Spread::of(cell.savings(p).to_vec()),
        machine_savings: spread(|row| row.savings),
        possible_savings: Spread::of(cell.possible().to_vec()).mean,
        latency_proxy: latency_proxy(machine_violation_rate.mean),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_column() {
        let row = WatchReport::new(&["x".to_owned()], &Cell::new(1), |_| vec![(HostId(4), Tally::default(), 3)]);
        assert_eq!(row.cell[0].values().len() + 1, CELL_COLUMNS.len());
        assert_eq!(row.machines[0].values().len() + 1, MACHINE_COLUMNS.len());
        assert!(row.cell[0].values().iter().all(|x| x.is_finite()));
        let mut names: Vec<&str> = CELL_COLUMNS.iter().map(|c| c.0).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CELL_COLUMNS.len());
    }

    #[test]
    fn a_spread_is_linear_between_order_statistics() {
        let s = Spread::of(vec![0.4, 0.0, 0.2, 0.0, 0.4]);
        assert!((s.mean - 0.2).abs() < 1e-15 && (s.none, s.p25, s.p50, s.p75) == (0.4, 0.0, 0.2, 0.4));
        assert!((Spread::of(vec![0.0, 1.0]).p90 - 0.9).abs() < 1e-15);
    }
}
