import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { builtPage } from "../../src/admin/built-page.ts";
import { pageFiles } from "../../src/admin/page-files.ts";
import { requireDist } from "../dist.ts";

describe("the files of the page", () => {
  it("are found where the build has put them", () => {
    requireDist();
    const files = pageFiles(builtPage());
    expect([...files.keys()]).toEqual(["/", "/page.js", "/page.css", "/icon.svg"]);
    expect(files.get("/page.js")?.body.length).toBeGreaterThan(40_000);
    expect(files.get("/page.js")?.body.length).toBeLessThan(120_000);
  });

  it("are in the built entry itself, which reads no file", () => {
    requireDist();
    const entry = readFileSync(join(import.meta.dirname, "../../dist/admin/admin.js"), "utf8");
    expect(entry).not.toContain("node:fs");
    expect(entry).toContain("<!doctype html>");
  });

  it("are one text that says what to do, where the page has not been built", () => {
    const files = pageFiles(builtPage(join(import.meta.dirname, "nowhere")));
    expect([...files.keys()]).toEqual(["/"]);
    expect(files.get("/")?.body).toContain("npm run build");
  });
});
