import type { Command } from "commander";
import type { NewTokenAnswer, TokenAnswer } from "../web/api/answers.ts";
import { daysArgument, roleArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { table } from "./table.ts";
import { moment } from "./format.ts";

interface JsonOption {
  json?: boolean;
}

export function addTokens(program: Command, { terminal, client }: Context): void {
  const tokens = program.command("tokens").description("manage API tokens for programs");

  withJson(tokens.command("list").description("list valid tokens")).action(async (options: JsonOption) => {
    const list = await client().request<{ tokens: TokenAnswer[] }>("GET", "/tokens");
    answer(terminal, options, list, (shown) => tokensText(shown.tokens, terminal.columns));
  });

  withJson(tokens.command("add").description("create a token and show it once"))
    .argument("<name>", "name to show in the audit log")
    .requiredOption("--role <role>", "viewer, editor or owner", roleArgument)
    .option("--days <number>", "days until it expires; if omitted, it does not expire", daysArgument)
    .action(async (name: string, { role, days, ...options }: JsonOption & { role: string; days?: number }) => {
      const json = { name, role, days: days ?? null };
      const made = await client().request<NewTokenAnswer>("POST", "/tokens", { json });
      answer(terminal, options, made, ({ token }) => `${token}\nStore the token now. It is not shown again.`);
    });

  withJson(tokens.command("revoke").description("revoke a token immediately"))
    .argument("<name>", "name or ID")
    .action(async (which: string, options: JsonOption) => {
      const ended = await client().request<TokenAnswer>("DELETE", `/tokens/${encodeURIComponent(which)}`);
      answer(terminal, options, ended, ({ name }) => `The token ${name} was revoked.`);
    });
}

export function tokensText(tokens: readonly TokenAnswer[], columns: number | null): string {
  const titles = ["ID", "Name", "Role", "Created", "Expires", "Last used"].map((title) => ({ title }));
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
