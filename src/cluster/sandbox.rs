//! Sandboxes: an arena of slots with the links of the lists that hold them, so that no list allocates.

use crate::types::{Duration, FunctionId, HostId, PoolId, SandboxId, SimTime};

/// "No sandbox", "no call": the end of a list.
pub const NONE: u32 = u32::MAX;

/// What a sandbox is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SandboxState {
    /// Being created, initialised or resumed; carries no call yet.
    Starting,
    /// Executing at least one call.
    Busy,
    /// Idle, in one of the [`Tier`]s.
    Warm,
    /// A free slot of the arena.
    Gone,
}

/// How far an idle sandbox is from ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Ready: the next call begins at once.
    Ready,
    /// Paused: it holds less memory, and a call waits for it to resume.
    Paused,
    /// On disk: it holds no memory, and a call waits for it to be restored.
    Snapshotted,
}

/// Where a starting sandbox is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Waits for the host's limit on creations; holds no memory yet, but has it reserved.
    Queued,
    /// Is created and boots.
    Boot,
    /// Initialises its language runtime and loads code.
    Init,
    /// Resumes from pause or snapshot.
    Resume,
}

/// One sandbox.
// In this order in memory: what every call touches stands first, in as few cache lines as can be.
#[repr(C, align(64))]
#[derive(Debug, Clone, Copy)]
pub struct Sandbox {
    /// The function whose call it executed last, or for which it was started.
    pub function: FunctionId,
    /// The pool whose calls it takes.
    pub pool: PoolId,
    /// The host it stands on.
    pub host: HostId,
    /// Calls in it: executing, or bound to it while it starts.
    pub calls: u32,
    /// Calls that it has begun to execute in all.
    pub begun: u32,
    /// The call it executes or starts for; [`NONE`] otherwise. Where it takes several calls, the first of a chain of calls
    /// that wait for its start.
    pub call: u32,
    /// Counts the uses of this slot, so that an event for an earlier use is recognised.
    pub generation: u32,
    /// The expiry lane it stands in; [`NONE`] if in none.
    pub lane: u32,
    /// Memory that it reserves while it is not paused: the function's plus the mechanism's \[bytes\].
    pub memory: u64,
    /// Since when it is warm.
    pub idle_since: SimTime,
    /// Since when it is in its present tier.
    pub tier_since: SimTime,
    /// When it expires if it stays warm.
    pub expires: SimTime,
    /// The host's share clock at the last change of state, and the weighted one.
    pub share_mark: f64,
    /// Weighted share mark.
    pub share_weight_mark: f64,
    /// Links in the warm set.
    pub warm_links: Links,
    /// Links in the expiry lane.
    pub lane_links: Links,
    /// Links in the host's list of warm sandboxes.
    pub host_links: Links,
    /// What it is doing.
    pub state: SandboxState,
    /// How far it is from ready, while idle.
    pub tier: Tier,
    /// Where it is on its way, while starting.
    pub phase: Phase,
    /// Whether keep-alive planned its start ahead of a call, so that it stays as long as was planned then.
    pub ahead: bool,
    /// Whether its next call is the first after a restore.
    pub restored: bool,
    /// CPU demand while starting [millionths of a core].
    pub start_demand: u32,
    /// Counts up over all sandboxes of a run: which is newer.
    pub created: u64,
    /// The window's fixed end when the keep-alive clock does not restart.
    pub window_end: SimTime,
    /// When it came to be.
    pub born: SimTime,
    /// The host's dynamic clock when the start began, and the weighted one.
    pub dynamic_mark: f64,
    /// Weighted dynamic mark.
    pub dynamic_weight_mark: f64,
    /// How long its start takes in all.
    pub start_latency: Duration,
    /// How long the phases after the boot take.
    pub init_latency: Duration,
    /// CPU time of its start [core·s].
    pub start_core_s: f64,
    /// Power of its start where that is measured and not derived from CPU demand \[W\].
    pub start_w: Option<f64>,
    /// The quantile of its boot among those with as many starts in flight, where the start model is empirical.
    pub boot_quantile: f64,
    /// When its boot began, and the host's clock of boots then.
    pub boot_began: (SimTime, u64),
    /// Greedy-dual priority of its last use, as ordered bits; memory where the largest goes first.
    pub evict_key: u64,
    /// Clocks of its share of the host per call in it, and the weighted one: only where it takes several calls.
    pub call_share_clock: f64,
    /// The weighted one.
    pub call_share_weight_clock: f64,
}

/// The neighbours in one doubly linked list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Links {
    /// The one before, towards the head.
    pub prev: u32,
    /// The one after, towards the tail.
    pub next: u32,
}

impl Links {
    /// In no list.
    pub const NONE: Links = Links { prev: NONE, next: NONE };
}

/// The head and tail of a doubly linked list of sandboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct List {
    /// First.
    pub head: u32,
    /// Last.
    pub tail: u32,
}

impl Default for List {
    fn default() -> Self {
        List { head: NONE, tail: NONE }
    }
}

/// Which of its lists a sandbox is linked in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The warm set of its function.
    Warm,
    /// An expiry lane.
    Lane,
    /// The warm sandboxes of its host.
    Host,
}

/// The arena.
#[derive(Debug, Default)]
pub struct Sandboxes {
    slots: Vec<Sandbox>,
    free: Vec<u32>,
    created: u64,
}

impl std::ops::Index<SandboxId> for Sandboxes {
    type Output = Sandbox;
    #[inline]
    fn index(&self, id: SandboxId) -> &Sandbox {
        &self.slots[id.index()]
    }
}

impl std::ops::IndexMut<SandboxId> for Sandboxes {
    #[inline]
    fn index_mut(&mut self, id: SandboxId) -> &mut Sandbox {
        &mut self.slots[id.index()]
    }
}

impl Sandboxes {
    /// Takes a slot for a new sandbox that starts.
    pub fn create(
        &mut self,
        (pool, function): (PoolId, FunctionId),
        host: HostId,
        memory: u64,
        now: SimTime,
    ) -> SandboxId {
        let created = self.created;
        self.created += 1;
        let fresh = |generation| Sandbox {
            function,
            pool,
            host,
            memory,
            state: SandboxState::Starting,
            tier: Tier::Ready,
            phase: Phase::Boot,
            calls: 0,
            begun: 0,
            born: now,
            call: NONE,
            created,
            generation,
            start_demand: 0,
            idle_since: SimTime::ZERO,
            tier_since: SimTime::ZERO,
            expires: SimTime::NEVER,
            window_end: SimTime::NEVER,
            share_mark: 0.0,
            share_weight_mark: 0.0,
            dynamic_mark: 0.0,
            dynamic_weight_mark: 0.0,
            warm_links: Links::NONE,
            lane_links: Links::NONE,
            host_links: Links::NONE,
            lane: NONE,
            start_latency: Duration::ZERO,
            init_latency: Duration::ZERO,
            start_core_s: 0.0,
            start_w: None,
            boot_quantile: 0.0,
            boot_began: (now, 0),
            ahead: false,
            restored: false,
            evict_key: 0,
            call_share_clock: 0.0,
            call_share_weight_clock: 0.0,
        };
        match self.free.pop() {
            Some(slot) => {
                let generation = self.slots[slot as usize].generation.wrapping_add(1);
                self.slots[slot as usize] = fresh(generation);
                SandboxId(slot)
            }
            None => {
                self.slots.push(fresh(0));
                SandboxId::from_index(self.slots.len() - 1)
            }
        }
    }

    /// Gives a slot back.
    pub fn destroy(&mut self, id: SandboxId) {
        self[id].state = SandboxState::Gone;
        self.free.push(id.0);
    }

    /// How many sandboxes were ever created.
    pub fn created(&self) -> u64 {
        self.created
    }

    /// All sandboxes that exist, in slot order.
    pub fn iter(&self) -> impl Iterator<Item = (SandboxId, &Sandbox)> {
        self.slots
            .iter()
            .enumerate()
            .filter(|(_, s)| s.state != SandboxState::Gone)
            .map(|(i, s)| (SandboxId::from_index(i), s))
    }

    #[inline]
    fn links(&mut self, which: Which, slot: u32) -> &mut Links {
        let s = &mut self.slots[slot as usize];
        match which {
            Which::Warm => &mut s.warm_links,
            Which::Lane => &mut s.lane_links,
            Which::Host => &mut s.host_links,
        }
    }

    /// The slot that follows in a list; `NONE` after the last.
    pub fn after(&self, which: Which, id: SandboxId) -> u32 {
        let s = &self.slots[id.index()];
        match which {
            Which::Warm => s.warm_links.next,
            Which::Lane => s.lane_links.next,
            Which::Host => s.host_links.next,
        }
    }

    /// Appends to a list's tail.
    #[inline]
    pub fn push_back(&mut self, list: &mut List, which: Which, id: SandboxId) {
        *self.links(which, id.0) = Links { prev: list.tail, next: NONE };
        if list.tail == NONE {
            list.head = id.0;
        } else {
            self.links(which, list.tail).next = id.0;
        }
        list.tail = id.0;
    }

    /// Puts before a list's head.
    #[inline]
    pub fn push_front(&mut self, list: &mut List, which: Which, id: SandboxId) {
        *self.links(which, id.0) = Links { prev: NONE, next: list.head };
        if list.head == NONE {
            list.tail = id.0;
        } else {
            self.links(which, list.head).prev = id.0;
        }
        list.head = id.0;
    }

    /// Takes out of a list.
    #[inline]
    pub fn unlink(&mut self, list: &mut List, which: Which, id: SandboxId) {
        let Links { prev, next } = std::mem::replace(self.links(which, id.0), Links::NONE);
        if prev == NONE {
            list.head = next;
        } else {
            self.links(which, prev).next = next;
        }
        if next == NONE {
            list.tail = prev;
        } else {
            self.links(which, next).prev = prev;
        }
    }
}
