//! A claim about figures as it is typed, `sci < 0.9 * baseline`: parsed, shown with a caret where it is wrong, evaluated.
//!
//! The room knows no figure and no result. Whoever holds the figures says what a reference is worth ([`Reference`]) and which
//! names there are; [`find_key`] is the one place that turns a short name into the key of a figure. docs/comparing.md has the
//! grammar for readers.
//!
//! ```
//! use slackwater::claim::{Claim, Reference};
//!
//! let claims = Claim::parse("sci < 0.9 * baseline and calls.cold_share <= 1 %")?;
//! let value = |reference: &Reference| match reference {
//!     Reference::Name("sci") => Ok(8.0),
//!     Reference::Name("baseline") => Ok(10.0),
//!     Reference::Name("calls.cold_share") => Ok(0.02),
//!     other => Err(format!("{other} is not known")),
//! };
//! assert_eq!(claims[0].holds(&value), Ok(true)); // 8 < 9
//! assert_eq!(claims[1].holds(&value), Ok(false)); // 0.02 is not at most 0.01
//! # Ok::<(), slackwater::claim::ClaimError>(())
//! ```

mod error;
mod expression;
mod key;
mod parse;
mod tokens;

use std::cmp::Ordering;
use std::fmt;

pub use error::ClaimError;
pub use expression::{Expression, Place, Reference, Resolve, Sign};
pub use key::{ALIASES, KeyError, find_key};

/// How two sides are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `<=`
    AtMost,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `>`
    Above,
    /// `==`
    Equal,
    /// `!=`
    Unequal,
}

impl Operator {
    /// All of them; longer signs first, as `<=` begins with `<`.
    pub const ALL: [(&'static str, Operator); 6] = [
        ("<=", Operator::AtMost),
        (">=", Operator::AtLeast),
        ("==", Operator::Equal),
        ("!=", Operator::Unequal),
        ("<", Operator::Below),
        (">", Operator::Above),
    ];

    /// Whether a number keeps the bound; what is not a number keeps none, not even `!=`.
    pub fn holds(self, x: f64, bound: f64) -> bool {
        match self {
            Operator::AtMost => x <= bound,
            Operator::AtLeast => x >= bound,
            Operator::Below => x < bound,
            Operator::Above => x > bound,
            Operator::Equal => x == bound,
            Operator::Unequal => x.partial_cmp(&bound).is_some_and(Ordering::is_ne),
        }
    }

    /// As it is written.
    pub fn sign(self) -> &'static str {
        Self::ALL.iter().find(|(_, o)| *o == self).map_or("", |(sign, _)| sign)
    }
}

/// One comparison of two expressions.
#[derive(Debug, Clone)]
pub struct Claim {
    /// All that was typed, other claims that are joined to this one by `and` included.
    pub text: String,
    /// What stands before the operator.
    pub left: Expression,
    /// How they are compared.
    pub operator: Operator,
    /// What stands after it.
    pub right: Expression,
}

impl Claim {
    /// Reads one or more claims that are joined by `and`.
    ///
    /// # Errors
    /// What is wrong with the text, where, and what to write instead.
    pub fn parse(text: &str) -> Result<Vec<Self>, ClaimError> {
        parse::claims(text)
    }

    /// Reads exactly one claim.
    ///
    /// # Errors
    /// As [`Claim::parse`]; also several claims.
    pub fn parse_one(text: &str) -> Result<Self, ClaimError> {
        let mut claims = Self::parse(text)?;
        let place = claims.get(1).map(|c| c.left.place());
        match place {
            Some(place) => {
                Err(ClaimError::new(text, &place, "one claim is wanted, and here begins another", "write only one"))
            }
            None => Ok(claims.remove(0)),
        }
    }

    /// Everything that someone else must know, with its place: names and calls, in the order of the text. What stands in the
    /// arguments of a call is the call's; what stands in those of `abs`, `min` and `max` is listed.
    pub fn names(&self) -> Vec<(Reference<'_>, &Place)> {
        let mut names = self.left.names();
        names.extend(self.right.names());
        names
    }

    /// An error at a place in this claim.
    pub fn wrong(&self, at: &Place, message: impl Into<String>, help: impl Into<String>) -> ClaimError {
        ClaimError::new(&self.text, at, message, help)
    }

    /// The values of both sides.
    ///
    /// # Errors
    /// A side has no finite value, and why.
    pub fn sides(&self, resolve: &Resolve<'_>) -> Result<(f64, f64), String> {
        Ok((self.left.value(resolve)?, self.right.value(resolve)?))
    }

    /// Whether it holds for the values given, exactly: `==` allows no rounding.
    ///
    /// # Errors
    /// A side has no finite value: then nothing is known, and nothing holds.
    pub fn holds(&self, resolve: &Resolve<'_>) -> Result<bool, String> {
        let (left, right) = self.sides(resolve)?;
        Ok(self.operator.holds(left, right))
    }
}

/// Equal are claims that say the same, however it was typed.
impl PartialEq for Claim {
    fn eq(&self, other: &Self) -> bool {
        (&self.left, self.operator, &self.right) == (&other.left, other.operator, &other.right)
    }
}

/// This claim alone, in one way of writing.
impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.left, self.operator.sign(), self.right)
    }
}

#[cfg(test)]
mod tests;
