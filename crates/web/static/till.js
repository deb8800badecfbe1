// A till in the browser. It is a client of the merchant API like any other, with
// a key that speaks for one store. It says "not paid" only when the gateway is
// certain; until then the goods stay where they are.

const zh = document.documentElement.lang.startsWith("zh");
const text = zh
  ? {
      subject: "消费",
      key: "密钥不对，或已作废。请向管理员索取新的密钥。",
      merchant: "这不是收银台的密钥。请使用 tk_ 开头的密钥。",
      amount: "请输入金额，例如 12.34。",
      code: "付款码应为 10 到 24 位数字，请重新扫码。",
      wait: "正在收款…",
      hold: "请勿交货，正在确认",
      holdLine: "结果还不确定，请等待，不要重新收款。",
      password: "等待顾客输入密码",
      passwordLine: "请勿交货，直到显示已收款。",
      scan: "请顾客扫码付款",
      scanLine: (left) => `还有 ${left}`,
      paid: "已收款",
      waited: (seconds) => `已等 ${seconds} 秒`,
      failed: "未收款",
      failedLine: "这个付款码没有扣款。",
      reversed: "顾客没有完成付款，已经撤销，没有扣款。",
      closed: "已取消，未收款",
      closing: "正在取消，请勿交货",
      closingLine: "平台关单要等几分钟，这期间顾客仍可能付款，结果看列表。可以先收下一笔。",
      states: { created: "未付", pending: "待付", paid: "已收", closed: "已取消" },
      here: "本机",
      nothing: "这台收银台还没有可退的收款。",
      gone: (amount) => `上一笔 ${amount} 已经全部退款或正在退款，见右侧列表。`,
      last: (amount, time) => `上一笔：${time} 收款 ${amount}`,
      rest: (amount) => `可退 ${amount}，原路退回顾客的钱包。`,
      above: (amount) => `请输入 0.01 到 ${amount} 之间的金额。`,
      refunding: "退款中",
      refundingLine: "平台已受理，等待顾客到账。请勿重复退款；可以先收下一笔。",
      refundUnknown: "退款结果未定，正在确认",
      refundUnknownLine: "请勿重复退款，会用同一退款单号继续确认。",
      refunded: "已退款",
      part: (amount) => `已退 ${amount}`,
      abnormal: "退款异常",
      abnormalLine: "顾客的账户收不了这笔钱。请勿再退；请店长到支付平台的商户后台处理。",
      refundClosed: "退款没有成功",
      refundClosedLine: "钱还在商户账户，可以再退一次。",
      notRefunded: "未退款",
      why: {
        auth_code_unusable: "付款码已过期或用过，请顾客刷新后重新扫码。",
        payer_cannot_pay: "顾客的余额、卡或额度不够，请换一种付款方式。",
        pay_error: "顾客没有完成付款，没有扣款。",
        paid_after_reverse: "顾客付得太晚，钱会退回。请勿交货，可以重新收款。",
        amount_mismatch: "到账金额不对。请勿交货，请店长处理。",
        channel_refused: "支付平台拒绝了，请店长检查渠道设置。",
        channel_cannot: "渠道不能这样做，请店长检查渠道设置。",
        auth_code: "认不出这个付款码，请用微信付款码重新扫码。",
        no_channel: "没有能收这个付款码的渠道，请换一个钱包，或请店长添加渠道。",
        merchant_balance: "商户账户余额不足，请店长充值；退款会自动继续。",
        client_certificate_refused: "平台不认商户证书，请店长更换；退款会自动继续。",
        client_certificate_missing: "还没有配置商户证书，不能退款，请店长配置。",
        platform_busy: "平台繁忙，会自动重试。",
        refund_above_rest: "超过可退金额，可能刚刚退过，请看列表。",
        payment_not_paid: "这笔还没有收到钱，不能退款。",
        too_many_refunds: "这笔退款次数已到上限，请店长处理。",
        payment_expired: "这笔已超时，请重新收款。",
        too_many_attempts: "扫码次数太多，请取消后重新收款。",
      },
    }
  : {
      subject: "purchase",
      key: "The key is wrong, or was revoked. Ask the manager for a new one.",
      merchant: "This is no till's key. Use one that begins with tk_.",
      amount: "Enter an amount, for example 12.34.",
      code: "A payment code has 10 to 24 digits; scan it again.",
      wait: "Charging…",
      hold: "Hand nothing over: being confirmed",
      holdLine: "The outcome is not certain yet. Wait, and do not charge again.",
      password: "The customer is to enter the password",
      passwordLine: "Hand nothing over until it says Paid.",
      scan: "Let the customer scan",
      scanLine: (left) => `${left} left`,
      paid: "Paid",
      waited: (seconds) => `waited ${seconds} s`,
      failed: "Not paid",
      failedLine: "Nothing was taken by this code.",
      reversed: "The customer did not finish; it was reversed, and nothing was taken.",
      closed: "Cancelled, not paid",
      closing: "Cancelling: hand nothing over",
      closingLine: "It takes the platform some minutes; the customer may still pay, see the list. You may go on selling.",
      states: { created: "unpaid", pending: "open", paid: "paid", closed: "cancelled" },
      here: "this till",
      nothing: "This till has taken nothing yet that could be refunded.",
      gone: (amount) => `All of the last sale, ${amount}, is refunded or on its way; see the list.`,
      last: (amount, time) => `Last sale: ${amount} at ${time}`,
      rest: (amount) => `${amount} can go back, to the wallet that it came from.`,
      above: (amount) => `Enter an amount from 0.01 to ${amount}.`,
      refunding: "Refunding",
      refundingLine: "The platform has it; the customer waits. Do not refund again; you may go on selling.",
      refundUnknown: "Refund being confirmed",
      refundUnknownLine: "Do not refund again: it is asked about under the same number.",
      refunded: "Refunded",
      part: (amount) => `${amount} back`,
      abnormal: "Refund stuck",
      abnormalLine:
        "The customer's account cannot take it. Do not refund again; the manager acts on the platform's pages.",
      refundClosed: "Refund failed",
      refundClosedLine: "The merchant still has the money; it can be refunded again.",
      notRefunded: "Not refunded",
      why: {
        paid_after_reverse: "The customer paid too late; the money goes back. Hand nothing over, and charge again.",
        amount_mismatch: "A wrong amount came. Hand nothing over, and call the manager.",
        merchant_balance: "The merchant's balance is too low; the refund goes on once it is topped up.",
        client_certificate_refused: "The platform refuses the merchant's certificate; the refund goes on with a new one.",
        platform_busy: "The platform is busy; it is tried again.",
      },
    };

const KEY = "tongbao.till.key";
const SALE = "tongbao.till.sale";
const REFUND = "tongbao.till.refund";
const $ = (id) => document.getElementById(id);

let till;
/** The sale under way: its number and key are made once and kept for every retry. */
let sale;
/** The refund under way: its number is made once as well. */
let refund;
let round = 0;

// --- the gateway

class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? String(status));
    this.status = status;
    this.code = problem.code;
    this.field = problem.field;
  }
}

async function ask(method, path, body, name) {
  const headers = { authorization: `Bearer ${sessionStorage.getItem(KEY)}` };
  if (body) headers["content-type"] = "application/json";
  if (name) headers["idempotency-key"] = name;
  const answer = await fetch(path, {
    method,
    headers,
    body: body && JSON.stringify(body),
    credentials: "omit",
    signal: AbortSignal.timeout(60_000),
  });
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, json);
  return json;
}

/** Asks until there is an answer: the same request, so that nothing is done twice. */
async function insist(method, path, body, name) {
  for (let wait = 1000; ; wait = Math.min(wait * 2, 8000)) {
    try {
      const answer = await ask(method, path, body, name);
      $("offline").hidden = true;
      return answer;
    } catch (error) {
      if (error instanceof Refused && error.status < 500) throw error;
      $("offline").hidden = false;
      await pause(wait);
    }
  }
}

const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

// --- money and time

const yuan = (fen) =>
  `¥${(fen / 100).toLocaleString("zh-CN", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;

/** Fen, by the digits alone; null when it is no amount. */
function fen(typed) {
  const match = /^(\d{0,8})(?:\.(\d{0,2}))?$/.exec(typed.trim());
  if (!match) return null;
  const amount = Number(match[1] || 0) * 100 + Number((match[2] ?? "").padEnd(2, "0") || 0);
  return amount > 0 ? amount : null;
}

const clock = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

function number(kind) {
  const random = crypto.getRandomValues(new Uint8Array(10));
  const hex = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${kind}-${Date.now()}-${hex}`;
}

/** Why something came to nothing, and what to do: in the cashier's words where
 *  there are any. */
const why = (failure, otherwise) => text.why[failure?.code] ?? failure?.detail ?? otherwise;

const refusal = (error) => text.why[error.field] ?? text.why[error.code] ?? error.message;

// --- signing in

async function open() {
  const handed = location.hash.slice(1);
  if (handed) history.replaceState(null, "", location.pathname + location.search);
  if (handed.startsWith("tk_")) {
    // A link fills the field in; a person decides to sign in with it.
    $("key").value = handed;
    if (sessionStorage.getItem(KEY) !== handed) return door("");
  }
  if (!sessionStorage.getItem(KEY)) return door("");
  await enter();
}

function door(problem) {
  $("desk").hidden = true;
  $("leave").hidden = true;
  $("door").hidden = false;
  $("door-problem").textContent = problem;
  $("key").focus();
}

async function enter() {
  try {
    till = await ask("GET", "/v1/till");
  } catch (error) {
    if (!(error instanceof Refused)) {
      $("offline").hidden = false;
      await pause(2000);
      return enter();
    }
    sessionStorage.removeItem(KEY);
    return door(error.status === 403 ? text.merchant : error.status === 401 ? text.key : error.message);
  }
  $("offline").hidden = true;
  $("key").value = "";
  $("door").hidden = true;
  $("desk").hidden = false;
  $("leave").hidden = false;
  $("place").textContent = `${till.merchant} · ${till.store.name} · ${till.name}`;
  today();
  book();
  // What a reload or a power cut interrupted goes on.
  const [selling, returning] = [SALE, REFUND].map((name) => JSON.parse(sessionStorage.getItem(name)));
  if (selling?.owner === till.id) {
    sale = selling;
    return charge();
  }
  if (returning?.owner === till.id) {
    refund = returning;
    return giveBack();
  }
  begin();
}

$("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, $("key").value.trim());
  enter();
});

$("leave").addEventListener("click", () => {
  round += 1;
  sessionStorage.clear();
  location.reload();
});

// --- the book

function today() {
  $("today-amount").textContent = yuan(till.own_today.amount);
  $("today-count").textContent = till.own_today.payments;
  $("store-amount").textContent = yuan(till.today.amount);
  $("store-refunded").textContent = yuan(till.today.amount_refunded);
}

let bookRound = 0;

/** Looks again while money may come or is on its way back. */
async function book() {
  const mine = ++bookRound;
  try {
    const [own, list] = [await ask("GET", "/v1/till"), await ask("GET", "/v1/payments?limit=10")];
    if (mine !== bookRound) return;
    till = own;
    today();
    $("last").replaceChildren(...list.data.map(row));
    const moves = ({ state, refunds }) => state === "pending" || refunds.some(isOpen);
    if (!list.data.some(moves)) return;
    await pause(5000);
    if (mine === bookRound) book();
  } catch {
    // The next sale looks again.
  }
}

const isOpen = ({ state }) => state === "processing" || state === "unknown";

/** What has become of a payment's money, in a word and its colour. */
function standing({ state, refunds, amount, amount_refunded: back }) {
  if (refunds.some((refund) => refund.state === "abnormal")) return [text.abnormal, "bad"];
  if (refunds.some(isOpen)) return [text.refunding, "pending"];
  if (state === "paid" && back >= amount) return [text.refunded, "closed"];
  if (state === "paid" && back > 0) return [text.part(yuan(back)), "paid"];
  return [text.states[state] ?? state, state];
}

/** A till's name; this one's is shorter. */
function place(id) {
  if (!id) return "";
  return id === till.id ? text.here : (till.store.tills.find((other) => other.id === id)?.name ?? "");
}

function row(payment) {
  const [item, time, amount, by, state] = ["li", "time", "span", "span", "span"].map((name) =>
    document.createElement(name),
  );
  time.textContent = clock.format(new Date(payment.created_at));
  time.dateTime = payment.created_at;
  amount.textContent = yuan(payment.amount);
  by.textContent = place(payment.till);
  by.className = "by";
  [state.textContent, state.className] = standing(payment);
  item.append(time, amount, by, state);
  return item;
}

// --- a sale

function show(part) {
  for (const id of ["amount-form", "scan-form", "refund-form", "answer"]) $(id).hidden = id !== part;
  $("refund").disabled = !isIdle();
}

/** Nothing is under way that must be seen to its end first. */
const isIdle = () =>
  !$("amount-form").hidden || (!$("answer").hidden && !$("next").hidden);

function begin() {
  round += 1;
  sale = undefined;
  refund = undefined;
  for (const name of [SALE, REFUND]) sessionStorage.removeItem(name);
  $("amount").value = "";
  $("code").value = "";
  for (const id of ["amount-problem", "scan-problem", "refund-problem", "book-problem"]) $(id).textContent = "";
  show("amount-form");
  $("amount").focus();
}

const scans = () => till.scenes.includes("barcode");

$("pad").addEventListener("click", ({ target }) => {
  const key = target.dataset?.key;
  if (!key) return;
  const amount = $("amount");
  const typed = key === "back" ? amount.value.slice(0, -1) : amount.value + key;
  if (key === "back" || /^\d{0,8}(\.\d{0,2})?$/.test(typed)) amount.value = typed;
  amount.focus();
});

// Whoever types the next sale has left what was being looked up.
$("amount").addEventListener("input", () => {
  round += 1;
});

$("amount-form").addEventListener("submit", (event) => {
  event.preventDefault();
  round += 1;
  const amount = fen($("amount").value);
  $("amount-problem").textContent = amount ? "" : text.amount;
  if (!amount) return;
  const store = till.store.name.replace(/[&=]/g, " ").slice(0, 30);
  sale = {
    owner: till.id,
    order: { merchant_order_no: number("till"), amount, subject: `${store} ${text.subject}`.trim() },
  };
  if (scans()) askForCode();
  else charge();
});

/** Two presses of Enter within so many milliseconds are one. */
const ONE_PRESS = 800;
let freshTimer;

function askForCode() {
  const form = $("scan-form");
  $("scan-amount").textContent = yuan(sale.order.amount);
  $("code").value = "";
  form.dataset.fresh = "";
  clearTimeout(freshTimer);
  freshTimer = setTimeout(() => delete form.dataset.fresh, ONE_PRESS);
  show("scan-form");
  $("code").focus();
}

$("scan-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const code = $("code").value.replace(/\s/g, "");
  // The Enter that ended the amount, pressed twice, asks for no QR code.
  if (!code && "fresh" in $("scan-form").dataset) return;
  $("scan-problem").textContent = "";
  if (code && !/^\d{10,24}$/.test(code)) {
    $("scan-problem").textContent = text.code;
    $("code").select();
    return;
  }
  charge(code);
});

$("scan-back").addEventListener("click", back);
$("again").addEventListener("click", askForCode);
$("next").addEventListener("click", begin);
$("cancel").addEventListener("click", cancel);

/** When the cashier last asked for money. */
let since;

/** Makes the payment and starts the attempt, or goes on with both. The code is
 *  sent once and kept nowhere: without an answer the payment is asked about. */
async function charge(code) {
  const mine = ++round;
  sessionStorage.setItem(SALE, JSON.stringify(sale));
  say("wait", text.wait, yuan(sale.order.amount));
  since = Date.now();
  try {
    let payment;
    if (sale.payment) {
      payment = await insist("GET", `/v1/payments/${sale.payment}`);
    } else {
      payment = await insist("POST", "/v1/payments", sale.order, sale.order.merchant_order_no);
      sale.payment = payment.id;
      sessionStorage.setItem(SALE, JSON.stringify(sale));
    }
    if (mine !== round) return;
    const open = payment.attempts.some((attempt) => !["failed", "closed", "reversed"].includes(attempt.state));
    if (["created", "pending"].includes(payment.state) && !open) {
      // A sale that was taken up again has no code, and needs one.
      if (code === undefined && scans()) return askForCode();
      const attempt = code ? { scene: "barcode", auth_code: code } : { scene: "native" };
      sale.unsure = (await start(payment, attempt)) ? undefined : payment.attempts.length;
    }
    await watch(mine);
  } catch (error) {
    if (mine !== round) return;
    fail(error);
  }
}

/** Whether it was surely started. */
async function start(payment, attempt) {
  const path = `/v1/payments/${payment.id}/attempts`;
  try {
    await ask("POST", path, attempt);
    return true;
  } catch (error) {
    // Whether it was started is seen at the payment.
    if (error instanceof Refused && error.status < 500 && error.status !== 409) throw error;
    return false;
  }
}

/** Looks at the payment until it is over. */
async function watch(mine) {
  while (mine === round) {
    const payment = await insist("GET", `/v1/payments/${sale.payment}`);
    if (mine !== round) return;
    if (tell(payment)) return;
    await pause(1500);
  }
}

/** Says how it stands; true when there is nothing more to wait for. */
function tell(payment) {
  const amount = yuan(payment.amount);
  const attempt = payment.attempts.at(-1);
  if (payment.state === "paid") {
    end("good", `${text.paid} ${amount}`, clock.format(new Date(payment.paid_at)));
    return true;
  }
  if (payment.state === "closed") {
    end("bad", text.closed, amount);
    return true;
  }
  if (sale.cancelled) {
    say("wait", text.closing, `${amount} · ${text.closingLine}`);
    offer("next");
    return false;
  }
  // The last attempt is not this code's, which may still arrive.
  if (!attempt || payment.attempts.length <= sale.unsure) {
    say("wait", text.hold, `${amount} · ${text.holdLine}`, waited());
    offer("cancel");
    return false;
  }
  if (["failed", "closed", "reversed"].includes(attempt.state)) {
    const line = attempt.state === "reversed" ? text.reversed : text.failedLine;
    say("bad", `${text.failed} ${amount}`, why(attempt.failure, line));
    offer("cancel", ...(scans() ? ["again"] : []));
    if (scans()) $("again").focus();
    return true;
  }
  if (attempt.state === "user_paying") {
    say("wait", text.password, `${amount} · ${text.passwordLine}`, waited());
  } else if (attempt.action?.type === "qr_code") {
    const seconds = Math.max(0, Math.ceil((new Date(payment.expires_at) - Date.now()) / 1000));
    const left = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    say("wait", `${text.scan} ${amount}`, text.passwordLine, text.scanLine(left));
    code(payment);
  } else {
    say("wait", text.hold, `${amount} · ${text.holdLine}`, waited());
  }
  offer("cancel");
  return false;
}

const waited = () => text.waited(Math.round((Date.now() - since) / 1000));

function code(payment) {
  const token = new URL(payment.checkout_url).pathname.split("/").pop();
  const source = `/checkout/${token}/code.svg?${payment.attempts.length}`;
  const image = $("qr");
  if (image.getAttribute("src") !== source) image.src = source;
  image.hidden = false;
}

/** One big answer. What ticks stands apart from what is read out. */
function say(tone, verdict, line, ticking = "") {
  const put = (id, words) => {
    if ($(id).textContent !== words) $(id).textContent = words;
  };
  show("answer");
  $("answer").dataset.tone = tone;
  put("verdict", verdict);
  put("line", line);
  put("ticking", ticking);
  $("qr").hidden = true;
  offer();
}

function offer(...ids) {
  for (const id of ["next", "again", "cancel"]) {
    const shown = ids.includes(id);
    if ($(id).hidden === shown) $(id).hidden = !shown;
  }
  $("refund").disabled = !isIdle();
}

function end(tone, verdict, line) {
  sessionStorage.removeItem(SALE);
  say(tone, verdict, line);
  offer("next");
  $("next").focus();
  book();
}

/** The key opens nothing any more. */
function leave() {
  sessionStorage.removeItem(KEY);
  door(text.key);
}

/** The gateway refused: nothing was taken by this request. */
function fail(error) {
  if (error.status === 401) return leave();
  say("bad", text.failed, refusal(error));
  offer(...(sale.payment ? ["cancel", ...(scans() ? ["again"] : [])] : ["next"]));
}

/** The amount again, while nothing has been sent. */
function back() {
  if (sale?.payment) return cancel();
  const typed = $("amount").value;
  begin();
  $("amount").value = typed;
}

async function cancel() {
  if (!sale?.payment || sale.cancelled) return;
  const mine = ++round;
  sale.cancelled = true;
  sessionStorage.setItem(SALE, JSON.stringify(sale));
  say("wait", text.closing, yuan(sale.order.amount));
  try {
    await insist("POST", `/v1/payments/${sale.payment}/close`);
  } catch {
    // Paid meanwhile, or closed: the payment says which.
  }
  book();
  await watch(mine).catch(fail);
}

// --- money that goes back

$("refund").addEventListener("click", askForRefund);
$("refund-back").addEventListener("click", begin);

/** Always the last sale of this till, and never quietly one before. */
async function askForRefund() {
  if (!isIdle()) return;
  begin();
  const mine = round;
  try {
    const taken = await insist("GET", "/v1/payments?state=paid&limit=50");
    if (mine !== round) return;
    const own = taken.data.filter((payment) => payment.till === till.id);
    // Of two that were paid in one second, the one that was made later.
    own.sort((one, other) => other.paid_at.localeCompare(one.paid_at));
    const [last] = own;
    const rest = last && restOf(last);
    if (!rest) {
      $("book-problem").textContent = last ? text.gone(yuan(last.amount)) : text.nothing;
      return;
    }
    refund = { owner: till.id, payment: last.id, rest, merchant_refund_no: number("refund") };
    $("refund-last").textContent = text.last(yuan(last.amount), clock.format(new Date(last.paid_at)));
    $("refund-rest").textContent = text.rest(yuan(rest));
    $("refund-amount").value = "";
    show("refund-form");
    $("refund-amount").focus();
  } catch (error) {
    if (mine === round) $("book-problem").textContent = refusal(error);
  }
}

/** What was only asked for may have gone. */
function restOf(payment) {
  const held = payment.refunds.filter(({ state }) => state !== "closed");
  return payment.amount - held.reduce((sum, { amount }) => sum + amount, 0);
}

// Whoever types the amount means it; a scanner that types a code does not.
$("refund-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const amount = fen($("refund-amount").value);
  const good = amount && amount <= refund.rest;
  $("refund-problem").textContent = good ? "" : text.above(yuan(refund.rest));
  if (!good) return $("refund-amount").select();
  refund.amount = amount;
  giveBack();
});

/** Asks for the refund, or goes on with it: the same number, so that nothing
 *  goes back twice. */
async function giveBack() {
  const mine = ++round;
  sessionStorage.setItem(REFUND, JSON.stringify(refund));
  const { payment, merchant_refund_no, amount } = refund;
  say("wait", text.refunding, yuan(amount));
  try {
    const path = `/v1/payments/${payment}/refunds`;
    let made = await insist("POST", path, { merchant_refund_no, amount }, merchant_refund_no);
    book();
    while (mine === round) {
      if (tellRefund(made)) break;
      await pause(1500);
      // It is asked for: whatever a look at it meets, it is not "not refunded".
      made = await insist("GET", `/v1/refunds/${made.id}`).catch((error) => {
        if (error.status === 401) throw error;
        return made;
      });
    }
    if (mine === round) book();
  } catch (error) {
    if (mine !== round) return;
    sessionStorage.removeItem(REFUND);
    if (error.status === 401) return leave();
    say("bad", text.notRefunded, refusal(error));
    offer("next");
    $("next").focus();
  }
}

/** Says how it stands; true when there is nothing more to wait for. */
function tellRefund({ state, amount, ended_at: endedAt, failure }) {
  const put = (tone, verdict, line) => {
    say(tone, `${verdict} ${yuan(amount)}`, line);
    offer("next");
    if (document.activeElement === document.body) $("next").focus();
  };
  switch (state) {
    case "succeeded":
      put("good", text.refunded, clock.format(new Date(endedAt)));
      return true;
    case "closed":
      put("bad", text.refundClosed, text.why[failure?.code] ?? text.refundClosedLine);
      return true;
    case "abnormal":
      put("bad", text.abnormal, text.abnormalLine);
      return true;
    case "processing":
      put("wait", text.refunding, why(failure, text.refundingLine));
      return false;
    default:
      put("wait", text.refundUnknown, why(failure, text.refundUnknownLine));
      return false;
  }
}

document.addEventListener("keydown", (event) => {
  if ($("desk").hidden) return;
  // A key that is held down was pressed once.
  if (event.repeat && ["Enter", "Escape", "F9"].includes(event.key)) return event.preventDefault();
  if (event.key === "F9") {
    event.preventDefault();
    askForRefund();
  }
  if (event.key !== "Escape") return;
  if (!$("refund-form").hidden) begin();
  else if (!$("scan-form").hidden) back();
  else if (!$("cancel").hidden) cancel();
  else if (!$("next").hidden) begin();
  else if (!$("amount-form").hidden) $("amount").value = "";
});

open();
