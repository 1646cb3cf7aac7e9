//! Keep-alive replays of one trace against two independent implementations: every row of `oracles/faas`.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use crate::lab::{Run, close, repository, run_file, shared};

fn replay(workload: &Path, set: &[&str]) -> Run {
    let path = format!("workload.calls.path={}", workload.display());
    let set: Vec<&str> = std::iter::once(path.as_str()).chain(set.iter().copied()).collect();
    run_file(&repository("scenarios/checks/keep-alive.toml"), &set, 1)
}

/// Asserts that a number rounds to one that was printed with nine decimals.
#[track_caller]
fn prints_as(what: &str, ours: f64, printed: f64) {
    assert!((ours - printed).abs() <= 5.0e-10 * (1.0 + 1e-6), "{what}: {ours} does not print as {printed:.9}");
}

#[test]
fn every_published_keep_alive_row_is_reproduced() {
    let Some(folder) = shared("oracles/faas") else { return };
    let table = std::fs::read_to_string(folder.join("expected_keepalive.csv")).expect("the oracle is readable");
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let header = rows.headers().expect("a header").clone();
    let mut checked = 0;
    for row in rows.records() {
        let row = row.expect("a row");
        let cell = |name: &str| &row[header.iter().position(|h| h == name).expect("a column of the oracle")];
        let number = |name: &str| cell(name).parse::<f64>().expect("a number");
        let what = format!("{} {} {} s", cell("reference"), cell("reuse_order"), cell("keep_alive_s"));
        let run = replay(
            &folder.join(format!("{}.csv", cell("workload"))),
            &[
                &format!("scheduler.keep_alive.fixed.keep_alive_s={}", cell("keep_alive_s")),
                &format!("scheduler.keep_alive.fixed.clock_restarts={}", cell("timer_restarts")),
                &format!("model.sandbox.reuse_order={}", cell("reuse_order")),
                &format!("isolation.container.start_median_s={}", cell("cold_start_s")),
            ],
        );
        assert_eq!(run.number("calls.cold"), number("cold_starts"), "{what}: cold starts");
        prints_as(&format!("{what}: mean"), run.number("latency_s.mean"), number("mean_latency_s"));
        for p in ["p50", "p95", "p99", "p999"] {
            close(&format!("{what}: {p}"), run.number(&format!("latency_s.{p}")), number(&format!("{p}_s")), 5e-4);
        }
        match cell("idle_mb_s") {
            "" => {}
            "0" => assert_eq!(run.number("memory.idle_mb_s"), 0.0, "{what}: idle memory"),
            _ => close(&format!("{what}: idle memory"), run.number("memory.idle_mb_s"), number("idle_mb_s"), 1e-6),
        }
        eprintln!(
            "{what}: cold {} mean {:+.1e} idle {:+.1e}",
            run.number("calls.cold"),
            run.number("latency_s.mean") / number("mean_latency_s") - 1.0,
            cell("idle_mb_s").parse::<f64>().map_or(f64::NAN, |i| run.number("memory.idle_mb_s") / i - 1.0),
        );
        checked += 1;
    }
    assert_eq!(checked, 13, "rows of the oracle");
}

/// What dslab-faas' Basic scheduler does, in our words.
const BASIC: [&str; 6] = [
    "scheduler.packing.first-fit={prefer_warm=true}",
    "model.sandbox.reuse_order=dslab",
    "model.sandbox.eviction=none",
    "model.queue.scope=host",
    "model.queue.overtake=true",
    "scheduler.keep_alive.fixed.clock_restarts=true",
];

/// A row of dslab-faas' results on many hosts, agreeing to its printed digits.
#[track_caller]
fn basic(set: &[&str], cold: f64, mean: f64, quantiles: [f64; 3], idle: f64) {
    let Some(workload) = shared("oracles/faas/w_1e5.csv") else { return };
    let set: Vec<&str> = BASIC.iter().chain(set).copied().collect();
    let run = replay(&workload, &set);
    eprintln!(
        "cold {} (of {cold}), mean {:.9} ({mean}), idle {:.3} ({idle}), waited {}",
        run.number("calls.cold"),
        run.number("latency_s.mean"),
        run.number("memory.idle_mb_s"),
        run.number("calls.waited")
    );
    assert_eq!(run.number("calls.cold"), cold, "cold starts");
    prints_as("mean", run.number("latency_s.mean"), mean);
    for (p, wanted) in ["p50", "p95", "p99"].into_iter().zip(quantiles) {
        close(p, run.number(&format!("latency_s.{p}")), wanted, 5e-4);
    }
    close("idle memory", run.number("memory.idle_mb_s"), idle, 1e-6);
}

#[test]
fn a_hundred_large_hosts_agree_with_dslab() {
    basic(
        &[
            "regions[0].hosts[0].count=100",
            "servers.unlimited.memory_mb=65536",
            "scheduler.keep_alive.fixed.keep_alive_s=600",
        ],
        1563.0,
        0.429414595,
        [0.274936, 1.275437, 2.551711],
        906731471.624,
    );
}

#[test]
fn a_hundred_small_hosts_agree_with_dslab() {
    basic(
        &[
            "regions[0].hosts[0].count=100",
            "servers.unlimited.memory_mb=8192",
            "scheduler.keep_alive.fixed.keep_alive_s=600",
        ],
        1568.0,
        0.429439595,
        [0.274941, 1.275578, 2.551711],
        902537057.503,
    );
}

#[test]
fn twenty_hosts_of_four_contended_cores_agree_with_dslab() {
    basic(
        &[
            "regions[0].hosts[0].count=20",
            "servers.unlimited.memory_mb=32768",
            "servers.unlimited.cores=4",
            "model.cpu=contended",
            "scheduler.keep_alive.fixed.keep_alive_s=60",
        ],
        7182.0,
        2.780674701,
        [1.626266, 9.039192, 18.159089],
        479655826.418,
    );
}

/// Rows of the sample that comes with the scenario: arrival, function, duration, memory.
fn sample() -> Vec<(f64, String, f64, f64)> {
    let mut reader = csv::Reader::from_path(repository("scenarios/checks/keep-alive-sample.csv")).expect("the sample");
    let number = |c: &str| c.parse().expect("a number");
    let rows = reader.records().map(|r| r.expect("a row"));
    rows.map(|r| (number(&r[0]), r[1].to_owned(), number(&r[2]), number(&r[3]))).collect()
}

/// Writes the sample as Parquet; the columns `count` and `deadline_s` are optional and full.
fn write_parquet(path: &Path, names_as_text: bool) {
    let column = |name, physical, repetition, logical| {
        let column = Type::primitive_type_builder(name, physical).with_repetition(repetition);
        Arc::new(column.with_logical_type(logical).build().expect("a column"))
    };
    let function = match names_as_text {
        true => column("function_id", Physical::BYTE_ARRAY, Repetition::OPTIONAL, Some(LogicalType::String)),
        false => column("function_id", Physical::INT64, Repetition::REQUIRED, None),
    };
    let fields = vec![
        column("arrival_time_s", Physical::DOUBLE, Repetition::REQUIRED, None),
        function,
        column("duration_s", Physical::DOUBLE, Repetition::OPTIONAL, None),
        column("memory_mb", Physical::INT64, Repetition::OPTIONAL, None),
        column("count", Physical::INT64, Repetition::OPTIONAL, None),
        column("deadline_s", Physical::DOUBLE, Repetition::OPTIONAL, None),
    ];
    let schema = Arc::new(Type::group_type_builder("calls").with_fields(fields).build().expect("a schema"));
    let file = File::create(path).expect("the folder is writable");
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(WriterProperties::new())).expect("a writer");
    for rows in sample().chunks(70) {
        let full = vec![1_i16; rows.len()];
        let mut group = writer.next_row_group().expect("a row group");
        let mut at = 0;
        while let Some(mut column) = group.next_column().expect("a column") {
            let doubles: Vec<f64> = match at {
                0 => rows.iter().map(|r| r.0).collect(),
                2 => rows.iter().map(|r| r.2).collect(),
                _ => vec![60.0; rows.len()],
            };
            let integers: Vec<i64> = match at {
                1 => rows.iter().map(|r| r.1[1..].parse().expect("names are f and a number")).collect(),
                3 => rows.iter().map(|r| r.3 as i64).collect(),
                _ => vec![1; rows.len()],
            };
            let texts: Vec<ByteArray> = rows.iter().map(|r| r.1.as_str().into()).collect();
            match at {
                0 => column.typed::<DoubleType>().write_batch(&doubles, None, None),
                1 if names_as_text => column.typed::<ByteArrayType>().write_batch(&texts, Some(&full), None),
                1 => column.typed::<Int64Type>().write_batch(&integers, None, None),
                3 | 4 => column.typed::<Int64Type>().write_batch(&integers, Some(&full), None),
                _ => column.typed::<DoubleType>().write_batch(&doubles, Some(&full), None),
            }
            .expect("a chunk");
            column.close().expect("a column");
            at += 1;
        }
        group.close().expect("a row group");
    }
    writer.close().expect("a file");
}

/// Writes the sample as CSV with the same columns.
fn write_csv(path: &Path, names_as_text: bool) {
    let mut text = "arrival_time_s,function_id,duration_s,memory_mb,count,deadline_s\n".to_owned();
    for (arrival, function, duration, memory) in sample() {
        let function =
            if names_as_text { function } else { function[1..].parse::<u32>().expect("a number").to_string() };
        text += &format!("{arrival},{function},{duration},{memory},1,60\n");
    }
    std::fs::write(path, text).expect("the folder is writable");
}

#[test]
fn csv_and_parquet_give_the_same_bytes() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut results = Vec::new();
    for names_as_text in [true, false] {
        let (csv, parquet) = (dir.path().join("calls.csv"), dir.path().join("calls.parquet"));
        write_csv(&csv, names_as_text);
        write_parquet(&parquet, names_as_text);
        let set = ["output.invocations=true", "scheduler.keep_alive.fixed.keep_alive_s=30"];
        let (from_csv, from_parquet) = (replay(&csv, &set), replay(&parquet, &set));
        assert_eq!(from_csv.number("calls.received"), 200.0);
        assert_eq!(from_csv.files(), from_parquet.files(), "names as text: {names_as_text}");
        results.push(from_csv);
    }
    assert_ne!(results[0].files(), results[1].files(), "the functions' names differ");
}
