// Enhancements that every page may have. Each is found by a data attribute and each is optional: pages work without this
// file, save the card field. What it says to people comes from the server, in <body data-words>.

const root = document.documentElement;
const parts = [];

function start(within, some = parts) {
  for (const { selector, make, done } of some)
    for (const element of [...(within.matches?.(selector) ? [within] : []), ...within.querySelectorAll(selector)])
      if (!done.has(element)) done.add(element), make(element);
}

const fxo = globalThis.fxo = {
  words: JSON.parse(document.body.dataset.words || "{}"),
  /** Let `make` enhance every element that matches, now and when htmx brings more. */
  part(selector, make) { parts.push({ selector, make, done: new WeakSet() }); start(document, parts.slice(-1)); },
  /** Fill {name}s into a sentence of the server's. */
  fill: (sentence, values) => sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole),
  /** Have a screen reader say it, once the page has settled. */
  say(text) { const region = document.querySelector("[data-say]"); if (region) setTimeout(() => { region.textContent = text; }, 150); },
  /** A copy of a template of the frame. */
  copy: (name) => document.querySelector(`template[data-template=${name}]`)?.content.firstElementChild.cloneNode(true),
  /** A short word at the foot of the page. */
  toast(text) {
    const made = fxo.copy("toast"), region = document.querySelector(".toast__region");
    if (!made || !region) return;
    made.querySelector("[data-toast-text]").textContent = text;
    region.append(made);
    start(made);
  },
};
const { words, part } = fxo;
addEventListener("htmx:load", (event) => start(event.detail.elt));

// ---- theme: system, light, dark. The button is a form; here it changes at once, and the server keeps it for next time
const NEXT = { system: "light", light: "dark", dark: "system" };
const THEME_ICON = { system: "monitor", light: "sun", dark: "moon" };

part("[data-theme-form]", (form) => {
  const button = form.querySelector("button"), use = button.querySelector("use");
  const remember = (theme) => { document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`; };
  let kept = Promise.resolve(); // one after the other: of two quick clicks the second one counts
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    const theme = button.value, sent = new FormData(form);
    sent.set("theme", theme);
    if (theme === "system") { delete root.dataset.theme; delete root.dataset.bsTheme; } else root.dataset.theme = root.dataset.bsTheme = theme;
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${THEME_ICON[theme]}`));
    button.value = NEXT[theme];
    button.setAttribute("aria-label", words.theme[theme]);
    remember(`${theme}!`); // until the server has it: who goes on to the next page sooner sees it there all the same
    kept = kept.then(() => fetch(form.action, { method: "POST", body: sent, keepalive: true, headers: { "X-Requested-With": "fetch" } }))
      .then((answer) => { if (answer.ok && button.value === NEXT[theme]) remember(theme); })
      .catch(() => { /* the cookie keeps it */ });
  });
});

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

part("[data-timer]", (box) => { // data-left="521" [data-ended="/where/to/go"]
  const out = box.querySelector("[data-timer-left]"), meter = box.querySelector("progress"), say = box.querySelector("[data-timer-say]");
  countDown(Number(box.dataset.left), (left) => {
    out.textContent = clock(left);
    if (meter) meter.value = left;
    if (left <= 120) box.dataset.state = "low";
    if (say && (left === 120 || left === 60)) say.textContent = left === 120 ? words.two_minutes : words.one_minute;
  }, () => { if (box.dataset.ended) location.replace(box.dataset.ended); });
});

part("[data-undo]", (form) => { // data-left="10": the form goes when its seconds have
  if (form.closest("[data-sample]")) return;
  const out = form.querySelector("[data-undo-left]"), toast = form.closest("[data-toast]") ?? form;
  countDown(Number(form.dataset.left), (left) => { out.textContent = fxo.fill(words.seconds, { seconds: left }); }, () => {
    if (!form.dataset.busy) toast.hidden = true;
  });
});

addEventListener("keydown", (event) => { // Ctrl Z presses the undo of a toast, save where it undoes typing
  if (event.key !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.target.matches?.("input, textarea, select, [contenteditable]")) return;
  const form = [...document.querySelectorAll("[data-undo]")].filter((one) => one.checkVisibility() && !one.closest("[data-sample]")).at(-1);
  if (form) event.preventDefault(), form.requestSubmit();
});

// ---- waiting: ask the same page again until the server sends us elsewhere
part("[data-poll]", (box) => { // data-poll="/book/1" [data-poll-every="2"]
  const every = 1000 * Number(box.dataset.pollEvery || 2);
  const ask = async () => {
    try {
      const answer = await fetch(box.dataset.poll, { headers: { "X-Poll": "1" }, cache: "no-store" });
      if (answer.redirected) return location.replace(answer.url);
    } catch { /* the connection is gone for a moment: ask again */ }
    setTimeout(ask, every);
  };
  setTimeout(ask, every);
});

// ---- the card field: an ES module of the payment provider, with mount(element, config) and confirm() -> {token}
part("[data-card-field]", (field) => {
  const form = field.closest("form"), token = form.elements.method_token, error = form.querySelector("[data-card-error]");
  const say = (text) => { error.querySelector("[data-text]").textContent = text; error.hidden = !text; };
  const wanted = () => form.elements.method.value === "new";
  const ready = import(new URL(field.dataset.module, location.href).href).then(async (provider) => {
    await provider.mount(field, JSON.parse(field.dataset.config || "{}"));
    field.removeAttribute("aria-busy");
    return provider;
  });
  ready.catch(() => { field.removeAttribute("aria-busy"); say(words.card_lost); });
  let asking = false;
  form.addEventListener("submit", async (event) => {
    if (event.defaultPrevented || !wanted() || token.value) return;
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
      const sentence = problem.message || words.card_unread;
      say(field.textContent.includes(sentence) ? "" : sentence); // once is enough
      field.querySelector("[aria-invalid=true], input")?.focus();
    } finally { asking = false; }
  });
});

// ---- small things
part("[data-fill]", (link) => { // data-fill="#brief" data-text="…" on a link that works without us, too
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const box = document.querySelector(link.dataset.fill);
    box.focus();
    box.select();
    if (!document.execCommand("insertText", false, link.dataset.text)) box.value = link.dataset.text; // keeps undo
    box.setSelectionRange(0, 0);
    box.scrollTop = 0;
  });
});

part("[data-zone]", (select) => { // a select with no choice yet: the browser's own zone
  const name = select.value ? "" : Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!name) return;
  if (![...select.options].some((option) => option.value === name))
    select.add(new Option(name.replaceAll("_", " ").replace(/^.*\//, ""), name));
  select.value = name;
});

// ---- the browser's zone goes into a cookie, so that the next page is in it; its being there also says that scripts run
const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (ownZone) document.cookie = `zone=${ownZone}; path=/; samesite=lax`;

part("[data-zone-unknown]", (box) => { // times that were written before the zone was known are asked for again
  if (ownZone) addEventListener("load", () => box.dispatchEvent(new Event("zone")));
});

part("[data-copy]", (button) => { // data-copy="text"
  if (!navigator.clipboard) { button.hidden = true; return; }
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    fxo.toast(words.copied);
  });
});

// ---- a better list: in place of one that nobody has touched where it comes soon, else it is offered
part("[data-refined]", (form) => { // data-refined="/briefs/1?slots=1&refined=1" data-refined-within="1.5"
  const until = performance.now() + 1000 * Number(form.dataset.refinedWithin), list = form.closest("#results");
  let touched = false;
  const touch = () => { touched = true; };
  for (const kind of ["pointerdown", "keydown", "focusin"]) list.addEventListener(kind, touch, { once: true });
  addEventListener("scroll", touch, { once: true, passive: true });
  form.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status !== 200 || touched || performance.now() > until) return;
    event.detail.shouldSwap = false;
    globalThis.htmx.ajax("GET", form.dataset.refined, { source: list, target: "#results", swap: "outerHTML" });
  });
});

// ---- swaps of htmx: a line at the top of the page while one takes its time, a sentence when it fails
let swaps = 0;
const quiet = ({ detail: { elt } }) => elt.hasAttribute("data-refined") || elt.getAttribute("hx-trigger")?.startsWith("every");
addEventListener("htmx:beforeRequest", (event) => { if (!quiet(event)) document.querySelector("[data-progress]")?.toggleAttribute("data-on", ++swaps > 0); });
addEventListener("htmx:afterRequest", (event) => { if (!quiet(event)) document.querySelector("[data-progress]")?.toggleAttribute("data-on", --swaps > 0); });
for (const failed of ["htmx:sendError", "htmx:responseError", "htmx:timeout"])
  addEventListener(failed, (event) => { if (!quiet(event)) fxo.toast(words.swap_failed); });
addEventListener("fxo:toast", (event) => fxo.toast(event.detail.text ?? event.detail.value)); // HX-Trigger: {"fxo:toast": {"text": "…"}}
