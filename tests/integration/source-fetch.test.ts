import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import net, { type AddressInfo } from "node:net";
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it, test, vi } from "vitest";
import { requestLinks, type LinkDeps } from "../../src/sources/request-links.ts";
import { fetchFeed, type FetchDeps, type FetchRequest } from "../../src/sources/fetch.ts";

const feed = "<rss version='2.0'><channel><title>é</title></channel></rss>";

/** What the server answers on each path; it notes the requests it gets. */
const routes = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>();
let requests: IncomingMessage[] = [];
let server: Server;
let port = 0;
/** The same server under another name. */
let other = "";
let home = "";

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request);
    const path = new URL(request.url ?? "", "http://x").pathname;
    (routes.get(path) ?? ((_, missing) => missing.writeHead(404).end("no")))(request, response);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  port = (server.address() as AddressInfo).port;
  home = `http://127.0.0.1:${port}`;
  other = `http://other.example:${port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  routes.clear();
  requests = [];
});

function reply(path: string, status: number, headers: Record<string, string>, body: string | Uint8Array = ""): void {
  routes.set(path, (_, response) => response.writeHead(status, headers).end(body));
}

/** Every name leads to this machine, with no name server asked. */
const loopback = async () => [{ address: "127.0.0.1", family: 4 }];

function get(url: string, deps: Partial<FetchDeps> = {}, request: Partial<FetchRequest> = {}) {
  return fetchFeed(
    { allowPrivate: true, userAgent: "Dayletter/1", lookup: loopback, ...deps },
    { url, etag: null, lastModified: null, ...request },
  );
}

function refused(status: number, code: string, details: object = {}) {
  return expect.objectContaining({ name: "Refusal", status, code, details: expect.objectContaining(details) });
}

describe("what is asked and answered", () => {
  it("gives the bytes, their validators and where it came from", async () => {
    const headers = {
      "content-type": "text/xml; charset=iso-8859-1",
      etag: '"1"',
      "last-modified": "Tue, 10 Dec 2013 09:30:00 GMT",
    };
    reply("/feed", 200, headers, Buffer.from(feed, "latin1"));
    expect(await get(`${home}/feed?a=1`)).toEqual({
      kind: "fetched",
      bytes: Buffer.from(feed, "latin1"),
      contentType: "text/xml; charset=iso-8859-1",
      etag: '"1"',
      lastModified: "Tue, 10 Dec 2013 09:30:00 GMT",
      url: `${home}/feed?a=1`,
      movedTo: null,
    });
    expect(requests[0]?.headers).toMatchObject({
      "user-agent": "Dayletter/1",
      accept: expect.stringContaining("rss+xml"),
    });
    expect(requests[0]?.headers).not.toHaveProperty("if-none-match");
    expect(requests[0]?.headers).not.toHaveProperty("authorization");
  });

  it("sends the validators back, and takes 304 for unchanged", async () => {
    reply("/feed", 304, {});
    expect(await get(`${home}/feed`, {}, { etag: 'W/"1"', lastModified: "yesterday" })).toEqual({ kind: "unchanged" });
    expect(requests[0]?.headers).toMatchObject({ "if-none-match": 'W/"1"', "if-modified-since": "yesterday" });
  });

  test.each([
    ["gzip", gzipSync(feed)],
    ["x-gzip", gzipSync(feed)],
    ["br", brotliCompressSync(feed)],
    ["deflate", deflateSync(feed)],
    ["deflate", deflateRawSync(feed)],
    ["gzip, br", brotliCompressSync(gzipSync(feed))],
    ["identity", Buffer.from(feed)],
  ])("reads %s", async (coding, body) => {
    reply("/feed", 200, { "content-encoding": coding }, body);
    expect(await get(`${home}/feed`)).toMatchObject({ bytes: Buffer.from(feed) });
  });

  it("gives a user and password from the address to its server only", async () => {
    reply("/feed", 302, { location: "/second" });
    reply("/second", 302, { location: `${other}/third` });
    reply("/third", 200, {}, feed);
    await get(`http://me:p%40ss@127.0.0.1:${port}/feed`);
    const basic = `Basic ${Buffer.from("me:p@ss").toString("base64")}`;
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([basic, basic, undefined]);
  });

  it("connects to the address it has checked: the name is looked up once for each connection", async () => {
    let asked = 0;
    const lookup = async () => {
      asked += 1;
      return asked === 1 ? [{ address: "127.0.0.1", family: 4 }] : [{ address: "10.0.0.5", family: 4 }];
    };
    reply("/feed", 200, {}, feed);
    await get(`${other}/feed`, { lookup });
    expect(asked).toBe(1);
  });
});

describe("redirects", () => {
  test.each([
    [[301, 308], true],
    [[301, 302], false],
    [[307], false],
    [[303], false],
    [[301, 301, 301, 301, 301], true],
  ])("%j: moved for good is %j", async (statuses, moved) => {
    statuses.forEach((status, hop) => reply(`/${hop}`, status, { location: `/${hop + 1}` }, "<p>elsewhere</p>"));
    const last = `${home}/${statuses.length}`;
    reply(`/${statuses.length}`, 200, {}, feed);
    expect(await get(`${home}/0`)).toMatchObject({ url: last, movedTo: moved ? last : null });
  });

  it("gives up on a loop", async () => {
    reply("/feed", 301, { location: "/feed" });
    await expect(get(`${home}/feed`)).rejects.toEqual(
      refused(422, "source_redirect_loop", { url: `${home}/feed`, most: 5 }),
    );
    expect(requests).toHaveLength(6);
  });

  test.each([
    ["file:///etc/passwd", 422, "source_redirect_not_web"],
    ["http://[broken", 502, "source_redirect_invalid"],
  ])("refuses one to %s", async (location, status, code) => {
    reply("/feed", 302, { location });
    await expect(get(`${home}/feed`)).rejects.toEqual(refused(status, code));
  });
});

describe("private addresses", () => {
  const guarded = { allowPrivate: false };

  /** "public.example" ends at this machine; any other connection that the guard lets through is a failure, not made. */
  beforeEach(() => {
    const connect = net.connect;
    const spy = vi.spyOn(net, "connect").mockImplementation(((options: net.TcpNetConnectOpts) => {
      if (options.host === "public.example") return connect(port, "127.0.0.1");
      const lookup: net.LookupFunction = (host, how, callback) =>
        options.lookup?.(host, how, (error) => callback(error ?? new Error(`reached ${host}`), []));
      if (net.isIP(options.host ?? "") === 0) return connect({ ...options, lookup });
      throw new Error(`reached ${options.host}`);
    }) as typeof net.connect);
    return () => spy.mockRestore();
  });

  test.each([
    ["127.0.0.1", "127.0.0.1"],
    ["2130706433", "127.0.0.1"],
    ["0x7f.1", "127.0.0.1"],
    ["0177.0.0.1", "127.0.0.1"],
    ["[::1]", "::1"],
    ["[::ffff:127.0.0.1]", "::ffff:7f00:1"],
    ["169.254.169.254", "169.254.169.254"],
    ["0", "0.0.0.0"],
  ])("refuses the literal %s", async (host, address) => {
    await expect(get(`http://${host}:${port}/feed`, guarded)).rejects.toEqual(
      refused(422, "source_private_address", { address }),
    );
    expect(requests).toEqual([]);
  });

  it("refuses a name that leads to one, even among others", async () => {
    const lookup = async () => [
      { address: "93.184.216.34", family: 4 },
      { address: "10.0.0.5", family: 4 },
    ];
    await expect(get(`http://feeds.example/feed`, { ...guarded, lookup })).rejects.toEqual(
      refused(422, "source_private_address", { url: "http://feeds.example/feed", address: "10.0.0.5" }),
    );
  });

  it("refuses localhost by the system's own resolver", async () => {
    const deps = { allowPrivate: false, userAgent: "x" };
    await expect(fetchFeed(deps, { url: `http://localhost:${port}/`, etag: null, lastModified: null })).rejects.toEqual(
      refused(422, "source_private_address"),
    );
  });

  test.each([
    ["http://10.255.255.1/latest/meta-data", "10.255.255.1"],
    ["http://[::ffff:a9fe:a9fe]/", "::ffff:a9fe:a9fe"],
    ["http://inner.example/", "10.0.0.5"],
  ])("looks at every hop: %s behind a public address", async (location, address) => {
    reply("/feed", 302, { location });
    const lookup = async () => [{ address: "10.0.0.5", family: 4 }];
    await expect(get("http://public.example/feed", { ...guarded, lookup })).rejects.toEqual(
      refused(422, "source_private_address", { url: `http://public.example/feed → ${location}`, address }),
    );
    expect(requests).toHaveLength(1);
  });
});

describe("limits and failures", () => {
  test.each([
    ["gzip", gzipSync(Buffer.alloc(50_000_000))],
    ["br", brotliCompressSync(Buffer.alloc(50_000_000))],
    ["identity", Buffer.alloc(3_000_000)],
  ])("stops a %s bomb early", async (coding, body) => {
    reply("/feed", 200, { "content-encoding": coding }, body);
    const before = process.memoryUsage().arrayBuffers;
    await expect(get(`${home}/feed`, { maxBytes: 1_000_000 })).rejects.toEqual(
      refused(422, "source_too_large", { megabytes: 1 }),
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
  });

  test.each([
    ["gzip, gzip, gzip", gzipSync(gzipSync(gzipSync(feed)))],
    ["gzip, identity, br, gzip", gzipSync(feed)],
  ])("refuses %s: nobody needs more than two codings", async (coding, body) => {
    reply("/feed", 200, { "content-encoding": coding }, body);
    await expect(get(`${home}/feed`)).rejects.toEqual(refused(502, "source_encoding_unsupported"));
  });

  /** 200 MB of gzip members without content: the outer layer is long, the inner one yields no byte. */
  const members = Buffer.alloc(200_000_000, gzipSync(""));
  const hollow = brotliCompressSync(members, { params: { [constants.BROTLI_PARAM_QUALITY]: 3 } });

  it("caps the layer between two codings, also where the last one produces nothing", async () => {
    reply("/feed", 200, { "content-encoding": "gzip, br" }, hollow);
    await expect(get(`${home}/feed`, { maxBytes: 1_000_000 })).rejects.toEqual(
      refused(422, "source_too_large", { megabytes: 1 }),
    );
  });

  it("stops decompressing when the time is up, also where nothing is produced", async () => {
    reply("/feed", 200, { "content-encoding": "gzip, br" }, hollow);
    const started = performance.now();
    const limits = { maxBytes: 1_000_000_000, timeoutMs: 100 };
    await expect(get(`${home}/feed`, limits)).rejects.toEqual(refused(502, "source_timeout", { seconds: 0.1 }));
    expect(performance.now() - started).toBeLessThan(1500);
  });

  it("ends after the time for all of it, though bytes keep coming", async () => {
    routes.set("/feed", (_, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write(" "), 20);
      response.on("close", () => clearInterval(drip));
    });
    await expect(get(`${home}/feed`, { timeoutMs: 200 })).rejects.toEqual(
      refused(502, "source_timeout", { seconds: 0.2 }),
    );
  });

  test.each([
    ["a silent server", { lookup: loopback }],
    ["a silent name server", { lookup: () => new Promise<never>(() => {}) }],
  ])("does not wait for %s", async (_what, deps) => {
    routes.set("/feed", () => {});
    await expect(get(`${other}/feed`, { ...deps, timeoutMs: 200 })).rejects.toEqual(refused(502, "source_timeout"));
  });

  it("stops when its caller does", async () => {
    routes.set("/feed", () => {});
    await expect(get(`${home}/feed`, {}, { signal: AbortSignal.timeout(100) })).rejects.toEqual(
      refused(502, "source_interrupted", { url: `${home}/feed` }),
    );
    const lookup = () => new Promise<never>(() => {});
    const started = performance.now();
    for (const signal of [AbortSignal.timeout(100), AbortSignal.abort()]) {
      await expect(get(`${other}/feed`, { lookup }, { signal })).rejects.toEqual(refused(502, "source_interrupted"));
    }
    // Far from the 15 seconds after which the connection itself is given up.
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test.each([
    [404, 422, "source_missing"],
    [410, 422, "source_gone"],
    [401, 422, "source_login_required"],
    [403, 422, "source_forbidden"],
    [418, 422, "source_status_refused"],
    [429, 502, "source_rate_limited"],
    [500, 502, "source_status_failed"],
    [300, 502, "source_status_failed"],
  ])("answers %i with %i", async (httpStatus, status, code) => {
    reply("/feed", httpStatus, {}, "x".repeat(100_000));
    await expect(get(`${home}/feed`)).rejects.toEqual(refused(status, code, { url: `${home}/feed`, httpStatus }));
  });

  test.each([
    [503, { httpStatus: 503, retryAfter: "120" }],
    [500, { httpStatus: 500 }],
  ])("keeps what %i says of when to ask again", async (httpStatus, details) => {
    reply("/feed", httpStatus, { "retry-after": "120" });
    await expect(get(`${home}/feed`)).rejects.toHaveProperty("details", { url: `${home}/feed`, ...details });
  });

  test.each([
    ["gzip", Buffer.from("not gzip"), "source_encoding_broken"],
    ["gzip", gzipSync(feed).subarray(0, 30), "source_encoding_broken"],
    ["br", Buffer.from("not brotli at all"), "source_encoding_broken"],
    ["deflate", Buffer.from("xxxxxxxxxx"), "source_encoding_broken"],
    ["zstd", Buffer.from("zstd"), "source_encoding_unsupported"],
  ])("refuses broken %s", async (coding, body, code) => {
    reply("/feed", 200, { "content-encoding": coding }, body);
    await expect(get(`${home}/feed`)).rejects.toEqual(refused(502, code));
  });

  it("tells a connection that breaks off", async () => {
    routes.set("/feed", (_, response) => {
      response.writeHead(200, { "content-length": "1000" }).write("<rss>", () => response.destroy());
    });
    await expect(get(`${home}/feed`)).rejects.toEqual(refused(502, "source_read_failed", { url: `${home}/feed` }));
  });

  it("tells a port where nobody listens", async () => {
    const closed = createServer();
    await once(closed.listen(0, "127.0.0.1"), "listening");
    const { port: free } = closed.address() as AddressInfo;
    await once(closed.close(), "close");
    await expect(get(`http://127.0.0.1:${free}/`)).rejects.toEqual(refused(502, "source_connection_refused"));
  });

  test.each([
    ["ENOTFOUND", 422, "source_host_not_found"],
    ["EAI_AGAIN", 502, "source_dns_failed"],
  ])("tells %s of a name server", async (error, status, code) => {
    const lookup = async () => {
      throw Object.assign(new Error(error), { code: error });
    };
    await expect(get("http://feeds.example/a", { lookup })).rejects.toEqual(
      refused(status, code, { url: "http://feeds.example/a" }),
    );
  });

  it("tells a server without TLS", async () => {
    await expect(get(`https://127.0.0.1:${port}/`)).rejects.toEqual(
      refused(502, "source_certificate_invalid", { url: `https://127.0.0.1:${port}/` }),
    );
  });

  test.each(["", "feed.xml", "ftp://example.com/a", "file:///etc/passwd"])("refuses the address %j", async (url) => {
    await expect(get(url)).rejects.toEqual(refused(422, "source_address_invalid"));
  });

  it("shows no password, and no value of the query", async () => {
    const error = await get(`http://me:secret@127.0.0.1:${port}/no?key=hidden`).catch(String);
    expect(error).toContain(`http://127.0.0.1:${port}/no?…`);
    expect(error).not.toMatch(/secret|hidden/);
  });
});

describe("pages that articles lead to", () => {
  const missing = () => Promise.reject(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }));
  const look = async (paths: string[], deps: Partial<LinkDeps> = {}, signal?: AbortSignal) => {
    const urls = paths.map((path) => (path.startsWith("http") ? path : `${home}${path}`));
    const all = { allowPrivate: true, userAgent: "Dayletter/1", lookup: loopback, ...deps };
    const answers = await requestLinks(all, urls, signal);
    return urls.map((url) => answers.get(url));
  };
  const status = (code: number) => ({ kind: "status", status: code });

  it("are asked for with HEAD, and with one byte of GET where that is refused or finds nothing", async () => {
    reply("/there", 200, { "content-type": "text/html" }, "x".repeat(10_000));
    for (const [path, byHead, byGet] of [
      ["/no-head", 405, 206],
      ["/lies", 404, 200],
      ["/gone", 410, 410],
      ["/busy", 503, 200],
    ] as const) {
      routes.set(path, ({ method }, response) => response.writeHead(method === "HEAD" ? byHead : byGet).end());
    }
    reply("/moved", 301, { location: "/there" });
    const paths = ["/there", "/no-head", "/lies", "/gone", "/moved", "/busy", "/nowhere"];
    const found: object[] = [200, 206, 200, 410, 200, 503, 404].map(status);
    expect(await look(paths)).toEqual(found.with(4, { ...status(200), movedTo: `${home}/there` }));
    expect(requests[0]?.headers).toMatchObject({ "user-agent": "Dayletter/1" });
    const gets = requests.filter(({ method }) => method === "GET");
    expect(new Set(gets.map(({ url }) => url))).toEqual(new Set(["/gone", "/lies", "/no-head", "/nowhere"]));
    for (const { headers } of gets) expect(headers.range).toBe("bytes=0-0");
  });

  it("are asked for under the guard of feeds", async () => {
    const lookup = async (name: string) => [
      { address: name === "other.example" ? "127.0.0.1" : "10.0.0.5", family: 4 },
    ];
    const unguarded = await look([`${other}/`, "http://10.0.0.1/"], { allowPrivate: false, lookup });
    expect(unguarded).toEqual([1, 2].map(() => ({ kind: "private-address" })));
    expect(requests).toHaveLength(0);
  });

  it("tell names that are not there, and whether another page led to them", async () => {
    reply("/away", 302, { location: "http://gone.example/" });
    expect(await look(["http://gone.example/a", "/away"], { lookup: missing })).toEqual([
      { kind: "no-name", host: "gone.example", hops: 0 },
      { kind: "no-name", host: "gone.example", hops: 1 },
    ]);
  });

  it("are two at a time of one host, and no slow one keeps the others waiting", async () => {
    let [now, most] = [0, 0];
    const answer = (response: ServerResponse) => {
      now -= 1;
      response.writeHead(200).end();
    };
    const waiting: ServerResponse[] = [];
    const paths = Array.from({ length: 9 }, (_, n) => `/${n}`);
    for (const path of paths) {
      routes.set(path, (_request, response) => {
        now += 1;
        most = Math.max(most, now);
        // Each pair is answered once both are there, so that two at a time are seen to be two.
        if (waiting.push(response) === 2 || path === "/8") waiting.splice(0).forEach(answer);
      });
    }
    routes.set("/silent", () => {});
    const answers = await look([...paths, `${other}/silent`], { linkMs: 300 });
    expect(answers).toEqual([...paths.map(() => status(200)), { kind: "late" }]);
    expect(most).toBe(2);
  });

  it("end with the time for all of them, or when nobody waits any more", async () => {
    for (const path of ["/1", "/2", "/3", "/4"]) routes.set(path, () => {});
    const late = { kind: "late" };
    expect(await look(["/1", "/2", "/3", "/4"], { linksMs: 100 })).toEqual([late, late, undefined, undefined]);
    expect(await look(["/1"], {}, AbortSignal.abort())).toEqual([undefined]);
  });
});
