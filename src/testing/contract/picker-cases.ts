import assert from "node:assert/strict";
import type { Picker } from "../../balancer/picker.ts";
import type { Random } from "../../core/clock.ts";
import type { MeshRequest } from "../../core/dispatch.ts";
import { statisticsOf, type Upstream } from "../../core/upstream.ts";
import { testRequest, testUpstream } from "../request.ts";
import { seededRandom } from "../seeded-random.ts";

/** Makes the picker under test; the suite passes its own seeded random numbers. */
export type CreatePicker = (options?: { random?: Random }) => Picker;

/** One case; throws an `AssertionError` when the picker fails it. */
export interface PickerCase {
  readonly name: string;
  run(create: CreatePicker, maxSkewRatio: number): void;
}

/** The cases that every picker passes. */
export const pickerCases: readonly PickerCase[] = [
  {
    name: "picks nothing from an empty list",
    run(create) {
      const picker = create({ random: seededRandom(1) });
      assert.equal(picker.pick([], request(0)), undefined);
      picker.update?.([]);
      assert.equal(picker.pick([], request(1)), undefined, "after update([])");
      const upstreams = upstreamsOf(3);
      picker.update?.(upstreams);
      picker.pick(upstreams, request(2));
      picker.update?.([]);
      assert.equal(picker.pick([], request(3)), undefined, "after the set had been filled");
    },
  },
  {
    name: "picks the only upstream of a list",
    run(create) {
      const picker = create({ random: seededRandom(2) });
      const [only] = upstreamsOf(1);
      assert.ok(only);
      picker.update?.([only]);
      for (let call = 0; call < 100; call++) assert.equal(picker.pick([only], request(call)), only);
    },
  },
  {
    name: "picks a member of the list, also after upstreams have left",
    run(create) {
      const picker = create({ random: seededRandom(3) });
      const all = upstreamsOf(10);
      for (let size = all.length; size >= 1; size--) {
        const upstreams = all.slice(0, size);
        picker.update?.(upstreams);
        for (let call = 0; call < 100; call++) assertMember(picker.pick(upstreams, request(call)), upstreams);
      }
    },
  },
  {
    name: "picks a member of a part of the list, as for a retry",
    run(create) {
      const picker = create({ random: seededRandom(4) });
      const all = upstreamsOf(5);
      picker.update?.(all);
      for (let call = 0; call < 500; call++) {
        const first = picker.pick(all, request(call));
        assertMember(first, all);
        const others = all.filter((upstream) => upstream !== first);
        assertMember(picker.pick(others, request(call, { attempt: 2 })), others);
      }
    },
  },
  {
    name: "gives equal upstreams a fair share",
    run(create, maxSkewRatio) {
      for (const size of [2, 3, 7]) {
        const upstreams = upstreamsOf(size);
        const picks = 1_000 * size;
        pickMany(create({ random: seededRandom(5) }), upstreams, picks);
        for (const { address, attempts } of upstreams) assertFair(address, attempts, picks, size, maxSkewRatio);
      }
    },
  },
  {
    name: "gives a fair share in each of two lists in turn",
    run(create, maxSkewRatio) {
      const picker = create({ random: seededRandom(12) });
      const all = upstreamsOf(6);
      const lists = [all.slice(0, 2), all.slice(2)];
      for (const list of lists) picker.update?.(list);
      const rounds = 3_000;
      const inFlight: Upstream[] = [];
      // In turn: with one place for both lists, each would get every second upstream only.
      for (let call = 0; call < rounds * lists.length; call++) {
        const list = lists[call % lists.length] as readonly Upstream[];
        const picked = picker.pick(list, request(call));
        assertMember(picked, list);
        hold(inFlight, picked);
      }
      for (const list of lists) {
        for (const { address, attempts } of list) assertFair(address, attempts, rounds, list.length, maxSkewRatio);
      }
    },
  },
  {
    name: "picks a member of the given list when two lists, parts of them and new lists alternate",
    run(create) {
      const picker = create({ random: seededRandom(13) });
      const random = seededRandom(14);
      const all = upstreamsOf(12);
      let lists = [all.slice(0, 5), all.slice(5)];
      for (let call = 0; call < 2_000; call++) {
        if (call % 50 === 0) {
          // The same upstreams in other lists, as when zones change.
          const border = 1 + Math.floor(random() * 11);
          lists = [all.slice(0, border), all.slice(border)];
          for (const list of lists) picker.update?.(list);
        }
        const list = lists[call % 2] as readonly Upstream[];
        const first = picker.pick(list, request(call));
        assertMember(first, list);
        const others = list.filter((upstream) => upstream !== first);
        if (others.length > 0) assertMember(picker.pick(others, request(call, { attempt: 2 })), others);
      }
    },
  },
  {
    name: "picks from a list with invalid weights",
    run(create) {
      const weights = [Number.NaN, -1, 0, 1e9, "5", Number.POSITIVE_INFINITY, undefined, 1];
      const picker = create({ random: seededRandom(15) });
      const upstreams = upstreamsOf(weights.length);
      for (const [index, weight] of weights.entries()) Object.defineProperty(upstreams[index], "weight", { value: weight });
      picker.update?.(upstreams);
      for (let call = 0; call < 500; call++) {
        assertMember(picker.pick(upstreams, request(call)), upstreams);
        const part = upstreams.filter((_, index) => index !== call % weights.length);
        assertMember(picker.pick(part, request(call, { attempt: 2 })), part);
      }
    },
  },
  {
    name: "explains every upstream in numbers and text, also one that it has never seen",
    run(create) {
      const picker = create({ random: seededRandom(16) });
      const upstreams = upstreamsOf(3);
      const ids = pickMany(picker, upstreams, 30);
      assert.equal(ids.length, 30);
      for (const upstream of [...upstreams, testUpstream({ host: "10.0.9.9" })]) {
        for (const [name, value] of Object.entries(picker.explain?.(upstream) ?? {})) {
          const isGood = typeof value === "string" || (typeof value === "number" && !Number.isNaN(value));
          assert.ok(isGood, `${name} is ${String(value)}`);
        }
      }
    },
  },
  {
    name: "returns the same chanceOf, from 0 to below 1, for the same key, if it has the method",
    run(create) {
      const picker = create({ random: seededRandom(17) });
      if (picker.chanceOf === undefined) return;
      for (let call = 0; call < 200; call++) {
        const chance: number | undefined = picker.chanceOf(request(call));
        assert.ok(chance !== undefined && chance >= 0 && chance < 1, `${String(chance)} for a request with a key`);
        assert.equal(picker.chanceOf(request(call)), chance, "the same key");
      }
    },
  },
  {
    name: "picks a member after each of a thousand updates",
    run(create) {
      const random = seededRandom(6);
      const picker = create({ random: seededRandom(7) });
      const all = upstreamsOf(50);
      for (let change = 0; change < 1_000; change++) {
        const share = random();
        const upstreams = all.filter(() => random() < share);
        picker.update?.(upstreams);
        for (let call = 0; call < 5; call++) {
          const picked = picker.pick(upstreams, request(call));
          if (upstreams.length === 0) assert.equal(picked, undefined);
          else assertMember(picked, upstreams);
        }
      }
    },
  },
  {
    name: "picks an upstream when every weight is 0",
    run(create) {
      const picker = create({ random: seededRandom(8) });
      const upstreams = upstreamsOf(3, 0);
      picker.update?.(upstreams);
      for (let call = 0; call < 100; call++) assertMember(picker.pick(upstreams, request(call)), upstreams);
    },
  },
  {
    name: "does not change the list",
    run(create) {
      const picker = create({ random: seededRandom(9) });
      // Sorting or splicing a frozen array throws.
      const upstreams = Object.freeze(upstreamsOf(5));
      picker.update?.(upstreams);
      for (let call = 0; call < 100; call++) picker.pick(upstreams, request(call));
    },
  },
  {
    name: "picks the same sequence for the same seed",
    run(create) {
      const one = pickMany(create({ random: seededRandom(10) }), upstreamsOf(5), 500);
      const other = pickMany(create({ random: seededRandom(10) }), upstreamsOf(5), 500);
      assert.deepEqual(one, other);
    },
  },
  {
    name: "keeps the pickers of services apart",
    run(create) {
      const picker = create({ random: seededRandom(11) });
      const services = ["orders", "users"].map((service) => {
        const own = picker.forService?.(service) ?? picker;
        const upstreams = [1, 2, 3].map((number) => testUpstream({ service, id: `${service}-${number}`, port: 8080 + number }));
        own.update?.(upstreams);
        return { service, own, upstreams };
      });
      for (let call = 0; call < 100; call++) {
        for (const { service, own, upstreams } of services) {
          assertMember(own.pick(upstreams, request(call, { service })), upstreams);
        }
      }
    },
  },
];

/** Picks as the balancer does, with up to ten requests in flight. Returns the ids of the picked upstreams. */
function pickMany(picker: Picker, upstreams: readonly Upstream[], picks: number): readonly string[] {
  const inFlight: Upstream[] = [];
  const ids: string[] = [];
  for (const upstream of upstreams) statisticsOf(upstream).latencyMs = 10;
  picker.update?.(upstreams);
  for (let call = 0; call < picks; call++) {
    const upstream = picker.pick(upstreams, request(call));
    assertMember(upstream, upstreams);
    hold(inFlight, upstream);
    ids.push(upstream.id);
  }
  return ids;
}

/** Counts a request in flight, and ends the oldest when there are more than ten. */
function hold(inFlight: Upstream[], upstream: Upstream): void {
  statisticsOf(upstream).attempts += 1;
  statisticsOf(upstream).inFlight += 1;
  inFlight.push(upstream);
  if (inFlight.length <= 10) return;
  const finished = inFlight.shift();
  if (finished) statisticsOf(finished).inFlight -= 1;
}

function assertFair(address: string, attempts: number, picks: number, size: number, maxSkewRatio: number): void {
  const fair = picks / size;
  // Four standard deviations of a binomial share: a fair coin is outside once in 16,000 cases, and the seed is fixed.
  const tolerance = maxSkewRatio * fair + 4 * Math.sqrt(fair * (1 - 1 / size));
  const isFair = Math.abs(attempts - fair) <= tolerance;
  assert.ok(isFair, `${address} got ${attempts} of ${picks} picks among ${size}, fair is ${fair} ± ${Math.ceil(tolerance)}`);
}

/** A request with a key of its own, for pickers that hash. */
function request(call: number, overrides: Partial<MeshRequest> = {}): MeshRequest {
  return testRequest({ path: `/items/${call}`, options: { hashKey: `key-${call}` }, ...overrides });
}

function upstreamsOf(count: number, weight = 1): Upstream[] {
  return Array.from({ length: count }, (_, index) => testUpstream({ host: `10.0.0.${index + 1}`, weight }));
}

function assertMember(picked: Upstream | undefined, upstreams: readonly Upstream[]): asserts picked is Upstream {
  assert.ok(picked, `nothing was picked from ${upstreams.length} upstreams`);
  assert.ok(upstreams.includes(picked), `${picked.address} was picked, which is not in the list`);
}
