import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { Refusal } from "../base/errors.ts";
import { packageRoot } from "../base/root.ts";
import { readableOn } from "../render/colour.ts";

interface Asset {
  name: string;
  type: string;
  content: string;
}

/** What the pages load. A name holds a hash of the content, so that browsers may keep it for good. */
export interface Assets {
  links: Record<"style" | "icon" | "proof" | "forms" | "desk" | "deskStyle", string>;
  files: Map<string, Asset>;
}

const paper = { light: "#fffdf8", dark: "#191713" };

/** @param accent `#rrggbb`; it is moved only as far as it must be to read on the paper of each scheme */
export function makeAssets(accent: string): Assets {
  const onLight = readableOn(accent, paper.light);
  const source = readFileSync(join(packageRoot, "templates/web/style.css"), "utf8")
    .replaceAll("var(--accent-on-light)", onLight)
    .replaceAll("var(--accent-on-dark)", readableOn(accent, paper.dark));
  const drawing =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#fffdf8" d="M0 0h16v16H0z"/>' +
    `<path fill="${onLight}" d="M2 2h12v3H2zM2 7h12v1H2zM2 10h12v1H2zM2 13h8v1H2z"/></svg>`;
  const style = asset("style", "css", "text/css; charset=utf-8", source);
  const icon = asset("icon", "svg", "image/svg+xml", drawing);
  const [proof, forms, desk] = [script("proof"), script("forms"), script("desk")];
  const deskSource = readFileSync(join(packageRoot, "templates/web/operator/style.css"), "utf8");
  const deskStyle = asset("desk", "css", "text/css; charset=utf-8", deskSource);
  return {
    links: {
      style: `/assets/${style.name}`,
      icon: `/assets/${icon.name}`,
      proof: `/assets/${proof.name}`,
      forms: `/assets/${forms.name}`,
      desk: `/assets/${desk.name}`,
      deskStyle: `/assets/${deskStyle.name}`,
    },
    files: new Map([style, icon, proof, forms, desk, deskStyle].map((one) => [one.name, one])),
  };
}

export function addAssetRoutes(web: FastifyInstance, assets: Assets): void {
  web.get<{ Params: { file: string } }>("/assets/:file", async (request, reply) => {
    const found = assets.files.get(request.params.file);
    if (!found) throw new Refusal(404, "There is no such file: load the page again.");
    return reply.header("cache-control", "public, max-age=31536000, immutable").type(found.type).send(found.content);
  });
}

function script(name: string): Asset {
  const source = readFileSync(join(packageRoot, `src/web/assets/${name}.js`), "utf8");
  return asset(name, "js", "text/javascript; charset=utf-8", source);
}

function asset(name: string, ending: string, type: string, content: string): Asset {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  return { name: `${name}.${hash}.${ending}`, type, content };
}
