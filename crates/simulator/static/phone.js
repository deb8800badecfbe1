// Keeps the page fresh. Without this module the page still works, by links and forms.

const address = document.body.dataset.live;
const REST_MS = 250;

/** Puts the parts that have changed in place, but for one that is being used. */
async function refresh() {
  const answer = await fetch(address);
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const part of fresh.querySelectorAll('[data-part]')) {
    const shown = document.getElementById(part.id);
    if (!shown || shown.innerHTML === part.innerHTML) continue;
    if (shown.contains(document.activeElement)) continue;
    for (const open of shown.querySelectorAll('details[open]')) {
      part.querySelector(`#${open.id}`)?.setAttribute('open', '');
    }
    shown.replaceWith(document.importNode(part, true));
  }
}

let resting = false;
let missed = false;

/** Many changes in a row are shown at once. */
async function changed() {
  if (resting) {
    missed = true;
    return;
  }
  resting = true;
  try {
    await refresh();
  } finally {
    setTimeout(() => {
      resting = false;
      if (missed) {
        missed = false;
        changed();
      }
    }, REST_MS);
  }
}

new EventSource('/_sim/events').addEventListener('changed', changed);
document.addEventListener('focusout', () => setTimeout(changed));
// The clock on the phone goes on although nothing happens.
setInterval(changed, 10_000);

// Forms beside the phone must not take the phone's screen away.
document.addEventListener('submit', async (event) => {
  const form = event.target;
  if (!form.matches('[data-quiet]')) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  document.activeElement?.blur();
  await fetch(form.action, { method: 'POST', body, redirect: 'manual' });
  await changed();
});

const pin = document.getElementById('password');
if (pin) {
  const keys = document.querySelector('[data-keys]');
  const cells = document.querySelector('[data-cells]');
  const show = () => {
    [...cells.children].forEach((cell, place) => {
      cell.classList.toggle('filled', place < pin.value.length);
    });
  };
  keys.hidden = false;
  cells.hidden = false;
  pin.addEventListener('input', show);
  keys.addEventListener('click', (event) => {
    const key = event.target.closest('[data-key]')?.dataset.key;
    if (!key) return;
    if (key === 'back') pin.value = pin.value.slice(0, -1);
    else if (pin.value.length < pin.maxLength) pin.value += key;
    show();
  });
  show();
}
