import { describe, expect, it } from "vitest";
import { regionOf, statedRegion } from "../../../src/discovery/boundary/region.ts";

describe("the region of an endpoint", () => {
  it("is its own, else that of its metadata, else that of its zone", () => {
    expect(regionOf({ region: "eu-1", metadata: { region: "us-1" }, zone: "ap-1a" })).toBe("eu-1");
    expect(regionOf({ metadata: { region: "us-1" }, zone: "ap-1a" })).toBe("us-1");
    expect(regionOf({ metadata: {}, zone: "dc1" })).toBe("dc1");
    expect(regionOf({})).toBeUndefined();
  });

  it.each([
    ["eu-west-1a", "eu-west-1"],
    ["us-gov-west-1b", "us-gov-west-1"],
    ["ap-northeast-12c", "ap-northeast-12"],
    ["europe-west1-b", "europe-west1"],
    ["westeurope-1", "westeurope-1"],
    ["us-west-2-lax-1a", "us-west-2-lax-1a"],
    ["rack 7", undefined],
    ["eu-west-1a\n", undefined],
  ])("of the zone %j is %j", (zone, region) => {
    expect(regionOf({ zone })).toBe(region);
  });

  it.each(["", " ", " eu-west-1", "eu-west-1 ", "eu-we\u200bst-1", "eu-\u0435", "-eu", "eu*", ".*", "e".repeat(256)])(
    "is unknown where the first statement is %j, whatever the others say",
    (region) => {
      expect(regionOf({ region, metadata: { region: "eu-1" }, zone: "eu-1" })).toBeUndefined();
      expect(regionOf({ metadata: { region }, zone: "eu-1" })).toBeUndefined();
      expect(statedRegion({ metadata: { region }, zone: "eu-1" })).toBe(region);
    },
  );

  it("is not what an object has inherited", () => {
    expect(regionOf({ metadata: Object.create({ region: "eu-1" }) as Record<string, string> })).toBeUndefined();
  });
});
