import { afterAll, beforeAll, expect, test } from "vitest";
import { openSession } from "../../../src/operators/sessions.ts";
import { openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
const cookies: Record<string, string> = {};

beforeAll(async () => {
  site = await openWeb();
  for (const role of ["owner", "editor"] as const) {
    const { id } = await site.app.db
      .insertInto("operators")
      .values({ name: role, name_key: role, role, created_at: site.clock.at })
      .returning("id")
      .executeTakeFirstOrThrow();
    const session = await openSession(site.app.db, { operatorId: id, from: "192.0.2.1", agent: "" }, site.clock.at);
    cookies[role] = `__Host-dayletter=${session}`;
  }
});
afterAll(() => site.close());

test("owners see the queues on BullMQ's board, without inline scripts and third-party requests", async () => {
  const headers = { cookie: cookies["owner"]! };
  const page = await site.inject({ url: "/operator/queues", headers });
  expect([page.statusCode, page.body]).toEqual([200, expect.stringContaining('<base href="/operator/queues/"')]);
  expect(page.headers["content-security-policy"]).toMatch(/script-src 'self'; .*base-uri 'self'$/);
  const script = /src="(static\/js\/main[^"]+)"/.exec(page.body)![1]!;
  expect((await site.inject({ url: `/operator/queues/${script}`, headers })).statusCode).toBe(200);
  const { queues } = (await site.inject({ url: "/operator/queues/api/queues", headers })).json();
  expect(queues.map(({ name }: { name: string }) => name).toSorted()).toEqual([
    "deliveries",
    "editions",
    "readers",
    "sources",
  ]);
});

test("the queue board accepts writes only from its own page and from owners", async () => {
  const pause = (cookie: string, site_: string) =>
    site.inject({
      method: "PUT",
      url: "/operator/queues/api/queues/sources/pause",
      headers: { cookie, "sec-fetch-site": site_ },
    });
  for (const from of ["cross-site", "same-site", "none"])
    expect((await pause(cookies["owner"]!, from)).statusCode, from).toBe(403);
  expect((await pause(cookies["editor"]!, "same-origin")).statusCode).toBe(403);
  expect(await site.app.queues.sources.isPaused()).toBe(false);
  expect((await pause(cookies["owner"]!, "same-origin")).statusCode).toBe(200);
  expect(await site.app.queues.sources.isPaused()).toBe(true);
  expect(await site.app.db.selectFrom("audit").select(["actor", "action", "subject", "came_from"]).execute()).toEqual([
    { actor: "owner", action: "queues change", subject: "PUT /api/queues/sources/pause", came_from: "127.0.0.1" },
  ]);
});
