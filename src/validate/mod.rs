//! Every published figure and oracle that the program is held against: claim, source, published, ours, tolerance, verdict.
//!
//! ```text
//!   data/validation/*.toml ── claims ──▶ measure ──▶ judge ──▶ table, docs/VALIDATION.md, JSON, CSV
//!                                         │  ▲
//!          scenarios of this repository ──┘  └── functions over the library, and the files of `--data`
//! ```
//!
//! A claim is a few lines of TOML: a figure of a run of a scenario that stands in the program, or a function registered by name. Whatever
//! does not reproduce stays in the catalogue with the reason, `known_gap`, and with what comes out instead; a claim that
//! fails without one or in another way, or holds in spite of one, is an error.

mod catalogue;
mod document;
mod functions;
mod judge;
mod measure;
mod scenarios;
mod world;

pub use catalogue::{Catalogue, Claim, Gap, Measure, Measured, RunSpec, Subject, Tier};
pub use document::{check_document, csv_text, json_text, list_text, markdown, read_json, summary_text};
pub use functions::{Measuring, registered};
pub use judge::{Judged, Tolerance, Verdict};
pub use measure::{Options, Progress, Validated, validate};
pub use world::{Context, Fault, Found, Row, World};

/// Why nothing can be validated.
#[derive(Debug, thiserror::Error)]
pub enum ValidateError {
    /// The catalogue contradicts itself.
    #[error("the catalogue of claims is wrong:\n{}\n  help: data/validation in the repository has the format", .0.join("\n"))]
    Catalogue(Vec<String>),
    /// No claim has such a name.
    #[error("no claim is called \"{0}\"\n  help: `sim validate --list` shows all; * stands for any text, as in 'A*'")]
    NoSuchClaim(String),
    /// There is no such folder.
    #[error(
        "there is no folder {0}\n  help: --data takes a folder with `oracles` and `data` in it, as docs/VALIDATION.md lists them"
    )]
    NoData(std::path::PathBuf),
    /// A file cannot be read or written.
    #[error("{path}: {message}\n  help: {help}")]
    File {
        /// The file or folder.
        path: std::path::PathBuf,
        /// What the system says.
        message: String,
        /// What to do.
        help: &'static str,
    },
}
