//! `sim impact`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value;
use slackwater::impact;
use slackwater::report::write_file;

use super::Failure;

/// Arguments of `sim impact`.
#[derive(Debug, Args)]
pub struct Impact {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Compute a manifest: the same manifest with its outputs and aggregates.
    Compute(Compute),
    /// Write a finished run as a manifest: one child per region, one observation per step.
    Export(Export),
}

#[derive(Debug, Args)]
struct Compute {
    /// The manifest (YAML).
    manifest: PathBuf,
    /// Where the computed manifest goes [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Export {
    /// A results folder of sim run.
    result: PathBuf,
    /// Length of an observation in seconds; a multiple of output.step_s of the scenario.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600.0)]
    step: f64,
    /// Where the manifest goes [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Impact {
    pub fn execute(self) -> Result<(), Failure> {
        let (document, out) = match self.task {
            Task::Compute(Compute { manifest, out }) => {
                let read = impact::read(&manifest).and_then(|document| impact::compute(&document));
                (read.map_err(|e| e.in_file(&manifest)), out)
            }
            Task::Export(Export { result, step, out }) => (impact::export(&result, step), out),
        };
        deliver(&document.map_err(Failure::usage)?, out)
    }
}

fn deliver(document: &Value, out: Option<PathBuf>) -> Result<(), Failure> {
    let text = impact::print(document).map_err(Failure::internal)?;
    let Some(path) = out else { return super::print(&text) };
    write_file(&path, |file| file.write_all(text.as_bytes())).map_err(Failure::internal)?;
    super::print(&format!("{}\n", path.display()))
}
