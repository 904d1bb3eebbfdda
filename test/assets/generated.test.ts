import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { generatedFiles } from "../../observability/files.ts";
import { assetFiles } from "../../src/assets/asset-files.ts";
import { assetsSettings } from "../../src/assets/assets-options.ts";
import { type Spelling, spellings } from "../../src/assets/spelling.ts";
import { root } from "./lint/assets.ts";

const directory = join(root, "observability");

describe("observability/", () => {
  it("contains what its generator writes, and no file that it wrote earlier", () => {
    const found = new Map<string, string>();
    for (const path of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
      const file = join(directory, path);
      if (!statSync(file).isDirectory() && !path.endsWith(".ts")) found.set(path.replaceAll("\\", "/"), readFileSync(file, "utf8"));
    }
    const generated = generatedFiles();
    expect([...found.keys()].sort()).toEqual([...generated.keys()].sort());
    for (const [path, text] of generated) expect(found.get(path), `${path} is not what npm run assets writes`).toBe(text);
  });

  it.each(spellings)("contains what the package writes for a user, %s", async (spelling: Spelling) => {
    const files = await assetFiles(assetsSettings({ spelling, runbookUrl: "docs/observability/runbooks.md" }));
    const generated = generatedFiles();
    for (const [path, text] of files) if (path !== "runbooks.md") expect(text, path).toBe(generated.get(`${spelling}/${path}`));
    expect(files.size).toBe(10);
  });
});
