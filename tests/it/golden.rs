//! Golden summaries: every figure of every scenario, byte by byte. A change that moves one is a change of results and says
//! so (CONTRIBUTING.md). `SLACKWATER_BLESS=1 cargo test --test it golden` rewrites the files.

use slackwater::run::{Options, run};
use slackwater::scenario::load;

use crate::lab::repository;

fn agrees_with_its_golden_file(scenario: &str, golden: &str, set: &[&str]) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let set: Vec<String> = set.iter().map(|&s| s.to_owned()).collect();
    let loaded = load(&repository(scenario), &set).expect("a right scenario");
    let options = Options { out: Some(dir.path().join("result")), threads: 1 };
    run(&loaded, &options, &mut |_| {}).expect("it runs");
    let ours = std::fs::read_to_string(dir.path().join("result/summary.csv")).expect("a summary");
    let path = repository("tests/it/golden").join(golden);
    if std::env::var_os("SLACKWATER_BLESS").is_some() {
        std::fs::write(&path, &ours).expect("the repository is writable");
    }
    let wanted = std::fs::read_to_string(&path).expect("a golden file; SLACKWATER_BLESS=1 writes it");
    let moved: Vec<String> = wanted
        .lines()
        .zip(ours.lines())
        .filter(|(a, b)| a != b)
        .map(|(a, b)| format!("  was {a}\n  is  {b}"))
        .collect();
    assert!(
        wanted == ours,
        "{scenario}: figures moved; if that is meant, declare it (CONTRIBUTING.md) and run with SLACKWATER_BLESS=1\n{}",
        moved.join("\n")
    );
}

#[test]
fn quickstart_keeps_its_figures() {
    agrees_with_its_golden_file("scenarios/quickstart.toml", "quickstart.csv", &[]);
}

#[test]
fn reference_keeps_its_figures() {
    agrees_with_its_golden_file("scenarios/reference.toml", "reference.csv", &[]);
}

#[test]
fn keep_alive_keeps_its_figures() {
    agrees_with_its_golden_file("scenarios/checks/keep-alive.toml", "keep-alive.csv", &[]);
}

#[test]
fn ledgers_beside_carbon_keep_their_figures() {
    agrees_with_its_golden_file("scenarios/beside-carbon.toml", "beside-carbon.csv", &[]);
}

#[test]
fn a_hundredth_of_the_first_days_of_the_xfaas_week_keeps_its_figures() {
    let set = [
        "workload.xfaas.calls=200000",
        "scheduler.dispatch.durable-queues.utilization.paced.prior_rate_per_s=0.3307",
        "scheduler.dispatch.durable-queues.period_s=10",
        "time.duration_s=259200",
    ];
    agrees_with_its_golden_file("scenarios/xfaas.toml", "xfaas-hundredth.csv", &set);
}

#[test]
fn a_sixth_of_the_overcommitted_cell_keeps_its_figures() {
    let set = [
        "regions[0].hosts[0].count=10",
        "instances.cell.synthetic.count=287",
        "instances.cell.synthetic.arrivals.rate_per_h=7.75",
        "instances.cell.synthetic.duration_s=216000",
        "time.duration_s=216000",
    ];
    agrees_with_its_golden_file("scenarios/overcommit.toml", "overcommit-sixth.csv", &set);
}

#[test]
fn tenants_who_reserve_for_the_peak_keep_their_figures() {
    agrees_with_its_golden_file("scenarios/oversubscription-embodied.toml", "oversubscription-embodied.csv", &[]);
}

#[test]
fn embodied_carbon_as_an_objective_keeps_its_figures() {
    let set = ["scheduler.packing.lowest-carbon.objective=\"sci\""];
    agrees_with_its_golden_file("scenarios/sunk-carbon.toml", "sunk-carbon.csv", &set);
}
