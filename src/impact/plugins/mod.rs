//! The plugins that `sim` computes: one file per family, each with formula and source; the catalogue is at the end.

mod arithmetic;
mod curve;
mod embodied;
mod energy;
mod interpolation;
mod score;
mod teads;
mod time_converter;
mod time_sync;

use std::fmt::Debug;

use super::config::Config;
use super::error::{ImpactError, list};
use super::expression::Operand;
use super::methods::{Methods, Pair};
use super::row::{Mapping, Row, View};

/// What a plugin knows beside its config and the rows.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The plugin's name of a parameter to the manifest's.
    pub mapping: &'a Mapping,
    /// How parameters are combined over time and over components.
    pub methods: &'a Methods,
}

/// One kind of computing.
pub trait Plugin: Debug {
    /// The parameters it reads or writes by name; only these may be mapped.
    fn names(&self) -> Vec<String>;

    /// How its own parameters are combined, unless the manifest says otherwise.
    fn own_methods(&self) -> &'static [(&'static str, Pair)] {
        &[]
    }

    /// Computes all rows of a component.
    ///
    /// # Errors
    /// A row lacks what is needed, or holds what cannot be.
    fn run(&self, rows: Vec<Row>, context: Context<'_>) -> Result<Vec<Row>, ImpactError>;

    /// What it divides by, if it makes a score.
    fn functional_unit(&self) -> Option<&Operand> {
        None
    }
}

/// Computes row by row.
fn each(
    mut rows: Vec<Row>,
    context: Context<'_>,
    compute: impl Fn(&mut View<'_>) -> Result<(), ImpactError>,
) -> Result<Vec<Row>, ImpactError> {
    for (n, row) in rows.iter_mut().enumerate() {
        compute(&mut View::new(row, context.mapping)).map_err(|e| e.in_row(n))?;
    }
    Ok(rows)
}

/// The names of operands, each once.
fn names_of<'a>(operands: impl IntoIterator<Item = &'a Operand>, more: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = operands.into_iter().flat_map(Operand::names).collect();
    names.extend(more.iter().map(|n| (*n).to_owned()));
    names
}

type Make = fn(&mut Config) -> Result<Box<dyn Plugin>, ImpactError>;

/// Every method by its name in a manifest.
const CATALOGUE: &[(&str, Make)] = &[
    ("Sci", score::sci),
    ("SciEmbodied", embodied::sci_embodied),
    ("SciM", embodied::sci_m),
    ("SciO", energy::sci_o),
    ("SciE", energy::sci_e),
    ("EMem", energy::e_mem),
    ("ENet", energy::e_net),
    ("TeadsCurve", teads::teads_curve),
    ("TeadsAWS", teads::teads_aws),
    ("Interpolation", interpolation::interpolation),
    ("TimeSync", time_sync::time_sync),
    ("TimeConverter", time_converter::time_converter),
    ("Sum", arithmetic::sum),
    ("Subtract", arithmetic::subtract),
    ("Multiply", arithmetic::multiply),
    ("Divide", arithmetic::divide),
    ("Coefficient", arithmetic::coefficient),
    ("Exponent", arithmetic::exponent),
];

/// The methods that can be computed.
pub fn methods() -> impl Iterator<Item = &'static str> {
    CATALOGUE.iter().map(|(name, _)| *name)
}

/// Makes a plugin.
///
/// # Errors
/// There is no such method, or the config is wrong.
pub(super) fn make(method: &str, mut config: Config) -> Result<Box<dyn Plugin>, ImpactError> {
    let Some((_, make)) = CATALOGUE.iter().find(|(name, _)| *name == method) else {
        let help = format!("sim computes {}; it makes and fetches no observations", list(methods()));
        return Err(ImpactError::new(format!("sim has no method {method}"), help).at_key("method"));
    };
    let plugin = make(&mut config)?;
    config.finish()?;
    Ok(plugin)
}
