//! A chain of rules: filters say where an instance may go, weighers say where it goes best.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, Candidate, Fleet, Grams, Looks, Rank};
use crate::types::RegionId;

/// A chain of rules: of the hosts that have room and pass all filters, the one with the largest sum of weight x value over the
/// weighers.
///
/// Source: the filters and weighers of OpenStack Nova, the filter and score plugins of the Kubernetes scheduler, and the rules of
/// Protean (Hadary et al., OSDI 2020). `docs/packing.md` has the formula of every weigher, and where they differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Apply the weighers first to hosts with an idle sandbox of the function. Default true.
    #[serde(default = "super::yes")]
    pub prefer_warm: bool,
    /// A set of weighers under a name, to which `weighers` are added. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    /// Where an instance may go. They hold for instances alone. Default: wherever there is room.
    #[serde(default)]
    pub filters: Filters,
    /// Where it goes best, each with its weight. Default: none; the lowest-numbered host then.
    #[serde(default)]
    pub weighers: Vec<Weigher>,
}

/// A set of weighers under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// What kube-scheduler does without configuration: least-allocated 1, balanced-allocation 1, failure-domain-spread 2.
    Kubernetes,
    /// What Nova does without configuration: free-memory 1, free-cpu 1.
    Openstack,
}

impl Preset {
    fn weighers(self) -> &'static [(Value, f64)] {
        match self {
            // Weights of the default plugins NodeResourcesFit, NodeResourcesBalancedAllocation and PodTopologySpread.
            Self::Kubernetes => {
                &[(Value::LeastAllocated, 1.0), (Value::BalancedAllocation, 1.0), (Value::FailureDomainSpread, 2.0)]
            }
            // ram_weight_multiplier and cpu_weight_multiplier.
            Self::Openstack => &[(Value::FreeMemory, 1.0), (Value::FreeCpu, 1.0)],
        }
    }
}

/// Where an instance may go.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Filters {
    /// With whom it may share a host. Default `any`.
    #[serde(default)]
    pub trust_domains: TrustDomains,
    /// How many more instances of its deployment a failure domain of the region may hold than the one that holds fewest. Default:
    /// any number.
    #[schemars(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_skew: Option<u32>,
    /// How many instances a host may hold. Default: any number.
    #[schemars(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_instances_per_host: Option<u32>,
    /// The server types on which instances may stand, names from `[servers]`. Default: all.
    #[schemars(length(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub servers: Option<Vec<String>>,
}

/// With whom an instance may share a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TrustDomains {
    /// With anybody.
    #[default]
    Any,
    /// Only with instances of its own trust domain.
    AntiAffinity,
    /// It must go to a host on which an instance of its trust domain stands, unless none stands in the region.
    Affinity,
}

/// One weigher with its weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Weigher {
    /// What is weighed.
    pub name: Value,
    /// Its weight; below 0, less is better. Default 1.
    #[schemars(range(min = -1000.0, max = 1000.0))]
    #[serde(default = "super::one")]
    pub weight: f64,
}

/// What a weigher looks at. Every value is between 0 and 1 on a host with room that promises no more than it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// Mean share of CPU and memory in use once the request is there: packs.
    MostAllocated,
    /// Mean share of CPU and memory free once the request is there: spreads.
    LeastAllocated,
    /// 1 - |u_cpu - u_memory| / 2, with the shares u in use once the request is there.
    BalancedAllocation,
    /// Free CPU before the request is there, over that of the region's largest host when empty.
    FreeCpu,
    /// Free memory before the request is there, over that of the region's largest host when empty.
    FreeMemory,
    /// (most - n) / most, with the n instances of the deployment in the host's failure domain and the most in any.
    FailureDomainSpread,
    /// 1 where an instance of the same trust domain stands on the host.
    TrustDomainAffinity,
    /// 1 where no instance of another trust domain stands on the host.
    TrustDomainAntiAffinity,
    /// 1 - what the request makes the facility draw there \[W\] over the most that it can draw on any host of the region.
    OperationalCarbon,
    /// The same in grams, with the reserved share of embodied emissions.
    Sci,
}

impl Rules {
    /// The weighers of preset and list.
    fn all(&self) -> Vec<(Value, f64)> {
        let own = self.weighers.iter().map(|w| (w.name, w.weight));
        self.preset.iter().flat_map(|p| p.weighers()).copied().chain(own).collect()
    }

    /// What is wrong with it, where servers of these types exist: key, message, help.
    pub fn problems(&self, servers: &[&str]) -> Vec<(&'static str, String, String)> {
        let mut problems = Vec::new();
        for name in self.filters.servers.iter().flatten().filter(|n| !servers.contains(&n.as_str())) {
            problems.push((
                "filters.servers",
                format!("no server type is called \"{name}\""),
                format!("name some of [servers]: {}", servers.join(", ")),
            ));
        }
        let all = self.all();
        for (i, (value, _)) in all.iter().enumerate() {
            if all[..i].iter().any(|(other, _)| other == value) {
                problems.push((
                    "weighers",
                    format!("{value:?} is weighed twice"),
                    "name each weigher once; those of the preset are listed in docs/packing.md".to_owned(),
                ));
            }
        }
        if all.iter().any(|(_, weight)| !weight.is_finite()) {
            problems.push(("weighers", "a weight is not a number".to_owned(), "write a finite weight".to_owned()));
        }
        problems
    }
}

/// The chain, resolved against the fleet.
pub(super) struct Chain {
    weighers: Vec<(Value, f64)>,
    filters: Filters,
    /// Whether each server type is allowed; empty: all are.
    allowed: Vec<bool>,
    looks: Looks,
}

impl Chain {
    pub(super) fn new(spec: &Rules, fleet: &Fleet) -> Self {
        let (spread, weighers): (Vec<_>, Vec<_>) =
            spec.all().into_iter().partition(|(value, _)| *value == Value::FailureDomainSpread);
        let trust_weighed =
            |w: &(Value, f64)| matches!(w.0, Value::TrustDomainAffinity | Value::TrustDomainAntiAffinity);
        let trust = spec.filters.trust_domains != TrustDomains::Any || weighers.iter().any(trust_weighed);
        let looks = Looks {
            trust,
            residents: trust || spec.filters.max_instances_per_host.is_some(),
            spread: spread.iter().map(|(_, weight)| weight).sum(),
            max_skew: spec.filters.max_skew,
        };
        let allowed = spec.filters.servers.as_ref().map_or(Vec::new(), |names| {
            fleet.servers.iter().map(|server| names.iter().any(|name| **name == **server)).collect()
        });
        Self { weighers, filters: spec.filters.clone(), allowed, looks }
    }

    fn allows(&self, ask: &Ask, host: &Candidate<'_>) -> bool {
        if !ask.instance {
            return true;
        }
        if self.allowed.get(host.facts.server as usize) == Some(&false) {
            return false;
        }
        if self.filters.max_instances_per_host.is_some_and(|most| host.residents.on(host.host) >= most) {
            return false;
        }
        match self.filters.trust_domains {
            TrustDomains::Any => true,
            TrustDomains::AntiAffinity => !host.residents.trust(host.host, ask.trust_domain).1,
            TrustDomains::Affinity => ask.is_first || host.residents.trust(host.host, ask.trust_domain).0,
        }
    }

    /// The objective in grams or watts that is weighed, if one is.
    fn objective(value: Value) -> Option<Grams> {
        match value {
            Value::OperationalCarbon => Some(Grams::Operational),
            Value::Sci => Some(Grams::Sci),
            _ => None,
        }
    }
}

impl Value {
    #[inline]
    fn of(self, ask: &Ask, worst: &[f64; 2], host: &Candidate<'_>) -> f64 {
        let free_memory = || host.free_memory() - host.asked_memory(ask);
        let free_cpu = || host.free_cpu().map(|free| free - host.asked_cpu(ask));
        let mean_free = || free_cpu().map_or_else(free_memory, |cpu| (cpu + free_memory()) / 2.0);
        let trust = || if ask.instance { host.residents.trust(host.host, ask.trust_domain) } else { (false, false) };
        let less = |of: Grams, worst: f64| {
            let rate = host.facts.marginal_rate(of, (ask.cpu, ask.memory), host.is_empty());
            if worst > 0.0 { 1.0 - rate / worst } else { 1.0 }
        };
        match self {
            Self::MostAllocated => 1.0 - mean_free(),
            Self::LeastAllocated => mean_free(),
            Self::BalancedAllocation => free_cpu().map_or(1.0, |cpu| 1.0 - (cpu - free_memory()).abs() / 2.0),
            Self::FreeCpu => host.free_cpu().map_or(1.0, |free| free * host.size[0]),
            Self::FreeMemory => host.free_memory() * host.size[1],
            // Of the failure domain, not of the host: added where its hosts are compared with others.
            Self::FailureDomainSpread => 0.0,
            Self::TrustDomainAffinity => f64::from(u8::from(trust().0)),
            Self::TrustDomainAntiAffinity => f64::from(u8::from(!trust().1)),
            Self::OperationalCarbon => less(Grams::Operational, worst[0]),
            Self::Sci => less(Grams::Sci, worst[1]),
        }
    }
}

impl Rank for Chain {
    type Scale = [f64; 2];

    fn looks(&self) -> Looks {
        self.looks
    }

    /// The most that the request can draw and emit on any host of the region: on an empty one of the worst group.
    fn scale(&self, ask: &Ask, fleet: &Fleet, region: RegionId) -> [f64; 2] {
        [Grams::Operational, Grams::Sci].map(|of| {
            if !self.weighers.iter().any(|w| Self::objective(w.0) == Some(of)) {
                return 0.0;
            }
            let own = fleet.groups.iter().filter(|g| g.region == region);
            own.map(|g| g.marginal_rate(of, (ask.cpu, ask.memory), true)).fold(0.0, f64::max)
        })
    }

    fn score(&self, ask: &Ask, worst: &[f64; 2], host: &Candidate<'_>) -> Option<f64> {
        let points = || self.weighers.iter().map(|(value, weight)| weight * value.of(ask, worst, host)).sum();
        self.allows(ask, host).then(points)
    }
}
