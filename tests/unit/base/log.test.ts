import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { createLog } from "../../../src/base/log.ts";

test("no line of the log holds an address, whatever was said, and a stack keeps its packages", () => {
  const out = new PassThrough();
  const log = createLog("info", out as unknown as NodeJS.WriteStream);
  log.error(
    {
      edition: 7,
      slice: 2,
      delivery: 31,
      reason: "550 5.1.1 <ada@example.org> unknown",
      problems: ["bo@example.com wrote this"],
      stack: "Error: no cy@example.net\n    at send (/app/node_modules/@fastify/x/index.js:1:1)",
    },
    "not sent",
  );
  expect(JSON.parse(String(out.read()))).toMatchObject({
    edition: 7,
    slice: 2,
    delivery: 31,
    msg: "not sent",
    reason: "550 5.1.1 <<address>> unknown",
    problems: ["<address> wrote this"],
    stack: "Error: no <address>\n    at send (/app/node_modules/@fastify/x/index.js:1:1)",
  });
});
