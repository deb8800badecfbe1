//! What is read of the gateway's answers; there is more in them.

use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    pub(super) next_cursor: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Payment {
    pub(super) id: String,
    pub(super) merchant_order_no: String,
    amount: i64,
    subject: String,
    pub(super) sequence: i64,
    pub(super) created_at: String,
    attempts: Vec<Attempt>,
}

#[derive(Deserialize)]
struct Attempt {
    id: String,
    scene: String,
}

#[derive(Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) r#type: String,
    pub(super) payment: Option<String>,
    pub(super) sequence: i64,
    pub(super) created_at: String,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

#[derive(Deserialize)]
pub(super) struct Delivered {
    pub(super) deliveries: Vec<Delivery>,
}

#[derive(Deserialize)]
pub(super) struct Delivery {
    pub(super) endpoint: String,
    pub(super) state: String,
    pub(super) next_try_at: Option<String>,
    pub(super) tries: Vec<Map<String, Value>>,
}

impl Payment {
    /// What a line of the timeline leaves to the payment to say.
    pub(super) fn add_to(&self, said: &mut Map<String, Value>) {
        if said.get("type").and_then(Value::as_str) == Some("created") {
            said.insert("amount".to_owned(), self.amount.into());
            said.insert("subject".to_owned(), self.subject.clone().into());
        }
        let id = said.get("attempt").and_then(Value::as_str);
        let attempt = self.attempts.iter().find(|it| Some(&*it.id) == id);
        if let Some(scene) = attempt.map(|it| it.scene.clone()) {
            said.insert("scene".to_owned(), scene.into());
        }
    }
}
