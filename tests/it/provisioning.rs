//! Hosts that are switched on and off: the engine's side of the provisioning seam, with a policy made for the test.

use std::path::Path;

use slackwater::ledger::{Cause, Column};
use slackwater::scenario::{Scenario, build};
use slackwater::scheduler::View;
use slackwater::scheduler::provisioning::{FleetView, Provisioning};
use slackwater::sci;
use slackwater::sim::{Logs, Outcome, simulate};
use slackwater::types::{Duration, RegionId};

const SCENARIO: &str = r#"
[time]
duration_s = 1000.0
drain_limit_s = 1000.0
[workload.poisson]
rate_per_s = 2.0
calls = 2000
service.constant.length_s = 0.5
[isolation.process]
[scheduler.keep_alive.fixed]
keep_alive_s = 5.0
[servers.s]
cores = 8
memory_mb = 4096
power.linear = { idle_w = 100.0, max_w = 200.0 }
embodied_kg = 1000
lifetime_years = 4
shutdown_s = 0.0
off_w = 7.0
boot_s = 50.0
boot_w = 150.0
[[regions]]
name = "r"
grid.constant.g_per_kwh = 360.0
pue = 1.0
hosts = [{ server = "s", count = 3 }]
"#;

/// Wants one host in the first half of the run, all in the second.
struct Halves;

impl Provisioning for Halves {
    fn period(&self) -> Option<Duration> {
        Some(Duration::from_secs(100))
    }

    fn wanted(&mut self, fleet: &FleetView, view: &View<'_>) -> u32 {
        if view.now.as_secs_f64() < 500.0 { 1 } else { fleet.hosts }
    }
}

/// The run's outcome, with more tables in the scenario.
pub fn switched(more: &str) -> Outcome {
    run(more).0
}

fn run(more: &str) -> (Outcome, sci::Scored) {
    run_with(&format!("{SCENARIO}{more}"))
}

fn run_with(scenario: &str) -> (Outcome, sci::Scored) {
    let scenario: Scenario = toml::from_str(scenario).expect("a right scenario");
    let mut built = build(&scenario, Path::new("."), false).expect("it builds");
    built.setup.provisioning = Box::new(Halves);
    let (outcome, _) = simulate(built.setup, built.arrivals, Logs::default(), &mut |_| {}).expect("it runs");
    slackwater::run::count_powered(&mut built.groups, &outcome.hosts);
    let intensity = sci::intensities(&outcome.site, &built.signals.score, outcome.end);
    let scored = sci::score(&outcome.site, &outcome.accounts, &built.groups, &intensity, outcome.end);
    (outcome, scored)
}

#[test]
fn hosts_boot_and_go_off_as_provisioning_wants_and_every_joule_is_booked() {
    let (outcome, scored) = run("");
    let executed: u64 = outcome.functions.iter().map(|f| f.executed).sum();
    let received: u64 = outcome.functions.iter().map(|f| f.received).sum();
    assert_eq!(executed, received);
    let total = outcome.site.total(RegionId(0));
    // Two hosts are off from 0 s to 500 s, boot for 50 s each, and are on from 550 s to the end.
    assert!((Cause::Off.joules(&total) - 2.0 * 500.0 * 7.0).abs() < 1e-6, "{}", Cause::Off.joules(&total));
    assert!((Cause::Boot.joules(&total) - 2.0 * 50.0 * 150.0).abs() < 1e-6, "{}", Cause::Boot.joules(&total));
    let end = outcome.end.as_secs_f64();
    let on = end + 2.0 * (end - 550.0);
    assert!((total[Column::HostsOn as usize] - on).abs() < 1e-6);
    // Dynamic energy: 12.5 W per core, one core per call, half a second each; starts add a little.
    let calls_j = executed as f64 * 0.5 * 12.5;
    assert!((total[Column::ExecutionDynamic as usize] / calls_j - 1.0).abs() < 1e-9);
    let hosts: f64 = outcome.hosts.iter().map(|h| h.energy_j).sum();
    assert!((scored.energy_j() / hosts - 1.0).abs() < 1e-9);
    assert!((scored.operational_g() / (hosts / 3.6e6 * 360.0) - 1.0).abs() < 1e-9);
    // Hosts that are off still stand there: embodied emissions count all three for the whole run.
    let embodied = 3.0 * 1e6 * end / (4.0 * 31_536_000.0);
    assert!((scored.embodied_g() / embodied - 1.0).abs() < 1e-12);
}

#[test]
fn embodied_emissions_by_use_count_hosts_that_are_on_or_boot_and_no_others() {
    let by_use = SCENARIO.replace("lifetime_years = 4", "lifetime_years = 4\nlifetime_basis = \"use\"");
    let g_per_s = 1e6 / (4.0 * 31_536_000.0);
    // Two of three hosts are off up to 500 s; with the long boot they are still booting at the end.
    for (boot, ready_from) in [("boot_s = 50.0", 550.0), ("boot_s = 5000.0", f64::INFINITY)] {
        let [(all, existence), (outcome, used)] =
            [SCENARIO, &by_use].map(|text| run_with(&text.replace("boot_s = 50.0", boot)));
        let end = outcome.end.as_secs_f64();
        assert_eq!(all.end, outcome.end, "the basis never moves the run");
        assert!(end > 999.0 && end < 1100.0, "{end}");
        let powered: Vec<f64> = outcome.hosts.iter().map(|h| h.powered_s()).collect();
        for (powered, wanted) in powered.iter().zip([end, end - 500.0, end - 500.0]) {
            assert!((powered - wanted).abs() < 1e-9, "{powered} is not {wanted}");
        }
        assert!((outcome.hosts[1].on_s - (end - ready_from).max(0.0)).abs() < 1e-9);
        assert!((existence.embodied_g() / (3.0 * end * g_per_s) - 1.0).abs() < 1e-12);
        assert!((used.embodied_g() / ((3.0 * end - 1000.0) * g_per_s) - 1.0).abs() < 1e-12);
        // What functions held is the same, and the rest makes up the total.
        let held = |s: &sci::Scored| s.functions.iter().map(|f| f.embodied_g).sum::<f64>();
        assert!(held(&used) > 0.0);
        assert_eq!(held(&used).to_bits(), held(&existence).to_bits());
        assert!(((held(&used) + used.unattributed.embodied_g) / used.embodied_g() - 1.0).abs() < 1e-9);
        assert!(used.unattributed.embodied_g > 0.0);
    }
}
