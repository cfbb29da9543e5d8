import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { simpleParser } from "mailparser";

export interface PlainOrder {
  messages: number;
  /** Signs with Nodemailer's own DKIM. */
  dkim: boolean;
  /** Renders MJML for each reader instead of using cached HTML. */
  mjml: boolean;
}

export interface PlainSetup {
  redisUrl: string;
  port: number;
  connections: number;
  html: string;
  text: string;
  mjml: string;
  privateKey: string;
}

/** Stands for the reader's own link in all texts. */
export const linkPlace = "https://alerts.example/unsubscribe/READER";

export interface Plain {
  pid: number;
  /** @returns milliseconds from the first job to the last email */
  send(order: Partial<PlainOrder> & { messages: number }): Promise<number>;
  stop(): Promise<void>;
}

/** The plain stack as a process, with the content of one of the product's emails. */
export async function startPlain(
  message: Buffer,
  options: Pick<PlainSetup, "redisUrl" | "port" | "connections" | "privateKey">,
): Promise<Plain> {
  const { html, text } = await simpleParser(message);
  const withPlaces = (content: string): string =>
    content.replace(/https:\/\/alerts\.example\/(?:unsubscribe|preferences)\/[\w.~-]+/g, linkPlace);
  const setup: PlainSetup = {
    ...options,
    html: withPlaces(html || ""),
    text: withPlaces(text ?? ""),
    mjml: mjmlOf(text ?? ""),
  };
  const program = fileURLToPath(new URL("plain-stack.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", program, JSON.stringify(setup)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const line = async (): Promise<string> => {
    const [said] = (await Promise.race([
      once(lines, "line"),
      ended.then(() => Promise.reject(new Error("The plain stack ended."))),
    ])) as [string];
    return said;
  };
  await line();
  return {
    pid: child.pid!,
    async send(order) {
      const answer = line();
      child.stdin.write(`${JSON.stringify({ dkim: false, mjml: false, ...order })}\n`);
      return Number(await answer);
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}

/** The email's paragraphs as a simple MJML document. */
function mjmlOf(text: string): string {
  const escaped = (part: string): string => part.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const sections = text
    .split(/\n{2,}/)
    .map((part) => `<mj-section><mj-column><mj-text>${escaped(part)}</mj-text></mj-column></mj-section>`);
  return `<mjml><mj-body>${sections.join("")}<mj-section><mj-column><mj-button href="${linkPlace}">Unsubscribe</mj-button></mj-column></mj-section></mj-body></mjml>`;
}
