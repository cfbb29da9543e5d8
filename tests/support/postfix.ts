import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../src/base/free-port.ts";
import { postfix } from "./kinds.ts";
import { onExit } from "./on-exit.ts";
import { answers } from "./ports.ts";
import { eventually } from "./world.ts";

/** A private Postfix. Only root can start one. */
export interface Postfix {
  port: number;
  /** What it has logged so far. */
  log(): string;
  /** How many messages are in its queue. */
  queued(): number;
  stop(): Promise<void>;
}

/** What Debian's postfix starts, without the services of other machines. */
const services = [
  "cleanup unix n - n - 0 cleanup",
  "qmgr unix n - n 1 1 qmgr",
  "rewrite unix - - n - - trivial-rewrite",
  "bounce unix - - n - 0 bounce",
  "defer unix - - n - 0 bounce",
  "trace unix - - n - 0 bounce",
  "showq unix n - n - - showq",
  "flush unix n - n 1000? 0 flush",
  "proxymap unix - - n - - proxymap",
  "smtp unix - - n - - smtp",
  "lmtp unix - - n - - lmtp",
  "error unix - - n - - error",
  "retry unix - - n - - error",
  "discard unix - - n - - discard",
  "anvil unix - - n - 1 anvil",
  "scache unix - - n - 1 scache",
  "postlog unix-dgram n - n - 1 postlogd",
];

/**
 * @param settings of main.cf. What a message waits for is a second here, and hours in life.
 * @param files for its tables, found in `$config_directory`
 */
export async function startPostfix(
  settings: Record<string, string>,
  files: Record<string, string> = {},
): Promise<Postfix> {
  const folder = mkdtempSync(join(tmpdir(), "dayletter-postfix-"));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const main: Record<string, string> = {
    compatibility_level: "3.6",
    queue_directory: `${folder}/queue`,
    data_directory: `${folder}/data`,
    maillog_file: `${folder}/log`,
    maillog_file_prefixes: folder,
    inet_interfaces: "127.0.0.1",
    inet_protocols: "ipv4",
    mynetworks: "127.0.0.0/8",
    mydestination: "",
    local_recipient_maps: "",
    local_transport: "error:no such mailbox",
    alias_maps: "",
    smtputf8_enable: "yes",
    // All clients are the tests.
    smtpd_client_connection_count_limit: "0",
    smtp_host_lookup: "native, dns",
    queue_run_delay: "1s",
    minimal_backoff_time: "1s",
    maximal_backoff_time: "1s",
    ...settings,
  };
  const lines = Object.entries(main).map(([name, value]) => `${name} = ${value}`);
  writeFileSync(join(folder, "main.cf"), `${lines.join("\n")}\n`);
  writeFileSync(join(folder, "master.cf"), `${[`127.0.0.1:${port} inet n - n - - smtpd`, ...services].join("\n")}\n`);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  makeQueue(folder);
  const child = spawn(join(postfix()!, "master"), ["-c", folder, "-d"], { stdio: ["ignore", "ignore", "inherit"] });
  const log = (): string => readFileSync(join(folder, "log"), "utf8");
  const forget = onExit({
    end: () => void child.kill("SIGTERM"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  });
  await eventually("Postfix listens", async () => {
    if (child.exitCode !== null) throw new Error(`Postfix ended:\n${log()}`);
    return answers(port);
  });
  return {
    port,
    log,
    queued: () => {
      const listed = execFileSync("/usr/sbin/postqueue", ["-c", folder, "-j"], { encoding: "utf8" });
      return listed.split("\n").filter((line) => line !== "").length;
    },
    async stop() {
      forget();
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** As postfix-files of the package says. */
function makeQueue(folder: string): void {
  const shell = `
    cd "$1" && mkdir queue data queue/pid &&
    cd queue && mkdir active bounce corrupt defer deferred flush hold incoming private saved trace maildrop public &&
    chown postfix active bounce corrupt defer deferred flush hold incoming private saved trace ../data &&
    chmod 700 active bounce corrupt defer deferred flush hold incoming private saved trace ../data &&
    chown postfix:postdrop maildrop public && chmod 730 maildrop && chmod 710 public`;
  execFileSync("/bin/sh", ["-c", shell, "sh", folder]);
}
