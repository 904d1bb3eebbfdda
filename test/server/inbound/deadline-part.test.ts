import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, createServer as createPlainServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import type { AddressInfo } from "node:net";
import express from "express";
import Fastify from "fastify";
import { expect, onTestFinished, test } from "vitest";
import { incoming } from "../../../src/policies/incoming.ts";
import { inbound } from "../../../src/server/inbound/middleware.ts";
import { serve } from "../../../src/server/server.ts";
import { meshOf } from "../../support/mesh.ts";
import { serve as instance } from "../../support/servers.ts";
import { ask, guarded, Held, served } from "./served.ts";

test("calls made while serving continue the deadline of their caller", async () => {
  const slow = await instance(() => {});
  const mesh = meshOf({ slow: slow.port });
  const { port } = await served({}, (_request, response) => {
    mesh.fetch("slow/x").then(
      () => response.end("answered"),
      (error: { code: string }) => response.end(error.code),
    );
  });
  const startedAt = performance.now();
  expect((await ask(port, { headers: { "x-mesh-deadline-ms": "150" } })).text).toBe("ERR_MESH_TIMEOUT");
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

test("calls made while serving a copy are marked as copies", async () => {
  const next = await instance();
  const mesh = meshOf({ next: next.port });
  const { port } = await served({}, async (_request, response) => {
    await mesh.fetch("next/x");
    response.end();
  });
  await ask(port, { headers: { "x-mesh-mirrored": "1" } });
  await ask(port);
  expect(next.seen.map(({ headers }) => headers["x-mesh-mirrored"])).toEqual(["1", undefined]);
});

test("the handler of a retry knows its attempt, and no request knows that of another", async () => {
  const seen: unknown[] = [];
  const { port } = await guarded({}, async (_request, response) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    seen.push(incoming()?.attempt);
    response.end();
  });
  await Promise.all([ask(port, { headers: { "x-mesh-attempt": "2" } }), ask(port)]);
  expect(seen.sort()).toEqual([2, undefined]);
});

test.each(["http", "http2"] as const)("the events of a body continue it too, by %s", async (protocol) => {
  const seen: string[] = [];
  const note = (event: string): void => void seen.push(`${event} ${incoming()?.attempt}`);
  const listener = (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void => {
    request.once("data", () => note("data"));
    request.once("end", () => {
      note("end");
      response.end("ok");
    });
  };
  const server = protocol === "http" ? createServer(listener) : createPlainServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const serving = serve(server, { signals: [], lameDuckMs: 0, log: false, inbound: {} });
  onTestFinished(async () => void (await serving.stop()));
  const { port } = server.address() as AddressInfo;
  const headers = { "x-mesh-attempt": "2" };
  if (protocol === "http") await ask(port, { method: "POST", body: "body", headers });
  else {
    const session = connect(`http://127.0.0.1:${port}`);
    const stream = session.request({ ":method": "POST", ...headers }).resume();
    stream.end("body");
    await once(stream, "close");
    session.close();
  }
  await expect.poll(() => seen).toEqual(["data 2", "end 2"]);
});

test.each([["0"], ["00000000"]])("a request whose caller waits %s ms more is refused, with the marker of a refusal", async (value) => {
  let handled = 0;
  const { port } = await guarded({}, (_request, response) => {
    handled++;
    response.end();
  });
  const answer = await ask(port, { headers: { "x-mesh-deadline-ms": value }, method: "POST", body: "x" });
  expect(answer).toMatchObject({ status: 503, headers: { "x-mesh-refused": "1" } });
  expect(answer.text).toContain("deadline");
  expect(handled).toBe(0);
});

test.each(["", "-1", "1e3", "123456789", "5, 6", "NaN", "\u00b2"])(
  "a header that no mesh writes, %j, is as if it were not there",
  async (value) => {
    const { port } = await guarded({}, (_request, response) => response.end(String(incoming() === undefined)));
    const answer = await ask(port, { headers: { "x-mesh-deadline-ms": value, "x-mesh-attempt": value } });
    expect(answer).toMatchObject({ status: 200, text: "true" });
  },
);

test("a request that has waited for its place until its deadline is not handled", async () => {
  const held = new Held();
  const { port } = await guarded({ concurrency: { maxInFlight: 1, queueTimeoutMs: 10_000 } }, held.listener);
  const busy = ask(port);
  await expect.poll(() => held.requests.length).toBe(1);
  const late = ask(port, { headers: { "x-mesh-deadline-ms": "20" } });
  await new Promise((resolve) => setTimeout(resolve, 60));
  held.requests[0]?.answer();
  expect(await late).toMatchObject({ status: 503, headers: { "x-mesh-refused": "1" } });
  await busy;
  expect(held.requests).toHaveLength(1);
});

test("works in Express and in Fastify", async () => {
  const app = express();
  app.use(inbound({}));
  app.get("/remaining", (_request, response) => void response.send(String((incoming()?.remainingMs() ?? 0) > 0)));
  const listening = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => listening.once("listening", resolve));
  onTestFinished(() => void listening.close());
  const fastify = Fastify();
  fastify.get("/remaining", async () => {
    await Promise.resolve();
    return String((incoming()?.remainingMs() ?? 0) > 0);
  });
  await fastify.listen({ port: 0, host: "127.0.0.1" });
  const serving = serve(fastify, { signals: [], lameDuckMs: 0, log: false, inbound: {} });
  onTestFinished(async () => void (await serving.stop()));
  for (const server of [listening, fastify.server]) {
    const { port } = server.address() as AddressInfo;
    expect((await ask(port, { path: "/remaining", headers: { "x-mesh-deadline-ms": "5000" } })).text).toBe("true");
    expect((await ask(port, { path: "/.inmesh/live" })).status).toBe(200);
  }
});

test("the middleware in a server that is served with one sees each request once", async () => {
  let keys = 0;
  const guard = inbound({ rateLimit: { key: () => String(keys++) } });
  const server = createServer((request, response) => guard(request, response, () => guard(request, response, () => response.end("ok"))));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const serving = serve(server, { signals: [], lameDuckMs: 0, log: false, inbound: { rateLimit: { key: () => String(keys++) } } });
  onTestFinished(async () => void (await serving.stop()));
  const { port } = server.address() as AddressInfo;
  expect((await ask(port)).text).toBe("ok");
  expect(keys).toBe(1);
});
