import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { request } from "node:https";
import { type DecodedPacket, decode, encode, RECURSION_DESIRED } from "dns-packet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { available } from "./available.ts";
import { type BindServer, type DnsFault, startBind } from "./bind.ts";
import { type ConsulServer, startConsul } from "./consul.ts";
import { type EurekaServer, startEureka, startEurekaPeers } from "./eureka.ts";
import { isAlive } from "./is-alive.ts";

const statusOf = (url: string, ca: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const outgoing = request(url, { ca, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    outgoing.on("error", reject);
    outgoing.end();
  });

const isTruncated = async ({ host, port }: BindServer, name: string): Promise<boolean> => {
  const socket = createSocket("udp4");
  try {
    socket.send(encode({ type: "query", id: 1, flags: RECURSION_DESIRED, questions: [{ type: "A", name }] }), port, host);
    const [answer] = (await once(socket, "message")) as [Buffer];
    const packet: DecodedPacket = decode(answer);
    return packet.flag_tc;
  } finally {
    socket.close();
  }
};

describe.skipIf(!available("consul"))("A real Consul", { timeout: 60_000 }, () => {
  let consul: ConsulServer;
  beforeAll(async () => {
    consul = await startConsul();
  }, 60_000);
  afterAll(() => consul?.stop());

  it("lists a service that was registered and whose check was set to passing", async () => {
    await consul.registerService({ ID: "web-1", Name: "web", Address: "127.0.0.1", Port: 8080, Check: { TTL: "60s" } });
    expect(await consul.get("/v1/health/service/web?passing")).toEqual([]);
    await consul.setCheck("service:web-1", "passing", "fine");
    expect(await consul.get("/v1/health/service/web?passing")).toMatchObject([
      { Service: { ID: "web-1", Address: "127.0.0.1", Port: 8080 } },
    ]);
  });

  it("takes a service into maintenance and out again", async () => {
    await consul.registerService({ ID: "shop-1", Name: "shop", Port: 8080 });
    await consul.setMaintenance("shop-1", true);
    expect(await consul.get("/v1/health/service/shop?passing")).toEqual([]);
    await consul.setMaintenance("shop-1", false);
    expect(await consul.get("/v1/health/service/shop?passing")).toHaveLength(1);
  });

  it("answers for its services by DNS too", async () => {
    await consul.registerService({ ID: "named-1", Name: "named", Address: "127.0.0.9", Port: 8080 });
    const resolver = new Resolver({ timeout: 2_000, tries: 1 });
    resolver.setServers([`${consul.host}:${consul.dnsPort}`]);
    expect(await resolver.resolve4("named.service.consul")).toEqual(["127.0.0.9"]);
  });

  it("answers nothing while it is paused and goes on when it is resumed", async () => {
    consul.pause();
    // A process stops when the thread that the signal was sent to is next given a processor.
    await new Promise((resolve) => setTimeout(resolve, 300));
    const answer = consul.get("/v1/status/leader");
    const first = await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 200, "silence"))]);
    consul.resume();
    expect(first).toBe("silence");
    expect(await answer).toMatch(/^127\.0\.0\.1:/);
  });

  it("forgets everything in a restart on the same ports", async () => {
    const { pid, url } = consul;
    await consul.registerService({ Name: "gone", Port: 8080 });
    await consul.restart();
    expect(isAlive(pid)).toBe(false);
    expect(consul.url).toBe(url);
    expect(await consul.get("/v1/catalog/services")).toEqual({ consul: [] });
  });

  it("can be killed, is not there then, and comes back with a restart", async () => {
    const { pid } = consul;
    await consul.kill();
    expect(isAlive(pid)).toBe(false);
    await expect(consul.get("/v1/status/leader")).rejects.toThrow("ECONNREFUSED");
    await consul.restart();
    expect(await consul.get("/v1/catalog/services")).toEqual({ consul: [] });
  });

  it("leaves no process behind when it is stopped, even twice", async () => {
    const { pid } = consul;
    await consul.stop();
    await consul.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it("denies what a token doesn't allow and serves HTTPS, when asked for both", async () => {
    await using strict = await startConsul({ acl: true, tls: true });
    await strict.registerService({ Name: "web", Port: 8080 });
    expect(await strict.get("/v1/health/service/web")).toHaveLength(1);
    expect(await strict.get("/v1/health/service/web", { token: "" })).toEqual([]);
    await expect(strict.get("/v1/agent/self", { token: "" })).rejects.toThrow("403");

    await strict.put("/v1/acl/policy", { Name: "read", Rules: 'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }' });
    const made = (await strict.put("/v1/acl/token", { Policies: [{ Name: "read" }] })) as { readonly SecretID: string };
    expect(await strict.get("/v1/health/service/web", { token: made.SecretID })).toHaveLength(1);

    expect(await statusOf(`${strict.httpsUrl}/v1/status/leader`, strict.ca ?? "")).toBe(200);
  });
});

describe.skipIf(!available("eureka"))("A real Eureka", { timeout: 120_000 }, () => {
  let eureka: EurekaServer;
  beforeAll(async () => {
    eureka = await startEureka();
  }, 120_000);
  afterAll(() => eureka?.stop());

  it("lists what was registered, with the status that was set", async () => {
    const id = await eureka.register({ app: "web", port: 8080, metadata: { zone: "a" } });
    await eureka.heartbeat("web", id);
    await eureka.setStatus("web", id, "OUT_OF_SERVICE");
    expect(await eureka.get(`/apps/web/${id}`)).toMatchObject({
      instance: { app: "WEB", port: { $: 8080 }, status: "OUT_OF_SERVICE", metadata: { zone: "a" } },
    });
    await eureka.clearStatus("web", id);
    await eureka.deregister("web", id);
    await expect(eureka.heartbeat("web", id)).rejects.toThrow("404");
  });

  it("evicts an instance whose lease has expired", async () => {
    const id = await eureka.register({ app: "brief", port: 8080, leaseSeconds: 1 });
    await expect.poll(() => eureka.get(`/apps/brief/${id}`).catch(String), { timeout: 20_000 }).toContain("404");
  });

  it("forgets everything in a restart on the same port", async () => {
    const { pid, url } = eureka;
    const id = await eureka.register({ app: "gone", port: 8080 });
    await eureka.restart();
    expect(isAlive(pid)).toBe(false);
    expect(eureka.url).toBe(url);
    await expect(eureka.heartbeat("gone", id)).rejects.toThrow("404");
  });

  it("leaves no process behind when it is stopped", async () => {
    const { pid } = eureka;
    await eureka.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it("wants the user and the password that it was given, and then replicates to its peer", async () => {
    const peers = await startEurekaPeers(2, { user: "mesh", password: "secret" });
    const [first, second] = peers;
    try {
      if (first === undefined || second === undefined) throw new Error("there are not two peers");
      const answer = await fetch(`${first.url}/apps`);
      await answer.body?.cancel();
      expect(answer.status).toBe(401);
      const id = await first.register({ app: "web", port: 8080 });
      await expect
        .poll(() => second.get(`/apps/web/${id}`).catch(String), { timeout: 20_000 })
        .toMatchObject({
          instance: { instanceId: id },
        });
    } finally {
      await Promise.all(peers.map((peer) => peer.stop()));
    }
  });
});

describe.skipIf(!available("bind"))("A real BIND", { timeout: 60_000 }, () => {
  let bind: BindServer;
  let resolver: Resolver;
  beforeAll(async () => {
    bind = await startBind();
    resolver = new Resolver({ timeout: 300, tries: 1 });
    resolver.setServers([bind.address]);
  }, 60_000);
  afterAll(() => bind?.stop());

  const addresses = (name: string): Promise<unknown> =>
    resolver.resolve4(name).then(
      (found) => found.sort(),
      (error: NodeJS.ErrnoException) => error.code,
    );

  it("answers with the records and the TTL that were set last", async () => {
    await bind.set("web", "A", ["127.0.0.1"]);
    await bind.set("web.test", "A", ["127.0.0.2", "127.0.0.3"], 7);
    expect((await resolver.resolve4("web.test", { ttl: true })).sort((a, b) => (a.address < b.address ? -1 : 1))).toEqual([
      { address: "127.0.0.2", ttl: 7 },
      { address: "127.0.0.3", ttl: 7 },
    ]);
  });

  it("answers with SRV, AAAA, CNAME and TXT records", async () => {
    await bind.set("_http._tcp.shop", "SRV", ["10 60 8080 shop.test."]);
    await bind.set("shop", "AAAA", ["::1"]);
    await bind.set("store", "CNAME", ["shop.test."]);
    await bind.set("shop", "TXT", ['"zone=a"']);
    expect(await resolver.resolveSrv("_http._tcp.shop.test")).toMatchObject([{ priority: 10, weight: 60, port: 8080, name: "shop.test" }]);
    expect(await resolver.resolve6("store.test")).toEqual(["::1"]);
    expect(await resolver.resolveTxt("shop.test")).toEqual([["zone=a"]]);
  });

  it("knows a name no more once it was removed", async () => {
    await bind.set("gone", "A", ["127.0.0.1"]);
    await bind.remove("gone");
    expect(await addresses("gone.test")).toBe("ENOTFOUND");
  });

  it.each<readonly [DnsFault, string]>([
    ["nxdomain", "ENOTFOUND"],
    ["nodata", "ENODATA"],
    ["drop", "ETIMEOUT"],
    ["servfail", "ESERVFAIL"],
  ])("makes a name fail by %s, which Node reports as %s, until it is healed", async (fault, code) => {
    await bind.set("faulty", "A", ["127.0.0.1"]);
    await bind.fault("faulty", fault);
    expect(await addresses("faulty.test")).toBe(code);
    await bind.heal("faulty");
    expect(await addresses("faulty.test")).toEqual(["127.0.0.1"]);
  });

  it("truncates an answer by UDP and gives it whole by TCP", async () => {
    await bind.set("long", "A", ["127.0.0.1"]);
    await bind.fault("long", "truncate");
    expect(await isTruncated(bind, "long.test")).toBe(true);
    expect(await addresses("long.test")).toEqual(["127.0.0.1"]);
    await bind.heal("long");
    expect(await isTruncated(bind, "long.test")).toBe(false);
  });

  it("keeps records and faults when it is killed and restarted on the same port", async () => {
    const { pid, address } = bind;
    await bind.set("kept", "A", ["127.0.0.1"]);
    await bind.set("broken", "A", ["127.0.0.1"]);
    await bind.fault("broken", "nodata");
    await bind.kill();
    expect(isAlive(pid)).toBe(false);
    await bind.restart();
    expect(bind.address).toBe(address);
    expect(await addresses("kept.test")).toEqual(["127.0.0.1"]);
    expect(await addresses("broken.test")).toBe("ENODATA");
  });

  it("leaves no process behind when it is stopped", async () => {
    const { pid } = bind;
    await bind.stop();
    expect(isAlive(pid)).toBe(false);
  });
});
