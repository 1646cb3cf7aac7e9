//! Parts of the hot path, one by one: `cargo bench`.

use divan::{Bencher, black_box};
use slackwater::cluster::{HostIndex, Orders, Slot};
use slackwater::grid::Signal;
use slackwater::stats::LogHistogram;
use slackwater::types::{Seed, SimTime, normal_quantile};
use slackwater::workload::{Arrivals, Batch, Poisson, PoissonSpec, Service};

fn main() {
    divan::main();
}

/// Recording latencies into a histogram with 0.05 % resolution.
#[divan::bench]
fn histogram_record(bencher: Bencher) {
    let mut stream = Seed(1).stream("bench", 0);
    let values: Vec<u64> = (0..4096).map(|_| stream.lognormal(3e8, 1.0) as u64).collect();
    let mut histogram = LogHistogram::<10>::default();
    bencher.counter(4096usize).bench_local(|| values.iter().for_each(|&v| histogram.record(v)));
}

/// One normal variate by inversion.
#[divan::bench]
fn normal_quantile_of_a_uniform(bencher: Bencher) {
    let mut stream = Seed(1).stream("bench", 1);
    bencher.bench_local(|| normal_quantile(black_box(stream.uniform())));
}

/// Changing one host's load and finding the least loaded host with room.
#[divan::bench(args = [10, 1000, 100_000])]
fn least_loaded_host(bencher: Bencher, hosts: usize) {
    let mut index = HostIndex::new(hosts, Orders { load: true, ..Orders::default() });
    for h in 0..hosts {
        index.update(h, Slot { memory: 1 << 30, cpu: u64::MAX, load: 0, open: true });
    }
    let mut stream = Seed(1).stream("bench", 2);
    bencher.bench_local(|| {
        let host = stream.below(hosts as u64) as usize;
        index.update(host, Slot { memory: 1 << 30, cpu: u64::MAX, load: stream.below(1000), open: true });
        index.least_loaded(1 << 20, 0)
    });
}

/// The cumulative clock of a week of hourly intensities.
#[divan::bench]
fn cumulative_intensity(bencher: Bencher) {
    let hour = 3_600_000_000_000i64;
    let constant = Signal::constant("bench", 400.0).expect("a finite intensity");
    let starts: Vec<i64> = (0..168).map(|h| h * hour).collect();
    let values: Vec<f64> = (0..168).map(|h| 300.0 + f64::from(h % 24)).collect();
    let signal = Signal::new(constant.info().clone(), starts, values, 168 * hour).expect("a right signal");
    bencher.bench_local(|| {
        let mut cursor = signal.cursor();
        (0..1000).map(|i| cursor.cumulative(SimTime(i * 600_000_000_000))).sum::<f64>()
    });
}

/// Making a batch of calls with exponential gaps and log-normal lengths.
#[divan::bench]
fn poisson_batch(bencher: Bencher) {
    let spec = PoissonSpec {
        rate_per_s: 100.0,
        calls: u64::MAX,
        service: Service::Lognormal { median_s: 0.3, sigma: 1.0 },
        functions: 1000,
        zipf_exponent: 1.0,
        memory_mb: 128.0,
        cpu_cores: 1.0,
        deadline_s: None,
    };
    let mut source = Poisson::new(&spec, 1, Seed(1));
    let mut batch = Batch::default();
    bencher.counter(4096usize).bench_local(|| source.next_batch(&mut batch));
}
