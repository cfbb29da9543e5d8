import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";

/** What the relay has been told on one connection. */
export interface Heard {
  /** Commands in order, without the line end. */
  commands: string[];
  /** Bodies that ended with a dot, as sent, and the recipients that were accepted for each. */
  bodies: { to: string[]; raw: string }[];
  bytes: number;
}

export interface Script {
  /** Announced in the reply to EHLO. */
  extensions?: string[];
  /** The bytes to answer a command with; `.` is the final dot. null for the usual answer, "" for none. */
  answer?(command: string, heard: Heard): string | null;
  /** Called instead of writing an answer. */
  write?(socket: Socket, bytes: string): void;
  /** Called after each byte that has come; the socket can be cut. */
  onByte?(socket: Socket, heard: Heard): void;
  /** The relay stops reading for good once this is true. */
  deaf?(heard: Heard): boolean;
}

export interface ScriptedRelay {
  port: number;
  /** One for each connection. */
  heard: Heard[];
  close(): Promise<void>;
}

const usual: Record<string, string> = {
  MAIL: "250 2.1.0 sender fine",
  RCPT: "250 2.1.5 recipient fine",
  DATA: "354 go on",
  ".": "250 2.0.0 kept",
  RSET: "250 2.0.0 forgotten",
  QUIT: "221 2.0.0 bye",
};

/** A relay that answers exactly as it is told, byte by byte if need be, however wrong that is. */
export async function startScriptedRelay(script: Script = {}): Promise<ScriptedRelay> {
  const heard: Heard[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    const own: Heard = { commands: [], bodies: [], bytes: 0 };
    heard.push(own);
    sockets.add(socket);
    socket.on("error", () => {});
    let line = "";
    let body: string | null = null;
    let to: string[] = [];
    const say = (command: string, fallback: string): string => {
      const bytes = script.answer?.(command, own) ?? `${fallback}\r\n`;
      if (bytes !== "" && socket.writable) (script.write ?? plain)(socket, bytes);
      return bytes;
    };
    const ended = (whole: string): void => {
      if (body !== null) {
        if (whole !== ".\r\n") body += whole;
        else {
          own.bodies.push({ to, raw: body });
          body = null;
          to = [];
          say(".", usual["."]!);
        }
        return;
      }
      const command = whole.trimEnd();
      own.commands.push(command);
      const verb = command.slice(0, 4).toUpperCase();
      const extensions = ["relay", ...(script.extensions ?? [])];
      const greeting = extensions.map((name, i) => `250${i === extensions.length - 1 ? " " : "-"}${name}`).join("\r\n");
      const answer = say(command, verb === "EHLO" ? greeting : (usual[verb] ?? "500 what"));
      if (verb === "RSET") to = [];
      if (verb === "RCPT" && answer.startsWith("2")) to.push(command);
      if (verb === "DATA" && /(^|\n)(354|250)/.test(answer)) body = "";
    };
    say("greeting", "220 relay");
    socket.on("data", (chunk) => {
      for (const char of chunk.toString("latin1")) {
        if (socket.destroyed) return;
        own.bytes += 1;
        line += char;
        if (char === "\n") {
          const whole = line;
          line = "";
          ended(whole);
        }
        script.onByte?.(socket, own);
        if (script.deaf?.(own)) return void socket.pause();
      }
    });
    socket.once("close", () => sockets.delete(socket));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    heard,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function plain(socket: Socket, bytes: string): void {
  socket.write(bytes, "latin1");
}
