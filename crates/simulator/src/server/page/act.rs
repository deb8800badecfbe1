//! The page's forms.

use std::time::Duration;

use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::lang::Lang;
use super::view::{self, Screen};
use super::{page, words};
use crate::server::Simulator;
use crate::{FaultId, FaultKind, NewFault, Refusal, Reply, Target};

#[derive(Deserialize)]
pub(super) struct Payment {
    wallet: String,
    code: Option<String>,
    prepay_id: Option<String>,
    #[serde(default)]
    password: String,
}

/// Pays, and shows the receipt; or says on the same screen why not.
pub(super) async fn pay(
    State(simulator): State<Simulator>,
    lang: Lang,
    Form(payment): Form<Payment>,
) -> Response {
    let wallet = known(&simulator, &payment.wallet);
    let Some(target) = payment.target() else {
        return home(&wallet, "");
    };
    let password = (!payment.password.is_empty()).then_some(&*payment.password);
    // The page always asks, as a wallet does for a code that was scanned.
    let paid = match password {
        None => Err(Refusal::PasswordRequired),
        password => simulator.act(|p, now| p.pay(now, &wallet, &target, password)),
    };
    let refusal = match paid {
        Ok(receipt) => {
            let id = receipt.transaction_id;
            return Redirect::to(&format!("/?wallet={wallet}&paid={id}")).into_response();
        }
        Err(refusal) => refusal,
    };
    let screen = match simulator.act(|p, now| p.scan(now, &wallet, &target)) {
        Ok(prompt) => Screen::prompt(prompt, &target, Some(words::refusal(&refusal, lang))),
        Err(refusal) => Screen::refused(&refusal, lang),
    };
    page(&simulator, lang, &wallet, screen)
}

/// Walks away from the prompt.
pub(super) async fn cancel(
    State(simulator): State<Simulator>,
    Form(payment): Form<Payment>,
) -> Response {
    let wallet = known(&simulator, &payment.wallet);
    if let Some(target) = payment.target() {
        // An order that is over needs no walking away from.
        let _ = simulator.act(|p, now| p.cancel(now, &wallet, &target));
    }
    home(&wallet, "")
}

#[derive(Deserialize)]
pub(super) struct Whose {
    wallet: String,
}

/// Shows a fresh payment code.
pub(super) async fn show_code(
    State(simulator): State<Simulator>,
    Form(whose): Form<Whose>,
) -> Response {
    let wallet = known(&simulator, &whose.wallet);
    // Whoever is known has codes.
    let _ = simulator.act(|platform, now| platform.auth_code(now, &wallet));
    home(&wallet, "&screen=code")
}

#[derive(Deserialize)]
pub(super) struct Confirmation {
    wallet: String,
    out_trade_no: String,
    accept: bool,
    #[serde(default)]
    password: String,
}

/// Answers what a till's payment asks; or says why it could not be paid.
pub(super) async fn confirm(
    State(simulator): State<Simulator>,
    lang: Lang,
    Form(said): Form<Confirmation>,
) -> Response {
    let wallet = known(&simulator, &said.wallet);
    let reply = if said.accept {
        Reply::Accept {
            password: Some(&said.password),
        }
    } else {
        Reply::Decline
    };
    let number = Some(&*said.out_trade_no);
    match simulator.act(|p, now| p.confirm(now, &wallet, number, reply)) {
        Ok(Some(receipt)) => home(&wallet, &format!("&paid={}", receipt.transaction_id)),
        Ok(None) => home(&wallet, ""),
        Err(refusal) => page(&simulator, lang, &wallet, Screen::refused(&refusal, lang)),
    }
}

#[derive(Deserialize)]
pub(super) struct FaultForm {
    wallet: String,
    kind: FaultKind,
    /// `1`, or empty for until it is switched off.
    #[serde(default)]
    times: String,
    #[serde(default)]
    out_trade_no: String,
}

pub(super) async fn switch_fault_on(
    State(simulator): State<Simulator>,
    Form(form): Form<FaultForm>,
) -> Response {
    let out_trade_no = form.out_trade_no.trim();
    let asked = NewFault {
        times: form.times.parse().ok().filter(|times| *times > 0),
        out_trade_no: (!out_trade_no.is_empty()).then(|| out_trade_no.to_owned()),
        ..NewFault::of(form.kind)
    };
    simulator.act(|platform, now| platform.add_fault(now, asked));
    home(&known(&simulator, &form.wallet), "#faults")
}

#[derive(Deserialize)]
pub(super) struct FaultOff {
    wallet: String,
    /// All of them without it.
    id: Option<u64>,
}

pub(super) async fn switch_faults_off(
    State(simulator): State<Simulator>,
    Form(form): Form<FaultOff>,
) -> Response {
    simulator.act(|platform, _| match form.id {
        Some(id) => {
            platform.remove_fault(FaultId(id));
        }
        None => platform.clear_faults(),
    });
    home(&known(&simulator, &form.wallet), "#faults")
}

#[derive(Deserialize)]
pub(super) struct ClockForm {
    wallet: String,
    advance_seconds: Option<u32>,
    speed: Option<u32>,
}

pub(super) async fn move_clock(
    State(simulator): State<Simulator>,
    Form(form): Form<ClockForm>,
) -> Response {
    simulator.act(|platform, now| {
        if let Some(speed) = form.speed.filter(|speed| *speed <= 86_400) {
            platform.set_speed(now, speed);
        }
        if let Some(seconds) = form.advance_seconds {
            platform.advance(Duration::from_secs(seconds.into()));
        }
    });
    home(&known(&simulator, &form.wallet), "#clock")
}

/// Only names that exist go into addresses.
fn known(simulator: &Simulator, wallet: &str) -> String {
    simulator.look(|platform, _| view::whose_phone(platform, Some(wallet), false))
}

fn home(wallet: &str, part: &str) -> Response {
    Redirect::to(&format!("/?wallet={wallet}{part}")).into_response()
}

impl Payment {
    fn target(&self) -> Option<Target> {
        let code = self.code.clone().map(Target::CodeUrl);
        code.or_else(|| self.prepay_id.clone().map(Target::PrepayId))
    }
}
