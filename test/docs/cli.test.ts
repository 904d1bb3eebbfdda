import { describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { exitCodeMeanings, exitCodes } from "../../src/cli/exit-codes.ts";
import { spellingOf } from "../../src/cli/help.ts";
import { commonOptions, formatOption, type OptionTable } from "../../src/cli/option-table.ts";
import { registryOptions } from "../../src/cli/registry/registry-options.ts";
import { readPage } from "./markdown.ts";
import { textOf } from "./pages.ts";

/** The text under each heading of the second and third level. */
const sections: ReadonlyMap<string, string> = new Map(
  textOf("docs/reference/cli.md")
    .split(/^#{2,3} /m)
    .map((part) => [part.slice(0, part.indexOf("\n")), part] as const),
);

/** The rows of options in a section. */
const rowsIn = (heading: string): readonly string[] => (sections.get(heading) ?? "").split("\n").filter((line) => line.startsWith("| `-"));

const rowsOf = (options: OptionTable): readonly string[] =>
  Object.entries(options).map(([name, spec]) => `| \`${spellingOf(name, spec)}\` | ${spec.help.replaceAll("|", "\\|")} |`);

describe("docs/reference/cli.md", () => {
  it("has the five parts of every page about something that is used", () => {
    const { headings } = readPage(textOf("docs/reference/cli.md"));
    const parts = headings.filter(({ level }) => level === 2).map(({ text }) => text);
    expect(parts).toEqual(["When", "Use", "Options and defaults", "What it reports", "Pitfalls"]);
  });

  it("has the options that all commands have, and those of the registries", () => {
    expect(rowsIn("Of all commands")).toEqual(rowsOf({ ...commonOptions, ...formatOption }));
    expect(rowsIn("Where services are looked up")).toEqual(rowsOf(registryOptions));
  });

  it("has every exit code with what it says", () => {
    for (const [name, code] of Object.entries(exitCodes))
      expect(sections.get("What it reports")).toContain(`| ${code} | ${exitCodeMeanings[name as keyof typeof exitCodes]} |`);
  });

  it("tells about every command, and no other", () => {
    const told = [...sections.keys()].filter((heading) => heading.startsWith("inmesh ")).map((heading) => heading.split(" ")[1]);
    expect(told).toEqual([...commands.keys()]);
  });

  it.each([...commands.keys()])("has every option of %s, and no other", async (name) => {
    const { positionals, options } = (await commands.get(name)?.load())?.command ?? { positionals: [], options: {} };
    const elsewhere = new Set(Object.keys({ ...registryOptions, ...formatOption }));
    const own = Object.fromEntries(Object.entries(options).filter(([option]) => !elsewhere.has(option)));
    expect(rowsIn(`inmesh ${[name, ...positionals].join(" ")}`)).toEqual(rowsOf(own));
  });

  it("has a row about the JSON of each command that writes some, and of no other", async () => {
    const rows = (sections.get("What it reports") ?? "").split("With `-o json`")[1]?.match(/^\| `[^`]+`/gm) ?? [];
    const loaded = await Promise.all([...commands].map(async ([name, { load }]) => ({ name, ...(await load()).command })));
    const wanted = loaded.filter(({ options }) => "output" in options).map(({ name, positionals }) => [name, ...positionals].join(" "));
    expect(rows.map((row) => row.slice(3, -1))).toEqual(wanted);
  });

  it("names the commands whose results can be JSON", async () => {
    for (const [name, { load }] of commands) {
      const { command } = await load();
      const isNamed = /Commands with `-o` \((.*)\)/.exec(sections.get("Of all commands") ?? "")?.[1]?.includes(`\`${name}\``);
      expect(isNamed, name).toBe("output" in command.options);
    }
  });
});
