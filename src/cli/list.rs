//! `sim list`: what exists, read from the same types and catalogues that a run uses.

use clap::{Args, ValueEnum};
use serde_json::Value as Json;
use slackwater::{grid, isolation, report, scenario};

use super::Failure;

/// Arguments of `sim list`.
#[derive(Debug, Args)]
pub struct List {
    /// What to show; without it, everything by name.
    what: Option<What>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Policies of all eight seams, with parameters and defaults.
    Policies,
    /// Isolation mechanisms, with every figure and its source.
    Isolation,
    /// Power models.
    PowerModels,
    /// Grid zones with an embedded typical year.
    Zones,
    /// Sources of calls.
    Workloads,
    /// Columns of every table that a run writes.
    Outputs,
}

impl List {
    pub fn execute(self) -> Result<(), Failure> {
        let text = match self.what {
            Some(what) => section(what),
            None => What::value_variants().iter().map(|&what| short(what)).collect(),
        };
        super::print(&text)
    }
}

const SEAMS: [&str; 8] =
    ["admission", "shifting", "routing", "packing", "overcommit", "keep_alive", "scaling", "provisioning"];

fn section(what: What) -> String {
    let schema = scenario::schema();
    match what {
        What::Policies => {
            SEAMS.map(|seam| variants(&schema, &format!("[scheduler.{seam}.NAME]"), &seam_enum(&schema, seam))).concat()
        }
        What::PowerModels => variants(&schema, "[servers.SERVER.power.NAME]", &schema["$defs"]["PowerSpec"]),
        What::Workloads => variants(&schema, "[workload.NAME]", &schema["$defs"]["WorkloadSpec"]),
        What::Isolation => isolation_text(),
        What::Zones => zones_text(),
        What::Outputs => outputs_text(),
    }
}

fn short(what: What) -> String {
    let word = what.to_possible_value().map_or(String::new(), |v| v.get_name().to_owned());
    let names: String = names(what).iter().map(|name| format!("  {name}\n")).collect();
    format!("sim list {word}\n{names}")
}

fn names(what: What) -> Vec<String> {
    let schema = scenario::schema();
    let of = |part: &Json| tags(part).map(|(name, _)| name).collect::<Vec<_>>();
    match what {
        What::Policies => SEAMS
            .iter()
            .flat_map(|seam| of(&seam_enum(&schema, seam)).into_iter().map(move |n| format!("{seam}.{n}")))
            .collect(),
        What::PowerModels => of(&schema["$defs"]["PowerSpec"]),
        What::Workloads => of(&schema["$defs"]["WorkloadSpec"]),
        What::Isolation => isolation::catalogue().iter().map(|e| e.name.clone()).collect(),
        What::Zones => grid::Typical::zones().iter().map(|z| z.zone.clone()).collect(),
        What::Outputs => tables().iter().map(|(name, _)| (*name).to_owned()).collect(),
    }
}

/// The schema of one seam's enum.
fn seam_enum(schema: &Json, seam: &str) -> Json {
    let property = &schema["$defs"]["SchedulerSpec"]["properties"][seam];
    resolve(schema, property).clone()
}

fn resolve<'s>(schema: &'s Json, part: &'s Json) -> &'s Json {
    let name = part["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/"));
    name.map_or(part, |name| &schema["$defs"][name])
}

/// The variants of an externally tagged enum: name and schema.
fn tags(part: &Json) -> impl Iterator<Item = (String, &Json)> {
    part["oneOf"].as_array().into_iter().flatten().filter_map(|variant| {
        let (name, _) = variant["properties"].as_object()?.iter().next()?;
        Some((name.clone(), variant))
    })
}

fn variants(schema: &Json, head: &str, part: &Json) -> String {
    let mut text = format!("{head}\n");
    for (name, variant) in tags(part) {
        text += &format!("\n  {name}\n");
        text += &wrapped(variant["description"].as_str().unwrap_or_default(), 6);
        let inner = resolve(schema, &variant["properties"][&name]);
        let required: Vec<&str> = inner["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        for (key, property) in inner["properties"].as_object().into_iter().flatten() {
            let value = match &property["default"] {
                Json::Null if required.contains(&key.as_str()) => "required".to_owned(),
                Json::Null => "optional".to_owned(),
                default => format!("default {default}"),
            };
            text += &format!("      {key} ({value})\n");
            text += &wrapped(property["description"].as_str().unwrap_or_default(), 10);
        }
    }
    text + "\n"
}

/// Text in lines of at most 100 columns, indented.
fn wrapped(text: &str, indent: usize) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && indent + line.chars().count() + 1 + word.chars().count() > 100 {
            lines += &format!("{:indent$}{line}\n", "");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    if !line.is_empty() {
        lines += &format!("{:indent$}{line}\n", "");
    }
    lines
}

fn isolation_text() -> String {
    let mut text =
        String::from("[isolation.NAME]: the isolation part of a start alone, no language runtime, no code load\n");
    for e in isolation::catalogue() {
        text += &format!("\n  {}\n", e.name);
        text += &wrapped(&format!("{}; boundary: {}", e.description, e.boundary), 6);
        let mut figure = |key: &str, value: f64, source: &str| {
            text += &format!("      {key} = {value}\n");
            text += &wrapped(source, 10);
        };
        figure("start_median_s", e.start_median_s, &e.start_median_s_source);
        figure("start_sigma", e.start_sigma, &e.start_sigma_source);
        if let (Some(p99), Some(source)) = (e.start_p99_s, &e.start_p99_s_source) {
            figure("(published p99, for information) start_p99_s", p99, source);
        }
        figure("start_cpu_core_s", e.start_cpu_core_s, &e.start_cpu_core_s_source);
        figure("memory_overhead_mb", e.memory_overhead_mb, &e.memory_overhead_mb_source);
        figure("cpu_factor", e.cpu_factor, &e.cpu_factor_source);
    }
    text
}

fn zones_text() -> String {
    let mut text = String::from(
        "[regions.grid.typical] zone = \"…\": month x hour means plus an AR(1) residual, average intensity, year 2022\n\n",
    );
    text +=
        &format!("  {:<8} {:>6} {:>6} {:>6}  {:<36} {}\n", "zone", "mean", "min", "max", "factors", "source, licence");
    for z in grid::Typical::zones() {
        text += &format!(
            "  {:<8} {:>6.1} {:>6.1} {:>6.1}  {:<36} {}, {}\n",
            z.zone,
            z.mean_g_per_kwh,
            z.min_g_per_kwh,
            z.max_g_per_kwh,
            format!("{}, {}", z.factor_basis, z.boundary),
            z.source,
            z.licence
        );
    }
    text + "\n  gCO2e/kWh. Direct and life-cycle factors differ by tens of percent: do not compare zones across them.\n"
}

fn tables() -> [(&'static str, &'static [report::Column]); 6] {
    [
        ("timeseries.csv", report::TIMESERIES),
        ("regions.csv", report::REGIONS),
        ("tenants.csv", report::TENANTS),
        ("functions.csv", report::FUNCTIONS),
        ("hosts.csv", report::HOSTS),
        ("invocations.parquet", report::INVOCATIONS),
    ]
}

fn outputs_text() -> String {
    let mut text = String::from("results/NAME/; summary.csv explains its own keys\n");
    for (name, columns) in tables() {
        text += &format!("\n  {name}\n");
        for (column, unit, meaning) in columns {
            text += &format!("      {column:<24} {unit:<12} {meaning}\n");
        }
    }
    text
}
