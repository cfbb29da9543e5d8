import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { actingFrom } from "../../audit/audit.ts";
import { Refusal } from "../../base/errors.ts";
import { openHooks } from "../../outcomes/hooks/open.ts";
import { receiveHook, type HookDeps } from "../../outcomes/hooks/receive.ts";
import { emailServices, type EmailService } from "../../outcomes/store.ts";
import { limitFailures } from "../limits.ts";
import { limitValues, type ApiServer } from "./server.ts";
import { problems } from "./shapes.ts";

/** SparkPost sends up to about 1,000 events at once, and SendGrid up to 768 kB. */
const longestBody = 5_000_000;
const failuresPerMinute = 30;

const summaries: Record<EmailService, string> = {
  ses: "Receive events from Amazon SES",
  sendgrid: "Receive events from Twilio SendGrid",
  mailgun: "Receive events from Mailgun",
  postmark: "Receive events from Postmark",
  brevo: "Receive events from Brevo",
  sparkpost: "Receive events from SparkPost",
};

const resultSchema = z
  .object({
    recorded: z.int(),
    unchanged: z.int().describe("Recorded before"),
    refused: z.int().describe("Not about an email of this publication"),
  })
  .meta({ id: "HookResult" });

/**
 * `/hooks/…` for the webhooks of email services. They have no token of ours: what they send is signed, or has a password. The body is
 * passed on as it arrived, because the signatures are about its bytes.
 */
export function addHookRoutes(scope: FastifyInstance, app: HookDeps): void {
  const hooks = openHooks(app);
  const countFailure = limitFailures(scope, failuresPerMinute);
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  scope.addHook("preParsing", async (_request, _reply, body) => limitValues(body));
  scope.addHook("preHandler", (request, _reply, done) => actingFrom(request.ip, done));
  const server: ApiServer = scope.withTypeProvider();
  for (const service of emailServices) {
    const hook = hooks[service];
    server.post(
      `/hooks/${service}`,
      {
        bodyLimit: longestBody,
        config: { role: "anyone" },
        onRequest: async (_request, reply) => {
          reply.header("cache-control", "no-store");
          if (!hook) throw new Refusal(404, "api_address_not_found");
        },
        schema: {
          summary: summaries[service],
          description:
            "A webhook for the email service. It records bounces and complaints, and ignores other events. 404 if it is not set up.",
          tags: ["suppressions"],
          security: [],
          response: { 200: resultSchema, ...problems },
        },
      },
      async (request, reply) => {
        const { headers, body } = request;
        try {
          const call = { headers, body: Buffer.isBuffer(body) ? body : Buffer.alloc(0) };
          return await receiveHook(app, { hook: hook!, service }, call);
        } catch (error) {
          if (!(error instanceof Refusal) || error.status >= 500) throw error;
          await countFailure(request);
          app.log.warn({ service, code: error.code, ...error.details }, "webhook refused");
          if (error.details["check"] === "password") reply.header("www-authenticate", 'Basic realm="webhook"');
          throw error;
        }
      },
    );
  }
}
