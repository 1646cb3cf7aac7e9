//! One observation, read and written by the names that a plugin knows, under the names that the manifest gives them.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use super::error::ImpactError;

/// One observation: parameters by name, in the order of the manifest.
pub type Row = Map<String, Value>;

/// `mapping` of a plugin: the plugin's name of a parameter to the manifest's.
pub type Mapping = BTreeMap<String, String>;

/// A number as a manifest writes it: whole ones without a point.
pub fn number(x: f64) -> Value {
    const WHOLE: f64 = (1u64 << 53) as f64;
    if x.fract() == 0.0 && x.abs() < WHOLE {
        return Value::from(x as i64);
    }
    Number::from_f64(x).map_or(Value::Null, Value::Number)
}

/// The length of an observation \[s\].
///
/// # Errors
/// It is no finite number above 0: it weights means over time, and energy comes of it.
pub fn duration_s(value: &Value) -> Result<f64, ImpactError> {
    value.as_f64().filter(|s| s.is_finite() && *s > 0.0).ok_or_else(|| {
        let help = "write the length of the observation in seconds, a number above 0";
        ImpactError::new(format!("{value} is no duration"), help).at_key("duration")
    })
}

/// A row as a plugin sees it.
pub struct View<'a> {
    row: &'a mut Row,
    mapping: &'a Mapping,
}

impl<'a> View<'a> {
    /// A row under a mapping.
    pub fn new(row: &'a mut Row, mapping: &'a Mapping) -> Self {
        Self { row, mapping }
    }

    /// What the manifest calls a parameter.
    fn outer<'n>(&'n self, name: &'n str) -> &'n str {
        self.mapping.get(name).map_or(name, String::as_str)
    }

    /// A value, unless it is absent or null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.row.get(self.outer(name)).filter(|v| !v.is_null())
    }

    /// A number, unless it is absent or null.
    ///
    /// # Errors
    /// It is there and no finite number.
    pub fn optional(&self, name: &str) -> Result<Option<f64>, ImpactError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.as_f64().filter(|x| x.is_finite()) {
            Some(x) => Ok(Some(x)),
            None => {
                Err(ImpactError::new(format!("{value} is not a number"), "write a finite number")
                    .at_key(self.outer(name)))
            }
        }
    }

    /// A number.
    ///
    /// # Errors
    /// It is absent, null, or no finite number.
    pub fn number(&self, name: &str) -> Result<f64, ImpactError> {
        self.optional(name)?.ok_or_else(|| {
            let help = "give it in every row of inputs, in defaults, or by an earlier plugin of the pipeline";
            ImpactError::new("the parameter is missing", help).at_key(self.outer(name))
        })
    }

    /// A number of at least 0.
    ///
    /// # Errors
    /// As [`View::number`], or it is negative.
    pub fn at_least_zero(&self, name: &str) -> Result<f64, ImpactError> {
        self.checked(name, |x| x >= 0.0, "negative", "at least 0")
    }

    /// A number above 0.
    ///
    /// # Errors
    /// As [`View::number`], or it is 0 or less.
    pub fn positive(&self, name: &str) -> Result<f64, ImpactError> {
        self.checked(name, |x| x > 0.0, "not above 0", "above 0")
    }

    fn checked(&self, name: &str, fits: fn(f64) -> bool, is: &str, must: &str) -> Result<f64, ImpactError> {
        let x = self.number(name)?;
        if fits(x) {
            return Ok(x);
        }
        Err(ImpactError::new(format!("{x} is {is}"), format!("write a number {must}")).at_key(self.outer(name)))
    }

    /// A number above 0 or, if it is absent, a default that is then written into the row.
    ///
    /// # Errors
    /// It is there and no number, or 0 or less.
    pub fn positive_or(&mut self, name: &str, default: f64) -> Result<f64, ImpactError> {
        if self.optional(name)?.is_none() {
            self.set(name, default);
        }
        self.positive(name)
    }

    /// A number of at least 0 or, if it is absent, 0, which is then written into the row.
    ///
    /// # Errors
    /// It is there and no number, or negative.
    pub fn at_least_zero_or_absent(&mut self, name: &str) -> Result<f64, ImpactError> {
        if self.optional(name)?.is_none() {
            self.set(name, 0.0);
        }
        self.at_least_zero(name)
    }

    /// Writes a number.
    pub fn set(&mut self, name: &str, x: f64) {
        let outer = self.outer(name).to_owned();
        self.row.insert(outer, number(x));
    }

    /// Writes a result that must be finite.
    ///
    /// # Errors
    /// It is not.
    pub fn set_finite(&mut self, name: &str, x: f64) -> Result<(), ImpactError> {
        if !x.is_finite() {
            let help = "look for values that are far too large, or for a root of a negative number";
            return Err(ImpactError::new(format!("the result is {x}"), help).at_key(self.outer(name)));
        }
        self.set(name, x);
        Ok(())
    }

    /// Writes that there is no value.
    pub fn set_undefined(&mut self, name: &str) {
        let outer = self.outer(name).to_owned();
        self.row.insert(outer, Value::Null);
    }
}
