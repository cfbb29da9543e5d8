import { bench, describe } from "vitest";
import { assemble, ownValues, sharedValues } from "../../src/render/assemble.ts";
import { renderLiquid, createSentinels } from "../../src/render/liquid.ts";
import { mjmlToHtml } from "../../src/render/mjml.ts";
import { templateValues } from "../../src/render/values.ts";
import { openWording } from "../../src/texts/catalogue.ts";
import { article, prepared, publication, readerMail, templates } from "../unit/render/mail.ts";

const summary = "South Korea has confirmed that Washington raised concerns about a contract for base stations. ".repeat(
  2,
);
const articles = Array.from({ length: 40 }, (_, i) => article(i, { summary }));
const edition = await prepared(articles);
const email = await templates();
const six = [0, 3, 7, 12, 20, 33];
let reader = 0;

describe("one reader's mail with six articles", () => {
  bench("from the stencil, the whole message", () => {
    assemble(edition, readerMail(six, { to: `reader${reader++}@mail.example` }));
  });

  bench("through MJML, the HTML alone", async () => {
    const mail = readerMail(six, { to: `reader${reader++}@mail.example` });
    const values = {
      ...templateValues(
        { publication, edition: { date: "2013-12-05", number: 1 }, mode: "edition" },
        createSentinels(),
      ),
      reader: { ...ownValues(mail, "edition"), ...sharedValues(mail, { wording: openWording("en"), headlines: [] }) },
      more: { begin: "", end: "" },
      articles: six.map((position, i) => ({
        ...articles[position],
        lead: i === 0,
        begin: "",
        end: "",
        source: "Korea JoongAng Daily",
        sourceUrl: null,
      })),
    };
    await mjmlToHtml(await renderLiquid(email.html, { folder: email.folder, escape: true, values }), email.html);
  });
});

describe("one reader's mail with 25 articles", () => {
  const all = articles.slice(0, 25).map(({ position }) => position);
  bench("from the stencil, the whole message", () => {
    assemble(edition, readerMail(all, { to: `reader${reader++}@mail.example` }));
  });
});
