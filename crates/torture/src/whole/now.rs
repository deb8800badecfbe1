//! What the disk holds at this moment, asked of SQLite only when its bytes do not
//! tell.

use std::cell::OnceCell;

use super::desk::Desk;
use crate::driven::FILE;
use crate::image::Snapshot;
use crate::state::Looker;

/// See the module.
pub(super) struct Now<'a> {
    desk: &'a Desk,
    image: Option<u64>,
    rows: OnceCell<Result<u64, String>>,
}

impl<'a> Now<'a> {
    pub(super) fn of(desk: &'a Desk) -> Self {
        Self {
            desk,
            image: desk.disk.machine().snapshot(FILE).image(),
            rows: OnceCell::new(),
        }
    }

    /// Whether a process that opens that disk sees the same.
    pub(super) fn is(&self, then: &Snapshot) -> Result<bool, String> {
        if self.image.is_some() && self.image == then.image() {
            return Ok(true);
        }
        self.desk.copy(then.medium.clone());
        self.has_rows_of_copy()
    }

    /// Whether the copy holds the same, which somebody has open.
    pub(super) fn is_copied(&self) -> Result<bool, String> {
        let copied = self.desk.copy.machine().snapshot(FILE).image();
        if self.image.is_some() && self.image == copied {
            return Ok(true);
        }
        self.has_rows_of_copy()
    }

    fn has_rows_of_copy(&self) -> Result<bool, String> {
        let copied = Looker::open(&self.desk.copy)?.rows()?;
        let rows = self.rows.get_or_init(|| self.desk.rows()).clone()?;
        Ok(rows == copied)
    }
}
