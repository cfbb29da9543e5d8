import type { FastifyRequest } from "fastify";
import { expect, test } from "vitest";
import { browsedHere, fromThisMachine } from "../../../src/web/this-machine.ts";

function request(headers: Record<string, string>, { remoteAddress = "127.0.0.1", httpVersion = "1.1" } = {}) {
  return { headers, raw: { socket: { remoteAddress }, httpVersion } } as unknown as FastifyRequest;
}

test.each([
  ["a browser", { host: "localhost:3000", connection: "keep-alive" }],
  ["curl", { host: "127.0.0.1:3000" }],
  ["a browser that speaks IPv6", { host: "[::1]:3000", connection: "keep-alive" }],
])("%s on this machine is recognised", (_who, headers) => {
  expect(fromThisMachine(request(headers))).toBe(true);
});

test.each<[string, Record<string, string>, { remoteAddress?: string; httpVersion?: string }?]>([
  ["another machine", { host: "localhost:3000" }, { remoteAddress: "192.0.2.1" }],
  ["a name that somebody points here", { host: "attacker.example:3000" }],
  ["a proxy that says so", { host: "127.0.0.1:3000", "x-forwarded-for": "192.0.2.1" }],
  // Without another word in its configuration nginx names the server that it passes on to, and nobody it does so for.
  ["nginx as it comes", { host: "127.0.0.1:3000", connection: "close" }, { httpVersion: "1.0" }],
  ["nginx with HTTP/1.1", { host: "127.0.0.1:3000", connection: "close" }],
])("%s is not recognised as this machine", (_who, headers, more) => {
  expect(fromThisMachine(request(headers, more))).toBe(false);
});

test("a browser on this machine must send connection: keep-alive, because a proxy may look like a local program", () => {
  expect(browsedHere(request({ host: "localhost:3000", connection: "keep-alive" }))).toBe(true);
  expect(browsedHere(request({ host: "127.0.0.1:3000" }))).toBe(false);
  expect(browsedHere(request({ host: "attacker.example:3000", connection: "keep-alive" }))).toBe(false);
});
