//! A loaded scenario under further overrides that stand in its own file: one run of a comparison.

use std::ops::Range;
use std::sync::LazyLock;

use super::diagnose::Problem;
use super::document::{Document, Node, Place, Value};
use super::overrides::{UNSET, takes_integer, takes_text};
use super::path::{PathStep, parse_path};
use super::{Loaded, ScenarioError, check_against_schema, schema};

/// The schema, made once: a comparison has many variants.
static SCHEMA: LazyLock<serde_json::Value> = LazyLock::new(schema);

/// One override of a run, and where the file demands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// `KEY=VALUE`, as after `--set`, or what [`unset`](super::unset) makes of a key.
    pub argument: String,
    /// Dotted path of what names the key.
    pub key_at: String,
    /// Dotted path of what names the value; the same if one string holds both.
    pub value_at: String,
}

impl Loaded {
    /// Whether a key, a dotted path, takes a text, so that a number there makes no sense.
    pub fn takes_text(&self, key: &str) -> bool {
        takes_text(key, &SCHEMA)
    }

    /// Whether a key, a dotted path, takes whole numbers only.
    pub fn takes_integer(&self, key: &str) -> bool {
        takes_integer(key, &SCHEMA)
    }

    /// The same scenario with further overrides, as after `--set`, and without `[compare]`; `run` is how messages call it.
    ///
    /// # Errors
    /// All problems that show without opening any file, each where the override stands.
    pub fn with(&self, run: &str, arguments: &[String]) -> Result<Loaded, ScenarioError> {
        let mut document = self.document.clone();
        let set = |argument: &String| document.set(argument, &SCHEMA).err().map(|problem| *problem);
        let found = arguments.iter().filter_map(set).collect();
        self.checked(document, run, arguments.iter().cloned(), found)
    }

    /// The same scenario with overrides on top of those of the command line, and without `[compare]`; `run` is how
    /// messages call it.
    ///
    /// # Errors
    /// All problems that show without opening any file, each where the override stands.
    pub fn variant(&self, run: &str, overrides: &[Override]) -> Result<Loaded, ScenarioError> {
        let schema = &*SCHEMA;
        let mut document = self.document.clone();
        let mut found = Vec::new();
        for entry in overrides {
            let origin = Origin::of(&document, entry);
            let changed = match entry.argument.strip_prefix(UNSET) {
                Some(key) => document.remove(key, &|range| origin.at(range)),
                None => document.assign(&entry.argument, &|range| origin.at(range), schema),
            };
            if let Err(problem) = changed {
                found.push(*problem);
            }
        }
        self.checked(document, run, overrides.iter().map(|o| o.argument.clone()), found)
    }

    /// A document with overrides as a scenario, unless something is wrong with it.
    fn checked(
        &self,
        document: Document,
        run: &str,
        arguments: impl Iterator<Item = String>,
        mut found: Vec<Problem>,
    ) -> Result<Loaded, ScenarioError> {
        found.extend(check_against_schema(&document, &SCHEMA));
        let failed = |document: &Document, found| {
            let report = document.report(found).of_run(Some(run.to_owned()));
            ScenarioError::Problems(Box::new(report))
        };
        if !found.is_empty() {
            return Err(failed(&document, found));
        }
        let mut scenario: super::Scenario =
            document.deserialize().map_err(|problem| failed(&document, vec![*problem]))?;
        scenario.compare = None;
        let set = self.set.iter().cloned().chain(arguments).collect();
        Ok(Loaded {
            path: self.path.clone(),
            sha256: self.sha256.clone(),
            extended: self.extended.clone(),
            set,
            scenario,
            run: Some(run.to_owned()),
            document,
        })
    }
}

/// Where the bytes of an override stand.
enum Origin {
    /// In one text, from this byte on.
    Text(usize, usize),
    /// The key here, the value there.
    Apart(Place, Place),
}

impl Origin {
    fn of(document: &Document, entry: &Override) -> Self {
        let nowhere = || Place::new(0, 0..0);
        let (key, value) = (document.place_of(&entry.key_at), document.place_of(&entry.value_at));
        let text = node_at(&document.root, &parse_path(&entry.value_at)).and_then(|node| {
            let written = document.sources[node.place.source].text.get(node.place.range())?;
            let said = entry.argument.strip_prefix(UNSET).unwrap_or(&entry.argument);
            let offset = written.find(said).filter(|_| matches!(node.value, Value::Text(_)))?;
            Some(Origin::Text(node.place.source, node.place.start + offset))
        });
        text.unwrap_or_else(|| Origin::Apart(key.unwrap_or_else(nowhere), value.unwrap_or_else(nowhere)))
    }

    fn at(&self, range: Range<usize>) -> Place {
        match self {
            Origin::Text(source, start) => Place::new(*source, start + range.start..start + range.end),
            Origin::Apart(key, _) if range.start == 0 => key.clone(),
            Origin::Apart(_, value) => value.clone(),
        }
    }
}

fn node_at<'d>(mut node: &'d Node, path: &[PathStep]) -> Option<&'d Node> {
    for step in path {
        node = match (step, &node.value) {
            (PathStep::Key(name), Value::Table(entries)) => &entries.iter().find(|e| &e.key == name)?.node,
            (PathStep::Index(i), Value::Array(nodes)) => nodes.get(*i)?,
            _ => return None,
        };
    }
    Some(node)
}
