//! Durable queues deliver at least once, and survive a service that fails: counted through the whole program.

use crate::dispatch::{calls, lab, of, part, world};
use crate::lab::{Lab, Run};
use crate::scene::is;

/// So many calls of a second each, `per_s` a second, in the middle between whole fractions of a second.
fn steady(function: &str, per_s: f64, from: f64, until: f64) -> Vec<String> {
    let count = ((until - from) * per_s).round() as u32;
    (0..count).map(|k| calls(from + (f64::from(k) + 0.5) / per_s, function, 1.0, "here", 1)).collect()
}

fn numbers<const N: usize>(run: &Run, keys: [&str; N]) -> [f64; N] {
    keys.map(|k| run.number(k))
}

#[test]
fn every_lost_acknowledgement_executes_the_call_once_more() {
    let lab = lab(&[("here", 40)], "", &steady("f", 5.0, 0.0, 200.0));
    let run = lab.run(&[&part("delivery", "{ timeout_s = 30.0, lost_acknowledgements = 0.2 }")]);
    let [executed, lost, again, attempts, timeouts] = numbers(
        &run,
        [
            "calls.executed",
            "dispatch.acknowledgements_lost",
            "dispatch.executed_again",
            "dispatch.attempts",
            "dispatch.timeouts",
        ],
    );
    assert_eq!([executed, again, attempts, timeouts], [1000.0, lost, 1000.0 + lost, 0.0]);
    // p/(1 - p) = 1/4 of 1000 in the mean, with a variance of p/(1 - p)^2 each: a standard deviation of 17.7.
    assert!((lost - 250.0).abs() < 4.0 * 17.7, "{lost} lost");
    assert_eq!(run.table("hosts.csv").sum("executed"), 1000.0 + lost);
    assert_eq!(run.table("functions.csv").sum("executed"), 1000.0);
    // Each is executed in full: 80 J per core-second.
    is("energy", run.number("energy_j.dynamic"), (1000.0 + lost) * 80.0);
    assert_eq!(run.number("calls.unfinished"), 0.0);
}

#[test]
fn a_time_out_that_is_shorter_than_the_call_executes_it_again_and_loses_nothing() {
    let lab = lab(&[("here", 40)], "", &[calls(0.0, "f", 25.0, "here", 3)]);
    let run = lab.run(&[&part("delivery", "{ timeout_s = 10.0 }"), "time.drain_limit_s=1000"]);
    let [executed, again, unfinished, timeouts] =
        numbers(&run, ["calls.executed", "dispatch.executed_again", "calls.unfinished", "dispatch.timeouts"]);
    assert_eq!([executed, unfinished], [3.0, 0.0]);
    // Handed out at 0, offered again at 10 and at 20; acknowledged at 26, after which the queue forgets the call.
    assert_eq!([again, timeouts], [6.0, 6.0]);
    assert!(run.number("run.simulated_s") < 60.0, "copies of calls that are done go on for ever");
    let run = lab.run(&[&part("delivery", "{ timeout_s = 30.0 }")]);
    assert_eq!(numbers(&run, ["dispatch.executed_again", "dispatch.timeouts"]), [0.0, 0.0]);
}

const DOWN: &str =
    "[services.db]\ncapacity_per_s = 10.0\nfunctions = [\"f\"]\noutages = [{ from_s = 0.0, until_s = 50.0 }]\n";

#[test]
fn without_delivery_a_call_that_is_refused_is_rejected_and_with_it_offered_until_it_is_given_up() {
    let rows = [steady("f", 2.0, 0.0, 100.0), steady("g", 2.0, 0.0, 100.0)].concat();
    let mut rows = rows;
    rows.sort_by(|a, b| {
        let at = |row: &str| row.split(',').next().and_then(|t| t.parse::<f64>().ok()).expect("a time");
        at(a).total_cmp(&at(b))
    });
    let lab = lab(&[("here", 40)], DOWN, &rows);
    let keys = ["calls.rejected", "dispatch.given_up", "dispatch.refused", "calls.executed"];
    let run = lab.run(&[]);
    let [rejected, given_up, refused, executed] = numbers(&run, keys);
    assert_eq!([rejected, given_up, executed], [refused, refused, 400.0 - refused]);
    assert!((98.0..=100.0).contains(&refused), "starts take a second: {refused}");
    assert!(of(&run, "g").len() == 200, "another function's calls are refused");
    // Tried at 0, 5 + and 10 s more: 15 s after the first time it is given up, and the last ones outlive the outage.
    let run = lab.run(&[&part("delivery", "{ retry_delay_s = 5.0, backoff = 2.0, attempts = 3 }")]);
    let [rejected, given_up, refused, executed] = numbers(&run, keys);
    assert_eq!([rejected, executed], [given_up, 400.0 - given_up]);
    assert!(given_up > 60.0 && given_up < 72.0, "{given_up}");
    assert!(refused > 3.0 * given_up);
    let run = lab.run(&[&part("delivery", "{ retry_delay_s = 5.0 }")]);
    assert_eq!(numbers(&run, ["calls.rejected", "dispatch.given_up", "calls.executed"]), [0.0, 0.0, 400.0]);
}

fn outage(more: &str) -> Lab {
    let service = format!(
        "[services.db]\ncapacity_per_s = 1000.0\nfunctions = [\"f\"]\nexceptions_per_min = 10.0\noutages = [{{ from_s = 600.0, until_s = 900.0 }}]\n{more}"
    );
    lab(&[("here", 60)], &service, &steady("f", 5.0, 0.0, 2400.0))
}

#[test]
fn an_outage_loses_nothing_and_its_callers_catch_up() {
    let delivery = "{ retry_delay_s = 10.0, longest_delay_s = 60.0 }";
    let run = outage("").run(&[&part("delivery", delivery), &part("back_pressure", "{ increase = 0.2 }")]);
    let [received, executed, rejected, exceptions, refused, accepted, caught_up] = numbers(
        &run,
        [
            "calls.received",
            "calls.executed",
            "calls.rejected",
            "services.db.exceptions",
            "dispatch.refused",
            "services.db.accepted",
            "services.db.caught_up_max_s",
        ],
    );
    assert_eq!([received, executed, rejected, accepted], [12_000.0, 12_000.0, 0.0, 12_000.0]);
    assert!(exceptions > 300.0 && exceptions == refused);
    assert!(caught_up > 0.0 && caught_up < 1500.0, "{caught_up}");
    assert_eq!(run.number("dispatch.slowed_functions"), 1.0);
    // Without the outage the same capacity refuses nobody.
    let free = outage("").run(&[&part("delivery", delivery), &part("back_pressure", "{}"), "services.db.outages=[]"]);
    assert_eq!(numbers(&free, ["services.db.exceptions", "dispatch.slowed_functions"]), [0.0, 0.0]);
}

#[test]
fn callers_catch_up_though_calls_are_executed_more_than_once() {
    let delivery = "{ timeout_s = 30.0, retry_delay_s = 10.0, longest_delay_s = 60.0, lost_acknowledgements = 0.2 }";
    let run = outage("").run(&[&part("delivery", delivery)]);
    let [again, lost] = numbers(&run, ["dispatch.executed_again", "dispatch.acknowledgements_lost"]);
    assert_eq!([run.number("calls.executed"), again], [12_000.0, lost]);
    let caught_up = run.report.number("services.db.caught_up_max_s").expect("a figure");
    assert!(caught_up < 300.0, "callers are behind for {caught_up} s");
}

#[test]
fn exceptions_halve_the_calls_of_every_minute() {
    // Ten calls a second; what is refused comes back when all is over. The first poll is at 1 s, and periods of a minute follow each other from there.
    let exceptions = |minutes: u32| {
        let until = 601 + 60 * minutes;
        let service = format!(
            "[services.db]\ncapacity_per_s = 1000.0\nfunctions = [\"f\"]\nexceptions_per_min = 10.0\noutages = [{{ from_s = 602.0, until_s = {until} }}]\n"
        );
        let lab = lab(&[("here", 60)], &service, &steady("f", 10.0, 0.0, 1000.0));
        let delivery = "{ retry_delay_s = 5000.0, longest_delay_s = 5000.0 }";
        let run = lab.run(&[&part("delivery", delivery), &part("back_pressure", "{}")]);
        assert_eq!(numbers(&run, ["calls.executed", "calls.rejected"]), [10_000.0, 0.0]);
        run.number("services.db.exceptions")
    };
    let total: Vec<f64> = (1..=5).map(exceptions).collect();
    let by_minute: Vec<f64> = total.windows(2).map(|w| w[1] - w[0]).collect();
    for (minute, wanted) in by_minute.iter().zip([300.0, 150.0, 75.0, 37.5]) {
        // What the bucket holds when a rate begins, a poll's calls and one, comes on top.
        assert!((minute - wanted).abs() <= wanted / 60.0 + 1.5, "{by_minute:?}");
    }
}

#[test]
fn a_call_whose_copy_is_given_up_is_not_counted_as_rejected() {
    // Acknowledgements are lost before the outage, and the copies meet it with one attempt left.
    let rows = steady("f", 5.0, 0.0, 100.0);
    let service = "[services.db]\ncapacity_per_s = 1000.0\nfunctions = [\"f\"]\noutages = [{ from_s = 105.0, until_s = 900.0 }]\n";
    let lab = lab(&[("here", 40)], service, &rows);
    let run = lab.run(&[&part("delivery", "{ timeout_s = 200.0, attempts = 2, lost_acknowledgements = 0.2 }")]);
    let [executed, rejected, given_up] = numbers(&run, ["calls.executed", "calls.rejected", "dispatch.given_up"]);
    assert_eq!([executed, rejected], [500.0, 0.0]);
    assert!(run.number("dispatch.refused") > 0.0);
    assert_eq!(given_up, rejected, "those given up are a part of the rejected");
}

#[test]
fn a_world_without_a_service_calls_none() {
    let text = world(
        &[("here", 2)],
        "[workload.poisson]\nrate_per_s = 1.0\ncalls = 100\nservice.constant = { length_s = 0.5 }\n",
    );
    let run = Lab::new(&text).run(&[&part("delivery", "{}"), &part("back_pressure", "{}")]);
    assert_eq!(numbers(&run, ["dispatch.refused", "dispatch.executed_again", "calls.executed"]), [0.0, 0.0, 100.0]);
}
