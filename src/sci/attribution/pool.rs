//! The pools: what each host group drew, or has embodied, that no function held.

use super::super::{CAUSES, GroupFacts, RegionScore, Share};
use crate::ledger::Cause;
use crate::types::{RegionId, SimTime};

/// What nobody held of one host group.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pool {
    /// Energy by cause, in the order of [`Cause::ALL`] \[J\].
    pub energy_j: [f64; CAUSES],
    /// Operational emissions by cause \[gCO2e\].
    pub operational_g: [f64; CAUSES],
    /// Embodied emissions of all its hosts over the run, held or not \[gCO2e\].
    pub embodied_g: f64,
}

/// The pools of all host groups. `held` has what functions held of each group, all functions together, and for how long
/// (charge, and share of a host x time [host·s]).
///
/// Formula: the pool of a region is what its site book has and no function does, cause by cause. The groups of a region share it in
/// proportion to what their unheld host-time draws at no load: (hosts x T − held) x W, for overhead x ((PUE − 1) W + fixed overhead).
/// Exact with one group per region. With several it is exact for energy as long as all are on and memory draws nothing beyond;
/// emissions then assume that their idle times lie alike in time.
pub fn pools(regions: &[RegionScore], groups: &[GroupFacts], held: &[(Share, f64)], end: SimTime) -> Vec<Pool> {
    let run_s = end.as_secs_f64();
    let mut pools = vec![Pool::default(); groups.len()];
    for (r, region) in regions.iter().enumerate() {
        let own: Vec<usize> = (0..groups.len()).filter(|&g| groups[g].region == RegionId::from_index(r)).collect();
        let mut charged = Share::default();
        own.iter().for_each(|&g| charged.add(&held[g].0));
        let unheld_s = |g: usize| (f64::from(groups[g].hosts) * run_s - held[g].1).max(0.0);
        let it = parts(&own, |g| unheld_s(g) * groups[g].held_w, groups);
        let overhead_w = |g: &GroupFacts| (g.pue - 1.0) * g.held_w + g.fixed_overhead_w;
        let overhead = parts(&own, |g| unheld_s(g) * overhead_w(&groups[g]), groups);
        for (at, &g) in own.iter().enumerate() {
            for (i, cause) in Cause::ALL.into_iter().enumerate() {
                let part = if cause == Cause::Overhead { overhead[at] } else { it[at] };
                pools[g].energy_j[i] = part * rest(region.energy_j[i], charged.energy_j[i]);
                pools[g].operational_g[i] = part * rest(region.operational_g[i], charged.operational_g[i]);
            }
            pools[g].embodied_g = groups[g].embodied_g(f64::from(groups[g].hosts), run_s, groups[g].powered_s);
        }
    }
    pools
}

/// What is left of a whole; a hair off zero is rounding.
fn rest(all: f64, part: f64) -> f64 {
    if (all - part).abs() <= 1e-9 * all.abs() { 0.0 } else { all - part }
}

/// Parts of one in proportion to a size; to the number of hosts where all sizes are zero.
fn parts(own: &[usize], size: impl Fn(usize) -> f64, groups: &[GroupFacts]) -> Vec<f64> {
    let sizes: Vec<f64> = own.iter().map(|&g| size(g)).collect();
    let total: f64 = sizes.iter().sum();
    if total > 0.0 {
        return sizes.iter().map(|s| s / total).collect();
    }
    let hosts: f64 = own.iter().map(|&g| f64::from(groups[g].hosts)).sum();
    own.iter().map(|&g| f64::from(groups[g].hosts) / hosts).collect()
}
