import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { consul } from "../../../../src/registries/consul.ts";
import { WatchReader } from "../../../../src/testing/contract/watch-reader.ts";
import { certificate } from "../../../support/certificate.ts";
import { settle, until } from "../../../support/until.ts";
import { answer, entry, refuse, type Script, scriptedConsul } from "../scripted-consul.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const rootsPath = "/v1/agent/connect/ca/roots";
const rootsOf = (TrustDomain: string): object => ({ TrustDomain, Roots: [{ RootCert: certificate.cert, Active: true }] });

async function rig(script: Script) {
  const server = await scriptedConsul(script);
  cleanups.push(() => server[Symbol.asyncDispose]());
  const registry = consul({ url: server.url, connect: true, minIntervalMs: 0, random: () => 0 });
  const reader = (service = "orders"): WatchReader => {
    const made = new WatchReader(registry, service);
    cleanups.push(() => made.stop());
    return made;
  };
  return { server, reader };
}

const idsOf = (reader: WatchReader) => reader.changes.map((set) => set.map(({ peer }) => peer?.id));
const idIn = (domain: string): string => `spiffe://${domain}/ns/default/dc/*/svc/orders`;

describe("the trust domain of a Connect mesh", () => {
  it("is asked for once, beside the sidecars of all services, and names the certificate to expect of each", async () => {
    const { server, reader } = await rig((request, response) => {
      if (request.query.has("index")) return;
      answer(response, request.path === rootsPath ? rootsOf("one.consul") : [entry(8081), entry(8082)]);
    });
    const watch = reader();
    const other = reader("web");
    await until("the sets", () => watch.sets.length === 1 && other.sets.length === 1);
    expect(idsOf(watch)).toEqual([[idIn("one.consul"), idIn("one.consul")]]);
    expect(other.last?.[0]?.peer?.id).toBe("spiffe://one.consul/ns/default/dc/*/svc/web");
    expect(watch.last?.[0]).toMatchObject({ secure: true, peer: { serverName: "orders.default.dc1.internal.one.consul" } });
    await until("one blocking query about it", () => server.seen.filter(({ path }) => path === rootsPath).length === 2);
    await settle();
    expect(server.seen.filter(({ path }) => path === rootsPath)).toHaveLength(2);
  });

  it("that changes gives each watch another set, although nothing else has changed", async () => {
    let held: ServerResponse | undefined;
    const { reader } = await rig((request, response) => {
      if (request.path !== rootsPath) return request.query.has("index") ? undefined : answer(response, [entry(8081)]);
      if (!request.query.has("index")) return answer(response, rootsOf("one.consul"));
      if (held === undefined) held = response;
      return undefined;
    });
    const watch = reader();
    await until("the first set", () => watch.sets.length === 1 && held !== undefined);
    answer(held as ServerResponse, rootsOf("two.consul"), { "x-consul-index": "2" });
    await until("the second set", () => watch.changes.length === 2);
    expect(idsOf(watch)).toEqual([[idIn("one.consul")], [idIn("two.consul")]]);
  });

  it("that is not told is a failure of the watch: no sidecar is listed without its id", async () => {
    const { reader } = await rig((request, response) => {
      if (request.path === rootsPath) refuse(response, 500, "Connect must be enabled in order to use this endpoint");
      else if (!request.query.has("index")) answer(response, [entry(8081)]);
    });
    const watch = reader();
    await watch.untilFailed(5_000);
    expect(String(watch.error)).toContain("Connect must be enabled");
    expect(watch.sets).toEqual([]);
  });

  it("is asked for no more when no watch is left, which leaves no connection behind", async () => {
    const { server, reader } = await rig((request, response) => {
      if (!request.query.has("index")) answer(response, request.path === rootsPath ? rootsOf("one.consul") : [entry(8081)]);
    });
    const one = reader();
    const other = reader();
    await until("both", () => one.sets.length === 1 && other.sets.length === 1);
    await one.stop();
    expect(server.connections).toBeGreaterThan(0);
    await other.stop();
    await until("the connections are closed", () => server.connections === 0);
    const again = reader();
    await until("another watch", () => again.sets.length === 1);
  });
});
