//! From axes to points: which value every axis takes at point number p, and the overrides that this means.
//!
//! Points are numbered from 0: the sample is the slowest to change, then the listed axes in their order, the last one fastest.
//! A point is computed when it is asked for, so that a million of them need no memory.

use serde::{Deserialize, Serialize};

use super::design::Design;
use super::spec::{AxisSpec, EndsSpec, RangeSpec};
use crate::compare::unit_of;
use crate::scenario::{Loaded, unset};

/// A value of an axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Its name in tables.
    pub name: String,
    /// The number, if it is one.
    pub number: Option<f64>,
    /// What it changes in the scenario.
    pub overrides: Vec<String>,
}

/// One axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// Its name.
    pub name: String,
    /// The key that takes its values.
    pub key: Option<String>,
    /// The unit that the key's name carries; empty if it carries none.
    pub unit: String,
    /// What it takes.
    pub takes: Takes,
}

/// What an axis takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Takes {
    /// One of these.
    Listed(Vec<Level>),
    /// A number from a range, by sample.
    Sampled {
        /// The range.
        ends: EndsSpec,
        /// Whether the logarithm is uniform.
        logarithmic: bool,
        /// Whether whole numbers only.
        integer: bool,
    },
}

/// The points of a sweep.
pub struct Points {
    /// The axes, in the order of the file.
    pub axes: Vec<Axis>,
    /// Which axes advance together; every listed axis is in one of these.
    groups: Vec<Vec<usize>>,
    /// The samples of the sampled axes, if there are any.
    pub design: Option<Design>,
}

impl Points {
    /// Puts axes together; `zips` says which of them advance together.
    pub fn new(axes: Vec<Axis>, zips: &[Option<String>], design: Option<Design>) -> Self {
        let mut groups: Vec<(Option<&String>, Vec<usize>)> = Vec::new();
        for (a, axis) in axes.iter().enumerate() {
            if matches!(axis.takes, Takes::Sampled { .. }) {
                continue;
            }
            let zip = zips[a].as_ref();
            match groups.iter_mut().find(|(name, _)| zip.is_some() && *name == zip) {
                Some((_, members)) => members.push(a),
                None => groups.push((zip, vec![a])),
            }
        }
        let groups = groups.into_iter().map(|(_, members)| members).collect();
        Self { axes, groups, design }
    }

    /// How many combinations the listed axes have.
    pub fn combinations(&self) -> usize {
        self.groups.iter().fold(1, |n, group| n.saturating_mul(self.levels(group[0])))
    }

    /// How many samples there are; 1 without sampled axes.
    pub fn samples(&self) -> usize {
        self.design.as_ref().map_or(1, Design::len)
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.combinations().saturating_mul(self.samples())
    }

    /// Whether there is none; there always is one.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn levels(&self, axis: usize) -> usize {
        match &self.axes[axis].takes {
            Takes::Listed(levels) => levels.len(),
            Takes::Sampled { .. } => 1,
        }
    }

    /// The number of its value on every listed axis at a point; 0 on sampled axes.
    pub fn at(&self, point: usize) -> Vec<usize> {
        let mut rest = point % self.combinations();
        let mut at = vec![0; self.axes.len()];
        for group in self.groups.iter().rev() {
            let levels = self.levels(group[0]);
            for &axis in group {
                at[axis] = rest % levels;
            }
            rest /= levels;
        }
        at
    }

    /// The point with these values on the listed axes, of one sample; `None` if zipped axes disagree.
    pub fn find(&self, sample: usize, at: &[usize]) -> Option<usize> {
        let mut number = sample;
        for group in &self.groups {
            if group.iter().any(|&axis| at[axis] != at[group[0]]) {
                return None;
            }
            number = number * self.levels(group[0]) + at[group[0]];
        }
        Some(number)
    }

    /// The sample of a point.
    pub fn sample(&self, point: usize) -> usize {
        point / self.combinations()
    }

    /// The value of every axis at a point.
    pub fn point(&self, point: usize) -> Vec<Level> {
        let at = self.at(point);
        let mut shares = self.design.as_ref().map(|d| d.point(self.sample(point))).unwrap_or_default().into_iter();
        let one = |(axis, &i): (&Axis, &usize)| match &axis.takes {
            Takes::Listed(levels) => levels[i].clone(),
            Takes::Sampled { ends, logarithmic, integer } => {
                let share = shares.next().expect("the design has a dimension for every sampled axis");
                let x = sampled(*ends, *logarithmic, *integer, share);
                number(x, axis.key.as_deref().expect("a sampled axis has a key"))
            }
        };
        self.axes.iter().zip(&at).map(one).collect()
    }
}

/// A number of a sampled axis.
///
/// Formula: from + u (to - from), or exp(ln from + u (ln to - ln from)). Of the whole numbers between the ends each one is equally likely,
/// floor of a + u (b - a + 1) with a and b the first and the last; on a logarithmic axis the number is rounded.
fn sampled(ends: EndsSpec, logarithmic: bool, integer: bool, share: f64) -> f64 {
    let EndsSpec { from, to } = ends;
    let (first, last) = (from.ceil(), to.floor());
    match (logarithmic, integer) {
        (true, _) => {
            let x = libm::exp(libm::log(from) + share * (libm::log(to) - libm::log(from)));
            if integer { x.round().clamp(first, last) } else { x.clamp(from, to) }
        }
        (false, true) => (first + share * (last - first + 1.0)).floor().min(last),
        (false, false) => from + share * (to - from),
    }
}

fn number(x: f64, key: &str) -> Level {
    Level { name: x.to_string(), number: Some(x), overrides: vec![format!("{key}={x}")] }
}

/// Numbers of a range, both ends exact; whole ones each once.
///
/// Formula: from + (to - from) i / (n - 1), or from (to / from)^(i / (n - 1)), to twelve digits.
pub fn range(range: RangeSpec, logarithmic: bool, integer: bool) -> Vec<f64> {
    let RangeSpec { from, to, count } = range;
    let last = f64::from(count - 1);
    let one = |i: u32| {
        if i == 0 || i + 1 == count {
            return if i == 0 { from } else { to };
        }
        let share = f64::from(i) / last;
        let x = if logarithmic { from * libm::pow(to / from, share) } else { from + (to - from) * share };
        format!("{x:.11e}").parse().unwrap_or(x)
    };
    let mut numbers: Vec<f64> = (0..count).map(one).map(|x| if integer { x.round() } else { x }).collect();
    numbers.dedup();
    numbers
}

/// The axis of a spec, which is known to be right.
pub fn axis(spec: &AxisSpec, loaded: &Loaded) -> Axis {
    let key = spec.key.as_deref().unwrap_or_default();
    let integer = loaded.takes_integer(key);
    let numbers =
        |numbers: Vec<f64>| Takes::Listed(numbers.into_iter().map(|x| number(x, key)).collect::<Vec<Level>>());
    let sampled = |ends: EndsSpec, logarithmic: bool| Takes::Sampled { ends, logarithmic, integer };
    let takes = if let Some(values) = &spec.values {
        let level = |v: &crate::scenario::ValueSpec| Level {
            name: v.name.clone(),
            number: None,
            overrides: v.unset.iter().map(|key| unset(key)).chain(v.set.iter().cloned()).collect(),
        };
        Takes::Listed(values.iter().map(level).collect())
    } else if let Some(list) = &spec.list {
        Takes::Listed(list.iter().map(|value| listed(value, key)).collect())
    } else if let Some(r) = spec.linear {
        numbers(range(r, false, integer))
    } else if let Some(r) = spec.logarithmic {
        numbers(range(r, true, integer))
    } else {
        let ends = spec.uniform.or(spec.log_uniform).expect("an axis takes something");
        sampled(ends, spec.uniform.is_none())
    };
    let unit = if key.is_empty() { "" } else { unit_of(key) }.to_owned();
    Axis { name: spec.name.clone(), key: spec.key.clone(), unit, takes }
}

/// A value of a list.
fn listed(value: &serde_json::Value, key: &str) -> Level {
    match value {
        serde_json::Value::String(text) => {
            let quoted = toml::Value::String(text.clone()).to_string();
            Level { name: text.clone(), number: None, overrides: vec![format!("{key}={quoted}")] }
        }
        // However it is spelled, 10, 10.0 or 1e1, a number has one name.
        serde_json::Value::Number(n) => match n.as_i64() {
            Some(whole) => {
                Level { name: whole.to_string(), number: n.as_f64(), overrides: vec![format!("{key}={whole}")] }
            }
            None => number(n.as_f64().unwrap_or(f64::NAN), key),
        },
        other => Level { name: other.to_string(), number: None, overrides: vec![format!("{key}={other}")] },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, levels: &[&str]) -> Axis {
        let level = |l: &&str| Level { name: (*l).to_owned(), number: None, overrides: Vec::new() };
        Axis {
            name: name.to_owned(),
            key: None,
            unit: String::new(),
            takes: Takes::Listed(levels.iter().map(level).collect()),
        }
    }

    fn names(points: &Points) -> Vec<String> {
        let one = |p| points.point(p).iter().map(|l| l.name.as_str()).collect::<String>();
        (0..points.len()).map(one).collect()
    }

    #[test]
    fn listed_axes_are_crossed_and_the_last_one_changes_fastest() {
        let points = Points::new(vec![named("x", &["a", "b"]), named("y", &["1", "2", "3"])], &[None, None], None);
        assert_eq!(names(&points), ["a1", "a2", "a3", "b1", "b2", "b3"]);
        for p in 0..points.len() {
            assert_eq!(points.find(0, &points.at(p)), Some(p));
        }
    }

    #[test]
    fn axes_of_one_zip_advance_together() {
        let axes = vec![named("x", &["a", "b"]), named("y", &["1", "2", "3"]), named("z", &["p", "q"])];
        let zip = Some("pair".to_owned());
        let points = Points::new(axes, &[zip.clone(), None, zip], None);
        assert_eq!(names(&points), ["a1p", "a2p", "a3p", "b1q", "b2q", "b3q"]);
        assert_eq!(points.find(0, &[0, 1, 1]), None, "a and q never meet");
        assert_eq!(points.find(0, &[1, 2, 1]), Some(5));
    }

    #[test]
    fn ranges_have_exact_ends_and_whole_numbers_once() {
        let spec = |from, to, count| RangeSpec { from, to, count };
        assert_eq!(range(spec(1.0, 1000.0, 4), true, false), [1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(range(spec(0.0, 0.3, 4), false, false), [0.0, 0.1, 0.2, 0.3]);
        assert_eq!(range(spec(1.0, 4.0, 7), false, true), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(range(spec(0.1, 0.7, 2), false, false), [0.1, 0.7]);
    }

    #[test]
    fn a_number_has_one_name_however_it_is_spelled() {
        let one = |text: &str| listed(&serde_json::from_str(text).expect("JSON"), "k");
        assert_eq!(one("10.0"), one("10"));
        assert_eq!((one("0.5").name.as_str(), one("-3").overrides[0].as_str()), ("0.5", "k=-3"));
    }

    #[test]
    fn samples_fill_their_range() {
        let ends = |from, to| EndsSpec { from, to };
        assert_eq!(sampled(ends(2.0, 6.0), false, false, 0.25), 3.0);
        assert!((sampled(ends(1.0, 100.0), true, false, 0.5) - 10.0).abs() < 1e-12);
        // Four whole numbers, a quarter of the range each.
        let whole: Vec<f64> = [0.01, 0.26, 0.51, 0.76, 0.999].map(|u| sampled(ends(1.0, 4.0), false, true, u)).into();
        assert_eq!(whole, [1.0, 2.0, 3.0, 4.0, 4.0]);
        let between: Vec<f64> = [0.01, 0.49, 0.51, 0.99].map(|u| sampled(ends(1.5, 3.5), false, true, u)).into();
        assert_eq!(between, [2.0, 2.0, 3.0, 3.0], "1 and 3.5 are outside");
        assert_eq!([0.001, 0.999].map(|u| sampled(ends(1.5, 3.5), true, true, u)), [2.0, 3.0]);
    }
}
