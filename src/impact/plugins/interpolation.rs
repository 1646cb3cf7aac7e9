//! `Interpolation`: a parameter through points (x, y) of the config.
//!
//! Formula: `linear` (default), `spline` (natural cubic) or `polynomial` (Lagrange), see [`Curve`]. The text `off` instead of a number
//! is a machine that is off: input and result become 0. Source: Impact Framework 1.1.0. Differences by design: points are sorted as
//! pairs (there: x and y each for itself, which changes a curve that does not rise) and each x is given once; a value outside the
//! points is always an error (there: 0 if the input is arithmetic). Example: Teads' points at 45 % give 0.69625.

use serde_json::Value;

use super::curve::{Curve, Join};
use super::{Context, Plugin, each, names_of};
use crate::impact::config::Config;
use crate::impact::error::ImpactError;
use crate::impact::expression::{Operand, Output};
use crate::impact::row::Row;

#[derive(Debug)]
struct Interpolation {
    curve: Curve,
    input: Operand,
    output: Output,
}

impl Plugin for Interpolation {
    fn names(&self) -> Vec<String> {
        names_of([&self.input], &[self.output.name()])
    }

    fn run(&self, rows: Vec<Row>, context: Context<'_>) -> Result<Vec<Row>, ImpactError> {
        each(rows, context, |row| {
            if let Operand::Name(name) = &self.input
                && row.get(name).and_then(Value::as_str) == Some("off")
            {
                row.set(name, 0.0);
                return self.output.write(row, 0.0);
            }
            let x = self.input.value(row)?;
            let y = self.curve.at(x).map_err(|e| e.at_key("input-parameter"))?;
            self.output.write(row, y)
        })
    }
}

pub(super) fn interpolation(config: &mut Config) -> Result<Box<dyn Plugin>, ImpactError> {
    let join = config.text("method")?;
    let join = Join::parse(join.as_deref().unwrap_or("linear")).map_err(|e| e.at_key("method"))?;
    Ok(Box::new(Interpolation {
        curve: Curve::new(&config.numbers("x")?, &config.numbers("y")?, join)?,
        input: config.operand("input-parameter")?,
        output: config.output("output-parameter")?,
    }))
}
