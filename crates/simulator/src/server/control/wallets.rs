//! `/_sim/wallets`: people, and what they do.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json as Answer, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tongbao_wire::wechat_openid::ParamError;
use tongbao_wire::wechat_openid::authorize::Authorize;

use crate::server::Simulator;
use crate::server::problem::{InPath, Json, Problem};
use crate::{
    Account, Opening, Prompt, Receipt, Refusal, Reply, Target, Wallet, WalletPlatform, WalletStatus,
};

/// What a new person has unless said otherwise: ¥10,000.
const USUAL_BALANCE: u64 = 1_000_000;
const USUAL_PASSWORD: &str = "123456";

pub(super) fn router() -> Router<Simulator> {
    Router::new()
        .route("/wallets", get(list).post(create))
        .route("/wallets/{id}", get(read).patch(change))
        .route("/wallets/{id}/scan", post(scan))
        .route("/wallets/{id}/open", post(open))
        .route("/wallets/{id}/login_code", post(login_code))
        .route("/wallets/{id}/authorize", post(authorize))
        .route("/wallets/{id}/pay", post(pay))
        .route("/wallets/{id}/cancel", post(cancel))
        .route("/wallets/{id}/auth_code", post(auth_code))
        .route("/wallets/{id}/prompts", get(prompts))
        .route("/wallets/{id}/confirm", post(confirm))
}

/// `balance` in fen.
#[derive(Serialize)]
struct WalletView {
    id: String,
    platform: WalletPlatform,
    openid: String,
    balance: u64,
    password: String,
    /// `open`, `card_closed` (refunds do not arrive) or `closed`.
    status: WalletStatus,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    status: WalletStatus,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewWallet {
    id: String,
    platform: WalletPlatform,
    openid: Option<String>,
    balance: Option<u64>,
    password: Option<String>,
}

/// What the phone is held at: one of the two.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct At {
    code_url: Option<String>,
    prepay_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payment {
    code_url: Option<String>,
    prepay_id: Option<String>,
    password: Option<String>,
}

/// What opens the wallet: one of the four.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Handed {
    prepay_id: Option<String>,
    /// What a page or a mini-program hands over; its `paySign` is checked.
    jsapi: Option<Value>,
    /// What an app hands over; its `sign` is checked.
    app: Option<Value>,
    /// Where a mobile browser was sent.
    mweb_url: Option<String>,
}

/// What the person sees, and how it is paid.
#[derive(Serialize)]
struct OpenedView {
    #[serde(flatten)]
    prompt: PromptView,
    /// For `/pay`.
    prepay_id: String,
    /// Where the browser goes afterwards.
    redirect_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForApp {
    /// The ready-made account's without it.
    app_id: Option<String>,
}

/// The address that a page sends the browser to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    url: String,
}

/// The answer to a prompt that a code payment raised.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    accept: bool,
    /// What is typed; the right one without it.
    password: Option<String>,
    /// Which prompt; the oldest without it.
    out_trade_no: Option<String>,
}

#[derive(Serialize)]
struct Confirmed {
    accepted: bool,
    receipt: Option<ReceiptView>,
}

/// The 18 digits at the till.
#[derive(Serialize)]
struct CodeView {
    auth_code: String,
    /// By the clock outside.
    expires_at: String,
}

/// What the person sees. `amount` in fen.
#[derive(Serialize)]
struct PromptView {
    payee: String,
    subject: String,
    amount: u64,
    currency: &'static str,
    password_required: bool,
    out_trade_no: String,
    trade_type: String,
}

/// `amount` and `balance` in fen.
#[derive(Serialize)]
struct ReceiptView {
    payee: String,
    subject: String,
    amount: u64,
    currency: &'static str,
    out_trade_no: String,
    transaction_id: String,
    paid_at: String,
    balance: u64,
}

async fn list(State(simulator): State<Simulator>) -> Answer<Vec<WalletView>> {
    Answer(simulator.look(|platform, _| {
        let wallets = platform.truth().wallets;
        wallets.values().map(WalletView::from).collect()
    }))
}

async fn read(
    State(simulator): State<Simulator>,
    InPath(id): InPath<String>,
) -> Result<Answer<WalletView>, Problem> {
    let found = simulator.look(|platform, _| platform.truth().wallets.get(&id).cloned());
    let wallet = found.ok_or(Refusal::UnknownWallet(id))?;
    Ok(Answer(WalletView::from(&wallet)))
}

async fn change(
    State(simulator): State<Simulator>,
    InPath(id): InPath<String>,
    Json(change): Json<Change>,
) -> Result<Answer<WalletView>, Problem> {
    simulator.act(|platform, _| platform.set_wallet_status(&id, change.status))?;
    read(State(simulator), InPath(id)).await
}

async fn create(
    State(simulator): State<Simulator>,
    Json(new): Json<NewWallet>,
) -> Result<(StatusCode, Answer<WalletView>), Problem> {
    simulator.act(|platform, _| {
        let openid = new
            .openid
            .unwrap_or_else(|| platform.fresh_openid(new.platform));
        let wallet = Wallet::new(
            &new.id,
            new.platform,
            &openid,
            new.balance.unwrap_or(USUAL_BALANCE),
            new.password.as_deref().unwrap_or(USUAL_PASSWORD),
        )?;
        let wallet = platform.add_wallet(wallet)?;
        Ok((StatusCode::CREATED, Answer(WalletView::from(wallet))))
    })
}

async fn scan(
    State(simulator): State<Simulator>,
    InPath(id): InPath<String>,
    Json(at): Json<At>,
) -> Result<Answer<PromptView>, Problem> {
    let target = target(at.code_url, at.prepay_id)?;
    let prompt = simulator.act(|platform, now| platform.scan(now, &id, &target))?;
    Ok(Answer(prompt.into()))
}

async fn open(
    State(simulator): State<Simulator>,
    InPath(id): InPath<String>,
    Json(handed): Json<Handed>,
) -> Result<Answer<OpenedView>, Problem> {
    let opening = match handed {
        Handed {
            prepay_id: Some(prepay_id),
            jsapi: None,
            app: None,
            mweb_url: None,
        } => Opening::Bare(Target::PrepayId(prepay_id)),
        Handed {
            prepay_id: None,
            jsapi: Some(call),
            app: None,
            mweb_url: None,
        } => Opening::Jsapi {
            json: call.to_string(),
        },
        Handed {
            prepay_id: None,
            jsapi: None,
            app: Some(call),
            mweb_url: None,
        } => Opening::App {
            json: call.to_string(),
        },
        Handed {
            prepay_id: None,
            jsapi: None,
            app: None,
            mweb_url: Some(url),
        } => Opening::MwebUrl(url),
        _ => {
            return Err(Problem::invalid(
                "give one of `prepay_id`, `jsapi`, `app` and `mweb_url`",
            ));
        }
    };
    simulator.act(|platform, now| {
        let opened = platform.open(now, &opening)?;
        let prompt = platform.scan(now, &id, &opened.target)?;
        let (Target::PrepayId(prepay_id) | Target::CodeUrl(prepay_id)) = opened.target;
        Ok(Answer(OpenedView {
            prompt: prompt.into(),
            prepay_id,
            redirect_url: opened.redirect_url,
        }))
    })
}

async fn login_code(
    State(simulator): State<Simulator>,
    InPath(id): InPath<String>,
    Json(asked): Json<ForApp>,
) -> Result<Answer<Value>, Problem> {
    let app_id = asked.app_id;
    let app_id = app_id.unwrap_or_else(|| Account::ready_made().app_id);
    let code = simulator.act(|platform, now| platform.login_code(now, &id, &app_id))?;
    Ok(Answer(json!({ "code": code })))
}

/// What a browser inside WeChat does with the address: the code is in the answer's.
async fn authorize(
    State(simulator): State<Simulator>,
    InPath(id): InPath<String>,
    Json(page): Json<Page>,
) -> Result<Answer<Value>, Problem> {
    let invalid = |error: ParamError| Problem::invalid(format!("url: {error}"));
    let asked = Authorize::from_url(&page.url).map_err(invalid)?;
    let back = simulator.act(|platform, now| platform.authorize(now, &id, &asked))?;
    Ok(Answer(json!({ "redirect_url": back })))
}

async fn pay(
    State(simulator): State<Simulator>,
    InPath(id): InPath<String>,
    Json(payment): Json<Payment>,
) -> Result<Answer<ReceiptView>, Problem> {
    let target = target(payment.code_url, payment.prepay_id)?;
    let password = payment.password.as_deref();
    let receipt = simulator.act(|platform, now| platform.pay(now, &id, &target, password))?;
    Ok(Answer(receipt.into()))
}

async fn cancel(
    State(simulator): State<Simulator>,
    InPath(id): InPath<String>,
    Json(at): Json<At>,
) -> Result<StatusCode, Problem> {
    let target = target(at.code_url, at.prepay_id)?;
    simulator.act(|platform, now| platform.cancel(now, &id, &target))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn auth_code(
    State(simulator): State<Simulator>,
    InPath(id): InPath<String>,
) -> Result<Answer<CodeView>, Problem> {
    simulator.act(|platform, now| {
        let code = platform.auth_code(now, &id)?;
        let expires = platform.moment(now).on_wall(code.until_inside);
        Ok(Answer(CodeView {
            auth_code: code.digits,
            expires_at: expires.to_string(),
        }))
    })
}

async fn prompts(
    State(simulator): State<Simulator>,
    InPath(id): InPath<String>,
) -> Result<Answer<Vec<PromptView>>, Problem> {
    simulator.look(|platform, _| {
        if !platform.truth().wallets.contains_key(&id) {
            return Err(Refusal::UnknownWallet(id).into());
        }
        let prompts = platform.prompts(&id).into_iter();
        Ok(Answer(prompts.map(PromptView::from).collect()))
    })
}

async fn confirm(
    State(simulator): State<Simulator>,
    InPath(id): InPath<String>,
    Json(said): Json<Confirmation>,
) -> Result<Answer<Confirmed>, Problem> {
    let reply = if said.accept {
        let password = said.password.as_deref();
        Reply::Accept { password }
    } else {
        Reply::Decline
    };
    let number = said.out_trade_no.as_deref();
    let receipt = simulator.act(|platform, now| platform.confirm(now, &id, number, reply))?;
    Ok(Answer(Confirmed {
        accepted: receipt.is_some(),
        receipt: receipt.map(ReceiptView::from),
    }))
}

fn target(code_url: Option<String>, prepay_id: Option<String>) -> Result<Target, Problem> {
    match (code_url, prepay_id) {
        (Some(code_url), None) => Ok(Target::CodeUrl(code_url)),
        (None, Some(prepay_id)) => Ok(Target::PrepayId(prepay_id)),
        (Some(_), Some(_)) | (None, None) => Err(Problem::invalid(
            "give either `code_url`, the text of a QR code, or `prepay_id`",
        )),
    }
}

impl From<&Wallet> for WalletView {
    fn from(wallet: &Wallet) -> Self {
        Self {
            id: wallet.id.clone(),
            platform: wallet.platform,
            openid: wallet.openid.clone(),
            balance: wallet.balance_fen,
            password: wallet.password.clone(),
            status: wallet.status,
        }
    }
}

impl From<Prompt> for PromptView {
    fn from(prompt: Prompt) -> Self {
        Self {
            payee: prompt.payee,
            subject: prompt.subject,
            amount: prompt.amount_fen,
            currency: "CNY",
            password_required: prompt.password_required,
            out_trade_no: prompt.out_trade_no,
            trade_type: prompt.trade_type.to_string(),
        }
    }
}

impl From<Receipt> for ReceiptView {
    fn from(receipt: Receipt) -> Self {
        Self {
            payee: receipt.payee,
            subject: receipt.subject,
            amount: receipt.amount_fen,
            currency: "CNY",
            out_trade_no: receipt.out_trade_no,
            transaction_id: receipt.transaction_id,
            paid_at: receipt.paid_at.to_string(),
            balance: receipt.balance_fen,
        }
    }
}
