import { Agent } from "node:http";
import { describe, expect, it } from "vitest";
import { npmConsul } from "../../../../src/registries/consul/http/npm-client.ts";

describe("the npm package", () => {
  const agent = new Agent();
  const missing = Object.assign(new Error("Cannot find module 'consul'"), { code: "MODULE_NOT_FOUND" });
  const throwing = (error: unknown) => () => {
    throw error;
  };

  it("is asked for by name when it is missing", () => {
    expect(() => npmConsul("http://127.0.0.1:8500", agent, throwing(missing))).toThrow(/npm install consul/);
  });

  it("that fails to load for another reason says that reason", () => {
    expect(() => npmConsul("http://127.0.0.1:8500", agent, throwing(new Error("broken inside")))).toThrow("broken inside");
  });

  it("of another version is refused", () => {
    for (const other of [{}, () => {}, class {}]) expect(() => npmConsul("http://127.0.0.1:8500", agent, () => other)).toThrow(/version 2/);
  });
});
