import { describe, expect, it } from "vitest";
import { boundaryOption } from "../../../src/discovery/boundary/boundary-options.ts";

const check = (boundary: unknown) => () => boundaryOption.checkValues("services.orders.", { boundary });

describe("the option boundary", () => {
  it.each([undefined, false, { region: ["eu-*"] }, { region: ["eu-west-1", "uk"] }, { region: ["dc1"] }])("may be %j", (boundary) =>
    expect(check(boundary)).not.toThrow(),
  );

  it.each([
    [true, /must be an object with options, not true/],
    [{}, /services\.orders\.boundary needs region/],
    [{ region: [] }, /boundary\.region must be an array of names of regions, .*, not \[\]/],
    [{ region: "eu-*" }, /boundary\.region must be an array of names of regions, .*, not "eu-\*"/],
    [{ region: ["*"] }, /boundary\.region: "\*" stands for every region, which is no boundary/],
    [{ region: ["eu-1", "**"] }, /"\*\*" stands for every region/],
    [{ region: [""] }, /boundary\.region must be a name of a region/],
    [{ region: [" eu-*"] }, /must be a name of a region.*not " eu-\*"/],
    [{ region: ["*-1"] }, /"\*" only at its end, not "\*-1"/],
    [{ region: ["eu-*-1"] }, /must be a name of a region/],
    [{ region: ["eu-.*"] }, undefined],
    [{ region: ["(eu|us)"] }, /must be a name of a region/],
    [{ region: [/eu/] }, /must be a name of a region/],
    [{ region: [5] }, /must be a name of a region.*not 5/],
    [{ regions: ["eu-*"] }, /boundary has no option "regions"; it has region/],
    [{ region: ["eu-*"], zone: ["a"] }, /has no option "zone"/],
  ])("%j is refused with its name and value", (boundary, message) => {
    if (message === undefined) expect(check(boundary)).not.toThrow();
    else expect(check(boundary)).toThrow(message);
  });
});
