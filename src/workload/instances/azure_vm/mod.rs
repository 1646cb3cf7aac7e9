//! The Azure VM traces of 2017 (V1) and 2019 (V2): a table of VMs, and their CPU readings every five minutes for 30 days.
//!
//! What is data: creation and deletion, subscription, deployment, category, cores, memory, CPU use. What is assumed: a reading
//! holds for the five minutes that begin with it; the buckets of V2 mean what the publishers' notebook takes them for; GB are
//! 2^30 bytes. What is absent: memory use, so that a VM holds what it asked for; dates, so that time 0 is the run's start.
//!
//! Source: Cortez et al., "Resource Central", SOSP 2017; data CC-BY 4.0 (Azure Public Dataset).

mod readings;
mod table;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::WorkloadError;
use super::accounts::AccountBy;
use super::feed::Feed;
use super::spec::Context;
use super::{Instances, Remembered};
use crate::types::Duration;
use crate::workload::files::expand;

/// Length of a reading \[s\].
const STEP_S: u64 = 300;

/// VMs of the Azure traces, V1 or V2.
///
/// Memory: about 200 bytes per VM of the table that is kept; readings only of live VMs, one or two each while all run on time,
/// and 12 bytes per reading of a live VM with `after_eviction = "replay"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AzureVmSpec {
    /// The table `vmtable.csv`, plain or gzip, without header. (path)
    pub vmtable: PathBuf,
    /// Files of readings (`vm_cpu_readings-file-N-of-M.csv`), plain or gzip, in order of time from the first one; a folder stands
    /// for its .csv and .csv.gz files in order of their numbers. Beyond them, and without any, a VM uses its avgcpu. (paths)
    /// Default: none.
    #[serde(default)]
    pub readings: Vec<PathBuf>,
    /// Which figure of a reading is the demand over its five minutes: `avg`, whose sum is the CPU time used, and so the energy;
    /// or `max`, which bounds what placement must hold. Default avg.
    #[serde(default)]
    pub reading: Reading,
    /// Share of VMs to keep, chosen by a hash of each VM's identifier: a smaller share keeps a subset of a larger one, whatever
    /// the seed. 0 to 1. Default: all.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_vms: Option<f64>,
    /// An evicted VM that starts anew: `replay` its usage from the beginning, or `go-on` with what comes next, as load from outside
    /// would, which holds no history. Default replay.
    #[serde(default)]
    pub after_eviction: AfterEviction,
    /// Priority of all VMs; the trace has none. Default 0.
    #[serde(default)]
    pub priority: u8,
    /// One account per tenant (subscription) or per instance. Default tenant.
    #[serde(default)]
    pub account_by: AccountBy,
    /// Region in which VMs are asked for. Default: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// A figure of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// The mean over the five minutes.
    #[default]
    Avg,
    /// The highest of the five minutes.
    Max,
}

/// What an instance that starts anew uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AfterEviction {
    /// Its usage from the beginning.
    #[default]
    Replay,
    /// What comes next.
    GoOn,
}

/// Reads the table, and opens the readings.
pub(super) fn open(spec: &AzureVmSpec, context: &Context<'_>) -> Result<Box<dyn Instances>, WorkloadError> {
    if let Some(share) = spec.sample_vms.filter(|share| !(0.0..=1.0).contains(share)) {
        return Err(WorkloadError::Spec {
            what: format!("azure-vm: sample_vms = {share}"),
            help: "give a share from 0 to 1, or leave the key out".to_owned(),
        });
    }
    let region = context.region(spec.region.as_deref(), "azure-vm.region")?;
    let read = table::read(&context.base_dir.join(&spec.vmtable), spec)?;
    let files = expand(context.base_dir, &spec.readings)?;
    let readings = readings::Files::new(files, spec, read.numbers, read.cores)?;
    let mut notes = read.notes;
    let figure = match spec.reading {
        Reading::Avg => "the mean",
        Reading::Max => "the maximum",
    };
    notes.push(("demand".to_owned(), format!("{figure} of each five minutes")));
    notes.push(("dates".to_owned(), "the trace has none: its time 0 is the run's start".to_owned()));
    let feed = Feed::new(
        read.table,
        read.tenants,
        spec.account_by,
        region,
        Duration::from_secs(STEP_S),
        readings,
        notes,
        read.inputs,
    );
    Ok(match spec.after_eviction {
        AfterEviction::Replay => Box::new(Remembered::new(feed)),
        AfterEviction::GoOn => Box::new(feed),
    })
}
