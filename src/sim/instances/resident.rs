//! Instances in the machine: what each one asks for, uses and has cost so far, and what a host knows of those that live on it.

use crate::cluster::{Host, NONE};
use crate::ledger::Held;
use crate::scheduler::packing::InstanceRequest;
use crate::types::{Duration, FunctionId, HostId, RegionId, SimTime};
use crate::workload::instances::Class;

/// Where an instance is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It waits for room.
    Waiting,
    /// It was evicted, and is asked for again later.
    Evicted,
    /// It has its place and starts.
    Starting,
    /// It runs.
    Running,
    /// A free slot.
    Gone,
}

/// A live migration under way.
#[derive(Debug, Clone, Copy)]
pub struct Move {
    /// Names it: an event with another number is void.
    pub number: u32,
    /// Where it goes.
    pub to: HostId,
    /// Memory held there meanwhile \[bytes\].
    pub held: u64,
    /// What the network carries \[bytes\].
    pub bytes: f64,
    /// How long it stands still in the end.
    pub downtime: Duration,
    /// When it began.
    pub began: SimTime,
    /// The dynamic clocks, and the weighted ones, of the host it leaves and of the one it goes to, when it began.
    pub dynamic_marks: [(f64, f64); 2],
    /// The share clocks of the host it goes to, when it began.
    pub share_mark: (f64, f64),
}

/// One instance.
#[derive(Debug, Clone)]
pub struct Resident {
    /// What placement looks at.
    pub request: InstanceRequest,
    /// Its number in its source.
    pub number: u32,
    /// The job of which it is a node, by its slot; [`NONE`] for an instance.
    pub job: u32,
    /// The power that it draws while it computes, where that is known by itself \[W\].
    pub own_w: Option<f64>,
    /// Its name in tables.
    pub name: Box<str>,
    /// Who is charged.
    pub account: FunctionId,
    /// Its region.
    pub region: RegionId,
    /// Its host, where it has one.
    pub host: HostId,
    /// Where it is on its way.
    pub stage: Stage,
    /// Its place among the residents of its host.
    pub place: u32,
    /// When it came to its host.
    pub came: SimTime,
    /// Counts what was planned for it: an event with another number is void.
    pub generation: u32,
    /// CPU that it can never exceed [millionths of a core].
    pub limit: u64,
    /// Memory that the isolation around it holds \[bytes\], part of the request's.
    pub overhead: u64,
    /// When it was asked for.
    pub asked: SimTime,
    /// Since when it waits for room, or starts, or runs.
    pub since: SimTime,
    /// How long it lives once it runs.
    pub lifetime: Option<Duration>,
    /// When it ends; never where its usage decides that.
    pub ends: SimTime,
    /// Life that is left to it after the present piece, where contention stretches life, too; forever without a lifetime.
    pub left: Duration,
    /// How much of its usage the pieces so far cover, the present one included.
    pub taken: Duration,
    /// The rest of the piece in which it was evicted, if it goes on there: its length, CPU and memory.
    pub rest: Option<(Duration, u64, u64)>,
    /// When its present piece of usage ends, in its own time: with contention that stretches it, later than planned.
    pub until: SimTime,
    /// The host's progress clock at which its present piece ends \[s\]: only where contention stretches work.
    pub due: f64,
    /// When the event comes that looks after it.
    pub planned: SimTime,
    /// CPU demand [millionths of a core].
    pub demand: u64,
    /// The highest demand since the last sample that is over already ([`Resident::note_peak`]).
    pub peak: u64,
    /// Memory in use, overhead included \[bytes\].
    pub used: u64,
    /// A live migration under way.
    pub moving: Option<Move>,
    /// The clocks of its host when it was last credited: dynamic, weighted dynamic, share, weighted share, progress \[s\].
    pub marks: [f64; 5],
    /// Until when it stands still at the end of a migration.
    pub still: SimTime,
    /// When it was last credited.
    pub credited: SimTime,
    /// Dynamic energy \[J\], and weighted; share of the host held \[host·s\], and weighted: not yet in the accounts.
    pub open: [f64; 4],
    /// What it has cost and had in all.
    pub had: Had,
    /// What it had got when its job last looked [core·s].
    pub got_mark: f64,
}

/// What an instance has had so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Had {
    /// Times it was started.
    pub starts: u32,
    /// Times it was evicted.
    pub evictions: u32,
    /// Times it was moved.
    pub moves: u32,
    /// Time it waited for room.
    pub waited: Duration,
    /// Time it ran \[s\].
    pub ran_s: f64,
    /// CPU it wanted and got [core·s].
    pub wanted_core_s: f64,
    /// CPU it got [core·s].
    pub got_core_s: f64,
    /// Memory it used [byte·s].
    pub memory_byte_s: f64,
    /// Dynamic energy of its execution \[J\].
    pub dynamic_j: f64,
    /// What it had got and drawn since it was last started: lost if it is evicted [core·s], \[J\].
    pub since_start: (f64, f64),
}

impl Resident {
    /// One that asks for room now: an instance without a source, a life or a limit until somebody says more.
    pub fn new(request: InstanceRequest, account: FunctionId, region: RegionId, now: SimTime) -> Self {
        Self {
            request,
            number: 0,
            job: NONE,
            own_w: None,
            name: Box::default(),
            account,
            region,
            host: HostId(0),
            stage: Stage::Waiting,
            place: 0,
            came: now,
            generation: 0,
            limit: request.cpu,
            overhead: 0,
            asked: now,
            since: now,
            lifetime: None,
            ends: SimTime::NEVER,
            left: Duration::FOREVER,
            taken: Duration::ZERO,
            rest: None,
            still: SimTime::ZERO,
            until: now,
            due: 0.0,
            planned: SimTime::NEVER,
            demand: 0,
            peak: 0,
            used: 0,
            moving: None,
            marks: [0.0; 5],
            credited: now,
            open: [0.0; 4],
            had: Had::default(),
            got_mark: 0.0,
        }
    }

    /// From now on it is counted what it gets.
    pub fn mark_got(&mut self) {
        self.got_mark = self.had.got_core_s;
    }

    /// How long it would have taken alone for what it got since then \[s\]. It has been credited.
    pub fn got_since_mark_s(&self) -> f64 {
        if self.demand == 0 {
            return f64::INFINITY;
        }
        (self.had.got_core_s - self.got_mark) / (self.demand as i64 as f64 * 1e-6)
    }

    /// Its demand changes now. What it was counts for the interval since the last sample if it held for some of it: one that ends in the
    /// very instant of a sample belongs to the interval before.
    #[inline]
    pub fn note_peak(&mut self, now: SimTime, sampled: SimTime) {
        if now > sampled {
            self.peak = self.peak.max(self.demand);
        }
    }

    /// What is left of its present piece, in its own time; forever if it has no end. It has been credited.
    pub fn rest_of_piece(&self, now: SimTime) -> Duration {
        match (self.until == SimTime::NEVER, self.due.is_finite()) {
            (false, _) => Duration(self.until.0.saturating_sub(now.0)),
            (true, true) => Duration::from_secs_f64((self.due - self.marks[4]).max(0.0)),
            (true, false) => Duration::FOREVER,
        }
    }

    /// How long it will live once it runs, where contention does not stretch its life.
    pub fn life_to_come(&self) -> Duration {
        let lived = if self.rest.is_some() { Duration::from_secs_f64(self.had.ran_s) } else { Duration::ZERO };
        self.lifetime.map_or(Duration::FOREVER, |life| Duration(life.0.saturating_sub(lived.0)))
    }

    /// Whether its usage alone decides when it ends.
    pub fn has_no_life(&self) -> bool {
        self.ends == SimTime::NEVER && self.left == Duration::FOREVER
    }

    /// Whether it takes what others leave.
    #[inline]
    pub fn is_batch(&self) -> bool {
        self.request.class == Class::Batch
    }

    /// The clocks that it reads on its host: the weighted dynamic one is the region's own where its power is known by itself.
    #[inline]
    pub fn clocks(&self, lodging: &Lodging, host: &Host) -> [f64; 5] {
        let mut clocks = lodging.clocks(host, self.is_batch());
        if self.own_w.is_some() {
            clocks[1] = host.weight;
        }
        clocks
    }

    /// Whether it is a node of a job.
    #[inline]
    pub fn is_node(&self) -> bool {
        self.job != NONE
    }

    /// What it draws and holds of its host's known power and demand while it has this demand.
    pub fn known(&self, demand: u64) -> (u64, f64) {
        match self.own_w {
            Some(w) if demand > 0 => (demand, w),
            _ => (0, 0.0),
        }
    }

    /// As what its memory is counted.
    pub fn held(&self) -> Held {
        if self.stage == Stage::Starting { Held::Starting } else { Held::Busy }
    }

    /// Brings what it has had up to date. Its host has been touched.
    #[inline]
    pub fn credit(&mut self, host: &Host, lodging: &Lodging, now: SimTime) {
        let clocks = self.clocks(lodging, host);
        let demand = self.demand as i64 as f64;
        let used = self.used as i64 as f64;
        let [dynamic, dynamic_weight, share, share_weight, progress] = self.marks;
        let (dynamic_j, weighted) = match self.own_w {
            None => ((clocks[0] - dynamic) * demand, (clocks[1] - dynamic_weight) * demand),
            Some(_) if self.demand == 0 => (0.0, 0.0),
            Some(w) => (w * ((now.0 - self.credited.0) as f64 * 1e-9), w * (clocks[1] - dynamic_weight)),
        };
        self.open[0] += dynamic_j;
        self.open[1] += weighted;
        self.open[2] += (clocks[2] - share) * used;
        self.open[3] += (clocks[3] - share_weight) * used;
        if self.stage == Stage::Running {
            let ran_s = (now.0 - self.credited.0) as f64 * 1e-9;
            let cores = demand * 1e-6;
            let mut done_s = clocks[4] - progress;
            if (ran_s - done_s).abs() < 1e-8 {
                // Nothing slowed it down: the clock of progress, a sum over the whole run, differs from time by rounding alone.
                done_s = ran_s;
            }
            if self.still > self.credited && now > self.credited {
                // Standing still, it gets nothing of what it wants; where it must have it all, it is done later.
                let still = self.still.min(now) - self.credited;
                let missed_s = done_s * (still.0 as f64 / (now - self.credited).0 as f64);
                done_s -= missed_s;
                self.due += missed_s;
            }
            let got = done_s * cores;
            self.had.ran_s += ran_s;
            self.had.wanted_core_s += ran_s * cores;
            self.had.got_core_s += got;
            self.had.memory_byte_s += ran_s * used;
            self.had.dynamic_j += dynamic_j;
            self.had.since_start.0 += got;
            self.had.since_start.1 += dynamic_j;
        }
        self.marks = clocks;
        self.credited = now;
    }
}

/// What a host knows of the instances that live on it.
#[derive(Debug, Clone, Default)]
pub struct Lodging {
    /// Their slots, in no order.
    pub residents: Vec<u32>,
    /// CPU that those have asked for that start or run [millionths of a core].
    pub requested: u64,
    /// Time that latency-sensitive and batch work has progressed \[s\].
    progress: [f64; 2],
    /// Clocks of dynamic energy per unit of demand of batch instances, and weighted.
    batch: [f64; 2],
    /// CPU requested x time [core·s], and demanded by instances x time.
    pub requested_core_s: f64,
}

impl Lodging {
    /// Moves the clocks on by what the host, which is not yet advanced, does until `now`.
    #[inline]
    pub fn advance(&mut self, host: &Host, now: SimTime, weight: f64) {
        let dt = (now.0 - host.since.0) as f64 * 1e-9;
        self.progress[0] += host.speed * dt;
        self.progress[1] += host.batch_speed * dt;
        if host.batch_demand > 0 {
            self.batch[0] += host.batch_w_per_unit() * dt;
            self.batch[1] += host.batch_w_per_unit() * (weight - host.weight);
        }
        self.requested_core_s += self.requested as i64 as f64 * 1e-6 * dt;
    }

    /// The clocks that an instance of this class reads: dynamic, weighted dynamic, share, weighted share, progress.
    #[inline]
    pub fn clocks(&self, host: &Host, batch: bool) -> [f64; 5] {
        let [dynamic, weight] = if batch { self.batch } else { [host.dynamic_clock, host.dynamic_weight_clock] };
        [dynamic, weight, host.share_clock, host.share_weight_clock, self.progress[usize::from(batch)]]
    }

    /// How fast work of this class progresses.
    #[inline]
    pub fn speed(host: &Host, batch: bool) -> f64 {
        if batch { host.batch_speed } else { host.speed }
    }

    /// The clocks at `at`, if nothing changes until then.
    pub fn clocks_at(&self, host: &Host, batch: bool, at: SimTime) -> (f64, f64) {
        let dt = (at.0 - host.since.0) as f64 * 1e-9;
        let (share, dynamic) = host.clocks_at(at);
        (share, if batch { self.batch[0] + host.batch_w_per_unit() * dt } else { dynamic })
    }
}

/// The instances that are there, in slots.
#[derive(Debug, Default)]
pub struct Residents {
    slots: Vec<Resident>,
    free: Vec<u32>,
}

impl std::ops::Index<u32> for Residents {
    type Output = Resident;
    #[inline]
    fn index(&self, slot: u32) -> &Resident {
        &self.slots[slot as usize]
    }
}

impl std::ops::IndexMut<u32> for Residents {
    #[inline]
    fn index_mut(&mut self, slot: u32) -> &mut Resident {
        &mut self.slots[slot as usize]
    }
}

impl Residents {
    /// Takes a slot; events for its former owner stay void.
    pub fn insert(&mut self, resident: Resident) -> u32 {
        match self.free.pop() {
            Some(slot) => {
                let old = &mut self.slots[slot as usize];
                *old = Resident { generation: old.generation.wrapping_add(1), ..resident };
                slot
            }
            None => {
                self.slots.push(resident);
                u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 instances are there")
            }
        }
    }

    /// Gives a slot back.
    pub fn remove(&mut self, slot: u32) {
        let r = &mut self.slots[slot as usize];
        r.stage = Stage::Gone;
        r.generation = r.generation.wrapping_add(1);
        self.free.push(slot);
    }

    /// All that are there, by slot.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Resident)> {
        (0u32..).zip(&self.slots).filter(|(_, r)| r.stage != Stage::Gone)
    }

    /// How many are there, waiting ones included.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}
