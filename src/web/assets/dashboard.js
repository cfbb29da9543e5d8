"use strict";
(() => {
  // Show times in the operator's time zone next to the publication's.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const own = { weekday: "long", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

  function addOwnTimes(part) {
    for (const time of part.querySelectorAll("time[data-own]")) {
      const at = new Date(time.dateTime);
      time.title = `${at.toLocaleString()} (${zone})`;
      const note = time.closest("section")?.querySelector("[data-own-note]");
      if (note) note.textContent = `Your time: ${at.toLocaleString(undefined, own)} (${zone}).`;
    }
  }
  addOwnTimes(document);
  document.addEventListener("htmx:after:process", ({ target }) => addOwnTimes(target));

  // Show a notice while the event stream is interrupted. htmx reconnects automatically, except while the page is hidden.
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

  // Prevent a double click from submitting a form twice.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 3000);
  });
})();
