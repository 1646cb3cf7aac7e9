//! An objective as it is typed: a figure of summary.csv or its short name, a comparison, a bound.

use crate::claim::{ClaimError, Operator, Place, find_key};
use crate::compare::Slo;
use crate::report::{Entry, Value, number};

/// One objective, its figure known to exist.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// As it was typed.
    pub text: String,
    /// The figure: a key of summary.csv, or the name of a share.
    pub key: String,
    /// Its unit.
    pub unit: &'static str,
    /// How it is compared.
    pub operator: Operator,
    /// What it is compared with.
    pub bound: f64,
    share: Option<&'static Share>,
}

/// A share of calls that no run has as a figure of its own.
#[derive(Debug, PartialEq)]
pub struct Share {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    over: &'static str,
    parts: &'static [&'static str],
}

/// The shares. No call counts twice: deadlines are missed by executed calls only.
pub const SHARES: [Share; 3] = [
    Share {
        name: "violation_rate",
        meaning: "calls rejected, executed after their deadline, or unfinished, over calls received",
        over: "calls.received",
        parts: &["calls.rejected", "calls.missed_deadline", "calls.unfinished"],
    },
    Share {
        name: "rejected_share",
        meaning: "calls rejected over calls received",
        over: "calls.received",
        parts: &["calls.rejected"],
    },
    Share {
        name: "unfinished_share",
        meaning: "calls unfinished over calls received",
        over: "calls.received",
        parts: &["calls.unfinished"],
    },
];

/// Sections of the summary whose figures are never below 0.
const NEVER_NEGATIVE: [&str; 17] = [
    "run",
    "instances",
    "migrations",
    "multiplexing",
    "exhaustion",
    "calls",
    "cold_share_by_app",
    "latency_s",
    "service_latency_s",
    "deferral_s",
    "sandboxes",
    "start_s",
    "memory",
    "utilization",
    "hosts",
    "energy_j",
    "carbon_g",
];

impl Objective {
    /// Reads one objective; `figures` are those that a run has.
    ///
    /// # Errors
    /// What is wrong, with the text and the place in it.
    pub fn parse(text: &str, figures: &[Entry]) -> Result<Self, String> {
        let pointed = |message: &str, from: usize, to: usize, help: &str| {
            ClaimError::new(text, &Place(from..to), format!("--slo: {message}"), help).to_string()
        };
        let form = "write KEY OP NUMBER, for example 'service_latency_s.p99 <= 0.5'; OP is <=, >=, < or >";
        let slo = Slo::parse(text).map_err(|e| pointed(&e.message, e.at.start, e.at.end, form))?;
        if slo.operator == Operator::Equal {
            let at = text.find("==").unwrap_or(0);
            return Err(pointed("a mean of replications never equals a bound", at, at + 2, form));
        }
        let found = |key: &str, unit, share| Self {
            text: text.trim().to_owned(),
            key: key.to_owned(),
            unit,
            operator: slo.operator,
            bound: slo.bound,
            share,
        };
        let start = text.find(slo.key.as_str()).unwrap_or(0);
        let wrong = |message: &str, help: &str| Err(pointed(message, start, start + slo.key.len(), help));
        if let Some(share) = SHARES.iter().find(|s| s.name == slo.key) {
            return Ok(found(share.name, "1", Some(share)));
        }
        let keys: Vec<&str> = figures.iter().map(|e| e.key.as_str()).chain(SHARES.iter().map(|s| s.name)).collect();
        let key = match find_key(&slo.key, &keys) {
            Ok(key) => key,
            Err(e) => return wrong(&e.to_string(), &e.help()),
        };
        let entry = figures.iter().find(|e| e.key == key).expect("shares were found above");
        match &entry.value {
            Value::Text(_) => wrong(&format!("\"{key}\" is a text"), "name a figure that is a number"),
            _ => Ok(found(&entry.key, entry.unit, None)),
        }
    }

    /// The figure in a run; `None` where it is undefined.
    pub fn figure(&self, summary: &[Entry]) -> Option<f64> {
        let Some(share) = self.share else { return number(summary, &self.key) };
        let parts: Option<Vec<f64>> = share.parts.iter().map(|part| number(summary, part)).collect();
        let over = number(summary, share.over).filter(|n| *n > 0.0)?;
        Some(parts?.iter().sum::<f64>() / over)
    }

    /// Whether a number keeps the bound.
    pub fn holds(&self, x: f64) -> bool {
        self.operator.holds(x, self.bound)
    }

    /// Whether the bound is one from above.
    pub fn from_above(&self) -> bool {
        matches!(self.operator, Operator::AtMost | Operator::Below)
    }

    /// Whether it is a share of calls, which a run without calls does not have.
    pub fn is_share_of_calls(&self) -> bool {
        self.share.is_some()
    }

    /// Whether the figure is never below 0, as counts, times, energies and their shares are.
    pub fn never_negative(&self) -> bool {
        let section = self.key.split('.').next().unwrap_or_default();
        self.is_share_of_calls() || NEVER_NEGATIVE.contains(&section)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Vec<Entry> {
        let counts =
            [("calls.received", 200), ("calls.rejected", 1), ("calls.missed_deadline", 2), ("calls.unfinished", 3)];
        let numbers =
            [("latency_s.p99", 0.4), ("latency_s.mean", 0.1), ("calls.cold_share", 0.2), ("deferral_s.mean", 0.0)];
        let entry = |key: &str, value| Entry { key: key.to_owned(), value, unit: "1", meaning: "" };
        let counts = counts.iter().map(|(k, n)| entry(k, Value::Count(*n)));
        let numbers = numbers.iter().map(|(k, x)| entry(k, Value::Number(*x)));
        counts.chain(numbers).chain([entry("sci.unit", Value::Text("call".to_owned()))]).collect()
    }

    #[test]
    fn short_names_stand_for_keys() {
        let key = |text: &str| Objective::parse(text, &summary()).expect(text).key;
        assert_eq!(key("p99_latency_s <= 0.5"), "latency_s.p99");
        assert_eq!(key("latency_s.p99<0.5"), "latency_s.p99");
        assert_eq!(key("cold_share >= 0.1"), "calls.cold_share");
        assert_eq!(key("violation_rate <= 0.01"), "violation_rate");
    }

    #[test]
    fn a_violation_is_a_call_rejected_late_or_unfinished() {
        let rate = Objective::parse("violation_rate <= 0.01", &summary()).expect("right");
        assert_eq!(rate.figure(&summary()), Some(6.0 / 200.0));
        assert_eq!(rate.figure(&[]), None);
        assert!(!rate.holds(0.03) && rate.never_negative() && rate.from_above());
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        for (text, words) in [
            ("latency_s.p98 <= 1", ["no run has the figure \"latency_s.p98\"", "did you mean \"latency_s.p99\"?"]),
            ("p98_latency_s <= 1", ["no run has the figure", "Near: "]),
            ("latency_s.p99 <= fast", ["\"fast\"", "\n                     ^^^^\n"]),
            ("latency_s.p99 == 1", ["never equals", "\n                  ^^\n"]),
            ("mean <= 1", ["latency_s.mean or deferral_s.mean", "write one of them"]),
            ("unit <= 1", ["\"sci.unit\" is a text", "\n    ^^^^\n"]),
        ] {
            let error = Objective::parse(text, &summary()).expect_err(text);
            for word in words {
                assert!(error.contains(word), "{text}: no \"{word}\" in\n{error}");
            }
        }
    }
}
