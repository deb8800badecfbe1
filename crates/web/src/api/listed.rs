//! One page of a list.

use std::str::FromStr;

use serde::Serialize;
use tongbao_core::id::Id;
use tongbao_core::order::Invalid;
use tongbao_store::Page;
use utoipa::ToSchema;

/// One page of a list, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listed<T> {
    /// The rows.
    pub(crate) data: Vec<T>,
    /// Send it as `cursor` to get the next page; `null` on the last one.
    pub(crate) next_cursor: Option<String>,
}

impl<T> Listed<T> {
    pub(crate) fn page<'a, R>(page: &'a Page<R>, view: impl Fn(&'a R) -> T) -> Self {
        Self {
            data: page.rows.iter().map(view).collect(),
            next_cursor: page.next.clone(),
        }
    }

    /// A list that is short enough for one page.
    pub(crate) fn all<'a, R>(rows: &'a [R], view: impl Fn(&'a R) -> T) -> Self {
        Self {
            data: rows.iter().map(view).collect(),
            next_cursor: None,
        }
    }
}

/// A cursor is the id of a row: any other text is refused before the database
/// sees it.
pub(crate) fn cursor<I: Id + FromStr>(text: Option<String>) -> Result<Option<String>, Invalid> {
    match text {
        Some(text) if text.parse::<I>().is_err() => {
            let detail = "is not a next_cursor of this list; send it as it came";
            Err(Invalid::new("cursor", detail))
        }
        text => Ok(text),
    }
}

/// An id that a list is narrowed to.
pub(crate) fn id_filter<I: Id + FromStr>(
    field: &'static str,
    text: Option<&str>,
) -> Result<Option<I>, Invalid> {
    let read = |text: &str| {
        text.parse().map_err(|_| {
            Invalid::new(
                field,
                format!("is not an id that starts with {}", I::PREFIX),
            )
        })
    };
    text.map(read).transpose()
}
