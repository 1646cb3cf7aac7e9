//! What can happen: one closed enum. Arrivals and expiries of constant keep-alive come from sorted streams of their own
//! and are merged with these.

/// The order of things that happen at the same instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Class {
    /// What ends first: executions, starts, boots.
    Completion = 0,
    /// Then sandboxes expire: one that was idle for exactly its keep-alive is gone.
    Expiry = 1,
    /// Then what was scheduled for this instant begins: releases, questions, time-outs, controllers. Arrivals, which
    /// come from a stream of their own, follow last.
    Scheduled = 2,
}

/// A pending event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A call ends (CPU isolated or ignored).
    Finish {
        /// Its slot.
        call: u32,
    },
    /// The next call of a CPU-sharing host may have ended.
    HostTick {
        /// The host.
        host: u32,
    },
    /// A sandbox has started.
    Ready {
        /// Its slot.
        sandbox: u32,
    },
    /// A host has booted.
    HostUp {
        /// The host.
        host: u32,
    },
    /// An idle sandbox's keep-alive ends, if it is still the same idle period.
    Expire {
        /// Its slot.
        sandbox: u32,
        /// The slot's generation when this was scheduled.
        generation: u32,
    },
    /// A shifted call is let go.
    Release {
        /// Its slot.
        call: u32,
    },
    /// Admission is asked again.
    Ask {
        /// The call's slot.
        call: u32,
    },
    /// A waiting call gives up, if it still waits.
    TimeOut {
        /// Its slot.
        call: u32,
        /// The slot's generation when this was scheduled.
        generation: u32,
    },
    /// Provisioning is asked for all regions.
    Provision,
    /// Shifting may let held calls go.
    ShiftTick,
}

impl Event {
    /// Its place among events of the same instant.
    #[inline]
    pub fn class(self) -> Class {
        match self {
            Event::Finish { .. } | Event::HostTick { .. } | Event::Ready { .. } | Event::HostUp { .. } => {
                Class::Completion
            }
            Event::Expire { .. } => Class::Expiry,
            Event::Release { .. } | Event::Ask { .. } | Event::TimeOut { .. } | Event::Provision | Event::ShiftTick => {
                Class::Scheduled
            }
        }
    }
}
