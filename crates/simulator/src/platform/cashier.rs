//! What a person does with a phone: scan, pay, walk away.

use std::time::Duration;

use tongbao_wire::wechat_v2::{BeijingTime, TradeType};

use super::account::Funds;
use super::fault::FaultKind;
use super::refund::RefundSource;
use super::trade::{Paid, Trade, TradeId, TradeState};
use super::wallet::{Wallet, WalletError, WalletPlatform, WalletStatus};
use super::{Moment, Platform};
use crate::UnixMillis;

/// What the person holds the phone at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A QR code's text.
    CodeUrl(String),
    /// What a page or an app opened the wallet with.
    PrepayId(String),
}

impl Target {
    fn handle(&self) -> &str {
        match self {
            Self::CodeUrl(handle) | Self::PrepayId(handle) => handle,
        }
    }
}

/// What the person sees before paying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Who gets the money.
    pub payee: String,
    /// What for.
    pub subject: String,
    /// Fen.
    pub amount_fen: u64,
    /// Whether the wallet will ask for the password.
    pub password_required: bool,
    /// The merchant's number.
    pub out_trade_no: String,
    /// Where it is paid.
    pub trade_type: TradeType,
}

/// What the person sees after paying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Who got the money.
    pub payee: String,
    /// What for.
    pub subject: String,
    /// Fen.
    pub amount_fen: u64,
    /// The merchant's number.
    pub out_trade_no: String,
    /// The platform's number.
    pub transaction_id: String,
    /// When, by the clock outside.
    pub paid_at: UnixMillis,
    /// Fen left in the wallet.
    pub balance_fen: u64,
}

/// Why the wallet does not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such person.
    #[error("there is no wallet `{0}`; GET /_sim/wallets lists them")]
    UnknownWallet(String),
    /// Not a code or prepay id that the platform has given out.
    #[error("the platform never gave out this code or prepay_id; take it from the order's reply")]
    UnknownCode,
    /// A wallet of one platform before a code of another.
    #[error("this code is for another platform's wallet; pay with a WeChat wallet such as `alice`")]
    OtherPlatform,
    /// Two hours have passed since the code was given out.
    #[error("the code has expired after two hours; the merchant orders again for a fresh one")]
    CodeExpired,
    /// The order may be paid by one person only.
    #[error("the order was placed for another person's openid")]
    OtherPayer,
    /// `time_expire` has passed.
    #[error("the order has expired; the merchant places a new one under a new number")]
    OrderExpired,
    /// Paid before.
    #[error("the order is paid already")]
    OrderPaid,
    /// Closed before.
    #[error("the order is closed; the merchant places a new one under a new number")]
    OrderClosed,
    /// Above the free limit, one payment too many today, or the risk control says so.
    #[error("this payment needs the wallet's six-digit password")]
    PasswordRequired,
    /// Not this person's password.
    #[error("wrong password; {tries_left} tries left")]
    WrongPassword {
        /// Until the wallet is locked.
        tries_left: u32,
    },
    /// Too many wrong passwords.
    #[error("too many wrong passwords; the wallet is locked until {until}")]
    WalletLocked {
        /// By the clock outside.
        until: UnixMillis,
    },
    /// No code payment waits for this person's answer.
    #[error(
        "no code payment asks this person anything; GET /_sim/wallets/{{id}}/prompts lists them"
    )]
    NoPrompt,
    /// What a page or an app handed over is not signed as the order was, or not readable.
    #[error("the wallet does not open: {0}")]
    BadCall(String),
    /// Five minutes have passed since a browser was sent here.
    #[error("the mweb_url has expired after five minutes; the merchant orders again")]
    BrowserTooLate,
    /// No merchant has this application.
    #[error("no merchant has the application `{0}`; GET /_sim/credentials lists them")]
    UnknownApp(String),
    /// The person has closed the account.
    #[error("the wallet is closed; PATCH /_sim/wallets/{{id}} opens it")]
    WalletClosed,
    /// Less in the wallet than asked for.
    #[error("the wallet has {balance_fen} fen, the order asks for {amount_fen}")]
    NotEnough {
        /// What there is.
        balance_fen: u64,
        /// What is asked for.
        amount_fen: u64,
    },
}

impl Refusal {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownWallet(_) => "unknown_wallet",
            Self::UnknownCode => "unknown_code",
            Self::OtherPlatform => "other_platform",
            Self::CodeExpired => "code_expired",
            Self::OtherPayer => "other_payer",
            Self::OrderExpired => "order_expired",
            Self::OrderPaid => "order_paid",
            Self::OrderClosed => "order_closed",
            Self::PasswordRequired => "password_required",
            Self::WrongPassword { .. } => "wrong_password",
            Self::WalletLocked { .. } => "wallet_locked",
            Self::NoPrompt => "no_prompt",
            Self::BadCall(_) => "bad_call",
            Self::BrowserTooLate => "browser_too_late",
            Self::UnknownApp(_) => "unknown_app",
            Self::WalletClosed => "wallet_closed",
            Self::NotEnough { .. } => "not_enough",
        }
    }
}

impl Platform {
    /// A new person with a wallet.
    pub fn add_wallet(&mut self, wallet: Wallet) -> Result<&Wallet, WalletError> {
        if self.wallets.contains_key(&wallet.id) {
            return Err(WalletError::Taken(wallet.id));
        }
        if self.wallets.values().any(|w| w.openid == wallet.openid) {
            return Err(WalletError::Openid);
        }
        Ok(self.wallets.entry(wallet.id.clone()).or_insert(wallet))
    }

    /// Opens or closes a person's account, or only the card behind it.
    pub fn set_wallet_status(&mut self, wallet: &str, status: WalletStatus) -> Result<(), Refusal> {
        let unknown = || Refusal::UnknownWallet(wallet.to_owned());
        self.wallets.get_mut(wallet).ok_or_else(unknown)?.status = status;
        Ok(())
    }

    /// An openid that nobody has yet.
    pub fn fresh_openid(&mut self, platform: WalletPlatform) -> String {
        match platform {
            WalletPlatform::Wechat => format!("o{}", self.chance.alphanumeric(27)),
            WalletPlatform::Alipay => format!("2088{}", self.chance.digits(12)),
        }
    }

    /// The person scans the code, or a page opens the wallet: the prompt appears. Whoever sees it
    /// may still pay shortly after the order expires.
    pub fn scan(
        &mut self,
        now: UnixMillis,
        wallet: &str,
        target: &Target,
    ) -> Result<Prompt, Refusal> {
        let at = self.moment(now);
        let trade = self.payable(at, wallet, target)?;
        let prompt = self.prompt(at, self.wallet(wallet)?, trade);
        let id = trade.id;
        if let Some(trade) = self.trades.get_mut(id) {
            trade.in_cashier.insert(wallet.to_owned());
        }
        Ok(prompt)
    }

    /// The person pays, with or without the password. Without one, small amounts pass a few times
    /// a day.
    pub fn pay(
        &mut self,
        now: UnixMillis,
        wallet: &str,
        target: &Target,
        password: Option<&str>,
    ) -> Result<Receipt, Refusal> {
        let at = self.moment(now);
        let trade = self.payable(at, wallet, target)?.clone();
        self.unlock(at, wallet, &trade, password)?;
        let receipt = self.settle(at, &trade, wallet)?;
        if password.is_some() {
            let order = Some(&*trade.out_trade_no);
            self.faults
                .strike(&[FaultKind::AskPassword], at, None, order);
        } else if let Some(payer) = self.wallets.get_mut(wallet) {
            payer.count_free_payment(at);
        }
        Ok(receipt)
    }

    /// The person walks away from the prompt. The order stays payable.
    pub fn cancel(
        &mut self,
        now: UnixMillis,
        wallet: &str,
        target: &Target,
    ) -> Result<(), Refusal> {
        let at = self.moment(now);
        let id = self.payable(at, wallet, target)?.id;
        if let Some(trade) = self.trades.get_mut(id) {
            trade.in_cashier.remove(wallet);
        }
        Ok(())
    }

    /// Moves the money, books the payment and tells the merchant, in this order.
    pub(super) fn settle(
        &mut self,
        at: Moment,
        trade: &Trade,
        wallet: &str,
    ) -> Result<Receipt, Refusal> {
        let payer = self
            .wallets
            .get_mut(wallet)
            .ok_or_else(|| Refusal::UnknownWallet(wallet.to_owned()))?;
        if payer.status == WalletStatus::Closed {
            return Err(Refusal::WalletClosed);
        }
        payer.balance_fen =
            payer
                .balance_fen
                .checked_sub(trade.amount_fen)
                .ok_or(Refusal::NotEnough {
                    balance_fen: payer.balance_fen,
                    amount_fen: trade.amount_fen,
                })?;
        let balance_fen = payer.balance_fen;
        let openid = payer.openid_in(&trade.app_id);
        let sub_app_id = trade.sub_app_id.as_deref();
        let sub_openid = sub_app_id.map(|app_id| payer.openid_in(app_id));
        let transaction_id = self.fresh_transaction_id(at);
        if let Some(funds) = self.funds_of(trade) {
            funds.give(RefundSource::Unsettled, trade.amount_fen);
        }
        self.trades.set_paid(
            trade.id,
            Paid {
                wallet: wallet.to_owned(),
                openid,
                sub_openid,
                transaction_id: transaction_id.clone(),
                at,
            },
        );
        self.tell_payment(at, trade.id);
        Ok(Receipt {
            payee: self.payee(trade),
            subject: trade.subject.clone(),
            amount_fen: trade.amount_fen,
            out_trade_no: trade.out_trade_no.clone(),
            transaction_id,
            paid_at: at.wall,
            balance_fen,
        })
    }

    fn unlock(
        &mut self,
        at: Moment,
        wallet: &str,
        trade: &Trade,
        password: Option<&str>,
    ) -> Result<(), Refusal> {
        match password {
            Some(password) => self.check_password(at, wallet, password),
            None if self.asks_password(at, self.wallet(wallet)?, trade) => {
                Err(Refusal::PasswordRequired)
            }
            None => Ok(()),
        }
    }

    pub(super) fn check_password(
        &mut self,
        at: Moment,
        wallet: &str,
        password: &str,
    ) -> Result<(), Refusal> {
        let payer = self
            .wallets
            .get_mut(wallet)
            .ok_or_else(|| Refusal::UnknownWallet(wallet.to_owned()))?;
        if let Some(until) = payer.locked_until(at) {
            let until = at.on_wall(until);
            return Err(Refusal::WalletLocked { until });
        }
        payer
            .check_password(at, password)
            .map_err(|tries_left| Refusal::WrongPassword { tries_left })
    }

    fn payable(&self, at: Moment, wallet: &str, target: &Target) -> Result<&Trade, Refusal> {
        let payer = self.wallet(wallet)?;
        let trade = self
            .trades
            .by_handle(target.handle())
            .ok_or(Refusal::UnknownCode)?;
        if payer.platform != WalletPlatform::Wechat {
            return Err(Refusal::OtherPlatform);
        }
        match &trade.state {
            TradeState::NotPay => {}
            TradeState::Success(_) => return Err(Refusal::OrderPaid),
            // Only an order that the payer completes has a handle.
            TradeState::Closed { .. }
            | TradeState::UserPaying { .. }
            | TradeState::PayError { .. }
            | TradeState::Revoked { .. } => return Err(Refusal::OrderClosed),
        }
        let is_other = |only: &Option<String>, app_id: Option<&str>| {
            let only = only.as_deref().zip(app_id);
            only.is_some_and(|(only, app_id)| only != payer.openid_in(app_id))
        };
        if is_other(&trade.openid, Some(&trade.app_id))
            || is_other(&trade.sub_openid, trade.sub_app_id.as_deref())
        {
            return Err(Refusal::OtherPayer);
        }
        let sees_prompt = trade.in_cashier.contains(wallet);
        let grace = Duration::from_secs(if sees_prompt {
            self.settings.expiry_grace_secs
        } else {
            0
        });
        if trade
            .expires_inside
            .is_some_and(|expires| expires + grace <= at.inside)
        {
            return Err(Refusal::OrderExpired);
        }
        let alive = trade.prepay.as_ref().is_some_and(|prepay| {
            let mut handles = prepay.handles();
            at.inside < prepay.until_inside && handles.any(|handle| handle == target.handle())
        });
        if alive || sees_prompt {
            Ok(trade)
        } else {
            Err(Refusal::CodeExpired)
        }
    }

    fn prompt(&self, at: Moment, payer: &Wallet, trade: &Trade) -> Prompt {
        Prompt {
            payee: self.payee(trade),
            subject: trade.subject.clone(),
            amount_fen: trade.amount_fen,
            password_required: self.asks_password(at, payer, trade),
            out_trade_no: trade.out_trade_no.clone(),
            trade_type: trade.trade_type.clone(),
        }
    }

    pub(super) fn asks_password(&self, at: Moment, payer: &Wallet, trade: &Trade) -> bool {
        payer.asks_password(at, trade.amount_fen, &self.settings)
            || self
                .faults
                .threatens(FaultKind::AskPassword, at, None, Some(&trade.out_trade_no))
    }

    /// The name of the merchant that is paid.
    pub fn payee(&self, trade: &Trade) -> String {
        let account = self.accounts.get(&trade.mch_id);
        let name = account.and_then(|account| match &trade.sub_mch_id {
            Some(number) => account.sub_merchant(number).map(|sub| sub.name.clone()),
            None => Some(account.name.clone()),
        });
        name.unwrap_or_else(|| trade.payee().to_owned())
    }

    /// The money of the merchant that is paid.
    pub(super) fn funds_of(&mut self, trade: &Trade) -> Option<&mut Funds> {
        let account = self.accounts.get_mut(&trade.mch_id)?;
        account.funds_of(trade.sub_mch_id.as_deref())
    }

    pub(super) fn wallet(&self, id: &str) -> Result<&Wallet, Refusal> {
        self.wallets
            .get(id)
            .ok_or_else(|| Refusal::UnknownWallet(id.to_owned()))
    }

    /// 28 digits: `42`, eight digits, the day, ten digits.
    pub(super) fn fresh_transaction_id(&mut self, at: Moment) -> String {
        let day = BeijingTime::from_unix_secs(at.wall.as_secs()).map_or_else(
            || "19700101".into(),
            |time| time.to_string()[..8].to_owned(),
        );
        loop {
            let route = self.chance.digits(4);
            let number = self.chance.digits(10);
            let id = format!("420000{route}{day}{number}");
            if self.trades.by_transaction(&id).is_none() {
                return id;
            }
        }
    }

    pub(super) fn on_close_unpaid(&mut self, at: Moment, id: TradeId) {
        if let Some(trade) = self.trades.get_mut(id)
            && trade.state == TradeState::NotPay
        {
            trade.in_cashier.clear();
            trade.state = TradeState::Closed {
                at,
                by: super::trade::ClosedBy::Expiry,
            };
        }
    }
}
