//! A manifest as a whole: plugins, aggregation, and the keys that may stand in it.

use serde_json::{Map, Value};

use super::aggregate::Aggregation;
use super::error::{ImpactError, list};
use super::methods::Methods;
use super::step::Step;

/// Keys of a manifest. `slackwater` is what `sim impact export` says of the run.
const KEYS: &[&str] = &[
    "name",
    "description",
    "tags",
    "aggregation",
    "initialize",
    "tree",
    "execution",
    "explainer",
    "explain",
    "slackwater",
];

/// What a manifest says beside its tree.
#[derive(Debug)]
pub struct Plan {
    steps: Vec<Step>,
    /// How parameters are combined.
    pub methods: Methods,
    /// What is aggregated, if anything.
    pub aggregation: Option<Aggregation>,
}

impl Plan {
    /// Reads all but the tree.
    ///
    /// # Errors
    /// A key is missing, unknown or wrong.
    pub fn read(document: &Map<String, Value>) -> Result<Self, ImpactError> {
        if let Some(key) = document.keys().find(|k| !KEYS.contains(&k.as_str())) {
            let help = format!("a manifest has {}", list(KEYS.iter().copied()));
            return Err(ImpactError::new("a manifest has no such key", help).at_key(key));
        }
        let initialize = document.get("initialize").and_then(Value::as_object);
        let missing = |key: &str| {
            ImpactError::new("this map is missing", "declare the plugins below initialize.plugins").at_key(key)
        };
        let initialize = initialize.ok_or_else(|| missing("initialize"))?;
        if let Some(key) = initialize.keys().find(|k| *k != "plugins") {
            return Err(ImpactError::new("initialize has no such key", "write plugins").at_key(key));
        }
        let plugins =
            initialize.get("plugins").and_then(Value::as_object).ok_or_else(|| missing("initialize.plugins"))?;
        let mut methods = Methods::default();
        let mut steps = Vec::new();
        for (name, entry) in plugins {
            steps.push(Step::read(name, entry, &mut methods)?);
        }
        let aggregation = document.get("aggregation").filter(|a| !a.is_null());
        let aggregation = aggregation.map(Aggregation::read).transpose()?;
        Ok(Self { steps, methods, aggregation })
    }

    /// A plugin by its name.
    ///
    /// # Errors
    /// There is none.
    pub fn step(&self, name: &str) -> Result<&Step, ImpactError> {
        self.steps.iter().find(|s| s.name() == name).ok_or_else(|| {
            let help = format!("initialize.plugins declares {}", list(self.steps.iter().map(Step::name)));
            ImpactError::new(format!("the pipeline names {name:?}, which is no plugin"), help).at_key("pipeline")
        })
    }
}
