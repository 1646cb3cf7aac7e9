//! One entry of `initialize.plugins`: a method with its config and mapping.

use serde_json::Value;

use super::config::Config;
use super::error::{ImpactError, list};
use super::expression::Operand;
use super::methods::Methods;
use super::plugins::{self, Context, Plugin};
use super::row::{Mapping, Row};

/// Where the methods come from that this room computes itself.
const PATHS: &[&str] = &["builtin", "@grnsft/if-plugins", "@grnsft/if-unofficial-plugins"];

/// A plugin with its name, ready to compute.
#[derive(Debug)]
pub struct Step {
    name: String,
    plugin: Box<dyn Plugin>,
    mapping: Mapping,
}

impl Step {
    /// A step from its parts; `config` and `mapping` may be absent.
    ///
    /// # Errors
    /// There is no such method, or config or mapping are wrong.
    pub fn new(name: &str, method: &str, config: Option<&Value>, mapping: Option<&Value>) -> Result<Self, ImpactError> {
        let made = || {
            let mut read = Mapping::new();
            let wrong =
                || ImpactError::new("the mapping is no map of names", "write name: other-name").at_key("mapping");
            if let Some(mapping) = mapping.filter(|m| !m.is_null()) {
                for (own, outer) in mapping.as_object().ok_or_else(wrong)? {
                    read.insert(own.clone(), outer.as_str().ok_or_else(wrong)?.to_owned());
                }
            }
            let plugin = plugins::make(method, Config::new(config)?)?;
            let names = plugin.names();
            if let Some(own) = read.keys().find(|own| !names.contains(own)) {
                let help = format!("this plugin uses: {}", list(names.iter().map(String::as_str)));
                return Err(ImpactError::new("the plugin has no such parameter to map", help).at_key(own));
            }
            Ok(Self { name: name.to_owned(), plugin, mapping: read })
        };
        made().map_err(|e: ImpactError| e.in_plugin(name))
    }

    /// Reads an entry of `initialize.plugins`, and the methods of its parameters.
    pub(super) fn read(name: &str, entry: &Value, methods: &mut Methods) -> Result<Self, ImpactError> {
        let read = |methods: &mut Methods| {
            let entry = entry
                .as_object()
                .ok_or_else(|| ImpactError::new("the plugin is no map", "write method, path and config"))?;
            let known = ["method", "path", "config", "mapping", "parameter-metadata"];
            if let Some(key) = entry.keys().find(|k| !known.contains(&k.as_str())) {
                return Err(ImpactError::new("a plugin has no such key", format!("write {}", list(known))).at_key(key));
            }
            let text = |key: &str| {
                let missing = || ImpactError::new("this text is missing", "write method and path").at_key(key);
                entry.get(key).and_then(Value::as_str).ok_or_else(missing)
            };
            let (method, path) = (text("method")?, text("path")?);
            if !PATHS.contains(&path) {
                let help = format!("sim computes its own versions of the plugins of {}", list(PATHS.iter().copied()));
                return Err(ImpactError::new(format!("sim runs no code of {path:?}"), help).at_key("path"));
            }
            let step = Self::new(name, method, entry.get("config"), entry.get("mapping"))?;
            for (parameter, pair) in step.plugin.own_methods() {
                methods.set(parameter, *pair);
            }
            if let Some(metadata) = entry.get("parameter-metadata").filter(|m| !m.is_null()) {
                methods.read(metadata)?;
            }
            Ok(step)
        };
        read(methods).map_err(|e| e.in_plugin(name))
    }

    /// Its name in the manifest.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Computes the rows of one component.
    ///
    /// # Errors
    /// A row lacks what is needed, or holds what cannot be.
    pub fn run(&self, rows: Vec<Row>, methods: &Methods) -> Result<Vec<Row>, ImpactError> {
        let context = Context { mapping: &self.mapping, methods };
        self.plugin.run(rows, context).map_err(|e| e.in_plugin(&self.name))
    }

    /// What it divides by, if it makes a score, and the names under which that is found.
    pub(super) fn functional_unit(&self) -> Option<(&Operand, &Mapping)> {
        self.plugin.functional_unit().map(|unit| (unit, &self.mapping))
    }
}
