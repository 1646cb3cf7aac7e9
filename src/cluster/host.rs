//! A host: what it has, what it carries, and at which rates it draws power and fills the ledger.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::power::PowerModel;
use super::standby::{PowerState, Standby};
use crate::ledger::{Column, FLOWS, Flows};
use crate::types::{GroupId, Memory, RegionId, SimTime};

/// CPU is counted in millionths of a core, so that sums are exact and a call's demand can be tiny.
pub const UNITS_PER_CORE: f64 = 1e6;

/// What happens to running calls when they demand more CPU than the host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CpuModel {
    /// Processor sharing: all running calls slow down alike, by capacity over demand.
    #[default]
    Contended,
    /// Every running call holds its cores; a call that finds too few free cores does not fit.
    Isolated,
    /// CPU neither slows nor limits anything; utilization is capped at 1 for the power model.
    Ignored,
}

/// What the hosts of one group have in common.
pub struct Group {
    /// Name in tables.
    pub name: String,
    /// The region the hosts stand in.
    pub region: RegionId,
    /// CPU capacity of one host [millionths of a core], at least 1.
    pub cpu: u64,
    /// Physical memory of one host.
    pub memory: Memory,
    /// Power model of one host.
    pub power: Box<dyn PowerModel>,
    /// Power usage effectiveness of the site, at least 1; of every further watt, where it depends on load.
    pub pue: f64,
    /// Overhead that one host causes at any load, also while it is off \[W\]; 0 where PUE is constant.
    pub fixed_overhead_w: f64,
    /// Switched off, and the ways there and back.
    pub off: Standby,
    /// Asleep, and the ways there and back.
    pub sleep: Standby,
    /// Power at no load \[W\], from the power model.
    pub idle_w: f64,
    /// What all memory in use draws on top of it \[W\]; 0 unless use is what makes memory active.
    pub memory_in_use_w: f64,
    /// `idle_w` and `memory_in_use_w`: what memory in use is charged, by its share of the host \[W\].
    pub held_w: f64,
    /// Dynamic power per millionth of a core below saturation \[W\], where it is the same at every load.
    pub linear_w_per_unit: Option<f64>,
    /// Share of a host that one byte is.
    pub share_per_byte: f64,
    /// Load, in millionths of the host, that one millionth of a core makes.
    pub load_per_unit: f64,
}

/// One physical server.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its group.
    pub group: GroupId,
    /// Its region.
    pub region: RegionId,
    /// On, waiting, or on a way between them.
    pub state: PowerState,
    /// CPU demanded by executing calls [millionths of a core].
    pub exec_demand: u64,
    /// The part of it that batch instances demand, which get what the others leave.
    pub batch_demand: u64,
    /// CPU demanded by starting sandboxes [millionths of a core].
    pub start_demand: u64,
    /// CPU in use since the last change: what is demanded, at most what there is [millionths of a core].
    pub used_cpu: u64,
    /// CPU that the calls bound to this host hold, executing or waiting for their sandbox to start; what counts where CPU
    /// is isolated [millionths of a core].
    pub reserved_cpu: u64,
    /// Calls bound to this host, executing or waiting for their sandbox to start.
    pub bound_calls: u32,
    /// Memory in use by busy, starting and idle sandboxes \[bytes\].
    pub held: [u64; 3],
    /// Memory that the sandboxes have reserved, which is what placement counts \[bytes\].
    pub reserved_memory: u64,
    /// The part of it that idle sandboxes have reserved \[bytes\].
    pub idle_reserved: u64,
    /// Memory that the isolation mechanism holds once per host, whatever runs \[bytes\].
    pub system: u64,
    /// Sandboxes in any state.
    pub sandboxes: u32,
    /// Sandboxes that are being created or boot, whose starts slow each other down.
    pub booting: u32,
    /// Their number integrated over time \[start·ns\], an integer so that the mean over a start on its own is 1 exactly; it may wrap.
    pub boot_clock: u64,
    /// When the host's limit on creations lets the next one begin, if creations came without pause.
    pub creations_until: SimTime,
    /// Power of starts where that is measured: then it stands for the dynamic power of their CPU demand.
    pub start_w: Option<f64>,
    /// CPU demand of jobs whose own power is known, part of `exec_demand` [millionths of a core], and that power \[W\]: it stands for the
    /// dynamic power of their demand, and does not fall when they get less.
    pub known: (u64, f64),
    /// How much slower calls run per share of memory that does not fit; 0 for no swapping.
    pub swap_slowdown: f64,
    /// Whether more memory is in use than there is, and whether more CPU is demanded.
    pub over: [bool; 2],
    /// How often the memory in use came to exceed what there is.
    pub exhaustions: u64,
    /// Time with more memory in use than there is, and with more CPU demanded \[s\].
    pub over_s: [f64; 2],
    /// Executing calls.
    pub running: u32,
    /// Starting sandboxes.
    pub starting: u32,
    /// Warm sandboxes.
    pub warm: u32,
    /// Calls that were executed here.
    pub executed: u64,
    /// Rate at which a call progresses relative to running alone, in (0, 1].
    pub speed: f64,
    /// The same for batch instances, in 0..=1.
    pub batch_speed: f64,
    /// The instant up to which everything below is integrated.
    pub since: SimTime,
    /// Cumulative weight of the region at `since`.
    pub weight: f64,
    /// Current rates.
    pub rates: Flows,
    /// Current IT power by [`PowerState`] and load \[W\].
    pub it_w: f64,
    /// Clocks: dynamic joules per unit of CPU demand, and the same weighted.
    pub dynamic_clock: f64,
    /// Weighted dynamic clock.
    pub dynamic_weight_clock: f64,
    /// Clock of the share of the host per byte held [host·s/byte], and the same weighted.
    pub share_clock: f64,
    /// Weighted share clock.
    pub share_weight_clock: f64,
    dynamic_w_per_unit: f64,
    batch_w_per_unit: f64,
    share_per_byte: f64,
    /// IT energy so far \[J\].
    pub energy_j: f64,
    /// Busy core time so far [core·s].
    pub busy_core_s: f64,
    /// Memory held so far [MB·s].
    pub memory_mb_s: f64,
    /// Time ready so far \[s\].
    pub on_s: f64,
    /// Time spent on the ways between power states \[ns\], right while the host is on none: a way takes its beginning off and adds
    /// its end.
    changing_ns: u64,
}

impl Host {
    /// An empty host that is on.
    pub fn new(group: GroupId, region: RegionId) -> Self {
        Self {
            group,
            region,
            state: PowerState::On,
            exec_demand: 0,
            batch_demand: 0,
            start_demand: 0,
            used_cpu: 0,
            reserved_cpu: 0,
            bound_calls: 0,
            held: [0; 3],
            reserved_memory: 0,
            idle_reserved: 0,
            system: 0,
            sandboxes: 0,
            booting: 0,
            boot_clock: 0,
            creations_until: SimTime::ZERO,
            start_w: None,
            known: (0, 0.0),
            swap_slowdown: 0.0,
            over: [false; 2],
            exhaustions: 0,
            over_s: [0.0; 2],
            running: 0,
            starting: 0,
            warm: 0,
            executed: 0,
            speed: 1.0,
            batch_speed: 1.0,
            since: SimTime::ZERO,
            weight: 0.0,
            rates: [0.0; FLOWS],
            it_w: 0.0,
            dynamic_clock: 0.0,
            dynamic_weight_clock: 0.0,
            share_clock: 0.0,
            share_weight_clock: 0.0,
            dynamic_w_per_unit: 0.0,
            batch_w_per_unit: 0.0,
            share_per_byte: 0.0,
            energy_j: 0.0,
            busy_core_s: 0.0,
            memory_mb_s: 0.0,
            on_s: 0.0,
            changing_ns: 0,
        }
    }

    /// A call is bound to this host, and holds so much of its CPU [millionths of a core].
    #[inline]
    pub fn bind(&mut self, cpu: u64) {
        self.reserved_cpu += cpu;
        self.bound_calls += 1;
    }

    /// A call leaves this host.
    #[inline]
    pub fn unbind(&mut self, cpu: u64) {
        self.reserved_cpu -= cpu;
        self.bound_calls -= 1;
    }

    /// A way to another power state begins.
    pub fn begin_way(&mut self, way: PowerState, now: SimTime) {
        debug_assert!(way.is_changing());
        self.state = way;
        self.changing_ns = self.changing_ns.wrapping_sub(now.0);
    }

    /// The way that the host is on is counted up to now.
    pub fn count_way(&mut self, now: SimTime) {
        self.changing_ns = self.changing_ns.wrapping_add(now.0);
    }

    /// Time powered on so far: ready or on a way, neither off nor asleep \[s\]; right while the host is on no way, as after a run.
    pub fn powered_s(&self) -> f64 {
        self.on_s + self.changing_ns as f64 * 1e-9
    }

    /// Moves the clocks and totals to `now`, where the region's cumulative weight is `weight`.
    ///
    /// The caller integrates `rates` over [`since`, now) into the ledger first.
    #[inline]
    pub fn advance(&mut self, now: SimTime, weight: f64) {
        let dt = (now.0 - self.since.0) as f64 * 1e-9;
        let dw = weight - self.weight;
        self.dynamic_clock += self.dynamic_w_per_unit * dt;
        self.dynamic_weight_clock += self.dynamic_w_per_unit * dw;
        self.share_clock += self.share_per_byte * dt;
        self.share_weight_clock += self.share_per_byte * dw;
        self.energy_j += self.it_w * dt;
        if self.booting > 0 {
            self.boot_clock = self.boot_clock.wrapping_add(u64::from(self.booting).wrapping_mul(now.0 - self.since.0));
        }
        self.busy_core_s += self.rates[Column::BusyCore as usize] * dt;
        self.memory_mb_s += self.rates[Column::UsedMemory as usize] * dt;
        self.on_s += self.rates[Column::HostsOn as usize] * dt;
        if self.over != [false; 2] {
            for (over, over_s) in self.over.into_iter().zip(&mut self.over_s) {
                *over_s += if over { dt } else { 0.0 };
            }
        }
        self.since = now;
        self.weight = weight;
    }

    /// The share clock and the dynamic clock at `at`, if nothing changes from `since` on.
    pub fn clocks_at(&self, at: SimTime) -> (f64, f64) {
        let dt = (at.0 - self.since.0) as f64 * 1e-9;
        (self.share_clock + self.share_per_byte * dt, self.dynamic_clock + self.dynamic_w_per_unit * dt)
    }

    /// Dynamic power per millionth of a core that batch instances demand \[W\].
    #[inline]
    pub fn batch_w_per_unit(&self) -> f64 {
        self.batch_w_per_unit
    }

    /// Memory in use by all sandboxes \[bytes\].
    #[inline]
    pub fn memory_used(&self) -> u64 {
        self.held[0] + self.held[1] + self.held[2]
    }

    /// CPU demanded by calls and starts [millionths of a core].
    #[inline]
    pub fn demand(&self) -> u64 {
        self.exec_demand + self.start_demand
    }

    /// CPU demanded by all calls bound to this host, also by those that wait for their sandbox to start, and by the starts
    /// [millionths of a core]: what load-aware rules compare, so that a burst of cold starts does not gather on one host.
    #[inline]
    pub fn bound_demand(&self) -> u64 {
        self.reserved_cpu + self.start_demand
    }

    /// Recomputes all rates after a change of state.
    ///
    /// Dynamic power P(u) - P(0) is shared among calls and starts in proportion to CPU demand; baseline power P(0), and what
    /// memory in use draws on top of it, in proportion to memory held, and what nobody holds is the idle host's. If more memory is held than the host has
    /// (overcommit), shares are of what is held, so they never sum to more than one host.
    #[inline]
    pub fn refresh(&mut self, group: &Group, cpu: CpuModel) {
        if self.state != PowerState::On {
            return self.refresh_unready(group);
        }
        let demand = self.demand();
        let wanted = float(demand);
        let saturated = demand > group.cpu;
        let used = if saturated { float(group.cpu) } else { wanted };
        self.used_cpu = demand.min(group.cpu);
        (self.speed, self.batch_speed) = match (cpu, saturated) {
            (CpuModel::Contended, true) if self.batch_demand > 0 => self.class_speeds(used),
            (CpuModel::Contended, true) => (used / wanted, 1.0),
            _ => (1.0, 1.0),
        };
        let baseline = group.idle_w;
        let (mut dynamic, mut per_unit) = match group.linear_w_per_unit {
            _ if self.start_w.is_some() || self.known.0 > 0 => self.dynamic_of_the_rest(group),
            Some(w) if !saturated => (w * wanted, w),
            _ if demand == 0 => (0.0, 0.0),
            _ => {
                let dynamic = group.power.watts(used / float(group.cpu)) - baseline;
                (dynamic, dynamic / wanted)
            }
        };
        let mut execution_w = per_unit * float(self.exec_demand);
        if self.known.0 > 0 {
            execution_w = per_unit * float(self.exec_demand - self.known.0) + self.known.1;
            self.batch_w_per_unit = per_unit;
            dynamic += self.known.1;
        } else if self.batch_demand > 0 {
            // Per unit of CPU used, dynamic power is the same for all; per unit of demand, those have less that get less.
            let (others, batch) = (float(self.exec_demand - self.batch_demand), float(self.batch_demand));
            let starts = if self.start_w.is_some() { 0.0 } else { float(self.start_demand) };
            let got = (others + starts) * self.speed + batch * self.batch_speed;
            let per_used = if got > 0.0 { dynamic / got } else { 0.0 };
            per_unit = per_used * self.speed;
            self.batch_w_per_unit = per_used * self.batch_speed;
            execution_w = per_unit * others + self.batch_w_per_unit * batch;
        }
        self.dynamic_w_per_unit = per_unit;
        let start_w = match self.start_w {
            Some(measured) => {
                dynamic += measured;
                measured
            }
            None => per_unit * float(self.start_demand),
        };
        let memory = self.memory_used();
        let physical = group.memory.0 - self.system;
        let too_much = memory > physical;
        self.share_per_byte = if memory > group.memory.0 { 1.0 / float(memory) } else { group.share_per_byte };
        self.exhaustions += u64::from(too_much && !self.over[0]);
        self.over = [too_much, saturated];
        if too_much && self.swap_slowdown > 0.0 {
            let slower = 1.0 + self.swap_slowdown * float(memory - physical) / float(memory);
            self.speed /= slower;
            self.batch_speed /= slower;
        }
        let held = self.held.map(float);
        let [busy, starting, warm] = held.map(|held| held * self.share_per_byte);
        let free = 1.0 - busy - starting - warm;
        let mut free_w = (baseline * free).max(0.0);
        self.it_w = baseline + dynamic;
        if group.memory_in_use_w > 0.0 {
            // What the mechanism holds once per host is in use, too, as far as there is memory.
            let system = (float(self.system) * group.share_per_byte).min(free.max(0.0));
            free_w += group.memory_in_use_w * system;
            self.it_w += group.memory_in_use_w * (busy + starting + warm + system);
        }
        // Every column in its place: nothing is cleared first or copied afterwards.
        let r = &mut self.rates;
        r[Column::BusyCore as usize] = used / UNITS_PER_CORE;
        r[Column::UsedMemory as usize] = float(memory + self.system) * 1e-6;
        r[Column::Running as usize] = f64::from(self.running);
        r[Column::Warm as usize] = f64::from(self.warm);
        r[Column::Starting as usize] = f64::from(self.starting);
        r[Column::HostsOn as usize] = 1.0;
        r[Column::ExecutionDynamic as usize] = execution_w;
        r[Column::ColdStartDynamic as usize] = start_w;
        r[Column::ExecutionBaseline as usize] = group.held_w * busy;
        r[Column::ColdStartBaseline as usize] = group.held_w * starting;
        r[Column::WarmIdle as usize] = group.held_w * warm;
        r[Column::IdleHost as usize] = free_w;
        r[Column::Boot as usize] = 0.0;
        r[Column::Off as usize] = 0.0;
        r[Column::Overhead as usize] = (group.pue - 1.0) * self.it_w + group.fixed_overhead_w;
        r[Column::WarmMemory as usize] = held[2] * 1e-6;
    }

    /// The speeds of latency-sensitive and of batch work where they want more than `used`, all that there is: the first take what
    /// they want, and batch what is left.
    #[cold]
    fn class_speeds(&self, used: f64) -> (f64, f64) {
        let others = float(self.demand() - self.batch_demand);
        let first = others.min(used);
        let speed = if others > 0.0 { first / others } else { 1.0 };
        (speed, (used - first) / float(self.batch_demand))
    }

    /// Dynamic power of what has no power of its own, and per unit of its demand: of what executes alone where starts are metered, of all but
    /// the jobs whose power is known where there are such. What contention takes from the first it does not draw: the rest of the host's CPU
    /// is the starts', whose energy is measured.
    #[cold]
    fn dynamic_of_the_rest(&self, group: &Group) -> (f64, f64) {
        let metered = self.start_w.is_some();
        let starts = if metered { 0 } else { self.start_demand };
        let wanted = float(self.exec_demand - self.known.0 + starts);
        if wanted == 0.0 {
            return (0.0, 0.0);
        }
        let used = if metered && self.known.0 == 0 {
            let batch = float(self.batch_demand);
            (wanted - batch) * self.speed + batch * self.batch_speed
        } else {
            wanted
        };
        let dynamic = group.power.watts(used.min(float(group.cpu)) / float(group.cpu)) - group.idle_w;
        (dynamic, dynamic / wanted)
    }

    /// A job whose power is known computes here now: its demand and its power.
    #[inline]
    pub fn add_known(&mut self, (demand, watts): (u64, f64)) {
        self.known.0 += demand;
        self.known.1 += watts;
    }

    /// It computes no more. Rounding must not leave power behind when none is left.
    #[inline]
    pub fn forget_known(&mut self, (demand, watts): (u64, f64)) {
        if demand > 0 {
            self.known.0 -= demand;
            self.known.1 = if self.known.0 == 0 { 0.0 } else { self.known.1 - watts };
        }
    }

    /// The rates of a host that is not on.
    #[cold]
    fn refresh_unready(&mut self, group: &Group) {
        debug_assert_eq!(self.sandboxes, 0, "a sandbox stands on a host that is not on");
        let (column, watts) = group.unready(self.state);
        self.rates = [0.0; FLOWS];
        self.over = [false; 2];
        self.rates[column as usize] = watts;
        self.rates[Column::Overhead as usize] = (group.pue - 1.0) * watts + group.fixed_overhead_w;
        (self.it_w, self.speed, self.batch_speed) = (watts, 1.0, 1.0);
        self.used_cpu = 0;
        (self.dynamic_w_per_unit, self.share_per_byte) = (0.0, 0.0);
    }
}

/// A count as a float. Counts stay below 2^63, and a signed conversion is one instruction where an unsigned one is seven.
#[inline]
fn float(count: u64) -> f64 {
    count as i64 as f64
}
