//! What has been promised of a capacity over time.

use std::collections::BTreeMap;

use crate::types::SimTime;

/// How much is booked at each instant: a step function of time.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// From when on how much is booked; nothing before the first.
    used: BTreeMap<SimTime, u64>,
    /// What lies before is forgotten.
    forgotten: SimTime,
}

impl Books {
    /// What is booked at `t`.
    pub fn at(&self, t: SimTime) -> u64 {
        self.used.range(..=t).next_back().map_or(0, |(_, &amount)| amount)
    }

    /// The most that is booked at any instant of `[from, to)`.
    pub fn most(&self, from: SimTime, to: SimTime) -> u64 {
        self.used.range(from..to).fold(self.at(from), |most, (_, &amount)| most.max(amount))
    }

    /// The instants inside `(from, to)` at which what is booked changes.
    pub fn changes(&self, from: SimTime, to: SimTime) -> impl DoubleEndedIterator<Item = SimTime> + '_ {
        self.used.range((std::ops::Bound::Excluded(from), std::ops::Bound::Excluded(to))).map(|(&t, _)| t)
    }

    /// Books so much more in `[from, to)`.
    pub fn add(&mut self, from: SimTime, to: SimTime, amount: u64) {
        self.alter(from, to, |used| used + amount);
    }

    /// Gives back what was booked in `[from, to)`, but for what is forgotten.
    pub fn give_back(&mut self, from: SimTime, to: SimTime, amount: u64) {
        self.alter(from.max(self.forgotten), to, |used| used - amount);
    }

    fn alter(&mut self, from: SimTime, to: SimTime, change: impl Fn(u64) -> u64) {
        if from >= to {
            return;
        }
        let (first, after) = (self.at(from), self.at(to));
        self.used.insert(from, first);
        self.used.insert(to, after);
        for (_, used) in self.used.range_mut(from..to) {
            *used = change(*used);
        }
        for t in [from, to] {
            let before = self.used.range(..t).next_back().map_or(0, |(_, &amount)| amount);
            if self.used.get(&t) == Some(&before) {
                self.used.remove(&t);
            }
        }
    }

    /// Forgets what lies before `now`.
    pub fn forget(&mut self, now: SimTime) {
        if now <= self.forgotten {
            return;
        }
        self.forgotten = now;
        if self.used.first_key_value().is_some_and(|(&t, _)| t < now) {
            let present = self.at(now);
            while self.used.first_key_value().is_some_and(|(&t, _)| t < now) {
                self.used.pop_first();
            }
            if present > 0 {
                self.used.insert(now, present);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_booked_adds_up_and_is_given_back() {
        let t = SimTime;
        let mut books = Books::default();
        books.add(t(10), t(30), 2);
        books.add(t(20), t(40), 3);
        assert_eq!([9, 10, 20, 29, 30, 40].map(|at| books.at(t(at))), [0, 2, 5, 5, 3, 0]);
        assert_eq!((books.most(t(0), t(20)), books.most(t(0), t(21)), books.most(t(30), t(99))), (2, 5, 3));
        assert_eq!(books.changes(t(10), t(40)).collect::<Vec<_>>(), [t(20), t(30)]);
        books.forget(t(25));
        assert_eq!((books.at(t(25)), books.at(t(24))), (5, 0));
        books.give_back(t(10), t(30), 2);
        books.give_back(t(20), t(40), 3);
        assert!(books.used.is_empty(), "{books:?}");
        books.add(t(50), t(50), 1);
        assert!(books.used.is_empty());
    }
}
