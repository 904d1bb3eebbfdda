import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ServerConnectionEvent } from "../../../src/core/observing/events.ts";
import { openTelemetry } from "../../../src/telemetry/open-telemetry.ts";
import { testRequest, testUpstream } from "../../../src/testing/request.ts";
import { identityReading, MetricsSdk, oneAttempt, resolved, ShownMesh, servedRequest } from "../support.ts";

let sdk: MetricsSdk;
let mesh: ShownMesh;
beforeEach(() => {
  sdk = new MetricsSdk();
  mesh = new ShownMesh();
});
afterEach(() => sdk.close());

/** The points that are not zero: `client ready 1`. */
async function shown(metric: string, ...attributes: readonly string[]): Promise<readonly string[]> {
  const points = (await sdk.points(metric)).filter(({ value }) => value > 0);
  return points.map((point) => [...attributes.map((name) => point.attributes[name]), point.value].join(" "));
}

const states = (): Promise<readonly string[]> => shown("inmesh.identities", "inmesh.identity.role", "inmesh.identity.state");

describe("identities", () => {
  test("are counted by state, those of the mesh and of its servers apart, and their states go back to zero", async () => {
    const observer = openTelemetry();
    mesh.own = identityReading({ state: "pending", expiresAtMs: undefined, lifetimeMs: undefined });
    observer.onOpen?.(mesh);
    expect(await states()).toEqual(["client pending 1"]);
    const server = { service: "orders", state: "serving", sinceMs: 0, open: 0, connections: 0 } as const;
    mesh.own = identityReading();
    mesh.served = [{ ...server, identity: identityReading() }, { ...server, identity: identityReading({ state: "withdrawn" }) }, server];
    expect(await states()).toEqual(["client ready 1", "server ready 1", "server withdrawn 1"]);
    mesh.served = [];
    mesh.own = identityReading({ state: "expired" });
    expect(await states()).toEqual(["client expired 1"]);
  });

  test("have the end and the lifetime of the certificate that ends first, in seconds", async () => {
    const observer = openTelemetry();
    const server = { service: "orders", state: "serving", sinceMs: 0, open: 0, connections: 0 } as const;
    mesh.own = identityReading();
    mesh.served = [
      { ...server, identity: identityReading({ expiresAtMs: 1_900_000_001_000 }) },
      { ...server, identity: identityReading({ expiresAtMs: 1_800_000_000_000, lifetimeMs: 60_000 }) },
      { ...server, identity: identityReading({ state: "pending", expiresAtMs: undefined, lifetimeMs: undefined }) },
    ];
    observer.onOpen?.(mesh);
    expect(await shown("inmesh.tls.certificate.expiry", "inmesh.identity.role")).toEqual(["client 1900000000.5", "server 1800000000"]);
    expect(await shown("inmesh.tls.certificate.lifetime", "inmesh.identity.role")).toEqual(["client 3600", "server 60"]);
  });

  test("a process without one has no series of them", async () => {
    const observer = openTelemetry();
    observer.onOpen?.(mesh);
    expect(await sdk.points("inmesh.identities")).toEqual([]);
  });
});

describe("attempts without TLS", () => {
  const attempt = (observer: ReturnType<typeof openTelemetry>, secure: boolean): void =>
    oneAttempt(observer, testRequest({ service: "orders" }), testUpstream({ service: "orders", secure }));

  test("are counted by service where the process has an identity, and others are not", async () => {
    const observer = openTelemetry();
    mesh.own = identityReading({ state: "pending" });
    observer.onOpen?.(mesh);
    resolved(observer, "orders");
    for (const secure of [false, true, false]) attempt(observer, secure);
    expect(await shown("inmesh.client.attempts.clear_text", "server.service.name")).toEqual(["orders 2"]);
    // Those since the last collection are not lost with the mesh.
    attempt(observer, false);
    observer.onClose?.();
    attempt(observer, false);
    expect(await shown("inmesh.client.attempts.clear_text", "server.service.name")).toEqual(["orders 4"]);
  });

  test("are nothing to tell of a process without an identity", async () => {
    const observer = openTelemetry();
    observer.onOpen?.(mesh);
    resolved(observer, "orders");
    attempt(observer, false);
    expect(await sdk.points("inmesh.client.attempts.clear_text")).toEqual([]);
  });
});

describe("a server with an identity", () => {
  const connection = (event: Partial<ServerConnectionEvent>): ServerConnectionEvent => ({
    type: "server-connection",
    service: "orders",
    peerAddress: "192.0.2.7",
    encryption: "tls",
    refusal: undefined,
    error: undefined,
    ...event,
  });

  test("has its connections counted by encryption, and refused ones by the reason", async () => {
    const observer = openTelemetry();
    observer.onOpen?.(mesh);
    observer.onEvent?.(connection({}));
    observer.onEvent?.(connection({ encryption: "none" }));
    observer.onEvent?.(connection({ encryption: "none" }));
    observer.onEvent?.(connection({ refusal: "authority" }));
    observer.onEvent?.(connection({ encryption: undefined, refusal: "timeout", service: "admin" }));
    const of = "server.service.name";
    expect(await shown("inmesh.server.connections", of, "inmesh.connection.encryption")).toEqual(["orders tls 1", "orders none 2"]);
    expect(await shown("inmesh.server.connections.refused", of, "inmesh.connection.refusal")).toEqual([
      "orders authority 1",
      "admin timeout 1",
    ]);
  });

  test("has its requests in clear text counted, and no others", async () => {
    const observer = openTelemetry();
    observer.onOpen?.(mesh);
    const end = { status: 200, refusedBy: undefined, isComplete: true, totalMs: 1 };
    observer.onServe?.(servedRequest({ isClearTextBesideTls: true }))?.onEnd?.(end);
    observer.onServe?.(servedRequest({ isClearTextBesideTls: false, scheme: "https" }))?.onEnd?.(end);
    // Of a server without an identity.
    observer.onServe?.(servedRequest())?.onEnd?.(end);
    expect(await shown("inmesh.server.requests.clear_text")).toEqual(["1"]);
  });
});
