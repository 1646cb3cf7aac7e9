//! Whole servers: parts and losses that add up, the catalogue, and a published case of two servers over three hours.

use slackwater::cluster::server_types;

use crate::lab::{Lab, close};
use crate::scene::{figures, is, scene};

/// Until 111 s, whatever happens.
const END: [&str; 3] = ["time.duration_s=111", "time.end=\"fixed\"", "time.drain_limit_s=0"];

/// One call of 1 core on 4 for 10 s in a tenth of the memory, after a start of 1 s without CPU: the scene of `power.rs`.
fn run(set: &[&str]) -> crate::lab::Run {
    let all: Vec<&str> = END.iter().chain(set).copied().collect();
    scene(&["0,a,10,100"]).run(&all)
}

#[test]
fn parts_and_losses_add_up() {
    let run = run(&[
        "servers.box.parts={ memory = { idle_w_per_gb = 2.0, active_w_per_gb = 6.0 }, disk = { count = 2, idle_w = 5.0, \
         active_w = 8.0 }, nic = { idle_w = 3.0, active_w = 3.0 }, accelerators = { idle_w = 20.0, active_w = 60.0 } }",
        "servers.box.supply={ vr_efficiency = 0.9, psu = { constant = { efficiency = 0.94 } } }",
    ]);
    // CPU 100 to 180 W and memory 2 to 6 W behind the regulators; disks 10 to 16, card 3, accelerator 20 to 60 W beside them.
    let idle = (102.0 / 0.9 + 33.0) / 0.94;
    let quarter = (123.0 / 0.9 + 44.5) / 0.94;
    figures(
        &run,
        &[
            ("energy_j.total", idle * 111.0 + (quarter - idle) * 10.0),
            ("energy_j.dynamic", (quarter - idle) * 10.0),
            ("energy_j.execution", (quarter - idle) * 10.0 + idle),
            ("energy_j.warm_idle", 10.0 * idle),
            ("energy_j.idle_host", 0.9 * idle * 111.0),
        ],
    );
}

#[test]
fn memory_that_is_active_by_use_is_paid_by_those_who_hold_it() {
    let set = [
        "servers.box.parts.memory={ idle_w_per_gb = 2.0, active_w_per_gb = 12.0, active_by = \"use\" }",
        "servers.box.supply.psu.constant.efficiency=0.8",
    ];
    // P(0) = 102 / 0.8 = 127.5 W; all memory in use would add 10 / 0.8 = 12.5 W. One core of four: 20 / 0.8 = 25 W.
    let wanted = [
        ("energy_j.execution", 250.0 + 0.1 * 140.0 * 10.0),
        ("energy_j.cold_start", 0.1 * 140.0),
        ("energy_j.warm_idle", 0.1 * 140.0 * 100.0),
        ("energy_j.idle_host", 0.9 * 127.5 * 111.0),
        ("energy_j.total", 250.0 + (127.5 + 1.25) * 111.0),
    ];
    let plain = run(&set);
    figures(&plain, &wanted);
    let held = plain.number("energy_j.attributed");
    is("attributed", held, 250.0 + 0.1 * 140.0 * 111.0);
    is("by host", plain.table("hosts.csv").sum("energy_j"), plain.number("energy_j.total"));

    // What the mechanism holds once per host is in use, too, and nobody's: 300 MB of 1000.
    let system = run(&[set[0], set[1], "isolation.container.memory_per_host_mb=300"]);
    figures(&system, &wanted[..3]);
    is("idle host", system.number("energy_j.idle_host"), (0.9 * 127.5 + 0.3 * 12.5) * 111.0);
}

#[test]
fn a_power_supply_is_better_at_some_loads_than_at_others() {
    let run = run(&[
        "servers.box.supply.psu.curve={ rated_w = 400.0, load = [0.1, 0.2, 0.5, 1.0], efficiency = [0.90, 0.94, 0.96, 0.91] }",
    ]);
    // 100 W out is a quarter of the rating: 0.94 + 0.02 / 6; 120 W out is 0.3 of it: 0.94 + 0.02 / 3.
    let (idle, quarter) = (100.0 / (0.94 + 0.02 / 6.0), 120.0 / (0.94 + 0.02 / 3.0));
    is("total", run.number("energy_j.total"), idle * 111.0 + (quarter - idle) * 10.0);
    is("dynamic", run.number("energy_j.dynamic"), (quarter - idle) * 10.0);
}

#[test]
fn pue_may_be_worse_at_low_load() {
    // 100 W idle at PUE 1.5 and 180 W at 1.3: overhead 50 to 54 W, so 0.05 of every watt and 45 W at any load.
    let run = run(&["regions[0].pue=1.3", "regions[0].pue_idle=1.5"]);
    let it = 100.0 * 111.0 + 20.0 * 10.0;
    is("overhead", run.number("energy_j.pue_overhead"), 0.05 * it + 45.0 * 111.0);
    is("total", run.number("energy_j.total"), 1.05 * it + 45.0 * 111.0);
    // The call pays 0.05 of all it draws, and by its memory a tenth of what is fixed, for all 111 s.
    is("attributed", run.number("energy_j.attributed"), 1.05 * (200.0 + 1110.0) + 4.5 * 111.0);
    is("by host", run.table("hosts.csv").sum("energy_j"), run.number("energy_j.total"));
    let grams: f64 = run.table("functions.csv").sum("operational_g");
    is("grams by function", grams, run.number("energy_j.total") * 1e-4);
}

#[test]
fn parts_that_add_nothing_change_nothing() {
    let plain = run(&[]).files();
    let parts =
        run(&["servers.box.parts.nic={ idle_w = 0.0, active_w = 0.0 }", "servers.box.supply.vr_efficiency=1.0"]);
    assert_eq!(parts.files(), plain);
}

#[test]
fn what_cannot_add_up_is_refused_at_its_key() {
    let refused = |set: &[&str], words: &[&str]| {
        let message = scene(&["0,a,1,100"]).fails(set);
        for word in words {
            assert!(message.contains(word), "{set:?} does not say \"{word}\": {message}");
        }
    };
    refused(&["servers.box.parts.nic={ idle_w = 3.0, active_w = 2.0 }"], &["active_w = 2 is below idle_w = 3"]);
    refused(&["servers.box.parts.memory={ idle_w_per_gb = 3.0, active_w_per_gb = 2.0 }"], &["active_w_per_gb = 2"]);
    refused(&["servers.box.supply.vr_efficiency=1.1"], &["vr_efficiency", "0.01 to 1"]);
    let curve = |rated: f64| {
        format!("servers.box.supply.psu.curve={{ rated_w = {rated:?}, load = [0.1, 1.0], efficiency = [0.9, 0.9] }}")
    };
    refused(&[&curve(170.0)], &["180.0 W, more than rated_w = 170"]);
    let by_use = "servers.box.parts.memory={ idle_w_per_gb = 1.0, active_w_per_gb = 2.0, active_by = \"use\" }";
    refused(&[&curve(500.0), by_use], &["needs a constant efficiency"]);
    refused(&["regions[0].pue=1.3", "regions[0].pue_idle=1.2"], &["pue_idle = 1.2 is below pue = 1.3"]);
    refused(&["regions[0].pue_idle=1.5"], &["would fall with load, from 50.0 W"]);
    refused(&["servers.box.type=epyc-7742"], &["no server type \"epyc-7742\"", "did you mean \"epyc-7742-"]);
}

const LISTED: &str = r#"
[servers.mine]
type = "epyc-7742-2s"
[[regions]]
name = "here"
pue = 1.0
grid.constant.g_per_kwh = 360.0
hosts = [{ server = "mine", count = 2 }]
[workload.calls]
path = "calls.csv"
"#;

fn listed() -> Lab {
    let calls = "arrival_time_s,function_id,duration_s,memory_mb\n99,a,1,100\n";
    Lab::new(LISTED).file("calls.csv", calls)
}

#[test]
fn a_type_of_the_catalogue_gives_its_figures_and_each_may_be_overridden() {
    let end = ["time.duration_s=90", "time.end=\"fixed\"", "time.drain_limit_s=0"];
    let with = |set: &[&str]| listed().run(&[&end[..], set].concat());
    let plain = with(&[]);
    // Two idle hosts of 92.9 W for 90 s; 1433.125 kg over 4 years each.
    is("energy", plain.number("energy_j.total"), 2.0 * 92.9 * 90.0);
    let kg = server_types().find("epyc-7742-2s").expect("it is listed").embodied_kg;
    close("embodied", plain.number("carbon_g.embodied"), 2.0 * kg * 1000.0 * 90.0 / (4.0 * 31_536_000.0), 1e-12);
    let other = with(&[
        "servers.mine.embodied_kg=500.0",
        "servers.mine.lifetime_years=5",
        "servers.mine.power.constant.power_w=10",
    ]);
    is("energy", other.number("energy_j.total"), 2.0 * 10.0 * 90.0);
    close("embodied", other.number("carbon_g.embodied"), 1_000_000.0 * 90.0 / (5.0 * 31_536_000.0), 1e-12);
    // Disks and accelerators are no part of a benchmark's server, and come on top.
    let more = with(&["servers.mine.parts.accelerators={ count = 4, idle_w = 25.0, active_w = 300.0 }"]);
    is("energy", more.number("energy_j.total"), 2.0 * 192.9 * 90.0);
}

#[test]
fn memory_and_losses_that_a_reading_holds_already_are_refused() {
    for set in [
        "servers.mine.parts.memory={ idle_w_per_gb = 0.3, active_w_per_gb = 0.4 }",
        "servers.mine.supply.vr_efficiency=0.9",
    ] {
        let message = listed().fails(&[set]);
        assert!(message.contains("would count twice"), "{message}");
        listed().run(&[set, "servers.mine.power={ teads = { tdp_w = 225.0, packages = 2 } }"]);
    }
}

#[test]
fn without_a_type_every_missing_figure_is_named() {
    let text = LISTED.replace("type = \"epyc-7742-2s\"", "boot_s = 60");
    let calls = "arrival_time_s,function_id,duration_s,memory_mb\n1,a,1,100\n";
    let message = Lab::new(&text).file("calls.csv", calls).fails(&[]);
    for key in ["cores", "memory_mb", "embodied_kg", "lifetime_years", "sim list servers"] {
        assert!(message.contains(key), "{key}: {message}");
    }
}

/// The tiny case of OpenDC, hand-checked there: two hosts, three tasks, three hours. A task's fragments are calls of their own
/// here, and the third task, which waits there, is submitted when it starts.
#[test]
fn a_published_case_of_two_servers_has_its_joules_and_grams() {
    let hour = |h: u32, g: u32| format!("2022-01-01T0{h}:00:00Z,{g}\n");
    let grid = format!("time_utc,g_per_kwh\n{}{}{}", hour(0, 100), hour(1, 200), hour(2, 50));
    let calls = "arrival_time_s,function_id,duration_s,memory_mb,cpu_cores\n\
                 0,task0,3600,1000,2\n3600,task0b,3600,1000,1\n3600,task1,3600,1000,4\n7200,task2,3600,1000,2\n";
    let lab = Lab::new(
        r#"
[time]
start = "2022-01-01T00:00:00Z"
duration_s = 10800
end = "fixed"
drain_limit_s = 0
[model]
cpu = "isolated"
[isolation.container]
start_median_s = 0.0
start_sigma = 0.0
start_cpu_core_s = 0.0
memory_overhead_mb = 0.0
memory_per_host_mb = 0.0
cpu_factor = 1.0
[scheduler.packing.first-fit]
[servers.box]
cores = 4
memory_mb = 100_000
power.linear = { idle_w = 100.0, max_w = 300.0 }
embodied_kg = 1000.0
lifetime_years = 5.0
[[regions]]
name = "here"
pue = 1.0
hosts = [{ server = "box", count = 2 }]
[regions.grid.csv]
path = "grid.csv"
zone = "NL"
kind = "average"
factor_basis = "not stated"
source = "made up by OpenDC's case"
licence = "none"
dataset_version = "2025"
past_end = "repeat"
[workload.calls]
path = "calls.csv"
"#,
    );
    let run = lab.file("grid.csv", &grid).file("calls.csv", calls).run(&[]);
    close("joules", run.number("energy_j.total"), 3_780_000.0, 1e-9);
    close("grams", run.number("carbon_g.operational"), 135.0, 1e-9);
    close("embodied", run.number("carbon_g.embodied"), 136.986_301_369_863, 1e-9);
    let hosts = run.table("hosts.csv").column("energy_j");
    close("host A", hosts[0], 1_980_000.0, 1e-9);
    close("host B", hosts[1], 1_800_000.0, 1e-9);
}
