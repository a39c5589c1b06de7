// Forms: what HTML can check is said beside the field in the server's sentences, on leaving it and on sending; a form is sent
// once, its button shows that it works, nothing typed is lost by leaving the page or by a lost connection.

const { part, fill, copy, say, words } = globalThis.fxo;
const CONTROLS = "input:not([type=hidden]), select, textarea";
let count = 0;

// ---- sentences
const KINDS = {
  valueMissing: "missing", typeMismatch: "type", tooShort: "short", tooLong: "long",
  rangeUnderflow: "low", rangeOverflow: "high", stepMismatch: "step", patternMismatch: "pattern", badInput: "bad",
};

function sentence(control) {
  const found = Object.keys(KINDS).find((name) => control.validity[name]);
  if (!found) return "";
  const kind = KINDS[found], own = control.dataset[`says${kind[0].toUpperCase()}${kind.slice(1)}`];
  const type = control.matches("select") ? "select" : control.type;
  const usual = words.mend[`${kind}_${type}`] ?? words.mend[kind];
  return fill(own ?? usual, { min: control.min || control.minLength, max: control.max || control.maxLength, have: [...control.value].length });
}

// ---- the place beside the field
function place(control) {
  if (["radio", "checkbox"].includes(control.type)) return control.closest("fieldset.field") ?? control.closest(".field");
  return control.closest(".field") ?? control.closest(".ask");
}

function show(control, text) {
  const field = place(control), group = control.type === "radio" ? [...control.form.elements].filter((one) => one.name === control.name) : [control];
  if (!field) return;
  let error = field.querySelector(":scope > .field__error") ?? (field.matches(".ask") ? field.nextElementSibling?.closest(".field__error") : null);
  if (!text) {
    error?.remove();
    for (const one of group) {
      one.removeAttribute("aria-invalid");
      const rest = (one.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && id !== error?.id);
      if (rest.length) one.setAttribute("aria-describedby", rest.join(" ")); else one.removeAttribute("aria-describedby");
    }
    if (!field.querySelector("[aria-invalid=true]")) { field.classList.remove("field--error"); (field.querySelector(".ask") ?? field).classList.remove("ask--error"); }
    return;
  }
  if (!error) {
    error = copy("field-error");
    error.id = `e-${++count}`;
    if (field.matches(".ask")) field.after(error); else field.append(error);
  }
  error.id ||= `e-${++count}`;
  error.querySelector("span").textContent = text;
  if (field.matches(".field")) field.classList.add("field--error");
  (field.matches(".ask") ? field : field.querySelector(".ask"))?.classList.add("ask--error");
  for (const one of group) {
    one.setAttribute("aria-invalid", "true");
    const ids = new Set((one.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean)).add(error.id);
    one.setAttribute("aria-describedby", [...ids].join(" "));
  }
}

const checked = (control) => control.willValidate && place(control);
const look = (control) => show(control, sentence(control));

part("form", (form) => {
  if (form.hasAttribute("data-plain") || form.noValidate) return;
  const controls = [...form.elements].filter((control) => control.matches(CONTROLS));
  if (!controls.some((control) => control.willValidate && place(control))) return;
  form.noValidate = true; // our sentences in place of the browser's bubbles
  const touched = new WeakSet();
  form.addEventListener("input", (event) => {
    const control = event.target;
    touched.add(control);
    if (control.getAttribute?.("aria-invalid") && checked(control) && control.validity.valid) show(control, "");
  });
  form.addEventListener("focusout", ({ target, relatedTarget }) => {
    if (!target.matches?.(CONTROLS) || !touched.has(target) || !checked(target)) return;
    if (relatedTarget?.name === target.name && target.type === "radio") return;
    if (!target.validity.valid) look(target);
  });
});

addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.noValidate || event.submitter?.formNoValidate || form.hasAttribute("data-plain")) return;
  const wrong = [...form.elements].filter((control) => control.matches(CONTROLS) && checked(control) && !control.validity.valid);
  if (!wrong.length) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  for (const control of wrong) look(control);
  wrong[0].focus();
}, { capture: true });

// ---- sent once, with a button that shows it
addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented) return;
  if (form.dataset.busy) return event.preventDefault();
  form.dataset.busy = "true";
  form.removeAttribute("data-dirty");
  const pressed = event.submitter ?? form.querySelector("button:not([type=button])");
  pressed?.setAttribute("aria-busy", "true");
  if (form.hasAttribute("hx-post") || form.hasAttribute("hx-get"))
    form.addEventListener("htmx:afterRequest", () => { delete form.dataset.busy; pressed?.removeAttribute("aria-busy"); }, { once: true });
});
addEventListener("pageshow", (event) => { // back again from the next page: everything may be used again
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-busy]")) delete form.dataset.busy;
  for (const busy of document.querySelectorAll("button[aria-busy]")) busy.removeAttribute("aria-busy");
  for (const token of document.querySelectorAll("input[name=method_token]")) token.value = "";
});

// ---- a long form asks before what was typed is left behind
part("form[data-unsaved]", (form) => form.addEventListener("input", () => form.setAttribute("data-dirty", "")));
addEventListener("beforeunload", (event) => { if (document.querySelector("form[data-dirty]")) event.preventDefault(); });

// ---- no connection: say so, and let nothing be sent into the void
const offline = document.querySelector("[data-offline]");
let away = false;

async function reachable() {
  if (navigator.onLine) return true;
  try { return (await fetch(offline.dataset.offline, { method: "HEAD", cache: "no-store" })).ok; } catch { return false; }
}
async function whether() {
  const now = !(await reachable());
  if (now === away) return;
  away = now;
  offline.hidden = !away;
  say(away ? offline.textContent.trim() : words.online);
}
if (offline) {
  for (const change of ["offline", "online"]) addEventListener(change, whether);
  whether();
  addEventListener("submit", (event) => {
    if (!away || event.target.method === "get" || event.target.matches("[data-theme-form]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    globalThis.fxo.toast(words.not_sent);
    whether();
  }, { capture: true });
}

// ---- the first mistake of a form that came back
document.querySelector("main form [aria-invalid=true]")?.focus();
