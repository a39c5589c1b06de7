// Menus, dialogs, sheets, help, tooltips, tabs and toasts: markup that works without scripts is handed to Bootstrap's plugins,
// which look after focus, Escape and arrow keys. Folding parts (collapse) and sheets need nothing here: their markup is Bootstrap's.

const { part, say, words } = globalThis.fxo;
const { Modal, Offcanvas, Tab, Toast, Tooltip } = globalThis.bootstrap;
const attached = []; // [what opens it, what it opens], where the second was moved to the foot of the page
let count = 0;

/** A button in the place of a <details>, with what its <summary> held; what it opens is taken out first. */
function button(details, attributes) {
  const made = document.createElement("button"), summary = details.querySelector("summary");
  made.type = "button";
  made.className = summary.className;
  for (const { name, value } of summary.attributes) if (name.startsWith("aria-")) made.setAttribute(name, value);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...summary.childNodes);
  return made;
}

/** Controls that leave their form stay its own. */
function keepForm(body, form) {
  if (!form) return;
  form.id ||= `form-${++count}`;
  for (const control of body.querySelectorAll("button, input, select, textarea"))
    if (!control.closest("form") || control.closest("form") === form) control.setAttribute("form", form.id);
}

part("details[data-menu]", (details) => {
  const box = document.createElement("div"), menu = details.querySelector(".menu");
  box.className = details.className;
  menu.classList.add("dropdown-menu");
  box.append(button(details, { "data-bs-toggle": "dropdown", "aria-expanded": "false" }), menu);
  details.replaceWith(box);
});

part("details[data-dialog]", (details) => {
  const body = details.querySelector(".dialog"), modal = document.createElement("div"), open = details.open;
  modal.id = `dialog-${++count}`;
  modal.className = "modal fade";
  modal.tabIndex = -1;
  modal.setAttribute("aria-hidden", "true");
  modal.setAttribute("aria-labelledby", body.getAttribute("aria-labelledby"));
  body.removeAttribute("aria-labelledby");
  keepForm(body, details.closest("form"));
  for (const close of body.querySelectorAll("[data-close]")) close.dataset.bsDismiss = "modal";
  modal.innerHTML = '<div class="modal-dialog"></div>';
  modal.firstChild.append(body);
  const opener = button(details, { "data-bs-toggle": "modal", "data-bs-target": `#${modal.id}`, "aria-haspopup": "dialog" });
  details.replaceWith(opener);
  document.body.append(modal);
  attached.push([opener, modal]);
  if (open) new Modal(modal).show(opener);
});

part("details[data-help]", (details) => {
  const panel = document.createElement("div"), title = document.createElement("h2"), head = document.createElement("div");
  const close = document.createElement("button"), opener = button(details, {});
  panel.id = `help-${++count}`;
  panel.className = "offcanvas offcanvas-end help-panel";
  panel.tabIndex = -1;
  panel.setAttribute("aria-labelledby", title.id = `${panel.id}-title`);
  title.textContent = opener.textContent.trim();
  head.className = "help-panel__head";
  close.type = "button";
  close.className = "button button--quiet button--icon";
  close.dataset.bsDismiss = "offcanvas";
  close.setAttribute("aria-label", details.dataset.help);
  close.append(globalThis.fxo.copy("close"));
  head.append(title, close);
  panel.append(head, ...details.querySelector(".help__body").childNodes);
  opener.className = "help-link";
  opener.dataset.bsToggle = "offcanvas";
  opener.dataset.bsTarget = `#${panel.id}`;
  opener.setAttribute("aria-haspopup", "dialog");
  details.replaceWith(opener);
  document.body.append(panel);
  attached.push([opener, panel]);
});

addEventListener("htmx:afterSettle", () => { // what opened it was swapped for something newer
  for (const [opener, opened] of attached) if (!opener.isConnected && !opened.classList.contains("show")) opened.remove();
});

part(".sheet", (sheet) => { // reached by its address, as without scripts
  if (location.hash !== `#${sheet.id}`) return;
  history.replaceState(null, "", location.pathname + location.search);
  if (getComputedStyle(sheet).position === "fixed") Offcanvas.getOrCreateInstance(sheet).show();
});

part("[data-tip]", (tip) => { // the whole of it is the anchor, so that the pointer may move onto the text
  const text = tip.querySelector(".tooltip");
  text.hidden = true;
  new Tooltip(tip, { title: text.textContent, container: tip, trigger: "hover focus", template: '<div class="tooltip tooltip--float" role="tooltip"><div class="tooltip-inner"></div></div>' });
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const tip of document.querySelectorAll("[data-tip]")) Tooltip.getInstance(tip)?.hide();
});

part("[data-tabs]", (box) => {
  const list = box.querySelector(".tabs"), tabs = [...list.querySelectorAll("a")];
  list.setAttribute("role", "tablist");
  for (const tab of tabs) {
    tab.role = "tab";
    tab.dataset.bsToggle = "tab";
    tab.setAttribute("aria-controls", tab.hash.slice(1));
    document.querySelector(tab.hash).setAttribute("role", "tabpanel");
    document.querySelector(tab.hash).tabIndex = 0;
  }
  box.dataset.tabs = "on";
  Tab.getOrCreateInstance(tabs.find((tab) => tab.hash === location.hash) ?? tabs[0]).show();
});

part("[data-toast]", (toast) => {
  if (toast.closest("[data-sample]")) return;
  new Toast(toast, { autohide: !toast.querySelector("[data-undo]"), delay: 8000 }).show();
  say(toast.querySelector("[data-undo]") ? `${toast.querySelector("[data-toast-text]").textContent} ${words.undo_key}` : toast.querySelector("[data-toast-text]").textContent);
});
