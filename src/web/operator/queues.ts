import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { FastifyAdapter } from "@bull-board/fastify";
import type { FastifyInstance, FastifyReply, RouteOptions } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { writeAudit } from "../../audit/audit.ts";
import { problemOf } from "../problem.ts";

const path = "/operator/queues";

/**
 * `/operator/queues`: BullMQ's own board, for owners alone. Its jobs hold ids and nothing else. The board's script cannot
 * send our CSRF token, so its writes must come from its own page instead (see `demandSession`).
 */
export function addQueueBoard(scope: FastifyInstance, { db, clock, queues, config, log }: App): void {
  const board = new FastifyAdapter();
  createBullBoard({
    queues: Object.values(queues).map((queue) => new BullMQAdapter(queue)),
    // The adapter declares the types of its own copy of the board, which are the same.
    serverAdapter: board as never,
    options: {
      uiConfig: {
        boardTitle: `${config.publicationName}: queues`,
        hideDocsLink: true,
        // Known of workers on Redis alone.
        showWorkers: false,
        hideRedisDetails: true,
        miscLinks: [{ text: "Today", url: "/operator" }],
      },
    },
  });
  board.setBasePath(path);
  board.setErrorHandler((error) => {
    const { status, detail } = problemOf(error, undefined);
    if (error instanceof Refusal || status < 500) return { status: status as 403, body: { error: detail } };
    log.error({ reason: error.message }, "queue board failed");
    return { status: 500, body: { error: "The queues cannot be read at the moment." } };
  });
  scope.register(
    async (web) => {
      const { route } = web;
      // Routes of another package name no role.
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

/** The board sets styles from its script; all else stays as everywhere: nothing inline runs, nothing comes from elsewhere. */
function loosen(reply: FastifyReply): FastifyReply {
  return reply.header(
    "content-security-policy",
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
      "font-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'self'",
  );
}
