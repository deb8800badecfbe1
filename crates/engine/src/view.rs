//! What merchants see of payments and cases: the API's answers and the webhooks'
//! `data` are these very values.

use serde::Serialize;
use tongbao_core::{
    Action, Attempt, Case, CaseKind, Failure, Payment, PaymentId, Refund, Resolution, State,
};
use utoipa::ToSchema;

use crate::engine::Engine;

/// A payment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PaymentView {
    /// Ours.
    #[schema(example = "pay_01kb2v7q4w8z3n5m6r7t9x1c2d")]
    pub id: String,
    /// The merchant's own number, unique for ever.
    pub merchant_order_no: String,
    /// In fen.
    #[schema(example = 1234)]
    pub amount: i64,
    /// `CNY`.
    pub currency: String,
    /// In fen: what has gone back. What is under way is in `refunds`.
    pub amount_refunded: i64,
    /// What the payer reads.
    pub subject: String,
    /// `created`, `pending`, `paid` or `closed`.
    pub state: &'static str,
    /// `requested` or `expired`, once it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close_reason: Option<&'static str>,
    /// When the payer paid, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<String>,
    /// When it is closed if it is not paid by then, RFC 3339.
    pub expires_at: String,
    /// A page for the payer. Nobody can guess its address.
    pub checkout_url: String,
    /// Every try, in the order in which they were started.
    pub attempts: Vec<AttemptView>,
    /// Every refund.
    pub refunds: Vec<RefundView>,
    /// The merchant's own data.
    #[schema(value_type = Object)]
    pub metadata: serde_json::Value,
    /// In which of the merchant's stores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// Which of the store's tills took the money; until it came, the one that asked for it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub till: Option<String>,
    /// Where the checkout page leads when it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// Rises with every change: an answer or webhook with a lower one is older.
    pub sequence: i64,
    /// When it was made, RFC 3339.
    pub created_at: String,
}

/// A refund of a payment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RefundView {
    /// Ours.
    #[schema(example = "rfd_01kb2v7q4w8z3n5m6r7t9x1c2d")]
    pub id: String,
    /// Out of which payment.
    pub payment: String,
    /// The merchant's own number; none for the money of a case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_refund_no: Option<String>,
    /// The number that the platform knows it by.
    pub out_refund_no: String,
    /// In fen.
    pub amount: i64,
    /// `CNY`.
    pub currency: String,
    /// Of a case's money: the case's kind. It is told as the case's end, not as a
    /// refund's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<&'static str>,
    /// What the payer reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `unknown`, `processing`, `abnormal`, `succeeded` or `closed`. `unknown` is
    /// a question that we keep asking; only `succeeded` says that the payer has
    /// the money, and only `closed` that the merchant keeps it.
    pub state: &'static str,
    /// The platform's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<String>,
    /// What stands in its way, or why it came to nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureView>,
    /// RFC 3339.
    pub created_at: String,
    /// When it succeeded or was closed, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// The till that asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub till: Option<String>,
}

/// One try at a payment over one channel.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AttemptView {
    /// Ours.
    pub id: String,
    /// The number that the platform knows it by.
    pub out_trade_no: String,
    /// The channel account.
    pub channel: String,
    /// `native`, `jsapi`, `mini_program`, `app`, `h5` or `barcode`.
    pub scene: &'static str,
    /// `unknown`, `pending`, `user_paying`, `succeeded`, `failed`, `closed` or
    /// `reversed`. `unknown` is a question that we keep asking, not a failure.
    pub state: &'static str,
    /// What the payer's side has to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<ActionView>,
    /// The platform's number of the trade.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// The platform's name for the payer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer: Option<PayerView>,
    /// Why it came to nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureView>,
    /// The till that started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub till: Option<String>,
}

/// What the payer's side has to do.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ActionView {
    /// Show `code_url` as a QR code, exactly as it is.
    QrCode {
        /// The QR code's text.
        code_url: String,
    },
    /// Hand `params` to the wallet, exactly as they are: in a page to
    /// `WeixinJSBridge.invoke('getBrandWCPayRequest', …)`, in a mini-program to
    /// `wx.requestPayment`. What they answer proves nothing: ask here.
    WechatJsapi {
        /// Signed.
        #[schema(value_type = Object)]
        params: serde_json::Value,
    },
    /// Hand `params` to the wallet's SDK in the app, exactly as they are.
    WechatApp {
        /// Signed.
        #[schema(value_type = Object)]
        params: serde_json::Value,
    },
    /// Send the payer's browser to `url`, from a page of the domain that is
    /// registered with the platform. It comes back to `return_url`, paid or not.
    Redirect {
        /// Opens the wallet.
        url: String,
        /// Until when, RFC 3339; `url` ends sooner than the order (WeChat Pay:
        /// five minutes). Start the same attempt again for another one.
        #[serde(skip_serializing_if = "Option::is_none")]
        expires_at: Option<String>,
    },
    /// Nothing.
    None,
}

/// Who paid.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PayerView {
    /// The platform's name for the payer, under the channel's app.
    pub openid: String,
}

/// Why an attempt came to nothing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FailureView {
    /// Stable.
    pub code: String,
    /// Cause and cure.
    pub detail: String,
    /// The platform's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_code: Option<String>,
}

/// Money that should not be there.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseView {
    /// Ours.
    pub id: String,
    /// `amount_mismatch`, `paid_twice`, `paid_after_close`, `unknown_payment` or
    /// `refund_abnormal`.
    pub kind: &'static str,
    /// `open` (the gateway is at it), `refunding`, `needs_person` or `resolved`.
    pub state: &'static str,
    /// Why a person must look: a stable code, and cause and cure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub need: Option<NeedView>,
    /// `refund`: the money goes back; `review`: a query or a person decides.
    pub remedy: &'static str,
    /// The payment it came for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    /// The attempt it came by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
    /// The account that received it.
    pub channel: String,
    /// The number under which the platform has it.
    pub out_trade_no: String,
    /// The platform's number of the trade; of `refund_abnormal`, of the refund.
    pub transaction_id: String,
    /// What came, in the smallest unit of `currency`.
    pub amount: i64,
    /// What it is an amount of.
    pub currency: String,
    /// How we heard: `answer`, `query`, `close`, `reverse`, `notification`, `bill`
    /// or `operator`.
    #[schema(value_type = String)]
    pub source: tongbao_core::Source,
    /// RFC 3339.
    pub opened_at: String,
    /// The refund of its money, or that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund: Option<String>,
    /// `refunded`, `accepted` (the merchant keeps it), `dismissed` or `disproved`
    /// (a message had claimed it, and the platform says otherwise).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution: Option<&'static str>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<String>,
    /// What a person decided last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionView>,
}

/// Why a person must look.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NeedView {
    /// `off`, `case_limit`, `day_limit`, `currency`, `channel_cannot`,
    /// `refund_abnormal`, `refund_waits`, `refund_failed`, `second_receipt` or
    /// `unknown_payment`.
    pub code: &'static str,
    /// Cause and cure.
    pub detail: &'static str,
}

/// What a person decided.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DecisionView {
    /// `refund`, `accept` or `dismiss`.
    pub action: &'static str,
    /// The API key that it came with, `key_…`.
    pub by: String,
    /// Why.
    pub reason: String,
    /// RFC 3339.
    pub at: String,
}

impl Engine {
    /// The payment as merchants see it.
    pub fn payment_view(&self, payment: &Payment) -> PaymentView {
        let order = &payment.order;
        PaymentView {
            id: payment.id.to_string(),
            merchant_order_no: order.merchant_order_no.clone(),
            amount: order.amount.minor(),
            currency: order.amount.currency().to_string(),
            amount_refunded: payment.refunded().minor(),
            subject: order.subject.clone(),
            state: payment.public_state(),
            close_reason: match payment.state {
                State::Closed { reason, .. } => Some(reason.as_str()),
                State::Created | State::Pending | State::Closing { .. } | State::Paid { .. } => {
                    None
                }
            },
            paid_at: match payment.state {
                State::Paid { at, .. } => Some(at.to_string()),
                State::Created | State::Pending | State::Closing { .. } | State::Closed { .. } => {
                    None
                }
            },
            expires_at: payment.expires_at.to_string(),
            checkout_url: self.checkout_url(payment),
            attempts: payment.attempts.iter().map(AttemptView::from).collect(),
            refunds: payment
                .refunds
                .iter()
                .map(|refund| RefundView::new(payment.id, refund))
                .collect(),
            metadata: order.metadata.clone(),
            store: order.store.map(|id| id.to_string()),
            till: payment.till().map(|id| id.to_string()),
            return_url: order.return_url.clone(),
            sequence: payment.version,
            created_at: payment.created_at.to_string(),
        }
    }

    /// The payer's page.
    pub fn checkout_url(&self, payment: &Payment) -> String {
        format!(
            "{}/checkout/{}",
            self.config.public_url, payment.checkout_token
        )
    }
}

impl From<&Attempt> for AttemptView {
    fn from(attempt: &Attempt) -> Self {
        Self {
            id: attempt.id.to_string(),
            out_trade_no: attempt.out_trade_no.clone(),
            channel: attempt.channel.to_string(),
            scene: attempt.scene.as_str(),
            state: attempt.state.as_str(),
            action: attempt.action.as_ref().map(ActionView::from),
            transaction_id: attempt.transaction_id.clone(),
            payer: attempt.payer.clone().map(|openid| PayerView { openid }),
            failure: attempt.failure.as_ref().map(FailureView::from),
            till: attempt.till.map(|id| id.to_string()),
        }
    }
}

impl RefundView {
    /// A refund of that payment.
    pub fn new(payment: PaymentId, refund: &Refund) -> Self {
        Self {
            id: refund.id.to_string(),
            payment: payment.to_string(),
            merchant_refund_no: refund.merchant_refund_no.clone(),
            out_refund_no: refund.out_refund_no.clone(),
            amount: refund.amount.minor(),
            currency: refund.amount.currency().to_string(),
            case: refund.case.map(CaseKind::as_str),
            reason: refund.reason.clone(),
            state: refund.state.as_str(),
            refund_id: refund.refund_no.clone(),
            failure: refund.failure.as_ref().map(FailureView::from),
            created_at: refund.created_at.to_string(),
            ended_at: refund.ended_at.map(|at| at.to_string()),
            till: refund.till.map(|id| id.to_string()),
        }
    }
}

impl From<&Failure> for FailureView {
    fn from(failure: &Failure) -> Self {
        Self {
            code: failure.code.clone(),
            detail: failure.detail.clone(),
            platform_code: failure.platform_code.clone(),
        }
    }
}

impl From<&Action> for ActionView {
    fn from(action: &Action) -> Self {
        match action {
            Action::QrCode { code_url } => Self::QrCode {
                code_url: code_url.clone(),
            },
            Action::WechatJsapi { params } => Self::WechatJsapi {
                params: params.clone(),
            },
            Action::WechatApp { params } => Self::WechatApp {
                params: params.clone(),
            },
            Action::Redirect { url, until } => Self::Redirect {
                url: url.clone(),
                expires_at: until.map(|until| until.to_string()),
            },
            Action::None => Self::None,
        }
    }
}

impl From<&Case> for CaseView {
    fn from(case: &Case) -> Self {
        Self {
            id: case.id.to_string(),
            kind: case.kind.as_str(),
            state: case.state.as_str(),
            remedy: case.remedy.as_str(),
            payment: case.payment.map(|id| id.to_string()),
            attempt: case.attempt.map(|id| id.to_string()),
            channel: case.channel.to_string(),
            out_trade_no: case.out_trade_no.clone(),
            transaction_id: case.receipt.transaction_id.clone(),
            amount: case.receipt.amount.minor(),
            currency: case.receipt.amount.currency().to_string(),
            source: case.source,
            opened_at: case.opened_at.to_string(),
            need: case.need.map(|need| NeedView {
                code: need.as_str(),
                detail: need.detail(),
            }),
            refund: case.refund.map(|id| id.to_string()),
            resolution: case.resolution.map(Resolution::as_str),
            resolved_at: case.resolved_at.map(|at| at.to_string()),
            decision: case.decision.as_ref().map(|decision| DecisionView {
                action: decision.action.as_str(),
                by: decision.by.clone(),
                reason: decision.reason.clone(),
                at: decision.at.to_string(),
            }),
        }
    }
}
