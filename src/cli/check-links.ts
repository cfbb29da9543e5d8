import type { Command } from "commander";
import type { LinksAnswer } from "./answers.ts";
import { editionArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { table } from "./table.ts";
import { plural } from "./format.ts";

/** `edition check-links`: asks at once for the pages that an edition's articles lead to. */
export function addCheckLinks(edition: Command, { terminal, client }: Context): void {
  withJson(edition.command("check-links").description("look whether the pages of an edition's articles are there"))
    .argument("[edition]", "such as 2026-11-24; the coming one if left out", editionArgument)
    .action(async (name: string | undefined, options: { json?: boolean }) => {
      const report = await client().ask<LinksAnswer>("POST", `/editions/${name ?? "next"}/check-links`);
      answer(terminal, options, report, linksText);
    });
}

export function linksText({ links, unasked }: LinksAnswer): string {
  const wrong = links.filter(({ verdict }) => verdict !== "fine");
  const fine = links.length - wrong.length;
  const rest = unasked === 0 ? "" : ` ${plural(unasked, "link")} not asked for.`;
  const summary = `${fine} of ${plural(links.length, "link")} ${fine === 1 ? "leads" : "lead"} to a page.${rest}`;
  if (wrong.length === 0) return summary;
  const rows = wrong.map(({ id, title, url, verdict, said }) => [String(id), verdict, said ?? "", title, url]);
  const columns = [
    { title: "Id", right: true },
    { title: "Link" },
    { title: "What it does" },
    { title: "Headline" },
    { title: "Address" },
  ];
  return `${summary}\n\n${table(columns, rows, null)}`;
}
