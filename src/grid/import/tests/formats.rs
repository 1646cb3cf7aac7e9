//! Every format, on a file small enough to be read by eye.

use super::*;
use crate::grid::{SignalKind, Unit};

const PORTAL: &str = "\u{feff}Datetime (UTC),Country,Zone Name,Zone Id,Carbon Intensity gCO\u{2082}eq/kWh (direct),\
    Carbon Intensity gCO\u{2082}eq/kWh (LCA),Low Carbon Percentage,Renewable Percentage,Data Source,Data Estimated,\
    Data Estimation Method\n\
    2022-01-01 00:00:00,USA,\"Somewhere, USA\",US-X,100,150.5,1,1,a.com,false,\n\
    2022-01-01 01:00:00,USA,\"Somewhere, USA\",US-X,110,160,1,1,a.com,true,MODEL\n";

#[test]
fn portal_file_is_read_on_the_basis_that_is_chosen() {
    let file = || given("p.csv", PORTAL.as_bytes()).with(|s| s.dataset_version = Some("2024".into()));
    let lca = file().with(|s| s.basis = Some(Basis::LifeCycle)).read();
    assert_eq!(pieces(&lca), [(0, 60, 150.5), (60, 120, 160.0)]);
    assert_eq!(lca.intervals.iter().map(|i| i.estimated).collect::<Vec<_>>(), [Some(false), Some(true)]);
    assert_eq!((lca.info.zone.as_str(), lca.info.kind), ("US-X", SignalKind::Average));
    assert_eq!(lca.info.factor_basis, "life cycle, Electricity Maps");
    assert_eq!(lca.unit_original, "gCO\u{2082}eq/kWh");
    let direct = file().with(|s| s.basis = Some(Basis::Direct)).read();
    assert_eq!(pieces(&direct)[0].2, 100.0);
    file().fails(&["p.csv:1: ", "direct and by life-cycle", "choose basis"]);
    file().with(|s| s.zone = Some("GB".into())).with(|s| s.basis = Some(Basis::Direct)).fails(&["zone GB is said"]);
    // Later exports write another case and `life cycle`.
    let later = PORTAL.replace("Carbon Intensity", "Carbon intensity").replace("(LCA)", "(Life cycle)");
    let later = given("p.csv", later.as_bytes()).with(|s| s.basis = Some(Basis::LifeCycle)).said();
    assert_eq!(pieces(&later.with(|s| s.zone = None).read())[1].2, 160.0);
    let unit = PORTAL.replace("gCO\u{2082}eq/kWh (LCA)", "tCO\u{2082}eq/kWh (LCA)");
    let unit = given("p.csv", unit.as_bytes()).with(|s| s.basis = Some(Basis::LifeCycle));
    unit.fails(&["unit \"tCO\u{2082}eq/kWh\" is not known", "nothing is guessed"]);
}

#[test]
fn slim_file_may_have_life_cycle_values_alone() {
    let file = given("s.csv", b"datetime_utc,ci_lca\n2022-01-01 00:00:00,10\n2022-01-01 01:00:00,20\n").said();
    let read = file.read();
    assert_eq!((pieces(&read)[1], read.estimated()), ((60, 120, 20.0), (0, 2)));
    assert_eq!(read.info.licence, "none needed");
    assert!(read.documented.contains(&"kind") && !read.documented.contains(&"licence"));
    let pair = b"datetime_utc,ci_direct,ci_lca,estimated\n2022-01-01 00:00:00,30,20,0\n2022-01-01 01:00:00,10,20,1\n";
    let pair = given("s.csv", pair).said().with(|s| s.basis = Some(Basis::LifeCycle)).read();
    assert!(pair.account.notes[0].contains("exceeds `ci_lca` in 1 of 2 rows"), "{:?}", pair.account.notes);
    assert_eq!(pair.estimated(), (1, 0));
}

#[test]
fn academic_file_has_averages_in_grams_and_marginals_whose_unit_is_asked_for() {
    let text = "datetime,created_at,updated_at,timestamp,zone_name,carbon_intensity_avg,carbon_intensity_direct_avg,\
                marginal_carbon_avg\n2022-01-01T00:00:00+00:00,,2022-01-02,,Z,200,150,1000\n\
                2022-01-01T01:00:00+00:00,,,,Z,210,250,2000\n";
    let file = || given("a.csv", text.as_bytes()).said();
    let average = file().with(|s| s.column = Some("carbon_intensity_avg".into())).read();
    assert_eq!(pieces(&average), [(0, 60, 200.0), (60, 120, 210.0)]);
    // No pair: which basis the average is on, must be said.
    let unsaid = file().with(|s| (s.basis, s.factor_basis) = (Some(Basis::LifeCycle), None));
    unsaid.fails(&["nobody says factor_basis"]);
    let marginal = || file().with(|s| s.column = Some("marginal_carbon_avg".into()));
    marginal().fails(&["says the unit", "lb-per-mwh"]);
    let pounds = marginal().with(|s| s.unit = Some(Unit::LbPerMwh)).read();
    assert_eq!(pounds.info.kind, SignalKind::Marginal);
    assert_eq!(pieces(&pounds).iter().map(|p| p.2).collect::<Vec<_>>(), [453.59237, 907.18474]);
    let wrong = marginal().with(|s| (s.unit, s.kind) = (Some(Unit::LbPerMwh), Some(SignalKind::Average)));
    wrong.fails(&["kind average is said, but the values are marginal"]);
    // Older files lack the direct column: nothing is to choose.
    let old = "datetime,zone_name,carbon_intensity_avg\n2022-01-01T00:00:00+00:00,Z,1\n2022-01-01T01:00:00+00:00,Z,2\n";
    assert_eq!(given("a.csv", old.as_bytes()).said().read().info.factor_basis, "direct");
}

#[test]
fn live_scrape_is_sorted_and_its_duplicates_are_collapsed() {
    // As scrapes come: a repeated hour, a revised one, a failed request, a row out of order, steps of 20 to 60 minutes.
    let row = |minute: u32, status: &str, value: &str| {
        format!("{},2022-01-01T00:00:00Z,{status},DE,{value},gCO2eq/kWh,50\n", 1_640_995_200 + 60 * minute)
    };
    let rows = [(0, "ok", "400"), (20, "ok", "410"), (20, "ok", "410"), (80, "ok", "430"), (50, "ok", "420")];
    let rows: String = rows.iter().map(|(m, s, v)| row(*m, s, v)).collect();
    let head =
        "timestamp,zone_datetime,status,zone_name,carbon_intensity_avg,carbon_intensity_unit,fossilFuelPercentage\n";
    let file = |more: &str| {
        let file = given("l.csv", format!("{head}{rows}{more}").as_bytes()).said();
        file.with(|s| s.zone = None)
    };
    file("").fails(&["l.csv:6: ", "is earlier than", "ask with sort"]);
    let read = file("").with(|s| s.sort = true).read();
    assert_eq!(pieces(&read), [(0, 20, 400.0), (20, 50, 410.0), (50, 80, 420.0), (80, 110, 430.0)]);
    assert_eq!((read.account.duplicates, read.account.unsorted), (1, 1));
    let other = row(80, "ok", "431");
    file(&other).with(|s| s.sort = true).fails(&["l.csv:7: a second value", "431 here, 430 before", "keep-last"]);
    let last = file(&other).with(|s| (s.sort, s.duplicates) = (true, Duplicates::KeepLast)).read();
    assert_eq!((pieces(&last)[3].2, last.account.replaced), (431.0, 1));
    let failed = file(&row(140, "failed", "")).with(|s| s.sort = true);
    failed.fails(&["no value from 2022-01-01T02:20:00Z"]);
    let gap = file(&row(200, "ok", "440")).with(|s| s.sort = true);
    gap.fails(&["no value from 2022-01-01T01:50:00Z to 2022-01-01T03:20:00Z", "1.5 h"]);
    let unit = file(&row(100, "ok", "1").replace("gCO2eq", "lbCO2eq")).with(|s| s.sort = true);
    unit.fails(&["l.csv:7: unit lbCO2eq/kWh, but gCO2eq/kWh before"]);
}

#[test]
fn electricity_maps_answer_is_a_history_a_past_range_or_a_forecast() {
    let text = r#"{"zone":"DE","history":[
        {"zone":"DE","carbonIntensity":300,"datetime":"2022-01-01T00:00:00.000Z","updatedAt":"2022-01-01T02:00:00Z",
         "emissionFactorType":"lifecycle","isEstimated":false,"estimationMethod":null},
        {"zone":"DE","carbonIntensity":null,"datetime":"2022-01-01T01:00:00.000Z","emissionFactorType":"lifecycle"},
        {"zone":"DE","carbonIntensity":320,"datetime":"2022-01-01T02:00:00.000Z","updatedAt":"2022-01-01T05:00:00Z",
         "emissionFactorType":"lifecycle","isEstimated":true}]}"#;
    let file = |text: &str| given("h.json", text.as_bytes()).said().with(|s| (s.zone, s.factor_basis) = (None, None));
    file(text).fails(&["no value from 2022-01-01T01:00:00Z to 2022-01-01T02:00:00Z", "choose gaps"]);
    let held = file(text).with(|s| s.gaps = Gaps::Hold).read();
    assert_eq!(pieces(&held), [(0, 60, 300.0), (60, 120, 300.0), (120, 180, 320.0)]);
    assert_eq!((held.account.filled, held.account.empty, held.estimated()), (1, 1, (2, 0)));
    assert_eq!((held.info.zone.as_str(), held.info.factor_basis.as_str()), ("DE", "life cycle, Electricity Maps"));
    let past = text.replace("\"history\"", "\"data\"");
    assert_eq!(file(&past).with(|s| s.gaps = Gaps::Hold).read().format, Format::ElectricityMapsApi);
    let mixed = text.replacen("lifecycle", "direct", 1);
    file(&mixed).fails(&["h.json at history[1]: direct and life-cycle values"]);
    let forecast = r#"{"zone":"DE","forecast":[{"carbonIntensity":1,"datetime":"2022-01-01T00:00:00Z"},
        {"carbonIntensity":2,"datetime":"2022-01-01T01:00:00Z"}],"updatedAt":"2021-12-31T23:00:00Z"}"#;
    let forecast = file(forecast).with(|s| (s.dataset_version, s.basis) = (None, Some(Basis::Direct))).read();
    assert_eq!(
        (forecast.estimated(), forecast.info.dataset_version.as_str()),
        ((2, 0), "updated 2021-12-31T23:00:00Z")
    );
    file(r#"{"zone":"DE","history":[]}"#).fails(&["`history` is empty", "fetch the span again"]);
    // The one updated last counts, wherever it stands.
    let revised = text.replace("T01:00:00.000Z\"", "T00:00:00.000Z\",\"updatedAt\":\"2022-01-01T01:30:00Z\"");
    let revised = revised.replace("null,\"datetime\"", "290,\"datetime\"");
    file(&revised).fails(&["at history[1]: a second value", "290 here, 300 before"]);
    let last = file(&revised).with(|s| s.duplicates = Duplicates::KeepLast).read();
    assert_eq!(pieces(&last)[0].2, 300.0);
}

#[test]
fn watttime_answer_is_converted_from_pounds_and_never_damage_to_health() {
    let text = r#"{"data":[{"point_time":"2022-01-01T00:00:00+00:00","value":1000.0,"version":"2022-10-01"},
        {"point_time":"2022-01-01T00:05:00+00:00","value":900.0}],"meta":{"region":"CAISO_NORTH",
        "signal_type":"co2_moer","model":{"date":"2023-03-01"},"units":"lbs_co2_per_mwh","data_point_period_seconds":300}}"#;
    let file =
        |text: &str| given("w.json", text.as_bytes()).said().with(|s| (s.zone, s.dataset_version) = (None, None));
    let read = file(text).read();
    assert_eq!(pieces(&read), [(0, 5, 453.59237), (5, 10, 900.0 * 0.453_592_37)]);
    assert_eq!((read.info.kind, read.info.zone.as_str()), (SignalKind::Marginal, "CAISO_NORTH"));
    assert_eq!(
        (read.unit_original.as_str(), read.info.dataset_version.as_str()),
        ("lbs_co2_per_mwh", "model 2023-03-01")
    );
    assert_eq!(file(&text.replace("moer", "aoer")).read().info.kind, SignalKind::Average);
    file(&text.replace("co2_moer", "health_damage")).fails(&["health_damage", "not carbon"]);
    file(&text.replace("lbs_co2_per_mwh", "percentile")).fails(&["unit \"percentile\" is not known"]);
    // A missing point is a gap, because the answer says how long each lasts.
    file(&text.replace("00:05:00", "00:10:00")).fails(&["no value from 2022-01-01T00:05:00Z"]);
    let forecasts = r#"[{"generated_at":"2022-01-01T00:00:00Z","forecast":[{"point_time":"2022-01-01T00:00:00Z","value":1},
        {"point_time":"2022-01-01T00:05:00Z","value":2}]},{"generated_at":"2022-01-01T00:05:00Z","forecast":
        [{"point_time":"2022-01-01T00:05:00Z","value":3},{"point_time":"2022-01-01T00:10:00Z","value":4}]}]"#;
    let forecasts = || {
        let file = given("f.json", forecasts.as_bytes()).said();
        file.with(|s| (s.unit, s.kind) = (Some(Unit::GPerKwh), Some(SignalKind::Marginal)))
    };
    forecasts().fails(&["2 forecasts, issued 2022-01-01T00:00:00Z to 2022-01-01T00:05:00Z", "choose one with vintage"]);
    let second = forecasts().with(|s| s.vintage = Some("2022-01-01T00:05:00Z".into())).read();
    assert_eq!(pieces(&second), [(5, 10, 3.0), (10, 15, 4.0)]);
    forecasts().with(|s| s.vintage = Some("2022-01-02".into())).fails(&["no forecast was issued at 2022-01-02"]);
}

#[test]
fn watttime_tables_say_neither_unit_nor_signal() {
    let client = b"point_time,value\n2022-01-01 00:00:00+00:00,1000\n2022-01-01 00:05:00+00:00,1000\n";
    let client = || given("c.csv", client).said();
    client().fails(&["says the unit"]);
    client().with(|s| s.unit = Some(Unit::LbPerMwh)).fails(&["nobody says kind"]);
    let read = client().with(|s| (s.unit, s.kind) = (Some(Unit::LbPerMwh), Some(SignalKind::Marginal))).read();
    assert_eq!(pieces(&read)[0], (0, 5, 453.59237));
    let naive = b"point_time,value\n2022-01-01 00:00:00,1\n2022-01-01 00:05:00,1\n";
    given("c.csv", naive).said().with(|s| s.unit = Some(Unit::GPerKwh)).fails(&["c.csv:2: ", "has no zone"]);
    let sample = b"oootime,Caiso_North,Other\n2022-01-01 00:00:00,1,2\n2022-01-01 00:05:00,3,4\n";
    let sample = || given("o.csv", sample).said().with(|s| (s.zone, s.unit) = (None, Some(Unit::GPerKwh)));
    sample().fails(&["o.csv:1: 2 regions: Caiso_North, Other", "choose one with column"]);
    let read = sample().with(|s| s.column = Some("caiso_north".into())).read();
    assert_eq!(
        (read.info.zone.as_str(), read.info.kind, pieces(&read)[1].2),
        ("CAISO_NORTH", SignalKind::Marginal, 3.0)
    );
}

#[test]
fn uk_answer_has_minutes_explicit_ends_and_values_that_come_late() {
    let text = r#"{"data":[
        {"from":"2022-01-01T00:00Z","to":"2022-01-01T00:30Z","intensity":{"forecast":90,"actual":95,"index":"low"}},
        {"from":"2022-01-01T00:30Z","to":"2022-01-01T01:00Z","intensity":{"forecast":91,"actual":null,"index":"low"}}]}"#;
    let file = |text: &str| given("n.json", text.as_bytes()).said().with(|s| (s.zone, s.licence) = (None, None));
    file(text).fails(&["no value from 2022-01-01T00:30:00Z to 2022-01-01T01:00:00Z"]);
    let forecast = file(text).with(|s| s.value = Some(Which::Forecast)).read();
    assert_eq!(pieces(&forecast), [(0, 30, 90.0), (30, 60, 91.0)]);
    assert_eq!((forecast.info.zone.as_str(), forecast.info.licence.as_str()), ("GB", "CC BY 4.0"));
    // One row is enough: its end is said.
    let one = r#"{"data":[{"from":"2022-01-01T00:00Z","to":"2022-01-01T00:30Z","intensity":{"actual":95}}]}"#;
    assert_eq!(pieces(&file(one).read()), [(0, 30, 95.0)]);
    let overlap = text.replace("\"2022-01-01T00:30Z\",\"intensity\"", "\"2022-01-01T00:45Z\",\"intensity\"");
    file(&overlap).fails(&["n.json at data[1]: ", "reaches past 2022-01-01T00:30:00Z"]);
    let regional = r#"{"data":[{"regionid":1,"shortname":"North Scotland","data":[
        {"from":"2022-01-01T00:00Z","to":"2022-01-01T00:30Z","intensity":{"forecast":7,"index":"low"}}]},
        {"regionid":13,"shortname":"London","data":[
        {"from":"2022-01-01T00:00Z","to":"2022-01-01T00:30Z","intensity":{"forecast":8,"index":"low"}}]}]}"#;
    let regional = || file(regional).with(|s| s.value = Some(Which::Forecast));
    regional().fails(&["2 regions", "choose zone: one of North Scotland, London"]);
    assert_eq!(pieces(&regional().with(|s| s.zone = Some("London".into())).read())[0].2, 8.0);
    assert_eq!(pieces(&regional().with(|s| s.zone = Some("1".into())).read())[0].2, 7.0);
    let actual = regional().with(|s| (s.zone, s.value) = (Some("1".into()), None));
    actual.fails(&["no entry has an `actual` intensity", "choose value: forecast"]);
    file("").fails(&["the file is empty", "data are late"]);
    let empty = file("{\"data\":[]}").with(|s| s.format = Some(Format::Neso));
    empty.fails(&["`data` is empty", "data are late"]);
}

#[test]
fn sdk_file_has_durations_for_ends() {
    let text = r#"[{"Location":"eastus","Time":"2022-01-01T00:00:00+00:00","Rating":65,"Duration":"01:00"},
        {"Location":"westus","Time":"2022-01-01T00:00:00+00:00","Rating":5,"Duration":"01:00"},
        {"Location":"eastus","Time":"2022-01-01T01:00:00+00:00","Rating":66,"Duration":"00:30:00"}]"#;
    let file = |zone: &str| {
        let file = given("g.json", text.as_bytes()).said().with(|s| s.zone = Some(zone.into()));
        file.with(|s| (s.unit, s.kind) = (Some(Unit::GPerKwh), Some(SignalKind::Average)))
    };
    assert_eq!(pieces(&file("eastus").read()), [(0, 60, 65.0), (60, 90, 66.0)]);
    file("eastus").with(|s| s.zone = None).fails(&["at list[1]: locations eastus and westus", "choose one with zone"]);
    file("mars").fails(&["no entry of location \"mars\""]);
    let wrong = given("g.json", text.replace("\"01:00\"", "\"1 h\"").as_bytes()).said();
    wrong.with(|s| s.zone = Some("eastus".into())).fails(&["at list[0]: Duration \"1 h\" is no length", "HH:MM"]);
}

#[test]
fn derived_tables_say_what_they_document() {
    let rows = |time: [&str; 2]| format!("{},10\n{},20\n", time[0], time[1]);
    let offset = rows(["2022-01-01 00:00:00+00:00", "2022-01-01 01:00:00+00:00"]);
    let zulu = rows(["2022-01-01T00:00:00Z", "2022-01-01T00:15:00Z"]);
    let naive = rows(["2022-01-01 00:00:00", "2022-01-01 00:30:00"]);
    for (header, rows, format, minutes) in [
        ("timestamp,avg_CI", &offset, Format::Eia, 60),
        ("timestamp,carbon_intensity", &zulu, Format::Entsoe, 15),
        ("Time,Carbon Intensity", &naive, Format::LetsWaitAwhile, 30),
    ] {
        let read = given("d.csv", format!("{header}\n{rows}").as_bytes()).said().read();
        assert_eq!(read.format, format);
        assert_eq!(pieces(&read), [(0, minutes, 10.0), (minutes, 2 * minutes, 20.0)]);
        assert!(read.documented.contains(&"kind"));
    }
    // Naive stamps are UTC only where the format is documented so.
    let wrong = format!("timestamp,carbon_intensity\n{naive}");
    given("d.csv", wrong.as_bytes()).said().fails(&["d.csv:2: ", "has no zone", "append `Z`"]);
    given("d.csv", wrong.as_bytes()).said().with(|s| s.basis = Some(Basis::Direct)).fails(&["has no zone"]);
    let both =
        "UTC time,carbon_intensity,avg_carbon_intensity_forecast\n2022-01-01 00:00:00,1,2\n2022-01-01 01:00:00,3,4\n";
    let both = || given("b.csv", both.as_bytes()).said();
    both().fails(&["side by side", "choose value: actual or forecast"]);
    assert_eq!(pieces(&both().with(|s| s.value = Some(Which::Actual)).read())[1].2, 3.0);
    assert_eq!(pieces(&both().with(|s| s.value = Some(Which::Forecast)).read())[1].2, 4.0);
}

#[test]
fn unknown_formats_and_useless_choices_are_refused() {
    given("u.csv", b"when,what\n1,2\n").said().fails(&["u.csv: unknown format", "\"when,what\"", "opendc-parquet"]);
    given("u.json", b"{\"a\":1}").said().fails(&["with the keys a"]);
    given("u.json", b"{\"a\":").said().fails(&["u.json:1: no JSON"]);
    let eia = || given("e.csv", b"timestamp,avg_CI\n2022-01-01T00:00:00Z,1\n2022-01-01T01:00:00Z,2\n").said();
    eia().with(|s| s.value = Some(Which::Actual)).fails(&["value is given, but the format eia has nothing to choose"]);
    eia().with(|s| s.max_hold_h = Some(2.0)).fails(&["max_hold_h is given, but gaps are not held"]);
    eia().with(|s| s.unit = Some(Unit::LbPerMwh)).fails(&["unit lb-per-mwh is said, but the values are in g-per-kwh"]);
    eia().with(|s| s.format = Some(Format::Neso)).fails(&["is no JSON and no Parquet, and neso is not"]);
    eia().with(|s| s.format = Some(Format::Entsoe)).fails(&["e.csv:1: no column `carbon_intensity`"]);
    let bare = given("e.csv", b"timestamp,avg_CI\n2022-01-01T00:00:00Z,1\n2022-01-01T01:00:00Z,2\n");
    bare.fails(&["nobody says zone, dataset_version"]);
    assert_eq!(Format::names().len(), 16);
    for name in Format::names() {
        let format: Format = toml::from_str::<ImportSpec>(&format!("path = 'x'\nformat = '{name}'"))
            .expect("the name is the key")
            .format
            .expect("given");
        assert_eq!(format.name(), name);
    }
}
