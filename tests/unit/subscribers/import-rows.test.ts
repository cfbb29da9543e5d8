import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import {
  parseColumnMap,
  readCsv,
  readNdjson,
  type ImportLine,
  type Recognised,
} from "../../../src/subscribers/import-rows.ts";

async function rows(lines: AsyncIterable<ImportLine | Recognised>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const line of lines) {
    if ("row" in line) all.push([line.row.address, line.row.tags]);
    else if ("reasons" in line) all.push(line.reasons);
    else all.push(line);
  }
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
    [{ code: "import_column_missing", details: { column: "interests" } }],
  ]);
});

test.each([
  [["nonsense=E-Mail"], "column_mapping_invalid"],
  [["address"], "column_mapping_invalid"],
  [["address="], "column_mapping_invalid"],
  [["address=A", "address=B"], "column_mapped_twice"],
  [["address=A", "tags=a"], "column_mapped_twice"],
])("the mapping %j is refused", (map, code) => {
  expect(() => parseColumnMap(map)).toThrow(expect.objectContaining({ code }));
});

test("a wrong time zone costs its line only", async () => {
  const list = "email,timezone\na@example.com,Mars/Base\nb@example.com,europe/berlin\n";
  expect(await csv(list)).toEqual([
    [{ code: "timezone_invalid", details: { field: "timezone", zone: "Mars/Base" } }],
    ["b@example.com", []],
  ]);
});

describe("a list of any size and shape is read in little memory", () => {
  const piece = 64_000;
  const stream = (head: string, filler: string, megabytes: number, tail = "") =>
    Readable.from(
      (function* () {
        yield Buffer.from(head);
        const chunk = Buffer.alloc(piece, filler);
        for (let i = 0; i < (megabytes * 1e6) / piece; i++) yield chunk;
        yield Buffer.from(tail);
      })(),
    );
  const lines = async (read: AsyncIterable<ImportLine | Recognised>) => {
    const found = [];
    for await (const line of read)
      found.push("line" in line && [line.line, "row" in line ? line.row.address : "problem"]);
    return found;
  };
  const held = (): number => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;

  test.each([
    [
      "one line",
      "email\na@b.example\n",
      "x",
      "\nz@b.example\n",
      [
        [2, "a@b.example"],
        [3, "problem"],
        [4, "z@b.example"],
      ],
    ],
    ["a header of millions of columns", "", "a,", "\na@b.example\n", [[2, "problem"]]],
    [
      "millions of empty columns",
      "email\na@b.example\n",
      ",",
      "\n",
      [
        [2, "a@b.example"],
        [3, "problem"],
      ],
    ],
    [
      "a quote that never closes",
      'email\na@b.example\n"',
      "xxxxxxx\n",
      "",
      [
        [2, "a@b.example"],
        [3, "problem"],
      ],
    ],
  ])("%s", async (_what, head, filler, tail, expected) => {
    const before = held();
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, held() - before)), 5);
    expect(await lines(readCsv(stream(head, filler, 32, tail)))).toEqual(expected);
    clearInterval(watch);
    expect(most).toBeLessThan(25e6);
  });

  test("one line of JSON", async () => {
    const [head, tail] = ['{"email":"a@b.example"}\n{"email":"', '"}\n{"email":"z@b.example"}'];
    const expected = [
      [1, "a@b.example"],
      [2, "problem"],
      [3, "z@b.example"],
    ];
    expect(await lines(readNdjson(stream(head, "x", 32, tail)))).toEqual(expected);
  });
});

test.each(["\n", "\r\n", "\r"])("lines that end in %j are counted alike, however the bytes arrive", async (end) => {
  const text = ["email", "a@b.example", "x".repeat(40_000), "", "b@b.example", "c@b.example"].join(end);
  const bytes = Buffer.from(text);
  for (const size of [1, 7, 4_000, bytes.length]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    );
    const found = [];
    for await (const line of readCsv(Readable.from(pieces))) found.push("line" in line && [line.line, "row" in line]);
    expect(found).toEqual([
      [2, true],
      [3, false],
      [5, true],
      [6, true],
    ]);
  }
});

test("an export of another tool is recognised by its header, and a mapped column replaces what it would be read as", async () => {
  const text =
    "email,subscribed_to_emails,labels,created_at,Topics\na@example.com,true,vip,2024,5G\nb@example.com,false,vip,2024,5G";
  const leaver = { line: 3, leaver: { address: "b@example.com", suppress: "unsubscribed", at: null } };
  expect(await csv(text)).toEqual([{ tool: "ghost" }, ["a@example.com", ["vip"]], leaver]);
  expect(await csv(text, "tags=topics")).toEqual([{ tool: "ghost" }, ["a@example.com", ["5G"]], leaver]);
});
