import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { connectTimeout } from "../../src/wire/connect-timeout.ts";
import { closing } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { until } from "../support/until.ts";

/** Takes connections and never says anything: a TLS handshake with it does not end. */
async function mute(): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on("error", () => {})));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

/** A connector whose socket does nothing by itself. */
function scripted() {
  const destroyed: Error[] = [];
  let settle: (result: string) => void = () => {};
  const connector = (_target: string, callback: (result: string) => void) => {
    settle = callback;
    return { destroy: (error: Error) => destroyed.push(error) };
  };
  return { connector, destroyed, connected: () => settle("connected") };
}

describe("a connection attempt", () => {
  it("is given up at its limit, and not when it is there before", async () => {
    const clock = virtualClock();
    const { connector, destroyed, connected } = scripted();
    const results: string[] = [];
    const limited = connectTimeout(connector, () => 300, clock);
    limited("there", (result) => results.push(result));
    await clock.advance(299);
    connected();
    await clock.advance(1_000);
    expect([results, destroyed, clock.pending]).toEqual([["connected"], [], []]);
    limited("nowhere", () => {});
    await clock.advance(299);
    expect(destroyed).toEqual([]);
    await clock.advance(1);
    expect(destroyed).toMatchObject([
      { code: "UND_ERR_CONNECT_TIMEOUT", message: "no connection within 300 ms (connections.connectTimeoutMs)" },
    ]);
  });

  it("has the time again in which this process stood still, once", async () => {
    const clock = virtualClock();
    const { connector, destroyed } = scripted();
    connectTimeout(connector, () => 300, clock)("nowhere", () => {});
    vi.spyOn(clock, "now").mockReturnValue(500);
    await clock.advance(499);
    expect(destroyed).toEqual([]);
    await clock.advance(1);
    expect(destroyed).toHaveLength(1);
  });

  it.each<[ms: number, zone: string | undefined, endpointZone: string | undefined, given: number | undefined]>([
    [300, "a", "a", undefined],
    [1_000, "a", "b", undefined],
    [1_000, "a", undefined, undefined],
    [1_000, undefined, "a", undefined],
    [1_000, undefined, undefined, undefined],
    [120, "a", "a", 120],
    [450, "a", "b", 450],
  ])("has %i ms from zone %s to zone %s where connectTimeoutMs is %s", async (ms, zone, endpointZone, given) => {
    const endpoint = { id: "1", host: "127.0.0.1", port: await mute(), secure: true, ...(endpointZone && { zone: endpointZone }) };
    for (const protocol of ["h1", "h2"] as const) {
      const clock = virtualClock();
      const options = {
        clock,
        drainTimeoutMs: 0,
        retry: false,
        protocol,
        ...(zone && { zone }),
        ...(given && { connections: { connectTimeoutMs: given } }),
      } as const;
      const mesh = closing(createMesh({ discovery: staticDiscovery({ orders: [endpoint] }), ...options }));
      let error: unknown;
      const call = rejectionOf(mesh.fetch("orders/x", { method: "POST" })).then((reason) => {
        error = reason;
      });
      await until("the timer is set", () => clock.pending.some(({ inMs }) => inMs === ms));
      await clock.advance(ms - 1);
      expect(error).toBeUndefined();
      await clock.advance(1);
      await call;
      expect(error).toMatchObject({ code: "ERR_MESH_CONNECT", maybeExecuted: false, attempts: [{ code: "UND_ERR_CONNECT_TIMEOUT" }] });
    }
  });
});
