//! The figures of workers: functions and memory, locality groups, pushes of new code. Each only where it was asked for.

use super::Finished;
use super::summary::List;
use crate::types::JOULES_PER_KWH;

/// All of them.
pub(super) fn figures(list: &mut List, run: &Finished<'_>) {
    let o = run.outcome;
    if let Some(w) = &o.workers {
        list.count("workers.hours", w.hours, "worker-hours: all workers in all whole hours of the run");
        let meaning = "distinct functions that a worker begins to execute in an hour, over worker-hours";
        for (name, value) in ["mean", "p50", "p95"].into_iter().zip(w.distinct) {
            list.number(&format!("workers.distinct_functions_{name}"), value, "1", meaning);
        }
        let meaning = "share of a worker's memory in use, over the time that workers are on";
        for (name, value) in ["mean", "p50", "p95"].into_iter().zip(w.memory) {
            list.number(&format!("workers.memory_share_{name}"), value, "1", meaning);
        }
    }
    if let Some(l) = &o.locality {
        list.count("locality.inside", l.inside, "placements on a worker of the function's group");
        list.count("locality.spilled", l.spilled, "placements on another worker, because none of the group had room");
        list.count("locality.reassignments", l.reassignments, "how often groups were assigned anew");
        list.count(
            "locality.functions_moved",
            l.functions_moved,
            "functions that changed their group then, all regions",
        );
        list.count("locality.workers_moved", l.workers_moved, "workers that changed their group then, all regions");
    }
    if let Some(p) = &o.pushed {
        list.count("code_push.slowed_calls", p.slowed, "calls that began on a worker that was not warm after a push");
        let meaning = "CPU time beyond what the same calls need on warm workers";
        list.number("code_push.extra_cpu_core_s", p.extra_core_s, "core·s", meaning);
        let joules = p.extra_j.iter().flatten().sum();
        let meaning = "energy of that CPU time at the mean power of a core between no and full load, overhead included";
        list.number("code_push.extra_j", joules, "J", meaning);
        let regions = p.extra_j.iter().zip(run.intensity);
        let grams: f64 = regions
            .flat_map(|(joules, intensity)| joules.iter().zip(intensity))
            .map(|(j, g_per_kwh)| j / JOULES_PER_KWH * g_per_kwh)
            .sum();
        list.number("code_push.operational_g", grams, "gCO2e", "emissions of that energy, part of O");
    }
}
