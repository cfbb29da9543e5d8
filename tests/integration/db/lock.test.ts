import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packageRoot } from "../../../src/package-root.ts";
import { processStat } from "../../../src/base/process-stat.ts";
import { lockDataFolder } from "../../../src/db/lock.ts";
import { eventually } from "../../support/world.ts";

let dir: string;
let children: ChildProcess[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "dayletter-lock-"));
  children = [];
});
afterEach(async () => {
  await Promise.all(children.map(killed));
  rmSync(dir, { recursive: true, force: true });
});

const program = `
  const { lockDataFolder } = await import(${JSON.stringify(join(packageRoot, "dist/src/db/lock.js"))});
  try {
    await lockDataFolder(process.argv[1], "serve");
    console.log("held");
    setInterval(() => {}, 1000);
  } catch (error) {
    console.log(JSON.stringify({ code: error.code, ...error.details }));
  }
`;

/** Another process that takes the folder and keeps it until it is killed; the first line it says. */
async function taker(): Promise<{ pid: number; says: string; kill(): Promise<void> }> {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program, dir]);
  children.push(child);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { pid: child.pid!, says: line.toString().trim(), kill: () => killed(child) };
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

const path = (): string => join(dir, "lock.json");
const oldLock = (holder: object): void =>
  writeFileSync(
    path(),
    JSON.stringify({ command: "serve", startedAt: "2026-11-24T07:00:00.000Z", birth: null, ...holder }),
  );

describe("the lock of the data folder", () => {
  it("refuses a second process with the one that holds it, and lets it in after a kill", async () => {
    const first = await taker();
    expect(first.says).toBe("held");
    const second = await taker();
    expect(JSON.parse(second.says)).toMatchObject({
      code: "data_folder_in_use",
      folder: dir,
      pid: first.pid,
      command: "serve",
      startedAt: expect.stringMatching(/^20/),
    });
    await first.kill();
    expect((await taker()).says).toBe("held");
  });

  it("goes to one of six that find a dead holder's lock at the same time", async () => {
    // Above the highest pid that Linux gives.
    oldLock({ pid: 2 ** 22 + 1, host: hostname() });
    const takers = await Promise.all(Array.from({ length: 6 }, taker));
    expect(takers.filter(({ says }) => says === "held")).toHaveLength(1);
  });

  it("of a killed process that its parent has not reaped is taken over at once", async () => {
    // A shell that becomes `sleep` never asks what became of its child.
    const holder = `${process.execPath} --input-type=module --eval "$PROGRAM" "$FOLDER"`;
    const parent = spawn("sh", ["-c", `${holder} & echo $!; exec sleep 600`], {
      env: { ...process.env, PROGRAM: program, FOLDER: dir },
    });
    children.push(parent);
    let printed = "";
    for await (const chunk of parent.stdout as AsyncIterable<Buffer>) if ((printed += chunk).includes("held")) break;
    const pid = Number.parseInt(printed, 10);
    process.kill(pid, "SIGKILL");
    await eventually("it is dead and not reaped", async () => processStat(pid)?.dead);
    (await lockDataFolder(dir, "serve", 0))();
  });

  it("is waited for while its holder ends", async () => {
    const first = await taker();
    const next = lockDataFolder(dir, "serve", 20_000);
    expect(await Promise.race([next, Promise.resolve("waits")])).toBe("waits");
    await first.kill();
    (await next)();
  });

  it("is given back, once, and leaves nothing behind", async () => {
    const giveBack = await lockDataFolder(dir, "serve");
    await expect(lockDataFolder(dir, "migrate")).rejects.toMatchObject({
      code: "data_folder_in_use",
      details: { pid: process.pid, command: "serve" },
    });
    giveBack();
    expect(existsSync(path())).toBe(false);
    const again = await lockDataFolder(dir, "migrate");
    giveBack();
    expect(JSON.parse(readFileSync(path(), "utf8"))).toMatchObject({ command: "migrate", pid: process.pid });
    again();
  });

  it("is not fooled by a new process with a dead one's number", async () => {
    oldLock({ pid: process.ppid, host: hostname(), birth: "another boot:1" });
    (await lockDataFolder(dir, "serve"))();
  });

  it.each([
    ["that was heard of just now is respected", 0, false],
    ["that has been silent for a minute is taken over", 60, true],
  ])("of a holder on another host %s", async (_, silentSeconds, taken) => {
    oldLock({ pid: 1, host: "another-container" });
    const heard = Date.now() / 1_000 - silentSeconds;
    utimesSync(path(), heard, heard);
    if (taken) (await lockDataFolder(dir, "serve"))();
    else
      await expect(lockDataFolder(dir, "serve")).rejects.toMatchObject({
        code: "data_folder_in_use",
        details: { pid: 1, host: "another-container", command: "serve" },
      });
  });

  it("that cannot be read is not thrown away", async () => {
    writeFileSync(path(), "");
    await expect(lockDataFolder(dir, "serve")).rejects.toMatchObject({
      code: "lock_unreadable",
      details: { file: path() },
    });
  });
});
