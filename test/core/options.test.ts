import { describe, expect, it } from "vitest";
import { checkChoice, checkKeys, checkNumber } from "../../src/core/options.ts";

describe("option checks", () => {
  it("take what is right and what is absent", () => {
    checkNumber("n", 5, 1, 5);
    checkNumber("n", undefined, 1);
    checkChoice("c", "a", ["a", "b"]);
    checkChoice("c", undefined, ["a"]);
    checkKeys("o", { a: 1 }, ["a"]);
  });

  it("name the option and the value", () => {
    expect(() => checkNumber("retry.budget.ratio", 2, 0, 1)).toThrow(new RangeError("retry.budget.ratio must be from 0 to 1, not 2"));
    expect(() => checkNumber("timeoutMs", 0, 1)).toThrow(new RangeError("timeoutMs must be at least 1, not 0"));
    expect(() => checkNumber("timeoutMs", Number.NaN, 1)).toThrow(new TypeError("timeoutMs must be a number, not NaN"));
    expect(() => checkNumber("timeoutMs", "5" as unknown as number, 1)).toThrow(new TypeError('timeoutMs must be a number, not "5"'));
    expect(() => checkNumber("timeoutMs", null as unknown as number, 1)).toThrow(TypeError);
    expect(() => checkChoice("emptyPolicy", "yes", ["trust", "quarantine"])).toThrow(
      new TypeError('emptyPolicy must be one of "trust", "quarantine", not "yes"'),
    );
    expect(() => checkKeys("retry", { maxAttemps: 3 }, ["maxAttempts"])).toThrow(
      new TypeError('retry has no option "maxAttemps"; it has maxAttempts'),
    );
    expect(() => checkKeys("retry", JSON.parse('{"__proto__":1}') as object, ["maxAttempts"])).toThrow('"__proto__"');
  });
});
