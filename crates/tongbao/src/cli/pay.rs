//! `tongbao pay AMOUNT`

mod qr;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tongbao_core::Timestamp;
use tongbao_engine::{Clock, Mint};

use super::api::{Api, NewAttempt, NewPayment, Payment};
use super::gateway::GatewayArgs;
use crate::seams::{OsMint, SystemClock};
use crate::secret::Secret;
use crate::yuan::Yuan;

/// Asks a running gateway for a payment, shows its QR code, and waits until it is paid.
///
/// With --barcode it charges the code that a payer shows.
///
/// Ends with 0 when it is paid, with 1 when it is closed or has expired, with 2 when something
/// went wrong. Ctrl-C closes the payment: nobody can pay it after that. A platform that closes no
/// order so young does it a few minutes later; the command ends with 3 then.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  TONGBAO_API_KEY=sk_… tongbao pay 12.34 --subject 'Two bowls of noodles'
  tongbao pay 12.34 --barcode 134567890123456789
  tongbao pay 0.01 --gateway https://pay.example.com --order-no 2026-1121-7")]
pub(super) struct Args {
    /// Yuan, such as 12.34.
    amount: Yuan,
    #[command(flatten)]
    gateway: GatewayArgs,
    /// The digits that the payer's phone shows at the till. Good for one payment.
    #[arg(long, value_name = "CODE")]
    barcode: Option<Secret>,
    /// What the payer reads.
    #[arg(long, default_value = "tongbao pay")]
    subject: String,
    /// Your number for the order; a new one is made without it.
    #[arg(long, value_name = "NUMBER")]
    order_no: Option<String>,
    /// The name of the channel to use; the gateway chooses without it.
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// How long the payer has.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 300,
        value_parser = clap::value_parser!(u64).range(60..=7_200)
    )]
    expires_in: u64,
}

/// Between two looks at the payment.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Every so many looks the gateway asks the platform: notifications may not
/// reach it.
const ASK_EVERY: u64 = 5;

/// So many looks in a row may stay without an answer.
const PATIENCE: u32 = 30;

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let stop = super::stop::on_signal()?;
    let api = Api::new(&args.gateway)?;
    let ends = SystemClock.now() + Duration::from_secs(args.expires_in);
    let payment = api
        .create(&NewPayment {
            merchant_order_no: args.order_no.unwrap_or_else(order_no),
            amount: args.amount.0.minor(),
            subject: &args.subject,
            expires_in: args.expires_in,
            attempt: NewAttempt {
                scene: if args.barcode.is_some() {
                    "barcode"
                } else {
                    "native"
                },
                channel: args.channel.as_deref(),
                auth_code: args.barcode.as_ref().map(Secret::expose),
            },
        })
        .await?;
    println!(
        "{}  {}  {}",
        args.amount.0, args.subject, payment.merchant_order_no
    );
    println!("{}", payment.checkout_url);

    let id = payment.id.clone();
    let bar = progress(args.expires_in);
    let at_a_till = args.barcode.is_some();
    let watched = stop
        .run_until_cancelled(watch(&api, payment, ends, at_a_till, &bar))
        .await;
    bar.finish_and_clear();
    let payment = match watched {
        Some(payment) => payment?,
        None => api.close(&id).await?,
    };
    let payment = match payment.code_is_over().filter(|_| !payment.is_over()) {
        Some(why) => {
            println!("{why}");
            api.close(&id).await?
        }
        None => payment,
    };
    Ok(told(&payment))
}

/// Shows the code as soon as there is one, and looks until the payment is over.
async fn watch(
    api: &Api,
    mut payment: Payment,
    ends: Timestamp,
    at_a_till: bool,
    bar: &ProgressBar,
) -> anyhow::Result<Payment> {
    let mut shown = false;
    let mut unanswered = 0;
    for look in 1.. {
        if payment.is_over() || (at_a_till && payment.code_is_over().is_some()) {
            break;
        }
        if let Some(code_url) = payment.code_url().filter(|_| !shown) {
            let drawn = qr::draw(code_url, std::io::stdout().is_terminal())?;
            bar.suspend(|| println!("\n{drawn}\n"));
            shown = true;
        } else if let Some(detail) = payment.failure() {
            anyhow::bail!("the channel takes no such payment: {detail}");
        }
        bar.set_position(ends.since(SystemClock.now()).as_secs());
        SystemClock.sleep(LOOK_EVERY).await;
        match api.look(&payment.id, look % ASK_EVERY == 0).await {
            Ok(seen) => (payment, unanswered) = (seen, 0),
            // The gateway may be restarting; the payment is safe with it.
            Err(error) if unanswered >= PATIENCE => return Err(error),
            Err(_) => unanswered += 1,
        }
    }
    Ok(payment)
}

fn progress(secs: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("waiting for the payer {bar:30} {pos} s left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(secs).with_style(style);
    bar.set_position(secs);
    bar
}

/// The gateway knows whether the money came; we only say so.
fn told(payment: &Payment) -> ExitCode {
    if payment.state == "paid" {
        println!("paid  {}", payment.id);
        ExitCode::SUCCESS
    } else if payment.state == "pending" {
        println!("to be closed as soon as the platform does it; until then it can be paid");
        println!("pending  {}", payment.id);
        ExitCode::from(3)
    } else {
        println!("{}, not paid  {}", payment.state, payment.id);
        ExitCode::from(1)
    }
}

fn order_no() -> String {
    let mut bytes = [0; 8];
    OsMint::default().fill(&mut bytes);
    format!("cli-{:016x}", u64::from_be_bytes(bytes))
}
