//! `[workload]`: the catalogue of sources.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Arrivals, CallsCsv, CallsParquet, CallsSpec, Poisson, PoissonSpec, Prefetch, WorkloadError, azure2019,
    last_arrival, tenants, xfaas,
};
use crate::types::{Duration, Seed};

/// Where calls come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum WorkloadSpec {
    /// A CSV or Parquet file with one row per call.
    Calls(CallsSpec),
    /// Poisson arrivals with a service-time distribution.
    Poisson(PoissonSpec),
    /// The Azure Functions 2019 trace format: invocations per minute, durations and memory in three CSV files.
    #[serde(rename = "azure-functions-2019")]
    AzureFunctions2019(azure2019::Spec),
    /// A synthetic week like that of XFaaS, Meta's serverless platform (SOSP 2023).
    Xfaas(xfaas::XFaasSpec),
    /// Many independent tenants with steady, diurnal, bursty or timer traffic.
    Tenants(tenants::TenantsSpec),
}

/// A source, and when its last call arrives at the latest.
pub struct Opened {
    /// The source.
    pub arrivals: Box<dyn Arrivals>,
    /// No call arrives later than this after the start; `None` if that is not known beforehand.
    pub span: Option<Duration>,
}

/// What a source must know of the scenario.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Paths are relative to this folder.
    pub base_dir: &'a Path,
    /// The regions' names.
    pub regions: &'a [String],
    /// The regions' shares of CPU capacity.
    pub capacity: &'a [f64],
    /// The root of the run's random streams.
    pub seed: Seed,
    /// Read or generate in a thread of its own.
    pub prefetch: bool,
}

impl WorkloadSpec {
    /// The source's name, as in the scenario.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Calls(_) => "calls",
            Self::Poisson(_) => "poisson",
            Self::AzureFunctions2019(_) => "azure-functions-2019",
            Self::Xfaas(_) => "xfaas",
            Self::Tenants(_) => "tenants",
        }
    }

    /// Opens the source.
    ///
    /// # Errors
    /// A file is missing or wrong, or the parameters contradict each other.
    pub fn open(&self, context: &Context<'_>) -> Result<Opened, WorkloadError> {
        let mut opened = self.open_plain(context)?;
        if context.prefetch {
            let thread = Prefetch::start(opened.arrivals).map_err(|e| WorkloadError::Spec {
                what: format!("cannot start a thread for the workload: {e}"),
                help: "run with --threads 1".to_owned(),
            })?;
            opened.arrivals = Box::new(thread);
        }
        Ok(opened)
    }

    fn open_plain(&self, context: &Context<'_>) -> Result<Opened, WorkloadError> {
        let seed = context.seed.derive("workload");
        Ok(match self {
            Self::Calls(spec) => open_calls(spec, context)?,
            Self::AzureFunctions2019(spec) => {
                let arrivals = azure2019::Azure2019::open(spec.clone(), context.base_dir, seed)?;
                let span = Some(arrivals.span());
                Opened { arrivals: Box::new(arrivals), span }
            }
            Self::Xfaas(spec) => {
                let arrivals = xfaas::XFaas::new(spec, context.capacity, seed)?;
                let span = Some(arrivals.duration());
                Opened { arrivals: Box::new(arrivals), span }
            }
            Self::Tenants(spec) => {
                let arrivals = tenants::Tenants::new(spec, context.regions.len(), seed)?;
                let span = Some(arrivals.duration());
                Opened { arrivals: Box::new(arrivals), span }
            }
            Self::Poisson(spec) => Opened {
                arrivals: Box::new(Poisson::new(spec, context.regions.len(), seed)),
                // Ten standard deviations beyond the mean time of the last arrival.
                span: Some(Duration::from_secs_f64(
                    (spec.calls as f64 + 10.0 * (spec.calls as f64).sqrt() + 50.0) / spec.rate_per_s,
                )),
            },
        })
    }
}

fn open_calls(spec: &CallsSpec, context: &Context<'_>) -> Result<Opened, WorkloadError> {
    let path = context.base_dir.join(&spec.path);
    match path.extension().and_then(|e| e.to_str()) {
        Some("csv") => {
            let arrivals = CallsCsv::open(&path, spec, context.regions)?;
            let span = last_arrival(&path)?.map(|t| Duration(t.0));
            Ok(Opened { arrivals: Box::new(arrivals), span })
        }
        Some("parquet") => {
            let arrivals = CallsParquet::open(&path, spec, context.regions)?;
            let span = arrivals.last_arrival()?.map(|t| Duration(t.0));
            Ok(Opened { arrivals: Box::new(arrivals), span })
        }
        _ => Err(WorkloadError::File {
            path,
            what: "the name ends neither in .csv nor in .parquet".to_owned(),
            help: "rename the file, or convert it".to_owned(),
        }),
    }
}
