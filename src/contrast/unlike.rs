//! What two manifests have otherwise: scenario keys, axes, seed, program, inputs.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

/// A key that two manifests have otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Unlike {
    /// Where it belongs.
    pub part: Part,
    /// The dotted key; elements of lists by name, `regions[here].pue`, or by number.
    pub key: String,
    /// The baseline's value; none if it has no such key.
    pub base: Option<Json>,
    /// The other's.
    pub own: Option<Json>,
}

/// Parts of a manifest that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The scenario with all defaults and overrides.
    Scenario,
    /// The axes of a sweep.
    Axes,
    /// The seed.
    Seed,
    /// The program: version, commit, code.
    Program,
    /// The input files and their SHA-256.
    Inputs,
}

impl Part {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Part::Scenario => "scenario",
            Part::Axes => "axes",
            Part::Seed => "seed",
            Part::Program => "program",
            Part::Inputs => "input",
        }
    }
}

/// Whether a difference is one that replications of one scenario may have.
pub(super) fn is_replication(unlike: &Unlike) -> bool {
    unlike.part == Part::Seed
}

/// Everything in which two manifests differ, in the order of the first; keys of the second alone come last.
///
/// Not compared: when and how fast it ran, where its files were, and what the scenario's parts say of themselves, which follows
/// from the scenario and the program.
pub fn differing(base: &Json, own: &Json) -> Vec<Unlike> {
    let mut found = Vec::new();
    let mut walk = Walk { part: Part::Scenario, found: &mut found };
    let scenario = |manifest: &Json| {
        let mut scenario = manifest["scenario"].as_object().cloned().unwrap_or_default();
        // It stands in the manifest, too, and is no matter of the scenario here.
        scenario.shift_remove("seed");
        Json::Object(scenario)
    };
    walk.both("", &scenario(base), &scenario(own));
    walk.part = Part::Axes;
    walk.either("axes", base.get("axes"), own.get("axes"));
    walk.part = Part::Seed;
    walk.either("seed", base.get("seed"), own.get("seed"));
    walk.part = Part::Program;
    for key in ["program", "version", "git_commit", "code"] {
        walk.either(key, base.get(key), own.get(key));
    }
    walk.part = Part::Inputs;
    walk.both("", &inputs(base), &inputs(own));
    found
}

/// The inputs' SHA-256 by the names of the files. Paths differ between machines; names that several files share get a number.
fn inputs(manifest: &Json) -> Json {
    let mut files = Map::new();
    for input in manifest["inputs"].as_array().into_iter().flatten() {
        let path = input["path"].as_str().unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or_default();
        let mut key = name.to_owned();
        let mut n = 1;
        while files.contains_key(&key) {
            n += 1;
            key = format!("{name} ({n})");
        }
        files.insert(key, input["sha256"].clone());
    }
    Json::Object(files)
}

struct Walk<'f> {
    part: Part,
    found: &'f mut Vec<Unlike>,
}

impl Walk<'_> {
    fn note(&mut self, key: &str, base: Option<&Json>, own: Option<&Json>) {
        self.found.push(Unlike { part: self.part, key: key.to_owned(), base: base.cloned(), own: own.cloned() });
    }

    /// A key that may be absent; a key without a value is one that is absent.
    fn either(&mut self, key: &str, base: Option<&Json>, own: Option<&Json>) {
        match (base.filter(|v| !v.is_null()), own.filter(|v| !v.is_null())) {
            (Some(base), Some(own)) => self.both(key, base, own),
            (None, None) => {}
            (base, own) => self.note(key, base, own),
        }
    }

    fn both(&mut self, key: &str, base: &Json, own: &Json) {
        if same(base, own) {
            return;
        }
        match (base, own) {
            (Json::Object(base), Json::Object(own)) => {
                let dotted = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
                for (name, value) in base {
                    self.either(&dotted(name), Some(value), own.get(name));
                }
                for (name, value) in own.iter().filter(|(name, _)| !base.contains_key(*name)) {
                    self.either(&dotted(name), None, Some(value));
                }
            }
            (Json::Array(base), Json::Array(own)) => self.lists(key, base, own),
            _ => self.note(key, Some(base), Some(own)),
        }
    }

    /// Lists: by name where all elements have one of their own; by number where elements are tables; else as a whole.
    fn lists(&mut self, key: &str, base: &[Json], own: &[Json]) {
        if let (Some(names), Some(others)) = (names(base), names(own)) {
            for (name, value) in names.iter().zip(base) {
                let other = others.iter().position(|n| n == name).map(|i| &own[i]);
                self.either(&format!("{key}[{name}]"), Some(value), other);
            }
            for (name, value) in others.iter().zip(own).filter(|(name, _)| !names.contains(name)) {
                self.either(&format!("{key}[{name}]"), None, Some(value));
            }
            if names != others && names.iter().collect::<BTreeSet<_>>() == others.iter().collect::<BTreeSet<_>>() {
                let order = |names: &[&str]| Json::from(names.join(", "));
                self.note(&format!("{key} (order)"), Some(&order(&names)), Some(&order(&others)));
            }
        } else if base.iter().chain(own).all(Json::is_object) {
            for i in 0..base.len().max(own.len()) {
                self.either(&format!("{key}[{i}]"), base.get(i), own.get(i));
            }
        } else {
            self.note(key, Some(&base.into()), Some(&own.into()));
        }
    }
}

/// The names of elements, if all have one and no two the same.
fn names(list: &[Json]) -> Option<Vec<&str>> {
    let names: Vec<&str> = list.iter().map(|element| element.get("name")?.as_str()).collect::<Option<_>>()?;
    let unique: BTreeSet<&&str> = names.iter().collect();
    (unique.len() == names.len()).then_some(names)
}

/// Whether two values are the same: 2 is 2.0.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(x), Json::Number(y)) => x == y || x.as_f64() == y.as_f64() && !(x.is_u64() && y.is_u64()),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn keys(base: &Json, own: &Json) -> Vec<(String, Option<Json>, Option<Json>)> {
        differing(base, own).into_iter().map(|u| (u.key, u.base, u.own)).collect()
    }

    #[test]
    fn elements_are_aligned_by_name_and_tables_are_told_by_their_topmost_key() {
        let base = json!({ "seed": 1, "version": "1", "scenario": {
            "seed": 1, "a": { "b": 2, "c": [1, 2] }, "keep": { "fixed": { "s": 30.0 } },
            "regions": [{ "name": "x", "pue": 1.1 }, { "name": "y", "pue": 1.2 }], "hosts": [{ "n": 1 }] } });
        let own = json!({ "seed": 2, "version": "1", "scenario": {
            "seed": 2, "a": { "b": 2.0, "c": [1, 3] }, "keep": { "learned": {} },
            "regions": [{ "name": "y", "pue": 1.3 }, { "name": "z" }], "hosts": [{ "n": 1 }, { "n": 2 }] } });
        assert_eq!(
            keys(&base, &own),
            [
                ("a.c".to_owned(), Some(json!([1, 2])), Some(json!([1, 3]))),
                ("keep.fixed".to_owned(), Some(json!({ "s": 30.0 })), None),
                ("keep.learned".to_owned(), None, Some(json!({}))),
                ("regions[x]".to_owned(), Some(json!({ "name": "x", "pue": 1.1 })), None),
                ("regions[y].pue".to_owned(), Some(json!(1.2)), Some(json!(1.3))),
                ("regions[z]".to_owned(), None, Some(json!({ "name": "z" }))),
                ("hosts[1]".to_owned(), None, Some(json!({ "n": 2 }))),
                ("seed".to_owned(), Some(json!(1)), Some(json!(2))),
            ]
        );
        assert_eq!(differing(&base, &base), []);
    }

    #[test]
    fn an_order_is_a_difference_of_its_own() {
        let manifest = |names: [&str; 2]| json!({ "scenario": { "r": names.map(|n| json!({ "name": n })) } });
        let found = keys(&manifest(["a", "b"]), &manifest(["b", "a"]));
        assert_eq!(found, [("r (order)".to_owned(), Some(json!("a, b")), Some(json!("b, a")))]);
    }

    #[test]
    fn inputs_are_compared_by_name_and_content_and_costs_not_at_all() {
        let manifest = |folder: &str, sum: &str, wall: f64| {
            json!({ "inputs": [{ "path": format!("{folder}/grid.csv"), "sha256": sum }], "scenario": {},
                "effort": { "wall_time_s": wall }, "git_commit": null })
        };
        assert_eq!(differing(&manifest("a", "00", 1.0), &manifest("b", "00", 2.0)), []);
        let found = differing(&manifest("a", "00", 1.0), &manifest("a", "01", 1.0));
        assert_eq!((found.len(), found[0].part, found[0].key.as_str()), (1, Part::Inputs, "grid.csv"));
    }

    #[test]
    fn large_seeds_that_differ_in_the_last_digit_differ() {
        let of = |seed: u64| json!({ "seed": seed, "scenario": {} });
        assert_eq!(differing(&of(9_007_199_254_740_993), &of(9_007_199_254_740_992)).len(), 1);
    }
}
