//! Which run is next: every thread asks, and tells when it is done; what is asked for never depends on how many threads there are.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex};

use serde::{Deserialize, Serialize};

use super::rule::{Until, next_look};
use crate::compare::lock;

/// One run: the number of its point and of its replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Task {
    /// The number of the point.
    pub point: usize,
    /// The number of the replication.
    pub replication: u32,
}

/// How the runs of a sweep are divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which one, from 1.
    pub index: usize,
    /// Of how many.
    pub count: usize,
}

impl Shard {
    /// All runs.
    pub const WHOLE: Shard = Shard { index: 1, count: 1 };

    /// Reads `I/N`.
    ///
    /// # Errors
    /// It is no such text, or I is not in 1..=N.
    pub fn parse(text: &str) -> Result<Self, String> {
        let help = "write I/N with I from 1 to N, for example 2/8";
        let parts = text.split_once('/').and_then(|(i, n)| Some((i.trim().parse().ok()?, n.trim().parse().ok()?)));
        match parts {
            Some((index, count)) if (1..=count).contains(&index) => Ok(Self { index, count }),
            _ => Err(format!("\"{text}\" is no part of a sweep; {help}")),
        }
    }

    /// The name of its folder.
    pub fn folder(self) -> String {
        format!("{}-of-{}", self.index, self.count)
    }

    fn has(self, number: usize) -> bool {
        number % self.count == self.index - 1
    }
}

/// How many replications a point gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stop {
    /// At least so many.
    pub first: u32,
    /// At most so many.
    pub most: u32,
    /// When they suffice; all have to hold. Without any, after the first.
    pub until: Vec<Until>,
    /// Confidence of the half widths.
    pub confidence: f64,
}

impl Stop {
    /// Whether the point needs no more than these; one row of values per replication in order, none for one that failed.
    pub fn enough(&self, values: &[Option<Vec<f64>>]) -> bool {
        if values.len() < self.first as usize {
            return false;
        }
        if self.until.is_empty() || values.len() >= self.most as usize {
            return true;
        }
        // A replication that failed, or whose figure is undefined, would fail again: more of them make nothing surer.
        let column = |i: usize| {
            values.iter().map(|v| v.as_ref().map(|v| v[i]).filter(|x| !x.is_nan())).collect::<Option<Vec<f64>>>()
        };
        let one = |(i, until): (usize, &Until)| column(i).is_none_or(|values| until.holds(&values, self.confidence));
        self.until.iter().enumerate().all(one)
    }

    /// How many replications a point with these values has in the end, if they are all there: the first look at which they are enough.
    pub fn settled(&self, values: &[Option<Vec<f64>>]) -> Option<u32> {
        let mut look = next_look(0, self.first, self.most);
        while (look as usize) <= values.len() {
            if self.enough(&values[..look as usize]) {
                return Some(look);
            }
            look = next_look(look, self.first, self.most);
        }
        None
    }
}

struct Open {
    /// Values of the replications that are done.
    values: BTreeMap<u32, Option<Vec<f64>>>,
    /// How many replications were asked for.
    asked: u32,
}

struct State {
    /// The next number of the plan.
    next: usize,
    /// Further replications of points that need them.
    further: VecDeque<Task>,
    /// Points that are not yet settled, if there is a rule.
    open: BTreeMap<usize, Open>,
    /// Runs that were handed out and are not done.
    running: usize,
    stopped: bool,
}

/// The runs of a part of a sweep.
pub struct Queue<'s> {
    stop: &'s Stop,
    shard: Shard,
    points: usize,
    state: Mutex<State>,
    changed: Condvar,
}

impl<'s> Queue<'s> {
    /// All runs of a part.
    pub fn new(stop: &'s Stop, points: usize, shard: Shard) -> Self {
        let state = State { next: 0, further: VecDeque::new(), open: BTreeMap::new(), running: 0, stopped: false };
        Self { stop, shard, points, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// How many runs there are at least.
    pub fn least(&self) -> usize {
        let all = self.numbers();
        (all + self.shard.count - self.shard.index) / self.shard.count * self.unit()
    }

    /// What is divided: points where a rule decides on their replications, otherwise runs.
    fn numbers(&self) -> usize {
        if self.by_point() { self.points } else { self.points.saturating_mul(self.stop.first as usize) }
    }

    fn unit(&self) -> usize {
        if self.by_point() { self.stop.first as usize } else { 1 }
    }

    fn by_point(&self) -> bool {
        !self.stop.until.is_empty()
    }

    /// The next run; waits where only a run that is still going can say whether there is one. `None` when all is done or stopped.
    pub fn take(&self) -> Option<Task> {
        let mut state = lock(&self.state);
        loop {
            if state.stopped {
                return None;
            }
            if let Some(task) = state.further.pop_front().or_else(|| self.fresh(&mut state)) {
                state.running += 1;
                return Some(task);
            }
            if state.running == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }

    fn fresh(&self, state: &mut State) -> Option<Task> {
        let all = self.numbers();
        while state.next < all && !self.shard.has(state.next) {
            state.next += 1;
        }
        if state.next >= all {
            return None;
        }
        let number = state.next;
        state.next += 1;
        if !self.by_point() {
            let first = self.stop.first as usize;
            return Some(Task { point: number / first, replication: (number % first) as u32 });
        }
        state.open.insert(number, Open { values: BTreeMap::new(), asked: self.stop.first });
        state.further.extend((1..self.stop.first).map(|replication| Task { point: number, replication }));
        Some(Task { point: number, replication: 0 })
    }

    /// A run is done; `values` are the figures of the rules, none if it failed. Gives how many more runs that makes.
    pub fn done(&self, task: Task, values: Option<Vec<f64>>) -> usize {
        let mut state = lock(&self.state);
        let state = &mut *state;
        state.running -= 1;
        let mut more = 0;
        if let Some(open) = state.open.get_mut(&task.point) {
            open.values.insert(task.replication, values);
            if open.values.len() == open.asked as usize {
                let all: Vec<Option<Vec<f64>>> = open.values.values().cloned().collect();
                if self.stop.enough(&all) {
                    state.open.remove(&task.point);
                } else {
                    let (from, to) = (open.asked, next_look(open.asked, self.stop.first, self.stop.most));
                    open.asked = to;
                    let tasks = (from..to).map(|replication| Task { point: task.point, replication });
                    state.further.extend(tasks);
                    more = (to - from) as usize;
                }
            }
        }
        self.changed.notify_all();
        more
    }

    /// No further run is handed out.
    pub fn stop(&self) {
        lock(&self.state).stopped = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop(first: u32, most: u32, until: &[&str]) -> Stop {
        let until = until.iter().map(|t| Until::parse(t, &["sci.g_per_unit"]).expect("right")).collect();
        Stop { first, most, until, confidence: 0.95 }
    }

    fn drain(queue: &Queue<'_>, value: impl Fn(Task) -> Option<Vec<f64>>) -> Vec<Task> {
        let mut tasks = Vec::new();
        while let Some(task) = queue.take() {
            tasks.push(task);
            queue.done(task, value(task));
        }
        tasks.sort();
        tasks
    }

    #[test]
    fn parts_share_all_runs_and_no_run_twice() {
        let stop = stop(3, 3, &[]);
        let mut all = Vec::new();
        for index in 1..=4 {
            let queue = Queue::new(&stop, 5, Shard { index, count: 4 });
            let (least, tasks) = (queue.least(), drain(&queue, |_| None));
            assert_eq!(tasks.len(), least);
            all.extend(tasks);
        }
        all.sort();
        let wanted: Vec<Task> =
            (0..5).flat_map(|point| (0..3).map(move |replication| Task { point, replication })).collect();
        assert_eq!(all, wanted);
    }

    #[test]
    fn a_point_gets_replications_until_its_interval_is_narrow_enough() {
        let stop = stop(4, 30, &["half_width(sci) < 1"]);
        let value = |task: Task| {
            // Point 0 hardly varies, point 1 never settles, point 2 fails.
            let swing = if task.replication.is_multiple_of(2) { 1.0 } else { -1.0 };
            (task.point != 2).then(|| vec![10.0 + swing * if task.point == 0 { 0.1 } else { 5.0 }])
        };
        let tasks = drain(&Queue::new(&stop, 3, Shard::WHOLE), value);
        let count = |point| tasks.iter().filter(|t| t.point == point).count();
        assert_eq!([count(0), count(1), count(2)], [4, 30, 4]);
        let values =
            |point: usize, n: u32| -> Vec<_> { (0..n).map(|replication| value(Task { point, replication })).collect() };
        assert_eq!(stop.settled(&values(0, 9)), Some(4));
        assert_eq!(stop.settled(&values(1, 29)), None, "the last look is after 30");
        assert_eq!(stop.settled(&values(1, 30)), Some(30));
    }

    #[test]
    fn a_part_is_written_as_i_of_n() {
        assert_eq!(Shard::parse("2/8"), Ok(Shard { index: 2, count: 8 }));
        for wrong in ["0/4", "5/4", "2", "a/b", "1/0", "-1/4"] {
            assert!(Shard::parse(wrong).is_err(), "{wrong}");
        }
    }
}
