//! The gate of one function: whether one more of its calls may start now.

use crate::cluster::NONE;
use crate::scheduler::dispatch::{Bucket, DurableQueues, MeanCost, Pressed, Started};
use crate::types::SimTime;

/// Why a call has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// As many calls of the function run as may run together.
    Concurrency = 0,
    /// Its calls have grown as fast as they may.
    SlowStart = 1,
    /// Its downstream service throws exceptions.
    BackPressure = 2,
    /// Its reserved rate is used up.
    Quota = 3,
    /// Its opportunistic rate, scaled by the utilization controller, is used up.
    Utilization = 4,
    /// The RunQ of every region that may pull it is full.
    RunQueue = 5,
}

/// How many reasons there are.
pub const REASONS: usize = 6;

/// How long a rate is saved up that no burst is said for: from poll to poll, and one call more, so that the part of a call that is left over at
/// one poll is not lost at the next \[s\].
fn between_polls(spec: &DurableQueues, rate: f64) -> f64 {
    if rate > 0.0 { spec.period_s + 1.0 / rate } else { spec.period_s }
}

/// What is known of a function for the whole run, and its limits now.
#[derive(Debug, Clone)]
pub struct Gate {
    /// Whether the utilization controller scales its rate.
    pub scaled: bool,
    /// Larger is more important.
    pub criticality: u8,
    /// CPU of one running call \[cores\].
    pub cores: f64,
    /// How many of its calls may run together.
    pub limit: u32,
    /// How many do.
    pub running: u32,
    /// Its owner's quota \[cores\]; infinite without one.
    pub quota_cores: f64,
    /// Its preset rate limit r0, as last worked out [calls/s]; infinite without a quota, or before its first call has ended.
    pub rate: f64,
    /// Its mean cost per call.
    pub cost: MeanCost,
    /// Its calls that wait in the durable queues of all regions.
    pub waiting: u32,
    /// Its place in the list of functions with calls that wait.
    pub listed: u32,
    /// The service that it calls; `NONE` if it calls none.
    pub service: u32,
    /// How it is slowed by its service.
    pub pressed: Pressed,
    /// Calls that it has started in the present period of back-pressure.
    pub pressed_started: u64,
    quota: Bucket,
    press: Bucket,
    started: Started,
}

impl Gate {
    /// A gate of a function of which nothing has been called yet.
    pub fn new(scaled: bool, criticality: u8, cores: f64, limit: u32, quota_cores: f64) -> Self {
        Self {
            scaled,
            criticality,
            cores,
            limit,
            running: 0,
            quota_cores,
            rate: f64::INFINITY,
            cost: MeanCost::default(),
            waiting: 0,
            listed: u32::MAX,
            service: NONE,
            pressed: Pressed::default(),
            pressed_started: 0,
            quota: Bucket::new(SimTime::ZERO),
            press: Bucket::new(SimTime::ZERO),
            started: Started::default(),
        }
    }

    /// The central rate limiter works out the preset rate limit r0 anew.
    pub fn renew_rate(&mut self) {
        self.rate = self.cost.rate(self.quota_cores);
    }

    /// Its preset rate limit r0 [calls/s]; where no quota says any, what waits now is spread over one period of polling.
    pub fn preset_rate(&self, spec: &DurableQueues) -> f64 {
        if self.rate.is_finite() { self.rate } else { f64::from(self.waiting) / spec.period_s }
    }

    /// Why no call of it may start now; `None` if one may. `scale` is S of the utilization controller, and `scaled_time` its integral over
    /// time, at which opportunistic rates fill. Rates are looked at first: they are the most frequent reason.
    pub fn blocked(&mut self, spec: &DurableQueues, (scale, scaled_time): (f64, SimTime), now: SimTime) -> Option<Why> {
        if self.scaled && spec.utilization.is_some() {
            let rate = self.preset_rate(spec);
            // S is what the controller wants now: what was not used of it is not saved up.
            if self.quota.fill(rate, between_polls(spec, rate * scale) * scale, scaled_time) < 1.0 {
                return Some(Why::Utilization);
            }
        } else if let Some(quota) = spec.quota.as_ref().filter(|_| self.rate.is_finite())
            && self.quota.fill(self.rate, quota.burst_s, now) < 1.0
        {
            return Some(Why::Quota);
        }
        self.protected(spec, now)
    }

    /// Why no call of it may start even if it is due: limits that protect others.
    pub fn protected(&mut self, spec: &DurableQueues, now: SimTime) -> Option<Why> {
        if self.running >= self.limit {
            return Some(Why::Concurrency);
        }
        if let Some(slow_start) = &spec.slow_start
            && slow_start.room(&mut self.started, now) == 0
        {
            return Some(Why::SlowStart);
        }
        let rate = self.pressed.rate;
        let pressed = rate.is_finite() && self.press.fill(rate, between_polls(spec, rate), now) < 1.0;
        pressed.then_some(Why::BackPressure)
    }

    /// A call of it starts; one that is due goes beyond its rate, and takes no token of it.
    pub fn start(&mut self, spec: &DurableQueues, is_due: bool, now: SimTime) {
        self.running += 1;
        self.pressed_started += 1;
        if let Some(slow_start) = &spec.slow_start {
            slow_start.count(&mut self.started, now);
        }
        if self.pressed.rate.is_finite() {
            self.press.take();
        }
        if !is_due && ((self.scaled && spec.utilization.is_some()) || self.rate.is_finite()) {
            self.quota.take();
        }
    }
}
