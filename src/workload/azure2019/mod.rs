//! Azure Functions 2019: minute counts, durations and memory of one day become a stream of calls.
//!
//! ```text
//! invocations.csv ─┐                       ┌─ times:     spread of each minute's count
//! durations.csv   ─┼─ join ─ functions ────┤                                           ├─ calls in order of time
//! memory.csv      ─┘        and counts     └─ durations: quantiles between percentiles
//! ```
//!
//! What is data: which function is called how often in which minute, by what trigger; statistics of its durations over
//! the whole day, without cold starts; memory. What is assumed: the times within a minute ([`Spread`]), independent
//! durations, the CPU demand of a call. The trace counts a call in the minute in which it ends; here it starts then.
//!
//! Source: Shahrad et al., "Serverless in the Wild", USENIX ATC 2020; data CC-BY 4.0 (Azure Public Dataset).

mod join;
mod statistics;
mod table;
#[cfg(test)]
mod tests;

pub use join::JoinCounts;
pub use statistics::{LogNormal, Quantiles, Statistics, TriggerRow};

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spread::{MINUTE_NS, Spread, place_regularly};
use super::{Arrival, Arrivals, BATCH_CALLS, Batch, FunctionProfile, Quota, Trigger, WorkloadError};
use crate::types::{Duration, FunctionId, Memory, MilliCores, RegionId, Seed, SimTime, TenantId};

/// One day, or a part of one, of the Azure Functions 2019 trace or of a file in its shape.
///
/// The three files are joined on (HashOwner, HashApp, HashFunction). Columns are found by name in any order; minute
/// columns (`1`, `minute_1` or `1_minute`, any numbering) are read by position. Functions that one of the files lacks
/// are dropped, and everything dropped or corrected is counted in the notes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// CSV file of calls per function and minute (`invocations_per_function_md.anon.dNN.csv`). (path)
    pub invocations: PathBuf,
    /// CSV file of durations per function (`function_durations_percentiles.anon.dNN.csv`). (path)
    pub durations: PathBuf,
    /// CSV file of memory (`app_memory_percentiles.anon.dNN.csv`). (path) AverageAllocatedMb_pct100 is used, and
    /// AverageAllocatedMb if that column is absent. A file without HashFunction, as published, is per app: every
    /// function then gets the memory of its whole app, undivided.
    pub memory: PathBuf,
    /// How the calls of a minute are placed within it. [default: uniform]
    #[serde(default)]
    pub spread: Spread,
    /// Whether a timer's calls keep one phase within the minute, drawn once per function, in every minute and on every
    /// day, with equal gaps if they are several, whatever `spread` says (except `start`). [default: true]
    #[serde(default = "yes")]
    pub timer_fixed_phase: bool,
    /// Shortest duration of a call; shorter minima and percentiles, also the frequent 0 ms, count as this. [s,
    /// above 0, default: 0.001]
    #[serde(default = "duration_floor_s")]
    #[schemars(range(min = 0.0))]
    pub duration_floor_s: f64,
    /// CPU that one running call demands. [cores, above 0, default: 1.0; assumed: the trace does not say]
    #[serde(default = "one")]
    #[schemars(range(min = 0.0))]
    pub cpu_cores: f64,
    /// Share of functions to keep, chosen by a hash of each function's identifiers: a smaller share keeps a subset
    /// of a larger one, whatever the seed, and no kept function's calls change. [0 to 1, default: all]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub sample_functions: Option<f64>,
    /// Number of the day, part of every random stream's key: give each day file of a sequence its own. [default: 0]
    #[serde(default)]
    pub day: u32,
    /// Factor on every count. The fractional part becomes one call more with that probability, so that means are
    /// kept, and a larger factor never gives fewer calls. [at least 0, default: 1.0]
    #[serde(default = "one")]
    #[schemars(range(min = 0.0))]
    pub multiply: f64,
}

fn yes() -> bool {
    true
}

fn one() -> f64 {
    1.0
}

fn duration_floor_s() -> f64 {
    0.001
}

impl Spec {
    /// Checks the parameters; the files are checked when they are opened.
    ///
    /// # Errors
    /// A parameter outside its range.
    pub fn check(&self) -> Result<(), WorkloadError> {
        let spec = |what: String, help: &str| Err(WorkloadError::Spec { what, help: help.into() });
        for (key, value) in [("duration_floor_s", self.duration_floor_s), ("cpu_cores", self.cpu_cores)] {
            if !(value.is_finite() && value > 0.0) {
                return spec(format!("{key} is {value}"), "give a finite number above 0, or leave the key out");
            }
        }
        if !(self.multiply.is_finite() && self.multiply >= 0.0) {
            return spec(format!("multiply is {}", self.multiply), "give a finite number of at least 0");
        }
        if let Some(share) = self.sample_functions.filter(|share| !(0.0..=1.0).contains(share)) {
            return spec(format!("sample_functions is {share}"), "give a share from 0 to 1, or leave the key out");
        }
        self.spread.check().map_err(|(what, help)| WorkloadError::Spec { what, help })
    }
}

/// The random streams of one function.
#[derive(Debug, Clone, Copy)]
struct Keys {
    /// Times within each minute.
    times: Seed,
    /// Durations of each minute.
    durations: Seed,
    /// The fraction that `multiply` leaves, in each minute.
    multiply: Seed,
    /// The phase of a timer whose calls are regular [share of a minute].
    fixed_phase: Option<f64>,
}

/// The stream of calls. Memory: the functions and their non-zero counts, and the calls of one minute.
///
/// Time 0 is the start of the first minute column. All tenants and functions are announced in the first batch. Every
/// call arrives in region 0 and without a deadline. A tenant is a HashOwner, a trust domain an app; a function's name
/// is the first 8 characters of its app and of its own identifier, or both in full where that is ambiguous.
///
/// The duration of a call is drawn at a uniform quantile, linear between the percentiles 0, 1, 25, 50, 75, 99 and 100
/// of its function; Minimum and Maximum stand for the first and the last unless they contradict their neighbours.
/// Caveat: the percentiles are of 30-second means, Minimum and Maximum are of single calls, and a straight line from
/// percentile 99 to a far Maximum makes the last percent heavier than it was. In the 500-function sample the drawn
/// durations offer a mean concurrency of 68.88, the averages of the file 53.21; the notes give both for every input.
///
/// Each (owner, app, function, day, minute) has random streams of its own, one for times and one for durations:
/// leaving functions out moves no other call, and the i-th call of a function in a minute keeps its duration under
/// every [`Spread`].
pub struct Azure2019 {
    spec: Spec,
    joined: join::Joined,
    keys: Vec<Keys>,
    announced: bool,
    minute: usize,
    /// The calls of the minute before `minute`, of which `handed_out` were handed out.
    calls: Vec<Arrival>,
    handed_out: usize,
    offsets: Vec<u64>,
    generated: u64,
}

impl Azure2019 {
    /// Reads and joins the three files, whose paths are relative to `base_dir`.
    ///
    /// # Errors
    /// A parameter is out of range; a file is missing, lacks a column or holds a wrong row; no function is left.
    pub fn open(spec: Spec, base_dir: &Path, seed: Seed) -> Result<Self, WorkloadError> {
        spec.check()?;
        let joined = join::join(&spec, base_dir)?;
        let root = seed.derive("azure2019");
        let keys = joined.functions.iter().map(|function| keys(&spec, function, root.child(function.id))).collect();
        Ok(Azure2019 {
            spec,
            joined,
            keys,
            announced: false,
            minute: 0,
            calls: Vec::new(),
            handed_out: 0,
            offsets: Vec::new(),
            generated: 0,
        })
    }

    /// The time from the first minute's start to the last minute's end.
    pub fn span(&self) -> Duration {
        Duration(self.joined.minutes.len() as u64 * MINUTE_NS)
    }

    /// The functions in the order of their identifiers, as the first batch announces them.
    fn profiles(&self) -> impl Iterator<Item = FunctionProfile> {
        let cpu = MilliCores::from_cores(self.spec.cpu_cores);
        self.joined.functions.iter().map(move |function| FunctionProfile {
            name: function.name.clone(),
            tenant: TenantId(function.tenant),
            memory: Memory::from_mb(function.peak_memory_mb),
            cpu,
            trigger: function.trigger,
            criticality: 0,
            quota: Quota::Reserved,
            trust_domain: function.app,
            quota_cores: None,
            mean_call: None,
        })
    }

    /// Makes the calls of the next minute, in order of (time, function).
    fn generate_minute(&mut self) {
        let start = self.minute as u64 * MINUTE_NS;
        self.calls.clear();
        self.handed_out = 0;
        for (f, n) in &self.joined.minutes[self.minute] {
            let keys = &self.keys[*f as usize];
            let minute = self.minute as u64;
            let n = multiplied(*n, self.spec.multiply, keys.multiply.child(minute));
            match keys.fixed_phase {
                Some(phase) => place_regularly(n, phase, &mut self.offsets),
                None => {
                    self.spec.spread.place(n, &mut keys.times.child(minute).into_stream(), &mut self.offsets);
                }
            }
            let durations = &self.joined.functions[*f as usize].durations;
            let mut stream = keys.durations.child(minute).into_stream();
            self.calls.extend(self.offsets.iter().map(|offset| Arrival {
                time: SimTime(start + offset),
                start: SimTime(start + offset),
                work: Duration::from_secs_f64(durations.quantile_s(stream.uniform())),
                deadline: SimTime::NEVER,
                function: FunctionId(*f),
                region: RegionId(0),
                count: 1,
            }));
        }
        // Functions were visited in ascending order and the sort is stable, hence (time, function).
        self.calls.sort_by_key(|call| call.time);
        self.generated += self.calls.len() as u64;
        self.minute += 1;
    }
}

fn keys(spec: &Spec, function: &join::Function, key: Seed) -> Keys {
    let regular =
        spec.timer_fixed_phase && function.trigger == Trigger::Timer && !matches!(spec.spread, Spread::Start {});
    let day = key.derive("day").child(u64::from(spec.day));
    Keys {
        times: day.derive("times"),
        durations: day.derive("durations"),
        multiply: day.derive("multiply"),
        fixed_phase: regular.then(|| key.derive("phase").into_stream().uniform()),
    }
}

/// `n` times `factor`, its fraction rounded up with the probability that it is.
fn multiplied(n: u32, factor: f64, key: Seed) -> u32 {
    if factor == 1.0 {
        return n;
    }
    // A float-to-integer cast saturates.
    (f64::from(n) * factor + key.into_stream().uniform()).floor() as u32
}

impl Arrivals for Azure2019 {
    fn next_batch(&mut self, batch: &mut Batch) -> Result<(), WorkloadError> {
        batch.clear();
        if !self.announced {
            self.announced = true;
            batch.tenants.extend(self.joined.tenants.iter().cloned());
            batch.functions.extend(self.profiles());
        }
        while batch.calls.len() < BATCH_CALLS {
            if self.handed_out == self.calls.len() {
                if self.minute == self.joined.minutes.len() {
                    break;
                }
                self.generate_minute();
            }
            let room = (BATCH_CALLS - batch.calls.len()).min(self.calls.len() - self.handed_out);
            batch.calls.extend_from_slice(&self.calls[self.handed_out..self.handed_out + room]);
            self.handed_out += room;
        }
        Ok(())
    }

    fn progress(&self) -> f64 {
        let open = if self.handed_out < self.calls.len() {
            1.0 - self.handed_out as f64 / self.calls.len() as f64
        } else {
            0.0
        };
        (self.minute as f64 - open) / self.joined.minutes.len() as f64
    }

    fn notes(&self) -> Vec<(String, String)> {
        let s = self.statistics();
        let c = &s.join;
        let timers = match (&self.spec.spread, self.spec.timer_fixed_phase) {
            (Spread::Start {}, _) => "at second 0 like all others",
            (_, true) => "one fixed phase per function, equal gaps, counts kept",
            (_, false) => "spread like all others",
        };
        let spread = match &self.spec.spread {
            Spread::Clustered { iod } => format!("clustered (index of dispersion {iod})"),
            Spread::Poisson {} => "poisson (counts redrawn)".into(),
            other => other.name().into(),
        };
        let memory = if self.joined.memory_per_app { "per app, undivided" } else { "per function" };
        [
            ("spread", spread),
            ("timers", timers.into()),
            ("multiply", self.spec.multiply.to_string()),
            ("memory", memory.into()),
            ("minutes", s.minutes.to_string()),
            ("owners", s.owners.to_string()),
            ("apps", s.apps.to_string()),
            ("functions", s.functions.to_string()),
            ("invocations in the files", s.invocations.to_string()),
            ("calls generated", self.generated.to_string()),
            ("mean concurrency from averages", format!("{:.4}", s.mean_concurrency)),
            ("mean concurrency as drawn", format!("{:.4}", s.drawn_mean_concurrency)),
            ("rows of invocations", c.invocation_rows.to_string()),
            ("rows of durations", c.duration_rows.to_string()),
            ("rows of memory", c.memory_rows.to_string()),
            ("duplicates removed from invocations", c.duplicate_invocation_rows.to_string()),
            ("duplicates removed from durations", c.duplicate_duration_rows.to_string()),
            ("duplicates removed from memory", c.duplicate_memory_rows.to_string()),
            ("functions dropped without durations", c.dropped_without_durations.to_string()),
            ("functions dropped without memory", c.dropped_without_memory.to_string()),
            ("functions joined", c.joined.to_string()),
            ("functions not sampled", c.not_sampled.to_string()),
            ("functions never called", c.never_called.to_string()),
            ("functions with a zero percentile 0", c.percentile_0_is_zero.to_string()),
            ("functions with a zero average", c.average_is_zero.to_string()),
            ("percentiles lifted to the floor", c.floored_percentiles.to_string()),
            ("functions with an average outside minimum and maximum", c.average_outside_extremes.to_string()),
            ("minima taken as unrecorded", c.minimum_unrecorded.to_string()),
            ("maxima taken as unrecorded", c.maximum_unrecorded.to_string()),
            ("functions with decreasing percentiles", c.unordered_percentiles.to_string()),
            ("functions with a count below the sum of minutes", c.count_below_minutes.to_string()),
        ]
        .map(|(key, value)| (key.to_string(), value))
        .into()
    }

    fn inputs(&self) -> Vec<(PathBuf, String)> {
        self.joined.inputs.clone()
    }
}
