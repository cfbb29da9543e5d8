import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ingest } from "../../../src/articles/ingest.ts";
import { sendNow } from "../../../src/editions/send-now.ts";
import { apiSource } from "../../../src/sources/store.ts";
import { addSubscriber } from "../../../src/subscribers/add.ts";
import { changeAddress } from "../../../src/subscribers/change-address.ts";
import { erase } from "../../../src/subscribers/erase.ts";
import { requestSampleMail } from "../../../src/subscribers/request-mail.ts";
import { findByAddress } from "../../../src/subscribers/store.ts";
import { linkToken } from "../../../src/subscribers/tokens.ts";
import { buildWeb } from "../../../src/web/build.ts";
import { startWorker, type RunningWorker } from "../../../src/worker.ts";
import { movedClock } from "../../support/clock.ts";
import { eventually, openWorld, type World } from "../../support/world.ts";

const token = "a-token-that-is-long-enough-for-tests";
const clock = movedClock("2026-11-24T08:00:00Z");
const names = ["ada", "bob", "cleo", "dora"];
let world: World;
let web: FastifyInstance;
let worker: RunningWorker;
let folder: string;

beforeAll(async () => {
  world = await openWorld({ clock, env: { DAYLETTER_TOKEN: token } });
  const { app } = world;
  app.mayMail = async () => true;
  folder = join(world.dataDir, "outbox");
  web = buildWeb(app);
  worker = await startWorker(app);
  const article = { guid: null, title: "One", summary: "", publishedAt: null, origin: null, tags: ["lg u+"] };
  await ingest(app, await apiSource(app.db, clock.now()), [{ ...article, url: "https://news.example/1" }]);
  for (const name of names) {
    const address = `${name}@example.org`;
    await addSubscriber(app, { address, tags: [], allTags: true, confirmed: true, actor: "test" });
    await requestSampleMail(app, { address: `${name.toUpperCase()}@example.org`, tags: [] });
  }
  await sendNow(app, { extra: false, actor: "test" });
  await kept(2 * names.length);
});
afterAll(async () => {
  await worker.stop();
  await web.close();
  await world.close();
});

/** To whom the outbox's mails are, in order, once there are so many. */
async function kept(count: number): Promise<string[]> {
  const read = (): string[] => (existsSync(folder) ? readdirSync(folder) : []).filter((name) => name.endsWith(".eml"));
  await eventually(`${count} mails`, async () => read().length >= count);
  return read()
    .map((name) => /^To: (.*)$/im.exec(readFileSync(join(folder, name), "latin1"))![1]!.trim())
    .toSorted();
}
const reader = async (name: string) => (await findByAddress(world.app.db, `${name}@example.org`))!;
const mailsOf = async (name: string): Promise<string[]> =>
  (await kept(0)).filter((to) => to.toLowerCase().startsWith(name));

test("a reader's erasure deletes all their emails in the outbox, to former addresses too", async () => {
  const { app } = world;
  const { id, key } = await reader("ada");
  await app.db
    .updateTable("subscribers")
    .set({ address: "lovelace@example.org", address_key: "lovelace@example.org" })
    .where("id", "=", id)
    .execute();
  await requestSampleMail(app, { address: "lovelace@example.org", tags: [] });
  await changeAddress(app, id, "countess@example.org", null);
  expect(await kept(2 * names.length + 2)).toContain("countess@example.org");
  const url = `/preferences/${linkToken(app.options.secret, "preferences", key)}/erase`;
  expect((await web.inject({ method: "POST", url })).statusCode).toBe(200);
  // What a stranger asked for at the former address, which nobody remembers to have been this reader's.
  expect(await kept(0)).toEqual([
    "ADA@example.org",
    "BOB@example.org",
    "CLEO@example.org",
    "DORA@example.org",
    "bob@example.org",
    "cleo@example.org",
    "dora@example.org",
  ]);
});

test("erasure with the API deletes the reader's emails and nobody else's", async () => {
  const { id } = await reader("bob");
  const headers = { authorization: `Bearer ${token}` };
  const answer = await web.inject({ method: "DELETE", url: `/api/v1/subscribers/${id}?erase`, headers });
  expect(answer.statusCode).toBe(204);
  expect(await mailsOf("bob")).toEqual([]);
  expect(await mailsOf("cleo")).toHaveLength(2);
});

test("erasure is refused while the outbox cannot be cleared, and works afterwards", async () => {
  const { app } = world;
  const { id } = await reader("cleo");
  const own = readdirSync(folder).find((name) => /^To: cleo@/im.test(readFileSync(join(folder, name), "latin1")))!;
  const message = readFileSync(join(folder, own));
  rmSync(join(folder, own));
  // A folder in the place of the mail: nothing but a file is removed.
  mkdirSync(join(folder, own));
  await expect(erase(app, id)).rejects.toMatchObject({
    status: 500,
    code: "outbox_not_writable",
  });
  const { key } = await reader("cleo");
  const url = `/preferences/${linkToken(app.options.secret, "preferences", key)}/erase`;
  const page = await web.inject({ method: "POST", url });
  expect(page.statusCode).toBe(500);
  expect(page.body).not.toMatch(/DATA_DIR|outbox|EISDIR/);
  const headers = { authorization: `Bearer ${token}` };
  const answer = await web.inject({ method: "DELETE", url: `/api/v1/subscribers/${id}?erase`, headers });
  expect(answer.body).toContain("DATA_DIR/outbox");
  expect(await reader("cleo")).not.toBeNull();
  rmSync(join(folder, own), { recursive: true });
  writeFileSync(join(folder, own), message);
  await erase(app, id);
  expect([await findByAddress(app.db, "cleo@example.org"), await mailsOf("cleo")]).toEqual([null, []]);
});

test("without an outbox, erasure has no emails to delete", async () => {
  const { app } = world;
  const { id } = await reader("dora");
  await worker.stop();
  rmSync(folder, { recursive: true });
  await erase(app, id);
  expect(await findByAddress(app.db, "dora@example.org")).toBeNull();
});
