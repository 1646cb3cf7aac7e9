//! `[instances.NAME]`: the catalogue of sources.

use std::path::Path;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::WorkloadError;
use super::Instances;
use super::azure_packing::{self, AzurePackingSpec};
use super::azure_vm::{self, AzureVmSpec};
use super::bitbrains::{self, BitbrainsSpec};
use super::borg::{self, BorgSpec};
use super::opendc::{self, OpenDcSpec};
use super::synthetic::{Synthetic, SyntheticSpec};
use crate::types::{RegionId, Seed};

/// Where instances come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum InstancesSpec {
    /// Tasks and fragments in the Parquet format of OpenDC.
    #[serde(rename = "opendc")]
    OpenDc(OpenDcSpec),
    /// The Azure VM traces of 2017 (V1) and 2019 (V2): a table of VMs and their CPU readings.
    AzureVm(AzureVmSpec),
    /// The Azure trace for packing of 2020: requests and lifetimes without usage.
    AzurePacking(AzurePackingSpec),
    /// Bitbrains GWA-T-12: one CSV file per VM.
    Bitbrains(BitbrainsSpec),
    /// Usage of Borg tasks: a plain CSV exported from the traces of 2011 or 2019.
    Borg(BorgSpec),
    /// A calibrated generator.
    Synthetic(SyntheticSpec),
}

/// What a source must know of the scenario.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Paths are relative to this folder.
    pub base_dir: &'a Path,
    /// The regions' names.
    pub regions: &'a [String],
    /// A seed of this source's own: derive it from the run's seed and the source's name.
    pub seed: Seed,
    /// The instant of the run's start.
    pub start: Timestamp,
}

impl Context<'_> {
    /// The region of a name; the first without one.
    pub(super) fn region(&self, name: Option<&str>, key: &str) -> Result<RegionId, WorkloadError> {
        let Some(name) = name else { return Ok(RegionId::from_index(0)) };
        match self.regions.iter().position(|r| r == name) {
            Some(at) => Ok(RegionId::from_index(at)),
            None => Err(WorkloadError::Spec {
                what: format!("{key} = \"{name}\" is not a region of this scenario"),
                help: format!("name one of: {}", self.regions.join(", ")),
            }),
        }
    }
}

impl InstancesSpec {
    /// The source's name, as in the scenario.
    pub fn name(&self) -> &'static str {
        match self {
            Self::OpenDc(_) => "opendc",
            Self::AzureVm(_) => "azure-vm",
            Self::AzurePacking(_) => "azure-packing",
            Self::Bitbrains(_) => "bitbrains",
            Self::Borg(_) => "borg",
            Self::Synthetic(_) => "synthetic",
        }
    }

    /// Opens the source.
    ///
    /// # Errors
    /// A file is missing or wrong, or the parameters contradict each other.
    pub fn open(&self, context: &Context<'_>) -> Result<Box<dyn Instances>, WorkloadError> {
        Ok(match self {
            Self::OpenDc(spec) => Box::new(opendc::open(spec, context)?),
            Self::AzureVm(spec) => azure_vm::open(spec, context)?,
            Self::AzurePacking(spec) => Box::new(azure_packing::open(spec, context)?),
            Self::Bitbrains(spec) => Box::new(bitbrains::open(spec, context)?),
            Self::Borg(spec) => borg::open(spec, context)?,
            Self::Synthetic(spec) => Box::new(Synthetic::new(spec, context)?),
        })
    }
}
