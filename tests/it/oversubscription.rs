//! Overcommitted hosts against embodied carbon (scenarios/oversubscription-embodied.toml), on fewer tenants: closed forms, what must
//! hold at any ratio, and the numbers of hosts that docs/oversubscription.md states.

use crate::lab::{Run, close, repository, run_file};

const SCENARIO: &str = "scenarios/oversubscription-embodied.toml";
const RATIOS: [f64; 11] = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0];
const HOST_CORES: f64 = 64.0;
const HOST_MB: f64 = 137_439.0;
const CORES: f64 = 2.0;
const MEMORY_MB: f64 = 4000.0;
const DAY_S: f64 = 86_400.0;
const TOGETHER: &str = "instances.tenants.synthetic.usage.like-borg={ mean_share = 0.31 }";
const INDEPENDENT: &str =
    "instances.tenants.synthetic.usage.like-borg={ mean_share = 0.31, daily_amplitude = 0.0, common_sigma = 0.0 }";
const SEVEN_INDEPENDENT: &str =
    "instances.tenants.synthetic.usage.like-borg={ mean_share = 0.07, daily_amplitude = 0.0, common_sigma = 0.0 }";

/// Runs so many tenants on so many hosts that promise so much.
fn run(tenants: u32, hosts: u32, ratio: f64, set: &[&str]) -> Run {
    let own = [
        format!("instances.tenants.synthetic.count={tenants}"),
        format!("regions[0].hosts[0].count={hosts}"),
        format!("scheduler.overcommit.static-ratio.cpu_ratio={ratio}"),
    ];
    let set: Vec<&str> = own.iter().map(String::as_str).chain(set.iter().copied()).collect();
    run_file(&repository(SCENARIO), &set, 1)
}

/// The objectives of the scenario.
fn holds(run: &Run) -> bool {
    run.number("instances.waited") == 0.0
        && run.number("instances.cpu_unserved_share") <= 0.01
        && run.number("exhaustion.memory_share") == 0.0
}

/// Hosts whose promises hold all reservations of CPU.
fn promised(tenants: u32, ratio: f64) -> u32 {
    (f64::from(tenants) * CORES / (ratio * HOST_CORES) - 1e-9).ceil() as u32
}

/// The fewest hosts that hold, and the run on them; every smaller number is known to fail, as promises do not suffice or as it was run.
fn fewest(tenants: u32, ratio: f64, set: &[&str]) -> (u32, Run) {
    (promised(tenants, ratio)..)
        .map(|hosts| (hosts, run(tenants, hosts, ratio, set)))
        .find(|(_, run)| holds(run))
        .expect("enough hosts hold everything")
}

fn constant(share: f64) -> String {
    format!("instances.tenants.synthetic.usage.constant.share={share}")
}

#[test]
fn without_contention_hosts_are_reservations_over_promises() {
    let tenants = 320;
    let usage = constant(0.04);
    for ratio in RATIOS {
        let wanted = (320.0 * CORES / (ratio * HOST_CORES) - 1e-9).ceil() as u32;
        assert!(holds(&run(tenants, wanted, ratio, &[&usage])), "{wanted} hosts at {ratio}");
        if wanted > 1 {
            let fewer = run(tenants, wanted - 1, ratio, &[&usage]);
            assert!(fewer.number("instances.waited") > 0.0, "{} hosts at {ratio}", wanted - 1);
        }
    }
}

#[test]
fn constant_use_is_unserved_as_far_as_it_exceeds_the_cores() {
    for (ratio, hosts) in [(2.0, 5), (4.0, 3), (5.0, 2), (10.0, 1)] {
        let share = 0.31;
        let run = run(320, hosts, ratio, &[&constant(share)]);
        // Worst fit deals 320 tenants over the hosts: as evenly as they can be.
        let unserved: f64 = (0..hosts)
            .map(|h| f64::from(320 / hosts + u32::from(h < 320 % hosts)) * CORES * share)
            .map(|demand| (demand - HOST_CORES).max(0.0))
            .sum();
        let wanted = unserved / (320.0 * CORES * share);
        let ours = run.number("instances.cpu_unserved_share");
        assert!((ours - wanted).abs() < 1e-9, "at {ratio}: {ours} is not {wanted}");
    }
}

#[test]
fn at_ratio_1_nothing_is_unserved() {
    for (usage, seed) in [(TOGETHER, 1), (TOGETHER, 2), (INDEPENDENT, 3)] {
        let run = run(320, 10, 1.0, &[usage, &format!("seed={seed}")]);
        assert_eq!(run.number("instances.cpu_unserved_share"), 0.0);
        assert_eq!(run.number("exhaustion.cpu_share"), 0.0);
        assert_eq!(run.number("instances.waited"), 0.0);
    }
}

#[test]
fn hosts_never_rise_with_the_ratio_and_carbon_falls_with_them() {
    let tenants = 384;
    let found: Vec<(u32, Run)> = RATIOS.iter().map(|&r| fewest(tenants, r, &[TOGETHER])).collect();
    let hosts: Vec<u32> = found.iter().map(|f| f.0).collect();
    assert!(hosts.is_sorted_by(|a, b| a >= b), "{hosts:?}");
    // Up to 2 the promise decides, later contention: at no ratio are there fewer hosts than demand fills.
    assert_eq!(hosts[..3], [12, 8, 6]);
    let (last, run) = found.last().expect("eleven ratios");
    let demand = run.number("instances.wanted_core_s") / DAY_S;
    assert!(f64::from(*last) * HOST_CORES >= 0.99 * demand, "{last} hosts for {demand} cores");
    assert!(*last > promised(tenants, 20.0), "20 times is not reached");
    for (hosts, run) in &found {
        let wanted = f64::from(*hosts) * 1155.46 * 1000.0 / (4.0 * 365.0);
        close("M", run.number("carbon_g.embodied"), wanted, 1e-9);
    }
    let o: Vec<f64> = found.iter().map(|(_, run)| run.number("carbon_g.operational")).collect();
    assert!(o.is_sorted_by(|a, b| a >= b), "{o:?}");
}

#[test]
fn hosts_that_are_not_needed_cost_their_idle_power_and_nothing_else() {
    let energy = |hosts, ratio| {
        let run = run(384, hosts, ratio, &[TOGETHER]);
        assert_eq!(run.number("instances.cpu_unserved_share"), 0.0);
        run.number("energy_j.total")
    };
    close("six hosts less", energy(12, 1.0) - energy(6, 2.0), 6.0 * 56.4 * 1.1 * DAY_S, 1e-9);
}

#[test]
fn memory_in_use_ends_it_where_the_sum_exceeds_what_is_there() {
    for (ratio, share, exhausted) in
        [(20.0, 0.05, 0.0), (3.0, 0.31, 0.0), (4.0, 0.31, 1.0), (2.0, 0.5, 0.0), (3.0, 0.5, 1.0)]
    {
        let hosts = 60 / ratio as u32;
        let per_host = 1920.0 / f64::from(hosts) * MEMORY_MB * share;
        assert_eq!(per_host > HOST_MB, exhausted > 0.0, "by hand: {per_host} MB");
        let set = [constant(0.04), format!("instances.tenants.synthetic.memory_share={share}")];
        let run = run(1920, hosts, ratio, &[&set[0], &set[1]]);
        assert_eq!(run.number("exhaustion.memory_share"), exhausted, "ratio {ratio}, {share} in use");
        assert_eq!(run.number("instances.waited"), 0.0);
    }
}

#[test]
fn memory_that_is_not_promised_twice_keeps_all_hosts() {
    // 1,920 x 4,000 MB / 137,439 MB = 55.9, but a host takes 34 whole reservations: 1,920 / 34 = 56.5.
    let set = ["scheduler.overcommit.static-ratio.memory_ratio=1.0", &constant(0.04)];
    assert!(holds(&run(1920, 57, 20.0, &set)));
    assert!(run(1920, 56, 20.0, &set).number("instances.waited") > 0.0);
}

#[test]
fn contention_ends_it_at_the_hosts_that_are_stated() {
    for (usage, hosts) in [(TOGETHER, 23), (INDEPENDENT, 20), (SEVEN_INDEPENDENT, 5)] {
        assert!(holds(&run(1920, hosts, 20.0, &[usage])), "{hosts} hosts, {usage}");
        let fewer = run(1920, hosts - 1, 20.0, &[usage]);
        assert!(fewer.number("instances.cpu_unserved_share") > 0.01, "{} hosts, {usage}", hosts - 1);
        assert_eq!(fewer.number("instances.waited"), 0.0, "contention alone decides");
    }
}
