// What makes the forms easier where scripts run; each works as well without: a search among the tags as it is typed, the
// browser's time zone as an offer, and a second look at the spelling of the address.

for (const box of document.querySelectorAll("[data-find]")) searchLive(box);
for (const form of document.querySelectorAll("form[data-signup]")) {
  hintAtTypos(form);
}
for (const select of document.querySelectorAll("select[data-examples]")) offerOwnZone(select);

function searchLive(box) {
  const input = box.querySelector("input[type=search]");
  const note = box.querySelector("[role=status]");
  const form = input.form;
  // Its button would be what Enter in any field of the form presses.
  box.querySelector("button").remove();
  let list = box.querySelector(".choices");
  let last = null;

  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  input.addEventListener("input", async () => {
    const query = input.value.trim();
    last?.abort();
    last = new AbortController();
    try {
      const answer = query === "" ? { found: [], fresh: null } : await ask(query, last.signal);
      show(query, answer);
    } catch (error) {
      if (error.name !== "AbortError") note.textContent = t("script.search_failed");
    }
  });

  async function ask(query, signal) {
    await new Promise((resolve) => setTimeout(resolve, 120));
    signal.throwIfAborted();
    const response = await fetch(`${box.dataset.find}?q=${encodeURIComponent(query)}`, { signal });
    if (!response.ok) throw new Error(`The search answered ${response.status}.`);
    return response.json();
  }

  /** What is ticked stays where it is; what has a box elsewhere in the form gets none here. */
  function show(query, { found, fresh }) {
    list ??= box.appendChild(Object.assign(document.createElement("div"), { className: "choices" }));
    const kept = [...list.children].filter((label) => label.querySelector("input").checked);
    list.replaceChildren(...kept);
    const boxes = new Map(Array.from(form.querySelectorAll("input[name=tags]"), (one) => [one.value, one]));
    for (const { name, articles } of found) if (!boxes.has(name)) list.append(choice(name, articles));
    if (fresh !== null && !boxes.has(fresh)) list.append(choice(fresh, t("script.new")));
    list.hidden = list.children.length === 0;
    for (const [name, one] of boxes)
      one.closest("label").classList.toggle("match", name === fresh || found.some((tag) => tag.name === name));
    note.textContent = query === "" ? "" : counted(found.length, query, fresh);
  }
}

function counted(count, query, fresh) {
  if (count === 0 && fresh !== null) return t("script.new_tag").replace("{query}", () => fresh);
  if (count === 0) return t("script.no_tag").replace("{query}", () => query);
  return t("script.tags_found").replace("{n}", count === 48 ? t("script.many") : count);
}

function choice(name, articles) {
  const label = Object.assign(document.createElement("label"), { className: "choice" });
  const input = Object.assign(document.createElement("input"), { type: "checkbox", name: "tags", value: name });
  const text = Object.assign(document.createElement("span"), { textContent: name });
  label.append(input, " ", text);
  if (articles !== 0)
    label.append(" ", Object.assign(document.createElement("span"), { className: "count", textContent: articles }));
  return label;
}

/** Offers the browser's zone, and says what each choice means. The publication's time stays chosen. */
function offerOwnZone(select) {
  const note = document.getElementById("zone-example");
  const shown = select.form.querySelector("[data-zone]");
  const box = select.closest("details");
  const publication = shown?.textContent;
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const own = timeZone && timeZone !== select.dataset.own ? timeZone : "";
  let last = null;

  async function explain(zone) {
    last?.abort();
    last = new AbortController();
    if (zone === "") return null;
    const url = `${select.dataset.examples}?zone=${encodeURIComponent(zone)}`;
    const response = await fetch(url, { signal: last.signal, headers: { accept: "application/json" } });
    if (!response.ok) return null;
    const answer = await response.json();
    note.textContent = answer.sentence ?? "";
    return answer;
  }

  async function start() {
    const answer = await explain(select.value || own).catch(() => null);
    if (!answer || select.value !== "") return;
    const option = new Option(
      t("script.own_zone").replace("{zone}", () => answer.name),
      answer.zone,
    );
    option.dataset.name = answer.name;
    select.options[0].after(option);
  }

  function tell() {
    const [option] = select.selectedOptions;
    if (shown) shown.textContent = select.value === "" ? publication : (option.dataset.name ?? option.textContent);
  }

  if (box && !box.open) box.addEventListener("toggle", () => start(), { once: true });
  else start();
  select.addEventListener("change", () => {
    tell();
    explain(select.value || own).catch(() => (note.textContent = ""));
  });
  tell();
}

function hintAtTypos(form) {
  const input = form.elements.address;
  const hint = form.querySelector("#address-hint");
  if (!input || !hint) return;
  input.addEventListener("change", () => {
    const [, local, domain = ""] = /^(.+)@([^@]+)$/.exec(input.value.trim()) ?? [];
    const meant = meantBy(domain.toLowerCase());
    hint.replaceChildren();
    if (!meant) return;
    const button = Object.assign(document.createElement("button"), {
      type: "button",
      className: "link",
      textContent: `${local}@${meant}`,
    });
    button.addEventListener("click", () => {
      input.value = `${local}@${meant}`;
      hint.replaceChildren();
      input.focus();
    });
    const [before, after] = t("script.did_you_mean").split("{address}");
    hint.append(before, button, after);
  });
}

/** A large mail service's domain that is one slip of the finger away: a letter wrong, missing, doubled or swapped. */
function meantBy(domain) {
  const large = [
    "gmail.com",
    "googlemail.com",
    "yahoo.com",
    "hotmail.com",
    "outlook.com",
    "icloud.com",
    "aol.com",
    "proton.me",
    "protonmail.com",
    "gmx.de",
    "gmx.net",
    "web.de",
    "naver.com",
    "daum.net",
    "live.com",
    "msn.com",
  ];
  if (large.includes(domain)) return null;
  return large.find((one) => one.length > 6 && slips(domain, one) === 1) ?? null;
}

function slips(a, b) {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  for (let j = 0; j <= b.length; j += 1) rows[0][j] = j;
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = 1; j <= b.length; j += 1) {
      const changed = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, changed);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[a.length][b.length];
}
