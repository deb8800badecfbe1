//! `err_code`: why the platform did not do what was asked.

use crate::word::words;

words!(
    /// Documented for orders, payment codes, reversals and refunds; the list grows.
    ///
    /// A code that is not known says nothing about the money: ask for the state.
    ErrorCode {
        AppidMchidNotMatch = "APPID_MCHID_NOT_MATCH",
        AppidNotExist = "APPID_NOT_EXIST",
        /// The payment code has expired; scan again.
        AuthCodeExpire = "AUTHCODEEXPIRE",
        AuthCodeError = "AUTH_CODE_ERROR",
        /// The payment code is malformed or was used.
        AuthCodeInvalid = "AUTH_CODE_INVALID",
        /// The bank did not answer: unknown.
        BankError = "BANKERROR",
        /// Try again with the same number.
        BizErrNeedRetry = "BIZERR_NEED_RETRY",
        /// Another payer than the one who began with this number.
        BuyerMismatch = "BUYER_MISMATCH",
        CertError = "CERT_ERROR",
        /// A refusal with its reason in the description only.
        Error = "ERROR",
        FrequencyLimited = "FREQUENCY_LIMITED",
        InvalidRequest = "INVALID_REQUEST",
        InvalidReqTooMuch = "INVALID_REQ_TOO_MUCH",
        InvalidTransactionId = "INVALID_TRANSACTIONID",
        LackParams = "LACK_PARAMS",
        MchidNotExist = "MCHID_NOT_EXIST",
        /// The product is not opened, or the address not allowed.
        NoAuth = "NOAUTH",
        /// The payer's money when paying, the merchant's when refunding.
        NotEnough = "NOTENOUGH",
        /// Spelled so.
        NotSupportCard = "NOTSUPORTCARD",
        NotUtf8 = "NOT_UTF8",
        OrderClosed = "ORDERCLOSED",
        OrderNotExist = "ORDERNOTEXIST",
        OrderPaid = "ORDERPAID",
        OrderReversed = "ORDERREVERSED",
        OrderNotReady = "ORDER_NOT_READY",
        OutTradeNoUsed = "OUT_TRADE_NO_USED",
        ParamError = "PARAM_ERROR",
        PostDataEmpty = "POST_DATA_EMPTY",
        RefundNotExist = "REFUNDNOTEXIST",
        RefundFeeInvalid = "REFUND_FEE_INVALID",
        RefundFeeMismatch = "REFUND_FEE_MISMATCH",
        RequirePostMethod = "REQUIRE_POST_METHOD",
        /// The payment is too old to be reversed; it can be refunded.
        ReverseExpire = "REVERSE_EXPIRE",
        SignError = "SIGNERROR",
        /// Done or not done: unknown.
        SystemError = "SYSTEMERROR",
        TradeError = "TRADE_ERROR",
        /// Too old to be refunded.
        TradeOverdue = "TRADE_OVERDUE",
        TradeStateError = "TRADE_STATE_ERROR",
        UserAccountAbnormal = "USER_ACCOUNT_ABNORMAL",
        /// The payer has been asked for the password.
        UserPaying = "USERPAYING",
        XmlFormatError = "XML_FORMAT_ERROR",
    }
);
