import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Redis } from "ioredis";
import pg from "pg";
import { freePort } from "../../src/base/free-port.ts";
import { isProgram } from "./kinds.ts";
import { onExit } from "./on-exit.ts";

/** A server of our own on a free loopback port, its data in a temporary folder that `stop` removes. */
export interface PrivateServer {
  url: string;
  pid(): number;
  /** Ends it at once, as a crash does: nothing that it still has in memory is written. */
  crash(): Promise<void>;
  /** Starts it again on the same port with the data that it left. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

interface Owner {
  uid?: number;
  gid?: number;
}

const startLimitMs = 20_000;

/**
 * Starts PostgreSQL from the PATH or from Debian's folders, the newest version first.
 * @param options.durable whether a commit survives `crash`
 */
export async function startPostgres(options: { durable?: boolean } = {}): Promise<PrivateServer> {
  const versions = "/usr/lib/postgresql";
  const folders = namesIn(versions)
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(versions, version, "bin"));
  const initdb = find("initdb", folders, "postgresql");
  const postgres = find("postgres", folders, "postgresql");
  // PostgreSQL refuses to run as root.
  const owner = process.getuid?.() === 0 ? ownerNamed("postgres") : {};
  const folder = newFolder(owner);
  const data = join(folder, "data");
  execFileSync(initdb, ["-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C", "-A", "trust", "--no-sync"], {
    ...owner,
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const port = await freePort();
  const settings = [
    "listen_addresses=127.0.0.1",
    `port=${port}`,
    "unix_socket_directories=",
    "max_connections=200",
    // The machine outlives the tests, so that nothing needs to reach the disk.
    "fsync=off",
    `synchronous_commit=${options.durable ? "on" : "off"}`,
    "full_page_writes=off",
    "log_min_messages=panic",
  ];
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const argv = ["-D", data, ...settings.flatMap((setting) => ["-c", setting])];
  // SIGQUIT is PostgreSQL's immediate shutdown, SIGINT the fast one that waits for no client.
  const signals = { crash: "SIGQUIT", stop: "SIGINT" } as const;
  return started(
    "PostgreSQL",
    url,
    folder,
    signals,
    () => spawnServer(postgres, argv, folder, owner),
    async () => {
      const client = new pg.Client({ connectionString: url });
      client.on("error", () => {});
      await client.connect();
      await client.end();
    },
  );
}

/** @param options.durable whether what was written survives `crash` (AOF); otherwise it comes back empty */
export async function startRedis(options: { durable?: boolean } = {}): Promise<PrivateServer> {
  const program = find("redis-server", [], "redis-server");
  const folder = newFolder({});
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const place = ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder, "--loglevel", "warning"];
  const aof = options.durable ? ["--appendonly", "yes", "--appendfsync", "always"] : ["--appendonly", "no"];
  const argv = [...place, "--save", "", ...aof, "--maxmemory-policy", "noeviction"];
  const signals = { crash: "SIGKILL", stop: "SIGINT" } as const;
  return started(
    "Redis",
    url,
    folder,
    signals,
    () => spawnServer(program, argv, folder, {}),
    async () => {
      const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
      // Without a listener a refused connection would be printed at every attempt.
      redis.on("error", () => {});
      try {
        await redis.connect();
      } finally {
        redis.disconnect();
      }
    },
  );
}

/** In a process group of its own, so that Ctrl-C on a terminal reaches the tests and not their servers. */
function spawnServer(program: string, argv: string[], cwd: string, owner: Owner): ChildProcess {
  return spawn(program, argv, { ...owner, cwd, detached: true, stdio: ["ignore", "ignore", "inherit"] });
}

async function started(
  name: string,
  url: string,
  folder: string,
  signals: { crash: NodeJS.Signals; stop: NodeJS.Signals },
  spawnIt: () => ChildProcess,
  connect: () => Promise<void>,
): Promise<PrivateServer> {
  let server = spawnIt();
  const end = async (signal: NodeJS.Signals) => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, "exit");
    server.kill(signal);
    await ended;
  };
  // The immediate shutdown of PostgreSQL also ends its children.
  const forget = onExit({
    end: () => void server.kill(signals.crash),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  });
  const stop = async () => {
    forget();
    await end(signals.stop);
    rmSync(folder, { recursive: true, force: true });
  };
  const answers = async () => {
    const limit = Date.now() + startLimitMs;
    for (;;) {
      try {
        await connect();
        return;
      } catch (error) {
        if (server.exitCode !== null || Date.now() > limit) {
          await stop();
          throw new Error(`${name} did not start on ${url}.`, { cause: error });
        }
        await wait(50);
      }
    }
  };
  await answers();
  return {
    url,
    pid: () => server.pid!,
    crash: () => end(signals.crash),
    async restart() {
      server = spawnIt();
      await answers();
    },
    stop,
  };
}

function newFolder(owner: Owner): string {
  const folder = mkdtempSync(join(tmpdir(), "dayletter-server-"));
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(folder, owner.uid, owner.gid);
  return folder;
}

function ownerNamed(name: string): Owner {
  const id = (flag: string) => Number(execFileSync("id", [flag, name], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

function find(program: string, moreFolders: string[], debianPackage: string): string {
  for (const folder of [...(process.env["PATH"] ?? "").split(delimiter), ...moreFolders]) {
    const path = join(folder, program);
    if (isProgram(path)) return path;
  }
  throw new Error(`The program ${program} is not on this machine: apt-get install ${debianPackage}`);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
