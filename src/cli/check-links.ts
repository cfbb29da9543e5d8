import type { Command } from "commander";
import type { LinksAnswer } from "./answers.ts";
import { editionArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { table } from "./table.ts";
import { plural } from "./format.ts";

/** `edition check-links` requests the pages that an edition's articles link to. */
export function addCheckLinks(edition: Command, { terminal, client }: Context): void {
  withJson(edition.command("check-links").description("check that the links of an edition's articles work"))
    .argument("[edition]", "such as 2026-11-24; the next edition if omitted", editionArgument)
    .action(async (name: string | undefined, options: { json?: boolean }) => {
      const report = await client().ask<LinksAnswer>("POST", `/editions/${name ?? "next"}/check-links`);
      answer(terminal, options, report, linksText);
    });
}

export function linksText({ links, unasked }: LinksAnswer): string {
  const wrong = links.filter(({ verdict }) => verdict !== "fine");
  const fine = links.length - wrong.length;
  const rest = unasked === 0 ? "" : ` ${plural(unasked, "link")} not checked.`;
  const summary = `${fine} of ${plural(links.length, "link")} ${fine === 1 ? "works" : "work"}.${rest}`;
  if (wrong.length === 0) return summary;
  const rows = wrong.map(({ id, title, url, verdict, said }) => [String(id), verdict, said ?? "", title, url]);
  const columns = [
    { title: "ID", right: true },
    { title: "Status" },
    { title: "Reason" },
    { title: "Headline" },
    { title: "URL" },
  ];
  return `${summary}\n\n${table(columns, rows, null)}`;
}
