//! Parameters that a plugin's config names: a number, a name, or arithmetic over names that begins with `=`.
//!
//! Grammar: `=` sum; sum: product, then any of `+` `-` with a product; product: atom, then any of `*` `/` with an atom; atom: a
//! number, a bare name (a letter, then letters, digits, `_` and `-`), or a quoted name for all others (`'cpu/utilization'`). A hyphen
//! inside a bare name belongs to the name: write `a - b` to subtract. There are no parentheses.

use serde_json::Value;

use super::error::ImpactError;
use super::row::View;

/// Where a plugin takes a number from.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// The config itself.
    Number(f64),
    /// A parameter of the row.
    Name(String),
    /// Arithmetic over parameters of the row.
    Formula(Formula),
}

impl Operand {
    /// Reads a value of a config.
    ///
    /// # Errors
    /// It is neither a number, nor a name, nor arithmetic.
    pub fn parse(value: &Value) -> Result<Self, ImpactError> {
        match value {
            Value::Number(n) => match n.as_f64().filter(|x| x.is_finite()) {
                Some(x) => Ok(Self::Number(x)),
                None => Err(ImpactError::new(format!("{n} is not a finite number"), "write a finite number")),
            },
            Value::String(text) => match text.trim().strip_prefix('=') {
                Some(rest) => Formula::parse(rest).map(Self::Formula),
                None => plain_name(text).map(Self::Name),
            },
            other => Err(ImpactError::new(
                format!("{other} is neither a number nor a name"),
                "write a number, the name of a parameter, or arithmetic that begins with =",
            )),
        }
    }

    /// Its value in a row.
    ///
    /// # Errors
    /// A parameter is missing, or the arithmetic divides by 0.
    pub fn value(&self, row: &View<'_>) -> Result<f64, ImpactError> {
        match self {
            Self::Number(x) => Ok(*x),
            Self::Name(name) => row.number(name),
            Self::Formula(formula) => formula.value(&|name| row.number(name)),
        }
    }

    /// The parameters that it reads.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Number(_) => Vec::new(),
            Self::Name(name) => vec![name.clone()],
            Self::Formula(formula) => formula.names(),
        }
    }
}

/// Where a plugin writes its result, and what it makes of it before.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    name: String,
    formula: Option<Formula>,
}

impl Output {
    /// Reads an output parameter: a name, or arithmetic over one name, which is then the result.
    ///
    /// # Errors
    /// It is neither.
    pub fn parse(text: &str) -> Result<Self, ImpactError> {
        let Some(rest) = text.trim().strip_prefix('=') else {
            return Ok(Self { name: plain_name(text)?, formula: None });
        };
        let formula = Formula::parse(rest)?;
        match formula.names().as_slice() {
            [name] => Ok(Self { name: name.clone(), formula: Some(formula) }),
            names => Err(ImpactError::new(
                format!("an output parameter must name one parameter, and {text:?} names {}", names.len()),
                "write for example =2*energy",
            )),
        }
    }

    /// The parameter.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes a result into a row.
    ///
    /// # Errors
    /// The arithmetic divides by 0, or the result is not finite.
    pub fn write(&self, row: &mut View<'_>, result: f64) -> Result<(), ImpactError> {
        let value = match &self.formula {
            None => result,
            Some(formula) => formula.value(&|_| Ok(result))?,
        };
        row.set_finite(&self.name, value)
    }
}

/// Checks that a text is a name and not arithmetic without its `=`.
fn plain_name(text: &str) -> Result<String, ImpactError> {
    if text.trim().is_empty() {
        return Err(ImpactError::new("the name is empty", "name a parameter"));
    }
    if text.contains(['*', '+', '=', '&', '\'', '"', '(', ')']) {
        return Err(ImpactError::new(
            format!("{text:?} is neither a name nor arithmetic"),
            "begin arithmetic with = and use only names, numbers, + - * and /",
        ));
    }
    Ok(text.to_owned())
}

/// Arithmetic over names.
#[derive(Debug, Clone, PartialEq)]
pub enum Formula {
    /// A number.
    Number(f64),
    /// A parameter.
    Name(String),
    /// Two parts and what stands between them.
    Pair(Box<Formula>, Sign, Box<Formula>),
}

/// What stands between two parts.
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

impl Formula {
    /// Reads arithmetic, without the `=` before it.
    ///
    /// # Errors
    /// The text does not fit the grammar.
    pub fn parse(text: &str) -> Result<Self, ImpactError> {
        let mut rest = text;
        let formula = sum(&mut rest).filter(|_| rest.trim().is_empty());
        formula.ok_or_else(|| {
            ImpactError::new(
                format!("\"={text}\" is not arithmetic"),
                "use only names, numbers, + - * and /; quote names that hold a / as in ='cpu/utilization' * 2",
            )
        })
    }

    /// The parameters in it, each once.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Number(_) => Vec::new(),
            Self::Name(name) => vec![name.clone()],
            Self::Pair(a, _, b) => {
                let mut names = a.names();
                names.extend(b.names().into_iter().filter(|n| !a.names().contains(n)));
                names
            }
        }
    }

    fn value(&self, of: &dyn Fn(&str) -> Result<f64, ImpactError>) -> Result<f64, ImpactError> {
        match self {
            Self::Number(x) => Ok(*x),
            Self::Name(name) => of(name),
            Self::Pair(a, sign, b) => {
                let (a, b) = (a.value(of)?, b.value(of)?);
                match sign {
                    Sign::Plus => Ok(a + b),
                    Sign::Minus => Ok(a - b),
                    Sign::Times => Ok(a * b),
                    Sign::Over if b == 0.0 => {
                        Err(ImpactError::new("the arithmetic divides by 0", "make sure that the divisor is not 0"))
                    }
                    Sign::Over => Ok(a / b),
                }
            }
        }
    }
}

fn sum(rest: &mut &str) -> Option<Formula> {
    chain(rest, &[('+', Sign::Plus), ('-', Sign::Minus)], product)
}

fn product(rest: &mut &str) -> Option<Formula> {
    chain(rest, &[('*', Sign::Times), ('/', Sign::Over)], atom)
}

fn chain(rest: &mut &str, signs: &[(char, Sign)], part: fn(&mut &str) -> Option<Formula>) -> Option<Formula> {
    let mut left = part(rest)?;
    loop {
        let trimmed = rest.trim_start();
        let Some((_, sign)) = signs.iter().find(|(c, _)| trimmed.starts_with(*c)) else { return Some(left) };
        *rest = &trimmed[1..];
        left = Formula::Pair(Box::new(left), *sign, Box::new(part(rest)?));
    }
}

fn atom(rest: &mut &str) -> Option<Formula> {
    let text = rest.trim_start();
    let first = text.chars().next()?;
    if first == '\'' || first == '"' {
        let end = text[1..].find(first)?;
        let name = &text[1..=end];
        *rest = &text[end + 2..];
        return (!name.is_empty()).then(|| Formula::Name(name.to_owned()));
    }
    if first.is_ascii_digit() {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        *rest = &text[end..];
        return text[..end].parse().ok().map(Formula::Number);
    }
    if first.is_alphabetic() {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').unwrap_or(text.len());
        *rest = &text[end..];
        return Some(Formula::Name(text[..end].to_owned()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> f64 {
        let formula = Formula::parse(text).expect("arithmetic");
        let of = |name: &str| match name {
            "a" => Ok(8.0),
            "b" => Ok(2.0),
            "cpu/energy" => Ok(5.0),
            "two-words" => Ok(3.0),
            other => panic!("{other} is no parameter of this test"),
        };
        formula.value(&of).expect("a value")
    }

    #[test]
    fn arithmetic_follows_the_usual_precedence_from_left_to_right() {
        assert_eq!(value("2 + a * b"), 18.0);
        assert_eq!(value("a / b / 2"), 2.0);
        assert_eq!(value("a - b - 1"), 5.0);
        assert_eq!(value("'cpu/energy' * two-words"), 15.0);
    }

    #[test]
    fn what_is_not_arithmetic_is_refused() {
        for text in ["", "2 &  a", "2 *", "* 2", "a b", "(a)", "2a", "'open", "''"] {
            assert!(Formula::parse(text).is_err(), "{text:?} is arithmetic");
        }
        for text in ["2*energy", "energy+1", "'energy'", ""] {
            assert!(plain_name(text).is_err(), "{text:?} is a name");
        }
    }
}
