//! A results folder that appears as a whole: written beside its place under another name, then renamed.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::sci::attribution::RowsError;

/// Why results cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file or folder cannot be written.
    #[error("cannot write {}: {source}\n  help: check permissions and free space, or choose another place (--out, --csv, --svg)", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The place is taken by something that is not a result.
    #[error("{} exists and is not a result of sim (it has no manifest.json)\n  help: choose another place with --out, or move it away", path.display())]
    Taken {
        /// The place.
        path: PathBuf,
    },
    /// The accounts by period cannot be read back.
    #[error(transparent)]
    Accounts(#[from] RowsError),
    /// A table cannot be made.
    #[error("cannot write {}: {what}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        what: String,
    },
}

/// A folder that is being written. Dropped before [`Folder::publish`], it vanishes.
#[derive(Debug)]
pub struct Folder {
    temporary: PathBuf,
    place: PathBuf,
    published: bool,
}

impl Folder {
    /// Opens a folder beside `place`.
    ///
    /// # Errors
    /// The place is taken by something that is not a result, or nothing can be written there.
    pub fn create(place: &Path) -> Result<Self, ReportError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| ReportError::Io { path, source }
        };
        if place.exists() && !place.join("manifest.json").is_file() {
            let empty = fs::read_dir(place).is_ok_and(|mut entries| entries.next().is_none());
            if !empty {
                return Err(ReportError::Taken { path: place.to_owned() });
            }
        }
        let parent = match place.parent() {
            Some(p) if !p.as_os_str().is_empty() => p,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(io(parent))?;
        let name = place.file_name().map_or_else(|| "result".into(), |n| n.to_string_lossy().into_owned());
        tidy(parent, &name, place);
        let temporary = parent.join(format!(".{name}.tmp-{}", std::process::id()));
        if temporary.exists() {
            fs::remove_dir_all(&temporary).map_err(io(&temporary))?;
        }
        fs::create_dir(&temporary).map_err(io(&temporary))?;
        Ok(Self { temporary, place: place.to_owned(), published: false })
    }

    /// Opens a folder inside this one, which appears and vanishes with it. Dropped before it is published itself, it vanishes
    /// alone.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn inside(&self, name: &Path) -> Result<Self, ReportError> {
        let path = self.temporary.join(name);
        fs::create_dir_all(&path).map_err(|source| ReportError::Io { path: path.clone(), source })?;
        Ok(Self { temporary: path.clone(), place: path, published: false })
    }

    /// Where a file of this name is being written.
    pub fn path(&self, name: &str) -> PathBuf {
        self.temporary.join(name)
    }

    /// Writes one file.
    ///
    /// # Errors
    /// The file cannot be written whole.
    pub fn write(
        &self,
        name: &str,
        fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> Result<(), ReportError> {
        let path = self.path(name);
        fill_file(&path, fill).map_err(|source| ReportError::Io { path: path.clone(), source })
    }

    /// Puts the folder in its place; an earlier result there is replaced as a whole.
    ///
    /// # Errors
    /// The folder cannot be renamed; then the earlier result is back in its place.
    pub fn publish(mut self) -> Result<PathBuf, ReportError> {
        if self.temporary == self.place {
            self.published = true;
            return Ok(self.place.clone());
        }
        let old = self.temporary.with_extension(format!("old-{}", std::process::id()));
        let failed = |path: &Path, source| ReportError::Io { path: path.to_owned(), source };
        let replaced = self.place.exists();
        if replaced {
            fs::rename(&self.place, &old).map_err(|e| failed(&self.place, e))?;
        }
        if let Err(e) = fs::rename(&self.temporary, &self.place) {
            if replaced {
                // Nothing better can be done if this fails too; the first error is the one to report.
                let _ = fs::rename(&old, &self.place);
            }
            return Err(failed(&self.place, e));
        }
        self.published = true;
        if replaced {
            fs::remove_dir_all(&old).map_err(|e| failed(&old, e))?;
        }
        Ok(self.place.clone())
    }
}

/// Creates and fills a file, down to the disk.
fn fill_file(path: &Path, fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> std::io::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 16, File::create(path)?);
    fill(&mut file)?;
    file.flush()?;
    file.into_inner()?.sync_data()
}

/// Writes one file that appears as a whole: under a temporary name beside its place, then renamed.
///
/// # Errors
/// The file cannot be written whole; then what was there before is untouched.
pub fn write_file(path: &Path, fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<(), ReportError> {
    let name = path.file_name().map_or_else(|| "out".into(), |n| n.to_string_lossy().into_owned());
    let temporary = path.with_file_name(format!(".{name}.tmp-{}", std::process::id()));
    fill_file(&temporary, fill).and_then(|()| fs::rename(&temporary, path)).map_err(|source| {
        // A leftover is hidden and harmless; the error that led here is the one to report.
        let _ = fs::remove_file(&temporary);
        ReportError::Io { path: path.to_owned(), source }
    })
}

/// Clears up after runs that were killed: their unfinished folders go, and an earlier result that such a run had moved
/// aside and not yet replaced comes back. What cannot be cleared is left; it is hidden and harmless.
fn tidy(parent: &Path, name: &str, place: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        let rest = file.strip_prefix(&format!(".{name}."));
        let Some((kind, process)) = rest.and_then(|r| r.split_once('-')) else { continue };
        let alive = process.parse::<u32>().is_err() || Path::new("/proc").join(process).exists();
        if alive || !Path::new("/proc/self").exists() {
            continue;
        }
        let _ = match kind {
            "tmp" => fs::remove_dir_all(entry.path()),
            "old" if place.exists() => fs::remove_dir_all(entry.path()),
            "old" => fs::rename(entry.path(), place),
            _ => Ok(()),
        };
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.published {
            // A leftover is harmless and hidden; the error that led here is the one to report.
            let _ = fs::remove_dir_all(&self.temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_abandoned_folder_leaves_nothing_behind_and_the_old_result_untouched() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let place = dir.path().join("run");
        let first = Folder::create(&place).expect("an empty place");
        first.write("manifest.json", |f| f.write_all(b"1")).expect("writable");
        first.publish().expect("renamable");
        let second = Folder::create(&place).expect("a result may be replaced");
        second.write("manifest.json", |f| f.write_all(b"2")).expect("writable");
        drop(second);
        assert_eq!(fs::read_to_string(place.join("manifest.json")).expect("still there"), "1");
        assert_eq!(fs::read_dir(dir.path()).expect("readable").count(), 1);
    }

    #[test]
    fn a_killed_run_is_cleared_up_and_the_result_it_had_moved_aside_comes_back() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        // No process has this number: it is above the largest that Linux gives out.
        for name in [".run.tmp-4194999", ".run.old-4194999"] {
            fs::create_dir(dir.path().join(name)).expect("writable");
            fs::write(dir.path().join(name).join("manifest.json"), name).expect("writable");
        }
        let place = dir.path().join("run");
        drop(Folder::create(&place).expect("an empty place"));
        assert_eq!(fs::read_to_string(place.join("manifest.json")).expect("restored"), ".run.old-4194999");
        assert_eq!(fs::read_dir(dir.path()).expect("readable").count(), 1);
    }

    #[test]
    fn something_that_is_not_a_result_is_never_replaced() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        fs::write(dir.path().join("thesis.tex"), "x").expect("writable");
        assert!(matches!(Folder::create(dir.path()), Err(ReportError::Taken { .. })));
    }
}
