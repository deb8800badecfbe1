//! `tongbao demo`: the gateway, the platforms and a shop in one process.
//!
//! The three speak over HTTP alone, as they would on three machines: the shop is
//! a merchant like any other, and the simulator does not know who asks it.

mod dir;
mod keep;
mod key;
mod ports;
mod settled;
mod shop;
mod welcome;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tongbao_core::channel::Confirm;
use tongbao_engine::Mint;
use tongbao_engine::audit::Keys;
use tongbao_simulator::server::{
    self as simulator, Certificates, ClientCertificate, Simulator, system_clock,
};
use tongbao_simulator::{Account, Platform, Settings};

use self::dir::DemoDir;
use self::ports::Ports;
use self::settled::Settled;
use self::shop::ShopConfig;
use self::welcome::Welcome;
use crate::config::{
    BaseUrl, Config, DeclaredAutoRefund, DeclaredChannel, DeclaredMerchant, DeclaredStore,
    DeclaredTill, Limits, Log, Webhooks,
};
use crate::data_dir::database;
use crate::gateway::{Gateway, Listeners};
use crate::seams::{OsMint, stopwatch};
use crate::secret::Secret;
use crate::{audit, master_key, server};

/// Starts the gateway, the simulated platforms and a small shop, all on this machine, and prints
/// where they are.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tongbao demo
  tongbao demo --data-dir ./demo      keeps orders and payments for the next time
  tongbao demo --port-base 18080      when 8080, 8090 or 8100 is taken")]
pub(crate) struct Args {
    /// Keeps everything here and goes on with it the next time; without it, a fresh directory that
    /// is removed at the end.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    ports: Ports,
}

/// What goes wrong, and what the shop is told.
const LOG_LEVEL: &str = "warn,tongbao::demo=info";

/// What the payer reads on the checkout page, and on the phone.
const MERCHANT: &str = "通宝茶铺";

/// Beside the shop on the web, two with a counter and a till: neither till sees
/// what the other one's store takes.
const STORES: [&str; 2] = ["西湖店", "断桥店"];
const TILL: &str = "1 号收银台";

/// Runs until `stop`.
pub(crate) async fn run(args: Args, stop: CancellationToken) -> anyhow::Result<ExitCode> {
    let began = stopwatch();
    let listeners = args.ports.take().await?;
    let urls = Urls {
        gateway: url(&listeners.gateway)?,
        shop: url(&listeners.shop)?,
        simulator: url(&listeners.simulator)?,
    };
    let dir = DemoDir::open(args.data_dir)?;
    let api_key = key::api_key(&dir.shop())?;
    let till_keys = key::till_keys(&dir.shop())?;
    let simulator = open_simulator(&dir, &urls.simulator)?;
    let certificate = certificate(&simulator)?;
    let config = config(&dir, &urls, &api_key, &till_keys, certificate)?;
    crate::logs::start(&config.log);

    let gateway = Gateway::open(&config).await?;
    let public = Listeners {
        public: listeners.gateway,
        admin: None,
    };
    let tea_shop = async {
        let router = shop::open(ShopConfig {
            public_url: urls.shop.clone(),
            gateway_url: urls.gateway.clone(),
            phone_url: urls.simulator.clone(),
            api_key: api_key.clone(),
            dir: &dir.shop(),
            stop: stop.clone(),
        })
        .await?;
        let welcome = Welcome {
            urls: &urls,
            api_key: &api_key,
            till_keys: &till_keys,
            dir: &dir,
            started_within: stopwatch().saturating_sub(began),
        };
        println!("{welcome}");
        server::serve(listeners.shop, router, Limits::default(), stop.clone()).await;
        anyhow::Ok(())
    };
    let stopped = stop.clone().cancelled_owned();
    let ended = futures::join!(
        until_one_ends(gateway.run(public, stop.clone()), &stop),
        until_one_ends(
            async { Ok(simulator::serve(listeners.simulator, simulator, stopped).await?) },
            &stop
        ),
        until_one_ends(tea_shop, &stop),
    );
    ended.0.context("the gateway")?;
    ended.1.context("the simulator")?;
    ended.2.context("the shop")?;
    let settled = settled(&config)?;
    // Nobody reading any more is no error.
    let _ = writeln!(std::io::stdout(), "\n{settled}");
    Ok(if settled.is_sound() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// The last word: whether all the clicking and all the faults left anything that
/// does not add up.
fn settled(config: &Config) -> anyhow::Result<Settled> {
    let keys = match master_key::find(config)? {
        Some(key) => Keys::Master(key),
        None => Keys::None,
    };
    let report = audit::look(&database(&config.data_dir), &keys)?;
    Ok(Settled { report })
}

/// Where each of the three is reached; no slash at the end.
struct Urls {
    gateway: String,
    shop: String,
    simulator: String,
}

fn url(listener: &TcpListener) -> anyhow::Result<String> {
    Ok(format!("http://{}", listener.local_addr()?))
}

/// One of three is no demo: when one ends, the others do.
async fn until_one_ends(
    program: impl Future<Output = anyhow::Result<()>>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let ended = program.await;
    stop.cancel();
    ended
}

/// What an operator would write into `tongbao.toml`. No file and no variable
/// changes it: a demo must not touch anything real.
fn config(
    dir: &DemoDir,
    urls: &Urls,
    api_key: &Secret,
    till_keys: &[Secret; STORES.len()],
    certificate: ClientCertificate,
) -> anyhow::Result<Config> {
    let base_url = |url: &str| {
        url.parse::<BaseUrl>()
            .map_err(|error| anyhow!("{url} {error}"))
    };
    let account = Account::ready_made();
    let settings = [
        ("app_id", account.app_id),
        ("mch_id", account.mch_id),
        ("api_v2_key", account.api_v2_key.0),
        // The simulator closes at once, and who tries a demo does not wait.
        ("close_after_secs", "0".to_owned()),
        ("app_secret", account.app_secret.0),
        ("app_kind", "official_account".to_owned()),
        ("client_certificate", certificate.certificate_pem),
        ("client_key", certificate.key_pem),
    ];
    let defaults = Config::default();
    Ok(Config {
        public_url: Some(base_url(&urls.gateway)?),
        data_dir: dir.gateway(),
        platforms: ["wechat_pay", "wechat_api", "wechat_open"]
            .into_iter()
            .map(|site| Ok((site.to_owned(), base_url(&urls.simulator)?)))
            .collect::<anyhow::Result<_>>()?,
        // The shop is on this machine.
        webhooks: Webhooks {
            allow_networks: ["127.0.0.0/8".parse()?].into_iter().collect(),
            allow_http: true,
        },
        log: Log {
            level: LOG_LEVEL
                .to_owned()
                .try_into()
                .map_err(|error| anyhow!("{LOG_LEVEL} {error}"))?,
            ..defaults.log
        },
        merchants: vec![DeclaredMerchant {
            name: MERCHANT.to_owned(),
            api_key: Some(api_key.clone()),
            api_key_file: None,
            stores: STORES
                .iter()
                .zip(till_keys)
                .map(|(name, key)| store(name, key))
                .collect(),
            accept_late: None,
            // What is paid twice goes back while one looks.
            auto_refund: DeclaredAutoRefund {
                enabled: Some(true),
                ..DeclaredAutoRefund::default()
            },
            channels: vec![DeclaredChannel {
                kind: "wechat_v2".to_owned(),
                name: "微信支付（模拟）".to_owned(),
                enabled: true,
                confirm: Confirm::default(),
                settings: settings
                    .map(|(name, value)| (name.to_owned(), Secret::new(value)))
                    .into(),
            }],
        }],
        ..defaults
    })
}

/// What refunds and reverses are asked for with.
fn certificate(simulator: &Simulator) -> anyhow::Result<ClientCertificate> {
    let made = Certificates::make(simulator, &[])?;
    let own = made.of(&Account::ready_made().mch_id).cloned();
    own.context("the simulator has no certificate for the ready-made account")
}

fn store(name: &str, till_key: &Secret) -> DeclaredStore {
    DeclaredStore {
        name: name.to_owned(),
        tills: vec![DeclaredTill {
            name: TILL.to_owned(),
            key: Some(till_key.clone()),
            key_file: None,
        }],
    }
}

/// The platforms, where the ready-made account belongs to the shop, and browsers that are sent to
/// the wallet come to the phone.
fn open_simulator(dir: &DemoDir, url: &str) -> anyhow::Result<Simulator> {
    let mut seed = [0; 8];
    OsMint::default().fill(&mut seed);
    let seed = u64::from_be_bytes(seed);
    let simulator = match dir.simulator() {
        Some(file) => Simulator::open(file, seed, system_clock)?,
        None => Simulator::new(Platform::new(seed), system_clock),
    };
    simulator.act(|platform, _| {
        let ready_made = Account::ready_made();
        let known = platform.truth().accounts.get(&ready_made.mch_id).cloned();
        platform.add_account(Account {
            name: MERCHANT.to_owned(),
            ..known.unwrap_or(ready_made)
        });
        platform.set_settings(Settings {
            public_url: Some(url.trim_end_matches('/').to_owned()),
            ..platform.settings().clone()
        });
    });
    Ok(simulator)
}
