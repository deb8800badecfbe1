//! A merchant with a shop, an account and a customer, in plain numbers.

use std::time::Duration;

use tongbao_core::channel::{ChannelAccount, Confirm};
use tongbao_core::id::Id;
use tongbao_core::inbox::{InboxEntry, Verdict};
use tongbao_core::job::{JobKey, NewJob, Subject};
use tongbao_core::merchant::Merchant;
use tongbao_core::shop::{Shop, Till};
use tongbao_core::webhook::{Endpoint, EventType, WebhookEvent};
use tongbao_core::{
    Action, Attempt, ChannelId, Event, Grade, Job, JobKind, MerchantId, Money, Order, Outcome,
    Payment, Policy, Receipt, Report, Rules, Scene, Source, Timestamp,
};
use tongbao_store::{Change, IdempotencyRecord, LogEntry, PaymentChange, Store, StoreError};

pub(crate) const NOON: Timestamp = Timestamp::from_secs(1_795_233_600);
pub(crate) const LEASE: Duration = Duration::from_mins(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn id<T: Id>(number: u128) -> T {
    T::from_bits(number)
}

pub(crate) fn merchant() -> MerchantId {
    id(1)
}

pub(crate) fn channel() -> ChannelId {
    id(1)
}

/// Merchant 1 with channel 1, and nothing else.
pub(crate) async fn open_shop(store: &impl Store) {
    open_shop_of(store, 1).await;
}

/// Merchant and channel `number`.
pub(crate) async fn open_shop_of(store: &impl Store, number: u128) {
    store.insert_merchant(merchant_row(number)).await.unwrap();
    store.save_channel(account(number, number)).await.unwrap();
}

pub(crate) fn merchant_row(number: u128) -> Merchant {
    Merchant {
        id: id(number),
        name: format!("茶馆 {number}"),
        policy: Policy::default(),
        created_at: NOON,
    }
}

/// A shop of merchant 1.
pub(crate) fn branch(number: u64) -> Shop {
    Shop {
        id: id(u128::from(number)),
        merchant: merchant(),
        name: format!("{number} 号店"),
        created_at: NOON + Duration::from_secs(number),
    }
}

pub(crate) async fn open_branch(store: &impl Store, number: u64) {
    store.commit(with_shop(branch(number))).await.unwrap();
}

pub(crate) fn with_shop(shop: Shop) -> Change {
    Change {
        shop: Some(Box::new(shop)),
        ..Change::default()
    }
}

/// A till in a shop of merchant 1.
pub(crate) fn till(store: u64, number: u8) -> Till {
    Till {
        id: id(u128::from(number)),
        merchant: merchant(),
        store: id(u128::from(store)),
        name: format!("{number} 号收银台"),
        hash: [number; 32],
        hint: "tk_abcd".to_owned(),
        created_at: NOON + Duration::from_secs(u64::from(number)),
        revoked_at: None,
    }
}

pub(crate) fn with_till(till: Till) -> Change {
    Change {
        till: Some(Box::new(till)),
        ..Change::default()
    }
}

pub(crate) fn promise(number: u64) -> IdempotencyRecord {
    IdempotencyRecord {
        merchant: merchant(),
        key: format!("key-{number}"),
        fingerprint: [7; 32],
        resource: format!("pay_{number}"),
        created_at: NOON,
    }
}

pub(crate) fn account(merchant: u128, number: u128) -> ChannelAccount {
    ChannelAccount {
        id: id(number),
        merchant: id(merchant),
        kind: "wechat_v2".to_owned(),
        name: "till".to_owned(),
        enabled: true,
        confirm: Confirm::Query,
        settings: serde_json::json!({ "mch_id": "1900000109" }),
        sealed_secrets: vec![1, 2, 3],
        version: 1,
        created_at: NOON,
    }
}

/// A payment of merchant 1 for ¥12.34, a second after the one before.
pub(crate) fn payment(number: u64) -> Payment {
    payment_of(1, number)
}

pub(crate) fn payment_of(merchant: u128, number: u64) -> Payment {
    let order = Order {
        merchant_order_no: format!("order-{number}"),
        amount: Money::fen(1234),
        subject: "龙井 & 茶点".replace(" & ", " "),
        metadata: serde_json::json!({ "table": 7, "share": 0.1 }),
        store: None,
        return_url: Some("https://example.com/done".to_owned()),
    };
    let now = NOON + Duration::from_secs(number);
    Payment::create(
        id(u128::from(number)),
        id(merchant),
        order,
        format!("token-{merchant}-{number}"),
        now,
        now + Duration::from_mins(15),
    )
    .payment
}

pub(crate) fn attempt(number: u64) -> Attempt {
    Attempt {
        close_after_secs: 7,
        ..Attempt::new(
            id(u128::from(number)),
            format!("trade-{number}"),
            channel(),
            Scene::Native,
            NOON,
        )
    }
}

pub(crate) fn created(payment: &Payment) -> Change {
    Change {
        payment: Some(PaymentChange {
            payment: payment.clone(),
            read_version: None,
            attempts: payment.attempts.iter().map(|attempt| attempt.id).collect(),
            refunds: payment.refunds.iter().map(|refund| refund.id).collect(),
        }),
        log: vec![line(payment, None)],
        ..Change::default()
    }
}

pub(crate) fn line(payment: &Payment, event: Option<Event>) -> LogEntry {
    LogEntry {
        merchant: payment.merchant,
        payment: payment.id,
        version: payment.version,
        at: NOON,
        event,
        rules: Rules::default(),
        state: payment.public_state().to_owned(),
    }
}

/// Decides `event` on `before`, and what of it is to be written.
pub(crate) fn decided(before: &Payment, event: Event) -> (Payment, Change) {
    decided_at(before, event, NOON)
}

pub(crate) fn decided_at(before: &Payment, event: Event, at: Timestamp) -> (Payment, Change) {
    let after = before
        .clone()
        .on(event.clone(), at, Rules::default())
        .unwrap()
        .payment;
    let differs = |attempt: &&Attempt| before.attempt(attempt.id) != Some(*attempt);
    let attempts = after.attempts.iter().filter(differs);
    let change = Change {
        payment: Some(PaymentChange {
            payment: after.clone(),
            read_version: Some(before.version),
            attempts: attempts.map(|attempt| attempt.id).collect(),
            refunds: after.refunds.iter().map(|refund| refund.id).collect(),
        }),
        log: vec![line(&after, Some(event))],
        ..Change::default()
    };
    (after, change)
}

pub(crate) fn started(number: u64) -> Event {
    Event::AttemptStarted {
        attempt: Box::new(attempt(number)),
    }
}

pub(crate) fn receipt(transaction_id: &str) -> Receipt {
    Receipt {
        amount: Money::fen(1234),
        transaction_id: transaction_id.to_owned(),
        payer: Some("alice".to_owned()),
        paid_at: Some(NOON),
    }
}

pub(crate) fn paid(attempt: u64) -> Event {
    reported(
        attempt,
        Outcome::Success {
            receipt: receipt("4200001"),
        },
    )
}

pub(crate) fn reported(attempt: u64, outcome: Outcome) -> Event {
    Event::Reported {
        report: Box::new(Report {
            attempt: id(u128::from(attempt)),
            source: Source::Query,
            grade: Grade::Strong,
            outcome,
        }),
    }
}

/// Payment `number` with attempt `number`, as far as the payer's QR code.
pub(crate) async fn show_code(store: &impl Store, number: u64) -> Payment {
    let payment = payment(number);
    store.commit(created(&payment)).await.unwrap();
    let (payment, change) = decided(&payment, started(number));
    store.commit(change).await.unwrap();
    let code_url = "weixin://wxpay/bizpayurl?pr=x".to_owned();
    let action = Action::QrCode { code_url };
    let (payment, change) = decided(&payment, reported(number, Outcome::Accepted { action }));
    store.commit(change).await.unwrap();
    payment
}

pub(crate) fn endpoint(number: u64) -> Endpoint {
    Endpoint {
        id: id(u128::from(number)),
        merchant: merchant(),
        url: "https://example.com/hook".to_owned(),
        enabled: true,
        event_types: Vec::new(),
        store: None,
        sealed_secret: vec![9],
        created_at: NOON,
    }
}

pub(crate) fn event(number: u64) -> WebhookEvent {
    WebhookEvent {
        id: id(u128::from(number)),
        merchant: merchant(),
        payment: None,
        store: None,
        kind: EventType::PaymentPaid,
        sequence: 3,
        body: format!("{{\"number\":{number}}}"),
        created_at: NOON + Duration::from_secs(number),
    }
}

pub(crate) async fn tell(store: &impl Store, event: WebhookEvent) {
    let events = vec![event];
    let change = Change {
        events,
        ..Change::default()
    };
    store.commit(change).await.unwrap();
}

pub(crate) fn query(payment: &Payment, due: Timestamp) -> NewJob {
    NewJob {
        key: JobKey {
            kind: JobKind::Query,
            payment: payment.id,
            subject: Subject::Attempt(id(1)),
        },
        merchant: payment.merchant,
        due,
        lease_until: None,
    }
}

pub(crate) async fn ask(store: &impl Store, job: NewJob) -> Option<Job> {
    let jobs = vec![job];
    let change = Change {
        jobs,
        ..Change::default()
    };
    store.commit(change).await.unwrap().pop()
}

pub(crate) async fn finish(store: &impl Store, job: Job) -> Result<(), StoreError> {
    let change = Change {
        finish: Some(job),
        ..Change::default()
    };
    store.commit(change).await.map(|_| ())
}

pub(crate) fn message(number: u64, body: &str) -> InboxEntry {
    let mut body_hash = [0; 32];
    body_hash[..body.len()].copy_from_slice(body.as_bytes());
    InboxEntry {
        id: id(u128::from(number)),
        merchant: merchant(),
        channel: channel(),
        received_at: NOON + Duration::from_secs(number),
        verdict: Verdict::Applied,
        reason: None,
        payment: None,
        body_hash,
        body: body.as_bytes().to_owned(),
    }
}

pub(crate) async fn receive(store: &impl Store, entry: InboxEntry) {
    let change = Change {
        inbox: Some(entry),
        ..Change::default()
    };
    store.commit(change).await.unwrap();
}
