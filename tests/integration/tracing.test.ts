import { context, propagation, trace, TraceFlags, type TextMapPropagator } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLog } from "../../src/base/log.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import { getEdition } from "../../src/editions/store.ts";
import { openTracing } from "../../src/alerts/tracing.ts";
import { addSource } from "../../src/sources/manage-sources.ts";
import { startWorker } from "../../src/worker.ts";
import { movedClock } from "../support/clock.ts";
import { startFeed } from "../support/feed-server.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { startSink } from "../support/sink.ts";
import { eventually, openWorld } from "../support/world.ts";

/** W3C Trace Context, as far as a queue needs it; the SDK's own is not among our packages. */
const propagator: TextMapPropagator<Record<string, string>> = {
  inject(from, carrier) {
    const span = trace.getSpanContext(from);
    if (span) carrier["traceparent"] = `00-${span.traceId}-${span.spanId}-01`;
  },
  extract(into, carrier) {
    const [, traceId, spanId] = (carrier["traceparent"] ?? "").split("-");
    if (!traceId || !spanId) return into;
    return trace.setSpanContext(into, { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true });
  },
  fields: () => ["traceparent"],
};
const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

beforeAll(() => {
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(propagator);
});
afterAll(async () => {
  await provider.shutdown();
  trace.disable();
  context.disable();
  propagation.disable();
});

test("one trace follows an edition from job to job, with ids and counts and nobody's address", async () => {
  const clock = movedClock("2026-11-24T07:00:00Z");
  const sink = await startSink({ onRcpt: (to) => (to.startsWith("gone") ? `550 5.1.1 no ${to}` : null) });
  const feed = await startFeed();
  const world = await openWorld({ clock, env: { TRACES: "1", SMTP_URL: sink.url, SLICE_SIZE: "10" } });
  const worker = await startWorker(world.app);
  try {
    await addSource(world.app, { url: feed.url, tags: [], rename: {}, actor: "test" });
    await addAllNewsReaders(world.app, [
      ...Array.from({ length: 14 }, (_, i) => `r${i}@example.org`),
      "gone@example.org",
    ]);
    await addArticle(world.app, "News");
    const { id } = await sendNow(world.app, { extra: false, actor: "test" });
    await eventually("it is finished", async () => (await getEdition(world.app.db, "2026-11-24")).state === "finished");
    await worker.stop();

    const spans = exporter.getFinishedSpans();
    const { traceId } = spans.find(({ name }) => name === "send now")!.spanContext();
    const ofEdition = spans.filter((span) => span.spanContext().traceId === traceId);
    expect(new Set(ofEdition.map(({ name }) => name).filter((name) => !/^(add|process) /.test(name)))).toEqual(
      new Set([
        "send now",
        "gather",
        "fetch source",
        "open edition",
        "render edition",
        "queue slices",
        "deliver slice",
        "close edition",
      ]),
    );
    const slices = ofEdition.filter(
      ({ name, attributes }) => name === "deliver slice" && attributes["dayletter.handed"] !== 0,
    );
    expect(
      slices
        .map(({ attributes }) => attributes)
        .toSorted((a, b) => Number(a["dayletter.slice"]) - Number(b["dayletter.slice"])),
    ).toEqual([
      { "dayletter.edition": id, "dayletter.slice": 0, "dayletter.handed": 10 },
      { "dayletter.edition": id, "dayletter.slice": 1, "dayletter.handed": 5 },
    ]);
    // A schedule's jobs are nobody's children, or the trace of whoever set it would never end.
    const scheduled = spans.filter(({ attributes }) => attributes["bullmq.job.name"] === "retention");
    const began = scheduled.filter(({ name }) => name === "process editions");
    expect(began.map(({ parentSpanContext }) => parentSpanContext)).toEqual(began.map(() => undefined));
    const told = JSON.stringify(
      spans.map(({ name, attributes, events, status }) => ({ name, attributes, events, status })),
    );
    expect(told).not.toContain("@");
  } finally {
    await worker.stop();
    await world.close();
    await Promise.all([sink.close(), feed.close()]);
  }
});

test("what a relay said of an address is in no span of a failed job, and idling is in none", async () => {
  exporter.reset();
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (_fields: object, message: string) => void warnings.push(message) };
  const { telemetry, trace: traced, flush } = openTracing(log);
  const span = telemetry.tracer.startSpan("process deliveries");
  span.recordException(new Error("550 no ada@example.org"));
  span.addEvent("job failed", { reason: "550 no ada@example.org", code: 550 });
  span.end();
  telemetry.tracer.startSpan("getNextJob deliveries").end();
  const fails = traced("deliver slice", { slice: 1 }, () => Promise.reject(new Error("no <bo@example.org> here")));
  await expect(fails).rejects.toThrow("bo@example.org");
  await flush();
  const spans = exporter.getFinishedSpans();
  expect(spans.map(({ name }) => name)).toEqual(["process deliveries", "deliver slice"]);
  expect(spans[0]!.events.map(({ attributes }) => attributes)).toEqual([
    expect.objectContaining({ "exception.message": "550 no <address>" }),
    { reason: "550 no <address>", code: 550 },
  ]);
  expect(warnings).toEqual([]);
  expect(spans[1]!.status.message).toBe("no <<address>> here");
});
