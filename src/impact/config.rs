//! The config of a plugin, key by key; what is left over is an error, not ignored.

use serde_json::{Map, Value};

use super::error::{ImpactError, list};
use super::expression::{Operand, Output};

/// A config that is being read.
#[derive(Debug)]
pub struct Config {
    rest: Map<String, Value>,
    known: Vec<&'static str>,
}

impl Config {
    /// Begins to read; no config is an empty one.
    ///
    /// # Errors
    /// The config is no map.
    pub fn new(config: Option<&Value>) -> Result<Self, ImpactError> {
        let rest = match config {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(map)) => map.clone(),
            Some(other) => {
                return Err(ImpactError::new(format!("the config is {other}"), "write key: value pairs below config"));
            }
        };
        Ok(Self { rest, known: Vec::new() })
    }

    /// A value, unless it is absent or null.
    pub fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.rest.shift_remove(key).filter(|v| !v.is_null())
    }

    /// A value.
    ///
    /// # Errors
    /// It is absent.
    pub fn need(&mut self, key: &'static str) -> Result<Value, ImpactError> {
        self.take(key)
            .ok_or_else(|| ImpactError::new("the config lacks this key", "add it to the plugin's config").at_key(key))
    }

    /// A text.
    ///
    /// # Errors
    /// It is there and not a text.
    pub fn text(&mut self, key: &'static str) -> Result<Option<String>, ImpactError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(ImpactError::new(format!("{other} is not a text"), "write a text").at_key(key)),
        }
    }

    /// A finite number of at least 0.
    ///
    /// # Errors
    /// It is there and none.
    pub fn number(&mut self, key: &'static str) -> Result<Option<f64>, ImpactError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        match value.as_f64().filter(|x| x.is_finite() && *x >= 0.0) {
            Some(x) => Ok(Some(x)),
            None => Err(ImpactError::new(format!("{value} is not a number of at least 0"), "write one").at_key(key)),
        }
    }

    /// A list of finite numbers.
    ///
    /// # Errors
    /// It is absent, or holds something else.
    pub fn numbers(&mut self, key: &'static str) -> Result<Vec<f64>, ImpactError> {
        let value = self.need(key)?;
        let wrong =
            || ImpactError::new(format!("{value} is not a list of numbers"), "write for example [0, 10, 50, 100]");
        let list = value.as_array().ok_or_else(|| wrong().at_key(key))?;
        list.iter().map(|x| x.as_f64().filter(|x| x.is_finite()).ok_or_else(|| wrong().at_key(key))).collect()
    }

    /// A parameter to read.
    ///
    /// # Errors
    /// It is absent or cannot be read.
    pub fn operand(&mut self, key: &'static str) -> Result<Operand, ImpactError> {
        let value = self.need(key)?;
        Operand::parse(&value).map_err(|e| e.at_key(key))
    }

    /// A constant: a number, or arithmetic, or a default.
    ///
    /// # Errors
    /// It is a negative number, or a name without arithmetic.
    pub fn constant(&mut self, key: &'static str, default: f64) -> Result<Operand, ImpactError> {
        let Some(value) = self.take(key) else { return Ok(Operand::Number(default)) };
        let operand = Operand::parse(&value).map_err(|e| e.at_key(key))?;
        let right = match &operand {
            Operand::Number(x) => *x >= 0.0,
            Operand::Name(_) => false,
            Operand::Formula(_) => true,
        };
        let help = "write a number of at least 0, or arithmetic that begins with =";
        if right { Ok(operand) } else { Err(ImpactError::new(format!("{value} is no constant"), help).at_key(key)) }
    }

    /// Several parameters to read.
    ///
    /// # Errors
    /// The list is absent, empty, or one of them cannot be read.
    pub fn operands(&mut self, key: &'static str) -> Result<Vec<Operand>, ImpactError> {
        let value = self.need(key)?;
        let list = value.as_array().filter(|l| !l.is_empty());
        let list =
            list.ok_or_else(|| ImpactError::new(format!("{value} is not a list"), "list parameters, at least one"));
        list.and_then(|l| l.iter().map(Operand::parse).collect()).map_err(|e| e.at_key(key))
    }

    /// A parameter to write.
    ///
    /// # Errors
    /// It is absent or cannot be read.
    pub fn output(&mut self, key: &'static str) -> Result<Output, ImpactError> {
        let text = self.text(key)?;
        let text = text
            .ok_or_else(|| ImpactError::new("the config lacks this key", "name the parameter to write").at_key(key))?;
        Output::parse(&text).map_err(|e| e.at_key(key))
    }

    /// A parameter to write, with a default.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn output_or(&mut self, key: &'static str, default: &str) -> Result<Output, ImpactError> {
        let text = self.text(key)?;
        Output::parse(text.as_deref().unwrap_or(default)).map_err(|e| e.at_key(key))
    }

    /// Ends reading.
    ///
    /// # Errors
    /// A key is left that the plugin does not know.
    pub fn finish(self) -> Result<(), ImpactError> {
        match self.rest.keys().next() {
            None => Ok(()),
            Some(key) => {
                let help = format!("this plugin knows: {}", list(self.known));
                Err(ImpactError::new("the plugin has no such key in its config", help).at_key(key))
            }
        }
    }
}
