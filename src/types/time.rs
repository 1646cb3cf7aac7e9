//! Simulated time in integer nanoseconds since the run's start, so that equal times are equal and sums are exact.

use std::ops::{Add, AddAssign, Sub};

const NANOS_PER_SEC: f64 = 1e9;

/// An instant of simulated time \[ns since the run's start\]. Spans 584 years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SimTime(pub u64);

/// A length of simulated time \[ns\].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration(pub u64);

impl SimTime {
    /// The run's start.
    pub const ZERO: SimTime = SimTime(0);
    /// Later than every event: "never".
    pub const NEVER: SimTime = SimTime(u64::MAX);

    /// Seconds since the run's start, rounded to the nearest nanosecond; negative and NaN become the start.
    pub fn from_secs_f64(seconds: f64) -> Self {
        SimTime(Duration::from_secs_f64(seconds).0)
    }

    /// Seconds since the run's start.
    #[inline]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SEC
    }

    /// Time elapsed since `earlier`, zero if `earlier` is later.
    #[inline]
    pub fn saturating_since(self, earlier: SimTime) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Duration = Duration(0);
    /// Longer than every run: "for ever".
    pub const FOREVER: Duration = Duration(u64::MAX);

    /// Whole seconds.
    #[inline]
    pub const fn from_secs(seconds: u64) -> Self {
        Duration(seconds * 1_000_000_000)
    }

    /// Seconds, rounded to the nearest nanosecond; negative and NaN become zero, infinity becomes [`Duration::FOREVER`].
    #[inline]
    pub fn from_secs_f64(seconds: f64) -> Self {
        // A float-to-integer cast truncates, saturates and maps NaN to zero, which is what this function promises. From
        // 2^52 on every float is whole already, and adding a half would round it a second time.
        const WHOLE: f64 = (1u64 << 52) as f64;
        let ns = seconds * NANOS_PER_SEC;
        Duration(if ns < WHOLE { (ns + 0.5) as u64 } else { ns as u64 })
    }

    /// The length in seconds.
    #[inline]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SEC
    }
}

impl Add<Duration> for SimTime {
    type Output = SimTime;
    /// Saturates at [`SimTime::NEVER`].
    #[inline]
    fn add(self, rhs: Duration) -> SimTime {
        SimTime(self.0.saturating_add(rhs.0))
    }
}

impl AddAssign<Duration> for SimTime {
    #[inline]
    fn add_assign(&mut self, rhs: Duration) {
        *self = *self + rhs;
    }
}

impl Sub for SimTime {
    type Output = Duration;
    /// Panics (in debug builds) when `rhs` is later: time never runs backwards in a run.
    #[inline]
    fn sub(self, rhs: SimTime) -> Duration {
        debug_assert!(self.0 >= rhs.0, "time runs backwards: {} ns - {} ns", self.0, rhs.0);
        Duration(self.0.wrapping_sub(rhs.0))
    }
}

impl Add for Duration {
    type Output = Duration;
    /// Saturates at [`Duration::FOREVER`].
    #[inline]
    fn add(self, rhs: Duration) -> Duration {
        Duration(self.0.saturating_add(rhs.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_to_the_nearest_nanosecond() {
        assert_eq!(Duration::from_secs_f64(0.000_000_001_4), Duration(1));
        assert_eq!(Duration::from_secs_f64(600.0), Duration::from_secs(600));
        assert_eq!(Duration::from_secs_f64(-1.0), Duration::ZERO);
        assert_eq!(Duration::from_secs_f64(f64::NAN), Duration::ZERO);
        assert_eq!(Duration::from_secs_f64(f64::INFINITY), Duration::FOREVER);
    }

    #[test]
    fn never_absorbs_every_addition() {
        assert_eq!(SimTime::NEVER + Duration::from_secs(1), SimTime::NEVER);
        assert_eq!(SimTime(5) + Duration::FOREVER, SimTime::NEVER);
    }
}
