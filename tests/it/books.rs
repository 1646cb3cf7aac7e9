//! Energy and carbon do not depend on how time is cut: by bins, by event order at ties, by splitting a run; and the case that
//! OpenDC computes.

use crate::lab::{Lab, close, shared};

/// Two hosts of OpenDC's smallest case: 4 cores, 100 to 300 W, 1000 kg over 5 years; a start costs nothing.
const TINY: &str = r#"
[time]
start = "2022-01-01T00:00:00Z"
drain_limit_s = 0.0
duration_s = 10800.0
end = "fixed"
[model]
cpu = "isolated"
[isolation.process]
start_median_s = 0.0
start_sigma = 0.0
start_cpu_core_s = 0.0
memory_overhead_mb = 0.0
cpu_factor = 1.0
[scheduler.packing.first-fit]
[scheduler.keep_alive.none]
[servers.box]
cores = 4.0
memory_mb = 100000.0
power.linear = { idle_w = 100.0, max_w = 300.0 }
embodied_kg = 1000.0
lifetime_years = 5.0
[[regions]]
name = "here"
pue = 1.0
hosts = [{ server = "box", count = 2 }]
[regions.grid.csv]
path = "intensity.csv"
zone = "tiny"
kind = "average"
factor_basis = "made up"
source = "OpenDC"
licence = "MIT"
dataset_version = "tiny"
[workload.calls]
path = "calls.csv"
"#;

fn tiny() -> Lab {
    // What the tasks demand over time: OpenDC's fragments as calls of one hour.
    Lab::new(TINY)
        .file(
            "calls.csv",
            "arrival_time_s,function_id,duration_s,memory_mb,cpu_cores\n0,task0a,3600,1000,2\n3600,task0b,3600,1000,1\n\
             3600,task1,3600,1000,4\n7200,task2,3600,1000,2\n",
        )
        .file(
            "intensity.csv",
            "time_utc,g_per_kwh\n2022-01-01T00:00:00Z,100\n2022-01-01T01:00:00Z,200\n2022-01-01T02:00:00Z,50\n\
             2022-01-01T03:00:00Z,100\n",
        )
}

#[test]
fn the_smallest_case_of_opendc_has_its_joules_and_grams() {
    let run = tiny().run(&[]);
    assert_eq!(run.number("calls.missed_deadline") + run.number("calls.unfinished"), 0.0);
    close("energy", run.number("energy_j.total"), 3_780_000.0, 1e-9);
    close("operational", run.number("carbon_g.operational"), 135.0, 1e-9);
    close("embodied", run.number("carbon_g.embodied"), 2e6 * 3.0 / 43_800.0, 1e-9);
    let Some(file) = shared("oracles/opendc/tiny.json") else { return };
    let oracle: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(file).expect("readable")).expect("JSON");
    let text = oracle["expected"].to_string();
    for figure in ["3780000", "135", "136.98"] {
        assert!(text.contains(figure), "the oracle says {figure}: {text}");
    }
}

#[test]
fn energy_does_not_depend_on_bins_or_steps() {
    let wanted = tiny().run(&[]);
    for (ledger, step) in [("900", "900"), ("60", "1800"), ("7.2", "3600"), ("3600", "3600")] {
        let run = tiny().run(&[&format!("output.ledger_step_s={ledger}"), &format!("output.step_s={step}")]);
        for key in ["energy_j.total", "energy_j.dynamic", "carbon_g.operational", "carbon_g.embodied"] {
            close(key, run.number(key), wanted.number(key), 1e-12);
        }
    }
}

#[test]
fn energy_does_not_depend_on_the_order_of_calls_at_one_instant() {
    let header = "arrival_time_s,function_id,duration_s,memory_mb,cpu_cores\n";
    let rows = ["0,a,600,1000,1\n", "0,b,1200,3000,2\n", "0,c,300,500,0.5\n", "0,d,900,100,0.25\n"];
    let run = |order: [usize; 4]| {
        let calls: String = order.iter().map(|&i| rows[i]).collect();
        tiny().file("calls.csv", &format!("{header}{calls}")).run(&[])
    };
    let wanted = run([0, 1, 2, 3]);
    for order in [[3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1]] {
        let ours = run(order);
        for key in ["energy_j.total", "energy_j.execution", "energy_j.idle_host", "carbon_g.operational"] {
            close(key, ours.number(key), wanted.number(key), 1e-12);
        }
    }
}

#[test]
fn a_run_in_two_parts_has_the_books_of_the_whole() {
    let header = "arrival_time_s,function_id,duration_s,memory_mb,cpu_cores\n";
    let (first, second) = (["0,a,600,1000,2\n", "1800,b,900,2000,1\n"], ["0,a,1200,1000,2\n", "10,b,900,2000,1\n"]);
    let shift = |row: &str| {
        let (time, rest) = row.split_once(',').expect("a time");
        format!("{},{rest}", time.parse::<f64>().expect("a number") + 3600.0)
    };
    let run = |calls: &str, start: &str, length: &str| {
        let lab = tiny().file("calls.csv", &format!("{header}{calls}"));
        lab.run(&[&format!("time.start=2022-01-01T{start}:00:00Z"), &format!("time.duration_s={length}")])
    };
    let later: String = second.iter().map(|row| shift(row)).collect();
    let whole = run(&format!("{}{later}", first.concat()), "00", "7200.0");
    let parts = [run(&first.concat(), "00", "3600.0"), run(&second.concat(), "01", "3600.0")];
    for key in ["energy_j.total", "energy_j.execution", "carbon_g.operational", "carbon_g.embodied", "calls.executed"] {
        close(key, parts.iter().map(|p| p.number(key)).sum(), whole.number(key), 1e-12);
    }
}
