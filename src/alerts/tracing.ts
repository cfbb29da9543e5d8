import {
  ROOT_CONTEXT,
  SpanStatusCode,
  trace as openTelemetry,
  type Attributes as OtelAttributes,
  type Context,
} from "@opentelemetry/api";
import type { Span, Telemetry } from "bullmq";
import { BullMQOtel } from "bullmq-otel";
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { withoutAddress } from "../base/address.ts";
import type { Trace, TraceFields } from "../base/trace.ts";
import { within } from "../base/async.ts";

export interface Tracing {
  trace: Trace;
  /** For BullMQ, which passes the trace from job to job. */
  telemetry: Telemetry<Context>;
  /** Flushes buffered spans, because a process that exits does not wait for the SDK. */
  flush(): Promise<void>;
}

/** Spans for the preloaded OpenTelemetry SDK. Without an SDK, the API's spans do nothing. */
export function openTracing(log: Log): Tracing {
  if (!sdk().forceFlush) {
    log.warn(
      {},
      "TRACES is set but no OpenTelemetry SDK was preloaded, so no traces are exported. See docs/operations/watching.md",
    );
  }
  const tracer = openTelemetry.getTracer("dayletter");
  const trace: Trace = (name, fields, work) =>
    tracer.startActiveSpan(name, { attributes: named(fields) }, async (span) => {
      try {
        return await work((more) => void span.setAttributes(named(more)));
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: withoutAddress(reasonOf(error)) });
        throw error;
      } finally {
        span.end();
      }
    });
  return { trace, telemetry: quietTelemetry(new BullMQOtel()), flush };
}

async function flush(): Promise<void> {
  await within(flushMs, sdk().forceFlush?.() ?? Promise.resolve());
}

function sdk(): Flushable {
  const proxy = openTelemetry.getTracerProvider() as Flushable & { getDelegate?: () => Flushable };
  // Check methods, not the class: the SDK may bundle its own copy of the API.
  return proxy.getDelegate?.() ?? proxy;
}

const flushMs = 2_000;

interface Flushable {
  forceFlush?: () => Promise<void>;
}

function named(fields: TraceFields): OtelAttributes {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [`dayletter.${name}`, value]));
}

/** Polling calls of a worker. Without this filter, they would be most of the spans. */
const ownAccount = /^(?:getNextJob|complete|moveStalledJobsToWait|startStalledCheckTimer) /;

function quietTelemetry({ tracer, contextManager }: BullMQOtel): Telemetry<Context> {
  return {
    contextManager: {
      with: (context, work) => contextManager.with(context as Context, work),
      active: () => contextManager.active(),
      getMetadata: (context) => contextManager.getMetadata(context as Context),
      fromMetadata: (active, metadata) => contextManager.fromMetadata(active as Context, metadata),
      // Otherwise loops started within a span would belong to its trace forever.
      root: () => ROOT_CONTEXT,
    },
    tracer: {
      startSpan: (name, options, context) =>
        ownAccount.test(name) ? silentSpan : withoutTexts(tracer.startSpan(name, options, context)),
    },
  };
}

const ignore = (): void => undefined;
const silentSpan: Span<Context> = {
  setSpanOnContext: (context) => context,
  setAttribute: ignore,
  setAttributes: ignore,
  addEvent: ignore,
  recordException: ignore,
  end: ignore,
};

/** A failed job's reason may contain a relay's reply, which often quotes addresses. */
function withoutTexts(span: Span<Context>): Span<Context> {
  return {
    setSpanOnContext: (context) => span.setSpanOnContext(context),
    setAttribute: (key, value) => span.setAttribute(key, value),
    setAttributes: (attributes) => span.setAttributes(attributes),
    addEvent: (name, attributes = {}) =>
      span.addEvent(
        name,
        Object.fromEntries(
          Object.entries(attributes).map(([key, value]) => [
            key,
            typeof value === "string" ? withoutAddress(value) : value,
          ]),
        ),
      ),
    recordException: (exception) =>
      span.recordException({ name: "Error", message: withoutAddress(reasonOf(exception)) }),
    end: () => span.end(),
  };
}
