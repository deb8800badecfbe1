//! One process at a database.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::StoreError;

/// Held as long as the store is open; the system lets go of it when the process
/// ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock beside the database, and makes the database's file where
    /// there is none. What SQLite puts beside it takes over its permissions.
    pub(super) fn take(database: &Path) -> Result<Self, StoreError> {
        let path = beside(database);
        let file = private(&path).map_err(|error| refused(&path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Failed(format!(
                    "another process has {} open; stop it first, or use another data directory",
                    database.display()
                )));
            }
            Err(TryLockError::Error(error)) => {
                return Err(StoreError::Failed(format!(
                    "{} cannot be locked: {error}; keep the database on a local disk whose file \
                     system can lock files",
                    path.display()
                )));
            }
        }
        private(database).map_err(|error| refused(database, &error))?;
        keep_name(database).map_err(|error| refused(database, &error))?;
        Ok(Self { _file: file })
    }
}

fn beside(database: &Path) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(".lock");
    PathBuf::from(name)
}

fn refused(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Failed(format!(
        "{} cannot be opened: {error}; its directory must exist and be writable by this user",
        path.display()
    ))
}

/// Opens or makes a file that its owner alone may read.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A new file's name is in the directory, and a directory has to be synced by
/// itself.
#[cfg(unix)]
fn keep_name(path: &Path) -> io::Result<()> {
    let directory = path
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn keep_name(_path: &Path) -> io::Result<()> {
    Ok(())
}
