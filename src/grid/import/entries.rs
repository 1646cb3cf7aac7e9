//! A JSON answer, and its elements with their places.

use jiff::Timestamp;
use serde_json::Value;

use super::{ImportError, Place, stamp};

/// A JSON file.
#[derive(Debug)]
pub(super) struct Answer {
    pub file: String,
    pub root: Value,
}

/// One element of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub file: &'a str,
    pub place: Place,
    pub value: &'a Value,
}

impl Answer {
    /// Parses a text. An empty one is what some providers send, with success, while data are late.
    pub fn read(text: &[u8], file: &str) -> Result<Self, ImportError> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let root = serde_json::from_slice(text).map_err(|e| {
            let place = Place::Line(e.line() as u64);
            ImportError::new(file, place, format!("no JSON: {e}"), "give the provider's answer unchanged")
        })?;
        Ok(Self { file: file.into(), root })
    }

    pub fn error(&self, what: impl Into<String>, remedy: impl Into<String>) -> ImportError {
        ImportError::new(&self.file, Place::File, what, remedy)
    }

    /// The elements of a list, which must not be empty.
    pub fn entries<'a>(&'a self, name: &'static str, list: &'a Value) -> Result<Vec<Entry<'a>>, ImportError> {
        let list = list.as_array().ok_or_else(|| {
            self.error(format!("`{name}` is no list"), "give the provider's answer unchanged, or say another format")
        })?;
        if list.is_empty() {
            return Err(self.error(
                format!("`{name}` is empty"),
                "fetch the span again: providers answer so with success while data are late",
            ));
        }
        let entry = |(at, value)| Entry { file: &self.file, place: Place::Entry(name, at), value };
        Ok(list.iter().enumerate().map(entry).collect())
    }
}

impl<'a> Entry<'a> {
    pub fn error(&self, what: impl Into<String>, remedy: impl Into<String>) -> ImportError {
        ImportError::new(self.file, self.place, what, remedy)
    }

    /// A text that must be there.
    pub fn text(&self, key: &str) -> Result<&'a str, ImportError> {
        self.value.get(key).and_then(Value::as_str).ok_or_else(|| {
            self.error(format!("no text `{key}`"), "give the provider's answer unchanged, or say another format")
        })
    }

    /// An instant that must be there; these formats write a zone.
    pub fn instant(&self, key: &str) -> Result<Timestamp, ImportError> {
        stamp::instant(self.text(key)?, false, self.file, self.place)
    }

    /// An instant that may be there.
    pub fn maybe_instant(&self, key: &str) -> Result<Option<Timestamp>, ImportError> {
        self.value.get(key).filter(|v| v.is_string()).map(|_| self.instant(key)).transpose()
    }

    /// A number that may be missing: `null` and an absent key are gaps.
    pub fn number(&self, value: Option<&Value>, key: &str) -> Result<Option<f64>, ImportError> {
        match value {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_f64().map(Some).ok_or_else(|| {
                self.error(format!("`{key}` is {value}, no number"), "correct the entry, or leave it null")
            }),
        }
    }
}
