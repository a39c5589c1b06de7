// A week that is painted: with the mouse, a finger, the keyboard. The form's time fields stay the only thing that is sent;
// the picture is made from them, and what is painted is written back into them.

const HALF = 30, DAY = 1440, HALVES = DAY / HALF, DAYS = 7;
const NIGHT_ENDS = 6 * 60, NIGHT_BEGINS = 22 * 60;
const HOLD = 250, WOBBLE = 10; // milliseconds until a finger paints, pixels that it may move until then

// ---- windows: [start, end] in minutes after midnight, in order, apart from each other

/** The windows with this time open as well. */
export function opened(windows, start, end) {
  const all = [...windows, [start, end]].sort((a, b) => a[0] - b[0]);
  const joined = [];
  for (const [from, to] of all) {
    const last = joined.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

/** The windows without this time. */
export function closed(windows, start, end) {
  return windows.flatMap(([from, to]) => [[from, Math.min(to, start)], [Math.max(from, end), to]]).filter(([from, to]) => from < to);
}

/** How much of the half hour is open: 0 nothing, 1 a part, 2 all of it. */
export function filled(windows, half) {
  const from = half * HALF, to = from + HALF;
  const open = windows.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b, to) - Math.max(a, from)), 0);
  return open === 0 ? 0 : open < HALF ? 1 : 2;
}

/** Minutes after midnight of "09:30"; of an end "00:00" is midnight. NaN for anything else. */
export function minutes(text, end = false) {
  const found = /^([01]\d|2[0-3]):([0-5]\d)(:\d\d)?$/.exec(text);
  if (!found) return NaN;
  const value = Number(found[1]) * 60 + Number(found[2]);
  return end && value === 0 ? DAY : value;
}

/** "09:30" of minutes after midnight; midnight at the end of a day is "00:00" in a field and "24:00" for people. */
export const clock = (value, shown = false) =>
  value === DAY && shown ? "24:00" : `${String(Math.floor(value / 60) % 24).padStart(2, "0")}:${String(value % 60).padStart(2, "0")}`;

// ---- the picture

class Week {
  constructor(box) {
    this.box = box;
    this.words = JSON.parse(box.dataset.words);
    this.form = box.closest("form");
    this.fields = [...box.querySelectorAll("fieldset[data-day]")];
    this.names = this.fields.map((set) => set.querySelector("legend").textContent);
    this.shown = 0;
    this.at = { day: 0, half: 18 };
    this.past = [];
    this.read();
    this.build();
    this.paint();
    box.querySelector("[data-week-nights]").checked = this.nightly();
    this.nights();
    for (const part of box.querySelectorAll("[data-week-days], [data-week-tools], [data-week-help]")) part.hidden = false;
    const times = box.querySelector(".week__times");
    times.open = Boolean(times.querySelector("[aria-invalid]"));
    this.listen();
  }

  say(text) { this.box.querySelector("[data-week-say]").textContent = text; }
  fill(name, values) { return this.words[name].replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole); }
  nightly() { return this.week.some((day) => day.some(([from, to]) => from < NIGHT_ENDS || to > NIGHT_BEGINS)); }

  // The fields ------------------------------------------------------------------------------------------------------

  rows(set) { return [...set.querySelectorAll(".week__window")].map((row) => [...row.querySelectorAll("input")]); }

  read() {
    this.week = this.fields.map((set) => this.rows(set).reduce((windows, [start, end]) => {
      const from = minutes(start.value), to = minutes(end.value, true);
      return from < to ? opened(windows, from, to) : windows;
    }, []));
  }

  write() {
    this.fields.forEach((set, day) => {
      const windows = this.week[day];
      while (this.rows(set).length < windows.length) this.another(set);
      this.rows(set).forEach(([start, end], n) => {
        start.value = windows[n] ? clock(windows[n][0]) : "";
        end.value = windows[n] ? clock(windows[n][1]) : "";
      });
    });
    this.form?.dispatchEvent(new Event("input", { bubbles: true }));
  }

  another(set) {
    const rows = [...set.querySelectorAll(".week__window")], row = rows.at(-1).cloneNode(true);
    for (const input of row.querySelectorAll("input")) {
      input.name = input.name.replace(/-\d+-/, `-${rows.length}-`);
      input.setAttribute("aria-label", input.getAttribute("aria-label").replace(/\d+/, rows.length + 1));
    }
    rows.at(-1).after(row);
  }

  // Drawing ---------------------------------------------------------------------------------------------------------

  build() {
    const make = (role, parent, className = "") => {
      const element = document.createElement("div");
      element.setAttribute("role", role);
      if (className) element.className = className;
      parent.append(element);
      return element;
    };
    const place = this.box.querySelector("[data-week-paint]");
    this.grid = make("grid", place, "week-grid");
    this.grid.setAttribute("aria-label", this.box.dataset.label);
    this.grid.setAttribute("aria-multiselectable", "true");
    const head = make("row", this.grid, "week-grid__head");
    const corner = document.createElement("span");
    corner.className = "visually-hidden";
    corner.textContent = this.words.time;
    make("columnheader", head).append(corner);
    this.heads = this.names.map((name, day) => {
      const cell = make("columnheader", head);
      cell.dataset.day = day;
      const title = document.createElement("b"), sum = document.createElement("small");
      title.textContent = name;
      cell.append(title, sum);
      return sum;
    });
    this.cells = this.names.map(() => []);
    for (let half = 0; half < HALVES; half += 1) {
      const from = half * HALF;
      const row = make("row", this.grid, `week-grid__row${half % 2 ? " week-grid__row--half" : ""}${from < NIGHT_ENDS || from >= NIGHT_BEGINS ? " week-grid__row--night" : ""}`);
      const title = make("rowheader", row);
      title.textContent = clock(from);
      for (let day = 0; day < DAYS; day += 1) {
        const cell = make("gridcell", row, "week-grid__cell");
        cell.dataset.day = day;
        cell.dataset.half = half;
        cell.tabIndex = -1;
        this.cells[day].push(cell);
      }
    }
    this.show(this.shown);
  }

  paint(week = this.week) {
    let sum = 0;
    week.forEach((windows, day) => {
      const length = windows.reduce((all, [from, to]) => all + to - from, 0);
      sum += length;
      this.heads[day].textContent = length ? this.fill("hours", { hours: this.hours(length) }) : this.words.empty;
      this.cells[day].forEach((cell, half) => {
        const state = filled(windows, half);
        const from = half * HALF;
        cell.setAttribute("aria-selected", String(state === 2));
        cell.toggleAttribute("data-part", state === 1);
        const where = this.fill("cell", { day: this.names[day], from: clock(from), to: clock(from + HALF, true) });
        cell.setAttribute("aria-label", `${where}, ${[this.words.closed, this.words.part, this.words.open][state]}`);
      });
    });
    this.box.querySelector("[data-week-sum]").textContent = this.fill("sum", { hours: this.hours(sum) });
    this.box.querySelector("[data-week-undo]").disabled = !this.past.length;
    this.stop();
  }

  hours(length) { return (length / 60).toFixed(1).replace(/\.0$/, ""); }

  show(day) {
    this.shown = day;
    this.grid.dataset.shown = day;
    for (const button of this.box.querySelectorAll("[data-show]")) button.setAttribute("aria-pressed", String(Number(button.dataset.show) === day));
    this.box.querySelector("[data-week-copy] span").textContent = this.fill("copy", { day: this.names[day] });
  }

  nights() {
    this.grid.toggleAttribute("data-nights", this.box.querySelector("[data-week-nights]").checked);
    this.stop();
  }

  /** One cell is in the tab order: the one that was left last, or the first that is to be seen. */
  stop() {
    const nights = this.grid.hasAttribute("data-nights");
    if (!nights) this.at.half = Math.min(Math.max(this.at.half, NIGHT_ENDS / HALF), NIGHT_BEGINS / HALF - 1);
    if (getComputedStyle(this.cells[this.at.day][this.at.half]).display === "none") this.at.day = this.shown;
    this.tab?.setAttribute("tabindex", "-1");
    this.tab = this.cells[this.at.day][this.at.half];
    this.tab.tabIndex = 0;
  }

  // Changing --------------------------------------------------------------------------------------------------------

  /** The week with a block of days and half hours open or closed. */
  with(block, open) {
    return this.week.map((windows, day) => day < block.day[0] || day > block.day[1] ? windows
      : (open ? opened : closed)(windows, block.half[0] * HALF, (block.half[1] + 1) * HALF));
  }

  block(one, other) {
    const sorted = (a, b) => [Math.min(a, b), Math.max(a, b)];
    return { day: sorted(one.day, other.day), half: sorted(one.half, other.half) };
  }

  keep(week, said) {
    if (JSON.stringify(week) !== JSON.stringify(this.week)) {
      this.past.push(this.week);
      this.week = week;
      this.write();
    }
    this.paint();
    this.say(said);
  }

  said(block, open) {
    const [first, last] = block.day.map((day) => this.names[day]);
    const days = first === last ? first : this.fill("range", { first, last });
    return this.fill(open ? "opened" : "shut", { days, from: clock(block.half[0] * HALF), to: clock((block.half[1] + 1) * HALF, true) });
  }

  apply(block, open) { this.keep(this.with(block, open), this.said(block, open)); }
  isOpen({ day, half }) { return filled(this.week[day], half) === 2; }

  undo() {
    if (!this.past.length) return;
    this.week = this.past.pop();
    this.write();
    this.paint();
    this.say(this.words.undone);
  }

  copy() {
    const like = this.week[this.shown];
    this.keep(this.week.map((windows, day) => day < 5 ? like.map((window) => [...window]) : windows), this.fill("copied", { day: this.names[this.shown] }));
  }

  // What people do --------------------------------------------------------------------------------------------------

  listen() {
    const { box, grid } = this;
    box.querySelector("[data-week-undo]").addEventListener("click", () => this.undo());
    box.querySelector("[data-week-copy]").addEventListener("click", () => this.copy());
    box.querySelector("[data-week-nights]").addEventListener("change", (event) => { event.stopPropagation(); this.nights(); });
    box.querySelector("[data-week-nights]").addEventListener("input", (event) => event.stopPropagation());
    for (const button of box.querySelectorAll("[data-show]"))
      button.addEventListener("click", () => { this.show(Number(button.dataset.show)); this.at.day = this.shown; this.stop(); });
    box.querySelector(".week__times").addEventListener("input", () => { this.read(); this.paint(); });
    grid.addEventListener("keydown", (event) => this.key(event));
    grid.addEventListener("focusin", ({ target }) => { if (target.dataset.half) { this.at = this.place(target); this.stop(); } });
    grid.addEventListener("pointerdown", (event) => this.down(event));
    grid.addEventListener("pointermove", (event) => this.move(event));
    grid.addEventListener("pointerup", (event) => this.up(event));
    grid.addEventListener("pointercancel", () => this.leave());
    grid.addEventListener("contextmenu", (event) => { if (this.drag) event.preventDefault(); });
    grid.addEventListener("touchmove", (event) => { if (this.drag?.painting) event.preventDefault(); }, { passive: false });
  }

  place(cell) { return { day: Number(cell.dataset.day), half: Number(cell.dataset.half) }; }

  cellAt(event) {
    const found = document.elementFromPoint(event.clientX, event.clientY)?.closest(".week-grid__cell");
    return found && this.grid.contains(found) ? found : null;
  }

  down(event) {
    const cell = event.target.closest(".week-grid__cell");
    if (!cell || event.button !== 0 || !event.isPrimary) return;
    const from = this.place(cell);
    this.drag = { from, to: from, open: !this.isOpen(from), painting: false, x: event.clientX, y: event.clientY };
    if (event.pointerType === "mouse") {
      event.preventDefault();
      cell.focus({ preventScroll: true });
      this.begin();
    } else {
      const drag = this.drag;
      drag.timer = setTimeout(() => { if (this.drag === drag) { this.begin(); navigator.vibrate?.(10); } }, HOLD);
    }
  }

  begin() {
    this.drag.painting = true;
    this.grid.setAttribute("data-painting", "");
    this.paint(this.with(this.block(this.drag.from, this.drag.to), this.drag.open));
  }

  move(event) {
    const { drag } = this;
    if (!drag) return;
    if (!drag.painting) { // the finger wants to scroll
      if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > WOBBLE) this.leave();
      return;
    }
    const cell = this.cellAt(event);
    if (!cell) return;
    drag.to = this.place(cell);
    this.paint(this.with(this.block(drag.from, drag.to), drag.open));
  }

  up() {
    const { drag } = this;
    if (!drag) return;
    this.leave();
    this.at = drag.to;
    this.apply(this.block(drag.from, drag.to), drag.open);
  }

  leave() {
    clearTimeout(this.drag?.timer);
    this.drag = null;
    this.grid.removeAttribute("data-painting");
    this.paint();
  }

  key(event) {
    const step = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0], PageUp: [0, -4], PageDown: [0, 4] }[event.key];
    if ((event.ctrlKey || event.metaKey) && event.key === "z") this.undo();
    else if (event.key === " " || event.key === "Enter") this.apply(this.block(this.at, this.at), !this.isOpen(this.at));
    else if (step) this.go(this.at.day + step[0], this.at.half + step[1], event.shiftKey);
    else if (event.key === "Home") this.go(this.at.day, 0, event.shiftKey);
    else if (event.key === "End") this.go(this.at.day, HALVES - 1, event.shiftKey);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** To another cell; with Shift the way there becomes what this cell is. */
  go(day, half, draw) {
    const [low, high] = this.grid.hasAttribute("data-nights") ? [0, HALVES - 1] : [NIGHT_ENDS / HALF, NIGHT_BEGINS / HALF - 1];
    const from = this.at, open = this.isOpen(from);
    const to = { day: Math.min(Math.max(day, 0), DAYS - 1), half: Math.min(Math.max(half, low), high) };
    if (to.day !== from.day) this.show(to.day);
    this.at = to;
    this.stop();
    if (draw) this.apply(this.block(from, to), open);
    this.tab.focus();
  }
}

for (const box of document.querySelectorAll("[data-week]")) {
  const week = new Week(box);
  const unsaved = document.querySelector("[data-week-unsaved]");
  week.form?.addEventListener("input", () => { if (unsaved) unsaved.hidden = false; });
}
