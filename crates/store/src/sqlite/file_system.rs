//! What the store needs of a file system beside what SQLite does with it.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Where a database's files are.
pub trait FileSystem: Send + Sync {
    /// The name under which SQLite knows it; `None` is the system's own.
    fn vfs(&self) -> Option<&str>;

    /// Writes every byte of the file again, and syncs it. Where there is no such
    /// file, nothing is done.
    fn rewrite(&self, path: &Path) -> io::Result<()>;
}

/// The system's.
#[derive(Clone, Copy, Debug)]
pub(super) struct System;

impl FileSystem for System {
    fn vfs(&self) -> Option<&str> {
        None
    }

    fn rewrite(&self, path: &Path) -> io::Result<()> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) if !bytes.is_empty() => bytes,
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.write_all(&bytes)?;
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_written_again_stays_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        System.rewrite(&path).unwrap();
        assert!(!path.exists());

        std::fs::write(&path, b"frames").unwrap();
        System.rewrite(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"frames");
    }
}
