//! Pages of lists that are merged from several runs of an index.

use crate::{Page, StoreError};

/// How many keys a page needs: one more than its rows, to know whether there is
/// a next page.
pub(super) fn fetched(limit: usize) -> i64 {
    i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX)
}

pub(super) fn empty<T>() -> Page<T> {
    Page {
        rows: Vec::new(),
        next: None,
    }
}

/// Behind every id: they are lower-case letters.
pub(super) const END: &str = "~";

/// The newest `limit` rows of those whose keys are given, at least [`fetched`]
/// of every run. `cursor` names a row.
pub(super) fn newest<K: Ord + Copy, T>(
    mut keys: Vec<K>,
    limit: usize,
    mut load: impl FnMut(K) -> Result<Option<T>, StoreError>,
    cursor: impl Fn(&T) -> String,
) -> Result<Page<T>, StoreError> {
    keys.sort_unstable_by(|a, b| b.cmp(a));
    let more = keys.len() > limit;
    keys.truncate(limit);
    let mut rows = Vec::with_capacity(keys.len());
    for key in keys {
        rows.extend(load(key)?);
    }
    let next = rows.last().filter(|_| more).map(cursor);
    Ok(Page { rows, next })
}
