//! The functions: what each costs, how often it is called, who owns it and whether its calls may wait.

use super::choice::{Alias, dealt, shuffled, zipf};
use super::fit::{Copula, Fit, OutOfReach, fit};
use super::spec::{XFaasSpec, wrong};
use super::tables::{CLASSES, Class, Tables};
use crate::types::{Duration, Memory, MilliCores, Seed, TenantId};
use crate::workload::{FunctionProfile, MeanCall, Quota, Trigger, WorkloadError};

/// Relative error of a class's mean CPU per call that is accepted; it matters for the coarse steps of few functions
/// only. 5 % of 14 % of the compute are 0.7 points; of the timers' share the paper says only that it is below 1 %.
const TOLERANCES: [f64; 3] = [0.05, 0.05, 0.25];

/// One function as it is called.
#[derive(Debug, Clone)]
pub(super) struct Function {
    /// What is announced of it.
    pub profile: FunctionProfile,
    /// Share of all calls.
    pub call_share: f64,
    /// Mean execution time of a call.
    pub mean_time: Duration,
    /// CPU work of a mean call, as it is simulated \[million instructions\].
    pub cpu_mi: f64,
}

/// One trigger class in expectation.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassSummary {
    /// Which class.
    pub trigger: Trigger,
    /// How many functions it has.
    pub functions: usize,
    /// Its share of the calls.
    pub call_share: f64,
    /// Its share of the CPU work.
    pub compute_share: f64,
    /// Mean CPU work of a call \[million instructions\].
    pub mean_cpu_mi: f64,
    /// Mean execution time of a call \[s\].
    pub mean_time_s: f64,
    /// Fitted correlation between popularity and CPU cost over its functions, in normal scores.
    pub rho: f64,
}

/// All functions, by class and within a class from the most to the least called.
#[derive(Debug)]
pub(super) struct Population {
    pub functions: Vec<Function>,
    pub classes: Vec<ClassSummary>,
    /// Functions that would use more than the most cores and run longer instead.
    pub stretched: usize,
    /// Functions that would use less than a thousandth of a core and are given that.
    pub lifted: usize,
}

/// What a function's code needs, before anybody calls it.
struct Body {
    cpu: MilliCores,
    memory: Memory,
    time: Duration,
    /// Before it is cut to the cores and the resolution that there are.
    asked: MeanCall,
    cpu_mi: f64,
}

impl Population {
    /// Makes the functions and fits the relation of popularity and cost.
    ///
    /// # Errors
    /// No relation gives the shares of compute, or the share of calls that may wait cannot be met with whole functions.
    pub fn new(spec: &XFaasSpec, seed: Seed) -> Result<Self, WorkloadError> {
        let tables = Tables::embedded();
        let counts = tables.counts(spec.functions as usize);
        let calls = tables.shares(spec.timer_call_share, |c| c.call_share);
        let compute = tables.shares(spec.timer_compute_share, |c| c.compute_share);
        let mut all = Self { functions: Vec::new(), classes: Vec::new(), stretched: 0, lifted: 0 };
        for (c, class) in tables.classes().into_iter().enumerate() {
            let bodies = all.bodies(spec, &tables, class, counts[c], seed.child(c as u64));
            let costs: Vec<f64> = bodies.iter().map(|b| b.cpu_mi).collect();
            let popularity = zipf(counts[c], spec.popularity_exponent);
            let copula = Copula::new(counts[c], &mut seed.stream("popularity", c as u64));
            let target = spec.mean_cpu_mi * compute[c] / calls[c];
            let Fit { rho, order } = fit(&copula, &costs, &popularity, target, TOLERANCES[c])
                .map_err(|reach| out_of_reach(CLASSES[c], target, target / spec.mean_cpu_mi, &reach))?;
            all.add(CLASSES[c], calls[c], rho, order.iter().map(|&i| &bodies[i]).zip(&popularity));
        }
        let work: f64 = all.classes.iter().map(|c| c.call_share * c.mean_cpu_mi).sum();
        all.classes.iter_mut().for_each(|c| c.compute_share = c.call_share * c.mean_cpu_mi / work);
        all.assign_owners(spec, seed);
        all.assign_deferrable(spec, seed)?;
        all.assign_quotas(spec);
        Ok(all)
    }

    /// The bodies of one class in increasing order of CPU per call: member i takes level (i + 1/2) / n of each
    /// quantity.
    fn bodies(&mut self, spec: &XFaasSpec, tables: &Tables, class: &Class, n: usize, seed: Seed) -> Vec<Body> {
        let level = |rank: usize| (rank as f64 + 0.5) / n as f64;
        let ranks = |purpose: &str, rho: f64| {
            let mut ranks = vec![0; n];
            let order = Copula::new(n, &mut seed.stream(purpose, 0)).order(rho);
            order.into_iter().enumerate().for_each(|(rank, i)| ranks[i] = rank);
            ranks
        };
        let (by_time, by_memory) = (ranks("time", spec.cpu_time_rho), ranks("memory", spec.cpu_memory_rho));
        (0..n)
            .map(|i| {
                let work_mi = tables.quantile(&class.cpu_mi, level(i));
                let mut seconds = tables.quantile(&class.exec_ms, level(by_time[i])) / 1e3;
                let (time, core_s) = (Duration::from_secs_f64(seconds), work_mi / spec.mips_per_core);
                let asked = MeanCall { time, core_s };
                let mut cores = work_mi / (seconds * spec.mips_per_core);
                if cores > spec.max_cores_per_call {
                    self.stretched += 1;
                    cores = spec.max_cores_per_call;
                    seconds = work_mi / (cores * spec.mips_per_core);
                }
                self.lifted += usize::from(cores < 0.001);
                let cpu = MilliCores::from_cores(cores.max(0.001));
                let memory = Memory::from_mb(tables.quantile(&class.memory_mb, level(by_memory[i])));
                let time = Duration::from_secs_f64(seconds);
                // What the simulator sees, after rounding, so that the fit holds for what is simulated.
                Body { cpu, memory, time, asked, cpu_mi: cpu.as_cores() * time.as_secs_f64() * spec.mips_per_core }
            })
            .collect()
    }

    /// Adds the functions of one class, most called first.
    fn add<'a>(&mut self, trigger: Trigger, share: f64, rho: f64, members: impl Iterator<Item = (&'a Body, &'a f64)>) {
        let first = self.functions.len();
        for (rank, (body, &popularity)) in members.enumerate() {
            let profile = FunctionProfile {
                name: format!("{}-{:05}", trigger.name(), rank + 1).into(),
                tenant: TenantId(0),
                memory: body.memory,
                cpu: body.cpu,
                trigger,
                criticality: 0,
                quota: Quota::Reserved,
                trust_domain: 0,
                quota_cores: None,
                mean_call: Some(body.asked),
            };
            let call_share = share * popularity;
            self.functions.push(Function { profile, call_share, mean_time: body.time, cpu_mi: body.cpu_mi });
        }
        let members = &self.functions[first..];
        let mean = |of: fn(&Function) -> f64| members.iter().map(|f| f.call_share * of(f)).sum::<f64>() / share;
        self.classes.push(ClassSummary {
            trigger,
            functions: members.len(),
            call_share: share,
            compute_share: 0.0,
            mean_cpu_mi: mean(|f| f.cpu_mi),
            mean_time_s: mean(|f| f.mean_time.as_secs_f64()),
            rho,
        });
    }

    /// Gives every function a team, a namespace and a criticality, independently of each other (assumed).
    fn assign_owners(&mut self, spec: &XFaasSpec, seed: Seed) {
        let n = self.functions.len();
        let tenants = dealt(n, spec.tenants as usize, &mut seed.stream("tenants", 0));
        let namespaces = dealt(n, spec.namespaces as usize, &mut seed.stream("namespaces", 0));
        let criticality = Alias::new(&spec.criticality_weights);
        let mut draws = seed.stream("criticality", 0);
        for (i, function) in self.functions.iter_mut().enumerate() {
            function.profile.tenant = TenantId(tenants[i]);
            function.profile.trust_domain = namespaces[i];
            function.profile.criticality = criticality.pick(draws.uniform()) as u8;
        }
    }

    /// Gives every function a quota of its expected mean CPU use times the headroom, where there is one.
    ///
    /// Formula: quota \[cores\] = headroom x calls per second x share of the calls x million instructions of a call / million instructions per
    /// second of a core. Not published: XFaaS' owners set theirs. Example: a function with 1 % of 12 million calls in a week and 1000 million
    /// instructions each uses 0.198 x 1000 / 3000 = 0.066 cores; with a headroom of 2 its quota is 0.132.
    fn assign_quotas(&mut self, spec: &XFaasSpec) {
        let Some(headroom) = spec.quota_headroom else { return };
        let calls_per_s = spec.calls as f64 / super::SECONDS_PER_WEEK;
        for function in &mut self.functions {
            let mean = calls_per_s * function.call_share * function.cpu_mi / spec.mips_per_core;
            function.profile.quota_cores = Some(headroom * mean);
        }
    }

    /// Makes whole functions of every class opportunistic so that the wanted share of the class's calls may wait.
    ///
    /// The smaller side (those that may wait, or those that may not) is chosen: in random order a function is taken
    /// unless it would overshoot, and what a class leaves open goes to the next, the finest class, queue, coming
    /// last. The most called functions are therefore on the smaller side a little less often.
    pub fn assign_deferrable(&mut self, spec: &XFaasSpec, seed: Seed) -> Result<(), WorkloadError> {
        const TOLERANCE: f64 = 0.005;
        const ROUNDING: f64 = 1e-12;
        let share = spec.deferrable_share;
        let (smaller, other) = (Quota::Opportunistic, Quota::Reserved);
        let (smaller, other) = if share <= 0.5 { (smaller, other) } else { (other, smaller) };
        self.functions.iter_mut().for_each(|f| f.profile.quota = other);
        let mut open = 0.0;
        let mut end = self.functions.len();
        for (c, class) in self.classes.iter().enumerate().rev() {
            let first = end - class.functions;
            open += class.call_share * share.min(1.0 - share);
            for i in shuffled(class.functions, &mut seed.stream("deferrable", c as u64)) {
                let function = &mut self.functions[first + i];
                if function.call_share <= open + ROUNDING {
                    open -= function.call_share;
                    function.profile.quota = smaller;
                }
            }
            end = first;
        }
        if open > TOLERANCE {
            let nearest = if share <= 0.5 { share - open } else { share + open };
            let what =
                format!("deferrable_share = {share} cannot be met with whole functions: {nearest:.4} is the nearest");
            return Err(wrong(what, "write that share, raise functions or lower popularity_exponent"));
        }
        Ok(())
    }

    /// Sum over the functions that `which` selects of call share times `of`.
    pub fn mean(&self, which: impl Fn(&Function) -> bool, of: impl Fn(&Function) -> f64) -> f64 {
        self.functions.iter().filter(|f| which(f)).map(|f| f.call_share * of(f)).sum()
    }
}

fn out_of_reach(trigger: Trigger, target: f64, ratio: f64, reach: &OutOfReach) -> WorkloadError {
    let name = trigger.name();
    let what = format!(
        "no relation of popularity and cost gives {name} functions their share of compute: the mean call needs \
         {target:.4} million instructions, and {:.4} to {:.4} can be reached, {:.4} being the nearest",
        reach.least, reach.most, reach.nearest
    );
    let (low, high) = (reach.least / ratio, reach.most / ratio);
    let mut help =
        format!("set mean_cpu_mi between {low:.1} and {high:.1}, or change functions or popularity_exponent");
    if trigger == Trigger::Timer {
        help += "; or change timer_call_share or timer_compute_share";
    }
    wrong(what, help)
}
