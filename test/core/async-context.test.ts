import { AsyncLocalStorage } from "node:async_hooks";
import { expect, test } from "vitest";
import { AsyncContext } from "../../src/core/async-context.ts";

const storage = new AsyncLocalStorage<string>();

test("what is run in a context sees the values of its moment, and what comes after it those of before", () => {
  const context = storage.run("then", () => new AsyncContext());
  storage.run("now", () => {
    expect(context.run(() => storage.getStore())).toBe("then");
    expect(storage.getStore()).toBe("now");
  });
  expect(context.apply((...parts: string[]) => [storage.getStore(), ...parts].join(" "), undefined, ["and", "there"])).toBe(
    "then and there",
  );
});

test("what it throws is thrown, and the context is left", () => {
  const context = storage.run("then", () => new AsyncContext());
  expect(() =>
    context.run(() => {
      throw new Error("planted");
    }),
  ).toThrow("planted");
  expect(storage.getStore()).toBeUndefined();
});

test("`this` of a function that is applied is kept", () => {
  const context = new AsyncContext();
  expect(context.apply(Map.prototype.get, new Map([["a", 1]]), ["a"])).toBe(1);
});
