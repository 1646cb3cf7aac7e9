//! A sweep from its plan to its tables, and the merge of parts that ran elsewhere.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::SweepError;
use super::analysis::{self, Figures};
use super::gather::{Row, Runs};
use super::lock::{Hold, Lock};
use super::plan::Plan;
use super::points::Takes;
use super::queue::Shard;
use super::run::{Meter, Options, Ran, journals, open, run};
use super::table::{self, is_numeric, unit};
use crate::report::{peak_memory_mb, write_file};

/// A sweep, or a part of one, that has run.
pub struct Finished {
    /// What it came to.
    pub ran: Ran,
    /// The runs, if all of the sweep is there and its tables are written; none of a part.
    pub runs: Option<Runs>,
}

/// Runs a sweep and writes its tables; of a part of a sweep only its journal.
///
/// # Errors
/// [`SweepError`]; the runs that were finished are in the journal, and tables of an earlier sweep are untouched.
pub fn sweep(plan: &Plan, options: &Options, meter: &Meter) -> Result<Finished, SweepError> {
    open(&options.out)?;
    let whole = options.shard == Shard::WHOLE;
    let _lock = Lock::take(&options.out, "lock", if whole { Hold::Alone } else { Hold::Together })?;
    let ran = run(plan, options, meter)?;
    if !whole {
        return Ok(Finished { ran, runs: None });
    }
    let runs = Runs::of(plan.described.clone(), journals(&options.out)?)?;
    tidy(&runs, &options.out)?;
    write(&runs, &options.out, Some((&ran, options.jobs)))?;
    Ok(Finished { ran, runs: Some(runs) })
}

/// Removes the folders of runs that the sweep does not have any more.
fn tidy(runs: &Runs, out: &Path) -> Result<(), SweepError> {
    let all = out.join("runs");
    if !all.is_dir() {
        return Ok(());
    }
    let number = |entry: &fs::DirEntry| entry.file_name().to_str().and_then(|name| name.parse::<usize>().ok());
    let inside = |folder: &Path| -> Result<Vec<fs::DirEntry>, SweepError> {
        let entries: Result<Vec<_>, _> = fs::read_dir(folder).map_err(SweepError::io(folder))?.collect();
        entries.map_err(SweepError::io(folder))
    };
    for point in inside(&all)? {
        for replication in inside(&point.path())? {
            let there = number(&point).zip(number(&replication)).is_some_and(|(p, r)| runs.has(p, r));
            if !there {
                fs::remove_dir_all(replication.path()).map_err(SweepError::io(&replication.path()))?;
            }
        }
        // Only an empty one goes.
        let _ = fs::remove_dir(point.path());
    }
    Ok(())
}

/// What a merge came to.
pub struct Merge {
    /// The runs.
    pub runs: Runs,
    /// Whether tables were written.
    pub written: bool,
}

/// Joins the runs of parts into the tables of one sweep. With runs missing, tables are written only if `partial` says so.
///
/// # Errors
/// The parts do not belong together, a run is there twice with different figures, or a table cannot be written.
pub fn merge(places: &[PathBuf], out: &Path, partial: bool) -> Result<Merge, SweepError> {
    let runs = Runs::gather(places)?;
    let written = runs.missing.is_empty() || partial;
    if written {
        fs::create_dir_all(out).map_err(SweepError::io(out))?;
        write(&runs, out, None)?;
    }
    Ok(Merge { runs, written })
}

/// Writes all tables and, last, the manifest.
fn write(runs: &Runs, out: &Path, cost: Option<(&Ran, usize)>) -> Result<(), SweepError> {
    // Not the lock of those who run: a look at a sweep that is going on is allowed.
    let _lock = Lock::take(out, "tables.lock", Hold::Alone)?;
    table::write(runs, out)?;
    let figures = Figures::read(runs)?;
    analysis::write(&figures, out)?;
    let manifest = manifest(runs, cost)?;
    let written = write_file(&out.join("manifest.json"), |f| {
        serde_json::to_writer_pretty(&mut *f, &manifest)?;
        f.write_all(b"\n")
    });
    Ok(written?)
}

fn manifest(runs: &Runs, cost: Option<(&Ran, usize)>) -> Result<serde_json::Value, SweepError> {
    let d = &runs.described;
    let axis = |axis: &super::Axis| {
        let mut said = json!({ "name": axis.name, "key": axis.key, "unit": unit(axis), "numeric": is_numeric(axis) });
        match &axis.takes {
            Takes::Listed(levels) => said["values"] = levels.iter().map(|l| l.name.clone()).collect(),
            Takes::Sampled { ends, logarithmic, integer } => {
                said["sampled"] =
                    json!({ "from": ends.from, "to": ends.to, "logarithmic": logarithmic, "integer": integer });
            }
        }
        said
    };
    let (mut failed, mut calls, mut run_time_s) = (0usize, 0u64, 0.0);
    let mut inputs: Vec<(PathBuf, String)> = Vec::new();
    runs.each(&mut |row: Row| {
        for input in row.inputs {
            if !inputs.contains(&input) {
                inputs.push(input);
            }
        }
        failed += usize::from(row.error.is_some());
        calls += row.calls;
        run_time_s += row.wall_s;
        Ok::<(), SweepError>(())
    })?;
    let baseline: serde_json::Map<String, serde_json::Value> =
        d.spec.baseline.iter().map(|(axis, value)| (axis.clone(), json!(value))).collect();
    Ok(json!({
        "kind": "sweep",
        "program": d.program,
        "version": d.version,
        "git_commit": d.git_commit,
        "code": d.code,
        "name": d.name,
        "description": d.spec.description,
        "plan": d.plan,
        "sweep_file": d.file,
        "sweep": d.spec,
        "axes": d.axes.iter().map(axis).collect::<Vec<_>>(),
        "points": d.points,
        "runs": runs.len(),
        "failed": failed,
        "missing": runs.missing,
        "metrics": d.metrics,
        "baseline": baseline,
        "frontier": d.frontier,
        "confidence": d.stop.confidence,
        "seed": d.scenario["seed"],
        "scenario": d.scenario,
        "inputs": inputs.iter().map(|(path, sha256)| json!({ "path": path, "sha256": sha256 })).collect::<Vec<_>>(),
        "effort": {
            "calls": calls,
            "run_time_s": run_time_s,
            "wall_time_s": cost.map(|(ran, _)| ran.wall_time_s),
            "reused": cost.map(|(ran, _)| ran.reused),
            "jobs": cost.map(|(_, jobs)| jobs),
            "peak_memory_mb": peak_memory_mb(),
        },
    }))
}
