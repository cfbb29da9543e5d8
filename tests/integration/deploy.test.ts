import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/package-root.ts";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "dayletter-deploy-"))));
afterAll(() => rmSync(folder, { recursive: true }));

describe("deploy/prune.sh", () => {
  const prune = (...files: string[]): string[] => {
    const root = mkdtempSync(join(folder, "prune-"));
    for (const file of ["node_modules/a/index.js", "dist/src/cli.js", ...files]) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), "");
    }
    mkdirSync(join(root, "dist/embedded/pg_twophase"), { recursive: true });
    execFileSync(join(packageRoot, "deploy/prune.sh"), [root]);
    return readdirSync(root, { recursive: true, encoding: "utf8" });
  };

  it("takes out what no server reads", () => {
    const gone = [
      "dist/src/cli.js.map",
      "node_modules/typescript/bin/tsc",
      "node_modules/@typescript/linux/lib/tsc",
      "node_modules/a/index.js.map",
      "node_modules/a/index.d.ts",
      "node_modules/a/src/index.mts",
      "node_modules/a/CHANGELOG.md",
      "node_modules/a/docs/page.html",
      "node_modules/@scope/b/test/index.js",
      "node_modules/a/node_modules/c/.github/workflows/ci.yml",
      "node_modules/a/README.md",
    ];
    const left = prune(...gone, "node_modules/a/LICENSE");
    expect(left.filter((path) => gone.includes(path))).toEqual([]);
    expect(left).not.toContain("node_modules/a/src");
  });

  it("keeps licences, and code in folders that only look like documents", () => {
    const kept = [
      "node_modules/a/LICENSE",
      "node_modules/b/License.md",
      "node_modules/b/NOTICE.md",
      "node_modules/c/COPYING.markdown",
      // Its licence stands nowhere else.
      "node_modules/d/readme.md",
      "node_modules/yaml/dist/doc/Document.js",
      "node_modules/@scope/docs/index.js",
      "node_modules/test/index.js",
      // PostgreSQL's own files.
      "dist/embedded/global/pg_filenode.map",
      "dist/embedded/pg_twophase",
    ];
    expect(prune(...kept.slice(0, -1))).toEqual(expect.arrayContaining(kept));
  });
});

describe("the health check of the image", () => {
  const exitCode = async (port: number): Promise<unknown> => {
    const env = { PATH: process.env["PATH"], PORT: String(port) };
    const child = spawn(process.execPath, [join(packageRoot, "dist/src/healthcheck.js")], { env });
    return (await once(child, "exit"))[0];
  };

  it("ends with 0 while the server is well, else with 1", async () => {
    let status = 200;
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url);
      response.writeHead(status).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    expect(await exitCode(port)).toBe(0);
    status = 503;
    expect(await exitCode(port)).toBe(1);
    server.close();
    await once(server, "close");
    expect(await exitCode(port)).toBe(1);
    expect(asked).toEqual(["/healthz", "/healthz"]);
  });
});

describe("deploy/dayletter.service", () => {
  const unit = readFileSync(join(packageRoot, "deploy/dayletter.service"), "utf8");
  const value = (name: string): string | undefined => new RegExp(`^${name}=(.*)$`, "m").exec(unit)?.[1];

  it("starts Node itself, since npx and npm leave the server behind at SIGTERM", () => {
    expect(value("ExecStart")).toBe("/usr/bin/node /opt/dayletter/dist/src/cli.js serve");
  });

  it("gives mail in flight the time that it may take, and leaves wrong settings alone", () => {
    expect(Number.parseInt(value("TimeoutStopSec") ?? "")).toBeGreaterThan(15);
    expect(value("RestartPreventExitStatus")).toBe("2");
    expect(value("StateDirectory")).toBe("dayletter");
    expect(value("Environment")).toMatch(/\bDATA_DIR=\/var\/lib\/dayletter$/);
  });
});
