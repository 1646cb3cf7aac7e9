//! One more queue function whose calls are all submitted within minutes, as in the paper's example.

use super::choice::Alias;
use super::spec::{SubmissionSpike, XFaasSpec};
use super::tables::Tables;
use super::{Arrival, SECONDS_PER_WEEK};
use crate::types::{
    Duration, FunctionId, Memory, MilliCores, RegionId, Seed, SimTime, Stream, TenantId, normal_quantile,
};
use crate::workload::{FunctionProfile, MeanCall, Quota, Trigger};

/// The function, and what is still to come of it.
///
/// Model: a Poisson process of constant rate, share x calls of the week / length, from its begin to its end; every call draws its region by the regions' shares
/// of demand and its execution time around the median queue function's (Table 3), as all others do. It has one stream of its own, four draws per
/// call, so that it moves no other call.
pub(super) struct Spike {
    pub profile: FunctionProfile,
    function: FunctionId,
    /// When it begins and ends \[ns\].
    from: u64,
    to: u64,
    calls_per_ns: f64,
    mean_ns: f64,
    sigma: f64,
    deadline: Duration,
    stream: Stream,
    made: u64,
}

impl Spike {
    pub fn new(spike: &SubmissionSpike, spec: &XFaasSpec, function: FunctionId, seed: Seed) -> Self {
        let tables = Tables::embedded();
        let [queue, ..] = tables.classes();
        let [work_mi, memory_mb, exec_ms] =
            [&queue.cpu_mi, &queue.memory_mb, &queue.exec_ms].map(|q| tables.quantile(q, 0.5));
        // As for every other function: a call that would need more cores runs longer instead.
        let cores = (work_mi / (exec_ms / 1e3 * spec.mips_per_core)).clamp(0.001, spec.max_cores_per_call);
        let cpu = MilliCores::from_cores(cores);
        let seconds = (exec_ms / 1e3).max(work_mi / (cores * spec.mips_per_core));
        let calls = spike.share * spec.calls as f64;
        let [from, length] = [spike.at_s, spike.length_s].map(|s| Duration::from_secs_f64(s).0);
        let mean_cores = calls / SECONDS_PER_WEEK * work_mi / spec.mips_per_core;
        let profile = FunctionProfile {
            name: "queue-spike".into(),
            tenant: TenantId(0),
            memory: Memory::from_mb(memory_mb),
            cpu,
            trigger: Trigger::Queue,
            criticality: 0,
            quota: Quota::Opportunistic,
            trust_domain: 0,
            quota_cores: spec.quota_headroom.map(|headroom| headroom * mean_cores),
            mean_call: Some(MeanCall {
                time: Duration::from_secs_f64(exec_ms / 1e3),
                core_s: work_mi / spec.mips_per_core,
            }),
        };
        Self {
            profile,
            function,
            from,
            to: from + length,
            calls_per_ns: calls / length as f64,
            mean_ns: seconds * 1e9,
            sigma: spec.call_sigma,
            deadline: Duration::from_secs_f64(spike.deadline_s),
            stream: seed.stream("submission_spike", 0),
            made: 0,
        }
    }

    /// Adds its calls of the time from `start` to `end` \[ns\], in no order.
    pub fn add(&mut self, start: u64, end: u64, by_region: &Alias, calls: &mut Vec<Arrival>) {
        let (from, to) = (start.max(self.from), end.min(self.to));
        if from >= to {
            return;
        }
        let count = self.stream.poisson(self.calls_per_ns * (to - from) as f64);
        self.made += count;
        for _ in 0..count {
            let time = SimTime(from + self.stream.below(to - from));
            let region = RegionId::from_index(by_region.pick(self.stream.uniform()));
            let z = normal_quantile(self.stream.uniform());
            let work = Duration((self.mean_ns * libm::exp(self.sigma * (z - 0.5 * self.sigma))).round() as u64);
            let deadline = time + self.deadline;
            calls.push(Arrival { time, start: time, work, deadline, function: self.function, region, count: 1 });
        }
    }

    /// What the manifest says of it.
    pub fn note(&self) -> String {
        let [from, length] = [self.from, self.to - self.from].map(|ns| ns as f64 / 1e9);
        format!(
            "{} calls of queue-spike from {from} s for {length} s, beside the week's; published: almost 20 million in 900 s",
            self.made
        )
    }
}
