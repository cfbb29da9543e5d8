"use strict";
// Goes on as soon as the server answers again; without scripts the page does so after a while. The pages before it load
// this too, so that the browser has it while the server is away.
(() => {
  const next = document.querySelector("a[data-next]");
  const wait = () => setTimeout(ask, 400);
  async function ask() {
    const answer = await fetch("/healthz", { cache: "no-store" }).catch(() => null);
    if (answer?.ok) location.replace(next.href);
    else wait();
  }
  if (next) wait();
})();
