import { describe, expect, it } from "vitest";
import { isEntryName } from "../../src/registration/entry-name.ts";
import { keepRegistered } from "../../src/registration/keep-registered.ts";
import { consul } from "../../src/registries/consul.ts";
import { eureka } from "../../src/registries/eureka.ts";
import { memoryRegistry } from "../../src/testing/memory-registry.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { ScriptedEntry } from "./scripted-entry.ts";

const bad = [
  "",
  ".",
  "..",
  "a\0b",
  "a\tb",
  "a\nb",
  "a\u007fb",
  "a\u0085b",
  "a\u00a0b",
  "a\u200bb",
  "a\u2028b",
  "a\u202eb",
  "a\u3000b",
  "\ufeffa",
];
const worse = ["a\ud800b", "\udc00", "\ue000", "\u{e0001}", "a".repeat(257), 5, undefined];

describe("isEntryName", () => {
  it.each([...bad, ...worse])("refuses %j, which a server refuses or changes in a path", (name) => {
    expect(isEntryName(name)).toBe(false);
  });

  it.each([
    "web-1",
    "team/web",
    "a/../b",
    "web 1",
    "web#1",
    "web%2F1",
    "wéb",
    "😀",
    "...",
    "web:2001:db8::1:80",
    "__proto__",
    "a".repeat(256),
  ])("takes %j, by which an entry is found again", (name) => {
    expect(isEntryName(name)).toBe(true);
  });
});

describe("register", () => {
  const instance = { host: "127.0.0.1", port: 80 };
  // Nothing listens there: anything that was sent would be an error of another kind, after a while.
  const registries = { consul: consul({ port: 1 }), eureka: eureka({ servers: ["http://127.0.0.1:1/eureka"] }), memory: memoryRegistry() };

  it.each(Object.entries(registries))("of %s refuses such an id and such a name before anything is sent", async (_name, registry) => {
    for (const name of bad) {
      await expect(registry.register({ ...instance, service: "web", id: name })).rejects.toThrow(TypeError);
      await expect(registry.register({ ...instance, service: name })).rejects.toThrow(TypeError);
    }
  });

  it("of a registrar that does not look refuses such an id, and announces nothing", async () => {
    class Careless extends ScriptedEntry {
      override readonly id = ".." as "o1";
    }
    const entry = new Careless();
    const kept = keepRegistered(entry, { registerTimeoutMs: 0, clock: virtualClock(), random: () => 0 });
    await expect(kept).rejects.toThrow("the id of an entry must be 1 to 256 printable characters");
    expect(entry.calls()).toEqual([]);
  });
});
