//! Objectives of a fit: `KEY OP NUMBER`, for example `service_latency_s.p99 <= 0.5`.

use crate::report::{Entry, number};

/// One objective.
#[derive(Debug, Clone, PartialEq)]
pub struct Slo {
    /// The figure, a key of summary.csv.
    pub key: String,
    operator: Operator,
    bound: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    AtMost,
    AtLeast,
    Below,
    Above,
    Equal,
}

/// Longer operators first: `<=` begins with `<`.
const OPERATORS: [(&str, Operator); 5] = [
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("==", Operator::Equal),
    ("<", Operator::Below),
    (">", Operator::Above),
];

impl Slo {
    /// Reads one objective.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let at = text.find(['<', '>', '=']).ok_or_else(|| format!("\"{text}\" has no comparison"))?;
        let (key, rest) = (text[..at].trim(), &text[at..]);
        let (sign, operator) = OPERATORS
            .iter()
            .find(|(sign, _)| rest.starts_with(sign))
            .ok_or_else(|| format!("\"{text}\" has no comparison"))?;
        let value = rest[sign.len()..].trim();
        if key.is_empty() {
            return Err(format!("\"{text}\" names no figure"));
        }
        match value.parse::<f64>() {
            Ok(bound) if bound.is_finite() => Ok(Self { key: key.to_owned(), operator: *operator, bound }),
            _ => Err(format!("\"{value}\" in \"{text}\" is not a number")),
        }
    }

    /// Whether a run keeps it; an undefined figure does not.
    pub fn holds(&self, summary: &[Entry]) -> bool {
        number(summary, &self.key).is_some_and(|x| match self.operator {
            Operator::AtMost => x <= self.bound,
            Operator::AtLeast => x >= self.bound,
            Operator::Below => x < self.bound,
            Operator::Above => x > self.bound,
            Operator::Equal => x == self.bound,
        })
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
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
