import { parseRelay } from "./mail.ts";
import { isLoopback } from "./parse-values.ts";
import { secretSettings, settingNames, type SettingName, type SettingProblem } from "./settings.ts";

type Given = Readonly<Record<string, string>>;

/** All problems of the settings. The process exits with 2. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly SettingProblem[];

  constructor(problems: readonly SettingProblem[]) {
    super(problems.map(({ name, code }) => `${name} ${code}`).join(", "));
    this.problems = problems;
  }
}

/** Settings that are missing although another one requires them. It reads the texts, so that it works beside wrong values. */
export function missing(given: Given): SettingProblem[] {
  // A module can send anywhere.
  const relay = given.MAIL_TRANSPORT ?? distantRelay(given.SMTP_URL);
  const [selectors, files] = [countOf(given.DKIM_SELECTOR), countOf(given.DKIM_KEY_FILE)];
  const rules: [boolean, SettingName, Omit<SettingProblem, "name">][] = [
    [given.DATABASE_URL !== undefined, "SECRET", { code: "secret_missing", data: {} }],
    [selectors > 0 && files === 0, "DKIM_KEY_FILE", { code: "dkim_key_file_missing", data: {} }],
    [
      selectors === 0 && (files > 0 || given.DKIM_DOMAIN !== undefined),
      "DKIM_SELECTOR",
      { code: "dkim_selector_missing", data: {} },
    ],
    ...(["BOUNCE_LISTEN", "BOUNCE_IMAP"] as const).map((setting): (typeof rules)[number] => [
      given[setting] !== undefined,
      "BOUNCE_ADDRESS",
      { code: "bounce_address_missing", data: { setting } },
    ]),
    [given.ALERT_WEBHOOK !== undefined, "ALERT_WEBHOOK_SECRET", { code: "webhook_secret_missing", data: {} }],
    [relay !== null, "PUBLIC_URL", { code: "public_url_missing", data: { relay } }],
    [relay !== null, "MAIL_FROM", { code: "sender_missing", data: { relay } }],
    [relay !== null, "POSTAL_ADDRESS", { code: "postal_address_missing", data: { relay } }],
  ];
  const found = rules
    .filter(([needed, name]) => needed && !given[name])
    .map(([, name, problem]) => ({ name, ...problem }));
  if (given.SMTP_URL !== undefined && given.MAIL_TRANSPORT !== undefined)
    found.push({ name: "MAIL_TRANSPORT", code: "transport_given_twice", data: {} });
  if (selectors === 0 || files === 0 || selectors === files) return found;
  return [...found, { name: "DKIM_KEY_FILE", code: "dkim_counts_differ", data: { selectors, files } }];
}

function countOf(list: string | undefined): number {
  return list?.split(",").filter((part) => part.trim() !== "").length ?? 0;
}

function distantRelay(url: string | undefined): string | null {
  if (url === undefined) return null;
  try {
    const { host } = parseRelay(url);
    return isLoopback(host) ? null : host;
  } catch {
    return null; // A wrong URL is a problem of its own.
  }
}

const ourPrefixes = ["SMTP_", "DKIM_", "DAYLETTER_", "ALERT_"];
// Short names such as PORT and HOST are one letter away from too many unrelated variables.
const shortestCompared = 7;

/**
 * Variables that were probably meant as a setting and would be ignored: they have one of our prefixes or are one letter away
 * from a setting.
 */
export function nearMisses(env: Given): SettingProblem[] {
  const known = new Set<string>(settingNames);
  return Object.entries(env)
    .filter(([name, value]) => !known.has(name) && !isServiceLink(name, value))
    .flatMap(([name]) => problemOfName(name) ?? []);
}

/**
 * Kubernetes and container links announce a service called "smtp" as SMTP_PORT=tcp://10.0.0.7:25, SMTP_SERVICE_HOST,
 * SMTP_PORT_25_TCP_ADDR and so on. Nobody typed those.
 */
function isServiceLink(name: string, value: string): boolean {
  return /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP)(_|$)/.test(name) || /^(tcp|udp):\/\//.test(value);
}

function problemOfName(name: string): SettingProblem | null {
  const secretFiles = secretSettings.map((setting) => `${setting}_FILE`);
  if (name.endsWith("_FILE") && settingNames.some((setting) => `${setting}_FILE` === name)) {
    return { name, code: "setting_not_from_file", data: { names: secretFiles.join(", ") } };
  }
  const prefix = ourPrefixes.find((candidate) => name.startsWith(candidate));
  const reach = prefix === undefined ? 1 : 2;
  const near = [...settingNames, ...secretFiles]
    .filter((setting) => prefix !== undefined || setting.length >= shortestCompared)
    .map((setting) => ({ setting, distance: editDistance(name, setting) }))
    .filter(({ distance }) => distance <= reach)
    .toSorted((a, b) => a.distance - b.distance)[0];
  if (near) return { name, code: "setting_misspelt", data: { near: near.setting } };
  if (prefix === undefined) return null;
  const siblings = settingNames.filter((setting) => setting.startsWith(prefix));
  if (siblings.length === 0) return { name, code: "setting_unknown", data: {} };
  return { name, code: "setting_unknown_prefix", data: { prefix, names: siblings.join(", ") } };
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment distance). */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const cell = (row: number, column: number) => rows[row]?.[column] ?? Infinity;
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = cell(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swaps = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = swaps ? cell(i - 2, j - 2) + 1 : Infinity;
      rows[i]![j] = Math.min(cell(i - 1, j) + 1, cell(i, j - 1) + 1, replaced, swapped);
    }
  }
  return cell(a.length, b.length);
}
