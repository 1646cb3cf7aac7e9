//! `vmtable.csv`: who asks for what, from when to when.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::super::Class;
use super::super::feed::Listed;
use super::{AzureVmSpec, STEP_S};
use crate::types::{Duration, Memory, SimTime};
use crate::workload::WorkloadError;
use crate::workload::files::Text;

const COLUMNS: usize = 11;
const BYTES_PER_GIB: f64 = (1u64 << 30) as f64;
const MICRO: f64 = 1e6;
/// The trace's last reading \[s\]: who is deleted then was alive at the end, which is one reading later.
const LAST_TICK_S: f64 = 2_591_700.0;
/// What the publishers' notebook takes the highest buckets of V2 for.
const MORE_THAN_24_CORES: f64 = 30.0;
const MORE_THAN_64_GB: f64 = 70.0;
/// The longest time in a table \[s\]: a century.
const LATEST_S: f64 = 3.15576e9;

pub(super) struct Read {
    pub table: Vec<Listed>,
    pub tenants: Vec<Box<str>>,
    /// Places in the table by identifier.
    pub numbers: FxHashMap<u128, u32>,
    /// Cores of each VM [millionths].
    pub cores: Vec<u64>,
    pub notes: Vec<(String, String)>,
    pub inputs: Vec<(PathBuf, String)>,
}

/// A number for an identifier: its bytes if they are at most 15, otherwise a hash of 128 bits, which for the trace's random
/// identifiers of 64 characters makes two alike less likely than 10^-25.
pub(super) fn key(id: &[u8]) -> u128 {
    const ODD: u128 = 0x2d35_8dcc_aa6c_78a5_8bb8_4b93_962e_acc9;
    if id.len() < 16 {
        return id.iter().fold(id.len() as u128, |k, &b| k << 8 | u128::from(b));
    }
    let mix = |h: u128, w: u128| {
        let h = (h ^ w).wrapping_mul(ODD);
        h ^ h >> 67
    };
    let word = |c: &[u8]| c.iter().fold(0, |w: u128, &b| w << 8 | u128::from(b));
    id.chunks(16).fold(id.len() as u128, |h, c| mix(h, word(c)))
}

/// A number in 0..1 that depends on the identifier only.
pub(super) fn place(key: u128) -> f64 {
    let mut z = (key ^ key >> 64) as u64;
    // SplitMix64's finaliser, so that short identifiers spread too.
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ z >> 31) as f64 / (u64::MAX as f64 + 1.0)
}

/// Numbers texts in the order in which they appear.
#[derive(Default)]
struct Names {
    numbers: FxHashMap<Box<str>, u32>,
    names: Vec<Box<str>>,
}

impl Names {
    fn of(&mut self, name: &str) -> u32 {
        if let Some(&n) = self.numbers.get(name) {
            return n;
        }
        let n = self.names.len() as u32;
        self.numbers.insert(name.into(), n);
        self.names.push(name.into());
        n
    }
}

pub(super) fn read(path: &Path, spec: &AzureVmSpec) -> Result<Read, WorkloadError> {
    let mut text = Text::open(path)?;
    let (mut tenants, mut deployments) = (Names::default(), Names::default());
    let mut rows: Vec<(Listed, u128)> = Vec::new();
    let (mut all, mut from_start, mut to_end, mut buckets) = (0u64, 0u64, 0u64, 0u64);
    while text.row(COLUMNS)? {
        all += 1;
        let key = key(text.cell(0));
        if text.cell(0).is_empty() {
            return Err(text.wrong(0, "vmid", "an identifier"));
        }
        if spec.sample_vms.is_some_and(|share| place(key) >= share) {
            continue;
        }
        let seconds = |at: usize, name: &str| {
            text.number(at, name).and_then(|s| {
                if s <= LATEST_S { Ok(s) } else { Err(text.wrong(at, name, "a number of seconds in the trace")) }
            })
        };
        let (begin, mut end) = (seconds(3, "vmcreated")?, seconds(4, "vmdeleted")?);
        if end < begin {
            let what = format!("vmdeleted = {end} comes before vmcreated = {begin}");
            return Err(text.error(what, "correct or remove the row"));
        }
        from_start += u64::from(begin == 0.0);
        if end == LAST_TICK_S {
            to_end += 1;
            end += STEP_S as f64;
        }
        let mean = text.number(6, "avgcpu")?;
        if mean > 100.0 {
            return Err(text.wrong(6, "avgcpu", "a share from 0 to 100 %"));
        }
        let class = match text.cell(8) {
            b"Delay-insensitive" => Class::Batch,
            b"Interactive" | b"Unknown" | b"Unkown" => Class::LatencySensitive,
            _ => return Err(text.wrong(8, "vmcategory", "Delay-insensitive, Interactive or Unknown")),
        };
        let mut bucket = |at: usize, name: &str, open: &[u8], value: f64| {
            if text.cell(at) == open {
                buckets += 1;
                return Ok(value);
            }
            match text.number(at, name)? {
                x if x > 0.0 && x <= 1e6 => Ok(x),
                _ => Err(text.wrong(at, name, "a number above 0")),
            }
        };
        let cores = bucket(9, "vmcorecount", b">24", MORE_THAN_24_CORES)?;
        let gib = bucket(10, "vmmemory", b">64", MORE_THAN_64_GB)?;
        let cpu = (cores * MICRO).round() as u64;
        let begin = SimTime::from_secs_f64(begin);
        rows.push((
            Listed {
                name: text.text(0).as_ref().into(),
                tenant: tenants.of(&text.text(1)),
                deployment: deployments.of(&text.text(2)),
                begin,
                // A VM lives for one reading at least.
                end: SimTime::from_secs_f64(end).max(begin + Duration::from_secs(STEP_S)),
                cpu,
                cpu_limit: cpu,
                memory: Memory((gib * BYTES_PER_GIB).round() as u64),
                priority: spec.priority,
                class,
                fallback: Some((mean / 100.0 * cores * MICRO).round() as u64),
            },
            key,
        ));
    }
    rows.sort_by_key(|(listed, _)| listed.begin);
    let mut numbers = FxHashMap::default();
    numbers.reserve(rows.len());
    for (number, (listed, key)) in rows.iter().enumerate() {
        if numbers.insert(*key, number as u32).is_some() {
            return Err(WorkloadError::File {
                path: path.to_owned(),
                what: format!("vmid {} is there twice", listed.name),
                help: "remove one of the rows".to_owned(),
            });
        }
    }
    let mut notes = vec![
        ("vms_in_the_table".to_owned(), all.to_string()),
        ("vms_from_before_the_trace".to_owned(), from_start.to_string()),
        ("vms_alive_at_the_end".to_owned(), to_end.to_string()),
        ("unit_of_vmmemory".to_owned(), "GB of 2^30 bytes (assumed)".to_owned()),
    ];
    if buckets > 0 {
        let what = format!("{buckets} of >24 cores taken as 30 and >64 GB taken as 70");
        notes.push(("open_buckets".to_owned(), what));
    }
    Ok(Read {
        cores: rows.iter().map(|(l, _)| l.cpu).collect(),
        table: rows.into_iter().map(|(l, _)| l).collect(),
        tenants: tenants.names,
        numbers,
        notes,
        inputs: vec![(path.to_owned(), text.sha256())],
    })
}
