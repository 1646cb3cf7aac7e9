//! A table of instances and a stream of their usage in order of time: what is read ahead waits in buffers of live instances.
//!
//! ```text
//!   readings, by time:  … a b c │ a b c │ a …          usage(b) reads until b's next reading comes, or until the stream is a
//!                               ▲ stream               step past the time up to which b's usage was handed out: then there is
//!                                                      a gap, and b keeps the value before it
//! ```
//!
//! The stream is therefore never more than about one step ahead of the instance that is furthest, and a buffer holds one or two
//! readings while all instances run on time. An instance that waits, or was started anew, finds its readings in its buffer.

use std::collections::VecDeque;
use std::path::PathBuf;

use rustc_hash::FxHashMap;

use super::super::WorkloadError;
use super::accounts::{AccountBy, Accounts};
use super::{Announced, Class, Instance, Instances, Usage};
use crate::types::{Duration, Memory, RegionId, SimTime};

/// An instance as its table lists it.
#[derive(Debug)]
pub(super) struct Listed {
    pub name: Box<str>,
    pub tenant: u32,
    pub deployment: u32,
    pub begin: SimTime,
    /// Later than `begin`.
    pub end: SimTime,
    pub cpu: u64,
    pub cpu_limit: u64,
    pub memory: Memory,
    pub priority: u8,
    pub class: Class,
    /// Demand where no reading says otherwise [millionths of a core]; `None`: usage ends with the readings.
    pub fallback: Option<u64>,
}

/// What one instance uses from `begin` to `end`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reading {
    /// The instance, by its place in the table.
    pub number: u32,
    pub begin: SimTime,
    pub end: SimTime,
    pub cpu: u64,
    pub memory: Option<Memory>,
}

/// A stream of readings; `begin` never goes back.
pub(super) trait Readings: Send {
    /// The next reading; `None` at the end.
    fn next(&mut self) -> Result<Option<Reading>, WorkloadError>;
    /// The share of the input that was read.
    fn progress(&self) -> f64;
    fn notes(&self) -> Vec<(String, String)>;
    fn inputs(&self) -> Vec<(PathBuf, String)>;
}

/// What is known of a live instance's usage.
#[derive(Debug)]
struct Live {
    /// Its usage was handed out up to here.
    due: SimTime,
    end: SimTime,
    last: Option<(u64, Option<Memory>)>,
    fallback: Option<u64>,
    waiting: VecDeque<Reading>,
}

/// The source. It cannot read twice: wrap it into [`super::Remembered`], or an instance that starts anew goes on where it was.
pub(super) struct Feed<R> {
    table: Vec<Listed>,
    tenants: Vec<Box<str>>,
    accounts: Accounts,
    region: RegionId,
    /// Length of a usual reading.
    step: Duration,
    next: usize,
    live: FxHashMap<u32, Live>,
    readings: R,
    /// No reading that is still to come begins before this.
    at: SimTime,
    ended: bool,
    span: Duration,
    dropped: u64,
    notes: Vec<(String, String)>,
    inputs: Vec<(PathBuf, String)>,
}

impl<R: Readings> Feed<R> {
    /// `table` is in order of `begin`.
    #[expect(clippy::too_many_arguments)]
    pub fn new(
        table: Vec<Listed>,
        tenants: Vec<Box<str>>,
        account_by: AccountBy,
        region: RegionId,
        step: Duration,
        readings: R,
        notes: Vec<(String, String)>,
        inputs: Vec<(PathBuf, String)>,
    ) -> Self {
        let span = table.iter().map(|l| l.end.0).max().unwrap_or(0);
        Self {
            table,
            tenants,
            accounts: Accounts::new(account_by),
            region,
            step,
            next: 0,
            live: FxHashMap::default(),
            readings,
            at: SimTime::ZERO,
            ended: false,
            span: Duration(span),
            dropped: 0,
            notes,
            inputs,
        }
    }

    /// How many readings wait in buffers.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.live.values().map(|l| l.waiting.len()).sum()
    }

    /// Reads one reading into its instance's buffer.
    fn advance(&mut self) -> Result<(), WorkloadError> {
        let Some(reading) = self.readings.next()? else {
            self.ended = true;
            return Ok(());
        };
        self.at = reading.begin;
        if let Some(live) = self.live.get_mut(&reading.number) {
            live.waiting.push_back(reading);
        } else if reading.number as usize >= self.next
            && let Some(listed) = self.table.get(reading.number as usize)
        {
            let mut live = Live::new(listed);
            live.waiting.push_back(reading);
            self.live.insert(reading.number, live);
        } else {
            self.dropped += 1;
        }
        Ok(())
    }
}

impl Live {
    fn new(listed: &Listed) -> Self {
        Self { due: listed.begin, end: listed.end, last: None, fallback: listed.fallback, waiting: VecDeque::new() }
    }

    /// Hands out a value up to `until`, at most to the instance's end.
    fn hand_out(&mut self, until: SimTime, cpu: u64, memory: Option<Memory>) -> Usage {
        let until = until.min(self.end);
        let duration = until - self.due;
        self.due = until;
        Usage { duration, cpu, memory }
    }

    /// The value that holds until the next reading.
    fn held(&self) -> (u64, Option<Memory>) {
        self.last.unwrap_or((self.fallback.unwrap_or(0), None))
    }

    /// The next piece from what was read; `None` if nothing that was read says more.
    fn take(&mut self) -> Option<Usage> {
        while let Some(&reading) = self.waiting.front() {
            if reading.begin > self.due {
                let (cpu, memory) = self.held();
                return Some(self.hand_out(reading.begin, cpu, memory));
            }
            self.waiting.pop_front();
            if reading.end > self.due {
                self.last = Some((reading.cpu, reading.memory));
                return Some(self.hand_out(reading.end, reading.cpu, reading.memory));
            }
        }
        None
    }
}

impl<R: Readings> Instances for Feed<R> {
    fn next(&mut self, announced: &mut Announced) -> Result<Option<Instance>, WorkloadError> {
        let Some(listed) = self.table.get_mut(self.next) else { return Ok(None) };
        let number = self.next as u32;
        self.next += 1;
        self.live.entry(number).or_insert_with(|| Live::new(listed));
        let tenant = &self.tenants[listed.tenant as usize];
        let account = self.accounts.of(tenant, &listed.name, None, announced);
        Ok(Some(Instance {
            name: std::mem::take(&mut listed.name),
            time: listed.begin,
            lifetime: Some(listed.end - listed.begin),
            account,
            region: self.region,
            cpu: listed.cpu,
            cpu_limit: listed.cpu_limit,
            memory: listed.memory,
            priority: listed.priority,
            class: listed.class,
            deployment: listed.deployment,
        }))
    }

    fn usage(&mut self, instance: u32) -> Result<Option<Usage>, WorkloadError> {
        loop {
            let Some(live) = self.live.get_mut(&instance) else { return Ok(None) };
            if live.due >= live.end {
                return Ok(None);
            }
            if let Some(piece) = live.take() {
                return Ok(Some(piece));
            }
            if self.ended {
                let end = live.end;
                return Ok(live.fallback.map(|cpu| live.hand_out(end, cpu, None)));
            }
            let step = live.due + self.step;
            if self.at > step {
                let (cpu, memory) = live.held();
                return Ok(Some(live.hand_out(step, cpu, memory)));
            }
            self.advance()?;
        }
    }

    fn release(&mut self, instance: u32) {
        self.live.remove(&instance);
    }

    fn rewind(&mut self, _instance: u32) -> Result<(), WorkloadError> {
        Ok(())
    }

    fn progress(&self) -> f64 {
        let handed_out = if self.table.is_empty() { 1.0 } else { self.next as f64 / self.table.len() as f64 };
        if self.ended { handed_out } else { handed_out.min(self.readings.progress()) }
    }

    fn span(&self) -> Option<Duration> {
        Some(self.span)
    }

    fn notes(&self) -> Vec<(String, String)> {
        let mut notes = self.notes.clone();
        notes.push(("instances".to_owned(), self.table.len().to_string()));
        notes.extend(self.readings.notes());
        if self.dropped > 0 {
            notes.push(("readings_of_instances_that_were_gone".to_owned(), self.dropped.to_string()));
        }
        notes
    }

    fn inputs(&self) -> Vec<(PathBuf, String)> {
        let mut inputs = self.inputs.clone();
        inputs.extend(self.readings.inputs());
        inputs
    }
}
