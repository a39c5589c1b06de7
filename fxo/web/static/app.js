// Enhancements. Each is found by a data attribute and each is optional: pages work without this file, save the card field.

const root = document.documentElement;
const done = new WeakSet();

// ---- theme: system, light, dark; kept in a cookie, so that the server renders it and nothing flashes
const NEXT = { system: "light", light: "dark", dark: "system" };
const THEME_ICON = { system: "monitor", light: "sun", dark: "moon" };

function themeButton(button) {
  const use = button.querySelector("use");
  const show = () => {
    const now = root.dataset.theme || "system";
    use?.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${THEME_ICON[now]}`));
    button.setAttribute("aria-label", `Theme: ${now === "system" ? "as the system" : now}. Change to ${NEXT[now]}`);
  };
  button.addEventListener("click", () => {
    const next = NEXT[root.dataset.theme || "system"];
    if (next === "system") { delete root.dataset.theme; delete root.dataset.bsTheme; }
    else { root.dataset.theme = next; root.dataset.bsTheme = next; }
    const age = next === "system" ? 0 : 31536000;
    document.cookie = `theme=${next}; path=/; max-age=${age}; samesite=lax`;
    show();
  });
  show();
}

// ---- clocks. They count from what the server said was left, since the page's clock may not be the business clock
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

function countDown(seconds, tick, end) {
  const until = Date.now() + 1000 * seconds;
  const step = () => {
    const left = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    tick(left);
    if (left > 0) return;
    clearInterval(handle);
    end();
  };
  const handle = setInterval(step, 1000);
  step();
}

function timer(box) { // data-timer data-left="521" [data-ended="/where/to/go"]
  const out = box.querySelector("[data-timer-left]");
  const meter = box.querySelector("progress");
  const say = box.querySelector("[data-timer-say]");
  countDown(Number(box.dataset.left), (left) => {
    out.textContent = clock(left);
    if (meter) meter.value = left;
    if (left <= 120) box.dataset.state = "low";
    if (say && (left === 120 || left === 60)) say.textContent = `${left / 60} minute${left === 60 ? "" : "s"} left on your hold.`;
  }, () => { if (box.dataset.ended) location.replace(box.dataset.ended); });
}

function undo(form) { // data-undo data-left="10": the form goes when its seconds have
  const out = form.querySelector("[data-undo-left]");
  const toast = form.closest("[data-toast]") ?? form;
  countDown(Number(form.dataset.left), (left) => { out.textContent = `${left} s`; }, () => {
    if (!form.dataset.busy) toast.hidden = true;
  });
}

// ---- waiting: ask the same page again until the server sends us elsewhere
function poll(box) { // data-poll="/book/1" [data-poll-every="2"]
  const every = 1000 * Number(box.dataset.pollEvery || 2);
  const ask = async () => {
    try {
      const answer = await fetch(box.dataset.poll, { headers: { "X-Poll": "1" }, cache: "no-store" });
      if (answer.redirected) return location.replace(answer.url);
    } catch { /* the connection is gone for a moment: ask again */ }
    setTimeout(ask, every);
  };
  setTimeout(ask, every);
}

// ---- the card field: an ES module of the payment provider, with mount(element, config) and confirm() -> {token}
function cardField(field) {
  const form = field.closest("form");
  const token = form.elements.method_token;
  const error = form.querySelector("[data-card-error]");
  const say = (text) => { error.querySelector("[data-text]").textContent = text; error.hidden = !text; };
  const wanted = () => form.elements.method.value === "new";
  const ready = import(new URL(field.dataset.module, location.href).href).then(async (provider) => {
    await provider.mount(field, JSON.parse(field.dataset.config || "{}"));
    field.removeAttribute("aria-busy");
    return provider;
  });
  ready.catch(() => {
    field.removeAttribute("aria-busy");
    say("The card field could not be loaded. Nothing was charged. Reload the page; your time stays held.");
  });
  let asking = false;
  form.addEventListener("submit", async (event) => {
    if (!wanted() || token.value) return;
    event.preventDefault();
    if (asking) return;
    asking = true;
    const button = event.submitter;
    button?.setAttribute("aria-busy", "true");
    say("");
    try {
      token.value = (await (await ready).confirm()).token;
      setTimeout(() => form.requestSubmit(button)); // a task of its own: a form does not submit from within its submit event
    } catch (problem) {
      button?.removeAttribute("aria-busy");
      say(problem.message || "The card could not be read. Check its number, date and code.");
      field.querySelector("[aria-invalid=true], input")?.focus();
    } finally { asking = false; }
  });
}

// ---- small things
function example(link) { // data-fill="#brief" data-text="…" on a link that works without us, too
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const box = document.querySelector(link.dataset.fill);
    box.focus();
    box.select();
    if (!document.execCommand("insertText", false, link.dataset.text)) box.value = link.dataset.text; // keeps undo
    box.setSelectionRange(0, 0);
    box.scrollTop = 0;
  });
}

function zone(select) { // data-zone on a select with no choice yet: the browser's own zone
  if (select.value) return;
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!name) return;
  if (![...select.options].some((option) => option.value === name))
    select.add(new Option(name.replaceAll("_", " ").replace(/^.*\//, ""), name));
  select.value = name;
}

// ---- the browser's zone goes into a cookie, so that the next page is in it; its being there also says that scripts run
const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (ownZone) document.cookie = `zone=${ownZone}; path=/; samesite=lax`;

function zoneUnknown(box) { // data-zone-unknown: times that were written before the zone was known are asked for again
  if (ownZone) addEventListener("load", () => box.dispatchEvent(new Event("zone")));
}

function copy(button) { // data-copy="text"
  if (!navigator.clipboard) { button.hidden = true; return; }
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    const label = button.getAttribute("aria-label");
    button.setAttribute("aria-label", "Copied");
    button.dataset.copied = "";
    setTimeout(() => { button.setAttribute("aria-label", label); delete button.dataset.copied; }, 2000);
  });
}

function dialog(details) { // <details data-dialog>: opens in place without us, as a modal dialog with us
  const summary = details.querySelector("summary");
  const body = details.querySelector(".dialog");
  const modal = document.createElement("dialog");
  modal.className = "modal";
  if (body.hasAttribute("aria-labelledby")) modal.setAttribute("aria-labelledby", body.getAttribute("aria-labelledby"));
  modal.append(body);
  details.after(modal);
  summary.setAttribute("role", "button");
  summary.setAttribute("aria-haspopup", "dialog");
  summary.addEventListener("click", (event) => { event.preventDefault(); modal.showModal(); });
  modal.addEventListener("click", (event) => { if (event.target === modal || event.target.closest("[data-close]")) modal.close(); });
  if (details.open) { details.open = false; modal.showModal(); }
}

const parts = {
  "[data-theme-toggle]": themeButton, "[data-timer]": timer, "[data-undo]": undo, "[data-poll]": poll,
  "[data-card-field]": cardField, "[data-fill]": example, "[data-zone]": zone, "[data-zone-unknown]": zoneUnknown, "[data-copy]": copy, "details[data-dialog]": dialog,
};

function start(within) {
  for (const [selector, part] of Object.entries(parts))
    for (const element of [...(within.matches?.(selector) ? [within] : []), ...within.querySelectorAll(selector)])
      if (!done.has(element)) { done.add(element); part(element); }
}
start(document);
addEventListener("htmx:load", (event) => start(event.detail.elt));

// ---- a form is sent once, and its button shows that it is working
addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented) return;
  if (form.dataset.busy) return event.preventDefault();
  form.dataset.busy = "true";
  (event.submitter ?? form.querySelector("button:not([type=button])"))?.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", (event) => { // back again from the next page: everything may be used again
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-busy]")) delete form.dataset.busy;
  for (const busy of document.querySelectorAll("button[aria-busy]")) busy.removeAttribute("aria-busy");
  for (const token of document.querySelectorAll("input[name=method_token]")) token.value = "";
});

// ---- menus close by Escape and by a click elsewhere; a tooltip closes by Escape
addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.dropdown[open]")) if (!menu.contains(event.target)) menu.open = false;
  event.target.closest("[data-close-toast]")?.closest("[data-toast]")?.remove();
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.dropdown[open]")) { menu.open = false; menu.querySelector("summary").focus(); }
  document.activeElement?.closest(".tip")?.classList.add("tip--closed");
});
addEventListener("focusout", (event) => event.target.closest?.(".tip")?.classList.remove("tip--closed"));

// ---- the first mistake of a form that came back
document.querySelector("main form [aria-invalid=true]")?.focus();
