import type { Command } from "commander";
import { daysArgument, roleArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { table } from "./table.ts";
import { moment } from "./format.ts";

interface JsonOption {
  json?: boolean;
}

interface TokenAnswer {
  id: number;
  name: string;
  role: string;
  createdAt: string;
  expiresAt: string | null;
  usedAt: string | null;
  token?: string;
}

export function addTokens(program: Command, { terminal, client }: Context): void {
  const tokens = program.command("tokens").description("what programs use in an operator's place");

  withJson(tokens.command("list").description("list those that are good")).action(async (options: JsonOption) => {
    const list = await client().ask<{ tokens: TokenAnswer[] }>("GET", "/tokens");
    answer(terminal, options, list, (shown) => tokensText(shown.tokens, terminal.columns));
  });

  withJson(tokens.command("add").description("make one; it is shown only once"))
    .argument("<name>", "what the audit log calls it")
    .requiredOption("--role <role>", "viewer, editor or owner", roleArgument)
    .option("--days <number>", "how many days it is good; without it, for ever", daysArgument)
    .action(async (name: string, { role, days, ...options }: JsonOption & { role: string; days?: number }) => {
      const json = { name, role, days: days ?? null };
      const made = await client().ask<TokenAnswer>("POST", "/tokens", { json });
      answer(terminal, options, made, ({ token }) => `${token}\nKeep it: it cannot be shown again.`);
    });

  withJson(tokens.command("revoke").description("end one at once"))
    .argument("<name>", "name or id")
    .action(async (which: string, options: JsonOption) => {
      const ended = await client().ask<TokenAnswer>("DELETE", `/tokens/${encodeURIComponent(which)}`);
      answer(terminal, options, ended, ({ name }) => `The token ${name} is good no more.`);
    });
}

export function tokensText(tokens: readonly TokenAnswer[], columns: number | null): string {
  const titles = ["Id", "Name", "Role", "Made", "Expires", "Last used"].map((title) => ({ title }));
  const rows = tokens.map((one) => [
    String(one.id),
    one.name,
    one.role,
    moment(one.createdAt),
    one.expiresAt === null ? "never" : moment(one.expiresAt),
    one.usedAt === null ? "never" : moment(one.usedAt),
  ]);
  return table(titles, rows, columns);
}
