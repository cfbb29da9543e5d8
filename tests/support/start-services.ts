/**
 * Runs a command beside a private PostgreSQL and a private Redis, and ends both after it:
 *
 *     npm run services -- npm test
 *
 * The command finds them in TEST_DATABASE_URL and TEST_REDIS_URL; a server that one of these names already is used as
 * it is. Exit code: the command's; 1 when a server could not be started, 2 when no command was given.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { startPostgres, startRedis, type PrivateServer } from "./private-servers.ts";

const [command, ...argv] = process.argv.slice(process.argv[2] === "--" ? 3 : 2);
if (command === undefined) {
  process.stderr.write("Say which command to run: npm run services -- npm test\n");
  process.exit(2);
}

const servers: PrivateServer[] = [];
let child: ChildProcess | undefined;
let asked: NodeJS.Signals | undefined;
process.on("SIGTERM", () => {
  asked = "SIGTERM";
  child?.kill("SIGTERM");
});
// The terminal sends Ctrl-C to the command as well: it must not get it twice.
process.on("SIGINT", () => {
  asked = "SIGINT";
});

try {
  const databaseUrl = process.env["TEST_DATABASE_URL"] ?? (await own(startPostgres()));
  const redisUrl = process.env["TEST_REDIS_URL"] ?? (await own(startRedis()));
  process.exitCode =
    asked === undefined ? await run({ TEST_DATABASE_URL: databaseUrl, TEST_REDIS_URL: redisUrl }) : codeOf(null, asked);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await Promise.all(servers.map((server) => server.stop()));
}

async function own(starting: Promise<PrivateServer>): Promise<string> {
  const server = await starting;
  servers.push(server);
  return server.url;
}

async function run(environment: Record<string, string>): Promise<number> {
  child = spawn(command ?? "", argv, { stdio: "inherit", env: { ...process.env, ...environment } });
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  return codeOf(code, signal);
}

function codeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
