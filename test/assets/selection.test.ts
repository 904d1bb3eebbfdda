import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { oneOf, recorded, type Scope, select } from "../../src/assets/selection.ts";
import { readExpression } from "./lint/promql.ts";

const all: Scope = { spelling: "otlp", common: [], service: [] };
const some: Scope = { spelling: "otel-js", common: ['job="shop"'], service: ['server_service_name="orders"'] };

describe("A selector", () => {
  it("names the metric and the matchers", () => {
    expect(select(all, "inmesh.panic")).toBe("inmesh_panic");
    expect(select(some, "inmesh.discovery.age", ['a="b"'])).toBe('inmesh_discovery_age{a="b",job="shop",server_service_name="orders"}');
    expect(recorded(some, "a:b:c")).toBe('a:b:c{job="shop",server_service_name="orders"}');
  });

  it("has no matcher of the service for a metric without that label", () => {
    expect(select(some, "inmesh.tls.certificate.expiry")).toBe('inmesh_tls_certificate_expiry{job="shop"}');
  });

  it("selects only series with a service from the metric that other instrumentations write too", () => {
    expect(select(all, "http.client.request.duration", [], "count")).toBe(
      'http_client_request_duration_seconds_count{server_service_name!=""}',
    );
  });

  it("requires a part of a histogram, and of no other metric", () => {
    expect(() => select(all, "inmesh.client.attempts")).toThrow("histogram");
    expect(() => select(all, "inmesh.panic", [], "count")).toThrow("observable gauge");
  });

  it("matches exactly the given names, whatever characters they have", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { minLength: 1, maxLength: 4 }), fc.string(), (names, other) => {
        const { errors, selectors } = readExpression(`a{${oneOf("b", names)}}`);
        const [matcher] = selectors[0]?.matchers ?? [];
        expect(errors).toEqual([]);
        const value = matcher?.value ?? "";
        const matches = (name: string): boolean =>
          matcher?.operator === "=" ? value === name : new RegExp(`^(?:${value})$`, "su").test(name);
        for (const name of names) expect(matches(name)).toBe(true);
        expect(matches(other)).toBe(names.includes(other));
      }),
    );
  });
});
