import { expect, it } from "vitest";
import { nearestName } from "../../src/suggestions/nearest-name.ts";

it.each<[string, readonly string[], string | undefined]>([
  ["user", ["users", "orders"], "users"],
  ["Users", ["users"], "users"],
  ["verb", ["help", "verbose"], "verbose"],
  ["order", ["reorder", "orders-eu"], "orders-eu"],
  ["v", ["help", "verbose"], "verbose"],
  ["chek", ["check"], "check"],
  ["billing-service", ["billing"], "billing"],
  ["q", ["e", "help"], undefined],
  ["", ["users"], undefined],
  ["users", [], undefined],
  ["users", ["users"], undefined],
  ["payments", ["users", "orders"], undefined],
  ["x".repeat(65), ["x".repeat(64)], undefined],
])("by %j out of %j, %j was meant", (given, names, meant) => {
  expect(nearestName(given, names)).toBe(meant);
});
