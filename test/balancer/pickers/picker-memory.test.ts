import { describe, expect, it } from "vitest";
import type { Picker } from "../../../src/balancer/picker.ts";
import type { Upstream } from "../../../src/core/upstream.ts";
import { localResponse } from "../../../src/extend.ts";
import { adaptive, leastRequest, maglev, peakEwma, prequal, random, ringHash, roundRobin, weighted } from "../../../src/index.ts";
import { testRequest, testUpstream } from "../../../src/testing/index.ts";
import { collectGarbage } from "../../support/collect-garbage.ts";

const pickers: Record<string, () => Picker> = {
  adaptive: () => adaptive(),
  leastRequest: () => leastRequest(),
  maglev: () => maglev({ tableSize: 251, balanceFactor: 125 }),
  peakEwma: () => peakEwma(),
  prequal: () => prequal({ probesPerRequest: 0 }),
  random: () => random(),
  ringHash: () => ringHash({ virtualNodes: 2, balanceFactor: 125 }),
  roundRobin: () => roundRobin(),
  weighted: () => weighted(),
  "weighted by reports": () => weighted({ by: "reported" }),
};

/** Changes one of two lists, picks from both and from a part of one, and learns. Returns references to the objects that must be released. */
function flap(picker: Picker, lists: Upstream[][], round: number): WeakRef<object>[] {
  const which = round % 2;
  const before = lists[which] as Upstream[];
  const gone = before[round % before.length] as Upstream;
  const list = [...before.filter((upstream) => upstream !== gone), testUpstream({ port: 1_000 + round, weight: 1 + (round % 3) })];
  lists[which] = list;
  picker.update?.(list);
  for (const each of [...lists, list.slice(1)]) {
    const request = testRequest({ path: `/${round}`, options: { hashKey: `${round}` } });
    const picked = picker.pick(each, request) as Upstream;
    const learner = picker.onAttempt?.(picked, request);
    learner?.onHead(localResponse(round % 5 === 0 ? 503 : 200, "", { "endpoint-load-metrics": "TEXT named_metrics.rif=1" }));
    learner?.onEnd(undefined);
    picker.explain?.(picked);
  }
  return [new WeakRef(before), new WeakRef(gone)];
}

describe("a picker's memory", () => {
  for (const [name, create] of Object.entries(pickers)) {
    it(`of ${name} releases lists and instances that are gone`, async () => {
      const picker = create();
      const lists = [0, 1].map((which) => Array.from({ length: 20 }, (_, index) => testUpstream({ port: 1 + which * 20 + index })));
      for (const list of lists) picker.update?.(list);
      const references: WeakRef<object>[] = [];
      for (let round = 0; round < 500; round++) references.push(...flap(picker, lists, round));
      // A WeakRef keeps its object until the end of the turn.
      await new Promise(setImmediate);
      collectGarbage();
      const kept = references.filter((reference) => reference.deref() !== undefined).length;
      // Of 1,000. A picker may hold the list of its last pick, and V8 objects that optimized code refers to.
      expect(kept).toBeLessThan(100);
      // The picker is still in use.
      expect(picker.pick(lists[0] as Upstream[], testRequest())).toBeDefined();
    });
  }
});
