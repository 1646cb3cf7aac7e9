//! The Azure trace for packing of 2020: requests and lifetimes of VMs, with sizes as fractions of machine types, and no usage.
//!
//! What is data: tenant, type, priority, start and end in days, the size of each type on each machine type. What is assumed: which
//! machine type is the host, and how large it is (keys); what VMs use (key `usage`). Priority 0 is high there and becomes 1 here,
//! where larger is more important; priority 1 is low, becomes 0, and is class batch: evicted first.
//!
//! Source: Hadary et al., "Protean", OSDI 2020; data CC-BY 4.0 (Azure Public Dataset).

mod csv;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::WorkloadError;
use super::accounts::{AccountBy, Accounts};
use super::spec::Context;
use super::synthetic::{Process, Processes, ShareSpec, UsageSpec, hour_of_day, wrong};
use super::{Announced, Class, Instance, Instances, NO_DEPLOYMENT, Usage};
use crate::types::{Duration, Memory, RegionId, SimTime};
use crate::workload::files::sha256;

const SECONDS_PER_DAY: f64 = 86_400.0;
/// VMs without an end were alive at the 90-day cap of the trace \[days\].
const CAP_DAYS: f64 = 90.0;
const MICRO: f64 = 1e6;

/// VMs of the Azure trace for packing.
///
/// Memory: about 60 bytes per VM of the trace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AzurePackingSpec {
    /// The trace.
    pub files: PackingFiles,
    /// The machine type whose fractions are taken: machineId of the table of types.
    pub machine_id: i64,
    /// CPU of that machine type, of which sizes are fractions \[cores\]. No default: the trace does not say.
    #[schemars(range(min = 0.001, max = 1000000.0))]
    pub host_cores: f64,
    /// Memory of that machine type \[MB\]. No default: the trace does not say.
    #[schemars(range(min = 1.0, max = 1000000000.0))]
    pub host_memory_mb: f64,
    /// VMs of a type that cannot run on that machine type: `leave-out`, or `other-machine` to take their fractions of the
    /// machine type with the lowest number. Default leave-out.
    #[serde(default)]
    pub other_types: OtherTypes,
    /// What VMs use. Default: all that they ask for, constant. Assumed: the trace has no usage; this is the most.
    #[serde(default = "all_of_it")]
    pub usage: UsageSpec,
    /// Length of a step of usage \[s\]. Default 300, as in the Azure VM traces.
    #[schemars(range(min = 0.001, max = 86400.0))]
    #[serde(default = "step_s")]
    pub step_s: f64,
    /// One account per tenant or per instance. Default tenant.
    #[serde(default)]
    pub account_by: AccountBy,
    /// Region in which VMs are asked for. Default: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// The trace's files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PackingFiles {
    /// The database as published, `packing_trace_zone_a_v1.sqlite`; needs a program built with the feature `sqlite`.
    Sqlite {
        /// The database. (path)
        path: PathBuf,
    },
    /// The two tables exported as CSV with a header, plain or gzip.
    Csv {
        /// Table `vm`: vmId, tenantId, vmTypeId, priority, starttime, endtime. (path)
        vm: PathBuf,
        /// Table `vmType`: vmTypeId, machineId, core, memory. (path)
        vm_type: PathBuf,
    },
}

/// What to do with VMs of a type that the chosen machine type cannot run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OtherTypes {
    /// Leave them out, and count them in the notes.
    #[default]
    LeaveOut,
    /// Take their fractions of the machine type with the lowest number among those that can run them.
    OtherMachine,
}

fn all_of_it() -> UsageSpec {
    UsageSpec::Constant(ShareSpec { share: 1.0 })
}

fn step_s() -> f64 {
    300.0
}

/// A row of the table `vm`, as it stands there.
#[derive(Debug, Clone, Copy, PartialEq)]
struct VmRow {
    vm: i64,
    tenant: i64,
    vm_type: i64,
    priority: i64,
    start_days: f64,
    end_days: Option<f64>,
}

/// A row of the table `vmType`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct TypeRow {
    vm_type: i64,
    machine: i64,
    cpu: f64,
    memory: f64,
}

/// A VM that takes part.
#[derive(Debug, Clone, Copy)]
struct Vm {
    id: i64,
    tenant: i64,
    begin: SimTime,
    life: Duration,
    size: u32,
    is_low: bool,
}

/// The table of types: sizes and which type has which.
#[derive(Debug, Default)]
struct Sizes {
    /// CPU [millionths of a core] and memory.
    sizes: Vec<(u64, Memory)>,
    of: FxHashMap<i64, u32>,
}

impl Sizes {
    fn new(mut rows: Vec<TypeRow>, spec: &AzurePackingSpec) -> Result<Self, WorkloadError> {
        rows.sort_by_key(|r| (r.vm_type, r.machine));
        if !rows.iter().any(|r| r.machine == spec.machine_id) {
            let mut ids: Vec<i64> = rows.iter().map(|r| r.machine).collect();
            ids.sort_unstable();
            ids.dedup();
            let ids = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
            let what = format!("machine_id = {} is in no row of the table vmType", spec.machine_id);
            return Err(wrong("azure-packing", &what, format!("choose one of: {ids}")));
        }
        let mut table = Self::default();
        for row in rows {
            let is_chosen = row.machine == spec.machine_id;
            let is_wanted =
                is_chosen || spec.other_types == OtherTypes::OtherMachine && !table.of.contains_key(&row.vm_type);
            if is_wanted {
                let cpu = (row.cpu * spec.host_cores * MICRO).round() as u64;
                table.of.insert(row.vm_type, table.sizes.len() as u32);
                table.sizes.push((cpu, Memory::from_mb(row.memory * spec.host_memory_mb)));
            }
        }
        Ok(table)
    }
}

#[derive(Debug, Default)]
struct Counts {
    rows: u64,
    other_type: u64,
    before: u64,
    no_life: u64,
    from_before: u64,
    no_end: u64,
}

/// The source.
#[derive(Debug)]
pub(super) struct Packing {
    vms: Vec<Vm>,
    sizes: Sizes,
    processes: Processes,
    accounts: Accounts,
    region: RegionId,
    next: usize,
    live: FxHashMap<u32, Process>,
    span: Duration,
    notes: Vec<(String, String)>,
    inputs: Vec<(PathBuf, String)>,
}

/// Takes rows one by one, so that the table is never held as text.
struct Taker<'a> {
    sizes: &'a Sizes,
    vms: Vec<Vm>,
    counts: Counts,
}

impl Taker<'_> {
    /// `Err`: what is wrong with the row.
    fn take(&mut self, row: VmRow) -> Result<(), String> {
        self.counts.rows += 1;
        if !(0..=1).contains(&row.priority) {
            return Err(format!("priority = {} is neither 0 nor 1", row.priority));
        }
        let is_day = |d: f64| (-36_525.0..=36_525.0).contains(&d);
        let end = row.end_days.unwrap_or(CAP_DAYS);
        if !is_day(row.start_days) || !is_day(end) {
            return Err(format!("starttime = {}, endtime = {end}: not numbers of days", row.start_days));
        }
        if end < row.start_days {
            return Err(format!("endtime = {end} comes before starttime = {}", row.start_days));
        }
        let begin = SimTime::from_secs_f64(row.start_days.max(0.0) * SECONDS_PER_DAY);
        let life = SimTime::from_secs_f64(end.max(0.0) * SECONDS_PER_DAY).saturating_since(begin);
        let Some(&size) = self.sizes.of.get(&row.vm_type) else {
            self.counts.other_type += 1;
            return Ok(());
        };
        if life == Duration::ZERO {
            let counts = &mut self.counts;
            *if end <= 0.0 { &mut counts.before } else { &mut counts.no_life } += 1;
            return Ok(());
        }
        self.counts.from_before += u64::from(row.start_days < 0.0);
        self.counts.no_end += u64::from(row.end_days.is_none());
        let is_low = row.priority == 1;
        self.vms.push(Vm { id: row.vm, tenant: row.tenant, begin, life, size, is_low });
        Ok(())
    }
}

/// Reads the two tables.
pub(super) fn open(spec: &AzurePackingSpec, context: &Context<'_>) -> Result<Packing, WorkloadError> {
    let range = |key: &str, value: f64, low: f64, high: f64| {
        let help = || format!("write a finite number from {low} to {high}");
        let inside = value >= low && value <= high;
        inside.then_some(()).ok_or_else(|| wrong("azure-packing", &format!("{key} = {value}"), help()))
    };
    range("host_cores", spec.host_cores, 0.001, 1e6)?;
    range("host_memory_mb", spec.host_memory_mb, 1.0, 1e9)?;
    range("step_s", spec.step_s, 0.001, 86_400.0)?;
    spec.usage.check("azure-packing")?;
    let region = context.region(spec.region.as_deref(), "azure-packing.region")?;
    let (vms, sizes, counts, inputs) = match &spec.files {
        PackingFiles::Csv { vm, vm_type } => {
            let (vm, vm_type) = (context.base_dir.join(vm), context.base_dir.join(vm_type));
            let (types, type_hash) = csv::types(&vm_type)?;
            let sizes = Sizes::new(types, spec)?;
            let mut taker = Taker { sizes: &sizes, vms: Vec::new(), counts: Counts::default() };
            let vm_hash = csv::vms(&vm, &mut taker)?;
            let (vms, counts) = (taker.vms, taker.counts);
            (vms, sizes, counts, vec![(vm, vm_hash), (vm_type, type_hash)])
        }
        PackingFiles::Sqlite { path } => {
            let path = context.base_dir.join(path);
            let hash = sha256(&path)?;
            let (vms, sizes, counts) = database(&path, spec)?;
            (vms, sizes, counts, vec![(path, hash)])
        }
    };
    Packing::new(spec, context, region, vms, sizes, counts, inputs)
}

#[cfg(feature = "sqlite")]
use sqlite::read as database;

/// Without the feature: says what to do.
#[cfg(not(feature = "sqlite"))]
fn database(path: &std::path::Path, _spec: &AzurePackingSpec) -> Result<(Vec<Vm>, Sizes, Counts), WorkloadError> {
    Err(WorkloadError::File {
        path: path.to_owned(),
        what: "this program was built without SQLite".to_owned(),
        help: "build it with `cargo build --release --features sqlite`, or export the two tables with `sqlite3 -header -csv FILE \
               \"select * from vm\" > vm.csv`, the same for vmType, and use files.csv"
            .to_owned(),
    })
}

impl Packing {
    fn new(
        spec: &AzurePackingSpec,
        context: &Context<'_>,
        region: RegionId,
        mut vms: Vec<Vm>,
        sizes: Sizes,
        counts: Counts,
        inputs: Vec<(PathBuf, String)>,
    ) -> Result<Self, WorkloadError> {
        vms.sort_by_key(|vm| (vm.begin, vm.id));
        if vms.is_empty() {
            let what = format!("no VM of {} is left", counts.rows);
            let help = "choose a machine_id that runs the trace's types, or other_types = \"other-machine\"".to_owned();
            return Err(wrong("azure-packing", &what, help));
        }
        let step = Duration::from_secs_f64(spec.step_s);
        let seed = context.seed.derive("azure-packing");
        let span = vms.iter().map(|vm| vm.begin.0 + vm.life.0).max().unwrap_or(0);
        let mut notes = vec![
            ("instances".to_owned(), format!("{} of {} rows", vms.len(), counts.rows)),
            ("dates".to_owned(), "the trace has none: its day 0 is the run's start".to_owned()),
            ("usage".to_owned(), format!("{}: assumed, the trace has none", spec.usage.name())),
            (
                "host".to_owned(),
                format!(
                    "machineId {} taken as {} cores and {} MB",
                    spec.machine_id, spec.host_cores, spec.host_memory_mb
                ),
            ),
        ];
        for (key, count) in [
            ("left_out_of_a_type_that_the_machine_cannot_run", counts.other_type),
            ("left_out_as_ended_before_the_trace", counts.before),
            ("left_out_as_without_life", counts.no_life),
            ("alive_before_the_trace", counts.from_before),
            ("without_end_taken_as_90_days", counts.no_end),
        ] {
            if count > 0 {
                notes.push((key.to_owned(), count.to_string()));
            }
        }
        Ok(Self {
            processes: Processes::new(&spec.usage, step, seed, hour_of_day(context.start)),
            accounts: Accounts::new(spec.account_by),
            region,
            vms,
            sizes,
            next: 0,
            live: FxHashMap::default(),
            span: Duration(span),
            notes,
            inputs,
        })
    }
}

impl Instances for Packing {
    fn next(&mut self, announced: &mut Announced) -> Result<Option<Instance>, WorkloadError> {
        let Some(vm) = self.vms.get(self.next) else { return Ok(None) };
        let number = self.next as u32;
        self.next += 1;
        let (cpu, memory) = self.sizes.sizes[vm.size as usize];
        let name = format!("vm{}", vm.id);
        let account = self.accounts.of(&format!("tenant{}", vm.tenant), &name, None, announced);
        let process = self.processes.begin(number, vm.begin, vm.life, (cpu, cpu), None);
        self.live.insert(number, process);
        Ok(Some(Instance {
            name: name.into(),
            time: vm.begin,
            lifetime: Some(vm.life),
            account,
            region: self.region,
            cpu,
            cpu_limit: cpu,
            memory,
            priority: u8::from(!vm.is_low),
            class: if vm.is_low { Class::Batch } else { Class::LatencySensitive },
            deployment: NO_DEPLOYMENT,
        }))
    }

    fn usage(&mut self, instance: u32) -> Result<Option<Usage>, WorkloadError> {
        Ok(self.live.get_mut(&instance).and_then(|process| self.processes.next(process)))
    }

    fn release(&mut self, instance: u32) {
        self.live.remove(&instance);
    }

    fn rewind(&mut self, instance: u32) -> Result<(), WorkloadError> {
        if let Some(process) = self.live.get_mut(&instance) {
            *process = self.processes.again(process);
        }
        Ok(())
    }

    fn progress(&self) -> f64 {
        self.next as f64 / self.vms.len() as f64
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
