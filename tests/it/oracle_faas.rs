//! Keep-alive replays of one trace against two independent implementations: every row of `oracles/faas`.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use crate::lab::{Run, repository, run_file};
use crate::validate::hold;

fn replay(workload: &Path, set: &[&str]) -> Run {
    let path = format!("workload.calls.path={}", workload.display());
    let set: Vec<&str> = std::iter::once(path.as_str()).chain(set.iter().copied()).collect();
    run_file(&repository("scenarios/checks/keep-alive.toml"), &set, 1)
}

#[test]
fn every_published_keep_alive_row_is_reproduced() {
    hold(&["O-replay-*"]);
}

#[test]
fn many_hosts_agree_with_dslab() {
    hold(&["O-dslab-*"]);
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
