import { describe, expect, it, vi } from "vitest";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import { located } from "../../../src/discovery/combined/located.ts";
import type { Discovery, DiscoveryAnswer } from "../../../src/discovery/discovery.ts";
import { staticDiscovery } from "../../../src/discovery/file/static.ts";
import { endpointsIn } from "../sources.ts";

const one: Endpoint = { id: "a", host: "10.0.0.1", port: 80, region: "us-1", zone: "us-1a", priority: 3 };

async function answersOf(discovery: Discovery): Promise<(readonly Endpoint[] | DiscoveryAnswer)[]> {
  const answers = [];
  for await (const answer of discovery.watch("orders", new AbortController().signal)) answers.push(answer);
  return answers;
}

describe("located", () => {
  it("says of all endpoints where they are, whatever the source says", async () => {
    const source: Discovery = {
      async *watch() {
        yield [one];
      },
    };
    const [answer = []] = await answersOf(located(source, { region: "eu-1", priority: 0 }));
    expect(endpointsIn(answer)).toEqual([{ ...one, region: "eu-1", priority: 0 }]);
    const [other = []] = await answersOf(located(source, { zone: "eu-1b" }));
    expect(endpointsIn(other)).toEqual([{ ...one, zone: "eu-1b" }]);
    const [third = []] = await answersOf(located(source, { weight: 3, metadata: { version: "2" } }));
    expect(endpointsIn(third)).toEqual([{ ...one, weight: 3, metadata: { version: "2" } }]);
  });

  it("hands on the rest of an answer, and the same array for the same array", async () => {
    const endpoints = [one];
    const leftOut = [{ id: "b", reason: "in maintenance" }];
    const source: Discovery = {
      async *watch() {
        yield { endpoints, certain: true, leftOut };
        yield { endpoints, certain: false };
        yield { endpoints: [null as unknown as Endpoint], certain: false };
      },
    };
    const answers = (await answersOf(located(source, { region: "eu-1" }))) as DiscoveryAnswer[];
    expect(answers.map(({ certain }) => certain)).toEqual([true, false, false]);
    expect(answers[0]?.leftOut).toEqual(leftOut);
    expect(answers[1]?.endpoints).toBe(answers[0]?.endpoints);
    expect(answers[2]?.endpoints).toEqual([null]);
  });

  it("is the source in all else", async () => {
    const source = staticDiscovery({ orders: [] });
    const refresh = vi.fn();
    const close = vi.fn();
    const placed = located({ ...source, refresh, close, emptyPolicy: "trust", allowSocketPaths: true }, { region: "eu-1" });
    expect(placed).toMatchObject({ name: source.name, emptyPolicy: "trust", allowSocketPaths: true });
    expect(await placed.services?.(new AbortController().signal)).toEqual(["orders"]);
    placed.refresh?.("orders");
    await placed.close?.();
    expect([refresh.mock.calls, close.mock.calls]).toEqual([[["orders"]], [[]]]);
    expect(located({ watch: source.watch }, { region: "eu-1" }).services).toBeUndefined();
  });

  it.each([
    [undefined, /located needs a region, a zone or a priority/],
    [{}, /located needs a region/],
    ["eu-1", /located: location must be an object/],
    [{ region: "eu-*" }, /located: region must be .*not "eu-\*"/],
    [{ region: "" }, /located: region must be/],
    [{ zone: "" }, /located: zone must be/],
    [{ priority: -1 }, /located: priority must be from 0 to 65535/],
    [{ regoin: "eu" }, /located has no option "regoin"/],
  ])("refuses %j", (location, message) => {
    expect(() => located(staticDiscovery({}), location as object)).toThrow(message);
  });

  it("refuses what is no discovery", () => {
    expect(() => located({} as Discovery, { region: "eu-1" })).toThrow(/located: source must be a discovery/);
  });
});
