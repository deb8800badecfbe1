//! What a notification comes to, for the benches.

use tongbao_core::Payment;
use tongbao_core::id::Id;
use tongbao_core::inbox::{InboxEntry, Verdict};
use tongbao_core::job::{JobKey, JobKind, NewJob, Subject};
use tongbao_store::sqlite::SqliteStore;
use tongbao_store::{Change, Store};

#[allow(dead_code, reason = "the stories use the rest")]
#[path = "../../tests/stories/people.rs"]
pub(crate) mod people;
use people::{decided, event, message, paid, payment, started};

/// Makes payment `number`, as far as the payer's QR code, with its expiry and
/// the first query.
pub(crate) async fn make(store: &SqliteStore, number: u64) -> Payment {
    let (payment, mut change) = decided(&payment(number), started(number));
    change.payment.as_mut().unwrap().read_version = None;
    change.jobs = vec![
        job(&payment, JobKind::Expire),
        job(&payment, JobKind::Query),
    ];
    store.commit(change).await.unwrap();
    payment
}

fn job(payment: &Payment, kind: JobKind) -> NewJob {
    NewJob {
        key: JobKey {
            kind,
            payment: payment.id,
            subject: match kind {
                JobKind::Expire => Subject::Payment,
                _ => Subject::Attempt(payment.attempts[0].id),
            },
        },
        merchant: payment.merchant,
        due: payment.expires_at,
        lease_until: None,
    }
}

/// What a notification comes to: the payment, its attempt, the timeline, the
/// webhook, a query that confirms it, and the message itself. Ids begin with the
/// time: those of what is told and heard rise with `place`, in whatever order
/// the payments are paid.
pub(crate) fn notified(payment: &Payment, place: u64) -> Change {
    let number = u64::try_from(payment.id.bits()).unwrap();
    let (payment, mut change) = decided(payment, paid(number));
    let mut event = event(place);
    event.payment = Some(payment.id);
    event.body = serde_json::to_string(&payment).unwrap();
    change.events = vec![event];
    change.jobs = vec![job(&payment, JobKind::Query)];
    // Spread like a hash, since that is where the index grows.
    let mut body_hash = [0; 32];
    let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    body_hash[..8].copy_from_slice(&spread);
    change.inbox = Some(InboxEntry {
        verdict: Verdict::Applied,
        payment: Some(payment.id),
        body_hash,
        body: vec![b'x'; 900],
        ..message(place, "")
    });
    change
}
