import assert from "node:assert/strict";
import type { Picker } from "../../balancer/picker.ts";
import type { Random } from "../../core/clock.ts";
import type { MeshRequest } from "../../core/dispatch.ts";
import type { Upstream } from "../../core/upstream.ts";
import { testRequest, testUpstream } from "../request.ts";
import { seededRandom } from "../seeded-random.ts";
import type { ContractTest } from "./contract.ts";

/** What the picker under test is allowed. */
export interface PickerContractOptions {
  /**
   * How far the share of one of several equal upstreams may be from the fair one, beside what chance explains;
   * 0.05 by default. A ring of hashes needs more.
   */
  readonly maxSkewRatio?: number;
}

/** Makes the picker under test; the suite passes its own random numbers. */
export type CreatePicker = (options?: { random?: Random }) => Picker;

type Case = { readonly name: string; run(create: CreatePicker, maxSkewRatio: number): void };

const cases: readonly Case[] = [
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
    name: "picks the only one there is",
    run(create) {
      const picker = create({ random: seededRandom(2) });
      const [only] = upstreamsOf(1);
      assert.ok(only);
      picker.update?.([only]);
      for (let call = 0; call < 100; call++) assert.equal(picker.pick([only], request(call)), only);
    },
  },
  {
    name: "picks one of the list, also after the set has shrunk",
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
    name: "picks one of a part of the set, as for a second attempt",
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
        const fair = picks / size;
        // Four standard deviations of a binomial share: a fair coin is outside once in 16,000 cases, and the seed is fixed.
        const tolerance = maxSkewRatio * fair + 4 * Math.sqrt(fair * (1 - 1 / size));
        for (const { address, requests } of upstreams) {
          const isFair = Math.abs(requests - fair) <= tolerance;
          assert.ok(isFair, `${address} got ${requests} of ${picks} picks among ${size}, fair is ${fair} ± ${Math.ceil(tolerance)}`);
        }
      }
    },
  },
  {
    name: "survives a thousand changes of the set",
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
    name: "picks one even when every weight is 0",
    run(create) {
      const picker = create({ random: seededRandom(8) });
      const upstreams = upstreamsOf(3, 0);
      picker.update?.(upstreams);
      for (let call = 0; call < 100; call++) assertMember(picker.pick(upstreams, request(call)), upstreams);
    },
  },
  {
    name: "leaves the list as it is",
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
    name: "keeps services apart",
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

/** The cases every picker passes. */
export function pickerContract(create: CreatePicker, options: PickerContractOptions = {}): readonly ContractTest[] {
  const { maxSkewRatio = 0.05 } = options;
  return cases.map(({ name, run }) => ({
    name,
    async run() {
      run(create, maxSkewRatio);
    },
  }));
}

/** Picks as the balancer does, with up to ten requests in flight, and returns the ids. */
function pickMany(picker: Picker, upstreams: readonly Upstream[], picks: number): readonly string[] {
  const inFlight: Upstream[] = [];
  const ids: string[] = [];
  for (const upstream of upstreams) upstream.latencyMs = 10;
  picker.update?.(upstreams);
  for (let call = 0; call < picks; call++) {
    const upstream = picker.pick(upstreams, request(call));
    assertMember(upstream, upstreams);
    upstream.requests += 1;
    upstream.inFlight += 1;
    inFlight.push(upstream);
    ids.push(upstream.id);
    if (inFlight.length > 10) {
      const finished = inFlight.shift();
      if (finished) finished.inFlight -= 1;
    }
  }
  return ids;
}

/** Requests with a key of their own each, for pickers that hash. */
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
