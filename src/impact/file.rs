//! Manifests as files: YAML, read strictly.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::error::ImpactError;

/// Reads a manifest. `yes`, `on` and `off` are texts, as in YAML 1.2; keys given twice and numbers that are not finite are errors.
///
/// # Errors
/// The file cannot be read, or is no YAML.
pub fn read(path: &Path) -> Result<Value, ImpactError> {
    let text = fs::read_to_string(path).map_err(|e| {
        ImpactError::new(format!("cannot be read: {e}"), "give a manifest of Impact Framework").in_file(path)
    })?;
    parse(&text).map_err(|e| e.in_file(path))
}

/// Reads the text of a manifest.
///
/// # Errors
/// It is no YAML.
pub fn parse(text: &str) -> Result<Value, ImpactError> {
    let mut options = serde_saphyr::Options::default();
    options.strict_booleans = true;
    if let Some(budget) = &mut options.budget {
        // A year of hours in many regions is no attack; the depth stays limited.
        budget.max_events = usize::MAX;
        budget.max_nodes = usize::MAX;
        budget.max_total_scalar_bytes = usize::MAX;
    }
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|e| ImpactError::new(format!("is no YAML: {e}"), "correct the place that is marked"))
}

/// Writes the text of a manifest.
///
/// # Errors
/// Never for a value that was read or made here.
pub fn print(document: &Value) -> Result<String, ImpactError> {
    serde_saphyr::to_string(document)
        .map_err(|e| ImpactError::new(format!("cannot be written as YAML: {e}"), "please report this"))
}
