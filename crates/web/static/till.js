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
      failed: "未收款",
      failedLine: "这个付款码没有扣款。",
      closed: "已取消，未收款",
      closing: "正在取消，请勿交货",
      states: { created: "未付", pending: "待付", paid: "已收", closed: "已取消" },
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
      failed: "Not paid",
      failedLine: "Nothing was taken by this code.",
      closed: "Cancelled, not paid",
      closing: "Cancelling: hand nothing over",
      states: { created: "unpaid", pending: "open", paid: "paid", closed: "cancelled" },
    };

const KEY = "tongbao.till.key";
const SALE = "tongbao.till.sale";
const $ = (id) => document.getElementById(id);

let till;
/** The sale under way: its number and key are made once and kept for every retry. */
let sale;
let round = 0;

// --- the gateway

class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? String(status));
    this.status = status;
    this.code = problem.code;
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

function number() {
  const random = crypto.getRandomValues(new Uint8Array(10));
  const hex = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `till-${Date.now()}-${hex}`;
}

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
  // A sale that a reload or a power cut interrupted goes on.
  const kept = sessionStorage.getItem(SALE);
  if (kept) {
    sale = JSON.parse(kept);
    if (sale.owner === till.id) return charge();
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
  $("today-amount").textContent = yuan(till.today.amount);
  $("today-count").textContent = till.today.payments;
}

async function book() {
  try {
    const [own, list] = [await ask("GET", "/v1/till"), await ask("GET", "/v1/payments?limit=10")];
    till = own;
    today();
    $("last").replaceChildren(...list.data.map(row));
  } catch {
    // The next sale looks again.
  }
}

function row(payment) {
  const [item, time, amount, state] = ["li", "time", "span", "span"].map((name) =>
    document.createElement(name),
  );
  time.textContent = clock.format(new Date(payment.created_at));
  time.dateTime = payment.created_at;
  amount.textContent = yuan(payment.amount);
  state.textContent = text.states[payment.state] ?? payment.state;
  state.className = payment.state;
  item.append(time, amount, state);
  return item;
}

// --- a sale

function show(part) {
  for (const id of ["amount-form", "scan-form", "answer"]) $(id).hidden = id !== part;
}

function begin() {
  round += 1;
  sale = undefined;
  sessionStorage.removeItem(SALE);
  $("amount").value = "";
  $("code").value = "";
  for (const id of ["amount-problem", "scan-problem"]) $(id).textContent = "";
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

$("amount-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const amount = fen($("amount").value);
  $("amount-problem").textContent = amount ? "" : text.amount;
  if (!amount) return;
  const store = till.store.name.replace(/[&=]/g, " ").slice(0, 30);
  sale = {
    owner: till.id,
    order: { merchant_order_no: number(), amount, subject: `${store} ${text.subject}`.trim() },
  };
  if (scans()) askForCode();
  else charge();
});

function askForCode() {
  $("scan-amount").textContent = yuan(sale.order.amount);
  $("code").value = "";
  show("scan-form");
  $("code").focus();
}

$("scan-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const code = $("code").value.replace(/\s/g, "");
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

/** Makes the payment and starts the attempt, or goes on with both. The code is
 *  sent once and kept nowhere: without an answer the payment is asked about. */
async function charge(code) {
  const mine = ++round;
  sessionStorage.setItem(SALE, JSON.stringify(sale));
  say("wait", text.wait, yuan(sale.order.amount));
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
      await start(payment, attempt);
    }
    await watch(mine);
  } catch (error) {
    if (mine !== round) return;
    fail(error);
  }
}

async function start(payment, attempt) {
  const path = `/v1/payments/${payment.id}/attempts`;
  try {
    await ask("POST", path, attempt);
  } catch (error) {
    // Whether it was started is seen at the payment.
    if (error instanceof Refused && error.status < 500 && error.status !== 409) throw error;
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
    say("wait", text.closing, amount);
    return false;
  }
  if (!attempt) {
    say("wait", text.wait, amount);
    return false;
  }
  if (["failed", "closed", "reversed"].includes(attempt.state)) {
    say("bad", `${text.failed} ${amount}`, attempt.failure?.detail ?? text.failedLine);
    offer("cancel", ...(scans() ? ["again"] : []));
    return true;
  }
  if (attempt.state === "user_paying") {
    say("wait", text.password, `${amount} · ${text.passwordLine}`);
  } else if (attempt.action?.type === "qr_code") {
    const seconds = Math.max(0, Math.ceil((new Date(payment.expires_at) - Date.now()) / 1000));
    const left = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    say("wait", `${text.scan} ${amount}`, text.scanLine(left));
    code(payment);
  } else {
    say("wait", text.hold, `${amount} · ${text.holdLine}`);
  }
  offer("cancel");
  return false;
}

function code(payment) {
  const token = new URL(payment.checkout_url).pathname.split("/").pop();
  const source = `/checkout/${token}/code.svg?${payment.attempts.length}`;
  const image = $("qr");
  if (image.getAttribute("src") !== source) image.src = source;
  image.hidden = false;
}

function say(tone, verdict, line) {
  const put = (id, words) => {
    if ($(id).textContent !== words) $(id).textContent = words;
  };
  show("answer");
  $("answer").dataset.tone = tone;
  put("verdict", verdict);
  put("line", line);
  $("qr").hidden = true;
  offer();
}

function offer(...ids) {
  for (const id of ["next", "again", "cancel"]) {
    const shown = ids.includes(id);
    if ($(id).hidden === shown) $(id).hidden = !shown;
  }
}

function end(tone, verdict, line) {
  sessionStorage.removeItem(SALE);
  say(tone, verdict, line);
  offer("next");
  $("next").focus();
  book();
}

/** The gateway refused: nothing was taken by this request. */
function fail(error) {
  if (error.status === 401) {
    sessionStorage.removeItem(KEY);
    return door(text.key);
  }
  say("bad", text.failed, error.message);
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
  await watch(mine).catch(fail);
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || $("desk").hidden) return;
  if (!$("scan-form").hidden) back();
  else if (!$("cancel").hidden) cancel();
  else if (!$("next").hidden) begin();
  else if (!$("amount-form").hidden) $("amount").value = "";
});

open();
