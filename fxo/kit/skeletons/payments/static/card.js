// The card field: mount() draws it, confirm() gives the token of the card. A real company's own field goes in here.

let chosen = null;

export function mount(element, config) {
  const label = document.createElement("label");
  chosen = document.createElement("select");
  chosen.className = "input";
  for (const { token, does } of config.cards) chosen.append(new Option(does, token));
  label.append("Test card", chosen);
  element.replaceChildren(label);
}

/** Resolves to `{token}`. */
export async function confirm() {
  if (!chosen) throw new Error("The card field is not on the page.");
  return { token: chosen.value };
}
