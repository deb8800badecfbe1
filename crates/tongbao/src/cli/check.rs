//! `tongbao check`

mod declared;

use std::process::ExitCode;
use std::sync::Arc;

use tongbao_engine::{Diagnosis, Engine, Transport};

use crate::config::Config;
use crate::data_dir::{DataDir, DataDirError, database};
use crate::gateway;
use crate::seams::{AddressPolicy, HttpTransport};

/// Reads the configuration and tries every channel's keys.
///
/// Opens the database too, if there is one, and asks each channel's platform something harmless.
/// Says cause and cure of what is wrong. May run beside the gateway, which then keeps the database
/// to itself.
///
/// Ends with 0 when everything is right, with 1 when something is not, with 2 when it could not
/// look.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) async fn run(_: Args, config: &Config) -> anyhow::Result<ExitCode> {
    let transport = Arc::new(HttpTransport::new(AddressPolicy::new(&config.webhooks))?);
    let mut report = Report::default();
    good("configuration", "can be read");
    public_url(config);
    declared_channels(config, &*transport, &mut report).await;
    stored_channels(config, transport, &mut report).await?;
    Ok(report.end())
}

async fn declared_channels(config: &Config, transport: &dyn Transport, report: &mut Report) {
    for merchant in &config.merchants {
        for channel in &merchant.channels {
            let name = format!(
                "channel {:?} of {:?}, configuration",
                channel.name, merchant.name
            );
            match declared::diagnose(config, channel, transport).await {
                Ok(diagnosis) => report.diagnosis(&name, &diagnosis),
                Err(error) => report.bad(&name, &error, "correct it in the configuration"),
            }
        }
    }
}

/// Channels that only the database knows: those that are declared have been
/// tried as they will be after the next start.
async fn stored_channels(
    config: &Config,
    transport: Arc<HttpTransport>,
    report: &mut Report,
) -> anyhow::Result<()> {
    if !database(&config.data_dir).exists() {
        good("database", "none yet; the first start makes it");
        return Ok(());
    }
    let dir = match DataDir::open(&config.data_dir) {
        Ok(dir) => dir,
        Err(DataDirError::InUse { owner, .. }) => {
            note(&format!(
                "database: process {owner} is using it; ask that one about the channels it keeps: \
                 POST /v1/channels/{{id}}/check"
            ));
            return Ok(());
        }
        Err(error) => {
            report.bad("database", &error, "see above");
            return Ok(());
        }
    };
    let engine = match gateway::engine(config, &dir, transport).await {
        Ok((engine, _)) => engine,
        Err(error) => {
            report.bad(
                "database",
                &format!("{error:#}"),
                "put the right key or database back",
            );
            return Ok(());
        }
    };
    good("database", "opens, and so do its secrets");
    each_stored(config, &engine, report).await
}

async fn each_stored(config: &Config, engine: &Engine, report: &mut Report) -> anyhow::Result<()> {
    for merchant in engine.store().merchants().await? {
        for account in engine.store().channels(merchant.id).await? {
            if config.declares(&merchant.name, &account.name) {
                continue;
            }
            let name = format!(
                "channel {:?} of {:?}, database",
                account.name, merchant.name
            );
            match engine.check_channel(merchant.id, account.id, None).await {
                Ok(diagnosis) => report.diagnosis(&name, &diagnosis),
                Err(error) => report.bad(&name, &error, "enter the channel's settings again"),
            }
        }
    }
    Ok(())
}

/// Printed line by line, as the platforms answer.
#[derive(Default)]
struct Report {
    wrong: u32,
}

impl Report {
    fn bad(&mut self, what: &str, cause: &dyn std::fmt::Display, cure: &str) {
        self.wrong += 1;
        println!("WRONG  {what}\n       cause: {cause}\n       cure:  {cure}");
    }

    fn diagnosis(&mut self, what: &str, found: &Diagnosis) {
        if found.healthy {
            good(what, &found.cause);
            if !found.cure.is_empty() {
                note(&format!("{what}: {}", found.cure));
            }
        } else {
            self.bad(
                what,
                &format_args!("{} ({})", found.cause, found.code),
                &found.cure,
            );
        }
    }

    fn end(self) -> ExitCode {
        match self.wrong {
            0 => ExitCode::SUCCESS,
            wrong => {
                println!("{wrong} wrong");
                ExitCode::from(1)
            }
        }
    }
}

/// Platforms outside must be able to reach the gateway; a platform on this
/// machine is the simulator.
fn public_url(config: &Config) {
    let url = config.public_url();
    let here = ["//127.", "//localhost", "//[::1]", "//0.0.0.0", "//[::]"];
    let is_here = |url: &str| here.iter().any(|host| url.contains(host));
    let all_here = config
        .platforms
        .values()
        .all(|url| is_here(&url.to_string()));
    if is_here(&url) && (config.platforms.is_empty() || !all_here) {
        note(&format!(
            "public_url: {url} is this machine; platforms elsewhere cannot send their \
             notifications there. Payments are found by asking, only later"
        ));
    } else {
        good("public_url", &url);
    }
}

fn good(what: &str, finding: &str) {
    println!("ok     {what}: {finding}");
}

fn note(finding: &str) {
    println!("note   {finding}");
}
