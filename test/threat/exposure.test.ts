import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { admin } from "../../src/admin/admin.ts";
import { clientCredentials } from "../../src/authentication/jwt.ts";
import { parsePolicy } from "../../src/authorization/text/read-policy.ts";
import { createMesh } from "../../src/index.ts";
import { prometheus } from "../../src/telemetry/prometheus.ts";
import { ask, guarded } from "../server/inbound/served.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serve, serveRaw } from "../support/servers.ts";

const secret = "c4n4ry-threat-Qm4RtV82";

describe("secrets of calls", () => {
  it("T23: a token goes to the service that it is for alone, and none of an incoming request goes anywhere", async () => {
    const [a, b] = [await serve(), await serve()];
    const asked: string[] = [];
    const token = (service: string) => {
      asked.push(service);
      return { token: `for-${service}`, expiresAtMs: Date.now() + 60_000 };
    };
    const mesh = meshOf({ a: a.port, b: b.port }, { services: { a: { token: { provider: token, allowPlain: true } } } } as never);
    const { port } = await guarded({}, (_request, response) => {
      void Promise.all([mesh.fetch("a/x"), mesh.fetch("b/x")]).then(() => response.end("ok"));
    });
    const incoming = { authorization: `Bearer ${secret}`, cookie: secret, "x-api-key": secret, "proxy-authorization": secret };
    expect((await ask(port, { headers: incoming })).status).toBe(200);
    expect(asked).toEqual(["a"]);
    expect([a.seen[0]?.headers.authorization, b.seen[0]?.headers.authorization]).toEqual(["Bearer for-a", undefined]);
    expect(JSON.stringify([a.seen, b.seen])).not.toContain(secret);
  });

  it("T24: in headers, queries and user information stand in no error, however it is printed", async () => {
    const raw = await serveRaw((socket) => socket.resetAndDestroy());
    const mesh = meshOf({ svc: raw.port }, { retry: false });
    const init = { headers: { authorization: `Bearer ${secret}`, cookie: secret }, method: "POST", body: secret };
    const errors = [
      await rejectionOf(mesh.fetch(`svc/x?token=${secret}`, init)),
      await rejectionOf(mesh.fetch(`http://user:${secret}@svc/x`, init)),
      await rejectionOf(mesh.fetch(`nobody/x?token=${secret}`, init)),
      await rejectionOf(mesh.fetch("svc/x", { headers: { authorization: `${secret}\n` } })),
      await rejectionOf(
        Promise.resolve().then(() => clientCredentials({ url: `http://a:${secret}@login.test/`, clientId: "a", clientSecret: secret })),
      ),
    ];
    for (const error of errors) {
      const chain = [error, (error as Error).cause];
      expect(
        chain.map((each) => `${String(each)} ${JSON.stringify(each)} ${inspect(each, { depth: 9, showHidden: true })}`).join(),
      ).not.toContain(secret);
    }
  });

  it("T52: the page is on this machine alone, wants its token where it has one, and answers to no other host", async () => {
    const mesh = meshOf({ svc: 1 });
    const page = await admin(mesh, { port: 0, token: secret });
    onTestFinished(() => page.close());
    expect(new URL(page.url).hostname).toBe("127.0.0.1");
    expect((await ask(Number(new URL(page.url).port), { path: "/api/mesh", headers: { host: "evil.test" } })).status).toBe(403);
    const changed = await ask(Number(new URL(page.url).port), { path: "/api/services/svc/eject", method: "POST", body: "{}" });
    expect(changed.status).toBeGreaterThanOrEqual(400);
    expect(inspect(page, { depth: 9, showHidden: true })).not.toContain(secret);
    expect(() => admin(mesh, { port: 0, host: "0.0.0.0" })).toThrow(/allowRemote/);
  });

  it("T53: proxies of the environment get nothing", async () => {
    const proxy = await serveRaw((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
    for (const name of ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NODE_USE_ENV_PROXY"])
      vi.stubEnv(name, name === "NODE_USE_ENV_PROXY" ? "1" : `http://127.0.0.1:${proxy.port}`);
    vi.stubEnv("NO_PROXY", "");
    onTestFinished(() => void vi.unstubAllEnvs());
    const instance = await serve();
    const mesh = meshOf({ svc: instance.port });
    expect((await mesh.fetch("svc/x", { headers: { authorization: secret } })).status).toBe(200);
    expect((await mesh.request("svc/x")).statusCode).toBe(200);
    expect(instance.seen).toHaveLength(2);
    expect(proxy.received).toEqual([]);
  });
});

describe("T25: labels of metrics", () => {
  it("are of closed sets: invented services, methods, paths and statuses make no series", async () => {
    const server = await serve((request, response) => {
      response.statusCode = 200 + (Number(request.url?.slice(1)) % 300);
      response.end();
    });
    const observer = prometheus();
    const mesh = meshOf({ svc: server.port }, { observers: [observer], retry: false, breaker: false });
    const series = async () => (await observer.metrics()).split("\n").filter((line) => /^\w+\{/.test(line)).length;
    await mesh.fetch("svc/0");
    const before = await series();
    for (let count = 0; count < 200; count++) {
      await mesh.fetch(`svc/${count}`, { method: `M${count}`, headers: { "user-agent": `a${count}` } }).catch(() => {});
      await mesh.fetch(`unknown-${count}/x`).catch(() => {});
    }
    expect((await series()) - before).toBeLessThan(4_000);
    expect(await observer.metrics()).not.toMatch(/unknown-1|M199|a199/);
  }, 30_000);
});

describe("T27: expressions", () => {
  it("of a policy are those of RE2: what needs backtracking is refused, what is exponential elsewhere is not", async () => {
    const policy = (regex: string) => `rules: [{ id: a, action: allow, to: { paths: [{ regex: ${JSON.stringify(regex)} }] } }]`;
    for (const regex of ["(a+)+\\1", "(?=a)a", "(?<!a)b", "(", "a{1001}", "x".repeat(1_025)])
      expect(() => parsePolicy(policy(regex)), regex).toThrow(/the regular expression/);
    for (const regex of ["(a+)+$", "(a|a)*", "(.*)*x"]) expect(() => parsePolicy(policy(regex)), regex).not.toThrow();
  });
});

describe("T50: names that are those of Object.prototype", () => {
  it("in options, policies and answers change no object of the process", async () => {
    const before = Object.getOwnPropertyNames(Object.prototype).sort();
    const evil = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}') as object;
    const server = await serve((_request, response) => {
      response.setHeader("content-type", "application/json");
      response.end('{"__proto__":{"polluted":true}}');
    });
    expect(() => createMesh({ ...evil, discovery: { async *watch() {} } } as never)).toThrow(TypeError);
    for (const text of [
      '{"__proto__":{"rules":[]},"rules":[]}',
      "__proto__: { dryRun: true }\nrules: []",
      "rules: [{ id: a, action: allow, __proto__: { to: {} } }]",
    ])
      expect(() => parsePolicy(text)).toThrow(/there is no such field/);
    const discovery = {
      async *watch() {
        yield [
          { id: "__proto__", host: "127.0.0.1", port: server.port, metadata: JSON.parse('{"__proto__":"x"}') as Record<string, string> },
        ];
      },
    };
    const mesh = closing(createMesh({ discovery, services: JSON.parse('{"__proto__":{"timeoutMs":5000}}') as object }));
    expect(await (await mesh.fetch("__proto__/x")).json()).toBeDefined();
    expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(before);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe("T55: what is installed", () => {
  it("runs no script at its installation, and what is not always needed is optional", () => {
    const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8")) as {
      scripts: Record<string, string>;
      dependencies: Record<string, string>;
      peerDependencies: Record<string, string>;
      peerDependenciesMeta: Record<string, { optional: boolean }>;
    };
    expect(Object.keys(manifest.scripts).filter((name) => /^(?:pre|post)?install$|^prepare$/.test(name))).toEqual([]);
    expect(Object.keys(manifest.dependencies).sort()).toEqual([
      "dns-packet",
      "fastest-levenshtein",
      "opossum",
      "p-retry",
      "semver",
      "undici",
      "yaml",
    ]);
    const needed = Object.keys(manifest.peerDependencies).filter((name) => manifest.peerDependenciesMeta[name]?.optional !== true);
    expect(needed).toEqual(["@opentelemetry/api"]);
  });
});
