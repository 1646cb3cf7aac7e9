//! How many calls are expected of each region, and what one costs: from what has arrived.

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scheduler::RegionLoad;
use crate::types::{Duration, RegionId, SimTime};

const DAY_S: f64 = 86_400.0;

/// What is expected of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Expects {
    /// As many calls as in the interval before.
    #[default]
    LastInterval,
    /// As many calls as in the same interval of the day before; on the first day as in the interval before.
    SameTimeYesterday,
}

/// What is expected of the interval that begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// Calls by home region; any expectation above a whole number counts as the next one.
    pub calls: Vec<u64>,
    /// Mean CPU time of a call, of those that arrived in the last interval that had any \[core-s\]; `None` before the first call.
    pub core_s: Option<f64>,
}

/// Counts arrivals by interval.
#[derive(Debug)]
pub struct Traffic {
    interval: Duration,
    expects: Expects,
    /// Intervals in a day.
    day: usize,
    /// The interval whose arrivals are being counted.
    current: u64,
    ends: SimTime,
    /// By region, what had arrived when it began: calls that count for intervals before, all calls, and their CPU time.
    seen: Vec<(u64, u64, f64)>,
    /// Arrivals by region of the last day's intervals.
    past: VecDeque<Vec<f64>>,
    core_s: Option<f64>,
}

impl Traffic {
    /// Intervals of this length \[s\], from the run's start on.
    pub fn new(interval_s: f64, expects: Expects) -> Self {
        let interval = Duration::from_secs_f64(interval_s).max(Duration(1));
        let day = (DAY_S / interval_s).round().max(1.0) as usize;
        let day = if expects == Expects::LastInterval { 1 } else { day };
        let ends = SimTime::ZERO + interval;
        Self { interval, expects, day, current: 0, ends, seen: Vec::new(), past: VecDeque::new(), core_s: None }
    }

    /// What is wrong with an interval of this length \[s\].
    pub fn conflict(interval_s: f64, expects: Expects) -> Option<String> {
        let intervals = DAY_S / interval_s;
        let uneven = (intervals - intervals.round()).abs() > 1e-6 || intervals < 1.0;
        (expects == Expects::SameTimeYesterday && uneven)
            .then(|| format!("a day is no whole number of intervals of period_s = {interval_s}"))
    }

    /// Whether an interval has ended.
    #[inline]
    pub fn is_due(&self, now: SimTime) -> bool {
        now >= self.ends
    }

    /// Closes the intervals that have ended; what is expected of the present one. `fresh` is the home of a call that arrives at this instant, has
    /// been counted and belongs to the present interval.
    pub fn close(&mut self, now: SimTime, regions: &[RegionLoad], fresh: Option<RegionId>) -> Expected {
        self.seen.resize(regions.len(), (0, 0, 0.0));
        let present = now.0 / self.interval.0;
        // Nobody asked in some intervals: each counts as one of equal share.
        let passed = present.saturating_sub(self.current).max(1);
        let (mut calls, mut work) = (0, 0.0);
        let mut counts = Vec::with_capacity(regions.len());
        for (r, (load, seen)) in regions.iter().zip(&mut self.seen).enumerate() {
            let early = u64::from(fresh.is_some_and(|home| home.index() == r));
            let arrived = (load.arrived - seen.0).saturating_sub(early);
            calls += load.arrived - seen.1;
            work += load.work - seen.2;
            counts.push(arrived as f64 / passed as f64);
            *seen = (load.arrived - early, load.arrived, load.work);
        }
        if calls > 0 {
            self.core_s = Some(work / calls as f64);
        }
        for _ in 0..passed.min(self.day as u64) {
            if self.past.len() == self.day {
                self.past.pop_front();
            }
            self.past.push_back(counts.clone());
        }
        self.current = present;
        self.ends = SimTime((present + 1).saturating_mul(self.interval.0));
        let expected = match self.expects {
            Expects::SameTimeYesterday if self.past.len() == self.day => self.past.front(),
            _ => self.past.back(),
        };
        let whole = |n: &f64| (n - 1e-9).ceil().max(0.0) as u64;
        Expected { calls: expected.map_or_else(Vec::new, |e| e.iter().map(whole).collect()), core_s: self.core_s }
    }
}
