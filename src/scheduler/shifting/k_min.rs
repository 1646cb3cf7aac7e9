//! Search for the k cleanest steps online: the threshold falls with the work that is done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Online, Plan, PriceBounds, Rule, Shifting, Work};
use crate::scheduler::View;

/// Runs the i-th of a job's k steps in the first step whose intensity is at most Φ_i, and what is left to its end when it must.
///
/// Formula, with bounds L and U of the intensity, and i = 1..k:
///
/// ```text
///   Φ_i = U [1 - (1 - 1/α) (1 + 1/(αk))^(i-1)],   α > 1 solves (1 - L/U) / (1 - 1/α) = (1 + 1/(αk))^k
/// ```
///
/// It falls from U/α towards L: the first steps are taken more readily than the last. α bounds what it emits over the offline optimum as long as
/// the intensity stays between L and U. Steps are those of the signal; k is the believed length in steps, rounded up. Unknown lengths and
/// work that cannot be suspended count as one step. Starts at once without slack, or without a deadline.
///
/// Source: Lorenz, Panagiotou and Steger, *Optimal Algorithms for k-Search*, Algorithmica 55, 2009; as in Lechowicz et al., POMACS 7(3), 2023.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KMin {
    /// U and L. Default: those observed in the last 168 h.
    #[serde(default)]
    pub bounds: PriceBounds,
}

impl KMin {
    pub(super) fn build(&self) -> Box<dyn Shifting> {
        Box::new(Search(Online::new(self.bounds.clone(), Rule::KMin(0.0))))
    }
}

struct Search(Online);

impl Shifting for Search {
    fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
        self.0.plan(work, view, plan);
    }
}
