"use strict";
// Continues when the server answers again. Without JavaScript, the page refreshes after a few seconds. The previous page
// also loads this script, so that it is cached while the server is down.
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
