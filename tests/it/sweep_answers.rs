//! What is made of a sweep's runs: differences, frontiers, sensitivity indices, break-evens, each against an answer that is known.

use slackwater::sweep::{Meter, Over, Solved, solve};

use crate::lab::close;
use crate::sweep::{GRID, Swept};

#[test]
fn differences_are_paired_by_replication() {
    let swept = Swept::new(GRID);
    swept.run("grid", |_| {});
    let (runs, differences) = (swept.table("grid", "runs.csv"), swept.table("grid", "differences.csv"));
    // Two of three isolations against the third, four keep-alive times, two figures.
    assert_eq!(differences.rows.len(), 16);
    let row = differences.text("metric").iter().position(|m| m == "sci.g_per_unit").expect("analysed");
    assert_eq!(
        (differences.text("isolation")[row].as_str(), differences.column("keep_alive")[row]),
        ("container", 0.0)
    );
    // Point 0 is container at 0 s, point 4 microvm at 0 s.
    let sci = runs.column("sci.g_per_unit");
    let apart: Vec<f64> = (0..3).map(|r| sci[r] - sci[12 + r]).collect();
    let mean = apart.iter().sum::<f64>() / 3.0;
    let deviation = (apart.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
    close("difference", differences.column("difference")[row], mean, 1e-12);
    // t(0.975, 2) = 4.30265273.
    let half = 4.302_652_73 * deviation / 3f64.sqrt();
    close("interval", differences.column("t_high")[row], mean + half, 1e-8);
    let base = (0..3).map(|r| sci[12 + r]).sum::<f64>() / 3.0;
    close("relative", differences.column("relative")[row], mean / base, 1e-12);
}

#[test]
fn the_frontier_is_what_no_other_point_beats() {
    let swept = Swept::new(GRID);
    swept.run("grid", |_| {});
    let frontier = swept.table("grid", "frontier.csv");
    assert_eq!(frontier.rows.len(), 12);
    let (x, y, on) = (frontier.column("x_mean"), frontier.column("y_mean"), frontier.text("on_frontier"));
    for i in 0..12 {
        let beaten = (0..12).any(|j| x[j] <= x[i] && y[j] <= y[i] && (x[j] < x[i] || y[j] < y[i]));
        assert_eq!(on[i] == "true", !beaten, "point {i}");
    }
    assert!(on.contains(&"true".to_owned()) && on.contains(&"false".to_owned()));
}

#[test]
fn sensitivity_indices_of_a_product_are_the_analytic_ones() {
    // M is proportional to embodied / lifetime and nothing else: the indices of a quotient of independent uniform inputs are known.
    let sweep = r#"
scenario = "scenario.toml"
set = ["workload.poisson.calls=5"]
metrics = ["carbon_g.embodied", "carbon_g.operational"]
[sample]
method = "saltelli"
count = 256
[[axes]]
name = "embodied"
key = "servers.small.embodied_kg"
uniform = { from = 500.0, to = 1500.0 }
[[axes]]
name = "lifetime"
key = "servers.small.lifetime_years"
uniform = { from = 2.0, to = 6.0 }
[[axes]]
name = "pue"
key = "regions[0].pue"
uniform = { from = 1.0, to = 2.0 }
"#;
    let swept = Swept::new(sweep);
    assert_eq!(swept.run("indices", |_| {}).ran.done, 256 * 5);
    let found = swept.table("indices", "sensitivity.csv");
    let index = |metric: &str, axis: &str, column: &str| {
        let row = (0..found.rows.len()).find(|&r| found.text("metric")[r] == metric && found.text("axis")[r] == axis);
        found.column(column)[row.expect("a row")]
    };
    // f = a b with a uniform on 500..1500 and b = 1 / uniform on 2..6; relative variances u and v of a and b; V = (1 + u)(1 + v) - 1.
    let u = (1000f64.powi(2) / 12.0) / 1000f64.powi(2);
    let (mean, square) = ((6f64 / 2.0).ln() / 4.0, (1.0 / 2.0 - 1.0 / 6.0) / 4.0);
    let v = square / (mean * mean) - 1.0;
    let all = (1.0 + u) * (1.0 + v) - 1.0;
    for (axis, first, total) in
        [("embodied", u / all, u * (1.0 + v) / all), ("lifetime", v / all, v * (1.0 + u) / all), ("pue", 0.0, 0.0)]
    {
        close(axis, index("carbon_g.embodied", axis, "first_order"), first, 0.02);
        close(axis, index("carbon_g.embodied", axis, "total"), total, 0.02);
    }
    // Operational emissions are linear in the PUE and know nothing of the rest.
    close("pue", index("carbon_g.operational", "pue", "first_order"), 1.0, 0.02);
    close("pue", index("carbon_g.operational", "pue", "total"), 1.0, 0.02);
    assert_eq!(index("carbon_g.operational", "embodied", "total"), 0.0);
}

#[test]
fn a_break_even_is_where_the_formula_says() {
    let sweep = r#"
scenario = "scenario.toml"
replications = 3
[[axes]]
name = "server"
values = [
    { name = "short", set = ["servers.small.lifetime_years=3"] },
    { name = "long", set = ["servers.small.lifetime_years=6", "regions[0].pue=1.4"] },
]
[[axes]]
name = "embodied"
key = "servers.small.embodied_kg"
list = [1.0, 100.0, 4000.0]
"#;
    let swept = Swept::new(sweep);
    let plan = swept.plan().expect("right");
    let over = Over { what: "embodied".to_owned(), from: None, to: None, tolerance: 1e-4 };
    let meter = Meter::default();
    let out = swept.out("solved");
    let (unit, found) = solve(&plan, "sci(short) == sci(long)", &over, &out, 2, &meter).expect("right");
    assert_eq!((unit.as_str(), found.len()), ("kgCO2e", 1));
    let Solved::Equal(crossings) = &found[0].solved else { panic!("{found:?}") };
    // Both are linear in the embodied emissions x: O + x m / 3 = O' + x m / 6.
    let figure = |set: &[&str], key: &str| swept.lab.run(set).number(key);
    let mut exact = Vec::new();
    for seed in ["seed=7", "seed=8", "seed=9"] {
        let per_kg = figure(
            &[seed, "servers.small.embodied_kg=1000", "servers.small.lifetime_years=1"],
            "sci.embodied_g_per_unit",
        ) / 1000.0;
        let (o, other) = (
            figure(&[seed], "sci.operational_g_per_unit"),
            figure(&[seed, "regions[0].pue=1.4"], "sci.operational_g_per_unit"),
        );
        exact.push((other - o, per_kg * (1.0 / 3.0 - 1.0 / 6.0)));
    }
    let at = exact.iter().map(|e| e.0).sum::<f64>() / exact.iter().map(|e| e.1).sum::<f64>();
    close("break-even", crossings[0].at / at, 1.0, 1e-4);
    assert!(crossings[0].left_below_before && crossings[0].interval.contains(at));
    assert!(swept.table("solved", "solve.csv").text("result")[0].starts_with("equal; left"));

    // A bound of one figure, over a key that is no axis; and one that is out of reach.
    let over = Over { what: "regions[0].pue".to_owned(), from: Some(1.0), to: Some(5.0), tolerance: 1e-6 };
    let o = figure(&["regions[0].pue=1.0"], "sci.operational_g_per_unit");
    let text = format!("sci.operational_g_per_unit == {}", 2.5 * o);
    swept.write(&sweep.replace("replications = 3", "replications = 1"));
    let plan = swept.plan().expect("right");
    let (_, found) = solve(&plan, &text, &over, &out, 2, &meter).expect("right");
    assert_eq!(found.len(), 6, "a solution for every point");
    let Solved::Equal(crossings) = &found[0].solved else { panic!("{found:?}") };
    close("PUE", crossings[0].at, 2.5, 1e-5);
    // Whole numbers: the neighbours between which the sides change places. Two hosts have twice the embodied emissions of one.
    let hosts = Over { what: "regions[0].hosts[0].count".to_owned(), from: Some(1.0), to: Some(9.0), tolerance: 0.001 };
    let one = figure(&["servers.small.lifetime_years=3", "servers.small.embodied_kg=100"], "sci.embodied_g_per_unit");
    let (_, found) =
        solve(&plan, &format!("sci.embodied_g_per_unit == {}", 3.3 * one), &hosts, &out, 2, &meter).expect("right");
    let at = |point: usize| match &found[point].solved {
        Solved::Equal(crossings) => (crossings[0].low, crossings[0].at, crossings[0].high),
        other => panic!("{other:?}"),
    };
    assert_eq!(at(1), (3.0, 3.0, 4.0), "short, 100 kg");
    assert_eq!(at(4), (6.0, 7.0, 7.0), "long: 6.6 hosts");
    let (_, found) = solve(&plan, "sci(long) == sci(long)", &over, &out, 2, &meter).expect("right");
    assert!(found.iter().all(|s| s.solved == Solved::EqualEverywhere));
    // A sweep goes into the same folder afterwards.
    swept.run("solved", |_| {});
    let (_, found) = solve(&plan, "sci == 0", &over, &out, 2, &meter).expect("right");
    assert!(found.iter().all(|s| s.solved == Solved::RightBelow));
    for (claim, part) in [
        ("sci < 1", "only an equation"),
        ("sci(no) == 1", "no value"),
        ("sic(long) == 1", "sic"),
        ("1 == 2", "depends on a run"),
    ] {
        let error = solve(&plan, claim, &over, &out, 1, &meter).expect_err(claim).to_string();
        assert!(error.contains(part) && error.contains("help"), "{claim}: {error}");
    }
}
