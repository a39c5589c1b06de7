// The sandbox's card field: mount() draws it, confirm() turns what was typed into a token. Card details go to the network only.

const FIELDS = [
  { name: "number", label: "Card number", autocomplete: "cc-number", hint: "1234 1234 1234 1234", longest: 23, empty: "Enter the card number." },
  { name: "exp", label: "Expires", autocomplete: "cc-exp", hint: "MM / YY", longest: 9, empty: "Enter the expiry date, such as 09 / 28." },
  { name: "cvc", label: "Security code", autocomplete: "cc-csc", hint: "3 digits", longest: 4, empty: "Enter the security code." },
];

let mounted = null;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function field(spec) {
  const id = `sandbox-${spec.name}`;
  const input = make("input", {
    class: "input", id, type: "text", inputmode: "numeric", autocomplete: spec.autocomplete, placeholder: spec.hint,
    maxlength: spec.longest, "aria-required": "true", spellcheck: "false", "aria-describedby": `${id}-error`,
  });
  const error = make("p", { class: "field__error", id: `${id}-error`, role: "alert", hidden: "" });
  const root = make("div", { class: "field" }, make("label", { for: id }, spec.label), input, error);
  const complain = (sentence) => {
    error.textContent = sentence;
    error.hidden = !sentence;
    root.classList.toggle("field--error", Boolean(sentence));
    if (sentence) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  input.addEventListener("input", () => complain(""));
  return { spec, root, input, complain };
}

// Groups digits as on the card. Only at the end of the text, so that a cursor in the middle stays where it is.
function groupAsTyped({ input, spec }) {
  input.addEventListener("input", (event) => {
    const typing = !(event.inputType ?? "").startsWith("delete") && input.selectionStart === input.value.length;
    if (!typing) return;
    if (spec.name === "number") input.value = digitsOf(input.value).slice(0, 19).replace(/(\d{4})(?=\d)/g, "$1 ");
    if (spec.name === "exp") input.value = groupExpiry(input.value);
  });
}

const digitsOf = (text) => text.replace(/\D/g, "");

// "9" becomes "09 / ", "1130" becomes "11 / 30", "1/2030" becomes "01 / 2030"; a lone "0" or "1" waits for what follows.
function groupExpiry(text) {
  const [before, after] = text.split("/");
  let [month, year] = [digitsOf(before), digitsOf(after ?? "")];
  if (after === undefined) {
    if (/^[01]?$/.test(month)) return month;
    const length = /^[2-9]/.test(month) ? 1 : 2;
    [month, year] = [month.slice(0, length), month.slice(length)];
  }
  return `${month.slice(0, 2).padStart(2, "0")} / ${year.slice(0, 4)}`;
}

function testCards(cards, fill) {
  const rows = cards.map((card) => {
    const use = make("button", { class: "link-button", type: "button" }, card.number);
    use.addEventListener("click", () => fill(card.number));
    return make("li", { class: "cluster cluster--tight" }, use, make("span", { class: "small muted" }, card.does));
  });
  return make("details", {}, make("summary", { class: "link-button" }, "Test cards"), make("ul", { class: "stack stack--1" }, ...rows));
}

/** Draws the card field into the element. `config` is the provider's public configuration: `tokens_url`, `test_cards`. */
export function mount(element, config) {
  const fields = FIELDS.map(field);
  fields.forEach(groupAsTyped);
  const [number, expiry, code] = fields;
  const parts = [number.root, make("div", { class: "field-row" }, expiry.root, code.root)];
  if (config.test_cards?.length) {
    parts.push(testCards(config.test_cards, (digits) => {
      const inTwoYears = String((new Date().getFullYear() + 2) % 100).padStart(2, "0");
      [digits, `12 / ${inTwoYears}`, "123"].forEach((value, place) => { fields[place].input.value = value; fields[place].complain(""); });
    }));
  }
  element.replaceChildren(make("div", { class: "stack", role: "group", "aria-label": "Card details" }, ...parts));
  mounted = { fields, config };
}

function refuse(name, sentence) {
  const wrong = mounted.fields.find((each) => each.spec.name === name) ?? mounted.fields[0];
  wrong.complain(sentence);
  wrong.input.focus();
  throw new Error(sentence);
}

/** Resolves to `{token}`. Where something is to be mended, shows it beside the input and rejects with the same sentence. */
export async function confirm() {
  if (!mounted) throw new Error("The card field is not on the page.");
  const { fields, config } = mounted;
  for (const { spec, input } of fields) if (!input.value.trim()) refuse(spec.name, spec.empty);
  const [number, expiry, code] = fields.map(({ input }) => input.value.trim());
  const [month = "", year = ""] = expiry.split("/").map((part) => part.trim());
  let response;
  try {
    response = await fetch(config.tokens_url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ number, exp_month: month, exp_year: year, cvc: code }),
    });
  } catch {
    return refuse("number", "The card network does not answer. Nothing was charged; please try again.");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok || !answer.token) {
    refuse(answer.field, answer.message ?? "The card could not be checked. Nothing was charged; please try again.");
  }
  return { token: answer.token };
}
