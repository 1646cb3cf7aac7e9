//! Whose share of a server's embodied emissions is ours when others own it before or after.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What another owner's life of the server bears.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum OtherLife {
    /// Its length, in the years in which `lifetime_years` counts; each such life bears in proportion to its length \[years\].
    Years(#[schemars(range(min = 0.001, max = 1000.0))] f64),
    /// The share of the embodied emissions that it bears, whatever its length; below 1, as SCI knows no deduction \[ratio\].
    Share(#[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))] f64),
}

/// The lives of a server beside the present one.
///
/// Formula: with L the years of this life, s the declared shares and Y the years of lives without one,
/// share of this life = (1 - sum s) L / (L + sum Y). The shares of all lives sum to 1.
/// Source: time is the only driver of the straight line, so lives are split by it; a declared share is for a split by price.
/// Assumed: a change of owner emits nothing (transport, new disks).
/// Example: 4 years here and 2 years at the next owner: two thirds are ours.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lives {
    /// Before this one: the server was bought used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<OtherLife>,
    /// After this one: the server is sold or moved on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<OtherLife>,
}

impl Lives {
    /// Whether there is no other owner.
    pub fn is_alone(&self) -> bool {
        *self == Self::default()
    }

    /// The share of the embodied emissions that this life bears, of a length in years.
    pub fn share(&self, years: f64) -> f64 {
        (1.0 - self.declared()) * (years / (years + self.other_years()))
    }

    /// The shares that other lives declare, together \[ratio\].
    pub fn declared(&self) -> f64 {
        self.sum(|life| if let OtherLife::Share(share) = life { share } else { 0.0 })
    }

    /// The years of other lives that declare none, together \[years\].
    pub fn other_years(&self) -> f64 {
        self.sum(|life| if let OtherLife::Years(years) = life { years } else { 0.0 })
    }

    /// Checks that something is left for this life.
    ///
    /// # Errors
    /// A sentence, if the declared shares come to 1 or more.
    pub fn check(&self) -> Result<(), String> {
        let declared = self.declared();
        if declared < 1.0 {
            return Ok(());
        }
        Err(format!(
            "first_life.share and second_life.share sum to {declared}: nothing is left for this life, and SCI knows no deduction"
        ))
    }

    fn sum(&self, of: impl Fn(OtherLife) -> f64) -> f64 {
        [self.first, self.second].into_iter().flatten().map(of).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::close;
    use super::*;

    fn share(first: Option<OtherLife>, second: Option<OtherLife>, years: f64) -> f64 {
        let lives = Lives { first, second };
        lives.check().expect("shares below 1");
        lives.share(years)
    }

    #[test]
    fn lives_are_split_by_years_or_by_what_is_declared() {
        use OtherLife::{Share, Years};
        assert_eq!(share(None, None, 4.0), 1.0);
        close("sold", share(None, Some(Years(2.0)), 4.0), 2.0 / 3.0, 1e-15);
        close("bought used", share(Some(Years(4.0)), None, 2.0), 1.0 / 3.0, 1e-15);
        close("both", share(Some(Years(3.0)), Some(Years(2.0)), 5.0), 0.5, 1e-15);
        close("declared", share(None, Some(Share(0.3)), 4.0), 0.7, 1e-15);
        close("mixed", share(Some(Share(0.4)), Some(Years(1.0)), 3.0), 0.6 * 0.75, 1e-15);
        // Three owners, each asked in turn: nothing is lost and nothing counts twice.
        let years = [3.0, 5.0, 2.0];
        let of = |own: usize| {
            let mut others = (0..3).filter(|&i| i != own).map(|i| Years(years[i]));
            share(others.next(), others.next(), years[own])
        };
        close("all lives", of(0) + of(1) + of(2), 1.0, 1e-15);
        for (first, second) in [(Some(Share(0.6)), Some(Share(0.5))), (Some(Share(0.5)), Some(Share(0.5)))] {
            assert!(Lives { first, second }.check().expect_err("nothing is left").contains("no deduction"));
        }
    }
}
