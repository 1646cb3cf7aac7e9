//! Start at once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Plan, Shifting, Work};
use crate::scheduler::View;

/// Starts everything when it wants to start.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunNow {}

impl Shifting for RunNow {
    fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
        plan.start(work.wanted.max(view.now));
    }

    fn is_passive(&self) -> bool {
        true
    }
}
