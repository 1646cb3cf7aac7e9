//! Language runtimes: what comes after the isolation part of a start, initialisation, load of dependencies, connections.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::code_push::CodePush;
use super::quantiles::Quantiles;
use super::start::seconds;
use crate::types::{Duration, Memory, Stream};

/// `[runtime]`: what a sandbox has to do between its start and its first call. Without a language, no initialisation.
///
/// Formula: start = isolation + init(language, package) + dependencies_mb × load_s_per_mb + connect_s. A mechanism that
/// restores a snapshot, or whose runtime runs already, skips init and load; connections come after every start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuntimeSpec {
    /// Language runtime, a name of `sim list runtimes`. Default: none, no initialisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// How the function is packed; the initialisation of the two kinds was measured apart. Default `zip`.
    #[serde(default)]
    pub package: Package,
    /// Dependencies that are loaded after initialisation \[MB\]. Default 0.
    #[schemars(range(min = 0.0))]
    #[serde(default)]
    pub dependencies_mb: f64,
    /// Time to load a megabyte of dependencies [s/MB]. Default 0.1 (derived from three points of JavaScript on one
    /// platform in 2021).
    #[schemars(range(min = 0.0))]
    #[serde(default = "load_s_per_mb")]
    pub load_s_per_mb: f64,
    /// Time to connect to services, after every start and every restore of a snapshot \[s\]. Default 0.
    #[schemars(range(min = 0.0))]
    #[serde(default)]
    pub connect_s: f64,
    /// CPU that is busy during initialisation and load \[cores\]. Default 1 (assumed: initialisation gets full CPU).
    #[schemars(range(min = 0.0))]
    #[serde(default = "one")]
    pub init_cores: f64,
    /// How many first calls of a sandbox run longer by `warmup_factor`, before code is compiled just in time. Default 0.
    #[serde(default)]
    pub warmup_calls: u32,
    /// By how much longer those calls run; 1 is not at all. Default 1.
    #[schemars(range(min = 0.01, max = 1000.0))]
    #[serde(default = "one")]
    pub warmup_factor: f64,
    /// New code that is pushed to running workers, after which calls run slower for a while. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_push: Option<CodePush>,
}

/// How a function is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Package {
    /// An archive of code.
    #[default]
    Zip,
    /// A container image.
    Image,
}

fn load_s_per_mb() -> f64 {
    runtimes().load_s_per_mb
}

fn one() -> f64 {
    1.0
}

impl Default for RuntimeSpec {
    fn default() -> Self {
        Self {
            language: None,
            package: Package::default(),
            dependencies_mb: 0.0,
            load_s_per_mb: load_s_per_mb(),
            connect_s: 0.0,
            init_cores: 1.0,
            warmup_calls: 0,
            warmup_factor: 1.0,
            code_push: None,
        }
    }
}

/// The catalogue of language runtimes, `data/isolation/runtimes.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeFile {
    /// Source of all quantiles.
    pub source: String,
    /// Licence of that source.
    pub licence: String,
    /// Time to load a megabyte of dependencies [s/MB].
    pub load_s_per_mb: f64,
    /// Its source.
    pub load_s_per_mb_source: String,
    /// The runtimes.
    pub runtime: Vec<RuntimeEntry>,
}

/// One language runtime in one kind of package.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeEntry {
    /// The name that scenarios use.
    pub language: String,
    /// The kind of package.
    pub package: Package,
    /// Its name in the source.
    pub row: String,
    /// How many starts were measured.
    pub starts: u32,
    /// Init at [`RUNTIME_PROBABILITIES`] \[ms\].
    pub ms: [f64; 5],
    /// Mean memory of the hello-world function \[MB\].
    pub memory_mb: f64,
}

/// The probabilities of a runtime's quantiles. The last is the maximum, taken as the quantile at 1.
pub const RUNTIME_PROBABILITIES: [f64; 5] = [0.05, 0.50, 0.95, 0.99, 1.0];

/// The catalogue of language runtimes.
pub fn runtimes() -> &'static RuntimeFile {
    static FILE: LazyLock<RuntimeFile> = LazyLock::new(|| {
        toml::from_str(include_str!("../../data/isolation/runtimes.toml"))
            .expect("the embedded catalogue parses: a test reads it")
    });
    &FILE
}

/// A language runtime with its figures settled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Runtime {
    /// Initialisation; `None` takes no time.
    pub init: Option<Quantiles>,
    /// Load of dependencies \[s\].
    #[serde(rename = "load_s", serialize_with = "seconds")]
    pub load: Duration,
    /// Connecting, after every start and restore \[s\].
    #[serde(rename = "connect_s", serialize_with = "seconds")]
    pub connect: Duration,
    /// CPU that is busy during initialisation and load \[cores\].
    pub init_cores: f64,
    /// How many first calls of a sandbox run longer.
    pub warmup_calls: u32,
    /// By how much longer those run.
    pub warmup_factor: f64,
    /// Pushes of new code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_push: Option<CodePush>,
    /// Mean memory that a hello-world function of the runtime used \[MB\]; for information, a function's memory is the
    /// workload's.
    pub memory_mb: Option<f64>,
}

impl RuntimeSpec {
    /// The catalogue's figures with this table's.
    ///
    /// # Errors
    /// The language is not in the catalogue; the message names those that are.
    pub fn build(&self) -> Result<Runtime, String> {
        let entry = match &self.language {
            None => None,
            Some(language) => {
                let found = runtimes().runtime.iter().find(|r| r.language == *language && r.package == self.package);
                Some(found.ok_or_else(|| format!("no language runtime is called \"{language}\"; known: {}", known()))?)
            }
        };
        let init = entry.map(|e| {
            Quantiles::new(&RUNTIME_PROBABILITIES, &e.ms.map(|ms| ms / 1000.0))
                .expect("the embedded quantiles are a distribution: a test builds them all")
        });
        Ok(Runtime {
            init,
            load: Duration::from_secs_f64(self.dependencies_mb * self.load_s_per_mb),
            connect: Duration::from_secs_f64(self.connect_s),
            init_cores: self.init_cores,
            warmup_calls: self.warmup_calls,
            warmup_factor: self.warmup_factor,
            code_push: self.code_push.clone(),
            memory_mb: entry.map(|e| e.memory_mb),
        })
    }
}

/// The names of all languages, once each.
fn known() -> String {
    let mut names: Vec<&str> = runtimes().runtime.iter().map(|r| r.language.as_str()).collect();
    names.dedup();
    names.join(", ")
}

impl Runtime {
    /// CPU time of all that follows the boot, when that takes `init` in all [core·s]: connecting needs none.
    pub fn init_core_s(&self, init: Duration) -> f64 {
        Duration(init.0.saturating_sub(self.connect.0)).as_secs_f64() * self.init_cores
    }

    /// Draws the time of one initialisation: one uniform by inversion, or none where there is no language.
    #[inline]
    pub fn init(&self, stream: &mut Stream) -> Duration {
        self.init.as_ref().map_or(Duration::ZERO, |q| Duration::from_secs_f64(q.at(stream.uniform())))
    }

    /// Mean memory that a hello-world function of the runtime used; for information.
    pub fn memory(&self) -> Option<Memory> {
        self.memory_mb.map(Memory::from_mb)
    }
}
