//! What becomes of gaps, duplicates, disorder and odd values; cutting, resampling; files of our own.

use super::*;
use crate::grid::file::{self, Made};
use crate::grid::stats::stats;
use crate::types::{GramsPerKwh, SimTime};

/// Hourly rows from 2022-01-01, `None` being an empty cell; rows named in `missing` are left out.
fn hourly(values: &[Option<f64>], missing: &[usize]) -> Given {
    let mut text = "timestamp,avg_CI\n".to_owned();
    for (h, value) in values.iter().enumerate().filter(|(h, _)| !missing.contains(h)) {
        let value = value.map_or(String::new(), |v| v.to_string());
        text += &format!("2022-01-{:02} {:02}:00:00+00:00,{value}\n", 1 + h / 24, h % 24);
    }
    given("h.csv", text.as_bytes()).said()
}

fn ramp(hours: usize) -> Vec<Option<f64>> {
    (0..hours).map(|h| Some(h as f64 + 1.0)).collect()
}

#[test]
fn empty_cells_and_missing_rows_are_gaps_and_never_zero() {
    for gap in ["", "NaN", "null"] {
        let text =
            format!("timestamp,avg_CI\n2022-01-01T00:00:00Z,5\n2022-01-01T01:00:00Z,{gap}\n2022-01-01T02:00:00Z,7\n");
        given("g.csv", text.as_bytes())
            .said()
            .fails(&["no value from 2022-01-01T01:00:00Z to 2022-01-01T02:00:00Z (1 h"]);
    }
    hourly(&ramp(10), &[4]).fails(&["no value from 2022-01-01T04:00:00Z to 2022-01-01T05:00:00Z (1 h, 1 rows)"]);
    hourly(&ramp(20), &[4, 11, 12]).fails(&["T04:00:00Z", "the first of 2 gaps", "hold", "same-hour-last-week"]);
}

#[test]
fn gaps_are_held_up_to_a_length() {
    let held = hourly(&ramp(10), &[4, 5, 6]).with(|s| s.gaps = Gaps::Hold).read();
    assert_eq!(held.intervals.len(), 10);
    assert_eq!(pieces(&held)[3..8].iter().map(|p| p.2).collect::<Vec<_>>(), [4.0, 4.0, 4.0, 4.0, 8.0]);
    assert_eq!((held.account.filled, held.account.missing, held.estimated()), (3, 3, (3, 7)));
    let long = || hourly(&ramp(10), &[3, 4, 5, 6]).with(|s| s.gaps = Gaps::Hold);
    long().fails(&["(4 h, 4 rows), longer than the 3 h"]);
    assert_eq!(long().with(|s| s.max_hold_h = Some(4.0)).read().account.filled, 4);
    let first = hourly(&[None, Some(2.0), Some(3.0)], &[]).with(|s| s.gaps = Gaps::Hold);
    first.fails(&["and no value before it", "from = 2022-01-01T01:00:00Z"]);
    // What is cut off needs no value.
    let cut = hourly(&[None, Some(2.0), Some(3.0)], &[]).with(|s| s.from = Some("2022-01-01T01:00:00Z".into()));
    assert_eq!(pieces(&cut.read()), [(60, 120, 2.0), (120, 180, 3.0)]);
}

#[test]
fn gaps_are_filled_from_the_week_before() {
    let mut values = ramp(9 * 24);
    values[8 * 24] = None;
    let filled = hourly(&values, &[8 * 24 + 1]).with(|s| s.gaps = Gaps::SameHourLastWeek).read();
    // Hours 192 and 193 are 24 and 25 of the week before, whose values are 25 and 26.
    let at = |h: usize| (filled.intervals[h].value, filled.intervals[h].estimated);
    assert_eq!((at(192), at(193), filled.account.filled), ((Some(25.0), Some(true)), (Some(26.0), Some(true)), 2));
    values[30] = None;
    hourly(&values, &[])
        .with(|s| s.gaps = Gaps::SameHourLastWeek)
        .fails(&["2022-01-02T06:00:00Z", "no value a week before"]);
}

#[test]
fn mixed_steps_are_legal_and_a_single_longer_one_is_a_gap() {
    let rows = |minutes: &[u32]| {
        let rows: String =
            minutes.iter().map(|m| format!("2022-01-01T{:02}:{:02}:00Z,{m}\n", m / 60, m % 60)).collect();
        given("m.csv", format!("timestamp,carbon_intensity\n{rows}").as_bytes()).said()
    };
    let mixed = rows(&[0, 30, 60, 75, 90, 105]).read();
    assert_eq!(mixed.account.steps, [(900.0, 4), (1800.0, 2)]);
    assert_eq!(pieces(&mixed)[5], (105, 120, 105.0));
    let ends = rows(&[0, 15, 30, 45, 75, 105]).read();
    assert_eq!(pieces(&ends)[5], (105, 135, 105.0));
    rows(&[0, 15, 30, 60, 75, 90]).fails(&["no value from 2022-01-01T00:45:00Z to 2022-01-01T01:00:00Z"]);
    let said = rows(&[0, 15, 30, 60, 75, 90]).with(|s| s.longest_step_s = Some(1800.0)).read();
    assert_eq!(pieces(&said)[2], (30, 60, 30.0));
    rows(&[0]).fails(&["one row", "give at least two"]);
}

#[test]
fn odd_values_are_refused_counted_or_converted() {
    let text = |cell: &str| format!("timestamp,avg_CI\n2022-01-01T00:00:00Z,5\n2022-01-01T01:00:00Z,{cell}\n");
    let file = |cell: &str| given("v.csv", text(cell).as_bytes()).said();
    file("-0.5").fails(&["v.csv:3: -0.5 g-per-kwh is negative"]);
    file("inf").fails(&["v.csv:3: inf is not finite"]);
    file("12 g").fails(&["v.csv:3: \"12 g\" is no number"]);
    file("1,2").fails(&["v.csv:3: 3 cells, but the header has 2"]);
    let zero = file("0").read();
    assert!(zero.account.zeros == 1 && zero.account.notes[0].contains("1 values are exactly zero"));
    given("v.csv", b"timestamp,avg_CI\nyesterday,5\n").said().fails(&["v.csv:2: \"yesterday\" is no ISO 8601 instant"]);
    given("v.csv", b"timestamp,avg_CI\n").said().fails(&["no rows"]);
    given("v.csv", b"timestamp,avg_CI\n2022-01-01T00:00:00Z,\xff\n").said().fails(&["v.csv:2: unreadable row"]);
}

#[test]
fn keeping_minutes_holds_each_kept_row_until_the_next() {
    let rows: String = (0..8).map(|q| format!("2022-01-01 {:02}:{:02}:00,{q}\n", q / 4, q % 4 * 15)).collect();
    let file = || given("k.csv", format!("Time,Carbon Intensity\n{rows}").as_bytes()).said();
    let kept = file().with(|s| s.keep_minutes = vec![0, 30]).read();
    assert_eq!(pieces(&kept), [(0, 30, 0.0), (30, 60, 2.0), (60, 90, 4.0), (90, 120, 6.0)]);
    assert_eq!(kept.account.other_minutes, 4);
    file().with(|s| s.keep_minutes = vec![7]).fails(&["keeps no row"]);
    file().with(|s| s.keep_minutes = vec![60]).fails(&["keep_minutes has 60", "0 to 59"]);
}

#[test]
fn cutting_and_resampling_keep_the_integral() {
    let full = hourly(&ramp(48), &[]).read();
    let area =
        |i: &Imported| i.intervals.iter().map(|i| i.value.expect("no gap") * (i.end - i.start) as f64).sum::<f64>();
    for step in [600.0, 1800.0, 5400.0, 7200.0, 86_400.0] {
        let other = hourly(&ramp(48), &[]).with(|s| s.step_s = Some(step)).read();
        assert!((area(&other) / area(&full) - 1.0).abs() < 1e-12, "{step}");
        assert_eq!(other.intervals.len() as f64, 48.0 * 3600.0 / step);
    }
    let days = hourly(&ramp(48), &[]).with(|s| s.step_s = Some(86_400.0)).read();
    assert_eq!(pieces(&days), [(0, 1440, 12.5), (1440, 2880, 36.5)]);
    let cut = hourly(&ramp(48), &[])
        .with(|s| (s.from, s.to) = (Some("2022-01-01T22:30:00Z".into()), Some("2022-01-02".into())));
    assert_eq!(pieces(&cut.read()), [(1350, 1380, 23.0), (1380, 1440, 24.0)]);
    hourly(&ramp(2), &[]).with(|s| s.from = Some("2023-01-01".into())).fails(&["nothing of which is asked for"]);
    hourly(&ramp(2), &[]).with(|s| s.to = Some("soon".into())).fails(&["to = \"soon\""]);
    hourly(&ramp(2), &[]).with(|s| s.to = Some("2022-01-01T01:00".into())).fails(&["has no zone"]);
}

/// Writes a file of ours beside the source.
fn written(imported: &Imported, dir: &Path) {
    let made =
        Made { unit_original: "lbs", source_file: Some("h.csv"), retrieved: None, by: "a \"test\"\nof two lines" };
    let text = file::text(&imported.info, &imported.intervals, &imported.account, &made);
    file::write(&dir.join("own.csv"), &text).expect("the folder is writable");
}

#[test]
fn files_of_ours_lose_nothing() {
    let mut values = ramp(30);
    values[3] = Some(1.0 / 3.0);
    values[9] = None;
    let source = hourly(&values, &[20]).with(|s| (s.gaps, s.max_hold_h) = (Gaps::Hold, Some(5.0)));
    let imported = source.read();
    written(&imported, source.dir.path());
    assert_eq!(std::fs::read_dir(source.dir.path()).expect("readable").count(), 2, "no partial file is left");
    let again = file::read(source.dir.path(), Path::new("own.csv")).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(again.intervals, imported.intervals);
    let without_hash = |i: &SignalInfo| SignalInfo { sha256: None, ..i.clone() };
    assert_eq!(without_hash(&again.info), without_hash(&imported.info));
    assert_eq!(stats(&again.intervals), stats(&imported.intervals));
    let signal = again.signal("2022-01-01T03:30:00Z".parse().expect("an instant")).expect("covered");
    assert_eq!(signal.at(SimTime::ZERO), GramsPerKwh(1.0 / 3.0));
    assert_eq!(signal.end(), SimTime::from_secs_f64(26.5 * 3600.0));
    let outside = again.signal("2022-01-02T06:00:00Z".parse().expect("an instant")).expect_err("the end").to_string();
    assert!(outside.contains("own.csv") && outside.contains("2022-01-02T06:00:00Z"), "{outside}");
}

#[test]
fn head_that_lacks_a_key_is_refused_by_its_name() {
    let source = hourly(&ramp(3), &[]);
    written(&source.read(), source.dir.path());
    let own = source.dir.path().join("own.csv");
    let text = std::fs::read_to_string(&own).expect("written");
    let fails = |text: String, part: &str| {
        std::fs::write(&own, text).expect("writable");
        let error = file::read(source.dir.path(), Path::new("own.csv")).expect_err(part).to_string();
        assert!(error.contains("own.csv") && error.contains(part), "{part} is missing in: {error}");
    };
    fails(text.replace("# licence = ", "# license = "), "lacks licence");
    fails(text.replace("# end = ", "# x = ").replace("# zone", "# y"), "lacks zone, end");
    fails(text.replace("# filled", "# note = 1\n# filled"), "unknown field `note`");
    fails(text.replace("slackwater_grid = 1", "slackwater_grid = 2"), "version 1 is read");
    fails(
        text.replace("T03:00:00Z", "T01:00:00Z").replace("2022-01-01T01:00:00Z,2,unknown\n", ""),
        "the interval ends at",
    );
    fails("time_utc,g_per_kwh\n".into(), "no head with # slackwater_grid");
}
