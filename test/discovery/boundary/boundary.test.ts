import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import { Boundary, within } from "../../../src/discovery/boundary/boundary.ts";

const endpoint = (region: string | undefined, id = region ?? "?"): Endpoint => ({
  id,
  host: "10.0.0.1",
  port: 80,
  ...(region === undefined ? {} : { region }),
});
const isInside = (patterns: readonly string[], region: string | undefined) =>
  new Boundary({ region: patterns }).reasonOf(endpoint(region)) === undefined;

describe("Boundary", () => {
  it.each([
    [["eu-*"], "eu-west-1"],
    [["eu-west-1"], "eu-west-1"],
    [["us-*", "eu-west-1"], "eu-west-1"],
    [["e*"], "eu"],
  ])("%j contains %j", (patterns, region) => expect(isInside(patterns, region)).toBe(true));

  it.each([
    [["eu-*"], "us-east-1"],
    [["eu-*"], "EU-west-1"],
    [["eu-*"], "eu-"],
    [["eu-*"], "eu"],
    [["eu-*"], "not-eu-west-1"],
    [["eu-*"], "eu-west-1 "],
    [["eu-*"], "eu-\nwest-1"],
    [["eu"], "eu-evil"],
    [["eu.west"], "eu-west"],
    [["eu-west-1"], "eu-west-10"],
    [["eu-*"], ""],
    [["eu-*"], undefined],
  ])("%j does not contain %j", (patterns, region) => expect(isInside(patterns, region)).toBe(false));

  it("parts endpoints, and says where those outside are", () => {
    const boundary = new Boundary({ region: ["eu-*"] });
    const [inside, us, none, odd] = ["eu-1", "us-1", undefined, "e\u202eu"].map((region) => endpoint(region)) as [Endpoint, ...Endpoint[]];
    const { endpoints, outside, notUsed } = within(boundary, { endpoints: [inside, us as Endpoint, none as Endpoint, odd as Endpoint] });
    expect(endpoints).toEqual([inside]);
    expect(outside.map(({ address, region, reason }) => [address, region, reason])).toEqual([
      ["10.0.0.1:80", "us-1", 'outside of the boundary: in region "us-1"'],
      ["10.0.0.1:80", undefined, "outside of the boundary: its region is unknown"],
      ["10.0.0.1:80", undefined, 'outside of the boundary: its region is unknown, "e\\u{202e}u" is no name of one'],
    ]);
    expect(notUsed.map(({ id, withdrawn }) => [id, withdrawn])).toEqual([
      ["us-1", true],
      ["?", true],
      ["e\u202eu", true],
    ]);
  });

  it("says no more of a long text than its beginning", () => {
    expect(new Boundary({ region: ["eu-*"] }).reasonOf(endpoint("x".repeat(250)))?.length).toBeLessThan(120);
  });

  it("hands on the same array where there is none", () => {
    const all = [endpoint("us-1")];
    expect(within(undefined, { endpoints: all }).endpoints).toBe(all);
  });
});
