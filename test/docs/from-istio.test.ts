import { describe, expect, it } from "vitest";
import { readCaseFile, runCases } from "../../src/authorization/cases/policy-cases.ts";
import { codeIn, expectDecided, optionsOf, rowsBelow } from "./mesh-guide.ts";

const page = "docs/guides/from-istio.md";
const web = "spiffe://cluster.local/ns/shop/sa/web";

describe("docs/guides/from-istio.md", () => {
  const routes = rowsBelow(page, "VirtualService");

  it("has a row for each field of a rule", () => {
    const fields = routes.map(([istio]) => istio).join(" ");
    for (const each of [
      "hosts",
      "uri",
      "method",
      "headers",
      "withoutHeaders",
      "queryParams",
      "weight",
      "redirect",
      "directResponse",
      "rewrite",
      "timeout",
      "retries",
      "mirror",
      "fault",
    ])
      expect(fields).toContain(each);
    expect(routes.length).toBeGreaterThan(20);
  });

  it.each(routes.map((row) => [row[0], row] as const))("decides as its row says: %s", (_, row) => expectDecided(row));

  it.each(rowsBelow(page, "DestinationRule").map((row) => [row[0], row] as const))("has options that are valid: %s", async (_, row) => {
    expect(row).toHaveLength(3);
    for (const code of codeIn(row[1]).filter((each) => each.startsWith("{"))) {
      if (code.startsWith("{ subset")) await optionsOf(`routes: [{ to: ${code} }]`);
      else await optionsOf(`services: { reviews: ${code} }`);
    }
  });

  it.each(rowsBelow(page, "AuthorizationPolicy").map((row) => [row[0], row] as const))(
    "allows and denies as its row says: %s",
    (_, row) => {
      expect(row).toHaveLength(4);
      const written = (cell = "") => codeIn(cell).map((code) => code.replace(/\bWEB\b/g, web));
      const rules = written(row[1]).filter((code) => code.startsWith("{"));
      const cases = [
        ...written(row[2]).map((each) => each.replace(/^\{/, "{ expect: allowed,")),
        ...written(row[3]).map((each) => each.replace(/^\{/, "{ expect: denied,")),
      ];
      expect(cases.length).toBeGreaterThan(0);
      const list = rules.map((rule, index) => `\n  - ${rule.replace(/^\{/, `{ id: r${index},`)}`).join("");
      const text = `rules: ${list === "" ? "[]" : list}\ntests:${cases.map((each) => `\n  - ${each}`).join("")}\n`;
      expect(runCases(readCaseFile(text, "row")).filter(({ passed }) => !passed)).toEqual([]);
    },
  );

  it.each(rowsBelow(page, "ServiceEntry").map((row) => [row[0], row] as const))("has sources that are valid: %s", async (_, row) => {
    const { fromText } = await import("../../src/config/config.ts");
    for (const code of codeIn(row[1]))
      await expect(
        fromText(`${code.startsWith("discovery") ? "" : "discovery: { dns: {} }\n"}${code}\n`, "guide.yaml"),
      ).resolves.toBeTypeOf("object");
  });
});
