//! Merchants and payers.

use std::sync::Arc;
use std::time::Duration;

use tongbao_core::{AttemptId, Money, Order as Ordered, PaymentId, Scene, StoreId, TillId};
use tongbao_simulator::{FaultKind, NewFault, Opening, Reply, Target};
use tongbao_wire::wechat_openid::authorize::{Authorize, Scope};

use super::account::{Account, OWN, SUB_MERCHANTS};
use super::{World, lock};
use crate::chance::Chance;
use crate::event::WorldEvent;
use crate::gateway::{Call, Caller, Counter, Face, Heard, Payer as Named};
use crate::kernel::NodeId;
use crate::seed::{DefenceOff, Plan};

/// What the payer will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Payer {
    Pays,
    PaysEveryCode,
    PaysLate,
    WalksAway,
    /// At a till: says no to the prompt.
    Declines,
}

/// What the merchant does next about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Create,
    Start { account: usize },
    Look,
    Close,
    Refund { place: usize },
    Done,
}

/// One order of the merchant's, as the merchant knows it.
pub(super) struct Order {
    number: String,
    amount: i64,
    expires_in: i64,
    with_attempt: bool,
    payer: Payer,
    step: Step,
    /// After the first attempt, try the other account as well.
    switches: bool,
    /// Close it after so long.
    closes: Option<Duration>,
    /// Give back so much, so long after the payment was made.
    refunds: Vec<(Duration, i64)>,
    payment: Option<PaymentId>,
    /// The id that was heard first: there is no other.
    told: Option<PaymentId>,
    codes: Vec<(AttemptId, String)>,
    /// Which call is out, and what was heard of it.
    call: u64,
    heard: Option<(u64, Heard)>,
    calls_left: u32,
    /// How the payer meets the platform, where not at a till.
    scene: Scene,
    /// The payer stands at a till and shows codes.
    till: Option<Till>,
    /// The payer comes with login codes, where only one person can pay.
    login: Option<Login>,
    /// In which shop, where in one: at a till always.
    shop: Option<usize>,
    /// Over which account it is tried first, and over which then.
    accounts: [usize; 2],
}

/// The payer's side of an order inside the wallet.
struct Login {
    /// What the page has now.
    code: Option<String>,
}

/// The till's side of an order.
struct Till {
    payer: Payer,
    /// What the payer shows now.
    code: Option<String>,
    /// How many codes there were.
    scans: u32,
}

/// What a shop on the web offers, the code more often.
const SCENES: [Scene; 7] = [
    Scene::Native,
    Scene::Native,
    Scene::Native,
    Scene::Jsapi,
    Scene::MiniProgram,
    Scene::App,
    Scene::H5,
];

/// The merchant has so many, each with a till.
const SHOPS: usize = 2;

/// A cashier scans so many codes and then leaves it.
const SCANS: u32 = 3;

/// So long a merchant waits for the gateway.
const PATIENCE: Duration = Duration::from_secs(30);

/// So often a merchant asks for what came to mind later.
const CALLS_FOR_IT: u32 = 10;

impl Order {
    pub(super) const fn is_at_a_till(&self) -> bool {
        self.till.is_some()
    }

    pub(super) fn draw_all(plan: &Plan) -> Vec<Self> {
        let mut chance = Chance::fork(plan.seed, "orders");
        let mut tills = Chance::fork(plan.seed, "tills");
        let mut shops = Chance::fork(plan.seed, "shops");
        let mut accounts = Chance::fork(plan.seed, "accounts");
        // Nobody is notified of what happens at a till: where no query is ever
        // answered, nothing of it can be known.
        let percent = if plan.off == DefenceOff::Queries {
            0
        } else {
            30
        };
        let draw = |place| {
            let mut order = Self::draw(&mut chance, place);
            if tills.percent(percent) {
                order.till = Some(Till {
                    payer: tills.pick(&[
                        Payer::Pays,
                        Payer::Pays,
                        Payer::PaysLate,
                        Payer::WalksAway,
                        Payer::Declines,
                    ]),
                    code: None,
                    scans: 0,
                });
                order.with_attempt = false;
            } else {
                order.scene = tills.pick(&SCENES);
                let inside = matches!(order.scene, Scene::Jsapi | Scene::MiniProgram);
                order.login = (inside && tills.percent(60)).then_some(Login { code: None });
                order.with_attempt &= order.scene == Scene::Native;
            }
            let shop = shops.index(SHOPS);
            order.shop = (order.is_at_a_till() || shops.percent(30)).then_some(shop);
            if plan.provider && accounts.percent(60) {
                order.accounts = Self::draw_accounts(&mut accounts);
            }
            order
        };
        (0..plan.orders).map(draw).collect()
    }

    fn draw(chance: &mut Chance, place: usize) -> Self {
        let payers = [
            Payer::Pays,
            Payer::Pays,
            Payer::Pays,
            Payer::PaysEveryCode,
            Payer::PaysLate,
            Payer::WalksAway,
        ];
        let closes = chance.percent(25);
        let amount = i64::try_from(chance.between(1, 500_000)).unwrap_or(1);
        Self {
            number: format!("ORDER-{place:04}"),
            amount,
            // Most of a long life is one query after the other that finds nothing.
            expires_in: i64::from(match chance.index(10) {
                0 => chance.number(600, 1_800),
                1..4 => chance.number(240, 600),
                _ => chance.number(60, 240),
            }),
            with_attempt: chance.percent(50),
            payer: chance.pick(&payers),
            step: Step::Create,
            switches: chance.percent(30),
            closes: closes.then(|| chance.millis(100, 600_000)),
            refunds: Self::draw_refunds(chance, amount),
            payment: None,
            told: None,
            codes: Vec::new(),
            call: 0,
            heard: None,
            calls_left: 60,
            scene: Scene::Native,
            till: None,
            login: None,
            shop: None,
            accounts: [0, 1],
        }
    }

    /// A sub-merchant's, and any other.
    fn draw_accounts(chance: &mut Chance) -> [usize; 2] {
        let all = OWN + SUB_MERCHANTS;
        let first = OWN + chance.index(SUB_MERCHANTS);
        [first, (first + 1 + chance.index(all - 1)) % all]
    }

    /// None for most; parts, the whole, the whole twice, or more than came.
    fn draw_refunds(chance: &mut Chance, amount: i64) -> Vec<(Duration, i64)> {
        let count = chance.pick(&[0, 0, 0, 1, 1, 2, 4]);
        let mut refund = || {
            let part = i64::try_from(chance.between(1, 500_000)).unwrap_or(1);
            let fen = chance.pick(&[amount, part.min(amount), amount / 2, part]);
            (chance.millis(1_000, 1_500_000), fen.max(1))
        };
        (0..count).map(|_| refund()).collect()
    }

    fn ordered(&self, store: Option<StoreId>) -> Ordered {
        Ordered {
            merchant_order_no: self.number.clone(),
            amount: Money::fen(self.amount),
            subject: "龙井茶 一两".to_owned(),
            metadata: serde_json::json!({}),
            store,
            return_url: None,
        }
    }
}

/// What opens the wallet.
fn opening(shown: String) -> Opening {
    if shown.starts_with("weixin://") {
        Opening::Bare(Target::CodeUrl(shown))
    } else if !shown.starts_with('{') {
        Opening::MwebUrl(shown)
    } else if shown.contains("prepayid") {
        Opening::App { json: shown }
    } else {
        Opening::Jsapi { json: shown }
    }
}

/// What the cashier does when the code has had its answer.
fn charged(order: &mut Order, state: &str) {
    let Some(till) = &mut order.till else { return };
    match state {
        "failed" | "closed" | "reversed" if till.scans < SCANS => till.code = None,
        "succeeded" | "failed" | "closed" | "reversed" => order.step = Step::Done,
        _ => order.step = Step::Look,
    }
}

impl World {
    /// The merchant hears, or loses patience, and goes on.
    pub(super) fn merchant_acts(&mut self, place: usize) {
        let orders = self.orders.clone();
        let mut orders = lock(&orders);
        let order = &mut orders[place];
        let heard = order.heard.take().filter(|(call, _)| *call == order.call);
        match heard.map(|(_, heard)| heard) {
            Some(heard) => self.goes_on(place, order, heard),
            // The first time, or no answer: the same again, under the same number.
            None => self.calls(place, order),
        }
    }

    fn goes_on(&mut self, place: usize, order: &mut Order, heard: Heard) {
        let again = match heard {
            Heard::Started { .. } => self.chance.millis(2_000, 40_000),
            _ => self.chance.millis(200, 8_000),
        };
        match heard {
            Heard::Created(id) => {
                let first = order.payment.is_none();
                order.payment = Some(id);
                order.step = Step::Start { account: 0 };
                if let (true, Some(wait)) = (first, order.closes) {
                    self.plan(place, wait, Step::Close);
                }
                for (refund, (wait, _)) in order.refunds.iter().enumerate().filter(|_| first) {
                    self.plan(place, *wait, Step::Refund { place: refund });
                }
            }
            Heard::Started { code } => {
                if let Some(login) = &mut order.login {
                    // The next is for another account's application.
                    login.code = None;
                }
                if let Some(code) = code
                    && !order.codes.contains(&code)
                {
                    order.codes.push(code);
                    let wait = match order.payer {
                        Payer::PaysLate => Duration::from_secs(order.expires_in.unsigned_abs())
                            .saturating_sub(self.chance.millis(0, 30_000)),
                        _ if self.chance.percent(50) => self.chance.millis(500, 10_000),
                        _ => self.chance.millis(500, 90_000),
                    };
                    self.kernel.after(wait, WorldEvent::Payer(place));
                }
                order.step = if let Some(till) = &mut order.till {
                    // An impatient cashier scans again, and a patient one looks.
                    if till.scans < SCANS {
                        till.code = None;
                        Step::Start { account: 0 }
                    } else {
                        Step::Look
                    }
                } else if order.switches {
                    order.switches = false;
                    Step::Start { account: 1 }
                } else if order.codes.is_empty() {
                    Step::Look
                } else {
                    Step::Done
                };
            }
            Heard::Charged { state } => charged(order, &state),
            Heard::Failed => {}
            // The page gets a new code; one in four sends the old one again.
            Heard::Unnamed => {
                if let Some(login) = &mut order.login
                    && !self.chance.percent(25)
                {
                    login.code = None;
                }
            }
            Heard::Closed { state } if state == "pending" => {}
            Heard::Closed { .. }
            | Heard::Refunding { .. }
            | Heard::Decided { .. }
            | Heard::KeyChanged
            | Heard::Refused => {
                order.step = Step::Done;
            }
        }
        if order.step != Step::Done && order.calls_left > 0 {
            order.calls_left -= 1;
            order.call += 1;
            self.kernel.after(again, WorldEvent::Merchant(place));
        }
    }

    /// From then on the merchant wants something else of the order.
    fn plan(&mut self, place: usize, wait: Duration, step: Step) {
        let orders = self.orders.clone();
        let kernel = self.kernel.clone();
        // Not a node's task: the merchant's own timer outlives every node.
        self.kernel.spawn(u32::MAX, async move {
            kernel.sleep(wait).await;
            let mut orders = lock(&orders);
            let order = &mut orders[place];
            order.step = step;
            order.call += 1;
            order.calls_left = order.calls_left.max(CALLS_FOR_IT);
            order.heard = None;
            kernel.after(Duration::ZERO, WorldEvent::Merchant(place));
        });
    }

    fn calls(&mut self, place: usize, order: &mut Order) {
        if order.step == Step::Done || order.calls_left == 0 {
            return;
        }
        // Looking again tells little that is new.
        let cost = if order.step == Step::Look { 5 } else { 1 };
        order.calls_left = order.calls_left.saturating_sub(cost);
        order.call += 1;
        self.kernel.after(PATIENCE, WorldEvent::Merchant(place));
        let alive = self.alive();
        if alive.is_empty() {
            return;
        }
        if let Step::Start { account } = order.step {
            self.payer_shows_a_code(place, order);
            self.payer_logs_in(order, account);
        }
        self.sends(place, order, &alive);
        // A double click, or a retry in the merchant's own stack.
        if self.chance.percent(15) {
            self.sends(place, order, &alive);
        }
    }

    fn sends(&mut self, place: usize, order: &Order, alive: &[(NodeId, Arc<dyn Face>)]) {
        // The payer's bank, or the platform's people.
        if matches!(order.step, Step::Refund { .. }) && self.chance.percent(20) {
            let kind = self
                .chance
                .pick(&[FaultKind::AbnormalRefund, FaultKind::CloseRefund]);
            let at = self.platform_now();
            let fault = NewFault {
                times: Some(1),
                ..NewFault::of(kind)
            };
            lock(&self.platform).add_fault(at, fault);
        }
        let (node, face) = alive[self.chance.index(alive.len())].clone();
        let (number, step) = (order.call, order.step);
        let scans = order.till.as_ref().map_or(0, |till| till.scans);
        let key = format!("{}-{step:?}-{scans}", order.number).replace(' ', "");
        let with_key = self.chance.percent(50);
        let Some(call) = self.call(order) else {
            return;
        };
        let orders = self.orders.clone();
        let (kernel, gateway, story) = (
            self.kernel.clone(),
            self.gateway.clone(),
            self.story.clone(),
        );
        story.tell(kernel.now(), "merchant", &format!("node {node}"), || {
            format!("{step:?} {}", order.number)
        });
        let unique = self.plan.off != DefenceOff::UniqueNumbers;
        self.another_till_tries(order, &call, node, &face);
        let caller = self.caller_of(order);
        let answer = face.call(&caller, call.clone(), with_key.then_some(key));
        self.kernel.spawn(node, async move {
            let heard = answer.await;
            if let Err(what) = gateway.replies(&call, &heard) {
                story.violate(kernel.now(), "E5", what);
            }
            let mut orders = lock(&orders);
            let order = &mut orders[place];
            if let Heard::Created(id) = heard
                && unique
                && *order.told.get_or_insert(id) != id
            {
                let what = format!("{} is {:?} and {id}", order.number, order.told);
                story.violate(kernel.now(), "K1", what);
            }
            if order.call == number {
                order.heard = Some((number, heard));
                kernel.after(Duration::from_millis(5), WorldEvent::Merchant(place));
            }
        });
    }

    /// The order's number, its shop, and its till where it is sold at one.
    pub(super) fn place_of(&self, order: &Order) -> (String, (Option<StoreId>, Option<TillId>)) {
        let shop = order.shop.and_then(|shop| self.tills.get(shop));
        let till = shop.filter(|_| order.is_at_a_till());
        let place = (shop.map(|shop| shop.store), till.map(|till| till.id));
        (order.number.clone(), place)
    }

    /// The till, or the merchant's own server.
    fn caller_of(&self, order: &Order) -> Caller {
        let till = order.shop.and_then(|shop| self.tills.get(shop));
        Caller {
            till: till.filter(|_| order.is_at_a_till()).cloned(),
            ..self.caller.clone()
        }
    }

    /// X5: to the till of another shop the payment is not there, whatever it asks.
    fn another_till_tries(
        &mut self,
        order: &Order,
        call: &Call,
        node: NodeId,
        face: &Arc<dyn Face>,
    ) {
        let is_foreign = |till: &&Counter| self.place_of(order).1.0 != Some(till.store);
        let Some(till) = self.tills.iter().find(is_foreign).cloned() else {
            return;
        };
        let makes = matches!(call, Call::Create { .. });
        if makes || !self.gateway.asks_for_keys() || !self.chance.percent(10) {
            return;
        }
        let caller = Caller {
            till: Some(till),
            ..self.caller.clone()
        };
        let answer = face.call(&caller, call.clone(), None);
        let (kernel, story) = (self.kernel.clone(), self.story.clone());
        let number = order.number.clone();
        self.kernel.spawn(node, async move {
            let heard = answer.await;
            if heard != Heard::Failed {
                let what = format!("the till of another shop hears of {number}: {heard:?}");
                story.violate(kernel.now(), "X5", what);
            }
        });
    }

    /// What the order's next step asks for.
    fn call(&self, order: &Order) -> Option<Call> {
        let payment = order.payment;
        Some(match order.step {
            Step::Create => Call::Create {
                order: order.ordered(self.place_of(order).1.0),
                expires_in: order.expires_in,
                with_attempt: order.with_attempt,
            },
            Step::Start { account } => {
                let account = self.account_of_try(order, account);
                let channel = account.map(|account| account.channel.to_string());
                match &order.till {
                    Some(till) => Call::Charge {
                        payment: payment?,
                        channel,
                        auth_code: till.code.clone()?,
                    },
                    None => Call::Start {
                        payment: payment?,
                        channel,
                        scene: order.scene,
                        payer: match &order.login {
                            Some(login) => Some(Named::Code(login.code.clone()?)),
                            None => self.openid(order.scene, account).map(Named::Openid),
                        },
                    },
                }
            }
            Step::Look => Call::Look(payment?),
            Step::Close => Call::Close(payment?),
            Step::Refund { place } => Call::Refund {
                payment: payment?,
                number: format!("{}-R{place}", order.number),
                amount: order.refunds.get(place)?.1,
            },
            Step::Done => return None,
        })
    }

    /// A code for this scan, and the payer's thoughts about the prompt that may
    /// come of it.
    fn payer_shows_a_code(&mut self, place: usize, order: &mut Order) {
        let at = self.platform_now();
        let Some(till) = &mut order.till else { return };
        if till.code.is_some() {
            return;
        }
        till.scans += 1;
        till.code = lock(&self.platform)
            .auth_code(at, "carol")
            .ok()
            .map(|code| code.digits);
        let (low, high) = match till.payer {
            Payer::PaysLate => (20_000, 50_000),
            _ => (800, 25_000),
        };
        let wait = self.chance.millis(low, high);
        self.kernel.after(wait, WorldEvent::Payer(place));
    }

    /// The page or mini-program gets a code of the reader, unless it has one.
    fn payer_logs_in(&self, order: &mut Order, account: usize) {
        let at = self.platform_now();
        let account = self.account_of_try(order, account);
        let (Some(login), Some(account)) = (&mut order.login, account) else {
            return;
        };
        if login.code.is_some() {
            return;
        }
        let mut platform = lock(&self.platform);
        let app_id = account.payers_app().to_owned();
        login.code = if order.scene == Scene::MiniProgram {
            platform.login_code(at, "carol", &app_id).ok()
        } else {
            let asked = Authorize {
                appid: app_id,
                redirect_uri: "https://shop.sim/back".to_owned(),
                scope: Scope::Base,
                state: "s".to_owned(),
            };
            let back = platform.authorize(at, "carol", &asked).ok();
            back.and_then(|back| {
                let (_, code) = back.split_once("code=")?;
                Some(code.split('&').next()?.to_owned())
            })
        };
    }

    /// Which account the first try of an order goes over, and which the second.
    fn account_of_try(&self, order: &Order, place: usize) -> Option<&Account> {
        self.accounts.get(*order.accounts.get(place)?)
    }

    /// The payer's name under the account's application, where it is asked for.
    fn openid(&self, scene: Scene, account: Option<&Account>) -> Option<String> {
        if !matches!(scene, Scene::Jsapi | Scene::MiniProgram) {
            return None;
        }
        let platform = lock(&self.platform);
        let books = platform.truth();
        Some(books.wallets.get("carol")?.openid_in(account?.payers_app()))
    }

    /// The payer answers what the phone asks about this order.
    fn payer_answers(&mut self, order: &Order, payer: Payer) {
        let reply = match payer {
            Payer::WalksAway => return,
            Payer::Declines => Reply::Decline,
            _ => Reply::Accept { password: None },
        };
        let (now, at) = (self.kernel.now(), self.platform_now());
        let tables = self.gateway.tables();
        let payment = order.payment.and_then(|id| tables.payments.get(&id));
        let numbers: Vec<_> = payment.map_or(Vec::new(), |payment| {
            let attempts = payment.attempts.iter();
            attempts.map(|it| it.out_trade_no.clone()).collect()
        });
        drop(tables);
        for number in numbers {
            let said = lock(&self.platform).confirm(at, "carol", Some(&number), reply);
            if said.is_ok() {
                self.story.tell(now, "payer", "platform", || {
                    format!("{payer:?} at the till ({number})")
                });
            }
        }
        self.plan_platform();
    }

    /// The payer scans and pays, or not.
    pub(super) fn payer_acts(&mut self, place: usize) {
        let orders = self.orders.clone();
        let orders = lock(&orders);
        let order = &orders[place];
        if let Some(till) = &order.till {
            self.payer_answers(order, till.payer);
            return;
        }
        let codes: Vec<_> = match order.payer {
            Payer::WalksAway | Payer::Declines => return,
            Payer::PaysEveryCode => order.codes.clone(),
            Payer::Pays | Payer::PaysLate => order.codes.last().cloned().into_iter().collect(),
        };
        let (now, at) = (self.kernel.now(), self.platform_now());
        for (_, code) in codes {
            let wrong = self.chance.percent(self.transport.faults().wrong_amount);
            let mut platform = lock(&self.platform);
            if self.kernel.count(wrong) {
                let kind = FaultKind::WrongAmountNotification;
                platform.add_fault(
                    at,
                    NewFault {
                        times: Some(1),
                        ..NewFault::of(kind)
                    },
                );
            }
            let opened = platform.open(at, &opening(code));
            let paid =
                opened.and_then(|opened| platform.pay(at, "carol", &opened.target, Some("123456")));
            drop(platform);
            self.story.tell(now, "payer", "platform", || match &paid {
                Ok(receipt) => format!("pays {} ({})", receipt.amount_fen, receipt.out_trade_no),
                Err(refusal) => format!("cannot pay: {refusal}"),
            });
        }
        self.plan_platform();
    }
}
