import type { Course } from "./processes.ts";
import type { Bar } from "./report.ts";

const width = 720;
const left = 300;
const right = 70;
const barHeight = 20;
const step = 30;
const courseHeight = 110;

/**
 * The rates as bars, and the worker's memory over time, as an SVG that follows the reader's colour scheme. It has its own
 * background, because a page may have another scheme than its reader's system.
 */
export function chart(bars: readonly Bar[], course: Course["points"], readers: number): string {
  const most = Math.max(...bars.map(({ rate }) => rate));
  const top = 44;
  const lines = bars.map(({ name, rate, ours }, n) => {
    const y = top + n * step;
    const length = Math.max(1, (rate / most) * (width - left - right));
    const middle = y + barHeight / 2 + 4.5;
    return [
      `<text x="${left - 10}" y="${middle}" text-anchor="end">${escaped(name)}</text>`,
      `<rect class="${ours ? "ours" : "other"}" x="${left}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}"/>`,
      `<text class="figure" x="${(left + length + 8).toFixed(1)}" y="${middle}">${Math.round(rate).toLocaleString("en")}</text>`,
    ].join("\n");
  });
  const bottom = top + bars.length * step;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + courseHeight + 100}" role="img" aria-labelledby="title">`,
    `<title id="title">Emails a second, and memory of the worker</title>`,
    `<style>
  :root { --paper: #fdfcf9; --ink: #1d1b18; --quiet: #6b665e; --ours: #8a1c1c; --other: #b9b2a6; }
  @media (prefers-color-scheme: dark) {
    :root { --paper: #191816; --ink: #ece8e1; --quiet: #a09a90; --ours: #e08a80; --other: #5d5850; }
  }
  text { font: 13px system-ui, sans-serif; fill: var(--ink); }
  .head { font-weight: 600; }
  .figure { font-variant-numeric: tabular-nums; }
  .quiet { fill: var(--quiet); }
  .ours { fill: var(--ours); }
  .other { fill: var(--other); }
  .course { fill: none; stroke: var(--ours); stroke-width: 2; }
  .axis { stroke: var(--quiet); stroke-width: 1; }
</style>`,
    `<rect width="100%" height="100%" fill="var(--paper)"/>`,
    `<text class="head" x="16" y="26">Emails a second</text>`,
    ...lines,
    ...courseLines(course, bottom + 24, readers),
    "</svg>",
  ].join("\n")}\n`;
}

function courseLines(course: Course["points"], top: number, readers: number): string[] {
  const seconds = course.at(-1)?.second ?? 1;
  const most = Math.max(250, ...course.map(({ rss }) => rss));
  const floor = top + 30 + courseHeight;
  const x = (second: number): number => left + (second / seconds) * (width - left - right);
  const y = (rss: number): number => floor - (rss / most) * courseHeight;
  const points = course.map(({ second, rss }) => `${x(second).toFixed(1)},${y(rss).toFixed(1)}`).join(" ");
  return [
    `<text class="head" x="16" y="${top + 8}">Memory of the worker, ${readers.toLocaleString("en")} readers</text>`,
    `<line class="axis" x1="${left}" y1="${floor}" x2="${width - right}" y2="${floor}"/>`,
    ...[0, Math.round(most)].map(
      (value) =>
        `<text class="quiet figure" x="${left - 10}" y="${(y(value) + 4.5).toFixed(1)}" text-anchor="end">${value} MB</text>`,
    ),
    `<polyline class="course" points="${points}"/>`,
    `<text class="quiet figure" x="${width - right}" y="${floor + 18}" text-anchor="end">${Math.round(seconds)} s</text>`,
  ];
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
