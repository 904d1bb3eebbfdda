import { describe, expect, it } from "vitest";
import { rooms } from "../architecture/rooms.ts";
import { foreignNames } from "./exceptions.ts";
import { linesOf, lintRepository } from "./repository.ts";

const report = lintRepository();

describe("the prose", () => {
  it.each([...report.rooms])("of the comments in %s keeps to the rules", (_room, findings) => {
    expect(linesOf(findings)).toEqual([]);
  });

  it.each([...report.pages])("of %s keeps to the rules", (_path, findings) => {
    expect(linesOf(findings)).toEqual([]);
  });

  it("is looked at in every room, and in the pages", () => {
    expect([...report.rooms.keys()]).toEqual([...rooms.keys()]);
    expect(report.pages.size).toBeGreaterThan(20);
  });

  it("has every name of others that is excepted", () => {
    expect([...foreignNames.keys()].filter((name) => !report.foreignNames.has(name))).toEqual([]);
  });
});
