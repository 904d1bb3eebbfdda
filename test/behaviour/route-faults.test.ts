import { describe, expect, it } from "vitest";
import type { FaultEvent } from "../../src/core/observing/routes/route-events.ts";
import type { RouteFault } from "../../src/routing/route.ts";
import { doors } from "../support/doors.ts";
import { meshOf } from "../support/mesh.ts";
import { serve } from "../support/servers.ts";

async function faulty(fault: RouteFault) {
  const service = await serve((_request, response) => response.end("from svc"));
  const told: string[] = [];
  const attempts: number[] = [];
  const tell = ({ service: name, rule, fault: kind, status }: FaultEvent) => told.push(`${name} by ${rule}: ${kind} ${status}`);
  const mesh = meshOf(
    { svc: service.port },
    {
      routes: [{ name: "tests", fault }],
      retry: { maxAttempts: 5 },
      observers: [
        {
          onEvent: (event) => void (event.type === "fault" && tell(event)),
          onCall: () => ({ onEnd: (end) => void attempts.push(end.attempts) }),
        },
      ],
    },
  );
  return { mesh, service, told, attempts };
}

const headers = { "x-mesh-fault": "1" };

describe("a fault on purpose", () => {
  it.each(["fetch", "request", "dispatcher"] as const)("answers a marked call by %s, once, and leaves others alone", async (door) => {
    const { mesh, service, told, attempts } = await faulty({ abort: { status: 503 } });
    expect(await doors[door](mesh, { headers })).toMatchObject({ status: 503, headers: { "x-mesh-fault": "abort" }, text: "" });
    expect(await doors[door](mesh)).toMatchObject({ status: 200, text: "from svc" });
    expect([told, attempts, service.seen.length]).toEqual([["svc by tests: abort 503"], [0, 1], 1]);
  });

  it.each(["fetch", "request", "dispatcher"] as const)("breaks a marked call by %s before anything is sent", async (door) => {
    const { mesh, service, attempts } = await faulty({ abort: { error: "reset" } });
    await expect(doors[door](mesh, { headers })).rejects.toMatchObject({ code: "ERR_MESH_CONNECT", maybeExecuted: false });
    expect([attempts, service.accepted]).toEqual([[0], 0]);
  });

  it("is blamed on no instance", async () => {
    const { mesh } = await faulty({ abort: { status: 503 } });
    await (await mesh.fetch("svc/")).text();
    for (let call = 0; call < 100; call++) await (await mesh.fetch("svc/", { headers })).text();
    expect(mesh.explain("svc")).toMatchObject({ endpoints: [{ state: "available", attempts: 1 }] });
  });

  it("makes a call late, and says so in its answer", async () => {
    const { mesh, told } = await faulty({ delay: { ms: 30 } });
    const startedAt = performance.now();
    expect((await doors.fetch(mesh, { headers })).headers).toMatchObject({ "x-mesh-fault": "delay=30" });
    expect(performance.now() - startedAt).toBeGreaterThan(29);
    expect(told).toEqual(["svc by tests: delay undefined"]);
  });
});
