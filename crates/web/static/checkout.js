// Keeps the payer's page up to date. Every view is made on the server: when the
// payment changes, the page is fetched again and its stage put in place.

const page = document.getElementById("checkout");
const stage = document.getElementById("stage");
const deadline = document.getElementById("deadline");
const offline = document.getElementById("offline");

// The only way there is is opened by itself, once.
let opened = false;

const isLast = () => "last" in page.dataset;

/** Fetches the page and puts what changed in place. */
function refresh() {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("GET", location.href);
    request.responseType = "document";
    // Where the page would lead elsewhere, this stays here.
    request.setRequestHeader("x-tongbao-refresh", "1");
    request.timeout = 10_000;
    request.onloadend = () => {
      const fresh = request.status === 200 ? request.response : null;
      offline.hidden = fresh !== null;
      if (fresh) show(fresh);
      resolve();
    };
    request.send();
  });
}

function show(fresh) {
  const freshPage = fresh.getElementById("checkout");
  const freshStage = fresh.getElementById("stage");
  deadline.hidden = fresh.getElementById("deadline").hidden;
  page.dataset.state = freshPage.dataset.state;
  if ("last" in freshPage.dataset) page.dataset.last = "";
  if (stage.innerHTML === freshStage.innerHTML) return;
  stage.replaceChildren(...freshStage.childNodes);
  takeForm();
  takeWallet();
}

/** Calls the wallet around the page: once by itself, and when the button is pressed. */
function takeWallet() {
  const button = document.getElementById("wallet");
  if (!button) return;
  button.addEventListener("click", () => openWallet(button));
  if (opened) return;
  opened = true;
  openWallet(button);
}

function openWallet(button) {
  const says = document.getElementById("wallet-says");
  const say = (word) => {
    says.textContent = button.dataset[word];
    says.hidden = false;
  };
  let answered = false;
  says.hidden = true;
  button.disabled = true;
  const ask = () => {
    if (answered) return;
    answered = true;
    const params = JSON.parse(button.dataset.params);
    window.WeixinJSBridge.invoke("getBrandWCPayRequest", params, (answer) => {
      const word = String(answer?.err_msg).split(":")[1];
      // Whether it is paid only the platform knows: the page hears of it.
      if (word === "ok") return say("done");
      button.disabled = false;
      say(word === "cancel" ? "cancelled" : "failed");
    });
  };
  if (window.WeixinJSBridge) return ask();
  document.addEventListener("WeixinJSBridgeReady", ask, { once: true });
  setTimeout(() => {
    if (answered) return;
    document.removeEventListener("WeixinJSBridgeReady", ask);
    button.disabled = false;
    say("silent");
  }, 5000);
}

/** Sends the form without leaving the page; alone on it, sends it at once. */
function takeForm() {
  const form = document.getElementById("ways");
  if (!form) return;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form, event.submitter ?? undefined));
    const button = event.submitter ?? form.querySelector("button");
    for (const each of form.querySelectorAll("button")) each.disabled = true;
    button.textContent = form.dataset.wait;
    try {
      await fetch(form.action, { method: "POST", body, redirect: "manual" });
    } catch {
      // The refresh says that we are offline.
    }
    await refresh();
    // The reader has just asked for it.
    document.getElementById("leave")?.click();
    // Nothing came of it: let the payer try again.
    if (form.isConnected) {
      button.textContent = button.dataset.label;
      for (const each of form.querySelectorAll("button")) each.disabled = false;
    }
  });
  for (const each of form.querySelectorAll("button")) each.dataset.label = each.textContent;
  if (opened || !("alone" in form.dataset)) return;
  opened = true;
  form.requestSubmit(form.querySelector("button"));
}

function countDown() {
  const time = deadline.querySelector("time");
  deadline.querySelector("dt").textContent = time.dataset.label;
  const end = performance.now() + Number(time.dataset.seconds) * 1000;
  const timer = setInterval(tick, 1000);
  function tick() {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    const two = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(left / 3600);
    const rest = `${two(Math.floor(left / 60) % 60)}:${two(left % 60)}`;
    time.textContent = hours > 0 ? `${hours}:${rest}` : rest;
    if (left > 0 && !isLast()) return;
    clearInterval(timer);
    if (!isLast()) setTimeout(refresh, 1000);
  }
  tick();
}

/** Listens for changes; asks for them when nobody may listen. */
function listen() {
  const source = new EventSource(page.dataset.events);
  let heard;
  source.onopen = () => {
    offline.hidden = true;
  };
  source.onmessage = async ({ data }) => {
    const known = heard === undefined && JSON.parse(data).state === page.dataset.state;
    heard = data;
    if (!known) await refresh();
    if (isLast()) source.close();
  };
  source.onerror = () => {
    if (isLast()) source.close();
    else if (source.readyState === EventSource.CLOSED) ask();
    else offline.hidden = false;
  };
}

async function ask() {
  while (!isLast()) {
    await new Promise((resolve) => setTimeout(resolve, 3000));
    try {
      const answer = await fetch(page.dataset.status);
      offline.hidden = answer.ok;
      if (answer.ok && (await answer.json()).state !== page.dataset.state) await refresh();
    } catch {
      offline.hidden = false;
    }
  }
}

function begin() {
  takeForm();
  takeWallet();
}

countDown();
if (!isLast()) {
  listen();
  if (document.prerendering) document.addEventListener("prerenderingchange", begin);
  else begin();
}
