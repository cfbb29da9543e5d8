import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { changeAddress } from "../../subscribers/change-address.ts";
import { erase } from "../../subscribers/erase.ts";
import { personalData } from "../../subscribers/personal-data.ts";
import { formFields, guardForm } from "../abuse/guard.ts";
import { askToWait } from "../failures.ts";
import { allowOwnScripts } from "../security.ts";
import type { Views } from "../views.ts";
import { readFields } from "./fields.ts";
import { maskedAddress, readerPaths, type FindReader } from "./reader.ts";

type AppDeps = Pick<App, "config" | "options" | "clock" | "log" | "db" | "wake" | "caps" | "mayMail">;

/** Under `/preferences/:token`: another address, a copy of what is held, and erasure, each on a page of its own. */
export function addPersonalPages(
  web: FastifyInstance,
  app: AppDeps,
  { views, find }: { views: Views; find: FindReader },
): void {
  const { options } = app;
  const { say, reason } = views.words;
  const guard = guardForm(app);

  web.get<{ Params: { token: string } }>("/preferences/:token/address", async (request, reply) => {
    const reader = await find(request, "preferences");
    return views.send(allowOwnScripts(reply), "address", {
      title: say("address.title"),
      present: maskedAddress(reader),
      address: "",
      wrong: null,
      guard: await formFields(app, request),
      paths: readerPaths(options.secret, reader),
    });
  });

  web.post<{ Params: { token: string } }>("/preferences/:token/address", async (request, reply) => {
    const reader = await find(request, "preferences");
    const fields = readFields(request.body);
    const address = fields.one("address").trim().slice(0, 320);
    const paths = readerPaths(options.secret, reader);
    try {
      if (address === "") throw new Refusal(422, "no_new_address");
      if (await guard.check(request, fields.raw)) await changeAddress(app, reader.id, address, request.ip);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      askToWait(reply, error.details).code(error.status);
      return views.send(allowOwnScripts(reply), "address", {
        title: say("form.wrong_title"),
        present: maskedAddress(reader),
        address,
        wrong: reason(error),
        guard: await formFields(app, request, fields.raw["t"] ?? ""),
        paths,
      });
    }
    return views.send(reply, "address-asked", {
      title: say("address.inbox_title"),
      present: maskedAddress(reader),
      paths,
    });
  });

  web.get<{ Params: { token: string } }>("/preferences/:token/data", async (request, reply) => {
    const reader = await find(request, "preferences");
    return reply
      .header("content-disposition", 'attachment; filename="my-data.json"')
      .type("application/json; charset=utf-8")
      .send(`${JSON.stringify(await personalData(app, reader.id), null, 2)}\n`);
  });

  web.get<{ Params: { token: string } }>("/preferences/:token/erase", async (request, reply) => {
    const reader = await find(request, "preferences");
    return views.send(reply, "erase", { title: say("erase.title"), paths: readerPaths(options.secret, reader) });
  });

  web.post<{ Params: { token: string } }>("/preferences/:token/erase", async (request, reply) => {
    const reader = await find(request, "preferences");
    try {
      await erase(app, reader.id);
    } catch (error) {
      // The button was pressed twice.
      if (!(error instanceof Refusal) || error.status !== 404) throw error;
    }
    return views.send(reply, "erased", { title: say("erased.title") });
  });
}
