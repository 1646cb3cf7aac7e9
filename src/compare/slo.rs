//! Objectives: `KEY OP NUMBER`, for example `service_latency_s.p99 <= 0.5`.

use std::ops::Range;

use crate::claim::Operator;
use crate::report::{Entry, number};

/// One objective.
#[derive(Debug, Clone, PartialEq)]
pub struct Slo {
    /// The figure, a key of summary.csv.
    pub key: String,
    /// How they are compared.
    pub operator: Operator,
    /// What the figure is compared with.
    pub bound: f64,
}

/// What is wrong with the text of an objective.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SloError {
    /// In words.
    pub message: String,
    /// The bytes of the text that are wrong.
    pub at: Range<usize>,
}

impl Slo {
    /// Reads one objective.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub fn parse(text: &str) -> Result<Self, SloError> {
        let wrong = |message: String, at: Range<usize>| SloError { message, at };
        let none = |at| wrong(format!("\"{text}\" has no comparison"), at);
        let at = text.find(['<', '>', '=']).ok_or_else(|| none(text.trim_end().len()..text.len()))?;
        let (key, rest) = (text[..at].trim(), &text[at..]);
        let (sign, operator) =
            Operator::ALL.iter().find(|(sign, _)| rest.starts_with(sign)).ok_or_else(|| none(at..at + 1))?;
        let value = rest[sign.len()..].trim();
        if key.is_empty() {
            return Err(wrong(format!("\"{text}\" names no figure"), 0..at));
        }
        match value.parse::<f64>() {
            Ok(bound) if bound.is_finite() => Ok(Self { key: key.to_owned(), operator: *operator, bound }),
            _ => {
                let after = at + sign.len();
                let from = after + text[after..].len() - text[after..].trim_start().len();
                Err(wrong(format!("\"{value}\" in \"{text}\" is not a number"), from..from + value.len()))
            }
        }
    }

    /// Whether a run keeps it; an undefined figure does not.
    pub fn holds(&self, summary: &[Entry]) -> bool {
        number(summary, &self.key).is_some_and(|x| self.operator.holds(x, self.bound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Value;

    fn summary(value: Value) -> Vec<Entry> {
        vec![Entry { key: "latency_s.p99".into(), value, unit: "s", meaning: "" }]
    }

    #[test]
    fn every_operator_compares() {
        let half = summary(Value::Number(0.5));
        let verdicts = ["<= 0.5", ">=0.5", "< 0.5", ">0.5", "== 5e-1", "<= 0.49"]
            .map(|rest| Slo::parse(&format!("latency_s.p99 {rest}")).expect("right").holds(&half));
        assert_eq!(verdicts, [true, true, false, false, true, false]);
        assert!(Slo::parse("latency_s.p99<1").expect("right").holds(&summary(Value::Count(0))));
    }

    #[test]
    fn undefined_figures_keep_nothing() {
        let slo = Slo::parse("latency_s.p99 <= 1e9").expect("right");
        assert!(!slo.holds(&summary(Value::Number(f64::NAN))));
        assert!(!slo.holds(&summary(Value::Text("fast".into()))));
        assert!(!slo.holds(&[]));
    }

    #[test]
    fn an_error_says_where_it_is() {
        let at = |text: &str| Slo::parse(text).expect_err(text).at;
        assert_eq!(at("latency_s.p99 <= fast"), 17..21);
        assert_eq!(at("latency_s.p99 = 1"), 14..15);
        assert_eq!(at("latency_s.p99"), 13..13);
        assert_eq!(at("  <= 1"), 0..2);
    }

    #[test]
    fn what_is_no_objective_is_refused_with_the_reason() {
        for (text, word) in [
            ("latency_s.p99", "no comparison"),
            ("latency_s.p99 = 1", "no comparison"),
            ("<= 1", "names no figure"),
            ("latency_s.p99 <= fast", "\"fast\""),
            ("latency_s.p99 <= inf", "\"inf\""),
            ("latency_s.p99 <=", "not a number"),
        ] {
            let error = Slo::parse(text).expect_err(text);
            assert!(error.to_string().contains(word), "{text}: {error}");
        }
    }
}
