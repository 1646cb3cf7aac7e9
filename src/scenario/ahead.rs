//! What policies are told before a run: the machines, and, where they declare it, the workload. And which settings of
//! different rooms do not go together.

use super::Scenario;
use super::build::{Fleet, Problem};
use crate::cluster::{CpuModel, Group, UNITS_PER_CORE};
use crate::grid::Signal;
use crate::isolation::{Mechanism, Scope, StartModel};
use crate::scheduler::SiteFacts;
use crate::scheduler::overcommit::Capacity;
use crate::scheduler::packing::{self, HostFacts};
use crate::sci::GroupFacts;
use crate::sim::{ColdWait, Exhaustion, PoolNumbers};
use crate::types::{Duration, FunctionId, Seed, SimTime};
use crate::workload::{Context, FunctionProfile, Survey, SurveyRequest, WorkloadError, survey};

/// Looks at the whole workload beforehand, where a policy or shared sandboxes need it.
pub(super) fn look_ahead(
    scenario: &Scenario,
    context: &Context<'_>,
    mechanism: &Mechanism,
) -> Result<Option<Survey>, WorkloadError> {
    let sizing = scenario.scheduler.scaling.sizing();
    let needs_future = scenario.scheduler.keep_alive.needs_future();
    // Where sandboxes are shared, each has to be large enough for the largest function that may come; where their number is
    // decided ahead of calls, the pools have to be known.
    let shared = matches!(mechanism.scope, Scope::Tenant | Scope::TrustDomain);
    if sizing.is_none() && !needs_future && !shared && scenario.scheduler.scaling.is_passive() {
        return Ok(None);
    }
    let Some(workload) = &scenario.workload else { return Ok(None) };
    let mut opened = workload.open(&Context { prefetch: false, ..*context })?;
    let mut numbers = PoolNumbers::default();
    let request = SurveyRequest {
        quantile: sizing.map(|s| s.quantile),
        future: needs_future,
        factor: mechanism.cpu_factor,
        extra: Duration::ZERO,
        until: scenario.time.duration_s.map(SimTime::from_secs_f64),
    };
    let regions = context.regions.len();
    let mut pool_of = |_: FunctionId, profile: &FunctionProfile| numbers.of(mechanism.scope, profile);
    survey(&mut *opened.arrivals, regions, &mut pool_of, &request).map(Some)
}

/// What policies may know of each region's machines.
pub(super) fn site_facts(groups: &[Group], facts: &[GroupFacts], regions: usize) -> Vec<SiteFacts> {
    let mut sites = vec![SiteFacts::default(); regions];
    for (r, site) in sites.iter_mut().enumerate() {
        let own: Vec<(&Group, &GroupFacts)> = groups.iter().zip(facts).filter(|(g, _)| g.region.index() == r).collect();
        let hosts: f64 = own.iter().map(|(_, f)| f64::from(f.hosts)).sum();
        let mean = |of: &dyn Fn(&Group, &GroupFacts) -> f64| {
            own.iter().map(|(g, f)| of(g, f) * f64::from(f.hosts)).sum::<f64>() / hosts
        };
        *site = SiteFacts {
            idle_w_per_byte: mean(&|g, _| (g.held_w + g.fixed_overhead_w / g.pue) * g.share_per_byte),
            dynamic_w_per_core: mean(&|g, _| (g.power.watts(1.0) - g.idle_w) / (g.cpu as f64 / 1e6)),
            embodied_g_per_s_per_byte: mean(&|g, f| f.embodied_g_per_s() * g.share_per_byte),
            pue: mean(&|g, _| g.pue),
        };
    }
    sites
}

/// What packing may know of each host. `outdoor`: the mean PUE of the regions where it follows the air; `signals`: what policies look
/// at, and over which time its mean is taken.
pub(super) fn packing_fleet(
    scenario: &Scenario,
    fleet: &Fleet,
    mechanism: &Mechanism,
    outdoor: Vec<Option<f64>>,
    (signals, span): (&[Signal], Duration),
) -> packing::Fleet {
    let mean = |signal: &Signal| match span.as_secs_f64() {
        0.0 => signal.cursor().cumulative(SimTime(1)) * 1e9,
        seconds => signal.cursor().cumulative(SimTime::ZERO + span) / seconds,
    };
    let intensity: Vec<f64> = signals.iter().map(mean).collect();
    let mut servers: Vec<Box<str>> = Vec::new();
    let mut groups = Vec::new();
    // What an empty host promises: asked of a policy of its own, so that the engine's hears of nothing twice.
    let mut overcommit = scenario.scheduler.overcommit.build(Seed(scenario.seed).derive("overcommit"));
    for (group, facts) in fleet.groups.iter().zip(&fleet.facts) {
        let server = servers.iter().position(|s| **s == *facts.server).unwrap_or_else(|| {
            servers.push(facts.server.as_str().into());
            servers.len() - 1
        });
        let physical = Capacity { cpu: group.cpu, memory: group.memory.0.saturating_sub(mechanism.memory_per_host.0) };
        let promised = overcommit.allocatable(physical);
        let cores = group.cpu as f64 / UNITS_PER_CORE;
        groups.push(HostFacts {
            region: group.region,
            server: server as u32,
            cpu: promised.cpu,
            memory: promised.memory,
            cores,
            idle_w: group.idle_w,
            dynamic_w_per_core: (group.power.watts(1.0) - group.idle_w) / cores,
            pue: outdoor[group.region.index()].unwrap_or(group.pue),
            fixed_overhead_w: group.fixed_overhead_w,
            embodied_g_per_s: facts.embodied_g_per_s(),
            intensity_g_per_kwh: intensity[group.region.index()],
        });
    }
    let hosts = fleet.hosts.iter().copied().zip(fleet.failure_domains.iter().copied()).collect();
    packing::Fleet::new(servers, groups, hosts)
}

/// Settings that are each right and do not go together.
pub(super) fn check_together(scenario: &Scenario, mechanism: &Mechanism, problems: &mut Vec<Problem>) {
    let account_step = scenario.output.account_step_s.map(Duration::from_secs_f64);
    for (key, message, help) in scenario.sci.attribution.problems(account_step) {
        problems.push(Problem::new(format!("sci.attribution.{key}"), message, help));
    }
    let servers: Vec<&str> = scenario.servers.keys().map(String::as_str).collect();
    for (key, message, help) in scenario.scheduler.packing.problems(&servers) {
        let policy = match &scenario.scheduler.packing {
            packing::PackingSpec::LocalityGroups(_) => "locality-groups",
            _ => "rules",
        };
        problems.push(Problem::new(format!("scheduler.packing.{policy}.{key}"), message, help));
    }
    let contended = scenario.model.cpu == CpuModel::Contended;
    let any_freed = scenario.model.sandbox.cold_wait == ColdWait::AnyFreed;
    let isolation = scenario.isolation.parts().0;
    let mut refuse = |wrong: bool, key: &str, message: &str, help: &str| {
        if wrong {
            problems.push(Problem::new(key, message, help));
        }
    };
    refuse(
        scenario.model.memory.exhaustion == Exhaustion::Swap && !contended,
        "model.memory.exhaustion",
        "swapping slows calls down, but with this model.cpu nothing ever does",
        "set model.cpu = \"contended\", or choose count or kill",
    );
    refuse(
        matches!(mechanism.start_model, StartModel::ProcessorSharing { .. }) && !contended,
        &format!("isolation.{isolation}.start_model"),
        "a start that shares CPU needs a model of sharing",
        "set model.cpu = \"contended\", or choose another start_model",
    );
    refuse(
        scenario.model.max_calls_per_host.is_some() && !(scenario.instances.is_empty() && scenario.jobs.is_empty()),
        "model.max_calls_per_host",
        "a host that is full of calls would be closed to instances and jobs, too",
        "leave it out, or simulate instances and jobs apart",
    );
    refuse(
        any_freed && (mechanism.calls_per_sandbox > 1 || mechanism.scope == Scope::Request),
        "model.sandbox.cold_wait",
        "a freed sandbox can only be passed on where it takes one call at a time and may be used again",
        "set cold_wait = \"bound\", or leave calls_per_sandbox at 1 and scope at \"function\"",
    );
}
