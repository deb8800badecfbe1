//! Notifications that no gateway may believe, as a table.
//!
//! Each row is one message: what is wrong with it, and what a gateway must make
//! of it. `tongbao attack` sends the table to any gateway of WeChat Pay v2; the
//! tests send it to this one and look into its database besides.
//!
//! Messages are written and signed here by other code than the gateway reads
//! and verifies them with: two sides that share a codec share its mistakes.

mod characters;
mod documents;
mod entities;
mod envelopes;
mod letter;
mod mangled;
mod meanings;
mod resplit;
mod signatures;
mod table;

pub use letter::Algorithm;

use std::collections::BTreeSet;

use crate::secret::Secret;
use letter::Letter;
use table::Table;

/// Whose gateway it is, and which order the messages speak of.
#[derive(Clone, Debug)]
pub struct Target {
    /// The merchant's account at the platform.
    pub account: Account,
    /// What its orders are signed with.
    pub algorithm: Algorithm,
    /// An order that is placed and not paid.
    pub out_trade_no: String,
    /// What was asked for it.
    pub amount_fen: u64,
}

/// An account at the platform.
#[derive(Clone, Debug)]
pub struct Account {
    /// The application that the number is bound to.
    pub app_id: String,
    /// The merchant's number.
    pub mch_id: String,
    /// What both sides sign with.
    pub key: Secret,
}

/// What a gateway must make of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Must {
    /// Say anything but "success", and change nothing.
    Refuse,
    /// Believe nothing. To ask the platform about the order is allowed, and to
    /// say "success" with it.
    Ask,
    /// Keep it for a person to look at, or refuse it when the platform denies it:
    /// it is signed with the right key, and cannot be right. The order is not paid.
    Case,
}

/// One message.
#[derive(Clone, Debug)]
pub struct Forgery {
    /// The attack's number in the catalogue, and the message's below it: `A8-3`.
    pub id: String,
    /// What is wrong with it.
    pub what: String,
    /// What a gateway must make of it.
    pub must: Must,
    /// What is appended to the address, with its question mark; usually nothing.
    pub query: String,
    /// Besides `Content-Type: text/xml`.
    pub headers: Vec<(&'static str, String)>,
    /// The bytes.
    pub body: Vec<u8>,
}

impl Forgery {
    /// The attack's number in the catalogue: `A8`.
    pub fn attack(&self) -> &str {
        self.id.split('-').next().unwrap_or(&self.id)
    }

    /// The headers, `Content-Type` among them.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let typed = self.headers.iter().any(|(name, _)| *name == "content-type");
        let xml = (!typed).then_some(("content-type", "text/xml"));
        let others = self.headers.iter().map(|(name, value)| (*name, &**value));
        xml.into_iter().chain(others)
    }
}

/// Whether a platform would take this answer for "received, do not tell again".
/// Not as strict as it is: what looks like a success is looked at.
pub fn is_success(status: u16, body: &[u8]) -> bool {
    (200..300).contains(&status)
        && String::from_utf8_lossy(body)
            .to_uppercase()
            .contains("SUCCESS")
}

/// Every message of the table, about this order.
pub fn forgeries(target: &Target) -> Vec<Forgery> {
    let mut table = Table::new(target);
    signatures::add(&mut table);
    documents::add(&mut table);
    entities::add(&mut table);
    characters::add(&mut table);
    resplit::add(&mut table);
    mangled::add(&mut table);
    envelopes::add(&mut table);
    meanings::add(&mut table);
    let mut seen = BTreeSet::from([(String::new(), Vec::new(), genuine(target))]);
    // An order of one fen makes one message of some two.
    table
        .rows
        .retain(|row| seen.insert((row.query.clone(), row.headers.clone(), row.body.clone())));
    table.rows
}

/// What the platform itself would send for this order: the one message that
/// must be believed, as far as the gateway trusts its key.
pub fn genuine(target: &Target) -> Vec<u8> {
    let key = target.account.key.expose();
    Letter::of(target).signed(key, target.algorithm).xml()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(algorithm: Algorithm) -> Target {
        Target {
            account: Account {
                app_id: "wx7e57000000000001".to_owned(),
                mch_id: "1900007357".to_owned(),
                key: Secret::new("TongbaoSimulatorTestKey000000001"),
            },
            algorithm,
            out_trade_no: "T20260101000001".to_owned(),
            amount_fen: 888,
        }
    }

    #[test]
    fn the_table_is_long_and_no_message_comes_twice() {
        for algorithm in Algorithm::ALL {
            let target = target(algorithm);
            let rows = forgeries(&target);
            assert!(rows.len() >= 600, "{} rows", rows.len());

            let ids: BTreeSet<_> = rows.iter().map(|row| &row.id).collect();
            assert_eq!(ids.len(), rows.len(), "an id comes twice");
            let known = |id: &str| ids.contains(&id.to_owned());
            assert!(known("A1-1") && known("A8-3") && known("B7-1"));
        }
    }

    /// The platform's manual gives this string, this key and both signatures.
    #[test]
    fn messages_are_signed_as_the_manual_signs() {
        let letter = Letter::new([
            ("appid", "wxd930ea5d5a258f4f"),
            ("mch_id", "10000100"),
            ("device_info", "1000"),
            ("body", "test"),
            ("nonce_str", "ibuaiVcKdpRxkhJA"),
        ]);
        let key = "192006250b4c09247ec02edce69f6a2d";

        assert_eq!(
            letter.signature(key, Algorithm::Md5),
            "9A0A8659F005D6984697E2CA0A9CF3B7"
        );
        assert_eq!(
            letter.signature(key, Algorithm::HmacSha256),
            "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6"
        );
    }
}
