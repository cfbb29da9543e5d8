import type { Command } from "commander";
import { loadHere, type Config } from "../config/load.ts";
import { createClient, type Client } from "./client.ts";
import { findServer } from "./server-place.ts";
import { nameCommands, type Terminal } from "./terminal.ts";

/** What every command gets. Settings are read only by the commands that need them, so that `--help` always works. */
export interface Context {
  terminal: Terminal;
  config(): Config;
  client(): Client;
}

export function createContext(terminal: Terminal, load: () => Config = loadHere): Context {
  return { terminal, config: load, client: () => createClient(findServer(load())) };
}

/** Adds `--json` to a command that asks the server something. */
export function withJson(command: Command): Command {
  return command.option("--json", "print JSON, for programs");
}

/** Prints an answer as JSON where that was asked for, else in the words that `tell` finds for it. */
export function answer<T>(terminal: Terminal, options: { json?: boolean }, value: T, tell: (value: T) => string): void {
  terminal.out(options.json ? JSON.stringify(value, null, 2) : nameCommands(tell(value), terminal.command));
}
