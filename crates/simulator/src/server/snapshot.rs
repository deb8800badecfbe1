//! The platforms in a file.

use std::io;
use std::path::{Path, PathBuf};

use super::Simulator;
use crate::Platform;

/// Why a snapshot cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file is there and cannot be read.
    #[error("cannot read the snapshot {}: {error}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file was not written by this version.
    #[error(
        "the snapshot {} is not one of this version ({error}); move it away to begin afresh",
        path.display()
    )]
    Form {
        /// Which file.
        path: PathBuf,
        /// Where it differs.
        error: serde_json::Error,
    },
}

/// `None` when there is no file yet.
pub(super) fn load(path: &Path) -> Result<Option<Platform>, SnapshotError> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let path = path.to_owned();
            return Err(SnapshotError::Read { path, error });
        }
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| SnapshotError::Form {
            path: path.to_owned(),
            error,
        })
}

impl Simulator {
    /// Writes the snapshot, if there is to be one. A failure is logged, and made good by the next.
    pub(super) async fn save(&self) {
        let Some(path) = &self.shared.snapshot else {
            return;
        };
        let written = match self.look(|platform, _| serde_json::to_vec(platform)) {
            Ok(text) => write(path, &text).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = written {
            tracing::warn!(path = %path.display(), %error, "the snapshot was not written");
        }
    }
}

/// Whole or not at all: written beside, synced, renamed.
async fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    use tokio::io::AsyncWriteExt as _;

    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut file = tokio::fs::File::create(&beside).await?;
    file.write_all(text).await?;
    file.sync_all().await?;
    tokio::fs::rename(&beside, path).await
}
