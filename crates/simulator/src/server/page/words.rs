//! The platform's words, explained to people.

use super::lang::Lang;
use super::print;
use crate::{FaultKind, NotificationKind, Refusal, WalletPlatform};

/// What a wallet is called.
pub(super) fn wallet(platform: WalletPlatform, lang: Lang) -> &'static str {
    match platform {
        WalletPlatform::Wechat => lang.of(["微信支付", "WeChat Pay"]),
        WalletPlatform::Alipay => lang.of(["支付宝", "Alipay"]),
    }
}

/// How fast time runs.
pub(super) fn speed(speed: u32, lang: Lang) -> String {
    match speed {
        0 => lang.of(["停", "stop"]).into(),
        speed => format!("×{speed}"),
    }
}

/// A `trade_state`.
pub(super) fn state(word: &str, lang: Lang) -> &'static str {
    match word {
        "SUCCESS" => lang.of(["已支付", "paid"]),
        "REFUND" => lang.of(["有退款", "refunded"]),
        "CLOSED" => lang.of(["已关闭", "closed"]),
        "USERPAYING" => lang.of(["等待付款人确认", "payer is asked"]),
        "PAYERROR" => lang.of(["支付失败", "failed"]),
        "REVOKED" => lang.of(["已撤销", "reversed"]),
        _ => lang.of(["待支付", "unpaid"]),
    }
}

/// A `refund_status`.
pub(super) fn refund(word: &str, lang: Lang) -> &'static str {
    match word {
        "SUCCESS" => lang.of(["已到账", "arrived"]),
        "CHANGE" => lang.of(["异常", "stuck"]),
        "REFUNDCLOSE" => lang.of(["已关闭", "closed"]),
        _ => lang.of(["处理中", "under way"]),
    }
}

/// Over the choice of people that an authorization page gives.
pub(super) fn who_reads(lang: Lang) -> &'static str {
    lang.of(["谁在看这个页面？", "Who reads this page?"])
}

/// What is to become of a notification.
pub(super) fn notification_state(word: &str, lang: Lang) -> &'static str {
    match word {
        "accepted" => lang.of(["商户已收到", "heard"]),
        "believed" => lang.of(["商户信以为真", "believed"]),
        "given_up" => lang.of(["不再通知", "given up"]),
        "sent" => lang.of(["等待应答", "sent"]),
        _ => lang.of(["将再通知", "will retry"]),
    }
}

/// How a try ended.
pub(super) fn verdict(word: &str, lang: Lang) -> &'static str {
    match word {
        "accepted" => lang.of(["已收到", "heard"]),
        "refused" => lang.of(["不算收到", "not accepted"]),
        "no_answer" => lang.of(["没有应答", "no answer"]),
        "lost" => lang.of(["途中丢失", "lost on the way"]),
        _ => lang.of(["等待应答", "waiting"]),
    }
}

/// What kind of lie a notification is; nothing for the truth.
pub(super) fn notification_kind(kind: NotificationKind, lang: Lang) -> Option<&'static str> {
    match kind {
        NotificationKind::Genuine => None,
        NotificationKind::Forged => Some(lang.of(["伪造", "forged"])),
        NotificationKind::Garbage => Some(lang.of(["乱码", "garbage"])),
        NotificationKind::WrongAmount => Some(lang.of(["金额有误", "wrong amount"])),
    }
}

/// What a fault does.
pub(super) fn fault(kind: FaultKind, lang: Lang) -> &'static str {
    lang.of(match kind {
        FaultKind::NoAnswer => ["已处理，但断线无应答", "done, connection drops"],
        FaultKind::RefuseConnection => ["拒绝连接，未处理", "connection refused"],
        FaultKind::Http500 => ["HTTP 500，未处理", "HTTP 500, nothing done"],
        FaultKind::SystemError => ["系统错误，未处理", "SYSTEMERROR, nothing done"],
        FaultKind::SystemErrorAfterEffect => ["系统错误，其实已处理", "SYSTEMERROR, yet done"],
        FaultKind::FrequencyLimited => ["频率限制，未处理", "too many requests"],
        FaultKind::Slow => ["已处理，应答很慢", "done, answered late"],
        FaultKind::GarbageAnswer => ["已处理，应答无法解析", "done, unreadable answer"],
        FaultKind::BadSignatureAnswer => ["已处理，应答签名错误", "done, badly signed answer"],
        FaultKind::RecallReverse => ["撤销未完成，要求重试", "reverse not done, call again"],
        FaultKind::ReverseWithoutEffect => ["撤销谎报成功", "reverse claims success, not done"],
        FaultKind::AskPassword => ["总是要求输入密码", "password is always asked"],
        FaultKind::AbnormalRefund => ["退款异常，退不到付款人", "refund is stuck"],
        FaultKind::CloseRefund => ["退款关闭，钱回商户", "refund is closed"],
        FaultKind::DropNotification => ["通知丢失", "notification is lost"],
        FaultKind::DuplicateNotification => ["同一通知同时到两次", "notified twice at once"],
        FaultKind::DelayNotification => ["通知迟到", "notified late"],
        FaultKind::ReorderNotification => ["通知顺序颠倒", "notified out of order"],
        FaultKind::ForgedNotification => ["伪造的已付款通知", "forged claim of payment"],
        FaultKind::ForgedRefundNotification => ["伪造的退款成功通知", "forged claim of refund"],
        FaultKind::GarbageNotification => ["先来一条乱码通知", "garbage before the truth"],
        FaultKind::WrongAmountNotification => ["签名正确但金额有误", "signed, wrong amount"],
    })
}

/// Why the wallet does not pay, and what to do about it.
pub(super) fn refusal(refusal: &Refusal, lang: Lang) -> String {
    let zh = match refusal {
        Refusal::UnknownWallet(id) => format!("没有名为 {id} 的钱包。"),
        Refusal::UnknownCode => "平台没有发出过这个码，请重新扫描。".into(),
        Refusal::OtherPlatform => "这是微信支付的收款码，请换一位使用微信的人。".into(),
        Refusal::CodeExpired => "二维码已过期，请让商户重新生成。".into(),
        Refusal::OtherPayer => "这笔订单只能由下单的人支付。".into(),
        Refusal::OrderExpired => "订单已过期，请重新下单。".into(),
        Refusal::OrderPaid => "这笔订单已经支付过了。".into(),
        Refusal::OrderClosed => "商户已关闭这笔订单，请重新下单。".into(),
        Refusal::BadCall(_) => "支付验证签名失败。".into(),
        Refusal::BrowserTooLate => "支付请求已失效，请重新发起支付。".into(),
        Refusal::UnknownApp(id) => format!("没有应用 {id}。"),
        Refusal::WalletClosed => "这个账户已经注销。".into(),
        Refusal::NoPrompt => "没有等待确认的付款。".into(),
        Refusal::PasswordRequired => "请输入六位支付密码。".into(),
        Refusal::WrongPassword { tries_left } => {
            format!("支付密码错误，还可以输入 {tries_left} 次。")
        }
        Refusal::WalletLocked { until } => {
            format!("密码错误次数过多，{} 后再试。", print::date_time(*until))
        }
        Refusal::NotEnough { balance_fen, .. } => {
            format!("零钱不足，只有 {}。", print::yuan(*balance_fen))
        }
    };
    let en = match refusal {
        Refusal::UnknownWallet(id) => format!("There is no wallet {id}."),
        Refusal::UnknownCode => "The platform never gave out this code. Scan again.".into(),
        Refusal::OtherPlatform => {
            "This is a WeChat Pay code. Switch to a person who has WeChat.".into()
        }
        Refusal::CodeExpired => "The code has expired. Ask the merchant for a new one.".into(),
        Refusal::OtherPayer => "Only the person it was placed for can pay this order.".into(),
        Refusal::OrderExpired => "The order has expired. Order again.".into(),
        Refusal::OrderPaid => "This order is paid already.".into(),
        Refusal::OrderClosed => "The merchant has closed this order. Order again.".into(),
        Refusal::BadCall(why) => format!("What the page or app handed over is not right: {why}."),
        Refusal::BrowserTooLate => "Five minutes have passed. Order again.".into(),
        Refusal::UnknownApp(id) => format!("There is no application {id}."),
        Refusal::WalletClosed => "This account is closed.".into(),
        Refusal::NoPrompt => "No payment waits for an answer.".into(),
        Refusal::PasswordRequired => "Enter the six-digit payment password.".into(),
        Refusal::WrongPassword { tries_left: 1 } => "Wrong password. 1 try left.".into(),
        Refusal::WrongPassword { tries_left } => {
            format!("Wrong password. {tries_left} tries left.")
        }
        Refusal::WalletLocked { until } => {
            format!(
                "Too many wrong passwords. Try after {}.",
                print::date_time(*until)
            )
        }
        Refusal::NotEnough { balance_fen, .. } => {
            format!("Not enough money: {} left.", print::yuan(*balance_fen))
        }
    };
    lang.of([zh, en])
}
