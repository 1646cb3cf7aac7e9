//! What can be wrong with the file of a sweep that its schema cannot say.

use super::design::Method;
use std::collections::HashSet;

use super::points::{Points, Takes};
use super::rule::Until;
use super::spec::{AxisSpec, SweepSpec};
use crate::claim::find_key;
use crate::report::{Entry, Value};
use crate::scenario::{KeyProblem, Loaded, parse_path};

/// The most points of a sweep: more are a mistake in an axis.
const MOST_POINTS: usize = 10_000_000;

/// Columns that the tables of a sweep have already.
const TAKEN: [&str; 49] = [
    "point",
    "replication",
    "seed",
    "error",
    "metric",
    "unit",
    "runs",
    "mean",
    "deviation",
    "standard_error",
    "t_low",
    "t_high",
    "bootstrap_low",
    "bootstrap_high",
    "min",
    "max",
    "pairs",
    "baseline_mean",
    "difference",
    "relative",
    "relative_low",
    "relative_high",
    "frontier",
    "x_metric",
    "x_mean",
    "x_unit",
    "y_metric",
    "y_mean",
    "y_unit",
    "on_frontier",
    "axis",
    "first_order",
    "first_low",
    "first_high",
    "total",
    "total_low",
    "total_high",
    "samples",
    "left_out",
    "variance",
    "claim",
    "over",
    "result",
    "at",
    "low",
    "high",
    "interval_low",
    "interval_high",
    "figure",
];

/// What a sweep says of figures and values, resolved.
pub struct Checked {
    /// The rules of `until`.
    pub until: Vec<Until>,
    /// Keys of the figures that are analysed.
    pub metrics: Vec<String>,
    /// Numbers of the axis and of its value.
    pub baseline: Vec<(usize, usize)>,
    /// Keys of the frontiers.
    pub frontier: Vec<[String; 2]>,
}

struct Problems(Vec<KeyProblem>);

impl Problems {
    fn add(&mut self, key: impl Into<String>, message: impl Into<String>, help: impl Into<String>) {
        self.0.push(KeyProblem::new(key, message, help));
    }
}

/// What is wrong with the axes themselves.
pub fn axes(spec: &SweepSpec, base: &Loaded) -> Vec<KeyProblem> {
    let mut found = Problems(Vec::new());
    for (a, axis) in spec.axes.iter().enumerate() {
        one_axis(&mut found, a, axis, spec, base);
    }
    if let Some(name) = spec.name.as_ref().filter(|n| n.starts_with('.') || n.contains(['/', '\\']) || n.is_empty()) {
        let help = "it names a folder below results/: no / or \\, and no dot at its beginning; --out takes any place";
        found.add("name", format!("\"{name}\" cannot be the name of a sweep"), help);
    }
    let sampled = spec.axes.iter().any(is_sampled);
    match &spec.sample {
        None if sampled => {
            found.add("axes", "there is an axis to sample, and nothing says how", "add [sample] with method and count");
        }
        Some(_) if !sampled => {
            found.add(
                "sample",
                "there is no axis to sample",
                "give an axis `uniform` or `log_uniform`, or leave [sample] out",
            );
        }
        _ => {}
    }
    if found.0.is_empty() {
        zips(&mut found, spec, base);
    }
    found.0
}

fn is_sampled(axis: &AxisSpec) -> bool {
    axis.uniform.is_some() || axis.log_uniform.is_some()
}

fn one_axis(found: &mut Problems, a: usize, axis: &AxisSpec, spec: &SweepSpec, base: &Loaded) {
    let place = format!("axes[{a}]");
    let at = |key: &str| format!("{place}.{key}");
    let takes = [
        ("values", axis.values.is_some()),
        ("list", axis.list.is_some()),
        ("linear", axis.linear.is_some()),
        ("logarithmic", axis.logarithmic.is_some()),
        ("uniform", axis.uniform.is_some()),
        ("log_uniform", axis.log_uniform.is_some()),
    ];
    let given: Vec<&str> = takes.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
    match given[..] {
        [] => found.add(
            &place,
            "the axis has no values",
            "add one of: values, list, linear, logarithmic, uniform, log_uniform",
        ),
        [_] => {}
        _ => found.add(&place, format!("the axis has {}", given.join(" and ")), "keep one of them"),
    }
    if spec.axes[..a].iter().any(|other| other.name == axis.name) {
        found.add(at("name"), format!("two axes are called \"{}\"", axis.name), "give every axis a name of its own");
    }
    if axis.name.contains('.') || TAKEN.contains(&axis.name.as_str()) {
        let help = "names with a dot are figures, and the tables of a sweep have columns of this name: choose another";
        found.add(at("name"), format!("an axis cannot be called \"{}\"", axis.name), help);
    }
    match (&axis.key, axis.values.is_some()) {
        (Some(_), true) => found.add(at("key"), "named values say themselves what they set", "leave the key out"),
        (None, false) if !given.is_empty() => {
            found.add(
                &place,
                "nothing says which key takes the values",
                "add key = \"…\", a dotted path of the scenario",
            );
        }
        (Some(key), false) => {
            let first = parse_path(key).first().map(|step| format!("{step:?}")).unwrap_or_default();
            if first.contains("\"seed\"") {
                let help = "leave the axis out and set `replications`: they run with seed, seed + 1, …";
                found.add(at("key"), "seeds are no axis", help);
            }
            if axis.list.is_none() && base.takes_text(key) {
                found.add(
                    at("key"),
                    format!("\"{key}\" takes a text, not a number"),
                    "give the axis a `list` of texts",
                );
            }
        }
        _ => {}
    }
    for (kind, range) in [("linear", axis.linear), ("logarithmic", axis.logarithmic)] {
        let Some(range) = range else { continue };
        if range.from == range.to || !range.from.is_finite() || !range.to.is_finite() {
            found.add(at(kind), "the range has no width", "let `from` and `to` differ");
        } else if kind == "logarithmic" && (range.from <= 0.0 || range.to <= 0.0) {
            found.add(at(kind), "a logarithmic range has positive ends", "choose `from` and `to` above 0, or `linear`");
        }
    }
    for (kind, ends) in [("uniform", axis.uniform), ("log_uniform", axis.log_uniform)] {
        let Some(ends) = ends else { continue };
        if ends.from >= ends.to || !ends.from.is_finite() || !ends.to.is_finite() {
            found.add(at(kind), format!("from = {} is not below to = {}", ends.from, ends.to), "exchange them");
        } else if kind == "log_uniform" && ends.from <= 0.0 {
            found.add(at(kind), "a logarithmic range has positive ends", "choose `from` above 0, or `uniform`");
        } else if axis.key.as_deref().is_some_and(|key| base.takes_integer(key)) && ends.from.ceil() > ends.to.floor() {
            found.add(at(kind), "there is no whole number in it, and the key takes nothing else", "widen the range");
        }
    }
    if axis.zip.is_some() && is_sampled(axis) {
        found.add(at("zip"), "a sampled axis advances with the samples", "leave `zip` out");
    }
    for (i, value) in axis.list.iter().flatten().enumerate() {
        if value.is_null() || value.is_array() || value.is_object() {
            let help = "use numbers, texts, true or false; for tables use `values` with a `set`";
            found.add(format!("{place}.list[{i}]"), "this is no plain value", help);
        }
    }
    for (i, value) in axis.values.iter().flatten().enumerate() {
        for (list, arguments) in [("set", &value.set), ("unset", &value.unset)] {
            for (s, argument) in arguments.iter().enumerate() {
                let key = argument.trim_start();
                for (word, why) in
                    [("compare", "each point is one run"), ("seed", "replications have seeds of their own")]
                {
                    let rest = key.strip_prefix(word);
                    if rest.is_some_and(|r| !r.starts_with(|c: char| c.is_alphanumeric() || c == '_')) {
                        let place = format!("{place}.values[{i}].{list}[{s}]");
                        found.add(place, format!("a value cannot {list} {word}"), why);
                    }
                }
            }
        }
    }
}

/// Axes that advance together, double values, and how many points that makes.
fn zips(found: &mut Problems, spec: &SweepSpec, base: &Loaded) {
    let axes: Vec<_> = spec.axes.iter().map(|a| super::points::axis(a, base)).collect();
    let levels = |a: usize| match &axes[a].takes {
        Takes::Listed(levels) => levels.len(),
        Takes::Sampled { .. } => 1,
    };
    let mut combinations = 1usize;
    for (a, axis) in spec.axes.iter().enumerate() {
        if let Takes::Listed(levels) = &axes[a].takes {
            let mut seen = HashSet::new();
            for level in levels {
                if axis.zip.is_none() && !seen.insert(&level.name) {
                    found.add(
                        format!("axes[{a}]"),
                        format!("\"{}\" is there twice", level.name),
                        "every value must differ",
                    );
                }
            }
        }
        let first = axis.zip.as_ref().and_then(|zip| spec.axes[..a].iter().position(|o| o.zip.as_ref() == Some(zip)));
        match first {
            Some(first) if levels(first) != levels(a) => {
                let message = format!(
                    "\"{}\" has {} values and \"{}\" has {}: they cannot advance together",
                    spec.axes[first].name,
                    levels(first),
                    axis.name,
                    levels(a)
                );
                found.add(format!("axes[{a}].zip"), message, "give them equally many values, or leave `zip` out");
            }
            Some(_) => {}
            None => combinations = combinations.saturating_mul(levels(a)),
        }
    }
    let sampled = spec.axes.iter().filter(|a| is_sampled(a)).count();
    let samples = spec.sample.as_ref().map_or(1, |sample| match sample.method {
        Method::Saltelli => sample.count as usize * (sampled + 2),
        _ => sample.count as usize,
    });
    let points = combinations.saturating_mul(samples);
    if points > MOST_POINTS {
        found.add("axes", format!("{points} points are too many"), format!("at most {MOST_POINTS} are run"));
    }
}

/// What is wrong with figures and values that the sweep names, or what they mean.
pub fn check(spec: &SweepSpec, points: &Points, figures: &[Entry]) -> Result<Checked, Vec<KeyProblem>> {
    /// What is analysed if nothing is said, as far as the runs have it.
    const DEFAULT: [&str; 6] = [
        "sci.g_per_unit",
        "sci.operational_g_per_unit",
        "sci.embodied_g_per_unit",
        "latency_s.p99",
        "calls.cold_share",
        "hosts.used_mean",
    ];
    let mut found = Problems(Vec::new());
    let keys: Vec<&str> =
        figures.iter().filter(|e| !matches!(e.value, Value::Text(_))).map(|e| e.key.as_str()).collect();
    let mut figure = |place: String, name: &str| match find_key(name, &keys) {
        Ok(key) => key.to_owned(),
        Err(error) => {
            found.add(place, error.to_string(), "the keys are those of summary.csv; docs/outputs.md explains them");
            String::new()
        }
    };
    let mut metrics: Vec<String> =
        spec.metrics.iter().enumerate().map(|(i, name)| figure(format!("metrics[{i}]"), name)).collect();
    if metrics.is_empty() {
        metrics = DEFAULT.iter().filter(|key| keys.contains(key)).map(|key| (*key).to_owned()).collect();
    }
    let mut frontier = Vec::new();
    for (i, one) in spec.frontier.iter().enumerate() {
        let key = |n: usize| (format!("frontier[{i}].minimize[{n}]"), one.minimize[n].as_str());
        let [(p, x), (q, y)] = [key(0), key(1)];
        frontier.push([figure(p, x), figure(q, y)]);
    }
    let mut until = Vec::new();
    for (i, text) in spec.until.iter().enumerate() {
        match Until::parse(text, &keys) {
            Ok(rule) => until.push(rule),
            Err((message, help)) => found.add(format!("until[{i}]"), message, help),
        }
    }
    if spec.until.is_empty() && spec.most_replications.is_some() {
        found.add("most_replications", "nothing asks for more than `replications`", "add `until`, or leave it out");
    }
    if spec.most_replications.is_some_and(|most| most < spec.replications) {
        found.add("most_replications", "it is below `replications`", "exchange them");
    }
    let mut baseline = Vec::new();
    for (name, value) in &spec.baseline {
        let place = format!("baseline.{name}");
        let Some(a) = points.axes.iter().position(|axis| axis.name == *name) else {
            let names: Vec<&str> = points.axes.iter().map(|axis| axis.name.as_str()).collect();
            found.add(place, format!("no axis is called \"{name}\""), format!("the axes are {}", names.join(", ")));
            continue;
        };
        let Takes::Listed(levels) = &points.axes[a].takes else {
            found.add(place, "a sampled axis has no value to compare with", "name a listed axis");
            continue;
        };
        match levels.iter().position(|level| level.name == *value) {
            Some(l) => baseline.push((a, l)),
            None => {
                let names: Vec<&str> = levels.iter().map(|level| level.name.as_str()).collect();
                found.add(place, format!("\"{value}\" is no value of {name}"), format!("it has {}", names.join(", ")));
            }
        }
    }
    // Axes that advance together move together here, too.
    if found.0.is_empty() && !baseline.is_empty() {
        let named = baseline.clone();
        for (a, axis) in spec.axes.iter().enumerate().filter(|(_, axis)| axis.zip.is_some()) {
            let partner = named.iter().find(|(b, _)| spec.axes[*b].zip == axis.zip);
            baseline.extend(partner.filter(|_| named.iter().all(|(b, _)| *b != a)).map(|&(_, l)| (a, l)));
        }
        baseline.sort_unstable();
        let mut at = points.at(0);
        baseline.iter().for_each(|&(a, l)| at[a] = l);
        if points.find(0, &at).is_none() {
            found.add(
                "baseline",
                "axes that advance together never have these values together",
                "name a value of one of them",
            );
        }
    }
    if found.0.is_empty() { Ok(Checked { until, metrics, baseline, frontier }) } else { Err(found.0) }
}
