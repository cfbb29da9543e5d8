import { setTimeout as wait } from "node:timers/promises";
import type { Command } from "commander";
import { Refusal } from "../base/errors.ts";
import type { LogoAnswer, LogoChangedAnswer } from "./answers.ts";
import { answer, withJson, type Context } from "./context.ts";
import { openInput } from "./input.ts";
import { facts } from "./table.ts";

interface JsonOption {
  json?: boolean;
}

const everyMs = 250;
const patienceMs = 60_000;

export function addLogo(program: Command, context: Context): void {
  const { terminal, client } = context;
  const logo = program.command("logo").description("show, set and remove the publication's logo");

  withJson(logo.command("show").description("show which it is")).action(async (options: JsonOption) => {
    const shown = await client().ask<LogoAnswer>("GET", "/logo");
    answer(terminal, options, shown, logoText);
  });

  withJson(logo.command("set").description("take a file as the logo"))
    .argument("<file>", "an SVG, PNG, JPEG or WebP of up to 200 kB; - for standard input")
    .action(async (file: string, options: JsonOption) => {
      const body = { type: "application/octet-stream", bytes: openInput(file, terminal).stream };
      const set = await client().ask<LogoChangedAnswer>("PUT", "/logo", { body });
      await inForce(context, set);
      answer(terminal, options, set, ({ sentence }) => sentence);
    });

  withJson(logo.command("remove").description("do without a logo")).action(async (options: JsonOption) => {
    const removed = await client().ask<LogoChangedAnswer>("DELETE", "/logo");
    await inForce(context, removed);
    answer(terminal, options, removed, ({ sentence }) => sentence);
  });
}

/** Waits until a restarting server is back, so that the next command finds it. It may listen on another port then. */
async function inForce({ client }: Context, { restarting, logo }: LogoChangedAnswer): Promise<void> {
  if (!restarting) return;
  for (let waited = 0; waited < patienceMs; waited += everyMs) {
    await wait(everyMs);
    try {
      const now = await client().ask<LogoAnswer>("GET", "/logo");
      if (now.logo?.name === logo?.name) return;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
  throw new Refusal(504, "The server has not opened anew with it within a minute: look at its log.");
}

export function logoText({ logo, fixed }: LogoAnswer): string {
  const by = fixed ? "PUBLICATION_LOGO, in the environment" : "`dayletter logo set FILE`, or the set-up page";
  if (logo === null) return `There is no logo. It is set by ${by}.`;
  return facts([
    ["Picture", `${logo.type}, ${logo.width} × ${logo.height}, ${Math.ceil(logo.bytes / 1000)} kB`],
    ["Address", logo.url],
    ["In mails", logo.inMails ? "yes" : "no: they show a PNG or JPEG"],
    ["Set by", by],
  ]);
}
