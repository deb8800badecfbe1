//! What every story plays on.

use std::time::Duration;

use bytes::Bytes;
use tongbao_simulator::{Delivered, NewFault, Outgoing, Platform, Refusal, Target, UnixMillis};
use tongbao_wire::wechat_v2::{Fields, sign};

use crate::common::{Merchant, NOON, read};

/// A platform, a merchant, and a clock.
pub(crate) struct Stage {
    pub(crate) platform: Platform,
    pub(crate) merchant: Merchant,
    pub(crate) now: UnixMillis,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self {
            platform: Platform::new(7),
            merchant: Merchant::ready_made(),
            now: NOON,
        }
    }

    pub(crate) fn ask(&mut self, path: &str, fields: &Fields<'_>) -> Fields<'static> {
        let request = self.merchant.request(path, fields);
        self.exchange(&request)
    }

    pub(crate) fn exchange(&mut self, request: &http::Request<Bytes>) -> Fields<'static> {
        let response = self.platform.handle(self.now, request);
        read(response.answer().unwrap().body())
    }

    pub(crate) fn place(&mut self, number: &str, fen: u64) -> Fields<'static> {
        self.ask("/pay/unifiedorder", &Merchant::order(number, fen))
    }

    pub(crate) fn query(&mut self, number: &str) -> Fields<'static> {
        self.ask("/pay/orderquery", &Merchant::number(number))
    }

    pub(crate) fn state(&mut self, number: &str) -> String {
        self.query(number).get("trade_state").unwrap().to_owned()
    }

    pub(crate) fn close(&mut self, number: &str) -> Fields<'static> {
        self.ask("/pay/closeorder", &Merchant::number(number))
    }

    pub(crate) fn pass(&mut self, secs: u64) -> Vec<Outgoing> {
        self.now = self.now + Duration::from_secs(secs);
        self.platform.fire(self.now)
    }

    pub(crate) fn pay(&mut self, target: &Target) -> Result<String, Refusal> {
        self.platform
            .pay(self.now, "alice", target, Some("123456"))
            .map(|receipt| receipt.transaction_id)
    }

    pub(crate) fn fault(&mut self, asked: NewFault) {
        self.platform.add_fault(self.now, asked);
    }

    pub(crate) fn answer(&mut self, outgoing: &Outgoing, status: u16, body: &'static [u8]) {
        let body = Bytes::from_static(body);
        self.platform
            .answered(self.now, outgoing.id, Delivered::Http { status, body });
    }

    pub(crate) fn balance(&self, wallet: &str) -> u64 {
        self.platform.truth().wallets[wallet].balance_fen
    }
}

pub(crate) fn is_signed(stage: &Stage, fields: &Fields<'_>) -> bool {
    let merchant = &stage.merchant;
    sign::verify(fields, &merchant.key, merchant.sign_type).is_ok()
}

pub(crate) fn names<'a>(fields: &'a Fields<'_>) -> Vec<&'a str> {
    fields.iter().map(|(name, _)| name).collect()
}

pub(crate) fn error(fields: &Fields<'_>) -> (String, String) {
    let get = |name| fields.get(name).unwrap_or_default().to_owned();
    (get("err_code"), get("err_code_des"))
}
