//! Many independent tenants, each with functions of its own and a shape of traffic: steady, diurnal, bursty or timer.
//!
//! ```text
//!  tenant ──> mean rate (log-normal) ──> Clock (shape) ──> next call ──┐
//!  tenant ──> ...                                                      ├──> heap by (time, tenant) ──> calls
//!  tenant ──> ...                                                      ┘
//! ```
//!
//! It is made for questions like: which traffic is served with less carbon by functions that come and go? At equal
//! `requests_per_hour` the shapes differ only in when the calls arrive. Nothing here is fitted to a trace.

mod clock;
mod spec;
#[cfg(test)]
mod tests;

pub use spec::{Shape, TenantsSpec};

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use clock::Clock;

use super::zipf::Zipf;
use super::{Arrival, Arrivals, BATCH_CALLS, Batch, FunctionProfile, Quota, Trigger, WorkloadError};
use crate::types::{Duration, FunctionId, Memory, MilliCores, RegionId, Seed, SimTime, Stream, TenantId};

/// One tenant: its clock, and a stream for each thing that is drawn per call.
struct Tenant {
    clock: Clock,
    functions: Stream,
    services: Stream,
}

/// The generator. Its memory grows with the tenants and their functions (about 250 bytes a tenant), not with the calls.
///
/// Every stream is keyed by its tenant's number alone, so that adding tenants changes nothing for those before.
pub struct Tenants {
    spec: TenantsSpec,
    regions: u32,
    end: SimTime,
    zipf: Zipf,
    tenants: Vec<Tenant>,
    next: BinaryHeap<Reverse<(SimTime, u32)>>,
    rate_per_s: f64,
    seed: Seed,
    announced: bool,
    made: u64,
    now: SimTime,
}

impl Tenants {
    /// The generator for `regions` (at least one) regions: tenant t is at home in region t modulo their number.
    ///
    /// # Errors
    /// A key is out of range, or two keys contradict each other.
    pub fn new(spec: &TenantsSpec, regions: usize, seed: Seed) -> Result<Self, WorkloadError> {
        spec.check()?;
        let seed = seed.derive("tenants");
        let end = SimTime::from_secs_f64(spec.duration_s);
        let begin = SimTime::from_secs_f64(spec.begin_s);
        let mut next = BinaryHeap::new();
        let mut rate_per_s = 0.0;
        let tenants = (0..spec.tenants).map(|t| {
            let entity = u64::from(t);
            // The mean of exp(sigma z - sigma²/2), z standard normal, is 1.
            let sigma = spec.rate_sigma;
            let z = seed.stream("rate", entity).standard_normal();
            let rate = spec.rate_per_s() * libm::exp(sigma * (z - 0.5 * sigma));
            rate_per_s += rate;
            let mut clock = Clock::new(&spec.shape, rate, seed, entity);
            let mut first = clock.next(end);
            while first.is_some_and(|time| time < begin) {
                first = clock.next(end);
            }
            if let Some(first) = first {
                next.push(Reverse((first, t)));
            }
            let stream = |purpose| seed.stream(purpose, entity);
            Tenant { clock, functions: stream("functions"), services: stream("services") }
        });
        let tenants = tenants.collect();
        Ok(Self {
            end,
            zipf: Zipf::new(spec.functions_per_tenant, spec.zipf_exponent),
            spec: spec.clone(),
            regions: regions.max(1) as u32,
            tenants,
            next,
            rate_per_s,
            seed,
            announced: false,
            made: 0,
            now: SimTime::ZERO,
        })
    }

    /// Mean calls per second of all tenants together, in the long run, at the rates that were drawn for them.
    pub fn rate_per_s(&self) -> f64 {
        self.rate_per_s
    }

    /// No call arrives later than this after the start.
    pub fn duration(&self) -> Duration {
        Duration(self.end.0)
    }

    fn announce(&self, batch: &mut Batch) {
        let spec = &self.spec;
        let domains = spec.trust_domains.unwrap_or(spec.tenants);
        // Somebody who calls by the clock is no user who waits for a page.
        let trigger = if matches!(spec.shape, Shape::Timer { .. }) { Trigger::Timer } else { Trigger::Http };
        for t in 0..spec.tenants {
            batch.tenants.push(format!("t{t}").into());
            let memory = self.seed.derive("memory").child(t.into());
            for f in 0..spec.functions_per_tenant {
                let mb = memory.child(f.into()).into_stream().lognormal(spec.memory_mb, spec.memory_sigma);
                batch.functions.push(FunctionProfile {
                    name: format!("t{t}/f{f}").into(),
                    tenant: TenantId(t),
                    memory: Memory::from_mb(mb),
                    cpu: MilliCores::from_cores(spec.cpu_cores),
                    trigger,
                    criticality: 0,
                    quota: Quota::Reserved,
                    trust_domain: t % domains,
                    quota_cores: None,
                    mean_call: None,
                });
            }
        }
    }

    /// Takes the earliest call, and puts that tenant's next one into its place.
    fn take(&mut self) -> Option<Arrival> {
        let mut top = self.next.peek_mut()?;
        let Reverse((time, t)) = *top;
        let tenant = &mut self.tenants[t as usize];
        match tenant.clock.next(self.end) {
            Some(following) => *top = Reverse((following, t)),
            None => {
                PeekMut::pop(top);
            }
        }
        let functions = self.spec.functions_per_tenant;
        let f = self.zipf.pick(|| tenant.functions.uniform()) as u32;
        Some(Arrival {
            time,
            start: time,
            work: self.spec.service.draw(&mut tenant.services),
            deadline: self.spec.deadline_s.map_or(SimTime::NEVER, |d| time + Duration::from_secs_f64(d)),
            function: FunctionId(t * functions + f),
            region: RegionId(t % self.regions),
            count: 1,
        })
    }
}

impl Arrivals for Tenants {
    fn next_batch(&mut self, batch: &mut Batch) -> Result<(), WorkloadError> {
        batch.clear();
        if !self.announced {
            self.announced = true;
            self.announce(batch);
        }
        while batch.calls.len() < BATCH_CALLS {
            let Some(call) = self.take() else { break };
            self.made += 1;
            self.now = call.time;
            batch.calls.push(call);
        }
        if self.next.is_empty() {
            self.now = self.end;
        }
        Ok(())
    }

    fn progress(&self) -> f64 {
        self.now.as_secs_f64() / self.end.as_secs_f64()
    }

    fn notes(&self) -> Vec<(String, String)> {
        let (tenants, shape) = (self.spec.tenants, self.spec.shape.name());
        vec![
            ("source".to_owned(), format!("synthetic: {tenants} independent tenants, {shape}; fitted to nothing")),
            ("calls_made".to_owned(), self.made.to_string()),
            ("long_run_calls_per_s".to_owned(), format!("{:.6} at the rates drawn", self.rate_per_s)),
        ]
    }
}
