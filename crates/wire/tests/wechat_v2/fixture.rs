//! The examples in `fixtures/wechat_v2`.

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tongbao_wire::wechat_v2::{ApiKey, Fields, SignType, sign};

/// Fields and their signature.
#[derive(Deserialize)]
pub(crate) struct Signed {
    pub(crate) id: String,
    pub(crate) sign_type: String,
    pub(crate) key: String,
    pub(crate) fields: IndexMap<String, String>,
    pub(crate) string_to_sign: String,
    pub(crate) sign: String,
}

impl Signed {
    pub(crate) fn fields(&self) -> Fields<'_> {
        self.fields
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect()
    }

    /// The message as it travels.
    pub(crate) fn with_sign(&self) -> Fields<'_> {
        let mut fields = self.fields();
        fields.insert("sign", &*self.sign);
        fields
    }

    pub(crate) fn key(&self) -> ApiKey {
        ApiKey::new(&self.key).unwrap()
    }

    pub(crate) fn sign_type(&self) -> SignType {
        SignType::from_word(&self.sign_type).unwrap()
    }

    /// What came out of a struct still has this signature.
    pub(crate) fn is_signed_as(&self, written: &Fields<'_>) {
        let sign = sign::sign(written, &self.key(), self.sign_type());
        assert_eq!(sign, self.sign, "{}", self.id);
    }
}

/// A message as it travels.
#[derive(Deserialize)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) sign_type: String,
    pub(crate) key: String,
    /// Why it must not be believed.
    pub(crate) refused: Option<String>,
    body: Vec<String>,
}

impl Message {
    pub(crate) fn body(&self) -> String {
        self.body.join("\n")
    }

    pub(crate) fn key(&self) -> ApiKey {
        ApiKey::new(&self.key).unwrap()
    }

    pub(crate) fn sign_type(&self) -> SignType {
        SignType::from_word(&self.sign_type).unwrap()
    }
}

pub(crate) fn signed() -> Vec<Signed> {
    read(include_str!("../../fixtures/wechat_v2/sign.json"))
}

/// The one request of that name.
pub(crate) fn request(id: &str) -> Signed {
    let found = signed().into_iter().find(|example| example.id == id);
    found.unwrap()
}

pub(crate) fn second_signed() -> Vec<Signed> {
    read(include_str!("../../fixtures/wechat_v2/second_sign.json"))
}

pub(crate) fn notifications() -> Vec<Message> {
    read(include_str!("../../fixtures/wechat_v2/pay_notify.json"))
}

pub(crate) fn responses() -> Vec<Message> {
    read(include_str!("../../fixtures/wechat_v2/responses.json"))
}

/// The one message of that name.
pub(crate) fn named(messages: Vec<Message>, id: &str) -> Message {
    messages
        .into_iter()
        .find(|message| message.id == id)
        .unwrap()
}

pub(crate) fn read<T: DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}
