import { createServer as createHttp2 } from "node:http2";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { meshOf } from "../support/mesh.ts";
import { listening, serve } from "../support/servers.ts";

/** A TCP proxy whose connections can be made to swallow everything, as a NAT does that has lost its state. New ones work. */
async function swallowingProxy(target: number) {
  const pairs = new Set<readonly [Socket, Socket]>();
  let accepted = 0;
  const server = createTcpServer((client) => {
    accepted++;
    const upstream = connect(target, "127.0.0.1");
    const pair = [client, upstream] as const;
    pairs.add(pair);
    for (const socket of pair) socket.on("error", () => {}).on("close", () => pairs.delete(pair));
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    swallow() {
      for (const pair of pairs) for (const socket of pair) socket.unpipe().resume();
    },
  };
}

const servers = {
  h1: async () => (await serve((_request, response) => setTimeout(() => response.end("hi"), 20))).port,
  h2: () => listening(createHttp2((_request, response) => response.end("hi")) as never),
} as const;

describe.each(["h1", "h2"] as const)("connections over %s that swallow everything", (protocol) => {
  it("cost one attempt, not one each", async () => {
    const proxy = await swallowingProxy(await servers[protocol]());
    const mesh = meshOf(
      { users: proxy.port },
      { protocol, attemptTimeoutMs: 1_500, retry: false, breaker: false, connections: { connectTimeoutMs: 5_000 } },
    );
    const call = () => mesh.fetch("users/x").then((response) => response.text());
    await Promise.all(Array.from({ length: 10 }, call));
    // undici takes a connection for busy until the turn after its response.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    const before = proxy.accepted();
    proxy.swallow();
    await expect(call()).rejects.toMatchObject({ code: "ERR_MESH_TIMEOUT" });
    expect(await Promise.all(Array.from({ length: 10 }, call))).toEqual(Array(10).fill("hi"));
    expect(proxy.accepted()).toBeGreaterThan(before);
  });

  it("are none when a GET has found them: a POST goes out on the new one", async () => {
    const proxy = await swallowingProxy(await servers[protocol]());
    const mesh = meshOf({ users: proxy.port }, { protocol, attemptTimeoutMs: 300, connections: { max: 1 } });
    await (await mesh.fetch("users/x")).text();
    proxy.swallow();
    expect(await (await mesh.fetch("users/x")).text()).toBe("hi");
    expect((await mesh.fetch("users/x", { method: "POST", body: "content" })).status).toBe(200);
  });
});
