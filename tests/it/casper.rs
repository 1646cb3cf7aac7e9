//! CASPER through the whole program: what moves is what a program solved by hand moves.

use slackwater::network::Network;
use slackwater::scenario::{build_loaded, load};
use slackwater::scheduler::spatial::Violations;
use slackwater::sim::{Logs, Outcome, simulate};
use slackwater::types::Duration;

use crate::lab::Lab;

const INTERVALS: usize = 10;

/// Two regions of 100 and 300 g/kWh; in each, one call of a core-second arrives every second.
fn world() -> Lab {
    let call = |region: &str, at: f64| format!("{at},f,1,100,{region}\n");
    let mut text = "arrival_time_s,function_id,duration_s,memory_mb,region\n".to_owned();
    (0..INTERVALS * 100).for_each(|s| text += &(call("clean", s as f64 + 0.25) + &call("dirty", s as f64 + 0.75)));
    Lab::new(
        r#"
[time]
duration_s = 1000.0
[output]
invocations = true
[isolation.process]
[scheduler.keep_alive.fixed]
keep_alive_s = 5.0
[servers.box]
cores = 1
memory_mb = 4096
power.linear = { idle_w = 0.0, max_w = 100.0 }
embodied_kg = 0.0
lifetime_years = 4.0
boot_s = 1.0
shutdown_s = 1.0
[[regions]]
name = "clean"
grid.constant.g_per_kwh = 100.0
pue = 1.0
hosts = [{ server = "box", count = 4 }]
[[regions]]
name = "dirty"
grid.constant.g_per_kwh = 300.0
pue = 1.0
hosts = [{ server = "box", count = 4 }]
[workload.calls]
path = "calls.csv"
"#,
    )
    .file("calls.csv", &text)
}

/// Calls by the region of the host on which they ran (four in each), in each interval of 100 s of arrival.
fn ran(lab: &Lab, set: &[&str]) -> Vec<[usize; 2]> {
    let run = lab.run(set);
    let mut counts = vec![[0; 2]; INTERVALS];
    run.calls().iter().for_each(|c| counts[(c.arrival / 100.0) as usize][c.host as usize / 4] += 1);
    counts
}

#[test]
fn the_share_that_moves_is_that_of_the_program_solved_by_hand() {
    let lab = world();
    // Room in the clean region: 0.375 x 4 cores x 100 s / 1 core-s = 150 calls; its own are 100, so that 50 of 100 come from the other.
    // The other has as much room and needs 50.
    let keys = "scheduler.routing.casper={ period_s = 100.0, utilization = 0.375 }";
    let counts = ran(&lab, &[keys]);
    assert_eq!(counts[0], [100, 100], "in the first interval nothing is known");
    counts[1..].iter().for_each(|c| assert_eq!(*c, [150, 50]));
    // By latency nobody moves, and of equal intensities nobody moves either.
    let nearest = "scheduler.routing.casper={ period_s = 100.0, utilization = 0.375, objective = \"latency\" }";
    assert!(matches!(ran_far(&lab, nearest, 90), Some(Violations { late: 0, unplaced: 0, .. })));
    let run = lab.run(&[keys]);
    assert_eq!(run.number("calls.casper_programs"), 9.0);
    assert_eq!((run.number("calls.casper_planned"), run.number("calls.casper_late")), (1800.0, 0.0));
    assert_eq!(run.number("calls.casper_unplaced"), 0.0);
}

/// A run whose regions are so far from each other [ms].
fn far(lab: &Lab, set: &str, ms: u64) -> Outcome {
    let loaded = load(&lab.scenario(), &[set.to_owned()]).expect("a right scenario");
    let mut built = build_loaded(&loaded, false).expect("it builds");
    let (zero, far) = (Duration::ZERO, Duration(ms * 1_000_000));
    built.setup.network = Network::new(2, vec![zero, far, far, zero]);
    simulate(built.setup, built.arrivals, Logs::default(), &mut |_| {}).expect("it runs").0
}

fn ran_far(lab: &Lab, set: &str, ms: u64) -> Option<Violations> {
    far(lab, set, ms).violations
}

#[test]
fn nothing_moves_beyond_the_longest_round_trip_unless_home_is_full() {
    let lab = world();
    let keys =
        |utilization: f64| format!("scheduler.routing.casper={{ period_s = 100.0, utilization = {utilization} }}");
    let executed = |o: &Outcome| o.functions.iter().map(|f| f.executed).sum::<u64>();
    for (ms, utilization, wanted) in [
        (100, 0.375, Violations { programs: 9, calls: 1800, late: 0, unplaced: 0 }),
        (101, 0.375, Violations { programs: 9, calls: 1800, late: 0, unplaced: 0 }),
        // Room for 80 in each: 20 of each region's calls have none.
        (101, 0.2, Violations { programs: 9, calls: 1800, late: 0, unplaced: 360 }),
    ] {
        let outcome = far(&lab, &keys(utilization), ms);
        assert_eq!(outcome.violations, Some(wanted), "{ms} ms");
        assert_eq!(executed(&outcome), 2000);
    }
}

#[test]
fn hosts_are_on_where_the_program_sends_calls() {
    let lab = world();
    // A host takes 0.5 x 1 core x 100 s / 1 core-s = 50 calls: the clean region's four carry all 200; one stays in the other.
    let routing = "scheduler.routing.casper={ period_s = 100.0, utilization = 0.5 }";
    let keys = "period_s = 100.0, check_s = 20.0, utilization = 0.5";
    let provisioning = format!("scheduler.provisioning.casper={{ {keys} }}");
    let run = lab.run(&[routing, &provisioning]);
    let hosts = run.table("hosts.csv");
    let on = hosts.column("on_s");
    assert!(on[..4].iter().all(|on| *on > 999.0), "{on:?}");
    assert!(on[4] > 999.0 && on[5..].iter().all(|on| (100.0..=140.0).contains(on)), "{on:?}");
    let counts = ran(&lab, &[routing, &provisioning]);
    counts[1..].iter().for_each(|c| assert_eq!(*c, [200, 0]));
    // No more than four hosts in all, of which none need stay in the other region.
    let scarce = format!("scheduler.provisioning.casper={{ {keys}, max_hosts = 4, min_hosts = 0 }}");
    let run = lab.run(&[routing, &scarce]);
    let on = run.table("hosts.csv").column("on_s");
    assert!(on[4..].iter().all(|on| (100.0..=140.0).contains(on)), "{on:?}");
    assert_eq!(run.number("calls.executed"), 2000.0);
}

#[test]
fn periods_that_do_not_divide_a_day_are_refused_where_a_day_matters() {
    let lab = world();
    for (seam, keys) in [("routing", "period_s = 7.0"), ("provisioning", "period_s = 70.0")] {
        let day = format!("scheduler.{seam}.casper={{ {keys}, expects = \"same-time-yesterday\" }}");
        assert!(lab.fails(&[&day]).contains("a day is no whole number of intervals"), "{seam}");
    }
    let hasty = lab.fails(&["scheduler.provisioning.casper={ period_s = 10.0 }"]);
    assert!(hasty.contains("period_s = 10 is shorter than check_s = 20"), "{hasty}");
}
