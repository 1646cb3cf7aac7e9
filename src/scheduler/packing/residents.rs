//! Who stands where: instances by host, trust domain, and deployment and failure domain.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Fleet, InstanceRequest};
use crate::cluster::ChangeLog;
use crate::types::{HostId, RegionId};
use crate::workload::instances::NO_DEPLOYMENT;

/// Counts of the instances that stand on hosts, kept by what is placed and what leaves; each change takes time logarithmic in the
/// number of deployments and linear in the trust domains on one host.
pub(super) struct Residents {
    fleet: Arc<Fleet>,
    /// Instances on each host.
    count: Vec<u32>,
    /// The trust domains on each host, with their instances, in order.
    trust: Vec<Vec<(u32, u32)>>,
    /// Instances by region and trust domain.
    of_domain: BTreeMap<(u32, u32), u32>,
    /// Instances by region and deployment: in each failure domain.
    spread: BTreeMap<(u32, u32), Vec<u32>>,
    /// Failure domains of each region.
    failure_domains: Vec<usize>,
    /// Hosts whose residents have changed.
    pub changes: ChangeLog,
}

impl Residents {
    pub(super) fn new(fleet: Arc<Fleet>) -> Self {
        let hosts = fleet.hosts.len();
        let regions = fleet.groups.iter().map(|g| g.region.index() + 1).max().unwrap_or(0);
        let mut failure_domains = vec![0; regions];
        for (group, domain) in &fleet.hosts {
            let of = &mut failure_domains[fleet.groups[group.index()].region.index()];
            *of = (*of).max(*domain as usize + 1);
        }
        Self {
            fleet,
            count: vec![0; hosts],
            trust: vec![Vec::new(); hosts],
            of_domain: BTreeMap::new(),
            spread: BTreeMap::new(),
            failure_domains,
            changes: ChangeLog::new(hosts),
        }
    }

    pub(super) fn placed(&mut self, request: &InstanceRequest, host: HostId) {
        let region = self.fleet.facts(host).region;
        self.count[host.index()] += 1;
        let trust = &mut self.trust[host.index()];
        match trust.binary_search_by_key(&request.trust_domain, |t| t.0) {
            Ok(at) => trust[at].1 += 1,
            Err(at) => trust.insert(at, (request.trust_domain, 1)),
        }
        *self.of_domain.entry((region.0, request.trust_domain)).or_default() += 1;
        if request.deployment != NO_DEPLOYMENT {
            let domains = self.failure_domains[region.index()];
            let counts = self.spread.entry((region.0, request.deployment)).or_insert_with(|| vec![0; domains]);
            counts[self.fleet.failure_domain(host) as usize] += 1;
        }
        self.changes.push(host.0);
    }

    pub(super) fn left(&mut self, request: &InstanceRequest, host: HostId) {
        const PLACED: &str = "who leaves has been placed";
        let region = self.fleet.facts(host).region;
        self.count[host.index()] -= 1;
        let trust = &mut self.trust[host.index()];
        let at = trust.binary_search_by_key(&request.trust_domain, |t| t.0).expect(PLACED);
        trust[at].1 -= 1;
        if trust[at].1 == 0 {
            trust.remove(at);
        }
        let key = (region.0, request.trust_domain);
        let of = self.of_domain.get_mut(&key).expect(PLACED);
        *of -= 1;
        if *of == 0 {
            self.of_domain.remove(&key);
        }
        if request.deployment != NO_DEPLOYMENT {
            let key = (region.0, request.deployment);
            let counts = self.spread.get_mut(&key).expect(PLACED);
            counts[self.fleet.failure_domain(host) as usize] -= 1;
            if counts.iter().all(|&n| n == 0) {
                self.spread.remove(&key);
            }
        }
        self.changes.push(host.0);
    }

    /// Instances on a host.
    #[inline]
    pub(super) fn on(&self, host: HostId) -> u32 {
        self.count[host.index()]
    }

    /// Whether instances of this trust domain stand on a host, and whether instances of others do.
    #[inline]
    pub(super) fn trust(&self, host: HostId, domain: u32) -> (bool, bool) {
        let trust = &self.trust[host.index()];
        let own = trust.binary_search_by_key(&domain, |t| t.0).is_ok();
        (own, trust.len() > usize::from(own))
    }

    /// Whether instances of this trust domain stand anywhere in a region.
    pub(super) fn anywhere(&self, region: RegionId, domain: u32) -> bool {
        self.of_domain.contains_key(&(region.0, domain))
    }

    /// Instances of a deployment in each failure domain of a region; `None` if there are none.
    pub(super) fn spread(&self, region: RegionId, deployment: u32) -> Option<&[u32]> {
        self.spread.get(&(region.0, deployment)).map(Vec::as_slice)
    }
}
