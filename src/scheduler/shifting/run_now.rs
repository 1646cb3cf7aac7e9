//! Start at once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Shifting, Start};
use crate::scheduler::{CallView, View};

/// Starts every call at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunNow {}

impl Shifting for RunNow {
    #[inline]
    fn start(&mut self, _call: &CallView<'_>, view: &View<'_>) -> Start {
        Start::At(view.now)
    }

    fn is_passive(&self) -> bool {
        true
    }
}
