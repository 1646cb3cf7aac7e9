//! Empty hosts onto fuller ones.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fleet, HostView, Migration, MoveOrder, five_minutes};
use crate::types::{Duration, HostId};

/// Empties the least filled hosts onto fuller ones.
///
/// Rule, every period: hosts whose promised share (the larger of CPU and memory) is below `low` and that hold nothing but instances are taken from
/// the emptiest on; each is emptied if all its instances, the largest first, fit on fuller hosts (best fit: the fullest that has room) whose promised share and CPU load
/// and memory in use all stay at or below `high`; else it is left as it is. At most `most_moves` instances are moved at a time.
///
/// Source: Beloglazov and Buyya, Concurrency and Computation 24(13), 2012 (under-utilised hosts are emptied or left alone; placement best fit
/// decreasing). Thresholds: theirs are 0.3–0.7 of CPU by usage; by requests, our defaults 0.5 and 0.9 are assumed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Consolidate {
    /// Promised share below which a host is emptied. Default 0.5.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "half")]
    pub low: f64,
    /// Promised share, CPU load and share of memory in use above which no host is filled. Default 0.9.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "most")]
    pub high: f64,
    /// How often \[s\]. Default 300.
    #[schemars(range(min = 1.0))]
    #[serde(default = "five_minutes")]
    pub period_s: f64,
    /// Moves begun at a time, at most. Default 100 (assumed).
    #[schemars(range(min = 1))]
    #[serde(default = "hundred")]
    pub most_moves: u32,
}

fn half() -> f64 {
    0.5
}

fn most() -> f64 {
    0.9
}

fn hundred() -> u32 {
    100
}

impl Migration for Consolidate {
    fn period(&self) -> Option<Duration> {
        Some(Duration::from_secs_f64(self.period_s))
    }

    fn moves(&mut self, fleet: &Fleet<'_>, orders: &mut Vec<MoveOrder>) {
        let mut hosts: Vec<HostView> = fleet.hosts.to_vec();
        let mut sparse: Vec<usize> = (0..hosts.len())
            .filter(|&h| hosts[h].on && hosts[h].others == 0)
            .filter(|&h| hosts[h].residents.0 < hosts[h].residents.1 && hosts[h].filled() < self.low)
            .collect();
        let rank = |host: &HostView| (host.filled() * 1e9) as u64;
        sparse.sort_by_key(|&h| (rank(&hosts[h]), std::cmp::Reverse(h)));
        // Hosts that may be filled, by how full they are: best fit looks from the fullest down.
        let mut by_fill: BTreeSet<(u64, usize)> =
            (0..hosts.len()).filter(|&h| hosts[h].on).map(|h| (rank(&hosts[h]), h)).collect();
        let mut left = self.most_moves as usize;
        let mut filled = BTreeSet::new();
        for source in sparse {
            if filled.contains(&source) {
                continue;
            }
            let mut residents = fleet.residents_of(&hosts[source]).to_vec();
            if residents.len() > left {
                continue;
            }
            residents.sort_by_key(|r| std::cmp::Reverse((r.request.cpu, r.request.memory)));
            let before = rank(&hosts[source]);
            let mut plan: Vec<(usize, HostView)> = Vec::new();
            let mut chosen = Vec::new();
            for resident in &residents {
                let now = |h: usize, plan: &[(usize, HostView)]| {
                    plan.iter().rev().find(|(p, _)| *p == h).map_or(hosts[h], |(_, view)| *view)
                };
                let target = by_fill.range((before, 0)..).rev().map(|&(_, h)| h).find(|&h| {
                    let view = now(h, &plan);
                    let then = view.with(resident, false);
                    h != source
                        && view.region == hosts[source].region
                        && view.takes(resident)
                        && then.filled() <= self.high
                        && then.memory_load() <= self.high
                        && then.load() <= self.high
                });
                let Some(target) = target else { break };
                plan.push((target, now(target, &plan).with(resident, false)));
                chosen.push((resident.token, HostId::from_index(target)));
            }
            if chosen.len() < residents.len() {
                continue;
            }
            left -= chosen.len();
            orders.extend(chosen);
            for (host, view) in plan {
                by_fill.remove(&(rank(&hosts[host]), host));
                hosts[host] = view;
                by_fill.insert((rank(&view), host));
                filled.insert(host);
            }
            // It is no target any more.
            by_fill.remove(&(before, source));
        }
    }
}
