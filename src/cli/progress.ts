import type { Terminal } from "./terminal.ts";

export interface Progress {
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
