//! A trace that is held as a whole: its instances in order of time, and 12 bytes per piece of usage.

use std::path::PathBuf;

use super::super::WorkloadError;
use super::accounts::{AccountBy, Accounts};
use super::anchor::visible;
use super::pieces::Pieces;
use super::{Announced, Class, Instance, Instances, NO_DEPLOYMENT, Usage};
use crate::types::{Duration, Memory, RegionId, SimTime};

/// An instance as a reader found it.
#[derive(Debug)]
pub(super) struct Found {
    pub name: Box<str>,
    /// When it is asked for \[ms, as the trace counts\].
    pub begin_ms: i64,
    pub cpu: u64,
    pub cpu_limit: u64,
    pub memory: Memory,
    pub class: Class,
    /// Its pieces: `from..to`.
    pub pieces: (usize, usize),
}

/// What all instances of the source have in common.
#[derive(Debug)]
pub(super) struct Common {
    pub tenant: Box<str>,
    pub account_by: AccountBy,
    pub region: RegionId,
    pub priority: u8,
}

/// Where an instance's usage stands.
#[derive(Debug, Clone, Copy)]
struct Cursor {
    at: usize,
    from: usize,
    to: usize,
    /// What is cut off the first piece \[ns\].
    cut: u64,
}

/// The source.
#[derive(Debug)]
pub(super) struct Whole {
    common: Common,
    accounts: Accounts,
    instances: Vec<(Found, SimTime, Duration)>,
    cursors: Vec<Cursor>,
    pieces: Pieces,
    next: usize,
    span: Duration,
    notes: Vec<(String, String)>,
    inputs: Vec<(PathBuf, String)>,
}

impl Whole {
    /// Sorts the instances by time (those of one time stay in the order found) and cuts what lies before `start_ms`.
    pub fn new(
        common: Common,
        mut found: Vec<Found>,
        pieces: Pieces,
        start_ms: i64,
        mut notes: Vec<(String, String)>,
        inputs: Vec<(PathBuf, String)>,
    ) -> Self {
        found.sort_by_key(|f| f.begin_ms);
        let mut instances = Vec::with_capacity(found.len());
        let mut cursors = Vec::with_capacity(found.len());
        let (mut span, mut before, mut cut_short) = (0, 0u64, 0u64);
        let total = found.len();
        for instance in found {
            let (from, to) = instance.pieces;
            let length = (from..to).filter_map(|p| pieces.get(p)).map(|u| u.duration.0).sum();
            let Some((offset, cut)) = visible(start_ms, instance.begin_ms, Duration(length)) else {
                before += 1;
                continue;
            };
            let mut cursor = Cursor { at: from, from, to, cut: cut.0 };
            while let Some(piece) = pieces.get(cursor.from).filter(|p| p.duration.0 <= cursor.cut) {
                cursor.cut -= piece.duration.0;
                cursor.from += 1;
            }
            cursor.at = cursor.from;
            cut_short += u64::from(cut.0 > 0);
            span = span.max(offset.0 + (length - cut.0));
            instances.push((instance, SimTime(offset.0), Duration(length - cut.0)));
            cursors.push(cursor);
        }
        notes.push(("instances".to_owned(), format!("{} of {total}", instances.len())));
        notes.push(("pieces_of_usage".to_owned(), pieces.len().to_string()));
        if before + cut_short > 0 {
            notes.push(("ended_before_the_start".to_owned(), before.to_string()));
            notes.push(("alive_at_the_start_and_cut".to_owned(), cut_short.to_string()));
        }
        let accounts = Accounts::new(common.account_by);
        Self { common, accounts, instances, cursors, pieces, next: 0, span: Duration(span), notes, inputs }
    }

    #[cold]
    fn first_piece(cursor: Cursor, piece: Usage) -> Usage {
        Usage { duration: Duration(piece.duration.0 - cursor.cut), ..piece }
    }
}

impl Instances for Whole {
    fn next(&mut self, announced: &mut Announced) -> Result<Option<Instance>, WorkloadError> {
        let Some((found, time, lifetime)) = self.instances.get_mut(self.next) else { return Ok(None) };
        self.next += 1;
        let account = self.accounts.of(&self.common.tenant, &found.name, None, announced);
        Ok(Some(Instance {
            name: std::mem::take(&mut found.name),
            time: *time,
            lifetime: Some(*lifetime),
            account,
            region: self.common.region,
            cpu: found.cpu,
            cpu_limit: found.cpu_limit,
            memory: found.memory,
            priority: self.common.priority,
            class: found.class,
            deployment: NO_DEPLOYMENT,
        }))
    }

    #[inline]
    fn usage(&mut self, instance: u32) -> Result<Option<Usage>, WorkloadError> {
        let Some(cursor) = self.cursors.get_mut(instance as usize) else { return Ok(None) };
        let at = cursor.at;
        if at >= cursor.to {
            return Ok(None);
        }
        cursor.at += 1;
        let piece = self.pieces.get(at);
        if cursor.cut > 0 && at == cursor.from {
            return Ok(piece.map(|p| Self::first_piece(*cursor, p)));
        }
        Ok(piece)
    }

    fn release(&mut self, instance: u32) {
        if let Some(cursor) = self.cursors.get_mut(instance as usize) {
            cursor.at = cursor.to;
        }
    }

    fn rewind(&mut self, instance: u32) -> Result<(), WorkloadError> {
        if let Some(cursor) = self.cursors.get_mut(instance as usize) {
            cursor.at = cursor.from;
        }
        Ok(())
    }

    fn progress(&self) -> f64 {
        if self.instances.is_empty() { 1.0 } else { self.next as f64 / self.instances.len() as f64 }
    }

    fn span(&self) -> Option<Duration> {
        Some(self.span)
    }

    fn notes(&self) -> Vec<(String, String)> {
        self.notes.clone()
    }

    fn inputs(&self) -> Vec<(PathBuf, String)> {
        self.inputs.clone()
    }
}
