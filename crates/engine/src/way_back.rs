//! A payer's page sends its reader's browser away to be named, and knows it again
//! when it comes back.
//!
//! Who comes back must be the browser that left, from the page that sent it, soon:
//! otherwise a stranger could bring a code of his own to somebody's page, or take
//! somebody's to his. So what goes out with the browser is a code over the payment,
//! the channel, the time and a number that only that browser has, in a cookie. The
//! key is of this gateway's master key: nothing is stored.

use aws_lc_rs::hmac;
use tongbao_core::id::Id;
use tongbao_core::{ChannelId, Payment, Timestamp};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::mint;
use crate::start::Way;

/// Nobody needs longer for a page that asks nothing.
const GOOD_FOR_SECS: i64 = 600;

/// A browser that leaves.
#[derive(Debug)]
pub struct Departure {
    /// Where it goes.
    pub url: String,
    /// What it alone is given, to show when it comes back.
    pub browser: String,
}

/// `expires, channel, code`, all in hexadecimal digits: letters and digits are all
/// that survives the way.
const EXPIRES: usize = 12;
const CHANNEL: usize = 32;
const CODE: usize = 64;

impl Engine {
    /// Where the payment's page sends a browser whose reader is to pay in this way,
    /// and is not known yet. It comes back to `path` of this gateway.
    pub async fn send_to_be_named(
        &self,
        payment: &Payment,
        way: &Way,
        path: &str,
    ) -> Result<Departure, EngineError> {
        let channel = way.channel;
        let open = self.open_channel(channel).await?;
        let login = open.channel.login(way.scene)?;
        let browser = mint::token(&*self.seams.mint);
        let expires = self.now().as_secs() + GOOD_FOR_SECS;
        let code = self.code_of_departure(payment, channel, expires, &browser);
        let state = format!("{expires:012x}{:032x}{}", channel.bits(), hex(&code));
        let back = format!("{}{path}", self.config.public_url);
        let url = login.authorize(&back, &state)?;
        Ok(Departure { url, browser })
    }

    /// The channel for which this browser left this payment's page a while ago;
    /// `None` for everybody else.
    pub fn has_come_back(
        &self,
        payment: &Payment,
        state: &str,
        browser: &str,
    ) -> Option<ChannelId> {
        if state.len() != EXPIRES + CHANNEL + CODE || !state.bytes().all(is_hex) {
            return None;
        }
        let (expires, rest) = state.split_at(EXPIRES);
        let (channel, code) = rest.split_at(CHANNEL);
        let expires = i64::from_str_radix(expires, 16).ok()?;
        let channel = ChannelId::from_bits(u128::from_str_radix(channel, 16).ok()?);
        let own = hex(&self.code_of_departure(payment, channel, expires, browser));
        let genuine =
            aws_lc_rs::constant_time::verify_slices_are_equal(own.as_bytes(), code.as_bytes());
        let in_time = self.now() < Timestamp::from_secs(expires);
        (genuine.is_ok() && in_time).then_some(channel)
    }

    fn code_of_departure(
        &self,
        payment: &Payment,
        channel: ChannelId,
        expires: i64,
        browser: &str,
    ) -> hmac::Tag {
        let text = format!("{}|{channel}|{expires}|{browser}", payment.id);
        hmac::sign(self.vault.departures(), text.as_bytes())
    }

    /// The same address of a browser's way to the wallet, leading back to `page`
    /// afterwards.
    pub async fn leads_back(
        &self,
        channel: ChannelId,
        url: &str,
        page: &str,
    ) -> Result<String, EngineError> {
        let open = self.open_channel(channel).await?;
        Ok(open.channel.leads_back(url, page))
    }
}

fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn hex(tag: &hmac::Tag) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(CODE);
    for byte in tag.as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
