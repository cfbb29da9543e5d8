import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { packageRoot } from "../../../src/package-root.ts";

const read = (...path: string[]): string => readFileSync(join(packageRoot, ...path), "utf8");
const named = /\b(?:dayletter|process)_[a-z_]+\b/g;
const source = ["src/alerts/metrics.ts", "src/web/metrics.ts"].map((path) => read(path));
/** What `/metrics` serves: the names and labels that its code writes down. */
const made = new Set(
  source.flatMap((text) => [...text.matchAll(/"((?:dayletter|process)_[a-z_]+)"/g)].map(([, name]) => name)),
);
const labels = new Set(
  source.flatMap((text) =>
    [...text.matchAll(/labels(?::| =) \{([^}]*)\}/g)].flatMap(([, pairs]) => pairs!.match(/[a-z]+/g) ?? []),
  ),
);
/** Prometheus gives these to whatever it scrapes. */
const scraped = ["job", "instance"];
const pages = readdirSync(join(packageRoot, "docs/operations"));

test("the rules and the dashboard ask for figures that there are", () => {
  const { groups } = parse(read("docs/operations/alerts.yml")) as {
    groups: { rules: { alert: string; expr: string }[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);
  const { panels } = JSON.parse(read("docs/operations/grafana.json")) as { panels: { targets: { expr: string }[] }[] };
  const asked = [
    ...rules.map((rule) => rule.expr),
    ...panels.flatMap((panel) => panel.targets.map(({ expr }) => expr)),
  ];
  expect(asked.length).toBeGreaterThan(20);
  for (const expr of asked) {
    for (const name of expr.match(named) ?? []) expect(made, expr).toContain(name);
    const used = [
      ...[...expr.matchAll(/[{,]([a-z]+)=/g)].map(([, label]) => label!),
      ...[...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list]) => list!.split(/, */)),
    ];
    for (const label of used) expect([...labels, ...scraped], expr).toContain(label);
  }
});

test("every page that the handbook's pages and rules name is there", () => {
  const rules = [...read("docs/operations/alerts.yml").matchAll(/[a-z-]+\.md\b/g)].map(([name]) => name);
  const links = pages
    .filter((name) => name.endsWith(".md"))
    .flatMap((name) =>
      [...read("docs/operations", name).matchAll(/\]\(([\w-]+\.\w+)(?:#[\w-]+)?\)/g)].map(([, to]) => to!),
    );
  expect(links.length).toBeGreaterThan(8);
  for (const name of [...rules, ...links]) expect(pages).toContain(name);
});
