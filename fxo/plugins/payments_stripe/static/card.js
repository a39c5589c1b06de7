// Stripe's Payment Element: mount() puts it on the page, confirm() turns what was typed there into a token. What is typed stays in
// Stripe's own frames (https://docs.stripe.com/payments/finalize-payments-on-the-server).

let mounted = null;

function load(address) {
  if (window.Stripe) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => {
      script.remove();
      reject(new Error("The card field of Stripe could not be loaded."));
    });
    document.head.append(script);
  });
}

// A colour of the page as red, green and blue, whatever it is written in: one pixel is painted with it.
function painted(element, token) {
  const probe = element.appendChild(document.createElement("span"));
  probe.style.color = `var(${token})`;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const paper = canvas.getContext("2d");
  paper.fillStyle = getComputedStyle(probe).color;
  paper.fillRect(0, 0, 1, 1);
  probe.remove();
  return [...paper.getImageData(0, 0, 1, 1).data].slice(0, 3);
}

// The page's own colours and type, for a frame that cannot see its style sheet.
function appearance(element) {
  const { fontFamily, fontSize } = getComputedStyle(element), css = (token) => `rgb(${painted(element, token).join(", ")})`;
  const dark = painted(element, "--surface").reduce((sum, part) => sum + part) < 384;
  return {
    theme: dark ? "night" : "stripe",
    variables: {
      fontFamily, fontSizeBase: fontSize,
      colorPrimary: css("--accent"), colorText: css("--ink"), colorBackground: css("--surface"), colorDanger: css("--danger"),
    },
  };
}

/**
 * Puts the field into the element. `config`: `publishable_key`, `script`, `shifts` of the provider; `amount` {minor, currency},
 * `holds` (is it held now, or the card only kept?) and `language` of the page.
 */
export async function mount(element, config) {
  await load(config.script);
  const stripe = window.Stripe(config.publishable_key, { locale: config.language ?? "auto" });
  const { minor, currency } = config.amount;
  const how = config.holds
    ? { mode: "payment", amount: Math.round(minor * 10 ** (config.shifts[currency] ?? 0)), captureMethod: "manual", setupFutureUsage: "off_session" }
    : { mode: "setup", setupFutureUsage: "off_session" };
  const elements = stripe.elements({ ...how, currency: currency.toLowerCase(), allowedPaymentMethodTypes: ["card"], appearance: appearance(element) });
  const field = elements.create("payment", { layout: "tabs" });
  const place = document.createElement("div");
  element.replaceChildren(place);
  await new Promise((resolve, reject) => {
    field.on("ready", resolve);
    field.on("loaderror", ({ error }) => reject(new Error(error.message)));
    field.mount(place);
  });
  mounted = { stripe, elements };
}

/** Resolves to `{token}`; rejects with a sentence for people where something is to be mended. */
export async function confirm() {
  if (!mounted) throw new Error("The card field is not on the page.");
  const { stripe, elements } = mounted;
  const { error: incomplete } = await elements.submit();
  if (incomplete) throw new Error(incomplete.message);
  const { error, confirmationToken } = await stripe.createConfirmationToken({ elements });
  if (error) throw new Error(error.message);
  return { token: confirmationToken.id };
}
