import { describe, expect, test } from "vitest";
import { ConfigError, compareConfigs, effectiveConfig } from "../../src/config/config.ts";

const file = `discovery: { consul: { token: "\${env:TOKEN}" } }
retry: { maxAttempts: 2 }
services: { orders: { timeoutMs: 50 } }
`;

describe("the effective configuration", () => {
  test("has what the file says and the defaults of the rest, groups included, and references as they stand", () => {
    expect(effectiveConfig(file, "a.yaml")).toMatchObject({
      discovery: { consul: { token: "${env:TOKEN}" } },
      timeoutMs: 10_000,
      retry: { maxAttempts: 2, budget: { ratio: expect.any(Number) } },
      hedge: false,
      services: { orders: { timeoutMs: 50 } },
    });
  });

  test("shows no secret that stands in the file all the same", () => {
    const shown = effectiveConfig("discovery: { consul: { token: abc } }\ntls: { key: abc }\n", "a.yaml");
    expect(shown).toMatchObject({ discovery: { consul: { token: "(secret)" } }, tls: { key: "(secret)" } });
  });

  test.each(["timeouts: 5", "retry: { timeouts: 5 }"])("refuses an option that there is not: %s", (line) => {
    expect(() => effectiveConfig(`${file.replace(/^retry.*\n/m, "")}${line}\n`, "a.yaml")).toThrow(ConfigError);
  });
});

describe("two configurations", () => {
  test("differ where an option is otherwise in force, whether it stands in the file or not", () => {
    const before = effectiveConfig(file, "a.yaml");
    const after = effectiveConfig(file.replace("maxAttempts: 2", "maxAttempts: 3, methods: safe").replace("50", "60"), "b.yaml");
    expect(compareConfigs(before, after)).toEqual([
      { option: "services.orders.timeoutMs", before: 50, after: 60 },
      { option: "retry.maxAttempts", before: 2, after: 3 },
    ]);
    expect(compareConfigs(before, effectiveConfig(`${file}timeoutMs: 10000\n`, "b.yaml"))).toEqual([]);
    expect(compareConfigs(before, effectiveConfig(`${file}hedge: {}\nzone: a\n`, "b.yaml"))).toContainEqual({ option: "zone", after: "a" });
  });
});
