import { describe, expect, it } from "vitest";
import { codeIn, expectDecided, optionsOf, rowsBelow } from "./mesh-guide.ts";

const page = "docs/guides/from-linkerd.md";

describe("docs/guides/from-linkerd.md", () => {
  const routes = rowsBelow(page, "HTTPRoute");

  it("has a row for each part of a route", () => {
    const parts = routes.map(([linkerd]) => linkerd).join(" ");
    for (const each of [
      "hostnames",
      "Exact",
      "PathPrefix",
      "RegularExpression",
      "method",
      "queryParams",
      "weight",
      "RequestHeaderModifier",
      "RequestRedirect",
      "timeouts.request",
      "retry.linkerd.io/limit",
    ])
      expect(parts).toContain(each);
  });

  it.each(routes.map((row) => [row[0], row] as const))("decides as its row says: %s", (_, row) => expectDecided(row));

  it.each(rowsBelow(page, "Options of a service").map((row) => [row[0], row] as const))(
    "has options that are valid: %s",
    async (_, row) => {
      expect(row).toHaveLength(3);
      for (const code of codeIn(row[1]).filter((each) => each.startsWith("{"))) await optionsOf(`services: { books: ${code} }`);
    },
  );
});
