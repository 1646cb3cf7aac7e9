//! The published figures of merit: violation rate, severity, savings; and what they were found to mean for latency.

use crate::stats::LogHistogram;

/// Relative rounding error below which a prediction counts as met: sums over the same instances in another order differ by less.
const ROUNDING: f64 = 1e-12;

/// Severities are counted in billionths.
const BILLION: f64 = 1e9;

/// Relative increase of the 99th percentile of CPU scheduling latency that goes with a violation rate (0 to 1): a proxy, not a simulated latency.
///
/// Formula: 14.1 x rate. Source: Bashir et al., *Take it to the Limit*, EuroSys 2021: a regression over 10,795 machines, +14.1 % per percentage
/// point of violation rate; Spearman's correlation 0.42 over machines, 0.95 over the means of buckets. Errors: a correlation across
/// machines of one operator; its range is not known here, and it is extended linearly. Example: a rate of 0.01 goes with +14.1 %: 0.141.
pub fn latency_proxy(violation_rate: f64) -> f64 {
    14.1 * violation_rate
}

/// One predictor on one machine.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Tally {
    /// Steps with instances whose horizon has ended.
    pub(super) steps: u64,
    /// Those in which the prediction was below the peak.
    pub(super) violations: u64,
    pub(super) severity_sum: f64,
    pub(super) severity_max: f64,
    pub(super) savings_sum: f64,
}

impl Tally {
    /// Judges one step with a limit above nothing; returns its severity.
    ///
    /// Formulas: violation if P < PO (by more than rounding); severity max(0, PO - P) / PO; savings (L - P) / L.
    pub(super) fn add(&mut self, said: f64, peak: f64, limit: f64) -> f64 {
        self.steps += 1;
        self.savings_sum += (limit - said) / limit;
        let violated = said < peak * (1.0 - ROUNDING);
        let severity = if violated { (peak - said) / peak } else { 0.0 };
        self.violations += u64::from(violated);
        self.severity_sum += severity;
        self.severity_max = self.severity_max.max(severity);
        severity
    }

    /// A sum over this machine's steps as a mean.
    pub(super) fn mean(&self, sum: f64) -> f64 {
        if self.steps == 0 { 0.0 } else { sum / self.steps as f64 }
    }
}

/// Sums over all machines of one step.
pub(super) struct Step {
    hosts: u32,
    limit: f64,
    peak: f64,
    said: Vec<f64>,
}

impl Step {
    pub(super) fn new(predictors: usize) -> Self {
        Self { hosts: 0, limit: 0.0, peak: 0.0, said: vec![0.0; predictors] }
    }

    pub(super) fn add_host(&mut self, limit: f64, peak: f64) {
        self.hosts += 1;
        self.limit += limit;
        self.peak += peak;
    }

    pub(super) fn add(&mut self, predictor: usize, said: f64) {
        self.said[predictor] += said;
    }
}

/// All machines together, over the run.
pub(super) struct Cell {
    /// Severities of violations by predictor, in billionths, to 0.05 %.
    severities: Vec<LogHistogram<10>>,
    /// Savings by predictor and step.
    savings: Vec<Vec<f64>>,
    /// What the true peak would have saved, by step.
    possible: Vec<f64>,
}

impl Cell {
    pub(super) fn new(predictors: usize) -> Self {
        Self {
            severities: vec![LogHistogram::default(); predictors],
            savings: vec![Vec::new(); predictors],
            possible: Vec::new(),
        }
    }

    /// Counts the severity of one machine's step.
    pub(super) fn add(&mut self, predictor: usize, severity: f64) {
        if severity > 0.0 {
            self.severities[predictor].record((severity * BILLION).round() as u64);
        }
    }

    /// Ends a step: savings of the cell are those of the sums over its machines.
    pub(super) fn end_of_step(&mut self, step: &mut Step) {
        if step.hosts > 0 {
            self.possible.push((step.limit - step.peak) / step.limit);
            for (savings, said) in self.savings.iter_mut().zip(&step.said) {
                savings.push((step.limit - said) / step.limit);
            }
        }
        (step.hosts, step.limit, step.peak) = (0, 0.0, 0.0);
        step.said.fill(0.0);
    }

    /// Savings of a predictor by step.
    pub(super) fn savings(&self, predictor: usize) -> &[f64] {
        &self.savings[predictor]
    }

    /// What the true peak would have saved, by step.
    pub(super) fn possible(&self) -> &[f64] {
        &self.possible
    }

    /// A quantile of the severity over a predictor's violations.
    pub(super) fn severity_of_violations(&self, predictor: usize, q: f64) -> f64 {
        self.severities[predictor].quantile(q).unwrap_or(0) as f64 / BILLION
    }

    /// A quantile of the severity over all of a predictor's steps, most of which have none: the value at rank `floor((steps - 1) q)`.
    pub(super) fn severity(&self, predictor: usize, steps: u64, q: f64) -> f64 {
        let violations = self.severities[predictor].count();
        let without = steps - violations;
        let rank = (steps.saturating_sub(1) as f64 * q).floor() as u64;
        if rank < without || violations == 0 {
            return 0.0;
        }
        // Half a rank more, so that the histogram's floor finds it whatever the rounding.
        let own = ((rank - without) as f64 + 0.5) / (violations - 1).max(1) as f64;
        self.severity_of_violations(predictor, own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_judged_as_published() {
        let mut t = Tally::default();
        assert_eq!(t.add(0.6, 0.8, 1.0), (0.8 - 0.6) / 0.8);
        assert_eq!(t.add(0.8, 0.8, 1.0), 0.0, "equal is no violation");
        assert_eq!(t.add(0.1 + 0.2, 0.3 * (1.0 + 4e-16), 1.0), 0.0, "nor is rounding");
        assert_eq!(t.add(1.5, 0.3, 1.0), 0.0);
        assert_eq!((t.steps, t.violations), (4, 1));
        assert!((t.mean(t.savings_sum) - (0.4 + 0.2 + 0.7 - 0.5) / 4.0).abs() < 1e-12, "savings may be negative");
        assert!((t.mean(t.severity_sum) - 0.25 / 4.0).abs() < 1e-12);
    }

    #[test]
    fn quantiles_of_severity_are_of_all_steps_or_of_violations() {
        let mut cell = Cell::new(1);
        for i in 1..=100 {
            cell.add(0, f64::from(i) / 1000.0);
        }
        // 900 steps without violation below.
        for (q, wanted) in [(0.5, 0.0), (0.9, 0.0), (0.95, 0.050), (0.99, 0.090), (0.9999, 0.099)] {
            assert!((cell.severity(0, 1000, q) - wanted).abs() <= 5e-4 * wanted, "{q}: {}", cell.severity(0, 1000, q));
        }
        assert!((cell.severity_of_violations(0, 0.5) - 0.050).abs() < 5e-5);
        assert_eq!(Cell::new(1).severity(0, 10, 0.99), 0.0);
        assert!((cell.severity(0, 100, 1.0) - 0.1).abs() < 5e-5);
    }

    #[test]
    fn a_cells_savings_are_those_of_the_sums() {
        let (mut cell, mut step) = (Cell::new(1), Step::new(1));
        for (limit, peak, said) in [(10.0, 2.0, 4.0), (1.0, 1.0, 1.0)] {
            step.add_host(limit, peak);
            step.add(0, said);
        }
        cell.end_of_step(&mut step);
        cell.end_of_step(&mut step);
        assert_eq!((cell.savings(0), cell.possible()), (&[6.0 / 11.0][..], &[8.0 / 11.0][..]));
    }

    #[test]
    fn one_percentage_point_goes_with_fourteen_percent() {
        assert!((latency_proxy(0.01) - 0.141).abs() < 1e-15 && latency_proxy(0.0) == 0.0);
    }
}
