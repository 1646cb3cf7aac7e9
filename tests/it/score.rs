//! Scoring a finished run anew from its ledger: exact under its own signal, and what a run on another signal would have said.

use slackwater::report::{By, changes_inside, charge_anew, own_sets, read_ledger, score_rows, scores_csv};
use slackwater::sci::attribution::AttributionSpec;
use slackwater::sci::{Record, SignalSet};

use crate::lab::{Lab, Run, close, repository, shared};

const WORLD: &str = r#"
[time]
duration_s = 86400.0
drain_limit_s = 86400.0
end = "fixed"
[scheduler.shifting.lowest-window]
[scheduler.keep_alive.fixed]
keep_alive_s = 600.0
[servers.s]
cores = 8.0
memory_mb = 32000.0
embodied_kg = 1000.0
lifetime_years = 4.0
[[regions]]
name = "north"
grid.typical = { zone = "GB" }
hosts = [{ server = "s", count = 2 }]
[[regions]]
name = "south"
grid.typical = { zone = "ES" }
pue = 1.3
hosts = [{ server = "s", count = 1 }]
[workload.poisson]
calls = 2000
rate_per_s = 0.03
functions = 20
service.constant = { length_s = 30.0 }
memory_mb = 500.0
cpu_cores = 1.0
deadline_s = 43200.0
"#;

fn record(run: &Run) -> Record {
    read_ledger(&run.folder()).expect("every run keeps its books")
}

fn set(wanted: &str, record: &Record) -> SignalSet {
    SignalSet::read(wanted, &record.facts, &record.site).unwrap_or_else(|e| panic!("{wanted}: {e}"))
}

#[test]
fn a_run_scored_under_its_own_signal_equals_itself_to_the_last_bit() {
    let lab = Lab::new(WORLD);
    for unit in ["call", "CPU-hour", "tenant-hour"] {
        let kebab = unit.to_lowercase();
        let run = lab.run(&[&format!("sci.functional_unit={kebab}")]);
        let record = record(&run);
        let score = record.score(&record.scored_on);
        assert_eq!(score.operational_g, run.number("carbon_g.operational"));
        assert_eq!(score.embodied_g, run.number("carbon_g.embodied"));
        assert_eq!(score.units, run.number("sci.units"));
        assert_eq!(score.sci(), Some(run.number("sci.g_per_unit")));
        assert_eq!(record.energy_j(), run.number("energy_j.total"));
        // The signals built again from their description are the same signals.
        let zones = lab.folder().join("own.toml");
        std::fs::write(&zones, "[regions.north.typical]\nzone = 'GB'\n[regions.south.typical]\nzone = 'ES'\n")
            .expect("the folder is writable");
        assert_eq!(set(zones.to_str().expect("a plain path"), &record).intensity, record.scored_on);
    }
}

#[test]
fn scoring_anew_says_what_the_run_scored_on_that_signal_would_have_said() {
    let lab = Lab::new(WORLD);
    let own = lab.run(&[]);
    let elsewhere = ["north", "south"].map(|_| "{ typical = { zone = 'ZA' } }");
    let on_others = lab.run(&[
        &format!("regions[0].scoring_grid={}", elsewhere[0]),
        &format!("regions[1].scoring_grid={}", elsewhere[1]),
    ]);
    // The policies saw the same grid: the same schedule, the same joules.
    assert_eq!(own.number("energy_j.total"), on_others.number("energy_j.total"));
    assert_ne!(own.number("carbon_g.operational"), on_others.number("carbon_g.operational"));
    let record = record(&own);
    let anew = record.score(&set("typical:ZA", &record).intensity);
    assert_eq!(anew.operational_g, on_others.number("carbon_g.operational"));
    assert_eq!(anew.sci(), Some(on_others.number("sci.g_per_unit")));
    // The run that decided on one and was scored on the other keeps both.
    let both = read_ledger(&on_others.folder()).expect("a ledger");
    assert_eq!(both.score(&both.decided_on).operational_g, own.number("carbon_g.operational"));
    let rows = score_rows(&both, &[], None, None).expect("one unit");
    assert_eq!(rows.iter().map(|r| r.role.name()).collect::<Vec<_>>(), ["decided on", "scored on"]);
}

#[test]
fn carbon_scales_with_intensity_and_embodied_emissions_do_not() {
    let record = record(&Lab::new(WORLD).run(&[]));
    let base = record.score(&set("constant:100", &record).intensity);
    close("O at 100 g/kWh", base.operational_g, record.energy_j() / 3.6e6 * 100.0, 1e-12);
    for k in [0.0, 0.5, 4.0] {
        let scaled = record.score(&set(&format!("constant:{}", 100.0 * k), &record).intensity);
        close("O", scaled.operational_g.max(1e-300), (k * base.operational_g).max(1e-300), 1e-12);
        assert_eq!(scaled.embodied_g, base.embodied_g);
    }
}

#[test]
fn what_a_run_claims_stands_beside_what_another_signal_sees() {
    let lab = Lab::new(WORLD).file(
        "inverse.csv",
        &std::iter::once("# zone = 'X'\n# kind = 'marginal'\n# factor_basis = 'made up'\n# source = 'test'\n\
                          # licence = 'none'\n# dataset_version = '1'\n# past_end = 'repeat'\n# start = '2022-01-01T00:00:00Z'\n\
                          time_utc,g_per_kwh\n"
            .to_owned())
        .chain((0..24).map(|h| format!("2022-01-01T{h:02}:00:00Z,{}\n", if (8..20).contains(&h) { 900 } else { 100 })))
        .collect::<String>(),
    );
    let deferred = record(&lab.run(&[]));
    let at_once = record(&lab.run(&["scheduler.shifting={run-now={}}"]));
    let path = lab.folder().join("inverse.csv");
    let path = path.to_str().expect("a plain path");
    let rows = |a: &Record, b: &Record| {
        let (given, theirs) = ([set(path, a)], [set(path, b)]);
        score_rows(a, &given, Some((b, &theirs)), None).expect("one unit")
    };
    let table = rows(&deferred, &at_once);
    assert_eq!((table[0].said.kind.as_str(), table[1].said.kind.as_str()), ("average", "marginal"));
    let saved = |row: usize| table[row].saved().0;
    let by_hand =
        1.0 - deferred.score(&deferred.scored_on).operational_g / at_once.score(&at_once.scored_on).operational_g;
    assert_eq!(saved(0), by_hand);
    assert!(saved(0) > 0.0, "work moved to the lowest hour saves on the signal that it was moved by");
    assert_ne!(saved(0), saved(1));
    // Against itself nothing is saved, under any signal.
    assert!(rows(&deferred, &deferred).iter().all(|row| row.saved() == (0.0, 0.0)));
    let mut csv = Vec::new();
    scores_csv(&table, &mut csv).expect("memory holds a table");
    assert_eq!(String::from_utf8(csv).expect("text").lines().count(), 3);
}

#[test]
fn functions_and_tenants_are_charged_anew_as_a_run_would_have_charged_them() {
    let lab = Lab::new(WORLD);
    let periods = "output.account_step_s=3600";
    let za = ["0", "1"].map(|r| format!("regions[{r}].scoring_grid={{ typical = {{ zone = 'ZA' }} }}"));
    let run = lab.run(&[periods]);
    let record = record(&run);
    let signals = [own_sets(&record)[0].1.clone(), set("typical:ZA", &record)];
    assert!(signals.iter().all(|s| !changes_inside(&record, s)), "hourly signals do not change inside hours");
    for (rules, keys) in [
        ("", ["sci.attribution.idle={unattributed={}}", "sci.attribution.embodied={unattributed={}}"]),
        (
            "idle.usage={}\nembodied.temporal-shapley={levels_s=[86400.0, 3600.0]}",
            [
                "sci.attribution.idle={usage={}}",
                "sci.attribution.embodied={temporal-shapley={levels_s=[86400.0, 3600.0]}}",
            ],
        ),
    ] {
        let spec: AttributionSpec = toml::from_str(rules).expect("rules");
        let own = lab.run(&[&[periods], &keys[..]].concat());
        let there = lab.run(&[&[periods, &za[0], &za[1]], &keys[..]].concat());
        for (by, table) in [(By::Function, "functions.csv"), (By::Tenant, "tenants.csv")] {
            let charged = charge_anew(&run.folder(), &record, &signals, Some(&spec), (by, &record.facts.unit))
                .expect("accounts by period");
            for (s, wanted) in [&own, &there].into_iter().enumerate() {
                let wanted = wanted.table(table);
                let near = |what: &str, ours: f64, wanted: f64, whole: f64| {
                    assert!(
                        (ours - wanted).abs() <= 1e-9 * whole,
                        "{rules} {table} [{s}] {what}: {ours} is not {wanted}"
                    );
                };
                assert_eq!(charged.len(), wanted.rows.len());
                for (i, row) in charged.iter().enumerate() {
                    let column = |name: &str| (wanted.column(name)[i], wanted.sum(name));
                    let (energy, operational, embodied) =
                        (column("energy_j"), column("operational_g"), column("embodied_g"));
                    near("energy", row.shares[s].total_j(), energy.0, energy.1);
                    near("O", row.shares[s].total_operational_g(), operational.0, operational.1);
                    near("M", row.shares[s].embodied_g, embodied.0, embodied.1);
                    let idle = column("operational_idle_host_g");
                    near("O of idle hosts", row.shares[s].operational_g[3], idle.0, operational.1);
                }
            }
        }
    }
    let without = lab.run(&[]);
    let error = charge_anew(
        &without.folder(),
        &read_ledger(&without.folder()).expect("books"),
        &signals,
        None,
        (By::Tenant, &record.facts.unit),
    )
    .expect_err("no periods");
    assert!(error.to_string().contains("output.account_step_s"), "{error}");
    let fine: AttributionSpec =
        toml::from_str("embodied.temporal-shapley={levels_s=[86400.0, 300.0]}").expect("a rule");
    let error = charge_anew(&run.folder(), &record, &signals, Some(&fine), (By::Tenant, &record.facts.unit))
        .expect_err("too fine");
    assert!(error.to_string().contains("300 is not a whole multiple"), "{error}");
}

#[test]
fn a_signal_that_does_not_fit_is_refused_with_a_remedy() {
    let lab = Lab::new(WORLD)
        .file("bare.csv", "time_utc,g_per_kwh\n2022-06-06T00:00:00Z,1\n2022-06-06T01:00:00Z,2\n")
        .file("half.toml", "[regions.north.constant]\ng_per_kwh = 1.0\n")
        .file("typo.toml", "[regions.nroth.constant]\ng_per_kwh = 1.0\n")
        .file("key.toml", "[grid.constant]\ng_per_kwh = 1.0\noffset_g = 1.0\n")
        .file(
            "mixed.toml",
            "[regions.north.constant]\ng_per_kwh = 1.0\n[regions.south.constant]\ng_per_kwh = 1.0\nkind = 'marginal'\n",
        );
    let head = "# zone = 'X'\n# kind = 'average'\n# factor_basis = 'd'\n# source = 's'\n# licence = 'l'\n# dataset_version = '1'\n";
    let rows = |step: &str| format!("{head}time_utc,g_per_kwh\n2022-06-06T00:00:00Z,1\n2022-06-06T00:{step}:00Z,2\n");
    let lab = lab
        .file("short.csv", &rows("30"))
        .file("fine.csv", &rows("01").replace("# zone", "# past_end = 'repeat'\n# zone"))
        .file("market.csv", &rows("30").replace("'average'", "'market-based'"))
        .file("other.csv", &rows("30").replace("2022-", "2023-"));
    let run = lab.run(&[]);
    let record = record(&run);
    let fails = |name: &str| {
        let path = lab.folder().join(name);
        let wanted = if name.contains(':') { name.to_owned() } else { path.to_str().expect("plain").to_owned() };
        SignalSet::read(&wanted, &record.facts, &record.site).expect_err(name).to_string()
    };
    for (name, parts) in [
        ("bare.csv", &["does not say what its numbers are", "# zone"][..]),
        ("half.toml", &["no signal for region \"south\""]),
        ("typo.toml", &["no region \"nroth\"", "north, south"]),
        ("key.toml", &["offset_g", "market-based instruments"]),
        ("market.csv", &["market-based instruments", "refused"]),
        ("mixed.toml", &["never mixes the two kinds"]),
        ("short.csv", &["ends 3600 s after", "past_end"]),
        ("fine.csv", &["changes 60 s after", "inside a bin of the ledger (300 s)", "output.ledger_step_s"]),
        ("other.csv", &["the run starts at 2022-06-06", "start = "]),
        ("absent.toml", &["cannot read the signal"]),
        ("constant:x", &["no intensity"]),
        ("constant:-1", &["finite and >= 0"]),
        ("typical:QQ", &["unknown grid zone", "sim list zones"]),
    ] {
        let message = fails(name);
        assert!(parts.iter().all(|part| message.contains(part)), "{name}: {message}");
    }
}

#[test]
fn damaged_books_are_refused_and_named() {
    let run = Lab::new(WORLD).run(&[]);
    let folder = run.folder();
    let fails = || read_ledger(&folder).expect_err("the books are damaged").to_string();
    let table = std::fs::read(folder.join("ledger.parquet")).expect("the books");
    std::fs::write(folder.join("ledger.parquet"), &table[..table.len() - 100]).expect("writable");
    assert!(fails().contains("ledger.parquet"), "{}", fails());
    std::fs::write(folder.join("ledger.parquet"), &table).expect("writable");
    let facts = std::fs::read_to_string(folder.join("ledger.json")).expect("the facts");
    for (from, to, part) in [
        ("\"format\": 1", "\"format\": 2", "has layout 2, this program reads layout 1"),
        ("\"format\": 1,", "", "names no format"),
        ("\"end_ns\": 172800000000000", "\"end_ns\": 86400000000000", "has 1152 rows; ledger.json says 576"),
        ("\"decided_on\"", "\"dceided_on\"", "missing field `decided_on`"),
        ("\"embodied_kg\": 1000.0", "\"embodied_kg\": -1000.0", "a figure below 0, or no lifespan, for server type s"),
    ] {
        assert!(facts.contains(from), "{from} stands in {facts}");
        std::fs::write(folder.join("ledger.json"), facts.replacen(from, to, 1)).expect("writable");
        assert!(fails().contains(part), "{part}: {}", fails());
    }
    std::fs::remove_file(folder.join("ledger.json")).expect("it is there");
    assert!(fails().contains("no result of `sim run`"), "{}", fails());
}

#[test]
fn averages_and_marginals_are_never_summed_and_market_instruments_are_refused() {
    let lab = Lab::new(WORLD);
    let message = lab.fails(&["regions[1].scoring_grid={ constant = { g_per_kwh = 5.0, kind = 'marginal' } }"]);
    assert!(message.contains("a score never mixes") && message.contains("regions[1].scoring_grid"), "{message}");
    for set in [
        "regions[0].grid={ constant = { g_per_kwh = 5.0, kind = 'market-based' } }",
        "regions[0].grid={ constant = { g_per_kwh = 5.0, offsets_g_per_kwh = 5.0 } }",
        "sci.renewable_energy_certificates_kwh=5.0",
        "regions[0].ppa_share=0.5",
    ] {
        let message = lab.fails(&[set]);
        assert!(message.contains("market-based instruments") && message.contains("refused"), "{set}: {message}");
    }
    assert!(lab.fails(&["regions[0].grid={ constant = { g_per_kwh = -5.0 } }"]).contains("0 or more"));
}

#[test]
fn the_score_says_what_it_rests_on() {
    let run = Lab::new(WORLD).run(&["sci.functional_unit={ user-defined = { name = 'page', per_call = 0.5 } }"]);
    let text = |key: &str| {
        let entry = run.report.summary.iter().find(|e| e.key == key).unwrap_or_else(|| panic!("{key}"));
        entry.cell()
    };
    assert_eq!(text("sci.unit"), "page");
    close("pages", run.number("sci.units"), 0.5 * run.number("calls.executed"), 1e-12);
    assert_eq!((text("sci.standard").as_str(), text("sci.signal_kind").as_str()), ("SCI v1.1", "average"));
    assert_eq!((text("sci.lifetime_years").as_str(), text("sci.factor_basis").as_str()), ("4", "life cycle"));
    assert!(text("sci.signal").contains("GB (") && text("sci.signal").contains("ES ("), "{}", text("sci.signal"));
    assert!(text("sci.boundary").contains("idle and switched-off ones included"));
    let marginal = "{ constant = { g_per_kwh = 5.0, kind = 'marginal', factor_basis = 'direct' } }";
    let set = ["0", "1"].map(|r| format!("regions[{r}].scoring_grid={marginal}"));
    let run = Lab::new(WORLD).run(&[&set[0], &set[1]]);
    let standard = run.report.summary.iter().find(|e| e.key == "sci.standard").expect("a standard").cell();
    assert_eq!(standard, "SCI v1.1, ISO/IEC 21031:2024 (marginal intensity)");
}

#[test]
fn a_crowded_fleet_does_not_look_better_per_cpu_hour() {
    let lab = Lab::new(WORLD);
    let slow = lab.run(&["servers.s.cores=0.5", "servers.s.power.linear={idle_w=50.0,max_w=100.0}"]);
    let work = slow.number("calls.executed") * 30.0 / 3600.0;
    close("CPU-hours", record(&slow).facts.units_by_name["CPU-hour"], work, 1e-9);
    assert!(record(&slow).facts.units_by_name["execution-hour"] > 1.5 * work, "calls contend and take longer");
    close("work", slow.table("functions.csv").sum("work_s"), work * 3600.0, 1e-9);
}

#[test]
fn units_of_ones_own_are_no_disguise() {
    let lab = Lab::new(WORLD);
    let own = |unit: &str| format!("sci.functional_unit={{ user-defined = {{ {unit} }} }}");
    assert!(lab.fails(&[&own("name = 'Call', per_call = 2.0")]).contains("is the name of a unit"));
    assert!(lab.fails(&[&own("name = 'page'")]).contains("no call counts any unit"));
    let pages = |n: f64| record(&lab.run(&[&own(&format!("name = 'page', per_call = {n}"))]));
    let (one, two) = (pages(1.0), pages(2.0));
    let error = score_rows(&one, &[], Some((&two, &[])), None).expect_err("two kinds of pages").to_string();
    assert!(error.contains("per page and a score per page counted otherwise have no sum"), "{error}");
    let calls = record(&lab.run(&[]));
    assert!(score_rows(&one, &[], Some((&calls, &[])), None).is_err());
    assert!(score_rows(&one, &[], Some((&calls, &[])), Some("cpu-hour")).is_ok(), "both count CPU-hours alike");
    let vain = own("name = 'page', by_function = { nosuch = 3.0, f0 = 1.0 }");
    let run = lab.run(&[&vain]);
    assert_eq!(run.report.warnings.len(), 1);
    assert!(run.report.warnings[0].contains("nosuch"), "{:?}", run.report.warnings);
}

#[test]
fn a_run_of_another_time_has_no_score_under_this_runs_own_signals() {
    let lab = Lab::new(WORLD);
    let (run, later) = (record(&lab.run(&[])), record(&lab.run(&["time.start=2022-08-01T00:00:00Z"])));
    let given = [set("constant:100", &run)];
    let rows = score_rows(&run, &given, Some((&later, &[set("constant:100", &later)])), None).expect("one unit");
    assert!(rows[0].against.is_none() && rows[1].against.is_some());
    assert!(rows[0].saved().0.is_nan());
}

/// Electricity Maps' average of 2022 against the marginal column of the same file, whose unit is inferred: docs/scoring.md
/// prints these figures.
#[test]
fn the_published_pair_of_signals_disagrees_on_what_deferral_saves() {
    let Some(file) = shared("data/grid/marginal/US-NW-PACW_2022_avg_and_marginal.csv") else { return };
    let scenario = repository("scenarios/decide-and-score.toml");
    let grid = |column: &str, kind: &str, unit: &str| {
        format!(
            "{{ csv = {{ path = '{}', time_column = 'datetime', value_column = '{column}', unit = '{unit}', zone = 'US-NW-PACW', \
             kind = '{kind}', factor_basis = 'see docs/scoring.md', source = 'umassos/caslb-experiments', licence = 'none stated', \
             dataset_version = '2022' }} }}",
            file.display()
        )
    };
    let (average, marginal) =
        (grid("carbon_intensity_avg", "average", "g-per-kwh"), grid("marginal_carbon_avg", "marginal", "lb-per-mwh"));
    let record = |decide: &str, shifting: &str| {
        let set = [
            format!("regions[0].grid={decide}"),
            format!("regions[0].scoring_grid={marginal}"),
            format!("scheduler.shifting={shifting}"),
        ];
        record(&crate::lab::run_file(&scenario, &[&set[0], &set[1], &set[2]], 1))
    };
    let now = record(&average, "{ run-now = {} }");
    let by_average = record(&average, "{ lowest-window = {} }");
    let by_marginal = record(&marginal, "{ lowest-window = {} }");
    let dynamic = |r: &Record, on: &[Vec<f64>]| r.score(on).operational_g;
    let saved = |r: &Record, on: fn(&Record) -> &Vec<Vec<f64>>| 1.0 - dynamic(r, on(r)) / dynamic(&now, on(&now));
    let claimed = saved(&by_average, |r| &r.decided_on);
    let world = saved(&by_average, |r| &r.scored_on);
    let could = 1.0 - dynamic(&by_marginal, &by_marginal.scored_on) / dynamic(&now, &now.scored_on);
    println!("decided on average: claimed {claimed:.6}, on marginal {world:.6}; decided on marginal: {could:.6}");
    assert!(claimed > world && could > world, "{claimed} {world} {could}");
}
