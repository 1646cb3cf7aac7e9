//! `sim list`: what exists, read from the same types and catalogues that a run uses.

use clap::{Args, ValueEnum};
use serde_json::Value as Json;
use slackwater::sci::embodied;
use slackwater::{cluster, grid, isolation, plot, report, scenario, workload};

use super::Failure;

/// Arguments of `sim list`.
#[derive(Debug, Args)]
pub struct List {
    /// What to show; without it, everything by name.
    what: Option<What>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Policies of all ten seams, with parameters and defaults.
    Policies,
    /// Rules of attribution: who pays for capacity that nobody uses.
    Attribution,
    /// Isolation mechanisms, with every figure and its source.
    Isolation,
    /// Language runtimes: quantiles of their initialisation.
    Runtimes,
    /// Power models.
    PowerModels,
    /// Server types of the catalogue, with every figure and its source.
    Servers,
    /// Estimates of embodied emissions, with every figure and its source, and what others say.
    Embodied,
    /// Grid zones with an embedded typical year.
    Zones,
    /// Forecasts of carbon intensity, with keys and defaults.
    Forecasts,
    /// Sources of calls, instances and jobs; slack and estimates of jobs.
    Workloads,
    /// Columns of every table that a run writes.
    Outputs,
    /// Kinds of figures that `sim plot` draws, and what from.
    Figures,
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

const SEAMS: [&str; 10] = [
    "admission",
    "shifting",
    "dispatch",
    "routing",
    "packing",
    "overcommit",
    "keep_alive",
    "scaling",
    "provisioning",
    "migration",
];

fn section(what: What) -> String {
    let schema = scenario::schema();
    match what {
        What::Policies => {
            let of_seam =
                |seam: &str| variants(&schema, &format!("[scheduler.{seam}.NAME]"), &seam_enum(&schema, seam));
            let parts = |seam| if seam == "dispatch" { dispatch_parts(&schema) } else { String::new() };
            SEAMS.map(|seam| of_seam(seam) + &parts(seam)).concat()
        }
        What::Attribution => ["IdleRule", "EmbodiedRule"]
            .map(|rules| {
                let key = if rules == "IdleRule" { "idle" } else { "embodied" };
                variants(&schema, &format!("[sci.attribution.{key}.NAME]"), &schema["$defs"][rules])
            })
            .concat(),
        What::PowerModels => variants(&schema, "[servers.SERVER.power.NAME]", &schema["$defs"]["PowerSpec"]),
        What::Servers => servers_text(),
        What::Embodied => {
            let keys = variants(&schema, "[servers.SERVER.embodied.NAME]", &schema["$defs"]["EmbodiedSpec"]);
            keys + &embodied_text()
        }
        What::Forecasts => variants(&schema, "[regions.forecast.NAME]", &schema["$defs"]["ForecastSpec"]),
        What::Workloads => {
            let calls = variants(&schema, "[workload.NAME]", &schema["$defs"]["WorkloadSpec"]);
            let instances = variants(&schema, "[instances.ANY.NAME]", &schema["$defs"]["InstancesSpec"]);
            let jobs =
                [("source", "JobSource"), ("slack", "SlackSpec"), ("estimate", "EstimateSpec"), ("scale", "ScaleSpec")]
                    .map(|(key, part)| variants(&schema, &format!("[jobs.ANY.{key}.NAME]"), &schema["$defs"][part]));
            calls + &instances + &jobs.concat() + &profiles_text()
        }
        What::Isolation => isolation_text(),
        What::Runtimes => runtimes_text(),
        What::Zones => zones_text(),
        What::Outputs => outputs_text(),
        What::Figures => {
            plot::CATALOGUE.iter().map(|k| format!("  {:<18} {} ({})\n", k.name, k.shows, k.reads)).collect()
        }
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
        What::Attribution => of(&schema["$defs"]["EmbodiedRule"]),
        What::PowerModels => of(&schema["$defs"]["PowerSpec"]),
        What::Servers => cluster::server_types().server.iter().map(|s| s.name.clone()).collect(),
        What::Embodied => of(&schema["$defs"]["EmbodiedSpec"]),
        What::Forecasts => of(&schema["$defs"]["ForecastSpec"]),
        What::Workloads => {
            ["WorkloadSpec", "InstancesSpec", "JobSource"].iter().flat_map(|d| of(&schema["$defs"][d])).collect()
        }
        What::Isolation => isolation::catalogue().iter().map(|e| e.name.clone()).collect(),
        What::Runtimes => {
            let mut names: Vec<String> = isolation::runtimes().runtime.iter().map(|r| r.language.clone()).collect();
            names.dedup();
            names
        }
        What::Zones => grid::Typical::zones().iter().map(|z| z.zone.clone()).collect(),
        What::Figures => plot::CATALOGUE.iter().map(|k| k.name.to_owned()).collect(),
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
        text += &keys(inner, 6);
    }
    text + "\n"
}

/// The keys of a table, with what they mean.
fn keys(table: &Json, indent: usize) -> String {
    let mut text = String::new();
    let required: Vec<&str> = table["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    for (key, property) in table["properties"].as_object().into_iter().flatten() {
        let value = match &property["default"] {
            Json::Null if required.contains(&key.as_str()) => "required".to_owned(),
            Json::Null => "optional".to_owned(),
            default => format!("default {default}"),
        };
        text += &format!("{:indent$}{key} ({value})\n", "");
        text += &wrapped(property["description"].as_str().unwrap_or_default(), indent + 4);
    }
    text
}

/// The parts of durable queues: tables of their own below the policy's.
fn dispatch_parts(schema: &Json) -> String {
    let mut text = String::new();
    for (key, property) in schema["$defs"]["DurableQueues"]["properties"].as_object().into_iter().flatten() {
        // A part may be left out: it is one of a table and nothing.
        let part = property["anyOf"].as_array().and_then(|parts| parts.first()).unwrap_or(property);
        let (part, head) = (resolve(schema, part), format!("[scheduler.dispatch.durable-queues.{key}"));
        if part["properties"].is_object() {
            text += &format!("{head}]\n");
            text += &wrapped(part["description"].as_str().unwrap_or_default(), 2);
            text += &(keys(part, 6) + "\n");
        } else if tags(part).next().is_some() {
            text += &variants(schema, &format!("{head}.NAME]"), part);
        }
    }
    text
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

/// Milliseconds with the digits of the catalogue.
fn in_ms(seconds: f64) -> String {
    let ms = (seconds * 1e7).round() / 1e4;
    format!("{ms}")
}

fn isolation_text() -> String {
    let mut text = String::from(
        "[isolation.NAME]: the start is the isolation part alone, no language runtime, no code load (`sim list runtimes`).\n\
         Figures that are absent are not applicable or, for factors and shares, 1.\n",
    );
    for e in isolation::catalogue() {
        text += &format!("\n  {}\n", e.name);
        text += &wrapped(&e.description, 6);
        text += &wrapped(&format!("boundary: {}", e.boundary), 6);
        text += &wrapped(&format!("trust: {}", e.trust), 6);
        let word = |scope| serde_json::to_value(scope).ok().and_then(|v| v.as_str().map(str::to_owned));
        let (scope, typical) = (word(e.scope).unwrap_or_default(), word(e.typical_scope).unwrap_or_default());
        text += &format!("      scope: {scope} by default here, {typical} on platforms\n");
        text += &format!("      scales to zero on platforms: {}\n", if e.scale_to_zero { "yes" } else { "no" });
        text += &format!("      runtime init after the start: {}\n", if e.runtime_init { "yes" } else { "no" });
        text += &wrapped(&e.runtime_init_source, 10);
        if let Some(base) = &e.base {
            text += &format!("      first start boots, if wanted: {base}\n");
        }
        for f in &e.figures {
            text += &format!("      {} = {}  ({})\n", f.key, f.value, f.meaning);
            text += &wrapped(&f.source, 10);
        }
        for (key, table) in [("start_quantiles", &e.start_quantiles), ("guest_quantiles", &e.guest_quantiles)] {
            let Some(table) = table else { continue };
            text += &format!("      {key} [ms] at p1 p5 p25 p50 p75 p90 p95 p99, by concurrent starts\n");
            for level in table.levels.levels() {
                let values = isolation::START_PROBABILITIES.map(|p| in_ms(level.quantiles.at(p)));
                text += &format!("        {:>4}: {}\n", level.concurrent, values.join(" "));
            }
            text += &wrapped(&table.source, 10);
        }
    }
    text
}

fn runtimes_text() -> String {
    let file = isolation::runtimes();
    let mut text = String::from(
        "[runtime] language = \"…\", package = \"zip\" or \"image\": initialisation of a hello-world function\n",
    );
    text += &wrapped(&file.source, 2);
    text += &wrapped(&format!("licence {}", file.licence), 2);
    text += &format!("  load_s_per_mb = {}\n", file.load_s_per_mb);
    text += &wrapped(&file.load_s_per_mb_source, 6);
    text += &format!(
        "\n  {:<16} {:<6} {:>8} {:>8} {:>8} {:>8} {:>8} {:>7} {:>7}  {}\n",
        "language", "pack", "p5 ms", "p50 ms", "p95 ms", "p99 ms", "max ms", "MB", "starts", "row of the source"
    );
    for r in &file.runtime {
        let package = match r.package {
            isolation::Package::Zip => "zip",
            isolation::Package::Image => "image",
        };
        text += &format!("  {:<16} {package:<6}", r.language);
        for ms in r.ms {
            text += &format!(" {ms:>8.1}");
        }
        text += &format!(" {:>7.1} {:>7}  {}\n", r.memory_mb, r.starts, r.row);
    }
    text
}

fn servers_text() -> String {
    let types = cluster::server_types();
    let mut text = String::from("[servers.NAME] type = \"…\": single published results, whole servers at the plug\n");
    text += &wrapped(&format!("end points: {}", types.end_points_source), 2);
    text += &wrapped(&format!("deciles: {}", types.deciles_source), 2);
    text += &wrapped(&format!("embodied_kg: {}", types.embodied_source), 2);
    text += &wrapped(&format!("lifetime_years = {}: {}", types.lifetime_years, types.lifetime_source), 2);
    text += &format!(
        "\n  {:<16} {:>6} {:>10} {:>7} {:>7} {:>11}  {}\n",
        "type", "cores", "memory_mb", "idle W", "full W", "embodied_kg", "machine; row of the source"
    );
    for s in &types.server {
        // The catalogue's models are tested; one that could not be built would show no watts.
        let [idle, full] = [0.0, 1.0].map(|u| s.power.build().map_or(f64::NAN, |p| p.watts(u)));
        text += &format!(
            "  {:<16} {:>6} {:>10} {idle:>7} {full:>7} {:>11.2}  {}; {}\n",
            s.name, s.cores, s.memory_mb, s.embodied_kg, s.description, s.row
        );
    }
    text
}

fn embodied_text() -> String {
    let figures = embodied::figures();
    let mut text = String::from("figures, kgCO2e of raw materials and manufacture; a range is of the quantity\n");
    let mut before = "";
    for f in &figures.factor {
        if f.estimate != before {
            text += &format!("\n  {}\n", f.estimate);
            before = &f.estimate;
        }
        let range = f.low.zip(f.high).map_or(String::new(), |(low, high)| format!(" ({low} to {high})"));
        text += &format!("      {} = {}{range} {}  ({})\n", f.name, f.value, f.unit, f.meaning);
        text += &wrapped(&f.source, 10);
    }
    for example in &figures.example {
        text += &format!("\nexample: {}\n", example.name);
        let items = example.embodied.breakdown(example.memory_mb);
        for item in items.iter().chain([&embodied::total(&items)]) {
            let range = if item.low_kg == item.high_kg {
                String::new()
            } else {
                format!("  ({:.2} to {:.2})", item.low_kg, item.high_kg)
            };
            text += &format!("  {:<16} {:>9.2}{range}\n", item.component, item.kg);
        }
    }
    text += "\nwhat sources say of the same thing\n";
    for s in &figures.spread {
        text += &wrapped(&format!("{}: {}; {}", s.item, s.figures, s.source), 2);
    }
    text
}

fn profiles_text() -> String {
    let profiles = workload::jobs::scaling_profiles();
    let mut text = String::from("[jobs.ANY.scale.profile] name = \"…\"\n");
    text += &wrapped(&profiles.source, 2);
    for p in &profiles.profile {
        text += &format!("\n  {}: {}\n", p.name, p.description);
        for (i, (throughput, watts)) in p.throughput.iter().zip(&p.power_w).enumerate() {
            text += &format!("      {} nodes: {throughput:>9.1} units/s {watts:>7.1} W\n", i + 1);
        }
    }
    text + "\n"
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

fn tables() -> Vec<(&'static str, &'static [report::Column])> {
    vec![
        ("timeseries.csv", report::TIMESERIES),
        ("regions.csv", report::REGIONS),
        ("tenants.csv", report::TENANTS),
        ("functions.csv", report::FUNCTIONS),
        ("hosts.csv", report::HOSTS),
        ("distributions.csv", report::DISTRIBUTIONS),
        ("beside.csv", report::BESIDE),
        ("published.csv", report::PUBLISHED),
        ("invocations.parquet", report::INVOCATIONS),
        ("accounts.parquet", report::ACCOUNTS),
        ("ledger.parquet", &report::LEDGER),
        ("scores.csv", report::SCORES),
        ("charged.csv", report::CHARGED),
        ("meter.csv", report::METER),
        ("meter_functions.csv", report::METER_FUNCTIONS),
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
