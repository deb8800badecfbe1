//! A key that both sides hold is changed on both, and never at the same moment:
//! for a while two are good.

use std::time::Duration;

use serde_json::Value;
use tongbao_core::Timestamp;

use super::{Settings, SettingsError};

/// The settings in which a key and the one before it are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The key that signs what is sent.
    pub present: &'static str,
    /// The one before, with which the platform may still sign.
    pub previous: &'static str,
    /// Until when that one is believed, RFC 3339.
    pub until: &'static str,
}

/// A key that was replaced is not believed for longer: whoever has it could write
/// in the platform's name. The last repetition of a notification comes after a day.
const LONGEST: Duration = Duration::from_hours(7 * 24);

impl Rotation {
    /// What `newer` means for the key that is there: with a time it is kept as the
    /// previous one, without it ends at once. The same request again changes nothing,
    /// and a later time does not bring a key back that was to have ended.
    pub fn begin(self, known: &mut Settings, newer: &mut Settings) {
        if newer.get(self.previous).is_some() {
            return;
        }
        let (was, is) = (known.get(self.present), newer.get(self.present));
        if is.is_none() || is == was {
            let until = |settings: &Settings| self.until(settings).ok().flatten();
            if let (Some(ends), Some(later)) = (until(known), until(newer))
                && later > ends
            {
                newer.values.remove(self.until);
            }
            return;
        }
        let was = was.map(str::to_owned);
        known.values.remove(self.previous);
        match (newer.get(self.until), was) {
            (Some(_), Some(was)) => {
                let was = Value::String(was);
                newer.values.insert(self.previous.to_owned(), was);
            }
            _ => {
                known.values.remove(self.until);
            }
        }
    }

    /// Refuses a time that is too far away.
    pub fn check(self, settings: &Settings, now: Timestamp) -> Result<(), SettingsError> {
        match self.until(settings)? {
            Some(until) if until.since(now) > LONGEST => Err(SettingsError::new(
                self.until,
                "is more than 7 days away; a key that was replaced should not be believed longer",
            )),
            _ => Ok(()),
        }
    }

    /// The key before, and until when it is believed.
    pub(crate) fn previous(
        self,
        settings: &Settings,
    ) -> Result<Option<(&str, Timestamp)>, SettingsError> {
        match (settings.get(self.previous), self.until(settings)?) {
            (Some(key), Some(until)) => Ok(Some((key, until))),
            (Some(_), None) => Err(SettingsError::new(
                self.until,
                "is missing; it says until when the previous key is believed",
            )),
            (None, _) => Ok(None),
        }
    }

    fn until(self, settings: &Settings) -> Result<Option<Timestamp>, SettingsError> {
        let Some(text) = settings.get(self.until) else {
            return Ok(None);
        };
        let until = Timestamp::parse(text).ok_or_else(|| {
            let detail = "is not a time like 2026-11-21T12:00:00+08:00";
            SettingsError::new(self.until, detail)
        })?;
        Ok(Some(until))
    }
}
