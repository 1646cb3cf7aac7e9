//! Slackwater: a discrete-event datacenter simulator for carbon-aware scheduling research.
//!
//! It runs serverless calls through finite hosts, keeps exact books of the energy they draw, and turns the books into grams
//! of CO2-equivalent per functional unit (Software Carbon Intensity). The program is `sim`; this library is all of it.
//!
//! # The flow
//!
//! ```text
//!   scenario.toml                               what runs where, under which policies
//!        │
//!        ▼
//!   workload ──── calls, in order of time ────┐
//!                                             ▼
//!   scheduler ── when, where, how long? ──▶  sim  ◀── isolation ── what does a sandbox cost?
//!   grid ─────── forecasts ───┘               │  ▲
//!                                             │  └── cluster ──── hosts, CPU sharing, warm sandboxes, power
//!                                             ▼
//!                                          ledger                 joules: who, where, when, why
//!                                             │
//!   grid ─────── carbon intensity ──────▶    sci                  grams: O, M, (O + M) / R
//!                                             │
//!                                             ▼
//!                                          report                 results/NAME/: manifest, summary, tables
//! ```
//!
//! The ledger is the neck of an **hourglass**. The simulation writes it and knows nothing of scores; the accounting reads it
//! and knows nothing of hosts or policies. A mistake in the accounting can therefore never change a schedule, and a saved
//! ledger can be scored again under another signal. Policies see the grid only through [`grid::Forecast`], and the workload
//! only call by call, but for those that declare that they must know it beforehand ([`workload::Survey`]).
//!
//! # The rooms, in the order of the flow
//!
//! * [`scenario`]: the TOML file as types; finds all its problems at once; the only room that knows every other's parameters.
//! * [`workload`]: where calls, instances and jobs come from: trace formats and generators, all streaming; the survey of what is to come.
//! * [`scheduler`]: nine seams (admission, shifting, routing, packing, overcommit, keep-alive, scaling, provisioning, migration), one file per
//!   policy.
//! * [`isolation`]: what a sandbox costs to start, to hold and to run in; the catalogues of mechanisms and language runtimes.
//! * [`grid`]: carbon-intensity signals and the forecasts that policies may see.
//! * [`cluster`]: hosts, CPU sharing, sandboxes and their tiers, warm sets, orders of eviction, power models.
//! * [`sim`]: the machine: which event is next, and what it does; pools, phases of a start, exhausted memory.
//! * [`ledger`]: who drew how many joules, where, when, and why; knows no policy and no carbon.
//! * [`sci`]: operational and embodied emissions, attribution, the score per functional unit.
//! * [`report`]: the files of a results folder, all or nothing.
//! * [`impact`]: exchange with the Impact Framework: computes its manifests, writes a finished run as one.
//! * [`run`]: one run from top to bottom, in about fifteen visible lines.
//! * [`compare`]: several runs of one scenario side by side, in parallel: one table, one picture, fits and crossings.
//! * [`size`]: the fewest hosts (or the highest ratio, …) that keep objectives, with replications and confidence.
//! * [`claim`]: a claim about figures as it is typed, `sci < 0.9 * baseline`.
//! * [`contrast`]: finished results side by side: paired differences, what differs in their scenarios, claims.
//! * [`sweep`]: many runs from one file: grids and samples, replications, resume, shards, one tidy table and its statistics.
//! * [`plot`]: figures of finished results, drawn from their tables alone.
//! * [`validate`]: every published figure and oracle that the program is held against.
//! * [`stats`] and [`types`]: streaming histograms; time, units, ids, seeded streams: the words every room speaks.
//!
//! # A run from Rust
//!
//! ```
//! use std::path::Path;
//!
//! use slackwater::run::{Options, run};
//! use slackwater::scenario;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/quickstart.toml");
//! let set = ["workload.poisson.calls=1000".to_owned()];
//! let loaded = scenario::load(&file, &set)?;
//!
//! let folder = tempfile::tempdir()?;
//! let options = Options { out: Some(folder.path().join("quickstart")), threads: 1 };
//! let report = run(&loaded, &options, &mut |_progress| {})?;
//!
//! let cold = report.number("calls.cold").expect("every summary counts cold calls");
//! assert_eq!(report.number("calls.executed"), Some(1000.0));
//! assert!(0.0 < cold && cold < 1000.0);
//! # Ok(())
//! # }
//! ```
//!
//! # Further reading
//!
//! `docs/model.md` is the model before the code, with formulas and units, and `docs/sandboxes.md` the life of a sandbox in
//! it; `docs/outputs.md` explains every file, column and key; `scenarios/reference.toml` lists every key of a scenario;
//! `CONTRIBUTING.md` shows how a policy is added in one file; `DESIGN.md` answers why it is built this way.

// In the order of the flow; the blank lines keep the formatter from sorting them.
pub mod scenario;

pub mod workload;

pub mod scheduler;

pub mod isolation;

pub mod grid;

pub mod network;

pub mod cluster;

pub mod sim;

pub mod ledger;

pub mod sci;

pub mod report;

pub mod impact;

pub mod run;

pub mod compare;

pub mod size;

pub mod claim;

pub mod contrast;

pub mod sweep;

pub mod plot;

pub mod validate;

pub mod stats;

pub mod types;
