import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Observer } from "../../src/extend.ts";
import { continueFrom, createMesh, type MeshOptions, roundRobin, staticDiscovery } from "../../src/index.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A mesh over one instance per handler. */
async function rig(handlers: readonly RequestListener[], options: Partial<MeshOptions> = {}) {
  const ports: number[] = [];
  for (const handler of handlers) {
    const server = createServer(handler);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    cleanups.push(() => {
      server.close();
      server.closeAllConnections();
    });
    ports.push((server.address() as AddressInfo).port);
  }
  const mesh = createMesh({
    discovery: staticDiscovery({ orders: ports.map((port) => ({ host: "127.0.0.1", port })) }),
    picker: roundRobin({ random: () => 0 }),
    ...options,
  });
  cleanups.push(() => mesh.close());
  return mesh;
}

const seeing =
  (seen: IncomingHttpHeaders[], status = 200): RequestListener =>
  (request, response) => {
    seen.push(request.headers);
    response.writeHead(status).end();
  };

describe("x-mesh-deadline-ms and x-mesh-attempt", () => {
  it("say what time is left, and which attempt it is from the second on", async () => {
    const seen: IncomingHttpHeaders[] = [];
    const mesh = await rig([seeing(seen, 503), seeing(seen, 503)], { timeoutMs: 5_000, retry: { maxAttempts: 2, baseDelayMs: 50 } });
    await (await mesh.fetch("orders/")).text();
    const [first, second] = seen;
    expect([first?.["x-mesh-attempt"], second?.["x-mesh-attempt"]]).toEqual([undefined, "2"]);
    const waits = seen.map((headers) => Number(headers["x-mesh-deadline-ms"]));
    expect(waits[0]).toBeLessThanOrEqual(5_000);
    expect(waits[0]).toBeGreaterThan(2_000);
    expect(waits[1]).toBeLessThanOrEqual(waits[0] as number);
  });

  it("are not sent without a deadline, nor where that is switched off", async () => {
    const seen: IncomingHttpHeaders[] = [];
    const mesh = await rig([seeing(seen)], { timeoutMs: false });
    await (await mesh.fetch("orders/")).text();
    const other = await rig([seeing(seen)], { propagateDeadline: false });
    await (await other.fetch("orders/")).text();
    // Without a deadline, the mesh names itself alone.
    const sent = seen.map((headers) => Object.keys(headers).filter((name) => name.startsWith("x-mesh")));
    expect(sent).toEqual([["x-mesh-caller"], []]);
    expect(seen).toHaveLength(2);
  });

  it("bound what a service calls while it answers", async () => {
    const hanging: RequestListener = () => {};
    const inner = await rig([hanging]);
    const waited: number[] = [];
    const outer = await rig(
      [
        (request, response) =>
          continueFrom(request.headers, async () => {
            const startedAt = performance.now();
            await inner.fetch("orders/", { mesh: { attemptTimeoutMs: false } }).catch(() => {});
            waited.push(performance.now() - startedAt);
            response.end();
          }),
      ],
      { timeoutMs: 300, attemptTimeoutMs: false },
    );
    await expect(outer.fetch("orders/")).rejects.toMatchObject({ code: "ERR_MESH_TIMEOUT" });
    await expect.poll(() => waited.length).toBe(1);
    // Its own limit is ten seconds.
    expect(waited[0]).toBeLessThan(3_000);
  });

  it("fails at once when the caller has stopped waiting already", async () => {
    const seen: IncomingHttpHeaders[] = [];
    const mesh = await rig([seeing(seen)]);
    const call = continueFrom({ "x-mesh-deadline-ms": "0" }, () => mesh.fetch("orders/"));
    await expect(call).rejects.toMatchObject({ code: "ERR_MESH_TIMEOUT", maybeExecuted: false, attempts: [] });
    expect(seen).toEqual([]);
  });
});

describe("concurrency", () => {
  it("refuses what finds no place, in a mesh", async () => {
    const open: ServerResponse[] = [];
    const mesh = await rig([(_request, response) => void open.push(response)], { concurrency: { maxInFlight: 1, maxQueued: 0 } });
    const first = mesh.fetch("orders/");
    await expect.poll(() => open.length).toBe(1);
    await expect(mesh.fetch("orders/")).rejects.toMatchObject({ code: "ERR_MESH_OVERLOADED", maybeExecuted: false });
    open[0]?.end("done");
    expect(await (await first).text()).toBe("done");
    expect(open).toHaveLength(1);
  });

  it("passes over an instance that has enough, and waits while all have, for so long and no longer", async () => {
    const open: ServerResponse[][] = [[], []];
    const mesh = await rig(
      open.map((own) => (_request, response) => void own.push(response)),
      { concurrency: { maxInFlightPerInstance: 2, maxQueued: 2, queueTimeoutMs: 300 }, picker: { pick: (upstreams) => upstreams[0] } },
    );
    const calls = [1, 2, 3, 4].map(() => mesh.fetch("orders/"));
    await expect.poll(() => open.map(({ length }) => length)).toEqual([2, 2]);
    const [first, second, third] = [1, 2, 3].map(() => mesh.fetch("orders/waits").catch((error: unknown) => error));
    expect(await third).toMatchObject({ code: "ERR_MESH_OVERLOADED", maybeExecuted: false });
    expect(String(await third)).toContain("maxInFlightPerInstance): 2 wait already");
    open[1]?.[0]?.end();
    await expect.poll(() => open.map(({ length }) => length)).toEqual([2, 3]);
    expect(String(await second)).toContain("maxInFlightPerInstance): it has waited for 300 ms");
    for (const response of open.flat()) response.end();
    for (const call of calls) await (await call).text();
    expect(await first).toBeInstanceOf(Response);
  });
});

describe("hedge", () => {
  it("answers from a second instance when the first is slow, and tells its observers", async () => {
    let isSlow = false;
    const hedges: string[] = [];
    const observer: Observer = { onEvent: (event) => void (event.type === "hedge" && hedges.push(event.request.path)) };
    const slow: RequestListener = (_request, response) => void setTimeout(() => response.end("one"), isSlow ? 3_000 : 1);
    const mesh = await rig([slow, (_request, response) => void response.end("two")], {
      hedge: { percentile: 0, maxExtraLoad: 1 },
      picker: { pick: (upstreams) => upstreams[0] },
      observers: [observer],
    });
    // Until it knows how long calls take.
    await expect
      .poll(
        async () => {
          await Promise.all(Array.from({ length: 20 }, async () => (await mesh.fetch("orders/")).text()));
          return hedges.length;
        },
        { timeout: 15_000 },
      )
      .toBeGreaterThan(0);
    isSlow = true;
    const response = await mesh.fetch("orders/slow");
    expect(await response.text()).toBe("two");
    expect(hedges).toContain("/slow");
    expect(mesh.explain("orders")?.endpoints.map(({ state }) => state)).toEqual(["available", "available"]);
  });
});

describe("options", () => {
  it.each<[object, string]>([
    [{ concurrency: { maxInFlight: 0 } }, "concurrency.maxInFlight must be at least 1, not 0"],
    [{ concurrency: { maxInFlight: {} } }, "concurrency.maxInFlight.begin"],
    [{ concurrency: { max: 5 } }, "max"],
    [{ concurrency: 5 }, "concurrency must be an object"],
    [{ hedge: { maxExtraLoad: 2 } }, "hedge.maxExtraLoad must be from 0 to 1, not 2"],
    [{ hedge: true }, "hedge must be an object"],
    [{ throttle: { ratio: 0 } }, "throttle.ratio must be at least 1, not 0"],
    [{ propagateDeadline: "yes" }, "propagateDeadline must be true or false"],
    [{ services: { a: { hedge: { minDelayMs: -1 } } } }, "services.a.hedge.minDelayMs"],
  ])("refuses %j", (options, message) => {
    expect(() => createMesh({ discovery: staticDiscovery({}), ...options })).toThrow(message);
  });

  it("refuses a priority that is none", async () => {
    const mesh = createMesh({ discovery: staticDiscovery({}) });
    cleanups.push(() => mesh.close());
    await expect(mesh.fetch("orders/", { mesh: { priority: "urgent" as "high" } })).rejects.toThrow("mesh.priority");
  });
});
