import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { FastifyAdapter } from "@bull-board/fastify";
import type { FastifyInstance, FastifyReply, RouteOptions } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { writeAudit } from "../../audit/audit.ts";
import { problemOf } from "../failures.ts";
import { englishWording } from "../../texts/catalogue.ts";

const { say } = englishWording();

type AppDeps = Pick<App, "config" | "clock" | "log" | "db" | "queues">;

const path = "/operator/queues";

/**
 * `/operator/queues`: BullMQ's board, for owners only. Jobs contain only ids. The board's script cannot send our CSRF token,
 * so its writes must be same-origin instead (see `demandSession`).
 */
export function addQueueBoard(scope: FastifyInstance, { db, clock, queues, config, log }: AppDeps): void {
  const board = new FastifyAdapter();
  createBullBoard({
    queues: Object.values(queues).map((queue) => new BullMQAdapter(queue)),
    // The adapter's types come from its own copy of the board package.
    serverAdapter: board as never,
    options: {
      uiConfig: {
        boardTitle: say("title.queues", { publication: config.publicationName }),
        hideDocsLink: true,
        // Only available with Redis.
        showWorkers: false,
        hideRedisDetails: true,
        miscLinks: [{ text: say("title.today"), url: "/operator" }],
      },
    },
  });
  board.setBasePath(path);
  board.setErrorHandler((error) => {
    const { status, detail } = problemOf(error, undefined);
    if (error instanceof Refusal || status < 500) return { status: status as 403, body: { error: detail } };
    log.error({ reason: error.message }, "queue board failed");
    return { status: 500, body: { error: say("queues.unreadable") } };
  });
  scope.register(
    async (web) => {
      const { route } = web;
      // Routes of this package do not declare a role.
      web.route = function guarded(this: FastifyInstance, options: RouteOptions) {
        return route.call(this, { ...options, config: { role: "owner", proof: "same-origin" } });
      } as typeof web.route;
      web.addHook("preHandler", async ({ method, url, operator }) => {
        if (method === "GET" || method === "HEAD") return;
        const subject = `${method} ${url.slice(path.length).split("?")[0]}`;
        await writeAudit(db, { at: clock.now(), actor: operator.name, action: "queues change", subject });
      });
      web.addHook("onSend", async (_request, reply) => void loosen(reply));
      await web.register(board.registerPlugin());
    },
    { prefix: path },
  );
}

/** The board's script sets inline styles. Everything else stays as strict as on other pages. */
function loosen(reply: FastifyReply): FastifyReply {
  return reply.header(
    "content-security-policy",
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
      "font-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'self'",
  );
}
