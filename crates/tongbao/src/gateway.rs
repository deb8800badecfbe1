//! A gateway, put together: the same for every command and every test.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use futures::FutureExt;
use futures::future::Either;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tongbao_engine::{Clock, Engine, EngineConfig, NoFaults, Seams, Transport};
use tongbao_store::sqlite::SqliteStore;
use tongbao_web::{App, Options};

use crate::config::{Config, Limits};
use crate::data_dir::DataDir;
use crate::seams::{AddressPolicy, HttpTransport, OsMint, OwnThreads, SystemClock, stopwatch};
use crate::{declared, logs, master_key, server};

/// For jobs and deliveries under way when the gateway is told to stop. What is
/// cut off is taken up again, under its lease, by whoever comes next.
const FINISH_WITHIN: Duration = Duration::from_secs(10);

/// After a panic of the worker, which may come again at once.
const PAUSE: Duration = Duration::from_secs(1);

/// An engine on its database, and the routes that lead to it.
pub struct Gateway {
    engine: Arc<Engine>,
    store: Arc<SqliteStore>,
    app: App,
    limits: Limits,
    /// Let go of last, when the database is closed.
    _dir: DataDir,
}

/// Where a gateway is reached.
pub struct Listeners {
    /// By the world.
    pub public: TcpListener,
    /// By the operator's own machines.
    pub admin: Option<TcpListener>,
}

impl Listeners {
    /// Those of the configuration.
    pub async fn bind(config: &Config) -> anyhow::Result<Self> {
        let bind = async |address| {
            let listener = TcpListener::bind(address).await;
            listener.with_context(|| format!("cannot listen on {address}"))
        };
        let admin = match config.admin_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        Ok(Self {
            public: bind(config.listen).await?,
            admin,
        })
    }
}

/// The engine on the database in `dir`, with nothing declared applied.
pub(crate) async fn engine(
    config: &Config,
    dir: &DataDir,
    transport: Arc<dyn Transport>,
) -> anyhow::Result<(Engine, Arc<SqliteStore>)> {
    let mint = OsMint::default();
    // The key is there before the database: a database without its key is a
    // mistake, and no new key is made for it.
    let kek = master_key::load(config, &mint)?;
    let store = Arc::new(SqliteStore::open(&dir.database())?);
    let seams = Seams {
        clock: Arc::new(SystemClock),
        mint: Arc::new(mint),
        transport,
        store: store.clone(),
        faults: Arc::new(NoFaults),
        labour: Arc::new(OwnThreads),
    };
    let config = EngineConfig {
        public_url: config.public_url(),
        platforms: config.addresses(),
        channel_timeout: config.channel_timeout(),
        patience: config.patience(),
    };
    Ok((Engine::open(seams, kek, config).await?, store))
}

impl Gateway {
    /// Takes the data directory and opens what is in it, making what is not
    /// there yet: master key, database, declared merchants.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let policy = AddressPolicy::new(&config.webhooks);
        let transport = HttpTransport::new(policy).context("no HTTP client")?;
        Self::open_over(config, Arc::new(transport)).await
    }

    /// The same over another network.
    pub async fn open_over(config: &Config, transport: Arc<dyn Transport>) -> anyhow::Result<Self> {
        let dir = DataDir::open(&config.data_dir)?;
        let last_write = dir.last_write();
        let (engine, store) = engine(config, &dir, transport).await?;
        if let Some(at) = last_write {
            engine.database_was_written_at(at).await;
        }
        declared::apply(&engine, &config.merchants).await?;
        let engine = Arc::new(engine);
        let options = Options {
            metrics: Some(logs::metrics()),
            public_metrics: config.admin_listen.is_none(),
            stopwatch: Some(stopwatch),
            ..Options::default()
        };
        let app = App::new(engine.clone(), options);
        Ok(Self {
            engine,
            store,
            app,
            limits: config.limits,
            _dir: dir,
        })
    }

    /// Every use case.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Serves and works until `stop`; then takes nothing new, finishes what it
    /// holds, and closes the database.
    pub async fn run(self, listeners: Listeners, stop: CancellationToken) -> anyhow::Result<()> {
        let app = self.app.clone();
        let end_live_pages = async {
            stop.cancelled().await;
            app.end_live_pages();
        };
        let admin = async {
            if let Some(listener) = listeners.admin {
                let router = tongbao_web::admin_router(self.app.clone());
                server::serve(listener, router, self.limits, stop.clone()).await;
            }
        };
        let public = tongbao_web::router(self.app.clone());
        let (.., database) = futures::join!(
            server::serve(listeners.public, public, self.limits, stop.clone()),
            admin,
            end_live_pages,
            self.work(&stop),
            logs::keep_metrics(&stop),
            self.watch_database(&stop),
        );
        self.close().await;
        database
    }

    /// A gateway that can no longer write is of no use, and a new one is: ends
    /// everything when a bug has stopped the database's writer.
    async fn watch_database(&self, stop: &CancellationToken) -> anyhow::Result<()> {
        let died = std::pin::pin!(self.store.died());
        let stopped = std::pin::pin!(stop.cancelled());
        match futures::future::select(died, stopped).await {
            Either::Left(_) => {
                tracing::error!("the database's writer has died of a bug; the gateway ends");
                stop.cancel();
                bail!("the database's writer has died of a bug, which the log tells; start again")
            }
            Either::Right(_) => Ok(()),
        }
    }

    /// Closes the database. Nothing that was acknowledged waits for this.
    pub async fn close(self) {
        self.store.close().await;
    }

    /// The worker, which must never be missing: a panic in it is a bug in one
    /// job, and the others go on.
    async fn work(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let engine = self.engine.clone();
            let stopped = stop.clone().cancelled_owned();
            #[expect(clippy::disallowed_methods, reason = "only the program spawns")]
            let mut worker = tokio::spawn(async move { engine.run(stopped).await });
            let in_time = async {
                stop.cancelled().await;
                SystemClock.sleep(FINISH_WITHIN).await;
            };
            let mut in_time = std::pin::pin!(in_time.fuse());
            futures::select_biased! {
                ended = (&mut worker).fuse() => match ended {
                    Ok(()) => return,
                    Err(_) => SystemClock.sleep(PAUSE).await,
                },
                () = in_time => {
                    tracing::warn!("some jobs did not end in time; their leases will run out");
                    worker.abort();
                }
            }
        }
    }
}
