//! The uncertainty of a score as a person reads it, and as a table.

use std::path::Path;

use super::{ReportError, grouped, significant, write_file};
use crate::plot::short;
use crate::sci::Statement;
use crate::sci::uncertainty::{Estimate, RANKING_HOLDS, Ranking, Uncertain};

/// Characters of a bar.
const BAR: usize = 40;

/// What the inputs' swings are shown in: the score, or O + M where it is undefined.
pub(super) fn scale(u: &Uncertain) -> (f64, String) {
    if u.units > 0.0 { (u.units, format!("gCO2e/{}", u.unit)) } else { (1.0, "gCO2e".to_owned()) }
}

/// The figures of a run with their intervals, and its tornado.
pub fn uncertainty_table(u: &Uncertain, said: &Statement, seed: u64, spreads: &str) -> String {
    let mut text = format!("{:<20} {:>14} {:>14}   {:<32} mean\n", "", "run", "median", "90 % interval");
    let mut row = |name: &str, e: Option<&Estimate>, unit: &str| {
        let cells = e.map_or_else(
            || "undefined".to_owned(),
            |e| {
                let interval = format!("{} to {}", significant(e.p05), significant(e.p95));
                format!(
                    "{:>14} {:>14}   {interval:<32} {}",
                    significant(e.run),
                    significant(e.p50),
                    significant(e.mean)
                )
            },
        );
        text += &format!("{name:<20} {cells} {unit}\n");
    };
    row("operational O", Some(&u.operational_g), "gCO2e");
    row("embodied M", Some(&u.embodied_g), "gCO2e");
    row("O + M", Some(&u.total_g), "gCO2e");
    row("SCI (O + M) / R", u.sci_g_per_unit.as_ref(), &format!("gCO2e/{}", u.unit));
    text += &format!("R = {} {}, counted and certain\n", significant(u.units), u.unit);
    text += &format!("{} samples, seed {seed}, spreads: {spreads}\n\n", grouped(u.samples.into()));
    text += &bars(u);
    text += &format!("\nstandard  {}\nboundary  {}\n", said.standard, said.boundary);
    text += &format!("signal    {}, {}; {}; {}\n", said.signal, said.kind, said.factor_basis, said.dataset_version);
    text += &format!("lifespan  {} years in the run itself\n", said.lifetime);
    text += &format!("embodied  {} per host in the run itself\n", said.embodied);
    text
}

/// The tornado in characters.
fn bars(u: &Uncertain) -> String {
    let (units, unit) = scale(u);
    let mut text =
        format!("What matters most [{unit}]: one input at its own 5 % (-) and 95 % (#), all others at their medians\n");
    let ends = u.swings.iter().flat_map(|s| [s.low_g, s.high_g]).chain([u.central_g]);
    let (from, to) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let place = |g: f64| if to > from { ((g - from) / (to - from) * BAR as f64).round() as usize } else { BAR / 2 };
    let middle = place(u.central_g);
    let wide = u.swings.iter().map(|s| s.name.chars().count()).max().unwrap_or(0);
    for s in &u.swings {
        let mut bar = vec![' '; BAR + 1];
        for (end, mark) in [(s.low_g, '-'), (s.high_g, '#')] {
            let at = place(end);
            bar[at.min(middle)..=at.max(middle)].fill(mark);
        }
        bar[middle] = '|';
        let bar: String = bar.into_iter().collect();
        let [a, b] = [s.low_g, s.high_g].map(|g| short(g / units));
        let share =
            if s.variance_share.is_finite() { format!("{:.0} %", s.variance_share * 100.0) } else { "-".to_owned() };
        text += &format!("{:<wide$} {:<18} {bar} {a:>9} to {b:<9} {share:>5} of variance\n", s.name, range(s.input));
    }
    text
}

/// The range of an input in words.
pub(super) fn range(input: Option<([f64; 3], &'static str)>) -> String {
    match input {
        Some(([low, _, high], "x")) => format!("x {} to {}", short(low), short(high)),
        Some(([low, _, high], unit)) => format!("{} to {} {unit}", short(low), short(high)),
        None => "by server type".to_owned(),
    }
}

/// Warnings about two runs that are compared and rest on different figures, a line each.
pub fn differences_text(a: &Statement, b: &Statement) -> String {
    let lines = a.differences(b).into_iter();
    lines.map(|(name, [a, b])| format!("warning: {name} differs: A has {a}; B has {b}\n")).collect()
}

/// Which of two runs is the better one, in a sentence or two.
pub fn ranking_text(names: [&str; 2], r: &Ranking) -> String {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let mut text = format!("A = {}\nB = {}\n", names[0], names[1]);
    text += &format!(
        "A's score is below B's in {} of the samples, above it in {}\n",
        percent(r.first_lower),
        percent(r.second_lower)
    );
    let e = &r.ratio;
    text += &format!(
        "A / B: {} in the runs themselves, median {}, 90 % interval {} to {}\n",
        significant(e.run),
        significant(e.p50),
        significant(e.p05),
        significant(e.p95)
    );
    text += &if r.holds() {
        let better = if r.first_lower > r.second_lower { "A" } else { "B" };
        format!(
            "{better} is lower in at least {} of the samples: the ranking holds within these uncertainties\n",
            percent(RANKING_HOLDS)
        )
    } else {
        format!(
            "neither is lower in {} of the samples: within these uncertainties the ranking is no result\n",
            percent(RANKING_HOLDS)
        )
    };
    text
}

/// Columns of the table that [`write_uncertainty`] writes: name, unit, meaning.
pub const UNCERTAINTY: &[(&str, &str, &str)] = &[
    ("part", "text", "figure: quantiles of the samples; input: the score with this input at its own quantiles"),
    ("name", "text", "which figure or input"),
    ("unit", "text", "unit of the next six columns"),
    ("run", "unit", "the run's own figure"),
    ("at_p05", "unit", "figure: 5 % quantile; input: score with the input at its 5 % quantile, others at medians"),
    ("at_p50", "unit", "the same at the median"),
    ("at_p95", "unit", "the same at 95 %"),
    ("mean", "unit", "mean of the samples; empty for inputs"),
    ("sd", "unit", "standard deviation of the samples; empty for inputs"),
    ("input_p05", "input_unit", "the input's own 5 % quantile; empty for figures, and where it differs by server type"),
    ("input_p50", "input_unit", "its median"),
    ("input_p95", "input_unit", "its 95 % quantile"),
    ("input_unit", "text", "x: a factor on the run's own; kg or years: in its place"),
    ("variance_share", "1", "first-order share of the variance of O + M"),
];

/// Writes figures and inputs as CSV.
///
/// # Errors
/// The file cannot be written whole.
pub fn write_uncertainty(u: &Uncertain, path: &Path) -> Result<(), ReportError> {
    write_file(path, |file| {
        let mut table = csv::Writer::from_writer(file);
        table.write_record(UNCERTAINTY.iter().map(|c| c.0))?;
        let cell = |x: f64| if x.is_finite() { x.to_string() } else { String::new() };
        let (units, unit) = scale(u);
        let per_unit = format!("gCO2e/{}", u.unit);
        let figures = [
            ("operational_g", Some(&u.operational_g), "gCO2e"),
            ("embodied_g", Some(&u.embodied_g), "gCO2e"),
            ("total_g", Some(&u.total_g), "gCO2e"),
            ("sci_g_per_unit", u.sci_g_per_unit.as_ref(), per_unit.as_str()),
        ];
        for (name, estimate, unit) in figures {
            let numbers = estimate.map_or([f64::NAN; 6], |e| [e.run, e.p05, e.p50, e.p95, e.mean, e.sd]);
            let mut row = vec!["figure".to_owned(), name.to_owned(), unit.to_owned()];
            row.extend(numbers.map(cell));
            row.resize(UNCERTAINTY.len(), String::new());
            table.write_record(row)?;
        }
        let own = (u.total_g.run / units, u.central_g / units);
        for s in &u.swings {
            let (input, input_unit) = s.input.unwrap_or(([f64::NAN; 3], ""));
            let mut row = vec!["input".to_owned(), s.name.clone(), unit.clone()];
            row.extend([own.0, s.low_g / units, own.1, s.high_g / units, f64::NAN, f64::NAN].map(cell));
            row.extend(input.map(cell));
            row.extend([input_unit.to_owned(), cell(s.variance_share)]);
            table.write_record(row)?;
        }
        table.flush()
    })
}
