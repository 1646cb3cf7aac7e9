//! Uncertainty against closed forms.

use super::*;
use crate::ledger::{Column, FLOWS, SiteBook};
use crate::sci::GroupFacts;
use crate::sci::embodied::{LifetimeBasis, Lives, OtherLife};
use crate::types::{Duration, JOULES_PER_KWH, RegionId, SECONDS_PER_YEAR, Seed, SimTime, normal_quantile};

const N: u32 = 40_000;

/// Mean rates of a region by column \[W\].
type Watts = &'static [(Column, f64)];

/// A run of two hours at 100 and 300 g/kWh with these rates, one region each, and one group of two hosts per region.
fn parts(regions: &[(&str, Watts)], change: impl Fn(&mut GroupFacts)) -> Parts {
    let end = SimTime::from_secs_f64(7200.0);
    let mut site = SiteBook::new(regions.len(), Duration::from_secs(3600));
    for (r, (_, watts)) in regions.iter().enumerate() {
        let mut rates = [0.0; FLOWS];
        for (column, w) in *watts {
            rates[*column as usize] = *w;
        }
        site.integrate(RegionId::from_index(r), SimTime::ZERO, end, &rates);
    }
    let group = |r: usize| {
        let mut group = GroupFacts {
            server: format!("type-{r}"),
            region: RegionId::from_index(r),
            hosts: 2,
            memory_mb: 1000.0,
            held_w: 100.0,
            pue: 1.0,
            carbon_pue: None,
            fixed_overhead_w: 0.0,
            server_kg: 1234.5,
            lives: Lives::default(),
            embodied_kg: f64::NAN,
            lifetime_s: 4.3 * SECONDS_PER_YEAR,
            lifetime_basis: LifetimeBasis::Existence,
            surroundings_g_per_s: 0.0,
            powered_s: 14_400.0,
        };
        change(&mut group);
        group.embodied_kg = group.server_kg * group.lives.share(group.lifetime_s / SECONDS_PER_YEAR);
        group
    };
    let groups: Vec<GroupFacts> = (0..regions.len()).map(group).collect();
    let names: Vec<String> = regions.iter().map(|r| r.0.to_owned()).collect();
    let intensity = vec![vec![100.0, 300.0]; regions.len()];
    let books =
        Books { site: &site, groups: &groups, regions: &names, intensity: &intensity, end, unit: "call", units: 700.0 };
    Parts::of(&books)
}

fn spec(text: &str) -> UncertaintySpec {
    let spec: UncertaintySpec = toml::from_str(text).expect("a specification");
    assert_eq!(spec.problems(), [], "{text}");
    spec
}

fn run(parts: &Parts, text: &str) -> Uncertain {
    sample(parts, &spec(text), N, Seed(7))
}

/// Within three standard errors of a quantile: sqrt(p (1 - p) / n) / density.
#[track_caller]
fn near(found: f64, exact: f64, p: f64, density: f64) {
    let error = (p * (1.0 - p) / f64::from(N)).sqrt() / density;
    assert!((found - exact).abs() < 3.0 * error, "{found} instead of {exact} +- {error} at {p}");
}

fn normal_density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

const MIXED: Watts = &[
    (Column::ExecutionDynamic, 61.7),
    (Column::ColdStartDynamic, 7.3),
    (Column::ExecutionBaseline, 33.1),
    (Column::ColdStartBaseline, 1.9),
    (Column::WarmIdle, 11.3),
    (Column::IdleHost, 97.7),
    (Column::Boot, 5.9),
    (Column::Off, 3.7),
    (Column::Overhead, 41.3),
];
const DYNAMIC: Watts = &[(Column::ExecutionDynamic, 500.0)];

/// O of a region that draws so much \[gCO2e\].
fn grams(watts: f64) -> f64 {
    watts * 3600.0 * 400.0 / JOULES_PER_KWH
}

#[test]
fn without_spread_every_quantile_is_the_runs_own_score_to_the_last_bit() {
    let lives = Lives { first: Some(OtherLife::Share(0.3)), second: Some(OtherLife::Years(1.7)) };
    let parts = parts(&[("a", MIXED), ("b", MIXED)], |g| (g.fixed_overhead_w, g.lives) = (3.3, lives));
    let one = "factor.uniform = { low = 1.0, high = 1.0 }";
    let text = format!(
        "intensity = {{ {one} }}\nidle_power = {{ factor.normal = {{ mean = 1.0, sd = 0.0 }}, common = false }}\n\
         dynamic_power = {{ factor.lognormal = {{ median = 1.0, gsd = 1.0 }} }}\nboot_power = {{ {one} }}\n\
         off_power = {{ {one} }}\npue_overhead = {{ {one} }}\n\
         [embodied]\nembodied_kg.triangular = {{ low = 1234.5, mode = 1234.5, high = 1234.5 }}\n\
         [lifetime]\n{one}\ncommon = false\nby_server.type-1.lifetime_years.uniform = {{ low = 4.3, high = 4.3 }}\n"
    );
    let u = run(&parts, &text);
    let sci = u.sci_g_per_unit.expect("700 calls");
    assert_eq!(sci.run, (parts.operational_g + parts.embodied_g) / 700.0);
    for e in [u.operational_g, u.embodied_g, u.total_g, sci] {
        assert!(e.run > 0.0);
        assert_eq!([e.mean, e.p05, e.p50, e.p95, e.sd], [e.run, e.run, e.run, e.run, 0.0]);
    }
    assert!(u.swings.len() >= 9 && u.swings.iter().all(|s| s.low_g == u.total_g.run && s.variance_share.is_nan()));
}

#[test]
fn a_normal_intensity_gives_its_own_relative_spread() {
    let parts = parts(&[("a", MIXED)], |_| {});
    let u = run(&parts, "intensity.factor.normal = { mean = 1.0, sd = 0.1 }");
    let (o, own) = (u.operational_g, parts.operational_g);
    assert!((own - grams(263.9)).abs() < 1e-9);
    assert!((o.sd / (0.1 * own) - 1.0).abs() < 3.0 / (2.0 * f64::from(N)).sqrt(), "{}", o.sd);
    assert!((o.mean / own - 1.0).abs() < 3.0 * 0.1 / f64::from(N).sqrt());
    for (found, p) in [(o.p05, 0.05), (o.p50, 0.5), (o.p95, 0.95)] {
        let z = normal_quantile(p);
        near(found, own * (1.0 + 0.1 * z), p, normal_density(z) / (0.1 * own));
    }
    assert_eq!((u.embodied_g.sd, u.embodied_g.p05), (0.0, parts.embodied_g));
    // The tornado's ends are quantiles of the input, without any error of sampling.
    let s = &u.swings[0];
    assert!((s.high_g - s.low_g - 2.0 * 0.1 * normal_quantile(0.95) * own).abs() < 1e-9 * own);
    assert!((s.variance_share - 1.0).abs() < 1e-9);
}

#[test]
fn a_product_of_log_normals_is_log_normal() {
    let parts = parts(&[("a", DYNAMIC)], |g| g.server_kg = 0.0);
    let u = run(
        &parts,
        "intensity.factor.lognormal = { median = 1.0, gsd = 1.3 }\n\
         dynamic_power.factor.lognormal = { median = 1.1, gsd = 1.2 }",
    );
    let sigma = 1.3f64.ln().hypot(1.2f64.ln());
    for (found, p) in [(u.total_g.p05, 0.05), (u.total_g.p50, 0.5), (u.total_g.p95, 0.95)] {
        let z = normal_quantile(p);
        let exact = 1.1 * grams(500.0) * (sigma * z).exp();
        near(found, exact, p, normal_density(z) / (sigma * exact));
    }
}

#[test]
fn embodied_emissions_go_with_the_inverse_of_a_uniform_lifespan() {
    let parts = parts(&[("a", DYNAMIC)], |g| g.lifetime_s = 4.0 * SECONDS_PER_YEAR);
    let u = run(&parts, "lifetime.lifetime_years.uniform = { low = 4.0, high = 6.0 }");
    // P(M <= m) = P(L >= 4 M0 / m): the p quantile of M is 4 M0 over the 1 - p quantile of L; density L² / (4 M0) / 2.
    for (found, p) in [(u.embodied_g.p05, 0.05), (u.embodied_g.p50, 0.5), (u.embodied_g.p95, 0.95)] {
        let life = 4.0 + 2.0 * (1.0 - p);
        near(found, 4.0 * parts.embodied_g / life, p, life * life / (4.0 * parts.embodied_g) / 2.0);
    }
    let exact = 4.0 * parts.embodied_g * 1.5f64.ln() / 2.0;
    assert!((u.embodied_g.mean / exact - 1.0).abs() < 3.0 * 0.12 / f64::from(N).sqrt());
    assert_eq!(u.operational_g.p05, parts.operational_g);
}

#[test]
fn shares_of_variance_are_those_of_the_algebra() {
    // O = i k G alone: S_i = a² / (a² + b² + a² b²).
    let product = parts(&[("a", DYNAMIC)], |g| g.server_kg = 0.0);
    let u = run(
        &product,
        "intensity.factor.normal = { mean = 1.0, sd = 0.2 }\ndynamic_power.factor.normal = { mean = 1.0, sd = 0.1 }",
    );
    let all = 0.04 + 0.01 + 0.0004;
    let share = |name: &str| u.swings.iter().find(|s| s.name == name).expect("an input").variance_share;
    assert!((share("intensity") - 0.04 / all).abs() < 0.02, "{}", share("intensity"));
    assert!((share("dynamic power") - 0.01 / all).abs() < 0.01);
    assert_eq!(u.swings[0].name, "intensity");
    // A sum: shares add up to 1 within the samples' own correlation.
    let sum = parts(&[("a", DYNAMIC)], |_| {});
    let u = run(
        &sum,
        "intensity.factor.normal = { mean = 1.0, sd = 0.1 }\nembodied.factor.uniform = { low = 0.5, high = 1.5 }",
    );
    assert!((u.swings.iter().map(|s| s.variance_share).sum::<f64>() - 1.0).abs() < 0.03);
}

#[test]
fn regions_that_err_independently_cancel_in_part() {
    let two = parts(&[("a", DYNAMIC), ("b", DYNAMIC)], |_| {});
    let same = run(&two, "intensity = { factor.normal = { mean = 1.0, sd = 0.1 } }");
    let apart = run(&two, "intensity = { factor.normal = { mean = 1.0, sd = 0.1 }, common = false }");
    let each = 0.1 * grams(500.0);
    assert!((same.operational_g.sd / (2.0 * each) - 1.0).abs() < 0.012);
    assert!((apart.operational_g.sd / (2f64.sqrt() * each) - 1.0).abs() < 0.012);
    assert_eq!((same.swings.len(), apart.swings.len()), (1, 2));
    assert!(apart.swings.iter().any(|s| s.name == "intensity, b"));
}

#[test]
fn overhead_follows_power_but_for_its_fixed_part() {
    // 100 W baseline, 300 W dynamic, overhead 20 W fixed + 80 W in proportion: 20 W and 60 W of it.
    const POWER: Watts = &[(Column::IdleHost, 100.0), (Column::ExecutionDynamic, 300.0), (Column::Overhead, 100.0)];
    let parts = parts(&[("a", POWER)], |g| g.fixed_overhead_w = 10.0);
    let at_two =
        |key: &str| run(&parts, &format!("{key}.factor.uniform = {{ low = 2.0, high = 2.0 }}")).operational_g.p50;
    let whole = grams(500.0);
    for (key, more) in [("intensity", 500.0), ("idle_power", 120.0), ("dynamic_power", 360.0), ("pue_overhead", 100.0)]
    {
        assert!((at_two(key) - whole - grams(more)).abs() < 1e-9, "{key}: {}", at_two(key));
    }
    assert_eq!([at_two("boot_power"), at_two("off_power")], [parts.operational_g; 2]);
}

#[test]
fn server_types_have_distributions_of_their_own() {
    let two = parts(&[("a", DYNAMIC), ("b", DYNAMIC)], |_| {});
    let u = run(
        &two,
        "[embodied]\nfactor.uniform = { low = 2.0, high = 2.0 }\n\
         by_server.type-1.embodied_kg.uniform = { low = 3703.5, high = 3703.5 }",
    );
    assert!((u.embodied_g.p50 / (2.5 * two.embodied_g) - 1.0).abs() < 1e-12);
    assert_eq!(u.swings[0].input, None);
    let only = "[embodied]\nby_server.type-1.embodied_kg.uniform = { low = 1000.0, high = 2000.0 }\n";
    let [low, high] = [0.05, 0.95].map(|p| (2234.5 + 1000.0 * p) / 2469.0 * two.embodied_g + two.operational_g);
    let u = run(&two, only);
    assert!((u.swings[0].low_g / low - 1.0).abs() < 1e-12 && (u.swings[0].high_g / high - 1.0).abs() < 1e-12);
    let unknown = spec(&only.replace("type-1", "type-9")).unknown_servers(&two.servers());
    assert_eq!(unknown[0].key, "embodied.by_server.type-9");
    assert!(unknown[0].help.contains("type-0, type-1"));
}

#[test]
fn by_use_only_time_powered_on_is_uncertain_and_the_building_is_certain() {
    let own = parts(&[("a", DYNAMIC)], |g| {
        (g.lifetime_basis, g.powered_s, g.surroundings_g_per_s) = (LifetimeBasis::Use, 3600.0, 0.25);
    });
    let machine = 1234.5 * 1000.0 / (4.3 * SECONDS_PER_YEAR) * 3600.0;
    let building = 2.0 * 0.25 * 7200.0;
    assert!((own.embodied_g / (machine + building) - 1.0).abs() < 1e-12);
    for (text, exact) in [
        ("embodied.factor.uniform = { low = 3.0, high = 3.0 }", 3.0 * machine + building),
        ("lifetime.factor.uniform = { low = 2.0, high = 2.0 }", 0.5 * machine + building),
    ] {
        assert!((run(&own, text).embodied_g.p50 / exact - 1.0).abs() < 1e-12, "{text}");
    }
}

fn between(first: Option<OtherLife>, second: Option<OtherLife>) -> Parts {
    parts(&[("a", DYNAMIC)], |g| (g.lives, g.lifetime_s) = (Lives { first, second }, 4.0 * SECONDS_PER_YEAR))
}

#[test]
fn what_other_owners_bear_stays_theirs_whatever_a_host_weighs() {
    use OtherLife::{Share, Years};
    let alone = between(None, None).embodied_g;
    for (first, second, share) in [
        (None, Some(Share(0.5)), 0.5),
        (Some(Share(0.25)), Some(Share(0.5)), 0.25),
        (None, Some(Years(2.0)), 4.0 / 6.0),
        (Some(Share(0.1)), Some(Years(3.0)), 0.9 * 4.0 / 7.0),
    ] {
        let own = between(first, second);
        assert!((own.embodied_g / (alone * share) - 1.0).abs() < 1e-12);
        // A host's own figure, or one of another, is of all its owners.
        let of_host = |text: &str| run(&own, &format!("embodied.embodied_kg.uniform = {text}")).embodied_g;
        let same = of_host("{ low = 1234.5, high = 1234.5 }");
        assert_eq!([same.p05, same.p50, same.mean], [own.embodied_g; 3]);
        let twice = of_host("{ low = 2469.0, high = 2469.0 }");
        assert!((twice.p50 / (2.0 * own.embodied_g) - 1.0).abs() < 1e-12);
    }
}

#[test]
fn a_longer_life_here_bears_more_of_a_host_that_others_share_by_years() {
    use OtherLife::{Share, Years};
    // 1234.5 kg x (1 - d) / (L + Y) for each year: with Y = 2, 4 years instead of 10 cost 12/6 as much and not 10/4.
    let own = between(Some(Share(0.1)), Some(Years(2.0)));
    let at = |years: f64| {
        let found = run(&own, &format!("lifetime.lifetime_years.uniform = {{ low = {years:?}, high = {years:?} }}"));
        let times = run(&own, &format!("lifetime.factor.uniform = {{ low = {:?}, high = {0:?} }}", years / 4.0));
        assert!((found.embodied_g.p50 / times.embodied_g.p50 - 1.0).abs() < 1e-12);
        found.embodied_g.p50
    };
    for years in [3.0, 4.0, 10.0] {
        // Two hosts for two hours of a year of 8760.
        let exact = 1234.5e3 * 0.9 / (years + 2.0) * 2.0 * 2.0 / 8760.0;
        assert!((at(years) / exact - 1.0).abs() < 1e-12, "{years}: {} is not {exact}", at(years));
    }
    assert_eq!(at(4.0), own.embodied_g);
    // M = a / (L + 2), L uniform in 4 to 6: a (ln 8 - ln 6) / 2 on average, to three standard errors (relative sd 0.083).
    let spread = run(&own, "lifetime.lifetime_years.uniform = { low = 4.0, high = 6.0 }");
    let exact = 6.0 * own.embodied_g * (8.0f64 / 6.0).ln() / 2.0;
    assert!((spread.embodied_g.mean / exact - 1.0).abs() < 3.0 * 0.083 / f64::from(N).sqrt());
    assert!((spread.swings[0].variance_share - 1.0).abs() < 1e-9);
}

#[test]
fn a_ranking_holds_or_not_by_what_the_two_runs_share() {
    const MORE: Watts = &[(Column::ExecutionDynamic, 520.0)];
    let (a, b) = (parts(&[("a", DYNAMIC)], |_| {}), parts(&[("a", MORE)], |_| {}));
    let far = parts(&[("far", MORE)], |_| {});
    let spec = spec("intensity = { factor.lognormal = { median = 1.0, gsd = 1.3 }, common = false }");
    // The intervals overlap widely, and yet less power in the same grid is less every time.
    let shared = rank(&a, &b, &spec, N, Seed(7)).expect("defined");
    assert_eq!((shared.first_lower, shared.second_lower, shared.holds()), (1.0, 0.0, true));
    // In another grid: P(A < B) = P(z < d / (sqrt 2 sigma)) for A, B log-normal but for M, which is left out here.
    let apart = rank(&a, &far, &spec, N, Seed(7)).expect("defined");
    assert!(!apart.holds() && apart.first_lower > 0.5 && apart.second_lower > 0.3, "{apart:?}");
    let without = |name: &'static str, watts: Watts| parts(&[(name, watts)], |g| g.server_kg = 0.0);
    let apart = rank(&without("a", DYNAMIC), &without("far", MORE), &spec, N, Seed(7)).expect("defined");
    let z = (520.0f64 / 500.0).ln() / (2f64.sqrt() * 1.3f64.ln());
    let exact = 0.5 * libm::erfc(-z / 2f64.sqrt());
    assert!((apart.first_lower - exact).abs() < 3.0 * (exact * (1.0 - exact) / f64::from(N)).sqrt(), "{exact}");
    // A run against itself is neither.
    let same = rank(&a, &a, &spec, 100, Seed(7)).expect("defined");
    assert_eq!((same.first_lower, same.second_lower, same.holds(), same.ratio.p95), (0.0, 0.0, false, 1.0));
    let mut idle = a.clone();
    idle.units = 0.0;
    assert_eq!(rank(&a, &idle, &spec, 100, Seed(7)), None);
    assert_eq!(sample(&idle, &spec, 100, Seed(7)).sci_g_per_unit, None);
}

#[test]
fn a_further_input_moves_no_other_draw_and_a_seed_moves_all() {
    let parts = parts(&[("a", MIXED)], |_| {});
    let one = "intensity.factor.lognormal = { median = 1.0, gsd = 1.3 }\n";
    let two = format!("{one}embodied.factor.uniform = {{ low = 0.5, high = 1.5 }}");
    let (a, b) = (run(&parts, one), run(&parts, &two));
    assert_eq!(a.operational_g, b.operational_g);
    assert_eq!(b, run(&parts, &two));
    assert_ne!(a, sample(&parts, &spec(one), N, Seed(8)));
}

#[test]
fn what_makes_no_sense_is_refused_at_its_key() {
    let wrong = |text: &str, key: &str, words: &str| {
        let spec: UncertaintySpec = toml::from_str(text).expect("right in form");
        let found = spec.problems();
        assert!(found.iter().any(|w| w.key == key && w.message.contains(words)), "{text}: {found:?}");
    };
    wrong("", "", "nothing is uncertain");
    wrong("intensity.factor.uniform = { low = 2.0, high = 1.0 }", "intensity.factor.uniform.low", "above high 1");
    wrong("intensity.factor.uniform = { low = nan, high = 1.0 }", "intensity.factor.uniform.low", "NaN");
    wrong(
        "idle_power.factor.triangular = { low = 0.5, mode = 2.0, high = 1.0 }",
        "idle_power.factor.triangular.mode",
        "above",
    );
    wrong("off_power.factor.normal = { mean = 1.0, sd = 0.5 }", "off_power.factor.normal.sd", "2.3 %");
    wrong("boot_power.factor.lognormal = { median = 0.0, gsd = 1.5 }", "boot_power.factor.lognormal.median", "above 0");
    wrong("boot_power.factor.lognormal = { median = 1.0, gsd = 0.5 }", "boot_power.factor.lognormal.gsd", "below 1");
    wrong(
        "pue_overhead.factor.lognormal-range = { p05 = 2.0, p95 = 1.0 }",
        "pue_overhead.factor.lognormal-range.p05",
        "above p95",
    );
    wrong("[embodied]", "embodied", "no distribution");
    let both = "factor.uniform = { low = 1.0, high = 1.0 }\nembodied_kg.uniform = { low = 1.0, high = 1.0 }";
    wrong(&format!("[embodied]\n{both}"), "embodied", "both");
    wrong("embodied.by_server.\"x y\" = {}", "embodied.by_server.\"x y\"", "no distribution");
    wrong("lifetime.factor.uniform = { low = 0.0, high = 1.0 }", "lifetime.factor", "next to 0");
    wrong(
        "lifetime.by_server.a.lifetime_years.normal = { mean = 4.0, sd = 1.0 }",
        "lifetime.by_server.a.lifetime_years",
        "next to 0",
    );
    assert!(toml::from_str::<UncertaintySpec>("intensity.factor.uniform = { low = 1.0, hihg = 1.0 }").is_err());
}

#[test]
fn the_defaults_are_sound_and_each_names_its_source() {
    let spec = default_spec();
    assert_eq!(spec.problems(), []);
    let regional = spec.regional().into_iter().flat_map(|(_, f)| f).map(|f| (f.source.as_ref(), &f.factor));
    let embodied = spec.embodied.as_ref().expect("given");
    let lifetime = spec.lifetime.as_ref().expect("given");
    let rest =
        [(embodied.source.as_ref(), embodied.factor.as_ref()), (lifetime.source.as_ref(), lifetime.factor.as_ref())];
    let all: Vec<_> = regional.chain(rest.map(|(s, f)| (s, f.expect("a factor")))).collect();
    assert_eq!(all.len(), 7);
    for (source, factor) in all {
        let source = source.expect("a source");
        assert!(source.starts_with("derived: ") || source.starts_with("assumed"), "{source}");
        assert!(factor.quantile(1e-9) < 1.0 && factor.quantile(1.0 - 1e-9) > 1.0, "1 is the run itself: {factor:?}");
    }
    // The ratios in the file are those of the figures that their sources name.
    let triangle = |f: &Distribution, low: f64, high: f64| match f {
        Distribution::Triangular(t) => {
            assert!((t.low - low).abs() < 0.005 && t.mode == 1.0 && (t.high - high).abs() < 0.005, "{t:?}");
        }
        other => panic!("{other:?}"),
    };
    let factor = |f: &Option<FactorSpec>| f.as_ref().expect("given").factor.clone();
    triangle(&factor(&spec.intensity), 410.0 / 490.0, 650.0 / 490.0);
    for power in [&spec.idle_power, &spec.dynamic_power, &spec.boot_power] {
        triangle(&factor(power), 1.20 / 1.33, 1.60 / 1.33);
    }
    triangle(&factor(&spec.pue_overhead), 0.07 / 0.10, 0.13 / 0.10);
    triangle(embodied.factor.as_ref().expect("given"), 634.0 / 1200.0, 2102.0 / 1200.0);
    assert_eq!(lifetime.factor, Some(Distribution::Uniform(Uniform { low: 4.0 / 5.0, high: 6.0 / 5.0 })));
}
