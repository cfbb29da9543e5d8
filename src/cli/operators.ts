import type { Command } from "commander";
import { systemClock } from "../base/clock.ts";
import { Refusal, reasonOf } from "../base/errors.ts";
import type { Config } from "../config/load.ts";
import { englishWording } from "../texts/catalogue.ts";
import type { InvitedAnswer, OperatorAnswer } from "../web/api/answers.ts";
import { roleArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { table } from "./table.ts";
import { moment } from "./format.ts";
import { CommandError } from "./failure.ts";

interface JsonOption {
  json?: boolean;
}

/** A link without a name is for the first operator. */
interface LinkAnswer {
  name?: string;
  role?: string;
  link: string;
}

export function addOperators(program: Command, { terminal, client, config }: Context): void {
  const operators = program.command("operators").description("manage the people who run the publication");
  const one = (which: string): string => `/operators/${encodeURIComponent(which)}`;

  withJson(operators.command("list").description("list operators and their roles")).action(
    async (options: JsonOption) => {
      const list = await client().request<{ operators: OperatorAnswer[] }>("GET", "/operators");
      answer(terminal, options, list, (shown) => operatorsText(shown.operators, terminal.columns));
    },
  );

  withJson(operators.command("add").description("add an operator, and print a link to choose a password"))
    .argument("<name>", "name to sign in with")
    .requiredOption("--role <role>", "viewer, editor or owner", roleArgument)
    .action(async (name: string, { role, ...options }: JsonOption & { role: string }) => {
      const added = await client().request<InvitedAnswer>("POST", "/operators", { json: { name, role } });
      answer(terminal, options, added, linkText);
    });

  withJson(operators.command("link").description("create a setup link for the first operator, or for NAME"))
    .argument("[name]", "name or ID of an operator who lost their password, or their phone and recovery codes")
    .action(async (which: string | undefined, options: JsonOption) => {
      const { databaseUrl, serverUrl } = config();
      // With access to the database no token is needed, so this works in a container without its previous data folder.
      const link =
        databaseUrl !== null && serverUrl === null
          ? await linkHere(config(), which)
          : await client().request<LinkAnswer>("POST", which === undefined ? "/operators/link" : `${one(which)}/link`);
      answer(terminal, options, link, linkText);
    });

  withJson(operators.command("reset-codes").description("turn off an operator's one-time codes, after a lost phone"))
    .argument("<name>", "name or ID")
    .action(async (which: string, options: JsonOption) => {
      const changed = await client().request<OperatorAnswer>("DELETE", `${one(which)}/codes`);
      answer(
        terminal,
        options,
        changed,
        ({ name }) => `One-time codes of ${name} are off. All sessions of ${name} have ended.`,
      );
    });

  withJson(operators.command("role").description("change an operator's role"))
    .argument("<name>", "name or ID")
    .argument("<role>", "viewer, editor or owner", roleArgument)
    .action(async (which: string, role: string, options: JsonOption) => {
      const changed = await client().request<OperatorAnswer>("PUT", `${one(which)}/role`, { json: { role } });
      answer(terminal, options, changed, (shown) => `${shown.name} now has the role ${shown.role}.`);
    });

  withJson(operators.command("disable").description("end an operator's sessions, and revoke the tokens they created"))
    .argument("<name>", "name or ID")
    .action(async (which: string, options: JsonOption) => {
      const changed = await client().request<OperatorAnswer & { revokedTokens: string[] }>(
        "POST",
        `${one(which)}/disable`,
      );
      answer(terminal, options, changed, disabledText);
    });

  withJson(
    operators.command("enable").description("let a disabled operator sign in again; revoked tokens stay revoked"),
  )
    .argument("<name>", "name or ID")
    .action(async (which: string, options: JsonOption) => {
      const changed = await client().request<OperatorAnswer>("POST", `${one(which)}/enable`);
      answer(terminal, options, changed, ({ name }) => `${name} can sign in again. Revoked tokens stay revoked.`);
    });
}

/** Creates a link directly in the database. @throws Refusal */
async function linkHere(config: Config, which: string | undefined): Promise<LinkAnswer> {
  const [{ openPostgres }, { linkFirst, setupUrl }, { linkOperator }] = await Promise.all([
    import("../db/open.ts"),
    import("../operators/links.ts"),
    import("../operators/operators.ts"),
  ]);
  const database = openPostgres(config.databaseUrl!, { max: 1 });
  const deps = { db: database.db, clock: systemClock, options: config };
  try {
    if (which === undefined) return await linkFirst(deps, "dayletter");
    const { token, ...operator } = await linkOperator(deps, which, "dayletter");
    return { ...operator, link: setupUrl(config.publicUrl, token) };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new CommandError(`The link cannot be stored in DATABASE_URL (${reasonOf(error)}). Start the server first.`);
  } finally {
    await database.close();
  }
}

function disabledText({ name, revokedTokens }: { name: string; revokedTokens: readonly string[] }): string {
  return englishWording().say("operator.disabled", { name, n: revokedTokens.length, tokens: revokedTokens.join(", ") });
}

export function operatorsText(operators: readonly OperatorAnswer[], columns: number | null): string {
  if (operators.length === 0)
    return "There are no operators yet. To add the first one, run `dayletter operators link`.";
  const titles = ["Name", "Role", "Status", "One-time codes", "Last sign-in"].map((title) => ({ title }));
  const rows = operators.map((one) => [
    one.name,
    one.role,
    one.state,
    one.oneTimeCodes ? "yes" : "no",
    one.signedInAt === null ? "never" : moment(one.signedInAt),
  ]);
  return table(titles, rows, columns);
}

function linkText({ name, role, link }: LinkAnswer): string {
  return name === undefined
    ? `To sign up as the first operator, open this link. It works once, within 24 hours:\n${link}`
    : `With this link, ${name} (${role}) can choose a password. It works once, within three days:\n${link}`;
}
