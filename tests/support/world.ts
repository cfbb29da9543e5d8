import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openApp, type App } from "../../src/app.ts";
import type { Clock } from "../../src/base/clock.ts";
import { silentLog, type Log } from "../../src/base/log.ts";
import type { ResolveMx } from "../../src/providers/look-up.ts";
import { loadConfig } from "../../src/config/load.ts";

export interface World {
  app: App;
  dataDir: string;
  close(): Promise<void>;
}

/** The settings that tests share; each may be overridden by `env`. */
export function testEnv(dataDir: string, env: Record<string, string> = {}): Record<string, string> {
  return {
    DATA_DIR: dataDir,
    PORT: "0",
    PUBLIC_URL: "https://alerts.example",
    PUBLICATION_NAME: "Telecom Daily",
    MAIL_FROM: "Telecom Daily <alerts@example.com>",
    POSTAL_ADDRESS: "1 Wire Street, London",
    ALLOW_PRIVATE_SOURCES: "1",
    SECRET: "a-secret-for-tests-only-0123456789",
    ...env,
  };
}

/** The program on engines of its own: embedded in a temporary folder unless `env` names servers. */
export async function openWorld(
  options: { env?: Record<string, string>; clock?: Clock; log?: Log; dataDir?: string; resolveMx?: ResolveMx } = {},
): Promise<World> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "dayletter-test-"));
  const app = await openApp(loadConfig(testEnv(dataDir, options.env)), {
    log: options.log ?? silentLog,
    command: "test",
    resolveMx: options.resolveMx ?? (async () => []),
    ...(options.clock ? { clock: options.clock } : {}),
  });
  return {
    app,
    dataDir,
    async close() {
      await app.close(0);
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/**
 * Resolves once `check` gives something other than undefined, null or false; rejects with `what` after `limitMs`. The
 * longer it takes, the less often it looks: to look at a program takes the time that it needs itself.
 */
export async function eventually<T>(what: string, check: () => Promise<T>, limitMs = 20_000): Promise<NonNullable<T>> {
  const end = Date.now() + limitMs;
  for (let pause = 10; ; pause = Math.min(1.3 * pause, 200)) {
    const found = await check();
    if (found !== undefined && found !== null && found !== false) return found;
    if (Date.now() > end) throw new Error(`Waited ${limitMs} ms in vain: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
