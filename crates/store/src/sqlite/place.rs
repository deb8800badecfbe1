//! Where the database is.

use std::path::PathBuf;

/// Pages in the write-ahead log before they are carried over into the database.
/// The log is twice as long at most while readers come and go.
const CHECKPOINT_PAGES: i64 = 8 * 1024;

/// A database's file, and what it lies on.
#[derive(Clone, Debug)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The name of the file system as SQLite knows it; `None` is the system's.
    pub vfs: Option<String>,
    /// The log is carried over into the database when it is so long.
    pub checkpoint_pages: i64,
}

impl Place {
    /// A file on the system's disk.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            vfs: None,
            checkpoint_pages: CHECKPOINT_PAGES,
        }
    }
}
