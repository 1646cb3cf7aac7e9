//! `vm_cpu_readings-file-N-of-M.csv`: one row per VM and five minutes, in order of time over all files.

use std::path::PathBuf;

use rustc_hash::FxHashMap;

use super::super::feed::{Reading, Readings};
use super::table::{key, place};
use super::{AzureVmSpec, STEP_S};
use crate::types::{Duration, SimTime};
use crate::workload::WorkloadError;
use crate::workload::files::Text;

const COLUMNS: usize = 5;

/// The files, one after the other.
pub(super) struct Files {
    files: Vec<PathBuf>,
    /// How many of them were opened.
    opened: usize,
    open: Option<Text>,
    numbers: FxHashMap<u128, u32>,
    cores: Vec<u64>,
    figure: super::Reading,
    sample: Option<f64>,
    last_s: f64,
    read: u64,
    unknown: u64,
    inputs: Vec<(PathBuf, String)>,
}

impl Files {
    /// Checks that all files are there.
    pub fn new(
        files: Vec<PathBuf>,
        spec: &AzureVmSpec,
        numbers: FxHashMap<u128, u32>,
        cores: Vec<u64>,
    ) -> Result<Self, WorkloadError> {
        for path in &files {
            std::fs::metadata(path).map_err(|source| WorkloadError::Io { path: path.clone(), source })?;
        }
        Ok(Self {
            files,
            opened: 0,
            open: None,
            numbers,
            cores,
            figure: spec.reading,
            sample: spec.sample_vms,
            last_s: 0.0,
            read: 0,
            unknown: 0,
            inputs: Vec::new(),
        })
    }

    fn row(&mut self) -> Result<Option<Option<Reading>>, WorkloadError> {
        let Some(text) = &mut self.open else { return Ok(None) };
        if !text.row(COLUMNS)? {
            return Ok(None);
        }
        let time = text.number(0, "timestamp")?;
        if time < self.last_s {
            let what = format!("timestamp = {time} comes after {} before it", self.last_s);
            return Err(text.error(what, "list the files in order of time, each once, and sort their rows by time"));
        }
        self.last_s = time;
        let (at, name) = match self.figure {
            super::Reading::Avg => (4, "avgcpu"),
            super::Reading::Max => (3, "maxcpu"),
        };
        let share = text.number(at, name)?;
        // Assumed: a hair above 100 % is rounding, and counts as 100 %.
        if share > 101.0 {
            return Err(text.wrong(at, name, "a share from 0 to 100 %"));
        }
        let key = key(text.cell(1));
        if self.sample.is_some_and(|sample| place(key) >= sample) {
            return Ok(Some(None));
        }
        let Some(&number) = self.numbers.get(&key) else {
            self.unknown += 1;
            return Ok(Some(None));
        };
        self.read += 1;
        let begin = SimTime::from_secs_f64(time);
        Ok(Some(Some(Reading {
            number,
            begin,
            end: begin + Duration::from_secs(STEP_S),
            cpu: (share.min(100.0) / 100.0 * self.cores[number as usize] as f64).round() as u64,
            memory: None,
        })))
    }
}

impl Readings for Files {
    fn next(&mut self) -> Result<Option<Reading>, WorkloadError> {
        loop {
            match self.row()? {
                Some(Some(reading)) => return Ok(Some(reading)),
                Some(None) => {}
                None => {
                    if let Some(text) = self.open.take() {
                        self.inputs.push((text.path().to_owned(), text.sha256()));
                    }
                    let Some(path) = self.files.get(self.opened) else { return Ok(None) };
                    self.open = Some(Text::open(path)?);
                    self.opened += 1;
                }
            }
        }
    }

    fn progress(&self) -> f64 {
        if self.files.is_empty() {
            return 1.0;
        }
        let current = self.open.as_ref().map_or(0.0, Text::progress);
        ((self.inputs.len() as f64 + current) / self.files.len() as f64).min(1.0)
    }

    fn notes(&self) -> Vec<(String, String)> {
        vec![
            ("readings".to_owned(), self.read.to_string()),
            ("readings_of_vms_outside_the_table".to_owned(), self.unknown.to_string()),
            (
                "files_of_readings".to_owned(),
                format!("{} of {} read to their end", self.inputs.len(), self.files.len()),
            ),
        ]
    }

    fn inputs(&self) -> Vec<(PathBuf, String)> {
        self.inputs.clone()
    }
}
