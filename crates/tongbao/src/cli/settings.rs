//! `tongbao merchant settings`

use std::process::ExitCode;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tongbao_core::Money;

use super::api::Api;
use super::gateway::GatewayArgs;
use crate::yuan::Yuan;

/// Shows and changes what a merchant decided for all payments, at a running gateway.
///
/// What is given is changed and the rest stays, whoever changes it at the same time. It holds
/// from the next decision on; what the configuration sets comes back with the next start.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  TONGBAO_API_KEY=sk_… tongbao merchant settings
  tongbao merchant settings --auto-refund on --per-case 200 --per-day 2000
  tongbao merchant settings --auto-refund off        a person decides on every case")]
pub(super) struct Args {
    #[command(flatten)]
    gateway: GatewayArgs,
    /// Whether a payment that comes after the close is kept, and paid.
    #[arg(long, value_name = "on|off", hide_possible_values = true)]
    accept_late: Option<Switch>,
    /// Whether money of cases goes back without a person.
    #[arg(long, value_name = "on|off", hide_possible_values = true)]
    auto_refund: Option<Switch>,
    /// At most so much of one case, in yuan.
    #[arg(long, value_name = "YUAN")]
    per_case: Option<Yuan>,
    /// At most so much in one day of China, in yuan.
    #[arg(long, value_name = "YUAN")]
    per_day: Option<Yuan>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// What we read of a merchant, and what is to change of it.
#[derive(Deserialize)]
struct Merchant {
    id: String,
    name: String,
    accept_late: bool,
    auto_refund: AutoRefund,
}

#[derive(Deserialize)]
struct AutoRefund {
    enabled: bool,
    per_case: i64,
    per_day: i64,
}

#[derive(Serialize)]
struct Patch {
    #[serde(skip_serializing_if = "Option::is_none")]
    accept_late: Option<bool>,
    auto_refund: AutoRefundPatch,
}

#[derive(Serialize)]
struct AutoRefundPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_case: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_day: Option<i64>,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let api = Api::new(&args.gateway)?;
    let on = |switch: Option<Switch>| switch.map(|switch| matches!(switch, Switch::On));
    let fen = |amount: Option<Yuan>| amount.map(|yuan| yuan.0.minor());
    let patch = Patch {
        accept_late: on(args.accept_late),
        auto_refund: AutoRefundPatch {
            enabled: on(args.auto_refund),
            per_case: fen(args.per_case),
            per_day: fen(args.per_day),
        },
    };
    // Nothing given, nothing changed.
    show(&api.change("/v1/merchant", &patch).await?);
    Ok(ExitCode::SUCCESS)
}

fn show(merchant: &Merchant) {
    let word = |on| if on { "on" } else { "off" };
    let AutoRefund {
        enabled,
        per_case,
        per_day,
    } = merchant.auto_refund;
    println!("{}  {}", merchant.id, merchant.name);
    println!("accept late  {}", word(merchant.accept_late));
    println!("auto refund  {}", word(enabled));
    println!("per case     {}", Money::fen(per_case));
    println!("per day      {}", Money::fen(per_day));
}
