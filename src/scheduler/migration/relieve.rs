//! Take instances off hosts that are too busy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fleet, HostView, Migration, MoveOrder, five_minutes};
use crate::types::{Duration, HostId};

/// Takes instances off hosts whose CPU demand is too high.
///
/// Rule, every period: from each host whose CPU demand is above `high` of its capacity, the instances with the least memory in use (which move
/// fastest) go one by one until it is not, each to the host of the region with the lowest CPU load that has room and stays at or below
/// `high`; one that fits nowhere stays.
///
/// Source: Beloglazov and Buyya, Concurrency and Computation 24(13), 2012: static threshold (0.8 there), minimum migration time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RelieveOverload {
    /// CPU demand over capacity above which a host is relieved. Default 0.8.
    #[schemars(range(min = 0.01, max = 100.0))]
    #[serde(default = "high")]
    pub high: f64,
    /// How often \[s\]. Default 300.
    #[schemars(range(min = 1.0))]
    #[serde(default = "five_minutes")]
    pub period_s: f64,
}

fn high() -> f64 {
    0.8
}

impl Migration for RelieveOverload {
    fn period(&self) -> Option<Duration> {
        Some(Duration::from_secs_f64(self.period_s))
    }

    fn moves(&mut self, fleet: &Fleet<'_>, orders: &mut Vec<MoveOrder>) {
        if fleet.hosts.iter().all(|h| h.load() <= self.high) {
            return;
        }
        let mut hosts: Vec<HostView> = fleet.hosts.to_vec();
        let mut by_load: std::collections::BTreeSet<(u64, usize)> =
            (0..hosts.len()).filter(|&h| hosts[h].on).map(|h| (rank(&hosts[h]), h)).collect();
        for source in 0..hosts.len() {
            if hosts[source].load() <= self.high {
                continue;
            }
            let mut residents = fleet.residents_of(&hosts[source]).to_vec();
            residents.sort_by_key(|r| (r.used, r.request.instance));
            for resident in residents.iter().filter(|r| r.demand > 0) {
                if hosts[source].load() <= self.high {
                    break;
                }
                let target = by_load.iter().map(|&(_, h)| h).take_while(|&h| hosts[h].load() < self.high).find(|&h| {
                    let view = &hosts[h];
                    h != source
                        && view.region == hosts[source].region
                        && view.takes(resident)
                        && view.with(resident, false).load() <= self.high
                });
                let Some(target) = target else { continue };
                orders.push((resident.token, HostId::from_index(target)));
                for (host, leave) in [(source, true), (target, false)] {
                    by_load.remove(&(rank(&hosts[host]), host));
                    hosts[host] = hosts[host].with(resident, leave);
                    by_load.insert((rank(&hosts[host]), host));
                }
            }
        }
    }
}

fn rank(host: &HostView) -> u64 {
    (host.load() * 1e9) as u64
}
