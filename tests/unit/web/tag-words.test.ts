import { expect, test } from "vitest";
import { hideWords, mergeWords, renameWords, unhideWords } from "../../../src/web/tag-texts.ts";

const reach = { readers: 12, onlyThis: 4, waiting: 3, waitingOnly: 1 };
const none = { readers: 0, onlyThis: 0, waiting: 0, waitingOnly: 0 };

test("hiding says who is left without mail, and which articles without readers of tags", () => {
  expect(hideWords(reach)).toBe(
    "It is no longer offered to readers, nor shown on articles. 12 readers follow it: they keep it, and it brings them " +
      "nothing until you show it again. 4 of them follow nothing else, and get no mail until then. Of 3 articles for the " +
      "next edition with it, 1 has no other tag: only readers of all news get that. Editions that are frozen stay as they are.",
  );
  expect(hideWords({ ...reach, readers: 4 })).toContain("All of them follow nothing else, and get no mail");
  expect(hideWords({ ...reach, readers: 2, onlyThis: 1 })).toContain(
    "1 of them follows nothing else, and gets no mail",
  );
  expect(hideWords(none)).toBe(
    "It is no longer offered to readers, nor shown on articles. No reader follows it. Editions that are frozen stay as they are.",
  );
});

test("showing again says for whom, and with what", () => {
  expect(unhideWords(reach)).toContain("from the next edition on, with the 3 articles that wait now.");
  expect(unhideWords({ ...none, readers: 1 })).toContain(
    "1 reader follows it and gets its news again from the next edition on.",
  );
});

test("renaming promises an alias only where there is one", () => {
  expect(renameWords({ from: "a", to: "b", spelling: false }, none)).toContain("“a” stays as another spelling");
  expect(renameWords({ from: "a", to: "A", spelling: true }, none)).not.toContain("stays as another spelling");
});

test("merging says when one of the two is hidden", () => {
  const [from, into] = [
    { name: "a", hidden: false },
    { name: "b", hidden: true },
  ];
  expect(mergeWords({ from, into }, reach)).toContain("“b” is hidden, so none of them gets news of it");
  expect(mergeWords({ from: into, into: from }, reach)).toContain(
    "“b” is hidden and “a” is not: they get its news again.",
  );
  expect(mergeWords({ from, into: { name: "b", hidden: false } }, reach)).not.toContain("hidden");
});
