//! From a scenario to everything a run needs.

use std::collections::BTreeMap;
use std::path::Path;

use super::ahead::{check_together, look_ahead, packing_fleet, site_facts};
use super::beside;
use super::forecasts::{Forecasts, build_forecasts};
use super::instances::{check_instances, open_instances, watch};
use super::jobs::open_jobs;
use super::meter;
use super::network::{build_network, routing_context};
use super::server::Server;
use super::signals::{self, Signals};
use super::uncertainty::check_uncertainty;
use super::{DEFAULT_PUE, EndRule, Scenario, ServerSpec};
use crate::cluster::{Group, power};
use crate::grid::{Observed, Signal};
use crate::isolation::{Conflict, Mechanism};
use crate::scheduler::{Known, SchedulerSpec};
use crate::sci::GroupFacts;
use crate::sci::beside::Beside;
use crate::sim::{QueueScope, RegionSetup, Services, Setup, check_services};
use crate::types::{Duration, GroupId, Memory, RegionId, SECONDS_PER_YEAR, Seed, SimTime};
use crate::workload::{Arrivals, Context, NoCalls, Opened};

/// A scenario, ready to run.
pub struct Built {
    /// The engine's input.
    pub setup: Setup,
    /// The workload.
    pub arrivals: Box<dyn Arrivals>,
    /// What accounting must know of the host groups.
    pub groups: Vec<GroupFacts>,
    /// The signals of every region: what policies look at, and what scores.
    pub signals: Signals,
    /// What is to be said of the forecasts; the beliefs themselves are in `setup`.
    pub forecasts: Forecasts,
    /// What the report says of the regions.
    pub regions: Vec<RegionFacts>,
    /// The server type of every group.
    pub servers: Vec<ServerFacts>,
    /// The ledgers beside carbon.
    pub beside: Beside,
}

/// What the report says of the hosts of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerFacts {
    /// Server type, a name of the scenario.
    pub name: String,
    /// Cores of one host.
    pub cores: f64,
    /// Memory of one host \[MB\].
    pub memory_mb: f64,
}

/// What the report says of a region.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionFacts {
    /// Its name.
    pub name: String,
    /// Its grid zone.
    pub zone: String,
    /// Cores of all its hosts.
    pub cores: f64,
    /// Memory of all its hosts \[MB\].
    pub memory_mb: f64,
    /// How many hosts it has.
    pub hosts: u32,
}

/// A problem that only shows when the scenario is put together, with the key it belongs to.
#[derive(Debug)]
pub struct Problem {
    /// Dotted path of the key.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Problem {
    /// A problem at a key.
    pub fn new(key: impl Into<String>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into(), help: help.into() }
    }
}

/// Puts a scenario together. All problems that can be found are reported together.
///
/// # Errors
/// The list of problems, never empty.
pub fn build(scenario: &Scenario, base_dir: &Path, prefetch: bool) -> Result<Built, Vec<Problem>> {
    let mut problems = Vec::new();
    let start = parse_start(scenario, &mut problems);
    let steps = parse_steps(scenario, &mut problems);
    let fleet = build_fleet(scenario, &mut problems);
    let names: Vec<String> = scenario.regions.iter().map(|r| r.name.clone()).collect();
    for (i, name) in names.iter().enumerate() {
        if names[..i].contains(name) {
            problems.push(Problem::new(
                format!("regions[{i}].name"),
                format!("two regions are called \"{name}\""),
                "give every region a name of its own",
            ));
        }
    }
    let seed = Seed(scenario.seed);
    let total: f64 = fleet.regions.iter().map(|r| r.cores).sum();
    let capacity: Vec<f64> = fleet.regions.iter().map(|r| r.cores / total).collect();
    let context = Context { base_dir, regions: &names, capacity: &capacity, seed, prefetch };
    let opened = open_workload(scenario, &context, &mut problems);
    let instances = start.and_then(|start| open_instances(scenario, base_dir, &names, start, &mut problems));
    check_instances(scenario, &mut problems);
    let jobs = start.and_then(|start| open_jobs(scenario, base_dir, &names, start, &mut problems));
    let duration = scenario.time.duration_s.map(Duration::from_secs_f64);
    let drain_limit = Duration::from_secs_f64(scenario.time.drain_limit_s);
    let last_job = jobs.as_ref().map(|list| Duration(list.jobs.iter().map(|job| job.wanted.0).max().unwrap_or(0)));
    let spans = [opened.as_ref().and_then(|o| o.span), instances.as_ref().and_then(|i| i.span()), last_job];
    let known = spans.into_iter().flatten().filter(|s| *s > Duration::ZERO).max();
    let span = duration.or(known).unwrap_or(Duration::from_secs(86_400));
    let past_arrivals = drain_limit + Duration::from_secs(1);
    let horizon = span + past_arrivals;
    check_size(horizon, steps.0, scenario.regions.len(), &mut problems);
    if let Some(spec) = &scenario.meter {
        meter::check(spec, horizon, (&fleet.groups, &fleet.facts), scenario.regions.len(), &mut problems);
    }
    check_provisioning(scenario, &mut problems);
    check_dispatch(scenario, &mut problems);
    let (network, network_file) = build_network(scenario, base_dir, &names, &mut problems);
    for (key, message, help) in scenario.scheduler.routing.conflicts() {
        problems.push(Problem::new(format!("scheduler.routing.{key}"), message, help));
    }
    let signals = start.map(|start| {
        let context = signals::Context { base_dir, start, horizon, past_arrivals, seed, step: steps.0 };
        let signals = signals::build_signals(scenario, &context, &mut problems);
        let forecasts = build_forecasts(scenario, &signals, &context, &mut problems);
        (signals, forecasts)
    });
    let beside = start.map(|start| {
        let context = signals::Context { base_dir, start, horizon, past_arrivals, seed, step: steps.0 };
        beside::build_beside(scenario, &context, &mut problems)
    });
    if let Some((message, help)) = scenario.sci.functional_unit.problem() {
        problems.push(Problem::new("sci.functional_unit.user-defined", message, help));
    }
    let mechanism = build_mechanism(scenario, &mut problems);
    check_uncertainty(scenario, &mut problems);
    super::published::check_published(scenario, &mut problems);
    let runtime = match scenario.runtime.build() {
        Ok(runtime) => Some(runtime),
        Err(e) => {
            problems.push(Problem::new("runtime.language", e, "see `sim list runtimes`"));
            None
        }
    };
    if let Some((key, message, help)) = scenario.runtime.code_push.as_ref().and_then(|push| push.problem()) {
        problems.push(Problem::new(format!("runtime.code_push.{key}"), message, help));
    }
    if let Some(mechanism) = &mechanism {
        check_together(scenario, mechanism, &mut problems);
    }
    let (Some(opened), Some(mechanism), Some(runtime), Some((signals, mut forecasts)), Some(beside)) =
        (opened, mechanism, runtime, signals, beside)
    else {
        return Err(problems);
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut beside = beside;
    beside.inputs.extend(network_file);
    let mut fleet = fleet;
    let mut regions = std::mem::take(&mut fleet.regions);
    for (facts, signal) in regions.iter_mut().zip(&signals.decide) {
        facts.zone.clone_from(&signal.info().zone);
    }
    let mut sites = site_facts(&fleet.groups, &fleet.facts, fleet.setups.len());
    for (site, region) in sites.iter_mut().zip(&beside.regions) {
        site.pue = region.outdoor.as_ref().map_or(site.pue, |o| o.mean_pue(steps.0, SimTime::ZERO + span));
    }
    let sites: std::sync::Arc<[_]> = sites.into();
    let outdoor =
        beside.regions.iter().zip(sites.iter()).map(|(r, site)| r.outdoor.as_ref().map(|_| site.pue)).collect();
    let machines = packing_fleet(scenario, &fleet, &mechanism, outdoor, (&signals.decide, span));
    let survey = match look_ahead(scenario, &context, &mechanism) {
        Ok(survey) => survey,
        Err(e) => {
            let help = "check the path and the file";
            let key = workload_key(scenario);
            return Err(vec![Problem::new(key, e.to_string(), help)]);
        }
    };
    let future = survey.as_ref().and_then(|s| s.future.clone()).map(std::sync::Arc::new);
    let known =
        |seam: &str| Known { seed: seed.derive(seam), sites: std::sync::Arc::clone(&sites), future: future.clone() };
    let since_midnight = start.map_or(Duration::ZERO, |t| Duration::from_secs(t.as_second().rem_euclid(86_400) as u64));
    let SchedulerSpec {
        admission,
        shifting,
        dispatch,
        routing,
        packing,
        overcommit,
        keep_alive,
        scaling,
        provisioning,
        migration,
    } = &scenario.scheduler;
    let setup = Setup {
        regions: fleet.setups,
        groups: fleet.groups,
        hosts: fleet.hosts,
        mechanism,
        rules: scenario.model.clone(),
        admission: admission.build(seed.derive("admission")),
        shifting: shifting.build(seed.derive("shifting"), since_midnight),
        dispatch: dispatch.clone(),
        services: Services::new(&scenario.services, seed.derive("services")),
        routing: routing.build(&routing_context(known("routing"), &names, &beside, since_midnight)),
        network,
        packing: packing.build(seed.derive("packing"), &std::sync::Arc::new(machines)),
        instances,
        jobs,
        watch: watch(scenario),
        overcommit: overcommit.build(seed.derive("overcommit")),
        keep_alive: keep_alive.build(&known("keep_alive")),
        scaling: scaling.build(&known("scaling")),
        runtime,
        survey,
        provisioning: provisioning.build(&known("provisioning")),
        migration: migration.build(),
        forecasts: std::mem::take(&mut forecasts.forecasts),
        observed: signals.decide.iter().map(|s| Observed::new(s.clone())).collect(),
        clocks: signals.score.iter().map(Signal::cursor).collect(),
        ledger_step: steps.0,
        account_step: steps.1,
        workers: scenario.output.workers,
        meter: scenario.meter.clone(),
        duration,
        drain_limit,
        fixed_end: scenario.time.end == EndRule::Fixed,
        split_cpu: scenario.shows_curve(),
        seed,
    };
    Ok(Built {
        setup,
        arrivals: opened.arrivals,
        groups: fleet.facts,
        signals,
        forecasts,
        regions,
        servers: fleet.servers,
        beside,
    })
}

fn workload_key(scenario: &Scenario) -> String {
    scenario.workload.as_ref().map_or("workload".to_owned(), |w| format!("workload.{}", w.name()))
}

/// Opens where calls come from; a scenario of instances or jobs alone has none.
fn open_workload(scenario: &Scenario, context: &Context<'_>, problems: &mut Vec<Problem>) -> Option<Opened> {
    let Some(workload) = &scenario.workload else {
        if !scenario.instances.is_empty() || !scenario.jobs.is_empty() {
            return Some(Opened { arrivals: Box::new(NoCalls), span: Some(Duration::ZERO) });
        }
        problems.push(Problem::new(
            "workload",
            "there is no workload",
            "say where calls come from with [workload.NAME], instances with [instances.NAME.SOURCE] or jobs with [jobs.NAME.source.SOURCE]: `sim list workloads`",
        ));
        return None;
    };
    match workload.open(context) {
        Ok(opened) => Some(opened),
        Err(e) => {
            let text = e.to_string();
            let (message, help) = text.split_once("\n  help: ").unwrap_or((&text, "check the path and the file"));
            problems.push(Problem::new(workload_key(scenario), message, help));
            None
        }
    }
}

/// Keys of provisioning that do not go together, with each other or with the queue.
fn check_provisioning(scenario: &Scenario, problems: &mut Vec<Problem>) {
    let (spec, queue) = (&scenario.scheduler.provisioning, &scenario.model.queue);
    for (key, message, help) in spec.conflicts() {
        problems.push(Problem::new(format!("scheduler.provisioning.{key}"), message, help));
    }
    if spec.may_leave_none() && (queue.scope == QueueScope::None || queue.max_waiting == Some(0)) {
        problems.push(Problem::new(
            "scheduler.provisioning",
            "with min_hosts = 0 all hosts may be off, and without a queue no call would ever wait for one and wake it",
            "set min_hosts = 1, or give calls a queue with model.queue.scope and max_waiting",
        ));
    }
}

/// Keys of dispatch and of services that contradict each other.
fn check_dispatch(scenario: &Scenario, problems: &mut Vec<Problem>) {
    for (key, message, help) in scenario.scheduler.dispatch.conflicts() {
        problems.push(Problem::new(format!("scheduler.dispatch.{key}"), message, help));
    }
    for (key, message, help) in check_services(&scenario.services) {
        problems.push(Problem::new(format!("services.{key}"), message, help));
    }
    if !scenario.services.is_empty() && !scenario.scheduler.dispatch.has_queues() {
        problems.push(Problem::new(
            "services",
            "there are services, but no durable queue that could offer a call again which a service refuses",
            "add scheduler.dispatch.durable-queues = { delivery = {} }, or leave the services out",
        ));
    }
}

fn build_mechanism(scenario: &Scenario, problems: &mut Vec<Problem>) -> Option<Mechanism> {
    let name = scenario.isolation.parts().0;
    let place = |c: Conflict| Problem::new(format!("isolation.{name}.{}", c.key), c.message, c.help);
    scenario.isolation.build().map_err(|conflicts| problems.extend(conflicts.into_iter().map(place))).ok()
}

fn parse_start(scenario: &Scenario, problems: &mut Vec<Problem>) -> Option<jiff::Timestamp> {
    match scenario.time.start.parse::<jiff::Timestamp>() {
        Ok(t) => Some(t),
        Err(_) => {
            problems.push(Problem::new(
                "time.start",
                format!("\"{}\" is not an instant in UTC", scenario.time.start),
                "write it like 2022-06-06T00:00:00Z",
            ));
            None
        }
    }
}

/// Width of the ledger's bins, and length of the periods of the accounts.
fn parse_steps(scenario: &Scenario, problems: &mut Vec<Problem>) -> (Duration, Option<Duration>) {
    let ledger = Duration::from_secs_f64(scenario.output.ledger_step_s);
    let steps =
        [("output.step_s", Some(scenario.output.step_s)), ("output.account_step_s", scenario.output.account_step_s)];
    for (key, step_s) in steps {
        let Some(step_s) = step_s else { continue };
        if !Duration::from_secs_f64(step_s).0.is_multiple_of(ledger.0) {
            problems.push(Problem::new(
                key,
                format!("{step_s} is not a whole multiple of output.ledger_step_s = {}", scenario.output.ledger_step_s),
                "choose a multiple, or a ledger step that divides it",
            ));
        }
    }
    (ledger, scenario.output.account_step_s.map(Duration::from_secs_f64))
}

/// More bins of the ledger than this (2.6 GB) are refused: an arrival in Unix time is the usual cause.
const MOST_BINS: u64 = 20_000_000;

fn check_size(horizon: Duration, step: Duration, regions: usize, problems: &mut Vec<Problem>) {
    let bins = (horizon.0 / step.0.max(1)).saturating_mul(regions as u64);
    if bins > MOST_BINS {
        let years = horizon.as_secs_f64() / SECONDS_PER_YEAR;
        problems.push(Problem::new(
            "workload",
            format!("the run could last {years:.1} years, {bins} bins of the ledger; at most {MOST_BINS} are kept"),
            "arrival times count from the run's start: subtract the first one if they are Unix times; or choose a larger \
             output.ledger_step_s",
        ));
    }
}

#[derive(Default)]
pub(super) struct Fleet {
    setups: Vec<RegionSetup>,
    pub(super) groups: Vec<Group>,
    pub(super) facts: Vec<GroupFacts>,
    pub(super) hosts: Vec<GroupId>,
    /// The failure domain of each host, counted from 0 within its region.
    pub(super) failure_domains: Vec<u32>,
    regions: Vec<RegionFacts>,
    servers: Vec<ServerFacts>,
}

fn build_fleet(scenario: &Scenario, problems: &mut Vec<Problem>) -> Fleet {
    let mut fleet = Fleet::default();
    // A power model cannot be cloned: problems are reported here, once per type, and it is built again for each group.
    let mut servers = BTreeMap::new();
    for (name, spec) in &scenario.servers {
        let Some(server) = spec.resolve(name, problems) else { continue };
        match power_of(spec, &server) {
            Ok(_) => drop(servers.insert(name, server)),
            Err(wrong) => problems.extend(wrong.into_iter().map(|(key, message)| {
                Problem::new(format!("servers.{name}.{key}"), message, "see `sim list power-models` and docs/power.md")
            })),
        }
    }
    for (r, region) in scenario.regions.iter().enumerate() {
        let first_host = fleet.hosts.len() as u32;
        let mut first_domain = 0;
        let mut facts =
            RegionFacts { name: region.name.clone(), zone: String::new(), cores: 0.0, memory_mb: 0.0, hosts: 0 };
        for (g, hosts) in region.hosts.iter().enumerate() {
            let Some(spec) = scenario.servers.get(&hosts.server) else {
                let known: Vec<&str> = scenario.servers.keys().map(String::as_str).collect();
                problems.push(Problem::new(
                    format!("regions[{r}].hosts[{g}].server"),
                    format!("no server type is called \"{}\"", hosts.server),
                    format!("name one of [servers]: {}", known.join(", ")),
                ));
                continue;
            };
            let Some(server) = servers.get(&hosts.server) else { continue };
            let Ok(power::ServerPower { model: power, memory_in_use_w }) = power_of(spec, server) else { continue };
            let id = GroupId::from_index(fleet.groups.len());
            let idle_w = power.watts(0.0);
            // Where PUE follows the air, overhead is added to the finished ledger.
            let outdoor = region.pue_outdoor.is_some();
            let full = hosts.pue.or(region.pue).unwrap_or(if outdoor { 1.0 } else { DEFAULT_PUE });
            let idle = hosts.pue_idle.or(if hosts.pue.is_none() { region.pue_idle } else { None });
            let overhead = match idle {
                None => Ok((full, 0.0)),
                Some(idle) => power::overhead((idle, idle_w), (full, power.watts(1.0))),
            };
            let (pue, fixed_overhead_w) = overhead.unwrap_or_else(|message| {
                let of_group = hosts.pue_idle.is_some();
                let key = if of_group {
                    format!("regions[{r}].hosts[{g}].pue_idle")
                } else {
                    format!("regions[{r}].pue_idle")
                };
                problems.push(Problem::new(key, message, "see docs/power.md, section 6"));
                (full, 0.0)
            });
            let linear = power.linear_w();
            let (off, sleep) = spec.standby(idle_w, power.watts(1.0));
            fleet.hosts.extend((0..hosts.count).map(|_| id));
            // Each group has failure domains of its own; its hosts are dealt to them in runs of equal length.
            let of = hosts.failure_domains.min(hosts.count);
            let domain = |host: u32| (u64::from(host) * u64::from(of) / u64::from(hosts.count)) as u32;
            fleet.failure_domains.extend((0..hosts.count).map(|host| first_domain + domain(host)));
            first_domain += of;
            fleet.servers.push(ServerFacts {
                name: hosts.server.clone(),
                cores: server.cores,
                memory_mb: server.memory_mb,
            });
            fleet.facts.push(group_facts(
                &hosts.server,
                server,
                (r, hosts.count),
                (pue, fixed_overhead_w),
                idle_w + memory_in_use_w,
            ));
            fleet.groups.push(Group {
                name: format!("{}/{}", region.name, hosts.server),
                region: RegionId::from_index(r),
                cpu: ((server.cores * 1e6).round() as u64).max(1),
                memory: Memory::from_mb(server.memory_mb),
                power,
                pue,
                fixed_overhead_w,
                off,
                sleep,
                idle_w,
                memory_in_use_w,
                held_w: idle_w + memory_in_use_w,
                linear_w_per_unit: linear.map(|w| w / (server.cores * 1e6).round().max(1.0)),
                share_per_byte: 1.0 / Memory::from_mb(server.memory_mb).0.max(1) as f64,
                load_per_unit: 1e6 / (server.cores * 1e6).round().max(1.0),
            });
            facts.cores += server.cores * f64::from(hosts.count);
            facts.memory_mb += server.memory_mb * f64::from(hosts.count);
            facts.hosts += hosts.count;
        }
        fleet.setups.push(RegionSetup { name: region.name.clone(), first_host, hosts: facts.hosts });
        fleet.regions.push(facts);
    }
    fleet
}

fn power_of(spec: &ServerSpec, server: &Server) -> Result<power::ServerPower, Vec<power::Wrong>> {
    power::server(&server.power, &spec.parts, &spec.supply, server.memory_mb / 1000.0)
}

fn group_facts(
    name: &str,
    server: &Server,
    (region, hosts): (usize, u32),
    (pue, fixed_overhead_w): (f64, f64),
    held_w: f64,
) -> GroupFacts {
    GroupFacts {
        server: name.to_owned(),
        region: RegionId::from_index(region),
        hosts,
        memory_mb: server.memory_mb,
        held_w,
        pue,
        carbon_pue: None,
        fixed_overhead_w,
        server_kg: server.server_kg,
        lives: server.lives,
        embodied_kg: server.embodied_kg,
        lifetime_s: server.lifetime_years * SECONDS_PER_YEAR,
        lifetime_basis: server.lifetime_basis,
        surroundings_g_per_s: server.surroundings_g_per_s,
        powered_s: f64::NAN,
    }
}
