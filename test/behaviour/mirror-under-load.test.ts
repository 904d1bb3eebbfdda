import { describe, expect, it } from "vitest";
import { meshOf } from "../support/mesh.ts";
import { serve, serveRaw } from "../support/servers.ts";
import { until } from "../support/until.ts";

const perSecond = 300;
const seconds = 3;

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] as number;
}

describe("a mirror that takes copies and never answers", () => {
  it("changes neither the success nor the latency of the calls, and takes no more than its bounds", { timeout: 60_000 }, async () => {
    const service = await serve((_request, response) => response.end("ok"));
    const hole = await serveRaw(() => {});
    const omissions = new Map<string, number>();
    const mesh = meshOf(
      { svc: service.port, hole: hole.port },
      {
        routes: [
          { match: { path: { prefix: "/copied" } }, mirror: { service: "hole", methods: "all", timeoutMs: 60_000, maxInFlight: 100 } },
        ],
        observers: [
          {
            onEvent(event) {
              if (event.type === "mirror") omissions.set(event.omission ?? "ended", (omissions.get(event.omission ?? "ended") ?? 0) + 1);
            },
          },
        ],
      },
    );
    const body = Buffer.alloc(32_768, "a");
    const latencies: Record<"copied" | "plain", number[]> = { copied: [], plain: [] };
    const failures: unknown[] = [];
    const call = async (kind: "copied" | "plain"): Promise<void> => {
      const startedAt = performance.now();
      try {
        const response = await mesh.fetch(`svc/${kind}`, { method: "POST", body });
        await response.text();
        if (response.status !== 200) failures.push(response.status);
      } catch (error) {
        failures.push(error);
      }
      latencies[kind].push(performance.now() - startedAt);
    };
    // Both kinds in turn, so that they meet the same machine.
    const calls: Promise<void>[] = [];
    const startedAt = performance.now();
    for (let count = 0; count < perSecond * seconds; ) {
      const due = Math.min(perSecond * seconds, ((performance.now() - startedAt) / 1_000) * perSecond);
      for (; count < due; count++) calls.push(call(count % 2 === 0 ? "copied" : "plain"));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await Promise.all(calls);
    await until("the copies have been sent", () => hole.received.length > 90);
    const [copied, plain] = [quantile(latencies.copied, 0.99), quantile(latencies.plain, 0.99)];
    console.log(`p99 of ${latencies.copied.length} copied calls: ${copied.toFixed(1)} ms, of others: ${plain.toFixed(1)} ms`);
    expect(failures).toEqual([]);
    // The calls that are copied do a little more work; they wait for nothing.
    expect(copied).toBeLessThan(3 * plain + 100);
    expect(hole.sockets.length).toBeLessThanOrEqual(100);
    expect([...omissions]).toEqual([["in-flight", latencies.copied.length - 100]]);
    expect(mesh.explain("hole")?.endpoints[0]).toMatchObject({ inFlight: 0, attempts: 0, state: "available" });
    expect(mesh.explain("svc")?.endpoints[0]?.state).toBe("available");
  });

  it("holds up no close of the mesh", async () => {
    const service = await serve();
    const hole = await serveRaw(() => {});
    const mesh = meshOf(
      { svc: service.port, hole: hole.port },
      { routes: [{ mirror: { service: "hole", timeoutMs: 60_000 } }], drainTimeoutMs: 30_000 },
    );
    for (let count = 0; count < 20; count++) await (await mesh.fetch("svc/")).text();
    await until("copies are under way", () => hole.sockets.length > 0);
    const startedAt = performance.now();
    await mesh.close();
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});

describe("a fault under load", () => {
  it("makes its share of the marked calls fail, leaves the others alone, and leaves no timer and no connection behind", {
    timeout: 60_000,
  }, async () => {
    const service = await serve((_request, response) => response.end("ok"));
    let faults = 0;
    const mesh = meshOf(
      { svc: service.port },
      {
        routes: [{ name: "half", fault: { delay: { ms: 20, percent: 30 }, abort: { status: 503, percent: 50 } } }],
        observers: [{ onEvent: (event) => void (event.type === "fault" && event.fault === "abort" && faults++) }],
      },
    );
    const statuses = await Promise.all(
      Array.from({ length: 1_000 }, async (_, index) => {
        const response = await mesh.fetch("svc/", { headers: index % 2 === 0 ? { "x-mesh-fault": "1" } : {} });
        await response.text();
        return [index % 2, response.status] as const;
      }),
    );
    const of = (marked: number, status: number) => statuses.filter(([kind, got]) => kind === marked && got === status).length;
    expect([of(1, 200), of(0, 503)]).toEqual([500, faults]);
    // 500 draws of one half: five standard deviations are 56.
    expect(Math.abs(faults - 250)).toBeLessThan(60);
    expect(service.seen.length).toBe(1_000 - faults);
    expect(mesh.explain("svc")?.endpoints[0]).toMatchObject({ inFlight: 0, state: "available" });
  });
});
