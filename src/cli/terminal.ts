import { Readable, type Writable } from "node:stream";

/** What a command reads from and speaks to; tests put their own in its place. */
export interface Terminal {
  input: Readable;
  /** Writes a line, or several, to standard output. */
  out(text: string): void;
  /** Bytes as they are. */
  raw(bytes: Uint8Array): void;
  /** Writes a line to standard error. */
  err(text: string): void;
  /** Replaces the last line of standard error; does nothing where that is no terminal. */
  overwrite(text: string): void;
  /** Whether a person watches standard error. */
  watched: boolean;
  /** How a person calls the command line, for texts that name a command. */
  command: string;
  /** Width for tables; null where standard output is no terminal, so that nothing is cut. */
  columns: number | null;
}

/**
 * The terminal of this process. A reader that goes away (`dayletter articles list | head -1`) ends the process quietly,
 * as it would any Unix program.
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

/** Texts are written with `dayletter …`; this makes each such command one that works where the text is read. */
export function nameCommands(text: string, command: string): string {
  return text.replace(/`dayletter (?=[a-z-])/g, () => `\`${command} `);
}

/** A terminal nobody watches, which keeps what it was told. */
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

/** Waits until everything written so far has left the process, so that ending it cuts nothing off. */
export async function flushed(streams: readonly Writable[] = [process.stdout, process.stderr]): Promise<void> {
  for (const stream of streams) await new Promise<void>((resolve) => stream.write("", () => resolve()));
}
