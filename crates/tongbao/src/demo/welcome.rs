//! What the terminal says when everything runs.

use std::fmt;
use std::time::Duration;

use super::Urls;
use super::dir::DemoDir;
use crate::secret::Secret;

/// Printed once, to standard output; what follows goes to standard error.
pub(super) struct Welcome<'a> {
    pub(super) urls: &'a Urls,
    pub(super) api_key: &'a Secret,
    /// Each opens the page of one store's till.
    pub(super) till_keys: &'a [Secret; 2],
    pub(super) dir: &'a DemoDir,
    pub(super) started_within: Duration,
}

impl fmt::Display for Welcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Urls {
            gateway,
            shop,
            simulator,
        } = self.urls;
        let fate = if self.dir.is_temporary() {
            "removed at the end; keep it with --data-dir"
        } else {
            "kept; the next demo with this --data-dir goes on with it"
        };
        write!(
            f,
            "\
通宝 tongbao demo, ready after {millis} ms. No real money moves.

  茶铺 Shop   {shop}/
  手机 Phone  {simulator}/        alice's password is 123456
  收银 Till   {gateway}/pos#{first_till}
  二店 Other  {gateway}/pos#{other_till}
  文档 Docs   {gateway}/docs

Buy something, open the phone beside it, pay. Or call the API yourself:

  export TONGBAO_API_KEY={api_key}
  curl {gateway}/v1/payments \\
    -H \"Authorization: Bearer $TONGBAO_API_KEY\" \\
    -H 'Content-Type: application/json' \\
    -d '{{\"merchant_order_no\": \"A-1001\", \"amount\": 1234, \"subject\": \"龙井茶\"}}'

Does everything add up? Ask at any time, whatever faults you have switched on:

  {program} audit --data-dir {gateway_dir}

Data is in {dir} ({fate}).
Ctrl-C ends the demo, with an audit of all that happened.",
            millis = self.started_within.as_millis(),
            api_key = self.api_key.expose(),
            first_till = self.till_keys[0].expose(),
            other_till = self.till_keys[1].expose(),
            program = program(),
            gateway_dir = self.dir.gateway().display(),
            dir = self.dir.path().display(),
        )
    }
}

/// As this program was called.
fn program() -> String {
    std::env::args_os().next().map_or_else(
        || "tongbao".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}
