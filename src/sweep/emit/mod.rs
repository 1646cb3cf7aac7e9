//! Job scripts: a sweep in parts for those who have a scheduler already, Slurm, Dask or GNU parallel.
//!
//! The scripts are `slurm.sh`, `parallel.sh` and `dask.py` with blanks, `{{so}}`. All that is filled in is quoted here, so that a
//! path with a space, a quote or a `$` is what it was. The same job gives the same bytes. What a script relies on: `--shard I/N --resume` goes
//! on where the part stopped, and `sim sweep merge` says what is missing.

use std::fmt::Write as _;
use std::num::{NonZeroU32, NonZeroU64};

use thiserror::Error;

/// For whom a script is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A batch script with an array of tasks, for `bash` or `sbatch`.
    Slurm,
    /// A Python script for a scheduler of Dask, or a cluster of its own.
    Dask,
    /// A bash script that has GNU parallel run the parts.
    Parallel,
}

/// What a script is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job<'a> {
    /// The command that made the script, for its head.
    pub command: &'a [String],
    /// The program: `sim` if it is in `PATH` where the parts run, otherwise where it is.
    pub program: &'a str,
    /// The sweep file.
    pub sweep: &'a str,
    /// The results folder.
    pub out: &'a str,
    /// The sweep's name.
    pub name: &'a str,
    /// Keys that are taken out, as after `--unset`.
    pub unset: &'a [String],
    /// Overrides, `KEY=VALUE` as after `--set`.
    pub set: &'a [String],
    /// Parts.
    pub shards: NonZeroU32,
    /// Runs at the same time in a part, one core each.
    pub threads: NonZeroU32,
    /// After how long Slurm ends a part \[s\]; the cluster's limit if not said.
    pub time_limit_s: Option<NonZeroU64>,
    /// What Slurm sets aside for a part \[MiB\]; the cluster's default if not said.
    pub memory_mib: Option<NonZeroU64>,
}

/// Why there is no script.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EmitError {
    /// Slurm cannot be told of this folder.
    #[error(
        "Slurm cannot write its log into {0}\n  help: choose a results folder without backslashes and line breaks (--out)"
    )]
    Folder(String),
}

/// The text of the script.
///
/// # Errors
/// [`EmitError::Folder`] if Slurm's rules for names of logs cannot express the results folder.
pub fn script(target: Target, job: &Job) -> Result<String, EmitError> {
    let logs = format!("{}/logs", job.out.trim_end_matches('/'));
    let merge = [job.program, "sweep", "merge", job.out].map(shell).join(" ");
    let unset = job.unset.iter().flat_map(|key| ["--unset", key.as_str()]);
    let overrides = unset.chain(job.set.iter().flat_map(|o| ["--set", o.as_str()]));
    let quote = if target == Target::Dask { python } else { shell };
    let between = if target == Target::Dask { ", " } else { " " };
    let template = match target {
        Target::Slurm => include_str!("slurm.sh"),
        Target::Dask => include_str!("dask.py"),
        Target::Parallel => include_str!("parallel.sh"),
    };
    let log = if target == Target::Slurm { slurm_log(&logs)? } else { String::new() };
    Ok(fill(template, |blank| match blank {
        "name" => shell(job.name),
        "job" => job_name(job.name),
        "command" => job.command.iter().map(|a| shell(a)).collect::<Vec<_>>().join(" "),
        "merge" => merge.clone(),
        "logs" => shell(&logs),
        "log" => log.clone(),
        "joblog" => shell(&format!("{logs}/parallel.tsv")),
        "program" => quote(job.program),
        "sweep" => quote(job.sweep),
        "out" => quote(job.out),
        "overrides" => overrides.clone().map(quote).collect::<Vec<_>>().join(between),
        "shards" => job.shards.to_string(),
        "threads" => job.threads.to_string(),
        // Of the machine's cores, one for each thread: parallel counts them where the part runs.
        "share" => (100 / job.threads.get()).max(1).to_string(),
        "time" => directive(
            "time",
            job.time_limit_s.map(slurm_time),
            "1-00:00:00",
            "days-hours:minutes:seconds; the cluster's limit otherwise",
        ),
        "memory" => directive(
            "mem",
            job.memory_mib.map(|m| format!("{m}M")),
            "4000M",
            "of a part; the cluster's default otherwise",
        ),
        other => unreachable!("the scripts have no blank {other}"),
    }))
}

/// The template with its blanks filled; what is filled in is not looked at again.
fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut text = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (blank, after) = after.split_once("}}").expect("a blank of a script ends with }}");
        text.push_str(before);
        text.push_str(&value(blank));
        rest = after;
    }
    text.push_str(rest);
    text
}

/// A word of a shell, on one line: as it is if it has only harmless characters, otherwise in quotes (with control characters, bash's).
fn shell(word: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(harmless) {
        return word.to_owned();
    }
    if !word.chars().any(char::is_control) {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let mut quoted = String::from("$'");
    for c in word.chars() {
        match c {
            '\'' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => write!(quoted, "\\u{:04x}", u32::from(c)).expect("a string takes all"),
            c => quoted.push(c),
        }
    }
    quoted + "'"
}

/// A string of Python, on one line.
fn python(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => write!(quoted, "\\u{:04x}", u32::from(c)).expect("a string takes all"),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// A name that Slurm shows in a column and takes after `--name`: letters, digits, `.`, `_`, `-`; anything else becomes `-`.
fn job_name(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let job: String = name.chars().map(plain).collect();
    if job.is_empty() { "sweep".to_owned() } else { job }
}

/// The pattern of a task's log. `%A` is the array, `%a` the task, `%%` a per cent sign; a backslash would switch that off.
fn slurm_log(logs: &str) -> Result<String, EmitError> {
    if logs.chars().any(|c| c == '\\' || c.is_control()) {
        return Err(EmitError::Folder(shell(logs)));
    }
    Ok(shell(&format!("{}/slurm-%A_%a.log", logs.replace('%', "%%"))))
}

/// Seconds as `days-hours:minutes:seconds`.
fn slurm_time(seconds: NonZeroU64) -> String {
    let s = seconds.get();
    format!("{}-{:02}:{:02}:{:02}", s / 86_400, s / 3600 % 24, s / 60 % 60, s % 60)
}

/// A directive, or what to write in its place to have one.
fn directive(option: &str, value: Option<String>, example: &str, meaning: &str) -> String {
    match value {
        Some(value) => format!("#SBATCH --{option}={value}"),
        None => format!("##SBATCH --{option}={example}    # take away one # to set it: {meaning}"),
    }
}

#[cfg(test)]
mod tests;
