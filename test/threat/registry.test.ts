import { describe, expect, it } from "vitest";
import type { Discovery } from "../../src/extend.ts";
import { dns } from "../../src/index.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import { consul } from "../../src/registries/consul.ts";
import { record, startResponder } from "../discovery/dns/dns-responder.ts";
import { answer, entry, scriptedConsul } from "../registries/consul/scripted-consul.ts";
import { closing } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serve, serveRaw } from "../support/servers.ts";
import { until } from "../support/until.ts";

/** A registry in which tenants have written what they like. */
function listing(endpoints: readonly object[]): Discovery {
  return {
    async *watch() {
      yield endpoints as never;
    },
  };
}

function meshOn(discovery: Discovery, options: Partial<MeshOptions> = {}) {
  return closing(createMesh({ discovery, retry: false, drainTimeoutMs: 0, ...options }));
}

/** After a good answer the registry has only this one. */
async function keepsTheLast(port: number, text: string): Promise<void> {
  const agent = await scriptedConsul((_request, response, number) => {
    if (number === 0) answer(response, [entry(port)], { "x-consul-index": "1" });
    else response.writeHead(200, { "x-consul-index": String(number + 1) }).end(text);
  });
  const errors: unknown[] = [];
  const mesh = meshOn(consul({ url: agent.url, maxBodyBytes: 1_000_000 }), {
    observers: [{ onEvent: (event) => void (event.type === "discovery-error" && errors.push(event.error)) }],
  });
  expect((await mesh.fetch("orders/x")).status).toBe(200);
  await until("the answer is refused", () => errors.length > 0);
  expect((await mesh.fetch("orders/x")).status).toBe(200);
  expect(mesh.explain("orders")?.endpoints).toHaveLength(1);
}

const noHost = "host is neither a host name nor the IP address of an instance";

describe("what a tenant writes into the registry", () => {
  it("T13: no address of the link, of metadata, unspecified or of many is connected to, however it is written", async () => {
    const { port, seen } = await serve();
    const hosts = [
      "169.254.169.254",
      "fd00:ec2::254",
      "0.0.0.0",
      "::",
      "224.0.0.1",
      "ff02::1",
      "255.255.255.255",
      "::ffff:a9fe:a9fe",
      "::ffff:169.254.169.254",
      "::169.254.169.254",
      "64:ff9b::a9fe:a9fe",
      "2002:a9fe:a9fe::1",
      "::ffff:127.0.0.1",
      "fe80::1%lo",
      "2852039166",
      "0xa9fea9fe",
      "0251.0376.0251.0376",
      "169.254.43518",
    ];
    const mesh = meshOn(listing([...hosts.map((host, at) => ({ id: `bad${at}`, host, port })), { id: "good", host: "127.0.0.1", port }]));
    for (let call = 0; call < 20; call++) expect((await mesh.fetch("svc/x")).status).toBe(200);
    expect(mesh.explain("svc")?.leftOut).toEqual([{ reason: noHost, count: hosts.length }]);
    expect(mesh.explain("svc")?.endpoints.map(({ endpoint }) => endpoint.id)).toEqual(["good"]);
    expect(seen).toHaveLength(20);
    const closed = meshOn(listing([{ id: "a", host: "127.0.0.1", port }]), { connections: { refusedAddresses: ["loopback"] } });
    expect(await rejectionOf(closed.fetch("svc/x"))).toMatchObject({ code: "ERR_MESH_CONNECT", maybeExecuted: false });
    const allowing = meshOn(listing([{ id: "a", host: "127.0.0.1", port }]), { connections: { allowCidrs: ["10.0.0.0/8"] } });
    const refusal = await rejectionOf(allowing.fetch("svc/x"));
    expect(refusal).toMatchObject({ code: "ERR_MESH_CONNECT", service: "svc", maybeExecuted: false });
    expect(String(refusal)).toContain("127.0.0.1 is in none of the networks that are connected to (connections.allowCidrs)");
    expect(seen).toHaveLength(20);
  });

  it("T15: a port is an integer from 1 to 65535", async () => {
    const { port } = await serve();
    const ports = [0, 65_536, -1, 80.5, Number.NaN, "80", "80; rm", null];
    const mesh = meshOn(
      listing([...ports.map((each, at) => ({ id: `${at}`, host: "127.0.0.1", port: each })), { id: "good", host: "127.0.0.1", port }]),
    );
    expect((await mesh.fetch("svc/x")).status).toBe(200);
    expect(mesh.explain("svc")?.leftOut).toEqual([{ reason: "port is not an integer from 1 to 65535", count: ports.length }]);
    const denying = meshOn(listing([{ id: "a", host: "127.0.0.1", port }]), { connections: { denyPorts: [22, port] } });
    const refusal = await rejectionOf(denying.fetch("svc/x"));
    expect(refusal).toMatchObject({ code: "ERR_MESH_CONNECT", service: "svc", maybeExecuted: false });
    expect(String(refusal)).toContain("(connections.denyPorts)");
  });

  it("T18: weights, zones and metadata beyond their bounds take their instance out, or are left out, and draw no traffic", async () => {
    const [good, greedy] = [await serve(), await serve()];
    const odd = { host: "127.0.0.1", port: greedy.port };
    const mesh = meshOn(
      listing([
        { id: "good", host: "127.0.0.1", port: good.port },
        { ...odd, id: "heavy", weight: 1e9 },
        { ...odd, id: "nan", weight: Number.NaN },
        { ...odd, id: "negative", weight: -1 },
        { ...odd, id: "infinite", weight: Number.POSITIVE_INFINITY },
        { ...odd, id: "zone", zone: "eu\nadmin" },
        { ...odd, id: "id\r\n" },
      ]),
    );
    for (let call = 0; call < 10; call++) await mesh.fetch("svc/x");
    expect([good.seen.length, greedy.seen.length]).toEqual([10, 0]);
    expect(mesh.explain("svc")?.leftOut).toEqual([
      { reason: "weight is not a number from 0 to 65535", count: 4 },
      { reason: "zone is not a string of up to 255 characters without control characters", count: 1 },
      { reason: "id is not a string of 1 to 512 characters without control characters", count: 1 },
    ]);
    const large = meshOn(listing([{ id: "m", host: "127.0.0.1", port: good.port, metadata: { tag: "x".repeat(10_000_000), a: "b\0" } }]));
    await large.fetch("svc/x");
    expect(large.explain("svc")?.endpoints[0]?.endpoint.metadata).toBeUndefined();
  });

  it("T19: of a million instances 10,000 stay; an answer that is too long, too deep or no JSON is no answer, and the last one holds", async () => {
    const { port } = await serve();
    const million = Array.from({ length: 1_000_000 }, (_, at) => ({ id: `i${at}`, host: "127.0.0.1", port }));
    const mesh = meshOn(listing(million));
    expect((await mesh.fetch("svc/x")).status).toBe(200);
    expect(mesh.explain("svc")?.endpoints).toHaveLength(10_000);
    const answers = ["[".repeat(900_000), `[${"1,".repeat(600_000)}1]`, "{", '[{"Service":'];
    await Promise.all(answers.map((text) => keepsTheLast(port, text)));
  }, 60_000);

  it("T21: a health check goes to the address of the instance and the path of the options, whatever its metadata say", async () => {
    const inside = await serveRaw((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
    const instance = await serve((request, response) => {
      if (request.url === "/health") response.writeHead(302, { location: `http://127.0.0.1:${inside.port}/latest/meta-data` });
      response.end();
    });
    const url = `http://127.0.0.1:${inside.port}/latest/meta-data`;
    const metadata = { healthCheckUrl: url, statusPageUrl: url, "health-check": url, path: "/admin" };
    const mesh = meshOn(listing([{ id: "a", host: "127.0.0.1", port: instance.port, metadata }]), {
      healthCheck: { type: "http", path: "/health", intervalMs: 20 },
    });
    await mesh.fetch("svc/x").catch(() => {});
    await until("it was checked", () => instance.seen.filter((each) => each.url === "/health").length >= 3);
    expect(new Set(instance.seen.map((each) => each.url).filter((each) => each !== "/x"))).toEqual(new Set(["/health"]));
    expect(inside.received).toEqual([]);
  });
});

describe("T54: answers of DNS", () => {
  it("are asked for by the whole name, and forged, poisoned and oversized ones make no endpoint", async () => {
    const { port } = await serve();
    const name = "svc.mesh.test";
    await using server = await startResponder((asked) =>
      asked.type === "A"
        ? {
            answers: [
              record("A", name, "127.0.0.1"),
              record("A", name, "169.254.169.254"),
              record("A", "other.test", "127.0.0.9"),
              ...Array.from({ length: 200 }, (_, at) => record("A", `n${at}.test`, `127.0.1.${at}`)),
            ],
          }
        : {},
    );
    const mesh = meshOn(dns({ servers: [server.address], name: "{service}.mesh.test", port }));
    expect((await mesh.fetch("svc/x")).status).toBe(200);
    // Without the domains that a resolver of the machine would try: the names are complete.
    expect(new Set(server.asked.map((asked) => asked.name))).toEqual(new Set([name]));
    expect(mesh.explain("svc")?.endpoints.map(({ endpoint }) => endpoint.host)).toEqual(["127.0.0.1"]);
  });
});
