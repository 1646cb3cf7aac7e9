//! What the tests of all formats stand on, and the laws that every source keeps.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use tempfile::TempDir;

use super::*;
use crate::types::Seed;

/// A folder with files, in which sources are opened.
pub(super) struct Lab(TempDir);

/// An instance with its usage to its end.
pub(super) type Drained = (Instance, Vec<Usage>);

impl Lab {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.0.path().join(name), text).expect("writable");
        self
    }

    pub fn gz(self, name: &str, text: &str, cut: usize) -> Self {
        let mut gz = GzEncoder::new(Vec::new(), Compression::default());
        gz.write_all(text.as_bytes()).expect("memory");
        let bytes = gz.finish().expect("memory");
        fs::write(self.0.path().join(name), &bytes[..bytes.len() - cut]).expect("writable");
        self
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Opens a source given as JSON; times of day count from midnight, 2022-01-01.
    pub fn open(&self, spec: &str) -> Result<Box<dyn Instances>, WorkloadError> {
        open_at(self.path(), spec)
    }

    /// The message with which a source fails, on opening or later, with the folder's name taken out.
    #[track_caller]
    pub fn fails(&self, spec: &str) -> String {
        let result = self.open(spec).and_then(|mut source| drain(&mut *source));
        let message = result.expect_err("the input is wrong").to_string();
        message.replace(&format!("{}/", self.path().display()), "")
    }
}

pub(super) fn open_at(base: &Path, spec: &str) -> Result<Box<dyn Instances>, WorkloadError> {
    let spec: InstancesSpec = serde_json::from_str(spec).expect("a specification");
    let regions = ["north".to_owned(), "south".to_owned()];
    let start = "2022-01-01T00:00:00Z".parse().expect("an instant");
    spec.open(&Context { base_dir: base, regions: &regions, seed: Seed(7), start })
}

/// A folder of the validation data, unless it is absent: then says so.
pub(super) fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SLACKWATER_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let found = root.join("data/traces").join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("skipped: {} is absent; set SLACKWATER_SHARED to the folder that holds it", found.display());
    None
}

/// All instances, and their usage side by side, one piece of each in turn, as an engine asks for it.
pub(super) fn drain(source: &mut dyn Instances) -> Result<Vec<Drained>, WorkloadError> {
    let mut all: Vec<Drained> = Vec::new();
    let mut announced = Announced::default();
    while let Some(instance) = source.next(&mut announced)? {
        all.push((instance, Vec::new()));
    }
    let mut alive: Vec<usize> = (0..all.len()).collect();
    while !alive.is_empty() {
        let mut left = Vec::new();
        for i in alive {
            if let Some(piece) = source.usage(i as u32)? {
                all[i].1.push(piece);
                left.push(i);
            }
        }
        alive = left;
    }
    Ok(all)
}

/// The pieces as (seconds, cores).
pub(super) fn plain(pieces: &[Usage]) -> Vec<(f64, f64)> {
    pieces.iter().map(|p| (p.duration.as_secs_f64(), p.cpu as f64 / 1e6)).collect()
}

pub(super) fn note(source: &dyn Instances, key: &str) -> Option<String> {
    source.notes().into_iter().find(|(k, _)| k == key).map(|(_, v)| v)
}

/// One column of a Parquet file.
pub(super) enum Col {
    I32(Vec<i32>),
    I64(Vec<i64>),
    F64(Vec<f64>),
    Text(Vec<&'static str>),
}

/// Writes a Parquet file of one row group per `rows` rows.
pub(super) fn parquet(path: &Path, schema: &str, columns: &[Col], groups: usize) {
    let schema = Arc::new(parse_message_type(&format!("message m {{ {schema} }}")).expect("a schema"));
    let file = fs::File::create(path).expect("writable");
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(WriterProperties::default())).expect("a writer");
    let rows = match &columns[0] {
        Col::I32(v) => v.len(),
        Col::I64(v) => v.len(),
        Col::F64(v) => v.len(),
        Col::Text(v) => v.len(),
    };
    for g in 0..groups {
        let range = rows * g / groups..rows * (g + 1) / groups;
        let mut group = writer.next_row_group().expect("a group");
        for column in columns {
            let mut c = group.next_column().expect("a column").expect("as many as the schema has");
            let written = match column {
                Col::I32(v) => c.typed::<Int32Type>().write_batch(&v[range.clone()], None, None),
                Col::I64(v) => c.typed::<Int64Type>().write_batch(&v[range.clone()], None, None),
                Col::F64(v) => c.typed::<DoubleType>().write_batch(&v[range.clone()], None, None),
                Col::Text(v) => {
                    let texts: Vec<ByteArray> = v[range.clone()].iter().map(|&t| t.into()).collect();
                    c.typed::<ByteArrayType>().write_batch(&texts, None, None)
                }
            };
            written.expect("written");
            c.close().expect("closed");
        }
        group.close().expect("closed");
    }
    writer.close().expect("closed");
}

/// The laws of the trait, for any source: times do not go back, accounts are numbered as announced, pieces have a length, a
/// rewound instance uses the same again, a released one nothing, and whoever asks in which order changes nothing.
#[track_caller]
pub(super) fn laws(open: &dyn Fn() -> Box<dyn Instances>) {
    let mut source = open();
    let (mut announced, mut last, mut count) = (Announced::default(), SimTime::ZERO, 0u32);
    while let Some(instance) = source.next(&mut announced).expect("readable") {
        assert!(instance.time >= last, "{} comes too late", instance.name);
        last = instance.time;
        assert!((instance.account.0 as usize) < announced.accounts.len());
        assert!(instance.lifetime.is_none_or(|l| l > Duration::ZERO));
        assert!(!instance.name.is_empty() && instance.region.index() < 2);
        count += 1;
    }
    assert!(count > 0);
    assert!(announced.accounts.iter().all(|a| (a.tenant.0 as usize) < announced.tenants.len()));
    let mut names: Vec<&str> = announced.accounts.iter().map(|a| &*a.name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|w| w[0] != w[1]), "two accounts have one name");
    let reference = drain(&mut *open()).expect("readable");
    for i in (0..count).rev() {
        let wanted = &reference[i as usize].1;
        assert!(wanted.iter().all(|p| p.duration > Duration::ZERO));
        let half = wanted.len() / 2;
        for expected in &wanted[..half] {
            assert_eq!(source.usage(i).expect("readable").as_ref(), Some(expected));
        }
        source.rewind(i).expect("rewinds");
        for expected in wanted {
            assert_eq!(source.usage(i).expect("readable").as_ref(), Some(expected), "instance {i} after its rewind");
        }
        assert_eq!(source.usage(i).expect("readable"), None);
        source.release(i);
        assert_eq!(source.usage(i).expect("readable"), None, "instance {i} is gone");
    }
    assert!((0.0..=1.0).contains(&source.progress()));
    for (path, sha256) in source.inputs() {
        assert_eq!(sha256, crate::workload::files::sha256(&path).expect("readable"), "{}", path.display());
    }
}

#[test]
fn what_is_remembered_can_be_asked_beforehand_and_moves_nothing() {
    let spec = r#"{"synthetic":{"count":3,"duration_s":3000,"usage":{"iid":{"distribution":{"exponential":{}}}}}}"#;
    let lab = Lab::new();
    let reference = drain(&mut *lab.open(spec).expect("opens")).expect("made");
    let mut source = Remembered::new(lab.open(spec).expect("opens"));
    let mut announced = Announced::default();
    while source.next(&mut announced).expect("made").is_some() {}
    let s = Duration::from_secs;
    let mut ahead = Vec::new();
    source.usage_between(1, s(450), s(1000), &mut ahead).expect("made");
    let own = &reference[1].1;
    let lengths: Vec<f64> = ahead.iter().map(|p| p.duration.as_secs_f64()).collect();
    assert_eq!(lengths, [150.0, 300.0, 100.0]);
    assert!(ahead.iter().zip(&own[1..4]).all(|(a, b)| a.cpu == b.cpu));
    assert_eq!(source.held(), 4);
    source.usage_between(1, s(2900), s(9000), &mut ahead).expect("made");
    assert_eq!(ahead.iter().map(|p| p.duration).collect::<Vec<_>>(), [s(100)]);
    let mut got = Vec::new();
    while let Some(piece) = source.usage(1).expect("made") {
        got.push(piece);
    }
    assert_eq!(&got, own);
    source.release(1);
    source.usage_between(1, s(0), s(300), &mut ahead).expect("made");
    assert!(ahead.is_empty());
    assert_eq!(source.held(), 0);
}
