// The branding form's live preview: words, letter, logo and colour are shown as they are typed, in light and in dark.
// Without this file the Preview button asks the server for the same.

const form = document.querySelector("[data-branding]");
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const value = (name) => form.elements[name]?.value.replace(/\s+/g, " ").trim() ?? "";

// ---- colour: the one custom property that tokens.css computes everything else from
const scopes = all(".brand-scope");
const picker = form.querySelector("[data-pick-colour]"), typed = form.querySelector("[data-colour]");
const own = typed.placeholder;

function hex(text) {
  let digits = text.trim().replace(/^#/, "").toLowerCase();
  if (/^[0-9a-f]{3}$/.test(digits)) digits = [...digits].map((digit) => digit + digit).join("");
  return /^[0-9a-f]{6}$/.test(digits) ? `#${digits}` : "";
}

const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
function luminance(colour) { // of any colour that CSS can say, as it is painted
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return ((high + 0.05) / (low + 0.05)).toFixed(1);
}

const checks = document.querySelector("[data-checks]");
function measure() {
  const of = (theme, name) => getComputedStyle(document.querySelector(`.ramp[data-theme=${theme}] .ramp__${name}`));
  const ground = (theme) => getComputedStyle(document.querySelector(`.ramp[data-theme=${theme}]`)).backgroundColor;
  const found = (theme) => ({
    label: contrast(of(theme, "fill").color, of(theme, "fill").backgroundColor),
    text: contrast(of(theme, "text").color, ground(theme)),
    edge: contrast(of(theme, "edge").backgroundColor, ground(theme)),
  });
  const light = found("light"), dark = found("dark");
  for (const out of all("[data-check]", checks))
    out.textContent = checks.dataset.checks.replace("{light}", light[out.dataset.check]).replace("{dark}", dark[out.dataset.check]);
}

function paint(colour) {
  for (const scope of scopes) scope.style.setProperty("--brand", colour);
  measure();
}
picker.addEventListener("input", () => { typed.value = picker.value; paint(picker.value); });
typed.addEventListener("input", () => {
  const colour = hex(typed.value) || (typed.value.trim() ? "" : own);
  if (colour) { picker.value = colour; paint(colour); }
});

// ---- words
function speak() {
  for (const out of all("[data-preview]")) out.textContent = value(out.dataset.preview) || out.dataset.own;
  for (const out of all("[data-preview-tagline]")) out.textContent = value("tagline") ? `: ${value("tagline")}` : "";
  for (const out of all("[data-preview-letter]")) out.textContent = (value("logo_text") || value("portal_name") || "?").slice(0, 1).toUpperCase();
  const titles = all("[name^=example-][name$=-title]", form).map((field) => field.value.trim()).filter(Boolean);
  for (const box of all("[data-preview-examples]"))
    box.replaceChildren(...(titles.length ? titles : JSON.parse(box.dataset.own)).map((title) => {
      const line = sample.cloneNode(true);
      line.querySelector("span").textContent = title;
      return line;
    }));
}
const sample = document.querySelector("[data-preview-examples] > *");
form.addEventListener("input", speak);

// ---- how many characters there are
for (const box of all("[data-counted]", form)) {
  const field = box.querySelector("input, textarea"), hint = box.querySelector(".field__hint"), most = Number(box.dataset.counted);
  const rest = hint.textContent.slice(hint.textContent.indexOf(".") + 1);
  field.addEventListener("input", () => {
    const used = [...field.value].length;
    hint.textContent = box.dataset.words.replace("{used}", used).replace("{most}", most) + rest;
    hint.toggleAttribute("data-over", used > most);
  });
}

// ---- logo: shown from the file itself, which is sent on publishing
const upload = form.querySelector("[data-upload]"), file = upload.querySelector("input[type=file]");
const error = form.querySelector("[data-upload-error]"), without = form.querySelector("[data-no-logo]");
const standing = form.querySelector("[data-preview-logo]").getAttribute("src");

function picture(source) {
  for (const image of all("[data-preview-logo]")) { image.hidden = !source; if (source) image.src = source; }
  for (const letter of all("[data-preview-letter]")) letter.hidden = !!source;
}
function shown() {
  const chosen = file.files[0];
  const tooLarge = chosen && chosen.size > Number(upload.dataset.upload);
  error.hidden = !tooLarge;
  error.querySelector("span").textContent = tooLarge ? upload.dataset.tooLarge : "";
  error.closest(".field").classList.toggle("field--error", !!tooLarge);
  file.toggleAttribute("aria-invalid", !!tooLarge);
  if (tooLarge) { file.value = ""; return; }
  if (chosen) {
    const reader = new FileReader();
    reader.addEventListener("load", () => picture(reader.result));
    reader.readAsDataURL(chosen);
  } else picture(without?.checked || standing === "data:," ? "" : standing);
}
file.addEventListener("change", shown);
without?.addEventListener("change", () => { if (without.checked) file.value = ""; shown(); });

// ---- a section that the address names is opened
const wanted = location.hash && document.querySelector(location.hash);
wanted?.closest("section")?.querySelector("details")?.setAttribute("open", "");

measure();
