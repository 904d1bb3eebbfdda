import assert from "node:assert/strict";
import type { ContractEndpoint } from "./contract.ts";
import type { DiscoveryFeature, DiscoveryHarness } from "./discovery-harness.ts";
import { assertAlwaysHeld, assertSame, assertValid, describe, idsByAddress, untilSame, weightOf } from "./endpoint-assertions.ts";
import { eventually, sameAddresses, within } from "./eventually.ts";
import type { WatchReader } from "./watch-reader.ts";

/** One case, and the features that it needs. */
export type DiscoveryCase = {
  readonly name: string;
  readonly needs?: readonly DiscoveryFeature[];
  run(bench: DiscoveryBench): Promise<void>;
};

/** The fixture of a case: the harness, three instances, and watches that are stopped after the case. */
export interface DiscoveryBench extends Omit<DiscoveryHarness, "instances"> {
  readonly a: ContractEndpoint;
  readonly b: ContractEndpoint;
  readonly c: ContractEndpoint;
  /** See {@link DiscoveryHarness.withinMs}. */
  readonly withinMs: number;
  /** See {@link DiscoveryHarness.stopWithinMs}. */
  readonly stopWithinMs: number;
  /** Starts reading a watch; the bench stops it after the case. */
  watch(service?: string): WatchReader;
}

const namesOfObjectPrototype = ["__proto__", "constructor", "toString"] as const;

/** The contract of every discovery adapter, one case for each property. */
export const discoveryCases: readonly DiscoveryCase[] = [
  {
    name: "yields the current set first, and all of it",
    async run({ watch, set, a, b, withinMs }) {
      await set([a, b]);
      assertSame(await watch().first(withinMs), [a, b], "the first set");
    },
  },
  {
    name: "yields a set that does not change again, which confirms it",
    needs: ["confirmations"],
    async run({ watch, set, a, b, withinMs }) {
      await set([a, b]);
      const reader = watch();
      await eventually(
        () => reader.failed || reader.sets.length >= 3,
        withinMs,
        () =>
          `a set that did not change was yielded ${reader.sets.length} of 3 times: ` +
          'yield after every answer, or, where the source only announces changes, leave the case out with { lacks: ["confirmations"] }',
      );
      assert.equal(reader.error, undefined, `watch() threw: ${String(reader.error)}`);
      for (const confirmed of reader.sets) assertSame(confirmed, [a, b], "a set that confirms the first");
    },
  },
  {
    name: "yields an empty set for an unknown service",
    async run({ watch, unknownService = "contract-unknown", withinMs }) {
      assertSame(await watch(unknownService).first(withinMs), [], "the set of an unknown service");
    },
  },
  {
    name: "treats a service named like a property of every object as unknown",
    async run({ watch, withinMs }) {
      for (const name of namesOfObjectPrototype) {
        assertSame(await watch(name).first(withinMs), [], `the set of a service named ${name}`);
      }
    },
  },
  {
    name: "sees a service that appears while it is watched",
    needs: ["changes"],
    async run({ watch, set, a, withinMs }) {
      const reader = watch();
      assertSame(await reader.first(withinMs), [], "the first set");
      await set([a]);
      await untilSame(reader, [a], withinMs);
    },
  },
  {
    name: "sees a new instance, in sets that still hold the others",
    needs: ["changes"],
    async run({ watch, set, a, b, c, withinMs }) {
      await set([a, b]);
      const reader = watch();
      await reader.first(withinMs);
      await set([a, b, c]);
      await untilSame(reader, [a, b, c], withinMs);
      assertAlwaysHeld(reader, [a, b]);
    },
  },
  {
    name: "sees an instance leave, in sets that still hold the others",
    needs: ["changes"],
    async run({ watch, set, a, b, c, withinMs }) {
      await set([a, b, c]);
      const reader = watch();
      await reader.first(withinMs);
      await set([a, c]);
      await untilSame(reader, [a, c], withinMs);
      assertAlwaysHeld(reader, [a, c]);
    },
  },
  {
    name: "sees the last instance leave as an empty set",
    needs: ["changes"],
    async run({ watch, set, a, withinMs }) {
      await set([a]);
      const reader = watch();
      await reader.first(withinMs);
      await set([]);
      await untilSame(reader, [], withinMs);
    },
  },
  {
    name: "sees an instance move to another port",
    needs: ["changes", "ports"],
    async run({ watch, set, a, b, withinMs }) {
      const moved = { ...a, port: a.port === 65_535 ? a.port - 1 : a.port + 1_000 };
      await set([a, b]);
      const reader = watch();
      await reader.first(withinMs);
      await set([moved, b]);
      await untilSame(reader, [moved, b], withinMs);
    },
  },
  {
    name: "reports weights",
    needs: ["weights"],
    async run({ watch, set, a, b, withinMs }) {
      await set([{ ...a, weight: 3 }, b]);
      assert.equal(weightOf(await watch().first(withinMs), a), 3, "the weight of an instance");
    },
  },
  {
    name: "sees a weight change",
    needs: ["changes", "weights"],
    async run({ watch, set, a, b, withinMs }) {
      await set([{ ...a, weight: 3 }, b]);
      const reader = watch();
      await reader.first(withinMs);
      await set([{ ...a, weight: 5 }, b]);
      await reader.until("a weight of 5", (endpoints) => weightOf(endpoints, a) === 5, withinMs);
    },
  },
  {
    name: "gives every instance an id that is unique and survives updates",
    needs: ["changes"],
    async run({ watch, set, a, b, c, withinMs }) {
      await set([a, b]);
      const reader = watch();
      const before = idsByAddress(await reader.first(withinMs));
      await set([c, b, a]);
      const after = idsByAddress(await untilSame(reader, [a, b, c], withinMs));
      for (const [address, id] of before) assert.equal(after.get(address), id, `the id of ${address} after an update`);
      for (const endpoints of reader.sets) {
        assert.equal(new Set(endpoints.map(({ id }) => id)).size, endpoints.length, "two instances have one id");
      }
    },
  },
  {
    name: "gives every instance an id of its own, the same in every watch",
    async run({ watch, set, a, b, withinMs }) {
      await set([a, b]);
      const one = idsByAddress(await watch().first(withinMs));
      const other = idsByAddress(await watch().first(withinMs));
      assert.deepEqual([...one].sort(), [...other].sort(), "the ids two watches gave");
      assert.equal(new Set(one.values()).size, 2, "two instances have one id");
    },
  },
  {
    name: "yields endpoints with a host, a port and a weight that are valid",
    async run({ watch, set, a, b, withinMs }) {
      await set([a, b]);
      for (const endpoint of await watch().first(withinMs)) assertValid(endpoint);
    },
  },
  {
    name: "serves two watches of one service independently",
    needs: ["changes"],
    async run({ watch, set, a, b, withinMs, stopWithinMs }) {
      await set([a]);
      const one = watch();
      const other = watch();
      await one.first(withinMs);
      await other.first(withinMs);
      await one.stop(stopWithinMs);
      const seen = one.sets.length;
      await set([a, b]);
      await untilSame(other, [a, b], withinMs);
      assert.equal(one.sets.length, seen, "a watch that was stopped still yields");
    },
  },
  {
    name: "does not mix in the instances of another service",
    needs: ["two services"],
    async run({ watch, set, otherService, a, b, withinMs }) {
      assert.ok(otherService, missing("otherService", "two services"));
      await set([a]);
      await set([b], otherService);
      assertSame(await watch().first(withinMs), [a], "the set of the first service");
      assertSame(await watch(otherService).first(withinMs), [b], "the set of the second service");
    },
  },
  {
    name: "ends promptly when its signal aborts while it waits",
    async run({ discovery, service, set, a, withinMs, stopWithinMs }) {
      await set([a]);
      const controller = new AbortController();
      const iterator = discovery.watch(service, controller.signal)[Symbol.asyncIterator]();
      await within(iterator.next(), withinMs, "the first set");
      // The adapter may reject with the reason or return: either ends the watch.
      const pending = Promise.allSettled([iterator.next()]);
      controller.abort(new Error("the contract suite ended this watch"));
      await within(pending, stopWithinMs, "the end of watch() after its signal had aborted");
    },
  },
  {
    name: "ends promptly when its signal had aborted before",
    async run({ discovery, service, set, a, stopWithinMs }) {
      await set([a]);
      const iterator = discovery.watch(service, AbortSignal.abort(new Error("aborted before")))[Symbol.asyncIterator]();
      // One set from memory does no harm; continuing does.
      const [, second] = await within(
        Promise.allSettled([iterator.next(), iterator.next()]),
        stopWithinMs,
        "the end of watch() with an aborted signal",
      );
      assert.ok(second?.status === "rejected" || second?.value.done, "watch() goes on although its signal has aborted");
    },
  },
  {
    name: "ends when its reader stops reading",
    async run({ discovery, service, set, a, withinMs, stopWithinMs }) {
      await set([a]);
      const iterator = discovery.watch(service, new AbortController().signal)[Symbol.asyncIterator]();
      await within(iterator.next(), withinMs, "the first set");
      assert.ok(iterator.return, "watch() must give an iterator with return(): an async generator has it");
      await within(iterator.return(), stopWithinMs, "return()");
      const next = await within(iterator.next(), stopWithinMs, "next() after return()");
      assert.equal(next.done, true, "watch() goes on after return()");
    },
  },
  {
    name: "throws when the source is broken, instead of yielding an empty set, and works when asked again after it healed",
    needs: ["breaking"],
    async run({ watch, set, a, b, breakSource, healSource, withinMs }) {
      assert.ok(breakSource && healSource, missing("breakSource and healSource", "breaking"));
      await set([a, b]);
      await breakSource();
      const broken = watch();
      await broken.untilFailed(withinMs);
      assert.deepEqual(broken.sets, [], "a broken source is no set of endpoints");
      await healSource();
      assertSame(await watch().first(withinMs), [a, b], "the first set after the source healed");
    },
  },
  {
    name: "yields no empty set to a watch during which the source breaks",
    needs: ["changes", "breaking"],
    async run({ watch, set, a, b, c, breakSource, healSource, withinMs }) {
      assert.ok(breakSource && healSource, missing("breakSource and healSource", "breaking"));
      await set([a, b]);
      const reader = watch();
      await reader.first(withinMs);
      await breakSource();
      const whileBroken = watch();
      await whileBroken.untilFailed(withinMs);
      await healSource();
      await set([a, b, c]);
      // It may have thrown or waited; in either case it must not yield an empty set.
      await eventually(
        () => reader.failed || sameAddresses(reader.last ?? [], [a, b, c]),
        withinMs,
        () => `a watch neither threw nor yielded [${describe([a, b, c])}] after its source had failed and healed`,
      );
      assertAlwaysHeld(reader, [a, b]);
    },
  },
  {
    name: "lists the service in its catalogue",
    needs: ["services"],
    async run({ discovery, service, unknownService = "contract-unknown", set, a, withinMs }) {
      await set([a]);
      const { signal } = new AbortController();
      assert.ok(discovery.services, missing("discovery.services", "services"));
      const names = await within(discovery.services(signal), withinMs, "services()");
      assert.ok(names.includes(service), `services() lists ${service}; it gave [${names.join(", ")}]`);
      assert.ok(!names.includes(unknownService), `services() lists ${unknownService}, which the source has never heard of`);
      assert.equal(new Set(names).size, names.length, `services() names a service twice: [${names.join(", ")}]`);
    },
  },
];

function missing(what: string, feature: DiscoveryFeature): string {
  return `the harness has no ${what}: add it, or leave the case out with { lacks: ["${feature}"] }`;
}
