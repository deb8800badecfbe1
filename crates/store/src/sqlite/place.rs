//! Where the database is.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use super::file_system::{FileSystem, System};
use crate::StoreError;

/// Pages in the write-ahead log before they are carried over into the database.
/// The log is twice as long at most while readers come and go.
const CHECKPOINT_PAGES: i64 = 8 * 1024;

/// A database's file, and what it lies on.
#[derive(Clone)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// What it lies on.
    pub file_system: Arc<dyn FileSystem>,
    /// The log is carried over into the database when it is so long.
    pub checkpoint_pages: i64,
}

impl Place {
    /// A file on the system's disk.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            file_system: Arc::new(System),
            checkpoint_pages: CHECKPOINT_PAGES,
        }
    }

    /// Makes sure that the log is on the disk as it is read.
    ///
    /// When a sync fails, the system may take what it could not write for
    /// written: everybody reads it, and no later sync writes it. A transaction
    /// that is recovered from such a log is on no disk, and whatever is written
    /// behind it would be lost with it when the power fails.
    pub(super) fn settle_log(&self) -> Result<(), StoreError> {
        let mut log = OsString::from(&self.path);
        log.push("-wal");
        let log = PathBuf::from(log);
        self.file_system.rewrite(&log).map_err(|error| {
            StoreError::Full(format!(
                "{} cannot be written again: {error}; see to the disk",
                log.display()
            ))
        })
    }
}
