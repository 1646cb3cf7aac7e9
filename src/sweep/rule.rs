//! When a point has replications enough: `until = ["half_width(sci) < 1 %"]`.
//!
//! Formula: after n replications with mean m, deviation s: half width h = t(1 - (1 - confidence) / 2; n - 1) s / sqrt(n); the rule
//! holds where h, or with a percentage h / |m|, is below the bound. It is looked at after `replications` runs and then each time that a
//! quarter more are done (at least one more), so that which runs there are depends on their figures alone, never on who was
//! faster.
//!
//! Source: Law, Simulation Modeling and Analysis, 5th ed. (2015), section 9.4.1 (the sequential procedure); Chow and Robbins, Annals of
//! Mathematical Statistics 36 (1965): the interval covers the mean as often as declared in the limit of small bounds; with few
//! replications somewhat less often, so start with ten or more.

use serde::{Deserialize, Serialize};

use crate::claim::{Claim, Expression, Operator, Reference, find_key};
use crate::stats::Estimate;

/// One rule of `until`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Until {
    /// As it was typed.
    pub text: String,
    /// The figure.
    pub key: String,
    /// The bound of its half width.
    bound: f64,
    /// Whether the bound is a share of the mean.
    relative: bool,
    /// Whether the half width may be equal to the bound.
    inclusive: bool,
}

impl Until {
    /// Reads a rule; `keys` are the figures that a run has.
    ///
    /// # Errors
    /// What is wrong, and what to write instead: message and help.
    pub fn parse(text: &str, keys: &[&str]) -> Result<Self, (String, String)> {
        let form = || "write half_width(FIGURE) < BOUND, for example \"half_width(sci) < 1 %\"".to_owned();
        let claim = Claim::parse_one(text).map_err(|e| (e.message, e.help))?;
        let Expression::Call { name, arguments, .. } = &claim.left else {
            return Err((format!("\"{}\" is no half width", claim.left), form()));
        };
        let [Expression::Name { name: figure, .. }] = &arguments[..] else {
            return Err((format!("{name} takes the name of one figure"), form()));
        };
        if name != "half_width" {
            return Err((format!("nothing is called \"{name}\" here"), form()));
        }
        if !matches!(claim.operator, Operator::Below | Operator::AtMost) {
            return Err((format!("\"{}\" would never end", claim.operator.sign()), form()));
        }
        let key = find_key(figure, keys).map_err(|e| (e.to_string(), form()))?.to_owned();
        let unknown = |r: &Reference<'_>| Err(format!("{r} is no number"));
        let bound = claim.right.value(&unknown).map_err(|message| (message, form()))?;
        if bound <= 0.0 {
            return Err((format!("a half width is never below {}", claim.right), "give a bound above 0".to_owned()));
        }
        let relative = claim.right.is_percentage();
        let inclusive = claim.operator == Operator::AtMost;
        Ok(Self { text: text.to_owned(), key, bound, relative, inclusive })
    }

    /// Whether these replications suffice.
    pub fn holds(&self, values: &[f64], confidence: f64) -> bool {
        let estimate = Estimate::of(values);
        let bound = if self.relative { self.bound * estimate.mean.abs() } else { self.bound };
        let half_width = estimate.half_width(confidence);
        // Nothing is left to narrow where all replications are equal, be it at 0.
        half_width < bound || (half_width == bound && self.inclusive) || half_width == 0.0
    }
}

/// After how many replications a point is looked at next.
pub fn next_look(so_far: u32, first: u32, most: u32) -> u32 {
    let next = if so_far < first { first } else { so_far.saturating_add((so_far / 4).max(1)) };
    next.min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 2] = ["sci.g_per_unit", "latency_s.p99"];

    fn until(text: &str) -> Until {
        Until::parse(text, &KEYS).unwrap_or_else(|(message, help)| panic!("{text}: {message}; {help}"))
    }

    #[test]
    fn a_bound_is_absolute_or_a_share_of_the_mean() {
        // Half width t(0.975; 2) s / sqrt(3) = 4.303 x 0.1 / 1.732 = 0.2484.
        let values = [0.9, 1.0, 1.1];
        assert!(until("half_width(sci) < 0.25").holds(&values, 0.95));
        assert!(!until("half_width(sci) < 0.248").holds(&values, 0.95));
        assert!(until("half_width(sci) < 25 %").holds(&values, 0.95));
        let tenfold = values.map(|x| 10.0 * x);
        assert!(until("half_width(sci.g_per_unit) <= 25 %").holds(&tenfold, 0.95));
        assert!(!until("half_width(sci) < 0.25").holds(&tenfold, 0.95));
        assert!(until("half_width(sci) < 1 %").holds(&[0.0, 0.0], 0.95), "nothing varies");
        assert!(!until("half_width(sci) < 1 %").holds(&[5.0], 0.95), "one replication says nothing");
    }

    #[test]
    fn a_rule_that_would_never_end_is_refused() {
        let message = |text: &str| Until::parse(text, &KEYS).expect_err(text).0;
        assert!(message("half_width(sci) > 1 %").contains("never end"));
        assert!(message("sci < 1 %").contains("no half width"));
        assert!(message("mean(sci) < 1").contains("mean"));
        assert!(message("half_width(sic) < 1 %").contains("sic"));
        assert!(message("half_width(sci) < 0").contains("never below"));
        assert!(message("half_width(sci) < latency_s.p99").contains("no number"));
    }

    #[test]
    fn looks_grow_by_a_quarter_up_to_the_most() {
        let mut looks = vec![next_look(0, 10, 40)];
        while *looks.last().expect("one") < 40 {
            looks.push(next_look(looks[looks.len() - 1], 10, 40));
        }
        assert_eq!(looks, [10, 12, 15, 18, 22, 27, 33, 40]);
        assert_eq!(next_look(2, 2, 9), 3);
    }
}
