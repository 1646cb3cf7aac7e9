//! Forecasts of carbon intensity in a scenario: what policies do with them, what is recorded, how their error is measured.

use std::process::Command;

use serde_json::Value as Json;

use crate::lab::{Lab, repository, shared};

/// One host and hourly intensity that says what hour of the week it is, from two days before the run; the forecast in its own lines.
fn world(forecast: &str) -> Lab {
    let text = format!(
        r#"
[time]
duration_s = 7200.0
drain_limit_s = 250000.0
[isolation.container]
[scheduler.shifting.lowest-window]
reserve_s = 0.0
[servers.box]
cores = 4
memory_mb = 1000
embodied_kg = 1.0
lifetime_years = 1.0
[[regions]]
name = "here"
hosts = [{{ server = "box", count = 1 }}]
grid.csv = {{ path = "i.csv", zone = "X", kind = "average", factor_basis = "made up", source = "me", licence = "none", dataset_version = "1" }}
{forecast}
[workload.poisson]
rate_per_s = 0.01
calls = 20
service.constant.length_s = 600.0
"#
    );
    let day = |d: i64| [3, 1, 2][d.rem_euclid(3) as usize];
    let rows: String = (-48..120i64)
        .map(|h| {
            let at = jiff::Timestamp::from_second(1_654_473_600 + h * 3600).expect("an instant");
            format!("{at},{}\n", 100 * day(h.div_euclid(24)) + (h * 7).rem_euclid(24))
        })
        .collect();
    Lab::new(&text).file("i.csv", &format!("time_utc,g_per_kwh\n{rows}"))
}

/// What `sim` prints.
#[track_caller]
fn sim(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sim")).args(arguments).output().expect("sim runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[track_caller]
fn refused(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sim")).args(arguments).output().expect("sim runs");
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn the_reference_shows_every_forecast_with_every_key() {
    let text = std::fs::read_to_string(repository("scenarios/reference.toml")).expect("the reference scenario");
    let schema = slackwater::scenario::schema();
    let models = schema["$defs"]["ForecastSpec"]["oneOf"].as_array().expect("models");
    assert_eq!(models.len(), 9);
    let docs = std::fs::read_to_string(repository("docs/forecasts.md")).expect("the page on forecasts");
    for variant in models {
        let (name, part) = variant["properties"].as_object().and_then(|p| p.iter().next()).expect("a name");
        assert!(docs.contains(&format!("`{name}`")), "docs/forecasts.md lacks {name}");
        let head = format!("[regions.forecast.{name}]");
        let bare = |line: &str| line.trim_start_matches(['#', ' ']).to_owned();
        let lines: Vec<String> = text.lines().map(bare).skip_while(|l| !l.starts_with(&head)).collect();
        assert!(!lines.is_empty(), "scenarios/reference.toml lacks {head}");
        let own: Vec<&String> = lines[1..].iter().take_while(|l| !l.is_empty()).collect();
        let reference = part["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/"));
        let inner = reference.map_or(part, |r| &schema["$defs"][r]);
        for key in inner["properties"].as_object().into_iter().flatten().map(|(key, _)| key) {
            assert!(own.iter().any(|l| l.starts_with(&format!("{key} = "))), "reference.toml: {head} lacks {key}");
        }
    }
}

#[test]
fn sim_lists_every_forecast() {
    let text = sim(&["list", "forecasts"]);
    for part in
        ["[regions.forecast.NAME]", "  perfect\n", "  horizon-noise\n", "lag_h (default 24.0)", "lead_h (optional)"]
    {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
}

#[test]
fn wrong_forecasts_are_refused_with_their_key() {
    for (forecast, part) in [
        ("forecast.oracle = {}", "oracle"),
        ("forecast.persistence.lag_h = -1.0", "lag_h"),
        ("forecast.ar1-noise = { rho = 0.5 }", "zone \"X\" is none of `sim list zones`"),
        ("forecast.replay = { path = \"absent.csv\", source = \"me\" }", "absent.csv"),
    ] {
        let error = world(forecast).fails(&[]);
        assert!(error.contains(part), "{part} is missing in: {error}");
    }
}

#[test]
fn the_manifest_has_the_file_that_was_replayed_and_what_it_misses() {
    let lab = world("forecast.replay = { path = \"v.csv\", source = \"me\" }").file(
        "v.csv",
        "issued_at_utc,time_utc,g_per_kwh\n2022-06-05T00:00:00Z,2022-06-06T05:00:00Z,1\n2022-06-05T00:00:00Z,2022-06-06T06:00:00Z,2\n",
    );
    let out = lab.folder().join("out");
    sim(&["run", lab.scenario().to_str().expect("text"), "--quiet", "--out", out.to_str().expect("text")]);
    let text = std::fs::read_to_string(out.join("manifest.json")).expect("a manifest");
    let manifest: Json = serde_json::from_str(&text).expect("JSON");
    let inputs = manifest["inputs"].as_array().expect("inputs");
    assert!(inputs.iter().any(|i| i["path"].as_str().is_some_and(|p| p.ends_with("v.csv"))), "{inputs:?}");
    let notes = manifest["forecast_notes"].to_string();
    assert!(notes.contains("here.replay.coverage") && notes.contains("117 of 119 steps"), "{notes}");
    assert_eq!(manifest["scenario"]["regions"][0]["forecast"]["replay"]["longest_step_s"], 3600.0);
}

#[test]
fn a_frozen_forecast_is_replayed_with_the_same_error() {
    let lab = world("forecast.persistence = {}");
    let scenario = lab.scenario();
    let scenario = scenario.to_str().expect("text");
    let frozen = lab.folder().join("frozen.csv");
    let out = frozen.to_str().expect("text");
    let persistence = sim(&["grid", "forecast", scenario, "--json", "--out", out]);
    let replay = format!("replay={{path='{out}',source='frozen'}}");
    let replayed = sim(&["grid", "forecast", scenario, "--json", "--model", &replay]);
    let horizons = |text: &str| serde_json::from_str::<Json>(text).expect("JSON")[0]["horizons"].clone();
    assert_eq!(horizons(&persistence), horizons(&replayed));
    assert!(horizons(&persistence)[2]["mae_g_per_kwh"].as_f64().expect("a number") > 50.0);
    let text = sim(&["grid", "forecast", scenario, "--model", "perfect={}", "--model", "bias.offset_g_per_kwh=7"]);
    assert!(text.contains("here (zone X): perfect={}") && text.contains("   7.00      7.00"), "{text}");
    for (arguments, part) in [
        (vec!["--region", "there"], "name one of here"),
        (vec!["--model", "persistence"], "--model persistence"),
        (vec!["--every-s", "0"], "give a number above 0"),
    ] {
        let error = refused(&[vec!["grid", "forecast", scenario], arguments].concat());
        assert!(error.contains(part), "{part} is missing in: {error}");
    }
}

/// Figures computed apart from this program, from the definitions, by a script over plain lists of hours: horizon, MAE, RMSE, bias and
/// rank correlation, for 2022.
const CISO: &[(&str, usize, [f64; 4])] = &[
    ("persistence={}", 2, [21.096571, 28.116855, 0.009863, 0.853461]),
    ("persistence={}", 3, [29.688588, 38.426571, -0.035474, 0.848172]),
    ("persistence.lag_h=168", 2, [31.691205, 41.294158, -0.123898, 0.826592]),
    ("climatology={}", 1, [25.279562, 32.325800, -0.740045, 0.617611]),
    ("climatology={}", 3, [26.158121, 33.460504, -1.006719, 0.882795]),
    ("climatology.same_weekday=true", 2, [26.777870, 34.584384, -0.966081, 0.852628]),
    ("24", 2, [26.115867, 32.307342, 2.191731, 0.804018]),
    ("24", 3, [29.686258, 38.162893, 1.025017, 0.839744]),
    ("0", 4, [23.321894, 30.466960, 3.051496, 0.835172]),
];

#[test]
fn errors_on_a_real_year_are_those_computed_apart() {
    let Some(file) = shared("data/grid/forecast/CISO_2019-2022_actual_vs_carboncast.csv") else { return };
    let file = file.to_str().expect("text");
    let columns = "unit = \"g-per-kwh\", naive_stamps_are_utc = true, time_column = \"UTC time\"";
    let grid = format!(
        "regions=[{{ name = \"here\", hosts = [{{ server = \"box\", count = 1 }}], grid.csv = {{ path = \"{file}\", value_column = \
         \"carbon_intensity\", {columns}, zone = \"US-CAL-CISO\", kind = \"average\", factor_basis = \"direct\", source = \"CarbonCast\", \
         licence = \"none stated\", dataset_version = \"2019-2022\" }} }}]"
    );
    let lab = world("");
    let scenario = lab.scenario();
    let measure = |start: &str, model: &str| {
        let model = if model.len() > 2 {
            model.to_owned()
        } else {
            format!(
                "replay={{ path = '{file}', source = 'CarbonCast', value_column = 'avg_carbon_intensity_forecast', {columns}, lead_h = {model} }}"
            )
        };
        let start = format!("time.start=\"{start}\"");
        let arguments = [
            "grid",
            "forecast",
            scenario.to_str().expect("text"),
            "--json",
            "--set",
            &grid,
            "--set",
            &start,
            "--model",
            &model,
        ];
        serde_json::from_str::<Json>(&sim(&arguments)).expect("JSON")[0].clone()
    };
    for (model, row, wanted) in CISO {
        let found = &measure("2022-01-01T00:00:00Z", model)["horizons"][*row];
        let keys = ["mae_g_per_kwh", "rmse_g_per_kwh", "bias_g_per_kwh", "rank_correlation"];
        for (key, wanted) in keys.iter().zip(wanted) {
            let found = found[*key].as_f64().expect("a number");
            assert!((found - wanted).abs() <= 1e-6, "{model}, row {row}, {key}: {found}, not {wanted}");
        }
    }
    // The file lacks the last day of 2020: its actual values hold for 25 h there, and the forecast has no vintage of that day.
    let coverage = measure("2020-12-30T00:00:00Z", "24")["notes"]["coverage"].as_str().expect("a note").to_owned();
    assert_eq!(
        coverage,
        "1460 vintages; 0 of 17543 steps begin before a vintage covers them: persistence of 24 h there"
    );
}
