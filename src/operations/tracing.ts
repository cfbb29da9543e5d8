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
import { withoutAddress } from "../base/mask-address.ts";
import type { Trace, TraceFields } from "../base/trace.ts";
import { within } from "../base/within.ts";

export interface Tracing {
  trace: Trace;
  /** For BullMQ, which hands a trace from job to job. */
  telemetry: Telemetry<Context>;
  /** Sends what the SDK has kept back, for a process that ends does not wait for it. */
  flush(): Promise<void>;
}

/** Spans for whatever OpenTelemetry SDK this process was started with; without one the API's own do nothing. */
export function openTracing(log: Log): Tracing {
  if (!sdk().forceFlush) {
    log.warn(
      {},
      "TRACES is set and no OpenTelemetry SDK was preloaded, so no span goes anywhere: see docs/operations/watching.md",
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
  // Not by its class: the SDK may have brought a copy of the API of its own.
  return proxy.getDelegate?.() ?? proxy;
}

const flushMs = 2_000;

interface Flushable {
  forceFlush?: () => Promise<void>;
}

function named(fields: TraceFields): OtelAttributes {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [`dayletter.${name}`, value]));
}

/** What a worker does on its own account, whether there is work or not; it would be most of all spans. */
const ownAccount = /^(?:getNextJob|complete|moveStalledJobsToWait|startStalledCheckTimer) /;

function quietTelemetry({ tracer, contextManager }: BullMQOtel): Telemetry<Context> {
  return {
    contextManager: {
      with: (context, work) => contextManager.with(context as Context, work),
      active: () => contextManager.active(),
      getMetadata: (context) => contextManager.getMetadata(context as Context),
      fromMetadata: (active, metadata) => contextManager.fromMetadata(active as Context, metadata),
      // Without it, loops that a span has started would belong to its trace for ever.
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

/** The reason of a failed job may be what a relay said, and relays like to quote addresses. */
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
