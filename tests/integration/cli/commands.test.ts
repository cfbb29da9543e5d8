import { randomUUID } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EditionDetailAnswer, ImportAnswer } from "../../../src/web/api/answers.ts";
import { openLimitStore } from "../../../src/ledger/limit-store.ts";
import { startWeb, type RunningWeb } from "../../../src/server.ts";
import { startWorker, type RunningWorker } from "../../../src/worker.ts";
import { textOf } from "../../support/text.ts";
import { startFeed, type FeedServer } from "../../support/feed-server.ts";
import { openWorld, testEnv, type World } from "../../support/world.ts";
import { execute } from "../../unit/cli/execute.ts";

/** One day of an operator at the command line; the tests follow each other. */
describe("commands against a running server", () => {
  let world: World;
  let feed: FeedServer;
  let web: RunningWeb;
  let worker: RunningWorker;
  const run = (argv: string[], input = "") => execute(argv, testEnv(world.dataDir), input);

  beforeAll(async () => {
    feed = await startFeed([
      { id: "a", title: "Huawei deal confirmed", tags: ["lg u+", "huawei"], at: new Date() },
      { id: "b", title: "Band opens", tags: ["한국"], at: new Date() },
    ]);
    // The hour before this one: no schedule comes due during the test.
    const hour = String((new Date().getUTCHours() + 23) % 24).padStart(2, "0");
    world = await openWorld({ env: { SEND_AT: `${hour}:00` } });
    worker = await startWorker(world.app);
    web = await startWeb(world.app);
  });

  afterAll(async () => {
    await web?.stop();
    await worker?.stop(0);
    await world?.close();
    await feed?.close();
  });

  test.each<[string, string[], RegExp]>([
    ["an empty list shows the next step", ["sources", "list"], /^No sources yet\. To add one, run/],
    ["an empty list of articles too", ["articles", "list"], /^No articles yet/],
    ["and of tags", ["tags", "list"], /^No tags found/],
    ["and of editions", ["edition", "list"], /^No editions yet/],
    ["and of readers", ["subscribers", "list"], /^No subscribers found/],
  ])("%s", async (_what, argv, said) => {
    expect(await run(argv)).toMatchObject({ code: 0, stdout: expect.stringMatching(said), stderr: "" });
  });

  test("a feed is added, listed and checked", async () => {
    expect(await run(["sources", "add", feed.url])).toMatchObject({
      code: 0,
      stdout: "Source 1 added: Telecom Daily. 2 articles read: 2 new, 0 updated.\n",
    });
    expect((await run(["sources", "add", feed.url])).stderr).toContain(
      textOf("error.source_exists", { url: feed.url }),
    );
    expect((await run(["sources", "list"])).stdout).toMatch(/^ID {2}Title.*\n 1 {2}Telecom Daily .* healthy\n$/);
    expect((await run(["sources", "check", "1"])).code).toBe(0);
    const options = ["--timezone", "Asia/Seoul", "--split-tags"];
    expect(await run(["sources", "edit", "1", ...options])).toMatchObject({ code: 0, stderr: "" });
    expect((await run(["sources", "edit", "1", ...options])).stdout).toBe("No change.\n");
    const back = await run(["sources", "edit", "1", "--timezone", "publication", "--no-split-tags", "--json"]);
    expect(JSON.parse(back.stdout).source).toMatchObject({ timezone: null, splitTags: false });
    feed.failWith = 404;
    expect(await run(["sources", "check", "1"])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("404"),
    });
    feed.failWith = null;
  });

  test("articles from a file get one result each", async () => {
    const list = JSON.stringify([
      { url: "https://news.example/c", title: "From a file", tags: ["c++"] },
      { url: "nowhere", title: "x" },
    ]);
    const { code, stdout } = await run(["articles", "add", "--file", "-"], list);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^added 3 {2}https:\/\/news\.example\/c\nrefused {2}nowhere {2}/);
    expect((await run(["articles", "hide", "3"])).code).toBe(0);
    expect((await run(["articles", "list", "--waiting"])).stdout).not.toContain("From a file");
  });

  test("readers are added, refused and listed", async () => {
    expect(await run(["subscribers", "add", "min@readers.example", "--tag", "LG U+", "--confirmed"])).toMatchObject({
      code: 0,
      stdout: "min@readers.example is active and follows lg u+.\n",
    });
    const refused: [string[], RegExp][] = [
      [["min@readers.example", "--all-tags"], /is already a subscriber/],
      [["nobody", "--all-tags"], /is not an email address/],
      [["a@readers.example", "--tag", "curling"], /^No article is tagged "curling"/],
    ];
    for (const [argv, sentence] of refused) {
      const { code, stderr } = await run(["subscribers", "add", ...argv]);
      expect([code, stderr]).toEqual([1, expect.stringMatching(sentence)]);
    }
  });

  test("a list is imported whole or, with --strict, not at all", async () => {
    const csv = "address,tags,status\nkim@readers.example,한국,active\nnobody,huawei,active\n";
    const strict = await run(["subscribers", "import", "-", "--strict"], csv);
    expect(strict).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^Line 3: "nobody" is not an email address/),
    });
    expect(strict.stderr).toContain("1 line was refused, so nothing was imported");
    const dry = await run(["subscribers", "import", "-", "--dry-run"], csv);
    expect(dry.stdout).toContain(
      "2 lines: 1 added, 0 updated, 0 unchanged, 0 suppressed, 1 refused. This was a dry run",
    );
    expect((await run(["subscribers", "list"])).stdout).not.toContain("kim@");
    const ndjson = '{"address":"kim@readers.example","tags":["한국"],"status":"active"}\n';
    const report = JSON.parse((await run(["subscribers", "import", "-", "--json"], ndjson)).stdout) as ImportAnswer;
    expect(report).toMatchObject({ lines: 1, added: 1, refused: [], imported: true });
    expect((await run(["subscribers", "export"])).stdout).toMatch(/"kim@readers\.example","active","false","한국",/);
  });

  test("a list with other column names is imported, and a reader erased", async () => {
    const csv = "Kunde,E-Mail,Themen\nLee,lee@readers.example,한국\n";
    const map = ["--map", "address=E-Mail", "--map", "tags=Themen"];
    expect((await run(["subscribers", "import", "-", ...map], csv)).stdout).toContain("1 added");
    const { subscribers } = JSON.parse((await run(["subscribers", "list", "--json"])).stdout) as {
      subscribers: { id: number; address: string }[];
    };
    const { id } = subscribers.find(({ address }) => address === "lee@readers.example")!;
    const edit = [
      "subscribers",
      "edit",
      "lee@readers.example",
      "--timezone",
      "Asia/Seoul",
      "--pause-until",
      "2199-01-01",
    ];
    expect(await run([...edit, "--json"])).toMatchObject({ code: 1 });
    const edited = await run([...edit.slice(0, 5), "--all-tags", "--json"]);
    expect(JSON.parse(edited.stdout)).toMatchObject({
      id,
      timezone: "Asia/Seoul",
      allTags: true,
      pendingAddress: null,
    });
    expect(await run(edit.slice(0, 3))).toMatchObject({ code: 2 });
    expect((await run(["subscribers", "erase", String(id)])).stdout).toMatch(/^Subscriber \d+ was erased/);
    expect((await run(["subscribers", "list"])).stdout).not.toContain("lee@");
    expect(await run(["subscribers", "erase", String(id)])).toMatchObject({ code: 1 });
    expect((await run(["subscribers", "import", "-", "--confirmed", ...map], csv)).stdout).toContain(
      "lee@readers.example deleted their data on",
    );
    expect((await run(["suppressions", "remove", "lee@readers.example"])).code).toBe(0);
  });

  test("a tag is listed, renamed, given another spelling, merged, hidden and shown again", async () => {
    expect((await run(["tags", "list"])).stdout).toMatch(/^Tag +Articles +Readers.*\n.*한국 +\d+ +\d+\n/s);
    expect((await run(["tags", "rename", "한국", "Korea"])).stdout).toBe('"한국" is now called "Korea".\n');
    expect(await run(["tags", "rename", "Korea", "huawei"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Merge"),
    });
    expect((await run(["tags", "alias", "Corea", "Korea"])).stdout).toBe('"Corea" is now an alias of "Korea".\n');
    const hide = await run(["tags", "hide", "Corea", "--dry-run"]);
    expect(hide.stdout).toContain(textOf("effect.hide_followers", { n: 1 }));
    expect(hide.stdout).toContain("dry run");
    expect((await run(["tags", "rename", "Korea", "Seoul", "--dry-run"])).stdout).toContain("dry run");
    expect((await run(["tags", "merge", "Korea", "huawei", "--dry-run"])).stdout).toContain(
      textOf("effect.merge_final", { from: "Korea" }),
    );
    expect((await run(["tags", "unhide", "Korea", "--dry-run"])).stdout).toBe('No change. "Korea" is not hidden.\n');
    expect((await run(["tags", "list", "--hidden"])).stdout).toMatch(/^No tags found/);
    expect((await run(["tags", "hide", "Corea"])).stdout).toMatch(
      /^"Korea" is now hidden\. 1 reader follows it and gets no articles for it\. 1 reader follows no other/,
    );
    expect((await run(["tags", "list", "--hidden"])).stdout).toMatch(/\nKorea +\d+ +1 +hidden +Corea, 한국\n$/);
    const unalias = ["tags", "unalias", "corea", "Korea"];
    const dry = (await run([...unalias, "--dry-run"])).stdout;
    expect(dry).toContain(textOf("effect.remove_spelling", { alias: "Corea", tag: "Korea" }));
    expect(dry).toContain("dry run");
    expect((await run(unalias)).stdout).toBe('"Corea" is no longer an alias of "Korea".\n');
    expect((await run(unalias)).stdout).toBe('No change. "corea" is not an alias of "Korea".\n');
    expect(JSON.parse((await run([...unalias, "--json"])).stdout)).toMatchObject({ changed: false });
    expect((await run(["tags", "unhide", "Korea"])).stdout).toContain("1 reader gets its articles");
    expect((await run(["tags", "merge", "nothing", "Korea"])).stderr).toContain('No article is tagged "nothing"');
    expect((await run(["tags", "rename", "Korea", "한국", "--revision", "1"])).stderr).toContain(
      "has changed since you opened it",
    );
    expect((await run(["tags", "rename", "Korea", "한국"])).code).toBe(0);
  });

  test("an address is suppressed, listed and released", async () => {
    expect((await run(["suppressions", "list"])).stdout).toBe("No addresses are suppressed.\n");
    const added = await run(["suppressions", "add", "no@readers.example", "--reason", "asked by phone"]);
    expect(added.stdout).toBe("no@readers.example is suppressed. Reason: asked by phone.\n");
    expect((await run(["suppressions", "list"])).stdout).toMatch(/#[0-9a-f]{12} +asked by phone/);
    expect((await run(["suppressions", "list", "--reason", "bounce"])).stdout).toBe("No addresses are suppressed.\n");
    expect((await run(["suppressions", "count"])).stdout).toMatch(/\nother +Other reason +1\n$/);
    expect(
      (await run(["suppressions", "remove-all", "--reason", "other", "--since", "2026-01-01", "--dry-run"])).stdout,
    ).toMatch(/^1 suppression would be removed/);
    expect(await run(["suppressions", "remove-all", "--reason", "other"])).toMatchObject({ code: 1 });
    expect(await run(["subscribers", "add", "no@readers.example", "--all-tags"])).toMatchObject({ code: 1 });
    expect((await run(["suppressions", "remove", "no@readers.example"])).code).toBe(0);
    expect((await run(["suppressions", "remove", "no@readers.example"])).stderr).toContain("is not suppressed");
    await run(["suppressions", "add", "no@readers.example"]);
    const all = await run(["suppressions", "remove-all", "--reason", "operator", "--since", "2026-01-01"]);
    expect(all.stdout).toBe("1 suppression removed. 0 readers get emails again.\n");
  });

  test("a sample copy is printed", async () => {
    const { code, stdout } = await run(["edition", "preview", "--tag", "lg u+"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Huawei deal confirmed");
    expect(stdout).not.toContain("Band opens");
    const sample = await run(["sample", "--tag", "lg u+"]);
    expect(sample.code).toBe(0);
    expect(sample.stdout).toContain("1 article on lg u+");
    expect((await run(["sample", "--eml"])).stdout).toMatch(/^From: [^]*\nSubject: Sample copy: /);
    expect((await run(["sample", "--html", "--tag", "nonsense"])).stderr).toMatch(/^No article is tagged "nonsense"/);
  });

  test("an edition is sent and watched to its end; a second one is refused", async () => {
    const sent = await run(["edition", "send", "--watch", "--json"]);
    const edition = JSON.parse(sent.stdout) as EditionDetailAnswer;
    expect(sent.code).toBe(0);
    expect(edition).toMatchObject({ state: "finished", balance: { selected: 2, sent: 2 } });
    expect(await run(["edition", "send"])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^Edition .* already exists/),
    });
    const shown = (await run(["edition", "show"])).stdout;
    expect(shown).toContain("Balance  selected 2 = sent 2 + rejected 0 + expired 0 + skipped 0 + unknown 0");
    expect((await run(["edition", "pause", edition.name])).stderr).toContain(
      textOf("error.edition_action_not_possible", {
        edition: edition.name,
        state: "finished",
        action: "pause",
        actions: "retry, resend-unknown, unsuppress",
      }),
    );
    expect((await run(["edition", "retry", edition.name])).stdout).toContain("No change.");
  });

  test("deliveries are explained for each reader, searched and exported", async () => {
    const why = await run(["subscribers", "why", "Min@readers.example"]);
    expect(why).toMatchObject({ code: 0, stderr: "" });
    expect(why.stdout).toMatch(/^min@readers\.example \(subscriber 1, active\)\nEdition \d.*: sent\..* at /);
    expect(why.stdout).toMatch(/\n\nArticle +Matching tags\nHuawei deal confirmed +lg u\+\n$/);
    expect((await run(["subscribers", "why", "1", "--date", "2001-01-01"])).stdout).toContain(
      "There is no edition of 2001-01-01",
    );
    expect(await run(["subscribers", "why", "nobody@readers.example"])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^No subscriber has this address/),
    });
    const [, name] = /^Edition (\S+):/m.exec(why.stdout)!;
    const search = async (...flags: string[]) => (await run(["edition", "deliveries", name!, ...flags])).stdout;
    expect(await search("--state", "sent", "--domain", "readers.example")).toMatch(/min@readers\.example +1 +250 /);
    expect(await search("--state", "unknown")).toMatch(/^No deliveries of .* match/);
    expect(await search("--csv")).toMatch(/^"id","state","address",.*\n"\d+","sent","min@readers\.example",/);
    expect((await run(["edition", "deliveries", name!, "--state", "lost"])).code).toBe(2);
    expect((await run(["alerts", "list"])).stdout).toMatch(/^No alerts yet/);
    expect((await run(["alerts", "test"])).stderr).toContain(textOf("error.alert_way_missing"));
  });

  test("commands accept addresses but never put one into a URL", async () => {
    const asked: string[] = [];
    const note = (message: unknown) => asked.push((message as { request: IncomingMessage }).request.url!);
    subscribe("http.server.request.start", note);
    try {
      const address = "zoe+news@readers.example";
      const { name } = JSON.parse((await run(["edition", "show", "--json"])).stdout) as { name: string };
      for (const argv of [
        ["subscribers", "add", address, "--all-tags", "--confirmed"],
        ["subscribers", "why", address],
        ["suppressions", "add", address],
        ["suppressions", "remove", address],
        ["subscribers", "erase", address],
        ["edition", "deliveries", name, "--reply", address],
        ["edition", "deliveries", name, "--reply", address, "--csv"],
        ["edition", "test", address, name],
      ]) {
        expect(await run(argv), argv.join(" ")).toMatchObject({ code: 0, stderr: "" });
      }
      expect((await run(["suppressions", "remove", "nobody@readers.example"])).stderr).toMatch(/is not suppressed/);
      expect(asked.length).toBeGreaterThan(8);
      expect(asked.filter((url) => /@|%40/i.test(url))).toEqual([]);
    } finally {
      unsubscribe("http.server.request.start", note);
    }
  });

  test("the schedule is changed and a date skipped", async () => {
    const set = await run(["schedule", "set", "--at", "6:30", "--days", "mon-fri", "--timezone", "europe/berlin"]);
    expect(set.stdout).toMatch(/^Time {6}06:30 \(Europe\/Berlin\)\nDays {6}mon, tue, wed, thu, fri\n/);
    expect((await run(["schedule", "skip", "2099-12-25"])).stdout).toContain("2099-12-25");
    expect((await run(["schedule", "skip", "2099-12-25", "--undo"])).stdout).not.toContain("2099-12-25");
    expect((await run(["schedule", "set", "--reset"])).stdout).toContain("(UTC)");
  });

  test("of two changes to the same revision of the schedule, one is refused and names who made the other", async () => {
    const revision = /^Revision +([0-9a-f]{16})$/m.exec((await run(["schedule", "show"])).stdout)![1]!;
    const set = (days: string, seen: string) => run(["schedule", "set", "--days", days, "--revision", seen]);
    const answers = await Promise.all(["mon-fri", "mon-sat"].map((days) => set(days, revision)));
    expect(answers.map(({ code }) => code).toSorted((a, b) => a - b)).toEqual([0, 1]);
    const told = textOf("error.schedule_changed", { actor: "first" });
    expect(answers.find(({ code }) => code === 1)!.stderr).toContain(told);
    const move = ["schedule", "move", "2099-12-24"];
    expect((await run([...move, "10:00", "--revision", revision])).stderr).toContain(told);
    expect((await run([...move, "10:00"])).code).toBe(0);
    expect((await run([...move, "--undo", "--revision", revision])).stderr).toContain(told);
    expect((await run([...move, "--undo"])).code).toBe(0);
    expect((await run(["schedule", "set", "--reset"])).code).toBe(0);
  });

  test("a pause of the relay is ended, once", async () => {
    const failed = { ms: 600_000, reason: "421 Busy", failures: 1, quota: null };
    await openLimitStore(world.app.db, randomUUID()).exchange({ rate: null, lease: null, failed });
    expect(await run(["relay", "resume", "--json"])).toMatchObject({ code: 0, stdout: '{\n  "changed": true\n}\n' });
    expect(await run(["relay", "resume"])).toMatchObject({ code: 0, stdout: expect.stringContaining("is not paused") });
  });

  test("doctor asks the server that holds the data folder", async () => {
    const { code, stdout } = await run(["doctor"]);
    expect(stdout).toMatch(/^ok {4}records .* in use by the server at .*, which answers\.$/m);
    expect(stdout).toMatch(/^ok {4}source .* The server can read Telecom Daily\.$/m);
    expect(code).toBe(0);
    // The stored schedule and the server's own address, and not those in this environment.
    await run(["schedule", "set", "--at", "06:30", "--timezone", "Europe/Berlin"]);
    const { stdout: again } = await run(["doctor"]);
    expect(again).toMatch(/^ok {4}times .*Europe\/Berlin.* at 06:30: /m);
    expect((await run(["schedule", "set", "--reset"])).code).toBe(0);
  });

  test("a token that is not valid", async () => {
    const { code, stderr } = await execute(["status"], { DAYLETTER_URL: web.url, DAYLETTER_TOKEN: "x".repeat(40) });
    expect(code).toBe(1);
    expect(stderr).toMatch(/does not accept this token\. Set DAYLETTER_TOKEN/);
  });
});
