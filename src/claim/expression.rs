//! An expression over figures: its tree, its value, and one way of writing it.

use std::fmt;
use std::ops::Range;

use super::tokens::is_plain;

/// The bytes of the text in which something stands. All places are equal: where something stands does not change what it is.
#[derive(Debug, Clone, Default, Eq)]
pub struct Place(pub Range<usize>);

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What joins two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `/`
    Over,
}

impl Sign {
    /// As it is written.
    pub fn symbol(self) -> char {
        match self {
            Sign::Plus => '+',
            Sign::Minus => '-',
            Sign::Times => '*',
            Sign::Over => '/',
        }
    }

    /// How tightly it binds.
    fn level(self) -> u8 {
        match self {
            Sign::Plus | Sign::Minus => SUM,
            Sign::Times | Sign::Over => PRODUCT,
        }
    }
}

const SUM: u8 = 1;
const PRODUCT: u8 = 2;
const NEGATION: u8 = 3;
const WHOLE: u8 = 4;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// A number.
    Number {
        /// As it was written: 1 for `1 %`.
        written: f64,
        /// Whether it was written as a percentage, and is worth a hundredth.
        percent: bool,
        /// Where it stands.
        at: Place,
    },
    /// A name, of a figure or, as an argument, of whatever the call takes.
    Name {
        /// Without quotes.
        name: String,
        /// Where it stands, quotes included.
        at: Place,
    },
    /// A call.
    Call {
        /// What is called.
        name: String,
        /// With what; at least one.
        arguments: Vec<Expression>,
        /// Where the name stands.
        at: Place,
    },
    /// The negative of an expression.
    Negative(Box<Expression>, Place),
    /// Two operands.
    Pair(Box<Expression>, Sign, Box<Expression>),
}

/// What an expression does not know of itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reference<'e> {
    /// A name.
    Name(&'e str),
    /// A call, other than of [`Expression::FUNCTIONS`].
    Call {
        /// What is called.
        name: &'e str,
        /// With what; at least one.
        arguments: &'e [Expression],
    },
}

/// Says what a reference is worth, or why that is not known.
pub type Resolve<'r> = dyn Fn(&Reference<'_>) -> Result<f64, String> + 'r;

impl Expression {
    /// The functions that need nobody's help: `abs(x)`, and `min` and `max` of any number of expressions.
    pub const FUNCTIONS: [&'static str; 3] = ["abs", "min", "max"];

    /// Reads an expression that is no claim.
    ///
    /// # Errors
    /// What is wrong with the text, where, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, super::ClaimError> {
        super::parse::expression(text)
    }

    /// Its value.
    ///
    /// # Errors
    /// A reference has no finite value, a divisor is 0, or the result is too large: nothing undefined is ever compared.
    pub fn value(&self, resolve: &Resolve<'_>) -> Result<f64, String> {
        let finite = |x: f64, why: &str| if x.is_finite() { Ok(x) } else { Err(format!("{self} {why}")) };
        match self {
            Self::Number { written, percent, .. } => Ok(if *percent { written / 100.0 } else { *written }),
            Self::Name { name, .. } => finite(resolve(&Reference::Name(name))?, "is undefined"),
            Self::Call { name, arguments, .. } => {
                let values = || arguments.iter().map(|a| a.value(resolve)).collect::<Result<Vec<f64>, String>>();
                match name.as_str() {
                    "abs" => Ok(arguments[0].value(resolve)?.abs()),
                    "min" => Ok(values()?.into_iter().fold(f64::INFINITY, f64::min)),
                    "max" => Ok(values()?.into_iter().fold(f64::NEG_INFINITY, f64::max)),
                    _ => finite(resolve(&Reference::Call { name, arguments })?, "is undefined"),
                }
            }
            Self::Negative(of, _) => Ok(-of.value(resolve)?),
            Self::Pair(left, sign, right) => {
                let (a, b) = (left.value(resolve)?, right.value(resolve)?);
                match sign {
                    Sign::Over if b == 0.0 => Err(format!("{self} divides by 0")),
                    Sign::Over => finite(a / b, "is too large"),
                    Sign::Plus => finite(a + b, "is too large"),
                    Sign::Minus => finite(a - b, "is too large"),
                    Sign::Times => finite(a * b, "is too large"),
                }
            }
        }
    }

    /// As [`super::Claim::names`].
    pub fn names(&self) -> Vec<(Reference<'_>, &Place)> {
        match self {
            Self::Number { .. } => Vec::new(),
            Self::Name { name, at } => vec![(Reference::Name(name), at)],
            Self::Call { name, arguments, .. } if Self::FUNCTIONS.contains(&name.as_str()) => {
                arguments.iter().flat_map(Self::names).collect()
            }
            Self::Call { name, arguments, at } => vec![(Reference::Call { name, arguments }, at)],
            Self::Negative(of, _) => of.names(),
            Self::Pair(left, _, right) => left.names().into_iter().chain(right.names()).collect(),
        }
    }

    /// Whether it is a percentage as such, `1 %`: beside a half-width it means a share of the mean.
    pub fn is_percentage(&self) -> bool {
        match self {
            Self::Number { percent, .. } => *percent,
            Self::Negative(of, _) => of.is_percentage(),
            _ => false,
        }
    }

    /// The word that it is, for arguments that name a result or a value of an axis: a name, or a number as it was written.
    pub fn word(&self) -> Option<String> {
        match self {
            Self::Name { name, .. } => Some(name.clone()),
            Self::Number { written, percent: false, .. } => Some(written.to_string()),
            Self::Negative(of, _) if matches!(**of, Self::Number { .. }) => of.word().map(|word| format!("-{word}")),
            _ => None,
        }
    }

    /// Where it stands.
    pub fn place(&self) -> Place {
        match self {
            Self::Number { at, .. } | Self::Name { at, .. } => at.clone(),
            Self::Call { arguments, at, .. } => {
                let end = arguments.last().map_or(at.0.end, |a| a.place().0.end);
                Place(at.0.start..end)
            }
            Self::Negative(of, at) => Place(at.0.start..of.place().0.end),
            Self::Pair(left, _, right) => Place(left.place().0.start..right.place().0.end),
        }
    }

    fn level(&self) -> u8 {
        match self {
            Self::Pair(_, sign, _) => sign.level(),
            Self::Negative(..) => NEGATION,
            _ => WHOLE,
        }
    }

    /// Writes it, in parentheses if it binds less tightly than its surroundings ask.
    fn write(&self, f: &mut fmt::Formatter<'_>, least: u8) -> fmt::Result {
        if self.level() < least {
            return write!(f, "({self})");
        }
        match self {
            Self::Number { written, percent, .. } => write!(f, "{written}{}", if *percent { " %" } else { "" }),
            Self::Name { name, .. } => f.write_str(&quoted(name)),
            Self::Call { name, arguments, .. } => {
                write!(f, "{}(", quoted(name))?;
                for (i, argument) in arguments.iter().enumerate() {
                    write!(f, "{}{argument}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
            Self::Negative(of, _) => {
                f.write_str("-")?;
                of.write(f, NEGATION)
            }
            Self::Pair(left, sign, right) => {
                left.write(f, sign.level())?;
                write!(f, " {} ", sign.symbol())?;
                // a - b - c is (a - b) - c: the right operand must bind more tightly.
                right.write(f, sign.level() + 1)
            }
        }
    }
}

/// A name as it has to be typed.
fn quoted(name: &str) -> String {
    if is_plain(name) { name.to_owned() } else { format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")) }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, SUM)
    }
}

impl fmt::Display for Reference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Name(name) => f.write_str(&quoted(name)),
            Reference::Call { name, arguments } => {
                let all: Vec<String> = arguments.iter().map(ToString::to_string).collect();
                write!(f, "{}({})", quoted(name), all.join(", "))
            }
        }
    }
}
