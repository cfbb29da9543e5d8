import { afterAll, beforeAll, expect, test } from "vitest";
import { openWeb, type OpenWeb } from "./open.ts";

type Operation = {
  summary?: string;
  security?: object[];
  responses: Record<string, { content?: Record<string, unknown> }>;
};
interface Document {
  openapi: string;
  security: object[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> };
}

let site: OpenWeb;
const registered = new Set<string>();
let document: Document;

beforeAll(async () => {
  site = await openWeb();
  site.web.addHook("onRoute", ({ method, url }) => {
    for (const one of [method].flat()) if (one !== "HEAD" && url.startsWith("/api")) registered.add(`${one} ${url}`);
  });
  const answer = await site.inject({ method: "GET", url: "/api/v1/openapi.json" });
  expect(answer.statusCode).toBe(200);
  document = answer.json();
});
afterAll(() => site.close());

test("the OpenAPI document has every route of the API and no other", () => {
  const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`),
  );
  registered.delete("GET /api/v1/openapi.json");
  expect(registered.size).toBeGreaterThan(25);
  expect(documented.toSorted()).toEqual([...registered].toSorted());
});

test("every operation has a summary, requires the token or is a webhook, and describes its success and its problems", () => {
  expect(document.openapi).toBe("3.1.0");
  expect(document.security).toEqual([{ bearer: [] }]);
  expect(document.components.securitySchemes).toHaveProperty("bearer");
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const where = `${method} ${path}`;
      expect(operation.summary, where).toBeTruthy();
      expect(operation.security, where).toEqual(path.startsWith("/api/v1/hooks/") ? [] : undefined);
      const statuses = Object.keys(operation.responses);
      expect(
        statuses.some((status) => status.startsWith("2")),
        where,
      ).toBe(true);
      for (const status of ["4XX", "5XX"]) {
        expect(operation.responses[status]?.content, where).toHaveProperty("application/problem+json");
      }
      for (const parameter of path.matchAll(/\{(\w+)\}/g)) {
        expect(JSON.stringify(operation), where).toContain(`"name":"${parameter[1]}","required":true`);
      }
    }
  }
});

test("every reference in the OpenAPI document resolves", () => {
  const references = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g);
  const names = new Set([...references].map((reference) => reference[1]!));
  expect(names).toContain("Problem");
  for (const name of names) expect(Object.keys(document.components.schemas), name).toContain(name);
});
