//! `scene_info`: where an order comes from, as JSON.

use serde::{Deserialize, Serialize};

use super::field::FieldError;

/// A browser, a store, or both. What else is in the JSON stays in the order's text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SceneInfo {
    /// Needed for `MWEB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub h5_info: Option<H5Info>,
    /// The store where it is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store_info: Option<StoreInfo>,
}

/// What leads the payer to the wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct H5Info {
    /// Decides which of the others are needed.
    #[serde(rename = "type")]
    pub kind: H5Kind,
    /// Of `Wap`: the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wap_url: Option<String>,
    /// Of `Wap`: its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wap_name: Option<String>,
    /// Of an app: its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_name: Option<String>,
    /// Of an app for iOS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle_id: Option<String>,
    /// Of an app for Android.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package_name: Option<String>,
}

/// A site or an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum H5Kind {
    /// `Wap`: a site.
    Wap,
    /// `IOS`: an app.
    #[serde(rename = "IOS")]
    Ios,
    /// `Android`: an app.
    Android,
    /// A word that was not documented when this was written.
    #[serde(untagged)]
    Other(String),
}

/// A store of the merchant's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreInfo {
    /// The merchant's number for it.
    pub id: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The administrative division.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area_code: Option<String>,
    /// In that division.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

impl SceneInfo {
    /// A site that leads to the wallet.
    pub fn site(wap_url: &str, wap_name: &str) -> Self {
        Self {
            h5_info: Some(H5Info {
                wap_url: Some(wap_url.to_owned()),
                wap_name: Some(wap_name.to_owned()),
                ..H5Info::new(H5Kind::Wap)
            }),
            store_info: None,
        }
    }

    /// Reads what a merchant sent.
    pub fn from_json(text: &str) -> Result<Self, FieldError> {
        serde_json::from_str(text).map_err(|_| FieldError::Malformed("scene_info"))
    }

    /// What goes into the order: 256 characters at most, see
    /// [`UNIFIED_ORDER`](super::limits::UNIFIED_ORDER).
    #[expect(clippy::missing_panics_doc, reason = "texts are JSON")]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts are JSON")
    }
}

impl H5Info {
    /// With nothing but the kind.
    pub fn new(kind: H5Kind) -> Self {
        Self {
            kind,
            wap_url: None,
            wap_name: None,
            app_name: None,
            bundle_id: None,
            package_name: None,
        }
    }

    /// What this kind needs and what is not there.
    pub fn lacks(&self) -> Option<&'static str> {
        let needed: [(&'static str, &Option<String>); 2] = match self.kind {
            H5Kind::Wap => [("wap_url", &self.wap_url), ("wap_name", &self.wap_name)],
            H5Kind::Ios => [("app_name", &self.app_name), ("bundle_id", &self.bundle_id)],
            H5Kind::Android => [
                ("app_name", &self.app_name),
                ("package_name", &self.package_name),
            ],
            H5Kind::Other(_) => return None,
        };
        let empty = |value: &Option<String>| value.as_deref().is_none_or(str::is_empty);
        let missing = needed.into_iter().find(|(_, value)| empty(value));
        missing.map(|(name, _)| name)
    }
}
