//! The figures of sandboxes, memory and hosts: how they were started, kept, used, and where they did not suffice.

use super::Finished;
use super::summary::{List, share};
use crate::ledger::{Column, Held};
use crate::types::{FunctionId, RegionId};

/// The distribution over apps (pools: the functions that share sandboxes) of the share of their calls that are cold, as the
/// literature on keep-alive reports it. Apps without an executed call have no share.
pub(super) fn cold_by_app(list: &mut List, run: &Finished<'_>) {
    let called = run.outcome.pools.iter().filter(|p| p.executed > 0);
    let mut shares: Vec<f64> = called.map(|p| p.cold as f64 / p.executed as f64).collect();
    shares.sort_by(f64::total_cmp);
    for (name, p) in [("p25", 0.25), ("p50", 0.5), ("p75", 0.75), ("p90", 0.9)] {
        let at = (shares.len().saturating_sub(1) as f64 * p).floor() as usize;
        let value = shares.get(at).copied().unwrap_or(f64::NAN);
        list.number(
            &format!("cold_share_by_app.{name}"),
            value,
            "1",
            "over apps: share of an app's calls that are cold",
        );
    }
    let always = shares.iter().filter(|s| **s == 1.0).count() as f64;
    let meaning = "share of the apps all of whose calls are cold";
    list.number("cold_share_by_app.always_cold", share(always, shares.len() as f64), "1", meaning);
    list.count("cold_share_by_app.apps", shares.len() as u64, "apps with an executed call");
}

/// How sandboxes came to be and went.
pub(super) fn sandboxes(list: &mut List, run: &Finished<'_>, run_s: f64) {
    let (o, t) = (run.outcome, &run.outcome.totals);
    list.count("sandboxes.started", o.functions.iter().map(|f| f.starts).sum(), "sandboxes created");
    list.count("sandboxes.expired", t.expired, "sandboxes whose keep-alive ended, or that scaling let go");
    list.count("sandboxes.evicted", t.evicted, "idle sandboxes removed to make room");
    list.count(
        "sandboxes.over_budget",
        t.over_budget,
        "idle sandboxes removed because idle ones exceeded their budget",
    );
    list.count("sandboxes.resumed", t.resumed, "calls that began in a paused or snapshotted sandbox");
    list.count("sandboxes.prewarmed", t.prewarmed, "sandboxes started ahead of calls by keep-alive or scaling");
    list.count(
        "sandboxes.prewarmed_in_vain",
        t.prewarmed_in_vain,
        "sandboxes that went without ever having had a call",
    );
    list.count("sandboxes.prewarm_without_room", t.prewarm_without_room, "starts ahead of calls that found no room");
    list.count(
        "sandboxes.creations_limited",
        t.creations_limited,
        "starts that waited for a host's limit on creations",
    );
    let mean = |c: Column| share(total(run, c), run_s);
    list.number("sandboxes.busy_mean", mean(Column::Running), "1", "calls in execution, mean over the run");
    list.number(
        "sandboxes.starting_mean",
        mean(Column::Starting),
        "1",
        "sandboxes starting or resuming, mean over the run",
    );
    list.number("sandboxes.idle_mean", mean(Column::Warm), "1", "idle sandboxes, mean over the run");
    let lifetime = share(t.lifetimes.0, t.lifetimes.1 as f64);
    list.number(
        "sandboxes.lifetime_mean_s",
        lifetime,
        "s",
        "from creation to end, mean over the sandboxes that are gone",
    );
    let starts = o.functions.iter().map(|f| f.starts).sum::<u64>() as f64;
    let phases = [
        ("limit", starts, "waiting for the limit on creations, mean per start"),
        ("boot", starts, "creation and boot, mean per start"),
        ("init", starts, "runtime initialisation, code and connections, mean per start"),
        ("resume", t.resumed as f64, "resuming from pause or disk, mean per resumed call"),
    ];
    for ((phase, count, meaning), sum) in phases.into_iter().zip(t.phase_s) {
        list.number(&format!("start_s.{phase}_mean"), share(sum, count), "s", meaning);
    }
}

/// Mean memory by what holds it. Where more is held than there is, shares of a host stand for bytes.
pub(super) fn memory(list: &mut List, run: &Finished<'_>, run_s: f64) {
    let o = run.outcome;
    let idle: f64 = o.functions.iter().map(|f| f.idle_mb_s).sum();
    list.number("memory.idle_mb_s", idle, "MB·s", "memory of warm idle sandboxes x time, isolation overhead included");
    list.number("memory.idle_mean_mb", share(idle, run_s), "MB", "mean memory of warm idle sandboxes");
    let held = |state: Held| -> f64 {
        (0..o.accounts.functions())
            .flat_map(|f| o.accounts.row(FunctionId::from_index(f)).iter().zip(run.groups))
            .map(|(account, group)| account.share_s[state as usize] * group.memory_mb)
            .sum()
    };
    list.number("memory.busy_mean_mb", share(held(Held::Busy), run_s), "MB", "mean memory of busy sandboxes");
    list.number(
        "memory.starting_mean_mb",
        share(held(Held::Starting), run_s),
        "MB",
        "mean memory of starting sandboxes",
    );
    let tiers = [
        ("ready", "mean memory of idle sandboxes that are ready"),
        ("paused", "mean memory of paused sandboxes"),
        ("on_disk", "mean memory that sandboxes on disk would hold if they were in memory"),
    ];
    for ((tier, meaning), mb_s) in tiers.into_iter().zip(o.totals.idle_tier_mb_s) {
        list.number(&format!("memory.idle_{tier}_mean_mb"), share(mb_s, run_s), "MB", meaning);
    }
    let system: f64 = o.hosts.iter().map(|h| h.system as f64 * 1e-6).sum();
    list.number("memory.shared_mb", system, "MB", "memory that the isolation mechanism holds once per host, all hosts");
}

/// Hosts that are on, and that are needed.
pub(super) fn hosts(list: &mut List, run: &Finished<'_>, run_s: f64) {
    let (o, t) = (run.outcome, &run.outcome.totals);
    list.count("hosts.total", run.regions.iter().map(|r| u64::from(r.hosts)).sum(), "hosts in the fleet");
    let on = share(total(run, Column::HostsOn), run_s);
    list.number("hosts.on_mean", on, "1", "hosts powered on, mean over the run");
    list.count("hosts.used_max", t.hosts_used_max.into(), "most hosts that held a sandbox at the same time");
    list.number("hosts.used_mean", share(t.hosts_used_s, run_s), "1", "hosts that held a sandbox, mean over the run");
    let host_s = o.hosts.len() as f64 * run_s;
    let over = |which: usize| share(o.hosts.iter().map(|h| h.over_s[which]).sum(), host_s);
    list.number(
        "exhaustion.memory_share",
        over(0),
        "1",
        "time with more memory in use than the host has, mean over hosts",
    );
    list.number("exhaustion.cpu_share", over(1), "1", "time with more CPU demanded than the host has, mean over hosts");
    list.count(
        "exhaustion.memory_events",
        t.exhaustions,
        "times at which memory in use came to exceed what the host has",
    );
    list.count("exhaustion.reclaimed", t.reclaimed, "idle sandboxes removed for it");
    list.count("exhaustion.killed", t.killed, "busy sandboxes killed for it");
    list.count("exhaustion.retried", t.retried, "calls that were killed with them and tried again");
    list.number("exhaustion.lost_s", t.lost.0, "s", "execution that was lost with them");
    list.number("exhaustion.lost_j", t.lost.1, "J", "dynamic energy of the lost execution, part of energy_j.execution");
}

/// One column of the site book over all regions and the whole run.
pub(super) fn total(run: &Finished<'_>, column: Column) -> f64 {
    (0..run.regions.len()).map(|r| run.outcome.site.total(RegionId::from_index(r))[column as usize]).sum()
}
