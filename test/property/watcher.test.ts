import fc from "fast-check";
import { expect, it } from "vitest";
import type { Endpoint } from "../../src/core/endpoint.ts";
import type { EndpointsUpdate } from "../../src/core/observing/events.ts";
import type { EmptyPolicy } from "../../src/discovery/discovery.ts";
import { Watcher } from "../../src/discovery/watcher.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { ScriptedDiscovery } from "../discovery/scripted-discovery.ts";

const ids = [..."abcdefgh"];
const pauses = fc.oneof(fc.constant(0), fc.nat(3_000), fc.nat(16_000), fc.constantFrom(4_999, 5_000, 10_000, 30_000));
const answer = fc.record({
  kind: fc.constant("answer" as const),
  listed: fc.oneof(fc.subarray(ids), fc.subarray(ids, { maxLength: 1 }), fc.constant([]), fc.constant(ids)),
  isCertain: fc.nat(9).map((number) => number === 0),
  /** Entries that are no endpoints, or name one twice, come with it. */
  hasDirt: fc.boolean(),
  /** 0: by the newest watch; else by one that was started so many before it. */
  ago: fc.oneof(fc.constant(0), fc.constant(0), fc.nat(3)),
  pauseMs: pauses,
});
/** A registry that has lost its data: the same empty answer again and again. */
const outage = fc.record({
  kind: fc.constant("outage" as const),
  times: fc.integer({ min: 2, max: 6 }),
  pauseMs: fc.integer({ min: 4_000, max: 16_000 }),
});
const other = fc.record({ kind: fc.constantFrom("error", "end", "no array", "silence"), ago: fc.constantFrom(0, 0, 1), pauseMs: pauses });

/** The conclusions of an observer of all answers, without any state of the watcher. */
class Ledger {
  /** For each id the number of the last answer that listed it. */
  readonly newest = new Map<string, number>();
  /** When the answers came that are held, since the last one that was believed. */
  held: number[] = [];
  inUse: readonly Endpoint[] = [];

  take(given: readonly Endpoint[], number: number, isTrusted: boolean, now: number, update: EndpointsUpdate): void {
    for (const { id } of given) this.newest.set(id, number);
    this.held.push(now);
    const { endpoints, quarantined } = update;
    const used = new Map(endpoints.map((endpoint) => [endpoint.id, endpoint]));
    expect(used.size, "no id twice").toBe(endpoints.length);
    for (const { id } of given) expect(used.has(id), `${id} is listed`).toBe(true);
    // Data of an earlier answer never replaces that of a later one, and no endpoint is made up.
    for (const { id, weight } of endpoints) expect(weight, `data of ${id}`).toBe(this.newest.get(id));
    const isLate = this.held.length >= 3 && now - (this.held[0] as number) >= 30_000;
    if (isTrusted || isLate || this.inUse.length === 0) {
      if (isTrusted || this.inUse.length === 0) expect([endpoints.length, quarantined]).toEqual([given.length, false]);
    } else if (given.length === 0) {
      expect([...used.keys()].sort(), "an empty answer takes no endpoint away").toEqual(this.inUse.map(({ id }) => id).sort());
      expect(quarantined).toBe(true);
    } else {
      const kept = this.inUse.filter(({ id }) => used.has(id)).length;
      // The half, or all but two of a small set.
      expect(endpoints.length * 2 >= this.inUse.length || this.inUse.length - kept < 3).toBe(true);
    }
    if (!quarantined) {
      expect(endpoints.length, "believed, so no more than it lists").toBe(given.length);
      this.held = [];
    }
    this.inUse = endpoints;
  }
}

it("any sequence of answers, errors, silence and time: empty only when that is certain, the newest data of each, none made up", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 6, arbitrary: answer }, { weight: 2, arbitrary: other }, { weight: 1, arbitrary: outage }), {
        maxLength: 25,
      }),
      fc.boolean(),
      fc.constantFrom<EmptyPolicy | undefined>(undefined, undefined, "quarantine", "trust"),
      fc.integer(),
      async (steps, isDeaf, emptyPolicy, seed) => {
        const discovery = new ScriptedDiscovery({ isDeaf });
        const clock = virtualClock();
        const updates: EndpointsUpdate[] = [];
        let errors = 0;
        const watcher = new Watcher({
          discovery,
          service: "orders",
          clock,
          random: seededRandom(seed),
          emptyPolicy,
          onUpdate: (update) => updates.push(update),
          onError: () => errors++,
        });
        watcher.start();
        await clock.advance(0);
        const ledger = new Ledger();
        let number = 0;
        const give = async (listed: readonly string[], isCertain: boolean, hasDirt: boolean, ago: number, pauseMs: number) => {
          const watch = discovery.watches.at(-1 - ago) ?? discovery.current;
          const isHeard = !watch.signal.aborted && !watch.isReleased;
          const version = ++number;
          const given: Endpoint[] = listed.map((id) => ({ id, host: "10.0.0.1", port: 80, weight: version }));
          const entries = hasDirt ? [...given, { id: "bad", host: "10.0.0.1", port: -1 }, ...given.slice(0, 1), null] : given;
          watch.answer(isCertain ? { endpoints: entries, certain: true } : entries);
          const before = updates.length;
          const now = clock.now();
          await clock.advance(0);
          expect(updates.length - before, "one answer, one update; none of a watch that was given up").toBe(isHeard ? 1 : 0);
          if (isHeard) ledger.take(given, version, isCertain || emptyPolicy === "trust", now, updates.at(-1) as EndpointsUpdate);
          await pass(pauseMs);
        };
        /** Time alone, errors and endings change nothing that is in use. */
        const pass = async (ms: number) => {
          const before = updates.length;
          await clock.advance(ms);
          expect(updates.length).toBe(before);
        };
        for (const step of steps) {
          if (step.kind === "answer") await give(step.listed, step.isCertain, step.hasDirt, step.ago, step.pauseMs);
          else if (step.kind === "outage") {
            for (let time = 0; time < step.times; time++) await give([], false, false, 0, step.pauseMs);
          } else {
            const watch = discovery.watches.at(-1 - step.ago) ?? discovery.current;
            const isHeard = !watch.signal.aborted && !watch.isReleased;
            const before = errors;
            if (step.kind === "error") watch.fail(new Error("down"));
            else if (step.kind === "end") watch.end();
            else if (step.kind === "no array") watch.answer("text");
            await pass(step.pauseMs);
            expect(errors - before).toBe(isHeard && (step.kind === "error" || step.kind === "no array") ? 1 : 0);
          }
          expect(discovery.watches.filter(({ signal }) => !signal.aborted).length, "one watch at a time").toBeLessThanOrEqual(1);
        }
        const stopping = watcher.stop();
        await clock.advance(1_000);
        await stopping;
        expect(clock.pending).toEqual([]);
      },
    ),
    { numRuns: 400 },
  );
});
