//! One job after the other takes the cleanest time in which there is still room: greedy, with finite capacity.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Books, Plan, Shifting, Work, with_restarts};
use crate::grid::Step;
use crate::scheduler::{View, WorkToken};
use crate::types::{Duration, SimTime};

/// Plans jobs and calls in the order of their arrival into the cleanest steps of the forecast before their deadlines that still have room,
/// and books them.
///
/// Formula, with a capacity of so many cores per region, and steps cut where what is booked changes:
///
/// ```text
///   may be suspended:  of the steps whose booked cores + its own <= capacity, the cleanest, earliest first among equals, until its length
///                      is covered; the last is cut
///   may not be:        the start with the lowest mean among those in [now, latest start] where its cores are free all along
/// ```
///
/// Where its length is not free before its deadline, it is forced: it runs from its latest start on, booked beyond the capacity; on hosts
/// of that size it then waits for room. So is it where the forecast ends too early, but at once. It starts at once without slack,
/// without a deadline, or of unknown length, and is booked for as long as is believed.
///
/// Jobs that end early, are suspended by others or run late give back what they have booked. What others run on the hosts is not counted:
/// leave room for it with `capacity_share`.
///
/// Source: the greedy of Carbon Explorer (Acun et al., ASPLOS 2023: cleanest hours first, up to a ceiling of power), by job and in
/// order of arrival.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GreedyCapacity {
    /// Cores per region that may be booked \[cores\]. Default: `capacity_share` of those of the region's hosts that are on.
    #[schemars(range(min = 0.001))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_cores: Option<f64>,
    /// Share of the region's cores that may be booked, where `capacity_cores` is not given. Default 1 (assumed: nothing else runs).
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "share")]
    pub capacity_share: f64,
}

fn share() -> f64 {
    1.0
}

impl Default for GreedyCapacity {
    fn default() -> Self {
        Self { capacity_cores: None, capacity_share: share() }
    }
}

/// What a job has booked.
#[derive(Debug)]
struct Booking {
    region: usize,
    cpu: u64,
    pieces: Vec<(SimTime, SimTime)>,
}

/// The policy with its books.
#[derive(Debug)]
pub(super) struct Greedy {
    spec: GreedyCapacity,
    /// By region.
    books: Vec<Books>,
    /// What each job has booked. Calls give nothing back: what they have booked passes.
    jobs: BTreeMap<WorkToken, Booking>,
}

impl Greedy {
    pub(super) fn new(spec: GreedyCapacity) -> Self {
        Greedy { spec, books: Vec::new(), jobs: BTreeMap::new() }
    }

    fn capacity(&self, region: usize, view: &View<'_>) -> u64 {
        match self.spec.capacity_cores {
            Some(cores) => (cores * 1e6) as u64,
            None => {
                view.regions.get(region).map_or(u64::MAX, |r| (r.cpu_capacity as f64 * self.spec.capacity_share) as u64)
            }
        }
    }

    fn give_back(&mut self, token: WorkToken) {
        if let Some(booking) = self.jobs.remove(&token) {
            for (from, to) in booking.pieces {
                self.books[booking.region].give_back(from, to, booking.cpu);
            }
        }
    }

    fn book(&mut self, work: &Work<'_>, pieces: Vec<(SimTime, SimTime)>) {
        let (region, cpu) = (work.region.index(), work.cores());
        for &(from, to) in &pieces {
            self.books[region].add(from, to, cpu);
        }
        if matches!(work.token, WorkToken::Job(_)) {
            self.jobs.insert(work.token, Booking { region, cpu, pieces });
        }
    }

    /// The cleanest free time of so much length, in order; `None` if there is not as much.
    fn cleanest(
        &self,
        region: usize,
        room: u64,
        mut left: Duration,
        steps: &[Step],
    ) -> Option<Vec<(SimTime, SimTime)>> {
        let books = &self.books[region];
        let mut order: Vec<&Step> = steps.iter().collect();
        order.sort_by(|a, b| a.g_per_kwh.total_cmp(&b.g_per_kwh).then(a.from.cmp(&b.from)));
        let mut pieces = Vec::new();
        for step in order {
            let mut from = step.from;
            for to in books.changes(step.from, step.to).chain([step.to]) {
                if books.at(from) <= room {
                    let taken = left.min(to - from);
                    pieces.push((from, from + taken));
                    left = Duration(left.0 - taken.0);
                    if left == Duration::ZERO {
                        pieces.sort();
                        return Some(pieces);
                    }
                }
                from = to;
            }
        }
        None
    }

    /// The free start with the lowest mean, the first of equals; `None` if there is none.
    fn window(
        &self,
        region: usize,
        room: u64,
        work: &Work<'_>,
        left: Duration,
        view: &View<'_>,
        steps: &[Step],
    ) -> Option<SimTime> {
        let books = &self.books[region];
        let (earliest, latest) = (view.now, work.latest_start());
        let edges = steps.iter().map(|s| s.from).chain(steps.last().map(|s| s.to));
        let edges = edges.chain(books.changes(earliest, latest + left));
        let mut starts: Vec<SimTime> =
            edges.flat_map(|t| [t, SimTime(t.0.saturating_sub(left.0))]).chain([latest]).collect();
        starts.retain(|&s| (earliest..=latest).contains(&s));
        starts.sort();
        starts.dedup();
        let mut best: Option<(f64, SimTime)> = None;
        for start in starts {
            let Some(mean) = view.forecasts[region].mean(view.now, start, start + left) else { continue };
            // Rounding of means moves nothing.
            let is_lower = best.is_none_or(|(lowest, _)| mean.0 < lowest - 1e-9 * lowest.abs());
            if is_lower && books.most(start, start + left) <= room {
                best = Some((mean.0, start));
            }
        }
        best.map(|(_, start)| start)
    }
}

impl Shifting for Greedy {
    fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
        let region = work.region.index();
        if self.books.len() <= region {
            self.books.resize_with(region + 1, Books::default);
        }
        self.books[region].forget(view.now);
        self.give_back(work.token);
        let start = work.wanted.max(view.now);
        let Some(left) = work.left() else {
            return plan.start(start);
        };
        let must = work.slack == Duration::FOREVER || work.slack == Duration::ZERO || left == Duration::ZERO;
        let goes_on = work.running > 0 && !work.is_interruptible();
        if must || goes_on {
            self.book(work, vec![(start, start + left)]);
            return plan.start(start);
        }
        let mut steps = Vec::new();
        let forecast = &view.forecasts[region];
        forecast.steps(view.now, view.now, work.deadline().min(forecast.known_until(view.now)), &mut steps);
        let is_known = steps.last().is_some_and(|s| s.to - view.now >= left);
        let room = self.capacity(region, view).checked_sub(work.cores());
        if work.is_interruptible() {
            let is_laid = with_restarts(work, view.now, left, plan, |length, plan| {
                let pieces = room.and_then(|room| self.cleanest(region, room, length, &steps));
                pieces.iter().flatten().for_each(|&(from, to)| plan.run(from, to));
                pieces.is_some()
            });
            if is_laid {
                return self.book(work, plan.pieces.iter().map(|p| (p.from, p.until)).collect());
            }
        } else if let Some(start) = room.and_then(|room| self.window(region, room, work, left, view, &steps)) {
            self.book(work, vec![(start, start + left)]);
            return plan.start(start);
        }
        let latest = SimTime(work.deadline().0.saturating_sub(left.0)).max(view.now);
        let forced = if is_known { latest } else { view.now };
        self.book(work, vec![(forced, forced + left)]);
        plan.start(forced);
    }

    fn follows_jobs(&self) -> bool {
        true
    }

    fn ended(&mut self, token: WorkToken) {
        self.give_back(token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::RegionLoad;
    use crate::scheduler::shifting::lab;
    use crate::scheduler::shifting::lab_scaling::{hourly, region};
    use crate::workload::jobs::{Interruption, JobKind};

    const HOUR_NS: u64 = 3_600_000_000_000;

    struct World {
        policy: Greedy,
        regions: [RegionLoad; 1],
        g: Vec<f64>,
    }

    impl World {
        fn new(spec: &str, g: &[f64]) -> Self {
            let policy = Greedy::new(toml::from_str(spec).expect("right keys"));
            World { policy, regions: [region(4.0, 0.0, 0.0)], g: g.to_vec() }
        }

        /// The pieces of a job of one core, in hours.
        fn plan(&mut self, token: u32, hours: f64, slack_h: f64, kind: Option<&JobKind>) -> Vec<(f64, f64)> {
            let (profile, forecasts) = (lab::profile(), hourly(&self.g));
            let secs = |h: f64| Duration::from_secs_f64(h * 3600.0);
            let work = Work {
                token: WorkToken::Job(token),
                slack: secs(slack_h),
                length: Some(secs(hours)),
                kind,
                ..lab::work(&profile, SimTime::ZERO)
            };
            let mut plan = Plan::default();
            let view = View { regions: &self.regions, ..lab::view(SimTime::ZERO, &forecasts) };
            self.policy.plan(&work, &view, &mut plan);
            let h = |t: SimTime| t.0 as f64 / HOUR_NS as f64;
            plan.pieces.iter().map(|p| (h(p.from), if p.until == SimTime::NEVER { -1.0 } else { h(p.until) })).collect()
        }
    }

    #[test]
    fn jobs_take_the_cleanest_steps_that_are_free_in_order_of_arrival() {
        let kind = JobKind { interruption: Some(Interruption::default()), ..JobKind::default() };
        let mut w = World::new("capacity_cores = 2", &[300.0, 100.0, 200.0, 150.0]);
        assert_eq!(w.plan(0, 1.5, 2.5, Some(&kind)), [(1.0, 2.0), (3.0, 3.5)]);
        assert_eq!(w.plan(1, 1.0, 3.0, Some(&kind)), [(1.0, 2.0)]);
        // The cleanest hour is full.
        assert_eq!(w.plan(2, 2.0, 2.0, Some(&kind)), [(2.0, 4.0)]);
        // Hour 3 is full until half past; what is free of the rest is taken, cleanest first.
        assert_eq!(w.plan(3, 2.0, 2.0, Some(&kind)), [(0.0, 0.5), (2.0, 3.0), (3.5, 4.0)]);
        // A job that is done gives back its hour.
        w.policy.ended(WorkToken::Job(1));
        assert_eq!(w.plan(4, 1.0, 3.0, Some(&kind)), [(1.0, 2.0)]);
    }

    #[test]
    fn a_job_that_may_not_be_suspended_needs_its_cores_all_along() {
        let kind = JobKind { interruption: Some(Interruption::default()), ..JobKind::default() };
        let mut w = World::new("capacity_share = 0.25", &[300.0, 100.0, 200.0, 150.0, 400.0]);
        assert_eq!(w.plan(0, 2.0, 3.0, None), [(1.0, -1.0)]);
        assert_eq!(w.plan(1, 1.0, 4.0, None), [(3.0, -1.0)]);
        // Two hours in one piece are not free any more: forced to its latest start.
        assert_eq!(w.plan(2, 2.0, 3.0, None), [(3.0, -1.0)]);
        assert_eq!(w.plan(3, 1.0, 4.0, Some(&kind)), [(0.0, 1.0)]);
        // Nothing is free, no slack, and a forecast that ends too early.
        assert_eq!(w.plan(4, 1.0, 3.0, Some(&kind)), [(3.0, -1.0)]);
        assert_eq!(w.plan(5, 1.0, 0.0, Some(&kind)), [(0.0, -1.0)]);
        assert_eq!(w.plan(6, 6.0, 9.0, Some(&kind)), [(0.0, -1.0)]);
    }

    #[test]
    fn ample_capacity_gives_the_cleanest_steps_and_the_cleanest_window() {
        let kind = JobKind { interruption: Some(Interruption::default()), ..JobKind::default() };
        let g: Vec<f64> = (0..30).map(|h| f64::from((h * 7919) % 101)).collect();
        let mut w = World::new("capacity_cores = 1e6", &g);
        for (token, hours) in [(0, 1.0), (2, 3.5), (4, 6.25)] {
            let lowest = hourly(&g)[0].lowest_start(
                SimTime::ZERO,
                SimTime::ZERO,
                SimTime::from_secs_f64(20.0 * 3600.0),
                Duration::from_secs_f64(hours * 3600.0),
            );
            assert_eq!(w.plan(token, hours, 20.0, None)[0].0, lowest.0 as f64 / HOUR_NS as f64);
            let ran: f64 = w.plan(token + 1, hours, 20.0, Some(&kind)).iter().map(|p| p.1 - p.0).sum();
            assert!((ran - hours).abs() < 1e-9);
        }
    }
}
