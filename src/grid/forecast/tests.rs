//! What every forecast must keep, whatever it believes.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::grid::Signal;
use crate::types::Seed;

pub(super) const HOUR: u64 = 3_600_000_000_000;

/// Time in hours of the run.
pub(super) fn h(hours: f64) -> SimTime {
    SimTime::from_secs_f64(hours * 3600.0)
}

pub(super) fn start() -> jiff::Timestamp {
    "2022-01-02T00:00:00Z".parse().unwrap()
}

/// Hourly values, the first one at `first_h` (not above 0).
pub(super) fn hourly(first_h: i64, values: Vec<f64>) -> Signal {
    let starts: Vec<i64> = (0..values.len() as i64).map(|i| (first_h + i) * HOUR as i64).collect();
    let end = starts[starts.len() - 1] + HOUR as i64;
    Signal::new(Signal::constant("X", 0.0).unwrap().info().clone(), starts, values, end).unwrap()
}

pub(super) fn spec(text: &str) -> ForecastSpec {
    toml::from_str(text).unwrap()
}

pub(super) fn build(text: &str, signal: &Signal, seed: u64) -> Box<dyn Forecast> {
    build_in(Path::new(""), text, signal, seed).unwrap().forecast
}

pub(super) fn build_in(dir: &Path, text: &str, s: &Signal, seed: u64) -> Result<BuiltForecast, crate::grid::GridError> {
    spec(text).build(&ForecastContext { base_dir: dir, start_utc: start(), signal: s, seed: Seed(seed) })
}

pub(super) fn steps(forecast: &dyn Forecast, now: SimTime, from: SimTime, to: SimTime) -> Vec<Step> {
    let mut steps = Vec::new();
    forecast.steps(now, from, to, &mut steps);
    steps
}

/// Every model but `replay`, which needs a file, with the keys that it requires.
const MODELS: &[&str] = &[
    "perfect = {}",
    "persistence = {}",
    "persistence.lag_h = 7.5",
    "persistence.lag_h = 168",
    "climatology = {}",
    "climatology = { days = 14, same_weekday = true }",
    "climatology.days = 2",
    "iid-noise.relative_sd = 0.9",
    "iid-noise = { relative_sd = 0.1, present = 'forecast' }",
    "uniform-noise.relative_width = 0.5",
    "ar1-noise = { rho = 0.9, relative_sd = 0.3 }",
    "ar1-noise = { rho = 0.5, sd_g_per_kwh = 20, present = 'forecast' }",
    "horizon-noise.relative_sd = 0.2",
    "horizon-noise = { sd_g_per_kwh = 80, h0_h = 5, cap_h = 30, rho = 0.8 }",
    "bias = { relative_bias = 0.25, offset_g_per_kwh = -60 }",
    "bias = { offset_g_per_kwh = 30, present = 'forecast' }",
];
/// Those that know nothing of the future.
const HONEST: &[&str] = &["persistence", "climatology", "replay"];

/// Two vintages that cover parts of days 0 and 1, with a gap and an empty cell.
const VINTAGES: &str = "issued_at_utc,time_utc,g_per_kwh\n\
    2022-01-01T12:00:00Z,2022-01-02T00:00:00Z,50\n2022-01-01T12:00:00Z,2022-01-02T01:00:00Z,-10\n\
    2022-01-01T12:00:00Z,2022-01-02T02:00:00Z,70\n2022-01-01T12:00:00Z,2022-01-03T02:00:00Z,70\n\
    2022-01-02T01:30:00Z,2022-01-02T02:00:00Z,90\n2022-01-02T01:30:00Z,2022-01-02T02:30:00Z,\n\
    2022-01-02T01:30:00Z,2022-01-02T03:30:00Z,95\n2022-01-02T01:30:00Z,2022-01-02T06:00:00Z,96\n";

/// All models, each with its text; `replay` replays [`VINTAGES`].
fn all(signal: &Signal, seed: u64) -> Vec<(String, Box<dyn Forecast>)> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("v.csv"), VINTAGES).unwrap();
    let replay = "replay = { path = 'v.csv', source = 'made up' }";
    let texts = MODELS.iter().copied().chain([replay]);
    let made = |text: &str| (text.to_owned(), build_in(dir.path(), text, signal, seed).unwrap().forecast);
    texts.map(made).collect()
}

/// A signal of mixed steps that begins before the run: lengths in quarters of an hour, values [g/kWh].
fn mixed(steps: &[(u8, u16)], before: i64) -> Signal {
    let quarter = HOUR as i64 / 4;
    let mut t = -before * quarter;
    let mut starts = Vec::new();
    for (quarters, _) in steps {
        starts.push(t);
        t += i64::from(*quarters) * quarter;
    }
    let values = steps.iter().map(|s| f64::from(s.1)).collect();
    Signal::new(Signal::constant("X", 0.0).unwrap().info().clone(), starts, values, t).unwrap()
}

/// The lowest start by trying every edge of a piece and every end at one.
fn brute(f: &dyn Forecast, now: SimTime, earliest: SimTime, latest: SimTime, length: Duration) -> SimTime {
    let end = f.known_until(now);
    let Some(latest) = end.0.checked_sub(length.0).map(|last| latest.min(SimTime(last))) else { return earliest };
    let edges = steps(f, now, SimTime::ZERO, end).into_iter().flat_map(|s| [s.from.0, s.to.0]);
    let mut starts: Vec<u64> = edges.flat_map(|e| [Some(e), e.checked_sub(length.0)]).flatten().collect();
    starts.extend([earliest.0, latest.0]);
    starts.retain(|&s| s >= earliest.0 && s <= latest.0);
    starts.sort_unstable();
    let cost = |s: u64| f.mean(now, SimTime(s), SimTime(s) + length).unwrap().0;
    let mut best: Option<(u64, f64)> = None;
    for s in starts {
        let c = cost(s);
        if best.is_none_or(|(_, lowest)| c < lowest - 1e-9 * lowest.abs()) {
            best = Some((s, c));
        }
    }
    best.map_or(earliest, |(s, _)| SimTime(s))
}

fn agrees_with_itself(
    model: &str,
    f: &dyn Forecast,
    signal: &Signal,
    now: SimTime,
    span: (SimTime, SimTime),
    length: u64,
) {
    let (from, to) = span;
    let end = signal.end();
    assert_eq!(f.known_until(now), end, "{model}");
    let told = steps(f, now, from, to);
    let known_to = to.min(end);
    if from < known_to {
        assert_eq!((told[0].from, told[told.len() - 1].to), (from, known_to), "{model}");
        assert!(told.windows(2).all(|w| w[0].to == w[1].from), "{model}: gaps in {told:?}");
    } else {
        assert!(told.is_empty(), "{model}");
    }
    let mut integral = 0.0;
    for step in &told {
        assert!(step.from < step.to && step.g_per_kwh.is_finite(), "{model}: {step:?}");
        for t in [step.from, SimTime(step.to.0 - 1)] {
            assert_eq!(f.at(now, t), Some(GramsPerKwh(step.g_per_kwh)), "{model} at {t:?}");
            assert_eq!(f.mean(now, t, t), Some(GramsPerKwh(step.g_per_kwh)), "{model} at {t:?}");
        }
        integral += step.g_per_kwh * (step.to - step.from).as_secs_f64();
    }
    if from < known_to {
        let mean = f.mean(now, from, known_to).unwrap().0;
        let by_steps = integral / (known_to - from).as_secs_f64();
        assert!((mean - by_steps).abs() <= 1e-9 * (1.0 + by_steps.abs()), "{model}: {mean} {by_steps}");
    }
    assert_eq!(f.at(now, SimTime(end.0 + 1)), None, "{model}");
    assert_eq!(f.mean(now, from, SimTime(end.0 + 1)), None, "{model}");
    assert!(f.at(now, end).is_some(), "{model}");
    let found = f.lowest_start(now, from, to, Duration(length));
    let tried = brute(f, now, from, to, Duration(length));
    let cost = |s: SimTime| f.mean(now, s, s + Duration(length)).map_or(f64::NAN, |g| g.0);
    // Of starts that cost the same but for rounding, either may be found.
    assert!(found == tried || (cost(found) - cost(tried)).abs() <= 1e-9, "{model}: {} or {}", cost(found), cost(tried));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_forecast_agrees_with_itself_and_with_a_search_by_hand(
        shape in prop::collection::vec((1u8..9, 0u16..40), 30..120),
        before in 0i64..100,
        now in 0u64..200, from in 0u64..200, span in 0u64..120, length in 0u64..40, shift in 0u64..3,
    ) {
        // The run's start must lie inside.
        let total: i64 = shape.iter().map(|s| i64::from(s.0)).sum();
        let signal = mixed(&shape, before.min(total - 1));
        let at = |quarters: u64| SimTime(quarters * (HOUR / 4) + shift * 7_000_000_000);
        let end = signal.end();
        let from = at(from).min(end);
        for (model, f) in all(&signal, 3) {
            for now in [at(now).min(end), SimTime::ZERO, end, SimTime(end.0 + 5)] {
                agrees_with_itself(&model, &*f, &signal, now, (from, from + Duration(span * HOUR / 4)), length * (HOUR / 4));
            }
        }
    }

    #[test]
    fn the_past_is_as_observed_and_honest_models_do_not_see_the_future(
        values in prop::collection::vec(1u16..900, 100..400),
        other in prop::collection::vec(1u16..900, 400),
        now in 0u64..60, first in -40i64..=0,
    ) {
        let signal = hourly(first, values.iter().map(|&v| f64::from(v)).collect());
        let now = SimTime(now * HOUR + HOUR / 3);
        prop_assume!(signal.covers(now));
        let present = signal.step_at(now);
        let changed = signal.intervals().zip(&other).map(|((from, _, v), &o)| {
            if from >= present.to.0 as i64 { f64::from(o) } else { v.0 }
        });
        let changed = hourly(first, changed.collect());
        for ((model, f), (_, g)) in all(&signal, 5).iter().zip(all(&changed, 5)) {
            let ahead = model.contains("'forecast'");
            let known = if ahead { present.from } else { present.to };
            let mut observed = Vec::new();
            signal.steps(SimTime::ZERO, known, &mut observed);
            assert_eq!(steps(&**f, now, SimTime::ZERO, known), observed, "{model}");
            if HONEST.iter().any(|honest| model.starts_with(honest)) {
                let end = signal.end();
                assert_eq!(steps(&**f, now, now, end), steps(&*g, now, now, end), "{model}");
            }
        }
    }
}

#[test]
fn the_list_above_has_every_model_of_the_catalogue() {
    let schema = schemars::schema_for!(ForecastSpec).to_value();
    let names = schema["oneOf"].as_array().unwrap().iter();
    let names: Vec<String> =
        names.map(|v| v["properties"].as_object().unwrap().keys().next().unwrap().clone()).collect();
    assert_eq!(names.len(), 9);
    for name in names {
        assert!(name == "replay" || MODELS.iter().any(|m| spec(m).name() == name), "{name} is not tested");
        assert!(schema.to_string().contains("\"additionalProperties\":false"));
    }
}

#[test]
fn equal_seeds_believe_the_same_and_only_noise_depends_on_the_seed() {
    let signal = hourly(-30, (0..300).map(|i| f64::from(100 + (i * 7) % 50)).collect());
    let told = |seed| all(&signal, seed).into_iter().map(|(m, f)| (m, steps(&*f, h(5.5), h(5.5), signal.end())));
    for (((model, a), (_, b)), (_, c)) in told(1).zip(told(1)).zip(told(2)) {
        assert_eq!(a, b, "{model}");
        assert_eq!(a == c, !model.contains("noise"), "{model}");
    }
}

#[test]
fn questions_asked_before_change_no_answer() {
    let signal = hourly(-30, (0..300).map(|i| f64::from(100 + (i * 7) % 50)).collect());
    for ((model, asked), (_, fresh)) in all(&signal, 1).into_iter().zip(all(&signal, 1)) {
        for t in (0..200).rev() {
            asked.lowest_start(h(f64::from(t)), h(f64::from(t)), h(250.0), Duration(HOUR));
        }
        assert_eq!(steps(&*asked, h(9.0), h(9.0), h(99.0)), steps(&*fresh, h(9.0), h(9.0), h(99.0)), "{model}");
    }
}

#[test]
fn a_signal_of_one_endless_step_is_known_throughout() {
    let signal = Signal::constant("X", 250.0).unwrap();
    for text in MODELS.iter().filter(|m| !m.contains("'forecast'")) {
        let f = build(text, &signal, 1);
        assert_eq!(f.mean(h(1.0), h(2.0), h(1e5)), Some(GramsPerKwh(250.0)), "{text}");
        assert_eq!(f.lowest_start(h(1.0), h(2.0), h(1e5), Duration(HOUR)), h(2.0), "{text}");
    }
}

#[test]
fn without_error_every_disturbed_forecast_is_the_perfect_one() {
    let signal = hourly(-30, (0..300).map(|i| f64::from(100 + (i * 7) % 50)).collect());
    let perfect = build("perfect = {}", &signal, 1);
    let end = signal.end();
    for text in [
        "iid-noise = { relative_sd = 0, present = 'forecast' }",
        "uniform-noise.relative_width = 0",
        "ar1-noise = { rho = 0.5, sd_g_per_kwh = 0 }",
        "horizon-noise.sd_g_per_kwh = 0",
        "bias = {}",
    ] {
        let f = build(text, &signal, 1);
        assert_eq!(steps(&*f, h(3.0), h(0.0), end), steps(&*perfect, h(3.0), h(0.0), end), "{text}");
    }
}

#[test]
fn a_bias_changes_no_choice_of_a_window() {
    let signal = hourly(0, (0..400u32).map(|i| f64::from(100 + (i * 7919) % 211)).collect());
    let perfect = build("perfect = {}", &signal, 1);
    // The step under way is biased with the others only where it is forecast too.
    let keys = ["offset_g_per_kwh = 400", "relative_bias = 0.3", "relative_bias = -0.4, offset_g_per_kwh = -20"];
    for keys in keys {
        let f = build(&format!("bias = {{ {keys}, present = 'forecast' }}"), &signal, 1);
        for i in 0..300u32 {
            let (now, hours) = (h(f64::from(i)), f64::from(i % 13) * 0.5 + 0.25);
            let latest = now + Duration(HOUR * u64::from(i % 90));
            let length = Duration::from_secs_f64(hours * 3600.0);
            let start = |f: &dyn Forecast| f.lowest_start(now, now, latest, length);
            assert_eq!(start(&*f), start(&*perfect), "{keys}, {i}");
        }
    }
}

#[test]
fn keys_that_cannot_be_are_refused_with_what_to_do() {
    let signal = hourly(0, vec![100.0; 48]);
    for (text, part) in [
        ("persistence.lag_h = 0", "forecast persistence: lag_h is 0; allowed is 0.001 to 87600"),
        ("climatology = { days = 6, same_weekday = true }", "forecast climatology: days is 6; allowed is 7 to 3660"),
        ("iid-noise.relative_sd = -0.1", "relative_sd is -0.1; allowed is from 0"),
        ("uniform-noise.relative_width = 3.0", "allowed is 0 to 2"),
        ("ar1-noise = { rho = 1.0, relative_sd = 0.1 }", "rho is 1; allowed is 0 to 0.999999"),
        ("ar1-noise = { rho = 0.5 }", "zone \"X\" is none of `sim list zones`; give it"),
        ("ar1-noise = { relative_sd = 0.1, sd_g_per_kwh = 3.0 }", "both say how large the error is; keep one"),
        ("horizon-noise = {}", "sd_g_per_kwh or relative_sd is required"),
        ("bias.relative_bias = nan", "relative_bias is NaN"),
        ("replay = { path = 'none.csv', source = 'x' }", "cannot read none.csv"),
        ("replay = { path = 'none.csv', source = ' ' }", "source is blank"),
        ("replay = { path = 'n', source = 'x', lead_h = 24, issued_column = 'i' }", "keep one"),
        ("replay = { path = 'n', source = 'x', value_column = 'v' }", "does not say its unit"),
    ] {
        let error = build_in(Path::new(""), text, &signal, 1).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
    for (text, part) in [
        ("oracle = {}", "unknown variant `oracle`"),
        ("perfect = { lag_h = 1 }", "lag_h"),
        ("iid-noise = {}", "missing field `relative_sd`"),
    ] {
        let error = toml::from_str::<ForecastSpec>(text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}
