import { Readable, type Writable } from "node:stream";

/** Input and output of a command. Tests use `recordingTerminal`. */
export interface Terminal {
  input: Readable;
  /** Writes one or more lines to standard output. */
  out(text: string): void;
  /** Writes bytes to standard output. */
  raw(bytes: Uint8Array): void;
  /** Writes a line to standard error. */
  err(text: string): void;
  /** Replaces the last line of standard error if it is a terminal; otherwise does nothing. */
  overwrite(text: string): void;
  /** Whether standard error is a terminal. */
  watched: boolean;
  /** How people run the command line here, for texts that contain a command. */
  command: string;
  /** Width for tables; null if standard output is not a terminal, so that nothing is cut. */
  columns: number | null;
}

/**
 * The terminal of this process. If the reader of a pipe ends first (`dayletter articles list | head -1`), the process exits
 * without an error, like other Unix programs.
 */
export function processTerminal(command: string): Terminal {
  const { stdin, stdout, stderr } = process;
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit();
    });
  }
  return {
    input: stdin,
    out: (text) => void stdout.write(`${text}\n`),
    raw: (bytes) => void stdout.write(bytes),
    err: (text) => void stderr.write(`${nameCommands(text, command)}\n`),
    overwrite: (text) => void (stderr.isTTY && stderr.write(`\r\u001b[2K${text}`)),
    watched: stderr.isTTY === true,
    command,
    columns: stdout.isTTY ? stdout.columns : null,
  };
}

/** Replaces `dayletter` in the commands of a text by the command that works here. */
export function nameCommands(text: string, command: string): string {
  return text.replace(/`dayletter (?=[a-z-])/g, () => `\`${command} `);
}

/** A terminal that keeps its output in memory. */
export function recordingTerminal(input = ""): Terminal & { stdout(): string; stderr(): string } {
  let stdout = "";
  let stderr = "";
  return {
    input: Readable.from([Buffer.from(input)]),
    out: (text) => void (stdout += `${text}\n`),
    raw: (bytes) => void (stdout += Buffer.from(bytes).toString("utf8")),
    err: (text) => void (stderr += `${text}\n`),
    overwrite: () => undefined,
    watched: false,
    command: "dayletter",
    columns: null,
    stdout: () => stdout,
    stderr: () => stderr,
  };
}

/** Waits until all output has left the process, so that exiting loses nothing. */
export async function flushed(streams: readonly Writable[] = [process.stdout, process.stderr]): Promise<void> {
  for (const stream of streams) await new Promise<void>((resolve) => stream.write("", () => resolve()));
}

interface Progress {
  /** @param note current state, such as "sent 12 of 40" */
  show(done: number, total: number, note: string): void;
  /** Removes the bar. */
  end(): void;
}

const barWidth = 24;

/** A progress bar on a terminal; elsewhere, a line of text for every 10 %. */
export function startProgress(terminal: Terminal, title: string): Progress {
  let shown = -1;
  return {
    show(done, total, note) {
      if (terminal.watched) {
        terminal.overwrite(`${title}  ${bar(done, total)}  ${note}`);
        return;
      }
      const tenth = total > 0 ? Math.floor((done / total) * 10) : 0;
      if (tenth === shown) return;
      shown = tenth;
      terminal.err(`${title}: ${note}`);
    },
    end: () => terminal.overwrite(""),
  };
}

export function bar(done: number, total: number): string {
  const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0;
  const full = Math.floor(share * barWidth);
  return `${"█".repeat(full)}${"░".repeat(barWidth - full)} ${String(Math.floor(share * 100)).padStart(3)} %`;
}

/** Waits for SIGINT or SIGTERM. The first signal stops the process in order, the second one immediately. */
export function listenForStop(): { stop: Promise<void>; stopped(): boolean; forget(): void } {
  let stopped = false;
  let resolve: () => void;
  const stop = new Promise<void>((done) => (resolve = done));
  const hear = (signal: NodeJS.Signals): void => {
    if (stopped) process.exit(signal === "SIGINT" ? 130 : 143);
    stopped = true;
    resolve();
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, hear);
  return {
    stop,
    stopped: () => stopped,
    forget: () => signals.forEach((signal) => process.off(signal, hear)),
  };
}
