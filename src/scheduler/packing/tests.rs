//! The laws that every packing policy keeps for instances, and that kept scores decide as a scan over all hosts would.

use super::*;
use crate::cluster::{ReuseOrder, Slot};
use crate::scheduler::tests::catalogue;
use crate::types::{GroupId, Stream};
use crate::workload::instances::NO_DEPLOYMENT;

const CORE: u64 = 1_000_000;
const GB: u64 = 1_000_000_000;

/// Facts of a host: region, server type, cores, GB, idle W, dynamic W per core, embodied g/s.
fn facts(region: u32, server: u32, cores: u64, gb: u64, idle_w: f64, w_per_core: f64, embodied: f64) -> HostFacts {
    HostFacts {
        region: RegionId(region),
        server,
        cpu: cores * CORE,
        memory: gb * GB,
        cores: cores as f64,
        idle_w,
        dynamic_w_per_core: w_per_core,
        pue: 1.2,
        fixed_overhead_w: 0.0,
        embodied_g_per_s: embodied,
        intensity_g_per_kwh: 300.0,
    }
}

/// Two regions. The first has 23 old hosts in 3 failure domains and 18 new, larger ones in 2; the second 9 new ones in 1.
fn fleet() -> Arc<Fleet> {
    let groups = vec![
        facts(0, 0, 16, 64, 120.0, 6.0, 0.001),
        facts(0, 1, 32, 96, 90.0, 3.0, 0.02),
        facts(1, 1, 32, 96, 90.0, 3.0, 0.02),
    ];
    let mut hosts: Vec<(GroupId, u32)> = (0..23).map(|i| (GroupId(0), i * 3 / 23)).collect();
    hosts.extend((0..18).map(|i| (GroupId(1), 3 + i * 2 / 18)));
    hosts.extend((0..9).map(|_| (GroupId(2), 0)));
    // One host stands in a failure domain of lower-numbered ones.
    hosts[40].1 = 1;
    Arc::new(Fleet::new(vec!["old".into(), "new".into()], groups, hosts))
}

/// A fleet with instances on it, as the engine keeps it.
struct Yard {
    fleet: Arc<Fleet>,
    index: Vec<HostIndex>,
    first: Vec<u32>,
    free: Vec<(u64, u64)>,
    open: Vec<bool>,
    placed: Vec<(InstanceRequest, HostId)>,
    warm: WarmPools,
    sandboxes: Sandboxes,
    random: Stream,
    next: u32,
    /// Whether CPU is counted.
    counts_cpu: bool,
}

impl Yard {
    fn new(fleet: &Arc<Fleet>, seed: u64) -> Self {
        let orders = Orders { memory: true, cpu: true, load: true, changes: true };
        let regions = fleet.groups.iter().map(|g| g.region.index() + 1).max().expect("a fleet has groups");
        let of = |r: usize| move |h: &&(GroupId, u32)| fleet.groups[h.0.index()].region.index() == r;
        let count = |r: usize| fleet.hosts.iter().filter(of(r)).count();
        let mut yard = Self {
            index: (0..regions).map(|r| HostIndex::new(count(r), orders)).collect(),
            first: (0..regions).map(|r| (0..r).map(count).sum::<usize>() as u32).collect(),
            free: (0..fleet.hosts.len() as u32)
                .map(|h| (fleet.facts(HostId(h)).cpu, fleet.facts(HostId(h)).memory))
                .collect(),
            open: vec![true; fleet.hosts.len()],
            fleet: Arc::clone(fleet),
            placed: Vec::new(),
            warm: WarmPools::new(ReuseOrder::Lru, WarmScope::Host, regions, fleet.hosts.len()),
            sandboxes: Sandboxes::default(),
            random: Seed(seed).stream("yard", 0),
            next: 0,
            counts_cpu: true,
        };
        (0..fleet.hosts.len() as u32).for_each(|h| yard.settle(HostId(h)));
        yard
    }

    fn settle(&mut self, host: HostId) {
        let facts = self.fleet.facts(host);
        let (region, (cpu, memory)) = (facts.region.index(), self.free[host.index()]);
        let load = (facts.cpu - cpu) * CORE / facts.cpu;
        let slot =
            Slot { memory, cpu: if self.counts_cpu { cpu } else { u64::MAX }, load, open: self.open[host.index()] };
        self.index[region].update((host.0 - self.first[region]) as usize, slot);
    }

    fn pool(&self, region: usize) -> Pool<'_> {
        Pool {
            region: RegionId::from_index(region),
            first_host: self.first[region],
            index: &self.index[region],
            warm: &self.warm,
            sandboxes: &self.sandboxes,
        }
    }

    fn hosts(&self, region: usize) -> impl Iterator<Item = HostId> + '_ {
        let first = self.first[region];
        (first..first + self.index[region].hosts() as u32).map(HostId)
    }

    fn has_room(&self, host: HostId, request: &InstanceRequest) -> bool {
        let (cpu, memory) = self.free[host.index()];
        self.open[host.index()] && memory >= request.memory && (cpu >= request.cpu || !self.counts_cpu)
    }

    /// A request of one of 15 shapes, of 4 trust domains and 3 deployments or none.
    fn request(&mut self) -> InstanceRequest {
        let cores = 1 << self.random.below(5);
        let gb_per_core = [1, 2, 4][self.random.below(3) as usize];
        let deployment = self.random.below(4) as u32;
        self.next += 1;
        InstanceRequest {
            instance: self.next,
            cpu: cores * CORE,
            memory: cores * gb_per_core * GB,
            trust_domain: self.random.below(4) as u32,
            deployment: if deployment == 3 { NO_DEPLOYMENT } else { deployment },
            class: Class::LatencySensitive,
            priority: 0,
        }
    }

    fn put(&mut self, policy: &mut dyn Packing, request: InstanceRequest, host: HostId) {
        let free = &mut self.free[host.index()];
        *free = (free.0.saturating_sub(request.cpu), free.1 - request.memory);
        // The engine may tell first and update then, or the other way round.
        if request.instance.is_multiple_of(2) {
            policy.instance_placed(&request, host);
            self.settle(host);
        } else {
            self.settle(host);
            policy.instance_placed(&request, host);
        }
        self.placed.push((request, host));
    }

    fn take(&mut self, policy: &mut dyn Packing, at: usize) -> (InstanceRequest, HostId) {
        let (request, host) = self.placed.swap_remove(at);
        let free = &mut self.free[host.index()];
        let most = self.fleet.facts(host).cpu;
        *free = ((free.0 + request.cpu).min(most), free.1 + request.memory);
        policy.instance_left(&request, host);
        self.settle(host);
        (request, host)
    }

    /// Places, moves and removes instances and switches hosts at random; `check` sees every decision before it is carried out.
    fn run(
        &mut self,
        policy: &mut dyn Packing,
        steps: usize,
        mut check: impl FnMut(&Self, &InstanceRequest, usize, Option<HostId>),
    ) -> Vec<Option<HostId>> {
        let mut decisions = Vec::new();
        for _ in 0..steps {
            let region = usize::from(self.random.below(4) == 0);
            match self.random.below(20) {
                0..=10 => {
                    let request = self.request();
                    let chosen = policy.place_instance(&request, &self.pool(region));
                    check(self, &request, region, chosen);
                    decisions.push(chosen);
                    if let Some(host) = chosen {
                        self.put(policy, request, host);
                    }
                }
                11..=17 if !self.placed.is_empty() => {
                    let at = self.random.below(self.placed.len() as u64) as usize;
                    let (request, host) = self.take(policy, at);
                    // One in four moves to another host, as a live migration does, if there is room.
                    if self.random.below(4) == 0 {
                        let to = HostId(self.random.below(self.free.len() as u64) as u32);
                        let to = if self.has_room(to, &request) { to } else { host };
                        if self.has_room(to, &request) {
                            self.put(policy, request, to);
                        }
                    }
                }
                _ => {
                    let host = HostId(self.random.below(self.free.len() as u64) as u32);
                    self.open[host.index()] = !self.open[host.index()] || self.random.below(3) > 0;
                    self.settle(host);
                }
            }
        }
        decisions
    }
}

fn specs() -> Vec<(String, PackingSpec)> {
    let mut texts = catalogue::<PackingSpec>(&[]);
    for more in [
        "[best-fit]\nby = \"cpu\"",
        "[best-fit]\nby = \"dominant\"",
        "[worst-fit]\nby = \"cpu\"",
        "[worst-fit]\nby = \"dominant\"",
        "[rules]\npreset = \"kubernetes\"",
        "[rules]\npreset = \"openstack\"",
        "[locality-groups]\ngroups = 3\nnamespaces = \"dedicated\"\nspill = false\nreassign_s = inf",
        "[lowest-carbon]\nobjective = \"sci\"\nthen = \"least-loaded\"",
    ] {
        texts.push(more.to_owned());
    }
    texts.into_iter().map(|text| (text.clone(), toml::from_str(&text).expect(&text))).collect()
}

#[test]
fn every_policy_places_instances_where_there_is_room_and_only_gives_up_when_there_is_none() {
    let fleet = fleet();
    let mut turned_away = 0;
    for counts_cpu in [true, false] {
        for (name, spec) in specs() {
            let mut yard = Yard { counts_cpu, ..Yard::new(&fleet, 5) };
            (0..fleet.hosts.len() as u32).for_each(|h| yard.settle(HostId(h)));
            let mut policy = spec.build(Seed(1), &fleet);
            yard.run(policy.as_mut(), 1500, |yard, request, region, chosen| match chosen {
                Some(host) => {
                    assert!(yard.hosts(region).any(|h| h == host), "{name}: {host:?} is of another region");
                    assert!(yard.has_room(host, request), "{name}: no room on {host:?}");
                }
                None => {
                    turned_away += 1;
                    assert!(!yard.hosts(region).any(|h| yard.has_room(h, request)), "{name}: there is room");
                }
            });
        }
    }
    assert!(turned_away > 1000, "the hosts are never full");
}

#[test]
fn every_policy_decides_alike_in_two_like_runs() {
    let fleet = fleet();
    for (name, spec) in specs() {
        let run = || Yard::new(&fleet, 6).run(spec.build(Seed(2), &fleet).as_mut(), 800, |_, _, _, _| {});
        assert_eq!(run(), run(), "{name}");
    }
}

#[test]
fn every_table_reads_back_as_it_was_written() {
    for (name, spec) in specs() {
        let text = toml::to_string(&spec).expect("a policy is a table");
        assert_eq!(toml::from_str::<PackingSpec>(&text).as_ref(), Ok(&spec), "{name}");
    }
}

/// What a scan over all hosts chooses, with residents counted anew from the list of instances.
fn scan<R: Rank>(rank: &R, yard: &Yard, request: &InstanceRequest, region: usize) -> Option<HostId> {
    let mut residents = Residents::new(Arc::clone(&yard.fleet));
    yard.placed.iter().for_each(|(request, host)| residents.placed(request, *host));
    let (looks, region) = (rank.looks(), RegionId::from_index(region));
    let ask = Ask {
        cpu: request.cpu,
        memory: request.memory,
        instance: true,
        trust_domain: if looks.trust { request.trust_domain } else { 0 },
        is_first: looks.trust && !residents.anywhere(region, request.trust_domain),
        room: true,
    };
    let counts = if request.deployment == NO_DEPLOYMENT { None } else { residents.spread(region, request.deployment) };
    let spread = scored::Spread::new(&looks, counts);
    let scale = rank.scale(&ask, &yard.fleet, region);
    let mut best: Option<(i64, HostId)> = None;
    for host in yard.hosts(region.index()).filter(|&h| yard.has_room(h, request)) {
        let slot = yard.index[region.index()].slot((host.0 - yard.first[region.index()]) as usize);
        let (facts, size) = (yard.fleet.facts(host), yard.fleet.size(host));
        let share = yard.fleet.share(host);
        let candidate = Candidate { host, facts, size, share, slot, residents: &residents };
        let points = rank.score(&ask, &scale, &candidate).map(fixed);
        let term = spread.of(yard.fleet.failure_domain(host) as usize);
        if let (Some(points), Some(term)) = (points, term)
            && best.is_none_or(|(most, _)| points + term > most)
        {
            best = Some((points + term, host));
        }
    }
    best.map(|(_, host)| host)
}

/// Kept scores against the scan, on a crowded fleet.
fn agrees<R: Rank>(name: &str, spec: &PackingSpec, rank: &R) -> CacheCounts {
    let fleet = fleet();
    let mut policy = spec.build(Seed(3), &fleet);
    let mut placed = 0;
    Yard::new(&fleet, 8).run(policy.as_mut(), 4000, |yard, request, region, chosen| {
        assert_eq!(chosen, scan(rank, yard, request, region), "{name}: {request:?}");
        placed += u32::from(chosen.is_some());
    });
    assert!(placed > 300, "{name}: only {placed} instances found a host");
    policy.cache().expect("scores are kept")
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> T {
    toml::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn kept_scores_decide_as_a_scan_over_all_hosts_for_every_vector_rule() {
    macro_rules! check {
        ($name:literal, $spec:ident, $text:literal) => {
            agrees($name, &PackingSpec::$spec(parse($text)), &parse::<$spec>($text));
        };
    }
    check!("dot-product", DotProduct, "");
    check!("dot-product with weights", DotProduct, "cpu_weight = 3.0\nmemory_weight = 0.5");
    check!("l2-norm", L2Norm, "");
    check!("cosine", Cosine, "");
    check!("tetris", Tetris, "");
    check!("best-fit by the dominant share", BestFit, "by = \"dominant\"");
    check!("worst-fit by the dominant share", WorstFit, "by = \"dominant\"");
}

#[test]
fn kept_scores_decide_as_a_scan_over_all_hosts_for_every_weigher_filter_and_preset() {
    let names: Vec<String> = {
        let schema = serde_json::to_value(schemars::schema_for!(Value)).expect("a schema is JSON");
        let all = schema["oneOf"].as_array().expect("weighers").clone();
        all.iter().map(|v| v["const"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(names.len(), 10);
    let one = |name: &String| format!("weighers = [{{ name = \"{name}\" }}]");
    let mut texts: Vec<String> = names.iter().map(one).collect();
    texts.extend(names.iter().map(|name| format!("weighers = [{{ name = \"{name}\", weight = -2.5 }}]")));
    let all: Vec<String> =
        names.iter().enumerate().map(|(i, n)| format!("{{ name = \"{n}\", weight = {}.5 }}", i + 1)).collect();
    texts.push(format!("weighers = [{}]", all.join(", ")));
    for preset in ["preset = \"kubernetes\"", "preset = \"openstack\""] {
        for filter in [
            "",
            "trust_domains = \"anti-affinity\"",
            "trust_domains = \"affinity\"",
            "max_skew = 1",
            "max_skew = 2, max_instances_per_host = 3",
            "max_instances_per_host = 2, servers = [\"new\"]",
            "servers = [\"old\", \"new\"], trust_domains = \"anti-affinity\", max_skew = 3, max_instances_per_host = 8",
        ] {
            texts.push(format!("{preset}\nfilters = {{ {filter} }}"));
        }
    }
    for text in texts {
        let spec: Rules = parse(&text);
        let chain = rules::Chain::new(&spec, &fleet());
        agrees(&text, &PackingSpec::Rules(spec), &chain);
    }
}

#[test]
fn scores_are_reused_while_there_are_few_kinds_of_requests() {
    let spec = DotProduct { prefer_warm: true, cpu_weight: 1.0, memory_weight: 1.0 };
    let counts = agrees("dot-product", &PackingSpec::DotProduct(spec.clone()), &spec);
    // 15 shapes, 2 regions.
    assert_eq!(counts.misses, 30, "{counts:?}");
    let all = counts.hits + counts.stale + counts.misses;
    assert!(all > 1000 && counts.hits > all * 85 / 100, "{counts:?}");
    assert!(counts.rescored < all * 25, "{counts:?}");
}

#[test]
fn more_kinds_than_are_kept_decide_alike() {
    let fleet = fleet();
    let rank = Tetris { prefer_warm: true };
    let mut policy = PackingSpec::Tetris(rank.clone()).build(Seed(3), &fleet);
    let mut yard = Yard::new(&fleet, 9);
    // 3000 kinds of requests; 1024 are kept. The first ones come again, and some of them again at once.
    for step in 0..6500_u64 {
        let size = if step > 6000 { 3000 - step % 5 } else { step % 3000 };
        let request = InstanceRequest { memory: GB + size, cpu: CORE, ..yard.request() };
        let chosen = policy.place_instance(&request, &yard.pool(0));
        if step % 7 == 0 || step > 6000 {
            assert_eq!(chosen, scan(&rank, &yard, &request, 0), "{step}");
        }
        if let Some(host) = chosen {
            yard.put(policy.as_mut(), request, host);
        }
        if yard.placed.len() > 200 {
            let at = yard.random.below(200) as usize;
            yard.take(policy.as_mut(), at);
        }
    }
    let counts = policy.cache().expect("scores are kept");
    assert!(counts.misses >= 6000 && counts.hits > 450, "{counts:?}");
}

#[test]
fn anti_affinity_keeps_trust_domains_apart_and_affinity_together() {
    for (rule, together) in [("anti-affinity", false), ("affinity", true)] {
        let fleet = fleet();
        let text = format!("preset = \"kubernetes\"\nfilters = {{ trust_domains = \"{rule}\" }}");
        let mut policy = PackingSpec::Rules(parse(&text)).build(Seed(1), &fleet);
        let mut yard = Yard::new(&fleet, 4);
        let (mut alone, mut away) = (0, 0);
        for _ in 0..600 {
            let request = yard.request();
            match policy.place_instance(&request, &yard.pool(0)) {
                Some(host) => {
                    let there: Vec<u32> =
                        yard.placed.iter().filter(|p| p.1 == host).map(|p| p.0.trust_domain).collect();
                    let own = there.contains(&request.trust_domain);
                    let anywhere = yard.placed.iter().any(|p| p.0.trust_domain == request.trust_domain);
                    if together {
                        assert!(own || !anywhere, "{rule}: {there:?}");
                    } else {
                        assert!(there.iter().all(|&t| t == request.trust_domain), "{rule}: {there:?}");
                    }
                    alone += u32::from(there.is_empty());
                    yard.put(policy.as_mut(), request, host);
                }
                None => away += 1,
            }
            if yard.placed.len() > 60 {
                yard.take(policy.as_mut(), 7);
            }
        }
        assert!(alone > 3, "{rule}: hosts were never empty");
        assert!(if together { away > 100 } else { away < 100 }, "{rule}: {away} were turned away");
    }
}

#[test]
fn a_skew_of_one_deals_a_deployment_evenly_over_the_failure_domains() {
    let fleet = fleet();
    let text = "weighers = [{ name = \"most-allocated\" }]\nfilters = { max_skew = 1 }";
    let mut policy = PackingSpec::Rules(parse(text)).build(Seed(1), &fleet);
    let mut yard = Yard::new(&fleet, 4);
    let mut counts = [0; 5];
    for _ in 0..52 {
        let request = InstanceRequest { deployment: 9, cpu: CORE, memory: GB, ..yard.request() };
        let host = policy.place_instance(&request, &yard.pool(0)).expect("there is room");
        counts[fleet.failure_domain(host) as usize] += 1;
        yard.put(policy.as_mut(), request, host);
        assert!(counts.iter().max() <= counts.iter().min().map(|n| n + 1).as_ref(), "{counts:?}");
    }
    assert_eq!(counts.iter().sum::<i32>(), 52);
}

#[test]
fn the_objective_decides_which_machines_are_filled_first() {
    // Per core at full load: the old ones draw (120 + 96) x 1.2 / 16 = 16.2 W, the new ones (90 + 96) x 1.2 / 32 = 6.975 W. At
    // 300 g/kWh these are 1.35 and 0.581 mg/s; embodied 0.0625 and 0.625 mg/s come on top: the new ones stay ahead, until the
    // embodied emissions of the new ones are 2.5 times as high.
    let with = |embodied: f64| {
        let mut fleet = (*fleet()).clone();
        fleet.groups[1].embodied_g_per_s = embodied;
        Arc::new(fleet)
    };
    let first = |fleet: &Arc<Fleet>, text: &str| {
        let mut policy = PackingSpec::LowestCarbon(parse(text)).build(Seed(1), fleet);
        let mut yard = Yard::new(fleet, 4);
        let request = yard.request();
        policy.place_instance(&request, &yard.pool(0)).expect("all is empty")
    };
    let (old, new) = (HostId(0), HostId(23));
    assert_eq!(first(&with(0.02), "objective = \"operational\""), new);
    assert_eq!(first(&with(0.02), "objective = \"sci\""), new);
    assert_eq!(first(&with(0.05), "objective = \"operational\""), new);
    assert_eq!(first(&with(0.05), "objective = \"sci\""), old);
}

#[test]
fn next_fit_stays_where_it_is_and_round_robin_goes_on() {
    let fleet = fleet();
    let hosts = |spec: &PackingSpec| {
        let mut policy = spec.build(Seed(1), &fleet);
        let mut yard = Yard::new(&fleet, 4);
        let mut all = Vec::new();
        for _ in 0..6 {
            let request = InstanceRequest { cpu: 5 * CORE, memory: GB, ..yard.request() };
            let host = policy.place_instance(&request, &yard.pool(0)).expect("there is room");
            yard.put(policy.as_mut(), request, host);
            all.push(host.0);
        }
        all
    };
    // Three times five cores fill a host of sixteen.
    assert_eq!(hosts(&PackingSpec::NextFit(parse(""))), [0, 0, 0, 1, 1, 1]);
    assert_eq!(hosts(&PackingSpec::RoundRobin(parse(""))), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn calls_stay_in_their_group_while_it_has_room_and_leave_it_only_as_far_as_they_may() {
    let fleet = fleet();
    for (text, dedicated, spill) in [
        ("hosts_per_group = 5", false, true),
        ("groups = 6\nspill = false", false, false),
        ("groups = 8\nnamespaces = \"dedicated\"", true, true),
        ("namespaces = \"dedicated\"\nspill = false", true, false),
    ] {
        let mut policy = PackingSpec::LocalityGroups(parse(text)).build(Seed(1), &fleet);
        let profile = crate::scheduler::tests::profile();
        for f in 0..30 {
            let profile = FunctionProfile { trust_domain: f % 3, ..profile.clone() };
            policy.announced(FunctionId(f), &profile, GB).expect("there are workers for three namespaces");
        }
        let mut yard = Yard::new(&fleet, 4);
        yard.warm.grow(30);
        // Every function's group and the workers of its namespace, found out by asking often while all is empty.
        let ask = |policy: &mut dyn Packing, yard: &Yard, f: u32, region: usize, gb: u64| {
            let (pool, memory) = (PoolId(f), gb * GB);
            policy.place(
                &Request { function: FunctionId(f), pool, memory, cpu: CORE, warm_cpu: CORE },
                &yard.pool(region),
            )
        };
        let mut group = vec![std::collections::BTreeSet::new(); 60];
        for f in 0..30 {
            for _ in 0..400 {
                for region in 0..2 {
                    let Placement::Cold(host) = ask(policy.as_mut(), &yard, f, region, 1) else {
                        panic!("all is empty")
                    };
                    group[2 * f as usize + region].insert(host);
                }
            }
        }
        let namespace = |f: usize, region: usize| -> std::collections::BTreeSet<HostId> {
            let own = (0..30).filter(|g| !dedicated || g % 3 == f % 3);
            own.flat_map(|g| group[2 * g + region].iter().copied()).collect()
        };
        if dedicated {
            assert!(namespace(0, 0).is_disjoint(&namespace(1, 0)), "{text}: namespaces share a worker");
        }
        let all: usize = group.iter().map(std::collections::BTreeSet::len).max().unwrap_or(0);
        assert!(all < 20, "{text}: a group has {all} workers");
        let counts_before = policy.locality().expect("it has groups");
        let mut seen = [0; 3];
        for _ in 0..6000 {
            let host = HostId(yard.random.below(fleet.hosts.len() as u64) as u32);
            let memory = fleet.facts(host).memory;
            yard.free[host.index()] = (yard.random.below(3) * CORE, yard.random.below(9).saturating_sub(5) * GB);
            yard.free[host.index()].1 = yard.free[host.index()].1.min(memory);
            yard.open[host.index()] = yard.random.below(10) > 0;
            yard.settle(host);
            let (f, region) = (yard.random.below(30) as usize, yard.random.below(2) as usize);
            let fits =
                |h: HostId| yard.open[h.index()] && yard.free[h.index()].0 >= CORE && yard.free[h.index()].1 >= 2 * GB;
            let own = &group[2 * f + region];
            let may = namespace(f, region);
            match ask(policy.as_mut(), &yard, f as u32, region, 2) {
                Placement::Cold(host) if own.contains(&host) => {
                    assert!(fits(host), "{text}: no room on {host:?}");
                    seen[0] += 1;
                }
                Placement::Cold(host) => {
                    assert!(spill && fits(host) && may.contains(&host), "{text}: {host:?}");
                    assert!(!own.iter().any(|&h| fits(h)), "{text}: the group has room");
                    seen[1] += 1;
                }
                Placement::Nowhere => {
                    let allowed = if spill { &may } else { own };
                    assert!(!allowed.iter().any(|&h| fits(h)), "{text}: there is room");
                    seen[2] += 1;
                }
                Placement::Warm(_) => panic!("{text}: no sandbox is idle"),
            }
        }
        assert!(seen[0] > 1000 && (seen[1] > 20) == spill, "{text}: {seen:?}");
        let counts = policy.locality().expect("it has groups");
        assert_eq!((counts.inside - counts_before.inside, counts.spilled), (seen[0], seen[1]), "{text}");
    }
}

#[test]
fn rules_say_what_is_wrong_with_them() {
    let problems = |text: &str| PackingSpec::Rules(parse(text)).problems(&["old", "new"]);
    assert!(problems("preset = \"openstack\"\nfilters = { servers = [\"old\"] }").is_empty());
    let wrong = problems("filters = { servers = [\"odl\"] }");
    assert_eq!((wrong.len(), wrong[0].0), (1, "filters.servers"), "{wrong:?}");
    let wrong = problems("preset = \"openstack\"\nweighers = [{ name = \"free-memory\", weight = 2.0 }]");
    assert_eq!((wrong.len(), wrong[0].0), (1, "weighers"), "{wrong:?}");
}
