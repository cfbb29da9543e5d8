/** What a span is known by. Ids and counts: never a text that could hold an address. */
export type TraceFields = Readonly<Record<string, number | boolean | string>>;

/**
 * Runs `work` as one span of a trace. Whatever it asks of the queue meanwhile belongs to the same trace, in whichever
 * process that is done.
 * @param name of few kinds, such as `deliver slice`; what it is about goes into `fields`
 */
export interface Trace {
  <T>(name: string, fields: TraceFields, work: (note: (more: TraceFields) => void) => Promise<T>): Promise<T>;
}

/** Where nobody traces. */
export const noTrace: Trace = (_name, _fields, work) => work(ignore);

function ignore(): void {}
