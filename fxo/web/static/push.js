// "Notify me in this browser": asks the browser for a subscription and sends it with the form. Without this file there is no button.

const form = document.querySelector("[data-push]");

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

async function subscribe() {
  const worker = await navigator.serviceWorker.register("/push-worker.js");
  await navigator.serviceWorker.ready;
  const key = bytes(form.dataset.push);
  const earlier = await worker.pushManager.getSubscription();
  if (earlier) await earlier.unsubscribe(); // it may have been made with another key
  return worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

if (!("serviceWorker" in navigator) || !("PushManager" in window)) {
  form.hidden = true;
} else {
  form.addEventListener("submit", async (event) => {
    if (form.elements.subscription.value) return;
    event.preventDefault();
    try {
      form.elements.subscription.value = JSON.stringify(await subscribe());
      form.requestSubmit();
    } catch {
      form.querySelector("[data-push-refused]").hidden = false;
    }
  });
}
