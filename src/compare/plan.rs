//! From `[compare]` to the runs: every combination of the axes' values, checked before anything runs.

use super::FITTED;
use super::slo::Slo;
use crate::report::{Entry, Value, unknown_figures};
use crate::run::{RunError, figures};
use crate::scenario::{
    AxisSpec, CompareSpec, KeyProblem, Loaded, Override, ScenarioError, build_loaded, did_you_mean, parse_path, unset,
};

/// One axis of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Its name.
    pub name: String,
    /// The names of its values.
    pub values: Vec<String>,
    /// The numbers, if it is numeric.
    pub numbers: Option<Vec<f64>>,
    /// The key that takes the numbers.
    pub key: Option<String>,
    /// The unit of the numbers, as the key's name says it; empty if it says none.
    pub unit: &'static str,
}

/// One run, or one fit.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The number of its value on every axis.
    pub at: Vec<usize>,
    /// The scenario with the overrides of its values.
    pub loaded: Loaded,
}

/// A comparison, ready to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What the file says.
    pub spec: CompareSpec,
    /// The axes.
    pub axes: Vec<Axis>,
    /// The cells, the last axis fastest.
    pub cells: Vec<Cell>,
    /// Every figure of a run: key, unit and meaning; the values mean nothing.
    pub figures: Vec<Entry>,
    /// The objectives of the fit.
    pub slo: Vec<Slo>,
}

/// The most cells of one comparison: more are a mistake in an axis.
const MOST_CELLS: usize = 100_000;

impl Plan {
    /// Reads and checks the comparison of a scenario.
    ///
    /// # Errors
    /// All problems that show without running: of the section itself, of every cell, of keys that no run has.
    pub fn of(loaded: &Loaded) -> Result<Self, ScenarioError> {
        let spec = loaded.scenario.compare.clone().ok_or_else(|| {
            let help = "add [compare] with at least one [[compare.axes]]; docs/compare.md shows how";
            loaded.wrong(vec![KeyProblem::new("compare", "the scenario compares nothing", help)])
        })?;
        let axes: Vec<Axis> = spec.axes.iter().map(axis).collect();
        let mut problems = structure(&spec, &axes);
        problems.extend(driven_keys(loaded, &spec));
        if !problems.is_empty() {
            return Err(loaded.wrong(problems));
        }
        let (mut cells, mut errors) = (Vec::new(), Vec::new());
        for at in combinations(&axes) {
            match cell(loaded, &spec, &axes, at) {
                Ok(cell) => cells.push(cell),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(ScenarioError::several(errors));
        }
        let figures = probe(&cells)?;
        let slo: Vec<Result<Slo, String>> =
            spec.fit.iter().flat_map(|f| &f.slo).map(|text| Slo::parse(text).map_err(|e| e.message)).collect();
        let mut problems = keys(&spec, &figures, &slo);
        let unknown = unknown_figures(&loaded.scenario.published, &figures);
        let problem = |(i, message, help)| KeyProblem::new(format!("published[{i}].figure"), message, help);
        problems.extend(unknown.into_iter().map(problem));
        if !problems.is_empty() {
            return Err(loaded.wrong(problems));
        }
        Ok(Self { spec, axes, cells, figures, slo: slo.into_iter().flatten().collect() })
    }

    /// Puts every cell together, and opens its files.
    ///
    /// # Errors
    /// The problems of all cells, each once.
    pub fn build_all(&self) -> Result<(), ScenarioError> {
        let errors: Vec<ScenarioError> =
            self.cells.iter().filter_map(|cell| build_loaded(&cell.loaded, false).err()).collect();
        if errors.is_empty() { Ok(()) } else { Err(ScenarioError::several(errors)) }
    }

    /// The number of the row with these values.
    pub fn index(&self, at: &[usize]) -> usize {
        self.axes.iter().zip(at).fold(0, |n, (axis, i)| n * axis.values.len() + i)
    }

    /// The names of a cell's values.
    pub fn names(&self, at: &[usize]) -> Vec<&str> {
        self.axes.iter().zip(at).map(|(axis, &i)| axis.values[i].as_str()).collect()
    }

    /// The figure of a key.
    pub fn figure(&self, key: &str) -> Option<&Entry> {
        self.figures.iter().find(|e| e.key == key)
    }

    /// What compare.svg draws.
    pub fn plotted(&self) -> &str {
        self.spec.plot.as_ref().unwrap_or(&self.spec.show[0])
    }
}

fn axis(spec: &AxisSpec) -> Axis {
    let named = spec.values.iter().flatten().map(|v| v.name.clone());
    let numbers = spec.numbers.iter().flatten().map(f64::to_string);
    let key = spec.key.clone().filter(|_| spec.numbers.is_some());
    let unit = key.as_deref().map_or("", unit_of);
    Axis { name: spec.name.clone(), values: named.chain(numbers).collect(), numbers: spec.numbers.clone(), key, unit }
}

/// The unit that the name of a key carries.
pub(crate) fn unit_of(key: &str) -> &'static str {
    const UNITS: [(&str, &str); 11] = [
        ("_g_per_kwh", "gCO2e/kWh"),
        ("_per_s", "1/s"),
        ("_per_hour", "1/h"),
        ("_per_day", "1/day"),
        ("_s", "s"),
        ("_hours", "h"),
        ("_mb", "MB"),
        ("_w", "W"),
        ("_kg", "kgCO2e"),
        ("_years", "years"),
        ("cores", "cores"),
    ];
    let key = if key.ends_with("].g_per_kwh") || key.ends_with(".g_per_kwh") { "_g_per_kwh" } else { key };
    UNITS.iter().find(|(ending, _)| key.ends_with(ending)).map_or("", |(_, unit)| unit)
}

/// All combinations in the order of the rows.
fn combinations(axes: &[Axis]) -> Vec<Vec<usize>> {
    axes.iter().fold(vec![Vec::new()], |rows, axis| {
        let longer = |row: &Vec<usize>| {
            let row = row.clone();
            (0..axis.values.len()).map(move |i| [row.as_slice(), &[i]].concat())
        };
        rows.iter().flat_map(longer).collect()
    })
}

fn cell(loaded: &Loaded, spec: &CompareSpec, axes: &[Axis], at: Vec<usize>) -> Result<Cell, ScenarioError> {
    let mut overrides = Vec::new();
    let mut name = Vec::new();
    for (a, (&i, axis)) in at.iter().zip(axes).enumerate() {
        name.push(format!("{}={}", axis.name, axis.values[i]));
        if let Some(key) = &axis.key {
            overrides.push(Override {
                argument: format!("{key}={}", axis.values[i]),
                key_at: format!("compare.axes[{a}].key"),
                value_at: format!("compare.axes[{a}].numbers[{i}]"),
            });
        }
        for (s, key) in spec.axes[a].values.iter().flat_map(|values| &values[i].unset).enumerate() {
            let place = format!("compare.axes[{a}].values[{i}].unset[{s}]");
            overrides.push(Override { argument: unset(key), key_at: place.clone(), value_at: place });
        }
        for (s, argument) in spec.axes[a].values.iter().flat_map(|values| &values[i].set).enumerate() {
            let place = format!("compare.axes[{a}].values[{i}].set[{s}]");
            overrides.push(Override { argument: argument.clone(), key_at: place.clone(), value_at: place });
        }
    }
    let loaded = loaded.variant(&name.join(" "), &overrides)?;
    if let Some(fit) = &spec.fit {
        let mut errors: Vec<ScenarioError> = Vec::new();
        for (end, n) in [("low", fit.low), ("high", fit.high)] {
            errors.extend(fitted(&loaded, &fit.key, n, end).err());
        }
        if !errors.is_empty() {
            return Err(ScenarioError::several(errors));
        }
    }
    Ok(Cell { at, loaded })
}

/// A cell's scenario with a number of the fit; `end` is the end of the range that messages point at.
pub(super) fn fitted(loaded: &Loaded, key: &str, n: i64, end: &str) -> Result<Loaded, ScenarioError> {
    let entry = Override {
        argument: format!("{key}={n}"),
        key_at: "compare.fit.key".to_owned(),
        value_at: format!("compare.fit.{end}"),
    };
    loaded.variant(loaded.run.as_deref().unwrap_or_default(), &[entry])
}

/// The figures of the first cell that can be put together.
fn probe(cells: &[Cell]) -> Result<Vec<Entry>, ScenarioError> {
    let mut errors = Vec::new();
    for cell in cells {
        match figures(&cell.loaded) {
            Ok(found) => return Ok(found),
            Err(RunError::Scenario(error)) => errors.push(error),
            // Without a call the simulation has nothing to stop at.
            Err(RunError::Sim(_) | RunError::Report(_)) => {}
        }
    }
    Err(ScenarioError::several(errors))
}

struct Problems(Vec<KeyProblem>);

impl Problems {
    fn add(&mut self, key: impl Into<String>, message: impl Into<String>, help: impl Into<String>) {
        self.0.push(KeyProblem::new(key, message, help));
    }
}

/// What is wrong with the section itself.
fn structure(spec: &CompareSpec, axes: &[Axis]) -> Vec<KeyProblem> {
    let mut found = Problems(Vec::new());
    for (a, axis) in spec.axes.iter().enumerate() {
        one_axis(&mut found, a, axis, axes);
    }
    let cells = axes.iter().fold(1usize, |n, axis| n.saturating_mul(axis.values.len()));
    if cells > MOST_CELLS {
        found.add("compare.axes", format!("{cells} cells are too many"), format!("at most {MOST_CELLS} are run"));
    }
    let first = &axes[0];
    let mut value_of_first = |key: &str, value: &str| {
        if !first.values.iter().any(|v| v == value) {
            let help = format!("the first axis, \"{}\", has: {}", first.name, first.values.join(", "));
            found.add(key, format!("\"{value}\" is no value of the first axis"), help);
        }
    };
    if let Some(baseline) = &spec.baseline {
        value_of_first("compare.baseline", baseline);
    }
    for (c, crossing) in spec.crossings.iter().enumerate() {
        for (i, value) in crossing.between.iter().enumerate() {
            value_of_first(&format!("compare.crossings[{c}].between[{i}]"), value);
        }
    }
    for (i, step) in spec.waterfall.iter().flat_map(|w| &w.steps).enumerate() {
        value_of_first(&format!("compare.waterfall.steps[{i}].at"), &step.at);
    }
    for (c, crossing) in spec.crossings.iter().enumerate() {
        let key = |key: &str| format!("compare.crossings[{c}].{key}");
        if crossing.between[0] == crossing.between[1] {
            found.add(key("between"), "a line does not cross itself", "name two values of the first axis");
        }
        if !axes.iter().skip(1).any(|axis| axis.name == crossing.over && axis.numbers.is_some()) {
            let numeric: Vec<&str> =
                axes.iter().skip(1).filter(|axis| axis.numbers.is_some()).map(|axis| axis.name.as_str()).collect();
            let help = match numeric[..] {
                [] => "there is none: give an axis after the first `key` and `numbers`".to_owned(),
                _ => format!("numeric axes after the first: {}", numeric.join(", ")),
            };
            let message = format!("\"{}\" is no numeric axis after the first", crossing.over);
            found.add(key("over"), message, help);
        }
    }
    match (&spec.baseline, spec.relative.is_empty()) {
        (None, false) => found.add("compare.relative", "there is no baseline", "set compare.baseline too"),
        (Some(_), true) => found.add(
            "compare.baseline",
            "nothing is relative to the baseline",
            "list figures in compare.relative, for example [\"sci.g_per_unit\"]",
        ),
        _ => {}
    }
    if let Some(fit) = spec.fit.as_ref().filter(|fit| fit.low > fit.high) {
        let message = format!("low = {} is above high = {}", fit.low, fit.high);
        found.add("compare.fit.low", message, "exchange them");
    }
    found.0
}

fn one_axis(found: &mut Problems, a: usize, spec: &AxisSpec, axes: &[Axis]) {
    let place = format!("compare.axes[{a}]");
    match (&spec.values, &spec.numbers, &spec.key) {
        (Some(_), None, None) | (None, Some(_), Some(_)) => {}
        (None, Some(_), None) => found.add(&place, "`numbers` need the `key` that takes them", "add key = \"…\""),
        (None, None, _) => found.add(&place, "the axis has no values", "add `values`, or `key` and `numbers`"),
        (Some(_), ..) => {
            let help = "keep either `values`, or `key` and `numbers`";
            found.add(&place, "an axis has named values or numbers, not both", help);
        }
    }
    if axes[..a].iter().any(|axis| axis.name == spec.name) {
        let message = format!("two axes are called \"{}\"", spec.name);
        found.add(format!("{place}.name"), message, "give every axis a name of its own");
    }
    if spec.name.contains('.') || spec.name == "error" {
        let help = "names with a dot, and `error`, are columns of figures: choose another";
        found.add(format!("{place}.name"), format!("an axis cannot be called \"{}\"", spec.name), help);
    }
    let list = if spec.numbers.is_some() { "numbers" } else { "values" };
    for (i, name) in axes[a].values.iter().enumerate() {
        let at =
            if spec.numbers.is_some() { format!("{place}.numbers[{i}]") } else { format!("{place}.values[{i}].name") };
        if axes[a].values[..i].contains(name) {
            found.add(&at, format!("\"{name}\" is there twice"), format!("every one of `{list}` must differ"));
        }
        if name.starts_with('.') || name.contains(['/', '\\']) || name.chars().any(char::is_control) {
            let help = "it names a folder: no / or \\, and no dot at its beginning";
            found.add(&at, format!("\"{name}\" cannot be the name of a value"), help);
        }
    }
    for (i, value) in spec.values.iter().flatten().enumerate() {
        for (list, arguments) in [("set", &value.set), ("unset", &value.unset)] {
            for (s, _) in arguments.iter().enumerate().filter(|(_, a)| a.trim_start().starts_with("compare")) {
                let help = "an axis changes the scenario, not the comparison";
                let at = format!("{place}.values[{i}].{list}[{s}]");
                found.add(at, format!("a run cannot {list} [compare]"), help);
            }
        }
    }
}

/// What is wrong with the keys that take numbers, those of axes and of the fit: texts, and a key that both would set.
fn driven_keys(loaded: &Loaded, spec: &CompareSpec) -> Vec<KeyProblem> {
    let mut found = Problems(Vec::new());
    let axes = spec.axes.iter().enumerate();
    let axes = axes.filter_map(|(a, axis)| Some((format!("compare.axes[{a}].key"), axis.key.as_ref()?)));
    let fit = spec.fit.iter().map(|fit| ("compare.fit.key".to_owned(), &fit.key));
    for (place, key) in axes.chain(fit).filter(|(_, key)| loaded.takes_text(key)) {
        found.add(place, format!("\"{key}\" takes a text, not a number"), "name a key whose value is a number");
    }
    let Some(fit) = &spec.fit else { return found.0 };
    let fitted = parse_path(&fit.key);
    let same = |key: &str| parse_path(key) == fitted;
    for (a, axis) in spec.axes.iter().enumerate() {
        let set = |argument: &String| argument.split_once('=').is_some_and(|(key, _)| same(key));
        let values = axis.values.as_deref().unwrap_or(&[]);
        // An axis of a single value is harmless: that is how `--set` takes the key away from an axis.
        let numbers = axis.numbers.as_ref().is_some_and(|n| n.len() > 1) && axis.key.as_deref().is_some_and(same);
        if numbers || values.len() > 1 && values.iter().any(|value| value.set.iter().any(set)) {
            let message = format!("\"{}\" is set by the axis \"{}\" and fitted, too", fit.key, axis.name);
            let help =
                format!("the fit would undo what compare.axes[{a}] sets: fit another key, or leave the axis one value");
            found.add("compare.fit.key", message, help);
        }
    }
    found.0
}

/// Keys that no run has.
fn keys(spec: &CompareSpec, figures: &[Entry], slo: &[Result<Slo, String>]) -> Vec<KeyProblem> {
    let mut found = Problems(Vec::new());
    let mut known = |place: String, key: &str, number: bool| match figures.iter().find(|e| e.key == key) {
        None if key == FITTED => {
            let help = match spec.fit {
                Some(_) => {
                    "leave it out: the number found is the first figure of the table and a column of compare.csv;\n\
                            draw it with plot = \"fit.value\""
                }
                None => "there is a number to find only with [compare.fit]",
            };
            found.add(place, format!("\"{FITTED}\" is no figure of a run"), help);
        }
        None => {
            let all: Vec<&str> = figures.iter().map(|e| e.key.as_str()).collect();
            let guess = did_you_mean(key, &all).map(|g| format!("did you mean \"{g}\"?\n")).unwrap_or_default();
            let help = format!("{guess}the keys are those of summary.csv; docs/outputs.md explains them");
            found.add(place, format!("no run has the figure \"{key}\""), help);
        }
        Some(Entry { value: Value::Text(_), .. }) if number => {
            found.add(place, format!("\"{key}\" is a text"), "name a figure that is a number");
        }
        Some(_) => {}
    };
    for (i, key) in spec.show.iter().enumerate() {
        known(format!("compare.show[{i}]"), key, false);
    }
    for (i, key) in spec.relative.iter().enumerate() {
        known(format!("compare.relative[{i}]"), key, true);
    }
    // What is fitted can be drawn and crossed, too: it is often the answer.
    let fitted = |key: &str| spec.fit.is_some() && key == FITTED;
    if let Some(key) = &spec.plot {
        if !fitted(key) {
            known("compare.plot".to_owned(), key, true);
        }
    } else if figures.iter().any(|e| e.key == spec.show[0]) {
        known("compare.show[0]".to_owned(), &spec.show[0], true);
    }
    for (c, crossing) in spec.crossings.iter().enumerate().filter(|(_, c)| !fitted(&c.metric)) {
        known(format!("compare.crossings[{c}].metric"), &crossing.metric, true);
    }
    let steps = spec.waterfall.iter().flat_map(|w| &w.steps);
    for (i, step) in steps.enumerate() {
        known(format!("compare.waterfall.steps[{i}].figure"), &step.figure, true);
    }
    for (i, slo) in slo.iter().enumerate() {
        if let Ok(slo) = slo {
            known(format!("compare.fit.slo[{i}]"), &slo.key, true);
        }
    }
    let unit = |key: &str| figures.iter().find(|e| e.key == key).map(|e| e.unit);
    let steps = spec.waterfall.iter().flat_map(|w| w.steps.iter().map(move |s| (&w.steps[0].figure, &s.figure)));
    for (i, (first, own)) in steps.enumerate() {
        if let (Some(first), Some(own)) = (unit(first), unit(own))
            && first != own
        {
            let message = format!("this is in {own}, the first step in {first}");
            found.add(format!("compare.waterfall.steps[{i}].figure"), message, "choose figures of one unit");
        }
    }
    for (i, slo) in slo.iter().enumerate() {
        if let Err(message) = slo {
            let help = "write KEY OP NUMBER, for example \"service_latency_s.p99 <= 0.5\"; OP is <=, >=, <, > or ==";
            found.add(format!("compare.fit.slo[{i}]"), message, help);
        }
    }
    found.0
}
