//! Poisson arrivals with a service-time distribution: the textbook workload, for closed forms and first experiments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::zipf::Zipf;
use super::{Arrival, Arrivals, BATCH_CALLS, Batch, FunctionProfile, Quota, Trigger, WorkloadError};
use crate::types::{Duration, FunctionId, Memory, MilliCores, RegionId, Seed, SimTime, Stream, TenantId};

/// `[workload.poisson]`: one Poisson process per region, with independent service times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoissonSpec {
    /// Calls per second in all regions together.
    #[schemars(range(min = 0.000001, max = 100000000.0))]
    pub rate_per_s: f64,
    /// How many calls in all.
    #[schemars(range(min = 1))]
    pub calls: u64,
    /// How long a call runs alone.
    pub service: Service,
    /// How many functions; a call picks one by Zipf's law. Default 1.
    #[schemars(range(min = 1, max = 10000000))]
    #[serde(default = "one_function")]
    pub functions: u32,
    /// Exponent of Zipf's law over the functions; 0 makes them equally popular. Default 1.
    #[schemars(range(min = 0.0, max = 10.0))]
    #[serde(default = "one")]
    pub zipf_exponent: f64,
    /// Memory of each function \[MB\]. Default 128.
    #[schemars(range(min = 0.0))]
    #[serde(default = "memory")]
    pub memory_mb: f64,
    /// CPU that one running call demands \[cores\]. Default 1.
    #[schemars(range(min = 0.0, max = 4000000.0))]
    #[serde(default = "one")]
    pub cpu_cores: f64,
    /// Deadline \[s after arrival\]. Default: none.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_s: Option<f64>,
}

fn one_function() -> u32 {
    1
}

fn one() -> f64 {
    1.0
}

fn memory() -> f64 {
    128.0
}

/// A distribution of service times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Service {
    /// Exponential.
    Exponential {
        /// Mean \[s\].
        #[schemars(range(min = 0.0))]
        mean_s: f64,
    },
    /// Always the same.
    Constant {
        /// Length \[s\].
        #[schemars(range(min = 0.0))]
        length_s: f64,
    },
    /// Log-normal.
    Lognormal {
        /// Median \[s\].
        #[schemars(range(min = 0.0))]
        median_s: f64,
        /// Standard deviation of the logarithm.
        #[schemars(range(min = 0.0, max = 10.0))]
        sigma: f64,
    },
}

impl Service {
    /// One service time.
    pub(super) fn draw(&self, stream: &mut Stream) -> Duration {
        Duration::from_secs_f64(match *self {
            Service::Exponential { mean_s } => stream.exponential(mean_s),
            Service::Constant { length_s } => length_s,
            Service::Lognormal { median_s, sigma } => stream.lognormal(median_s, sigma),
        })
    }
}

/// The generator. Arrival times, service times, functions and regions come from streams of their own.
pub struct Poisson {
    spec: PoissonSpec,
    regions: u32,
    made: u64,
    now: f64,
    times: Stream,
    services: Stream,
    choices: Stream,
    places: Stream,
    zipf: Zipf,
}

impl Poisson {
    /// A generator for `regions` regions, which share the calls evenly.
    pub fn new(spec: &PoissonSpec, regions: usize, seed: Seed) -> Self {
        let seed = seed.derive("poisson");
        Self {
            spec: spec.clone(),
            regions: regions as u32,
            made: 0,
            now: 0.0,
            times: seed.stream("times", 0),
            services: seed.stream("services", 0),
            choices: seed.stream("functions", 0),
            places: seed.stream("regions", 0),
            zipf: Zipf::new(spec.functions, spec.zipf_exponent),
        }
    }

    fn announce(&self, batch: &mut Batch) {
        batch.tenants.push("default".into());
        batch.functions.extend((0..self.spec.functions).map(|i| FunctionProfile {
            name: format!("f{i}").into(),
            tenant: TenantId(0),
            memory: Memory::from_mb(self.spec.memory_mb),
            cpu: MilliCores::from_cores(self.spec.cpu_cores),
            trigger: Trigger::Http,
            criticality: 0,
            quota: Quota::Reserved,
            trust_domain: 0,
            quota_cores: None,
            mean_call: None,
        }));
    }

    fn function(&mut self) -> FunctionId {
        FunctionId::from_index(self.zipf.pick(|| self.choices.uniform()))
    }
}

impl Arrivals for Poisson {
    fn next_batch(&mut self, batch: &mut Batch) -> Result<(), WorkloadError> {
        batch.clear();
        if self.made == 0 {
            self.announce(batch);
        }
        while batch.calls.len() < BATCH_CALLS && self.made < self.spec.calls {
            self.now += self.times.exponential(1.0 / self.spec.rate_per_s);
            let time = SimTime::from_secs_f64(self.now);
            let deadline = self.spec.deadline_s.map_or(SimTime::NEVER, |d| time + Duration::from_secs_f64(d));
            batch.calls.push(Arrival {
                time,
                start: time,
                work: self.spec.service.draw(&mut self.services),
                deadline,
                function: self.function(),
                region: RegionId(self.places.below(u64::from(self.regions)) as u32),
                count: 1,
            });
            self.made += 1;
        }
        Ok(())
    }

    fn progress(&self) -> f64 {
        self.made as f64 / self.spec.calls as f64
    }
}
