//! Calls that wait for room: one queue per region, or one per host.

use std::collections::VecDeque;

use super::rules::{QueueRules, QueueScope};

/// The queues of one region, first in, first out.
#[derive(Debug, Default)]
pub struct Waiting {
    queues: Vec<VecDeque<u32>>,
    per_host: bool,
    limit: Option<u32>,
}

impl Waiting {
    /// Empty queues for a region of `hosts` hosts.
    pub fn new(rules: &QueueRules, hosts: usize) -> Self {
        let per_host = rules.scope == QueueScope::Host;
        let queues = if per_host { hosts } else { 1 };
        Self { queues: vec![VecDeque::new(); queues], per_host, limit: rules.max_waiting }
    }

    /// The queue that serves a host, given by its number in the region.
    pub fn queue_of(&self, host: u32) -> usize {
        if self.per_host { host as usize } else { 0 }
    }

    /// Appends a call to the region's queue, or to that of a host; false if the queue is full.
    pub fn push(&mut self, call: u32, host: Option<u32>) -> bool {
        let queue = host.map_or(0, |h| self.queue_of(h));
        let queue = &mut self.queues[queue];
        if self.limit.is_some_and(|limit| queue.len() >= limit as usize) {
            return false;
        }
        queue.push_back(call);
        true
    }

    /// How many calls wait in a queue.
    pub fn len(&self, queue: usize) -> usize {
        self.queues[queue].len()
    }

    /// The call at a position of a queue.
    pub fn get(&self, queue: usize, at: usize) -> Option<u32> {
        self.queues[queue].get(at).copied()
    }

    /// Takes out the call at a position.
    pub fn take(&mut self, queue: usize, at: usize) {
        self.queues[queue].remove(at);
    }

    /// Whether all hosts of the region share one queue.
    pub fn is_shared(&self) -> bool {
        !self.per_host
    }

    /// Takes out a call wherever it waits; the number of its queue.
    pub fn remove(&mut self, call: u32) -> u32 {
        for (number, queue) in self.queues.iter_mut().enumerate() {
            if let Some(at) = queue.iter().position(|&c| c == call) {
                queue.remove(at);
                return number as u32;
            }
        }
        panic!("call {call} gives up waiting, but waits in no queue")
    }
}
