//! Power models against numbers that others computed, against closed forms, and in whole runs.

use slackwater::cluster::power::{PowerModel, PowerSpec};

use crate::lab::close;
use crate::scene::{figures, is, scene};
use crate::validate::hold;

/// A model as a scenario spells it.
#[track_caller]
fn model(toml: &str) -> Box<dyn PowerModel> {
    let spec: PowerSpec = toml::from_str(toml).unwrap_or_else(|e| panic!("{toml}: {e}"));
    spec.build().unwrap_or_else(|e| panic!("{toml}: {e}"))
}

/// Every model, from 100 W at no load to 180 W at full load, where it can.
pub const MODELS: [(&str, &str); 11] = [
    ("constant", "constant = { power_w = 130.0 }"),
    ("linear", "linear = { idle_w = 100.0, max_w = 180.0 }"),
    ("table", "table = { power_w = [100.0, 150.0, 170.0, 180.0] }"),
    ("piecewise", "piecewise = { utilization = [0.0, 0.05, 0.6, 1.0], power_w = [100.0, 130.0, 160.0, 180.0] }"),
    ("square-root", "square-root = { idle_w = 100.0, max_w = 180.0 }"),
    ("square", "square = { idle_w = 100.0, max_w = 180.0 }"),
    ("cubic", "cubic = { idle_w = 100.0, max_w = 180.0 }"),
    ("fan", "fan = { idle_w = 100.0, max_w = 180.0 }"),
    ("asymptotic", "asymptotic = { idle_w = 100.0, max_w = 180.0, alpha = 0.3 }"),
    ("teads", "teads = { tdp_w = 150.0, packages = 2 }"),
    ("logarithmic", "logarithmic = { a = 171.1813, b = 0.0354, c = 36.8953, d = -10.1336 }"),
];

#[test]
fn this_list_is_the_catalogue() {
    let schema = slackwater::scenario::schema();
    let variants = schema["$defs"]["PowerSpec"]["oneOf"].as_array().expect("an enum").iter();
    let mut names: Vec<&str> =
        variants.map(|v| v["properties"].as_object().and_then(|p| p.keys().next()).expect("a name").as_str()).collect();
    let mut ours = MODELS.map(|(name, _)| name);
    names.sort_unstable();
    ours.sort_unstable();
    assert_eq!(names, ours);
}

#[test]
fn every_model_rises_and_begins_and_ends_where_it_says() {
    for (name, toml) in MODELS {
        let model = model(toml);
        let watts: Vec<f64> = (0..=1000).map(|i| model.watts(f64::from(i) / 1000.0)).collect();
        assert!(watts.windows(2).all(|w| w[1] >= w[0]), "{name} falls");
        let ends = match name {
            "constant" => [130.0, 130.0],
            // 80 W less e^(-1 / 0.3) / 2 of it.
            "asymptotic" => [100.0, 180.0 - 40.0 * (-1.0f64 / 0.3).exp()],
            "teads" => [36.0, 306.0],
            // a ln(b c) + d, a ln(b (100 + c)) + d
            "logarithmic" => [35.578_776_373, 260.020_095_705],
            _ => [100.0, 180.0],
        };
        for (end, wanted) in [(watts[0], ends[0]), (watts[1000], ends[1])] {
            close(name, end, wanted, 1e-7);
        }
        if let Some(span) = model.linear_w() {
            close(name, model.watts(0.0) + 0.37 * span, model.watts(0.37), 1e-12);
        }
    }
}

#[test]
fn the_reference_values_of_every_model_and_the_published_cpu_profiles_come_back() {
    hold(&["O-power-models", "O-boavizta-profiles"]);
}

#[test]
fn a_run_draws_what_the_model_says() {
    // One call of 1 core on 4, 10 s long, after a start of 1 s that uses no CPU; then the host idles until 111 s.
    for (name, toml) in MODELS {
        let power = format!("servers.box.power={{ {toml} }}");
        let end = ["time.duration_s=111", "time.end=\"fixed\"", "time.drain_limit_s=0"];
        let run = scene(&["0,a,10,100"]).run(&[&power, end[0], end[1], end[2]]);
        let model = model(toml);
        let (idle, quarter) = (model.watts(0.0), model.watts(0.25));
        is(name, run.number("energy_j.total"), idle * 111.0 + (quarter - idle) * 10.0);
        is(name, run.number("energy_j.dynamic"), (quarter - idle) * 10.0);
        // A tenth of the memory for 1 s of start, 10 s of execution and 100 s of waiting.
        figures(
            &run,
            &[
                ("energy_j.execution", (quarter - idle) * 10.0 + idle),
                ("energy_j.cold_start", 0.1 * idle),
                ("energy_j.warm_idle", 10.0 * idle),
                ("energy_j.idle_host", 0.9 * idle * 111.0),
            ],
        );
    }
}

#[test]
fn two_calls_at_once_share_what_both_draw() {
    // Concave power: two calls draw less than twice what one does. Two cores of four: 80 W x sqrt(1/2), half each.
    let power = "servers.box.power={ square-root = { idle_w = 100.0, max_w = 180.0 } }";
    let run = scene(&["0,a,10,100", "0,b,10,100"]).run(&[power]);
    let each = 80.0 * 0.5f64.sqrt() * 10.0 / 2.0;
    for call in run.calls() {
        is("dynamic energy of a call", call.dynamic_j, each);
    }
}

#[test]
fn wrong_models_are_refused_with_the_reason() {
    let refused = |toml: &str, word: &str| {
        let spec: PowerSpec = toml::from_str(toml).expect("a model");
        let message = spec.build().err().unwrap_or_else(|| panic!("{toml} is accepted"));
        assert!(message.contains(word), "{message}");
    };
    for name in ["square-root", "square", "cubic", "fan"] {
        refused(&format!("{name} = {{ idle_w = 2.0, max_w = 1.0 }}"), "below idle_w");
    }
    refused("asymptotic = { idle_w = 2.0, max_w = 1.0, alpha = 0.3 }", "below idle_w");
    refused("table = { power_w = [1.0, 3.0, 2.0] }", "must not fall");
    refused("teads = { tdp_w = 100.0, factors = [0.5, 0.3, 0.7, 1.0] }", "must not fall");
}

#[test]
fn all_that_a_schema_can_refuse_is_refused_in_a_scenario() {
    let refused = |power: &str, words: &[&str]| {
        let message = scene(&["0,a,1,100"]).fails(&[&format!("servers.box.power={{ {power} }}")]);
        for word in words {
            assert!(message.contains(word), "{power}: {message}");
        }
    };
    refused("fan = { idle_w = 1.0, max_w = 2.0, exponent = 0.5 }", &["servers.box.power.fan.exponent", "1 to 2"]);
    refused("asymptotic = { idle_w = 1.0, max_w = 2.0, alpha = 0.0 }", &["alpha", "0.001"]);
    refused("asymptotic = { idle_w = 1.0, max_w = 2.0 }", &["alpha"]);
    refused("teads = { tdp_w = 1.0, factors = [0.1] }", &["factors", "exactly 4"]);
    refused("piecewise = { utilization = [0.0, 0.5, 0.4, 1.0], power_w = [1.0, 2.0, 3.0, 4.0] }", &["must rise"]);
}
