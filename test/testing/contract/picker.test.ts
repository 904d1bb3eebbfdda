import { describe, expect, it } from "vitest";
import type { Picker } from "../../../src/balancer/picker.ts";
import type { Random } from "../../../src/core/clock.ts";
import type { Upstream } from "../../../src/core/upstream.ts";
import { type CreatePicker, pickerContract } from "../../../src/testing/index.ts";

const uniform: CreatePicker = ({ random = Math.random } = {}) => ({ pick: (upstreams) => at(upstreams, random) });

function at(upstreams: readonly Upstream[], random: Random): Upstream | undefined {
  return upstreams[Math.floor(random() * upstreams.length)];
}

/** Picks from the set it was told of in `update`, whatever list it is given. */
const remembering: CreatePicker = ({ random = Math.random } = {}) => {
  let known: readonly Upstream[] = [];
  return {
    update(upstreams) {
      known = upstreams;
    },
    pick: () => at(known, random),
  };
};

/** Forgets that sets shrink. */
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

/** Round robin with one turn, whatever list it is asked for. */
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
  ["picks the only one there is", "wants two", picking((upstreams) => upstreams[1])],
  ["picks one of the list, also after the set has shrunk", "keeps what has left", hoarding],
  ["picks one of a part of the set, as for a second attempt", "picks from the whole set", remembering],
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
  ["gives a fair share in each of two lists at a time", "has one turn for all lists", turning],
  ["gives a fair share in each of two lists at a time", "picks from the list it was told of last", remembering],
  ["picks from two lists at a time, parts of them and new ones, only who is in the list", "picks from the whole set", remembering],
  [
    "picks from two lists at a time, parts of them and new ones, only who is in the list",
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
    "picks from a list whose weights are not what they should be",
    "adds weights up without looking",
    picking((upstreams, random) => {
      let rest = random() * upstreams.reduce((total, { weight }) => total + weight, 0);
      return upstreams.find(({ weight }) => {
        rest -= weight;
        return rest < 0;
      });
    }),
  ],
  [
    "says what it knows of an upstream in numbers and text, also of one that it has never seen",
    "divides by nothing",
    () => ({ pick: (upstreams) => upstreams[0], explain: ({ latencyMs, attempts: requests }) => ({ cost: latencyMs / requests }) }),
  ],
  [
    "stands in for chance with the same number from 0 to below 1 for the same key, if at all",
    "returns the hash itself",
    () => ({ pick: (upstreams) => upstreams[0], chanceOf: ({ path }) => path.length }),
  ],
  ["survives a thousand changes of the set", "keeps what has left", hoarding],
  ["survives a thousand changes of the set", "never looks again", stuck],
  [
    "picks one even when every weight is 0",
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
  ["leaves the list as it is", "sorts the list", picking((upstreams) => (upstreams as Upstream[]).sort()[0])],
  ["picks the same sequence for the same seed", "takes random numbers from elsewhere", picking((upstreams) => at(upstreams, Math.random))],
  ["keeps services apart", "shares what it was told last", remembering],
];

describe("pickerContract", () => {
  it.each(broken)("%s: fails for a picker that %s", async (name, _how, create) => {
    const test = pickerContract(create).find((candidate) => candidate.name === name);
    await expect(test?.run()).rejects.toThrow();
  });

  it("has been seen to fail in every case", () => {
    expect(new Set(broken.map(([name]) => name))).toEqual(new Set(pickerContract(uniform).map(({ name }) => name)));
  });

  it("passes a picker that picks at random", async () => {
    for (const test of pickerContract(uniform)) await test.run();
  });

  it("allows as much skew as it is told to", async () => {
    const skewed = picking((upstreams, random) => upstreams[Math.floor(random() ** 1.2 * upstreams.length)]);
    const share = pickerContract(skewed, { maxSkewRatio: 0.5 }).find(({ name }) => name.startsWith("gives equal"));
    await share?.run();
  });
});

function required(upstream: Upstream | undefined): Upstream {
  if (upstream === undefined) throw new Error("no upstream");
  return upstream;
}
