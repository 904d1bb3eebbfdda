import { once } from "node:events";
import { createServer, Socket } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import type { Opened } from "../../src/wire/address-race.ts";
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

/** A connection that is made by hand. */
function scripted() {
  const reasons: Error[] = [];
  let settle: Opened = () => {};
  const open = (opened: Opened) => {
    settle = opened;
    return (reason: Error) => void reasons.push(reason);
  };
  return { open, reasons, connected: () => settle(null, new Socket()) };
}

describe("a connection attempt", () => {
  it("is given up at its limit, and not when it is there before", async () => {
    const clock = virtualClock();
    const { open, reasons, connected } = scripted();
    const results: unknown[] = [];
    connectTimeout(open, 300, clock, (...[error]) => void results.push(error));
    await clock.advance(299);
    connected();
    await clock.advance(1_000);
    expect([results, reasons, clock.pending]).toEqual([[null], [], []]);
    connectTimeout(open, 300, clock, () => {});
    await clock.advance(299);
    expect(reasons).toEqual([]);
    await clock.advance(1);
    expect(reasons).toMatchObject([
      { code: "UND_ERR_CONNECT_TIMEOUT", message: "no connection within 300 ms (connections.connectTimeoutMs)" },
    ]);
  });

  it("has the time again in which this process stood still, once", async () => {
    const clock = virtualClock();
    const { open, reasons } = scripted();
    connectTimeout(open, 300, clock, () => {});
    vi.spyOn(clock, "now").mockReturnValue(500);
    await clock.advance(499);
    expect(reasons).toEqual([]);
    await clock.advance(1);
    expect(reasons).toHaveLength(1);
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
