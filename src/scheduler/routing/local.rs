//! Run where the call arrives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Routing;
use crate::scheduler::{CallView, View};
use crate::types::RegionId;

/// Runs every call in the region where it arrives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Local {}

impl Routing for Local {
    #[inline]
    fn region(&mut self, call: &CallView<'_>, _view: &View<'_>) -> RegionId {
        call.region
    }

    fn is_passive(&self) -> bool {
        true
    }
}
