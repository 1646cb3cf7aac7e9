//! `scenarios/papers`: the whole program reproduces the figures that released codes of four papers give.
//!
//! The figures stand in `shared/oracles/carbon`, the comparisons in `src/validate/functions/papers.rs`; without that folder, these tests say that
//! they were skipped.

use slackwater::validate::{Catalogue, Options, Verdict, validate};

use crate::lab::shared;
use crate::validate::hold;

#[test]
fn gaia_is_its_released_codes_eight_policies() {
    hold(&["O-gaia-*"]);
}

#[test]
fn the_limits_of_shifting_are_those_of_the_study_in_thirteen_zones() {
    hold(&["B9-base", "B9-defer", "B9-interrupt", "B9-monotone"]);
}

#[test]
fn carbon_scaler_is_its_published_table_to_the_printed_digits() {
    hold(&["O-carbonscaler"]);
}

#[test]
fn lets_wait_awhile_without_noise_is_its_released_code() {
    hold(&["O-lwa-periodic", "O-lwa-ml"]);
}

#[test]
fn lets_wait_awhile_ml_jobs_with_noise_are_its_released_code_by_chance() {
    hold(&["O-lwa-ml-noise"]);
}

/// Three of the 17 windows, to save twenty seconds of two cores; `sim validate` looks at all.
#[test]
fn lets_wait_awhile_periodic_with_noise_is_its_released_code_by_chance() {
    let Some(oracles) = shared("oracles") else { return };
    let text = "subject = \"s\"\nabout = \"a\"\n[[claim]]\nid = \"T\"\nclaim = \"c\"\nsource = \"Wiesner et al., 2021\"\nstates = \"12 means\"\n\
                why = \"three standard errors\"\ntolerance.of-rows = {}\n\
                measure.function = { name = \"lets-wait-awhile-periodic\", with = { noise = true, windows = [\"1\", \"8\", \"16\"] } }\n";
    let catalogue = Catalogue::of(&[("test", text)]).expect("right");
    let data = oracles.parent().map(std::path::Path::to_owned);
    let validated = validate(&catalogue, &Options { data, jobs: 1, ..Options::default() }, &|_| {}).expect("it runs");
    let judged = validated.judged().next().expect("one claim");
    assert_eq!((&judged.verdict, judged.ours.as_str()), (&Verdict::Reproduced, "12 of 12"), "{:?}", judged.missed);
}
