"use strict";
(() => {
  // Without this script, the buttons of the form save and move one step at a time.
  const form = document.querySelector("form[data-edition]");
  if (!form) return;
  const list = form.querySelector("[data-order]");
  const state = form.querySelector("[data-state]");
  const announced = form.querySelector("[data-announced]");
  const saved = state.textContent;

  const partOf = (name) =>
    /^(title|summary)-/.test(name) ? "texts" : { order: "order", out: "left_out" }[name] || name;

  /** The form's values by part, such as subject and order. */
  function parts() {
    const found = {};
    for (const [name, value] of new FormData(form)) (found[partOf(name)] ??= []).push(`${name}=${value}`);
    // Texts and boxes move with their articles, which is no change of them.
    for (const part of ["texts", "left_out"]) found[part]?.sort();
    return Object.fromEntries(Object.entries(found).map(([part, values]) => [part, values.join("\n")]));
  }
  const first = parts();
  let sending = false;

  function unsaved() {
    const now = parts();
    return Object.keys(state.dataset)
      .filter((key) => key.startsWith("part"))
      .map((key) => key.slice(4).toLowerCase())
      .filter((part) => form.hasAttribute("data-refused") || now[part] !== first[part]);
  }

  function tell() {
    const names = unsaved().map((part) => state.dataset[`part${part[0].toUpperCase()}${part.slice(1)}`]);
    state.textContent = names.length === 0 ? saved : `${state.dataset.unsaved} ${names.join(", ")}.`;
    state.classList.toggle("unsaved", names.length > 0);
  }

  // The preview shows what is typed. A new frame takes the old one's place once it has loaded, so that neither the history
  // of the browser nor the screen flickers.
  let waiting;
  function look() {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const frame = document.querySelector("iframe[data-look]");
      if (!frame) return;
      const next = frame.cloneNode();
      next.removeAttribute("src");
      next.name = `look${Date.now()}`;
      next.classList.add("next");
      for (const late of document.querySelectorAll("iframe.next")) late.remove();
      frame.after(next);
      const { action, target } = form;
      form.action = form.dataset.look;
      form.target = next.name;
      form.submit();
      form.action = action;
      form.target = target;
      next.addEventListener("load", () => {
        frame.remove();
        next.classList.remove("next");
      });
    }, 500);
  }

  function changed() {
    tell();
    look();
  }

  const rows = () => [...list.children];
  const titleOf = (row) => row.querySelector("[data-title]").textContent;

  function move(row, to) {
    const all = rows();
    const place = Math.max(0, Math.min(all.length - 1, to));
    const from = all.indexOf(row);
    if (place === from) return;
    const focused = document.activeElement;
    if (place < from) all[place].before(row);
    else all[place].after(row);
    if (row.contains(focused)) focused.focus();
    announced.textContent = announced.dataset.text
      .replace("{title}", () => titleOf(row))
      .replace("{n}", place + 1)
      .replace("{all}", all.length);
    changed();
  }

  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (!button) return;
    event.preventDefault();
    const row = button.closest("li");
    const at = rows().indexOf(row);
    move(row, { lead: 0, up: at - 1, down: at + 1 }[button.dataset.move]);
    if (button.offsetParent === null) row.querySelector("[data-handle]").focus();
  });

  for (const handle of list.querySelectorAll("[data-handle]")) {
    handle.hidden = false;
    const row = handle.closest("li");
    handle.addEventListener("keydown", (event) => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      move(row, rows().indexOf(row) + step);
    });
    handle.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      handle.focus();
      handle.setPointerCapture(event.pointerId);
      row.classList.add("dragged");
      const drag = ({ clientY }) => {
        const before = rows().filter((one) => one !== row && middle(one) < clientY).length;
        if (before !== rows().indexOf(row)) move(row, before);
        if (clientY < 80) scrollBy(0, -12);
        if (clientY > innerHeight - 40) scrollBy(0, 12);
      };
      const drop = () => {
        row.classList.remove("dragged");
        handle.removeEventListener("pointermove", drag);
      };
      handle.addEventListener("pointermove", drag);
      handle.addEventListener("lostpointercapture", drop, { once: true });
    });
  }

  function middle(row) {
    const { top, height } = row.getBoundingClientRect();
    return top + height / 2;
  }

  form.addEventListener("input", ({ target }) => {
    if (target.name === "out") target.closest("li").classList.toggle("left-out", target.checked);
    const title = /^title-/.test(target.name) && target.closest("li").querySelector("[data-title]");
    if (title) title.textContent = target.value;
    changed();
  });
  form.addEventListener("submit", () => {
    sending = true;
    clearTimeout(waiting);
  });
  addEventListener("beforeunload", (event) => {
    if (!sending && unsaved().length > 0) event.preventDefault();
  });
  addEventListener("pageshow", () => (sending = false));
  tell();
})();
