import { text } from "node:stream/consumers";
import type { Command } from "commander";
import type { ArticleAnswer, OutcomeAnswer } from "../web/api/answers.ts";
import { englishWording } from "../texts/catalogue.ts";
import { idArgument, limitArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { exitCodes, UsageError } from "./failure.ts";
import { openInput } from "./input.ts";
import type { SetExitCode } from "./program.ts";
import { table } from "./table.ts";

interface JsonOption {
  json?: boolean;
}

export function addArticles(program: Command, { terminal, client }: Context, setExitCode: SetExitCode): void {
  const articles = program.command("articles").description("list, add and hide articles");

  withJson(articles.command("list").description("list the newest articles and their editions"))
    .option("--tag <tag>", "only articles with this tag")
    .option("--waiting", "only articles that are waiting for the next edition")
    .option("--limit <number>", "maximum number to show", limitArgument, 50)
    .action(async (options: JsonOption & { tag?: string; waiting?: boolean; limit: number }) => {
      const query = { tag: options.tag, unclaimed: options.waiting, limit: options.limit };
      const list = await client().request<{ articles: ArticleAnswer[] }>("GET", "/articles", { query });
      answer(terminal, options, list, (value) => articlesText(value.articles, terminal.columns));
    });

  withJson(articles.command("add").description("add articles from a JSON file"))
    .requiredOption(
      "--file <file>",
      "one article or a list, with url, title and optionally guid, summary, tags, publishedAt; - for standard input",
    )
    .action(async (options: JsonOption & { file: string }) => {
      const json = await readJson(openInput(options.file, terminal));
      const added = await client().request<{ articles: OutcomeAnswer[] }>("POST", "/articles", { json });
      answer(terminal, options, added, (value) => value.articles.map(outcomeText).join("\n"));
      if (added.articles.some((one) => one.outcome === "refused")) setExitCode(exitCodes.failed);
    });

  withJson(articles.command("hide").description("remove an article from all future editions"))
    .argument("<id>", "as shown by `articles list`", idArgument)
    .action(async (id: number, options: JsonOption) => {
      const hidden = await client().request("POST", `/articles/${id}/hide`);
      answer(terminal, options, hidden, () => `Article ${id} is hidden from all future editions.`);
    });
}

export function articlesText(articles: readonly ArticleAnswer[], columns: number | null): string {
  if (articles.length === 0) return "No articles yet. To read a feed now, run `dayletter sources check ID`.";
  const rows = articles.map((article) => [
    String(article.id),
    article.edition ?? englishWording().say(`article_status.${article.status}`),
    article.title,
    article.tags.join(", "),
  ]);
  return table(
    [{ title: "ID", right: true }, { title: "Edition" }, { title: "Headline" }, { title: "Tags" }],
    rows,
    columns,
  );
}

function outcomeText({ url, outcome, id, reason, leftOutTags }: OutcomeAnswer): string {
  const less = leftOutTags.length === 0 ? "" : `  Ignored tags: ${leftOutTags.join(", ")}.`;
  return `${outcome}${id === null ? "" : ` ${id}`}  ${url}${reason === null ? "" : `  ${reason}`}${less}`;
}

async function readJson(input: ReturnType<typeof openInput>): Promise<unknown> {
  try {
    return JSON.parse((await text(input.stream)).replace(/^\ufeff/, ""));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(
      `${input.name} is not valid JSON (${error.message}). It must contain one article or a list of articles.`,
    );
  }
}
