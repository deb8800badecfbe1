//! Serves the simulated platforms: `cargo run -p tongbao-simulator --example simulate`.
//!
//! `simulate [--listen 127.0.0.1:8100] [--state FILE]`

use std::error::Error;
use std::future::pending;

use tokio::net::TcpListener;
use tongbao_simulator::Platform;
use tongbao_simulator::server::{self, Simulator, system_clock};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut listen, mut state) = (String::from("127.0.0.1:8100"), None);
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().ok_or("every option has a value")?;
        match &*name {
            "--listen" => listen = value,
            "--state" => state = Some(value),
            _ => return Err(format!("no option {name}").into()),
        }
    }
    let seed = system_clock().as_millis().unsigned_abs();
    let simulator = match state {
        Some(path) => Simulator::open(path, seed, system_clock)?,
        None => Simulator::new(Platform::new(seed), system_clock),
    };
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = TcpListener::bind(&listen).await?;
        println!("http://{}", listener.local_addr()?);
        server::serve(listener, simulator, stop()).await?;
        Ok(())
    })
}

async fn stop() {
    if tokio::signal::ctrl_c().await.is_err() {
        pending::<()>().await;
    }
}
