import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface Proxy {
  /** The address given, with the proxy's host and port. */
  url: string;
  /** Cuts every connection and refuses new ones, as a server that restarts does. */
  away(): Promise<void>;
  back(): Promise<void>;
  close(): Promise<void>;
}

/** A way to the server at `url` that can be cut, so that one test may lose a server that others are using. */
export async function startProxy(url: string): Promise<Proxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket
        .on("error", () => undefined)
        .on("close", () => {
          sockets.delete(socket);
          other.destroy();
        });
      socket.pipe(other);
    }
  });
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
  return { url: shown.href, away, back: async () => void (await listen(port)), close: away };
}
