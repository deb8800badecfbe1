//! Three addresses on this machine.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::anyhow;
use tokio::net::TcpListener;

/// Where the three programs listen. Only this machine reaches them: the
/// simulator's keys are public.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Ports {
    /// The gateway takes this port, the shop the 10th after it, the simulator
    /// the 20th.
    #[arg(long, value_name = "PORT", default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..=65_515))]
    port_base: u16,
    /// The gateway's port; 0 takes a free one.
    #[arg(long, value_name = "PORT")]
    gateway_port: Option<u16>,
    /// The shop's port; 0 takes a free one.
    #[arg(long, value_name = "PORT")]
    shop_port: Option<u16>,
    /// The simulator's port; 0 takes a free one.
    #[arg(long, value_name = "PORT")]
    simulator_port: Option<u16>,
}

/// Taken before anything else begins.
pub(super) struct Listeners {
    pub(super) gateway: TcpListener,
    pub(super) shop: TcpListener,
    pub(super) simulator: TcpListener,
}

impl Ports {
    pub(super) async fn take(self) -> anyhow::Result<Listeners> {
        let base = self.port_base;
        Ok(Listeners {
            gateway: take("gateway", self.gateway_port.unwrap_or(base)).await?,
            shop: take("shop", self.shop_port.unwrap_or(base + 10)).await?,
            simulator: take("simulator", self.simulator_port.unwrap_or(base + 20)).await?,
        })
    }
}

async fn take(name: &str, port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.map_err(|error| {
        anyhow!(
            "the {name} cannot listen on {address}: {error}. Stop the program that has the port, \
             or use others: --port-base 18080, or --{name}-port {}",
            port.checked_add(1_000).unwrap_or(0)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(base: u16, gateway: Option<u16>) -> Ports {
        Ports {
            port_base: base,
            gateway_port: gateway,
            shop_port: Some(0),
            simulator_port: Some(0),
        }
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_named_with_the_way_out() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = ports(port, None).take().await.err().unwrap().to_string();
        assert!(error.contains(&format!("127.0.0.1:{port}")), "{error}");
        assert!(error.contains("--gateway-port"), "{error}");
        assert!(ports(port, Some(0)).take().await.is_ok());
    }
}
