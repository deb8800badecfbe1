//! Who the payer is, where the payer comes with a login code.
//!
//! The exchange moves no money, so nothing is written down before it: an attempt is
//! made when its payer is known. What must not happen is a second attempt for one
//! code. The platform answers a code once; a fingerprint of it is written down with
//! the attempt, so that the same request finds that attempt when it comes again;
//! and in one process nobody asks about a code while another does.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tongbao_channels::NoPayer;
use tongbao_core::order::Invalid;
use tongbao_core::{PaymentId, Scene};
use zeroize::Zeroizing;

use crate::auth_code::fingerprint;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::open_channel::OpenChannel;
use crate::seams::{SendError, Target};

/// What a wallet gave a page or a mini-program: it says once who the payer is.
///
/// It is in memory from the request that brings it to the question that spends it,
/// and nowhere else.
#[derive(Clone)]
pub struct LoginCode(Zeroizing<String>);

impl LoginCode {
    /// As the page got it.
    pub fn new(code: &str) -> Self {
        Self(Zeroizing::new(code.to_owned()))
    }

    /// Tells the codes that came for one payment apart. It is dead in five minutes,
    /// and too long to be guessed from its fingerprint.
    pub(crate) fn digest(&self, payment: PaymentId) -> String {
        fingerprint(payment, &self.0)
    }

    pub(crate) fn check(&self) -> Result<(), Invalid> {
        let plausible =
            (1..=512).contains(&self.0.len()) && self.0.bytes().all(|byte| byte.is_ascii_graphic());
        if plausible {
            return Ok(());
        }
        Err(Invalid::new(
            "payer.code",
            "is not 1 to 512 visible ASCII characters; send the code as the page got it",
        ))
    }
}

impl fmt::Debug for LoginCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginCode(****)")
    }
}

/// The codes that this process is asking about now, by fingerprint.
#[derive(Default)]
pub(crate) struct Asking(Mutex<BTreeSet<String>>);

/// A code that nobody else in this process asks about.
pub(crate) struct Asked<'a> {
    asking: &'a Asking,
    code: String,
}

impl Asking {
    fn begin(&self, code: String) -> Option<Asked<'_>> {
        let first = self.lock().insert(code.clone());
        // Lazily: one that is made is dropped, and takes the other's place away.
        first.then(|| Asked { asking: self, code })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.asking.lock().remove(&self.code);
    }
}

impl Engine {
    /// The platform's name for whoever has this code. Until the second value is
    /// dropped, which is when the attempt is written down, the same code is
    /// answered with [`EngineError::Busy`].
    pub(crate) async fn whose(
        &self,
        open: &OpenChannel,
        scene: Scene,
        code: &LoginCode,
    ) -> Result<(String, Asked<'_>), EngineError> {
        let login = open.channel.login(scene)?;
        let request = login.encode(scene, &code.0)?;
        let asked = self.asking.begin(fingerprint(open.account.id, &code.0));
        let asked = asked.ok_or(EngineError::Busy)?;
        self.seams.faults.point("before_login");
        let sent = self
            .seams
            .transport
            .send(Target::Platform, request, self.config.channel_timeout)
            .await;
        self.seams.faults.point("after_login");
        let found = match sent {
            Ok(response) => login.decode(scene, &response),
            Err(SendError::NotSent(why)) => Err(NoPayer::NotAsked(why)),
            Err(SendError::Unknown(why)) => Err(NoPayer::Unknown(why)),
        };
        let outcome = found.as_ref().map_or_else(NoPayer::label, |_| "known");
        let kind = open.account.kind.clone();
        metrics::counter!("tongbao_channel_calls_total", "kind" => kind, "call" => "login", "outcome" => outcome)
            .increment(1);
        if let Err(why) = &found {
            tracing::warn!(channel = %open.account.id, outcome, %why, "nobody knows the payer");
        }
        Ok((found?, asked))
    }
}
