//! Bounds in space and time on a year of 13 zones, against published upper bounds, and `sim grid bound` as it is typed.

use std::process::Command;

use slackwater::scheduler::bound::space::{Bounds, Shape, World, mean_of};

use crate::lab::{Lab, Table, shared};

/// The life-cycle intensities of a zone in 2022, empty cells filled with the value before.
fn year(zone: &str) -> Option<Vec<f64>> {
    let table = Table::read(&shared(&format!("data/grid/electricitymaps/{zone}_2022.csv"))?);
    let mut last = f64::NAN;
    let fill = |cell: &String| {
        last = cell.parse().unwrap_or(last);
        last
    };
    Some(table.text("ci_lca").iter().map(fill).collect())
}

const ZONES: [&str; 13] =
    ["AU-VIC", "BR", "CA-ON", "CL-SIC", "DE-LU", "ES", "GB", "IN-WE", "NO", "SG", "US-CAL-CISO", "US-TEX-ERCO", "ZA"];

fn saved(base: f64, bound: f64) -> f64 {
    100.0 * (base - bound) / base
}

#[test]
fn the_bounds_in_time_are_the_published_ones_and_one_migration_is_nearly_all_that_migration_can_do() {
    let Some(oracle) = shared("oracles/carbon/shifting_upper_bound_2022.csv") else { return };
    let Some(series) = ZONES.iter().map(|z| year(z)).collect::<Option<Vec<_>>>() else { return };
    let oracle = Table::read(&oracle);
    let (zones, jobs, slacks) = (oracle.text("zone"), oracle.column("job_h"), oracle.column("slack_h"));
    let wanted = ["base_ci", "defer_saved_pct", "interrupt_saved_pct"].map(|column| oracle.column(column));
    let world = World::open(series);
    let mut compared = 0;
    for length in [1, 6, 12, 24, 48] {
        for slack in [24, 168] {
            let bounds: Vec<Bounds<f64>> = world.bounds(Shape { length, slack }).iter().map(Bounds::means).collect();
            for (zone, b) in ZONES.iter().zip(&bounds) {
                let same = |r: &usize| zones[*r] == *zone && jobs[*r] == length as f64 && slacks[*r] == slack as f64;
                let row = (0..zones.len()).find(same).expect("the oracle has a row");
                let ours = [b.base, saved(b.base, b.defer), saved(b.base, b.interrupt)];
                for (ours, wanted) in ours.iter().zip(&wanted) {
                    let wanted = wanted[row];
                    assert!(
                        (ours - wanted).abs() <= 1e-9 * wanted.abs().max(1.0),
                        "{zone} {length} {slack}: {ours} {wanted}"
                    );
                    compared += 1;
                }
            }
            let all = mean_of(&bounds).expect("13 zones");
            let share = (all.base - all.one) / (all.base - all.free);
            let share_fixed = (all.base - all.one_fixed) / (all.base - all.free);
            // The study: 99.7 % over 123 zones.
            assert!((0.99..=1.0).contains(&share) && share_fixed <= share, "{length} h: {share} {share_fixed}");
            println!("{length} {slack} {share} {share_fixed}");
        }
    }
    assert_eq!(compared, 13 * 10 * 3);
}

fn typed(arguments: &[&str]) -> std::process::Output {
    let mut sim = Command::new(env!("CARGO_BIN_EXE_sim"));
    sim.args(["grid", "bound"]).args(arguments).output().expect("the program starts")
}

/// Two zones of two days: 100 g/kWh in one; 300 in the other by night and 20 from noon to midnight.
fn two_zones() -> Lab {
    let rows = |of: &dyn Fn(i32) -> f64| -> String {
        let row = |h: i32| format!("2022-01-{:02} {:02}:00:00,{},{},0\n", 1 + h / 24, h % 24, of(h), of(h));
        "datetime_utc,ci_direct,ci_lca,estimated\n".to_owned() + &(0..48).map(row).collect::<String>()
    };
    Lab::new("").file("flat.csv", &rows(&|_| 100.0)).file("day.csv", &rows(&|h| if h % 24 < 12 { 300.0 } else { 20.0 }))
}

#[test]
fn the_program_prints_and_writes_what_can_be_computed_by_hand() {
    let lab = two_zones();
    let at = |name: &str| lab.folder().join(name).display().to_string();
    let (flat, day) = (format!("flat={}", at("flat.csv")), format!("day={}", at("day.csv")));
    let (out, idle) = (at("out.csv"), at("idle.csv"));
    let basis = ["--basis", "life-cycle", "--job-h", "24", "--slack-h", "0"];
    let run = |more: &[&str]| {
        let mut all = vec![flat.as_str(), day.as_str()];
        all.extend(basis);
        all.extend(more);
        typed(&all)
    };
    let shown = run(&["--out", &out, "--idle", "0,0.5", "--out-idle", &idle]);
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    let table = Table::read(out.as_ref());
    assert_eq!(table.text("zone"), ["flat", "day", "all"]);
    // A day: 100 and 160 g/kWh at home; all days are best in the flat zone; each hour in the best zone: half at 100, half at 20.
    assert_eq!(table.column("base_g_per_kwh"), [100.0, 160.0, 130.0]);
    for (column, wanted) in [
        ("one_saved_pct", [0.0, 37.5, 100.0 * 30.0 / 130.0]),
        ("free_saved_pct", [40.0, 62.5, 100.0 * 70.0 / 130.0]),
        ("one_share_of_free_pct", [0.0, 60.0, 100.0 * 30.0 / 70.0]),
        ("defer_saved_pct", [0.0, 0.0, 0.0]),
    ] {
        let ours = table.column(column);
        assert!(ours.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-9), "{column}: {ours:?}");
    }
    // Half of each zone is idle: all load fits into the best zone, of the whole time or of the hour.
    let idle = Table::read(idle.as_ref());
    let (fixed, free) = (idle.column("one_fixed_saved_pct"), idle.column("free_saved_pct"));
    assert!((fixed[0], free[0]) == (0.0, 0.0), "without room nothing moves");
    assert!((fixed[1] - 100.0 * 30.0 / 130.0).abs() < 1e-9 && (free[1] - 100.0 * 70.0 / 130.0).abs() < 1e-9);
    // Nobody may leave: nothing is saved in space.
    let stays = run(&["--allow", "flat=", "--allow", "day=", "--out", &out]);
    assert!(stays.status.success());
    assert_eq!(Table::read(out.as_ref()).column("free_saved_pct"), [0.0, 0.0, 0.0]);
    std::fs::write(at("rtt.csv"), "from,to,rtt_ms\nflat,day,80\n").expect("the folder is writable");
    for (most, wanted) in [("79", 0.0), ("80", 62.5)] {
        let bounded = run(&["--rtt", &at("rtt.csv"), "--max-rtt-ms", most, "--out", &out]);
        assert!(bounded.status.success(), "{}", String::from_utf8_lossy(&bounded.stderr));
        assert!((Table::read(out.as_ref()).column("free_saved_pct")[1] - wanted).abs() < 1e-9);
    }
}

#[test]
fn wrong_use_says_what_to_do() {
    let lab = two_zones();
    let flat = lab.folder().join("flat.csv").display().to_string();
    for (arguments, wanted) in [
        (vec![], "there is no zone"),
        (vec!["--typical", "GB", "--idle", "1"], "--idle 1"),
        (vec!["--typical", "GB,GB"], "two zones are called GB"),
        (vec!["--typical", "GB", "--job-h", "0.5"], "no whole number of steps"),
        (vec!["--typical", "GB", "--job-h", "9000"], "does not fit into 8760 steps"),
        (vec!["--typical", "GB", "--allow", "FR=GB"], "no zone is called FR"),
        (
            vec![flat.as_str(), "--basis", "life-cycle", "--typical", "GB", "--job-h", "48"],
            "does not fit into 48 steps",
        ),
    ] {
        let failed = typed(&arguments);
        let said = String::from_utf8_lossy(&failed.stderr).into_owned();
        assert_eq!(failed.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(wanted), "{arguments:?}: {said}");
    }
}
