//! What a run leaves on disk: `results/NAME/` with manifest, summary and tables, all or nothing.

mod anew;
mod beside;
mod books;
mod curve;
mod dispatch;
mod distributions;
mod folder;
#[cfg(feature = "polars")]
pub mod frames;
mod instances;
mod jobs;
mod machine;
mod manifest;
mod meter;
mod network;
mod published;
mod shifting;
mod steady;
mod summary;
mod tables;
mod workers;

pub use anew::{
    By, CHARGED, ChargeError, Charged, Role, SCORES, ScoreError, ScoreRow, UNCERTAINTY, changes_inside, charge_anew,
    charged_csv, charged_text, differences_text, own_sets, ranking_text, score_rows, scores_csv, scores_text, tornado,
    uncertainty_table, write_uncertainty,
};
pub use beside::BESIDE;
pub use books::{
    ACCOUNTS, AccountLog, AccountLogWriter, CallLogWriter, INVOCATIONS, LEDGER, LedgerError, read_ledger, record,
    write_ledger,
};
pub use curve::trigger_figures;
pub use distributions::DISTRIBUTIONS;
pub use folder::{Folder, ReportError, write_file};
pub use instances::{INSTANCES, InstanceLogWriter, write_watch};
pub use jobs::{JOBS, JobLogWriter};
pub use manifest::{Effort, Input, Manifest, peak_memory_mb};
pub use meter::{METER, METER_FUNCTIONS, write_meter};
pub use published::{
    Compared, PUBLISHED, Verdict, compare_published, published_text, unknown_figures, write_published,
};
pub use shifting::{Shifted, against_run_now, doubts};
pub use steady::{FEWEST_STEPS, Steady, SteadyColumn, SteadyError, steady, steady_text};
pub use summary::{Entry, Value, number, sections, summarize, write_summary};
pub use tables::{Column, FUNCTIONS, HOSTS, REGIONS, TENANTS, TIMESERIES, write_tables};

pub use crate::types::{grouped, significant};

use crate::scenario::{RegionFacts, Scenario, ServerFacts, Signals};
use crate::sci::beside::Books;
use crate::sci::{GroupFacts, Scored};
use crate::sim::Outcome;

/// A finished and scored run: what every exporter reads.
pub struct Finished<'a> {
    /// The scenario, with all defaults filled in.
    pub scenario: &'a Scenario,
    /// What the simulation left.
    pub outcome: &'a Outcome,
    /// What accounting made of it.
    pub scored: &'a Scored,
    /// The host groups.
    pub groups: &'a [GroupFacts],
    /// Server type of each group.
    pub servers: &'a [ServerFacts],
    /// The regions.
    pub regions: &'a [RegionFacts],
    /// The signals of every region.
    pub signals: &'a Signals,
    /// Carbon intensity that scores, of each region in each ledger bin [gCO2e/kWh].
    pub intensity: &'a [Vec<f64>],
    /// Heat, water and money by region, and what the air was.
    pub beside: &'a Books,
}
