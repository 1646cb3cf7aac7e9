//! The figures of dispatch: durable queues, schedulers and central controllers.

use super::summary::{List, share};
use crate::sim::{DispatchTotals, ServiceOutcome};

/// The figures of durable queues.
pub(super) fn figures(list: &mut List, t: &DispatchTotals) {
    let levels = &t.levels;
    list.count(
        "dispatch.attempts",
        t.attempts,
        "calls handed out by durable queues, once more for every further attempt",
    );
    let meaning = "attempts in the instant in which the call was written to its queue, over all attempts";
    list.number("dispatch.at_once_share", share(t.at_once as f64, t.attempts as f64), "1", meaning);
    let meaning = "attempts in another region than that of the call's queue, over all attempts";
    list.number("dispatch.abroad_share", share(t.abroad as f64, t.attempts as f64), "1", meaning);
    list.count(
        "dispatch.due",
        t.due,
        "attempts that were made because the deadline was near, whatever the controllers said",
    );
    list.count(
        "dispatch.waiting_max",
        t.waiting.1,
        "most calls in durable queues together, invisible ones not counted",
    );
    list.number("dispatch.waiting_mean", levels.waiting_mean(), "1", "calls in durable queues, mean over the polls");
    list.number(
        "dispatch.scale_mean",
        levels.scale_mean(),
        "1",
        "S of the utilization controller, mean over the polls",
    );
    list.number("dispatch.scale_max", levels.scale_max, "1", "greatest S of the utilization controller");
    let meaning = "polls at which S was 0, over all polls";
    list.number("dispatch.scale_zero_share", share(levels.stopped as f64, levels.polls() as f64), "1", meaning);
    let blocked = [
        ("concurrency", "times a function was looked at whose calls had to wait: as many ran as may run together"),
        ("slow_start", "the same: its calls had grown as fast as they may"),
        ("back_pressure", "the same: its service throws exceptions"),
        ("quota", "the same: its reserved rate was used up"),
        ("utilization", "the same: its opportunistic rate, scaled by S, was used up"),
        ("run_queue", "the same: the RunQ of every region that may pull was full"),
    ];
    for ((name, meaning), times) in blocked.into_iter().zip(t.blocked) {
        list.count(&format!("dispatch.blocked_by_{name}"), times, meaning);
    }
    list.count("dispatch.refused", t.refused, "attempts that ended in an exception of the function's service");
    list.count(
        "dispatch.given_up",
        t.given_up,
        "calls given up after as many attempts as there may be; part of the rejected ones",
    );
    list.count("dispatch.timeouts", t.timeouts, "calls that were not heard of in time and were offered once more");
    list.count("dispatch.acknowledgements_lost", t.acknowledgements_lost, "acknowledgements lost on the way");
    let meaning =
        "executions of calls that had been executed already, or ran elsewhere, too; not among the executed ones";
    list.count("dispatch.executed_again", t.executed_again, meaning);
    list.count(
        "dispatch.slowed_functions",
        t.slowed_functions,
        "times a function began to be slowed by its service's exceptions",
    );
    let meaning = "polls while the central controllers were down, over all polls";
    list.number("dispatch.blind_share", share(t.polls_blind as f64, levels.polls() as f64), "1", meaning);
    for service in &t.services {
        services(list, service);
    }
}

/// The figures of one service.
fn services(list: &mut List, service: &ServiceOutcome) {
    let key = |figure: &str| format!("services.{}.{figure}", service.name);
    list.count(&key("accepted"), service.totals.accepted, "calls that the service served");
    list.count(&key("exceptions"), service.totals.exceptions, "calls that got an exception");
    let meaning =
        "most calls behind because of it: refused ones that wait, and waiting ones of reserved functions that call it";
    list.count(&key("behind_max"), service.behind_max, meaning);
    let meaning = "longest time from the end of an outage until no more calls were behind than before it; undefined if that never came";
    let longest =
        service.caught_up_s.iter().fold(0.0, |a: f64, &b| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) });
    let longest = if service.caught_up_s.is_empty() { f64::NAN } else { longest };
    list.number(&key("caught_up_max_s"), longest, "s", meaning);
}
