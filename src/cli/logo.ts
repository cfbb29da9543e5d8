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

  withJson(logo.command("show").description("show the current logo")).action(async (options: JsonOption) => {
    const shown = await client().ask<LogoAnswer>("GET", "/logo");
    answer(terminal, options, shown, logoText);
  });

  withJson(logo.command("set").description("set the logo"))
    .argument("<file>", "SVG, PNG, JPEG or WebP file of up to 200 kB; - for standard input")
    .action(async (file: string, options: JsonOption) => {
      const body = { type: "application/octet-stream", bytes: openInput(file, terminal).stream };
      const set = await client().ask<LogoChangedAnswer>("PUT", "/logo", { body });
      await inForce(context, set);
      answer(terminal, options, set, ({ sentence }) => sentence);
    });

  withJson(logo.command("remove").description("remove the logo")).action(async (options: JsonOption) => {
    const removed = await client().ask<LogoChangedAnswer>("DELETE", "/logo");
    await inForce(context, removed);
    answer(terminal, options, removed, ({ sentence }) => sentence);
  });
}

/** Waits until a restarting server is back, so that the next command finds it. Its port may have changed. */
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
  throw new Refusal(504, "The server did not restart within a minute. Check its log.");
}

export function logoText({ logo, fixed }: LogoAnswer): string {
  if (logo === null) {
    return fixed
      ? "There is no logo. To add one, set PUBLICATION_LOGO in the environment."
      : "There is no logo. To add one, run `dayletter logo set FILE`, or use the set-up page.";
  }
  return facts([
    ["Image", `${logo.type}, ${logo.width} × ${logo.height}, ${Math.ceil(logo.bytes / 1000)} kB`],
    ["URL", logo.url],
    ["In emails", logo.inMails ? "yes" : "no, emails only show PNG and JPEG"],
    ["Set in", fixed ? "the environment (PUBLICATION_LOGO)" : "the settings of this server"],
  ]);
}
