import type { Command } from "commander";
import { loadHere, type Config } from "../config/load.ts";
import { createClient, type Client, findServer } from "./client.ts";
import { nameCommands, type Terminal } from "./terminal.ts";

/** Passed to all commands. Only commands that need settings read them, so `--help` always works. */
export interface Context {
  terminal: Terminal;
  config(): Config;
  client(): Client;
}

export function createContext(terminal: Terminal, load: () => Config = loadHere): Context {
  return { terminal, config: load, client: () => createClient(findServer(load())) };
}

/** Adds `--json` to a command that sends a request. */
export function withJson(command: Command): Command {
  return command.option("--json", "print the complete response as JSON");
}

/** Prints a response as JSON with `--json`, otherwise as the text that `render` returns for a terminal of this width. */
export function answer<T>(
  terminal: Terminal,
  options: { json?: boolean },
  value: T,
  render: (value: T, columns: number | null) => string,
): void {
  terminal.out(
    options.json ? JSON.stringify(value, null, 2) : nameCommands(render(value, terminal.columns), terminal.command),
  );
}
