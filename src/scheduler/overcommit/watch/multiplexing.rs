//! Statistical multiplexing: how much less a host needs for the peak of a sum than for the sum of the peaks.

use super::super::{PerInstance, Sample, State};
use super::Spread;
use crate::stats::quantile_of_sorted;
use crate::types::HostId;

/// An instance's highest use so far on its host \[cores\].
struct Own(f64);

impl State for Own {
    fn clear(&mut self) {
        self.0 = 0.0;
    }
}

#[derive(Clone, Default)]
struct Host {
    heard: Option<u64>,
    /// Sum over all stays of the own peak.
    sum_of_peaks: f64,
    /// The highest sum over those present of their own peaks so far.
    standing_peaks: f64,
    peak_of_sum: f64,
}

/// Sums of one step over all hosts \[cores\].
#[derive(Default)]
struct Tick {
    usage: f64,
    limit: f64,
    standing: f64,
}

/// Hears the snapshots that predictors hear, and compares peaks of sums with sums of peaks. Uses count at most to their limits.
///
/// Memory: one number per instance, one per step of the run.
pub struct Multiplexing {
    /// Cores of all hosts together.
    physical: f64,
    own: PerInstance<Own>,
    hosts: Vec<Host>,
    step: u64,
    tick: Tick,
    /// The cell's total use by step \[cores\].
    totals: Vec<f64>,
    limits: f64,
    standing_peaks: f64,
}

/// One host's peaks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HostPeaks {
    /// The host.
    pub host: HostId,
    /// Sum over all instances that ever were on it of each one's own highest use there \[cores\]. Grows with turnover.
    pub sum_of_peaks: f64,
    /// The largest sum, over the instances present at one step, of each one's highest use so far \[cores\]: what the host would have needed,
    /// had each instance been given exactly its own peak. Without turnover the same as `sum_of_peaks`.
    pub standing_peaks: f64,
    /// The highest total use \[cores\].
    pub peak_of_sum: f64,
}

/// What sharing gains, and the three utilizations that must not be confused.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiplexingReport {
    /// Hosts that were ever in use.
    pub hosts: Vec<HostPeaks>,
    /// `standing_peaks` over `peak_of_sum`, over hosts. Published (Fig. 1, EuroSys 2021, read off): about 1.5 at the median.
    pub standing_ratio: Spread,
    /// `sum_of_peaks` over `peak_of_sum`, over hosts.
    pub all_stays_ratio: Spread,
    /// The same as `standing_ratio` for all hosts as one.
    pub cell_standing_ratio: f64,
    /// Sum of the hosts' own peaks over the peak of the cell: what sharing between hosts would gain.
    pub hosts_over_cell: f64,
    /// The cell's total use, mean over steps \[cores\].
    pub mean_cores: f64,
    /// The same, 99th percentile, linear between order statistics \[cores\].
    pub p99_cores: f64,
    /// The same, 99.99th percentile \[cores\].
    pub p9999_cores: f64,
    /// The same, largest \[cores\].
    pub peak_cores: f64,
    /// Mean over the 99th percentile: utilization of a pool provisioned for the latter.
    pub utilization_at_p99: f64,
    /// The 99.99th percentile over the mean.
    pub p9999_over_mean: f64,
    /// Use over limits, sums over the run. Says nothing of hosts.
    pub use_over_requested: f64,
    /// Limits over physical cores.
    pub requested_over_physical: f64,
    /// Use over physical cores: the product of the two.
    pub use_over_physical: f64,
}

impl Multiplexing {
    /// For a cell with this many physical cores in all.
    pub fn new(physical_cores: f64) -> Self {
        Self {
            physical: physical_cores,
            own: PerInstance::new(|| Own(0.0)),
            hosts: Vec::new(),
            step: 0,
            tick: Tick::default(),
            totals: Vec::new(),
            limits: 0.0,
            standing_peaks: 0.0,
        }
    }

    /// Hears of one host's instances, in the order of their numbers, at most once between two ends of a step.
    pub fn observe(&mut self, host: HostId, samples: &[Sample]) {
        let h = host.index();
        if self.hosts.len() <= h {
            self.hosts.resize(h + 1, Host::default());
        }
        let (mut usage, mut standing) = (0.0, 0.0);
        let of_host = &mut self.hosts[h];
        debug_assert!(of_host.heard != Some(self.step), "a host is heard of once per step");
        of_host.heard = Some(self.step);
        for ((_, own), sample) in self.own.of(host, samples).iter_mut().zip(samples) {
            let used = sample.usage.min(sample.limit);
            if used > own.0 {
                of_host.sum_of_peaks += used - own.0;
                own.0 = used;
            }
            usage += used;
            standing += own.0;
            self.tick.limit += sample.limit;
        }
        of_host.standing_peaks = of_host.standing_peaks.max(standing);
        of_host.peak_of_sum = of_host.peak_of_sum.max(usage);
        self.tick.usage += usage;
        self.tick.standing += standing;
    }

    /// Ends a step of the cell: all hosts have been heard of. One that was not has no instances.
    pub fn end_of_tick(&mut self) {
        for h in 0..self.hosts.len() {
            if self.hosts[h].heard.is_some_and(|step| step != self.step) {
                self.observe(HostId::from_index(h), &[]);
            }
        }
        let tick = std::mem::take(&mut self.tick);
        self.totals.push(tick.usage);
        self.limits += tick.limit;
        self.standing_peaks = self.standing_peaks.max(tick.standing);
        self.step += 1;
    }

    /// What the run so far shows. Ratios of nothing are 0.
    pub fn report(&self) -> MultiplexingReport {
        let over = |x: f64, y: f64| if y > 0.0 { x / y } else { 0.0 };
        let used = |(_, h): &(usize, &Host)| h.peak_of_sum > 0.0;
        let peaks = |(h, of): (usize, &Host)| HostPeaks {
            host: HostId::from_index(h),
            sum_of_peaks: of.sum_of_peaks,
            standing_peaks: of.standing_peaks,
            peak_of_sum: of.peak_of_sum,
        };
        let hosts: Vec<HostPeaks> = self.hosts.iter().enumerate().filter(used).map(peaks).collect();
        let ratios = |of: fn(&HostPeaks) -> f64| Spread::of(hosts.iter().map(|h| of(h) / h.peak_of_sum).collect());
        let mut sorted = self.totals.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let usage: f64 = self.totals.iter().sum();
        let steps = self.totals.len() as f64;
        let mean = over(usage, steps);
        let [p99, p9999, peak] = [0.99, 0.9999, 1.0].map(|q| quantile_of_sorted(&sorted, q));
        MultiplexingReport {
            standing_ratio: ratios(|h| h.standing_peaks),
            all_stays_ratio: ratios(|h| h.sum_of_peaks),
            cell_standing_ratio: over(self.standing_peaks, peak),
            hosts_over_cell: over(hosts.iter().map(|h| h.peak_of_sum).sum(), peak),
            hosts,
            mean_cores: mean,
            p99_cores: p99,
            p9999_cores: p9999,
            peak_cores: peak,
            utilization_at_p99: over(mean, p99),
            p9999_over_mean: over(p9999, mean),
            use_over_requested: over(usage, self.limits),
            requested_over_physical: over(self.limits, steps * self.physical),
            use_over_physical: over(usage, steps * self.physical),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Seed;

    fn sample(instance: u32, usage: f64, limit: f64) -> Sample {
        Sample { instance, usage, limit }
    }

    #[test]
    fn peaks_that_do_not_coincide_are_told_from_those_that_do() {
        let mut m = Multiplexing::new(8.0);
        // Host 0: two instances with peaks of 2 in turn; host 1: one that leaves, one that comes, above its limit once.
        let steps: [(&[Sample], &[Sample]); 3] = [
            (&[sample(0, 2.0, 4.0), sample(1, 1.0, 4.0)], &[sample(5, 1.0, 1.0)]),
            (&[sample(0, 1.0, 4.0), sample(1, 2.0, 4.0)], &[]),
            (&[sample(0, 0.0, 4.0), sample(1, 0.0, 4.0)], &[sample(6, 9.0, 3.0)]),
        ];
        for (a, b) in steps {
            m.observe(HostId(0), a);
            if !b.is_empty() {
                m.observe(HostId(1), b);
            }
            m.end_of_tick();
        }
        let r = m.report();
        let peaks = |h: usize| (r.hosts[h].sum_of_peaks, r.hosts[h].standing_peaks, r.hosts[h].peak_of_sum);
        assert_eq!((peaks(0), peaks(1)), ((4.0, 4.0, 3.0), (4.0, 3.0, 3.0)));
        assert!((r.standing_ratio.mean - (4.0 / 3.0 + 1.0) / 2.0).abs() < 1e-12);
        // Cell: use 4, 3, 3; standing 2+1+1, 2+2, 2+2+3.
        assert_eq!((r.peak_cores, r.cell_standing_ratio, r.hosts_over_cell), (4.0, 7.0 / 4.0, 6.0 / 4.0));
        let (used, limits) = (4.0 + 3.0 + 3.0, 9.0 + 8.0 + 11.0);
        assert!((r.use_over_requested - used / limits).abs() < 1e-12);
        assert!((r.requested_over_physical - limits / 24.0).abs() < 1e-12);
        assert!((r.use_over_physical - r.use_over_requested * r.requested_over_physical).abs() < 1e-12);
    }

    #[test]
    fn nothing_has_no_ratio() {
        let mut m = Multiplexing::new(8.0);
        assert_eq!(m.report().utilization_at_p99, 0.0);
        m.observe(HostId(2), &[]);
        m.end_of_tick();
        let r = m.report();
        assert!(r.hosts.is_empty() && r.standing_ratio.mean == 0.0 && r.use_over_physical == 0.0);
    }

    /// Provisioning for the 99th percentile of N exponential tenants: exact, N / q with Gamma(N, 1) of q = 0.99 (table in
    /// published-systems.md, 4.1). Tolerance: 3 standard errors of the quantile of 40,000 draws, at most 1.5 %.
    #[test]
    fn exponential_tenants_share_as_their_sum_s_quantile_says() {
        for (tenants, wanted, tail) in
            [(1, 0.2171, 9.21), (10, f64::NAN, 2.62), (16, 0.5983, f64::NAN), (100, 0.8018, 1.415)]
        {
            let mut random = Seed(9).stream("tenants", tenants.into());
            let mut m = Multiplexing::new(1.0);
            for _ in 0..40_000 {
                let draw = |instance| sample(instance, random.exponential(1.0), f64::INFINITY);
                let samples: Vec<Sample> = (0..tenants).map(draw).collect();
                m.observe(HostId(0), &samples);
                m.end_of_tick();
            }
            let r = m.report();
            assert!(
                wanted.is_nan() || (r.utilization_at_p99 / wanted - 1.0).abs() < 0.015,
                "{tenants}: {}",
                r.utilization_at_p99
            );
            // The 99.99th percentile of 40,000 draws rests on four of them.
            assert!(tail.is_nan() || (r.p9999_over_mean / tail - 1.0).abs() < 0.12, "{tenants}: {}", r.p9999_over_mean);
        }
    }
}
