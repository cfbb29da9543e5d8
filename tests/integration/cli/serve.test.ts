import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { packageRoot } from "../../../src/package-root.ts";
import { serverIsUp, startProgram, type Program } from "../../support/program.ts";
import { eventually, testEnv } from "../../support/world.ts";
import { textOf } from "../../support/text.ts";

describe("the built program", () => {
  let dataDir: string;
  const running: Program[] = [];
  const start = (argv: string[], env: Record<string, string> = {}): Program => {
    const program = startProgram(argv, testEnv(dataDir, env));
    running.push(program);
    return program;
  };

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), "dayletter-test-"));
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((program) => program.end("SIGKILL")));
    rmSync(dataDir, { recursive: true, force: true });
  });

  test("serves, answers status, prints the next steps, and stops in order", async () => {
    const server = start(["serve"]);
    await serverIsUp(dataDir, server);
    const status = start(["status"]);
    expect(await status.exited).toBe(0);
    expect(status.output()).toMatch(/^Publication {5}Telecom Daily$/m);
    await eventually("it says what is next", async () => server.output().includes('"msg":"ready"'));
    expect(server.output()).toMatch(/Telecom Daily: dayletter serve at http:\/\/127\.0\.0\.1:\d+\n/);
    expect(server.output()).toMatch(/Next steps:\n {2}- .*`npx dayletter sources add/);

    const second = start(["serve"]);
    expect(await second.exited).toBe(1);
    expect(second.output()).toMatch(new RegExp(`^The data folder .* is in use by process ${server.pid} `));

    expect(await server.end("SIGTERM")).toBe(0);
    expect(server.output()).toContain('"msg":"stopped"');
    expect(existsSync(join(dataDir, "server"))).toBe(false);
    const late = start(["status"]);
    expect(await late.exited).toBe(1);
    expect(late.output()).toMatch(/^No running server found in .*\. Start the server/);
  });

  test("a worker has its own health pages", async () => {
    const worker = start(["worker"]);
    const url = await eventually("it is ready", async () => /dayletter worker at (\S+)/.exec(worker.output())?.[1]);
    for (const [path, status, said] of [
      ["/healthz", 200, '{"status":"ok"}'],
      ["/readyz", 200, '"ready"'],
      ["/", 404, textOf("error.worker_page_not_found")],
      ["/metrics", 200, 'process_resident_memory_bytes{role="worker",host="'],
    ] as const) {
      const answer = await fetch(url + path);
      expect([answer.status, await answer.text()]).toEqual([status, expect.stringContaining(said)]);
    }
    // What is the publication's the web processes tell.
    expect(await (await fetch(`${url}/metrics`)).text()).not.toContain("dayletter_edition");
    expect(existsSync(join(dataDir, "server"))).toBe(false);
    expect(await worker.end("SIGINT")).toBe(0);
  });

  test("settings changed on a page apply within seconds in the same process, or the previous ones are restored", async () => {
    const env = { PUBLIC_URL: "http://127.0.0.1", PUBLICATION_NAME: "", PORT: "" };
    // A free one: the default may be in use.
    writeFileSync(join(dataDir, "settings.env"), "PORT=0\n");
    const server = start(["serve"], env);
    await serverIsUp(dataDir, server);
    const file = (name: string): string => readFileSync(join(dataDir, name), "utf8").trim();
    let cookie = "";
    const page = async (path = "/operator/setup"): Promise<string> =>
      (await fetch(`${file("server")}${path}`, { headers: { cookie } })).text();
    const post = async (path: string, fields: Record<string, string>): Promise<Response> => {
      const csrf = cookie === "" ? "" : /name="csrf" value="([\w-]+)"/.exec(await page())![1]!;
      const body = new URLSearchParams({ ...fields, csrf });
      return fetch(`${file("server")}${path}`, { method: "POST", redirect: "manual", headers: { cookie }, body });
    };
    const password = "kettle marble orbit tulip";
    const entered = await post(new URL(file("setup")).pathname, { name: "Ada", password, repeated: password });
    cookie = entered.headers.get("set-cookie")!.split(";")[0]!;
    const saved = await post("/operator/setup/publication", { PUBLICATION_NAME: "Morning Wire" });
    expect(await saved.text()).toContain("data-next");
    await eventually("it has the new name", async () =>
      (await page().catch(() => "")).includes("Setup - Morning Wire"),
    );
    // Somebody writes a port into the file that is not free: the server cannot open with that, and goes back.
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const worked = file("settings.env");
    writeFileSync(join(dataDir, "settings.env"), `${worked}\nPORT=${port}\n`);
    const failed = await post("/operator/setup/publication", { PUBLICATION_NAME: "Evening Wire" });
    const next = /http-equiv="refresh" content="\d+; url=([^"]+)"/.exec(await failed.text())![1]!;
    const told = await eventually("it is back", async () => {
      const shown = await page(next).catch(() => "");
      return shown.includes("previous ones were restored") ? shown : null;
    });
    taken.close();
    expect(told).toContain("Setup - Morning Wire");
    expect(told).toMatch(new RegExp(`role="alert">The new settings do not work, so the previous .* Port ${port} `));
    expect(told).not.toContain("Publication saved");
    expect(file("settings.env")).toBe(worked);
    const refused = file("settings.env.refused");
    expect([refused.includes(`PORT=${port}`), refused.includes("Evening Wire")]).toEqual([true, true]);
    expect(await server.end("SIGTERM")).toBe(0);
    expect(server.output().match(/"msg":"ready"/g)).toHaveLength(3);
  });

  test("a port in use is reported in one line", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    try {
      for (const role of ["serve", "worker"]) {
        const program = start([role], { PORT: String(port), LOG_LEVEL: "silent" });
        expect(await program.exited).toBe(1);
        expect(program.output()).toMatch(new RegExp(`^.*${port}.*\\bPORT\\b.*\\n$`));
      }
    } finally {
      taken.close();
    }
  });

  test("unreachable engines are reported in one line, without waiting", async () => {
    for (const [role, env, sentence] of [
      ["serve", { REDIS_URL: "redis://127.0.0.1:1" }, /^Redis at 127\.0\.0\.1:1 does not answer\. Check REDIS_URL/m],
      [
        "web",
        { DATABASE_URL: "postgres://u:p@127.0.0.1:1/x" },
        /^The PostgreSQL server at DATABASE_URL cannot be used /m,
      ],
    ] as const) {
      const program = start([role], { ...env, LOG_LEVEL: "silent" });
      expect(await program.exited).toBe(1);
      expect(program.output()).toMatch(sentence);
    }
  });

  test("migrate and doctor release the data folder", async () => {
    for (const argv of [["migrate"], ["doctor"], ["migrate"]]) expect(await start(argv).exited).toBe(0);
    expect(existsSync(join(dataDir, "lock.json"))).toBe(false);
  });

  test("a closed pipe ends a command without an error", async () => {
    const child = spawn(process.execPath, [join(packageRoot, "dist/src/cli.js"), "--help"], { env: {} });
    child.stdout.destroy();
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, "close")) as [number | null];
    expect([code, said]).toEqual([0, ""]);
  });
});
