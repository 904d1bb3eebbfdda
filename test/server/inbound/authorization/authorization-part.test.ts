import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Policy } from "../../../../src/authorization/policy.ts";
import type { PolicyListener, PolicySource } from "../../../../src/authorization/sources/policy-source.ts";
import type { AuditRecord } from "../../../../src/server/inbound/authorization/audit.ts";
import { serve } from "../../../../src/server/server.ts";
import { ask, askRaw, guarded, served } from "../served.ts";

const policy: Policy = {
  rules: [
    { id: "no-admin", action: "deny", to: { paths: ["/admin/**"] } },
    { id: "read", action: "allow", to: { methods: ["GET"], paths: ["/**"] } },
  ],
};

function newFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "inmesh-policy-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "policy.yaml");
  writeFileSync(file, text);
  return file;
}

describe("authorization", () => {
  test("answers 403 without a word of the rules, and does not say that another instance may take the request", async () => {
    const { port } = await guarded({ authorization: { policy } });
    expect((await ask(port, { path: "/orders" })).status).toBe(200);
    const denied = await ask(port, { path: "/admin/users" });
    expect(denied).toMatchObject({ status: 403, text: "forbidden\n" });
    expect(denied.headers["x-mesh-refused"]).toBeUndefined();
    expect((await ask(port, { path: "/orders", method: "POST", body: "x" })).status).toBe(403);
    expect((await ask(port, { path: "/orders", method: "HEAD" })).status).toBe(403);
  });

  test("answers 400 to paths that readers may differ on, before any rule", async () => {
    const seen: string[] = [];
    const { port } = await guarded({ authorization: { policy } }, (request, response) => {
      seen.push(request.url ?? "");
      response.end();
    });
    for (const target of [
      "/x/../admin",
      "/x/%2e%2e/admin",
      "//admin",
      "/x\\admin",
      "/%61dmin",
      "/x%2fadmin",
      "*",
      "/admin#",
      "http://a@b/admin",
    ]) {
      const answer = await askRaw(port, `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      expect(`${target} ${answer.slice(0, 12)}`).toBe(`${target} HTTP/1.1 400`);
    }
    expect(await askRaw(port, "GET http://a/admin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1.1 403/);
    expect(seen).toEqual([]);
  });

  test("as-envoy refuses only a fragment, and normalises nothing", async () => {
    const { port } = await guarded({ authorization: { policy, pathPolicy: "as-envoy" } });
    const answer = await askRaw(port, "GET /x/../admin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1.1 200/);
    expect(await askRaw(port, "GET /orders#/admin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1.1 400/);
  });

  test("an empty policy denies all, and no option lets all pass", async () => {
    const { port } = await guarded({ authorization: { policy: { rules: [] } } });
    expect((await ask(port)).status).toBe(403);
    const { port: open } = await guarded({});
    expect((await ask(open)).status).toBe(200);
  });

  test("leaves the paths for health to the option health", async () => {
    const { port } = await guarded({ authorization: { policy: { rules: [] } } });
    expect((await ask(port, { path: "/.inmesh/live" })).status).toBe(200);
  });

  test("in a dry run lets all pass, and tells of what it would deny", async () => {
    const records: AuditRecord[] = [];
    const { port } = await guarded({ authorization: { policy, dryRun: true, audit: (record) => void records.push(record) } });
    expect((await ask(port, { path: "/admin?token=secret" })).status).toBe(200);
    expect((await ask(port, { path: "/orders" })).status).toBe(200);
    expect(records).toMatchObject([
      {
        decision: "dry-run-denied",
        ruleId: "no-admin",
        reason: "a rule denies it",
        method: "GET",
        path: "/admin",
        address: "127.0.0.1",
        dropped: 0,
      },
    ]);
  });

  test("tells of rules that audit, whatever is decided, and is not held up by a sink that fails or never ends", async () => {
    const records: AuditRecord[] = [];
    const audited: Policy = { rules: [...policy.rules, { id: "watch", action: "audit", to: { paths: ["/orders/{id}"] } }] };
    const { port } = await guarded({
      authorization: {
        policy: audited,
        audit: (record) => {
          records.push(record);
          if (records.length === 1) throw new Error("planted");
          return new Promise(() => {});
        },
      },
    });
    expect([(await ask(port, { path: "/orders/1" })).status, (await ask(port, { path: "/orders/2" })).status]).toEqual([200, 200]);
    expect(records.map(({ decision, ruleId, audits }) => [decision, ruleId, audits])).toEqual([
      ["allowed", "read", ["watch"]],
      ["allowed", "read", ["watch"]],
    ]);
  });

  test("judges upgrades and CONNECT, also where the server has listeners for them", async () => {
    const { port, server } = await served({ inbound: { authorization: { policy } } });
    server.on("upgrade", (_request, socket) => socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
    server.on("connect", (_request, socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n"));
    const upgrade = (path: string) => askRaw(port, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`);
    expect(await upgrade("/chat")).toMatch(/^HTTP\/1.1 101/);
    expect(await upgrade("/admin")).toMatch(/^HTTP\/1.1 403 Forbidden\r\n(?!.*x-mesh-refused)/s);
    expect(await upgrade("/x/../admin")).toMatch(/^HTTP\/1.1 400 Bad Request/);
    expect(await askRaw(port, "CONNECT admin:443 HTTP/1.1\r\nHost: a\r\n\r\n")).toMatch(/^HTTP\/1.1 400/);
  });

  test("judges the streams of HTTP/2 that a server listens for, before its listener", async () => {
    const server = createHttp2Server();
    let reached = 0;
    server.on("stream", (stream) => {
      reached++;
      stream.respond({ ":status": 200 });
      stream.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const serving = serve(server, { signals: [], lameDuckMs: 0, log: false, inbound: { authorization: { policy } } });
    onTestFinished(async () => void (await serving.stop()));
    const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    onTestFinished(() => client.destroy());
    const of = (path: string) =>
      new Promise((resolve, reject) => {
        const stream = client.request({ ":path": path });
        stream.on("response", (headers) => resolve(headers[":status"])).on("error", reject);
        stream.resume();
      });
    expect([await of("/admin/x"), await of("/x/../admin"), reached]).toEqual([403, 400, 0]);
    expect([await of("/orders"), reached]).toEqual([200, 1]);
  });

  test("judges requests over HTTP/2", async () => {
    const server = createHttp2Server((_request, response) => void response.end("ok"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const serving = serve(server, { signals: [], lameDuckMs: 0, log: false, inbound: { authorization: { policy } } });
    onTestFinished(async () => void (await serving.stop()));
    const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    onTestFinished(() => client.destroy());
    const of = (path: string, method = "GET") =>
      new Promise((resolve, reject) => {
        const stream = client.request({ ":path": path, ":method": method });
        stream.on("response", (headers) => resolve(headers[":status"])).on("error", reject);
        stream.resume();
      });
    expect([await of("/orders"), await of("/admin/x"), await of("/orders", "get"), await of("/x/../admin")]).toEqual([200, 403, 400, 400]);
  });

  test("logs the decision and the rule", async () => {
    const lines: string[] = [];
    const { port, guard } = await guarded({ authorization: { policy }, accessLog: { write: (text) => void lines.push(text) } });
    await ask(port, { path: "/orders" });
    await ask(port, { path: "/admin" });
    await guard.close();
    const entries = lines
      .join("")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(entries).toMatchObject([
      { status: 200, authorization: "allowed", rule: "read" },
      { status: 403, authorization: "denied", rule: "no-admin", refusedBy: "authorization" },
    ]);
  });
});

describe("a policy in a file", () => {
  test("is read again when it changes; a bad one changes nothing and is said once, with its place", async () => {
    const file = newFile("rules: []\n");
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    onTestFinished(() => warned.mockRestore());
    const { port } = await guarded({ authorization: { file, pollMs: 10 } });
    expect((await ask(port)).status).toBe(403);
    writeFileSync(file, "rules: [{ id: all, action: allow }]\n");
    await expect.poll(async () => (await ask(port)).status, { timeout: 20_000 }).toBe(200);
    writeFileSync(file, "rules: [{ id: all, action: alow }]\n");
    await expect.poll(() => warned.mock.calls.length, { timeout: 20_000 }).toBe(1);
    expect(warned.mock.calls[0]?.[0]).toContain(`${file}:1:28: rules[0].action: it must be one of allow, deny, audit`);
    expect(warned.mock.calls[0]?.[0]).toContain("the last good policy stays in force");
    expect((await ask(port)).status).toBe(200);
    rmSync(file);
    await expect.poll(() => warned.mock.calls.length, { timeout: 20_000 }).toBe(2);
    expect((await ask(port)).status).toBe(200);
    writeFileSync(file, "rules: []\n");
    await expect.poll(async () => (await ask(port)).status, { timeout: 20_000 }).toBe(403);
    expect(warned.mock.calls.length).toBe(2);
  });

  test.each([
    ["that is missing", undefined, "ENOENT"],
    ["that is wrong", "rules:\n  - id: a\n    acton: allow\n", ":3:5: rules[0].acton: there is no such field; did you mean action?"],
    ["that is empty", "", ":1:1: it is empty"],
  ])("%s is an error at the start", async (_, text, message) => {
    const file = newFile(text ?? "");
    if (text === undefined) rmSync(file);
    onTestFinished(() => void (text === undefined && writeFileSync(file, "")));
    await expect(guarded({ authorization: { file } })).rejects.toThrow(message);
  });
});

describe("a policy of a source", () => {
  class Scripted implements PolicySource {
    readonly name = "scripted";
    listener: PolicyListener | undefined = undefined;
    closed = 0;
    watch(listener: PolicyListener) {
      this.listener = listener;
      return { close: () => void this.closed++ };
    }
  }

  test("refuses every request until there is one, and says that another instance may take it", async () => {
    const source = new Scripted();
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    onTestFinished(() => warned.mockRestore());
    const { port, guard } = await guarded({ authorization: { source } });
    const early = await ask(port);
    expect([early.status, early.headers["x-mesh-refused"]]).toEqual([503, "1"]);
    source.listener?.fail(new Error("down"));
    source.listener?.fail(new Error("down"));
    source.listener?.update("rules: [{ id: a }]");
    expect((await ask(port)).status).toBe(503);
    expect(warned.mock.calls.map(([text]) => text)).toEqual([
      "scripted: down; every request is refused until there is one",
      "scripted:1:9: rules[0]: action is missing; every request is refused until there is one",
    ]);
    source.listener?.update({ rules: [{ id: "a", action: "allow" }] });
    expect((await ask(port)).status).toBe(200);
    await guard.close();
    expect(source.closed).toBe(1);
    source.listener?.update({ rules: [] });
    expect((await ask(port)).status).toBe(200);
  });

  test("that throws lets nothing pass", async () => {
    const source: PolicySource = {
      name: "broken",
      watch() {
        throw new Error("planted");
      },
    };
    const { port } = await guarded({ authorization: { source } });
    expect((await ask(port)).status).toBe(503);
  });
});

test.each([
  [{}, "inbound: authorization needs exactly one of policy, file and source, not 0 of them"],
  [{ policy, file: "a" }, "inbound: authorization needs exactly one of policy, file and source, not 2 of them"],
  [{ polcy: policy }, 'inbound: authorization has no option "polcy"'],
  [
    { policy: { rules: [{ id: "a", action: "allow", to: { method: ["GET"] } }] } },
    "rules[0].to.method: there is no such field; did you mean methods?",
  ],
  [{ policy, pathPolicy: "lax" }, 'inbound: authorization.pathPolicy must be one of "strict", "as-envoy", not "lax"'],
])("a wrong option, %j, is refused by name", async (authorization, message) => {
  await expect(guarded({ authorization } as never)).rejects.toThrow(message);
});
