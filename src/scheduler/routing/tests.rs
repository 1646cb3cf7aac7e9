//! The laws of routing, for every entry of the catalogue, and each policy's example by hand.

use proptest::prelude::*;

use super::*;
use crate::grid::{Observed, Signal};
use crate::network::{Network, NetworkSpec};
use crate::scheduler::tests::{catalogue, forecasts, known, profile};
use crate::scheduler::{Forecast, RegionLoad, WorkToken};
use crate::types::{FunctionId, SimTime};
use crate::workload::FunctionProfile;

const N: usize = 4;

/// Everything that a policy may look at, owned.
#[derive(Debug)]
struct World {
    loads: Vec<RegionLoad>,
    network: Network,
    forecasts: Vec<Box<dyn Forecast>>,
    observed: Vec<Observed>,
}

impl World {
    /// Idle regions of ten cores next to each other, at these intensities.
    fn new(g_per_kwh: [f64; N]) -> Self {
        let load =
            RegionLoad { hosts_on: 1, cpu_capacity: 10_000_000, largest_function: 1 << 40, ..Default::default() };
        let signal = |g: f64| Signal::constant("X", g).expect("a constant signal");
        let own = |g: f64| forecasts(1, g).pop().expect("one forecast");
        Self {
            loads: vec![load; N],
            network: Network::local(N),
            forecasts: g_per_kwh.map(own).into_iter().collect(),
            observed: g_per_kwh.map(|g| Observed::new(signal(g))).to_vec(),
        }
    }

    fn with(mut self, network: &str) -> Self {
        let spec: NetworkSpec = toml::from_str(network).expect("right TOML");
        let names: Vec<String> = (0..N).map(|i| format!("r{i}")).collect();
        self.network = spec.build(&names, &[None; N], std::path::Path::new(".")).expect("a right network").0;
        self.network.announce("f", "t");
        self
    }

    fn view(&self) -> View<'_> {
        View {
            now: SimTime::ZERO,
            regions: &self.loads,
            forecasts: &self.forecasts,
            observed: &self.observed,
            reserved: Default::default(),
            network: &self.network,
        }
    }

    fn route(&self, policy: &mut dyn Routing, home: u32) -> usize {
        policy.region(&call(&profile(), home), &self.view()).index()
    }
}

fn call(profile: &FunctionProfile, home: u32) -> CallView<'_> {
    CallView {
        token: WorkToken::Call(0),
        function: FunctionId(0),
        profile,
        arrival: SimTime::ZERO,
        deadline: SimTime::NEVER,
        expected_work: Duration::from_secs(1),
        region: RegionId(home),
    }
}

fn context(prices: [f64; N]) -> RoutingContext {
    RoutingContext {
        known: known(N),
        regions: (0..N).map(|i| format!("r{i}")).collect(),
        prices: prices.map(|p| Some(Steps::constant(p))).into_iter().collect(),
        since_midnight: Duration::ZERO,
    }
}

fn built(text: &str, prices: [f64; N]) -> Box<dyn Routing> {
    let spec: RoutingSpec = toml::from_str(text).expect(text);
    spec.build(&context(prices))
}

/// 10, 20 and 40 ms from region 0, and as much between the others.
const LINE: &str = "rtt_ms = [[0.0, 10.0, 20.0, 40.0], [10.0, 0.0, 10.0, 30.0], [20.0, 10.0, 0.0, 20.0], [40.0, 30.0, 20.0, 0.0]]\n\
                    transfer_wh_per_gb = 10.0\nprice_per_gb = 0.1\n";

#[test]
fn each_policy_decides_as_a_calculation_by_hand_does() {
    let far_is_clean = || World::new([400.0, 300.0, 200.0, 100.0]).with(LINE);
    let prices = [80.0, 90.0, 20.0, 70.0];
    for (text, wanted) in [
        ("[local]", 0),
        ("[least-loaded]", 0),
        ("[nearest]", 0),
        ("[lowest-latency]", 0),
        ("[lowest-carbon]", 3),
        ("[lowest-carbon]\nintensity = \"forecast\"", 3),
        ("[lowest-carbon]\nmax_rtt_ms = 39.9", 2),
        ("[lowest-carbon]\nmax_rtt_ms = 10.0", 1),
        ("[lowest-carbon]\nmax_rtt_ms = 0.0", 0),
        ("[lowest-cost]", 2),
        ("[lowest-cost]\nmax_rtt_ms = 10.0", 0),
        ("[follow-the-sun]\nschedule = [{ hour_utc = 6.0, region = \"r1\" }, { hour_utc = 18.0, region = \"r3\" }]", 3),
        ("[weighted]\nlatency = 1.0\nload = 0.0\ncarbon = 0.0", 0),
        ("[weighted]\nlatency = 0.0\nload = 0.0\ncarbon = 1.0", 3),
        // 0 + 1.5 x 1, 0.25 + 1.5 x 0.75, 0.5 + 1.5 x 0.5, 1 + 1.5 x 0.25.
        ("[weighted]\nlatency = 1.0\nload = 0.0\ncarbon = 1.5", 2),
        ("[weighted]\nlatency = 0.0\nload = 0.0\ncarbon = 0.0\ncost = 1.0", 2),
    ] {
        assert_eq!(far_is_clean().route(&mut *built(text, prices), 0), wanted, "{text}");
    }
}

#[test]
fn a_region_without_room_is_passed_over_and_where_none_has_any_the_least_loaded_is_taken() {
    let mut world = World::new([400.0, 300.0, 200.0, 100.0]).with(LINE);
    world.loads[3].cpu_demand = 7_500_000;
    world.loads[0].cpu_demand = 7_500_000;
    // One core more is 0.85 of capacity.
    for (text, wanted) in [("[lowest-carbon]", 2), ("[nearest]", 1), ("[nearest]\nmax_load = 0.9", 0)] {
        assert_eq!(world.route(&mut *built(text, [0.0; N]), 0), wanted, "{text}");
    }
    world.loads.iter_mut().for_each(|l| l.cpu_demand = 9_000_000);
    world.loads[1].cpu_demand = 8_900_000;
    for text in ["[lowest-carbon]", "[nearest]"] {
        assert_eq!(world.route(&mut *built(text, [0.0; N]), 0), 1, "{text}");
    }
    // Nodes that jobs wait for count, and so do calls that wait, as one core each.
    let mut world = World::new([100.0; N]).with(LINE);
    (world.loads[0].jobs_cpu, world.loads[1].queued) = (8_000_000, 8);
    assert_eq!(world.route(&mut *built("[nearest]", [0.0; N]), 0), 2);
}

#[test]
fn queueing_is_weighed_against_the_round_trip() {
    let mut world = World::new([100.0; N]).with(LINE);
    // With one core on top 1.005 of capacity: 1 s is expected to take 5 ms longer, less than 10 ms away.
    world.loads[0].cpu_demand = 9_050_000;
    assert_eq!(world.route(&mut *built("[lowest-latency]", [0.0; N]), 0), 0);
    world.loads[0].cpu_demand = 9_150_000;
    assert_eq!(world.route(&mut *built("[lowest-latency]", [0.0; N]), 0), 1);
    // Data count: 2 MB at 125 MB/s are 16 ms.
    let world = World { loads: world.loads, ..World::new([100.0; N]).with(&format!("{LINE}[data]\ndata_mb = 2.0")) };
    assert_eq!(world.route(&mut *built("[lowest-latency]", [0.0; N]), 0), 0);
}

#[test]
fn transfer_makes_a_move_not_worth_it_exactly_past_the_break_even() {
    // One second of 2 W in a core at 400 g/kWh instead of 100: 2 J x 300 g/kWh saved. Each MB is 36 J, half at either end: 36 x 250.
    let break_even_mb = 2.0 * 300.0 / (36.0 * 250.0);
    for (factor, wanted) in [(0.999, 1), (1.001, 0)] {
        let network = format!("{LINE}[data]\nrequest_kb = {}\n", break_even_mb * factor * 1000.0);
        let world = World::new([400.0, 100.0, 400.0, 400.0]).with(&network);
        assert_eq!(world.route(&mut *built("[lowest-carbon]", [0.0; N]), 0), wanted, "{factor}");
    }
    // Price: 2 J at 360 against 60 per MWh, and 0.1 per GB.
    let saved = 2.0 / 3.6e9 * 300.0;
    for (factor, wanted) in [(0.999, 1), (1.001, 0)] {
        let network = format!("{LINE}[data]\nresponse_kb = {}\n", saved / 0.1 * 1e6 * factor);
        let world = World::new([1.0; N]).with(&network);
        let prices = [360.0, 60.0, 360.0, 360.0];
        assert_eq!(world.route(&mut *built("[lowest-cost]", prices), 0), wanted, "{factor}");
    }
}

#[test]
fn the_sun_is_followed_around_the_clock() {
    let spec: NetworkSpec = toml::from_str("").expect("right TOML");
    let place = |longitude_deg| Some(crate::network::Place { latitude_deg: 0.0, longitude_deg });
    let names: Vec<String> = (0..N).map(|i| format!("r{i}")).collect();
    let places = [place(0.0), place(90.0), place(179.0), place(-90.0)];
    let network = spec.build(&names, &places, std::path::Path::new(".")).expect("a right network").0;
    let mut world = World { network, ..World::new([100.0; N]) };
    world.network.announce("f", "t");
    let policy = RoutingSpec::FollowTheSun(toml::from_str("").expect("defaults"));
    // Noon is at 12 UTC in r0, 6 UTC in r1, 0.07 UTC in r2, 18 UTC in r3; in between, the nearer.
    for (hour, wanted) in [(0, 2), (4, 1), (6, 1), (8, 1), (10, 0), (12, 0), (16, 3), (18, 3), (22, 2)] {
        let mut policy =
            policy.build(&RoutingContext { since_midnight: Duration::from_secs(hour * 3600), ..context([0.0; N]) });
        assert_eq!(world.route(&mut *policy, 0), wanted, "{hour} h");
    }
}

#[test]
fn residency_moves_what_may_not_run_at_home_to_the_nearest_place() {
    let network = format!("{LINE}[[residency]]\ntenants = [\"t\"]\nregions = [\"r2\", \"r3\"]\n");
    let mut world = World::new([1.0, 2.0, 400.0, 300.0]).with(&network);
    assert_eq!(world.route(&mut *built("[lowest-carbon]", [0.0; N]), 0), 3);
    assert_eq!(world.route(&mut *built("[lowest-carbon]\nmax_rtt_ms = 5.0", [0.0; N]), 0), 2);
    let ask = Ask::of_call(&call(&profile(), 0), &world.view());
    assert_eq!(confined(RegionId(0), &ask, &world.view()), RegionId(2));
    assert_eq!(confined(RegionId(3), &ask, &world.view()), RegionId(3));
    world.loads[2].largest_function = 0;
    assert_eq!(confined(RegionId(0), &ask, &world.view()), RegionId(3));
}

prop_compose! {
    fn worlds()(
        rtt in prop::collection::vec(1u32..200, N * N),
        loads in prop::collection::vec((0u64..12, 0u32..5, prop::bool::weighted(0.7), prop::bool::weighted(0.8)), N),
        intensity in prop::array::uniform4(0.0f64..900.0),
        allowed in prop::collection::vec(prop::bool::weighted(0.7), N),
        data_mb in 0.0f64..3.0,
    ) -> (World, Vec<bool>) {
        let cell = |a: usize, b: usize| match a == b {
            true => "0.0".to_owned(),
            false => format!("{}.0", rtt[a.min(b) * N + a.max(b)]),
        };
        let row = |a: usize| (0..N).map(|b| cell(a, b)).collect::<Vec<String>>().join(", ");
        let rows: Vec<String> = (0..N).map(|a| format!("[{}]", row(a))).collect();
        let may: Vec<String> = (0..N).filter(|&r| allowed[r]).map(|r| format!("\"r{r}\"")).collect();
        let residency = if may.is_empty() { String::new() } else {
            format!("[[residency]]\nfunctions = [\"f\"]\nregions = [{}]\n", may.join(", "))
        };
        let text = format!("rtt_ms = [{}]\n{residency}[data]\ndata_mb = {data_mb}\n", rows.join(", "));
        let mut world = World::new(intensity).with(&text);
        for (load, (demand, queued, on, large)) in world.loads.iter_mut().zip(loads) {
            (load.cpu_demand, load.queued) = (if on { demand * 1_000_000 } else { 0 }, queued);
            if !on {
                (load.hosts_on, load.cpu_capacity) = (0, 0);
            }
            if !large {
                load.largest_function = 1000;
            }
        }
        (world, if may.is_empty() { vec![true; N] } else { allowed })
    }
}

proptest! {
    #[test]
    fn no_bound_is_broken_and_no_region_without_hosts_is_chosen_where_one_has_some(
        (world, allowed) in worlds(), home in 0u32..N as u32, max_rtt_ms in 0u32..150,
    ) {
        let home_id = RegionId(home);
        for text in catalogue::<RoutingSpec>(&[]) {
            // Local names home and casper what its program says; the engine holds both to residency, and casper counts what comes too late.
            if text.contains("local") || text.contains("casper") {
                continue;
            }
            let text = format!("{text}max_rtt_ms = {max_rtt_ms}.0\n");
            let mut policy = built(&text, [50.0, 20.0, 90.0, 10.0]);
            let chosen = world.route(&mut *policy, home);
            prop_assert_eq!(chosen, world.route(&mut *policy, home), "{} changes its mind", text);
            let rtt_ms = |r: usize| world.network.rtt(home_id, RegionId::from_index(r)).0 / 1_000_000;
            let place = |r: usize| allowed[r] && world.loads[r].largest_function > 1_000_000;
            let within = |r: usize| place(r) && rtt_ms(r) <= u64::from(max_rtt_ms);
            prop_assert!(allowed[chosen], "{} breaks residency", text);
            if (0..N).any(within) {
                prop_assert!(within(chosen), "{} goes too far, or where it cannot run", text);
                if (0..N).any(|r| within(r) && world.loads[r].hosts_on > 0) {
                    prop_assert!(world.loads[chosen].hosts_on > 0, "{} wakes a region", text);
                }
            } else if (0..N).any(place) {
                let nearest = (0..N).filter(|&r| place(r)).map(rtt_ms).min();
                prop_assert_eq!(Some(rtt_ms(chosen)), nearest, "{}: nothing is near, and this is not the nearest", text);
            }
        }
    }

    #[test]
    fn where_all_grids_are_alike_carbon_moves_nothing(intensity in 0.0f64..900.0, home in 0u32..N as u32, data_mb in 0.0f64..3.0) {
        let world = World::new([intensity; N]).with(&format!("{LINE}[data]\ndata_mb = {data_mb}\n"));
        prop_assert_eq!(world.route(&mut *built("[lowest-carbon]", [0.0; N]), home), home as usize);
    }
}
