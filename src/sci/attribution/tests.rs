//! The laws that every rule keeps, and one example for all, by hand.

use proptest::prelude::*;

use super::super::embodied::{LifetimeBasis, Lives};
use super::super::{CAUSES, GroupFacts, RegionScore, Scored, Share, charge};
use super::*;
use crate::ledger::{Account, Accounts, Cause};
use crate::types::{FunctionId, RegionId};

const STEP_S: f64 = 300.0;
/// Functions: two of their own, twins, and one that does nothing.
const FUNCTIONS: usize = 5;
const TWINS: (usize, usize) = (2, 3);
const IDLER: usize = 4;

fn idle_rules() -> Vec<IdleRule> {
    vec![
        IdleRule::Unattributed(Unattributed {}),
        IdleRule::Allocation(Allocation {}),
        IdleRule::Usage(Usage {}),
        IdleRule::Peak(Peak {}),
        IdleRule::TemporalShapley(TemporalShapley { levels_s: vec![1200.0, 600.0, 300.0] }),
    ]
}

fn embodied_rules() -> Vec<EmbodiedRule> {
    let mut rules = vec![EmbodiedRule::Unattributed(Unattributed {})];
    for spread in [Spread::Pool, Spread::All] {
        rules.push(EmbodiedRule::Allocation(Spreading { spread }));
        rules.push(EmbodiedRule::Usage(Spreading { spread }));
        rules.push(EmbodiedRule::Peak(Spreading { spread }));
        rules.push(EmbodiedRule::TemporalShapley(ShapleySpreading { levels_s: vec![900.0, 300.0], spread }));
    }
    rules
}

/// A finished run without any rule.
#[derive(Debug)]
struct Fleet {
    groups: Vec<GroupFacts>,
    accounts: Accounts,
    rows: Vec<PeriodAccount>,
    scored: Scored,
    step: Duration,
    end: SimTime,
}

impl Fleet {
    fn new(groups: Vec<GroupFacts>, rows: Vec<PeriodAccount>, idle: &[[f64; CAUSES]], step_s: f64, end_s: f64) -> Self {
        let end = SimTime::from_secs_f64(end_s);
        let mut accounts = Accounts::new(groups.len());
        accounts.grow(FUNCTIONS);
        for row in &rows {
            let account = accounts.of_mut(row.function, row.group);
            for (i, s) in row.share_s.into_iter().enumerate() {
                account.share_s[i] += s;
                account.share_weight[i] += s * 300.0;
            }
            for (i, j) in row.dynamic_j.into_iter().enumerate() {
                account.dynamic_j[i] += j;
                account.dynamic_weight[i] += j * 300.0;
            }
        }
        let regions = 1 + groups.iter().map(|g| g.region.index()).max().unwrap_or(0);
        let mut scores =
            vec![RegionScore { energy_j: [0.0; CAUSES], operational_g: [0.0; CAUSES], embodied_g: 0.0 }; regions];
        let mut functions = vec![Share::default(); FUNCTIONS];
        let mut unattributed = Share::default();
        for (g, group) in groups.iter().enumerate() {
            let region = &mut scores[group.region.index()];
            let embodied_g = f64::from(group.hosts) * group.embodied_g_per_s() * end_s;
            let rest = Share { energy_j: idle[g], operational_g: idle[g].map(|j| j * 1e-4), embodied_g };
            let mut all = rest;
            let mut held_g = 0.0;
            for (f, share) in functions.iter_mut().enumerate() {
                let own: &Account = accounts.of(FunctionId::from_index(f), GroupId::from_index(g));
                let own = charge(own, group);
                share.add(&own);
                held_g += own.embodied_g;
                all.add(&Share { embodied_g: 0.0, ..own });
            }
            for c in 0..CAUSES {
                region.energy_j[c] += all.energy_j[c];
                region.operational_g[c] += all.operational_g[c];
            }
            region.embodied_g += embodied_g;
            unattributed.add(&Share { embodied_g: embodied_g - held_g, ..rest });
        }
        let scored = Scored { regions: scores, functions, unattributed };
        Self { groups, accounts, rows, scored, step: Duration::from_secs_f64(step_s), end }
    }

    fn under(&self, idle: &IdleRule, embodied: &EmbodiedRule) -> Scored {
        let spec = AttributionSpec { idle: idle.clone(), embodied: embodied.clone() };
        let periods = Periods { step: self.step, end: self.end, rows: &self.rows };
        attribute(&spec, self.scored.clone(), &self.accounts, &self.groups, periods).expect("rows in memory")
    }
}

fn group(region: u32, hosts: u32, held_w: f64, embodied_kg: f64) -> GroupFacts {
    GroupFacts {
        server: "test".into(),
        region: RegionId(region),
        hosts,
        memory_mb: 1000.0,
        held_w,
        pue: 1.2,
        carbon_pue: None,
        fixed_overhead_w: 5.0,
        server_kg: embodied_kg,
        lives: Lives::default(),
        embodied_kg,
        lifetime_s: 1e8,
        lifetime_basis: LifetimeBasis::Existence,
        surroundings_g_per_s: 0.0,
        powered_s: 0.0,
    }
}

fn idle_of(host: f64, boot: f64, off: f64) -> [f64; CAUSES] {
    let mut idle = [0.0; CAUSES];
    idle[Cause::IdleHost as usize] = host;
    idle[Cause::Boot as usize] = boot;
    idle[Cause::Off as usize] = off;
    idle[Cause::Overhead as usize] = 0.2 * (host + boot + off);
    idle
}

prop_compose! {
    /// Seven periods, the last one cut off, in three groups and two regions; each function holds at most a fifth of a group.
    fn fleets()(
        holds in prop::collection::vec((0usize..4, 0u32..3, 0u64..7, prop::array::uniform3(0.0f64..0.06), prop::array::uniform2(0.0f64..1e4)), 0..40),
        idle in prop::array::uniform3((0.0f64..1e7, 0.0f64..1e6, 0.0f64..1e6)).prop_map(|a| a.map(|(h, b, o)| idle_of(h, b, o))),
    ) -> Fleet {
        let mut rows = std::collections::BTreeMap::new();
        for (function, group, period, share, dynamic_j) in holds {
            let functions = if function == TWINS.0 || function == TWINS.1 { vec![TWINS.0, TWINS.1] } else { vec![function] };
            for f in functions {
                let length_s = if period == 6 { 100.0 } else { STEP_S };
                rows.insert((period, f, group), PeriodAccount {
                    start: SimTime::from_secs_f64(period as f64 * STEP_S),
                    function: FunctionId::from_index(f),
                    group: GroupId(group),
                    share_s: share.map(|s| s * length_s),
                    dynamic_j,
                    network_j: 0.0,
                });
            }
        }
        let groups = vec![group(0, 2, 100.0, 1000.0), group(0, 1, 0.0, 500.0), group(1, 3, 80.0, 2000.0)];
        Fleet::new(groups, rows.into_values().collect(), &idle, STEP_S, 6.0 * STEP_S + 100.0)
    }
}

fn near(what: &str, ours: f64, wanted: f64, scale: f64) -> Result<(), TestCaseError> {
    prop_assert!((ours - wanted).abs() <= 1e-9 * scale.abs().max(wanted.abs()), "{what}: {ours} is not {wanted}");
    Ok(())
}

/// Everything that a share charges.
fn amounts(share: &Share) -> Vec<f64> {
    [&share.energy_j[..], &share.operational_g, &[share.embodied_g]].concat()
}

/// The laws.
fn keeps_the_laws(fleet: &Fleet, idle: &IdleRule, embodied: &EmbodiedRule) -> Result<(), TestCaseError> {
    let what = format!("{} and {}", idle.name(), embodied.name());
    let scored = fleet.under(idle, embodied);
    let whole = Share {
        energy_j: scored.energy_by_cause_j(),
        operational_g: scored.operational_by_cause_g(),
        embodied_g: scored.embodied_g(),
    };
    let mut sum = scored.unattributed;
    scored.functions.iter().for_each(|f| sum.add(f));
    for (i, (ours, wanted)) in amounts(&sum).into_iter().zip(amounts(&whole)).enumerate() {
        near(&format!("{what}: amount {i} is conserved"), ours, wanted, 0.0)?;
    }
    for share in scored.functions.iter().chain([&scored.unattributed]) {
        prop_assert!(amounts(share).iter().all(|&x| x >= 0.0 && x.is_finite()), "{what}: {share:?}");
    }
    prop_assert_eq!(scored.functions[IDLER], Share::default(), "{}: who did nothing pays nothing", &what);
    prop_assert_eq!(scored.functions[TWINS.0], scored.functions[TWINS.1], "{}: alike pay alike", &what);
    for (ours, before) in scored.functions.iter().zip(&fleet.scored.functions) {
        let own = [Cause::Execution, Cause::ColdStart, Cause::WarmIdle].map(|c| c as usize);
        prop_assert!(own.iter().all(|&c| ours.energy_j[c] == before.energy_j[c]), "{what}: own causes stay");
        prop_assert!(own.iter().all(|&c| ours.operational_g[c] == before.operational_g[c]), "{what}: own causes stay");
    }
    // Nobody is there to pay: all stays.
    if fleet.rows.is_empty() {
        for (ours, wanted) in amounts(&scored.unattributed).into_iter().zip(amounts(&fleet.scored.unattributed)) {
            near(&format!("{what}: all is unattributed"), ours, wanted, 0.0)?;
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_rule_keeps_the_laws(fleet in fleets()) {
        for idle in idle_rules() {
            for embodied in embodied_rules() {
                keeps_the_laws(&fleet, &idle, &embodied)?;
            }
        }
    }

    #[test]
    fn without_a_rule_nothing_changes_at_all(fleet in fleets()) {
        prop_assert_eq!(fleet.under(&IdleRule::default(), &EmbodiedRule::default()), fleet.scored);
    }

    #[test]
    fn a_rule_for_one_thing_leaves_the_other_as_it_was(fleet in fleets()) {
        for embodied in embodied_rules() {
            let scored = fleet.under(&IdleRule::default(), &embodied);
            for (ours, before) in scored.functions.iter().zip(&fleet.scored.functions) {
                prop_assert_eq!((ours.energy_j, ours.operational_g), (before.energy_j, before.operational_g));
            }
        }
        for idle in idle_rules() {
            let scored = fleet.under(&idle, &EmbodiedRule::default());
            for (ours, before) in scored.functions.iter().zip(&fleet.scored.functions) {
                prop_assert_eq!(ours.embodied_g, before.embodied_g);
            }
            prop_assert_eq!(scored.unattributed.embodied_g, fleet.scored.unattributed.embodied_g);
        }
    }
}

#[test]
fn an_empty_fleet_keeps_the_laws() {
    let fleet = Fleet::new(vec![group(0, 2, 100.0, 1000.0)], Vec::new(), &[idle_of(1e6, 1e3, 1e2)], STEP_S, 900.0);
    for idle in idle_rules() {
        for embodied in embodied_rules() {
            keeps_the_laws(&fleet, &idle, &embodied).expect("the laws hold");
        }
    }
}

#[test]
fn the_tests_know_every_rule_and_rules_are_called_as_in_scenarios() {
    let count = |schema: schemars::Schema| schema.to_value()["oneOf"].as_array().map_or(0, Vec::len);
    assert_eq!(count(schemars::schema_for!(IdleRule)), idle_rules().len());
    assert_eq!(2 * count(schemars::schema_for!(EmbodiedRule)) - 1, embodied_rules().len());
    let key = |json: serde_json::Value| json.as_object().and_then(|o| o.keys().next().cloned()).expect("one name");
    for rule in idle_rules() {
        assert_eq!(key(serde_json::to_value(&rule).expect("a rule")), rule.name());
    }
    for rule in embodied_rules() {
        assert_eq!(key(serde_json::to_value(&rule).expect("a rule")), rule.rule().0.name());
    }
}

/// The example of docs/attribution.md: three hours, ten hosts of 10 g each per hour. A holds 6 hosts in the first hour, B holds 2 in
/// all three; A draws 1 kWh for computing and B 3.
fn example() -> Fleet {
    let hours = [(0, 0, 6.0, 3.6e6), (0, 1, 2.0, 3.6e6), (1, 1, 2.0, 3.6e6), (2, 1, 2.0, 3.6e6)];
    let row = |(hour, function, hosts, joules): (u64, u32, f64, f64)| PeriodAccount {
        start: SimTime(hour * 3_600_000_000_000),
        function: FunctionId(function),
        group: GroupId(0),
        share_s: [hosts * 3600.0, 0.0, 0.0],
        dynamic_j: [joules, 0.0],
        network_j: 0.0,
    };
    // Embodied: 10 g per hour.
    let hosts = GroupFacts { pue: 1.0, fixed_overhead_w: 0.0, ..group(0, 10, 100.0, 1e8 / 3600.0 * 10.0 / 1000.0) };
    // 18 host-hours of 100 W that nobody holds.
    Fleet::new(vec![hosts], hours.map(row).to_vec(), &[idle_18_host_hours()], 3600.0, 3.0 * 3600.0)
}

fn idle_18_host_hours() -> [f64; CAUSES] {
    let mut idle = [0.0; CAUSES];
    idle[Cause::IdleHost as usize] = 18.0 * 100.0 * 3600.0;
    idle
}

#[test]
fn two_tenants_pay_as_the_documentation_says() {
    use Spread::{All, Pool};
    let shapley = |spread| EmbodiedRule::TemporalShapley(ShapleySpreading { levels_s: vec![3600.0], spread });
    let spreading = |spread| Spreading { spread };
    let cases = [
        (EmbodiedRule::default(), [60.0, 60.0, 180.0]),
        (EmbodiedRule::Allocation(spreading(Pool)), [150.0, 150.0, 0.0]),
        (EmbodiedRule::Usage(spreading(Pool)), [105.0, 195.0, 0.0]),
        (EmbodiedRule::Usage(spreading(All)), [75.0, 225.0, 0.0]),
        (EmbodiedRule::Peak(spreading(Pool)), [195.0, 105.0, 0.0]),
        (EmbodiedRule::Peak(spreading(All)), [225.0, 75.0, 0.0]),
        // Peaks 8, 2, 2; phi 20/3, 2/3, 2/3; phi q 160/3, 4/3, 4/3: 250/7 g per host-hour in the first hour, 25/7 later.
        (shapley(All), [1500.0 / 7.0, 600.0 / 7.0, 0.0]),
        (shapley(Pool), [60.0 + 900.0 / 7.0, 60.0 + 360.0 / 7.0, 0.0]),
    ];
    let fleet = example();
    for (rule, [a, b, rest]) in cases {
        let scored = fleet.under(&IdleRule::default(), &rule);
        let ours = [scored.functions[0].embodied_g, scored.functions[1].embodied_g, scored.unattributed.embodied_g];
        let close = ours.iter().zip([a, b, rest]).all(|(ours, wanted)| (ours - wanted).abs() < 1e-9 * 300.0);
        assert!(close, "{}: {ours:?} is not {:?}", rule.name(), [a, b, rest]);
    }
    // 1.8 kWh of idle hosts, by use 1 to 3.
    let scored = fleet.under(&IdleRule::Usage(Usage {}), &EmbodiedRule::default());
    let idle_kwh = |share: &Share| share.energy_j[Cause::IdleHost as usize] / 3.6e6;
    assert!((idle_kwh(&scored.functions[0]) - 0.45).abs() < 1e-12);
    assert!((idle_kwh(&scored.functions[1]) - 1.35).abs() < 1e-12);
}

#[test]
fn levels_that_do_not_fit_are_refused_with_the_pair_that_does_not() {
    let rule = |levels_s: &[f64]| TemporalShapley { levels_s: levels_s.to_vec() };
    let step = Duration::from_secs(300);
    assert_eq!(rule(&[259_200.0, 28_800.0, 3600.0, 300.0]).problem(step), None);
    let say = |levels_s: &[f64]| rule(levels_s).problem(step).expect("a problem").0;
    assert!(say(&[3600.0, 7200.0]).contains("3600 is not a whole multiple of the next level, 7200"));
    assert!(say(&[3600.0, 100.0]).contains("100 is not a whole multiple of output.account_step_s = 300"));
    let spec = AttributionSpec { idle: IdleRule::Peak(Peak {}), embodied: EmbodiedRule::default() };
    let problems = spec.problems(None);
    assert_eq!(problems[0].0, "idle.peak");
    assert!(problems[0].2.contains("output.account_step_s"));
    assert!(spec.problems(Some(step)).is_empty());
}
