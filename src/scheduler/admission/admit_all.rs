//! Admit every call.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Admission, Verdict};
use crate::scheduler::{CallView, View};

/// Admits every call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdmitAll {}

impl Admission for AdmitAll {
    fn admit(&mut self, _call: &CallView<'_>, _view: &View<'_>) -> Verdict {
        Verdict::Admit
    }

    fn is_passive(&self) -> bool {
        true
    }
}
