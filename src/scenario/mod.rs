//! The TOML file as types: the only place that knows every room's parameters.
//!
//! Each room owns its section (`Rules`, `SchedulerSpec`, `IsolationSpec`, …); this file composes them. Reading goes in
//! three steps: the text is parsed with the place of every key kept, checked as a whole against the JSON Schema that the
//! types themselves describe (so that all problems appear at once, each with line and caret), and only then turned into
//! types and checked for what a schema cannot say.

mod ahead;
mod beside;
mod build;
mod check;
mod compare;
mod diagnose;
mod document;
mod extends;
mod forecasts;
mod hints;
mod instances;
mod jobs;
mod meter;
mod network;
mod overrides;
mod path;
mod published;
mod server;
mod shape;
mod signals;
mod uncertainty;
mod variant;
mod verify;

pub use build::{Built, Problem as KeyProblem, RegionFacts, ServerFacts, build};
pub use check::{Loaded, ScenarioError, build_loaded, load, read_checked};
pub use compare::{AxisSpec, CompareSpec, CrossingSpec, Find, FitSpec, Keep, StepSpec, ValueSpec, WaterfallSpec};
pub use diagnose::{Look, Problem, Report};
pub use document::{Document, Place, Source};
pub use forecasts::{Forecasts, forecast_seed};
pub use hints::did_you_mean;
pub use overrides::unset;
pub use path::{PathStep, parse_path, show_path};
pub use published::{Label, PublishedSpec};
pub use server::ServerSpec;
pub use shape::{schema_for_editors, unsupported};
pub use signals::Signals;
pub use uncertainty::{UncertaintyError, read_uncertainty};
pub use variant::Override;
pub use verify::check_against_schema;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::grid;
use crate::isolation::{IsolationSpec, RuntimeSpec};
use crate::ledger::MeterSpec;
use crate::network::NetworkSpec;
use crate::scheduler::SchedulerSpec;
use crate::scheduler::overcommit::watch::WatchSpec;
use crate::sci::SciSpec;
use crate::sci::beside::{CostSpec, ElectricityPrice, HeatSpec, PueOutdoor, Purchase, WaterSpec};
use crate::sim::{Rules, ServiceSpec};
use crate::types::{Duration, Seed};
use crate::workload::WorkloadSpec;
use crate::workload::instances::InstancesSpec;
use crate::workload::jobs::JobsSpec;

/// A Slackwater scenario: what runs where, under which policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// A scenario file that this one builds upon, relative to this file's folder. Its tables are merged key by key with this file's, which
    /// win; arrays and plain values are replaced, and so is another variant of a policy. All other paths, those of the extended file too,
    /// are relative to the folder of the file that is run. Default: none.
    #[serde(default, skip_serializing)]
    pub extends: Option<String>,
    /// Keys of the extended file that are left out, dotted paths such as `compare`. Default: none.
    #[serde(default, skip_serializing)]
    pub unset: Vec<String>,
    /// Overrides, `KEY=VALUE` as after `--set`, that hold on the extended file after this one's tables are laid over it: how an element of an
    /// array is changed, `regions[0].hosts[0].count=9`. Default: none.
    #[serde(default, skip_serializing)]
    pub set: Vec<String>,
    /// Name of the results folder. Default: the file's name without its ending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the scenario is for, in a sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The root of all random streams. Default 42.
    #[serde(default = "seed")]
    pub seed: u64,
    /// When the run starts and ends.
    #[serde(default)]
    pub time: TimeSpec,
    /// What is written.
    #[serde(default)]
    pub output: OutputSpec,
    /// What the carbon score divides by.
    #[serde(default)]
    pub sci: SciSpec,
    /// How hosts, sandboxes and queues behave.
    #[serde(default)]
    pub model: Rules,
    /// The isolation mechanism. Default `microvm`.
    #[serde(default)]
    pub isolation: IsolationSpec,
    /// The language runtime in every sandbox. Default: none.
    #[serde(default)]
    pub runtime: RuntimeSpec,
    /// The policies.
    #[serde(default)]
    pub scheduler: SchedulerSpec,
    /// Overcommit policies that are watched beside the one in effect, and decide nothing. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overcommit_watch: Option<WatchSpec>,
    /// Server types, by name.
    pub servers: BTreeMap<String, ServerSpec>,
    /// The regions with their hosts, at least one.
    #[schemars(length(min = 1))]
    pub regions: Vec<RegionSpec>,
    /// What lies between the regions. Default: nothing, no message takes any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkSpec>,
    /// Where calls come from. Default: no calls; then there are `instances` or `jobs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<WorkloadSpec>,
    /// Where instances come from, each source under a name of its own: VMs and containers beside calls, or instead of them.
    /// Default: there are none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub instances: BTreeMap<String, InstancesSpec>,
    /// Where batch jobs come from, each source under a name of its own: beside calls and instances, or instead of them. Default: there are
    /// none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub jobs: BTreeMap<String, JobsSpec>,
    /// Downstream services that functions call, each under a name of its own. Default: there are none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, ServiceSpec>,
    /// In which currency prices are. Required where there is a price, and only there. Default: none, costs are not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<CostSpec>,
    /// A sampled meter beside the exact ledger. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meter: Option<MeterSpec>,
    /// Figures of a source that the run is held against at its end: a table, and published.csv. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub published: Vec<PublishedSpec>,
    /// Several runs side by side. Default: one run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<CompareSpec>,
}

fn seed() -> u64 {
    42
}

impl Scenario {
    /// Whether anything may run at another time than it wants to: by shifting, because a controller of dispatch holds calls back, or because admission limits what jobs hold.
    pub fn shifts(&self) -> bool {
        let seed = Seed(self.seed);
        !self.scheduler.shifting.build(seed, Duration::ZERO).is_passive()
            || self.scheduler.dispatch.defers()
            || self.scheduler.admission.build(seed).limits_jobs()
    }

    /// Whether the summary has the figures of the run's course.
    pub fn shows_curve(&self) -> bool {
        self.output.curve.unwrap_or(!self.published.is_empty())
    }

    /// Everything runs when it wants to, as far as there is room.
    pub fn run_at_once(&mut self) {
        self.scheduler.shifting = Default::default();
        self.scheduler.dispatch.let_all_go();
        if self.scheduler.admission.build(Seed(self.seed)).limits_jobs() {
            self.scheduler.admission = Default::default();
        }
    }
}

/// `[time]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeSpec {
    /// The instant of the run's start, UTC (RFC 3339). Anchors the grid signals. Default 2022-06-06T00:00:00Z, a Monday
    /// in the year of the embedded grid data.
    #[serde(default = "start")]
    #[schemars(extend("format" = "date-time"))]
    pub start: String,
    /// Calls that arrive at or after this time are not taken \[s\]. Default: all calls of the workload.
    #[schemars(range(min = 0.001))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f64>,
    /// How long unfinished calls are waited for after the last arrival \[s\]. The run ends as soon as all are done (with a
    /// duration, not before it; without, after the last finite keep-alive). Default 172800.
    #[schemars(range(min = 0.0, max = 315360000.0))]
    #[serde(default = "drain_limit")]
    pub drain_limit_s: f64,
    /// When the run ends. Default `when-done`.
    #[serde(default)]
    pub end: EndRule,
}

/// When a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EndRule {
    /// As soon as all calls are done after the last arrival (see `drain_limit_s`). Two policies may then end at different
    /// times, and idle hosts are counted for longer where calls were deferred for longer.
    #[default]
    WhenDone,
    /// Always `drain_limit_s` after the end of arrivals: the choice for comparing policies over the same time.
    Fixed,
}

fn start() -> String {
    "2022-06-06T00:00:00Z".to_owned()
}

fn drain_limit() -> f64 {
    172_800.0
}

impl Default for TimeSpec {
    fn default() -> Self {
        Self { start: start(), duration_s: None, drain_limit_s: drain_limit(), end: EndRule::default() }
    }
}

/// `[output]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputSpec {
    /// Step of `timeseries.csv` \[s\]; a whole multiple of `ledger_step_s`. Changes no energy. Default 900.
    #[schemars(range(min = 0.001))]
    #[serde(default = "step")]
    pub step_s: f64,
    /// Width of the ledger's time bins \[s\]. Every step of a grid signal must begin at a bin's edge; then carbon is exact
    /// whatever the width. Default 300.
    #[schemars(range(min = 0.001))]
    #[serde(default = "ledger_step")]
    pub ledger_step_s: f64,
    /// Whether the summary has the figures of the run's course: `curve.*`, `quota.*` and `triggers.*`. Default: where there are figures to
    /// compare with, `[[published]]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curve: Option<bool>,
    /// What is left out of the course at the run's beginning, while backlogs fill \[s\]. Default 0.
    #[schemars(range(min = 0.0))]
    #[serde(default)]
    pub settle_s: f64,
    /// Write `invocations.parquet`, one row per finished call. Default false.
    #[serde(default)]
    pub invocations: bool,
    /// Write `instances.csv`, one row per instance whose story is over. Default false.
    #[serde(default)]
    pub instances: bool,
    /// Write `jobs.csv`, one row per batch job whose story is over. Default false.
    #[serde(default)]
    pub jobs: bool,
    /// Count how many functions each worker executes in an hour and how much of its memory is in use: the figures `workers.*`, at 4
    /// bytes per host and function. Default false.
    #[serde(default)]
    pub workers: bool,
    /// Whether a run that shifts anything is compared with the same traffic that runs at once, which is a second run: the figures
    /// `shifting.*`. Default: true for `sim run` of one run, false for the runs of a comparison and of `sim size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against_run_now: Option<bool>,
    /// Length of the periods of `accounts.parquet`, which has what each function drew and held of each host group, period by period
    /// \[s\]; a whole multiple of `ledger_step_s`. Changes nothing else. Default: no such file.
    #[schemars(range(min = 0.001))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_step_s: Option<f64>,
}

fn step() -> f64 {
    900.0
}

fn ledger_step() -> f64 {
    300.0
}

impl Default for OutputSpec {
    fn default() -> Self {
        Self {
            step_s: step(),
            ledger_step_s: ledger_step(),
            curve: None,
            settle_s: 0.0,
            invocations: false,
            instances: false,
            jobs: false,
            workers: false,
            against_run_now: None,
            account_step_s: None,
        }
    }
}

/// `[[regions]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegionSpec {
    /// Name in tables; unique.
    pub name: String,
    /// Carbon intensity of its electricity: what policies look at and, without a `scoring_grid`, what the run is scored on.
    pub grid: grid::Spec,
    /// What the run is scored on, where that differs from what policies look at. Default: `grid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scoring_grid: Option<grid::Spec>,
    /// Marginal intensity on which shifting is scored beside the run's own score, given for all regions or for none. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marginal_grid: Option<grid::Spec>,
    /// What policies believe about its carbon intensity to come. Default `perfect`: an upper bound, not a result.
    #[serde(default)]
    pub forecast: grid::ForecastSpec,
    /// Power usage effectiveness: facility energy over IT energy. Default 1.1 (large cloud operators report 1.08–1.18), or what
    /// `pue_outdoor` says.
    #[schemars(range(min = 1.0, max = 10.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pue: Option<f64>,
    /// PUE while all hosts idle, not below `pue`, which is then that at full load. Default: the same at every load.
    #[schemars(range(min = 1.0, max = 10.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pue_idle: Option<f64>,
    /// PUE that follows the outdoor temperature, in place of `pue` and `pue_idle`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pue_outdoor: Option<PueOutdoor>,
    /// What becomes of its heat; beside the score, never in it. Default: not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heat: Option<HeatSpec>,
    /// Its water, given for all regions or for none. Default: not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub water: Option<WaterSpec>,
    /// Where it lies, north of the equator \[°\]; with `longitude_deg`, and only with `[network]`. Default: nobody knows.
    #[schemars(range(min = -90.0, max = 90.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latitude_deg: Option<f64>,
    /// Where it lies, east of Greenwich \[°\].
    #[schemars(range(min = -180.0, max = 180.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longitude_deg: Option<f64>,
    /// What its electricity costs, given for all regions or for none. Default: not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub electricity_price: Option<ElectricityPrice>,
    /// Its host groups, at least one.
    #[schemars(length(min = 1))]
    pub hosts: Vec<HostsSpec>,
}

/// PUE of a region that says nothing.
pub(crate) const DEFAULT_PUE: f64 = 1.1;

/// One host group of a region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostsSpec {
    /// The server type, a name from `[servers]`.
    pub server: String,
    /// How many hosts.
    #[schemars(range(min = 1, max = 10000000))]
    pub count: u32,
    /// Over how many failure domains (racks) of its own its hosts are dealt, in runs of equal length, at most one per host: what
    /// packing spreads over. Default 1: the group is one failure domain.
    #[schemars(range(min = 1))]
    #[serde(default = "one_domain")]
    pub failure_domains: u32,
    /// PUE of this group, if it differs from the region's. The region's `pue_idle` then does not hold for it.
    #[schemars(range(min = 1.0, max = 10.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pue: Option<f64>,
    /// PUE of this group while all its hosts idle, if it differs from the region's.
    #[schemars(range(min = 1.0, max = 10.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pue_idle: Option<f64>,
    /// How its hosts are paid for, given for all groups or for none. Default: not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase: Option<Purchase>,
}

fn one_domain() -> u32 {
    1
}

/// The JSON Schema of a scenario file.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Scenario).to_value();
    shape::plain_descriptions(&mut schema);
    schema
}
