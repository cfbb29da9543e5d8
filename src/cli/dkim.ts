import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { Option, type Command } from "commander";
import { domainOf } from "../base/address.ts";
import { writePrivate } from "../base/private-file.ts";
import { dkimRecord, readDkimKey, zoneLine } from "../mail/dkim.ts";
import type { Context } from "./context.ts";
import { CommandError } from "./failure.ts";

const types = ["rsa", "ed25519"] as const;

interface CreateOptions {
  selector: string;
  domain?: string;
  type: (typeof types)[number];
  out?: string;
}

/** Adds `dkim`: keys that sign emails, and the DNS records for them. Runs here, without a server. */
export function addDkim(program: Command, { terminal, config }: Context): void {
  const dkim = program.command("dkim").description("create keys that sign emails, and show their DNS records");

  dkim
    .command("create")
    .description("create a private key and print the DNS record and the settings for it")
    .requiredOption("--selector <name>", "name of the key in DNS, such as dl2026")
    .option("--domain <domain>", "domain to sign for; the domain of MAIL_FROM if omitted")
    .addOption(new Option("--type <type>", "type of the key").choices([...types]).default("rsa"))
    .option("--out <folder>", "folder for the key file; dkim in DATA_DIR if omitted")
    .action((options: CreateOptions) => {
      const { dataDir, mailFrom } = config();
      const domain = options.domain ?? domainOf(mailFrom.address);
      const folder = resolve(options.out ?? join(dataDir, "dkim"));
      const file = join(folder, `${options.selector}.${options.type}.pem`);
      if (existsSync(file)) {
        throw new CommandError(`The file ${file} already exists. Use another selector, or delete the file.`);
      }
      const pem = newKey(options.type);
      const key = readDkimKey({ domain, selector: options.selector, pem, file });
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writePrivate(file, pem);
      terminal.out(
        [
          `The private key is in ${file}. Keep it secret.`,
          "",
          "1. Publish this DNS record:",
          "",
          `   ${zoneLine(dkimRecord(key))}`,
          "",
          "2. When DNS has it, set these variables. To sign with several keys, separate selectors and files with commas:",
          "",
          `   DKIM_DOMAIN=${key.domain}`,
          `   DKIM_SELECTOR=${key.selector}`,
          `   DKIM_KEY_FILE=${file}`,
          "",
          "3. Restart, then run `dayletter doctor`. It compares the published record with the key.",
        ].join("\n"),
      );
    });

  dkim
    .command("show")
    .description("print the DNS records of the keys in DKIM_KEY_FILE")
    .action(async () => {
      // Loaded only here, because the engines take a third of the time that a command needs to start.
      const { openDkimKeys } = await import("../engines.ts");
      const keys = openDkimKeys(config());
      if (keys.length === 0) {
        throw new CommandError("No key is set. Create one with `dayletter dkim create`, then set DKIM_KEY_FILE.");
      }
      terminal.out(keys.map((key) => zoneLine(dkimRecord(key))).join("\n"));
    });
}

function newKey(type: (typeof types)[number]): string {
  const { privateKey } =
    type === "rsa" ? generateKeyPairSync("rsa", { modulusLength: 2048 }) : generateKeyPairSync("ed25519");
  return String(privateKey.export({ type: "pkcs8", format: "pem" }));
}
