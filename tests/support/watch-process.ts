/**
 * Watchers of an event stream as a program: `node --import tsx watch-process.ts '{"url": "…", "cookie": "…", "watchers": 20}'`.
 * Each line on its standard input turns them on or off; `on` or `off` is printed once every one of them has been told
 * something, or has left.
 */
import { once } from "node:events";
import { get, type ClientRequest, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";

const { url, cookie, watchers } = JSON.parse(process.argv[2]!) as { url: string; cookie: string; watchers: number };

async function watch(): Promise<ClientRequest> {
  const request = get(url, { headers: { cookie, accept: "text/event-stream" }, agent: false });
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  if (answer.statusCode !== 200) throw new Error(`${url} answers ${answer.statusCode}.`);
  const told = new Promise<void>((resolve) =>
    answer.on("data", (part: Buffer) => {
      if (part.includes("data: ")) resolve();
    }),
  );
  // Leaving cuts the line, which is no error here.
  answer.on("error", () => undefined);
  await told;
  return request;
}

let watching: ClientRequest[] = [];
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "on") watching = await Promise.all(Array.from({ length: watchers }, watch));
  else {
    const left = watching.map((request) => once(request, "close"));
    for (const request of watching) request.destroy();
    await Promise.all(left);
    watching = [];
  }
  process.stdout.write(`${line}\n`);
}
