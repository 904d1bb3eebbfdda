import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rooms } from "../architecture/rooms.ts";
import { root } from "../docs/pages.ts";
import { aboutPeople } from "./exceptions.ts";
import { readRooms, unreadPages } from "./read.ts";
import { linesOf, lintRepository } from "./repository.ts";

const report = lintRepository();
const readPages = [...report.pages].filter(([path]) => !unreadPages.some((unread) => path.startsWith(unread)));

describe("the prose", () => {
  it.each([...readRooms])("of the comments in %s keeps to the rules", (room) => {
    expect(linesOf(report.rooms.get(room) ?? [])).toEqual([]);
  });

  it.each(readPages)("of %s keeps to the rules", (_path, findings) => {
    expect(linesOf(findings)).toEqual([]);
  });

  it("is looked at in rooms and pages that exist", () => {
    expect(readRooms.filter((room) => !rooms.has(room))).toEqual([]);
    expect(unreadPages.filter((unread) => ![...report.pages.keys()].some((path) => path.startsWith(unread)))).toEqual([]);
    expect(readPages.length).toBeGreaterThan(20);
  });

  it("has the sentences about people that are excepted", () => {
    const isThere = ({ path, words }: (typeof aboutPeople)[number]): boolean =>
      readFileSync(join(root, path), "utf8").replace(/\s+/g, " ").includes(words);
    expect(aboutPeople.filter((each) => !isThere(each))).toEqual([]);
    expect(aboutPeople.filter(({ reason }) => reason === "")).toEqual([]);
  });
});
