//! Whole runs of instances against figures from elsewhere: OpenDC's hand-checked case, the SURF week, and queueing theory.

use std::path::Path;
use std::sync::Arc;

use parquet::basic::Type;
use parquet::data_type::{DoubleType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::lab::{Lab, close, repository, run_file, shared};

/// Writes a Parquet file of one row group; integers are told from floats by the schema.
fn parquet(path: &Path, schema: &str, columns: &[&[f64]]) {
    let schema = Arc::new(parse_message_type(&format!("message schema {{ {schema} }}")).expect("a schema"));
    let file = std::fs::File::create(path).expect("the folder is writable");
    let types: Vec<Type> = schema.get_fields().iter().map(|f| f.get_physical_type()).collect();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(WriterProperties::default())).expect("a writer");
    let mut group = writer.next_row_group().expect("a row group");
    let mut at = 0;
    while let Some(mut column) = group.next_column().expect("a column") {
        let values = columns[at];
        match types[at] {
            Type::INT32 => {
                let ints: Vec<i32> = values.iter().map(|&x| x as i32).collect();
                column.typed::<Int32Type>().write_batch(&ints, None, None).expect("written");
            }
            Type::INT64 => {
                let ints: Vec<i64> = values.iter().map(|&x| x as i64).collect();
                column.typed::<Int64Type>().write_batch(&ints, None, None).expect("written");
            }
            _ => {
                column.typed::<DoubleType>().write_batch(values, None, None).expect("written");
            }
        }
        column.close().expect("closed");
        at += 1;
    }
    group.close().expect("closed");
    writer.close().expect("closed");
}

#[test]
fn the_tiny_case_of_opendc_comes_out_to_the_joule_and_the_gram() {
    // From OpenDC, release build of May 2025 (atlarge-research/opendc, MIT); every figure there was also derived by hand.
    let lab = Lab::new(
        r#"
[time]
start = "2022-01-01T00:00:00Z"
[output]
instances = true
[sci]
functional_unit = "instance"
[instances.tiny.opendc]
tasks = "tasks.parquet"
fragments = "fragments.parquet"
[scheduler.packing.worst-fit]
[servers.host]
cores = 4
memory_mb = 100_000
power.linear = { idle_w = 100.0, max_w = 300.0 }
embodied_kg = 1000
lifetime_years = 5
[[regions]]
name = "C01"
pue = 1.0
hosts = [{ server = "host", count = 2 }]
[regions.grid.csv]
path = "grid.csv"
zone = "tiny"
kind = "average"
factor_basis = "made"
source = "OpenDC's tiny case"
licence = "MIT"
dataset_version = "1"
past_end = "repeat"
"#,
    )
    .file(
        "grid.csv",
        "time_utc,g_per_kwh\n2022-01-01T00:00:00Z,100\n2022-01-01T01:00:00Z,200\n2022-01-01T02:00:00Z,50\n",
    );
    let (start, hour) = (1_640_995_200_000.0, 3_600_000.0);
    parquet(
        &lab.folder().join("tasks.parquet"),
        "required int32 id; required int64 submission_time; required int64 duration; required int32 cpu_count; \
         required double cpu_capacity; required int64 mem_capacity;",
        &[
            &[0.0, 1.0, 2.0],
            &[start, start + hour, start + hour],
            &[2.0 * hour, hour, hour],
            &[2.0, 4.0, 4.0],
            &[2000.0, 4000.0, 4000.0],
            &[1000.0; 3],
        ],
    );
    parquet(
        &lab.folder().join("fragments.parquet"),
        "required int32 id; required int64 duration; required double cpu_usage;",
        &[&[0.0, 0.0, 1.0, 2.0], &[hour; 4], &[2000.0, 1000.0, 4000.0, 2000.0]],
    );
    let run = lab.run(&[]);
    assert_eq!(run.number("run.simulated_s"), 10_800.0);
    assert_eq!(run.number("energy_j.total"), 3_780_000.0);
    close("carbon_g.operational", run.number("carbon_g.operational"), 135.0, 1e-9);
    close("carbon_g.embodied", run.number("carbon_g.embodied"), 136.986_301_369_863, 1e-9);
    close("sci.g_per_unit", run.number("sci.g_per_unit"), (135.0 + 136.986_301_369_863) / 3.0, 1e-9);
    let told = std::fs::read_to_string(run.folder().join("instances.csv")).expect("the log is there");
    let rows: Vec<Vec<&str>> = told.lines().skip(1).map(|l| l.split(',').collect()).collect();
    let ends: Vec<(&str, &str, &str, &str)> = rows.iter().map(|r| (r[0], r[3], r[9], r[14])).collect();
    // Name, host, end, wait.
    assert_eq!(ends, [("0", "0", "7200", "0"), ("1", "1", "7200", "0"), ("2", "0", "10800", "3600")]);
}

#[test]
fn the_week_of_surf_is_done_to_the_last_core_second() {
    let Some(folder) = shared("data/traces/opendc-surf-week") else { return };
    let path = |name: &str| format!("instances.surf.opendc.{name}={}/{name}.parquet", folder.display());
    let set = [path("tasks"), path("fragments")];
    let set: Vec<&str> = set.iter().map(String::as_str).collect();
    let run = run_file(&repository("scenarios/external/surf-week.toml"), &set, 2);
    assert_eq!((run.number("instances.asked"), run.number("instances.finished")), (6295.0, 6295.0));
    // Sum of duration x usage over the file, in cores of 2,100 MHz, computed with polars.
    close("instances.used_core_s", run.number("instances.used_core_s"), 725_718_886.5, 1e-9);
    assert_eq!(run.number("instances.waiting") + run.number("instances.evicted"), 0.0);
}

/// Instances of one core that come at random and live as `lifetime` says, on so many hosts of two cores.
fn crowd(rate_per_h: f64, lifetime: &str, hosts: u32, hours: f64) -> Lab {
    Lab::new(&format!(
        r#"
[time]
duration_s = {s}
[output]
ledger_step_s = 3600
step_s = 3600
[sci]
functional_unit = "instance-hour"
[instances.crowd.synthetic]
arrivals.rate_per_h = {rate_per_h}
duration_s = {s}
step_s = 36000
sizes.list.sizes = [{{ cores = 1.0, memory_mb = 100.0 }}]
lifetime = {lifetime}
usage.constant.share = 1.0
[servers.box]
cores = 2
memory_mb = 8000
embodied_kg = 1000
lifetime_years = 4
[[regions]]
name = "here"
grid.constant.g_per_kwh = 100.0
hosts = [{{ server = "box", count = {hosts} }}]
"#,
        s = hours * 3600.0
    ))
}

#[test]
fn without_limits_the_number_present_is_poisson_with_the_offered_load_as_its_mean() {
    // M/D/infinity: 40 per hour that live for half an hour: 20 on average (Little's law, exact), whatever the shape of lives.
    let hours = 4000.0;
    let run = crowd(40.0, "{ fixed.life_s = 1800.0 }", 40, hours).run(&[]);
    let asked = run.number("instances.asked");
    assert_eq!(run.number("instances.waited"), 0.0);
    // Exact: everybody who came has lived his life, but for those whose life the end cut.
    let lived = run.number("instances.used_core_s");
    assert!(lived <= asked * 1800.0 && lived >= (asked - 60.0) * 1800.0, "{lived} of {asked} lives");
    // Mean 20 with a standard error of sqrt(2 x 20 x 0.5 h / 4000 h) = 0.07 at most; four of them.
    let mean = lived / (hours * 3600.0);
    assert!((mean - 20.0).abs() < 0.29, "{mean} present on average");
    // The 99th percentile of the cell's demand is that of a Poisson number: 31 (P(N <= 30) = 0.987, P(N <= 31) = 0.992).
    let p99 = run.number("multiplexing.demand_p99_cores");
    assert!((30.0..=33.0).contains(&p99), "{p99} present at the 99th percentile");
}

#[test]
fn equal_lives_wait_half_as_long_as_exponential_ones_and_as_an_m_d_c_queue_says() {
    // Two cores, 1.6 of them offered. M/M/2 waits 1.7778 lives (Erlang C, published-systems.md 4.2); M/D/c waits about half of that:
    // Cosmetatos' approximation, (1 + (1 - rho)(c - 1)(sqrt(4 + 5 c) - 2) / (16 rho c)) / 2 of it, good to 2 %.
    let run = crowd(3200.0, "{ fixed.life_s = 1.8 }", 1, 400.0).run(&[]);
    let (rho, c) = (0.8_f64, 2.0_f64);
    let half = (1.0 + (1.0 - rho) * (c - 1.0) * ((4.0 + 5.0 * c).sqrt() - 2.0) / (16.0 * rho * c)) / 2.0;
    let expected = 1.777_778 * 1.8 * half;
    let ours = run.number("instances.wait_mean_s");
    assert!((ours / expected - 1.0).abs() < 0.03, "a mean wait of {ours} s, expected {expected} s");
}
