// What makes the forms easier where scripts run; each works as well without: a search among the tags as it is typed, the
// browser's time zone, and a second look at the spelling of the address.

for (const box of document.querySelectorAll("[data-find]")) searchLive(box);
for (const form of document.querySelectorAll("form[data-signup]")) {
  hintAtTypos(form);
  takeBrowserZone(form);
}

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
      const found = query === "" ? [] : await ask(query, last.signal);
      show(query, found);
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
  function show(query, found) {
    list ??= box.appendChild(Object.assign(document.createElement("div"), { className: "choices" }));
    const kept = [...list.children].filter((label) => label.querySelector("input").checked);
    list.replaceChildren(...kept);
    const boxes = new Map(Array.from(form.querySelectorAll("input[name=tags]"), (one) => [one.value, one]));
    for (const { name, articles } of found) if (!boxes.has(name)) list.append(choice(name, articles));
    list.hidden = list.children.length === 0;
    for (const [name, one] of boxes)
      one.closest("label").classList.toggle(
        "match",
        found.some((tag) => tag.name === name),
      );
    note.textContent = query === "" ? "" : counted(found.length, query);
  }
}

function counted(count, query) {
  if (count === 0) return t("script.no_tag").replace("{query}", () => query);
  return t("script.tags_found").replace("{n}", count === 48 ? t("script.many") : count);
}

function choice(name, articles) {
  const label = Object.assign(document.createElement("label"), { className: "choice" });
  const input = Object.assign(document.createElement("input"), { type: "checkbox", name: "tags", value: name });
  const text = Object.assign(document.createElement("span"), { textContent: name });
  label.append(input, " ", text);
  if (articles > 0)
    label.append(" ", Object.assign(document.createElement("span"), { className: "count", textContent: articles }));
  return label;
}

function takeBrowserZone(form) {
  const select = form.elements.timezone;
  const shown = form.querySelector("[data-zone]");
  if (!select) return;
  const own = shown.textContent;
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  if (select.value === "" && !select.hasAttribute("aria-invalid") && timeZone && timeZone !== select.dataset.own) {
    const known = [...select.options].find((option) => option.value === timeZone);
    const city = timeZone.split("/").slice(1).join(", ").replaceAll("_", " ");
    const option = known ?? select.appendChild(new Option(city || timeZone, timeZone));
    option.selected = true;
  }
  const tell = () => {
    shown.textContent = select.value === "" ? own : select.selectedOptions[0].textContent;
  };
  select.addEventListener("change", tell);
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
