// Works out the server's puzzle (ALTCHA, version 2) while a form that asks for one is filled in: a counter whose key,
// derived by PBKDF2, begins as asked. Without this script, or where the browser has no Web Crypto, as on an
// unencrypted page, the form is sent without a solution, and stricter limits apply.
(() => {
  "use strict";

  const tries = 4;

  for (const form of document.querySelectorAll("form[data-challenge]")) attach(form);

  function attach(form) {
    const field = Object.assign(document.createElement("input"), { type: "hidden", name: "altcha" });
    const status = document.createElement("p");
    status.setAttribute("role", "status");
    form.append(field, status);
    let ready = false;
    let pressed = null;

    async function start() {
      ready = false;
      pressed = null;
      field.value = "";
      status.textContent = "";
      field.value = await solve(form.dataset.challenge).catch(() => "");
      ready = true;
      if (pressed) form.requestSubmit(pressed.by);
    }

    void start();
    // A page that comes back from history holds a proof that was used.
    addEventListener("pageshow", (event) => event.persisted && void start());
    form.addEventListener("submit", (event) => {
      if (ready) return;
      event.preventDefault();
      pressed = { by: event.submitter };
      status.textContent = t("script.proof");
    });
  }

  /** @returns the payload: base64 of the challenge and its solution as JSON */
  async function solve(url) {
    const response = await fetch(url, { cache: "no-store", credentials: "omit" });
    if (!response.ok) throw new Error(`The challenge answered ${response.status}.`);
    const challenge = await response.json();
    const first = { found: null };
    await Promise.all(Array.from({ length: tries }, (_, lane) => search(challenge.parameters, lane, first)));
    return btoa(JSON.stringify({ challenge, solution: first.found }));
  }

  /** Every fourth counter, so that four of these keep as many threads busy; the page itself does not notice. */
  async function search({ algorithm, cost, keyLength, keyPrefix, nonce, salt }, lane, first) {
    const rule = { name: "PBKDF2", hash: algorithm.split("/")[1], salt: fromHex(salt), iterations: cost };
    const password = new Uint8Array([...fromHex(nonce), 0, 0, 0, 0]);
    const last = new DataView(password.buffer, password.length - 4);
    for (let counter = lane; first.found === null; counter += tries) {
      last.setUint32(0, counter);
      const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
      const derivedKey = toHex(await crypto.subtle.deriveBits(rule, key, keyLength * 8));
      if (derivedKey.startsWith(keyPrefix)) first.found ??= { counter, derivedKey };
    }
  }

  function fromHex(text) {
    return Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
  }

  function toHex(buffer) {
    return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
})();
