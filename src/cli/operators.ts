import type { Command } from "commander";
import { roleArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { table } from "./table.ts";
import { moment } from "./words.ts";

interface JsonOption {
  json?: boolean;
}

interface OperatorAnswer {
  name: string;
  role: string;
  state: string;
  oneTimeCodes: boolean;
  signedInAt: string | null;
  link?: string;
}

export function addOperators(program: Command, { terminal, client }: Context): void {
  const operators = program.command("operators").description("the people who run the publication");
  const one = (which: string): string => `/operators/${encodeURIComponent(which)}`;

  withJson(operators.command("list").description("list them, with their roles")).action(async (options: JsonOption) => {
    const list = await client().ask<{ operators: OperatorAnswer[] }>("GET", "/operators");
    answer(terminal, options, list, (shown) => operatorsText(shown.operators, terminal.columns));
  });

  withJson(operators.command("add").description("add one; prints a link to choose a password by"))
    .argument("<name>", "the name to sign in with")
    .requiredOption("--role <role>", "viewer, editor or owner", roleArgument)
    .action(async (name: string, { role, ...options }: JsonOption & { role: string }) => {
      const added = await client().ask<OperatorAnswer>("POST", "/operators", { json: { name, role } });
      answer(terminal, options, added, linkText);
    });

  withJson(operators.command("link").description("make a new set-up link, when password or telephone are lost"))
    .argument("<name>", "name or id")
    .action(async (which: string, options: JsonOption) => {
      answer(terminal, options, await client().ask<OperatorAnswer>("POST", `${one(which)}/link`), linkText);
    });

  withJson(operators.command("role").description("give one another role"))
    .argument("<name>", "name or id")
    .argument("<role>", "viewer, editor or owner", roleArgument)
    .action(async (which: string, role: string, options: JsonOption) => {
      const changed = await client().ask<OperatorAnswer>("PUT", `${one(which)}/role`, { json: { role } });
      answer(terminal, options, changed, (shown) => `${shown.name} is ${shown.role} now.`);
    });

  for (const [command, description, told] of [
    ["disable", "let one in no more, at once", "is disabled: every session has ended."],
    ["enable", "let a disabled one in again", "may sign in again."],
  ] as const) {
    withJson(operators.command(command).description(description))
      .argument("<name>", "name or id")
      .action(async (which: string, options: JsonOption) => {
        const changed = await client().ask<OperatorAnswer>("POST", `${one(which)}/${command}`);
        answer(terminal, options, changed, (shown) => `${shown.name} ${told}`);
      });
  }
}

export function operatorsText(operators: readonly OperatorAnswer[], columns: number | null): string {
  if (operators.length === 0) return 'There is no operator yet: open the link in the file "setup" in DATA_DIR.';
  const titles = ["Name", "Role", "State", "One-time codes", "Signed in"].map((title) => ({ title }));
  const rows = operators.map((one) => [
    one.name,
    one.role,
    one.state,
    one.oneTimeCodes ? "yes" : "no",
    one.signedInAt === null ? "never" : moment(one.signedInAt),
  ]);
  return table(titles, rows, columns);
}

function linkText({ name, role, link }: OperatorAnswer): string {
  return `${name} (${role}) chooses a password here; the link works once, for three days:\n${link}`;
}
