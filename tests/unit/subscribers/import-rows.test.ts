import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { parseColumnMap, readCsv, readNdjson, type ImportLine } from "../../../src/subscribers/import-rows.ts";

async function rows(lines: AsyncIterable<ImportLine>): Promise<unknown[]> {
  const all = [];
  for await (const line of lines) all.push("row" in line ? [line.row.address, line.row.tags] : line.problem);
  return all;
}

const csv = (text: string, ...map: string[]) => rows(readCsv(Readable.from([text]), parseColumnMap(map)));

test.each([
  ["our own names", "email,tags\na@example.com,huawei|lg u+", [], [["a@example.com", ["huawei", "lg u+"]]]],
  [
    "their names, in any case",
    "Kunde,E-Mail Adresse,Interessen\nMin,a@example.com,5G",
    ["address=e-mail adresse", "tags=Interessen"],
    [["a@example.com", ["5G"]]],
  ],
  [
    "a mapped column instead of one that has our name",
    "email,work mail\na@example.com,b@example.com",
    ["address=work mail"],
    [["b@example.com", []]],
  ],
  ["a name with an equals sign", "a=b\na@example.com", ["address=a=b"], [["a@example.com", []]]],
])("a list is read by %s", async (_what, text, map, expected) => {
  expect(await csv(text, ...map)).toEqual(expected);
});

test("lines of JSON go by the same names", async () => {
  const line = '{"Mail":"x@example.com","contact":"a@example.com","Topics":["5G"]}\n';
  const map = parseColumnMap(["address=contact", "tags=topics"]);
  expect(await rows(readNdjson(Readable.from([line]), map))).toEqual([["a@example.com", ["5G"]]]);
});

test("a column that the list has not is named", async () => {
  expect(await csv("email\na@example.com", "tags=Interests")).toEqual([
    expect.stringContaining('no column "interests"'),
  ]);
});

test.each([
  [["nonsense=E-Mail"], /expected one of address, tags/],
  [["address"], /expected one of address/],
  [["address="], /expected one of address/],
  [["address=A", "address=B"], /another mapping has already/],
  [["address=A", "tags=a"], /another mapping has already/],
])("the mapping %j is refused", (map, sentence) => {
  expect(() => parseColumnMap(map)).toThrow(sentence);
});

test("a wrong time zone costs its line only", async () => {
  const list = "email,timezone\na@example.com,Mars/Base\nb@example.com,europe/berlin\n";
  expect(await csv(list)).toEqual([expect.stringContaining('"Mars/Base" is not a time zone'), ["b@example.com", []]]);
});
