import { describe, expect, test } from "vitest";
import type { CallPriority } from "../../../../src/core/dispatch.ts";
import type { InboundRequest } from "../../../../src/server/inbound/inbound-request.ts";
import { Shedding } from "../../../../src/server/inbound/limits/shedding.ts";
import type { ProcessLoad } from "../../../../src/server/inbound/load/process-load.ts";
import { ask, guarded } from "../served.ts";

/** A shedding whose load the test sets. */
function shedding(options: { maxLagMs?: number; maxCpu?: number } = {}) {
  const load = { lagMs: 0, cpu: 0 };
  let tick = (_goesOn: boolean): void => {};
  const process = {
    ...load,
    touch() {},
    onTick(listener: typeof tick) {
      tick = listener;
    },
  };
  const part = new Shedding({ maxLagMs: 100, maxCpu: undefined, ...options }, process as unknown as ProcessLoad);
  const shedOf = (priority: CallPriority, count = 1_000): number => {
    let shed = 0;
    for (let index = 0; index < count; index++) {
      const record = { priority, refuse: () => true } as unknown as InboundRequest;
      if (part.arrive(record)) shed++;
    }
    return shed / count;
  };
  return { part, process, shedOf, ticks: (count: number) => [...new Array(count)].forEach(() => void tick(true)), end: () => tick(false) };
}

describe("shedding", () => {
  test("does nothing while the event loop keeps up", () => {
    const { shedOf, ticks } = shedding();
    ticks(100);
    expect(shedOf("low")).toBe(0);
  });

  test("begins with low priority, goes on with normal, ends with high, and lets some through always", () => {
    const { part, process, shedOf, ticks } = shedding();
    process.lagMs = 500;
    ticks(3);
    expect(part.share).toBeCloseTo(0.3);
    expect([shedOf("low"), shedOf("high")]).toEqual([1, 0]);
    expect(shedOf("normal")).toBeCloseTo(0.3, 2);
    ticks(100);
    expect(shedOf("normal")).toBeCloseTo(0.95, 2);
    expect(shedOf("high")).toBeCloseTo(0.9, 2);
    process.lagMs = 0;
    ticks(10);
    expect(part.share).toBeCloseTo(0.75);
    ticks(100);
    expect(shedOf("low")).toBe(0);
  });

  test("goes by the CPU where it is asked to", () => {
    const { process, shedOf, ticks } = shedding({ maxCpu: 0.9 });
    process.cpu = 0.95;
    ticks(2);
    expect(shedOf("normal")).toBeCloseTo(0.2, 2);
  });

  test("has forgotten an overload when requests come again after a pause", () => {
    const { process, shedOf, ticks, end } = shedding();
    process.lagMs = 500;
    ticks(5);
    end();
    expect(shedOf("low")).toBe(0);
  });

  test("refuses with the marker of a refusal while a handler blocks the event loop", async () => {
    const { port } = await guarded({ shedding: { maxLagMs: 20 }, priority: () => "low" }, (_request, response) => {
      const until = performance.now() + 150;
      while (performance.now() < until);
      response.end("ok");
    });
    let refused: Awaited<ReturnType<typeof ask>> | undefined;
    for (let round = 0; refused === undefined && round < 50; round++) {
      const answers = await Promise.all([ask(port), ask(port), ask(port)]);
      refused = answers.find(({ status }) => status === 503);
    }
    expect(refused).toMatchObject({ headers: { "x-mesh-refused": "1" }, text: "this instance is overloaded\n" });
  });
});
