import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Balancer } from "../../../src/balancer/balancer.ts";
import { headerKey } from "../../../src/balancer/hashing/hash-key.ts";
import type { Picker } from "../../../src/balancer/picker.ts";
import { type RingHashOptions, ringHash } from "../../../src/balancer/pickers/ring-hash.ts";
import { systemClock } from "../../../src/core/clock.ts";
import type { Upstream } from "../../../src/core/upstream.ts";
import { statisticsOf } from "../../../src/core/upstream.ts";
import { pickerContract } from "../../../src/testing/contract/picker.ts";
import { testRequest, testUpstream } from "../../../src/testing/request.ts";
import { seededRandom } from "../../../src/testing/seeded-random.ts";

const keyed = (hashKey: string) => testRequest({ options: { hashKey } });
const keys = Array.from({ length: 2_000 }, (_, index) => `user-${index}`);
const upstreamsOf = (count: number, weightOf: (index: number) => number = () => 1) =>
  Array.from({ length: count }, (_, index) => testUpstream({ host: `10.0.${index >> 8}.${index & 255}`, weight: weightOf(index) }));

function mapOf(upstreams: readonly Upstream[], options?: RingHashOptions): readonly (Upstream | undefined)[] {
  const picker = ringHash(options);
  picker.update?.(upstreams);
  return keys.map((key) => picker.pick(upstreams, keyed(key)));
}

/** The owner of a hash: without a key the picker draws its halves as two random numbers. */
function pickAt(hash: bigint, upstreams: readonly Upstream[], options: RingHashOptions): Upstream | undefined {
  const halves = [Number(hash >> 32n), Number(hash & 0xffff_ffffn)];
  const picker = ringHash({ ...options, random: () => (halves.shift() as number) / 2 ** 32 });
  picker.update?.(upstreams);
  return picker.pick(upstreams, testRequest());
}

describe("ringHash", () => {
  // 160 points each have a standard deviation of 8 %; the suite's few upstreams stay within three of those.
  for (const test of pickerContract((options) => ringHash(options), { maxSkewRatio: 0.24 })) it(test.name, test.run);

  describe("places the points where Envoy does (ring_hash_lb_test.cc, Basic)", () => {
    const upstreams = [90, 91, 92, 93, 94, 95].map((port) => testUpstream({ port }));
    const ring = [
      [833437586790550860n, 94],
      [928266305478181108n, 92],
      [1033482794131418490n, 90],
      [3551244743356806947n, 95],
      [3851675632748031481n, 93],
      [5583722120771150861n, 91],
      [6311230543546372928n, 91],
      [7700377290971790572n, 93],
      [13144177310400110813n, 95],
      [13444792449719432967n, 92],
      [15516499411664133160n, 94],
      [16117243373044804889n, 90],
    ] as const;

    for (const options of [{ virtualNodes: 2 }, { virtualNodes: 1, minRingSize: 12 }]) {
      it(`with ${JSON.stringify(options)}`, () => {
        for (const [index, [position, port]] of ring.entries()) {
          const next = ring[(index + 1) % ring.length] as (typeof ring)[number];
          expect(pickAt(position, upstreams, options)?.endpoint.port).toBe(port);
          expect(pickAt(position + 1n, upstreams, options)?.endpoint.port).toBe(next[1]);
          expect(pickAt(position - 1n, upstreams, options)?.endpoint.port).toBe(port);
        }
        expect(pickAt(0n, upstreams, options)?.endpoint.port).toBe(94);
        expect(pickAt(2n ** 64n - 1n, upstreams, options)?.endpoint.port).toBe(94);
      });
    }
  });

  it("gives a key the same instance in every process, whatever the order of the list", () => {
    const upstreams = upstreamsOf(20);
    expect(mapOf(upstreams.toReversed())).toEqual(mapOf(upstreams));
  });

  it("moves only the keys of an instance that leaves", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 60 }), fc.nat(), (count, chosen) => {
        const upstreams = upstreamsOf(count, (index) => 1 + (index % 3));
        const gone = upstreams[chosen % count] as Upstream;
        const before = mapOf(upstreams);
        const after = mapOf(upstreams.filter((upstream) => upstream !== gone));
        // When the lighter of two instances of weights 1 and 2 leaves, the lowest weight changes, which must move no key.
        if (count > 3) expect(before.filter((owner, index) => owner !== gone && owner !== after[index])).toEqual([]);
        expect(after).not.toContain(gone);
      }),
      { numRuns: 25 },
    );
  });

  it("moves about as many keys as its share when one of many leaves", () => {
    const upstreams = upstreamsOf(20);
    const shares = upstreams.map((gone) => {
      const after = mapOf(upstreams.filter((upstream) => upstream !== gone));
      return mapOf(upstreams).filter((owner, index) => owner !== after[index]).length / keys.length;
    });
    for (const share of shares) {
      expect(share).toBeGreaterThan(0.5 / 20);
      expect(share).toBeLessThan(1.6 / 20);
    }
  });

  it("moves few more keys when the ring is full and the other instances gain points", () => {
    const upstreams = upstreamsOf(100);
    const options = { maxRingSize: 1_000 };
    const before = mapOf(upstreams, options);
    const after = mapOf(upstreams.slice(1), options);
    const moved = before.filter((owner, index) => owner !== after[index]).length;
    expect(moved).toBeGreaterThan(0);
    expect(moved / keys.length).toBeLessThan(4 / 100);
  });

  it("shares by weight", () => {
    const upstreams = upstreamsOf(4, (index) => index + 1);
    const owners = mapOf(upstreams);
    for (const [index, upstream] of upstreams.entries()) {
      const fair = ((index + 1) / 10) * keys.length;
      const share = owners.filter((owner) => owner === upstream).length;
      expect(Math.abs(share - fair) / fair, `weight ${index + 1}`).toBeLessThan(0.3);
    }
  });

  it("gives no key to weight 0 while another weight is positive", () => {
    const upstreams = upstreamsOf(3, (index) => (index === 0 ? 0 : 1));
    expect(mapOf(upstreams)).not.toContain(upstreams[0]);
  });

  it("gives every instance a part of a ring that is too small", () => {
    const upstreams = upstreamsOf(50, (index) => (index === 0 ? 1_000 : 1));
    const owners = new Set(mapOf(upstreams, { maxRingSize: 10 }));
    expect(owners.size).toBeGreaterThan(20);
  });

  it("prefers the call's own key to the option's, and the option's to a random instance", () => {
    const picker = ringHash({ hashKey: headerKey("x-user"), random: seededRandom(1) });
    const upstreams = upstreamsOf(50);
    picker.update?.(upstreams);
    const headers = { "x-user": "from-header" };
    const byHeader = picker.pick(upstreams, testRequest({ headers }));
    expect(byHeader).toBe(picker.pick(upstreams, keyed("from-header")));
    expect(picker.pick(upstreams, testRequest({ headers, options: { hashKey: "own" } }))).toBe(picker.pick(upstreams, keyed("own")));
    expect(picker.pick(upstreams, keyed("own"))).not.toBe(byHeader);
    expect(new Set(Array.from({ length: 500 }, () => picker.pick(upstreams, testRequest()))).size).toBe(50);
  });

  it("sends a retry to the next owner on the ring, always the same", () => {
    const balancer = new Balancer({ service: "orders", picker: ringHash() });
    balancer.update(Array.from({ length: 10 }, (_, index) => ({ id: `${index}`, host: "127.0.0.1", port: 8_000 + index })));
    const attempts = (key: string) => {
      const request = keyed(key);
      for (let attempt = 0; attempt < 3; attempt++) request.tried.push(balancer.pick(request, true) as Upstream);
      return request.tried;
    };
    const seconds = new Set<Upstream | undefined>();
    for (const key of keys.slice(0, 100)) {
      const tried = attempts(key);
      expect(new Set(tried).size).toBe(3);
      expect(attempts(key)).toEqual(tried);
      // The owner of the key after its first owner has left for good: a retry fills the right cache.
      const [first, second] = tried as [Upstream, Upstream];
      first.setState("ejected");
      expect(balancer.pick(keyed(key), true)).toBe(second);
      first.setState("available");
      seconds.add(second);
    }
    expect(seconds.size).toBe(10);
  });

  it("picks from a list that was not announced, and always the same instance", () => {
    const upstreams = upstreamsOf(5);
    const picker = ringHash();
    const pick = (key: string) => picker.pick(upstreams, keyed(key));
    expect(upstreams).toContain(pick("a"));
    expect(pick("a")).toBe(pick("a"));
    picker.update?.(upstreamsOf(5));
    expect(upstreams).toContain(pick("a"));
  });

  it("keeps a picker for each service", () => {
    const picker: Picker = ringHash({ virtualNodes: 3 });
    expect(picker.forService?.("orders")).not.toBe(picker);
  });

  it.each<[RingHashOptions, typeof TypeError | typeof RangeError, string]>([
    [{ virtualNodes: 0 }, RangeError, "ringHash: virtualNodes must be from 1 to 8388608, not 0"],
    [{ minRingSize: 100_000 }, RangeError, "ringHash: minRingSize must be from 1 to 32768, not 100000"],
    [{ maxRingSize: 1.5 }, RangeError, "ringHash: maxRingSize must be a whole number, not 1.5"],
    [{ balanceFactor: 99 }, RangeError, "ringHash: balanceFactor must be at least 100, not 99"],
    [{ hashKey: "x-user" as never }, TypeError, 'ringHash: hashKey must be a function, not "x-user"'],
    [{ random: 1 as never }, TypeError, "ringHash: random must be a function, not 1"],
    [{ tableSize: 7 } as never, TypeError, 'ringHash has no option "tableSize"'],
  ])("refuses %j", (options, error, message) => {
    expect(() => ringHash(options)).toThrow(error);
    expect(() => ringHash(options)).toThrow(message);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("planted");
      },
    ],
    ["returns what is no text", () => 5 as never],
    ["finds none", () => undefined],
  ])("spreads the requests for which hashKey %s", (_what, hashKey) => {
    const upstreams = upstreamsOf(5);
    const picker = ringHash({ hashKey, random: seededRandom(1) });
    picker.update?.(upstreams);
    const picked = new Set(Array.from({ length: 100 }, () => picker.pick(upstreams, testRequest())));
    expect(picked).toEqual(new Set(upstreams));
  });

  it("draws from the mesh's random numbers unless it has its own", () => {
    const upstreams = upstreamsOf(50);
    const sequence = (own: number | undefined, mesh: number) => {
      const picker = ringHash(own === undefined ? {} : { random: seededRandom(own) });
      const forService = picker.forService?.("orders", { clock: systemClock, random: seededRandom(mesh) });
      forService?.update?.(upstreams);
      return Array.from({ length: 20 }, () => forService?.pick(upstreams, testRequest())?.id);
    };
    expect(sequence(undefined, 1)).toEqual(sequence(undefined, 1));
    expect(sequence(undefined, 1)).not.toEqual(sequence(undefined, 2));
    expect(sequence(1, 1)).toEqual(sequence(1, 2));
  });
});

describe("ringHash with balanceFactor", () => {
  /** Starts `count` requests, `open` at a time, and returns the largest excess over the bound. */
  function worstExcess(upstreams: readonly Upstream[], factor: number, count: number, open: number, options: RingHashOptions): number {
    const picker = ringHash(options);
    picker.update?.(upstreams);
    const totalWeight = upstreams.reduce((sum, { weight }) => sum + weight, 0);
    const running: Upstream[] = [];
    const random = seededRandom(3);
    let worst = Number.NEGATIVE_INFINITY;
    for (let call = 0; call < count; call++) {
      // Every second request has the same key.
      const upstream = picker.pick(upstreams, keyed(call % 2 === 0 ? "hot" : `user-${call}`)) as Upstream;
      statisticsOf(upstream).inFlight++;
      running.push(upstream);
      worst = Math.max(worst, upstream.inFlight - Math.ceil((factor / 100) * running.length * (upstream.weight / totalWeight)));
      if (running.length === open) for (const done of running.splice(Math.floor(random() * open), 1)) statisticsOf(done).inFlight--;
    }
    return worst;
  }

  it.each([100, 125, 200])("keeps every instance within %i %% of the average in flight, by weight", (balanceFactor) => {
    for (const [count, weightOf] of [
      [10, () => 1],
      [16, (index: number) => 1 + (index % 4)],
    ] as const) {
      expect(worstExcess(upstreamsOf(count, weightOf), balanceFactor, 3_000, 100, { balanceFactor })).toBeLessThanOrEqual(0);
      expect(worstExcess(upstreamsOf(count, weightOf), balanceFactor, 3_000, 100, {}), "the bound makes the difference").toBeGreaterThan(
        10,
      );
    }
  });

  it("keeps a thousand instances within one request of the bound, though a pick reads only some counts", () => {
    expect(worstExcess(upstreamsOf(1_000), 125, 20_000, 5_000, { balanceFactor: 125 })).toBeLessThanOrEqual(1);
  });

  it("leaves a key with its owner as long as there is room", () => {
    const upstreams = upstreamsOf(10);
    for (const upstream of upstreams) statisticsOf(upstream).inFlight = 10;
    expect(mapOf(upstreams, { balanceFactor: 125 })).toEqual(mapOf(upstreams));
  });

  it("gives a key to the owner when no instance of a part has room", () => {
    const upstreams = upstreamsOf(3);
    const [busy, ...idle] = upstreams as [Upstream, ...Upstream[]];
    statisticsOf(busy).inFlight = 100;
    const picker = ringHash({ balanceFactor: 125 });
    picker.update?.(upstreams);
    expect(picker.pick([busy], keyed("a"))).toBe(busy);
    expect(idle).toContain(picker.pick(upstreams, keyed("a")));
  });

  it("builds the same ring at once and through any sequence of changes", () => {
    const everybody = upstreamsOf(60, (index) => 1 + (index % 4));
    const sets = fc.array(fc.uniqueArray(fc.nat(59), { minLength: 1, maxLength: 60 }), { minLength: 2, maxLength: 6 });
    for (const options of [{}, { virtualNodes: 3 }, { maxRingSize: 200 }]) {
      fc.assert(
        fc.property(sets, (list) => {
          const picker = ringHash(options);
          for (const indexes of list) {
            const upstreams = indexes.map((index) => everybody[index] as Upstream);
            picker.update?.(upstreams);
            const own = keys.slice(0, 200).map((key) => picker.pick(upstreams, keyed(key)));
            expect(own).toEqual(mapOf(upstreams, options).slice(0, 200));
          }
        }),
        { numRuns: 15 },
      );
    }
  });

  it("follows weights that change", () => {
    const upstreams = upstreamsOf(4);
    const picker = ringHash();
    picker.update?.(upstreams);
    picker.pick(upstreams, keyed("a"));
    upstreams[0]?.refresh({ ...(upstreams[0] as Upstream).endpoint, weight: 3 });
    picker.update?.(upstreams);
    expect(keys.map((key) => picker.pick(upstreams, keyed(key)))).toEqual(mapOf(upstreams));
  });

  it("keeps two lists apart, and a retry in its list", () => {
    const all = upstreamsOf(20);
    const [one, other] = [all.slice(0, 8), all.slice(8)];
    const picker = ringHash();
    for (const list of [one, other]) picker.update?.(list);
    for (const key of keys.slice(0, 100)) {
      for (const list of [one, other]) {
        const alone = ringHash();
        alone.update?.(list);
        const first = picker.pick(list, keyed(key));
        expect(first).toBe(alone.pick(list, keyed(key)));
        const rest = list.filter((upstream) => upstream !== first);
        expect(picker.pick(rest, keyed(key))).toBe(alone.pick(rest, keyed(key)));
      }
    }
  });

  it("has a chanceOf by key, even and independent of the place on the ring", () => {
    // One point each: the keys of a quarter of the ring have one or two owners.
    const picker = ringHash({ hashKey: headerKey("x-user"), virtualNodes: 1 });
    const chances = keys.map((key) => picker.chanceOf?.(keyed(key)) as number);
    expect(Math.abs(chances.filter((chance) => chance < 0.25).length / keys.length - 0.25)).toBeLessThan(0.04);
    expect(picker.chanceOf?.(testRequest())).toBeUndefined();
    const headers = Object.assign(Object.create(null), { "x-user": "user-1" });
    expect(picker.chanceOf?.(testRequest({ headers }))).toBe(chances[1]);
    // Each member of a list still gets its share of the keys of that list.
    const upstreams = upstreamsOf(5);
    picker.update?.(upstreams);
    const inList = keys.filter((_, index) => (chances[index] as number) < 0.25);
    for (const upstream of upstreams) {
      const all = keys.filter((key) => picker.pick(upstreams, keyed(key)) === upstream).length / keys.length;
      const own = inList.filter((key) => picker.pick(upstreams, keyed(key)) === upstream).length / inList.length;
      expect(Math.abs(own - all)).toBeLessThan(0.08);
    }
  });

  it("explains the share of the keys of an instance", () => {
    const upstreams = upstreamsOf(5, (index) => 1 + index);
    const picker = ringHash();
    picker.update?.(upstreams);
    expect(picker.explain?.(upstreams[0] as Upstream)).toEqual({});
    const owners = keys.map((key) => picker.pick(upstreams, keyed(key)));
    let sum = 0;
    for (const upstream of upstreams) {
      const share = picker.explain?.(upstream)["share"] as number;
      sum += share;
      expect(Math.abs(owners.filter((owner) => owner === upstream).length / keys.length - share)).toBeLessThan(0.04);
    }
    expect(sum).toBeCloseTo(1, 9);
  });
});
