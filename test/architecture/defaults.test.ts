import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import type { OptionRule } from "../../src/core/settings/option-rule.ts";
import { OptionTable } from "../../src/core/settings/option-table.ts";
import { type ClaimedDefault, claimedDefaultsOf, givenDefaultsOf, literalOf, tableVariablesOf } from "./defaults.ts";

const src = join(import.meta.dirname, "../../src");
const parse = (path: string, text: string) => ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);

function readSources(): ReadonlyMap<string, ts.SourceFile> {
  const paths = readdirSync(src, { recursive: true, encoding: "utf8" }).map((name) => name.replaceAll("\\", "/"));
  const programs = paths.filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts"));
  return new Map(programs.map((path) => [path, parse(path, readFileSync(join(src, path), "utf8"))]));
}

type Rules = Readonly<Record<string, OptionRule<unknown> | undefined>>;

/** The rules of the options of each type that has a table, as modules export it: the table itself, or the layer that has it. */
async function readTables(sources: ReadonlyMap<string, ts.SourceFile>): Promise<ReadonlyMap<string, Rules>> {
  const tables = new Map<string, Rules>();
  for (const [path, source] of sources) {
    for (const [type, variable] of tableVariablesOf(source)) {
      const exported = ((await import(join(src, path))) as Record<string, unknown>)[variable] as { readonly options?: unknown } | undefined;
      const table = exported instanceof OptionTable ? exported : exported?.options;
      if (table instanceof OptionTable) tables.set(type, table.rules as Rules);
    }
  }
  return tables;
}

/** Literal defaults that no table and no expression of the code gives, and why they hold all the same. */
const reviewed: Readonly<Record<string, string>> = {
  "DnsOptions.emptyPolicy": "a discovery without a policy is quarantined: discovery/watcher.ts",
  "SimulatedServer.copies": "testing/simulator/listing.ts, in a condition",
  "SimulatedServer.reportsLoad": "testing/simulator/server.ts, in a condition",
  "PrequalOptions.rifQuantile": "2 ** -0.25 in its table",
  "RegistrationOptions.healthIntervalMs": "registration/joint-registration.ts, for it depends on the registries",
  "ServerAnswer.latencyMs": "testing/simulator/server.ts, as a part of its answer",
};

const sources = readSources();
const tables = await readTables(sources);
const claims = [...sources].flatMap(([path, source]) => claimedDefaultsOf(path, source));
const plain = (text: string | undefined) => text?.replaceAll("`", "");

/** The error in a claim; `undefined` for one that is true, and for one in words where there is no table. */
function objectionTo({ at, type, option, text }: ClaimedDefault): string | undefined {
  const claimed = literalOf(text);
  const rules = tables.get(type);
  const where = `${at}: ${type}.${option} is said to be ${text} by default`;
  if (rules !== undefined) {
    const rule = rules[option];
    const given = claimed === undefined ? plain(rule?.defaultText) : JSON.stringify(rule?.default);
    return given === (claimed ?? plain(text)) ? undefined : `${where}, and its table has ${given}`;
  }
  if (claimed === undefined) return undefined;
  // In the files that know the type, and in those beside it.
  const users = [...sources].filter(([path, source]) => dirname(path) === dirname(at) || new RegExp(`\\b${type}\\b`).test(source.text));
  const given = users.flatMap(([, source]) => givenDefaultsOf(source)).filter((each) => each.option === option);
  if (given.some((each) => literalOf(each.text) === claimed)) return undefined;
  return `${where}, and the code gives ${given.map((each) => each.text).join(", ") || "none"}`;
}

describe("the defaults that comments claim", () => {
  it("are those that the options have", () => {
    expect(tables.size).toBeGreaterThan(15);
    expect(claims.length).toBeGreaterThan(130);
    const unknown = claims.filter(({ type, option }) => reviewed[`${type}.${option}`] === undefined);
    expect(unknown.flatMap((claim) => objectionTo(claim) ?? [])).toEqual([]);
  });

  it("are reviewed by hand only where they have to be", () => {
    const names = claims.filter((claim) => objectionTo(claim) !== undefined).map(({ type, option }) => `${type}.${option}`);
    expect(Object.keys(reviewed).sort()).toEqual(names.sort());
  });

  it("are read from tags and from sentences", () => {
    const text = `
      interface A {
        /** One. @default 65_536 */
        one?: number;
        /** Two. Default \`"two"\`. */
        two?: string;
        /** Three. Default 10,000. */
        three?: number;
        /** Defaults are in the table. */
        four?: {
          /** @default false */
          five?: boolean;
        };
      }`;
    expect(claimedDefaultsOf("a.ts", parse("a.ts", text)).map(({ at, option, text: said }) => [at, option, said, literalOf(said)])).toEqual(
      [
        ["a.ts:4", "one", "65_536", "65536"],
        ["a.ts:6", "two", '"two"', '"two"'],
        ["a.ts:8", "three", "10,000", "10000"],
        ["a.ts:12", "five", "false", "false"],
      ],
    );
  });

  it("are compared with what code gives to options that are absent", () => {
    const text = `
      const { one = 64 * 2 ** 10, two: renamed = "two" } = options;
      const three = options.three ?? [];
      const defaultLimits = { four: 4 };`;
    expect(givenDefaultsOf(parse("a.ts", text)).map((each) => [each.option, literalOf(each.text)])).toEqual([
      ["one", "65536"],
      ["two", '"two"'],
      ["three", "[]"],
      ["four", "4"],
    ]);
  });

  it("are literals, or words: none, the mesh's, unknown: as many in each", () => {
    expect(["none", "the mesh's", "unknown: as many", "0.5 with several priorities, 0 with one"].map(literalOf)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(literalOf('"http://127.0.0.1:9095/page", a placeholder')).toBe('"http://127.0.0.1:9095/page"');
  });
});
