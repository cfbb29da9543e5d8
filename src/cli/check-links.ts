import type { Command } from "commander";
import type { LinksAnswer } from "../web/api/answers.ts";
import { editionArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { table } from "./table.ts";
import { plural } from "./format.ts";

/** `edition check-links` requests the pages that an edition's articles link to. */
export function addCheckLinks(edition: Command, { terminal, client }: Context): void {
  withJson(edition.command("check-links").description("check that the links of an edition's articles work"))
    .argument("[edition]", "such as 2026-11-24; the next edition if omitted", editionArgument)
    .action(async (name: string | undefined, options: { json?: boolean }) => {
      const report = await client().request<LinksAnswer>("POST", `/editions/${name ?? "next"}/check-links`);
      answer(terminal, options, report, linksText);
    });
}

export function linksText({ links, unchecked }: LinksAnswer, columns: number | null): string {
  const wrong = links.filter(({ verdict }) => verdict !== "fine");
  const fine = links.length - wrong.length;
  const rest = unchecked === 0 ? "" : ` ${plural(unchecked, "link")} not checked.`;
  const summary = `${fine} of ${plural(links.length, "link")} ${fine === 1 ? "works" : "work"}.${rest}`;
  if (wrong.length === 0) return summary;
  const rows = wrong.map(({ id, title, url, verdict, reason }) => [String(id), verdict, reason ?? "", title, url]);
  const titles = [
    { title: "ID", right: true },
    { title: "Status" },
    { title: "Reason" },
    { title: "Headline" },
    { title: "URL" },
  ];
  return `${summary}\n\n${table(titles, rows, columns)}`;
}
