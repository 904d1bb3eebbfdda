import assert from "node:assert/strict";
import type { DiscoveryCase } from "./discovery-cases.ts";
import { assertSame } from "./endpoint-assertions.ts";

/** The contract of the hint that endpoints may be out of date, which an adapter need not take. */
export const discoveryHintCases: readonly DiscoveryCase[] = [
  {
    name: "takes a hint to ask again at any time, and goes on yielding the current set",
    async run({ discovery, watch, set, service, a, b, withinMs, stopWithinMs }) {
      const hint = (name: string) => assert.equal(discovery.refresh?.(name), undefined, "refresh() returns nothing, and does not wait");
      hint(service);
      await set([a, b]);
      const reader = watch();
      assertSame(await reader.first(withinMs), [a, b], "the first set");
      for (let times = 0; times < 3; times++) hint(service);
      hint("__proto__");
      await reader.stop(stopWithinMs);
      assert.equal(reader.error, undefined, `watch() threw after a hint: ${String(reader.error)}`);
      for (const each of reader.sets) assertSame(each, [a, b], "a set after a hint");
      hint(service);
      assertSame(await watch().first(withinMs), [a, b], "the first set of the next watch");
    },
  },
];
