//! What is wrong with a manifest, and where: file, child, plugin, row, key, and what to do.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where something is wrong; whatever is known of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Option<PathBuf>,
    /// The child of the tree, as a path of names.
    pub child: Option<String>,
    /// The plugin, by its name in `initialize.plugins`.
    pub plugin: Option<String>,
    /// The row of the observations, from 0.
    pub row: Option<usize>,
    /// The key or parameter.
    pub key: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.file.as_ref().map(|p| p.display().to_string()));
        parts.extend(self.child.as_ref().map(|c| format!("child {c}")));
        parts.extend(self.plugin.as_ref().map(|p| format!("plugin {p}")));
        parts.extend(self.row.map(|r| format!("row {r}")));
        parts.extend(self.key.as_ref().map(|k| format!("key {k}")));
        write!(f, "{}", parts.join(", "))
    }
}

/// Why a manifest cannot be read, computed or made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}\n  help: {help}")]
pub struct ImpactError {
    /// Where.
    pub place: Box<Place>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub help: String,
}

impl ImpactError {
    /// Something is wrong; the place is filled in on the way up.
    pub fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { place: Box::default(), what: what.into(), help: help.into() }
    }

    /// At this key, unless one is known already.
    pub fn at_key(mut self, key: &str) -> Self {
        self.place.key.get_or_insert_with(|| key.to_owned());
        self
    }

    /// In this row.
    pub fn in_row(mut self, row: usize) -> Self {
        self.place.row.get_or_insert(row);
        self
    }

    /// In this plugin.
    pub fn in_plugin(mut self, name: &str) -> Self {
        self.place.plugin.get_or_insert_with(|| name.to_owned());
        self
    }

    /// In this child.
    pub fn in_child(mut self, path: &[String]) -> Self {
        let name = || if path.is_empty() { "tree".to_owned() } else { path.join("/") };
        self.place.child.get_or_insert_with(name);
        self
    }

    /// In this file.
    pub fn in_file(mut self, file: &Path) -> Self {
        self.place.file.get_or_insert_with(|| file.to_owned());
        self
    }
}

/// Names in a list, for messages.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
