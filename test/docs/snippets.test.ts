import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireDist } from "../dist.ts";
import { readPages, root, textOf } from "./pages.ts";
import { type Snippet, SnippetProject, snippetsOf } from "./snippets.ts";

const pages = readPages();
const snippets = snippetsOf(pages);
const copies = [...pages].flatMap(([page, { blocks }]) =>
  blocks.flatMap(({ example, ...block }) => (example === undefined ? [] : [{ name: `${page}:${block.line}`, example, ...block }])),
);
const timeoutMs = 20_000;

describe("the code in the docs", () => {
  let project: SnippetProject;
  beforeAll(() => {
    requireDist();
    project = new SnippetProject(snippets);
  });
  afterAll(() => project?.[Symbol.dispose]());

  it("is there, in pages that are there", () => {
    expect([...pages.keys()]).toEqual(expect.arrayContaining(["README.md", "docs/reference/errors.md"]));
    expect(snippets.length).toBeGreaterThan(0);
  });

  it.each(snippets)("runs and ends: $name", { timeout: timeoutMs + 5_000 }, async (snippet) => {
    const { code, output } = await project.run(snippet, timeoutMs);
    expect(code, output).toBe(0);
  });

  it("has the right types", { timeout: 60_000 }, async () => {
    expect(await project.check(55_000)).toEqual({ code: 0, output: "" });
  });

  it.each(copies)("is the example it says to be: $name", ({ example, code, language }) => {
    expect(example).toMatch(/^examples\/(?:[a-z0-9-]+\/)?[a-z0-9-]+\.ts$/);
    expect(existsSync(join(root, example))).toBe(true);
    expect(language).toBe("ts");
    expect(code).toBe(textOf(example));
  });

  it("is in the source that it is part of", () => {
    const parts = [...pages.keys()].flatMap((page) =>
      [...textOf(page).matchAll(/^( *)<!-- part of (\S+) -->\n *```\n([\s\S]*?)^ *```$/gm)].map(
        ([, indent = "", source = "", code = ""]) => ({
          page,
          source,
          code: code.replace(new RegExp(`^${indent}`, "gm"), ""),
        }),
      ),
    );
    expect(parts.length).toBeGreaterThan(0);
    for (const { page, source, code } of parts) expect(textOf(source), `${page} has a part of ${source} that is not in it`).toContain(code);
  });

  it("is of the syntax that the oldest supported Node.js takes, in the examples too", () => {
    const examples = readdirSync(join(root, "examples"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !file.includes("node_modules"))
      .map((file) => ({ name: `examples/${file}`, code: textOf(`examples/${file}`) }));
    expect(examples.length).toBeGreaterThan(20);
    // `using` came with Node.js 24.
    expect([...snippets, ...examples].filter(({ code }) => /^\s*(?:await )?using \w+ = /m.test(code)).map(({ name }) => name)).toEqual([]);
  });

  it("is TypeScript wherever it is a program, so that all of it is run", () => {
    // `test/package/permission-model.test.ts` runs the programs of that page, as the files that they are in an application.
    const others = [...pages].flatMap(([page, { blocks }]) =>
      blocks
        .filter(() => page !== "docs/guides/permission-model.md")
        .filter(({ language }) => /^(typescript|tsx|javascript|jsx?|mjs|cjs|mts|cts|TS)$|^ts./.test(language))
        .map(({ line }) => `${page}:${line}`),
    );
    expect(others).toEqual([]);
  });
});

describe("running the code in the docs", () => {
  const planted = (page: string, code: string): Snippet => ({ name: `${page}:7`, page, line: 7, code });

  it("notices code that throws, says the page's line, and stops code that does not end", async () => {
    const throwing = planted("throws.md", 'const text: string = "x";\nthrow new Error(text);\n');
    const endless = planted("endless.md", "setInterval(() => {}, 1_000);\n");
    using project = new SnippetProject([throwing, endless]);
    const { code, output } = await project.run(throwing, timeoutMs);
    expect(code).toBe(1);
    expect(output).toContain("throws.md-7.ts:8");
    expect((await project.run(endless, 1_000)).code).toBeNull();
  });

  it("notices a wrong type and an import that is not there", async () => {
    const wrong = planted("wrong.md", 'import { createMesh } from "inmesh";\ncreateMesh({ discovery: 1 });\n');
    const missing = planted("missing.md", 'import { nothing } from "inmesh";\nnothing();\n');
    using project = new SnippetProject([wrong, missing]);
    const { code, output } = await project.check(55_000);
    expect(code).not.toBe(0);
    expect(output).toContain("wrong.md-7.ts(8,");
    expect(output).toContain("missing.md-7.ts(7,");
    expect((await project.run(missing, timeoutMs)).code).toBe(1);
  });
});
