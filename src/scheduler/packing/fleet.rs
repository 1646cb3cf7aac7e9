//! What packing rules know of the machines: what a host of each group has, draws and stands for, and in which failure domain
//! each host is.

use crate::types::{GroupId, HostId, JOULES_PER_KWH, RegionId};

/// What the hosts of one group have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HostFacts {
    /// Where they stand.
    pub region: RegionId,
    /// Their server type, a number of [`Fleet::servers`].
    pub server: u32,
    /// CPU that an empty host promises [millionths of a core].
    pub cpu: u64,
    /// Memory that an empty host promises \[bytes\].
    pub memory: u64,
    /// Physical cores.
    pub cores: f64,
    /// Power at no load \[W\].
    pub idle_w: f64,
    /// Power at full load above that at no load, per physical core [W/core].
    pub dynamic_w_per_core: f64,
    /// Power usage effectiveness: facility watts per further IT watt.
    pub pue: f64,
    /// Overhead of one host at any load, also while it is off \[W\]: no placement changes it.
    pub fixed_overhead_w: f64,
    /// Embodied emissions of one host, straight line over its life [gCO2e/s].
    pub embodied_g_per_s: f64,
    /// Carbon intensity that an objective in grams weighs watts with [gCO2e/kWh].
    pub intensity_g_per_kwh: f64,
}

/// What an objective counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grams {
    /// Electricity alone.
    Operational,
    /// Electricity and the share of embodied emissions.
    Sci,
}

impl HostFacts {
    /// Share of the host that so much CPU is.
    #[inline]
    pub fn cpu_share(&self, cpu: u64) -> f64 {
        cpu as f64 / self.cpu.max(1) as f64
    }

    /// Share of the host that so much memory is.
    #[inline]
    pub fn memory_share(&self, memory: u64) -> f64 {
        memory as f64 / self.memory.max(1) as f64
    }

    /// Emissions of so many watts of the facility; in watts, where only electricity counts (one region has one
    /// intensity, which then changes no order, not even where it is zero).
    fn rate(&self, of: Grams, facility_w: f64, embodied_share: f64) -> f64 {
        match of {
            Grams::Operational => facility_w,
            Grams::Sci => {
                facility_w / JOULES_PER_KWH * self.intensity_g_per_kwh + embodied_share * self.embodied_g_per_s
            }
        }
    }

    /// What a fully loaded host emits per core: [W/core] or [gCO2e/(s·core)].
    ///
    /// Formula: P(1) x PUE / cores; (P(1) x PUE x I + M / lifetime) / cores, with PUE at full load.
    pub(super) fn full_rate_per_core(&self, of: Grams) -> f64 {
        let it_w = self.idle_w + self.dynamic_w_per_core * self.cores;
        self.rate(of, it_w * self.pue + self.fixed_overhead_w, 1.0) / self.cores
    }

    /// What one more request emits on a host: [W] or [gCO2e/s].
    ///
    /// Formula: (cores x dynamic W per core + idle W if the host is empty) x PUE; that x I + reserved share x M / lifetime, where
    /// the reserved share is the larger of those of CPU and memory.
    pub(super) fn marginal_rate(&self, of: Grams, (cpu, memory): (u64, u64), is_empty: bool) -> f64 {
        let cores = cpu as f64 * 1e-6;
        let idle_w = if is_empty { self.idle_w } else { 0.0 };
        let share = self.cpu_share(cpu).max(self.memory_share(memory));
        self.rate(of, (cores * self.dynamic_w_per_core + idle_w) * self.pue, share)
    }
}

/// All hosts, in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fleet {
    /// What a host of each group has over what the largest host of its region has: CPU, memory.
    sizes: Vec<[f64; 2]>,
    /// What share of a host of each group one millionth of a core is, and one byte.
    shares: Vec<[f64; 2]>,
    /// Names of server types.
    pub servers: Vec<Box<str>>,
    /// What the hosts of each group have in common.
    pub groups: Vec<HostFacts>,
    /// The group of each host, and its failure domain, counted from 0 within its region.
    pub hosts: Vec<(GroupId, u32)>,
}

impl Fleet {
    /// Hosts of these groups; a group is named by its position.
    pub fn new(servers: Vec<Box<str>>, groups: Vec<HostFacts>, hosts: Vec<(GroupId, u32)>) -> Self {
        let size = |own: &HostFacts| {
            let near = || groups.iter().filter(|g| g.region == own.region);
            let largest = |of: fn(&HostFacts) -> u64| near().map(of).max().unwrap_or(1).max(1) as f64;
            [own.cpu as f64 / largest(|g| g.cpu), own.memory as f64 / largest(|g| g.memory)]
        };
        let share = |g: &HostFacts| [1.0 / g.cpu.max(1) as f64, 1.0 / g.memory.max(1) as f64];
        let (sizes, shares) = (groups.iter().map(size).collect(), groups.iter().map(share).collect());
        Self { sizes, shares, servers, groups, hosts }
    }

    /// What a host has over what the largest host of its region has: CPU, memory.
    #[inline]
    pub(super) fn size(&self, host: HostId) -> [f64; 2] {
        self.sizes[self.hosts[host.index()].0.index()]
    }

    /// What a host has.
    #[inline]
    pub fn facts(&self, host: HostId) -> &HostFacts {
        &self.groups[self.hosts[host.index()].0.index()]
    }

    /// What share of a host one millionth of a core is, and one byte.
    #[inline]
    pub(super) fn share(&self, host: HostId) -> [f64; 2] {
        self.shares[self.hosts[host.index()].0.index()]
    }

    /// The failure domain that a host is in, counted from 0 within its region.
    #[inline]
    pub fn failure_domain(&self, host: HostId) -> u32 {
        self.hosts[host.index()].1
    }

    /// How many failure domains a region has: its highest one and all below.
    pub fn failure_domains(&self, region: RegionId) -> usize {
        let own = self.hosts.iter().filter(|(group, _)| self.groups[group.index()].region == region);
        own.map(|(_, domain)| *domain as usize + 1).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: HostFacts = HostFacts {
        region: RegionId(0),
        server: 0,
        cpu: 10_000_000,
        memory: 100,
        cores: 10.0,
        idle_w: 100.0,
        dynamic_w_per_core: 5.0,
        pue: 1.2,
        fixed_overhead_w: 0.0,
        embodied_g_per_s: 0.02,
        intensity_g_per_kwh: 360.0,
    };

    #[test]
    fn rates_can_be_checked_by_hand() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12 * b, "{a} is not {b}");
        // 150 W at full load, 180 W of the facility, 18 mg/s at 360 g/kWh.
        close(FACTS.full_rate_per_core(Grams::Operational), 18.0);
        close(FACTS.full_rate_per_core(Grams::Sci), (0.018 + 0.02) / 10.0);
        // Two cores and half of the memory: 10 W, 12 W of the facility; the empty host's 100 W come with it.
        close(FACTS.marginal_rate(Grams::Operational, (2_000_000, 50), false), 12.0);
        close(FACTS.marginal_rate(Grams::Operational, (2_000_000, 50), true), 132.0);
        close(FACTS.marginal_rate(Grams::Sci, (2_000_000, 50), false), 0.0012 + 0.01);
    }
}
