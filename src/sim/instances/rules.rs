//! `[model.instances]`: how instances start, wait, share CPU and are moved.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How instances start, wait, share CPU and are moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceRules {
    /// What becomes of CPU that an instance wants and does not get. Default `lose`.
    #[serde(default)]
    pub contention: Contention,
    /// How long an instance takes from its placement to its first usage \[s\]. Default 0: as in traces, which begin with a running
    /// instance; containers about 1, VMs minutes (`sim list isolation`).
    #[schemars(range(min = 0.0))]
    #[serde(default)]
    pub start_s: f64,
    /// Memory that the isolation around each instance holds \[MB\]. Default 0: traces ask for memory as it was sold; QEMU about 131,
    /// Firecracker about 3 (NSDI 2020).
    #[schemars(range(min = 0.0))]
    #[serde(default)]
    pub memory_overhead_mb: f64,
    /// In which order waiting instances are placed. Default `fifo`.
    #[serde(default)]
    pub order: Order,
    /// How many instances behind the first may be tried while the first finds no room. Default 0: strictly in order (OpenDC).
    #[serde(default)]
    pub backfill: u32,
    /// How long after its eviction an instance is asked for again \[s\]. Default 30 (assumed: the grace period of Kubernetes, after
    /// which a pod is stopped for good).
    #[schemars(range(min = 0.001))]
    #[serde(default = "thirty")]
    pub restart_delay_s: f64,
    /// What an evicted instance does when it runs again. Default `restart`.
    #[serde(default)]
    pub evicted: Evicted,
    /// How often what instances use is looked at, where no predictor says \[s\]: the interval of the multiplexing report. Default 300:
    /// that of the published traces.
    #[schemars(range(min = 1.0, max = 86400.0))]
    #[serde(default = "five_minutes")]
    pub sample_s: f64,
    /// Live migration.
    #[serde(default)]
    pub migration: MigrationRules,
}

fn five_minutes() -> f64 {
    300.0
}

fn thirty() -> f64 {
    30.0
}

impl Default for InstanceRules {
    fn default() -> Self {
        Self {
            contention: Contention::default(),
            start_s: 0.0,
            memory_overhead_mb: 0.0,
            order: Order::default(),
            backfill: 0,
            restart_delay_s: thirty(),
            evicted: Evicted::default(),
            sample_s: five_minutes(),
            migration: MigrationRules::default(),
        }
    }
}

/// What becomes of CPU that an instance wants and does not get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Contention {
    /// Its usage goes on as in the trace, and what it did not get is not made up for (OpenDC's `NoDelay`): right for services.
    #[default]
    Lose,
    /// Each piece of its usage lasts until it has got its CPU (OpenDC's `Perfect` scaling): right for jobs.
    Stretch,
}

/// In which order waiting instances are placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// First come, first served.
    #[default]
    Fifo,
    /// The highest priority first, among equals the one that came first.
    Priority,
}

/// What an evicted instance does when it runs again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Evicted {
    /// Its usage begins anew, and what it had done is lost.
    #[default]
    Restart,
    /// It goes on where it was: checkpointed without cost, a bound.
    Resume,
}

/// `[model.instances.migration]`: what a live migration costs.
///
/// Formula (pre-copy, Clark et al., NSDI 2005): with memory M, bandwidth B and dirty rate D, round i copies M (D/B)^i; after
/// `rounds` further rounds the instance stops, and the rest is copied. Bytes = M (1 - r^(n+2)) / (1 - r), r = D/B; downtime =
/// M r^(n+1) / B.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MigrationRules {
    /// Bandwidth of one migration [MB/s]. Default 1250: 10 Gbit/s (assumed).
    #[schemars(range(min = 0.001))]
    #[serde(default = "bandwidth")]
    pub bandwidth_mb_per_s: f64,
    /// How fast the instance writes memory that was copied already [MB/s], less than the bandwidth. Default 50 (assumed; Clark et
    /// al. 2005 show tens of MB/s for servers).
    #[schemars(range(min = 0.0))]
    #[serde(default = "dirty")]
    pub dirty_mb_per_s: f64,
    /// Rounds of copying after the first, while it runs. Default 3 (assumed; Xen stops after at most 29).
    #[schemars(range(max = 100))]
    #[serde(default = "rounds")]
    pub rounds: u32,
    /// CPU that the copying takes on each of the two hosts \[cores\]. Default 1 (assumed: one thread that sends or receives at
    /// 10 Gbit/s).
    #[schemars(range(min = 0.0))]
    #[serde(default = "one")]
    pub cores: f64,
}

fn bandwidth() -> f64 {
    1250.0
}

fn dirty() -> f64 {
    50.0
}

fn rounds() -> u32 {
    3
}

fn one() -> f64 {
    1.0
}

impl Default for MigrationRules {
    fn default() -> Self {
        Self { bandwidth_mb_per_s: bandwidth(), dirty_mb_per_s: dirty(), rounds: rounds(), cores: one() }
    }
}

impl MigrationRules {
    /// Bytes over the network, time until it stands still \[s\], and how long it then does \[s\], for so much memory \[bytes\].
    pub fn cost(&self, memory: f64) -> (f64, f64, f64) {
        let per_s = self.bandwidth_mb_per_s * 1e6;
        let ratio = (self.dirty_mb_per_s / self.bandwidth_mb_per_s).min(0.99);
        let (mut copied, mut round) = (0.0, memory);
        for _ in 0..=self.rounds {
            copied += round;
            round *= ratio;
        }
        (copied + round, copied / per_s, round / per_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_copies_what_was_written_meanwhile() {
        let m = MigrationRules { bandwidth_mb_per_s: 1000.0, dirty_mb_per_s: 100.0, rounds: 1, cores: 1.0 };
        // 4000 MB in 4 s, then 400 in 0.4 s; the last 40 MB while it stands still, 0.04 s.
        let (bytes, copying_s, downtime_s) = m.cost(4e9);
        assert!((bytes - 4.44e9).abs() < 1.0 && (copying_s - 4.4).abs() < 1e-12 && (downtime_s - 0.04).abs() < 1e-12);
    }
}
