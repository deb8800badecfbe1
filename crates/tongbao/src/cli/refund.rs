//! `tongbao refund PAYMENT AMOUNT`

use std::process::ExitCode;
use std::time::Duration;

use tongbao_engine::{Clock, Mint};

use super::api::{Api, NewRefund, Refund};
use super::gateway::GatewayArgs;
use crate::seams::{OsMint, SystemClock};
use crate::yuan::Yuan;

/// Asks a running gateway to refund a payment, and waits for what becomes of it.
///
/// Ends with 0 when the payer has the money, with 1 when the refund was closed, with 2 when
/// something went wrong, with 3 when it is still under way: to a card it takes days. The gateway
/// goes on asking; the same command with the same --refund-no shows how it stands, and never pays
/// back twice.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  TONGBAO_API_KEY=sk_… tongbao refund pay_01kb2v7q4w8z3n5m6r7t9x1c2d 12.34
  tongbao refund pay_01kb2v7q4w8z3n5m6r7t9x1c2d 0.01 --reason 'One bowl less' --refund-no R-7")]
pub(super) struct Args {
    /// The payment, pay_…
    payment: String,
    /// Yuan, such as 12.34.
    amount: Yuan,
    #[command(flatten)]
    gateway: GatewayArgs,
    /// What the payer reads.
    #[arg(long)]
    reason: Option<String>,
    /// Your number for the refund; a new one is made without it.
    #[arg(long, value_name = "NUMBER")]
    refund_no: Option<String>,
    /// How long to wait for the end.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    wait: u64,
}

/// Between two looks at the refund.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Still under way when we stopped looking.
const UNDER_WAY: u8 = 3;

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let stop = super::stop::on_signal()?;
    let api = Api::new(&args.gateway)?;
    // In a path it must stay one segment.
    let payment: tongbao_core::PaymentId = args.payment.parse()?;
    let number = args.refund_no.unwrap_or_else(refund_no);
    let mut refund = api
        .refund(
            &payment.to_string(),
            &NewRefund {
                merchant_refund_no: &number,
                amount: args.amount.0.minor(),
                reason: args.reason.as_deref(),
            },
        )
        .await?;
    println!("{}  {number}  {}", args.amount.0, refund.id);
    let ends = SystemClock.now() + Duration::from_secs(args.wait);
    let watch = async {
        while !refund.is_over() && SystemClock.now() < ends {
            SystemClock.sleep(LOOK_EVERY).await;
            refund = api.look_at_refund(&refund.id).await?;
        }
        anyhow::Ok(())
    };
    if let Some(watched) = stop.run_until_cancelled(watch).await {
        watched?;
    }
    Ok(told(&refund))
}

fn told(refund: &Refund) -> ExitCode {
    println!("{}", refund.state);
    if let Some(failure) = &refund.failure {
        println!("{}", failure.detail);
    }
    match refund.state.as_str() {
        "succeeded" => ExitCode::SUCCESS,
        "closed" => ExitCode::from(1),
        _ => ExitCode::from(UNDER_WAY),
    }
}

fn refund_no() -> String {
    let mut bytes = [0; 8];
    OsMint::default().fill(&mut bytes);
    format!("cli-{:016x}", u64::from_be_bytes(bytes))
}
