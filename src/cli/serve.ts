import type { Command } from "commander";
import type { Context } from "./context.ts";

const roles = {
  serve: "run everything in one process: pages, API, sending and schedules",
  web: "run the pages and the API only",
  worker: "run sending and schedules only, with /healthz, /readyz and /metrics on HOST:PORT",
} as const;

export type Role = keyof typeof roles;

export function addServe(program: Command, context: Context): void {
  for (const role of Object.keys(roles) as Role[]) {
    program
      .command(role)
      .description(roles[role])
      .action(async () => {
        // Imported here so that other commands don't load the code of the engines.
        const { runServer } = await import("./run-server.ts");
        await runServer(context, role);
      });
  }
}
