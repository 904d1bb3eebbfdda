import { getEventListeners } from "node:events";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EndpointsUpdate } from "../../src/core/observing/events.ts";
import type { Discovery, EmptyPolicy } from "../../src/discovery/discovery.ts";
import { Watcher, type WatcherOptions } from "../../src/discovery/watcher.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { ScriptedDiscovery } from "./scripted-discovery.ts";

interface Setup {
  readonly discovery?: Discovery;
  readonly random?: () => number;
  readonly emptyPolicy?: EmptyPolicy;
  readonly onUpdate?: (update: EndpointsUpdate) => void;
  readonly lastGood?: WatcherOptions["lastGood"];
}

/** A started watcher with its updates and errors. `await settle()` runs everything that waits for no timer. */
async function started<D extends Discovery = ScriptedDiscovery>({
  discovery = new ScriptedDiscovery(),
  random = () => 0.5,
  emptyPolicy,
  onUpdate,
  lastGood,
}: Setup & { readonly discovery?: D | ScriptedDiscovery } = {}) {
  const clock = virtualClock();
  const updates: EndpointsUpdate[] = [];
  const errors: unknown[] = [];
  const watcher = new Watcher({
    discovery,
    service: "orders",
    clock,
    random,
    emptyPolicy,
    lastGood,
    onUpdate: (update) => {
      updates.push(update);
      onUpdate?.(update);
    },
    onError: (error) => errors.push(error),
  });
  watcher.start();
  await clock.advance(0);
  return {
    watcher,
    discovery,
    clock,
    updates,
    errors,
    settle: () => clock.advance(0),
    ids: () => updates.map(({ endpoints }) => endpoints.map(({ id }) => id).join()),
  };
}

const endpoint = (id: string) => ({ id, host: "10.0.0.1", port: 80 });
const a = endpoint("a");
const b = endpoint("b");

describe("Watcher", () => {
  it("calls listeners of the first answer once, and not those that were removed", async () => {
    const discovery = new ScriptedDiscovery();
    const { watcher, settle } = await started({ discovery });
    const woken: string[] = [];
    watcher.onFirstAnswer(() => woken.push("one"));
    const forget = watcher.onFirstAnswer(() => woken.push("left"));
    watcher.onFirstAnswer(() => woken.push("two"));
    forget();
    expect(watcher.answered).toBe(false);
    discovery.current.answer([a]);
    await settle();
    discovery.current.answer([b]);
    await settle();
    expect(woken).toEqual(["one", "two"]);
    expect(watcher.answered).toBe(true);
    await watcher.stop();
  });

  it("takes an empty first answer for an answer", async () => {
    const discovery = new ScriptedDiscovery();
    const { watcher, ids, settle } = await started({ discovery });
    discovery.current.answer([]);
    await settle();
    expect([watcher.answered, ids()]).toEqual([true, [""]]);
    await watcher.stop();
  });

  it("uses an answer that is certain at once, and holds any other cliff", async () => {
    const discovery = new ScriptedDiscovery();
    const { watcher, updates, ids, settle } = await started({ discovery });
    const all = [..."abcdef"].map(endpoint);
    discovery.current.answer(all);
    await settle();
    discovery.current.answer([a]);
    await settle();
    expect([ids().at(-1), updates.at(-1)?.quarantined, watcher.unconfirmed.map(({ id }) => id).join("")]).toEqual([
      "a,b,c,d,e,f",
      true,
      "bcdef",
    ]);
    const held = updates.at(-1)?.endpoints;
    discovery.current.answer([a]);
    await settle();
    // The same array: listeners need not compare it again.
    expect(updates.at(-1)?.endpoints).toBe(held);
    discovery.current.answer({ endpoints: [b], certain: true });
    await settle();
    expect([ids().at(-1), updates.at(-1)?.quarantined, watcher.unconfirmed]).toEqual(["b", false, []]);
    discovery.current.answer({ endpoints: [], certain: true });
    await settle();
    expect([ids().at(-1), updates.at(-1)?.quarantined]).toEqual(["", false]);
    await watcher.stop();
  });

  describe("with what an earlier process remembered", () => {
    const lastGood = { load: async () => ({ endpoints: [a, { id: "bad" }], ageMs: 9_000 }), save: () => {} };

    it("uses it when discovery fails before its first answer, checked like an answer", async () => {
      const discovery = new ScriptedDiscovery();
      const { watcher, ids, updates, settle } = await started({ discovery, lastGood });
      expect(ids()).toEqual([]);
      discovery.current.fail(new Error("down"));
      await settle();
      expect([ids(), watcher.answered, watcher.ageMs]).toEqual([["a"], true, 9_000]);
      expect(updates[0]).toMatchObject({ quarantined: true, rejected: [{ entry: { id: "bad" } }] });
      await watcher.stop();
    });

    it("uses it when discovery has been silent for half a second, and the registry's own word from then on", async () => {
      const discovery = new ScriptedDiscovery();
      const { watcher, clock, ids } = await started({ discovery, lastGood });
      await clock.advance(499);
      expect(ids()).toEqual([]);
      await clock.advance(1);
      expect(ids()).toEqual(["a"]);
      discovery.current.answer([b]);
      await clock.advance(0);
      expect([ids(), watcher.ageMs]).toEqual([["a", "b"], 0]);
      await watcher.stop();
      expect(clock.pending).toEqual([]);
    });

    it("does not use it when discovery answers in time, and holds an empty first answer after it was used", async () => {
      const prompt = await started({ lastGood, discovery: new ScriptedDiscovery() });
      (prompt.discovery as ScriptedDiscovery).current.answer([b]);
      await prompt.clock.advance(10_000);
      expect(prompt.ids()).toEqual(["b"]);
      await prompt.watcher.stop();
      const late = await started({ lastGood, discovery: new ScriptedDiscovery() });
      await late.clock.advance(500);
      (late.discovery as ScriptedDiscovery).current.answer([]);
      await late.clock.advance(0);
      expect(late.ids()).toEqual(["a", "a"]);
      await late.watcher.stop();
    });

    it("saves what is used, and not what is held", async () => {
      const saved: string[] = [];
      const { watcher, discovery, settle } = await started({
        discovery: new ScriptedDiscovery(),
        lastGood: { ...lastGood, save: (service, endpoints) => saved.push(`${service}: ${endpoints.map(({ id }) => id)}`) },
      });
      for (const answer of [[a, b], []]) {
        (discovery as ScriptedDiscovery).current.answer(answer);
        await settle();
      }
      expect(saved).toEqual(["orders: a,b"]);
      await watcher.stop();
    });

    it("tells of a file that cannot be used, and waits on", async () => {
      const damaged = new Error("damaged");
      const { watcher, discovery, errors, ids, clock } = await started({
        discovery: new ScriptedDiscovery(),
        lastGood: { ...lastGood, load: () => Promise.reject(damaged) },
      });
      await clock.advance(600);
      expect([errors, ids(), watcher.answered]).toEqual([[damaged], [], false]);
      (discovery as ScriptedDiscovery).current.answer([b]);
      await clock.advance(0);
      expect(ids()).toEqual(["b"]);
      await watcher.stop();
    });
  });

  it("watches once, however often it is started", async () => {
    const discovery = new ScriptedDiscovery();
    const { watcher, settle } = await started({ discovery });
    watcher.start();
    await settle();
    expect(discovery.watches).toHaveLength(1);
    await watcher.stop();
  });

  it("starts a failed watch again after a random part of 100 ms, doubled with every failure up to 5 s, and 350 ms after the last start", async () => {
    const discovery = new ScriptedDiscovery();
    const seed = seededRandom(7);
    const { watcher, clock, errors } = await started({ discovery, random: seed });
    const drawn = seededRandom(7);
    for (let failure = 0; failure < 15; failure++) {
      drawn(); // the pause of a poll, drawn before the watch
      discovery.current.fail(new Error(`failure ${failure}`));
      await clock.advance(0);
      const expected = Math.max(drawn() * Math.min(5_000, 100 * 2 ** failure), failure === 0 ? 0 : 350);
      expect(clock.pending).toEqual([{ inMs: expect.closeTo(expected, 3), keepsProcess: false }]);
      await clock.advance((clock.pending[0]?.inMs as number) + 1e-9);
      expect(discovery.watches).toHaveLength(failure + 2);
    }
    expect(errors).toHaveLength(15);
    await watcher.stop();
  });

  it("begins with 100 ms again when a watch has worked for ten seconds after an answer", async () => {
    const discovery = new ScriptedDiscovery();
    const { watcher, clock } = await started({ discovery, random: () => 0.999 });
    const failOnce = async () => {
      discovery.current.fail(new Error("down"));
      await clock.advance(0);
      return clock.pending[0]?.inMs;
    };
    for (let failure = 0; failure < 5; failure++) {
      discovery.current.fail(new Error("down"));
      await clock.advance(30_000);
    }
    discovery.current.answer([a]);
    expect(await failOnce(), "one good answer is no sign of health").toBeCloseTo(799.2);
    await clock.advance(30_000);
    discovery.current.answer([a]);
    await clock.advance(10_000);
    expect(await failOnce()).toBeCloseTo(99.9);
    await watcher.stop();
  });

  it.each<[string, readonly ("good" | "bad" | "wrong")[]]>([
    ["good and bad answers alternate", ["good", "bad"]],
    ["two bad ones follow each good one", ["good", "bad", "bad"]],
    ["a good one and something that is no answer alternate", ["good", "wrong"]],
    ["every answer is bad", ["bad"]],
  ])("asks at most four times a second: %s", async (_name, cycle) => {
    let asked = 0;
    const alternating: Discovery = {
      async *watch() {
        for (;;) {
          const next = cycle[asked++ % cycle.length];
          if (next === "bad") throw new Error("down");
          yield (next === "good" ? [a] : "text") as never;
        }
      },
    };
    const { watcher, clock } = await started({ discovery: alternating, random: seededRandom(3) });
    await clock.advance(10_000);
    asked = 0;
    await clock.advance(20_000);
    expect(asked).toBeGreaterThan(2);
    expect(asked).toBeLessThanOrEqual(80);
    await watcher.stop();
  });

  describe("that is told to ask again", () => {
    it("hints to an adapter that can, at once, then in five seconds, then more rarely, and begins again after a change", async () => {
      const at: number[] = [];
      const discovery = Object.assign(new ScriptedDiscovery(), {
        refresh: (service: string) => at.push(clock.now() - Number(service !== "orders")),
      });
      const { watcher, clock } = await started({ discovery, random: () => 0.5 });
      discovery.current.answer([a]);
      await clock.advance(0);
      const hintFor = async (ms: number) => {
        for (let passed = 0; passed < ms; passed += 100) {
          watcher.refresh();
          await clock.advance(100);
        }
      };
      await hintFor(80_000);
      const gaps = at.map((time, index) => Math.round((time - (at[index - 1] ?? 0)) / 100) / 10);
      expect(gaps).toEqual([0.1, 4.4, 8.8, 17.6, 26.3]);
      discovery.current.answer([b]);
      await hintFor(40_000);
      expect(at.length).toBeGreaterThan(7);
      await watcher.stop();
      await hintFor(40_000);
      expect(clock.pending).toEqual([]);
    });

    it("ends the pause of an adapter that returns, and not that of one that fails", async () => {
      const discovery = new ScriptedDiscovery();
      const { watcher, clock } = await started({ discovery, random: () => 0.5 });
      discovery.current.answer([a]);
      discovery.current.end();
      await clock.advance(0);
      watcher.refresh();
      await clock.advance(100);
      expect(discovery.watches).toHaveLength(2);
      for (let failure = 0; failure < 10; failure++) {
        discovery.current.fail(new Error("down"));
        await clock.advance(5_000);
      }
      const before = discovery.watches.length;
      discovery.current.fail(new Error("down"));
      watcher.refresh();
      await clock.advance(200);
      expect(discovery.watches).toHaveLength(before);
      await watcher.stop();
      expect(clock.pending).toEqual([]);
    });

    it("reports a hint that throws, and goes on", async () => {
      const discovery = Object.assign(new ScriptedDiscovery(), {
        refresh() {
          throw new Error("mine");
        },
      });
      const { watcher, clock, errors, ids } = await started({ discovery });
      watcher.refresh();
      await clock.advance(100);
      expect(errors).toEqual([new Error('refresh("orders") threw: mine')]);
      discovery.current.answer([a]);
      await clock.advance(0);
      expect(ids()).toEqual(["a"]);
      await watcher.stop();
    });
  });

  it("says which entries are not used, by their reasons, and hands on what the adapter left out", async () => {
    const discovery = new ScriptedDiscovery();
    const { watcher, settle, updates } = await started({ discovery });
    const leftOut = [
      { id: "x", reason: "in maintenance", withdrawn: true },
      { id: "y", reason: "in maintenance", withdrawn: true },
      { id: 7, reason: "no port" },
    ];
    discovery.current.answer({ endpoints: [a, { ...b, port: 0 }], certain: false, leftOut: [...leftOut, null, { reason: 5 }] });
    await settle();
    expect(watcher.leftOut).toEqual([
      { reason: "in maintenance", count: 2 },
      { reason: "no port", count: 1 },
      { reason: "port is not an integer from 1 to 65535", count: 1 },
    ]);
    expect(updates[0]?.leftOut).toEqual([leftOut[0], leftOut[1], { reason: "no port" }]);
    discovery.current.answer([a]);
    await settle();
    expect([watcher.leftOut, updates[1]?.leftOut]).toEqual([[], undefined]);
    await watcher.stop();
  });

  it("lets go at once of all that the adapter lists as withdrawn", async () => {
    const discovery = new ScriptedDiscovery();
    const { watcher, settle, ids, updates } = await started({ discovery });
    discovery.current.answer([a, b]);
    await settle();
    const leftOut = ["a", "b"].map((id) => ({ id, reason: "in maintenance", withdrawn: true }));
    discovery.current.answer({ endpoints: [], certain: false, leftOut });
    await settle();
    expect([ids(), updates[1]?.quarantined]).toEqual([["a,b", ""], false]);
    await watcher.stop();
  });

  it("keeps the last good set through errors, and says what the error was until the next answer", async () => {
    const discovery = new ScriptedDiscovery();
    const { watcher, clock, ids, errors } = await started({ discovery });
    discovery.current.answer([a, b]);
    await clock.advance(0);
    const down = new Error("down");
    for (let failure = 0; failure < 4; failure++) {
      discovery.current.fail(down);
      await clock.advance(30_000);
    }
    expect([ids(), errors.length, watcher.lastError]).toEqual([["a,b"], 4, down]);
    discovery.current.answer([b]);
    await clock.advance(0);
    expect([ids(), watcher.lastError]).toEqual([["a,b", "b"], undefined]);
    await watcher.stop();
  });

  it("counts the age of the set in use from its last confirmation", async () => {
    const discovery = new ScriptedDiscovery();
    const { watcher, clock } = await started({ discovery });
    await clock.advance(50);
    expect([watcher.ageMs, watcher.watchedMs]).toEqual([undefined, 50]);
    discovery.current.answer([a]);
    await clock.advance(0);
    await clock.advance(1_000);
    discovery.current.fail(new Error("down"));
    await clock.advance(500);
    expect(watcher.ageMs).toBe(1_500);
    discovery.current.answer([a]);
    await clock.advance(0);
    expect(watcher.ageMs).toBe(0);
    await clock.advance(30);
    discovery.current.answer([]);
    await clock.advance(70);
    expect(watcher.ageMs, "an answer in quarantine is not in use").toBe(100);
    await watcher.stop();
  });

  it("asks a watch that returned again after 5 s, varied by a tenth", async () => {
    const discovery = new ScriptedDiscovery();
    for (const [random, pauseMs] of [
      [0, 4_500],
      [0.5, 5_000],
      [0.999_999, 5_500],
    ] as const) {
      const { watcher, clock, errors } = await started({ discovery, random: () => random });
      const before = discovery.watches.length;
      discovery.current.answer([a]);
      discovery.current.end();
      await clock.advance(0);
      expect(clock.pending).toEqual([{ inMs: expect.closeTo(pauseMs, 1), keepsProcess: false }]);
      await clock.advance(pauseMs);
      expect([discovery.watches.length - before, errors]).toEqual([1, []]);
      await watcher.stop();
    }
  });

  it.each<[unknown, string]>([
    [{}, "{ endpoints: undefined, certain: undefined }"],
    [{ a }, "{ endpoints: undefined, certain: undefined }"],
    [{ endpoints: 5 }, "{ endpoints: number, certain: undefined }"],
    [{ endpoints: 5, certain: true }, "{ endpoints: number, certain: boolean }"],
    [{ endpoints: { 0: b, length: 1 }, certain: true }, "{ endpoints: object, certain: boolean }"],
    [{ endpoints: [b] }, "{ endpoints: array, certain: undefined }"],
    [{ endpoints: [], certain: "yes" }, "{ endpoints: array, certain: string }"],
    [{ endpoints: [], certain: true, leftOut: 5 }, "{ endpoints: array, certain: boolean, leftOut: number }"],
    ["text", "a value of type string"],
    [undefined, "a value of type undefined"],
    [null, "null"],
    [new Set([b]), "{ endpoints: undefined, certain: undefined }"],
  ])(
    "takes the malformed answer %o for an error that names adapter and service, keeps the set in use and goes on",
    async (wrong, shape) => {
      const discovery = Object.assign(new ScriptedDiscovery(), { name: "list at http://a" });
      const { watcher, clock, ids, errors, updates } = await started({ discovery });
      discovery.current.answer({ endpoints: [a], certain: true });
      await clock.advance(0);
      discovery.current.answer(wrong);
      await clock.advance(1_000);
      expect(errors).toEqual([
        new TypeError(
          `list at http://a: watch("orders") yielded ${shape}; ` +
            "expected an array of endpoints, or { endpoints, certain } with an array and a boolean",
        ),
      ]);
      expect([ids(), watcher.certain, watcher.lastError, watcher.unconfirmed]).toEqual([["a"], true, errors[0], []]);
      expect(updates).toHaveLength(1);
      expect(discovery.watches[0]?.isReleased).toBe(true);
      discovery.current.answer([b]);
      await clock.advance(0);
      expect(ids()).toEqual(["a", "b"]);
      await watcher.stop();
    },
  );

  it("says whether the answer in use is certain, and confirms by the array whatever object holds it", async () => {
    const discovery = new ScriptedDiscovery();
    const { watcher, updates, settle } = await started({ discovery });
    expect(watcher.certain).toBe(false);
    const endpoints = [a, b];
    const seen: boolean[] = [];
    for (const answer of [endpoints, { endpoints, certain: true }, { endpoints, certain: false }, endpoints]) {
      discovery.current.answer(answer);
      await settle();
      seen.push(watcher.certain);
    }
    expect(seen).toEqual([false, true, false, false]);
    expect(new Set(updates.map((update) => update.endpoints)).size).toBe(1);
    expect(updates[0]?.endpoints).toEqual(endpoints);
    await watcher.stop();
  });

  it("does not read an array again that confirms the set", async () => {
    const discovery = new ScriptedDiscovery();
    const { watcher, updates, settle } = await started({ discovery });
    let reads = 0;
    const counted = new Proxy(a, {
      get(target, field) {
        reads++;
        return Reflect.get(target, field);
      },
    });
    const endpoints = [counted];
    discovery.current.answer(endpoints);
    await settle();
    const once = reads;
    expect(once).toBeGreaterThan(0);
    for (const certain of [true, false]) discovery.current.answer({ endpoints, certain });
    discovery.current.answer(endpoints);
    await settle();
    expect([updates.length, reads]).toEqual([4, once]);
    await watcher.stop();
  });

  it("takes a watch that throws at once, or is none, for an error", async () => {
    for (const watch of [
      () => {
        throw new Error("at once");
      },
      () => undefined as never,
    ]) {
      const { watcher, errors } = await started({ discovery: { watch } });
      expect(errors).toHaveLength(1);
      await watcher.stop();
    }
  });

  it("drops single bad entries and reports them", async () => {
    const discovery = new ScriptedDiscovery();
    const { watcher, updates, settle } = await started({ discovery });
    const bad = { ...b, port: 0 };
    discovery.current.answer([a, bad, null]);
    await settle();
    expect(updates).toEqual([
      {
        service: "orders",
        endpoints: [a],
        rejected: [
          { entry: bad, reason: expect.stringContaining("port") },
          { entry: null, reason: "not an object" },
        ],
        quarantined: false,
      },
    ]);
    await watcher.stop();
  });

  it("calls listeners of the first answer although the update could not be used", async () => {
    const discovery = new ScriptedDiscovery();
    const { watcher, settle, errors } = await started({
      discovery,
      onUpdate: () => {
        throw new Error("picker");
      },
    });
    let isWoken = false;
    watcher.onFirstAnswer(() => {
      isWoken = true;
    });
    discovery.current.answer([a]);
    await settle();
    expect([isWoken, errors]).toEqual([true, [new Error("picker")]]);
    await watcher.stop();
  });
});

describe("an empty answer after a filled one", () => {
  it("is in use only when it has been given for thirty seconds; the silent adapter is asked anew for it", async () => {
    const discovery = new ScriptedDiscovery();
    const { watcher, clock, updates, ids } = await started({ discovery });
    discovery.current.answer([a]);
    await clock.advance(0);
    for (let round = 0; round < 3; round++) {
      discovery.current.answer([]);
      await clock.advance(10_000);
      expect(discovery.watches, "asked anew by itself").toHaveLength(round + 2);
      expect(ids().at(-1)).toBe("a");
      expect(updates.at(-1)?.quarantined).toBe(true);
    }
    discovery.current.answer([]);
    await clock.advance(0);
    expect(ids()).toEqual(["a", "a", "a", "a", ""]);
    expect(updates.at(-1)?.quarantined).toBe(false);
    await clock.advance(60_000);
    expect(discovery.watches, "not asked any more once it is believed").toHaveLength(4);
    expect(discovery.watches.slice(0, 3).every(({ isReleased }) => isReleased)).toBe(true);
    await watcher.stop();
  });

  it("is forgotten when a filled one follows", async () => {
    const discovery = new ScriptedDiscovery();
    const { watcher, clock, ids } = await started({ discovery });
    discovery.current.answer([a]);
    discovery.current.answer([]);
    await clock.advance(10_000);
    discovery.current.answer([b]);
    await clock.advance(60_000);
    expect(discovery.watches).toHaveLength(2);
    discovery.current.answer([]);
    await clock.advance(0);
    expect(ids()).toEqual(["a", "a", "b", "b"]);
    await watcher.stop();
  });

  it("is believed at once under trust, the adapter's or the caller's", async () => {
    const trusting = Object.assign(new ScriptedDiscovery(), { emptyPolicy: "trust" as const });
    const plain = new ScriptedDiscovery();
    for (const [discovery, emptyPolicy] of [
      [trusting, undefined],
      [plain, "trust"],
    ] as const) {
      const { watcher, settle, ids } = await started({ discovery, ...(emptyPolicy === undefined ? {} : { emptyPolicy }) });
      discovery.current.answer([a]);
      discovery.current.answer([]);
      await settle();
      expect(ids()).toEqual(["a", ""]);
      await watcher.stop();
    }
  });

  it("is not believed where the caller overrules the adapter's trust", async () => {
    const discovery = Object.assign(new ScriptedDiscovery(), { emptyPolicy: "trust" as const });
    const { watcher, settle, ids } = await started({ discovery, emptyPolicy: "quarantine" });
    discovery.current.answer([a]);
    discovery.current.answer([]);
    await settle();
    expect(ids()).toEqual(["a", "a"]);
    await watcher.stop();
  });

  it("is an answer whose entries are all bad, too", async () => {
    const discovery = new ScriptedDiscovery();
    const { watcher, settle, ids, updates } = await started({ discovery });
    discovery.current.answer([a]);
    discovery.current.answer([{ ...a, host: "0.0.0.0" }]);
    await settle();
    expect(ids()).toEqual(["a", "a"]);
    expect(updates[1]).toMatchObject({ quarantined: true, rejected: [{}] });
    await watcher.stop();
  });

  it("is asked for again soon where the adapter polls or fails", async () => {
    for (const finish of [
      (watch: { end(): void }) => watch.end(),
      (watch: { fail(error: unknown): void }) => watch.fail(new Error("down")),
    ]) {
      const discovery = new ScriptedDiscovery();
      const { watcher, clock, ids } = await started({ discovery, random: () => 0.999 });
      discovery.current.answer([a]);
      for (let round = 0; round < 20; round++) {
        discovery.current.answer([]);
        finish(discovery.current);
        await clock.advance(10_000);
        if (ids().at(-1) === "") break;
      }
      expect(ids().at(-1)).toBe("");
      expect(clock.now()).toBeLessThanOrEqual(50_000);
      await watcher.stop();
    }
  });

  it("is asked for again every ten seconds at least, however long the adapter has been failing", async () => {
    const discovery = new ScriptedDiscovery();
    const { watcher, clock } = await started({ discovery, random: () => 0.999 });
    discovery.current.answer([a]);
    discovery.current.answer([]);
    await clock.advance(0);
    for (let failure = 0; failure < 12; failure++) {
      discovery.current.fail(new Error("down"));
      await clock.advance(0);
      expect(clock.pending[0]?.inMs).toBeLessThanOrEqual(10_000);
      await clock.advance(10_000);
    }
    await watcher.stop();
  });

  it("is asked for at once when the adapter throws because it is told to stop, and that is no error", async () => {
    let watches = 0;
    const throwing: Discovery = {
      async *watch(_service, signal) {
        watches++;
        yield [a];
        yield [];
        await new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        });
      },
    };
    const { watcher, clock, errors } = await started({ discovery: throwing });
    await clock.advance(10_000);
    expect([watches, errors]).toEqual([2, []]);
    await watcher.stop();
  });

  it("never empties the set unless three answers over thirty seconds say so, whatever else happens", async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constantFrom("filled", "empty", "invalid", "error", "end", "no array"), pauseMs: fc.nat(12_000) }),
      fc.record({ kind: fc.constant("empty"), pauseMs: fc.integer({ min: 5_000, max: 15_000 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), fc.integer(), async (steps, seed) => {
        const discovery = new ScriptedDiscovery();
        const { watcher, clock, updates } = await started({ discovery, random: seededRandom(seed) });
        let hasBeenFilled = false;
        let empties: number[] = [];
        let seen = 0;
        for (const { kind, pauseMs } of steps) {
          const watch = discovery.current;
          const givenAt = clock.now();
          if (kind === "filled") watch.answer([a]);
          else if (kind === "empty") watch.answer([]);
          else if (kind === "invalid") watch.answer([{ ...a, port: -1 }]);
          else if (kind === "error") watch.fail(new Error("down"));
          else if (kind === "end") watch.end();
          else watch.answer("text");
          await clock.advance(pauseMs);
          for (const { endpoints, quarantined } of updates.slice(seen)) {
            const isFilled = endpoints.length > 0 && !quarantined;
            empties = isFilled ? [] : [...empties, givenAt];
            if (hasBeenFilled && endpoints.length === 0) {
              expect(empties.length).toBeGreaterThanOrEqual(3);
              expect((empties.at(-1) as number) - (empties[0] as number)).toBeGreaterThanOrEqual(30_000);
            }
            hasBeenFilled = endpoints.length > 0;
          }
          seen = updates.length;
        }
        await watcher.stop();
        expect(clock.pending).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe("stop()", () => {
  it("waits for the adapter's finally, and leaves no timer and no listener", async () => {
    for (const isInQuarantine of [false, true]) {
      const discovery = new ScriptedDiscovery();
      const { watcher, clock, settle } = await started({ discovery });
      discovery.current.answer([a]);
      if (isInQuarantine) discovery.current.answer([]);
      await settle();
      await watcher.stop();
      const { signal, isReleased } = discovery.current;
      expect([signal.aborted, isReleased, clock.pending, getEventListeners(signal, "abort")]).toEqual([true, true, [], []]);
    }
  });

  it("ends a pause at once", async () => {
    const discovery = new ScriptedDiscovery();
    const { watcher, clock, errors } = await started({ discovery });
    discovery.current.fail(new Error("down"));
    await clock.advance(0);
    await watcher.stop();
    await clock.advance(60_000);
    expect([clock.pending, discovery.watches.length, errors.length]).toEqual([[], 1, 1]);
  });

  it("calls no listener any more, and reports no error that comes from stopping", async () => {
    const throwing: Discovery = {
      async *watch(_service, signal) {
        yield [a];
        await new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        });
      },
    };
    const { watcher, errors, updates } = await started({ discovery: throwing });
    let isWoken = false;
    watcher.onFirstAnswer(() => {
      isWoken = true;
    });
    await watcher.stop();
    await watcher.stop();
    expect([errors, updates.length, isWoken]).toEqual([[], 1, false]);
  });

  it("leaves an adapter that does not listen behind after a second, and takes nothing from it any more", async () => {
    const discovery = new ScriptedDiscovery({ isDeaf: true });
    const { watcher, clock, ids } = await started({ discovery });
    discovery.current.answer([a]);
    await clock.advance(0);
    let isStopped = false;
    const stopping = watcher.stop().then(() => {
      isStopped = true;
    });
    await clock.advance(999);
    expect(isStopped).toBe(false);
    await clock.advance(1);
    await stopping;
    discovery.current.answer([b]);
    await clock.advance(0);
    expect([ids(), clock.pending, discovery.current.isReleased]).toEqual([["a"], [], true]);
  });

  it("is not held up by the late failure of an adapter that was left behind", async () => {
    const discovery = new ScriptedDiscovery({ isDeaf: true });
    const { watcher, clock, errors } = await started({ discovery });
    const stopping = watcher.stop();
    await clock.advance(1_000);
    await stopping;
    discovery.current.fail(new Error("late"));
    await clock.advance(0);
    expect(errors).toEqual([]);
  });

  it("resolves where nothing was started", async () => {
    const watcher = new Watcher({
      discovery: new ScriptedDiscovery(),
      service: "orders",
      clock: virtualClock(),
      random: Math.random,
      onUpdate: () => {},
      onError: () => {},
    });
    await watcher.stop();
    watcher.start();
    await watcher.stop();
    expect(watcher.answered).toBe(false);
  });
});

describe("an older answer", () => {
  it("never overwrites a newer one: a deaf adapter that was asked anew is heard no more", async () => {
    const discovery = new ScriptedDiscovery({ isDeaf: true });
    const { watcher, clock, ids } = await started({ discovery });
    const old = discovery.current;
    old.answer([a]);
    old.answer([]);
    await clock.advance(0);
    await clock.advance(11_000);
    expect(discovery.watches, "asked anew although the old watch does not end").toHaveLength(2);
    discovery.current.answer([b]);
    await clock.advance(0);
    old.answer([a]);
    await clock.advance(0);
    expect(ids()).toEqual(["a", "a", "b"]);
    const stopping = watcher.stop();
    await clock.advance(1_000);
    await stopping;
  });
});
