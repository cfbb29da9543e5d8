import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { packageRoot } from "../../src/base/root.ts";
import { loadConfig } from "../../src/config.ts";
import { settingNames } from "../../src/config/schema.ts";

interface Service {
  image?: string;
  build?: string;
  command?: string[];
  environment?: Record<string, string | number>;
  depends_on?: Record<string, { condition: string }>;
  volumes?: string[];
  healthcheck?: { test: string[] };
  restart?: string;
  profiles?: string[];
}

const read = (name: string): string => readFileSync(join(packageRoot, name), "utf8");
const compose = parse(read("docker-compose.yml"), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};
const services = Object.entries(compose.services);
const example = read(".env.example");
const exampleNames = [...example.matchAll(/^#?([A-Z_]+)=/gm)].map((match) => match[1]!);

/** Names of .env that are Compose's or the other images' and no settings of ours. */
const notSettings = ["COMPOSE_PROFILES", "POSTGRES_PASSWORD", "WEB_PORT", "PUBLICATION_LANGUAGE"];
/** Settings that have no place there: the containers fix them, or the command line alone reads them. */
const notInCompose = ["DATA_DIR", "DAYLETTER_URL"];

// https://github.com/compose-spec/compose-spec/blob/main/spec.md, as far as this file uses it.
const topLevelKeys = ["name", "services", "volumes", "networks", "configs", "secrets"];
const serviceKeys =
  "build cap_drop command depends_on environment healthcheck image init ports profiles read_only restart security_opt shm_size stop_grace_period tmpfs volumes".split(
    " ",
  );
const healthKeys = ["test", "interval", "timeout", "retries", "start_period"];
const conditions = ["service_started", "service_healthy", "service_completed_successfully"];

describe("docker-compose.yml", () => {
  it("has only keys of the Compose specification", () => {
    const top = Object.keys(compose).filter((key) => !key.startsWith("x-"));
    expect(topLevelKeys).toEqual(expect.arrayContaining(top));
    for (const [, service] of services) {
      expect(serviceKeys).toEqual(expect.arrayContaining(Object.keys(service)));
      expect(healthKeys).toEqual(expect.arrayContaining(Object.keys(service.healthcheck ?? {})));
    }
  });

  it("names every part, web and worker apart, each with a health check", () => {
    expect(Object.keys(compose.services).toSorted()).toEqual(["catcher", "db", "migrate", "redis", "web", "worker"]);
    for (const name of ["web", "worker", "db", "redis"]) {
      const test = compose.services[name]?.healthcheck?.test ?? [];
      expect(["CMD", "CMD-SHELL"]).toContain(test[0]);
      expect(test.length).toBeGreaterThan(1);
    }
    expect(["web", "worker", "migrate"].map((name) => compose.services[name]?.command)).toEqual([
      ["web"],
      ["worker"],
      ["migrate"],
    ]);
  });

  it("waits only for what exists, and for health only where it is checked", () => {
    for (const [, { depends_on = {} }] of services) {
      for (const [target, { condition }] of Object.entries(depends_on)) {
        const service = compose.services[target];
        expect(service, target).toBeDefined();
        expect(service?.profiles, target).toBeUndefined();
        expect(conditions).toContain(condition);
        if (condition === "service_healthy") expect(service?.healthcheck, target).toBeDefined();
        if (condition === "service_completed_successfully") expect(service?.restart, target).toBe("no");
      }
    }
  });

  it("declares its volumes, and uses all of them", () => {
    const used = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(":")[0]!));
    expect(used.toSorted()).toEqual(Object.keys(compose.volumes).toSorted());
  });

  it("pins the version of every image that it does not build", () => {
    for (const [, { image, build }] of services) {
      if (build === undefined) expect(image).toMatch(/^[a-z/]+:v?\d+(\.\d+)*$/);
    }
  });

  it("keeps Redis safe for a queue", () => {
    const command = compose.services["redis"]?.command?.join(" ");
    expect(command).toMatch(/--appendonly yes\b/);
    expect(command).toMatch(/--maxmemory-policy noeviction\b/);
  });

  it("passes on every setting, and nothing that is none", () => {
    for (const name of ["web", "worker", "migrate"]) {
      const passed = Object.keys(compose.services[name]?.environment ?? {});
      expect([...passed, ...notInCompose].toSorted()).toEqual([...settingNames].toSorted());
    }
  });

  it("takes from .env only what .env.example shows, and all of that", () => {
    const asked = [...read("docker-compose.yml").matchAll(/\$\{([A-Z_]+)/g)].map((match) => match[1]!);
    const ours = exampleNames.filter((name) => name !== "COMPOSE_PROFILES");
    expect([...new Set(asked)].toSorted()).toEqual([...new Set(ours)].toSorted());
    const settings: readonly string[] = settingNames;
    expect(exampleNames.filter((name) => !settings.includes(name) && !notSettings.includes(name))).toEqual([]);
  });

  it("runs with .env.example once its secrets are filled in, and says what is missing until then", () => {
    const values = Object.fromEntries(
      [...example.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
    );
    const environment = Object.entries(compose.services["web"]?.environment ?? {});
    const fill = (given: Record<string, string>) =>
      Object.fromEntries(environment.map(([name, template]) => [name, interpolate(String(template), given)]));
    expect(() => fill(values)).toThrow(/^POSTGRES_PASSWORD: make one with/);
    const config = loadConfig(fill({ ...values, SECRET: "s".repeat(64), POSTGRES_PASSWORD: "p".repeat(64) }));
    expect(config).toMatchObject({
      embedded: { records: false, queue: "redis", mail: false },
      host: "0.0.0.0",
      publicUrl: "http://localhost:3000",
      smtp: { host: "catcher", port: 1025 },
    });
  });
});

/** Compose's `${NAME:-default}` and `${NAME:?message}`; an empty value counts as unset. */
function interpolate(template: string, given: Record<string, string>): string {
  return template.replaceAll(/\$\{([A-Z_]+):([-?])([^}]*)\}/g, (_, name: string, kind: string, rest: string) => {
    const value = given[name];
    if (value) return value;
    if (kind === "?") throw new Error(`${name}: ${rest}`);
    return rest;
  });
}

describe("Dockerfile", () => {
  const dockerfile = read("Dockerfile");
  const last = dockerfile.slice(dockerfile.lastIndexOf("\nFROM "));

  it("builds apart and runs small, on Node 24, not as root, with a health check", () => {
    expect(dockerfile.match(/^FROM .*$/gm)).toEqual(["FROM node:24-slim AS build", "FROM node:24-slim"]);
    expect(last).toMatch(/^USER node$/m);
    expect(last).toMatch(/^HEALTHCHECK /m);
    expect(last).not.toMatch(/npm (ci|install)/);
  });

  it("copies only what .dockerignore lets through", () => {
    const allowed = new Set([...read(".dockerignore").matchAll(/^!(.*)$/gm)].map((match) => match[1]));
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap((match) => match[1]!.split(" "));
    expect(copied.length).toBeGreaterThan(0);
    for (const path of copied) expect(allowed).toContain(path);
  });
});
