import { createRequire } from "node:module";
import { expect, it } from "vitest";
import { loadClient } from "../../../src/telemetry/prometheus/load-client.ts";

it("is found where it is installed", () => {
  expect(loadClient()).toBe(createRequire(import.meta.url)("@prometheus-io/client"));
});

it("is named with what to do when it is missing", () => {
  const missing = Object.assign(new Error("Cannot find module"), { code: "MODULE_NOT_FOUND" });
  const load = () => {
    throw missing;
  };
  expect(() => loadClient(load)).toThrow(
    expect.objectContaining({ message: expect.stringContaining("npm install @prometheus-io/client"), cause: missing }),
  );
});

it("is asked for in the right version when another one is there", () => {
  expect(() => loadClient(() => ({ Registry: class {} }))).toThrow('needs version 0.16 of "@prometheus-io/client"');
});

it("says itself why it cannot be loaded when it is there and broken", () => {
  const load = () => {
    throw new SyntaxError("half a file");
  };
  expect(() => loadClient(load)).toThrow(SyntaxError);
});
