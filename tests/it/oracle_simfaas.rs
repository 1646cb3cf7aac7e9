//! SimFaaS' steady state of one function: cold starts, servers and their lifespan inside its published ranges.
//!
//! The comparison stands in `src/validate/functions/simfaas.rs`.

use slackwater::validate::{Catalogue, Options, validate};

use crate::lab::shared;
use crate::validate::hold;

/// Twenty replications: the oracle's range of `avg_servers`, 0.04 %, is narrower than one run's standard deviation, 0.25 %.
#[test]
fn the_readme_example_of_simfaas_is_inside_its_range() {
    hold(&["O-simfaas-A"]);
}

#[test]
fn a_short_threshold_and_rare_calls_are_inside_the_range_of_simfaas() {
    hold(&["O-simfaas-B", "O-simfaas-D"]);
}

/// The comparison can fail: every departure from the semantics is seen by the figures that it moves.
#[test]
fn other_semantics_fall_outside_the_range_of_simfaas() {
    let Some(oracles) = shared("oracles") else { return };
    let departures = [
        ("B", "model.sandbox.reuse_order=lru", "avg_servers"),
        ("B", "isolation.container.start_covers_call=false", "avg_running"),
        ("B", "scheduler.keep_alive.fixed.clock_restarts=false", "avg_lifespan_s"),
        ("D", "scheduler.keep_alive.fixed.keep_alive_s=30.5", "avg_idle"),
    ];
    for (set, departure, moved) in departures {
        let text = format!(
            "subject = \"s\"\nabout = \"a\"\n[[claim]]\nid = \"T\"\nclaim = \"c\"\nsource = \"SimFaaS 0.2.2\"\nstates = \"8 ranges\"\n\
             why = \"w\"\ntolerance.of-rows = {{}}\n\
             measure.function = {{ name = \"simfaas\", with = {{ set = \"{set}\", replications = 16, also = [\"{departure}\"] }} }}\n"
        );
        let catalogue = Catalogue::of(&[("test", &text)]).expect("right");
        let data = oracles.parent().map(std::path::Path::to_owned);
        let validated =
            validate(&catalogue, &Options { data, jobs: 1, ..Options::default() }, &|_| {}).expect("it runs");
        let judged = validated.judged().next().expect("one claim");
        let seen = judged.missed.iter().any(|row| row.starts_with(moved));
        assert!(seen && judged.verdict.alarms(), "{set} {departure}: {moved} is inside; {:?}", judged.missed);
    }
}
