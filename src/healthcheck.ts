/**
 * The image's health check: exits with 0 if the server in this container answers on /healthz, otherwise with 1. It is
 * separate because it runs every few seconds, and the command line takes longer to load.
 */
const port = process.env["PORT"] || "3000";
try {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(4_000) });
  process.exitCode = answer.ok ? 0 : 1;
} catch {
  process.exitCode = 1;
}
