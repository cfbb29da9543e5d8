import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { packageRoot } from "../../src/package-root.ts";
import { loadConfig } from "../../src/config/load.ts";
import { aboutSetting, settingNames } from "../../src/config/settings.ts";

interface Service {
  image?: string;
  build?: string;
  user?: string;
  read_only?: boolean;
  cap_drop?: string[];
  cap_add?: string[];
  security_opt?: string[];
  logging?: { driver: string; options: Record<string, string> };
  entrypoint?: string[];
  command?: string[];
  environment?: Record<string, string | number>;
  depends_on?: Record<string, { condition: string }>;
  volumes?: string[];
  secrets?: string[];
  healthcheck?: { test: string[]; start_interval?: string };
  restart?: string;
  profiles?: string[];
}

const read = (name: string): string => readFileSync(join(packageRoot, name), "utf8");
const compose = parse(read("docker-compose.yml"), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};
const services = Object.entries(compose.services);
const manifest = JSON.parse(read("package.json")) as { version: string; files: string[] };
const override = (name: string): { services: Record<string, Service>; secrets?: Record<string, { file: string }> } =>
  parse(read(`deploy/${name}`), { merge: true });
const example = read(".env.example");
const exampleNames = [...example.matchAll(/^#?([A-Z_]+)=/gm)].map((match) => match[1]!);

/** Names of .env that are Compose's or the other images' and no settings of ours. */
const ofCompose = ["COMPOSE_PROFILES", "COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR"];
const notSettings = [
  ...ofCompose,
  "BACKUP_HOURS",
  "BACKUP_KEEP",
  "DAYLETTER_IMAGE",
  "POSTGRES_PASSWORD",
  "PUBLICATION_LANGUAGE",
  "REDIS_PASSWORD",
  "WEB_PORT",
];
/** Settings that have no place there: the containers fix them, or the command line alone reads them. */
const notInCompose = settingNames.filter((name) => aboutSetting(name).compose === null);

// https://github.com/compose-spec/compose-spec/blob/main/spec.md, as far as this file uses it.
const topLevelKeys = ["name", "services", "volumes", "networks", "configs", "secrets"];
const serviceKeys =
  "cap_add cap_drop command depends_on entrypoint environment healthcheck image init logging ports profiles read_only restart security_opt shm_size stop_grace_period tmpfs user volumes".split(
    " ",
  );
const healthKeys = ["test", "interval", "timeout", "retries", "start_period", "start_interval"];
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
    expect(Object.keys(compose.services).toSorted()).toEqual([
      "backup",
      "caddy",
      "catcher",
      "db",
      "migrate",
      "redis",
      "web",
      "worker",
    ]);
    for (const name of ["web", "worker", "db", "redis", "backup"]) {
      const { test = [], start_interval } = compose.services[name]?.healthcheck ?? {};
      expect(test[0]).toBe("CMD");
      expect(test.length).toBeGreaterThan(1);
      expect(start_interval).toMatch(/^\d+s$/);
      // Podman splits an argument at its spaces.
      expect(test.filter((argument) => /\s/.test(argument))).toEqual([]);
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
    const mounted = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(":")));
    const used = mounted.flatMap(([source = ""]) => (source.startsWith("./") ? [] : [source]));
    for (const [source = "", , mode] of mounted.filter(([path]) => path?.startsWith("./"))) {
      expect(existsSync(join(packageRoot, source)), source).toBe(true);
      expect(mode).toBe("ro");
    }
    expect(used.toSorted()).toEqual(Object.keys(compose.volumes).toSorted());
  });

  it("pins every image to a minor version, and ours to that of package.json", () => {
    const ours = `\${DAYLETTER_IMAGE:-dayletter:${manifest.version}}`;
    for (const [name, { image }] of services) {
      if (["web", "worker", "migrate"].includes(name)) expect(image, name).toBe(ours);
      else expect(image, name).toMatch(/^[a-z/]+:v?\d+\.\d+(\.\d+)?$/);
    }
    expect(compose.services["backup"]?.image).toBe(compose.services["db"]?.image);
  });

  it("builds our image under one service, of those that use it", () => {
    expect(services.filter(([, { build }]) => build !== undefined)).toEqual([]);
    expect(override("compose.build.yml").services).toEqual({ migrate: { build: "." } });
    expect(example).toMatch(/^COMPOSE_FILE=docker-compose\.yml:deploy\/compose\.build\.yml$/m);
  });

  it("gives every container a read-only root, no capability it does not need, and logs that do not grow for ever", () => {
    const needed: Record<string, string[]> = {
      caddy: ["NET_BIND_SERVICE"],
      db: ["CHOWN", "DAC_READ_SEARCH", "FOWNER", "SETGID", "SETUID"],
    };
    for (const [name, service] of services) {
      expect(service, name).toMatchObject({
        read_only: true,
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges:true"],
        logging: { driver: "json-file", options: { "max-size": "10m", "max-file": "5" } },
      });
      expect(service.cap_add ?? [], name).toEqual(needed[name] ?? []);
    }
  });

  it("keeps Redis safe for a queue", () => {
    const command = compose.services["redis"]?.command?.join(" ");
    expect(command).toMatch(/^appendonly yes$/m);
    expect(command).toMatch(/^maxmemory-policy noeviction$/m);
  });

  it("asks Redis and its users for one password, which no command line shows", () => {
    const { command = [], environment = {} } = compose.services["redis"] ?? {};
    expect(command.join(" ")).toMatch(/^requirepass "\$\$REDISCLI_AUTH"$/m);
    expect(command.join(" ")).not.toContain("${REDIS_PASSWORD");
    expect(environment["REDISCLI_AUTH"]).toMatch(/^\$\{REDIS_PASSWORD:\?/);
    expect(compose.services["web"]?.environment?.["REDIS_URL"]).toMatch(
      /^redis:\/\/:\$\{REDIS_PASSWORD:\?[^}]*\}@redis:6379$/,
    );
  });

  it("can take secrets from files", () => {
    const { services: withFiles, secrets = {} } = override("compose.secrets.yml");
    for (const name of ["web", "worker", "migrate"]) {
      const { environment = {}, secrets: given = [] } = withFiles[name] ?? {};
      const files = Object.entries(environment).filter(([, value]) => value !== "");
      expect(files.map(([setting]) => setting)).toEqual(["SECRET_FILE", "SMTP_URL_FILE"]);
      expect(files.map(([, path]) => path)).toEqual(given.map((secret) => `/run/secrets/${secret}`));
      expect(Object.keys(secrets)).toEqual(given);
    }
  });

  it("passes on every setting, and nothing that is none", () => {
    for (const name of ["web", "worker", "migrate"]) {
      const passed = Object.keys(compose.services[name]?.environment ?? {});
      expect([...passed, ...notInCompose].toSorted()).toEqual([...settingNames].toSorted());
    }
  });

  it("takes from .env only what .env.example shows, and all of that", () => {
    const asked = [...read("docker-compose.yml").matchAll(/\$\{([A-Z_]+)/g)].map((match) => match[1]!);
    const ours = exampleNames.filter((name) => !ofCompose.includes(name));
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
    expect(() => fill(values)).toThrow(/^POSTGRES_PASSWORD: create a value with/);
    const made = { SECRET: "s".repeat(64), POSTGRES_PASSWORD: "p".repeat(64), REDIS_PASSWORD: "r".repeat(64) };
    const config = loadConfig(fill({ ...values, ...made }));
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

  it("builds apart and runs small, on Node 22, not as root, with a health check that has no spaces to split at", () => {
    expect(dockerfile.match(/^FROM .*$/gm)).toEqual(["FROM node:22-slim AS build", "FROM node:22-slim"]);
    expect(last).toMatch(/^USER node$/m);
    expect(last).toMatch(/^HEALTHCHECK .*\\\n {2}CMD \["node", "dist\/src\/healthcheck\.js"\]$/m);
    expect(last).not.toMatch(/npm (ci|install)/);
  });

  it("declares no volume, which would leave an anonymous one behind for each container", () => {
    expect(dockerfile).not.toMatch(/^VOLUME/m);
  });

  it("puts dayletter on the PATH, with what the package ships and no sources", () => {
    expect(last).toMatch(/ln -s \/app\/dist\/src\/cli\.js \/usr\/local\/bin\/dayletter$/m);
    expect(last).toMatch(/^ENTRYPOINT \["dayletter"\]$/m);
    expect(read("src/cli.ts")).toMatch(/^#!\/usr\/bin\/env node\n/);
    const copied = [...last.matchAll(/^COPY --from=build \/app\/(\S+) (\S+)$/gm)].map((match) => match[1]!);
    // The lock file of the package is for `npm install`; the image has `npm ci`.
    const shipped = manifest.files.filter((path) => !path.startsWith("!") && path !== "npm-shrinkwrap.json");
    for (const path of shipped)
      expect(
        copied.some((one) => path === one || path.startsWith(`${one}/`)),
        path,
      ).toBe(true);
    expect(copied).not.toContain("src");
  });

  it("copies only what .dockerignore lets through", () => {
    const allowed = new Set([...read(".dockerignore").matchAll(/^!(.*)$/gm)].map((match) => match[1]));
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap((match) => match[1]!.split(" "));
    expect(copied.length).toBeGreaterThan(0);
    for (const path of copied) expect(allowed).toContain(path);
  });
});
