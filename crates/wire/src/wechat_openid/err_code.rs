//! `errcode`: why there is no `openid`.

/// Documented for the exchange of codes; the list grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrCode {
    /// -1: the platform is busy; ask again.
    SystemBusy,
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
    /// 45011: this payer has asked a hundred times in a minute; wait.
    TooFrequent,
    /// A number that was not documented when this was written. Never 0, which is success.
    Other(i64),
}

impl ErrCode {
    /// The platform's number.
    pub const fn number(self) -> i64 {
        match self {
            Self::SystemBusy => -1,
            Self::InvalidAppid => 40013,
            Self::InvalidCode => 40029,
            Self::InvalidSecret => 40125,
            Self::CodeUsed => 40163,
            Self::CodeBlocked => 40226,
            Self::TooFrequent => 45011,
            Self::Other(number) => number,
        }
    }
}

impl From<i64> for ErrCode {
    fn from(number: i64) -> Self {
        match number {
            -1 => Self::SystemBusy,
            40013 => Self::InvalidAppid,
            40029 => Self::InvalidCode,
            40125 => Self::InvalidSecret,
            40163 => Self::CodeUsed,
            40226 => Self::CodeBlocked,
            45011 => Self::TooFrequent,
            other => Self::Other(other),
        }
    }
}

impl std::fmt::Display for ErrCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.number().fmt(f)
    }
}
