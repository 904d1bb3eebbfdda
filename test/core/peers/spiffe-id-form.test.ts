import { describe, expect, it } from "vitest";
import { parseSpiffeId, type SpiffeId } from "../../../src/core/peers/spiffe-id.ts";
import { parseSpiffeIdForm } from "../../../src/core/peers/spiffe-id-form.ts";

const form = "spiffe://example.org/ns/default/dc/*/svc/orders";
const matches = (text: string, id: string): boolean | undefined => parseSpiffeIdForm(text)?.matches(parseSpiffeId(id) as SpiffeId);

describe("a form of SPIFFE ids", () => {
  it("means the ids that differ in a segment `*` only, and an id without one means itself", () => {
    expect(parseSpiffeIdForm(form)?.trustDomain).toBe("example.org");
    expect(matches(form, "spiffe://example.org/ns/default/dc/dc1/svc/orders")).toBe(true);
    expect(matches(form, "spiffe://example.org/ns/default/dc/dc-2/svc/orders")).toBe(true);
    expect(matches("spiffe://example.org/a", "spiffe://example.org/a")).toBe(true);
    expect(matches("spiffe://example.org/a", "spiffe://example.org/b")).toBe(false);
  });

  it.each([
    "spiffe://example.org/ns/default/dc/dc1/svc/orders-admin",
    "spiffe://example.org/ns/default/dc/dc1/svc/Orders",
    "spiffe://example.org/ns/default/dc/dc1/svc/orders/more",
    "spiffe://example.org/ns/default/dc/dc1/extra/svc/orders",
    "spiffe://example.org/ns/default/dc/svc/orders",
    "spiffe://example.org/ns/other/dc/dc1/svc/orders",
    "spiffe://example.org.evil/ns/default/dc/dc1/svc/orders",
    "spiffe://evil/ns/default/dc/dc1/svc/orders",
    "spiffe://example.org",
  ])("does not mean %s", (id) => {
    expect(matches(form, id)).toBe(false);
  });

  it.each([
    "spiffe://*/ns/default",
    "spiffe://example.org",
    "spiffe://example.org/",
    "spiffe://example.org/dc/*1/svc",
    "spiffe://example.org/**",
    "spiffe://example.org//svc",
    "spiffe://example.org/../svc",
    "SPIFFE://example.org/svc",
    "*",
    "",
  ])("is not %j", (text) => {
    expect(parseSpiffeIdForm(text)).toBeUndefined();
  });
});
