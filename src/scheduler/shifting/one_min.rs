//! Run whenever electricity is cleaner than one fixed threshold, without a forecast.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Online, Plan, PriceBounds, Rule, Shifting, Work};
use crate::scheduler::View;

/// Runs a job in the steps whose intensity is at most √(UL), and to its end when its deadline leaves nothing else.
///
/// Formula: run in step t if c\[t\] <= √(U L); U and L are bounds of the intensity. Starts at once without slack, or without a deadline.
/// Of unknown length, it waits as long as its slack lasts. Work that cannot be suspended starts at the first step that is clean enough.
///
/// Source: the threshold of 1-min search (El-Yaniv et al., 2001), as a baseline in Lechowicz et al., *The Online Pause and Resume
/// Problem*, POMACS 7(3), 2023.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneMin {
    /// U and L. Default: those observed in the last 168 h.
    #[serde(default)]
    pub bounds: PriceBounds,
}

impl OneMin {
    pub(super) fn build(&self) -> Box<dyn Shifting> {
        Box::new(Search(Online::new(self.bounds.clone(), Rule::OneMin)))
    }
}

struct Search(Online);

impl Shifting for Search {
    fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
        self.0.plan(work, view, plan);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::shifting::lab_scaling::{Sample, follow};
    use crate::types::SimTime;
    use crate::workload::jobs::{Interruption, JobKind};

    fn hours(runs: &[(SimTime, SimTime)]) -> Vec<(f64, f64)> {
        runs.iter().map(|r| (r.0.as_secs_f64() / 3600.0, r.1.as_secs_f64() / 3600.0)).collect()
    }

    #[test]
    fn it_runs_below_the_geometric_mean_of_the_bounds_and_to_the_end_when_it_must() {
        let spec: OneMin =
            toml::from_str("bounds.fixed = { lowest_g_per_kwh = 100, highest_g_per_kwh = 400 }").expect("right keys");
        let kind = JobKind { interruption: Some(Interruption::default()), ..JobKind::default() };
        let g = [300.0, 200.0, 201.0, 50.0, 900.0, 900.0, 900.0, 900.0];
        let job = |hours, slack| Sample { kind: Some(&kind), hours, slack_h: slack, ..Sample::default() };
        assert_eq!(hours(&follow(&mut *spec.build(), &g, job(2.0, 6.0))), [(1.0, 2.0), (3.0, 4.0)]);
        // Three hours by the eighth: the last is forced into the dirty end.
        assert_eq!(hours(&follow(&mut *spec.build(), &g, job(3.0, 5.0))), [(1.0, 2.0), (3.0, 4.0), (7.0, 8.0)]);
        assert_eq!(hours(&follow(&mut *spec.build(), &g, job(3.0, 0.0))), [(0.0, 3.0)]);
        // A job that cannot be suspended, and one of unknown length.
        assert_eq!(hours(&follow(&mut *spec.build(), &g, Sample { kind: None, ..job(2.0, 6.0) })), [(1.0, 3.0)]);
        let unknown = Sample { length_known: false, ..job(3.0, 3.0) };
        assert_eq!(hours(&follow(&mut *spec.build(), &g, unknown)), [(1.0, 2.0), (3.0, 4.0), (5.0, 6.0)]);
    }

    #[test]
    fn hindsight_is_said_and_observed_is_the_default() {
        let hindsight: OneMin = toml::from_str("bounds.hindsight = {}").expect("right keys");
        let kind = JobKind { interruption: Some(Interruption::default()), ..JobKind::default() };
        let g = [300.0, 250.0, 100.0, 400.0];
        let job = Sample { kind: Some(&kind), slack_h: 3.0, ..Sample::default() };
        assert_eq!(hours(&follow(&mut *hindsight.build(), &g, job)), [(2.0, 3.0)]);
        // Nothing but its own hour has been seen at the start, so that it looks as clean as can be.
        assert_eq!(hours(&follow(&mut *OneMin::default().build(), &g, job)), [(0.0, 1.0)]);
        let later = Sample { now: SimTime(3_600_000_000_000), slack_h: 2.0, ..job };
        assert_eq!(hours(&follow(&mut *OneMin::default().build(), &g, later)), [(1.0, 2.0)]);
    }
}
