import { expect, it } from "vitest";
import { routeParts, withRoutingTables } from "../../docs/routing-tables.ts";
import { textOf } from "./pages.ts";

const page = textOf("docs/reference/routing.md");
const parts = routeParts();

it("docs/reference/routing.md has every field of a rule as its check and its comment have it (node docs/routing-tables.ts --write)", () => {
  expect(page).toBe(withRoutingTables(page, parts));
});

it("every field of a rule has a comment that says what it means", () => {
  const fields = parts.flatMap((part) => part.fields);
  expect(fields.length).toBeGreaterThan(80);
  expect(fields.filter(({ sentence }) => sentence === "").map(({ path, name }) => `${path}: ${name}`)).toEqual([]);
});
