//! Exchange with the Impact Framework: computes its manifests, and writes a finished run as one.
//!
//! ```text
//!   manifest.yml ── read ──▶ compute: defaults, regroup, pipeline of plugins, aggregation ──▶ manifest with outputs
//!   results/NAME ── export: one child per region, one observation per step ──▶ manifest.yml
//! ```
//!
//! The arithmetic is that of Impact Framework 1.1.0, if-plugins 0.3.2 and if-unofficial-plugins 0.3.1, and is held to their published
//! vectors. Where those are wrong (no value called a value, scores averaged without weight, points sorted apart, parameters ignored, …)
//! this room does what its comments and `docs/impact-framework.md` say.
//!
//! This room knows [`crate::sci`] and below; nothing of the simulation knows it.

mod aggregate;
mod compute;
mod config;
mod error;
mod export;
mod expression;
mod file;
mod manifest;
mod methods;
mod plugins;
mod row;
mod step;
mod time;

pub use compute::compute;
pub use error::{ImpactError, Place};
pub use export::export;
pub use file::{parse, print, read};
pub use methods::{Method, Methods, Pair};
pub use plugins::methods as plugin_methods;
pub use row::{Mapping, Row};
pub use step::Step;
