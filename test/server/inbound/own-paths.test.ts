import { createServer } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { serve } from "../../../src/server/server.ts";
import { ask, askRaw, guarded, Held, served } from "./served.ts";

describe("liveness and readiness", () => {
  test("are different: a process that is not ready lives, and says why it is not ready", async () => {
    let ready = false;
    const { port, serving } = await served({ ready: () => ready });
    expect(await ask(port, { path: "/.inmesh/live" })).toMatchObject({ status: 200, text: '{"alive":true}\n' });
    const before = await ask(port, { path: "/.inmesh/ready" });
    expect(before).toMatchObject({ status: 503, text: '{"ready":false,"reason":"it is starting"}\n' });
    expect(before.headers).toMatchObject({ "cache-control": "no-store", "content-type": "application/json" });
    ready = true;
    await serving.started;
    expect(await ask(port, { path: "/.inmesh/ready?probe=1" })).toMatchObject({ status: 200, text: '{"ready":true}\n' });
    ready = false;
    expect((await ask(port, { path: "/.inmesh/ready" })).text).toContain("ready says no");
  });

  test("are answered during the lame duck: alive, and not ready", async () => {
    const { port, serving } = await served({ lameDuckMs: 400 });
    await serving.started;
    const stopped = serving.stop();
    expect(await ask(port, { path: "/.inmesh/ready" })).toMatchObject({
      status: 503,
      text: '{"ready":false,"reason":"it is stopping"}\n',
    });
    expect((await ask(port, { path: "/.inmesh/live" })).status).toBe(200);
    await stopped;
  });

  test.each<[kind: string, ready: () => boolean | Promise<boolean>, reason: string]>([
    [
      "throws",
      () => {
        throw new Error("no database");
      },
      "ready failed: no database",
    ],
    ["rejects", () => Promise.reject(new Error("no database")), "ready failed: no database"],
    ["hangs", () => new Promise(() => {}), "it took more than 1000 ms"],
    ["answers nonsense", () => 1 as never, "ready answered neither true nor false"],
  ])("are denied where the program's function %s", async (_kind, ready, reason) => {
    const { port } = await guarded({ ready });
    const answer = await ask(port, { path: "/.inmesh/ready" });
    expect(answer.status).toBe(503);
    expect(answer.text).toContain(reason);
  });

  test("pass every limit, and count in none", async () => {
    const held = new Held();
    const { port } = await guarded(
      { concurrency: { maxInFlight: 1, maxQueued: 0 }, rateLimit: { perSecond: 0.001, burst: 1 } },
      held.listener,
    );
    const busy = ask(port);
    await expect.poll(() => held.requests.length).toBe(1);
    expect((await ask(port)).status).toBe(429);
    for (let count = 0; count < 5; count++) expect((await ask(port, { path: "/.inmesh/ready" })).status).toBe(200);
    expect(JSON.parse((await ask(port, { path: "/.inmesh/load" })).text)).toMatchObject({ named_metrics: { rif: 1 } });
    held.requests[0]?.answer();
    expect((await busy).status).toBe(200);
  });

  test("take other paths, or none", async () => {
    const { port } = await guarded({ health: { livePath: "/healthz", readyPath: false }, load: { path: "/load" } });
    expect((await ask(port, { path: "/healthz" })).text).toContain("alive");
    expect((await ask(port, { path: "/.inmesh/ready" })).text).toBe("ok");
    expect((await ask(port, { path: "/.inmesh/live" })).text).toBe("ok");
    expect((await ask(port, { path: "/load" })).text).toContain("cpu_utilization");
  });

  test("are only at their paths, whatever form the target has", async () => {
    const { port } = await guarded({});
    const of = async (target: string) =>
      (await askRaw(port, `GET ${target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)).split("\r\n\r\n")[1];
    expect(await of("http://a.example:80/.inmesh/live?x")).toContain("alive");
    for (const target of ["//.inmesh/live", "//a/.inmesh/live", "/.inmesh/live/", "/x/../.inmesh/live", "/.inmesh/%6cive", "http://a", "*"])
      expect(await of(target), target).toContain("ok");
  });

  test("answer HEAD without a body, HTTP/1.0, and refuse other methods without reading for ever", async () => {
    const { port } = await guarded({});
    const head = await askRaw(port, "HEAD /.inmesh/ready HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    expect(head).toMatch(/^HTTP\/1\.1 200 /);
    expect(head.endsWith("\r\n\r\n")).toBe(true);
    expect(await askRaw(port, "GET /.inmesh/live HTTP/1.0\r\n\r\n")).toContain("alive");
    const posted = await ask(port, { path: "/.inmesh/live", method: "POST", body: "x".repeat(100_000) });
    expect(posted).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
  });

  test("are answered over HTTP/2", async () => {
    const server = createHttp2Server((_request, response) => void response.end("ok"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const serving = serve(server, { signals: [], lameDuckMs: 0, log: false, inbound: {} });
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    onTestFinished(async () => {
      session.destroy();
      await serving.stop();
    });
    const stream = session.request({ ":path": "/.inmesh/live" });
    let text = "";
    for await (const part of stream.setEncoding("utf8")) text += part;
    expect(text).toBe('{"alive":true}\n');
  });
});

test("a listener without a handler of its own answers the rest with 404", async () => {
  const { inbound } = await import("../../../src/server/inbound/middleware.ts");
  const server = createServer(inbound({}));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  expect((await ask(port, { path: "/.inmesh/live" })).status).toBe(200);
  expect((await ask(port, { path: "/other" })).status).toBe(404);
});
