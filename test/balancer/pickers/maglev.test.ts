import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type MaglevOptions, maglev } from "../../../src/balancer/pickers/maglev.ts";
import type { Upstream } from "../../../src/core/upstream.ts";
import { statisticsOf } from "../../../src/core/upstream.ts";
import { pickerContract } from "../../../src/testing/contract/picker.ts";
import { testRequest, testUpstream } from "../../../src/testing/request.ts";

const keyed = (hashKey: string) => testRequest({ options: { hashKey } });
const keys = Array.from({ length: 5_000 }, (_, index) => `user-${index}`);
const upstreamsOf = (count: number, weightOf: (index: number) => number = () => 1) =>
  Array.from({ length: count }, (_, index) => testUpstream({ host: `10.0.${index >> 8}.${index & 255}`, weight: weightOf(index) }));

function mapOf(upstreams: readonly Upstream[], options?: MaglevOptions): readonly (Upstream | undefined)[] {
  const picker = maglev(options);
  picker.update?.(upstreams);
  return keys.map((key) => picker.pick(upstreams, keyed(key)));
}

/** The owner of each slot of the table: without a key the picker draws the halves of a hash as two random numbers. */
function slotsOf(upstreams: readonly Upstream[], tableSize: number, fromSlot = 0): readonly number[] {
  let draws = 2 * fromSlot;
  const picker = maglev({ tableSize, random: () => (draws % 2 === 0 ? draws++ * 0 : Math.floor(draws++ / 2) / 2 ** 32) });
  picker.update?.(upstreams);
  return Array.from({ length: tableSize }, () => upstreams.indexOf(picker.pick(upstreams, testRequest()) as Upstream));
}

describe("maglev", () => {
  for (const test of pickerContract((options) => maglev({ ...options, tableSize: 4_099 }))) it(test.name, test.run);

  it("fills the table as Envoy does (maglev_lb_test.cc, Basic and BasicWithHostName)", () => {
    const ports = [90, 91, 92, 93, 94, 95];
    const byAddress = ports.map((port) => testUpstream({ port }));
    const byName = ports.map((port) => testUpstream({ port, id: String(port) }));
    expect(slotsOf(byAddress, 7)).toEqual([2, 4, 0, 1, 5, 0, 3]);
    expect(slotsOf(byName, 7)).toEqual([2, 5, 0, 3, 4, 1, 0]);
  });

  it("shares the slots by weight as Envoy does: 21,846 and 43,691 for 1 and 2", () => {
    const upstreams = [1, 2].map((weight) => testUpstream({ port: 89 + weight, weight }));
    const slots = slotsOf(upstreams, 65_537);
    expect([0, 1].map((index) => slots.filter((owner) => owner === index).length)).toEqual([21_846, 43_691]);
  });

  it("gives equal instances the same number of slots, plus or minus one", () => {
    const slots = slotsOf(upstreamsOf(100), 65_537);
    const counts = Array.from({ length: 100 }, (_, index) => slots.filter((owner) => owner === index).length);
    expect([Math.min(...counts), Math.max(...counts)]).toEqual([655, 656]);
  });

  it("finds a 64-bit hash at its remainder", () => {
    const upstreams = [90, 91, 92, 93, 94, 95].map((port) => testUpstream({ port }));
    const table = slotsOf(upstreams, 7);
    for (const hash of [2n ** 64n - 1n, 2n ** 63n + 12_345n, 0xdead_beef_0000_0001n]) {
      const halves = [Number(hash >> 32n), Number(hash & 0xffff_ffffn)];
      const picker = maglev({ tableSize: 7, random: () => (halves.shift() as number) / 2 ** 32 });
      picker.update?.(upstreams);
      expect(picker.pick(upstreams, testRequest())).toBe(upstreams[table[Number(hash % 7n)] as number]);
    }
  });

  it("gives a key the same instance in every process, whatever the order of the list", () => {
    const upstreams = upstreamsOf(20, (index) => 1 + (index % 3));
    expect(mapOf(upstreams.toReversed())).toEqual(mapOf(upstreams));
  });

  it.each([5, 20, 100])("moves about one key in %i when one of as many leaves", (count) => {
    const upstreams = upstreamsOf(count);
    const gone = upstreams[2] as Upstream;
    const before = mapOf(upstreams);
    const after = mapOf(upstreams.filter((upstream) => upstream !== gone));
    const share = before.filter((owner) => owner === gone).length / keys.length;
    const moved = before.filter((owner, index) => owner !== after[index]).length / keys.length;
    expect(Math.abs(share - 1 / count)).toBeLessThan(0.4 / count);
    // A percent or two of the other slots move too: the price of even shares.
    expect(moved - share).toBeLessThan(0.03);
    expect(after).not.toContain(gone);
  });

  it("gives no key to weight 0 while another weight is positive", () => {
    const upstreams = upstreamsOf(3, (index) => (index === 0 ? 0 : 1));
    expect(mapOf(upstreams)).not.toContain(upstreams[0]);
  });

  it("fills the table also with more instances than slots", () => {
    const slots = slotsOf(upstreamsOf(20), 7);
    expect(new Set(slots).size).toBe(7);
    expect(slots).not.toContain(-1);
  });

  it("uses the option's key for a request without one of its own", () => {
    const upstreams = upstreamsOf(50);
    const picker = maglev({ hashKey: ({ path }) => path });
    picker.update?.(upstreams);
    expect(picker.pick(upstreams, testRequest({ path: "/a" }))).toBe(picker.pick(upstreams, keyed("/a")));
    expect(picker.pick(upstreams, testRequest({ path: "/a", options: { hashKey: "b" } }))).toBe(picker.pick(upstreams, keyed("b")));
  });

  it("sends a retry to another instance, always the same one", () => {
    const upstreams = upstreamsOf(10);
    const picker = maglev();
    picker.update?.(upstreams);
    for (const key of keys.slice(0, 200)) {
      const first = picker.pick(upstreams, keyed(key));
      const others = upstreams.filter((upstream) => upstream !== first);
      const second = picker.pick(others, keyed(key));
      expect(others).toContain(second);
      expect(picker.pick(others, keyed(key))).toBe(second);
    }
  });

  it("keeps every instance within balanceFactor percent of the average in flight", () => {
    const upstreams = upstreamsOf(10);
    const picker = maglev({ balanceFactor: 125 });
    picker.update?.(upstreams);
    for (let call = 1; call <= 400; call++) {
      const upstream = picker.pick(upstreams, keyed("hot")) as Upstream;
      statisticsOf(upstream).inFlight++;
      expect(upstream.inFlight).toBeLessThanOrEqual(Math.ceil((1.25 * call) / 10));
    }
  });

  it.each<[MaglevOptions, typeof TypeError | typeof RangeError, string]>([
    [{ tableSize: 8 }, RangeError, "maglev: tableSize must be a prime number, not 8"],
    [{ tableSize: 65_536 }, RangeError, "maglev: tableSize must be a prime number, not 65536"],
    [{ tableSize: 1 }, RangeError, "maglev: tableSize must be from 2 to 5000011, not 1"],
    [{ balanceFactor: Number.NaN }, TypeError, "maglev: balanceFactor must be a number, not NaN"],
    [{ hashKey: 1 as never }, TypeError, "maglev: hashKey must be a function, not 1"],
    [{ virtualNodes: 7 } as never, TypeError, 'maglev has no option "virtualNodes"'],
  ])("refuses %j", (options, error, message) => {
    expect(() => maglev(options)).toThrow(error);
    expect(() => maglev(options)).toThrow(message);
  });

  it("builds the same table at once and through any sequence of changes", () => {
    const everybody = upstreamsOf(40, (index) => index % 4);
    const sets = fc.array(fc.uniqueArray(fc.nat(39), { minLength: 1, maxLength: 40 }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(sets, (list) => {
        const picker = maglev({ tableSize: 251 });
        for (const indexes of list) {
          const upstreams = indexes.map((index) => everybody[index] as Upstream);
          const fresh = maglev({ tableSize: 251 });
          for (const each of [picker, fresh]) each.update?.(upstreams);
          for (const key of keys.slice(0, 300)) expect(picker.pick(upstreams, keyed(key))).toBe(fresh.pick(upstreams, keyed(key)));
        }
      }),
      { numRuns: 25 },
    );
  });

  it("has a chanceOf by key, independent of the slot", () => {
    const picker = maglev();
    const upstreams = upstreamsOf(5);
    picker.update?.(upstreams);
    const inList = keys.filter((key) => (picker.chanceOf?.(keyed(key)) as number) < 0.25);
    expect(Math.abs(inList.length / keys.length - 0.25)).toBeLessThan(0.04);
    for (const upstream of upstreams) {
      const own = inList.filter((key) => picker.pick(upstreams, keyed(key)) === upstream).length / inList.length;
      expect(Math.abs(own - 0.2)).toBeLessThan(0.08);
    }
  });

  it("explains the share of the keys of an instance", () => {
    const upstreams = [1, 2].map((weight) => testUpstream({ port: 89 + weight, weight }));
    const picker = maglev();
    picker.update?.(upstreams);
    picker.pick(upstreams, keyed("a"));
    expect(picker.explain?.(upstreams[0] as Upstream)["share"]).toBeCloseTo(21_846 / 65_537, 9);
  });
});
