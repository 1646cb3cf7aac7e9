//! Parts of the hot path, one by one: `cargo bench`.

use std::sync::Arc;

use divan::{Bencher, black_box};
use slackwater::cluster::{HostIndex, Orders, ReuseOrder, Sandboxes, Slot, WarmPools, WarmScope};
use slackwater::grid::Signal;
use slackwater::scheduler::packing::{Fleet, HostFacts, InstanceRequest, Packing, PackingSpec, Pool};
use slackwater::stats::LogHistogram;
use slackwater::types::{GroupId, HostId, RegionId, Seed, SimTime, Stream, normal_quantile};
use slackwater::workload::instances::Class;
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

const CORE: u64 = 1_000_000;
const GB: u64 = 1_000_000_000;

/// 5,000 hosts of two types in 40 failure domains with about 50,000 VMs on them, nearly full: 1 to 16 cores with 2 to 8 GB each.
struct Yard {
    policy: Box<dyn Packing>,
    index: HostIndex,
    free: Vec<(u64, u64)>,
    placed: Vec<(InstanceRequest, HostId)>,
    warm: WarmPools,
    sandboxes: Sandboxes,
    random: Stream,
    kinds: u32,
    next: u32,
    placements: u64,
    away: u64,
}

impl Yard {
    /// `trust_domains`: how many there are, in equal shares.
    fn new(text: &str, trust_domains: u32) -> Self {
        let facts = |server, cores: u64, memory, idle_w, embodied_g_per_s| HostFacts {
            region: RegionId(0),
            server,
            cpu: cores * CORE,
            memory: memory * GB,
            cores: cores as f64,
            idle_w,
            dynamic_w_per_core: 3.0,
            pue: 1.1,
            fixed_overhead_w: 0.0,
            embodied_g_per_s,
            intensity_g_per_kwh: 300.0,
        };
        let groups = vec![facts(0, 64, 256, 150.0, 0.005), facts(1, 80, 384, 120.0, 0.01)];
        let hosts = (0..5000).map(|i| (GroupId(i / 2500), i / 125)).collect();
        let fleet = Arc::new(Fleet::new(vec!["old".into(), "new".into()], groups, hosts));
        let spec: PackingSpec = toml::from_str(text).expect("a policy");
        let policy = spec.build(Seed(1), &fleet);
        let mut yard = Self {
            index: HostIndex::new(5000, policy.orders()),
            policy,
            free: (0..5000).map(|h| (fleet.facts(HostId(h)).cpu, fleet.facts(HostId(h)).memory)).collect(),
            placed: Vec::new(),
            warm: WarmPools::new(ReuseOrder::Lru, WarmScope::Host, 1, 5000),
            sandboxes: Sandboxes::default(),
            random: Seed(1).stream("yard", 0),
            kinds: trust_domains,
            next: 0,
            placements: 0,
            away: 0,
        };
        (0..5000).for_each(|host| yard.settle(host));
        while yard.placed.len() < 50_000 && yard.away < 200 {
            yard.place();
        }
        yard
    }

    fn settle(&mut self, host: usize) {
        let (cpu, memory) = self.free[host];
        let load = 80 * CORE - cpu;
        self.index.update(host, Slot { memory, cpu, load, open: true });
    }

    fn place(&mut self) {
        let cores = 1 << self.random.below(5);
        let gb_per_core = 2 << self.random.below(3);
        self.next += 1;
        let request = InstanceRequest {
            instance: self.next,
            cpu: cores * CORE,
            memory: cores * gb_per_core * GB,
            trust_domain: self.random.below(u64::from(self.kinds)) as u32,
            deployment: self.random.below(100) as u32,
            class: Class::LatencySensitive,
            priority: 0,
        };
        let pool = Pool {
            region: RegionId(0),
            first_host: 0,
            index: &self.index,
            warm: &self.warm,
            sandboxes: &self.sandboxes,
        };
        self.placements += 1;
        let Some(host) = self.policy.place_instance(&request, &pool) else {
            self.away += 1;
            return;
        };
        let free = &mut self.free[host.index()];
        *free = (free.0 - request.cpu, free.1 - request.memory);
        self.settle(host.index());
        self.policy.instance_placed(&request, host);
        self.placed.push((request, host));
    }

    fn leave(&mut self) {
        let at = self.random.below(self.placed.len() as u64) as usize;
        let (request, host) = self.placed.swap_remove(at);
        let free = &mut self.free[host.index()];
        *free = (free.0 + request.cpu, free.1 + request.memory);
        self.settle(host.index());
        self.policy.instance_left(&request, host);
    }
}

const RULES: [&str; 14] = [
    "first-fit = {}",
    "next-fit = {}",
    "best-fit = {}",
    "best-fit = { by = 'cpu' }",
    "worst-fit = {}",
    "least-loaded = {}",
    "dot-product = {}",
    "l2-norm = {}",
    "tetris = {}",
    "rules = { preset = 'kubernetes' }",
    "rules = { preset = 'openstack' }",
    "rules = { preset = 'kubernetes', filters = { trust_domains = 'anti-affinity', max_skew = 5 } }",
    "rules = { weighers = [{ name = 'sci' }, { name = 'most-allocated' }] }",
    "lowest-carbon = { objective = 'sci' }",
];

/// A placement, with the departure that made room for it, on 5,000 hosts with about 50,000 VMs: both change the index and are told
/// to the policy.
#[divan::bench(args = RULES, sample_count = 20, sample_size = 1)]
fn vm_placement(bencher: Bencher, rule: &str) {
    const STEPS: usize = 20_000;
    // Four trust domains where they matter.
    let mut yard = Yard::new(rule, if rule.contains("trust") { 4 } else { 1000 });
    bencher.counter(STEPS).bench_local(|| {
        for _ in 0..STEPS {
            yard.leave();
            yard.place();
        }
    });
    let used: u64 = yard.free.iter().map(|f| f.0 / CORE).sum();
    let cpu_free = used as f64 / (2500.0 * (64.0 + 80.0));
    println!(
        "{} VMs, {:.1} % of CPU free, {:.2} % turned away, cache {:?}",
        yard.placed.len(),
        100.0 * cpu_free,
        100.0 * yard.away as f64 / yard.placements as f64,
        yard.policy.cache()
    );
}
