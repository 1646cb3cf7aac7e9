//! `Sci`: carbon per functional unit [gCO2e per R].
//!
//! Formula: sci = carbon / R. Source: SCI v1.1; Impact Framework 1.1.0. Differences by design: for R = 0 there is no value (there: the
//! carbon itself); a functional unit that is named but missing is an error in both forms; rows below 1 s are computed. Example: 5.02 g
//! over 100 is 0.0502 g.
//!
//! With `functional-unit-time` it is the form of if-plugins 0.3.2: carbon [g/s] = (carbon-operational + carbon-embodied) / duration,
//! which is written into `carbon`; sci = carbon · length / R, the length being for example `1 day` or `2-d`, and R = 1 if the config names
//! no functional unit. The carbon of that form is a rate, and its score cannot be aggregated.

use super::time_converter::seconds;
use super::{Context, Plugin, each, names_of};
use crate::impact::config::Config;
use crate::impact::error::ImpactError;
use crate::impact::expression::Operand;
use crate::impact::methods::{Method, Pair};
use crate::impact::row::{Row, View};
use crate::sci;

const OWN: &[(&str, Pair)] =
    &[("carbon", Pair::both(Method::Sum)), ("sci", Pair { time: Method::Avg, component: Method::Sum })];

#[derive(Debug)]
struct Sci {
    unit: Operand,
}

fn write(row: &mut View<'_>, carbon: f64, units: f64, key: &Operand) -> Result<(), ImpactError> {
    if units < 0.0 {
        let error = ImpactError::new(format!("{units} functional units"), "a number of units is at least 0");
        return Err(error.at_key(&key.names().join(", ")));
    }
    match sci::intensity(carbon, units) {
        Some(score) => row.set_finite("sci", score),
        None => {
            row.set_undefined("sci");
            Ok(())
        }
    }
}

impl Plugin for Sci {
    fn names(&self) -> Vec<String> {
        names_of([&self.unit], &["carbon", "sci"])
    }

    fn own_methods(&self) -> &'static [(&'static str, Pair)] {
        OWN
    }

    fn run(&self, rows: Vec<Row>, context: Context<'_>) -> Result<Vec<Row>, ImpactError> {
        each(rows, context, |row| {
            let units = self.unit.value(row)?;
            let carbon = row.at_least_zero("carbon")?;
            write(row, carbon, units, &self.unit)
        })
    }

    fn functional_unit(&self) -> Option<&Operand> {
        Some(&self.unit)
    }
}

#[derive(Debug)]
struct SciPerTime {
    unit: Option<Operand>,
    length_s: f64,
}

impl Plugin for SciPerTime {
    fn names(&self) -> Vec<String> {
        names_of(&self.unit, &["carbon-operational", "carbon-embodied", "duration", "carbon", "sci"])
    }

    fn run(&self, rows: Vec<Row>, context: Context<'_>) -> Result<Vec<Row>, ImpactError> {
        each(rows, context, |row| {
            let grams = row.at_least_zero("carbon-operational")? + row.at_least_zero("carbon-embodied")?;
            let rate = grams / row.positive("duration")?;
            row.set_finite("carbon", rate)?;
            let one = Operand::Number(1.0);
            let unit = self.unit.as_ref().unwrap_or(&one);
            let units = unit.value(row)?;
            write(row, rate * self.length_s, units, unit)
        })
    }
}

/// A length of time as `1 day` or `2-d` \[s\].
fn length(text: &str) -> Result<f64, ImpactError> {
    let help = "write a number above 0, a space or a hyphen, and a unit of time, as in \"1 day\" or \"2-d\"";
    let wrong = || ImpactError::new(format!("{text:?} is no length of time"), help).at_key("functional-unit-time");
    let (count, unit) = text.split_once([' ', '-']).ok_or_else(wrong)?;
    let count: f64 = count.parse().ok().filter(|x: &f64| x.is_finite() && *x > 0.0).ok_or_else(wrong)?;
    Ok(count * seconds(unit).ok_or_else(wrong)?)
}

pub(super) fn sci(config: &mut Config) -> Result<Box<dyn Plugin>, ImpactError> {
    let Some(text) = config.text("functional-unit-time")? else {
        return Ok(Box::new(Sci { unit: config.operand("functional-unit")? }));
    };
    let unit = config.take("functional-unit").map(|v| Operand::parse(&v)).transpose();
    let unit = unit.map_err(|e| e.at_key("functional-unit"))?;
    Ok(Box::new(SciPerTime { unit, length_s: length(&text)? }))
}
