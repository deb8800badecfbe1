//! Connections that only read.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::connection;
use super::place::Place;
use crate::StoreError;

/// How many are kept for the next caller. One is in use for a few microseconds
/// at a time, on the caller's own thread, so there are about as many as there
/// are threads.
const KEEP: usize = 8;

/// A stack of connections.
pub(super) struct Readers {
    place: Place,
    /// `None` once the store is closed.
    idle: Mutex<Option<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(place: Place) -> Self {
        Self {
            place,
            idle: Mutex::new(Some(Vec::new())),
        }
    }

    /// Runs `query` on one state of the database, whatever is written meanwhile.
    pub(super) fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = self.idle().as_mut().ok_or(StoreError::Closed)?.pop();
        let db = match idle {
            Some(db) => db,
            None => connection::reader(&self.place)?,
        };
        db.prepare_cached("BEGIN")?.execute([])?;
        let answer = query(&db);
        let ended = db
            .prepare_cached("COMMIT")
            .and_then(|mut commit| commit.execute([]));
        // A connection whose snapshot does not end is dropped, and with it the
        // snapshot. Some errors end it by themselves: they are what is to be told.
        if let Err(error) = ended {
            return answer.and(Err(error.into()));
        }
        if let Some(idle) = self.idle().as_mut()
            && idle.len() < KEEP
        {
            idle.push(db);
        }
        answer
    }

    pub(super) fn close(&self) {
        *self.idle() = None;
    }

    fn idle(&self) -> MutexGuard<'_, Option<Vec<Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
