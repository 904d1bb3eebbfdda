import { createServer, type Http2Session, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, connect } from "node:net";
import * as grpc from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { Cancellation } from "../../../src/core/cancellation.ts";
import { createMesh, type Mesh, staticDiscovery } from "../../../src/index.ts";
import { GrpcWatches } from "../../../src/rotation/health/grpc-watches.ts";
import type { OpenConnection } from "../../../src/rotation/health/health-check-connection.ts";
import { serve } from "../../../src/server/server.ts";
import { testUpstream } from "../../../src/testing/request.ts";
import { virtualClock } from "../../../src/testing/virtual-clock.ts";
import { boundServer } from "../../support/shop-service.ts";

/** Far apart: what is learnt within the time of a test is told by streams. */
const check = { type: "grpc", watch: true, intervalMs: 60_000, timeoutMs: 5_000 } as const;

function meshOf(port: number, healthCheck: object = check): Mesh {
  const mesh = createMesh({
    discovery: staticDiscovery({ orders: [{ host: "127.0.0.1", port }] }),
    protocol: "h2",
    healthCheck: { ...check, ...healthCheck },
  });
  onTestFinished(() => mesh.close());
  void mesh.warm("orders");
  return mesh;
}

function stateOf(mesh: Mesh): unknown[] {
  const [endpoint] = mesh.explain("orders")?.endpoints ?? [];
  return [endpoint?.state, endpoint?.healthCheck?.passed, endpoint?.healthCheck?.error];
}

/** A server of HTTP/2 whose answers to the health service the test gives. */
async function healthServer(answer: (stream: ServerHttp2Stream, method: string) => void) {
  const server = createServer();
  const sessions = new Set<Http2Session>();
  const asked: string[] = [];
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {});
    session.once("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    const method = String(headers[":path"]).split("/").at(-1) ?? "";
    asked.push(method);
    answer(stream, method);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sessions, asked, server };
}

function say(stream: ServerHttp2Stream, status: number): void {
  if (!stream.headersSent) stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.write(Buffer.from([0, 0, 0, 0, 2, 0x08, status]));
}

function end(stream: ServerHttp2Stream, code: number): void {
  if (!stream.headersSent) {
    stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": String(code) }, { endStream: true });
    return;
  }
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": String(code) }));
  stream.end();
}

describe("a watch of gRPC's health service", () => {
  test("follows the word of npm's grpc-health-check at once, in both directions", async () => {
    const { server, port } = await boundServer({});
    const health = new HealthImplementation({ "": "SERVING" });
    health.addToServer(server as never);
    const mesh = meshOf(port);
    await expect.poll(() => stateOf(mesh)).toEqual(["available", true, undefined]);
    health.setStatus("", "NOT_SERVING");
    await expect.poll(() => stateOf(mesh)).toEqual(["unhealthy", false, "it says NOT_SERVING"]);
    health.setStatus("", "SERVING");
    await expect.poll(() => stateOf(mesh)).toEqual(["available", true, undefined]);
  });

  test("hears from a served server that it leaves, before its connections close", async () => {
    const { server, port } = await boundServer({});
    const serving = serve(server, { signals: [], log: false, lameDuckMs: 0, inbound: {} });
    onTestFinished(async () => void (await serving.stop()));
    await serving.started;
    const mesh = meshOf(port, { service: "shop.v1.Orders" });
    await expect.poll(() => stateOf(mesh)).toEqual(["available", true, undefined]);
    const stopped = serving.stop();
    await expect.poll(() => stateOf(mesh)[0]).toBe("unhealthy");
    expect((await stopped).cutOff).toBe(0);
  });

  test("asks by Check where there is no Watch", async () => {
    const { port, asked } = await healthServer((stream, method) => {
      if (method === "Check") say(stream, 1);
      end(stream, method === "Check" ? 0 : grpc.status.UNIMPLEMENTED);
    });
    const mesh = meshOf(port, { intervalMs: 50 });
    await expect.poll(() => asked.length).toBeGreaterThan(3);
    expect(stateOf(mesh)).toEqual(["available", true, undefined]);
    expect(asked.filter((method) => method === "Watch")).toHaveLength(1);
  });

  test.each([
    ["ends with a status", (stream: ServerHttp2Stream) => end(stream, grpc.status.UNAVAILABLE)],
    ["is reset", (stream: ServerHttp2Stream) => stream.close(2)],
    ["loses its connection", (stream: ServerHttp2Stream) => stream.session?.destroy()],
  ])("that %s says nothing of the instance, and begins anew", async (_name, cut) => {
    const streams: ServerHttp2Stream[] = [];
    const { port } = await healthServer((stream) => {
      streams.push(stream);
      say(stream, 1);
    });
    const mesh = meshOf(port);
    const states: unknown[] = [];
    mesh.observe({ onEvent: (event) => event.type === "instance-state" && states.push(event.state) });
    await expect.poll(() => stateOf(mesh)).toEqual(["available", true, undefined]);
    cut(streams[0] as ServerHttp2Stream);
    await expect.poll(() => streams.length).toBe(2);
    say(streams[1] as ServerHttp2Stream, 2);
    await expect.poll(() => stateOf(mesh)[0]).toBe("unhealthy");
    expect(states).toEqual(["unhealthy"]);
  });

  test("that never tells anything, or tells nonsense, fails with its limits", async () => {
    const silent = await healthServer(() => {});
    const mesh = meshOf(silent.port, { timeoutMs: 50 });
    await expect.poll(() => stateOf(mesh)).toEqual(["unhealthy", false, "no answer within 50 ms"]);
    const nonsense = await healthServer((stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      stream.write(Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1]));
    });
    const other = meshOf(nonsense.port);
    await expect.poll(() => stateOf(other)[0]).toBe("unhealthy");
    expect(String(stateOf(other)[2])).toContain("is larger than the limit of 1024 bytes");
  });

  test("is one for each instance, and ends with the mesh", async () => {
    const { port, sessions, asked } = await healthServer((stream) => say(stream, 1));
    const mesh = meshOf(port, { intervalMs: 20 });
    await expect.poll(() => stateOf(mesh)).toEqual(["available", true, undefined]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(asked).toEqual(["Watch"]);
    // The other one is that of calls.
    expect(sessions.size).toBe(2);
    await mesh.close();
    await expect.poll(() => sessions.size).toBe(0);
  });
});

/** Watches in virtual time, whose news begin the next check. */
function watching(port: number, random = 0.5) {
  const clock = virtualClock();
  const open: OpenConnection = (_upstream, _alpn, opened) => {
    const socket = connect(port, "127.0.0.1", () => opened(null, socket));
    return () => void socket.destroy();
  };
  const watches = new GrpcWatches({ service: "", open, check: async () => {}, clock, random: () => random });
  const upstream = testUpstream({ id: "a" });
  const results: unknown[] = [];
  const check = () =>
    watches.probe(upstream, new Cancellation()).then(
      () => results.push("passed"),
      (error) => results.push(error),
    );
  watches.onNews = () => void check();
  onTestFinished(() => {
    watches.stop();
    expect(clock.pending, "timers left").toEqual([]);
  });
  return { clock, watches, upstream, check, results };
}

describe("a watch that is ended by the instance after each word", () => {
  const cuts: Readonly<Record<string, (stream: ServerHttp2Stream) => void>> = {
    "ends with a status": (stream) => end(stream, grpc.status.UNAVAILABLE),
    "ends well": (stream) => end(stream, grpc.status.OK),
    "is reset": (stream) => setImmediate(() => stream.close(2)),
  };
  test.each(Object.keys(cuts))("that %s is opened again at once, and then with growing pauses", async (name) => {
    const { port, asked } = await healthServer((stream) => {
      say(stream, 1);
      cuts[name]?.(stream);
    });
    const { clock, check, results } = watching(port);
    void check();
    await expect.poll(() => [asked.length, clock.pending]).toEqual([2, [{ inMs: 1_000, keepsProcess: false }]]);
    for (const [index, pause] of [2_000, 4_000, 4_000, 4_000].entries()) {
      await clock.advance((clock.pending[0]?.inMs ?? 0) - 1);
      expect(asked).toHaveLength(index + 2);
      await clock.advance(1);
      await expect.poll(() => [asked.length, clock.pending]).toEqual([index + 3, [{ inMs: pause, keepsProcess: false }]]);
    }
    expect(new Set(results)).toEqual(new Set(["passed"]));
  });

  test.each([
    [0, 800],
    [1, 1_200],
  ])("leaves a fifth of a pause to chance (%s)", async (random, inMs) => {
    const { port } = await healthServer((stream) => {
      say(stream, 1);
      end(stream, grpc.status.OK);
    });
    const { clock, check } = watching(port, random);
    void check();
    await expect.poll(() => clock.pending[0]?.inMs).toBe(inMs);
  });

  test("is opened at once again after a stream that has lasted", async () => {
    const streams: ServerHttp2Stream[] = [];
    const { port } = await healthServer((stream) => {
      streams.push(stream);
      say(stream, 1);
      if (streams.length < 3) end(stream, grpc.status.OK);
    });
    const { clock, check, results } = watching(port);
    void check();
    await expect.poll(() => clock.pending.length).toBe(1);
    await clock.advance(1_000);
    await expect.poll(() => results.length).toBe(3);
    await clock.advance(10_000);
    end(streams[2] as ServerHttp2Stream, grpc.status.OK);
    await expect.poll(() => streams.length).toBe(4);
    expect(clock.pending).toEqual([]);
  });

  test.each(["end", "stop"] as const)("has no pause left after its %s", async (how) => {
    const { port, asked } = await healthServer((stream) => {
      say(stream, 2);
      end(stream, grpc.status.OK);
    });
    const { clock, check, watches, upstream, results } = watching(port);
    void check();
    await expect.poll(() => clock.pending.length).toBe(1);
    if (how === "end") watches.end(upstream);
    else watches.stop();
    expect(clock.pending).toEqual([]);
    await clock.advance(60_000);
    expect(asked).toHaveLength(2);
    expect(String(results[0])).toContain("it says NOT_SERVING");
  });

  test("does not wait for its pause where the check of the interval comes first", async () => {
    const { port, asked } = await healthServer((stream) => {
      say(stream, 1);
      if (asked.length < 3) end(stream, grpc.status.OK);
    });
    const { clock, check } = watching(port);
    void check();
    await expect.poll(() => clock.pending.length).toBe(1);
    await check();
    expect([asked.length, clock.pending]).toEqual([3, []]);
  });
});
