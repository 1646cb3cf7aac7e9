//! Processor sharing by virtual time: one clock per host, on which every running call has a fixed finishing time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::types::{Duration, SimTime};

/// The calls that share one host's CPU.
///
/// Formula: all calls progress at the same relative speed s(t) = min(1, capacity / demand), so with the virtual clock
/// V(t) = integral of s, a call that needs w seconds alone and starts at t0 finishes when V = V(t0) + w. A change of
/// speed moves no call's finishing point: adding and removing cost O(log n), whatever the number of running calls.
/// Source: the virtual-time technique of fair queueing (Parekh and Gallager, IEEE/ACM ToN 1993), used for processor sharing.
#[derive(Debug, Clone, Default)]
pub struct ProcessorSharing {
    virtual_ns: f64,
    since: SimTime,
    running: BinaryHeap<Reverse<Finish>>,
    /// The earliest pending event of this host; later ones are stale.
    pub tick_at: Option<SimTime>,
}

/// When a call ends on the virtual clock; equal ends keep the order in which they began.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Finish {
    virtual_ns: f64,
    order: u64,
    call: u32,
}

impl Eq for Finish {}

impl Ord for Finish {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.virtual_ns.total_cmp(&other.virtual_ns).then(self.order.cmp(&other.order))
    }
}

impl PartialOrd for Finish {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl ProcessorSharing {
    /// Moves the virtual clock to `now` at the speed that held since the last move.
    pub fn advance(&mut self, now: SimTime, speed: f64) {
        self.virtual_ns += (now.0 - self.since.0) as f64 * speed;
        self.since = now;
    }

    /// Adds a call that needs `work` alone. The clock must stand at the present. `order` breaks ties.
    pub fn add(&mut self, call: u32, work: Duration, order: u64) {
        self.running.push(Reverse(Finish { virtual_ns: self.virtual_ns + work.0 as f64, order, call }));
    }

    /// When the next call will finish at the given speed, if nothing changes; rounded to
    /// the nearest nanosecond. (Rounded up, every call would hold its share half a nanosecond too long, which adds up to
    /// microseconds over a busy period; [`Self::pop_finished`] forgives what rounding down leaves.)
    pub fn next_finish(&self, speed: f64) -> Option<SimTime> {
        let Reverse(first) = self.running.peek()?;
        let left = ((first.virtual_ns - self.virtual_ns) / speed).max(0.0);
        Some(self.since + Duration(left.round() as u64))
    }

    /// Takes a call that has finished by now, with the `order` it was added with. Half a virtual nanosecond of rounding is
    /// forgiven.
    pub fn pop_finished(&mut self) -> Option<(u32, u64)> {
        let Reverse(first) = self.running.peek()?;
        if first.virtual_ns > self.virtual_ns + 0.5 {
            return None;
        }
        self.running.pop().map(|Reverse(f)| (f.call, f.order))
    }

    /// Drops calls from the front as long as they are not wanted any more (killed ones), so that none of them is waited for.
    pub fn drop_front(&mut self, mut is_gone: impl FnMut(u32, u64) -> bool) {
        while let Some(Reverse(first)) = self.running.peek()
            && is_gone(first.call, first.order)
        {
            self.running.pop();
        }
    }

    /// How many calls are running.
    pub fn len(&self) -> usize {
        self.running.len()
    }

    /// Whether no call is running.
    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_calls_on_one_core_take_twice_as_long_while_both_run() {
        // A needs 2 s from t = 0; B needs 1 s from t = 1. Alone until 1 (A has 1 s left), then both at half speed:
        // both have 1 s of work left, so both end at t = 3.
        let mut ps = ProcessorSharing::default();
        ps.add(0, Duration::from_secs(2), 0);
        assert_eq!(ps.next_finish(1.0), Some(SimTime::from_secs_f64(2.0)));
        ps.advance(SimTime::from_secs_f64(1.0), 1.0);
        ps.add(1, Duration::from_secs(1), 1);
        assert_eq!(ps.next_finish(0.5), Some(SimTime::from_secs_f64(3.0)));
        ps.advance(SimTime::from_secs_f64(3.0), 0.5);
        let next = |ps: &mut ProcessorSharing| ps.pop_finished().map(|(call, _)| call);
        assert_eq!((next(&mut ps), next(&mut ps), next(&mut ps)), (Some(0), Some(1), None));
    }
}
