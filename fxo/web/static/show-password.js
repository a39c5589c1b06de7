// A password can be looked at while it is typed, and is hidden again before it is sent, so that browsers keep it as one.

globalThis.fxo.part("[data-show-password]", (button) => {
  const input = document.getElementById(button.getAttribute("aria-controls"));
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.toggleAttribute("data-shown", shown);
  };
  button.addEventListener("click", () => { show(input.type === "password"); input.focus(); });
  input.form?.addEventListener("submit", () => show(false));
});
