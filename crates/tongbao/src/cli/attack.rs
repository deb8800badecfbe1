//! `tongbao attack`

mod address;
mod report;
mod sender;

use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tongbao_engine::Clock;

use self::report::Report;
use self::sender::{Answer, Sender};
use crate::attack::{Account, Algorithm, Forgery, Must, Target, forgeries};
use crate::seams::SystemClock;
use crate::secret::Secret;

/// Sends forged notifications of WeChat Pay v2 to a gateway, and says which it believed.
///
/// Hundreds of messages that no gateway may believe: signed with no key or another, with fields
/// that come twice, with entities, re-split, in other grammars. One that is answered with SUCCESS
/// is a hole, or close to one. Needs the account's key, because most holes are behind a good
/// signature: use a test account, and an order that is placed and not paid. The order must still
/// be unpaid afterwards; look there too.
///
/// Goes to private addresses only, unless the gateway is said to be yours.
///
/// Ends with 0 when every message was refused, with 1 when one was answered with success, with 2
/// when it could not be tried.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  TONGBAO_ATTACK_KEY=… tongbao attack http://127.0.0.1:8080/notify/chn_… \\
      --app-id wx0123456789abcdef --mch-id 1900000109 --order-no T20261121 --amount-fen 1
  tongbao attack http://127.0.0.1:9000/notify … --only A8 --only A14
  tongbao attack … --list                  prints the messages' numbers and what they are")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch")]
pub(super) struct Args {
    /// Where the gateway takes the platform's notifications.
    #[arg(value_name = "NOTIFY_URL")]
    url: String,
    /// The application's id.
    #[arg(long, value_name = "wx…")]
    app_id: String,
    /// The merchant's number.
    #[arg(long, value_name = "NUMBER")]
    mch_id: String,
    /// The account's API v2 key. Others on this machine can read it on the command line, so
    /// better set the variable.
    #[arg(
        long,
        env = "TONGBAO_ATTACK_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    key: Secret,
    /// What the account's orders are signed with.
    #[arg(long, value_enum, default_value = "HMAC-SHA256")]
    sign_type: Algorithm,
    /// The platform's number (`out_trade_no`) of an order that is placed and not paid.
    #[arg(long, value_name = "NUMBER", value_parser = order_no)]
    order_no: String,
    /// What was asked for it.
    #[arg(long, value_name = "FEN", value_parser = clap::value_parser!(u64).range(1..=10_000_000_000))]
    amount_fen: u64,
    /// Only messages of this attack, such as A8; may be given several times.
    #[arg(long, value_name = "ATTACK")]
    only: Vec<String>,
    /// Also messages that are signed with the right key and say something else than was asked, as
    /// somebody can who has leaked the key: a gateway may open cases or refunds because of them.
    #[arg(long)]
    leaked_key: bool,
    /// So many messages a second.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    per_second: u32,
    /// The gateway at a public address is mine.
    #[arg(long)]
    i_own_this_gateway: bool,
    /// Print the messages' numbers and what they are, and send nothing.
    #[arg(long)]
    list: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// A gateway that has fallen over is not kicked on.
const SILENCE: u32 = 10;

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let rows = args.rows();
    anyhow::ensure!(
        !rows.is_empty(),
        "no message has such a number; --list shows all"
    );
    if args.list {
        for row in rows {
            println!("{:<7} {:<7} {}", row.id, word(row.must), row.what);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let sender = Sender::new(&args.url, args.i_own_this_gateway).await?;
    let stop = super::stop::on_signal()?;
    let bar = progress(rows.len() as u64);
    let mut report = Report::default();
    let sent = stop
        .run_until_cancelled(send_all(&args, &sender, &rows, &mut report, &bar))
        .await;
    bar.finish_and_clear();
    sent.unwrap_or(Ok(()))?;
    report.print(rows.len(), &args.order_no, args.json)?;
    Ok(report.end())
}

impl Args {
    fn rows(&self) -> Vec<Forgery> {
        let mut rows = forgeries(&Target {
            account: Account {
                app_id: self.app_id.clone(),
                mch_id: self.mch_id.clone(),
                key: self.key.clone(),
            },
            algorithm: self.sign_type,
            out_trade_no: self.order_no.clone(),
            amount_fen: self.amount_fen,
        });
        let asked = |row: &Forgery| {
            let mut only = self.only.iter();
            self.only.is_empty() || only.any(|asked| asked == row.attack() || *asked == row.id)
        };
        rows.retain(|row| asked(row) && (self.leaked_key || row.must != Must::Case));
        rows
    }
}

/// One after the other: a gateway under test need not be a fast one.
async fn send_all(
    args: &Args,
    sender: &Sender,
    rows: &[Forgery],
    report: &mut Report,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let mut in_a_row = 0;
    for row in rows {
        bar.set_message(row.id.clone());
        let answer = sender.send(row).await?;
        in_a_row = match &answer {
            Answer::Nothing => in_a_row + 1,
            Answer::Said { .. } => 0,
        };
        report.add(row, answer);
        anyhow::ensure!(
            in_a_row < SILENCE,
            "no answer to {SILENCE} messages in a row, {} the last: the gateway is gone",
            row.id
        );
        bar.inc(1);
        SystemClock
            .sleep(Duration::from_secs(1) / args.per_second)
            .await;
    }
    Ok(())
}

fn word(must: Must) -> &'static str {
    match must {
        Must::Refuse => "refuse",
        Must::Ask => "ask",
        Must::Case => "case",
    }
}

/// The messages are made of it, so it must be one.
fn order_no(text: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-|*@".contains(&b);
    if (6..=32).contains(&text.len()) && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("is not 6 to 32 of the characters A-Z a-z 0-9 _ - | * @".to_owned())
    }
}

fn progress(messages: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(messages).with_style(style)
}
