import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireDist } from "../dist.ts";
import { readPages } from "./pages.ts";
import { SnippetProject, snippetsOf } from "./snippets.ts";

/** What the blocks of each page print, in their order. */
const printed: Readonly<Record<string, readonly (string | RegExp)[]>> = {
  axios: ["{ name: 'Ada' }\n", /^(\{ name: 'Ada' \}\n){4}ERR_MESH_TIMEOUT [12]\n$/],
  "got-ky": [
    "{ name: 'Ada' }\n",
    /^(\{ name: 'Ada' \}\n){4}ERR_MESH_TIMEOUT [12]\n$/,
    "{ name: 'Ada' }\n",
    "{ name: 'Ada' }\n{ name: 'Ada' }\n",
  ],
  opossum: [/^Ada, somebody, Ada, somebody, Ada(, somebody)+ true\n$/, /^Ada(, Ada){11}\n$/],
  "node-consul": ["{ name: 'Ada' }\n", "{ name: 'Ada' }\n"],
  "eureka-js-client": ["{ name: 'Ada' }\n", "{ name: 'Ada' }\n"],
};

describe("the pages for those who come from other packages", () => {
  const snippets = snippetsOf(readPages()).filter(({ page }) => page.startsWith("docs/guides/coming-from-"));
  let project: SnippetProject;
  beforeAll(() => {
    requireDist();
    project = new SnippetProject(snippets);
  });
  afterAll(() => project?.[Symbol.dispose]());

  it("are all of those that there are", () => {
    const pages = new Set(snippets.map(({ page }) => page));
    expect([...pages].sort()).toEqual(
      Object.keys(printed)
        .map((name) => `docs/guides/coming-from-${name}.md`)
        .sort(),
    );
  });

  it.each(Object.entries(printed))("show before and after: %s", { timeout: 60_000 }, async (name, expected) => {
    const blocks = snippets.filter(({ page }) => page === `docs/guides/coming-from-${name}.md`);
    expect(blocks).toHaveLength(expected.length);
    for (const [index, block] of blocks.entries()) {
      const { code, output } = await project.run(block, 30_000);
      expect(code, output).toBe(0);
      expect(output, block.name).toMatch(expected[index] as string | RegExp);
    }
  });
});
