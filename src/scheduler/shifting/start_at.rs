//! Start at given hours of the day, or a while later, whatever the grid does.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Plan, Shifting, Work};
use crate::scheduler::View;
use crate::types::{Duration, SimTime};

const DAY_NS: u64 = 86_400_000_000_000;
const HOUR_S: f64 = 3600.0;

/// Starts work at the next of given hours of the day.
///
/// Formula: start = min(first t >= wanted + delay whose time of day is one of `hours_utc`, latest start); without hours,
/// min(wanted + delay, latest start). It then runs through. Work without a deadline starts at once.
///
/// Knows the clock. Length: not used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartAt {
    /// Hours of the day at which work starts [h UTC; 13.5 is 13:30]; empty: at any time. No default: it is the policy.
    #[schemars(inner(range(min = 0.0, max = 23.999_999)))]
    pub hours_utc: Vec<f64>,
    /// How much later than wanted it starts at least \[s\]. Default 0.
    #[schemars(range(min = 0.0))]
    #[serde(default)]
    pub delay_s: f64,
}

/// The policy, with the run's place in the day.
pub(super) struct Clock {
    /// Times of day, from the run's start on [ns within a day].
    times: Vec<u64>,
    delay: Duration,
}

impl Clock {
    /// `since_midnight` is the time of day (UTC) at which the run starts.
    pub(super) fn new(spec: &StartAt, since_midnight: Duration) -> Self {
        let of_run = |hour: &f64| {
            let time = Duration::from_secs_f64(hour * HOUR_S).0 % DAY_NS;
            (time + DAY_NS - since_midnight.0 % DAY_NS) % DAY_NS
        };
        Self { times: spec.hours_utc.iter().map(of_run).collect(), delay: Duration::from_secs_f64(spec.delay_s) }
    }

    /// The first instant from `t` on at one of the hours; `t` itself if there are none.
    fn next(&self, t: SimTime) -> SimTime {
        let ahead = self.times.iter().map(|&time| (time + DAY_NS - t.0 % DAY_NS) % DAY_NS).min();
        t + Duration(ahead.unwrap_or(0))
    }
}

impl Shifting for Clock {
    fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
        let at_once = work.at_once(view.now);
        if work.slack == Duration::FOREVER {
            return plan.start(at_once);
        }
        let start = self.next((work.wanted + self.delay).max(view.now));
        plan.start(start.min(work.latest_start()).max(view.now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::shifting::lab;

    /// When a job starts that arrives at an hour of a run that begins at 18:00.
    fn start(keys: &str, now_h: f64, slack_h: f64) -> f64 {
        let spec: StartAt = toml::from_str(keys).expect("right keys");
        let mut policy = Clock::new(&spec, Duration::from_secs(18 * 3600));
        let (now, profile) = (SimTime::from_secs_f64(now_h * HOUR_S), lab::profile());
        let work = Work { slack: Duration::from_secs_f64(slack_h * HOUR_S), ..lab::work(&profile, now) };
        let mut plan = Plan::default();
        policy.plan(&work, &lab::view(now, &[]), &mut plan);
        plan.first().expect("it is planned").as_secs_f64() / HOUR_S
    }

    #[test]
    fn work_starts_at_the_next_of_the_hours() {
        // 22:00 and 03:30 are 4 h and 9.5 h after the start of the run.
        assert_eq!(start("hours_utc = [3.5, 22]", 0.0, 24.0), 4.0);
        assert_eq!(start("hours_utc = [3.5, 22]", 4.0, 24.0), 4.0);
        assert_eq!(start("hours_utc = [3.5, 22]", 5.0, 24.0), 9.5);
        assert_eq!(start("hours_utc = [3.5, 22]", 10.0, 24.0), 28.0);
        assert_eq!(start("hours_utc = [3.5, 22]\ndelay_s = 7200", 3.0, 24.0), 9.5);
    }

    #[test]
    fn slack_limits_the_wait() {
        assert_eq!(start("hours_utc = [3.5]", 0.0, 2.0), 2.0);
        assert_eq!(start("hours_utc = []\ndelay_s = 3600", 5.0, 24.0), 6.0);
        assert_eq!(start("hours_utc = []\ndelay_s = 3600", 5.0, 0.0), 5.0);
    }
}
