//! A configuration that cannot be used: where, why, and what would be right.

use std::fmt;
use std::path::Path;

/// Says where, why, and what would be right. Never repeats a value.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {detail}")]
pub struct ConfigError {
    place: String,
    detail: String,
}

impl ConfigError {
    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self {
            place: path.display().to_string(),
            detail: format!(
                "cannot be read: {error}; copy tongbao.example.toml there, or name another file \
                 with --config"
            ),
        }
    }

    /// What the TOML reader says about `text`, which it read from `path`.
    pub(super) fn at(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let Some(span) = error.span() else {
            return Self {
                place: path.display().to_string(),
                detail: explain(error.message()),
            };
        };
        let start = span.start.min(text.len());
        let before = text.get(..start).unwrap_or(text);
        let number = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let line = text.lines().nth(number - 1).unwrap_or_default();
        let place = format!("{}, line {number}", path.display());
        let detail = explain(error.message());
        match line.split_once('=').map(|(name, _)| name.trim()) {
            Some(name) if !detail.contains(&format!("`{name}`")) => Self {
                place,
                detail: format!("{name}: {detail}"),
            },
            _ => Self { place, detail },
        }
    }

    /// Something that is wrong with `subject`, though it could be read.
    pub(super) fn of(path: &Path, subject: impl fmt::Display, detail: impl fmt::Display) -> Self {
        Self {
            place: path.display().to_string(),
            detail: format!("{subject} {detail}"),
        }
    }

    pub(super) fn variable(name: &str, detail: &str) -> Self {
        Self {
            place: format!("environment variable {name}"),
            detail: explain(detail),
        }
    }
}

/// The reader's words for the mistakes that are made most, in an operator's words.
fn explain(message: &str) -> String {
    match message.strip_prefix("unknown field ") {
        Some(rest) => match rest.split_once(", expected ") {
            Some((name, known)) => {
                let known = known
                    .trim_start_matches("one of ")
                    .replace("` or `", "`, `");
                format!("{name} is not a setting; here there are: {known}")
            }
            None => format!("{rest} is not a setting"),
        },
        None => message.to_owned(),
    }
}
