//! The catalogue: what is known of every mechanism, read from `data/isolation/`, with a source for every number.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::Scope;
use super::quantiles::{Level, Levels, Quantiles};

/// The numbers that an entry may hold: key, and meaning with unit. A number that is absent is not applicable or, for
/// factors and shares, 1.
pub const FIGURES: [(&str, &str); 22] = [
    ("start_median_s", "median start latency [s]"),
    ("start_sigma", "sigma of the logarithm of the start latency"),
    ("start_p99_s", "99th percentile of the same data [s], for information"),
    ("start_floor_s", "part of a start that does not depend on load [s]"),
    ("start_cpu_core_s", "CPU time of one start [core-s]"),
    ("start_energy_j", "measured energy of one start, whole path, idle power subtracted [J]"),
    ("create_share", "share of the start before the boot, for information"),
    ("memory_overhead_mb", "memory per sandbox beyond the function's own [MB]"),
    ("vmm_memory_mb", "of that, the virtual machine monitor's part [MB]"),
    ("guest_memory_mb", "of that, the guest system's part [MB]"),
    ("memory_charged_mb", "what a scheduler charges per sandbox instead [MB]"),
    ("memory_per_host_mb", "memory once per host that holds sandboxes [MB]"),
    ("cpu_factor", "factor on the length of a call"),
    ("first_call_factor", "further factor on the first call of a sandbox"),
    ("creations_per_s_per_core", "limit on starts, per core of the host [1/s]"),
    ("creations_per_s_per_host", "limit on starts, per host [1/s]"),
    ("max_per_host", "most sandboxes on one host"),
    ("calls_per_sandbox", "most calls at once in one sandbox"),
    ("resume_s", "from paused to ready [s]"),
    ("restore_s", "from snapshotted to ready [s]"),
    ("warm_memory_share", "share of a sandbox's memory held while idle"),
    ("paused_memory_share", "share of a sandbox's memory held while paused"),
];

/// The probabilities of a quantile table of starts.
pub const START_PROBABILITIES: [f64; 8] = [0.01, 0.05, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99];

/// A number with its source.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// One of [`FIGURES`].
    pub key: &'static str,
    /// Its meaning and unit.
    pub meaning: &'static str,
    /// The number.
    pub value: f64,
    /// Where it comes from, beginning with published, measured, derived or assumed.
    pub source: String,
}

/// A quantile table by concurrent starts, with its source.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The quantile functions.
    pub levels: Levels,
    /// Where they come from.
    pub source: String,
}

/// One entry of the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The name that scenarios use.
    pub name: String,
    /// What it is and where its start ends.
    pub description: String,
    /// What the boundary is, around what, and what platforms do.
    pub boundary: String,
    /// Who shares a sandbox unless a scenario says otherwise.
    pub scope: Scope,
    /// Who shares a sandbox on the platforms that use it.
    pub typical_scope: Scope,
    /// What has to be trusted.
    pub trust: String,
    /// Whether platforms let go of all sandboxes of an idle function; for information.
    pub scale_to_zero: bool,
    /// Whether a language runtime has to be initialised after the start.
    pub runtime_init: bool,
    /// Why.
    pub runtime_init_source: String,
    /// The mechanism that boots the first time, where this one restores a snapshot.
    pub base: Option<String>,
    /// The numbers, in the order of [`FIGURES`].
    pub figures: Vec<Figure>,
    /// Start latency by concurrent starts.
    pub start_quantiles: Option<Table>,
    /// The guest's part of it.
    pub guest_quantiles: Option<Table>,
}

impl Entry {
    /// A number; `None` where it is not applicable.
    pub fn number(&self, key: &str) -> Option<f64> {
        debug_assert!(FIGURES.iter().any(|(k, _)| *k == key), "{key} is no figure");
        self.figures.iter().find(|f| f.key == key).map(|f| f.value)
    }
}

/// The catalogue, from light to heavy families.
pub fn catalogue() -> &'static [Entry] {
    static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        let files = [
            include_str!("../../data/isolation/processes.toml"),
            include_str!("../../data/isolation/wasm.toml"),
            include_str!("../../data/isolation/containers.toml"),
            include_str!("../../data/isolation/microvms.toml"),
            include_str!("../../data/isolation/vms.toml"),
        ];
        let read = |text: &&str| read(text).expect("the embedded catalogue is right: a test reads it");
        files.iter().flat_map(read).collect()
    });
    &ENTRIES
}

/// The entry of a name.
pub(super) fn entry(name: &str) -> &'static Entry {
    catalogue().iter().find(|e| e.name == name).expect("every variant has a catalogue entry: tested")
}

const REQUIRED: [&str; 6] =
    ["start_median_s", "start_sigma", "start_floor_s", "start_cpu_core_s", "memory_overhead_mb", "cpu_factor"];

const LABELS: [&str; 4] = ["published: ", "measured: ", "derived: ", "assumed: "];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    mechanism: Vec<Raw>,
}

/// An entry as it is written: the texts by name, numbers and their sources together in one map.
#[derive(Deserialize)]
struct Raw {
    name: String,
    description: String,
    boundary: String,
    scope: Scope,
    typical_scope: Scope,
    trust: String,
    scale_to_zero: bool,
    runtime_init: bool,
    runtime_init_source: String,
    #[serde(default)]
    base: Option<String>,
    #[serde(default)]
    start_quantiles: Vec<RawLevel>,
    #[serde(default)]
    guest_quantiles: Vec<RawLevel>,
    #[serde(flatten)]
    figures: BTreeMap<String, Cell>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLevel {
    concurrent: u32,
    ms: [f64; 8],
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Cell {
    Number(f64),
    Text(String),
}

/// The entries of one file, checked: known keys only, a labelled source for every number, the required ones present.
pub(super) fn read(text: &str) -> Result<Vec<Entry>, String> {
    let file: File = toml::from_str(text).map_err(|e| e.to_string())?;
    file.mechanism.into_iter().map(|raw| settle(raw).map_err(|(name, e)| format!("{name}: {e}"))).collect()
}

fn settle(mut raw: Raw) -> Result<Entry, (String, String)> {
    let name = raw.name.clone();
    let fail = |e: String| (name.clone(), e);
    let mut figures = Vec::new();
    for (key, meaning) in FIGURES {
        let Some(cell) = raw.figures.remove(key) else { continue };
        let Cell::Number(value) = cell else { return Err(fail(format!("{key} is no number"))) };
        if !value.is_finite() || value < 0.0 {
            return Err(fail(format!("{key} = {value}")));
        }
        figures.push(Figure { key, meaning, value, source: source(&mut raw.figures, key).map_err(fail)? });
    }
    if let Some(missing) = REQUIRED.iter().find(|key| !figures.iter().any(|f| f.key == **key)) {
        return Err(fail(format!("{missing} is missing")));
    }
    let mut table = |key: &str, levels: Vec<RawLevel>| -> Result<Option<Table>, (String, String)> {
        if levels.is_empty() {
            return Ok(None);
        }
        let levels: Result<Vec<Level>, String> = levels
            .iter()
            .map(|l| {
                let quantiles = Quantiles::new(&START_PROBABILITIES, &l.ms.map(|ms| ms / 1000.0))?;
                Ok(Level { concurrent: l.concurrent, quantiles })
            })
            .collect();
        let levels = levels.and_then(Levels::new).map_err(fail)?;
        Ok(Some(Table { levels, source: source(&mut raw.figures, key).map_err(fail)? }))
    };
    let start_quantiles = table("start_quantiles", raw.start_quantiles)?;
    let guest_quantiles = table("guest_quantiles", raw.guest_quantiles)?;
    if let Some(key) = raw.figures.keys().next() {
        return Err(fail(format!("{key} is unknown, or the source of nothing")));
    }
    labelled("runtime_init", &raw.runtime_init_source).map_err(fail)?;
    Ok(Entry {
        name: raw.name,
        description: raw.description,
        boundary: raw.boundary,
        scope: raw.scope,
        typical_scope: raw.typical_scope,
        trust: raw.trust,
        scale_to_zero: raw.scale_to_zero,
        runtime_init: raw.runtime_init,
        runtime_init_source: raw.runtime_init_source,
        base: raw.base,
        figures,
        start_quantiles,
        guest_quantiles,
    })
}

/// Takes the source of a key out of the map.
fn source(cells: &mut BTreeMap<String, Cell>, key: &str) -> Result<String, String> {
    match cells.remove(&format!("{key}_source")) {
        Some(Cell::Text(text)) => labelled(key, &text).map(|()| text),
        _ => Err(format!("{key} has no source")),
    }
}

fn labelled(key: &str, source: &str) -> Result<(), String> {
    match LABELS.iter().any(|label| source.starts_with(label)) {
        true => Ok(()),
        false => Err(format!("the source of {key} begins with none of {LABELS:?}: {source}")),
    }
}
