import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { Discovery } from "../../src/extend.ts";
import { createMesh, type Mesh } from "../../src/index.ts";
import { consul } from "../../src/registries/consul.ts";
import { eureka } from "../../src/registries/eureka.ts";
import { type Serving, serve } from "../../src/server/server.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A registry that takes everything until it is told to hang: then it accepts connections and requests, and answers none. */
async function hangingRegistry() {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const state = { hangs: false };
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (state.hangs) return;
    request.resume().on("end", () => {
      response.setHeader("content-type", "application/json");
      if (request.url?.startsWith("/eureka") === true) response.statusCode = request.method === "GET" ? 404 : 204;
      response.end(response.statusCode === 204 ? "" : "{}");
    });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, sockets, state };
}

const kinds: readonly [string, (url: string) => Discovery, RegExp][] = [
  ["Consul", (url) => consul({ url }), /^PUT .*\/deregister\//],
  ["Eureka", (url) => eureka({ servers: [`${url}/eureka`] }), /^DELETE /],
];

async function served(mesh: Mesh): Promise<{ server: Server; serving: Serving; lines: string[] }> {
  const lines: string[] = [];
  const server = createServer((_request, response) => void response.end("ok")).listen(0, "127.0.0.1");
  const options = { mesh, signals: [], lameDuckMs: 0, log: (line: string) => void lines.push(line) };
  const serving = serve(server, { ...options, register: { service: "orders", host: "127.0.0.1" } });
  ends.push(() => serving.stop());
  return { server, serving, lines };
}

describe.each(kinds)("a registry like %s that hangs", (_kind, adapter, removal) => {
  test("costs a stop three seconds, is asked to remove the instance all the same, and keeps nothing open behind it", async () => {
    const { url, asked, sockets, state } = await hangingRegistry();
    const { serving } = await served(createMesh({ discovery: adapter(url) }));
    await serving.started;
    state.hangs = true;
    asked.length = 0;
    const startedAt = performance.now();
    const { problems } = await serving.stop();
    expect(performance.now() - startedAt).toBeLessThan(4_500);
    expect(problems.map((problem) => problem.replace(/:.*/, ""))).toEqual([
      "could not tell the registry that it leaves",
      "could not deregister",
    ]);
    expect(asked.filter((line) => removal.test(line))).toHaveLength(1);
    await expect.poll(() => sockets.size).toBe(0);
  });

  test("costs a stop two seconds while the instance is still being registered, and is asked to take back what it may have taken", async () => {
    const { url, asked, sockets, state } = await hangingRegistry();
    state.hangs = true;
    const { serving, lines } = await served(createMesh({ discovery: adapter(url) }));
    await expect.poll(() => asked.length).toBe(1);
    const startedAt = performance.now();
    const { problems } = await serving.stop();
    expect(performance.now() - startedAt).toBeLessThan(3_500);
    expect(problems).toEqual([]);
    expect(lines.join()).not.toContain("could not tell");
    expect(asked.filter((line) => removal.test(line))).toHaveLength(1);
    await expect.poll(() => sockets.size).toBe(0);
  });

  test.each(["registered", "being registered"])("costs the end of a mesh two seconds: %s", async (state) => {
    const registry = await hangingRegistry();
    const mesh = createMesh({ discovery: adapter(registry.url) });
    registry.state.hangs = state === "being registered";
    await mesh.register({ service: "orders", host: "127.0.0.1", port: 1234, keepTrying: true });
    await expect.poll(() => registry.asked.length).toBeGreaterThan(0);
    registry.state.hangs = true;
    const startedAt = performance.now();
    await mesh.close();
    expect(performance.now() - startedAt).toBeLessThan(3_500);
    expect(registry.asked.filter((line) => removal.test(line))).toHaveLength(1);
    await expect.poll(() => registry.sockets.size).toBe(0);
  });
});
