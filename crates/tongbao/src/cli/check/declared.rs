//! The key doctor for channels that are only declared: there may be no database
//! yet that could hold them.

use tongbao_channels::{Channel, Diagnosis, Settings, Stamp};
use tongbao_engine::{Clock, Mint, Transport};

use crate::config::{Config, DeclaredChannel};
use crate::seams::{OsMint, SystemClock};

/// Asks the platform something harmless. An error is about the settings
/// themselves: nothing was sent.
pub(super) async fn diagnose(
    config: &Config,
    declared: &DeclaredChannel,
    transport: &dyn Transport,
) -> Result<Diagnosis, String> {
    let channel = open(config, declared)?;
    let mut nonce = [0; 16];
    OsMint::default().fill(&mut nonce);
    let nonce = format!("{:032x}", u128::from_be_bytes(nonce));
    let stamp = Stamp {
        now: SystemClock.now(),
        nonce,
    };
    let timeout = config.channel_timeout();
    let found = tongbao_engine::diagnose(&*channel, transport, &stamp, timeout).await;
    found.map_err(|error| error.to_string())
}

fn open(config: &Config, declared: &DeclaredChannel) -> Result<Box<dyn Channel>, String> {
    let kind = declared.kind()?;
    let settings = Settings::read(kind.fields, declared.settings_json());
    let settings = settings.map_err(|error| error.to_string())?;
    (kind.open)(&settings, &config.addresses()).map_err(|error| error.to_string())
}
