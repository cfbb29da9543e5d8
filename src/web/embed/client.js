/*
 * The sign-up box of /embed.js, in the article pages of other sites. It is served as it stands, with what the server
 * knows in place of SETTINGS, and its texts, which t() marks, in the publication's language. Plain ASCII, since a page
 * may be in any charset; no cookie, no storage, no markup from strings, and a constructed style sheet, so that the
 * page's policy need allow only this script and requests to its server.
 */
((settings) => {
  "use strict";

  const { name, language, wording, policies, accent, hidden } = settings;

  const css = `
    :host { display: block; margin: 24px 0;
      --paper: var(--dayletter-paper, light-dark(#fffdf8, #191713));
      --ink: var(--dayletter-ink, light-dark(#1f1c17, #ece6da));
      --soft: light-dark(#645d52, #aaa193);
      --rule: light-dark(#d9d2c4, #423c32);
      --accent: light-dark(${accent.light}, ${accent.dark});
      --on-accent: light-dark(#fffdf8, #191713); }
    :host([theme=light]) { color-scheme: light; }
    :host([theme=dark]) { color-scheme: dark; }
    * { box-sizing: border-box; margin: 0; }
    form { all: initial; display: block; color-scheme: inherit; padding: 16px; background: var(--paper); color: var(--ink); overflow-wrap: anywhere;
      border: solid var(--rule); border-width: 1px 0; border-top: 4px solid var(--accent);
      font: 16px/24px var(--dayletter-font, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif); }
    p, fieldset, .row { margin: 8px 0 0; }
    .title { margin: 0; font: bold 20px/28px var(--dayletter-font, Georgia, "Times New Roman", serif); }
    .note { color: var(--soft); font-size: 14px; line-height: 20px; }
    .wrong { font-weight: 600; }
    fieldset { padding: 0; border: 0; min-width: 0; }
    legend { padding: 0; color: var(--soft); font-size: 14px; }
    .choice { display: inline-flex; align-items: center; gap: 8px; min-height: 32px; margin-right: 24px; }
    .choice input { flex: none; width: 16px; height: 16px; accent-color: var(--accent); }
    .choice:has(:disabled) { color: var(--soft); text-decoration: line-through; }
    .row { display: flex; flex-wrap: wrap; gap: 8px; }
    .row input { flex: 1 1 208px; min-width: 0; min-height: 44px; padding: 8px 12px; font: inherit; color: inherit;
      background: transparent; border: 1px solid var(--soft); border-radius: 2px; }
    button { min-height: 44px; padding: 8px 24px; font: inherit; font-weight: 600; cursor: pointer; border-radius: 2px;
      border: 1px solid var(--accent); background: var(--accent); color: var(--on-accent); }
    [aria-disabled=true] { opacity: .6; cursor: default; }
    a { color: inherit; }
    :focus-visible { outline: 2px solid var(--ink); outline-offset: 2px; }
    [role=status]:empty { margin: 0; }
    .wrong:empty, .done > :not(.title, [role=status]) { display: none; }
    .trap { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }`;

  const running = document.currentScript;
  for (const script of running ? [running] : document.querySelectorAll('script[src*="/embed.js"]')) place(script);

  /** Puts the box behind its script, or into the element that `data-target` names; once, whatever runs again. */
  function place(script) {
    const { target } = script.dataset;
    const spot = target ? document.getElementById(target) : script;
    if (!document.body?.contains(spot)) {
      if (document.readyState !== "loading") return;
      document.addEventListener("DOMContentLoaded", () => place(script), { once: true });
      return;
    }
    const there = target ? spot.firstElementChild : spot.nextElementSibling;
    const host = there?.localName === "dayletter-box" ? there : document.createElement("dayletter-box");
    if (host.shadowRoot) return;
    if (target) spot.replaceChildren(host);
    else spot.after(host);
    fill(host, script);
  }

  function fill(host, { src, dataset }) {
    const base = new URL(".", src);
    const tags = readTags(dataset.tags ?? "");
    const root = host.attachShadow({ mode: "open" });
    dress(host, root, dataset);

    const lang = dataset.lang || document.documentElement.lang || "en";
    const field = h("input", {
      id: "address",
      name: "address",
      type: "email",
      autocomplete: "email",
      required: true,
      "aria-describedby": "wrong",
    });
    const boxesOfTags = tags.map((tag) => h("input", { type: "checkbox", value: tag, checked: true }));
    const all = h("input", { type: "checkbox", checked: tags.length === 0 });
    const trap = h("input", { name: "website", tabIndex: -1, autocomplete: "off" });
    const wrong = h("p", { id: "wrong", className: "wrong" });
    const status = h("p", { role: "status", tabIndex: -1 });
    const button = h("button", { type: "submit" }, dataset.button || t("embed.submit"));
    const sample = h("a", { target: "_blank", rel: "noopener" }, t("sample.title"));
    const choice = (input, ...label) => h("label", { className: "choice" }, input, h("span", {}, ...label));
    const form = h(
      "form",
      { noValidate: true, lang: language, method: "post", action: at("subscribe"), "aria-labelledby": "title" },
      h(
        "p",
        { id: "title", className: "title", lang: dataset.label ? lang : language },
        dataset.label || t("embed.heading").replace("{publication}", () => name),
      ),
      h(
        "fieldset",
        {},
        h("legend", {}, tags.length > 0 ? t("embed.page_tags") : t("embed.legend")),
        ...boxesOfTags.map((input) => choice(input, h("bdi", { lang }, input.value))),
        choice(all, t("embed.all")),
      ),
      h("p", {}, h("label", { htmlFor: "address" }, t("embed.address"))),
      h("div", { className: "row" }, field, button),
      h("div", { className: "trap", "aria-hidden": "true" }, h("label", {}, t("form.trap"), " ", trap)),
      wrong,
      status,
      h("p", { className: "note" }, wording, ...policies.flatMap(({ label, url }) => [" ", policy(label, url)])),
      h("p", { className: "note" }, sample),
    );
    root.append(form);

    const chosen = () => boxesOfTags.filter((input) => input.checked).map((input) => input.value);
    const showSample = () => (sample.href = withTags("sample", all.checked ? [] : chosen()));
    showSample();
    form.addEventListener("change", showSample);

    // The page asks the server for nothing before somebody turns to the box.
    let pass = null;
    form.addEventListener("focusin", () => getPass().catch(() => (pass = null)));

    function getPass() {
      pass ??= ask("embed/form").then(({ data }) => ({ ...data, readyAt: performance.now() + data.waitMs }));
      return pass;
    }

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (button.ariaDisabled === "true") return;
      say("");
      if (!field.validity.valid) return complain(t("embed.bad_address"));
      if (!all.checked && chosen().length === 0) return say(t("embed.no_tag"));
      button.ariaDisabled = "true";
      say(t("embed.sending"));
      send()
        .then(tell)
        .catch(() => {
          pass = null;
          sayWithLink(t("embed.not_sent"), t("embed.our_page"));
        })
        .finally(() => (button.ariaDisabled = "false"));
    });

    async function send() {
      const { t, challenge, readyAt } = await getPass();
      const [altcha] = await Promise.all([challenge ? prove() : "", pause(readyAt - performance.now())]);
      const order = {
        address: field.value,
        tags: all.checked ? [] : chosen(),
        allTags: all.checked,
        formUrl: location.origin + location.pathname,
        website: trap.value,
        t,
      };
      const answer = await ask("subscribe", { ...order, altcha });
      if (altcha || !answer.data.details?.challenge) return answer;
      return ask("subscribe", { ...order, altcha: await prove() });
    }

    function tell({ ok, data }) {
      const { details = {} } = data;
      if (ok) {
        form.className = "done";
        say(data.message);
        status.focus();
        return;
      }
      if (details.again) pass = null;
      for (const input of boxesOfTags) {
        if (details.unknown?.includes(input.value)) input.checked = !(input.disabled = true);
      }
      showSample();
      if (details.field === "address") complain(data.detail);
      else sayWithLink(data.detail ?? t("embed.failed"), t("embed.sign_up_page"));
    }

    function say(text) {
      wrong.textContent = "";
      field.ariaInvalid = "false";
      status.textContent = text;
    }

    function complain(text) {
      say("");
      wrong.textContent = text;
      field.ariaInvalid = "true";
      field.focus();
    }

    function sayWithLink(text, label) {
      say(`${text} `);
      const href = withTags("subscribe", chosen());
      status.append(h("a", { href, target: "_blank", rel: "noopener" }, label));
    }

    function at(path) {
      return new URL(path, base).href;
    }

    /** Each tag in a field of its own, for there may be commas in it. */
    function withTags(path, names) {
      return at(names.length > 0 ? `${path}?${names.map((tag) => `tags=${encodeURIComponent(tag)}`).join("&")}` : path);
    }

    /** A GET, or a POST of JSON. No credentials, so that nothing the browser keeps for us goes along. */
    async function ask(path, body) {
      const response = await fetch(at(path), {
        method: body ? "POST" : "GET",
        headers: { accept: "application/json", ...(body && { "content-type": "application/json" }) },
        body: body && JSON.stringify(body),
        credentials: "omit",
        referrerPolicy: "no-referrer",
        cache: "no-store",
        signal: AbortSignal.timeout(20_000),
      });
      return { ok: response.ok, data: await response.json().catch(() => ({})) };
    }

    /** Works out the server's puzzle, as altcha-lib 2 sets it: the counter whose key begins as asked. */
    async function prove() {
      const { data: challenge } = await ask("challenge");
      const { algorithm, cost, keyLength, keyPrefix, nonce, salt } = challenge.parameters;
      const [, hash] = algorithm.split("/");
      const password = new Uint8Array([...bytes(nonce), 0, 0, 0, 0]);
      const last = new DataView(password.buffer, password.length - 4);
      for (let counter = 0; ; counter += 1) {
        last.setUint32(0, counter);
        const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
        const rule = { name: "PBKDF2", hash, salt: bytes(salt), iterations: cost };
        const derivedKey = hex(await crypto.subtle.deriveBits(rule, key, keyLength * 8));
        if (derivedKey.startsWith(keyPrefix))
          return btoa(JSON.stringify({ challenge, solution: { counter, derivedKey } }));
      }
    }
  }

  /** Look: theme and colour, and white or black on that colour, whichever reads better (WCAG 2.2, 1.4.3). */
  function dress(host, root, { theme, accent: own }) {
    if (theme) host.setAttribute("theme", theme);
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
      root.adoptedStyleSheets = [sheet];
    } catch {
      root.append(h("style", {}, css));
    }
    if (!own || !CSS.supports("color", own)) return;
    host.style.setProperty("color", own);
    const [r, g, b] = (
      getComputedStyle(host)
        .color.match(/^rgba?\(\d+, \d+, \d+/)?.[0]
        .match(/\d+/g) ?? [0, 0, 0]
    ).map((part) => (part / 255) ** 2.2);
    host.style.removeProperty("color");
    host.style.setProperty("--accent", own);
    host.style.setProperty("--on-accent", 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#000" : "#fff");
  }

  /** `lg u+, huawei`, or JSON where a tag has a comma: `["a, b"]`. */
  function readTags(text) {
    let names = text.split(",");
    try {
      const list = JSON.parse(text);
      if (Array.isArray(list)) names = list.map(String);
    } catch {
      // Not JSON: names between commas.
    }
    const clean = names.map((one) => one.replace(/\s+/g, " ").trim().normalize());
    return [...new Set(clean.filter((one) => one && !hidden.includes(keyOf(one))))].slice(0, 30);
  }

  /** What makes two names one tag: as the server's tagKey. */
  function keyOf(tag) {
    const fold = (letter) => (letter === "\u0131" ? letter : letter.toLowerCase().toUpperCase().toLowerCase());
    return Array.from(tag.normalize("NFKC"), fold).join("").normalize("NFKC");
  }

  function policy(label, href) {
    return h("a", { href, target: "_blank", rel: "noopener" }, label);
  }

  function h(tag, props, ...children) {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(props)) {
      if (key in element) element[key] = value;
      else element.setAttribute(key, value);
    }
    element.append(...children);
    return element;
  }

  function bytes(text) {
    return Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
  }

  function hex(buffer) {
    return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function pause(ms) {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }
})(SETTINGS);
