import type { FastifyInstance } from "fastify";

/** Every route of the server, to tell a wrong method from a wrong address. */
export interface RouteList {
  /** The methods that a path takes; none when no route matches it. */
  allowed(path: string): string[];
}

export function listRoutes(web: FastifyInstance): RouteList {
  const routes: { method: string; parts: string[] }[] = [];
  web.addHook("onRoute", ({ method, url }) => {
    for (const one of [method].flat()) routes.push({ method: one, parts: url.split("/") });
  });
  return {
    allowed(path) {
      const given = path.split("/");
      return [...new Set(routes.filter(({ parts }) => leadsTo(parts, given)).map(({ method }) => method))];
    },
  };
}

/** `:name` stands for one part that is not empty, `*` for all that is left. */
function leadsTo(parts: readonly string[], given: readonly string[]): boolean {
  const open = parts.at(-1) === "*";
  if (open ? given.length < parts.length : given.length !== parts.length) return false;
  return parts.every((part, i) => part === "*" || (part.startsWith(":") ? given[i] !== "" : part === given[i]));
}
