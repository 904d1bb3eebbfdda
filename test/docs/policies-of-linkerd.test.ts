import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readCaseFile, runCases } from "../../src/authorization/cases/policy-cases.ts";

const names: Readonly<Record<string, string>> = {
  WEB: "web.shop.serviceaccount.identity.linkerd.cluster.local",
  JOB: "job.shop.serviceaccount.identity.linkerd.cluster.local",
};
const page = readFileSync("docs/guides/policies-of-linkerd.md", "utf8");
const rows = page
  .split("\n")
  .filter((line) => /^\| (?!-|Linkerd )/.test(line))
  .map((line) => line.slice(1, -1).split(/(?<!\\)\|/));

/** The pieces of code of a cell, with the names of callers written out. */
const codeIn = (cell = ""): readonly string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) =>
    code.replaceAll("\\|", "|").replace(/\b(?:WEB|JOB)\b/g, (name) => names[name] ?? name),
  );

describe("docs/guides/policies-of-linkerd.md", () => {
  it("names the callers as the test does, and has a row for each resource", () => {
    for (const [short, name] of Object.entries(names)) expect(page).toMatch(new RegExp(`\`${short}\`[\\s\\S]{0,20}\`${name}\``));
    const resources = rows.map(([linkerd]) => linkerd).join(" ");
    for (const each of ["Server", "AuthorizationPolicy", "MeshTLSAuthentication", "NetworkAuthentication", "HTTPRoute"])
      expect(resources).toContain(each);
    expect(rows.length).toBeGreaterThanOrEqual(17);
  });

  it.each(rows.map((row) => [(row[0] ?? "").trim(), row] as const))("decides as its row says: %s", (_title, row) => {
    expect(row).toHaveLength(4);
    const rules = codeIn(row[1]).filter((code) => code !== "rules: []");
    const cases = [
      ...codeIn(row[2]).map((each) => each.replace(/^\{/, "{ expect: allowed,")),
      ...codeIn(row[3]).map((each) => each.replace(/^\{/, "{ expect: denied,")),
    ];
    expect(cases.length).toBeGreaterThan(0);
    const list = rules.map((rule, index) => `\n  - ${rule.replace(/^\{/, `{ id: r${index},`)}`).join("");
    const text = `rules: ${list === "" ? "[]" : list}\ntests:${cases.map((each) => `\n  - ${each}`).join("")}\n`;
    const results = runCases(readCaseFile(text, "row"));
    expect(results.filter(({ passed }) => !passed)).toEqual([]);
  });
});
