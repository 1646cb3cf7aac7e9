//! Ledgers beside carbon, in a world of round figures: heat, water, money, and PUE that follows the outdoor air.
//!
//! One host of 100 W at no load and 20 W more for a busy core, two hours, one call of 600 s that begins at 1 s: IT energy of
//! 7200 x 100 + 600 x 20 = 732,000 J, of which 372,000 J in the first hour. Bins of 300 s.

use slackwater::report::read_ledger;
use slackwater::run::figures;
use slackwater::scenario;

use crate::conservation::all_books_balance;
use crate::lab::{Lab, Run, close, repository, run_file};
use crate::scene::{figures as are, is};

const IT_J: f64 = 732_000.0;

/// The world with keys at its top and keys of its region.
fn world(top: &str, region: &str) -> Lab {
    let text = format!(
        r#"
{top}
[time]
duration_s = 7200.0
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
power.linear = {{ idle_w = 100.0, max_w = 180.0 }}
embodied_kg = 1.0
lifetime_years = 1.0
[[regions]]
name = "here"
grid.constant.g_per_kwh = 360.0
hosts = [{{ server = "box", count = 1 }}]
{region}
[workload.calls]
path = "calls.csv"
"#
    );
    Lab::new(&text).file("calls.csv", "arrival_time_s,function_id,duration_s,memory_mb\n0,f,600,100\n")
}

/// Two values of an hour each, then the last one.
fn hours(column: &str, first: &str, second: &str) -> String {
    format!("time_utc,{column}\n2022-06-06T00:00:00Z,{first}\n2022-06-06T01:00:00Z,{second}\n")
}

const WEATHER: &str = "pue_outdoor.temperature.csv = { path = \"t.csv\", source = \"made up\", past_end = \"hold\" }\n";
const PRICES: &str = "electricity_price.csv = { path = \"p.csv\", source = \"made up\", past_end = \"hold\" }\n";
const EURO: &str = "cost.currency = \"EUR\"";

fn outdoor(curve: &str) -> String {
    format!("{WEATHER}pue_outdoor.curve = {curve}\n")
}

#[test]
fn overhead_is_the_it_energy_of_every_bin_times_what_pue_adds_at_its_temperature() {
    // 10 °C and 30 °C: PUE 1.1 and 1.5.
    let lab = world("", &outdoor("[[10.0, 1.1], [30.0, 1.5]]")).file("t.csv", &hours("temperature_c", "10", "30"));
    let run = lab.run(&[]);
    let overhead = 0.1 * 372_000.0 + 0.5 * 360_000.0;
    are(
        &run,
        &[
            ("run.simulated_s", 7200.0),
            ("energy_j.pue_overhead", overhead),
            ("energy_j.total", IT_J + overhead),
            ("carbon_g.operational", (IT_J + overhead) * 1e-4),
            ("outdoor.pue", (IT_J + overhead) / IT_J),
            ("outdoor.temperature_mean_c", 20.0),
            ("outdoor.clamped_share", 0.0),
        ],
    );
    all_books_balance("air of two temperatures", &run);
    let steps = run.table("timeseries.csv").column("power_pue_overhead_w");
    is("the first quarter of an hour", steps[0], 0.1 * (90_000.0 + 12_000.0) / 900.0);
    is("the last one", steps[7], 50.0);
    is("regions.csv", run.table("regions.csv").sum("pue_overhead_j"), overhead);
    is("functions.csv", run.table("functions.csv").sum("pue_overhead_j"), overhead);
    // The books that were kept score to the same, and know the same overhead.
    let record = read_ledger(&run.folder()).expect("the ledger was written");
    is("the record", record.score(&record.scored_on).operational_g, (IT_J + overhead) * 1e-4);
}

#[test]
fn overhead_meets_the_intensity_of_its_own_bin_and_functions_pay_pro_rata() {
    let grid = r#"{ csv = { path = "g.csv", zone = "X", kind = "average", factor_basis = "direct", source = "s", licence = "l", dataset_version = "1", past_end = "hold" } }"#;
    let lab = world("", &outdoor("[[10.0, 1.1], [30.0, 1.5]]"))
        .file("t.csv", &hours("temperature_c", "10", "30"))
        .file("g.csv", &hours("g_per_kwh", "100", "500"));
    let run = lab.run(&[&format!("regions[0].grid={grid}")]);
    let (it_g, overhead_g) = (37.2 + 180.0, 3.72 + 90.0);
    let scale = 1.0 / 3.6;
    is("O", run.number("carbon_g.operational"), (it_g + overhead_g) * scale);
    is("O of overhead", run.number("carbon_g.operational_pue_overhead"), overhead_g * scale);
    all_books_balance("air and grid of two values", &run);
    // The one function pays overhead at the region's mean: by energy for joules, by emissions for grams.
    let f = run.table("functions.csv");
    let own = |column: &str| f.column(column)[0];
    let it = own("execution_j") + own("cold_start_j") + own("warm_idle_j");
    is("its joules", own("pue_overhead_j"), it * 217_200.0 / IT_J);
    let it = own("operational_execution_g") + own("operational_cold_start_g") + own("operational_warm_idle_g");
    is("its grams", own("operational_pue_overhead_g"), it * overhead_g / it_g);
    let h = run.table("hosts.csv");
    is("the host", h.sum("energy_j"), IT_J + 217_200.0);
}

#[test]
fn pue_is_that_of_the_bins_mean_temperature_and_beyond_the_curve_the_nearest_point() {
    let steps = "time_utc,temperature_c\n2022-06-06T00:00:00Z,10\n2022-06-06T00:02:30Z,30\n2022-06-06T00:05:00Z,12\n2022-06-06T00:10:00Z,35\n2022-06-06T00:15:00Z,15\n";
    let lab = world("", &outdoor("[[12.0, 1.0], [20.0, 1.0], [30.0, 1.5]]")).file("t.csv", steps);
    let run = lab.run(&[]);
    // Bin 0 has a mean of 20 °C, so no overhead, though PUE at 30 °C is 1.5. Bin 2, at 35 °C, is outside: 1.5.
    are(
        &run,
        &[
            ("energy_j.pue_overhead", 0.5 * (300.0 * 100.0 + 20.0)),
            ("outdoor.clamped_share", 300.0 / 7200.0),
            ("outdoor.temperature_mean_c", (300.0 * (20.0 + 12.0 + 35.0) + 6300.0 * 15.0) / 7200.0),
        ],
    );
}

#[test]
fn a_flat_curve_is_a_constant_pue() {
    let region = "pue_outdoor = { temperature.constant.temperature_c = 40.0, curve = [[15.0, 1.3]] }\n";
    let (flat, plain) = (world("", region).run(&[]), world("", "pue = 1.3\n").run(&[]));
    assert_eq!(flat.number("outdoor.clamped_share"), 1.0);
    for entry in &plain.report.summary {
        if let Some(wanted) = plain.report.number(&entry.key) {
            let ours = flat.number(&entry.key);
            assert!((ours - wanted).abs() <= 1e-12 * wanted.abs(), "{}: {ours} is not {wanted}", entry.key);
        }
    }
    for table in ["functions.csv", "hosts.csv"] {
        is(table, flat.table(table).sum("energy_j"), plain.table(table).sum("energy_j"));
    }
    // The manifest says which PUE held: 1.1 where nothing is said, none where the air decides.
    let manifest = |run: &Run| std::fs::read_to_string(run.folder().join("manifest.json")).expect("a manifest");
    assert!(manifest(&world("", "").run(&[])).contains("\"pue\": 1.1"));
    assert!(!manifest(&flat).contains("\"pue\":"));
}

const HEAT: &str =
    "pue = 1.2\nheat = { captured_share = 0.5, demand_w = 55.0, gas = { efficiency = 0.9, g_per_kwh = 202.0 } }\n";
/// Of 24 bins, two are cut by the demand of 55 W, the third has one second of the call, the others idle.
const REUSED_J: f64 = 2.0 * 16_500.0 + 0.5 * 30_020.0 + 21.0 * 15_000.0;

#[test]
fn heat_is_the_smaller_of_what_is_captured_and_what_is_wanted() {
    let lab = world("", HEAT);
    let run = lab.run(&[]);
    let facility = 1.2 * IT_J;
    are(
        &run,
        &[
            ("heat.reused_j", REUSED_J),
            ("heat.inside_j", 0.0),
            ("heat.demand_j", 55.0 * 7200.0),
            ("heat.pue", 1.2),
            ("heat.erf", REUSED_J / facility),
            ("heat.ere", (facility - REUSED_J) / IT_J),
            ("heat.avoided_gas_g", REUSED_J / 3.6e6 / 0.9 * 202.0),
        ],
    );
    let inside = lab.run(&["regions[0].heat.leaves_site=false"]);
    are(&inside, &[("heat.reused_j", 0.0), ("heat.inside_j", REUSED_J), ("heat.erf", 0.0), ("heat.ere", 1.2)]);
    are(&inside, &[("heat.avoided_gas_g", 0.0)]);
    let no_june = "regions[0].heat.demand_by_month=[1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]";
    are(&lab.run(&[no_june]), &[("heat.reused_j", 0.0), ("heat.demand_j", 0.0)]);
    let all = lab.run(&["regions[0].heat={ captured_share = 1.0, captured_of = \"facility\" }"]);
    are(&all, &[("heat.reused_j", facility), ("heat.erf", 1.0), ("heat.ere", 0.0)]);
    assert!(all.report.number("heat.demand_j").is_none() && all.report.number("heat.avoided_gas_g").is_none());
}

#[test]
fn heat_water_and_money_change_no_byte_of_anything_else() {
    let ledgers = format!(
        "{HEAT}water = {{ site_l_per_kwh = 0.5, source_l_per_kwh = 2.0 }}\nelectricity_price.constant.price_per_mwh = 80.0\n"
    );
    let (with, without) = (world(EURO, &ledgers).run(&[]).files(), world("", "pue = 1.2\n").run(&[]).files());
    assert!(with.contains_key("beside.csv") && !without.contains_key("beside.csv"));
    for (name, bytes) in &without {
        if name == "summary.csv" {
            let text = String::from_utf8_lossy(&with[name]).into_owned();
            let own = ["heat.", "water.", "cost."];
            let kept: String =
                text.split_inclusive('\n').filter(|l| !own.iter().any(|section| l.starts_with(section))).collect();
            assert_eq!(kept, String::from_utf8_lossy(bytes), "the rest of summary.csv");
            assert!(text.contains("heat.avoided_gas_g") && text.contains("sci.g_per_unit"));
        } else if name != "summary.json" {
            assert!(with[name] == *bytes, "{name} differs");
        }
    }
}

#[test]
fn water_of_the_site_follows_the_it_and_that_of_its_electricity_the_facility() {
    let run = world("", "pue = 1.2\nwater = { site_l_per_kwh = 0.5, source_l_per_kwh = 2.0 }\n").run(&[]);
    let (site, source) = (0.5 * IT_J / 3.6e6, 2.0 * 1.2 * IT_J / 3.6e6);
    are(
        &run,
        &[
            ("water.site_l", site),
            ("water.source_l", source),
            ("water.total_l", site + source),
            ("water.wue_l_per_kwh", 0.5),
            ("water.wue_source_l_per_kwh", 0.5 + 1.2 * 2.0),
            ("water.l_per_unit", site + source),
        ],
    );
}

#[test]
fn electricity_costs_what_its_bin_costs_and_may_earn() {
    let lab = world(EURO, &format!("pue = 1.2\n{PRICES}")).file("p.csv", &hours("price_per_mwh", "100", "-40"));
    let run = lab.run(&[]);
    // 0.124 kWh at 100 and 0.12 kWh at -40 per MWh.
    are(&run, &[("cost.electricity", 0.0124 - 0.0048), ("cost.total", 0.0076), ("cost.per_unit", 0.0076)]);
    assert!(run.report.number("cost.hosts_spot").is_none(), "nothing is said of hosts");
    let earns = lab.run(&["regions[0].electricity_price={ constant = { price_per_mwh = -10.0 } }"]);
    are(&earns, &[("cost.electricity", -0.00244), ("cost.total", -0.00244)]);
}

#[test]
fn hosts_cost_by_how_they_are_bought() {
    let hosts = r#"regions[0].hosts=[{ server = "box", count = 1, purchase.on-demand.per_hour = 3.0 }, { server = "box", count = 2, purchase.reserved.per_hour = 1.0 }, { server = "box", count = 1, purchase.spot.per_hour = 0.5 }, { server = "box", count = 1, purchase.owned.price = 4380.0 }]"#;
    let lab = world(EURO, "");
    let run = lab.run(&[hosts]);
    are(
        &run,
        &[
            ("cost.hosts_on_demand", 6.0),
            ("cost.hosts_reserved", 4.0),
            ("cost.hosts_spot", 1.0),
            ("cost.hosts_owned", 1.0),
            ("cost.total", 12.0),
        ],
    );
    assert!(run.report.number("cost.electricity").is_none(), "nothing is said of electricity");
}

#[test]
fn regions_add_up_to_the_run_and_threads_change_nothing() {
    let file = repository("scenarios/beside-carbon.toml");
    let set = ["workload.poisson.calls=5000"];
    let run = run_file(&file, &set, 1);
    all_books_balance("a pool and a hall", &run);
    let table = run.table("beside.csv");
    for (column, key) in [
        ("facility_energy_j", "energy_j.total"),
        ("heat_reused_j", "heat.reused_j"),
        ("avoided_gas_g", "heat.avoided_gas_g"),
        ("water_site_l", "water.site_l"),
        ("water_source_l", "water.source_l"),
        ("cost_electricity", "cost.electricity"),
        ("cost_on_demand", "cost.hosts_on_demand"),
        ("cost_reserved", "cost.hosts_reserved"),
        ("cost_spot", "cost.hosts_spot"),
        ("cost_owned", "cost.hosts_owned"),
        ("cost_total", "cost.total"),
    ] {
        assert!(run.number(key) > 0.0, "{key} is nothing");
        close(column, table.sum(column), run.number(key), 1e-12);
    }
    assert_eq!(table.text("region"), ["pool", "hall"]);
    assert!(table.column("erf")[1].is_nan() && table.column("outdoor_mean_c")[1].is_nan(), "the hall has neither");
    assert!(run.files() == run_file(&file, &set, 2).files(), "a second thread changes bytes");
    let loaded = scenario::load(&file, &[]).expect("a right scenario");
    let known: Vec<String> = figures(&loaded).expect("its figures").into_iter().map(|e| e.key).collect();
    let ours: Vec<String> = run.report.summary.iter().map(|e| e.key.clone()).collect();
    assert_eq!(known, ours, "a comparison knows every figure beforehand");
}

#[test]
fn files_that_are_read_stand_in_the_manifest_with_their_hash() {
    let lab = world(EURO, &format!("{}{PRICES}", outdoor("[[10.0, 1.1]]")))
        .file("t.csv", &hours("temperature_c", "10", "30"))
        .file("p.csv", &hours("price_per_mwh", "100", "-40"));
    let run = lab.run(&[]);
    let text = std::fs::read_to_string(run.folder().join("manifest.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let inputs = manifest["inputs"].as_array().expect("a list");
    let named = |name: &str| inputs.iter().any(|i| i["path"].as_str().is_some_and(|p| p.ends_with(name)));
    assert!(named("t.csv") && named("p.csv") && named("calls.csv"), "{inputs:?}");
    assert!(inputs.iter().all(|i| i["sha256"].as_str().is_some_and(|s| s.len() == 64)));
}

#[test]
fn what_does_not_go_together_is_refused_with_the_keys() {
    let weather = hours("temperature_c", "10", "30");
    let flat = "pue_outdoor = { temperature.constant.temperature_c = 10.0, curve = [[10.0, 1.1]] }\n";
    #[track_caller]
    fn refused(lab: &Lab, set: &[&str], words: &[&str]) {
        let message = lab.fails(set).split_whitespace().filter(|w| *w != "|").collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(message.contains(word), "the message does not say \"{word}\":\n{message}");
        }
    }
    for key in ["pue", "pue_idle", "hosts[0].pue", "hosts[0].pue_idle"] {
        let set = format!("regions[0].{key}=1.2");
        let said = format!("regions[0].{key} and regions[0].pue_outdoor both say");
        refused(&world("", flat), &[&set], &[&said, "leave one of them out"]);
    }
    refused(&world("", flat), &["regions[0].pue_outdoor.curve=[[10.0, 0.9]]"], &["PUE 0.9", "pue_outdoor"]);
    refused(&world("", flat), &["regions[0].pue_outdoor.curve=[[10.0, 1.1], [5.0, 1.2]]"], &["temperatures must rise"]);
    refused(&world("", flat), &["regions[0].pue_outdoor.curve=[]"], &["curve", "at least 1"]);
    let outside = &["regions[0].pue_outdoor.temperature.constant.temperature_c=288.15"];
    refused(&world("", flat), outside, &["temperature_c", "60"]);
    let meter = ["meter={ interval_s = 10.0, scope = \"facility\" }"];
    refused(&world("", flat), &meter, &["meter of the facility cannot read overhead", "regions[0].pue_outdoor"]);
    let lab = |text: &str| world("", &outdoor("[[10.0, 1.1]]")).file("t.csv", text);
    refused(&lab(&weather.replace("30", "303.15")), &[], &["t.csv:3", "303.15 °C cannot be a temperature"]);
    refused(&lab(&weather.replace("temperature_c", "temp")), &[], &["expected exactly `time_utc,temperature_c`"]);
    let csv = "regions[0].pue_outdoor.temperature.csv";
    refused(&lab(&weather), &[&format!("{csv}.past_end=error")], &["t.csv: ends 7200 s", "past_end"]);
    refused(&lab(&weather), &[&format!("{csv}.source=\" \"")], &["source is blank"]);
    refused(&lab(&weather), &[&format!("{csv}.path=none.csv")], &["cannot read", "none.csv"]);

    let months = "regions[0].heat={ captured_share = 0.5, demand_by_month = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0] }";
    refused(&world("", ""), &[months], &["demand_by_month is a share of demand_w"]);
    refused(&world("", ""), &["regions[0].heat={ captured_share = 1.5 }"], &["captured_share", "1.5"]);
    refused(&world("", ""), &["regions[0].water={ site_l_per_kwh = 1.0 }"], &["source_l_per_kwh"]);
    refused(
        &world("", ""),
        &["regions[0].water={ site_l_per_kwh = -1.0, source_l_per_kwh = 0.0 }"],
        &["site_l_per_kwh"],
    );

    let price = "electricity_price.constant.price_per_mwh = 80.0\n";
    refused(&world("", price), &[], &["no currency", "[cost]"]);
    refused(&world(EURO, ""), &[], &["nothing has a price"]);
    refused(&world("cost.currency = \" \"", price), &[], &["currency is blank"]);
    refused(
        &world(EURO, price),
        &["regions[0].electricity_price={ constant = { price_per_mwh = nan } }"],
        &["price_per_mwh"],
    );
    let prices = |text: &str| world(EURO, PRICES).file("p.csv", text);
    let odd = hours("price_per_mwh", "1", "2").replace("01:00:00", "00:59:00");
    refused(&prices(&odd), &[], &["the price changes 3540 s", "inside a ledger bin of 300 s"]);
    refused(&prices(&hours("price_per_kwh", "1", "2")), &[], &["expected exactly `time_utc,price_per_mwh`"]);
    refused(&prices(&hours("price_per_mwh", "1", "nan")), &[], &["p.csv:3", "not finite"]);
    let other = r#"regions=[{ name = "a", water = { site_l_per_kwh = 1.0, source_l_per_kwh = 1.0 }, grid.constant.g_per_kwh = 1.0, hosts = [{ server = "box", count = 1, purchase.spot.per_hour = 1.0 }, { server = "box", count = 1 }] }, { name = "b", electricity_price.constant.price_per_mwh = 1.0, grid.constant.g_per_kwh = 1.0, hosts = [{ server = "box", count = 1 }] }]"#;
    let words = [
        "regions[1] has no water, but regions[0] has",
        "regions[0] has no electricity_price, but regions[1] has",
        "regions[0].hosts[1] has no purchase, but regions[0].hosts[0] has",
        "regions[1].hosts[0] has no purchase",
    ];
    refused(&world(EURO, ""), &[other], &words);
}

#[test]
fn the_run_prints_a_line_for_each_ledger() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_sim"))
        .arg("run")
        .arg(repository("scenarios/beside-carbon.toml"))
        .args(["--set", "workload.poisson.calls=100", "--out"])
        .arg(dir.path().join("out"))
        .output()
        .expect("sim runs");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    for line in
        ["PUE by outdoor air", "outside its curve", "heat reused, ERF", "avoided gas, not SCI", "water", "cost", "EUR"]
    {
        assert!(text.contains(line), "{line} is not printed:\n{text}");
    }
}
