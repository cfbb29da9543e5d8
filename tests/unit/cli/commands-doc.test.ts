import type { Command } from "commander";
import { expect, test } from "vitest";
import type { Context } from "../../../src/cli/context.ts";
import { createProgram } from "../../../src/cli/program.ts";
import { expectWritten } from "../../support/written-docs.ts";

const path = "docs/commands.md";
const command = "UPDATE_DOCS=1 npx vitest run --project unit tests/unit/cli/commands-doc.test.ts";

const program = createProgram({ terminal: { out() {}, err() {} } } as unknown as Context, () => {});

test(`docs/commands.md lists all commands and options (${command})`, () => {
  expectWritten(path, { commands: program.commands.map(section).join("\n\n") }, command);
});

test("all commands that send requests have --json, except those that print the content itself", () => {
  const all = program.commands.flatMap(within);
  const without = all.filter(([, one]) => !one.options.some(({ long }) => long === "--json"));
  const here = ["serve", "web", "worker", "migrate", "demo", "dkim create", "dkim show"];
  const printing = ["edition preview", "sample", "subscribers export", "suppressions export"];
  expect(without.map(([name]) => name)).toEqual([...here, ...printing]);
});

function section(group: Command): string {
  const rows = within(group).flatMap(([name, one]) => [
    `| **\`${usage(name, one)}\`** | ${sentence(describe(one))} |`,
    ...options(one),
  ]);
  return [`## ${group.name()}`, "", "| Command | What it does |", "| --- | --- |", ...rows].join("\n");
}

function within(group: Command): [name: string, command: Command][] {
  if (group.commands.length === 0) return [[group.name(), group]];
  return group.commands.map((one) => [`${group.name()} ${one.name()}`, one]);
}

function usage(name: string, one: Command): string {
  const words = one.registeredArguments.map((argument) => {
    const said = argument.name().toUpperCase() + (argument.variadic ? "…" : "");
    return argument.required ? said : `[${said}]`;
  });
  return [name, ...words].join(" ");
}

function describe(one: Command): string {
  const said = one.registeredArguments.filter(({ description }) => description !== "");
  const words = said.map((argument) => `${argument.name().toUpperCase()}: ${argument.description}`);
  return [one.description(), ...words].join(". ");
}

/** Without --json, which the introduction describes. */
function options(one: Command): string[] {
  return one.options
    .filter(({ long }) => long !== "--json")
    .map((option) => {
      const fallback = option.defaultValue === undefined ? "" : ` (default: ${String(option.defaultValue)})`;
      const required = option.mandatory ? " (required)" : "";
      return `| \`${option.flags}\` | ${option.description}${fallback}${required} |`;
    });
}

function sentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}
