import { describe, expect, it } from "vitest";
import { differencesOf, type EndpointChange, EndpointChanges } from "../../src/cli/endpoint-changes.ts";
import type { Endpoint } from "../../src/index.ts";

const one: Endpoint = { id: "a", host: "10.0.0.1", port: 1 };

function follow(
  ...updates: readonly { endpoints: readonly Endpoint[]; quarantined?: boolean; rejected?: readonly { entry: unknown; reason: string }[] }[]
) {
  const told: EndpointChange[] = [];
  const changes = new EndpointChanges((change) => told.push(change));
  for (const { endpoints, quarantined = false, rejected = [] } of updates)
    changes.update({ service: "s", endpoints, rejected, quarantined });
  return told;
}

describe("changes of endpoints", () => {
  it("are told once, and nothing is told of an answer that confirms the last", () => {
    expect(follow({ endpoints: [one] }, { endpoints: [one] }, { endpoints: [{ ...one }] })).toEqual([{ event: "added", endpoint: one }]);
    expect(follow({ endpoints: [one] }, { endpoints: [] })).toEqual([
      { event: "added", endpoint: one },
      { event: "removed", endpoint: one },
    ]);
  });

  it("begin with a word when there is nothing", () => {
    expect(follow({ endpoints: [] })).toEqual([{ event: "confirmed", message: "discovery lists no endpoint" }]);
  });

  it("tell when an answer goes into quarantine, and when it comes out", () => {
    const events = follow(
      { endpoints: [one] },
      { endpoints: [one], quarantined: true },
      { endpoints: [one], quarantined: true },
      { endpoints: [] },
    );
    expect(events.map(({ event }) => event)).toEqual(["added", "quarantine", "removed", "confirmed"]);
  });

  it("tell each entry that is not used once", () => {
    const rejected = [{ entry: { id: "" }, reason: "no id" }];
    const events = follow(
      { endpoints: [one], rejected },
      { endpoints: [one], rejected },
      { endpoints: [one] },
      { endpoints: [one], rejected },
    );
    expect(events.map(({ event }) => event)).toEqual(["added", "rejected", "rejected"]);
  });

  it("name every field that differs", () => {
    const other: Endpoint = { ...one, port: 2, secure: true, weight: 2, priority: 1, zone: "z", metadata: { v: "2", __proto__x: "1" } };
    expect(differencesOf({ ...one, metadata: { v: "1" } }, other)).toEqual([
      "address 10.0.0.1:1 → 10.0.0.1:2",
      "tls false → true",
      "weight 1 → 2",
      "priority 0 → 1",
      "zone none → z",
      "v 1 → 2",
      "__proto__x none → 1",
    ]);
    expect(differencesOf({ ...one, weight: 1, metadata: {} }, one)).toEqual([]);
  });
});
