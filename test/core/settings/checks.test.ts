import { describe, expect, it } from "vitest";
import {
  checkChoice,
  checkFlag,
  checkFunction,
  checkInteger,
  checkKeys,
  checkNumber,
  checkObject,
  checkText,
  maxTimerMs,
  refuseOption,
} from "../../../src/core/settings/checks.ts";

describe("option checks", () => {
  it("take what is right and what is absent", () => {
    checkNumber("n", 5, 1, 5);
    checkNumber("n", undefined, 1);
    checkChoice("c", "a", ["a", "b"]);
    checkChoice("c", undefined, ["a"]);
    checkChoice("c", 4, [0, 4, 6]);
    checkInteger("n", 5, 1, 5);
    checkInteger("n", 2 ** 40, 1);
    checkFlag("f", false);
    checkText("t", "x");
    checkFunction("f", () => {});
    checkObject("o", {});
    checkObject("o", Object.create(null));
    for (const check of [checkFlag, checkText, checkFunction, checkObject]) check("x", undefined);
    checkInteger("n", undefined, 1);
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
    expect(() => checkChoice("family", "4", [0, 4, 6])).toThrow(new TypeError('family must be one of 0, 4, 6, not "4"'));
    expect(() => checkInteger("port", 80.5, 1, 65_535)).toThrow(new RangeError("port must be a whole number, not 80.5"));
    expect(() => checkInteger("port", Number.POSITIVE_INFINITY, 1)).toThrow(new RangeError("port must be a whole number, not Infinity"));
    expect(() => checkInteger("port", 0, 1, 65_535)).toThrow(new RangeError("port must be from 1 to 65535, not 0"));
    expect(() => checkFlag("secure", 1)).toThrow(new TypeError("secure must be true or false, not 1"));
    expect(() => checkText("name", "")).toThrow(new TypeError('name must be a string that is not empty, not ""'));
    expect(() => checkText("name", null)).toThrow(new TypeError("name must be a string that is not empty, not null"));
    expect(() => checkFunction("onError", {})).toThrow(new TypeError("onError must be a function, not an object"));
    expect(() => checkKeys("retry", JSON.parse('{"__proto__":1}') as object, ["maxAttempts"])).toThrow('"__proto__"');
  });

  it("write a value so that it can be read, whatever it is", () => {
    const shownOf = (value: unknown): string => {
      try {
        return refuseOption("o", value, "right");
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError);
        return (error as Error).message.replace("o must be right, not ", "");
      }
    };
    expect(shownOf("a\nb")).toBe('"a\\nb"');
    expect(shownOf("x".repeat(1_000))).toBe(`"${"x".repeat(60)}…"`);
    expect([Number.NaN, -1, 5n, undefined, null, true, Symbol("s")].map(shownOf)).toEqual([
      "NaN",
      "-1",
      "5",
      "undefined",
      "null",
      "true",
      "Symbol(s)",
    ]);
    expect([{}, Object.create(null), () => {}].map(shownOf)).toEqual(["an object", "an object", "a function"]);
    expect([[], [1, "a"], [[1], {}], Array.from({ length: 9 }).fill(0)].map(shownOf)).toEqual([
      "[]",
      '[1, "a"]',
      "[an array, an object]",
      "[0, 0, 0, 0, 0, …]",
    ]);
  });

  it("show no text where options were expected: it may be a secret", () => {
    expect(() => checkObject("tls", "-----BEGIN")).toThrow(new TypeError("tls must be an object with options, not a string"));
    expect(() => checkObject("tls", ["-----BEGIN"])).toThrow(new TypeError("tls must be an object with options, not an array"));
    expect(() => checkObject("options", null)).toThrow(new TypeError("options must be an object with options, not null"));
    expect(() => checkObject("options", 5)).toThrow(new TypeError("options must be an object with options, not 5"));
  });

  it("know the longest time that Node's timers take", () => {
    expect(maxTimerMs).toBe(2_147_483_647);
  });
});
