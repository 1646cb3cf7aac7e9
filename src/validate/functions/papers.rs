//! The figures that released codes of four papers give on the same data, from the scenarios in `scenarios/papers`.
//!
//! Rows with noise differ by chance: ours and theirs are means of ten draws each, three standard errors of their difference apart at most.

use super::super::judge::Tolerance;
use super::super::world::{Cells, Context, Fault, Found, Row, Table, failed};

/// Ours against theirs under three standard errors of the difference of two means of ten draws.
fn by_chance(what: String, draws: &[f64], wanted: f64) -> Result<Row, Fault> {
    if draws.len() != 10 {
        return Err(failed(format!("{what}: {} draws", draws.len())));
    }
    let Found::Mean { mean, error } = Found::mean(draws) else { return Err(failed("no mean")) };
    // Where nothing can move, noise moves nothing.
    let bar = (3.0 * error * 2.0_f64.sqrt()).max(1e-9 * wanted);
    let within = Tolerance::Range { low: wanted - bar, high: wanted + bar };
    Ok(Row { error: Some(error), ..Row::new(what, wanted, mean) }.under(within))
}

fn named(rows: Vec<(&str, Vec<Row>)>) -> Vec<(String, Found)> {
    rows.into_iter().map(|(name, rows)| (name.to_owned(), Found::Rows(rows))).collect()
}

/// Eight policies on 1,000 jobs: carbon, waits, peaks.
pub fn gaia(context: &Context, _: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let theirs = context.table("oracles/carbon/gaia_pai_1k.csv")?;
    let ours = context.compare("scenarios/papers/gaia.toml", &[])?;
    let (mut carbon, mut waits, mut peaks) = (Vec::new(), Vec::new(), Vec::new());
    for r in theirs.indices() {
        let policy = theirs.cell(r, "policy")?;
        let own = |key: &str| ours.figure(&[("policy", policy)], key);
        carbon.push(Row::new(policy, theirs.number(r, "carbon")?, own("carbon_g.operational")?));
        let start = own("jobs.start_wait_mean_s")? / 3600.0;
        waits.push(Row::new(format!("{policy}, start"), theirs.number(r, "mean_start_wait_h")?, start));
        let delay = own("jobs.delay_mean_s")? / 3600.0;
        waits.push(Row::new(format!("{policy}, completion"), theirs.number(r, "mean_completion_delay_h")?, delay));
        peaks.push(Row::new(policy, theirs.number(r, "peak_cpus")?, own("jobs.peak_cores")?));
    }
    Ok(named(vec![("carbon", carbon), ("waits", waits), ("peaks", peaks)]))
}

/// Every zone, length and slack: what deferral, and suspending on top of it, saves at most.
pub fn limits(context: &Context, _: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let theirs = context.table("oracles/carbon/shifting_upper_bound_2022.csv")?;
    let ours = context.compare("scenarios/papers/limits-of-shifting.toml", &[])?;
    let (mut base, mut deferred, mut interrupted) = (Vec::new(), Vec::new(), Vec::new());
    let mut monotone = 0;
    let mut by_zone: Vec<(String, f64, f64, f64)> = Vec::new();
    for r in theirs.indices() {
        let (zone, hours, slack) = (theirs.cell(r, "zone")?, theirs.cell(r, "job_h")?, theirs.cell(r, "slack_h")?);
        let cell = format!("{hours} h job, {slack} h slack");
        let own =
            |policy: &str, key: &str| ours.figure(&[("policy", policy), ("zone", zone), ("job and slack", &cell)], key);
        let saved = |policy: &str| Ok::<f64, Fault>(100.0 * (1.0 - own(policy, "relative.sci.g_per_unit")?));
        let what = format!("{zone}, {cell}");
        base.push(Row::new(&what, theirs.number(r, "base_ci")?, own("at once", "sci.g_per_unit")?));
        deferred.push(Row::new(&what, theirs.number(r, "defer_saved_pct")?, saved("defer")?));
        interrupted.push(Row::new(&what, theirs.number(r, "interrupt_saved_pct")?, saved("interrupt")?));
        let grams = own("at once", "sci.g_per_unit")? * saved("defer")? / 100.0;
        by_zone.push((zone.to_owned(), theirs.number(r, "job_h")?, theirs.number(r, "slack_h")?, grams));
    }
    // Longer jobs save less, more slack saves more, in every zone.
    let mut pairs = 0;
    for a in &by_zone {
        for b in by_zone.iter().filter(|b| b.0 == a.0) {
            let longer = a.2 == b.2 && b.1 > a.1;
            let slacker = a.1 == b.1 && b.2 > a.2;
            pairs += usize::from(longer || slacker);
            monotone += usize::from(longer && b.3 <= a.3 || slacker && b.3 >= a.3);
        }
    }
    let said = format!("{monotone} of {pairs} pairs");
    let mut all = named(vec![("base", base), ("defer", deferred), ("interrupt", interrupted)]);
    all.push(("monotone".to_owned(), Found::Holds { holds: monotone == pairs && pairs > 0, said }));
    Ok(all)
}

/// Two profiles, three deadlines: grams at once, savings, mean peak of nodes, to half of the last printed digit.
pub fn carbon_scaler(context: &Context, _: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let lines = context.text("oracles/carbon/carbonscaler.txt")?;
    let ours = context.compare("scenarios/papers/carbonscaler.toml", &[])?;
    let mut rows = Vec::new();
    for line in lines.lines() {
        // nbody10k 24 24 agnostic gCO2 327.27 suspend-resume saved%  0.0 CarbonScaler saved% 3.19 mean peak nodes 2.29
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| {
            words.get(at).and_then(|w| w.parse::<f64>().ok()).ok_or_else(|| failed(format!("no number in {line}")))
        };
        let deadline = format!("{} h", words.get(2).copied().unwrap_or_default());
        let profile = words.first().copied().unwrap_or_default();
        let own = |policy: &str, key: &str| {
            ours.figure(&[("policy", policy), ("profile", profile), ("deadline", &deadline)], key)
        };
        let saved = |policy: &str| Ok::<f64, Fault>(100.0 * (1.0 - own(policy, "relative.sci.g_per_unit")?));
        let what = |of: &str| format!("{profile}, {deadline}, {of}");
        rows.push(Row::new(what("at once"), number(5)?, own("at once", "sci.g_per_unit")?));
        rows.push(Row::new(what("suspend and resume"), number(8)?, saved("suspend-resume")?));
        rows.push(Row::new(what("CarbonScaler"), number(11)?, saved("carbon-scaler")?));
        rows.push(Row::new(what("nodes"), number(15)?, own("carbon-scaler", "jobs.most_nodes_mean")?));
    }
    Ok(named(vec![("", rows)]))
}

/// Whether the claim is about rows with noise.
fn noisy(with: &toml::Table) -> bool {
    with.get("noise").and_then(toml::Value::as_bool).unwrap_or(false)
}

/// The overrides of a paper's axes that leave one run of each cell without noise, or all with noise.
fn axes(context: &Context, scenario: &str, noisy: bool) -> Result<Vec<String>, Fault> {
    let loaded = context.load(scenario, &[])?;
    let axes = loaded.scenario.compare.as_ref().map(|c| &c.axes);
    let at = |name: &str| {
        let found = axes.and_then(|axes| axes.iter().position(|a| a.name == name));
        found.ok_or_else(|| failed(format!("{scenario} has no axis {name}")))
    };
    let (noise, seed) = (at("noise")?, at("seed")?);
    Ok(match noisy {
        true => vec![format!("compare.axes[{noise}].numbers=[0.05, 0.1]")],
        false => vec![format!("compare.axes[{noise}].numbers=[0.0]"), format!("compare.axes[{seed}].numbers=[0]")],
    })
}

/// The rows of an oracle with noise, or those without.
fn rows_of(theirs: &Table, noisy: bool) -> Result<Vec<usize>, Fault> {
    let mut rows = Vec::new();
    for r in theirs.indices() {
        if (theirs.number(r, "err")? > 0.0) == noisy {
            rows.push(r);
        }
    }
    Ok(rows)
}

/// A row without noise is one run, with noise ten.
fn row(ours: &Cells, wanted: &[(&str, &str)], scale: f64, published: f64, noisy: bool) -> Result<Row, Fault> {
    let what = wanted
        .iter()
        .map(|(axis, value)| if *axis == "noise" { format!("noise {value}") } else { (*value).to_owned() });
    let what = what.collect::<Vec<_>>().join(", ");
    let values: Vec<f64> = ours.figures(wanted, "carbon_g.operational")?.iter().map(|x| x / scale).collect();
    match values[..] {
        _ if noisy => by_chance(what, &values, published),
        [one] => Ok(Row::new(what, published, one)),
        _ => Err(failed(format!("{what}: {} runs", values.len()))),
    }
}

/// The override that leaves these values of an axis alone.
fn some(context: &Context, scenario: &str, axis: &str, names: &[&str]) -> Result<String, Fault> {
    let compare = context.load(scenario, &[])?.scenario.compare;
    let axes = compare.map(|c| c.axes).unwrap_or_default();
    let at =
        axes.iter().position(|a| a.name == axis).ok_or_else(|| failed(format!("{scenario} has no axis {axis}")))?;
    let values = axes[at].values.iter().flatten().filter(|v| names.contains(&v.name.as_str())).cloned();
    let values = toml::Value::try_from(values.collect::<Vec<_>>()).map_err(failed)?;
    Ok(format!("compare.axes[{at}].values={values}"))
}

/// A job every night, moved by up to w half-hours: mean intensity at execution. `windows` names the w that are looked at; all without it.
pub fn lets_wait_awhile_periodic(context: &Context, with: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let (scenario, noisy) = ("scenarios/papers/lets-wait-awhile-periodic.toml", noisy(with));
    let theirs = context.table("oracles/carbon/lets_wait_awhile_periodic.csv")?;
    let mut set = axes(context, scenario, noisy)?;
    let windows = with.get("windows").and_then(toml::Value::as_array);
    let windows: Option<Vec<&str>> = windows.map(|w| w.iter().filter_map(toml::Value::as_str).collect());
    if let Some(windows) = &windows {
        set.push(some(context, scenario, "w", windows)?);
    }
    let ours = context.compare(scenario, &set)?;
    let one = |r: usize| {
        let mut wanted = vec![("region", theirs.cell(r, "region")?), ("w", theirs.cell(r, "w")?)];
        if noisy {
            wanted.push(("noise", theirs.cell(r, "err")?));
        }
        row(&ours, &wanted, 1.0, theirs.number(r, "ci")?, noisy)
    };
    let looked_at =
        |r: &usize| windows.as_ref().is_none_or(|w| theirs.cell(*r, "w").is_ok_and(|cell| w.contains(&cell)));
    let rows = rows_of(&theirs, noisy)?.into_iter().filter(looked_at).map(one).collect::<Result<Vec<Row>, Fault>>()?;
    Ok(named(vec![("", rows)]))
}

/// Machine-learning jobs, suspended or not: tonnes, and the peak of jobs where there is no noise.
pub fn lets_wait_awhile_ml(context: &Context, with: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let (scenario, noisy) = ("scenarios/papers/lets-wait-awhile-ml.toml", noisy(with));
    let theirs = context.table("oracles/carbon/lets_wait_awhile_ml_jobs.csv")?;
    let ours = context.compare(scenario, &axes(context, scenario, noisy)?)?;
    let mut rows = Vec::new();
    for r in rows_of(&theirs, noisy)? {
        let suspends = if theirs.cell(r, "interrupting")? == "True" { " interrupting" } else { "" };
        let constraint = format!("{}{suspends}", theirs.cell(r, "constraint")?);
        let mut wanted = vec![("constraint", constraint.as_str()), ("region", theirs.cell(r, "region")?)];
        if noisy {
            wanted.push(("noise", theirs.cell(r, "err")?));
        }
        rows.push(row(&ours, &wanted, 1e6, theirs.number(r, "tCO2")?, noisy)?);
        if !noisy {
            let peak = ours.figure(&wanted, "jobs.peak_jobs")?;
            let what = format!("{constraint}, {}, peak", theirs.cell(r, "region")?);
            rows.push(Row::new(what, theirs.number(r, "peak_jobs")?, peak).under(Tolerance::Exact {}));
        }
    }
    Ok(named(vec![("", rows)]))
}
