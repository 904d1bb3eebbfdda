import { expect, test } from "vitest";
import { compilePermission } from "../../../../../src/registries/consul/connect/intentions/compiled-permission.ts";

const request = (method: string, path: string, headers: Readonly<Record<string, readonly string[]>> = {}) => ({
  method,
  path,
  headerValues: (name: string) => headers[name] ?? [],
});

test("a permission matches where path, method and headers all do", () => {
  const header = { name: "x-team", test: { exact: "a" }, invert: false, ignoreCase: false } as const;
  const given = { action: "allow", path: { prefix: "/orders" }, headers: [header], methods: ["GET"], tokens: [] } as const;
  const permission = compilePermission(given);
  expect(permission.matches(request("GET", "/orders/1", { "x-team": ["a"] }))).toBe(true);
  expect(permission.matches(request("POST", "/orders/1", { "x-team": ["a"] }))).toBe(false);
  expect(permission.matches(request("GET", "/admin", { "x-team": ["a"] }))).toBe(false);
  expect(permission.matches(request("GET", "/orders/1", { "x-team": ["b"] }))).toBe(false);
  expect(permission.matches(request("GET", "/orders/1"))).toBe(false);
});
