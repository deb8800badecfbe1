//! Where a story is told: an empty database of each kind.

use std::path::PathBuf;

use tongbao_store::Store;
use tongbao_store::sqlite::SqliteStore;

/// An empty database that goes when the story ends.
pub(crate) trait Stage {
    /// As it is open now.
    fn store(&self) -> &impl Store;
    /// What a restart of the process does.
    fn reopen(&mut self);
}

/// SQLite in a directory of its own.
pub(crate) struct Sqlite {
    store: Option<SqliteStore>,
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl Sqlite {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tongbao.db");
        Self {
            store: Some(SqliteStore::open(&path).unwrap()),
            path,
            _directory: directory,
        }
    }
}

impl Stage for Sqlite {
    fn store(&self) -> &impl Store {
        self.store.as_ref().unwrap()
    }

    fn reopen(&mut self) {
        self.store = None;
        self.store = Some(SqliteStore::open(&self.path).unwrap());
    }
}

/// Tells each story by every database: `async fn story(store: &impl Store)`.
macro_rules! each_store {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            use crate::stories::stage::{Sqlite, Stage};
            $(
                #[tokio::test]
                async fn $story() {
                    super::$story(Sqlite::new().store()).await;
                }
            )+
        }
    };
}
pub(crate) use each_store;

/// The same for stories that restart: `async fn story(stage: &mut impl Stage)`.
macro_rules! each_stage {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $story() {
                    super::$story(&mut crate::stories::stage::Sqlite::new()).await;
                }
            )+
        }
    };
}
pub(crate) use each_stage;
