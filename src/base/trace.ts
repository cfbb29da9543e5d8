/** Attributes of a span: ids and counts, never a text that could contain an address. */
export type TraceFields = Readonly<Record<string, number | boolean | string>>;

/**
 * Runs `work` as one span of a trace. Jobs that it queues belong to the same trace, in any process.
 * @param name one of few names, such as `deliver slice`; specifics go into `fields`
 */
export interface Trace {
  <T>(name: string, fields: TraceFields, work: (note: (more: TraceFields) => void) => Promise<T>): Promise<T>;
}

/** Tracing is off. */
export const noTrace: Trace = (_name, _fields, work) => work(ignore);

function ignore(): void {}
