//! Figures of workers: how many functions each executes in an hour, and how much of its memory is in use. Only read: a run in which
//! they are counted is, event for event, the run without.

use crate::cluster::{Host, PowerState};
use crate::types::{FunctionId, HostId, Memory, SimTime};

/// One hour \[ns\].
const HOUR: u64 = 3_600_000_000_000;

/// Bins of the share of memory in use: so many per whole, up to twice the whole.
const PER_WHOLE: usize = 2048;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct WorkerFigures {
    /// Worker-hours: all workers in all whole hours of the run.
    pub hours: u64,
    /// Distinct functions that a worker began to execute in an hour: mean, median and 95th percentile over worker-hours; not finite
    /// without an hour.
    pub distinct: [f64; 3],
    /// Share of a worker's memory that is in use: mean, median and 95th percentile over the time that workers are on.
    pub memory: [f64; 3],
}

/// What is kept for them: 4 bytes per host and function.
#[derive(Debug)]
pub(super) struct Workers {
    physical: Vec<Memory>,
    /// The hour + 1 in which a function was last executed on a host; function by function.
    stamps: Vec<u32>,
    /// Distinct functions of each host in this hour.
    distinct: Vec<u32>,
    hour: u64,
    /// Worker-hours by their number of functions.
    hours: Vec<u64>,
    /// Time by share of memory \[ns\], and the sum of share x time.
    memory: Vec<u64>,
    memory_sum: f64,
}

impl Workers {
    /// Nothing counted yet, on hosts of so much memory.
    pub fn new(physical: Vec<Memory>) -> Self {
        let distinct = vec![0; physical.len()];
        let (stamps, hours, memory) = (Vec::new(), Vec::new(), vec![0; 2 * PER_WHOLE]);
        Self { physical, stamps, distinct, hour: 0, hours, memory, memory_sum: 0.0 }
    }

    /// A function appears that may be called.
    pub fn grow(&mut self, function: FunctionId) {
        self.stamps.resize((function.index() + 1) * self.physical.len(), 0);
    }

    /// A call of a function begins on a host.
    #[inline]
    pub fn executes(&mut self, function: FunctionId, host: HostId, now: SimTime) {
        let hour = now.0 / HOUR;
        if hour != self.hour {
            self.close(hour);
        }
        let stamp = &mut self.stamps[function.index() * self.physical.len() + host.index()];
        if *stamp != hour as u32 + 1 {
            *stamp = hour as u32 + 1;
            self.distinct[host.index()] += 1;
        }
    }

    /// Closes the hours before this one.
    #[cold]
    fn close(&mut self, hour: u64) {
        let most = self.distinct.iter().copied().max().unwrap_or(0) as usize;
        if self.hours.len() <= most {
            self.hours.resize(most + 1, 0);
        }
        for distinct in &mut self.distinct {
            self.hours[std::mem::take(distinct) as usize] += 1;
        }
        // In the hours between nothing began.
        self.hours[0] += (hour - self.hour - 1) * self.physical.len() as u64;
        self.hour = hour;
    }

    /// A host goes on as it is until `now`.
    #[inline]
    pub fn pass(&mut self, host: HostId, h: &Host, now: SimTime) {
        if h.state != PowerState::On {
            return;
        }
        let share = (h.memory_used() + h.system) as f64 / self.physical[host.index()].0.max(1) as f64;
        let bin = ((share * PER_WHOLE as f64) as usize).min(self.memory.len() - 1);
        let dt = now.0 - h.since.0;
        self.memory[bin] += dt;
        self.memory_sum += share * dt as f64;
    }

    /// The figures of a run that ends now.
    pub fn finish(mut self, now: SimTime) -> WorkerFigures {
        let last = now.0 / HOUR;
        if last > self.hour {
            self.close(last);
        }
        let hours: u64 = self.hours.iter().sum();
        let time: u64 = self.memory.iter().sum();
        let functions: u64 = self.hours.iter().enumerate().map(|(n, hours)| n as u64 * hours).sum();
        let middle = |p: f64| quantile(&self.memory, p).map_or(f64::NAN, |bin| (bin as f64 + 0.5) / PER_WHOLE as f64);
        let count = |p: f64| quantile(&self.hours, p).map_or(f64::NAN, |n| n as f64);
        WorkerFigures {
            hours,
            distinct: [functions as f64 / hours as f64, count(0.5), count(0.95)],
            memory: [self.memory_sum / time as f64, middle(0.5), middle(0.95)],
        }
    }
}

/// The lowest bin at and below which the share `p` of all weight lies; `None` without weight.
fn quantile(bins: &[u64], p: f64) -> Option<usize> {
    let all: u64 = bins.iter().sum();
    let wanted = p * all as f64;
    let mut sum = 0;
    bins.iter().position(|&n| {
        sum += n;
        sum > 0 && sum as f64 >= wanted
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{GroupId, RegionId};

    #[test]
    fn functions_are_counted_once_an_hour_and_host() {
        let mut w = Workers::new(vec![Memory(100); 2]);
        (0..3).for_each(|f| w.grow(FunctionId(f)));
        let at = |minutes: u64| SimTime(minutes * 60_000_000_000);
        // Host 0: three functions in the first hour, none in the second and third, one in the fourth; host 1: one in the first.
        for (f, h, minute) in [(0, 0, 1), (1, 0, 2), (0, 0, 3), (2, 0, 59), (1, 1, 30), (0, 0, 200)] {
            w.executes(FunctionId(f), HostId(h), at(minute));
        }
        let found = w.finish(at(299));
        // 8 worker-hours in four whole hours: 3, 1, 0, 0, 0, 0, 1, 0.
        assert_eq!((found.hours, found.distinct), (8, [5.0 / 8.0, 0.0, 3.0]));
    }

    #[test]
    fn memory_is_weighed_by_time() {
        let mut w = Workers::new(vec![Memory(1000)]);
        let mut h = Host::new(GroupId(0), RegionId(0));
        for (bytes, until) in [(250, 60), (500, 90), (1000, 100)] {
            h.held[0] = bytes;
            w.pass(HostId(0), &h, SimTime(until));
            h.since = SimTime(until);
        }
        // 60 % of the time at a quarter, 30 % at half, 10 % full.
        let [mean, p50, p95] = w.finish(SimTime(100)).memory;
        assert!(
            (mean - 0.4).abs() < 1e-12 && (p50 - 0.25).abs() < 0.001 && (p95 - 1.0).abs() < 0.001,
            "{mean} {p50} {p95}"
        );
    }
}
