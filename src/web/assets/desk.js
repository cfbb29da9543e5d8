"use strict";
(() => {
  // The operator's own clock, beside the publication's.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const time of document.querySelectorAll("time[data-own]")) {
    const at = new Date(time.dateTime);
    const own = at.toLocaleString(undefined, { weekday: "long", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    time.title = `${at.toLocaleString()} (${zone})`;
    const words = time.closest("section")?.querySelector("[data-own-words]");
    if (words) words.textContent = `By yours, ${own} (${zone}).`;
  }

  // The edition that goes out, as it goes; and one that is about to.
  const active = ["opening", "sending", "paused", "held"];
  const live = document.querySelector("[data-live]");
  const soon = document.querySelector("[data-soon]");
  const shown = live && active.includes(live.dataset.state) ? live : null;
  if ((shown || soon) && "EventSource" in window) listen(shown);

  function listen(part) {
    const events = new EventSource("/operator/events");
    const again = () => {
      events.close();
      location.replace(location.pathname);
    };
    addEventListener("pagehide", () => events.close());
    // What a form leads to must not be overtaken.
    document.addEventListener("submit", () => events.close());
    addEventListener("pageshow", (event) => event.persisted && location.reload());
    events.onmessage = ({ data }) => {
      const progress = JSON.parse(data);
      if (!part) return active.includes(progress.state) && again();
      if (progress.name !== part.dataset.edition) return;
      // Other words and other buttons: the server knows them.
      if (progress.state !== part.dataset.state) return again();
      show(part, progress);
    };
    events.onerror = () => {
      const note = part?.querySelector("[data-rate]");
      if (!note || events.readyState !== EventSource.CLOSED) return;
      note.textContent = "This does not follow what happens any more: load the page again.";
      note.hidden = false;
    };
  }

  function show(part, { bar, balance, rate, domains }) {
    for (const { kind, x, width, count } of bar) {
      const rect = part.querySelector(`[data-bar] .${kind}`);
      rect?.setAttribute("x", x);
      rect?.setAttribute("width", width);
      const shown = part.querySelector(`[data-count="${kind}"]`);
      if (shown) shown.textContent = count;
    }
    part
      .querySelector("[data-bar]")
      ?.setAttribute("aria-label", bar.map((one) => `${one.label}: ${one.count}.`).join(" "));
    const sum = part.querySelector("[data-balance]");
    if (sum) sum.textContent = balance;
    const speed = part.querySelector("[data-rate]");
    if (speed) {
      speed.textContent = rate ?? "";
      speed.hidden = rate === null;
    }
    const sentence = document.querySelector("[data-sentence]");
    const sent = bar.find(({ kind }) => kind === "sent");
    if (sentence && sent) sentence.textContent = sentence.textContent.replace(/: [\d,]+ of /, `: ${sent.count} of `);
    const section = document.querySelector("[data-domains]");
    if (section) showDomains(section, domains);
  }

  function showDomains(section, domains) {
    section.hidden = domains.length === 0;
    const rows = domains.map(({ domain, sent, failed, open }) => {
      const row = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = domain;
      row.append(head);
      for (const n of [sent, failed, open]) {
        const cell = document.createElement("td");
        cell.className = "n";
        cell.textContent = n.toLocaleString("en");
        row.append(cell);
      }
      return row;
    });
    section.querySelector("tbody").replaceChildren(...rows);
  }

  // What a form would do, shown while it is filled in.
  const form = document.querySelector("form[data-look]");
  if (form) {
    let asked = 0;
    let waiting;
    form.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(async () => {
        const mine = (asked += 1);
        const query = new URLSearchParams(new FormData(form));
        const answer = await fetch(`${location.pathname}?${query}`).catch(() => null);
        if (!answer || mine !== asked) return;
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.querySelector("[data-looked]");
        if (fresh) document.querySelector("[data-looked]").replaceChildren(...fresh.childNodes);
      }, 300);
    });
  }

  // A list from a file goes into the field that is there without scripts.
  for (const chooser of document.querySelectorAll("input[type=file][data-into]")) {
    chooser.parentElement.hidden = false;
    chooser.addEventListener("change", async () => {
      const [file] = chooser.files;
      if (file) document.getElementById(chooser.dataset.into).value = await file.text();
    });
  }

  // A double click sends a form once.
  for (const one of document.querySelectorAll("form[method=post]")) {
    one.addEventListener("submit", (event) => {
      if (one.dataset.sent) event.preventDefault();
      one.dataset.sent = "1";
      setTimeout(() => delete one.dataset.sent, 3000);
    });
  }
})();
