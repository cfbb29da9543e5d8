"use strict";
(() => {
  // The operator's own clock, beside the publication's.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const own = { weekday: "long", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

  function addOwnTimes(part) {
    for (const time of part.querySelectorAll("time[data-own]")) {
      const at = new Date(time.dateTime);
      time.title = `${at.toLocaleString()} (${zone})`;
      const words = time.closest("section")?.querySelector("[data-own-words]");
      if (words) words.textContent = `By yours, ${at.toLocaleString(undefined, own)} (${zone}).`;
    }
  }
  addOwnTimes(document);
  document.addEventListener("htmx:after:process", ({ target }) => addOwnTimes(target));

  // A page that has lost the line says so; htmx tries again by itself, and while the page is hidden it rests.
  const tellSilence = (silent) => {
    for (const note of document.querySelectorAll("[data-silent]")) note.hidden = !silent;
  };
  document.addEventListener("htmx:sse:after:connection", () => tellSilence(false));
  document.addEventListener("htmx:sse:error", ({ detail }) => {
    if (detail.status === 401) location.reload();
    else tellSilence(true);
  });
  for (const failure of ["htmx:error", "htmx:response:error"])
    document.addEventListener(failure, ({ target }) => target.matches?.("[data-stream]") && tellSilence(true));

  for (const button of document.querySelectorAll("button[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }

  // A double click sends a form once.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 3000);
  });
})();
