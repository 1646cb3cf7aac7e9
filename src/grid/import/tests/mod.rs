//! Tests of the importer on small files written here, and of the traps of real ones.

mod formats;
mod policies;
mod real;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;

/// A folder with one file.
struct Given {
    dir: TempDir,
    spec: ImportSpec,
}

/// A file of this content, and metadata that no format contradicts.
fn given(name: &str, content: &[u8]) -> Given {
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join(name), content).expect("the folder is writable");
    Given { dir, spec: ImportSpec { path: name.into(), ..ImportSpec::default() } }
}

/// The keys that are mandatory where no format documents them.
fn said(spec: ImportSpec) -> ImportSpec {
    let text = |t: &str| Some(t.to_owned());
    ImportSpec {
        zone: spec.zone.or(text("Z")),
        factor_basis: spec.factor_basis.or(text("direct")),
        boundary: spec.boundary.or(text("production mix")),
        source: spec.source.or(text("made up")),
        licence: spec.licence.or(text("none needed")),
        dataset_version: spec.dataset_version.or(text("1")),
        ..spec
    }
}

impl Given {
    fn with(mut self, change: impl FnOnce(&mut ImportSpec)) -> Self {
        change(&mut self.spec);
        self
    }

    fn said(mut self) -> Self {
        self.spec = said(self.spec);
        self
    }

    #[track_caller]
    fn read(&self) -> Imported {
        import(self.dir.path(), &self.spec).unwrap_or_else(|e| panic!("{e}"))
    }

    #[track_caller]
    fn fails(&self, parts: &[&str]) {
        let error = import(self.dir.path(), &self.spec).expect_err("the file is wrong").to_string();
        for part in parts {
            assert!(error.contains(part), "{part} is missing in: {error}");
        }
    }
}

/// Minutes since 2022-01-01T00:00:00Z of start and end, and the value.
fn pieces(imported: &Imported) -> Vec<(i64, i64, f64)> {
    const START: i64 = 1_640_995_200;
    let minute = |ns: i64| (ns / 1_000_000_000 - START) / 60;
    imported.intervals.iter().map(|i| (minute(i.start), minute(i.end), i.value.expect("no gaps"))).collect()
}

/// A file or folder of the validation data, unless it is absent: then says so.
fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SLACKWATER_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let found = root.join("data").join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("skipped: {} is absent; set SLACKWATER_SHARED to the folder that holds it", found.display());
    None
}
