//! Who may write into a results folder: locks that vanish with the process that holds them, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::SweepError;

/// A lock that is held as long as this lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// How a folder is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Nobody else may work there.
    Alone,
    /// Others that also hold it together may: the parts of one sweep.
    Together,
}

impl Lock {
    /// Locks a folder by a file of this name in it, at once or not at all.
    ///
    /// # Errors
    /// Another process holds it, or the file cannot be made.
    pub fn take(folder: &Path, name: &str, hold: Hold) -> Result<Self, SweepError> {
        let path = folder.join(name);
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(SweepError::io(&path))?;
        let taken = match hold {
            Hold::Alone => file.try_lock(),
            Hold::Together => file.try_lock_shared(),
        };
        match taken {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut by = String::new();
                // Who holds it is only a help to the reader.
                let _ = file.read_to_string(&mut by);
                let by = Some(by.trim().to_owned()).filter(|by| !by.is_empty());
                return Err(SweepError::Busy { folder: folder.to_owned(), by });
            }
            Err(TryLockError::Error(source)) => return Err(SweepError::io(&path)(source)),
        }
        if hold == Hold::Alone {
            let note = format!("process {}\n", std::process::id());
            // A note for the message above, nothing depends on it.
            let _ = file
                .set_len(0)
                .and_then(|()| file.seek(SeekFrom::Start(0)))
                .and_then(|_| file.write_all(note.as_bytes()));
        }
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_locked_by_one_alone_or_by_several_together() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let alone = Lock::take(folder.path(), "lock", Hold::Alone).expect("free");
        let refused = Lock::take(folder.path(), "lock", Hold::Together).expect_err("held").to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(alone);
        let _one = Lock::take(folder.path(), "lock", Hold::Together).expect("free");
        let _two = Lock::take(folder.path(), "lock", Hold::Together).expect("shared");
        assert!(Lock::take(folder.path(), "lock", Hold::Alone).is_err());
    }
}
