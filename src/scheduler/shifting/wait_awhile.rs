//! Run in the steps of lowest forecast before the deadline, with suspensions between them (Let's Wait Awhile).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compat, Plan, Shifting, Work, with_restarts};
use crate::grid::Step;
use crate::scheduler::View;
use crate::types::{Duration, SimTime};

/// Runs work in the time of lowest forecast intensity before its deadline, suspended in between.
///
/// Formula: of the time [now, now + length + patience] the `length` with the lowest f, earlier time first among equals; patience = what is
/// left of the slack. Of the last step only as much as is needed, from its beginning. Where less is known, the time that is known; if that
/// is less than the length, it runs at once.
///
/// Work that cannot be suspended starts where the mean over its run is lowest in the same time, as `lowest-window` without reserve. Work
/// without a deadline starts at once. Length: as believed. Of work that goes on for longer, and of work about whose length nothing is
/// believed, one `extension_s` after the other is planned, each in the lowest time that its patience leaves.
///
/// Source: Wiesner et al., Let's Wait Awhile, Middleware 2021 (the interrupting strategy); Wait Awhile of Hanafy et al. (GAIA), ASPLOS 2024.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitAwhile {
    /// How much is planned at a time beyond what is believed of the length \[s\]. Default 3600 (assumed: the step of most signals).
    #[schemars(range(min = 1.0))]
    #[serde(default = "extension")]
    pub extension_s: f64,
    /// What published code does beside the rule. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compat: Option<Compat>,
}

fn extension() -> f64 {
    3600.0
}

impl Default for WaitAwhile {
    fn default() -> Self {
        Self { extension_s: extension(), compat: None }
    }
}

/// Keeps of these steps the lowest ones that last for `length` together, in order of time; nothing if they are shorter.
fn keep_lowest(steps: &mut Vec<Step>, length: Duration) {
    // A stable sort: earlier steps come first among equals.
    steps.sort_by(|a, b| a.g_per_kwh.total_cmp(&b.g_per_kwh));
    let mut left = length;
    let mut kept = 0;
    for step in steps.iter_mut() {
        if left == Duration::ZERO {
            break;
        }
        step.to = step.to.min(step.from + left);
        left = Duration(left.0 - (step.to - step.from).0);
        kept += 1;
    }
    steps.truncate(if left == Duration::ZERO { kept } else { 0 });
    steps.sort_by_key(|s| s.from);
}

impl Shifting for WaitAwhile {
    fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
        let now = view.now;
        if work.slack == Duration::FOREVER {
            return plan.start(work.at_once(now));
        }
        let forecast = view.forecasts[work.region.index()].as_ref();
        let believed = work.left().filter(|&left| left > Duration::ZERO);
        let length = believed.unwrap_or_else(|| Duration::from_secs_f64(self.extension_s));
        let mut end = work.may_wait_until(now) + length;
        if let Some(compat) = self.compat {
            end += compat.beyond(forecast, now, end);
        }
        let latest = SimTime(end.0 - length.0);
        if latest <= now || end == SimTime::NEVER {
            return plan.start(work.at_once(now));
        }
        if !work.is_interruptible() {
            return plan.start(forecast.lowest_start(now, now, latest, length));
        }
        let (mut steps, mut lowest) = (Vec::new(), Vec::new());
        forecast.steps(now, now, end, &mut steps);
        let is_laid = with_restarts(work, now, length, plan, |length, plan| {
            lowest.clone_from(&steps);
            keep_lowest(&mut lowest, length);
            lowest.iter().for_each(|step| plan.run(step.from, step.to));
            !lowest.is_empty()
        });
        if !is_laid {
            plan.start(work.at_once(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::shifting::lab::{Lab, Task, hours};

    fn run(intensities: &[f64], task: &Task) -> Vec<(f64, f64)> {
        Lab::hourly(intensities).run(&mut WaitAwhile::default(), task).hours()
    }

    fn task(at_h: f64, length_h: f64, slack_h: f64) -> Task {
        Task { suspends: true, ..Task::hours(at_h, length_h, slack_h) }
    }

    #[test]
    fn work_runs_in_the_lowest_time_before_its_deadline() {
        let day = [5.0, 3.0, 9.0, 3.0, 4.0, 1.0, 0.0];
        assert_eq!(run(&day, &task(0.0, 2.0, 3.0)), [(1.0, 2.0), (3.0, 4.0)]);
        assert_eq!(run(&day, &task(0.0, 2.0, 4.0)), [(1.0, 2.0), (5.0, 6.0)]);
        // The highest step that is needed is used in part, from its beginning; neighbours are one piece.
        assert_eq!(run(&day, &task(0.5, 2.25, 3.25)), [(1.0, 2.0), (3.0, 3.25), (5.0, 6.0)]);
        assert_eq!(run(&day, &task(3.0, 1.5, 0.5)), [(3.0, 4.5)]);
        assert_eq!(run(&day, &task(0.0, 2.0, 0.0)), [(0.0, 2.0)]);
    }

    #[test]
    fn work_that_cannot_be_suspended_runs_in_its_lowest_window() {
        let day = [5.0, 3.0, 9.0, 3.0, 4.0, 1.0, 0.0];
        assert_eq!(run(&day, &Task::hours(0.0, 2.0, 3.0)), [(3.0, 5.0)]);
    }

    #[test]
    fn longer_work_than_believed_is_planned_on() {
        let day = [5.0, 3.0, 9.0, 3.0, 4.0, 1.0, 0.0, 2.0, 8.0, 8.0];
        // Two of three hours in hours 1 and 3, then patience is left for one hour: of hours 4 and 5 the latter.
        let short = Task { estimate: Some(hours(2.0)), ..task(0.0, 3.0, 3.0) };
        assert_eq!(run(&day, &short), [(1.0, 2.0), (3.0, 4.0), (5.0, 6.0)]);
        // Nothing is believed: an hour at a time, each in the lowest hour within the slack.
        let unknown = Task { estimate: None, ..task(0.0, 2.0, 3.0) };
        assert_eq!(run(&day, &unknown), [(1.0, 2.0), (3.0, 4.0)]);
    }

    #[test]
    fn the_published_code_looks_one_step_further() {
        let mut compat = WaitAwhile { compat: Some(Compat::LetsWaitAwhile2021), ..WaitAwhile::default() };
        let lab = Lab::hourly(&[5.0, 3.0, 9.0, 3.0, 4.0, 1.0, 0.0]);
        assert_eq!(lab.run(&mut compat, &task(0.0, 2.0, 3.0)).hours(), [(1.0, 2.0), (5.0, 6.0)]);
        assert_eq!(lab.run(&mut compat, &task(0.0, 1.0, 0.0)).hours(), [(1.0, 2.0)]);
    }
}
