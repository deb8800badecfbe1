//! `errcode`: why there is no `openid`.

/// Documented for the exchange of codes; the list grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrCode {
    /// -1: the platform is busy; ask again.
    SystemBusy,
    /// 40001: the secret is not the application's, in older words.
    InvalidCredential,
    /// 40013: no such application.
    InvalidAppid,
    /// 40029: a made-up or expired code, or one of another application. A new one is needed.
    InvalidCode,
    /// 40125: the secret is not the application's.
    InvalidSecret,
    /// 40163: the code was used. A new one is needed; a page that was loaded twice, for one,
    /// or a redirect that was followed again.
    CodeUsed,
    /// 40226: the platform holds the payer for a fraud.
    CodeBlocked,
    /// 42003: the code is older than five minutes.
    CodeExpired,
    /// 45009: the application has asked too often today.
    DailyLimit,
    /// 45011: this payer has asked a hundred times in a minute; wait.
    TooFrequent,
    /// 48001: the application may not ask; an account that is not verified, for one.
    NotPermitted,
    /// 50002: the application's rights are suspended.
    AppLimited,
    /// A number that was not documented when this was written. Never 0, which is success.
    Other(i64),
}

impl ErrCode {
    /// The platform's number.
    pub const fn number(self) -> i64 {
        match self {
            Self::SystemBusy => -1,
            Self::InvalidCredential => 40001,
            Self::InvalidAppid => 40013,
            Self::InvalidCode => 40029,
            Self::InvalidSecret => 40125,
            Self::CodeUsed => 40163,
            Self::CodeBlocked => 40226,
            Self::CodeExpired => 42003,
            Self::DailyLimit => 45009,
            Self::TooFrequent => 45011,
            Self::NotPermitted => 48001,
            Self::AppLimited => 50002,
            Self::Other(number) => number,
        }
    }
}

impl From<i64> for ErrCode {
    fn from(number: i64) -> Self {
        match number {
            -1 => Self::SystemBusy,
            40001 => Self::InvalidCredential,
            40013 => Self::InvalidAppid,
            40029 => Self::InvalidCode,
            40125 => Self::InvalidSecret,
            40163 => Self::CodeUsed,
            40226 => Self::CodeBlocked,
            42003 => Self::CodeExpired,
            45009 => Self::DailyLimit,
            45011 => Self::TooFrequent,
            48001 => Self::NotPermitted,
            50002 => Self::AppLimited,
            other => Self::Other(other),
        }
    }
}

impl std::fmt::Display for ErrCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.number().fmt(f)
    }
}
