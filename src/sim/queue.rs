//! When: a 4-ary heap of pending events.
//!
//! Order: by time, then by class, then first in, first out. The key is one integer comparison; the sequence number makes
//! every key unique, so the order of events is a total order and the same in every run.

use super::event::{Class, Event};
use crate::types::SimTime;

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: u128,
    event: Event,
}

/// The pending events.
#[derive(Debug, Default)]
pub struct EventQueue {
    heap: Vec<Entry>,
    sequence: u64,
    last: SimTime,
}

const ARITY: usize = 4;
const SEQUENCE_BITS: u32 = 60;

impl EventQueue {
    /// Schedules an event. Panics if `at` lies before the last event that was popped.
    #[inline]
    pub fn push(&mut self, at: SimTime, event: Event) {
        assert!(at >= self.last, "event scheduled into the past: {} ns, now {} ns", at.0, self.last.0);
        let order = (event.class() as u64) << SEQUENCE_BITS | self.sequence;
        self.sequence += 1;
        let entry = Entry { key: u128::from(at.0) << 64 | u128::from(order), event };
        let hole = self.heap.len();
        self.heap.push(entry);
        rise(&mut self.heap, hole, entry);
    }

    /// Time and class of the next event; never, if there is none.
    #[inline]
    pub fn peek(&self) -> (SimTime, Class) {
        match self.heap.first() {
            None => (SimTime::NEVER, Class::Scheduled),
            Some(e) => (SimTime((e.key >> 64) as u64), class_of(e.key)),
        }
    }

    /// The next event.
    pub fn first(&self) -> Option<(SimTime, Event)> {
        self.heap.first().map(|e| (SimTime((e.key >> 64) as u64), e.event))
    }

    /// Takes the next event.
    #[inline]
    pub fn pop(&mut self) -> Option<(SimTime, Event)> {
        let top = *self.heap.first()?;
        let last = self.heap.pop()?;
        if !self.heap.is_empty() {
            self.refill_top(last);
        }
        let at = SimTime((top.key >> 64) as u64);
        self.last = at;
        Some((at, top.event))
    }

    /// Puts an entry from the heap's end in the place of the top: the hole sinks to a leaf, and the entry, which nearly
    /// always belongs near the leaves, rises from there. That saves one comparison per level.
    #[inline]
    fn refill_top(&mut self, entry: Entry) {
        let heap = self.heap.as_mut_slice();
        let mut hole = 0;
        loop {
            let first = hole * ARITY + 1;
            let least = if let Some([a, b, c, d]) = heap.get(first..first + ARITY) {
                let (left, l) = if b.key < a.key { (b.key, 1) } else { (a.key, 0) };
                let (right, r) = if d.key < c.key { (d.key, 3) } else { (c.key, 2) };
                first + if right < left { r } else { l }
            } else {
                let children = heap.get(first..).unwrap_or_default();
                let Some((least, _)) = children.iter().enumerate().min_by_key(|(_, e)| e.key) else { break };
                first + least
            };
            heap[hole] = heap[least];
            hole = least;
        }
        rise(heap, hole, entry);
    }

    /// How many events were ever scheduled.
    pub fn scheduled(&self) -> u64 {
        self.sequence
    }
}

/// Puts an entry at a hole or above it.
#[inline]
fn rise(heap: &mut [Entry], mut hole: usize, entry: Entry) {
    while hole > 0 {
        let parent = (hole - 1) / ARITY;
        if heap[parent].key <= entry.key {
            break;
        }
        heap[hole] = heap[parent];
        hole = parent;
    }
    heap[hole] = entry;
}

/// The class that a key carries, read without a look at the event.
#[inline]
fn class_of(key: u128) -> Class {
    match key as u64 >> SEQUENCE_BITS {
        0 => Class::Sample,
        1 => Class::Completion,
        2 => Class::Expiry,
        _ => Class::Scheduled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Seed;

    fn call_of(event: Event) -> u32 {
        match event {
            Event::Finish { call, .. } | Event::Release { call } => call,
            other => panic!("unexpected {other:?}"),
        }
    }

    #[test]
    fn equal_times_come_out_first_in_first_out_within_a_class() {
        let mut q = EventQueue::default();
        for call in 0..50 {
            q.push(SimTime(7), Event::Release { call });
            q.push(SimTime(7), Event::Finish { call: 100 + call, generation: 0 });
        }
        let order: Vec<u32> = std::iter::from_fn(|| q.pop()).map(|(_, e)| call_of(e)).collect();
        let expected: Vec<u32> = (100..150).chain(0..50).collect();
        assert_eq!(order, expected);
    }

    #[test]
    fn it_sorts_like_a_stable_sort() {
        let mut q = EventQueue::default();
        let mut s = Seed(1).stream("queue", 0);
        let mut expected: Vec<(u64, u32)> = (0..5000).map(|i| (s.below(300), i)).collect();
        expected.iter().for_each(|&(t, call)| q.push(SimTime(t), Event::Finish { call, generation: 0 }));
        expected.sort_by_key(|&(t, _)| t);
        let got: Vec<(u64, u32)> = std::iter::from_fn(|| q.pop()).map(|(t, e)| (t.0, call_of(e))).collect();
        assert_eq!(got, expected);
    }

    #[test]
    #[should_panic(expected = "event scheduled into the past: 4 ns, now 5 ns")]
    fn scheduling_into_the_past_panics_with_both_times() {
        let mut q = EventQueue::default();
        q.push(SimTime(5), Event::Finish { call: 0, generation: 0 });
        q.pop();
        q.push(SimTime(4), Event::Finish { call: 1, generation: 0 });
    }
}
