//! Embodied emissions of components, servers and instances as Boavizta's service prints them.

use serde_json::Value;

use super::super::judge::Tolerance;
use super::super::world::{Context, Fault, Found, Row, failed};
use super::only;
use crate::sci::embodied::{EmbodiedSpec, Item, total};

const ORACLE: &str = "oracles/sci/boavizta.json";
/// Hours of the lifespan of six years over which the service writes instances off.
const LIFESPAN_H: f64 = 52_560.0;

fn breakdown(text: &str) -> Result<Vec<Item>, Fault> {
    let spec: EmbodiedSpec = toml::from_str(&format!("[boavizta]\n{text}")).map_err(failed)?;
    Ok(spec.breakdown(0.0))
}

fn cases(context: &Context) -> Result<Value, Fault> {
    serde_json::from_str(&context.text(ORACLE)?).map_err(failed)
}

fn case<'a>(cases: &'a Value, name: &str) -> Result<&'a Value, Fault> {
    let found = cases.as_array().into_iter().flatten().find(|c| c["name"] == *name);
    found.map(|c| &c["response"]).ok_or_else(|| failed(format!("the oracle has no case {name}")))
}

/// The service prints ends with four figures, and the value with as many as its range allows, one at the least: half of its last digit.
fn last_digit(value: f64) -> f64 {
    let rounded = |digits: usize| format!("{value:.digits$e}").parse::<f64>().unwrap_or(f64::NAN);
    let digits = (0..4).find(|&d| rounded(d) == value).unwrap_or(4);
    0.5 * 10_f64.powi(value.abs().log10().floor() as i32 - digits as i32)
}

/// Value, low and high end of a printed impact against ours.
fn rows(what: &str, impact: &Value, ours: [f64; 3]) -> Result<[Row; 3], Fault> {
    let part = &impact["impacts"]["gwp"]["embedded"];
    let get = |key: &str| part[key].as_f64().ok_or_else(|| failed(format!("{what}: no {key}")));
    let value = get("value")?;
    let of_value = Tolerance::Absolute((1e-3 * value).max(last_digit(value)));
    let end = Tolerance::Relative(1e-3);
    Ok([
        Row::new(what, value, ours[0]).under(of_value),
        Row::new(format!("{what}, low"), get("min")?, ours[1]).under(end),
        Row::new(format!("{what}, high"), get("max")?, ours[2]).under(end),
    ])
}

fn item<'a>(items: &'a [Item], component: &str) -> Result<&'a Item, Fault> {
    items.iter().find(|i| i.component == component).ok_or_else(|| failed(format!("no component {component}")))
}

fn kg(item: &Item) -> [f64; 3] {
    [item.kg, item.low_kg, item.high_kg]
}

/// Every component and server.
pub fn components(context: &Context, _: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let cases = cases(context)?;
    let any = "cpus = { die_mm2 = 1 }\nram = [{ capacity_gb = 1 }]\n";
    let readme = "cpus = { count = 2, die_mm2 = 588 }\nhdds = 2\npower_supplies = { count = 2, weight_kg = 10 }\n\
                  ram = [{ count = 4, capacity_gb = 32, density_gb_per_cm2 = 1.79 }, \
                  { count = 4, capacity_gb = 16, density_gb_per_cm2 = 1.79 }]\n\
                  ssds = [{ count = 2, capacity_gb = 400, density_gb_per_cm2 = 50.6 }]\n";
    let r740 = "cpus = { count = 2 }\nram = [{ count = 12, capacity_gb = 32 }]\nssds = [{ capacity_gb = 400 }]\n";
    let wanted = [
        ("cpu_die_24x24.5mm2", "cpus", "cpus.die_mm2 = 588\nram = [{ capacity_gb = 1 }]\n".to_owned()),
        ("cpu_xeon_8280_fuzzy", "cpus", "cpus.die_mm2 = 694\nram = [{ capacity_gb = 1 }]\n".to_owned()),
        ("ram_32_1.79", "ram", "cpus = {}\nram = [{ capacity_gb = 32, density_gb_per_cm2 = 1.79 }]\n".to_owned()),
        ("ssd_400_50.6", "ssds", format!("{any}ssds = [{{ capacity_gb = 400, density_gb_per_cm2 = 50.6 }}]\n")),
        ("hdd", "hdds", format!("{any}hdds = 1\n")),
        ("psu_3kg", "power supplies", format!("{any}power_supplies = {{ count = 1, weight_kg = 3 }}\n")),
        ("case_rack", "case", format!("{any}case = \"rack\"\n")),
        ("server_readme", "total", readme.to_owned()),
        ("server_dellR740_archetype", "total", r740.to_owned()),
    ];
    let parts = [
        ("ASSEMBLY-1", "assembly"),
        ("CPU-1", "cpus"),
        ("SSD-1", "ssds"),
        ("HDD-1", "hdds"),
        ("POWER_SUPPLY-1", "power supplies"),
        ("CASE-1", "case"),
        ("MOTHERBOARD-1", "mainboard"),
    ];
    let mut all = Vec::new();
    for (name, component, text) in wanted {
        let case = case(&cases, name)?;
        let mut items = breakdown(&text)?;
        items.push(total(&items));
        all.extend(rows(name, case, kg(item(&items, component)?))?);
        for (theirs, ours) in parts {
            let part = &case["verbose"][theirs];
            if component == "total" && part.is_object() {
                all.extend(rows(&format!("{name} {theirs}"), part, kg(item(&items, ours)?))?);
            }
        }
    }
    Ok(only(Found::Rows(all)))
}

/// Instances hold RAM and drives by GB and the rest by virtual CPU; an hour of a lifespan of six years.
pub fn instances(context: &Context, _: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let cases = cases(context)?;
    let server = |cpus: u32, die_mm2: u32, ram: u32| {
        breakdown(&format!(
            "cpus = {{ count = {cpus}, die_mm2 = {die_mm2} }}\nram = [{{ count = {ram}, capacity_gb = 32 }}]\n\
             power_supplies = {{ count = 2 }}\ncase = \"rack\"\n"
        ))
    };
    let instances = [
        ("aws_m5.large", 2.0 / 96.0, server(2, 615, 12)?),
        ("aws_m5.24xlarge", 1.0, server(2, 615, 12)?),
        ("aws_m6g.xlarge", 4.0 / 64.0, server(1, 457, 8)?),
    ];
    let parts = [
        ("ASSEMBLY-1", "assembly"),
        ("CPU-1", "cpus"),
        ("RAM-1", "ram"),
        ("POWER_SUPPLY-1", "power supplies"),
        ("MOTHERBOARD-1", "mainboard"),
    ];
    let mut all = Vec::new();
    for (name, share, items) in instances {
        let case = case(&cases, name)?;
        for (theirs, ours) in parts {
            let kg = kg(item(&items, ours)?).map(|kg| kg * share / LIFESPAN_H);
            all.extend(rows(&format!("{name} {theirs}"), &case["verbose"][theirs], kg)?);
        }
    }
    Ok(only(Found::Rows(all)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_value_is_meant_to_half_of_its_last_digit() {
        for (printed, half) in [(20.0, 5.0), (21.0, 0.5), (0.31, 0.005), (1234.0, 0.5)] {
            assert!((last_digit(printed) / half - 1.0).abs() < 1e-9, "{printed}: {}", last_digit(printed));
        }
    }
}
