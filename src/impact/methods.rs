//! How parameters are combined: over time, and over components. From the plugins, and over that from `parameter-metadata`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::ImpactError;

/// How values become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// They are added.
    Sum,
    /// Their mean; over time weighted by duration.
    Avg,
    /// The last one.
    Copy,
    /// They do not.
    None,
}

impl Method {
    fn parse(value: Option<&Value>) -> Result<Self, ImpactError> {
        match value.and_then(Value::as_str) {
            Some("sum") => Ok(Self::Sum),
            Some("avg") => Ok(Self::Avg),
            Some("copy") => Ok(Self::Copy),
            Some("none") => Ok(Self::None),
            _ => Err(ImpactError::new(
                "the aggregation-method is not right",
                "write time and component, each one of sum, avg, copy, none",
            )),
        }
    }
}

/// Over time, and over components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Over time.
    pub time: Method,
    /// Over components.
    pub component: Method,
}

impl Pair {
    /// The same over both.
    pub const fn both(method: Method) -> Self {
        Self { time: method, component: method }
    }
}

/// The methods of all parameters that have one.
#[derive(Debug, Clone, Default)]
pub struct Methods(BTreeMap<String, Pair>);

impl Methods {
    /// Sets the method of a parameter; a later one wins.
    pub fn set(&mut self, name: &str, pair: Pair) {
        self.0.insert(name.to_owned(), pair);
    }

    /// The method of a parameter.
    pub fn get(&self, name: &str) -> Option<Pair> {
        self.0.get(name).copied()
    }

    /// Reads `parameter-metadata` of a plugin. Only the method counts; unit and description are for people.
    ///
    /// # Errors
    /// It is not as it should be.
    pub fn read(&mut self, metadata: &Value) -> Result<(), ImpactError> {
        let wrong = |what: &str| ImpactError::new(what, "write inputs and outputs, each a map of parameters");
        let parts = metadata.as_object().ok_or_else(|| wrong("parameter-metadata is no map"))?;
        for (part, parameters) in parts {
            if part != "inputs" && part != "outputs" {
                return Err(wrong("parameter-metadata has no such part").at_key(part));
            }
            if parameters.is_null() {
                continue;
            }
            let parameters = parameters.as_object().ok_or_else(|| wrong("this is no map").at_key(part))?;
            for (name, facts) in parameters {
                let method = |kind: &str| Method::parse(facts.get("aggregation-method").and_then(|m| m.get(kind)));
                let pair = method("time").and_then(|time| Ok(Pair { time, component: method("component")? }));
                self.set(name, pair.map_err(|e| e.at_key(name))?);
            }
        }
        Ok(())
    }
}
