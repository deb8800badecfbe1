//! Over what was recorded.

use std::collections::BTreeMap;

use tongbao_core::{EventId, PaymentId};
use tongbao_engine::audit::rules;

use super::{Verdict, ensure};
use crate::model_store::Tables;

/// One webhook as a merchant received it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// `webhook-id`.
    pub id: EventId,
    /// The bytes.
    pub body: String,
    /// What it is about.
    pub payment: Option<PaymentId>,
    /// `payment.paid`, …
    pub kind: String,
    /// Rises per payment.
    pub sequence: i64,
}

/// S6: replaying what was recorded from nothing gives the stored row, and S3:
/// the record has no gap.
pub fn s6_state_is_a_fold(tables: &Tables) -> Verdict {
    for (id, stored) in &tables.payments {
        let timeline = tables.log.get(id).map_or(&[][..], Vec::as_slice);
        rules::s3_versions_have_no_gap(stored, timeline)?;
        rules::s6_state_is_a_fold(stored, timeline)?;
    }
    Ok(())
}

/// W2: an id means one fact, a fact has one id; W3: and one text.
pub fn w2_w3_one_id_one_fact_one_text(received: &[Received]) -> Verdict {
    let mut texts: BTreeMap<EventId, &str> = BTreeMap::new();
    let mut facts: BTreeMap<(Option<PaymentId>, &str, i64), EventId> = BTreeMap::new();
    for webhook in received {
        let text = texts.entry(webhook.id).or_insert(&webhook.body);
        ensure(*text == webhook.body, || {
            format!("{} came in two texts", webhook.id)
        })?;
        if webhook.payment.is_some() && webhook.kind != "case.opened" {
            let fact = (webhook.payment, webhook.kind.as_str(), webhook.sequence);
            let id = facts.entry(fact).or_insert(webhook.id);
            ensure(*id == webhook.id, || {
                format!("{fact:?} came under {id} and {}", webhook.id)
            })?;
        }
    }
    let mut paid: BTreeMap<PaymentId, EventId> = BTreeMap::new();
    for webhook in received
        .iter()
        .filter(|webhook| webhook.kind == "payment.paid")
    {
        if let Some(payment) = webhook.payment {
            let id = paid.entry(payment).or_insert(webhook.id);
            ensure(*id == webhook.id, || {
                format!("{payment} was told paid twice")
            })?;
        }
    }
    Ok(())
}

/// W4: a merchant who applies an event only when its sequence is higher ends in
/// the true state.
pub fn w4_merchants_end_in_the_truth(tables: &Tables, received: &[Received]) -> Verdict {
    let mut states: BTreeMap<PaymentId, (i64, &str)> = BTreeMap::new();
    for webhook in received
        .iter()
        .filter(|webhook| webhook.kind.starts_with("payment."))
    {
        let Some(payment) = webhook.payment else {
            continue;
        };
        let state = states.entry(payment).or_insert((0, ""));
        if webhook.sequence > state.0 {
            *state = (webhook.sequence, &webhook.kind);
        }
    }
    for payment in tables
        .payments
        .values()
        .filter(|payment| payment.is_final())
    {
        let believed = states.get(&payment.id).map_or("", |(_, kind)| kind);
        let truth = format!("payment.{}", payment.public_state());
        ensure(believed == truth, || {
            format!(
                "the merchant believes {believed:?} of {}, which is {truth}",
                payment.id
            )
        })?;
    }
    Ok(())
}
