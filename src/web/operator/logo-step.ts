import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { writePrivateBytes } from "../../base/private-file.ts";
import { logoOf } from "../../config/logo.ts";
import { takeUploads, uploadOf } from "../multipart.ts";
import type { ChangeSettings } from "./change-settings.ts";
import { needs } from "./desk.ts";
import type { Steps } from "./told.ts";

/** Larger than a logo may be, so that one somewhat too large is told so beside the field. */
const largestForm = 5_000_000;

/** POST `/operator/setup/logo`: a file from the owner's machine goes into the data folder; or the logo is taken away. */
export function addLogoStep(web: FastifyInstance, app: App, change: ChangeSettings, { refused }: Steps): void {
  const { dataDir } = app.config;
  const { settings } = app;

  web.register(async (scope) => {
    takeUploads(scope, largestForm);
    scope.post("/operator/setup/logo", needs.owner, async (request, reply) => {
      try {
        if (!settings.writable || settings.fixed.has("PUBLICATION_LOGO"))
          throw new Refusal(409, "The environment sets the logo here (PUBLICATION_LOGO): change it there.");
        const { remove } = request.body as Record<string, unknown>;
        const name = remove === "1" ? "" : keep(uploadOf(request.body, "logo")?.content);
        const answer = await change(request, reply, "logo", { PUBLICATION_LOGO: name });
        forget([name, app.config.logo?.name ?? ""]);
        return answer;
      } catch (error) {
        return refused(request, reply, error, { step: "logo" });
      }
    });
  });

  function keep(content: Buffer | undefined): string {
    if (content === undefined) throw new Refusal(422, "Choose a file first.");
    const { name } = readable(content);
    writePrivateBytes(join(dataDir, name), content);
    return name;
  }

  /** The one that is in force stays, for the server may have to go back to it. */
  function forget(but: string[]): void {
    const others = readdirSync(dataDir).filter((name) => /^logo\.[0-9a-f]{12}\./.test(name) && !but.includes(name));
    for (const name of others) rmSync(join(dataDir, name), { force: true });
  }
}

function readable(content: Buffer): ReturnType<typeof logoOf> {
  try {
    return logoOf(content);
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(422, `This file cannot be the logo: ${error.message}`) : error;
  }
}
