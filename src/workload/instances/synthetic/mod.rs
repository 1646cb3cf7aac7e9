//! Made instances: a standing population and Poisson arrivals, sizes, lives, and usage calibrated to published figures.
//!
//! Every instance draws from streams named by purpose and numbered by itself, so that a change of one key moves nothing that
//! does not depend on it, and two policies meet the same load.

mod shape;
mod spec;
#[cfg(test)]
mod tests;
mod usage;

pub use shape::{Lifetime, Shape, Sizes};
pub use spec::{Arrivals, SyntheticSpec};
pub use usage::{Draw, IidSpec, LikeBorgSpec, ShareSpec, UsageSpec};

pub(super) use usage::{Process, Processes};

use jiff::tz::Offset;
use rustc_hash::FxHashMap;

use super::super::WorkloadError;
use super::accounts::Accounts;
use super::spec::Context;
use super::{Announced, Class, Instance, Instances, NO_DEPLOYMENT, Usage};
use crate::types::{Duration, Memory, RegionId, Seed, SimTime, Stream};

const SECONDS_PER_HOUR: f64 = 3600.0;
const HOURS_PER_DAY: f64 = 24.0;

/// An error in a section's keys.
pub(super) fn wrong(section: &str, what: &str, help: String) -> WorkloadError {
    WorkloadError::Spec { what: format!("{section}: {what}"), help }
}

/// Hour of the day of an instant, UTC.
pub(in crate::workload) fn hour_of_day(start: jiff::Timestamp) -> f64 {
    let time = Offset::UTC.to_datetime(start).time();
    f64::from(time.hour()) + f64::from(time.minute()) / 60.0 + f64::from(time.second()) / SECONDS_PER_HOUR
}

/// The generator.
#[derive(Debug)]
pub struct Synthetic {
    spec: SyntheticSpec,
    sizes: shape::Drawer,
    processes: Processes,
    accounts: Accounts,
    seed: Seed,
    region: Option<RegionId>,
    regions: u32,
    start_hour: f64,
    end: SimTime,
    arrivals: Stream,
    now: SimTime,
    next: u32,
    live: FxHashMap<u32, Process>,
}

impl Synthetic {
    /// The generator.
    ///
    /// # Errors
    /// A key is out of range, or two keys contradict each other.
    pub fn new(spec: &SyntheticSpec, context: &Context<'_>) -> Result<Self, WorkloadError> {
        spec.check()?;
        let seed = context.seed.derive("synthetic-instances");
        let start_hour = hour_of_day(context.start);
        let region = spec.region.as_deref().map(|name| context.region(Some(name), "synthetic.region")).transpose()?;
        Ok(Self {
            sizes: spec.sizes.drawer(),
            processes: Processes::new(&spec.usage, Duration::from_secs_f64(spec.step_s), seed, start_hour),
            accounts: Accounts::new(spec.account_by),
            region,
            regions: context.regions.len().max(1) as u32,
            start_hour,
            end: SimTime::from_secs_f64(spec.duration_s),
            arrivals: seed.stream("arrivals", 0),
            now: SimTime::ZERO,
            next: 0,
            live: FxHashMap::default(),
            spec: spec.clone(),
            seed,
        })
    }

    /// The time of the next instance, before the end.
    fn time(&mut self) -> Option<SimTime> {
        if self.next < self.spec.count {
            return Some(SimTime::ZERO);
        }
        let arrivals = self.spec.arrivals.as_ref()?;
        self.now = arrivals.after(self.now, self.end, self.start_hour, &mut self.arrivals);
        (self.now < self.end).then_some(self.now)
    }
}

impl Instances for Synthetic {
    fn next(&mut self, announced: &mut Announced) -> Result<Option<Instance>, WorkloadError> {
        let Some(time) = self.time() else { return Ok(None) };
        let (number, spec) = (self.next, &self.spec);
        self.next += 1;
        let stream = |purpose| self.seed.stream(purpose, number.into());
        let (cpu, memory) = self.sizes.draw(stream("size").uniform());
        let cpu_limit = (cpu as f64 * spec.limit_to_request).round() as u64;
        let residual = spec.residual_life && number < spec.count;
        let lifetime = spec.lifetime.draw(&mut stream("life"), self.end - time, residual);
        let batch = stream("class").uniform() < spec.batch_share;
        let tenant = number % spec.tenants;
        let domain = tenant % spec.trust_domains.unwrap_or(spec.tenants);
        let name = format!("i{number}");
        let account = self.accounts.of(&format!("t{tenant}"), &name, Some(domain), announced);
        let used = (spec.memory_share < 1.0).then(|| Memory((memory.0 as f64 * spec.memory_share).round() as u64));
        let process = self.processes.begin(number, time, lifetime, (cpu, cpu_limit), used);
        self.live.insert(number, process);
        Ok(Some(Instance {
            name: name.into(),
            time,
            lifetime: Some(lifetime),
            account,
            region: self.region.unwrap_or(RegionId(tenant % self.regions)),
            cpu,
            cpu_limit,
            memory,
            priority: if batch { spec.batch_priority } else { spec.priority },
            class: if batch { Class::Batch } else { Class::LatencySensitive },
            deployment: spec
                .deployment_size
                .map_or(NO_DEPLOYMENT, |size| tenant + spec.tenants * (number / spec.tenants / size)),
        }))
    }

    fn usage(&mut self, instance: u32) -> Result<Option<Usage>, WorkloadError> {
        Ok(self.live.get_mut(&instance).and_then(|process| self.processes.next(process)))
    }

    fn release(&mut self, instance: u32) {
        self.live.remove(&instance);
    }

    fn rewind(&mut self, instance: u32) -> Result<(), WorkloadError> {
        if let Some(process) = self.live.get_mut(&instance) {
            *process = self.processes.again(process);
        }
        Ok(())
    }

    fn progress(&self) -> f64 {
        if self.spec.arrivals.is_some() {
            return (self.now.as_secs_f64() / self.end.as_secs_f64()).min(1.0);
        }
        f64::from(self.next) / f64::from(self.spec.count)
    }

    fn span(&self) -> Option<Duration> {
        match self.spec.lifetime {
            Lifetime::WholeRun {} => Some(Duration(self.end.0)),
            Lifetime::Fixed { life_s } => Some(Duration(self.end.0) + Duration::from_secs_f64(life_s)),
            Lifetime::Lognormal { .. } => None,
        }
    }

    fn notes(&self) -> Vec<(String, String)> {
        let usage = match &self.spec.usage {
            UsageSpec::LikeBorg(_) => "like-borg: fitted to published figures of Borg, no replay of a trace",
            UsageSpec::Iid(_) => "iid: independent from step to step",
            UsageSpec::Constant(_) => "constant",
        };
        vec![
            ("source".to_owned(), "synthetic instances".to_owned()),
            ("usage".to_owned(), usage.to_owned()),
            ("instances".to_owned(), self.next.to_string()),
        ]
    }
}
