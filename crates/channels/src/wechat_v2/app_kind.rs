//! What kind of application payers meet: it decides where WeChat says who they are.

use crate::settings::{Settings, SettingsError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AppKind {
    /// 公众号: WeChat names the reader of a web page to it.
    OfficialAccount,
    /// 小程序: it knows its own users, and web pages are not its own.
    MiniProgram,
}

impl AppKind {
    /// `None` where nobody has said it.
    pub(super) fn read(settings: &Settings) -> Result<Option<Self>, SettingsError> {
        match settings.get("app_kind") {
            None => Ok(None),
            Some("official_account") => Ok(Some(Self::OfficialAccount)),
            Some("mini_program") => Ok(Some(Self::MiniProgram)),
            Some(_) => Err(SettingsError::new(
                "app_kind",
                "is neither official_account nor mini_program",
            )),
        }
    }
}
