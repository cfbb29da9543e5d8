import { z } from "zod";
import type { App } from "../../app.ts";
import { resumeRelay } from "../../deliveries/resume-relay.ts";
import { problems } from "./shapes.ts";
import type { ApiServer } from "./server.ts";

export function addRelayRoutes(server: ApiServer, app: Pick<App, "db" | "clock" | "wake">): void {
  server.post(
    "/relay/resume",
    {
      config: { role: "editor" },
      schema: {
        summary: "End the pause that all workers make because the relay failed or its quota was used up",
        description: "Sending starts again with one email. If the relay does not accept it, sending pauses again.",
        tags: ["relay"],
        response: { 200: z.object({ changed: z.boolean().describe("false if sending was not paused") }), ...problems },
      },
    },
    async ({ actor }) => resumeRelay(app, { actor }),
  );
}
