//! `Sum`, `Subtract`, `Multiply`, `Divide`, `Coefficient`, `Exponent`: one operation over named parameters.
//!
//! Formulas, with the parameters x1, x2, … of the config: Sum x1 + x2 + …; Subtract x1 − x2 − …; Multiply x1 · x2 · …; Divide
//! numerator / denominator; Coefficient x · coefficient; Exponent x ^ exponent. Source: Impact Framework 1.1.0. Units are those of the
//! parameters; nothing checks them. Difference by design: dividing by 0 is an error (there: the numerator, with a warning).

use super::{Context, Plugin, each, names_of};
use crate::impact::config::Config;
use crate::impact::error::ImpactError;
use crate::impact::expression::{Operand, Output};
use crate::impact::row::Row;

#[derive(Debug)]
enum Fold {
    Sum,
    Subtract,
    Multiply,
    Divide,
    Power,
}

/// An operation from left to right over at least one parameter.
#[derive(Debug)]
struct Arithmetic {
    fold: Fold,
    inputs: Vec<Operand>,
    output: Output,
}

impl Plugin for Arithmetic {
    fn names(&self) -> Vec<String> {
        names_of(&self.inputs, &[self.output.name()])
    }

    fn run(&self, rows: Vec<Row>, context: Context<'_>) -> Result<Vec<Row>, ImpactError> {
        each(rows, context, |row| {
            let (first, rest) = self.inputs.split_first().expect("the config has at least one parameter");
            let mut result = first.value(row)?;
            for operand in rest {
                let x = operand.value(row)?;
                result = match self.fold {
                    Fold::Sum => result + x,
                    Fold::Subtract => result - x,
                    Fold::Multiply => result * x,
                    Fold::Divide if x == 0.0 => {
                        let help = "make sure that the denominator is not 0; a quotient by 0 has no value";
                        return Err(ImpactError::new("the denominator is 0", help).at_key("denominator"));
                    }
                    Fold::Divide => result / x,
                    Fold::Power => libm::pow(result, x),
                };
            }
            self.output.write(row, result)
        })
    }
}

fn many(fold: Fold, config: &mut Config) -> Result<Box<dyn Plugin>, ImpactError> {
    let inputs = config.operands("input-parameters")?;
    Ok(Box::new(Arithmetic { fold, inputs, output: config.output("output-parameter")? }))
}

fn two(
    fold: Fold,
    config: &mut Config,
    [first, second, output]: [&'static str; 3],
) -> Result<Box<dyn Plugin>, ImpactError> {
    let inputs = vec![config.operand(first)?, config.operand(second)?];
    Ok(Box::new(Arithmetic { fold, inputs, output: config.output(output)? }))
}

pub(super) fn sum(config: &mut Config) -> Result<Box<dyn Plugin>, ImpactError> {
    many(Fold::Sum, config)
}

pub(super) fn subtract(config: &mut Config) -> Result<Box<dyn Plugin>, ImpactError> {
    many(Fold::Subtract, config)
}

pub(super) fn multiply(config: &mut Config) -> Result<Box<dyn Plugin>, ImpactError> {
    many(Fold::Multiply, config)
}

pub(super) fn divide(config: &mut Config) -> Result<Box<dyn Plugin>, ImpactError> {
    two(Fold::Divide, config, ["numerator", "denominator", "output"])
}

pub(super) fn coefficient(config: &mut Config) -> Result<Box<dyn Plugin>, ImpactError> {
    two(Fold::Multiply, config, ["input-parameter", "coefficient", "output-parameter"])
}

pub(super) fn exponent(config: &mut Config) -> Result<Box<dyn Plugin>, ImpactError> {
    two(Fold::Power, config, ["input-parameter", "exponent", "output-parameter"])
}
