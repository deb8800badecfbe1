// Shows an order as it stands, without a reload: a stream says that it changed,
// the page itself says how. Without the stream the page looks every few seconds.

const LOOK_EVERY_MS = 2000;

const order = () => document.querySelector("#order");
const settled = () => document.querySelector("#standing")?.dataset.standing !== "waiting";

let looking = false;

async function look() {
  if (looking) return;
  looking = true;
  try {
    const response = await fetch(location.pathname, { cache: "no-store" });
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.querySelector("#order");
    if (fresh && fresh.dataset.revision !== order().dataset.revision) replace(fresh);
  } catch {
    // The shop is away: the next look may find it.
  } finally {
    looking = false;
  }
}

// The live regions stay where they are, so that a screen reader announces what
// is new in them.
function replace(fresh) {
  const old = order();
  old.dataset.revision = fresh.dataset.revision;
  [...old.children].forEach((part, index) => {
    part.replaceChildren(...fresh.children[index].childNodes);
  });
}

function listen() {
  const stream = new EventSource(order().dataset.changes);
  let timer;
  const quiet = () => {
    clearInterval(timer);
    timer = undefined;
  };
  stream.addEventListener("open", quiet);
  stream.addEventListener("message", async (event) => {
    if (event.data !== order().dataset.revision) await look();
    if (settled()) stream.close();
  });
  stream.addEventListener("error", () => {
    timer ??= setInterval(async () => {
      await look();
      if (settled()) {
        quiet();
        stream.close();
      }
    }, LOOK_EVERY_MS);
  });
}

if (!settled()) listen();
