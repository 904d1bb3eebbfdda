import * as whole from "undici";
import { expect, it } from "vitest";
import * as parts from "../../../src/wire/undici/undici.ts";

it("the classes are those that the package exports", () => {
  const { Pool, Dispatcher } = parts;
  expect([Pool, parts.loadAgent(), Dispatcher]).toEqual([whole.Pool, whole.Agent, whole.Dispatcher]);
});

it("the methods are those that the package adds to every dispatcher", () => {
  const own = Object.getOwnPropertyNames(whole.Dispatcher.prototype).sort();
  const added = Object.keys(parts.loadMethods()).sort();
  expect(added).toEqual(["connect", "pipeline", "request", "stream", "upgrade"]);
  // What else it has comes from the class itself.
  expect(own.filter((name) => !added.includes(name))).toEqual(["close", "compose", "constructor", "destroy", "dispatch"]);
  for (const [name, method] of Object.entries(parts.loadMethods())) expect(Reflect.get(whole.Dispatcher.prototype, name)).toBe(method);
});
