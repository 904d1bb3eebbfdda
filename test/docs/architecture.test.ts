import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withImportTables } from "../../docs/import-table.ts";
import { serviceLayers } from "../../src/mesh/pipeline.ts";
import { rooms } from "../architecture/rooms.ts";
import { readPage } from "./markdown.ts";
import { readPages, root, textOf } from "./pages.ts";

const text = textOf("docs/architecture.md");

/** The rooms that the tree of folders on the page shows, by their indentation below `src/`. */
function roomsInTree(tree: string): readonly string[] {
  const lines = tree.split("\n");
  const parents: string[] = [];
  return lines
    .slice(
      1,
      lines.findIndex((line) => line.startsWith("test/")),
    )
    .flatMap((line) => {
      const [, indent = "", name] = /^( +)([a-z0-9-]+)(?:\/|\.ts)(?=\s|$)/.exec(line) ?? [];
      if (name === undefined) return [];
      parents.splice(indent.length / 2 - 1);
      parents.push(name);
      return [parents.join("/")];
    });
}

describe("docs/architecture.md", () => {
  it("has the tables of imports as test/architecture has them (node docs/import-table.ts --write)", () => {
    expect(text).toBe(withImportTables(text));
  });

  it("shows every room in its tree, and no other", () => {
    const [tree] = readPage(text).blocks;
    const shown = roomsInTree(tree?.code ?? "");
    expect(shown.filter((room) => !rooms.has(room))).toEqual([]);
    // Sub-rooms of these are told of in the line of their room.
    const inWords = ["admin/", "cli/", "registries/", "testing/"];
    const expected = [...rooms.keys()].filter((room) => !inWords.some((each) => room.startsWith(each)));
    expect(expected.filter((room) => !shown.includes(room))).toEqual([]);
  });

  it("draws the layers of a service in their order", () => {
    const drawing =
      readPage(text)
        .blocks.find(({ code }) => code.includes("serviceLayers"))
        ?.code.split("\n") ?? [];
    const from = drawing.findIndex((line) => line.includes("serviceLayers")) + 1;
    const drawn = drawing.slice(from, drawing.indexOf("", from)).map((line) => line.trim().split(/ {2,}/)[0]);
    expect(drawn).toEqual(serviceLayers.map(({ name }) => name));
  });

  it("names files and rooms in its drawings that exist", () => {
    const [, ...drawings] = readPage(text).blocks;
    const paths = drawings.flatMap(({ code }) => code.match(/(?<![\w./-])[a-z]+\/[a-z/-]+(?:\.ts|\/)/g) ?? []);
    expect(paths.length).toBeGreaterThan(10);
    expect(paths.filter((path) => !existsSync(join(root, "src", path)))).toEqual([]);
  });

  it("leads to every page of decisions, each record of which has its four parts", () => {
    const pages = readdirSync(join(root, "docs/architecture")).filter((name) => name.endsWith(".md"));
    const linked = readPage(text).links.map(({ target }) => target);
    expect(pages.filter((name) => !linked.includes(`architecture/${name}`))).toEqual([]);
    for (const name of pages) {
      const { headings, prose } = readPage(textOf(`docs/architecture/${name}`));
      const records = headings.filter(({ level }) => level === 2);
      expect(records.length, name).toBeGreaterThan(1);
      for (const [index, { text: title, line }] of records.entries()) {
        const body = prose.slice(line, (records[index + 1]?.line ?? prose.length + 1) - 1).join("\n");
        const parts = [...body.matchAll(/^\*\*(.+?)\.\*\* \S/gm)].map(([, part]) => part);
        expect(parts, `${name}: ${title}`).toEqual(["Decision", "Reason", "Evidence", "Alternatives"]);
      }
    }
  });

  it("names faults, tests and benches that exist as evidence", () => {
    const evidence = [...readPages().keys()]
      .filter((path) => path.startsWith("docs/architecture/"))
      .map(textOf)
      .join("\n");
    const faults = [...new Set(evidence.match(/\bF\d\d\b/g))];
    expect(faults.length).toBeGreaterThan(5);
    expect(faults.filter((fault) => !existsSync(join(root, `test/chaos/faults/${fault}.ts`)))).toEqual([]);
    const quoted = [...evidence.replace(/\s+/g, " ").matchAll(/`(test\/[^`]+\.test\.ts)` \("([^"]+)"\)/g)];
    expect(quoted.length).toBeGreaterThan(5);
    expect(quoted.filter(([, path = "", title = ""]) => !textOf(path).includes(title)).map(([whole]) => whole)).toEqual([]);
    const benches = [...evidence.matchAll(/npm run bench -- ([a-z ]+)/g)].flatMap(([, names = ""]) => names.split(" "));
    expect(benches.filter((name) => !existsSync(join(root, `bench/${name}.ts`)))).toEqual([]);
  });
});
