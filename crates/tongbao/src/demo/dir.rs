//! Where a demo keeps its data, and the mark that tells it from a real
//! gateway's.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use tempfile::TempDir;

/// A file with this name marks a directory as a demo's.
const MARK: &str = "DEMO";

const MARK_TEXT: &str = "\
This directory belongs to `tongbao demo`.
Its merchant, its keys and its money are made up; it may be deleted at any time.
";

/// A directory that a demo may write into.
pub(super) struct DemoDir {
    path: PathBuf,
    temporary: Option<TempDir>,
}

impl DemoDir {
    /// The directory that was asked for, or one that is removed at the end.
    pub(super) fn open(wanted: Option<PathBuf>) -> anyhow::Result<Self> {
        let Some(path) = wanted else {
            let dir = tempfile::Builder::new()
                .prefix("tongbao-demo-")
                .tempdir()
                .context("no temporary directory; choose one with --data-dir")?;
            return Self::marked(dir.path().to_owned(), Some(dir));
        };
        if !is_marked(&path)? {
            ensure!(
                is_empty(&path)?,
                "{} is not a demo's: it has files, and none of them is named {MARK}. A demo never \
                 opens a real gateway's data; choose a directory that is new or empty",
                path.display()
            );
        }
        Self::marked(path, None)
    }

    /// The mark comes first: a start that fails half-way leaves a demo's
    /// directory behind, which the next start may use.
    fn marked(path: PathBuf, temporary: Option<TempDir>) -> anyhow::Result<Self> {
        let shop = path.join("shop");
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.and_then(|()| std::fs::write(path.join(MARK), MARK_TEXT))
            .and_then(|()| DirBuilder::new().recursive(true).mode(0o700).create(&shop))
            .with_context(|| path.display().to_string())?;
        Ok(Self { path, temporary })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The gateway's part: one embedded database and its key.
    pub(super) fn gateway(&self) -> PathBuf {
        self.path.join("gateway")
    }

    /// The shop's part.
    pub(super) fn shop(&self) -> PathBuf {
        self.path.join("shop")
    }

    /// The simulated platforms' part; in memory when nothing is kept.
    pub(super) fn simulator(&self) -> Option<PathBuf> {
        (!self.is_temporary()).then(|| self.path.join("simulator.json"))
    }

    pub(super) fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }
}

fn is_marked(path: &Path) -> anyhow::Result<bool> {
    let mark = path.join(MARK);
    mark.try_exists()
        .with_context(|| mark.display().to_string())
}

fn is_empty(path: &Path) -> anyhow::Result<bool> {
    match std::fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(path: &Path) -> Option<String> {
        let opened = DemoDir::open(Some(path.to_owned()));
        opened.err().map(|error| error.to_string())
    }

    #[test]
    fn a_real_gateways_directory_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("tongbao.db"), "").unwrap();
        let refusal = refusal(dir.path()).unwrap();
        assert!(refusal.contains("not a demo's"), "{refusal}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_demos_directory_is_opened_again() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        for _ in 0..2 {
            assert_eq!(refusal(&path), None);
            std::fs::write(path.join("tongbao.db"), "").unwrap();
        }
    }

    #[test]
    fn a_temporary_directory_is_removed_at_the_end() {
        let demo = DemoDir::open(None).unwrap();
        let path = demo.path().to_owned();
        assert!(path.join(MARK).exists() && demo.simulator().is_none());
        drop(demo);
        assert!(!path.exists());
    }
}
