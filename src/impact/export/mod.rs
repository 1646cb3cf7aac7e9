//! A finished run as a manifest: one child per region, one observation per step, and the pipeline that gives back its score.
//!
//! ```text
//!   carbon-operational = energy · grid/carbon-intensity        Multiply
//!   carbon             = carbon-operational + carbon-embodied  Sum
//!   sci                = carbon / R of the row                 Sci
//!   sci-of-run         = carbon / R of the run                 Divide; its sum is the score of the run, in any tool
//! ```
//!
//! The intensity of an observation is weighted by energy, O / E of its row, so that E · I gives O again to the last rounding; where no
//! energy was drawn it is the time mean. Embodied emissions are the region's, straight line over the run. Functional units are the
//! calls executed in the step; where the time series does not hold them, R of the run is apportioned: hours of any kind by the calls in
//! execution, tenant-hours by time, a user's own unit by the calls executed. A last step below 1 s is joined to the one before it, because Impact Framework refuses it.

mod result;
mod unit;

use std::path::Path;

use serde_json::{Map, Value, json};

use self::result::{Finished, Observation, number, text};
use self::unit::{By, Unit};
use super::error::ImpactError;
use super::row::number as as_number;
use super::time;
use crate::types::JOULES_PER_KWH;

/// The largest relative difference between the sums of the steps and the summary: rounding of sums over a long run.
const CLOSE: f64 = 1e-9;

/// Makes a manifest of a results folder, with steps of `step_s` seconds.
///
/// # Errors
/// The folder is not the result of one run, or the step is no multiple of the run's own.
pub fn export(folder: &Path, step_s: f64) -> Result<Value, ImpactError> {
    let run = Finished::read(folder)?;
    manifest(&run, step_s).map_err(|e| e.in_file(folder))
}

fn manifest(run: &Finished, step_s: f64) -> Result<Value, ImpactError> {
    let own_s = number(&run.manifest, &["scenario", "output", "step_s"])?;
    let ratio = (step_s / own_s).round();
    if !(ratio >= 1.0 && (step_s - ratio * own_s).abs() <= 1e-9 * step_s) {
        let help = format!("choose a multiple of {own_s} s, which is output.step_s of the scenario");
        return Err(ImpactError::new(format!("steps of {step_s} s cannot be made of this run"), help).at_key("--step"));
    }
    let unit = Unit::of(run)?;
    let start =
        time::parse(run.manifest.pointer("/scenario/time/start")).map_err(|e| e.at_key("scenario.time.start"))?;
    let mut children = Map::new();
    let mut all = Vec::new();
    for region in &run.regions {
        let steps = join(&region.steps, own_s * ratio);
        let mut inputs = Vec::with_capacity(steps.len());
        for step in &steps {
            let at = time::after(start, (step.time_s * 1e9).round() as i64)?;
            inputs.push(observation(step, &time::print(at), region.embodied_g * (step.length_s / run.length_s), &unit));
        }
        children.insert(region.name.clone(), json!({ "inputs": inputs }));
        all.extend(steps);
    }
    closes(run, &all, &unit)?;
    let mut tree = Map::new();
    let compute: &[&str] = if unit.total > 0.0 {
        &["operational-carbon", "total-carbon", "score", "share-of-score"]
    } else {
        &["operational-carbon", "total-carbon"]
    };
    tree.insert("pipeline".to_owned(), json!({ "compute": compute }));
    if unit.total > 0.0 {
        tree.insert("defaults".to_owned(), json!({ "units-of-run": as_number(unit.total) }));
    }
    tree.insert("children".to_owned(), Value::Object(children));
    let mut metrics = vec!["energy", "carbon-operational", "carbon-embodied", "carbon", &unit.name];
    metrics.extend((unit.total > 0.0).then_some("sci-of-run"));
    let name = run.manifest.pointer("/scenario_file").and_then(Value::as_str).map(Path::new);
    let name = name.and_then(Path::file_stem).map_or_else(|| "run".to_owned(), |n| n.to_string_lossy().into_owned());
    Ok(json!({
        "name": name,
        "description": run.manifest.pointer("/scenario/description").cloned().unwrap_or(Value::Null),
        "tags": { "kind": "simulation", "complexity": null, "category": "datacenter" },
        "aggregation": { "metrics": metrics, "type": "both" },
        "initialize": { "plugins": plugins(&unit) },
        "slackwater": facts(run, &unit)?,
        "tree": tree,
    }))
}

/// Steps of the run joined to longer ones.
fn join(steps: &[Observation], step_s: f64) -> Vec<Observation> {
    let mut joined: Vec<Observation> = Vec::new();
    let mut bin = f64::NAN;
    for step in steps {
        let of = ((step.time_s + 1e-6) / step_s).floor();
        let short_end = step.time_s + step.length_s >= steps[steps.len() - 1].time_s && step.length_s < 1.0;
        match joined.last_mut() {
            Some(last) if of == bin || short_end => add(last, step),
            _ => joined.push(*step),
        }
        bin = of;
    }
    joined
}

fn add(sum: &mut Observation, step: &Observation) {
    sum.length_s = step.time_s + step.length_s - sum.time_s;
    sum.energy_kwh += step.energy_kwh;
    sum.operational_g += step.operational_g;
    sum.intensity_s += step.intensity_s;
    sum.executed += step.executed;
    sum.running_s += step.running_s;
    sum.utilization_s += step.utilization_s;
}

fn observation(step: &Observation, timestamp: &str, embodied_g: f64, unit: &Unit) -> Value {
    let weighted = step.operational_g / step.energy_kwh;
    let intensity = if step.energy_kwh > 0.0 { weighted } else { step.intensity_s / step.length_s };
    let mut row = Map::new();
    row.insert("timestamp".to_owned(), json!(timestamp));
    for (name, x) in [
        ("duration", step.length_s),
        ("energy", step.energy_kwh),
        ("grid/carbon-intensity", intensity),
        ("carbon-operational", step.operational_g),
        ("carbon-embodied", embodied_g),
        (&unit.name, unit.count(step)),
        ("cpu/utilization", 100.0 * step.utilization_s / step.length_s),
    ] {
        row.insert(name.to_owned(), as_number(x));
    }
    Value::Object(row)
}

fn parameter(unit: &str, description: &str, time: &str, component: &str) -> Value {
    json!({ "unit": unit, "description": description, "aggregation-method": { "time": time, "component": component } })
}

fn plugins(unit: &Unit) -> Value {
    let sum = |unit: &str, description: &str| parameter(unit, description, "sum", "sum");
    let mut plugins = json!({
        "operational-carbon": {
            "path": "builtin",
            "method": "Multiply",
            "config": { "input-parameters": ["energy", "grid/carbon-intensity"], "output-parameter": "carbon-operational" },
            "parameter-metadata": {
                "inputs": {
                    "energy": sum("kWh", "facility energy of the region, cooling and power conversion included"),
                    "grid/carbon-intensity": parameter("gCO2e/kWh", "operational emissions over energy of the step", "avg", "avg"),
                    "cpu/utilization": parameter("%", "CPU in use over all cores of the region", "avg", "avg"),
                },
                "outputs": { "carbon-operational": sum("gCO2e", "operational emissions, O") },
            },
        },
        "total-carbon": {
            "path": "builtin",
            "method": "Sum",
            "config": { "input-parameters": ["carbon-operational", "carbon-embodied"], "output-parameter": "carbon" },
            "parameter-metadata": {
                "inputs": { "carbon-embodied": sum("gCO2e", "embodied emissions of the hosts, straight line, M") },
                "outputs": { "carbon": sum("gCO2e", "O + M") },
            },
        },
        "score": {
            "path": "builtin",
            "method": "Sci",
            "config": { "functional-unit": &unit.name },
            "parameter-metadata": { "inputs": { (unit.name.as_str()): sum(&unit.name, "functional units of the step, R") } },
        },
        "share-of-score": {
            "path": "builtin",
            "method": "Divide",
            "config": { "numerator": "carbon", "denominator": "units-of-run", "output": "sci-of-run" },
            "parameter-metadata": {
                "inputs": { "units-of-run": parameter(&unit.name, "functional units of the whole run", "copy", "copy") },
                "outputs": { "sci-of-run": sum("gCO2e/R", "the step's part of the run's score; its sum is the score") },
            },
        },
    });
    if unit.total <= 0.0
        && let Some(map) = plugins.as_object_mut()
    {
        map.shift_remove("share-of-score");
    }
    plugins
}

/// What a reader must know of the run beside its numbers.
fn facts(run: &Finished, unit: &Unit) -> Result<Value, ImpactError> {
    let of = |key: &str| run.manifest.get(key).cloned().unwrap_or(Value::Null);
    let mut signals = Map::new();
    for (region, signal) in run.regions.iter().zip(of("signals").as_array().into_iter().flatten()) {
        signals.insert(region.name.clone(), signal.clone());
    }
    let units = match unit.by {
        By::Executed => "calls executed in the step, in proportion to units of the run",
        By::Running => "units of the run, apportioned to steps by calls in execution",
        By::Time => "units of the run, apportioned to regions and steps by time",
    };
    let said = |key: &str| text(&run.summary, &["sci", key]);
    Ok(json!({
        "program": of("program"),
        "version": of("version"),
        "git-commit": of("git_commit"),
        "scenario-file": of("scenario_file"),
        "scenario-sha256": of("scenario_sha256"),
        "set": of("set"),
        "seed": of("seed"),
        "standard": said("standard")?,
        "boundary": said("boundary")?,
        "functional-unit": said("unit")?,
        "functional-units": units,
        "intensity": "operational emissions over energy of each step; time mean where no energy was drawn",
        "signal": said("signal")?,
        "signal-kind": said("signal_kind")?,
        "factor-basis": said("factor_basis")?,
        "dataset-version": said("dataset_version")?,
        "signals": signals,
        "lifetime-years": said("lifetime_years")?,
        "embodied": said("embodied")?,
        "run": {
            "duration": run.length_s,
            "carbon-operational": number(&run.summary, &["carbon_g", "operational"])?,
            "carbon-embodied": number(&run.summary, &["carbon_g", "embodied"])?,
            "units": unit.total,
            "sci": run.summary.pointer("/sci/g_per_unit").cloned().unwrap_or(Value::Null),
        },
    }))
}

/// Checks that the steps add up to what the summary says.
fn closes(run: &Finished, steps: &[Observation], unit: &Unit) -> Result<(), ImpactError> {
    let embodied = run.regions.iter().map(|r| r.embodied_g).sum::<f64>();
    let energy = steps.iter().map(|s| s.energy_kwh).sum::<f64>() * JOULES_PER_KWH;
    let mut sums = vec![
        ("energy_j.total", energy, number(&run.summary, &["energy_j", "total"])?),
        (
            "carbon_g.operational",
            steps.iter().map(|s| s.operational_g).sum(),
            number(&run.summary, &["carbon_g", "operational"])?,
        ),
        ("carbon_g.embodied", embodied, number(&run.summary, &["carbon_g", "embodied"])?),
    ];
    sums.push(("sci.units", steps.iter().map(|s| unit.count(s)).sum(), unit.total));
    for (key, steps, whole) in sums {
        if (steps - whole).abs() > CLOSE * whole.abs() {
            let what = format!("the steps add up to {steps}, and summary.json says {whole}");
            return Err(ImpactError::new(what, "the files are not of one run; run the scenario again").at_key(key));
        }
    }
    Ok(())
}
