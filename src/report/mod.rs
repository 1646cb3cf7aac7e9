//! What a run leaves on disk: `results/NAME/` with manifest, summary and tables, all or nothing.

mod account_log;
mod beside;
mod call_log;
mod columns;
mod digits;
mod folder;
#[cfg(feature = "polars")]
pub mod frames;
mod ledger;
mod machine;
mod manifest;
mod meter;
mod plot;
mod row_groups;
mod scores;
mod scores_by;
mod summary;
mod tables;
mod tornado;
mod uncertainty;

pub use account_log::{AccountLog, AccountLogWriter, COLUMNS as ACCOUNTS};
pub use beside::BESIDE;
pub use call_log::{COLUMNS as INVOCATIONS, CallLogWriter};
pub use digits::{grouped, significant};
pub use folder::{Folder, ReportError, write_file};
pub use ledger::{LEDGER, LedgerError, read_ledger, record, write_ledger};
pub use manifest::{Effort, Input, Manifest, peak_memory_mb};
pub use meter::{METER, METER_FUNCTIONS, write_meter};
pub use plot::{PlotError, received_executed};
pub use scores::{Role, SCORES, ScoreError, ScoreRow, own_sets, score_rows, scores_csv, scores_text};
pub use scores_by::{By, CHARGED, ChargeError, Charged, changes_inside, charge_anew, charged_csv, charged_text};
pub use summary::{Entry, Value, number, sections, summarize, write_summary};
pub use tables::{Column, FUNCTIONS, HOSTS, REGIONS, TENANTS, TIMESERIES, write_tables};
pub use tornado::tornado;
pub use uncertainty::{UNCERTAINTY, differences_text, ranking_text, uncertainty_table, write_uncertainty};

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
