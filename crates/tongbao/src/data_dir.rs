//! The data directory: made for us alone, and used by one process at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use tongbao_core::Timestamp;

const DATABASE: &str = "tongbao.db";
const LOCK: &str = "tongbao.lock";

/// A directory whose lock we hold for as long as this lives.
///
/// The system lets go of the lock when the process ends, however it ends.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

/// Why the directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another process has it.
    #[error(
        "{} is in use by process {owner}; one tongbao at a time may use a data directory. Stop the \
         other one, or set data_dir",
        path.display()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// What the other process wrote into the lock file.
        owner: String,
    },
    /// Others may put files into it.
    #[error(
        "{} may be written by others (mode {mode:o}), who could replace the database or the key; \
         run: chmod 700 {}",
        path.display(),
        path.display()
    )]
    Open {
        /// The directory.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The system does not let us.
    #[error("{}: {error}", path.display())]
    Io {
        /// The directory, or what is in it.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

impl DataDir {
    /// Makes the directory if there is none, and takes its lock.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let failed = |error| DataDirError::Io {
            path: path.to_owned(),
            error,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed)?;
        let mode = path.metadata().map_err(failed)?.mode() & 0o777;
        if mode & 0o022 != 0 {
            return Err(DataDirError::Open {
                path: path.to_owned(),
                mode,
            });
        }
        if mode & 0o055 != 0 {
            tracing::warn!(
                path = %path.display(),
                "others may read the data directory; run: chmod 700"
            );
        }
        Ok(Self {
            path: path.to_owned(),
            _lock: lock(path)?,
        })
    }

    /// When the database was last written to, if there is one. To be asked before
    /// it is opened.
    pub fn last_write(&self) -> Option<Timestamp> {
        let since_epoch = last_write(&self.database())?.duration_since(UNIX_EPOCH);
        let millis = i64::try_from(since_epoch.ok()?.as_millis()).ok()?;
        Some(Timestamp::from_millis(millis))
    }

    /// The database's file.
    pub fn database(&self) -> PathBuf {
        database(&self.path)
    }
}

/// When the system last wrote to the database, if there is one.
fn last_write(database: &Path) -> Option<SystemTime> {
    let log = database.with_extension("db-wal");
    let files = [database, &*log].into_iter();
    let times = files.filter_map(|file| file.metadata().ok()?.modified().ok());
    times.max()
}

/// The database's file in a data directory.
pub fn database(data_dir: &Path) -> PathBuf {
    data_dir.join(DATABASE)
}

fn lock(dir: &Path) -> Result<File, DataDirError> {
    let path = dir.join(LOCK);
    let failed = |error| DataDirError::Io {
        path: path.clone(),
        error,
    };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            let _ = file.read_to_string(&mut owner);
            let owner = owner.trim().to_owned();
            return Err(DataDirError::InUse {
                path: dir.to_owned(),
                owner,
            });
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    file.set_len(0).map_err(failed)?;
    writeln!(file, "{}", std::process::id()).map_err(failed)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_directory_is_made_for_us_alone() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        let _dir = DataDir::open(&path).unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o700);
        assert_eq!(path.join(LOCK).metadata().unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_directory_has_one_user_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let first = DataDir::open(&path).unwrap();

        let error = DataDir::open(&path).unwrap_err();
        assert!(matches!(error, DataDirError::InUse { .. }));
        assert!(
            error.to_string().contains(&std::process::id().to_string()),
            "{error}"
        );

        drop(first);
        assert!(DataDir::open(&path).is_ok());
    }

    #[test]
    fn a_directory_that_others_may_write_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        set_permissions(dir.path(), Permissions::from_mode(0o770)).unwrap();
        let error = DataDir::open(dir.path()).unwrap_err();
        assert!(error.to_string().contains("chmod 700"), "{error}");
    }
}
