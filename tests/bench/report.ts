import { execFileSync } from "node:child_process";
import { availableParallelism, cpus } from "node:os";
import { articlesOfEdition, followers, meanArticles } from "../support/publication.ts";
import { middle, ownCost, type Contestant, type Findings, type Sized } from "./measures.ts";
import { perSecond, type Measured } from "./product.ts";

/** One bar of the chart. */
export interface Bar {
  name: string;
  rate: number;
  ours: boolean;
}

interface Goal {
  goal: string;
  result: string;
  reached: boolean;
}

const whole = (value: number): string => Math.round(value).toLocaleString("en");
const times = (value: number): string => `${value.toFixed(value < 10 ? 2 : 1)} ×`;

/** Processor time for each email in milliseconds, of all groups or of one. */
const cost = ({ cpu, emails }: Measured, group: string): number => (cpu[group] ?? 0) / emails;
/** Emails a second if all cores worked all the time, at the same processor time for each. */
const ceiling = ({ cpu, emails }: Measured): number =>
  (availableParallelism() * 1_000 * emails) / Object.values(cpu).reduce((sum, one) => sum + one, 0);
const milliseconds = (value: number): string => value.toFixed(3);

const titles: Record<Contestant, string> = {
  source: "Postfix smtp-source, ready-made messages",
  plain: "Plain stack",
  plainDkim: "Plain stack, DKIM",
  product: "Dayletter",
  productDkim: "Dayletter, DKIM",
};

/** What a contestant did in the middle of its rounds; undefined where it could not run. */
function typical({ rounds }: Findings, name: Contestant): Measured | undefined {
  const runs = rounds.flatMap((round) => round[name] ?? []);
  return runs.length === 0 ? undefined : middle(runs);
}

/** The median of the rounds' ratios: what else the machine does changes within minutes, and so hits both of a round. */
function ratio({ rounds }: Findings, name: Contestant, to: Contestant): number {
  const ratios = rounds.flatMap((round) => {
    const [one, other] = [round[name], round[to]];
    return one && other ? [perSecond(one) / perSecond(other)] : [];
  });
  return ratios.toSorted((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? NaN;
}

export function bars(findings: Findings): Bar[] {
  const named = (Object.keys(titles) as Contestant[]).flatMap((name) => {
    const run = typical(findings, name);
    return run ? [{ name: titles[name], rate: perSecond(run), ours: name.startsWith("product") }] : [];
  });
  const embedded = { name: "Dayletter, embedded engines", rate: perSecond(findings.embedded), ours: true };
  const mjml = { name: "Plain stack, MJML for each reader", rate: perSecond(findings.mjml), ours: false };
  return [...named, embedded, mjml].toSorted((a, b) => b.rate - a.rate);
}

export function report(findings: Findings): string {
  const { plan } = findings;
  return [
    machine(findings),
    "",
    "### Goals",
    "",
    table(
      ["Goal", "Result", "Reached"],
      "llr",
      goals(findings).map(({ goal, result, reached }) => [goal, result, reached ? "yes" : "no"]),
    ),
    "",
    `### Emails a second`,
    "",
    `${plan.connections} connections to the relay. Times are CPU milliseconds for each email. The sender is smtp-source, or the Node processes.`,
    "",
    comparison(findings),
    "",
    `One RSA-2048 signature alone takes ${findings.signatureMs.toFixed(2)} ms of one core, so ${availableParallelism()} cores that do nothing else make ` +
      `${whole((availableParallelism() * 1_000) / findings.signatureMs)} a second.`,
    "",
    "### What the two goals leave room for",
    "",
    "CPU milliseconds for each email if no core were ever idle. A goal is out of reach where Node and PostgreSQL take more than is left for them.",
    "",
    room(findings),
    "",
    "### Cost by number of readers",
    "",
    `CPU milliseconds for each email. Together are Node, PostgreSQL and Redis. "Without the fixed part" leaves out what an edition to ${followers.Tiny} ` +
      'readers costs, such as rendering the templates. The sizes are measured one after the other, and the relay does the same for every email, so "At one speed" ' +
      "corrects for the speed that the machine had, by the relay's cost.",
    "",
    bySize(findings),
    "",
    "### Connections",
    "",
    table(
      ["Connections", "Emails/s", "Node", "PostgreSQL"],
      "rrrr",
      findings.connections.map(({ connections, measured }) => [
        whole(connections),
        whole(perSecond(measured)),
        milliseconds(cost(measured, "sender")),
        milliseconds(cost(measured, "postgres")),
      ]),
    ),
    "",
    "### Memory",
    "",
    memory(findings),
  ].join("\n");
}

export function goals(findings: Findings): Goal[] {
  const { plan, sizes, embedded, firstEmailMs, memory: used } = findings;
  const withDkim = ratio(findings, "productDkim", "plainDkim");
  const toSource = ratio(findings, "product", "source");
  const spreads = [false, true].map((dkim) => spread(sizes.filter((one) => one.dkim === dkim)));
  const embeddedRate = perSecond(embedded);
  const growth = memoryGrowth(findings);
  return [
    {
      goal: `With DKIM: ${goalWithDkim} × the plain stack with DKIM`,
      result: times(withDkim),
      reached: withDkim >= goalWithDkim,
    },
    {
      goal: `Without DKIM: ${goalToSource} × smtp-source`,
      result: Number.isNaN(toSource) ? "smtp-source is not installed" : times(toSource),
      reached: toSource >= goalToSource,
    },
    {
      goal: "Cost for each email the same for all sizes, within 10%",
      result: spreads.map((value, n) => `${(value * 100).toFixed(0)}% apart${n === 1 ? " with DKIM" : ""}`).join(", "),
      reached: spreads.every((value) => value <= 0.1),
    },
    {
      goal: "Embedded: 1,000 emails/s",
      result: `${whole(embeddedRate)}/s`,
      reached: embeddedRate >= 1_000,
    },
    {
      goal: `First of ${whole(plan.large)} emails within 5 s of the hour`,
      result: `${(firstEmailMs / 1_000).toFixed(1)} s`,
      reached: firstEmailMs <= 5_000,
    },
    {
      goal: "Memory of the worker: 250 MB",
      result: `${whole(used.worker.peak)} MB`,
      reached: used.worker.peak <= 250,
    },
    {
      goal: "Memory of the worker grows by at most 10%",
      result: `${growth >= 0 ? "+" : "−"}${Math.abs(growth * 100).toFixed(0)}%`,
      reached: growth <= 0.1,
    },
  ];
}

const goalWithDkim = 10;
const goalToSource = 0.7;

/** What the machine could give each email at the rate of a goal, and what becomes of it. */
function room(findings: Findings): string {
  const rows = [
    { factor: goalWithDkim, name: "productDkim", to: "plainDkim", signature: findings.signatureMs },
    { factor: goalToSource, name: "product", to: "source", signature: 0 },
  ] as const;
  return table(
    ["Goal", "Emails/s", "For each email", "Relay", "Signature", "Left", "Node and PostgreSQL take"],
    "lrrrrrr",
    rows.flatMap(({ factor, name, to, signature }) => {
      const [run, other] = [typical(findings, name), typical(findings, to)];
      if (!run || !other) return [];
      const rate = factor * perSecond(other);
      const each = (availableParallelism() * 1_000) / rate;
      const relay = cost(run, "relay");
      const spent = [each, relay, signature, each - relay - signature, ownCost(run) - signature];
      return [[`${times(factor)} ${titles[to]}`, whole(rate), ...spent.map(milliseconds)]];
    }),
  );
}

/** How far the dearest email is above the cheapest, without the fixed part of an edition and at the same speed of the machine. */
function spread(sizes: readonly Sized[]): number {
  const costs = withoutFixedPart(sizes).map(({ scaled }) => scaled);
  return Math.max(...costs) / Math.min(...costs) - 1;
}

/**
 * The cost of each email without what an edition to a few readers costs. The sizes are measured one after the other, and a shared
 * machine is faster at one time than at another. The relay does the same for every email, so its own cost says how fast it was:
 * `scaled` is the cost at the speed of the edition in the middle.
 */
function withoutFixedPart(sizes: readonly Sized[]): (Sized & { variable: number; scaled: number })[] {
  const tiny = sizes.find(({ readers }) => readers === followers.Tiny)!;
  const fixed = ownCost(tiny.measured) * tiny.measured.emails;
  const others = sizes.filter((one) => one !== tiny);
  const relays = others.map(({ measured }) => cost(measured, "relay")).toSorted((a, b) => a - b);
  const usual = relays[Math.floor(relays.length / 2)]!;
  return others.map((one) => {
    const { emails } = one.measured;
    const variable = (ownCost(one.measured) * emails - fixed) / (emails - tiny.measured.emails);
    return { ...one, variable, scaled: (variable * usual) / cost(one.measured, "relay") };
  });
}

/** From the second quarter of the large edition to its last: the most in one compared with the most in the other. */
function memoryGrowth({ course }: Findings): number {
  const most = (from: number, to: number): number =>
    Math.max(...course.slice(Math.floor(from * course.length), Math.ceil(to * course.length)).map(({ rss }) => rss));
  return most(0.75, 1) / most(0.25, 0.5) - 1;
}

function comparison(findings: Findings): string {
  const rows: [string, Measured | undefined][] = [
    ...(Object.keys(titles) as Contestant[]).map((name): [string, Measured | undefined] => [
      titles[name],
      typical(findings, name),
    ]),
    ["Dayletter, embedded engines", findings.embedded],
    ["Plain stack, MJML for each reader", findings.mjml],
  ];
  const [source, plain, plainDkim] = (["source", "plain", "plainDkim"] as const).map((name) => typical(findings, name));
  const to = (run: Measured, other: Measured | undefined): string =>
    other === undefined || other === run ? "" : times(perSecond(run) / perSecond(other));
  return table(
    [
      "",
      "Emails/s",
      "vs smtp-source",
      "vs plain",
      "vs plain, DKIM",
      "Sender",
      "PostgreSQL",
      "Redis",
      "Relay",
      "With all cores busy",
    ],
    "lrrrrrrrrr",
    rows.flatMap(([name, run]) =>
      run === undefined
        ? []
        : [
            [
              name,
              whole(perSecond(run)),
              to(run, source),
              to(run, plain),
              to(run, plainDkim),
              ...["sender", "postgres", "redis", "relay"].map((group) =>
                group in run.cpu ? milliseconds(cost(run, group)) : "",
              ),
              `${whole(ceiling(run))}/s`,
            ],
          ],
    ),
  );
}

function bySize({ sizes }: Findings): string {
  const rows = [false, true].flatMap((dkim) => withoutFixedPart(sizes.filter((one) => one.dkim === dkim)));
  return table(
    [
      "Readers",
      "DKIM",
      "Emails/s",
      "Node",
      "PostgreSQL",
      "Relay",
      "Together",
      "Without the fixed part",
      "At one speed",
    ],
    "rlrrrrrrr",
    rows.map(({ measured, readers, dkim, variable, scaled }) => [
      whole(readers),
      dkim ? "yes" : "no",
      whole(perSecond(measured)),
      milliseconds(cost(measured, "sender")),
      milliseconds(cost(measured, "postgres")),
      milliseconds(cost(measured, "relay")),
      milliseconds(ownCost(measured)),
      milliseconds(variable),
      milliseconds(scaled),
    ]),
  );
}

function memory({ memory: used, plan }: Findings): string {
  return table(
    ["Process", "Peak RSS", "RSS at the end", "PSS at the end"],
    "lrrr",
    [
      [`Worker, ${whole(plan.largest ?? plan.large)} readers`, used.worker] as const,
      [`Embedded server, ${whole(plan.embedded)} readers`, used.embedded] as const,
    ].map(([name, { peak, rss, pss }]) => [name, ...[peak, rss, pss].map((value) => `${whole(value)} MB`)]),
  );
}

function machine({ relay, loadAverage, messageBytes, rounds }: Findings): string {
  const version = (program: string, pattern: RegExp): string => {
    try {
      return pattern.exec(execFileSync(program, ["--version"], { encoding: "utf8" }))?.[1] ?? "";
    } catch {
      return "";
    }
  };
  return (
    `Measured on ${new Date().toISOString().slice(0, 10)} with ${availableParallelism()} cores (${cpus()[0]?.model ?? "unknown"}), ` +
    `Node ${process.versions.node}, PostgreSQL ${version("psql", /(\d[\d.]*)/)} and Redis ${version("redis-server", /v=(\S+)/)}. ` +
    `Everything runs on this machine, including the relay (${relay}). The load average before the run was ${loadAverage.toFixed(1)}. An edition has ${articlesOfEdition} articles, of which a reader ` +
    `gets ${meanArticles().toFixed(1)} on average. An email is ${whole(messageBytes / 1_000)} kB in size. ` +
    (rounds.length > 1
      ? `Compared figures are medians of ${rounds.length} rounds, in which the programs take turns.`
      : "Each figure is from one run.")
  );
}

/** A table in Markdown. @param sides `l` or `r` for each column */
function table(head: readonly string[], sides: string, rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line([...sides].map((side) => (side === "r" ? "---:" : "---"))), ...rows.map(line)].join("\n");
}
