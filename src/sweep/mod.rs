//! Many runs of one scenario from one file: grids and samples, replications, resume, shards, one tidy table, its statistics.
//!
//! ```text
//!   sweep.toml ── plan ── points ──┐                 which values, how often: computed point by point
//!                                  ▼
//!                    queue ──▶ threads ──▶ journal   one line per finished run; nothing else is ever changed
//!                                             │
//!             parts of other machines ──▶  gather    what is there, missing, double
//!                                             │
//!                                             ▼
//!                              table, analysis       runs.csv, runs.parquet, points.csv, differences.csv, …
//! ```
//!
//! What a process that is killed leaves is a journal whose last line may be torn. All tables are made of journals, in the order of the
//! plan, so that they are the same bytes however the runs came about. `docs/sweeps.md` is the model.

mod analysis;
mod check;
pub mod design;
pub mod emit;
mod error;
mod gather;
mod journal;
mod lock;
mod outcome;
mod plan;
mod points;
mod queue;
mod rule;
mod run;
mod solve;
mod spec;
mod table;

pub use analysis::{Difference, Figures, PointMean};
pub use error::SweepError;
pub use gather::{Row, Runs};
pub use outcome::{Finished, Merge, merge, sweep};
pub use plan::{CODE, Described, Plan};
pub use points::{Axis, Level, Points, Takes};
pub use queue::{Shard, Stop, Task};
pub use rule::Until;
pub use run::{Earlier, Meter, Options, Ran};
pub use solve::{Over, Solution, Solved, solve};
pub use spec::{AxisSpec, EndsSpec, FrontierSpec, KeepRuns, RangeSpec, SampleSpec, SweepSpec};
pub use table::{is_numeric, unit};
