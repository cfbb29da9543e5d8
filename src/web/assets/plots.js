"use strict";
(() => {
  // Each plot is drawn from its table, so both always show the same data.

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  function draw(figure) {
    if (figure.querySelector(".uplot")) return;
    const { labels, columns } = read(figure.querySelector("table"));
    const line = figure.dataset.plot === "line";
    const percent = "percent" in figure.dataset;
    const levels = (figure.dataset.lines ?? "")
      .split(" ")
      .filter(Boolean)
      .map((share) => Number(share) * 100);
    const last = labels.length - 1;
    const room = figure.insertBefore(document.createElement("div"), figure.querySelector("details"));
    room.className = "plot";
    const legend = makeLegend(columns);
    room.before(legend.element);
    figure.querySelector("details").open = false;

    const axis = {
      stroke: () => colour("soft"),
      font: `12px ${getComputedStyle(document.body).fontFamily}`,
      ticks: { show: false },
      gap: 10,
    };
    const lines = { stroke: () => colour("rule"), width: 1 };
    const plot = new uPlot(
      {
        width: room.clientWidth,
        height: room.clientHeight,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { show: line } },
        scales: {
          x: { time: false, range: [-0.5, last + 0.5] },
          y: { range: line ? aroundLine : percent ? ofPercent : fromNought },
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            size: 28,
            space: 64,
            incrs: [1, 2, 7, 14, 28],
            values: (_, at) => at.map((i) => shortDate(labels[i], figure.dataset.locale)),
          },
          {
            ...axis,
            grid: lines,
            size: 52,
            space: 32,
            incrs: percent ? fractions : whole,
            values: (_, at) => at.map((n) => `${n.toLocaleString("en")}${percent ? "%" : ""}`),
          },
        ],
        series: [{}, ...columns.map(({ kind }) => (line ? lineOf(kind) : barsOf(kind))).reverse()],
        hooks: {
          setCursor: [({ cursor }) => select(cursor.idx ?? last)],
          draw: [(drawn) => drawLines(drawn, levels)],
        },
      },
      [labels.map((_, i) => i), ...stack(columns).reverse()],
      room,
    );

    let shown = last;
    function select(i) {
      shown = Math.min(last, Math.max(0, i));
      room.setAttribute("aria-valuenow", shown);
      room.setAttribute("aria-valuetext", legend.show(labels[shown], shown));
    }
    function move(i) {
      plot.setCursor({ left: plot.valToPos(Math.min(last, Math.max(0, i)), "x"), top: 1 });
    }

    const keys = { ArrowLeft: () => shown - 1, ArrowRight: () => shown + 1, Home: () => 0, End: () => last };
    for (const [name, value] of Object.entries({
      role: "slider",
      tabindex: 0,
      "aria-valuemin": 0,
      "aria-valuemax": last,
    }))
      room.setAttribute(name, value);
    room.setAttribute("aria-labelledby", figure.getAttribute("aria-labelledby"));
    room.addEventListener("keydown", (event) => {
      if (!keys[event.key]) return;
      event.preventDefault();
      move(keys[event.key]());
    });
    // Touch: horizontal moves select a column, vertical moves scroll the page.
    room.addEventListener("pointermove", ({ pointerType, clientX }) => {
      if (pointerType !== "mouse") move(plot.posToIdx(clientX - plot.over.getBoundingClientRect().left));
    });

    const redraw = () => plot.redraw();
    dark.addEventListener("change", redraw);
    const size = new ResizeObserver(() => {
      if (room.isConnected) return plot.setSize({ width: room.clientWidth, height: room.clientHeight });
      size.disconnect();
      dark.removeEventListener("change", redraw);
      plot.destroy();
    });
    size.observe(room);
    select(last);
  }

  function drawLines({ ctx, bbox, valToPos }, values) {
    ctx.save();
    ctx.strokeStyle = colour("ink");
    ctx.setLineDash([6, 4]);
    for (const value of values) {
      const y = Math.round(valToPos(value, "y", true));
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  }

  /** Tables start with the newest row, plots end with it. */
  function read(table) {
    const rows = [...table.tBodies[0].rows].reverse();
    const columns = [...table.tHead.rows[0].cells].slice(1).map((head, i) => ({
      name: head.textContent,
      kind: head.dataset.kind,
      texts: rows.map(({ cells }) => cells[i + 1].textContent),
      values: rows.map(({ cells }) => Number(cells[i + 1].textContent.replace(/[,%< ]/g, ""))),
    }));
    return { labels: rows.map(({ cells }) => cells[0].textContent), columns };
  }

  /** Stacks each column on the previous ones. */
  function stack(columns) {
    const sums = [];
    for (const { values } of columns) sums.push(values.map((n, i) => n + (sums.at(-1)?.[i] ?? 0)));
    return sums;
  }

  function makeLegend(columns) {
    const element = document.createElement("dl");
    element.className = "parts";
    const add = (kind, name) => {
      const part = element.appendChild(document.createElement("div"));
      part.className = kind;
      part.append(Object.assign(document.createElement("dt"), { textContent: name }));
      return part.appendChild(document.createElement("dd"));
    };
    const when = add("when", "On");
    const counts = columns.map(({ kind, name }) => add(kind, name));
    /** Shows one column, and returns it as text. */
    const show = (label, at) => {
      const numbers = columns.map(({ texts }) => texts[at]);
      when.textContent = label;
      numbers.forEach((number, i) => (counts[i].textContent = number));
      return `${label}: ${columns.map(({ name }, i) => `${name} ${numbers[i]}`).join(", ")}`;
    };
    return { element, show };
  }

  const barsOf = (kind) => ({
    fill: () => colour(kind),
    width: 0,
    paths: uPlot.paths.bars({ size: [0.7, 40] }),
    points: { show: false },
  });
  const lineOf = (kind) => ({ stroke: () => colour(kind), width: 2, points: { show: false } });

  const whole = [1, 2, 5].flatMap((n) => Array.from({ length: 9 }, (_, i) => n * 10 ** i)).sort((a, b) => a - b);
  const fractions = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, ...whole];
  const fromNought = (_, _least, most) => [0, Math.max(4, most * 1.05)];
  const ofPercent = (_, _least, most) => [0, Math.max(0.4, most * 1.05)];
  const aroundLine = (_, least, most) => {
    const air = Math.max(2, (most - least) * 0.2);
    return [Math.max(0, Math.floor(least - air)), Math.ceil(most + air)];
  };

  function shortDate(label, locale) {
    if (!label) return "";
    const day = new Date(`${label.slice(0, 10)}T00:00:00Z`);
    return day.toLocaleDateString(locale, { day: "numeric", month: "short", timeZone: "UTC" });
  }

  for (const figure of document.querySelectorAll("[data-plot]")) draw(figure);
  document.addEventListener("htmx:after:process", ({ target }) => {
    for (const figure of target.querySelectorAll?.("[data-plot]") ?? []) draw(figure);
  });
})();
