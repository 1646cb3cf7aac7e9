//! `TeadsCurve` and `TeadsAWS`: energy of a CPU, or of an instance, from its utilization.
//!
//! ```text
//!   TeadsCurve  cpu/energy [kWh] = factor(u) · TDP [W] · duration [s] / 3.6e6 · vcpus-allocated / vcpus-total
//!               factor through (0, 0.12) (10, 0.32) (50, 0.75) (100, 1.02), u in %; the share of vCPUs only if given
//!   TeadsAWS    energy [kWh] = P(u) [W] · duration / 3.6e6, P through the instance's points at 0, 10, 50, 100 %
//!               carbon-embodied [g] = embodied emissions of the instance's share of its machine · duration / 4 years of 365 days
//! ```
//!
//! Points are joined by a natural cubic spline, or straight with `interpolation: linear`. Source: if-unofficial-plugins 0.3.1. The
//! instances of TeadsAWS stand in `data/impact/aws_instances.csv`: so far the one that the published vectors use.

use serde_json::Value;

use super::curve::{Curve, Join};
use super::{Context, Plugin, each};
use crate::impact::config::Config;
use crate::impact::error::{ImpactError, list};
use crate::impact::row::{Row, View};
use crate::types::{JOULES_PER_KWH, SECONDS_PER_YEAR};

const LOAD: [f64; 4] = [0.0, 10.0, 50.0, 100.0];
const FACTOR: [f64; 4] = [0.12, 0.32, 0.75, 1.02];
/// Lifespan of the machines, years of 365 days.
const LIFESPAN_YEARS: f64 = 4.0;
const INSTANCES: &str = include_str!("../../../data/impact/aws_instances.csv");

fn join(config: &mut Config) -> Result<Join, ImpactError> {
    let name = config.text("interpolation")?;
    match name.as_deref().map(Join::parse) {
        None => Ok(Join::Spline),
        Some(Ok(join)) if join != Join::Polynomial => Ok(join),
        Some(_) => Err(ImpactError::new("no such interpolation", "write linear or spline").at_key("interpolation")),
    }
}

#[derive(Debug)]
struct TeadsCurve {
    curve: Curve,
}

/// A number, also one written as a text, as the published vectors have it.
fn lenient(row: &View<'_>, name: &str) -> Result<Option<f64>, ImpactError> {
    match row.get(name).and_then(Value::as_str).map(str::parse::<f64>) {
        Some(Ok(x)) if x.is_finite() => Ok(Some(x)),
        _ => row.optional(name),
    }
}

impl Plugin for TeadsCurve {
    fn names(&self) -> Vec<String> {
        let names =
            ["cpu/utilization", "cpu/thermal-design-power", "vcpus-allocated", "vcpus-total", "duration", "cpu/energy"];
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    fn run(&self, rows: Vec<Row>, context: Context<'_>) -> Result<Vec<Row>, ImpactError> {
        each(rows, context, |row| {
            let load = row.number("cpu/utilization")?;
            let factor = self.curve.at(load).map_err(|e| e.at_key("cpu/utilization"))?;
            let watts = factor * row.at_least_zero("cpu/thermal-design-power")?;
            let share = match (lenient(row, "vcpus-allocated")?, lenient(row, "vcpus-total")?) {
                (None, None) => 1.0,
                (Some(part), Some(whole)) if 0.0 <= part && part <= whole && whole > 0.0 => part / whole,
                _ => {
                    let help = "give both, or neither: vcpus-allocated from 0 to vcpus-total, which is above 0";
                    return Err(ImpactError::new("the share of vCPUs is not right", help).at_key("vcpus-allocated"));
                }
            };
            let kwh = watts * row.positive("duration")? / JOULES_PER_KWH * share;
            row.set_finite("cpu/energy", kwh)
        })
    }
}

pub(super) fn teads_curve(config: &mut Config) -> Result<Box<dyn Plugin>, ImpactError> {
    let join = join(config)?;
    Ok(Box::new(TeadsCurve { curve: Curve::new(&LOAD, &FACTOR, join)? }))
}

/// What is known of an instance type.
#[derive(Debug)]
struct Instance {
    name: &'static str,
    power: Curve,
    embodied_g: f64,
}

#[derive(Debug)]
struct TeadsAws {
    instances: Vec<Instance>,
}

impl Plugin for TeadsAws {
    fn names(&self) -> Vec<String> {
        let names = ["cloud/instance-type", "cpu/utilization", "duration", "energy", "carbon-embodied"];
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    fn run(&self, rows: Vec<Row>, context: Context<'_>) -> Result<Vec<Row>, ImpactError> {
        each(rows, context, |row| {
            let name = row.get("cloud/instance-type").and_then(Value::as_str).unwrap_or_default();
            let instance = self.instances.iter().find(|i| i.name == name).ok_or_else(|| {
                let known = list(self.instances.iter().map(|i| i.name));
                let help = format!("sim knows {known}; give others by Interpolation through their watts");
                ImpactError::new(format!("{name:?} is no known instance type"), help).at_key("cloud/instance-type")
            })?;
            let duration_s = row.positive("duration")?;
            let load = row.number("cpu/utilization")?;
            let watts = instance.power.at(load).map_err(|e| e.at_key("cpu/utilization"))?;
            row.set_finite("energy", watts * duration_s / JOULES_PER_KWH)?;
            row.set_finite("carbon-embodied", instance.embodied_g * (duration_s / (LIFESPAN_YEARS * SECONDS_PER_YEAR)))
        })
    }
}

pub(super) fn teads_aws(config: &mut Config) -> Result<Box<dyn Plugin>, ImpactError> {
    let join = join(config)?;
    let mut instances = Vec::new();
    for line in INSTANCES.lines().skip(1) {
        let cells: Vec<&'static str> = line.split(',').collect();
        let x = |i: usize| cells[i].parse::<f64>().expect("the columns after the name are numbers");
        let power = Curve::new(&LOAD, &[x(1), x(2), x(3), x(4)], join)?;
        instances.push(Instance { name: cells[0], power, embodied_g: x(5) * 1000.0 });
    }
    Ok(Box::new(TeadsAws { instances }))
}
