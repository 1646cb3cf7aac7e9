//! Space: messages take time and energy, data weigh, some work must stay, and routing knows all that. By hand, and by conservation.

use slackwater::ledger::Cause;
use slackwater::report::{By, charge_anew, own_sets, read_ledger};

use crate::conservation::all_books_balance;
use crate::lab::{Lab, Run, close, run_file};
use crate::scene::is;

/// Two regions, 100 ms apart there and back, each of four cores, 100 W at no load and 20 J per core-second; PUE 1. A start takes 1 s and
/// no CPU. 10 Wh/GB are 36 J/MB; 10 MB/s.
const TWO: &str = r#"
[time]
duration_s = 100.0
drain_limit_s = 100.0
end = "fixed"
[output]
invocations = true
jobs = true
[isolation.container]
start_median_s = 1.0
start_sigma = 0.0
start_cpu_core_s = 0.0
memory_overhead_mb = 0.0
memory_per_host_mb = 0.0
cpu_factor = 1.0
[scheduler.packing.first-fit]
[scheduler.keep_alive.fixed]
keep_alive_s = inf
[servers.box]
cores = 4
memory_mb = 1000
power.linear = { idle_w = 100.0, max_w = 180.0 }
embodied_kg = 1.0
lifetime_years = 1.0
[[regions]]
name = "dirty"
pue = 1.0
grid.constant.g_per_kwh = 400.0
hosts = [{ server = "box", count = 1 }]
[[regions]]
name = "clean"
pue = 1.0
grid.constant.g_per_kwh = 100.0
hosts = [{ server = "box", count = 1 }]
"#;

const NETWORK: &str = r#"
[network]
rtt_ms = [[0.0, 100.0], [100.0, 0.0]]
bandwidth_mb_per_s = 10.0
transfer_wh_per_gb = 10.0
"#;

const CALLS: &str = "[workload.calls]\npath = \"calls.csv\"\n";
const CARBON: &str = "scheduler.routing.lowest-carbon={}";

fn two(more: &str, calls: &[&str]) -> Lab {
    let rows: String = calls.iter().map(|c| format!("{c}\n")).collect();
    let head = "arrival_time_s,function_id,duration_s,memory_mb,region,deadline_s,tenant\n";
    Lab::new(&format!("{TWO}{CALLS}{more}")).file("calls.csv", &format!("{head}{rows}"))
}

fn by_region(run: &Run, column: &str) -> Vec<f64> {
    run.table("regions.csv").column(column)
}

#[test]
fn latency_has_the_way_there_and_the_way_back_and_energy_is_drawn_half_at_either_end() {
    // There 50 ms and 1 + 2 MB at 10 MB/s; a start of 1 s; 2 s; back 50 ms and 0.5 MB: 3.45 s.
    let data = "[network.data]\nrequest_kb = 1000.0\nresponse_kb = 500.0\ndata_mb = 2.0\n";
    let lab =
        two(&format!("{NETWORK}{data}"), &["5,a,2,30,dirty,3.4,t", "50,b,2,30,dirty,3.46,t", "60,c,2,30,clean,9,t"]);
    // The transfers would cost more than they save; what is asked here is what a move does.
    let run = lab.run(&[
        "scheduler.routing.lowest-cost={}",
        "cost.currency=\"EUR\"",
        "regions[0].electricity_price.constant.price_per_mwh=9",
        "regions[1].electricity_price.constant.price_per_mwh=1",
    ]);
    let calls = run.calls();
    assert_eq!(calls.iter().map(|c| (c.host, c.region)).collect::<Vec<_>>(), [(1, 0), (1, 0), (1, 1)]);
    is("release", calls[0].release, 5.0);
    is("start", calls[0].start, 5.0 + 0.35 + 1.0);
    is("end", calls[0].end, 5.0 + 0.35 + 1.0 + 2.0);
    is("latency", run.number("latency_s.mean"), (3.45 + 3.45 + 3.0) / 3.0);
    is("service latency", run.number("service_latency_s.mean"), (3.45 + 3.45 + 3.0) / 3.0);
    is("on the way", run.number("network.on_the_way_mean_s"), 2.0 * 0.45 / 3.0);
    // Its answer is due at home: 3.4 s are too short, 3.46 s are not.
    assert_eq!(run.table("functions.csv").column("missed_deadline")[..3], [1.0, 0.0, 0.0]);
    assert_eq!([run.number("network.calls_away"), run.number("network.jobs_away")], [2.0, 0.0]);
    is("sent", run.number("network.sent_gb"), 0.007);
    is("energy", run.number("energy_j.network"), 7.0 * 36.0);
    is("O", run.number("carbon_g.operational_network"), 7.0 * 36.0 * 250.0 / 3.6e6);
    assert_eq!(by_region(&run, "network_j"), [126.0, 126.0]);
    is("of a function", run.table("functions.csv").column("network_j")[0], 126.0);
    is("its O", run.table("functions.csv").column("operational_network_g")[1], 126.0 * 250.0 / 3.6e6);
    // The price of electricity is that of the facilities, without the network.
    let facilities = run.number("energy_j.total") - run.number("energy_j.network");
    close("facilities", 2.0 * 200.0 * 100.0 + 3.0 * 40.0, facilities, 1e-9);
}

#[test]
fn data_that_live_elsewhere_are_fetched_also_by_a_call_at_home() {
    let data = "[[network.data.of]]\nfunctions = [\"a\"]\ndata_mb = 5.0\nhome = \"clean\"\n";
    let run = two(&format!("{NETWORK}{data}"), &["0,a,2,30,dirty,99,t", "0,b,2,30,dirty,99,t"]).run(&[]);
    // A round trip, and 5 MB at 10 MB/s; then the start.
    let starts: Vec<f64> = run.calls().iter().map(|c| c.start).collect();
    assert!(starts.contains(&1.0) && starts.contains(&(0.1 + 0.5 + 1.0)), "{starts:?}");
    assert_eq!([run.number("network.calls_away"), run.number("energy_j.network")], [0.0, 180.0]);
    is("latency", run.number("latency_s.mean"), (3.0 + 3.6) / 2.0);
}

#[test]
fn lowest_carbon_saves_what_a_calculation_by_hand_says_and_transfer_takes_its_part() {
    let calls = ["0,a,2,30,dirty,99,t", "3,a,2,30,dirty,99,t"];
    for (request_kb, sent_mb) in [(0.0, 0.0), (600.0, 1.2)] {
        let lab = two(&format!("{NETWORK}[network.data]\nrequest_kb = {request_kb}\n"), &calls);
        let (local, moved) = (lab.run(&[]), lab.run(&[CARBON]));
        let saved = local.number("carbon_g.operational") - moved.number("carbon_g.operational");
        // Four core-seconds of 20 J at 400 instead of 100 g/kWh; idle power is the same anywhere.
        close("saved", saved, (80.0 * 300.0 - sent_mb * 36.0 * 250.0) / 3.6e6, 1e-6);
        assert_eq!(moved.number("network.calls_away"), 2.0);
        assert_eq!(by_region(&moved, "executed"), [0.0, 2.0]);
        assert_eq!(by_region(&moved, "received"), [2.0, 0.0]);
    }
}

#[test]
fn past_the_break_even_of_transfer_everything_stays_home() {
    // 2 s of one core of 20 W, 300 g/kWh saved; a MB is 36 J at 250 g/kWh.
    let break_even_kb = 40.0 * 300.0 / (36.0 * 250.0) * 1000.0;
    for (factor, away) in [(0.99, 1.0), (1.01, 0.0)] {
        let data = format!("{NETWORK}[network.data]\nrequest_kb = {}\n", break_even_kb * factor);
        let run = two(&data, &["0,a,2,30,dirty,99,t"]).run(&[CARBON]);
        assert_eq!(run.number("network.calls_away"), away, "{factor}");
    }
}

#[test]
fn the_bound_on_round_trips_keeps_calls_home() {
    let lab = two(NETWORK, &["0,a,2,30,dirty,99,t"]);
    for (bound, away) in [("99.9", 0.0), ("100", 1.0)] {
        let run = lab.run(&[&format!("scheduler.routing.lowest-carbon.max_rtt_ms={bound}")]);
        assert_eq!(run.number("network.calls_away"), away, "{bound}");
    }
}

#[test]
fn residency_holds_under_every_policy_for_calls_and_jobs() {
    let rules = "[[network.residency]]\ntenants = [\"here\"]\nregions = [\"dirty\"]\n[[network.residency]]\nfunctions = [\"b\"]\nregions = [\"clean\"]\n\
                 [jobs.here]\nsource.periodic = { every_s = 10.0, count = 2, length_s = 5.0 }\nregion = \"dirty\"\n";
    let calls = ["0,a,2,30,dirty,99,here", "1,b,2,30,dirty,99,there", "2,c,2,30,dirty,99,there"];
    let lab = two(&format!("{NETWORK}{rules}"), &calls);
    for (policy, last) in
        [("local", 0), ("nearest", 0), ("lowest-latency", 0), ("least-loaded", 1), ("lowest-carbon", 1)]
    {
        let run = lab.run(&[&format!("scheduler.routing.{policy}={{}}")]);
        let hosts: Vec<i32> = run.calls().iter().map(|c| c.host).collect();
        assert_eq!(hosts[..2], [0, 1], "{policy}");
        assert_eq!(hosts[2], last, "{policy}");
        assert_eq!(run.table("jobs.csv").column("region"), [0.0, 0.0], "{policy}");
    }
}

#[test]
fn a_job_moves_once_with_its_data_and_waits_for_them() {
    let jobs = "[jobs.few]\nsource.periodic = { every_s = 50.0, count = 2, length_s = 20.0 }\nregion = \"dirty\"\ndata_gb = 0.02\n";
    let lab = Lab::new(&format!("{TWO}{NETWORK}{jobs}"));
    // 20 MB are 720 J at 250 g/kWh; 20 s of a core are 400 J, of which 300 g/kWh are saved: it stays.
    let stays = lab.run(&[CARBON]);
    assert_eq!([stays.number("network.jobs_away"), stays.number("energy_j.network")], [0.0, 0.0]);
    // With a hundredth of the energy per GB it goes: half a round trip, and 20 MB at 10 MB/s.
    let goes = lab.run(&[CARBON, "network.transfer_wh_per_gb=0.1"]);
    assert_eq!(goes.number("network.jobs_away"), 2.0);
    let table = goes.table("jobs.csv");
    assert_eq!(table.column("region"), [1.0, 1.0]);
    for (started, wanted) in table.column("started_s").iter().zip(table.column("wanted_s")) {
        is("start", *started, wanted + 2.05);
    }
    is("energy", goes.number("energy_j.network"), 2.0 * 7.2);
    let local = lab.run(&["network.transfer_wh_per_gb=0.1"]);
    let saved = local.number("carbon_g.operational") - goes.number("carbon_g.operational");
    close("saved", saved, (2.0 * 400.0 * 300.0 - 14.4 * 250.0) / 3.6e6, 1e-6);
    // Shifting plans it where it will run, from when its data are there.
    let shifted = [
        "jobs.few.slack.fixed.wait_s=30",
        "scheduler.shifting.lowest-window={}",
        CARBON,
        "network.transfer_wh_per_gb=0.1",
    ];
    let both = lab.run(&shifted);
    assert_eq!(both.number("jobs.missed_deadline"), 0.0);
    assert_eq!(both.table("jobs.csv").column("region"), [1.0, 1.0]);
}

/// Two regions of typical grids and functions with data, at rates that fill them.
const BUSY: &str = r#"
[output]
account_step_s = 300.0
[scheduler.routing.lowest-carbon]
[scheduler.keep_alive.fixed]
keep_alive_s = 45.0
[servers.small]
cores = 4
memory_mb = 4000
embodied_kg = 900
lifetime_years = 5
[[regions]]
name = "london"
latitude_deg = 51.5
longitude_deg = -0.1
grid.typical.zone = "GB"
hosts = [{ server = "small", count = 2 }, { server = "small", count = 1, pue = 1.4 }]
[[regions]]
name = "frankfurt"
latitude_deg = 50.1
longitude_deg = 8.7
pue = 1.25
grid.typical.zone = "DE-LU"
hosts = [{ server = "small", count = 3 }]
[network.data]
request_kb = 2.0
response_kb = 1.0
[[network.data.of]]
functions = ["f1", "f2", "f3"]
data_mb = 0.01
home = "london"
[workload.poisson]
rate_per_s = 2.0
calls = 20_000
functions = 20
memory_mb = 300
service.lognormal = { median_s = 1.5, sigma = 1.0 }
"#;

#[test]
fn all_books_balance_and_what_is_sent_is_scored_anew_as_the_run_was() {
    let lab = Lab::new(BUSY);
    let run = lab.run(&[]);
    assert!(run.number("network.calls_away") > 1000.0 && run.number("energy_j.network") > 0.0);
    all_books_balance("space", &run);
    let record = read_ledger(&run.folder()).expect("every run keeps its books");
    let score = record.score(&record.scored_on);
    assert_eq!(score.operational_g, run.number("carbon_g.operational"));
    let signals: Vec<_> = own_sets(&record).into_iter().map(|(_, set)| set).collect();
    let charged =
        charge_anew(&run.folder(), &record, &signals, None, (By::Function, &record.facts.unit)).expect("periods");
    let table = run.table("functions.csv");
    let (joules, grams) = (table.column("network_j"), table.column("operational_network_g"));
    for (i, row) in charged.iter().enumerate() {
        let share = &row.shares[0];
        close("joules", share.energy_j[Cause::Network as usize].max(1e-12), joules[i].max(1e-12), 1e-9);
        close("grams", share.operational_g[Cause::Network as usize].max(1e-12), grams[i].max(1e-12), 1e-9);
    }
    assert!(joules[..20].iter().all(|j| *j > 0.0) && joules[20] == 0.0, "{joules:?}");
}

#[test]
fn the_same_scenario_gives_the_same_bytes_with_any_number_of_threads() {
    let lab = Lab::new(BUSY);
    let jobs = "jobs.few={ source = { periodic = { every_s = 600.0, count = 9, length_s = 900.0 } }, data_gb = 0.001 }";
    let set = [jobs, "output.jobs=true", "output.invocations=true"];
    let first = run_file(&lab.scenario(), &set, 1).files();
    for threads in [1, 2] {
        let again = run_file(&lab.scenario(), &set, threads).files();
        assert!(first.iter().all(|(name, bytes)| again[name] == *bytes), "with {threads} thread(s)");
    }
}

#[test]
fn a_network_without_distance_and_without_data_changes_no_figure() {
    let plain = BUSY.split("[network.data]").next().expect("a beginning");
    let plain = plain.lines().filter(|l| !l.contains("itude_deg")).collect::<Vec<_>>().join("\n");
    let rest = BUSY.split("[workload.poisson]").nth(1).expect("an end");
    let plain = format!("{plain}\n[workload.poisson]{rest}");
    let least = plain.replace("lowest-carbon", "least-loaded");
    for text in [plain, least] {
        let lab = Lab::new(&text);
        let (without, with) = (lab.run(&[]), lab.run(&["network.rtt_ms=[[0.0, 0.0], [0.0, 0.0]]"]));
        for entry in &without.report.summary {
            if entry.key != "sci.boundary" {
                let theirs = with.report.summary.iter().find(|e| e.key == entry.key).expect("the same figures");
                assert_eq!(format!("{:?}", entry.value), format!("{:?}", theirs.value), "{}", entry.key);
            }
        }
    }
}

#[test]
fn what_goes_not_together_is_said() {
    let bare = two("", &["0,a,2,30,dirty,99,t"]);
    let wired = two(NETWORK, &["0,a,2,30,dirty,99,t"]);
    for (lab, set, part) in [
        (&bare, "scheduler.routing.nearest.max_rtt_ms=10", "there is no network"),
        (&bare, "scheduler.routing.lowest-cost={}", "electricity has no price"),
        (&bare, "scheduler.routing.follow-the-sun={}", "nobody knows where the sun is"),
        (&wired, "scheduler.routing.follow-the-sun={}", "nobody knows where the sun is"),
        (
            &wired,
            "scheduler.routing.follow-the-sun.schedule=[{hour_utc=0.0,region=\"moon\"}]",
            "no region is called \"moon\"",
        ),
        (&bare, "regions[0].latitude_deg=10", "one of them is missing"),
        (&bare, "network={}", "nothing says how long messages take"),
        (&wired, "network.rtt_ms=[[0.0]]", "1 rows for 2 regions"),
        (&wired, "network.price_per_gb=0.1", "no currency"),
        (&wired, "network.rtt_csv=\"x.csv\"", "there are rtt_ms and rtt_csv"),
        (&bare, "jobs.few={source={periodic={every_s=50.0,count=2,length_s=2.0}},data_gb=1.0}", "there is no network"),
    ] {
        let message = lab.fails(&[set]);
        assert!(message.contains(part), "{set}: {message}");
    }
}

#[test]
fn sending_has_its_price() {
    let lab = two(&format!("{NETWORK}[network.data]\nrequest_kb = 100.0\n"), &["0,a,2,30,dirty,99,t"]);
    let run = lab.run(&[CARBON, "network.price_per_gb=0.5", "cost.currency=\"EUR\""]);
    is("cost", run.number("cost.network"), 0.0001 * 0.5);
    is("total", run.number("cost.total"), 0.0001 * 0.5);
}
