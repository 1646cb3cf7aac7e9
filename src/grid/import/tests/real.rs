//! The traps of real files, where the validation data are there.

use super::*;
use crate::grid::import::policies::gaps::mean;
use crate::grid::stats::{Stats, stats};
use crate::grid::{SignalKind, Unit};
use crate::types::SimTime;

/// How a file under data/ is read, with metadata.
fn spec(path: PathBuf) -> ImportSpec {
    said(ImportSpec { path, ..ImportSpec::default() })
}

fn read(spec: &ImportSpec) -> Imported {
    import(Path::new(""), spec).unwrap_or_else(|e| panic!("{e}"))
}

fn error(spec: &ImportSpec) -> String {
    import(Path::new(""), spec).expect_err("it has a fault").to_string()
}

fn figures(spec: &ImportSpec) -> (Stats, Account) {
    let surveyed = survey(Path::new(""), spec).unwrap_or_else(|e| panic!("{e}"));
    (stats(&surveyed.intervals).expect("values"), surveyed.account)
}

/// Asserts that a figure is the printed one to its last digit.
#[track_caller]
fn printed(what: &str, ours: f64, text: &str) {
    let digits = text.split_once('.').map_or(0, |(_, d)| d.len());
    let wanted: f64 = text.parse().expect("a number");
    let slack = 0.5 * 10f64.powi(-(digits as i32)) + 1e-9;
    assert!((ours - wanted).abs() <= slack, "{what}: {ours} is not {text}");
}

#[test]
fn figures_of_the_nineteen_zones_are_reproduced() {
    let Some(grid) = shared("grid") else { return };
    let mut rows = ::csv::Reader::from_path(grid.join("zones.csv")).expect("readable");
    let header = rows.headers().expect("a header").clone();
    let mut zones = 0;
    for row in rows.records() {
        let row = row.expect("a row");
        let cell = |name: &str| row[header.iter().position(|h| h == name).expect("a column")].to_owned();
        let zone = cell("zone");
        let eia = cell("source").starts_with("EIA");
        let path = match eia {
            true => grid.join(format!("eia/{}_2022.csv", zone.trim_start_matches("US-"))),
            false => grid.join(format!("electricitymaps/{zone}_2022.csv")),
        };
        let basis = (!eia).then_some(Basis::LifeCycle);
        let (s, _) = figures(&ImportSpec { path, basis, ..ImportSpec::default() });
        zones += 1;
        for (column, ours) in [
            ("hours", s.n as f64),
            ("mean_g_per_kwh", s.mean_g_per_kwh),
            ("min_g_per_kwh", s.min_g_per_kwh),
            ("max_g_per_kwh", s.max_g_per_kwh),
            ("residual_sd_g_per_kwh", s.residual_sd_g_per_kwh),
            ("residual_lag1_autocorrelation", s.residual_lag1_autocorrelation.expect("pairs")),
        ] {
            printed(&format!("{zone} {column}"), ours, &cell(column));
        }
    }
    assert_eq!(zones, 19);
}

#[test]
fn means_and_estimated_rows_are_those_of_the_description() {
    let Some(grid) = shared("grid") else { return };
    for (name, mean, estimated) in [
        ("AU-VIC_2022", "541.4", 72),
        ("BR_2022", "92.8", 157),
        ("CA-ON_2022", "59.3", 357),
        ("CL-SIC_2022", "324.4", 32),
        ("DE-LU_2022", "477.9", 0),
        ("ES_2022", "219.3", 124),
        ("GB_2022", "222.0", 0),
        ("GB_2023", "187.5", 20),
        ("IN-WE_2022", "747.5", 8760),
        ("NO_2022", "38.1", 14),
        ("SG_2022", "491.5", 722),
        ("US-CAL-CISO_2022", "262.3", 8),
        // Described as 260.8; the file's rows have a mean of 260.748.
        ("US-CAL-CISO_2023", "260.7", 2),
        ("US-TEX-ERCO_2022", "399.5", 0),
        ("ZA_2022", "704.3", 0),
    ] {
        let path = grid.join(format!("electricitymaps/{name}.csv"));
        let (s, account) = figures(&ImportSpec { path, basis: Some(Basis::LifeCycle), ..ImportSpec::default() });
        printed(name, s.mean_g_per_kwh, mean);
        assert_eq!((s.n, s.gaps, s.estimated, s.estimated_unknown), (8760, 0, estimated, 0), "{name}");
        // Direct never exceeds life cycle: no note says so.
        assert!(account.notes.is_empty(), "{name}: {:?}", account.notes);
    }
    let portal = ImportSpec {
        basis: Some(Basis::LifeCycle),
        path: grid.join("raw/US-CAL-CISO_2022_hourly.csv"),
        ..ImportSpec::default()
    };
    printed("portal", figures(&portal).0.mean_g_per_kwh, "261.3");
    for (name, mean) in [
        ("AZPS", "575.0"),
        ("BPAT", "54.7"),
        ("CISO", "256.2"),
        ("ERCO", "347.2"),
        // Over the rows that are there, as in zones.csv; with the three empty cells held it would be 440.6.
        ("MISO", "440.5"),
        ("NYIS", "272.8"),
        ("PJM", "362.6"),
        ("SOCO", "423.2"),
    ] {
        let path = grid.join(format!("eia/{name}_2022.csv"));
        printed(name, figures(&ImportSpec { path, ..ImportSpec::default() }).0.mean_g_per_kwh, mean);
    }
}

#[test]
fn empty_cells_of_the_eia_files_are_found_and_the_long_run_is_not_held() {
    let Some(grid) = shared("grid/eia") else { return };
    for (name, empty) in [("CISO", 3), ("MISO", 3), ("PJM", 23), ("ERCO", 0)] {
        let (s, account) = figures(&spec(grid.join(format!("{name}_2022.csv"))));
        assert_eq!((account.empty, account.missing, s.n), (empty, 0, 8760 - empty), "{name}");
    }
    let pjm = spec(grid.join("PJM_2022.csv"));
    let run = "no value from 2022-03-13T07:00:00Z to 2022-03-14T05:00:00Z (22 h, 22 rows)";
    assert!(error(&pjm).contains(run), "{}", error(&pjm));
    let held = ImportSpec { gaps: Gaps::Hold, ..pjm.clone() };
    assert!(error(&held).contains("longer than the 3 h"), "{}", error(&held));
    let filled = read(&ImportSpec { gaps: Gaps::SameHourLastWeek, ..pjm });
    assert_eq!((filled.account.filled, filled.intervals.len(), filled.estimated().0), (23, 8760, 23));
}

#[test]
fn entsoe_year_has_364_days() {
    let Some(grid) = shared("grid/entsoe") else { return };
    for (name, mean) in [("DE", "273.7"), ("NL", "165.3")] {
        let (s, _) = figures(&spec(grid.join(format!("{name}_2022.csv"))));
        assert_eq!((s.n, s.step_s, s.end.as_str()), (364 * 96, 900.0, "2022-12-31T00:00:00Z"));
        printed(name, s.mean_g_per_kwh, mean);
    }
    let nl = read(&spec(grid.join("NL_2022.csv")));
    let signal = nl.signal("2022-01-01T00:00:00Z".parse().expect("an instant")).expect("covered");
    let year = SimTime::from_secs_f64(365.0 * 86_400.0);
    let error = signal.extend_to(year, crate::grid::PastEnd::Error).expect_err("a day is missing").to_string();
    for part in ["ends 31449600 s", "needs 31536000 s", "stop", "repeat", "hold"] {
        assert!(error.contains(part), "{part} is missing in: {error}");
    }
    // The same numbers as OpenDC's Parquet file has.
    let Some(parquet) = shared("traces/opendc-formats/carbon_NL_2022.parquet") else { return };
    let parquet = read(&ImportSpec { kind: Some(SignalKind::Average), ..spec(parquet) });
    assert_eq!((parquet.format, parquet.intervals.len()), (Format::OpendcParquet, nl.intervals.len()));
    assert!(parquet.intervals.iter().zip(&nl.intervals).all(|(a, b)| {
        a.start == b.start && (a.value.expect("no gap") - b.value.expect("no gap")).abs() <= 0.005 + 1e-9
    }));
}

#[test]
fn day_that_the_forecast_file_lacks_is_one_gap() {
    let Some(path) = shared("grid/forecast/CISO_2019-2022_actual_vs_carboncast.csv") else { return };
    for (which, mean) in [(Which::Actual, "187.0"), (Which::Forecast, "197.7")] {
        let spec = ImportSpec { value: Some(which), ..spec(path.clone()) };
        let (s, account) = figures(&spec);
        assert_eq!((s.n, s.gaps, s.gap_h, account.missing), (35_040, 1, 24.0, 24));
        printed("forecast file", s.mean_g_per_kwh, mean);
        let error = error(&spec);
        assert!(
            error.contains("no value from 2020-12-31T00:00:00Z to 2021-01-01T00:00:00Z (24 h, 24 rows)"),
            "{error}"
        );
    }
}

#[test]
fn mixed_steps_of_lets_wait_awhile_are_read_whole_and_as_half_hours() {
    let Some(grid) = shared("grid/lwa2020") else { return };
    let (ger, _) = figures(&spec(grid.join("ger_ci.csv")));
    assert_eq!((ger.gaps, ger.steps), (0, vec![(900.0, 37_145), (1800.0, 2)]));
    printed("ger_ci", ger.mean_g_per_kwh, "315.2");
    let (gb, _) = figures(&spec(grid.join("gb_ci.csv")));
    assert_eq!((gb.gaps, gb.end.as_str()), (0, "2021-01-10T00:00:00Z"));
    // The described mean counts every row alike; by time it is lower, since the dirtier winter has rows twice as often.
    let whole = read(&spec(grid.join("gb_ci.csv")));
    let rows = whole.intervals.iter().map(|i| i.value.expect("no gap")).sum::<f64>() / whole.intervals.len() as f64;
    printed("gb_ci, rows alike", rows, "217.6");
    printed("gb_ci, by time", gb.mean_g_per_kwh, "214.5");
    for (name, rows) in [("ger_ci", 17_999), ("gb_ci", 18_000)] {
        let half = ImportSpec {
            keep_minutes: vec![0, 30],
            from: Some("2020-01-01".into()),
            ..spec(grid.join(format!("{name}.csv")))
        };
        let half = read(&half);
        assert_eq!(half.intervals.len(), rows, "{name}");
        assert!(half.intervals.iter().all(|i| i.end - i.start == 1_800_000_000_000));
    }
}

#[test]
fn marginal_files_are_read_in_the_unit_that_is_said() {
    let Some(grid) = shared("grid/marginal") else { return };
    let pacw = grid.join("US-NW-PACW_2022_avg_and_marginal.csv");
    let marginal = ImportSpec { column: Some("marginal_carbon_avg".into()), ..spec(pacw.clone()) };
    assert!(error(&marginal).contains("says the unit"));
    let pounds = read(&ImportSpec { unit: Some(Unit::LbPerMwh), ..marginal });
    assert_eq!(pounds.info.kind, SignalKind::Marginal);
    let (first, last) = (pounds.intervals[0].start, pounds.intervals[8759].end);
    let grams = mean(&pounds.intervals, first, last).expect("no gaps");
    printed("PACW marginal [lb/MWh]", grams / 0.453_592_37, "1221.3");
    printed("PACW marginal [g/kWh]", grams, "554");
    let average = ImportSpec { column: Some("carbon_intensity_avg".into()), ..spec(pacw) };
    let (s, account) = figures(&average);
    printed("PACW average", s.mean_g_per_kwh, "235.8");
    assert!(account.notes[0].contains("in 3559 of 8760 rows"), "{:?}", account.notes);
    let unsaid = ImportSpec { factor_basis: None, ..average };
    assert!(error(&unsaid).contains("nobody says factor_basis"));
    let caiso = grid.join("CAISO_NORTH_watttime_5min_2023-06-08_07-08.csv");
    let (s, _) = figures(&ImportSpec { unit: Some(Unit::GPerKwh), ..spec(caiso) });
    printed("CAISO_NORTH", s.mean_g_per_kwh, "355.3");
    assert_eq!((s.step_s, s.gaps), (300.0, 0));
}
