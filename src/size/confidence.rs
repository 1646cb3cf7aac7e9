//! When replications suffice to say that a value keeps the objectives, or that it does not.

use super::objective::Objective;
use crate::stats::student_quantile;

/// How sure an answer has to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// Replications of a value that is not given up early.
    pub replications: usize,
    /// Replications after which a value that is still undecided counts as failing.
    pub most: usize,
    /// Confidence of "holds", one-sided.
    pub confidence: f64,
    /// Whether every replication has to keep the objectives, instead of the mean with confidence.
    pub every: bool,
}

/// What is known of a value, or of one of its objectives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It keeps the objectives.
    Holds,
    /// It does not.
    Fails,
    /// The confidence interval straddles a bound after the last replication; counts as failing.
    Undecided,
}

impl Verdict {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Fails => "fails",
            Verdict::Undecided => "undecided",
        }
    }
}

/// The figures of one replication that the objectives ask for, or why there are none.
pub type Figures = Result<Vec<f64>, String>;

/// What to do with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Run until there are so many replications.
    Run(usize),
    /// It is settled.
    Settled(Verdict),
}

/// An objective's figure over replications.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Mean over the replications that have it; not a number without any.
    pub mean: f64,
    /// Half the width of its interval: t s / sqrt(n); not a number with fewer than two replications.
    pub half_width: f64,
    /// What it says of the objective.
    pub verdict: Verdict,
}

impl Rule {
    /// The numbers of replications after which a value is judged: the declared number, doubled up to the most.
    pub fn looks(&self) -> Vec<usize> {
        if self.plain() {
            return vec![self.replications];
        }
        let mut looks = vec![self.replications];
        while let Some(next) = looks.last().map(|n| (n * 2).min(self.most)).filter(|n| n > looks.last().unwrap_or(n)) {
            looks.push(next);
        }
        looks
    }

    /// Confidence of each look, so that all of them together err at most as often as declared (Bonferroni).
    ///
    /// Formula: 1 - (1 - confidence) / looks.
    pub fn level(&self) -> f64 {
        1.0 - (1.0 - self.confidence) / self.looks().len() as f64
    }

    /// Whether single replications decide, without a confidence.
    pub fn plain(&self) -> bool {
        self.every || self.replications < 2
    }

    /// The figure of one objective over replications.
    ///
    /// Formula: with mean m, standard deviation s and n replications, the upper end m + t s / sqrt(n) has to keep a bound from
    /// above, the lower end one from below; t is the quantile of Student's distribution with n - 1 degrees of freedom. If the
    /// other end violates the bound, the objective fails.
    ///
    /// Source: Law, Simulation Modeling and Analysis, 5th ed. (2015), section 4.5 (interval), 9.4.1 (replications).
    ///
    /// Example: 0.4, 0.5 and 0.6 have m = 0.5 and s = 0.1; at a level of 0.95, t = 2.920 and the half width is 0.1686: a bound of
    /// 0.7 from above holds, 0.3 fails, 0.6 is undecided.
    pub fn estimate(&self, objective: &Objective, values: &[f64]) -> Estimate {
        let n = values.len() as f64;
        // Of equal figures the sum over n may differ in the last digit.
        let alike = values.first().filter(|first| values.iter().all(|x| x == *first));
        let mean = alike.copied().unwrap_or_else(|| values.iter().sum::<f64>() / n);
        let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
        let half_width = match values.len() {
            0 | 1 => f64::NAN,
            _ if variance > 0.0 => student_quantile(self.level(), values.len() - 1) * (variance / n).sqrt(),
            _ => 0.0,
        };
        // Without an interval the worst replication decides.
        let (low, high) = if self.plain() { ends(values) } else { (mean - half_width, mean + half_width) };
        let (worst, best) = if objective.from_above() { (high, low) } else { (low, high) };
        let best = if self.plain() { worst } else { best };
        let verdict = match (objective.holds(worst), objective.holds(best)) {
            (true, _) => Verdict::Holds,
            (false, true) => Verdict::Undecided,
            // With a single replication the ends are not numbers: nothing is known of the mean.
            (false, false) if best.is_nan() => Verdict::Undecided,
            (false, false) => Verdict::Fails,
        };
        Estimate { mean, half_width, verdict }
    }

    /// What to do after the replications so far. They are run one at first, then up to each of the looks; between looks the
    /// answer depends on nothing but them.
    pub fn next(&self, objectives: &[Objective], so_far: &[Figures]) -> Next {
        let n = so_far.len();
        if n == 0 {
            return Next::Run(1);
        }
        if so_far.iter().any(Result::is_err) {
            return Next::Settled(Verdict::Fails);
        }
        let column = |i: usize| so_far.iter().filter_map(|f| f.as_ref().ok()).map(move |f| f[i]).collect::<Vec<f64>>();
        let hopeless = |(i, o): (usize, &Objective)| {
            let values = column(i);
            if self.plain() {
                return values.iter().any(|x| !o.holds(*x));
            }
            // Whatever further replications give, the mean stays above the bound.
            n < self.most
                && o.from_above()
                && o.never_negative()
                && values.iter().sum::<f64>() / self.most as f64 > o.bound
        };
        if objectives.iter().enumerate().any(hopeless) {
            return Next::Settled(Verdict::Fails);
        }
        let looks = self.looks();
        let Some(look) = looks.iter().position(|&look| look == n) else {
            return Next::Run(looks.into_iter().find(|&look| look > n).unwrap_or(n + 1));
        };
        let verdicts: Vec<Verdict> =
            objectives.iter().enumerate().map(|(i, o)| self.estimate(o, &column(i)).verdict).collect();
        if verdicts.contains(&Verdict::Fails) {
            return Next::Settled(Verdict::Fails);
        }
        if verdicts.iter().all(|v| *v == Verdict::Holds) {
            return Next::Settled(Verdict::Holds);
        }
        looks.get(look + 1).map_or(Next::Settled(Verdict::Undecided), |&more| Next::Run(more))
    }
}

fn ends(values: &[f64]) -> (f64, f64) {
    if values.is_empty() {
        return (f64::NAN, f64::NAN);
    }
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Entry, Value};

    fn objective(text: &str) -> Objective {
        let figures = [Entry { key: "latency_s.p99".to_owned(), value: Value::Number(0.0), unit: "s", meaning: "" }];
        Objective::parse(text, &figures).expect(text)
    }

    const RULE: Rule = Rule { replications: 3, most: 3, confidence: 0.95, every: false };

    fn next(rule: Rule, text: &str, values: &[f64]) -> Next {
        rule.next(&[objective(text)], &values.iter().map(|x| Ok(vec![*x])).collect::<Vec<_>>())
    }

    #[test]
    fn the_example_of_the_formula_holds() {
        let verdict = |text: &str| RULE.estimate(&objective(text), &[0.4, 0.5, 0.6]);
        assert!((verdict("p99_latency_s <= 1").half_width - 2.919_985_580 * 0.1 / 3f64.sqrt()).abs() < 1e-9);
        let words = ["<= 0.7", "<= 0.3", "<= 0.6", ">= 0.3", ">= 0.7", ">= 0.4"]
            .map(|rest| verdict(&format!("latency_s.p99 {rest}")).verdict.word());
        assert_eq!(words, ["holds", "fails", "undecided", "holds", "fails", "undecided"]);
    }

    #[test]
    fn equal_replications_have_an_interval_of_no_width() {
        // Five times this number over five is not this number.
        let x = 6.976_154_236_289_542;
        let estimate = RULE.estimate(&objective("latency_s.p99 <= 7"), &[x; 5]);
        assert_eq!((estimate.mean, estimate.half_width, estimate.verdict), (x, 0.0, Verdict::Holds));
    }

    #[test]
    fn looks_double_and_share_the_error() {
        let rule = Rule { replications: 5, most: 17, ..RULE };
        assert_eq!(rule.looks(), [5, 10, 17]);
        assert!((rule.level() - (1.0 - 0.05 / 3.0)).abs() < 1e-12);
        assert_eq!(Rule { every: true, ..rule }.looks(), [5]);
    }

    #[test]
    fn a_value_is_given_up_when_no_further_replication_could_save_it() {
        let rule = Rule { replications: 3, most: 6, ..RULE };
        assert_eq!(next(rule, "latency_s.p99 <= 1", &[]), Next::Run(1));
        assert_eq!(next(rule, "latency_s.p99 <= 1", &[6.1]), Next::Settled(Verdict::Fails));
        assert_eq!(next(rule, "latency_s.p99 <= 1", &[5.9]), Next::Run(3));
        assert_eq!(next(rule, "latency_s.p99 >= 10", &[5.9]), Next::Run(3), "further ones may be large");
        assert_eq!(next(rule, "latency_s.p99 <= 1", &[0.9, 1.0, 1.05]), Next::Run(6));
        assert_eq!(
            next(rule, "latency_s.p99 <= 1", &[0.9, 1.0, 1.05, 0.9, 1.0, 1.05]),
            Next::Settled(Verdict::Undecided)
        );
        assert_eq!(next(rule, "latency_s.p99 <= 1", &[0.5, 0.51, 0.49]), Next::Settled(Verdict::Holds));
        let straddles = [0.9, 1.0, 1.05, 1.0, 1.05, 1.05];
        assert_eq!(next(rule, "latency_s.p99 <= 1", &straddles), Next::Settled(Verdict::Undecided), "a mean of 1.008");
        let failed = rule.next(&[objective("latency_s.p99 <= 1")], &[Ok(vec![0.1]), Err("no room".to_owned())]);
        assert_eq!(failed, Next::Settled(Verdict::Fails));
    }

    #[test]
    fn with_every_each_replication_has_to_hold() {
        let rule = Rule { every: true, ..RULE };
        assert_eq!(next(rule, "latency_s.p99 <= 1", &[0.9]), Next::Run(3));
        assert_eq!(next(rule, "latency_s.p99 <= 1", &[0.9, 0.9, 0.99]), Next::Settled(Verdict::Holds));
        assert_eq!(next(rule, "latency_s.p99 <= 1", &[0.1, 0.1, 1.01]), Next::Settled(Verdict::Fails));
    }

    #[test]
    fn a_wrong_holds_is_as_rare_as_declared() {
        // The mean is exactly the bound: "holds" is wrong, and may be said in at most 5 % of cases.
        let rule = Rule { replications: 5, most: 20, confidence: 0.95, every: false };
        let mut state = crate::types::Seed(7).stream("confidence", 0);
        let bound = [objective("latency_s.p99 <= 10")];
        let cases = 4000;
        let wrong = (0..cases).filter(|_| {
            let mut figures: Vec<Figures> = Vec::new();
            loop {
                match rule.next(&bound, &figures) {
                    Next::Run(n) => {
                        figures.extend((figures.len()..n).map(|_| Ok(vec![10.0 + state.standard_normal()])));
                    }
                    Next::Settled(verdict) => break verdict == Verdict::Holds,
                }
            }
        });
        let share = wrong.count() as f64 / f64::from(cases);
        // Three standard deviations of a binomial share of 5 %.
        assert!(share < 0.05 + 3.0 * (0.05f64 * 0.95 / f64::from(cases)).sqrt(), "{share}");
        assert!(share > 0.02, "{share}: the bound is far from tight");
    }
}
