//! Admit every call.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Admission;

/// Admits every call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdmitAll {}

impl Admission for AdmitAll {
    fn is_passive(&self) -> bool {
        true
    }
}
