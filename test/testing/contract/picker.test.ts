import { describe, expect, it } from "vitest";
import type { Picker } from "../../../src/balancer/picker.ts";
import type { Random } from "../../../src/core/clock.ts";
import type { Upstream } from "../../../src/core/upstream.ts";
import { type CreatePicker, pickerContract } from "../../../src/testing/index.ts";

const uniform: CreatePicker = ({ random = Math.random } = {}) => ({ pick: (upstreams) => at(upstreams, random) });

function at(upstreams: readonly Upstream[], random: Random): Upstream | undefined {
  return upstreams[Math.floor(random() * upstreams.length)];
}

/** Picks from the list of the last `update`, whatever list it is given. */
const remembering: CreatePicker = ({ random = Math.random } = {}) => {
  let known: readonly Upstream[] = [];
  return {
    update(upstreams) {
      known = upstreams;
    },
    pick: () => at(known, random),
  };
};

/** Keeps every upstream that it has ever seen. */
const hoarding: CreatePicker = ({ random = Math.random } = {}) => {
  const known = new Set<Upstream>();
  return {
    pick(upstreams) {
      for (const upstream of upstreams) known.add(upstream);
      return upstreams.length === 0 ? undefined : at([...known], random);
    },
  };
};

function picking(pick: (upstreams: readonly Upstream[], random: Random) => Upstream | undefined): CreatePicker {
  return ({ random = Math.random } = {}): Picker => ({ pick: (upstreams) => pick(upstreams, random) });
}

const stuck: CreatePicker = ({ random = Math.random } = {}) => {
  let current: Upstream | undefined;
  return {
    pick(upstreams) {
      current ??= at(upstreams, random);
      return upstreams.length === 0 ? undefined : current;
    },
  };
};

/** Round robin with one turn for all lists. */
const turning: CreatePicker = () => {
  let turn = 0;
  return { pick: (upstreams) => upstreams[turn++ % upstreams.length] };
};

const broken: readonly (readonly [name: string, how: string, create: CreatePicker])[] = [
  ["picks nothing from an empty list", "throws", picking((upstreams) => required(upstreams[0]))],
  [
    "picks nothing from an empty list",
    "remembers the last one",
    () => {
      let last: Upstream | undefined;
      return {
        pick(upstreams) {
          last = upstreams[0] ?? last;
          return last;
        },
      };
    },
  ],
  ["picks the only upstream of a list", "wants two", picking((upstreams) => upstreams[1])],
  ["picks a member of the list, also after upstreams have left", "keeps upstreams that have left", hoarding],
  ["picks a member of a part of the list, as for a retry", "picks from the whole set", remembering],
  [
    "gives equal upstreams a fair share",
    "prefers the first",
    picking((upstreams, random) => upstreams[Math.floor(random() ** 1.2 * upstreams.length)]),
  ],
  [
    "gives equal upstreams a fair share",
    "never picks the last",
    picking((upstreams, random) => upstreams[Math.floor(random() * Math.max(1, upstreams.length - 1))]),
  ],
  ["gives a fair share in each of two lists in turn", "has one turn for all lists", turning],
  ["gives a fair share in each of two lists in turn", "picks from the list of the last update", remembering],
  ["picks a member of the given list when two lists, parts of them and new lists alternate", "picks from the whole set", remembering],
  [
    "picks a member of the given list when two lists, parts of them and new lists alternate",
    "keeps a place by the number of members",
    () => {
      const bySize = new Map<number, readonly Upstream[]>();
      return {
        update: (upstreams) => void bySize.set(upstreams.length, upstreams),
        pick: (upstreams) => (bySize.get(upstreams.length) ?? upstreams)[0],
      };
    },
  ],
  [
    "picks from a list with invalid weights",
    "adds up weights unchecked",
    picking((upstreams, random) => {
      let rest = random() * upstreams.reduce((total, { weight }) => total + weight, 0);
      return upstreams.find(({ weight }) => {
        rest -= weight;
        return rest < 0;
      });
    }),
  ],
  [
    "explains every upstream in numbers and text, also one that it has never seen",
    "divides by 0",
    () => ({ pick: (upstreams) => upstreams[0], explain: ({ latencyMs, attempts }) => ({ cost: latencyMs / attempts }) }),
  ],
  [
    "returns the same chanceOf, from 0 to below 1, for the same key, if it has the method",
    "returns the hash itself",
    () => ({ pick: (upstreams) => upstreams[0], chanceOf: ({ path }) => path.length }),
  ],
  ["picks a member after each of a thousand updates", "keeps upstreams that have left", hoarding],
  ["picks a member after each of a thousand updates", "always picks the first one that it picked", stuck],
  [
    "picks an upstream when every weight is 0",
    "divides by the sum of the weights",
    picking((upstreams, random) => {
      const sum = upstreams.reduce((total, { weight }) => total + weight, 0);
      let rest = random() * sum;
      return upstreams.find(({ weight }) => {
        rest -= weight;
        return rest < 0;
      });
    }),
  ],
  ["does not change the list", "sorts the list", picking((upstreams) => (upstreams as Upstream[]).sort()[0])],
  ["picks the same sequence for the same seed", "takes random numbers from elsewhere", picking((upstreams) => at(upstreams, Math.random))],
  ["keeps the pickers of services apart", "picks from the list of the last update", remembering],
];

describe("pickerContract", () => {
  it.each(broken)("%s: fails for a picker that %s", async (name, _how, create) => {
    const test = pickerContract(create).find((candidate) => candidate.name === name);
    await expect(test?.run()).rejects.toThrow();
  });

  it("has a broken picker for every case", () => {
    expect(new Set(broken.map(([name]) => name))).toEqual(new Set(pickerContract(uniform).map(({ name }) => name)));
  });

  it("passes a picker that picks at random", async () => {
    for (const test of pickerContract(uniform)) await test.run();
  });

  it("allows the skew of its options", async () => {
    const skewed = picking((upstreams, random) => upstreams[Math.floor(random() ** 1.2 * upstreams.length)]);
    const share = pickerContract(skewed, { maxSkewRatio: 0.5 }).find(({ name }) => name.startsWith("gives equal"));
    await share?.run();
  });
});

function required(upstream: Upstream | undefined): Upstream {
  if (upstream === undefined) throw new Error("no upstream");
  return upstream;
}
