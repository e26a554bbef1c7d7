// Everything here hastens or shortens; each page works without it. No page content is ever made here: it is fetched as it is.
const policy = globalThis.trustedTypes?.createPolicy('taskgate', { createHTML: (text) => text }) ?? { createHTML: (text) => text };
const main = document.querySelector('main');
for (const hint of document.querySelectorAll('.keys')) hint.hidden = false;

// ── time that is left ──
function countDown() {
  const now = Date.now() / 1000;
  for (const place of document.querySelectorAll('[data-until]')) {
    const left = Math.round(Number(place.dataset.until) - now);
    place.textContent = left <= 0 ? 'over' : spanOf(left);
    place.classList.toggle('soon', left < 300);
  }
}
function spanOf(seconds) {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return minutes < 10 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}
countDown();
setInterval(countDown, 1000);

// ── the page anew, keeping what was typed and where one was ──
let loading = false;
let again = false;
async function refresh(url = location.href) {
  if (loading) {
    again = true;
    return;
  }
  loading = true;
  try {
    const response = await fetch(url, { headers: { accept: 'text/html' }, redirect: 'manual' });
    if (response.type === 'opaqueredirect') return location.reload();
    if (response.status >= 500) return;
    const fresh = new DOMParser().parseFromString(policy.createHTML(await response.text()), 'text/html');
    swap(fresh);
  } catch {
    // The next hint, or the reader, tries again.
  } finally {
    loading = false;
    if (again) {
      again = false;
      void refresh();
    }
  }
}
function swap(fresh) {
  const next = fresh.querySelector('main');
  if (next === null || main === null) return;
  const kept = [...main.querySelectorAll('textarea[id], input[id]')].map(({ id, value }) => ({ id, value }));
  const open = [...main.querySelectorAll('details')].map((one) => one.open);
  const { id, href } = document.activeElement ?? {};
  const scrolled = scrollY;
  disarm();
  main.replaceChildren(...document.importNode(next, true).childNodes);
  document.title = fresh.title;
  for (const { id, value } of kept) {
    const field = document.getElementById(id);
    if (field) field.value = value;
  }
  main.querySelectorAll('details').forEach((one, at) => {
    one.open = open[at] ?? one.open;
  });
  for (const hint of main.querySelectorAll('.keys')) hint.hidden = false;
  const again = id ? document.getElementById(id) : href ? [...main.querySelectorAll('a')].find((one) => one.href === href) : null;
  again?.focus({ preventScroll: true });
  scrollTo({ top: scrolled, behavior: 'instant' });
  countDown();
}

// ── live ──
if (main?.dataset.live) {
  const events = new EventSource('/console/events');
  events.addEventListener('changed', () => refresh());
  addEventListener('pagehide', () => events.close());
  addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
}

// ── long arguments, without losing one's place ──
main?.addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('a[data-open]') : null;
  if (link === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.replaceState(null, '', link.href);
  void refresh(link.href);
});

// ── passkeys: what the browser makes or signs goes into the form, which is then sent like every other ──
let signed = null;
document.addEventListener('submit', (event) => {
  const [form, button] = [event.target, event.submitter];
  if (!button?.dataset.sign || form === signed || !globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON) return;
  event.preventDefault();
  void sign(form, button);
});
async function sign(form, button) {
  try {
    const body = new URLSearchParams(new FormData(form, button));
    const response = await fetch(button.dataset.sign, { method: 'POST', body, headers: { accept: 'application/json' }, redirect: 'error' });
    const answer = await response.json();
    if (!response.ok) return say(`${answer.message} ${answer.remedy}`, form);
    say('Use your passkey now.', form);
    const credential = answer.create
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(answer.create) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(answer.get) });
    // The page may have been made anew meanwhile; what was signed is good for its own vote alone.
    const now = form.isConnected ? form : [...document.forms].find(({ action }) => action === form.action);
    const press = now?.querySelector('button[data-sign]');
    if (!press) return say('The page has changed, so nothing was done.');
    now.elements.namedItem(button.dataset.into).value = JSON.stringify(credential);
    signed = now;
    now.requestSubmit(press);
  } catch {
    say('No passkey was used, so nothing was done.', form);
  }
}

// ── keys ──
let armed = null;
function disarm() {
  armed?.classList.remove('armed');
  clearTimeout(armed?.timer);
  armed = null;
  say('');
}
function say(words, within = main) {
  const place = within?.querySelector('.confirm');
  if (!place) return;
  place.hidden = words === '';
  place.textContent = words;
}
function press(key) {
  const button = main?.querySelector(`button[data-key="${key}"]`);
  if (!button) return;
  if (button.disabled) return say('Open the long arguments first.');
  const reason = main.querySelector('#reason');
  if (reason && (key === 'd' || 'owed' in reason.dataset) && reason.value.trim().length < 3) {
    disarm();
    reason.focus();
    return say(`Say why, then press Escape and ${key.toUpperCase()} twice.`);
  }
  if (armed === button) return button.click();
  disarm();
  armed = button;
  button.classList.add('armed');
  button.focus();
  button.timer = setTimeout(disarm, 6000);
  say(`Press ${key.toUpperCase()} again to ${key === 'a' ? 'approve' : 'deny'}.`);
}
function move(by) {
  const entries = [...(main?.querySelectorAll('[data-entry] h2 a') ?? [])];
  const parts = entries.length > 0 ? entries : [...(main?.querySelectorAll('.part') ?? [])];
  const at = parts.findIndex((one) => one.contains(document.activeElement) || one === document.activeElement);
  const next = parts[Math.min(parts.length - 1, Math.max(0, at + by))];
  if (!next) return;
  if (next.tabIndex < 0) next.tabIndex = -1;
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
}
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target instanceof Element && event.target.closest('input, textarea, select');
  if (event.key === 'Escape') {
    disarm();
    if (typing) document.activeElement.blur();
    return;
  }
  // A key that is held down is one press.
  if (typing || event.repeat) return;
  const key = event.key.toLowerCase();
  if (key === 'j') move(1);
  else if (key === 'k') move(-1);
  else if (key === 'a' || key === 'd') press(key);
  else return;
  event.preventDefault();
});
