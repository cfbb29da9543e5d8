import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { createSmtpTransport, type SmtpOptions } from "../../src/mail/smtp.ts";
import type { Mail, Transport } from "../../src/mail/transport.ts";
import { startSink, type Sink, type SinkOptions } from "./sink.ts";

const sinks: Sink[] = [];
const transports: Transport[] = [];

/** A sink that `closeSmtp` ends. */
export async function sinkOf(options: SinkOptions = {}): Promise<Sink> {
  const sink = await startSink(options);
  sinks.push(sink);
  return sink;
}

/** A transport to a port of this machine, without log-in and on two connections unless told otherwise. */
export function transportTo(port: number, options: Partial<SmtpOptions> = {}): Transport {
  const relay = { host: "127.0.0.1", port, secure: false, requireTls: false, user: null, password: null };
  const transport = createSmtpTransport(
    { clock: systemClock, log: silentLog },
    { ...relay, connections: 2, rate: null, ...options },
  );
  transports.push(transport);
  return transport;
}

/** Call it after each test. */
export async function closeSmtp(): Promise<void> {
  await Promise.all(transports.splice(0).map((transport) => transport.close(0)));
  await Promise.all(sinks.splice(0).map((sink) => sink.close()));
}

export function mail(to = "reader@example.com", text = "Hello."): Mail {
  const message = Buffer.from(`To: ${to}\r\nMessage-ID: <${to}>\r\n\r\n${text}\r\n`);
  return { from: "alerts@example.org", to, message };
}
