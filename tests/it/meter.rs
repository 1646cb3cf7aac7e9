//! The sampled meter beside the truth: hand-computed aliases, laws of its errors, and what ways of attribution make of it.

use slackwater::ledger::{Cause, Column};

use crate::lab::{Lab, Run, close, repository, run_file};
use crate::scene::{are, figures, is, scene};

/// One call of 5 s every 10 s: 120 W over [1, 6), [11, 16), …, 100 W else; 100 s, 11,000 J.
fn square_wave() -> Lab {
    let calls: Vec<String> = (0..10).map(|i| format!("{},a,5,100", if i == 0 { 0 } else { 10 * i + 1 })).collect();
    scene(&calls.iter().map(String::as_str).collect::<Vec<_>>())
}

const HUNDRED_SECONDS: [&str; 3] = ["time.duration_s=100", "time.end=\"fixed\"", "time.drain_limit_s=0"];

fn metered(lab: &Lab, meter: &str) -> Run {
    let meter = format!("meter={{ {meter} }}");
    lab.run(&[&HUNDRED_SECONDS[..], &[&meter]].concat())
}

/// Two regions, a PUE by load, sandboxes that come and go.
fn busy(set: &[&str]) -> Run {
    let first = ["workload.poisson.calls=6000", "workload.poisson.rate_per_s=1.5", "regions[0].pue_idle=1.4"];
    run_file(&repository("scenarios/reference.toml"), &[&first[..], set].concat(), 1)
}

#[test]
fn constant_power_is_metered_without_error_at_any_interval() {
    let lab = square_wave();
    let power = "servers.box.power={ constant = { power_w = 130.3 } }";
    for kind in ["power", "counter"] {
        for scope in ["host", "facility"] {
            for times in ["interval_s = 0.3", "interval_s = 7.0, phase_s = 2.5", "interval_s = 1000.0"] {
                let meter = format!("meter={{ kind = \"{kind}\", scope = \"{scope}\", {times} }}");
                let run = lab.run(&[&HUNDRED_SECONDS[..], &[power, &meter]].concat());
                figures(&run, &[("meter.true_j", 13_030.0), ("meter.energy_j", 13_030.0)]);
                assert!(run.number("meter.interval_error_share") < 1e-9, "{meter}");
            }
        }
    }
}

#[test]
fn a_square_wave_whose_period_is_the_interval_aliases() {
    let lab = square_wave();
    // The reading at 0 is always 100 W and holds for the phase; every later one meets the wave at the same place.
    for (phase, wanted) in [(0.0, 10_000.0), (1.0, 11_980.0), (3.0, 11_940.0), (6.0, 10_000.0)] {
        let run = metered(&lab, &format!("interval_s = 10.0, phase_s = {phase:?}"));
        figures(&run, &[("meter.true_j", 11_000.0), ("meter.energy_j", wanted)]);
        is("share", run.number("meter.error_share"), (wanted - 11_000.0) / 11_000.0);
    }
    // Half the period: 100 W for 3 s, then 120 and 100 W in turn for 5 s each, 2 s of the last: no error in the sum.
    let run = metered(&lab, "interval_s = 5.0, phase_s = 3.0");
    figures(&run, &[("meter.energy_j", 11_000.0), ("meter.samples", 21.0)]);
    let table = run.table("meter.csv");
    are("times", &table.column("time_s")[..4], &[0.0, 3.0, 8.0, 13.0]);
    are("lengths", &[table.column("length_s")[0], table.column("length_s")[20]], &[3.0, 2.0]);
    // 2 of 3 s at 120 W, then 3 of 5, 2 of 5.
    are("truth", &table.column("true_w")[..3], &[100.0 + 40.0 / 3.0, 112.0, 108.0]);
    are("meter", &table.column("metered_w")[..3], &[100.0, 120.0, 100.0]);
    // Means are whole nanowatts: half of one for 100 s.
    assert!(table.sum("error_j").abs() < 5e-8, "{}", table.sum("error_j"));
    // A counter misses nothing, whatever the interval.
    figures(&metered(&lab, "interval_s = 10.0, kind = \"counter\""), &[("meter.energy_j", 11_000.0)]);
}

#[test]
fn a_meter_moves_no_other_figure_and_no_other_file() {
    for (scenario, set) in [
        ("scenarios/reference.toml", "workload.poisson.calls=5000"),
        ("scenarios/checks/keep-alive.toml", "output.invocations=true"),
    ] {
        let without = run_file(&repository(scenario), &[set], 1).files();
        for meter in
            ["interval_s = 0.77, noise_sd = 0.1", "interval_s = 100.0, kind = \"counter\", scope = \"facility\""]
        {
            let meter = format!("meter={{ {meter} }}");
            let mut with = run_file(&repository(scenario), &[set, &meter], 1).files();
            for name in ["meter.csv", "meter_functions.csv"] {
                assert!(with.remove(name).is_some_and(|bytes| bytes.len() > 100), "{name} is not there");
                assert!(!without.contains_key(name), "{name} is there without a meter");
            }
            assert_eq!(with.len(), without.len());
            for (name, bytes) in &without {
                let same = match name.as_str() {
                    "summary.csv" => with[name].starts_with(bytes) && with[name].len() > bytes.len(),
                    // Its own section comes last but one in the order of names.
                    "summary.json" => true,
                    _ => with[name] == *bytes,
                };
                assert!(same, "{scenario}, {meter}: {name} moved");
            }
            let json = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).expect("JSON");
            let mut ours = json(&with["summary.json"]);
            ours.as_object_mut().and_then(|s| s.remove("meter")).expect("a section of its own");
            assert_eq!(ours, json(&without["summary.json"]));
        }
    }
}

#[test]
fn the_truth_beside_the_meter_is_the_ledgers_whatever_the_interval() {
    for interval in ["0.5", "13.7", "300.0", "1e7"] {
        let host = busy(&[&format!("meter={{ interval_s = {interval}, phase_s = 0.123 }}")]);
        let it = host.number("energy_j.total") - host.number("energy_j.pue_overhead");
        close("IT energy", host.number("meter.true_j"), it, 1e-9);
        let site = busy(&[&format!("meter={{ interval_s = {interval}, scope = \"facility\" }}")]);
        close("all energy", site.number("meter.true_j"), site.number("energy_j.total"), 1e-9);
        close("functions", site.number("meter.functions_true_j"), site.number("energy_j.attributed"), 1e-9);
        for run in [host, site] {
            let table = run.table("meter.csv");
            // Up to 300,000 rows: their sums depend on the order in the twelfth digit.
            close("by interval", table.sum("true_j"), run.number("meter.true_j"), 1e-9);
            close("by reading", table.sum("metered_j"), run.number("meter.energy_j"), 1e-9);
            let last =
                table.column("time_s").last().copied().expect("rows") + table.column("length_s").last().expect("rows");
            close("the end", last, run.number("run.simulated_s"), 1e-12);
        }
    }
}

#[test]
fn the_error_shrinks_with_the_interval() {
    let errors = ["300.0", "30.0", "3.0", "0.3"].map(|interval| {
        let run = busy(&[&format!("meter={{ interval_s = {interval} }}")]);
        (run.number("meter.interval_error_share"), run.number("meter.error_share").abs())
    });
    assert!(errors.windows(2).all(|e| e[1].0 < 0.7 * e[0].0), "{errors:?}");
    assert!(errors[3].1 < errors[0].1 && errors[3].1 < 1e-3, "{errors:?}");
}

#[test]
fn truncation_costs_at_most_its_resolution() {
    let lab = square_wave();
    let power = "servers.box.power={ linear = { idle_w = 100.7, max_w = 183.5 } }";
    let with = |meter: &str| {
        let meter = format!("meter={{ interval_s = 2.0, {meter} }}");
        lab.run(&[&HUNDRED_SECONDS[..], &[power, &meter]].concat()).number("meter.energy_j")
    };
    // 100.7 and 121.4 W become 100 and 121: 0.7 and 0.4 W for 2 s each time that they are read.
    let (exact, whole) = (with("phase_s = 0.0"), with("resolution_w = 1.0"));
    let table = metered(&lab, "interval_s = 2.0").table("meter.csv");
    let high = table.column("metered_w").iter().filter(|w| **w > 110.0).count() as f64;
    is("whole watts", exact - whole, 2.0 * (0.7 * (50.0 - high) + 0.4 * high));
    for resolution in [0.3, 1.0, 7.0] {
        let lost = exact - with(&format!("resolution_w = {resolution:?}"));
        assert!((0.0..=resolution * 100.0).contains(&lost), "{resolution} W: {lost} J");
        let truth = 100.7 * 100.0 + 20.7 * 50.0;
        // A counter loses less than one step in all, however often it is read.
        let lost = truth - with(&format!("kind = \"counter\", resolution_j = {resolution:?}"));
        assert!((-1e-6..resolution).contains(&lost), "{resolution} J: {lost} J");
    }
}

#[test]
fn noise_has_no_bias_and_the_spread_that_was_asked_for() {
    let power = "servers.box.power={ constant = { power_w = 130.0 } }";
    let end = ["time.duration_s=10000", HUNDRED_SECONDS[1], HUNDRED_SECONDS[2]];
    for kind in ["power", "counter"] {
        let meter = format!("meter={{ kind = \"{kind}\", noise_sd = 0.04, noise_w = 3.0 }}");
        let run = square_wave().run(&[&end[..], &[power, &meter]].concat());
        let errors: Vec<f64> = run.table("meter.csv").column("metered_w").iter().map(|w| w - 130.0).collect();
        let n = errors.len() as f64;
        assert_eq!(n, 10_000.0);
        let wanted = (5.2f64.powi(2) + 9.0).sqrt();
        let mean = errors.iter().sum::<f64>() / n;
        let sd = (errors.iter().map(|e| e * e).sum::<f64>() / n).sqrt();
        assert!(mean.abs() < 4.0 * wanted / n.sqrt() && mean != 0.0, "{kind}: mean {mean} W");
        assert!((sd / wanted - 1.0).abs() < 4.0 / (2.0 * n).sqrt(), "{kind}: sd {sd} W");
    }
}

#[test]
fn a_register_that_wraps_is_followed_if_it_is_read_often_enough() {
    let lab = square_wave();
    let wrap = |interval: f64| {
        metered(&lab, &format!("kind = \"counter\", resolution_j = 1.0, wrap_j = 500.0, interval_s = {interval:?}"))
    };
    // At most 480 J in 4 s, of a register of 500 J: 11,000 J are 22 turns.
    let often = wrap(4.0);
    figures(&often, &[("meter.wraps", 22.0), ("meter.wraps_unseen", 0.0), ("meter.energy_j", 11_000.0)]);
    // 1100 J in 10 s: two or three turns, of which one is seen at most.
    let seldom = wrap(10.0);
    let (seen, unseen) = (seldom.number("meter.wraps"), seldom.number("meter.wraps_unseen"));
    assert!(unseen >= 10.0 && seen + unseen == 22.0, "{seen} seen, {unseen} unseen");
    is("what is missing", 11_000.0 - seldom.number("meter.energy_j"), 500.0 * unseen);
}

#[test]
fn two_threads_read_what_one_reads() {
    let meter = "meter={ interval_s = 0.9, noise_sd = 0.02, noise_w = 1.0, resolution_w = 1.0 }";
    let set = ["workload.poisson.calls=5000", meter];
    let first = run_file(&repository("scenarios/reference.toml"), &set, 1).files();
    assert!(first["meter.csv"].len() > 10_000);
    for threads in [1, 2] {
        assert!(
            run_file(&repository("scenarios/reference.toml"), &set, threads).files() == first,
            "{threads} thread(s)"
        );
    }
}

/// a: 100 MB, 10 s on a core; b: 300 MB, 5 s. Both start for 1 s and stay to the end at 21 s: 2100 J of baseline, 300 J above.
fn two_functions(set: &[&str]) -> Run {
    let end = ["time.duration_s=21", HUNDRED_SECONDS[1], HUNDRED_SECONDS[2]];
    scene(&["0,a,10,100", "0,b,5,300"]).run(&[&end[..], set].concat())
}

#[test]
fn ways_of_attribution_agree_with_a_hand_computed_case() {
    for (scope, pue) in [("host", 1.0), ("facility", 1.5)] {
        let meter = format!("meter={{ kind = \"counter\", scope = \"{scope}\" }}");
        let run = two_functions(&[&meter, "regions[0].pue=1.5"]);
        let table = run.table("meter_functions.csv");
        let column = |name: &str, wanted: [f64; 3]| are(name, &table.column(name), &wanted.map(|j| j * pue));
        // a: 200 J above the baseline and 0.1 x 2100 J of it; b: 100 J and 0.3 x 2100 J. Nobody's: 0.6 x 2100 J.
        column("true_j", [410.0, 730.0, 1260.0]);
        column("cpu_time_j", [1600.0, 800.0, 0.0]);
        column("cpu_time_above_idle_j", [200.0 + 525.0, 100.0 + 1575.0, 0.0]);
        column("calls_j", [1200.0, 1200.0, 0.0]);
        column("memory_time_j", [600.0, 1800.0, 0.0]);
        are("CPU time", &table.column("cpu_time_core_s")[..2], &[10.0, 5.0]);
        are("memory", &table.column("memory_time_mb_s")[..2], &[2100.0, 6300.0]);
        figures(
            &run,
            &[
                ("meter.cpu_time_error_mean", 1260.0 / 1140.0),
                ("meter.cpu_time_error_max", 1190.0 / 410.0),
                ("meter.cpu_time_wrong_share", 2.0 / 3.0 - 410.0 / 1140.0),
                ("meter.cpu_time_above_idle_error_mean", (315.0 + 945.0) / 1140.0),
                ("meter.cpu_time_above_idle_wrong_share", 410.0 / 1140.0 - 725.0 / 2400.0),
                ("meter.calls_wrong_share", 0.5 - 410.0 / 1140.0),
                ("meter.memory_time_error_max", 1070.0 / 730.0),
                ("meter.memory_time_wrong_share", 410.0 / 1140.0 - 0.25),
            ],
        );
    }
}

#[test]
fn every_way_spreads_all_that_was_metered_or_says_what_is_left() {
    let meter = "meter={ interval_s = 20.0, noise_sd = 0.05, scope = \"facility\" }";
    let run = busy(&[meter]);
    let table = run.table("meter_functions.csv");
    let rest = |name: &str| table.column(name).last().copied().expect("a last row");
    for way in ["cpu_time_j", "cpu_time_above_idle_j", "calls_j", "memory_time_j"] {
        close(way, table.sum(way), run.number("meter.energy_j"), 1e-9);
        assert_eq!(rest(way), 0.0, "{way}");
    }
    close("truth", table.sum("true_j"), run.number("meter.true_j"), 1e-9);
    close("nobody's", rest("true_j"), run.number("energy_j.unattributed"), 1e-9);
    // Without CPU time nobody can be charged by it: all of it is left, or what is above idle.
    let run = two_functions(&["meter={ kind = \"counter\" }", "time.duration_s=5"]);
    let table = run.table("meter_functions.csv");
    let last = |name: &str| table.column(name).last().copied().expect("a last row");
    is("nothing has finished", last("cpu_time_j"), run.number("meter.energy_j"));
    is("nothing has finished", last("calls_j"), run.number("meter.energy_j"));
    is("above idle", last("cpu_time_above_idle_j"), 2.0 * 20.0 * 4.0);
    assert!(run.report.number("meter.calls_wrong_share").is_none(), "no share of nothing");
}

#[test]
fn hosts_that_are_not_on_are_outside_a_meter_of_hosts() {
    for scope in ["host", "facility"] {
        for kind in ["power", "counter"] {
            let meter = format!("[meter]\nkind = \"{kind}\"\nscope = \"{scope}\"\ninterval_s = 0.01\n");
            let outcome = crate::provisioning::switched(&meter);
            let metered = outcome.metered.as_ref().expect("a meter");
            let total = outcome.site.total(slackwater::types::RegionId(0));
            let off: f64 = [Cause::Boot, Cause::Off].iter().map(|c| c.joules(&total)).sum();
            let all: f64 = Cause::ALL.iter().map(|c| c.joules(&total)).sum();
            assert!(off > 1000.0 && total[Column::HostsOn as usize] > 0.0);
            let wanted = if scope == "host" { all - off } else { all };
            let rows = || metered.rows(slackwater::types::RegionId(0));
            close("truth", rows().map(|m| m.true_j()).sum(), wanted, 1e-9);
            let tolerance = if kind == "counter" { 1e-9 } else { 1e-3 };
            close("meter", rows().map(|m| m.metered_j()).sum(), wanted, tolerance);
        }
    }
}

#[test]
fn wrong_meters_are_refused_with_the_key_and_the_remedy() {
    let lab = square_wave();
    let refused = |meter: &str, words: &[&str]| {
        let message = lab.fails(&[&format!("meter={{ {meter} }}")]);
        let plain = message.split_whitespace().filter(|w| *w != "|").collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(plain.contains(word), "{meter}: no \"{word}\" in\n{message}");
        }
    };
    refused("interval_s = 0.0", &["meter.interval_s", "0.0001"]);
    refused("interval_s = nan", &["interval_s"]);
    refused("noise_sd = -0.1", &["noise_sd", "0"]);
    refused("interval = 1.0", &["interval", "interval_s"]);
    refused("kind = \"energy\"", &["kind", "counter"]);
    refused("phase_s = 5.0", &["phase_s", "below interval_s", "inside the first interval"]);
    refused("resolution_j = 1.0", &["resolution_j", "kind = \"counter\""]);
    refused("kind = \"counter\", resolution_j = 3.0, wrap_j = 500.0", &["wrap_j", "whole multiple"]);
    refused("interval_s = 0.0001", &["interval_s = 0.0001", "readings in all regions", "time.drain_limit_s"]);
    let message = lab.fails(&["meter={ interval_s = 1.0 }", "servers.box.power={ constant = { power_w = 1e10 } }"]);
    assert!(message.contains("a meter can follow"), "{message}");
}

#[test]
fn the_reference_shows_every_key_and_it_runs() {
    let text = std::fs::read_to_string(repository("scenarios/reference.toml")).expect("the reference scenario");
    let lines: Vec<&str> = text
        .lines()
        .skip_while(|l| *l != "# [meter]")
        .take_while(|l| !l.is_empty())
        .map(|l| l.trim_start_matches("# "))
        .collect();
    let schema = slackwater::scenario::schema();
    let keys = schema["$defs"]["MeterSpec"]["properties"].as_object().expect("the keys of a meter");
    assert!(keys.len() >= 9);
    for key in keys.keys() {
        assert!(
            lines.iter().any(|l| l.starts_with(&format!("{key} = "))),
            "scenarios/reference.toml lacks meter.{key}"
        );
    }
    toml::from_str::<toml::Table>(&lines.join("\n")).expect("the lines are TOML");
}
