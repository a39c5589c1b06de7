// The command menu: a combobox over the entries that the server wrote into it. Bootstrap's modal looks after focus and Escape.

const { part } = globalThis.fxo;

part("[data-commands]", (box) => {
  const input = box.querySelector("input"), none = box.querySelector("[data-none]");
  const options = [...box.querySelectorAll("[role=option]")], groups = [...box.querySelectorAll("[role=group]")];
  const labels = new Map(options.map((option) => [option, option.querySelector("[data-label]").textContent]));
  const said = new Map(options.map((option) => [option, option.textContent.toLocaleLowerCase()]));
  let shown = options, chosen = -1;

  function choose(index) {
    options.forEach((option) => option.setAttribute("aria-selected", "false"));
    chosen = shown.length ? (index + shown.length) % shown.length : -1;
    if (chosen < 0) return input.removeAttribute("aria-activedescendant");
    shown[chosen].setAttribute("aria-selected", "true");
    shown[chosen].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", shown[chosen].id);
  }

  function mark(option, wanted) { // what was found, in the label
    const out = option.querySelector("[data-label]"), text = labels.get(option), at = wanted.map((word) => [text.toLocaleLowerCase().indexOf(word), word.length]);
    out.replaceChildren();
    let from = 0;
    for (const [start, length] of at.filter(([start]) => start >= 0).sort((one, other) => one[0] - other[0])) {
      if (start < from) continue;
      const found = document.createElement("mark");
      found.textContent = text.slice(start, start + length);
      out.append(text.slice(from, start), found);
      from = start + length;
    }
    out.append(text.slice(from));
  }

  function search() {
    const wanted = input.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    shown = options.filter((option) => wanted.every((word) => said.get(option).includes(word)));
    for (const option of options) option.hidden = !shown.includes(option), mark(option, wanted);
    for (const group of groups) group.hidden = !group.querySelector("[role=option]:not([hidden])");
    none.hidden = shown.length > 0;
    choose(0);
  }

  const go = (option) => { if (option?.dataset.url) location.assign(option.dataset.url); };
  input.addEventListener("input", search);
  input.addEventListener("keydown", (event) => {
    const moves = { ArrowDown: chosen + 1, ArrowUp: chosen - 1, Home: 0, End: -1 };
    if (event.key in moves) choose(moves[event.key]);
    else if (event.key === "Enter") go(shown[chosen]);
    else return;
    event.preventDefault();
  });
  box.addEventListener("click", (event) => go(event.target.closest("[role=option]")));
  box.addEventListener("mousemove", (event) => {
    const index = shown.indexOf(event.target.closest("[role=option]"));
    if (index >= 0 && index !== chosen) choose(index);
  });
  const modal = box.closest(".modal");
  modal?.addEventListener("show.bs.modal", () => { input.value = ""; search(); });
  modal?.addEventListener("shown.bs.modal", () => input.focus());
  search();
});

part("[data-command-trigger]", (trigger) => {
  const mac = /Mac|iP/.test(navigator.platform), key = trigger.querySelector("[data-command-key]");
  if (mac && key) key.textContent = "⌘ K";
  addEventListener("keydown", (event) => {
    if (event.key !== "k" || !(mac ? event.metaKey : event.ctrlKey) || event.shiftKey || event.altKey) return;
    event.preventDefault();
    globalThis.bootstrap.Modal.getOrCreateInstance(trigger.dataset.bsTarget).toggle(trigger);
  });
});
