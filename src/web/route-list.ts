import type { FastifyInstance } from "fastify";

/** Every route of the server, to tell a wrong method from a wrong address. */
export interface RouteList {
  /** The methods that a path takes; none when no route matches it. */
  allowed(path: string): string[];
}

export function listRoutes(web: FastifyInstance): RouteList {
  const routes: { method: string; pattern: RegExp }[] = [];
  web.addHook("onRoute", ({ method, url }) => {
    for (const one of [method].flat()) routes.push({ method: one, pattern: patternOf(url) });
  });
  return {
    allowed: (path) => [...new Set(routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))],
  };
}

function patternOf(url: string): RegExp {
  const parts = url
    .split("/")
    .map((part) =>
      part === "*" ? ".*" : part.startsWith(":") ? "[^/]+" : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"),
    );
  return new RegExp(`^${parts.join("/")}$`);
}
