//! `SciO`, `SciE`, `EMem`, `ENet`: from use to energy, from energy to operational emissions.
//!
//! Formulas (source: if-plugins 0.3.2; the constants are those of Cloud Carbon Footprint):
//!
//! ```text
//!   SciO   carbon-operational [g] = energy [kWh] · grid/carbon-intensity [g/kWh]
//!   SciE   energy [kWh]           = cpu/energy + memory/energy + network/energy, as far as they are given
//!   EMem   memory/energy [kWh]    = memory/capacity [GB] · memory/utilization [%] / 100 · energy-per-gb [kWh/GB], default 0.000392
//!   ENet   network/energy [kWh]   = (network/data-in + network/data-out) [GB] · energy-per-gb [kWh/GB], default 0.001
//! ```
//!
//! The constant of EMem is 0.392 W/GB over one hour and its formula has no duration: rows of other lengths are an error here. The
//! constant of ENet is an average per volume and says nothing about an extra byte.

use super::{Context, Plugin, each};
use crate::impact::config::Config;
use crate::impact::error::{ImpactError, list};
use crate::impact::row::{Row, View};

type Formula = fn(&mut View<'_>, f64) -> Result<f64, ImpactError>;

/// One figure from fixed parameters and one constant.
#[derive(Debug)]
struct Figure {
    inputs: &'static [&'static str],
    output: &'static str,
    constant: f64,
    formula: Formula,
}

impl Plugin for Figure {
    fn names(&self) -> Vec<String> {
        self.inputs.iter().chain([&self.output]).map(|n| (*n).to_owned()).collect()
    }

    fn run(&self, rows: Vec<Row>, context: Context<'_>) -> Result<Vec<Row>, ImpactError> {
        each(rows, context, |row| {
            let result = (self.formula)(row, self.constant)?;
            row.set_finite(self.output, result)
        })
    }
}

pub(super) fn sci_o(_: &mut Config) -> Result<Box<dyn Plugin>, ImpactError> {
    Ok(Box::new(Figure {
        inputs: &["energy", "grid/carbon-intensity"],
        output: "carbon-operational",
        constant: 1.0,
        formula: |row, _| Ok(row.at_least_zero("energy")? * row.at_least_zero("grid/carbon-intensity")?),
    }))
}

const PARTS: &[&str] = &["cpu/energy", "memory/energy", "network/energy"];

pub(super) fn sci_e(_: &mut Config) -> Result<Box<dyn Plugin>, ImpactError> {
    Ok(Box::new(Figure {
        inputs: PARTS,
        output: "energy",
        constant: 1.0,
        formula: |row, _| {
            let given: Vec<&str> = PARTS.iter().copied().filter(|p| row.get(p).is_some()).collect();
            if given.is_empty() {
                let help = format!("give at least one of {}", list(PARTS.iter().copied()));
                return Err(ImpactError::new("no part of the energy is given", help).at_key("energy"));
            }
            given.into_iter().map(|p| row.at_least_zero(p)).sum()
        },
    }))
}

pub(super) fn e_mem(config: &mut Config) -> Result<Box<dyn Plugin>, ImpactError> {
    Ok(Box::new(Figure {
        inputs: &["memory/capacity", "memory/utilization", "duration"],
        output: "memory/energy",
        constant: config.number("energy-per-gb")?.unwrap_or(0.000392),
        formula: |row, kwh_per_gb| {
            let used = row.at_least_zero("memory/capacity")? * percent(row, "memory/utilization")?;
            if row.positive("duration")? != 3600.0 {
                let help =
                    "resample the rows to 3600 s with TimeSync, or multiply by duration with Multiply and Coefficient";
                return Err(ImpactError::new("EMem means rows of one hour", help).at_key("duration"));
            }
            Ok(used * kwh_per_gb)
        },
    }))
}

/// A percentage as a share.
fn percent(row: &View<'_>, name: &str) -> Result<f64, ImpactError> {
    let x = row.at_least_zero(name)?;
    if x > 100.0 {
        return Err(
            ImpactError::new(format!("{x} is more than 100 %"), "write a percentage of at most 100").at_key(name)
        );
    }
    Ok(x / 100.0)
}

pub(super) fn e_net(config: &mut Config) -> Result<Box<dyn Plugin>, ImpactError> {
    Ok(Box::new(Figure {
        inputs: &["network/data-in", "network/data-out"],
        output: "network/energy",
        constant: config.number("energy-per-gb")?.unwrap_or(0.001),
        formula: |row, kwh_per_gb| {
            Ok((row.at_least_zero("network/data-in")? + row.at_least_zero("network/data-out")?) * kwh_per_gb)
        },
    }))
}
