import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { readPageFiles } from "../../src/admin/page-files.ts";
import { requireDist } from "../dist.ts";

const root = join(import.meta.dirname, "../..");

describe("the files of the page", () => {
  it.each(["src/admin/page-files.ts", "dist/admin/admin.js", "dist/chunks/mesh.js"])("are found by %s", (path) => {
    requireDist();
    const files = readPageFiles(pathToFileURL(join(root, path)).href);
    expect([...files.keys()]).toEqual(["/", "/page.js", "/page.css", "/icon.svg"]);
    expect(files.get("/page.js")?.body.length).toBeGreaterThan(40_000);
    expect(files.get("/page.js")?.body.length).toBeLessThan(120_000);
  });

  it("are one text that says what to do, where the page has not been built", () => {
    const files = readPageFiles(pathToFileURL(join(import.meta.dirname, "nowhere/code.js")).href);
    expect([...files.keys()]).toEqual(["/"]);
    expect(files.get("/")?.body).toContain("npm run build");
  });
});
