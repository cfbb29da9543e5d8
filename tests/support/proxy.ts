import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface Proxy {
  /** The address given, with the proxy's host and port. */
  url: string;
  /** Cuts every connection and refuses new ones, as a server that restarts does. */
  away(): Promise<void>;
  back(): Promise<void>;
  /** Forwards nothing more in either direction, and says nothing, as a network that hangs does. New connections wait too. */
  hang(): void;
  /** Forwards what has waited, and goes on. */
  goOn(): void;
  close(): Promise<void>;
}

/** A way to the server at `url` that can be cut, so that one test may lose a server that others are using. */
export async function startProxy(url: string): Promise<Proxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  /** What to do with the connections once they may go on; null while they may. */
  let hung: Set<() => void> | null = null;
  const pipes = new Set<readonly [Socket, Socket]>();
  const server = createServer((client) => {
    sockets.add(client);
    client.on("error", () => undefined).on("close", () => sockets.delete(client));
    if (hung) hung.add(() => forward(client));
    else forward(client);
  });
  const forward = (client: Socket): void => {
    if (client.destroyed) return;
    const upstream = connect(Number(target.port), target.hostname);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      const pipe = [socket, other] as const;
      pipes.add(pipe);
      sockets.add(socket);
      socket
        .on("error", () => undefined)
        .on("close", () => {
          pipes.delete(pipe);
          sockets.delete(socket);
          other.destroy();
        });
      socket.pipe(other);
    }
  };
  const listen = async (port: number): Promise<number> => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const away = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const port = await listen(0);
  const shown = new URL(url);
  shown.hostname = "127.0.0.1";
  shown.port = String(port);
  const hang = (): void => {
    if (hung) return;
    hung = new Set();
    for (const [socket, other] of pipes) {
      socket.unpipe(other).pause();
      hung.add(() => void (other.destroyed || socket.pipe(other)));
    }
  };
  const goOn = (): void => {
    const waiting = hung ?? [];
    hung = null;
    for (const resume of waiting) resume();
  };
  return { url: shown.href, away, back: async () => void (await listen(port)), hang, goOn, close: away };
}
