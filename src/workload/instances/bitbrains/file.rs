//! One VM's file.

use super::super::Usage;
use super::super::pieces::Pieces;
use super::super::whole::Found;
use super::BitbrainsSpec;
use crate::types::{Duration, Memory};
use crate::workload::WorkloadError;
use crate::workload::files::{Text, parse};

/// The columns that are used, by position: time, cores, capacity, usage, (share), memory, memory usage.
const USED: [&str; 7] = [
    "Timestamp [ms]",
    "CPU cores",
    "CPU capacity provisioned [MHZ]",
    "CPU usage [MHZ]",
    "CPU usage [%]",
    "Memory capacity provisioned [KB]",
    "Memory usage [KB]",
];
const COLUMNS: usize = 11;
/// Times from here on are milliseconds: 5138 in seconds, 1973 in milliseconds.
const LEAST_MS: f64 = 1e11;
const MS_PER_S: f64 = 1000.0;
const NANOS_PER_MS: u64 = 1_000_000;
const MICRO: f64 = 1e6;
const BYTES_PER_KIB: f64 = 1024.0;
/// A gap is at least this many steps long; less is jitter.
const GAP_STEPS: f64 = 1.5;

#[derive(Debug, Default)]
pub(super) struct Counts {
    rows: u64,
    gaps: u64,
    resized: u64,
}

impl Counts {
    pub fn notes(&self) -> Vec<(String, String)> {
        let mut notes = vec![("rows".to_owned(), self.rows.to_string())];
        for (key, count) in
            [("gaps_that_keep_the_value_before", self.gaps), ("vms_resized_and_taken_at_their_largest", self.resized)]
        {
            if count > 0 {
                notes.push((key.to_owned(), count.to_string()));
            }
        }
        notes
    }
}

/// One row.
#[derive(Debug, Clone, Copy)]
struct Row {
    ms: i64,
    cores: f64,
    kib: f64,
    cpu: u64,
    memory: Option<Memory>,
}

pub(super) fn read(
    text: &mut Text,
    spec: &BitbrainsSpec,
    pieces: &mut Pieces,
    counts: &mut Counts,
) -> Result<Found, WorkloadError> {
    let header = text.line()?.unwrap_or_default();
    let names: Vec<&[u8]> = header.split(|&b| b == b';').map(<[u8]>::trim_ascii).collect();
    if names.len() != COLUMNS || USED.iter().zip(&names).any(|(used, name)| used.as_bytes() != *name) {
        return Err(WorkloadError::File {
            path: text.path().to_owned(),
            what: "the first line is not the header of a Bitbrains file".to_owned(),
            help: format!(
                "the format has {COLUMNS} columns separated by \";\" and a tab, the first of them {}; the extended format \
                 without a header is not read",
                USED.join("; ")
            ),
        });
    }
    let from = pieces.len();
    let step = Duration::from_secs_f64(spec.step_s);
    let (mut begin_ms, mut before): (i64, Option<Row>) = (0, None);
    let (mut cores, mut kib, mut resized) = (0.0_f64, 0.0_f64, false);
    while let Some(row) = row(text, spec)? {
        counts.rows += 1;
        match before {
            None => begin_ms = row.ms,
            Some(last) => {
                if row.ms <= last.ms {
                    let what = format!("Timestamp [ms] = {} does not come after the row before it", row.ms);
                    return Err(text.error(what, "sort the file by time, and remove doubled rows"));
                }
                let length = Duration((row.ms - last.ms) as u64 * NANOS_PER_MS);
                counts.gaps += u64::from(length.as_secs_f64() >= GAP_STEPS * spec.step_s);
                resized |= (row.cores, row.kib) != (last.cores, last.kib);
                add(pieces, from, Usage { duration: length, cpu: last.cpu, memory: last.memory });
            }
        }
        cores = cores.max(row.cores);
        kib = kib.max(row.kib);
        before = Some(row);
    }
    let Some(last) = before else {
        return Err(WorkloadError::File {
            path: text.path().to_owned(),
            what: "the file has no row".to_owned(),
            help: "download it again, or leave it out".to_owned(),
        });
    };
    add(pieces, from, Usage { duration: step, cpu: last.cpu, memory: last.memory });
    counts.resized += u64::from(resized);
    let name = text.path().file_name().unwrap_or_default().to_string_lossy();
    let name = name.trim_end_matches(".gz").trim_end_matches(".csv");
    let cpu = (cores * MICRO).round() as u64;
    Ok(Found {
        name: name.into(),
        begin_ms,
        cpu,
        cpu_limit: cpu,
        memory: Memory((kib * BYTES_PER_KIB).round() as u64),
        class: spec.class,
        pieces: (from, pieces.len()),
    })
}

/// Adds a piece, or makes the VM's last one longer if it is the same.
fn add(pieces: &mut Pieces, from: usize, usage: Usage) {
    if pieces.len() == from || !pieces.extend_last(usage) {
        pieces.push(usage);
    }
}

fn row(text: &mut Text, spec: &BitbrainsSpec) -> Result<Option<Row>, WorkloadError> {
    let Some(line) = text.line()? else { return Ok(None) };
    let mut cells = [0.0; USED.len()];
    let mut wrong = None;
    let mut count = 0;
    for (at, cell) in line.split(|&b| b == b';').enumerate() {
        count = at + 1;
        if let Some(slot) = cells.get_mut(at) {
            match parse(cell.trim_ascii()).filter(|x| (0.0..=1e15).contains(x)) {
                Some(x) => *slot = x,
                None => wrong = wrong.or_else(|| Some((at, String::from_utf8_lossy(cell.trim_ascii()).into_owned()))),
            }
        }
    }
    if count != COLUMNS {
        let what = format!("the row has {count} cells instead of {COLUMNS}");
        return Err(text.error(what, "complete or correct the row; a file that was cut off ends like this"));
    }
    if let Some((at, found)) = wrong {
        let what = format!("{} = \"{found}\" is not a finite number at or above 0", USED[at]);
        return Err(text.error(what, "correct or remove the row"));
    }
    let [time, cores, capacity, usage, _, kib, used_kib] = cells;
    let share = if capacity > 0.0 { usage / capacity } else { 0.0 };
    let ms = if time >= LEAST_MS { time } else { time * MS_PER_S };
    let memory = spec.memory_usage.then(|| Memory((used_kib.round() * BYTES_PER_KIB) as u64));
    Ok(Some(Row { ms: ms.round() as i64, cores, kib, cpu: (share * cores * MICRO).round() as u64, memory }))
}
