//! Durable queues and the schedulers that pull from them, through the whole program: what they promise is found in the log of calls and in the
//! figures. Control laws are in `dispatch_control`, delivery and services in `dispatch_delivery`.

use std::collections::BTreeMap;
use std::process::Command;

use crate::conservation::all_books_balance;
use crate::lab::{Call, Lab, Run, repository, run_file};

/// Servers of one core and 1000 MB, on which a call has its core for itself; a start takes 1 s and no CPU.
pub const WORLD: &str = r#"
[output]
invocations = true
[model]
cpu = "isolated"
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
cores = 1
memory_mb = 1000
power.linear = { idle_w = 100.0, max_w = 180.0 }
embodied_kg = 1.0
lifetime_years = 1.0
"#;

pub const QUEUES: &str = "scheduler.dispatch.durable-queues";

/// A key of durable queues with its value.
pub fn part(key: &str, value: &str) -> String {
    format!("{QUEUES}.{key}={value}")
}

/// The world with regions of so many servers, polled every second.
pub fn world(regions: &[(&str, u32)], more: &str) -> String {
    let region = |(name, count): &(&str, u32)| {
        format!(
            "[[regions]]\nname = \"{name}\"\npue = 1.0\ngrid.constant.g_per_kwh = 360.0\nhosts = [{{ server = \"box\", count = {count} }}]\n"
        )
    };
    let regions: String = regions.iter().map(region).collect();
    format!("{WORLD}[{QUEUES}]\nperiod_s = 1.0\n{regions}{more}")
}

/// A world with calls from a file of arrival, function, length, region, deadline, criticality, count.
pub fn lab(regions: &[(&str, u32)], more: &str, calls: &[String]) -> Lab {
    let rows: String = calls.iter().map(|c| format!("{c}\n")).collect();
    let head = "arrival_time_s,function_id,duration_s,region,deadline_s,criticality,count,memory_mb\n";
    let rows = rows.replace('\n', ",10\n");
    let text = world(regions, more);
    Lab::new(&format!("{text}[workload.calls]\npath = \"calls.csv\"\n")).file("calls.csv", &format!("{head}{rows}"))
}

/// `count` calls of a function at an instant, without deadline.
pub fn calls(at: f64, function: &str, length: f64, region: &str, count: u32) -> String {
    format!("{at},{function},{length},{region},,0,{count}")
}

/// Functions by number.
pub fn functions(run: &Run) -> Vec<String> {
    run.table("functions.csv").text("function")
}

/// The calls of a function.
pub fn of(run: &Run, function: &str) -> Vec<Call> {
    let names = functions(run);
    run.calls().into_iter().filter(|c| names[c.function as usize] == function).collect()
}

/// How many intervals hold at an instant at most; those that end when another begins do not meet it.
fn most_together(spans: impl Iterator<Item = (f64, f64)>) -> i32 {
    let mut edges: Vec<(f64, i32)> = spans.flat_map(|(from, to)| [(from, 1), (to, -1)]).collect();
    edges.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    edges
        .iter()
        .scan(0, |now, e| {
            *now += e.1;
            Some(*now)
        })
        .max()
        .unwrap_or(0)
}

const POISSON: &str = r#"
[workload.poisson]
rate_per_s = 4.0
calls = 3000
functions = 20
memory_mb = 100
service.exponential = { mean_s = 1.5 }
"#;

/// The summary without the figures that only durable queues have.
fn common(run: &Run) -> Vec<String> {
    let text = String::from_utf8(run.files()["summary.csv"].clone()).expect("text");
    text.lines().filter(|l| !l.starts_with("dispatch.") && !l.starts_with("run.events")).map(str::to_owned).collect()
}

#[test]
fn durable_queues_with_every_part_off_are_direct() {
    for regions in [&[("here", 9)][..], &[("a", 4), ("b", 2), ("c", 4)]] {
        let text = world(regions, POISSON);
        let queued = Lab::new(&text).run(&[]);
        let direct = Lab::new(&text.replace(&format!("[{QUEUES}]\nperiod_s = 1.0\n"), "")).run(&[]);
        assert!(queued.number("calls.waited") > 100.0, "the world is too large to tell");
        assert_eq!(queued.number("dispatch.attempts"), 3000.0);
        assert_eq!(queued.number("dispatch.at_once_share"), 1.0);
        assert_eq!(direct.report.number("dispatch.attempts"), None);
        assert_eq!(common(&queued), common(&direct));
        let (a, b) = (queued.files(), direct.files());
        for name in ["functions.csv", "hosts.csv", "regions.csv", "timeseries.csv", "invocations.parquet"] {
            assert!(a[name] == b[name], "{name} differs with {} region(s)", regions.len());
        }
    }
}

#[test]
fn slow_start_lets_a_backlog_grow_by_a_fifth_per_minute_rounded_down() {
    let lab = lab(&[("here", 40)], "", &[calls(0.0, "f", 0.01, "here", 2000), calls(0.0, "g", 0.01, "here", 90)]);
    let run = lab.run(&[&part("slow_start", "{}")]);
    let mut minutes: BTreeMap<u64, u64> = BTreeMap::new();
    of(&run, "f").iter().for_each(|c| *minutes.entry((c.release / 60.0) as u64).or_default() += 1);
    let (mut wanted, mut left) = (vec![100_u64], 1900_u64);
    while left > 0 {
        let next = (wanted.last().expect("one") * 6 / 5).min(left);
        (left, _) = (left - next, wanted.push(next));
    }
    assert_eq!(wanted[..4], [100, 120, 144, 172]);
    assert_eq!(minutes.into_iter().collect::<Vec<_>>(), (0..).zip(wanted).collect::<Vec<_>>());
    assert!(of(&run, "g").iter().all(|c| c.release == 0.0), "a small function is limited");
    assert_eq!(run.number("calls.executed"), 2090.0);
}

#[test]
fn no_more_calls_of_a_function_run_than_may() {
    let rows = [
        calls(0.0, "f", 5.0, "a", 15),
        calls(0.0, "g", 5.0, "a", 12),
        calls(0.0, "h", 5.0, "b", 9),
        calls(0.5, "f", 5.0, "b", 15),
    ];
    let lab = lab(&[("a", 30), ("b", 30)], "", &rows);
    let limits = part("concurrency", "{ calls = 3, of = { \"g\" = 1, \"h\" = 9 } }");
    let run = lab.run(&[&limits]);
    for (function, limit, count) in [("f", 3, 30), ("g", 1, 12), ("h", 9, 9)] {
        let calls = of(&run, function);
        assert_eq!(calls.len(), count, "{function}");
        // A call counts from when it is handed out.
        assert_eq!(most_together(calls.iter().map(|c| (c.release, c.end))), limit, "{function}");
    }
    assert!(run.number("dispatch.blocked_by_concurrency") > 10.0);
}

#[test]
fn the_more_critical_go_first_then_the_earlier_deadline_unless_order_says_otherwise() {
    // One worker, one call in its RunQ: all others wait in durable queues. Deadlines are after arrival.
    let rows = [
        "0,first,20,here,9000,0,1",
        "1,second,1,here,9000,0,1",
        "2,late,1,here,800,1,1",
        "3,critical,1,here,900,7,1",
        "4,early,1,here,100,1,1",
        "5,never,1,here,,1,1",
    ]
    .map(str::to_owned);
    let lab = lab(&[("here", 1)], "", &rows);
    for (order, wanted) in [
        ("criticality-then-deadline", ["critical", "early", "late", "never"]),
        ("deadline", ["early", "late", "critical", "never"]),
        ("arrival", ["late", "critical", "early", "never"]),
    ] {
        let run = lab.run(&[&part("run_queue", "1"), &part("order", order)]);
        let names = functions(&run);
        let mut calls = run.calls();
        calls.sort_by(|a, b| a.start.total_cmp(&b.start));
        let order_seen: Vec<&str> = calls.iter().map(|c| names[c.function as usize].as_str()).collect();
        assert_eq!(order_seen[..2], ["first", "second"]);
        assert_eq!(order_seen[2..], wanted, "{order}");
        assert!(run.number("dispatch.blocked_by_run_queue") > 0.0);
    }
}

#[test]
fn a_run_queue_is_never_longer_than_it_may_be() {
    let lab = lab(&[("here", 2)], "", &[calls(0.0, "f", 3.0, "here", 40), calls(7.0, "g", 2.0, "here", 40)]);
    for most in [1, 5, 1000] {
        let run = lab.run(&[&part("run_queue", &most.to_string())]);
        assert_eq!(run.number("calls.executed"), 80.0);
        // Handed out and not yet running, those whose sandbox starts left out: there is no more than one per server.
        let waiting = most_together(run.calls().iter().filter(|c| !c.cold).map(|c| (c.release, c.start)));
        assert!(waiting <= most, "{waiting} wait where {most} may");
        assert_eq!(run.number("dispatch.blocked_by_run_queue") > 0.0, most < 1000);
    }
}

/// Every part at once: a service that fails for a while, lost acknowledgements, time-outs, few attempts, a network, locality groups.
pub const EVERYTHING: &str = r#"
[network]
rtt_ms = [[0.0, 20.0, 80.0], [20.0, 0.0, 50.0], [80.0, 50.0, 0.0]]
transfer_wh_per_gb = 10.0
[network.data]
request_kb = 100.0
[scheduler.dispatch.durable-queues.utilization.paced]
window_s = 600.0
[services.database]
capacity_per_s = 3.0
function_share = 0.6
exceptions_per_min = 10.0
outages = [{ from_s = 200.0, until_s = 400.0 }, { from_s = 600.0, until_s = 700.0, capacity_share = 0.3 }]
"#;

pub fn everything(calls: u32) -> (Lab, Vec<String>) {
    let regions = [("a", 6), ("b", 3), ("c", 6)];
    let poisson = POISSON.replace("calls = 3000", &format!("calls = {calls}"));
    let text = world(&regions, &format!("{EVERYTHING}{poisson}"))
        .replace("[scheduler.packing.first-fit]", "[scheduler.packing.locality-groups]\nhosts_per_group = 2");
    let parts = vec![
        part("run_queue", "3"),
        part("pull", "where-room"),
        part("delivery", "{ timeout_s = 40.0, retry_delay_s = 5.0, attempts = 4, lost_acknowledgements = 0.1 }"),
        part("quota", "{}"),
        part("concurrency", "{ calls = 6 }"),
        part("slow_start", "{ window_s = 20.0, calls = 10 }"),
        part("back_pressure", "{ period_s = 30.0, increase = 0.1 }"),
        part("conductor", "{ period_s = 20.0 }"),
        part("carbon", "{ window_s = 600.0 }"),
        part("controllers_down", "[{ from_s = 300.0, until_s = 360.0 }]"),
        "output.against_run_now=false".to_owned(),
    ];
    (Lab::new(&text), parts)
}

#[test]
fn nothing_is_lost_with_every_part_on() {
    let (lab, parts) = everything(3000);
    let mut seen = BTreeMap::new();
    for more in [
        &[][..],
        &["time.drain_limit_s=0", "time.duration_s=650"],
        &["model.queue.max_waiting=1"],
        &["model.queue.timeout_s=0.5", "scheduler.dispatch.durable-queues.delivery.timeout_s=3"],
        &["scheduler.dispatch.durable-queues.delivery.attempts=1", "scheduler.packing.first-fit={}"],
    ] {
        let set: Vec<&str> = parts.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let run = lab.run(&set);
        all_books_balance(&format!("{more:?}"), &run);
        let n = |key: &str| run.number(key);
        assert_eq!(n("services.database.exceptions"), n("dispatch.refused"), "{more:?}: unfinished runs are none");
        for key in [
            "dispatch.given_up",
            "dispatch.executed_again",
            "dispatch.timeouts",
            "dispatch.acknowledgements_lost",
            "dispatch.abroad_share",
            "dispatch.slowed_functions",
            "dispatch.blind_share",
            "dispatch.blocked_by_slow_start",
            "dispatch.blocked_by_concurrency",
            "dispatch.blocked_by_back_pressure",
            "dispatch.blocked_by_run_queue",
            "calls.unfinished",
            "calls.turned_away",
            "calls.timed_out",
            "calls.rejected",
        ] {
            *seen.entry(key).or_insert(0.0) += n(key);
        }
    }
    assert!(seen.values().all(|&n| n > 0.0), "the ways lead past {seen:?}");
}

#[test]
fn every_part_gives_the_same_bytes_with_one_thread_and_with_two() {
    let (lab, parts) = everything(1500);
    let set: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (one, two) = (run_file(&lab.scenario(), &set, 1).files(), run_file(&lab.scenario(), &set, 2).files());
    assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
    for (name, bytes) in &one {
        assert!(*bytes == two[name], "{name} differs");
    }
    let other = run_file(&lab.scenario(), &[&set[..], &["seed=7"]].concat(), 1).files();
    assert!(one["summary.json"] != other["summary.json"], "the seed does nothing");
}

/// Runs the program: exit code, and what it says as one line.
fn sim(lab_folder: &std::path::Path, arguments: &[&str]) -> (i32, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_sim"))
        .current_dir(lab_folder)
        .env("NO_COLOR", "1")
        .args(arguments)
        .output()
        .expect("sim runs");
    let text = String::from_utf8([out.stderr, out.stdout].concat()).expect("messages are text");
    let words: Vec<&str> = text.split_whitespace().filter(|w| *w != "|").collect();
    (out.status.code().expect("sim ends by itself"), words.join(" "))
}

#[test]
fn what_is_wrong_is_said_with_file_line_key_and_remedy() {
    let row = [calls(0.0, "f", 1.0, "here", 1)];
    let text = |more: &str| lab(&[("here", 1)], more, &row);
    let direct = |more: &str| {
        let text = world(&[("here", 1)], more).replace(&format!("[{QUEUES}]\nperiod_s = 1.0\n"), "");
        Lab::new(&format!("{text}[workload.calls]\npath = \"calls.csv\"\n"))
            .file("calls.csv", "arrival_time_s,function_id,duration_s,memory_mb\n0,f,1,10\n")
    };
    let table = format!("[{QUEUES}");
    for (lab, words) in [
        (
            direct("[services.db]\ncapacity_per_s = 1.0\n"),
            &["services", "no durable queue", "help: add scheduler.dispatch.durable-queues"][..],
        ),
        (text(&format!("{table}.carbon]\n")), &["durable-queues", "there is none", "utilization = { paced = {} }"]),
        (text(&format!("{table}.quota]\nburst = 3\n")), &["burst", "burst_s"]),
        (
            text(&format!("{table}.delivery]\nretry_delay_s = 9.0\nlongest_delay_s = 1.0\n")),
            &["longest_delay_s", "below retry_delay_s", "raise longest_delay_s"],
        ),
        (text(&format!("{table}.utilization.pace]\n")), &["pace", "paced"]),
        (text(&format!("{table}.conductor]\nmargin = -1.0\n")), &["margin", "0"]),
        (
            text("[services.db]\ncapacity_per_s = 1.0\nfunctions = [\"f\"]\nfunction_share = 0.1\n"),
            &["function_share", "both say", "keep one"],
        ),
    ] {
        let (code, message) = sim(lab.folder(), &["check", "scenario.toml"]);
        assert_ne!(code, 0, "{message}");
        for word in words.iter().chain(&["scenario.toml:"]) {
            assert!(message.contains(word), "the message does not say \"{word}\": {message}");
        }
        assert!(!message.contains("panicked"), "{message}");
    }
}

#[test]
fn the_scenarios_of_xfaas_are_valid() {
    for name in ["xfaas", "xfaas-negative-control", "xfaas-incident", "xfaas-carbon", "xfaas-ablation"] {
        let (code, message) = sim(&repository("scenarios"), &["check", &format!("{name}.toml")]);
        assert_eq!(code, 0, "{name}: {message}");
    }
}
