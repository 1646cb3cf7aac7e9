//! Make room in one piece for an instance that waits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fleet, HostView, Migration, MoveOrder, ResidentView, five_minutes};
use crate::types::{Duration, HostId, RegionId};

/// Makes room for the first instance that waits in a region, where no host has room for it but the region has.
///
/// Rule, every period and region: on every host that is on, instances are taken in the order of their memory in use, the smallest first, until the one
/// that waits would fit, if each of them fits on another host (the fullest that has room); the host for which the fewest bytes have to be copied is
/// chosen. Ties go to the lowest host number. Nothing is moved if there is no such host.
///
/// Assumed: the rule is ours; Protean (OSDI 2020) reports that fragmentation is what best-fit packing leaves, and that live migration mends it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Defragment {
    /// How often \[s\]. Default 300.
    #[schemars(range(min = 1.0))]
    #[serde(default = "five_minutes")]
    pub period_s: f64,
}

impl Migration for Defragment {
    fn period(&self) -> Option<Duration> {
        Some(Duration::from_secs_f64(self.period_s))
    }

    fn moves(&mut self, fleet: &Fleet<'_>, orders: &mut Vec<MoveOrder>) {
        for (region, waiting) in fleet.waiting.iter().enumerate() {
            let Some(request) = waiting else { continue };
            let region = RegionId::from_index(region);
            let own = |h: &HostView| h.region == region && h.on;
            if fleet.hosts.iter().any(|h| own(h) && h.has_room(request)) {
                continue;
            }
            // Targets from the fullest on, so that what is large and free stays so.
            let mut targets: Vec<usize> = (0..fleet.hosts.len()).filter(|&h| own(&fleet.hosts[h])).collect();
            targets.sort_by(|&a, &b| fleet.hosts[b].filled().total_cmp(&fleet.hosts[a].filled()).then(a.cmp(&b)));
            let mut best: Option<(u64, Vec<MoveOrder>)> = None;
            for &host in &targets {
                let limit = best.as_ref().map_or(u64::MAX, |(bytes, _)| *bytes);
                if let Some(plan) = clear(fleet, host, request.cpu, request.memory, &targets, limit)
                    && best.as_ref().is_none_or(|(bytes, _)| plan.0 < *bytes)
                {
                    best = Some(plan);
                }
            }
            orders.extend(best.into_iter().flat_map(|(_, plan)| plan));
        }
    }
}

/// The moves that make so much room on a host, and how many bytes they copy; `None` if there are none below `limit` bytes.
fn clear(
    fleet: &Fleet<'_>,
    host: usize,
    cpu: u64,
    memory: u64,
    targets: &[usize],
    limit: u64,
) -> Option<(u64, Vec<MoveOrder>)> {
    let mut view = fleet.hosts[host];
    let mut residents: Vec<ResidentView> = fleet.residents_of(&view).to_vec();
    residents.sort_by_key(|r| (r.used, r.request.instance));
    let fits = |view: &HostView| view.free().cpu >= cpu && view.free().memory >= memory;
    // Whether it would do at all to move everything, before anybody looks for places.
    if !fits(&residents.iter().fold(view, |v, r| v.with(r, true))) {
        return None;
    }
    let (mut bytes, mut orders) = (0, Vec::new());
    let mut changed: Vec<(usize, HostView)> = Vec::new();
    for resident in residents {
        if fits(&view) {
            break;
        }
        bytes += resident.used;
        if bytes >= limit {
            return None;
        }
        let now = |h: usize, changed: &[(usize, HostView)]| {
            changed.iter().rev().find(|(c, _)| *c == h).map_or(fleet.hosts[h], |(_, v)| *v)
        };
        let target = targets.iter().copied().find(|&h| h != host && now(h, &changed).takes(&resident))?;
        changed.push((target, now(target, &changed).with(&resident, false)));
        orders.push((resident.token, HostId::from_index(target)));
        view = view.with(&resident, true);
    }
    fits(&view).then_some((bytes, orders))
}
