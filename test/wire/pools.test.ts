import { describe, expect, it, onTestFinished } from "vitest";
import { type Protocol, settleWire } from "../../src/core/connection-options.ts";
import { statisticsOf, Upstream } from "../../src/core/upstream.ts";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import { type VirtualClock, virtualClock } from "../../src/testing/virtual-clock.ts";
import { staticIdentity } from "../../src/wire/identity/client-identity.ts";
import type { InstanceConnectorOptions } from "../../src/wire/instance-connector.ts";
import { Pools } from "../../src/wire/pools.ts";
import { meshOf } from "../support/mesh.ts";
import { serve } from "../support/servers.ts";

function poolsOf(options: Partial<InstanceConnectorOptions> = {}): { pools: Pools; clock: VirtualClock } {
  const clock = virtualClock();
  const pools = new Pools({ identity: staticIdentity(), clock, ...options });
  onTestFinished(() => pools.destroy());
  return { pools, clock };
}

const wireOf = (protocol: Protocol) => settleWire({ protocol, connections: { max: 2, connectTimeoutMs: 500 }, bodyIdleTimeoutMs: false });

const upstream = (index: number) => new Upstream("users", { id: `i${index}`, host: `10.1.${index >> 8}.${index & 255}`, port: 80 });

/** One request as the balancer counts it. */
function use(pools: Pools, target: Upstream): void {
  statisticsOf(target).attempts++;
  pools.of(target, wireOf("h1"));
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 10));

describe("pools", () => {
  it("are made for the instances that are used, not for those that are known", () => {
    const { pools } = poolsOf();
    const known = Array.from({ length: 10_000 }, (_, index) => upstream(index));
    for (let round = 0; round < 3; round++) for (const each of known.slice(0, 50)) use(pools, each);
    expect(pools.size).toBe(50);
  });

  it("close when no request used them for a whole minute, and are made again", async () => {
    const { pools, clock } = poolsOf();
    const [busy, idle] = [upstream(1), upstream(2)];
    use(pools, busy);
    use(pools, idle);
    const first = pools.of(idle, wireOf("h1"));
    await clock.advance(60_000);
    use(pools, busy);
    expect(pools.size).toBe(2);
    await clock.advance(60_000);
    await settled();
    expect(pools.size).toBe(1);
    use(pools, idle);
    expect(pools.of(idle, wireOf("h1"))).not.toBe(first);
    expect(pools.size).toBe(2);
  });

  it("are not closed for being made shortly before the round ends", async () => {
    const { pools, clock } = poolsOf();
    use(pools, upstream(1));
    await clock.advance(59_900);
    const late = upstream(2);
    use(pools, late);
    const pool = pools.of(late, wireOf("h1"));
    await clock.advance(200);
    expect(pools.of(late, wireOf("h1"))).toBe(pool);
  });

  it("stay while a request is in flight, however long", async () => {
    const { pools, clock } = poolsOf();
    const streaming = upstream(1);
    use(pools, streaming);
    statisticsOf(streaming).inFlight = 1;
    await clock.advance(600_000);
    expect(pools.size).toBe(1);
    statisticsOf(streaming).inFlight = 0;
    await clock.advance(120_000);
    await settled();
    expect(pools.size).toBe(0);
  });

  it("leave no timer behind when none is left", async () => {
    const { pools, clock } = poolsOf();
    use(pools, upstream(1));
    await clock.advance(180_000);
    await settled();
    expect([pools.size, clock.pending.length]).toEqual([0, 0]);
    use(pools, upstream(2));
    expect(clock.pending.length).toBe(1);
    await pools.destroy();
    expect(clock.pending.length).toBe(0);
  });

  it("are not kept for an instance that has left meanwhile", async () => {
    const { pools } = poolsOf();
    const gone = upstream(1);
    gone.markRemoved();
    pools.of(gone, wireOf("h1"));
    expect(pools.size).toBe(1);
    await settled();
    expect(pools.size).toBe(0);
  });

  it("of an instance that leaves close with those for upgrades", async () => {
    const { pools } = poolsOf();
    const each = upstream(1);
    const h2 = pools.of(each, wireOf("h2"));
    const h1 = pools.of(each, wireOf("h1"));
    expect(h2).not.toBe(h1);
    expect([pools.of(each, wireOf("h2")) === h2, pools.of(each, wireOf("h1")) === h1, pools.size]).toEqual([true, true, 2]);
    pools.release(each);
    await settled();
    expect(pools.size).toBe(0);
  });

  it("are refused once they were destroyed, and for what is no address", async () => {
    const { pools } = poolsOf();
    expect(() => pools.of(new Upstream("users", { id: "a", host: "a b", port: 1 }), wireOf("h1"))).toThrow("not an address");
    await pools.destroy();
    expect(() => pools.of(upstream(1), wireOf("h1"))).toThrow("closed");
  });
});

describe("a connection", () => {
  it.each(["h1", "auto"] as const)("carries one request where isolation is per-request, with %s", async (protocol) => {
    const server = await serve();
    const port = server.port;
    const mesh = meshOf({ users: port, orders: port }, { protocol, services: { users: { connections: { isolation: "per-request" } } } });
    for (let call = 0; call < 4; call++) await (await mesh.fetch("users/")).text();
    expect([server.accepted, server.seen.map(({ headers }) => headers.connection)]).toEqual([4, Array(4).fill("close")]);
    await Promise.all(Array.from({ length: 4 }, async () => (await mesh.fetch("users/")).text()));
    expect(server.accepted).toBe(8);
    for (let call = 0; call < 12; call++) await (await mesh.fetch("orders/")).text();
    expect(server.accepted, "shared ones").toBeLessThan(8 + 12);
  });

  it("is closed after connections.maxRequests requests", async () => {
    const server = await serve();
    const mesh = meshOf({ users: server.port }, { connections: { maxRequests: 3, max: 1 } });
    for (let index = 0; index < 9; index++) await (await mesh.fetch("users/x")).text();
    expect(server.accepted).toBeGreaterThanOrEqual(3);
    expect(server.accepted).toBeLessThanOrEqual(5);
  });

  it("takes no request any more after connections.maxAgeMs, and what is in flight on it ends by itself", async () => {
    const server = await serve((request, response) => {
      response.write("begun ");
      if (request.url === "/slow") setTimeout(() => response.end("ended"), 200);
      else response.end("ended");
    });
    const mesh = meshOf({ users: server.port }, { connections: { maxAgeMs: 50, max: 4 } });
    await (await mesh.fetch("users/x")).text();
    await new Promise((resolve) => setTimeout(resolve, 80));
    const slow = await mesh.fetch("users/slow");
    expect(server.accepted).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 80));
    await (await mesh.fetch("users/x")).text();
    expect([server.accepted, await slow.text()]).toEqual([3, "begun ended"]);
    const kept = meshOf({ users: server.port });
    const before = server.accepted;
    for (let index = 0; index < 3; index++) {
      await (await kept.fetch("users/x")).text();
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    expect(server.accepted - before).toBe(1);
  });

  it("is not made through a proxy that the environment names", async () => {
    const proxy = await serve();
    const server = await serve((_request, response) => response.end("direct"));
    const names = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"];
    const before = names.map((name) => process.env[name]);
    onTestFinished(() => {
      for (const [index, name] of names.entries()) {
        if (before[index] === undefined) delete process.env[name];
        else process.env[name] = before[index];
      }
    });
    for (const name of names) process.env[name] = `http://127.0.0.1:${proxy.port}`;
    const mesh = meshOf({ users: server.port });
    expect(await (await mesh.fetch("users/x")).text()).toBe("direct");
    expect(await (await mesh.request("users/x")).body.text()).toBe("direct");
    expect(proxy.accepted).toBe(0);
  });

  it("limits are checked when the mesh is made", () => {
    const discovery = staticDiscovery({});
    expect(() => createMesh({ discovery, connections: { maxRequests: 0 } })).toThrow(/connections.maxRequests/);
    expect(() => createMesh({ discovery, connections: { maxRequests: 1.5 } })).toThrow(RangeError);
    expect(() => createMesh({ discovery, connections: { maxAgeMs: 0 } })).toThrow(/connections.maxAgeMs/);
    expect(() => createMesh({ discovery, protocol: "h3" as never })).toThrow(/protocol/);
    expect(() => createMesh({ discovery, services: { users: { protocol: 2 as never } } })).toThrow(/services.users.protocol/);
  });
});
