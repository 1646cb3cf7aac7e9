//! What can happen: one closed enum. Arrivals and expiries of constant keep-alive come from sorted streams of their own
//! and are merged with these.

/// The order of things that happen at the same instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Class {
    /// Before anything else changes, what has been until now is looked at.
    Sample = 0,
    /// What ends first: executions, starts and their phases, boots.
    Completion = 1,
    /// Then sandboxes expire: one that was idle for exactly its keep-alive is gone.
    Expiry = 2,
    /// Then what was scheduled for this instant begins: releases, questions, time-outs, creations, controllers. Arrivals,
    /// which come from a stream of their own, follow last.
    Scheduled = 3,
}

/// A pending event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A call ends (CPU isolated or ignored), if it was not killed meanwhile.
    Finish {
        /// Its slot.
        call: u32,
        /// The slot's generation when this was scheduled.
        generation: u32,
    },
    /// The next call of a CPU-sharing host may have ended.
    HostTick {
        /// The host.
        host: u32,
    },
    /// The part of a start that needs no CPU is over, and its work on the shared CPU begins.
    Floor {
        /// Its slot.
        sandbox: u32,
    },
    /// A boot whose latency depends on the starts in flight may be over.
    Look {
        /// Its slot.
        sandbox: u32,
    },
    /// Such a boot is over.
    Waited {
        /// Its slot.
        sandbox: u32,
    },
    /// A sandbox has booted, and initialises its runtime.
    Booted {
        /// Its slot.
        sandbox: u32,
    },
    /// A sandbox is ready.
    Ready {
        /// Its slot.
        sandbox: u32,
    },
    /// Room was made on a host by force: calls may wait for it.
    Serve {
        /// The host.
        host: u32,
    },
    /// A host's way to another power state is over.
    HostChanged {
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
    /// An idle sandbox is paused or moved to disk, if it is still the same idle period.
    Cool {
        /// Its slot.
        sandbox: u32,
    },
    /// The host's limit on creations lets a sandbox begin.
    Begin {
        /// Its slot.
        sandbox: u32,
    },
    /// A call that was sent to another region, with all that it needs, has come there.
    Reached {
        /// Its slot.
        call: u32,
    },
    /// A shifted call is let go.
    Release {
        /// Its slot.
        call: u32,
    },
    /// Shifting is asked again when a call starts.
    Reconsider {
        /// The call's slot.
        call: u32,
    },
    /// Something planned for a job is due.
    JobStep {
        /// Its place in the list of jobs.
        job: u32,
        /// The number of the plan.
        generation: u32,
    },
    /// A job may be done, or its checkpoint or restart over.
    JobDone {
        /// Its place in the list of jobs.
        job: u32,
        /// The number of the plan.
        generation: u32,
    },
    /// The next job arrives.
    JobArrives,
    /// Admission may let more jobs of a region run.
    Ceiling {
        /// The region.
        region: u32,
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
    /// A killed call is tried again.
    Retry {
        /// Its slot.
        call: u32,
    },
    /// A pool is loaded before it is called, if nothing has happened to it since.
    Prewarm {
        /// The pool in its region.
        entry: u32,
        /// The pool's stamp when this was scheduled.
        stamp: u32,
    },
    /// The schedulers poll the durable queues.
    Poll,
    /// A call that was invisible is offered again.
    Offer {
        /// Its slot.
        call: u32,
    },
    /// Provisioning is asked for all regions.
    Provision,
    /// Scaling is asked for all pools.
    Scale,
    /// Shifting may let held calls go.
    ShiftTick,
    /// Packing assigns functions and workers to each other anew.
    Reassign,
    /// Migration is asked.
    Rebalance,
    /// Predictors are told what instances used.
    Sample,
    /// The next instance is asked for.
    InstanceAsked,
    /// Something planned for an instance is due: it has started, a piece of its usage is over, it ends, it is asked for again.
    InstanceStep {
        /// Its slot.
        slot: u32,
        /// The number of the plan.
        generation: u32,
    },
    /// A live migration's copying is over.
    InstanceMoved {
        /// The instance's slot.
        slot: u32,
        /// The number of the migration.
        number: u32,
    },
}

impl Event {
    /// Its place among events of the same instant.
    #[inline]
    pub fn class(self) -> Class {
        match self {
            Event::Finish { .. }
            | Event::HostTick { .. }
            | Event::Floor { .. }
            | Event::Look { .. }
            | Event::Waited { .. }
            | Event::Booted { .. }
            | Event::Ready { .. }
            | Event::Serve { .. }
            | Event::InstanceStep { .. }
            | Event::InstanceMoved { .. }
            | Event::JobDone { .. }
            | Event::HostChanged { .. } => Class::Completion,
            Event::Sample => Class::Sample,
            Event::Expire { .. } | Event::Cool { .. } => Class::Expiry,
            Event::Begin { .. }
            | Event::Release { .. }
            | Event::Reached { .. }
            | Event::Ask { .. }
            | Event::Reconsider { .. }
            | Event::JobStep { .. }
            | Event::JobArrives
            | Event::Ceiling { .. }
            | Event::TimeOut { .. }
            | Event::Retry { .. }
            | Event::Prewarm { .. }
            | Event::Provision
            | Event::Poll
            | Event::Offer { .. }
            | Event::Scale
            | Event::InstanceAsked
            | Event::Rebalance
            | Event::Reassign
            | Event::ShiftTick => Class::Scheduled,
        }
    }
}
