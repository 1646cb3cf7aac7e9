//! Where the engine's instances come from: a source, remembered where a declared oracle looks ahead.

use crate::types::Duration;
use crate::workload::WorkloadError;
use crate::workload::instances::{Announced, Instance, Instances, Remembered, Usage};

/// A source, as the engine reads it.
pub(super) enum Source {
    /// Read once, piece by piece.
    Plain(Box<dyn Instances>),
    /// With the usage of all live instances held.
    Remembered(Remembered<Box<dyn Instances>>),
}

impl Source {
    pub fn new(source: Box<dyn Instances>, looks_ahead: bool) -> Self {
        if looks_ahead { Self::Remembered(Remembered::new(source)) } else { Self::Plain(source) }
    }

    fn as_dyn(&self) -> &dyn Instances {
        match self {
            Self::Plain(source) => &**source,
            Self::Remembered(source) => source,
        }
    }

    pub fn next(&mut self, announced: &mut Announced) -> Result<Option<Instance>, WorkloadError> {
        match self {
            Self::Plain(source) => source.next(announced),
            Self::Remembered(source) => source.next(announced),
        }
    }

    #[inline]
    pub fn usage(&mut self, instance: u32) -> Result<Option<Usage>, WorkloadError> {
        match self {
            Self::Plain(source) => source.usage(instance),
            Self::Remembered(source) => source.usage(instance),
        }
    }

    pub fn release(&mut self, instance: u32) {
        match self {
            Self::Plain(source) => source.release(instance),
            Self::Remembered(source) => source.release(instance),
        }
    }

    pub fn rewind(&mut self, instance: u32) -> Result<(), WorkloadError> {
        match self {
            Self::Plain(source) => source.rewind(instance),
            Self::Remembered(source) => source.rewind(instance),
        }
    }

    pub fn span(&self) -> Option<Duration> {
        self.as_dyn().span()
    }

    /// What an instance will use from `from` up to `to` after its start; nothing where nobody has declared to look ahead.
    pub fn usage_between(
        &mut self,
        instance: u32,
        from: Duration,
        to: Duration,
        pieces: &mut Vec<Usage>,
    ) -> Result<(), WorkloadError> {
        pieces.clear();
        match self {
            Self::Plain(_) => Ok(()),
            Self::Remembered(source) => source.usage_between(instance, from, to, pieces),
        }
    }

    /// The source itself, for its notes and inputs.
    pub fn into_inner(self) -> Box<dyn Instances> {
        match self {
            Self::Plain(source) => source,
            Self::Remembered(source) => Box::new(source),
        }
    }
}
