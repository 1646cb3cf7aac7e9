//! What shifting gained and cost, against the same traffic that runs at once.
//!
//! Both runs see the same arrivals and lengths (common random numbers): nothing but when work runs differs. What a paper claims is the
//! operational saving; beside it stand the same work on marginal intensity, the hosts that the new peak fills, what is embodied in them, how
//! long work waited and what missed its deadline. `docs/shifting.md` explains each figure.

use super::summary::{List, share};
use super::{Entry, Finished};
use crate::ledger::{Column, Rates};
use crate::scheduler::bound::{self, Task};
use crate::sci;
use crate::types::{JOULES_PER_KWH, RegionId, SimTime};

/// What a comparison needs of a run.
#[derive(Debug, Clone, Default)]
pub struct Shifted {
    operational_g: f64,
    marginal_g: Option<f64>,
    /// O of the dynamic energy alone, and the same on marginal intensity.
    work_g: f64,
    marginal_work_g: Option<f64>,
    /// What running at once and the offline optimum emit, as the bound sees the jobs.
    bound_g: Option<[f64; 2]>,
    /// When the run ended \[s\], and how much of what arrived it finished.
    end_s: f64,
    finished: u64,
    energy_j: f64,
    peak_cores: f64,
    hosts_at_peak: f64,
    embodied_at_peak_g: f64,
    missed: u64,
    unfinished: u64,
    queued_mean_s: f64,
    delay_s: [f64; 3],
}

impl Shifted {
    /// What a comparison needs of this run.
    pub fn of(run: &Finished<'_>) -> Self {
        let o = run.outcome;
        let run_s = o.end.as_secs_f64();
        let is_given = run.signals.marginal.len() == run.regions.len();
        let marginal = is_given.then(|| sci::intensities(&o.site, &run.signals.marginal, o.end));
        let score = |intensity| sci::operational_g(&sci::score_regions(&o.site, run.groups, intensity, o.end));
        let mut facts = Self {
            work_g: work_g(run, run.intensity),
            marginal_work_g: marginal.as_ref().map(|intensity| work_g(run, intensity)),
            operational_g: run.scored.operational_g(),
            marginal_g: marginal.as_deref().map(score),
            energy_j: run.scored.energy_j(),
            end_s: run_s,
            finished: o.jobs.finished + o.functions.iter().map(|f| f.executed).sum::<u64>(),
            missed: o.jobs.missed + o.functions.iter().map(|f| f.missed).sum::<u64>(),
            unfinished: o.jobs.unfinished + o.unfinished,
            queued_mean_s: share(o.jobs.queued_ns as f64 * 1e-9, o.jobs.arrived as f64),
            ..Self::default()
        };
        facts.delay_s = delays(run);
        for (r, region) in run.regions.iter().enumerate() {
            let id = RegionId::from_index(r);
            let step_s = o.site.step().as_secs_f64();
            let bins = o.site.rows(id).iter().enumerate();
            let means = bins.map(|(bin, row)| {
                let length_s = step_s.min(run_s - bin as f64 * step_s);
                share(row[Column::BusyCore as usize], length_s)
            });
            let peak = means.fold(0.0, f64::max);
            let own = run.groups.iter().filter(|g| g.region == id);
            let embodied_g_per_s: f64 = own.map(|g| g.embodied_g_per_s() * f64::from(g.hosts)).sum();
            let hosts = f64::from(region.hosts);
            // A host is filled whole: rounding of sums must not fill one more.
            let needed = (peak / (region.cores / hosts) - 1e-9).ceil().max(0.0);
            facts.peak_cores += peak;
            facts.hosts_at_peak += needed;
            facts.embodied_at_peak_g += needed * embodied_g_per_s / hosts * run_s;
        }
        facts
    }

    /// With what the bound says of its jobs, which only the run that everything is compared with needs.
    #[must_use]
    pub fn with_bound(self, run: &Finished<'_>) -> Self {
        Self { bound_g: bounds(run), ..self }
    }
}

/// Emissions of the dynamic energy of calls, jobs, instances and starts, with their share of the overhead \[gCO2e\].
fn work_g(run: &Finished<'_>, intensity: &[Vec<f64>]) -> f64 {
    let site = &run.outcome.site;
    let of_bin = |(row, g_per_kwh): (&Rates, &f64)| {
        let dynamic_j = row[Column::ExecutionDynamic as usize] + row[Column::ColdStartDynamic as usize];
        let it_j: f64 = row[Column::ExecutionDynamic as usize..=Column::Off as usize].iter().sum();
        let pue = if it_j > 0.0 { 1.0 + row[Column::Overhead as usize] / it_j } else { 1.0 };
        dynamic_j * pue / JOULES_PER_KWH * g_per_kwh
    };
    let regions = intensity.iter().enumerate();
    regions.map(|(r, own)| site.rows(RegionId::from_index(r)).iter().zip(own).map(of_bin).sum::<f64>()).sum()
}

/// Emissions of the jobs' dynamic power at once, and in the offline optimum without a limit of capacity \[gCO2e\]; `None` without jobs, and
/// where one of them cannot be done within its deadline and the signal.
fn bounds(run: &Finished<'_>) -> Option<[f64; 2]> {
    let list = run.outcome.job_list.as_ref()?;
    let cut = run.scenario.time.duration_s.map_or(SimTime::NEVER, SimTime::from_secs_f64);
    let mut sum = [0.0; 2];
    for (r, signal) in run.signals.score.iter().enumerate() {
        let id = RegionId::from_index(r);
        let column = |c: Column| run.outcome.site.rows(id).iter().map(|row| row[c as usize]).sum::<f64>();
        // Dynamic power of a busy core as this run has met it: exact where it is the same at every load.
        let w_per_core = share(column(Column::ExecutionDynamic), column(Column::BusyCore));
        let w_per_core = if w_per_core.is_finite() { w_per_core } else { 0.0 };
        let own = list.jobs.iter().filter(|job| job.region == id && job.arrival < cut);
        let tasks: Vec<Task> =
            own.clone().map(|job| Task::of(job, &list.kinds[job.kind as usize], w_per_core)).collect();
        let at_once = own.zip(&tasks).map(|(job, task)| Task {
            earliest: job.wanted,
            deadline: job.wanted + job.length,
            levels: vec![task.levels[(job.nodes as usize).min(task.levels.len()) - 1]],
            ..task.clone()
        });
        let at_once: Vec<Task> = at_once.collect();
        for (sum, tasks) in sum.iter_mut().zip([&at_once, &tasks]) {
            *sum += bound::unlimited(tasks, signal).ok()?.iter().sum::<f64>();
        }
    }
    Some(sum)
}

/// Mean, 95th percentile and maximum of the delay of jobs or, without jobs, of calls that were deferred \[s\].
fn delays(run: &Finished<'_>) -> [f64; 3] {
    let (jobs, t) = (&run.outcome.jobs, &run.outcome.totals);
    let secs = |ns: u64| ns as f64 * 1e-9;
    if jobs.arrived > 0 {
        let mean = share(jobs.delay_sum_ns as f64 * 1e-9, jobs.finished as f64);
        let p95 = jobs.delays.quantile(0.95).map_or(f64::NAN, secs);
        return [mean, p95, if jobs.finished > 0 { secs(jobs.delays.max()) } else { f64::NAN }];
    }
    let deferred = &t.deferred_latency;
    let mean = share(t.deferral_sum_ns as f64 * 1e-9, deferred.count() as f64);
    [mean, deferred.quantile(0.95).map_or(f64::NAN, secs), t.deferral_max.as_secs_f64()]
}

/// What makes the comparison of two runs worth less than it looks.
pub fn doubts(run: &Shifted, base: &Shifted) -> Vec<String> {
    let mut found = Vec::new();
    if run.finished != base.finished {
        found.push(format!(
            "shifting finished {} jobs and calls, running at once {}: what is not done is not saved, so the savings shifting.* are left undefined; \
             raise time.drain_limit_s",
            run.finished, base.finished
        ));
    } else if run.end_s != base.end_s {
        found.push(format!(
            "the run ends after {} s, running at once after {} s: idle hosts count for longer in one of them; compare savings of the work's own \
             emissions (shifting.saved_of_work_share), or set time.end = \"fixed\"",
            run.end_s, base.end_s
        ));
    }
    found
}

/// The figures of a run against the same traffic that runs at once. Savings are undefined where the two have not finished the same work.
pub fn against_run_now(run: &Shifted, base: &Shifted) -> Vec<Entry> {
    let mut list = List::new();
    let alike = if run.finished == base.finished { 1.0 } else { f64::NAN };
    let saved = |ours: f64, theirs: f64| alike * share(theirs - ours, theirs);
    list.number(
        "shifting.run_now_operational_g",
        base.operational_g,
        "gCO2e",
        "O of the same traffic when everything runs at once",
    );
    list.number(
        "shifting.saved_operational_g",
        alike * (base.operational_g - run.operational_g),
        "gCO2e",
        "O that shifting saves: the claim",
    );
    let claimed = saved(run.operational_g, base.operational_g);
    list.number("shifting.saved_operational_share", claimed, "1", "the same over O when everything runs at once");
    let meaning = "energy that shifting saves, over all; negative: restarts, checkpoints and longer runs cost more";
    list.number("shifting.saved_energy_share", saved(run.energy_j, base.energy_j), "1", meaning);
    let [ours, theirs] = [run.marginal_g, base.marginal_g].map(|g| g.unwrap_or(f64::NAN));
    list.number(
        "shifting.saved_marginal_g",
        theirs - ours,
        "gCO2e",
        "saved with both runs scored on regions[].marginal_grid",
    );
    list.number(
        "shifting.saved_marginal_share",
        saved(ours, theirs),
        "1",
        "the same over that of the run where everything runs at once",
    );
    list.number(
        "shifting.peak_cores",
        run.peak_cores,
        "cores",
        "CPU in use at each region's peak, largest mean over a ledger bin",
    );
    list.number("shifting.run_now_peak_cores", base.peak_cores, "cores", "the same when everything runs at once");
    list.number("shifting.hosts_at_peak", run.hosts_at_peak, "1", "hosts that each region's peak fills");
    list.number("shifting.run_now_hosts_at_peak", base.hosts_at_peak, "1", "the same when everything runs at once");
    let extra_g = run.embodied_at_peak_g - base.embodied_at_peak_g;
    let meaning = "embodied emissions over the run of the hosts that the peak fills, less when everything runs at once";
    list.number("shifting.extra_embodied_g", extra_g, "gCO2e", meaning);
    let net_g = alike * (base.operational_g - run.operational_g) - extra_g;
    list.number(
        "shifting.saved_net_g",
        net_g,
        "gCO2e",
        "O saved less the embodied emissions of the extra hosts at the peak",
    );
    list.number(
        "shifting.saved_net_share",
        share(net_g, base.operational_g),
        "1",
        "the same over O when everything runs at once",
    );
    let total = |f: &Shifted| f.operational_g + f.embodied_at_peak_g;
    let meaning = "O and M saved, over both, where each run has the hosts that its peak fills";
    list.number("shifting.saved_total_share", saved(total(run), total(base)), "1", meaning);
    let of_work = |g: f64| alike * share(g, base.work_g);
    let meaning = "O of the dynamic energy alone, with its overhead, when everything runs at once";
    list.number("shifting.run_now_work_g", base.work_g, "gCO2e", meaning);
    let work_g = base.work_g - run.work_g;
    let meaning = "O of the dynamic energy saved, over that at once: a claim that leaves idle hosts out";
    list.number("shifting.saved_of_work_share", of_work(work_g), "1", meaning);
    let meaning = "the same less the embodied emissions of the extra hosts at the peak";
    list.number("shifting.saved_net_of_work_share", of_work(work_g - extra_g), "1", meaning);
    let marginal = match (run.marginal_work_g, base.marginal_work_g) {
        (Some(ours), Some(theirs)) => of_work(theirs - ours - extra_g),
        _ => f64::NAN,
    };
    let meaning = "the same with what is saved scored on regions[].marginal_grid, over the same whole";
    list.number("shifting.saved_net_marginal_of_work_share", marginal, "1", meaning);
    let [at_once, best] = base.bound_g.unwrap_or([f64::NAN; 2]);
    let meaning = "what the offline optimum saves of the jobs' dynamic emissions within their deadlines, without a limit of capacity";
    list.number("shifting.bound_saved_share", share(at_once - best, at_once), "1", meaning);
    let meaning =
        "saved_of_work_share over that; more than 1 only where deadlines are missed or calls are shifted, too";
    let of_bound = share(of_work(work_g), share(at_once - best, at_once));
    list.number("shifting.saved_of_bound_share", of_bound, "1", meaning);
    let meaning = "delay of jobs against running at once or, without jobs, deferral of calls";
    for (name, s) in ["mean", "p95", "max"].into_iter().zip(run.delay_s) {
        list.number(&format!("shifting.delay_{name}_s"), s, "s", meaning);
    }
    list.number(
        "shifting.saved_g_per_delayed_h",
        share(alike * (base.operational_g - run.operational_g), run.delay_s[0] / 3600.0),
        "gCO2e/h",
        "O saved over the mean delay",
    );
    list.count("shifting.missed_deadline", run.missed, "jobs and calls that ended after their deadline");
    list.count("shifting.run_now_missed_deadline", base.missed, "the same when everything runs at once");
    list.count("shifting.unfinished", run.unfinished, "jobs and calls that were not done when the run ended");
    list.count("shifting.run_now_unfinished", base.unfinished, "the same when everything runs at once");
    let meaning =
        "time that jobs waited for room or admission against their plan, mean over all: what the finite fleet did";
    list.number("shifting.queued_mean_s", run.queued_mean_s, "s", meaning);
    list.number("shifting.run_now_queued_mean_s", base.queued_mean_s, "s", "the same when everything runs at once");
    list.into_entries()
}
