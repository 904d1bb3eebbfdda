import { describe, expect, it } from "vitest";
import { PerList } from "../../../src/balancer/lists/per-list.ts";
import { testUpstream } from "../../../src/testing/index.ts";

const all = Array.from({ length: 20 }, (_, index) => testUpstream({ port: index + 1 }));

/** States that name the lists which they were made from. */
function traced(): { lists: PerList<string>; made: string[] } {
  const made: string[] = [];
  const lists = new PerList<string>((list, before) => {
    const state = `${before ?? ""}>${list.map(({ endpoint }) => endpoint.port).join(",")}`;
    made.push(state);
    return state;
  });
  return { lists, made };
}

describe("PerList", () => {
  it("makes a state at the first use after a change, and none for a list that was not announced", () => {
    const { lists, made } = traced();
    const list = all.slice(0, 3);
    expect(lists.of(list)).toBeUndefined();
    lists.announce(list);
    lists.announce(list);
    expect(made).toEqual([]);
    expect([lists.of(list), lists.of(list)]).toEqual([">1,2,3", ">1,2,3"]);
    expect(lists.of([...list])).toBeUndefined();
    expect(made).toHaveLength(1);
  });

  it("keeps lists apart, and makes the state of a new list from that of the list which it replaces", () => {
    const { lists } = traced();
    const [one, other] = [all.slice(0, 3), all.slice(10, 13)];
    for (const list of [one, other]) lists.announce(list);
    for (let use = 0; use < 3; use++) expect([lists.of(one), lists.of(other)]).toEqual([">1,2,3", ">11,12,13"]);
    const [oneLater, otherLater] = [all.slice(0, 2), all.slice(11, 14)];
    for (const list of [otherLater, oneLater]) lists.announce(list);
    expect(lists.of(oneLater)).toBe(">1,2,3>1,2");
    expect(lists.of(otherLater)).toBe(">11,12,13>12,13,14");
    expect([...lists.states()]).toEqual([">11,12,13>12,13,14", ">1,2,3>1,2"]);
  });

  it("makes the state of a list again from its own when it is announced again", () => {
    const { lists, made } = traced();
    const list = all.slice(0, 2);
    lists.announce(list);
    lists.of(list);
    lists.announce(list);
    lists.announce(list);
    expect(lists.of(list)).toBe(">1,2>1,2");
    expect(made).toHaveLength(2);
    expect([...lists.states()]).toHaveLength(1);
  });

  it("hands on no state after an empty list, and still knows a list that is in use", () => {
    const { lists } = traced();
    const list = all.slice(0, 2);
    lists.announce(list);
    lists.of(list);
    lists.announce([]);
    expect([...lists.states()]).toEqual([]);
    expect(lists.of(list)).toBe(">1,2");
  });

  it("keeps only a few states, however many lists there have been", () => {
    const { lists } = traced();
    for (let change = 0; change < 200; change++) {
      const list = [testUpstream({ port: 1_000 + change })];
      lists.announce(list);
      lists.of(list);
    }
    expect([...lists.states()].length).toBeLessThanOrEqual(16);
  });

  it("keeps no list of instances that discovery no longer lists", () => {
    const { lists } = traced();
    for (let change = 0; change < 10; change++) {
      const list = [testUpstream({ port: 1_000 + change })];
      lists.announce(list);
      lists.of(list);
      for (const upstream of list) upstream.markRemoved();
    }
    const last = all.slice(0, 2);
    lists.announce(last);
    lists.of(last);
    expect([...lists.states()]).toEqual([">1,2"]);
  });
});
