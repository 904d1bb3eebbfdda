import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resultOf } from "../../../src/core/json/steps.ts";
import { findPlaces, readInstance } from "../../../src/registries/eureka/registry-text.ts";

/** What is found in a text, and the number of pauses that were offered. */
function read(text: string) {
  const bytes = Buffer.from(text);
  const work = findPlaces(bytes);
  for (let pauses = 0; ; pauses++) {
    const { done, value } = work.next();
    if (!done) continue;
    const apps = [...value].map(([app, spans]) => [app, spans.map((span) => resultOf(readInstance(bytes, span, app)))] as const);
    return { apps: new Map(apps), pauses };
  }
}

describe("the instances in the text of a registry", () => {
  it("are those that a parser of JSON finds, whatever else is there and however it is written", () => {
    const name = fc.constantFrom("A", "B", 'q"\\', "ü");
    const instance = fc.record({ host: fc.string({ unit: "binary" }), nested: fc.jsonValue() });
    const application = fc.tuple(name, fc.array(instance, { maxLength: 3 }), fc.jsonValue(), fc.boolean());
    fc.assert(
      fc.property(fc.array(application, { maxLength: 4 }), fc.constantFrom(undefined, 1, "\t"), (list, space) => {
        const expected = new Map<string, unknown[]>();
        const written = list.map(([app, instances, other, isNameLast]) => {
          const key = app.toUpperCase();
          expected.set(key, [...(expected.get(key) ?? []), ...instances]);
          return isNameLast ? { instance: instances, other, name: app } : { name: app, other, instance: instances };
        });
        const text = JSON.stringify({ before: list, applications: { application: written, versions__delta: 1 } }, null, space);
        expect(read(text).apps).toEqual(new Map(JSON.parse(JSON.stringify([...expected])) as [string, unknown[]][]));
      }),
    );
  });

  it("are those of one application, in the answer about it", () => {
    expect(read('{"application":{"name":"A","instance":{"port":1}}}').apps).toEqual(new Map([["A", [{ port: 1 }]]]));
  });

  it("are looked for with a pause after every 64 KiB, inside a value too", () => {
    const others = Array.from({ length: 10_000 }, (_, i) => ({ id: i, text: "x".repeat(100) }));
    const text = JSON.stringify({ applications: { application: { name: "A", instance: [{ others }] } } });
    expect(read(text).pauses).toBeGreaterThan(text.length / 65_536 - 3);
  });

  it.each([
    "{",
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,}',
    '{"a":}',
    '{"applications":{"application":[{"name":"A"',
    '{"a":1}x',
    '{"a":[}',
    "{a:1}",
    '{"a" 1}',
    '{"a":"',
  ])("are not found in %s, which is not JSON", (text) => {
    expect(() => read(text)).toThrow("answered with something that is not JSON");
  });
});
