//! The laws that every keep-alive policy keeps.

use super::*;
use crate::scheduler::tests::{arrive, catalogue, idle, known, pool};
use crate::types::Seed;
use crate::workload::Future;

const REQUIRED: &[(&str, &str)] = &[("lru-budget", "budget_mb = 1000")];

fn specs() -> Vec<(String, KeepAliveSpec)> {
    let entries = catalogue::<KeepAliveSpec>(REQUIRED);
    entries.into_iter().map(|text| (text.clone(), toml::from_str(&text).expect(&text))).collect()
}

/// What a policy answers to a random but repeatable traffic of three pools in two regions.
fn answers(spec: &KeepAliveSpec, seed: u64) -> Vec<Plan> {
    let mut known = known(2);
    let times = |n: u64| (0..500).map(|i| SimTime::from_secs_f64((i * (n + 1) * 97) as f64)).collect::<Vec<_>>();
    known.future = Some(Future::new(2, &(0..6).map(times).collect::<Vec<_>>()).into());
    let mut policy = spec.build(&known);
    let mut random = Seed(seed).stream("contract", 0);
    let mut pools: Vec<_> = (0..6).map(|i| pool(i / 2, i % 2)).collect();
    let (mut now, mut plans) = (0.0, Vec::new());
    for _ in 0..2000 {
        now += random.exponential(300.0);
        let at = &mut pools[random.below(6) as usize];
        if at.running == 0 || random.uniform() < 0.3 {
            if policy.observes() {
                arrive(policy.as_mut(), at, now);
            }
            at.idle = at.idle.saturating_sub(1);
            at.running += 1;
        } else {
            at.running -= 1;
            at.last_end = Some(SimTime::from_secs_f64(now));
            plans.push(idle(policy.as_mut(), at, now));
            at.idle += u32::from(plans[plans.len() - 1].keep > Duration::ZERO);
        }
    }
    plans
}

#[test]
fn every_policy_answers_two_like_runs_alike() {
    for (name, spec) in specs() {
        assert_eq!(answers(&spec, 7), answers(&spec, 7), "{name}");
    }
}

#[test]
fn every_policy_prewarms_only_for_a_time_and_within_a_budget_above_nothing() {
    for (name, spec) in specs() {
        for plan in answers(&spec, 11) {
            if let Some(prewarm) = plan.prewarm {
                assert!(prewarm.keep > Duration::ZERO, "{name}: {plan:?}");
                assert!(prewarm.after < Duration::FOREVER, "{name}: {plan:?}");
                assert!(plan.keep < Duration::FOREVER, "{name} starts anew what never goes: {plan:?}");
            }
        }
        let budget = spec.build(&known(1)).budget();
        assert!(budget.is_none_or(|b| b.per_host > Memory(0)), "{name}");
    }
}

#[test]
fn every_policy_answers_for_a_pool_it_has_never_heard_of() {
    for (name, spec) in specs() {
        let plan = idle(spec.build(&known(2)).as_mut(), &pool(1000, 1), 5.0);
        assert!(plan.prewarm.is_none(), "{name}: {plan:?}");
    }
}

#[test]
fn only_the_oracle_is_given_the_future() {
    for (name, spec) in specs() {
        assert_eq!(spec.needs_future(), name.starts_with("[oracle]"), "{name}");
        if !spec.needs_future() {
            spec.build(&Known { future: None, ..known(1) });
        }
    }
}

#[test]
fn every_table_reads_back_as_it_was_written() {
    for (name, spec) in specs() {
        let text = toml::to_string(&spec).expect("a policy is a table");
        assert_eq!(toml::from_str::<KeepAliveSpec>(&text).as_ref(), Ok(&spec), "{name}");
    }
}
