//! The platform that the gateway orders at: the simulator, in this process.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread;

use anyhow::Context;
use tongbao_simulator::server::{Simulator, router, system_clock};
use tongbao_simulator::{Account, Delivered, Platform, Target};

use super::http::request;

/// Alice's, in the simulator's books.
const PASSWORD: &str = "123456";

/// What a merchant answers.
const HEARD: &[u8] = b"<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>";

/// WeChat Pay, played. It sends nothing by itself: notifications are taken out
/// and sent when they are to be measured.
pub(super) struct Channel {
    simulator: Simulator,
    pub(super) account: Account,
    pub(super) address: SocketAddr,
}

impl Channel {
    /// Serves from a thread of its own until the program ends.
    pub(super) fn open() -> anyhow::Result<Self> {
        let simulator = Simulator::new(Platform::new(1), system_clock);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = runtime.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let routes = router(simulator.clone());
        thread::Builder::new()
            .name("platform".to_owned())
            .spawn(move || runtime.block_on(async { axum::serve(listener, routes).await }))?;
        Ok(Self {
            simulator,
            account: Account::ready_made(),
            address,
        })
    }

    /// Alice pays the order, and the platform's message about it is handed out
    /// as the request that it would have sent.
    pub(super) fn paid(&self, out_trade_no: &str) -> anyhow::Result<Vec<u8>> {
        let outgoing = self.simulator.act(|platform, now| {
            let trade = platform.truth().trade(&self.account.mch_id, out_trade_no);
            let code = trade
                .and_then(|trade| trade.code_url().map(str::to_owned))
                .with_context(|| format!("the platform does not have order {out_trade_no}"))?;
            platform.pay(now, "alice", &Target::CodeUrl(code), Some(PASSWORD))?;
            let outgoing = platform.fire(now);
            for told in &outgoing {
                // It is told once, by us, and not repeated by the platform.
                let body = bytes::Bytes::from_static(HEARD);
                platform.answered(now, told.id, Delivered::Http { status: 200, body });
            }
            anyhow::Ok(outgoing)
        })?;
        let [outgoing] = outgoing.as_slice() else {
            anyhow::bail!("{} notifications for one payment", outgoing.len());
        };
        let message = &outgoing.request;
        let headers: Vec<_> = message
            .headers()
            .iter()
            .filter(|(name, _)| !["host", "content-length"].contains(&name.as_str()))
            .map(|(name, value)| Ok((name.as_str(), value.to_str()?)))
            .collect::<anyhow::Result<_>>()?;
        let target = message.uri().path();
        Ok(request(
            message.method().as_str(),
            target,
            &headers,
            message.body(),
        ))
    }
}
