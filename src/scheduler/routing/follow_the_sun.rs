//! Run where it is day.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, Routing, bound, default_max_load, lowest_with_room};
use crate::scheduler::shifting::Work;
use crate::scheduler::{CallView, View};
use crate::types::{Duration, RegionId};

/// Runs work where local solar time is nearest to an hour of the day, or where a schedule says, whatever the grid does.
///
/// Formula: lowest |solar hour − `peak_hour`| around the clock, with solar hour = UTC hour + longitude / 15 (the equation of time, at most 17
/// minutes, is left out). With a schedule: the region of the last entry whose hour has begun, if it has room; else the nearest that has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowTheSun {
    /// Solar hour that is sought \[h\]. Default 12, when the sun is highest.
    #[schemars(range(min = 0.0, max = 24.0))]
    #[serde(default = "noon")]
    pub peak_hour: f64,
    /// Hours of the day from which on a region is the place to run. Default: none, longitude decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedule: Vec<FromHour>,
    /// Round trip from home that is not exceeded \[ms\]. Default: any.
    #[schemars(range(min = 0.0, max = 1000000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rtt_ms: Option<f64>,
    /// A region has room while its CPU demand, with this work, is at most this share of its capacity. Default 0.8. Assumed.
    #[schemars(range(min = 0.0, max = 1000.0))]
    #[serde(default = "default_max_load")]
    pub max_load: f64,
}

fn noon() -> f64 {
    12.0
}

/// From an hour of the day on, a region is the place to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FromHour {
    /// Hour of the day, UTC \[h\].
    #[schemars(range(min = 0.0, max = 24.0))]
    pub hour_utc: f64,
    /// The region, by name.
    pub region: String,
}

/// The policy with its clock.
pub(super) struct FollowTheSunRouting {
    pub spec: FollowTheSun,
    /// The schedule with the regions' numbers, in order of time.
    pub schedule: Vec<(f64, RegionId)>,
    /// Time of day at the run's start.
    pub since_midnight: Duration,
}

impl FollowTheSunRouting {
    fn choose(&self, ask: &Ask, view: &View<'_>) -> RegionId {
        let hour = (self.since_midnight.as_secs_f64() + view.now.as_secs_f64()) / 3600.0 % 24.0;
        let limits = (bound(self.spec.max_rtt_ms), self.spec.max_load);
        if let Some(&(_, last)) = self.schedule.last() {
            let begun = self.schedule.iter().rev().find(|(from, _)| *from <= hour);
            let place = begun.map_or(last, |&(_, region)| region);
            let rtt = |region| view.network.rtt(ask.home, region).as_secs_f64();
            return lowest_with_room(ask, view, limits, |r| if r == place { -1.0 } else { rtt(r) });
        }
        lowest_with_room(ask, view, limits, |region| {
            let longitude_deg = view.network.place(region).map_or(0.0, |p| p.longitude_deg);
            let away = (hour + longitude_deg / 15.0 - self.spec.peak_hour).rem_euclid(24.0);
            away.min(24.0 - away)
        })
    }
}

impl Routing for FollowTheSunRouting {
    fn region(&mut self, call: &CallView<'_>, view: &View<'_>) -> RegionId {
        self.choose(&Ask::of_call(call, view), view)
    }

    fn job_region(&mut self, job: &Work<'_>, view: &View<'_>) -> RegionId {
        self.choose(&Ask::of_job(job), view)
    }
}
