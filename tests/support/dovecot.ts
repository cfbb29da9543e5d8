import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { freePort } from "../../src/base/free-port.ts";
import { selfSigned } from "./certificate.ts";
import { dovecot } from "./kinds.ts";
import { onExit } from "./on-exit.ts";
import { answers } from "./ports.ts";
import { eventually } from "./world.ts";

/** A private Dovecot, whose users all have the same password. Their mailboxes are made when they are first used. */
export interface Dovecot {
  imap: number;
  /** With the certificate of `selfSigned`. */
  imaps: number;
  /** Takes emails for `user@…` and `user+anything@…`, without asking whether the user exists. */
  lmtp: number;
  /** The setting `BOUNCE_IMAP` for a folder of this user. */
  url(user: string, folder?: string): string;
  /** Ends all connections, and starts again. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export const dovecotPassword = "a-password-with-@-and-/";

export async function startDovecot(): Promise<Dovecot> {
  const program = dovecot()!;
  const folder = mkdtempSync(join(tmpdir(), "dayletter-dovecot-"));
  // Its sockets need a short path, and its processes run as users of the package when root starts it.
  chmodSync(folder, 0o755);
  const [imap, imaps, lmtp] = [await freePort(), await freePort(), await freePort()];
  const isRoot = process.getuid?.() === 0;
  const me = userInfo();
  const owner = isRoot ? idsOf("nobody") : { uid: me.uid, gid: me.gid };
  const mail = join(folder, "mail");
  mkdirSync(mail);
  chownSync(mail, owner.uid, owner.gid);
  writeFileSync(join(folder, "cert.pem"), selfSigned.cert);
  writeFileSync(join(folder, "key.pem"), selfSigned.key, { mode: 0o600 });
  const conf = join(folder, "dovecot.conf");
  const isOld = execFileSync(program, ["--version"], { encoding: "utf8" }).startsWith("2.3.");
  const config = [
    ...(isOld ? settings23(folder, owner) : settings24(folder, owner)),
    `base_dir = ${folder}/run`,
    `log_path = ${folder}/log`,
    "listen = 127.0.0.1",
    "ssl = yes",
    "first_valid_uid = 1",
    "mail_fsync = never",
    "mail_max_userip_connections = 100",
    "recipient_delimiter = +",
    "lda_mailbox_autocreate = yes",
    "lmtp_save_to_detail_mailbox = no",
    ...(isRoot ? [] : [`default_internal_user = ${me.username}`, `default_login_user = ${me.username}`]),
    ...(isRoot ? [] : [`default_internal_group = ${execFileSync("id", ["-gn"], { encoding: "utf8" }).trim()}`]),
    ...(isRoot ? [] : ["service anvil {\n  chroot =\n}", "service stats {\n  chroot =\n}"]),
    `service imap-login {\n${isRoot ? "" : "  chroot =\n"}  inet_listener imap {\n    port = ${imap}\n  }`,
    `  inet_listener imaps {\n    port = ${imaps}\n    ssl = yes\n  }\n}`,
    `service lmtp {\n  inet_listener lmtp {\n    port = ${lmtp}\n  }\n}`,
    "namespace inbox {\n  inbox = yes\n}",
  ];
  writeFileSync(conf, `${config.join("\n")}\n`);
  const start = async () => {
    const child = spawn(program, ["-F", "-c", conf], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    await eventually("Dovecot listens", async () => {
      if (child.exitCode !== null) throw new Error(`Dovecot ended:\n${readFileSync(join(folder, "log"), "utf8")}`);
      return (await answers(imap)) && (await answers(lmtp));
    });
    return child;
  };
  let child = await start();
  const kill = () => void child.kill("SIGTERM");
  const end = async () => {
    const ended = once(child, "exit");
    kill();
    await ended;
  };
  const forget = onExit({
    end: kill,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  });
  return {
    imap,
    imaps,
    lmtp,
    url: (user, name = "INBOX") =>
      `imap://${user}:${encodeURIComponent(dovecotPassword)}@127.0.0.1:${imap}/${encodeURIComponent(name)}`,
    async restart() {
      // Sessions would outlive it.
      spawnSync("/usr/bin/doveadm", ["-c", conf, "kick", "*"]);
      await end();
      child = await start();
    },
    async stop() {
      forget();
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Owner {
  uid: number;
  gid: number;
}

/** Debian 12 and Ubuntu 24.04. */
function settings23(folder: string, { uid, gid }: Owner): string[] {
  return [
    "protocols = imap lmtp",
    "disable_plaintext_auth = no",
    `ssl_cert = <${folder}/cert.pem`,
    `ssl_key = <${folder}/key.pem`,
    `mail_location = maildir:${folder}/mail/%n`,
    "auth_username_format = %n",
    `passdb {\n  driver = static\n  args = password=${dovecotPassword}\n}`,
    `userdb {\n  driver = static\n  args = uid=${uid} gid=${gid} home=${folder}/mail/%n allow_all_users=yes\n}`,
  ];
}

/** Debian 13. The versions of the configuration have to be the first lines. */
function settings24(folder: string, { uid, gid }: Owner): string[] {
  const home = `${folder}/mail/%{user | username}`;
  return [
    "dovecot_config_version = 2.4.0",
    "dovecot_storage_version = 2.4.0",
    "protocols {\n  imap = yes\n  lmtp = yes\n}",
    "auth_allow_cleartext = yes",
    `ssl_server_cert_file = ${folder}/cert.pem`,
    `ssl_server_key_file = ${folder}/key.pem`,
    "mail_driver = maildir",
    `mail_path = ${home}`,
    "auth_username_format = %{user | username}",
    `passdb static {\n  password = ${dovecotPassword}\n}`,
    `userdb static {\n  allow_all_users = yes\n  fields {\n    uid = ${uid}\n    gid = ${gid}\n    home = ${home}\n  }\n}`,
  ];
}

function idsOf(name: string): Owner {
  const id = (flag: string) => Number(execFileSync("id", [flag, name], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}
