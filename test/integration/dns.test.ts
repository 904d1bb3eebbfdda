import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { addressOf, type Endpoint } from "../../src/core/endpoint.ts";
import { type DnsOptions, dns } from "../../src/discovery/dns/dns.ts";
import type { ContractEndpoint } from "../../src/testing/contract/contract.ts";
import { type DiscoveryHarness, discoveryContract } from "../../src/testing/contract/discovery.ts";
import { endpointsIn } from "../discovery/sources.ts";
import { available } from "../servers/available.ts";
import { type BindServer, startBind } from "../servers/bind.ts";
import { type ConsulServer, startConsul } from "../servers/consul.ts";

/** Reads one watch and keeps every set it gave. */
class Reader {
  readonly sets: (readonly Endpoint[])[] = [];
  error: unknown = undefined;
  readonly #controller = new AbortController();
  readonly #done: Promise<void>;

  constructor(options: DnsOptions, service: string) {
    const run = async () => {
      for await (const set of dns(options).watch(service, this.#controller.signal)) this.sets.push(endpointsIn(set));
    };
    this.#done = run().catch((error: unknown) => {
      this.error = error;
    });
    readers.push(this);
  }

  get addresses(): readonly string[] | undefined {
    return this.sets.at(-1)?.map(addressOf).sort();
  }

  /** Waits until the last set has exactly these addresses. */
  async until(...addresses: readonly string[]): Promise<void> {
    await expect.poll(() => this.addresses, { timeout: 10_000, interval: 20 }).toEqual([...addresses].sort());
  }

  async untilFailed(): Promise<string> {
    await expect.poll(() => this.error, { timeout: 10_000, interval: 20 }).toBeInstanceOf(Error);
    return (this.error as Error).message;
  }

  async stop(): Promise<void> {
    this.#controller.abort();
    await this.#done;
  }
}

const readers: Reader[] = [];
afterEach(async () => {
  for (const reader of readers.splice(0)) await reader.stop();
});

describe.runIf(available("bind"))("dns with BIND", () => {
  let bind: BindServer;
  let count = 0;
  beforeAll(async () => {
    bind = await startBind();
  }, 60_000);
  afterAll(() => bind?.stop());

  /** A name that no other case uses. */
  const freshName = () => `case${++count}`;
  const watchA = (name: string, options: DnsOptions = {}) =>
    new Reader({ servers: [bind.address], port: 8080, name: "{service}.test", timeoutMs: 300, ...options }, name);
  const watchSrv = (name: string) => new Reader({ servers: [bind.address], name: "_{service}._tcp.test", timeoutMs: 300 }, name);

  it("follows the A and AAAA records of a name within their TTL", async () => {
    const name = freshName();
    await bind.set(name, "A", ["127.0.0.2", "127.0.0.3"]);
    await bind.set(name, "AAAA", ["::1"]);
    const reader = watchA(name);
    await reader.until("127.0.0.2:8080", "127.0.0.3:8080", "[::1]:8080");
    await bind.set(name, "A", ["127.0.0.3", "127.0.0.4"]);
    await reader.until("127.0.0.3:8080", "127.0.0.4:8080", "[::1]:8080");
    await bind.remove(name);
    await reader.until();
  });

  it("sees a name appear that did not exist", async () => {
    const name = freshName();
    const reader = watchA(name);
    await reader.until();
    await bind.set(name, "A", ["127.0.0.2"]);
    await reader.until("127.0.0.2:8080");
  });

  it("follows a chain of aliases", async () => {
    const name = freshName();
    await bind.set(name, "CNAME", [`${name}-b.test.`]);
    await bind.set(`${name}-b`, "CNAME", [`${name}-c.test.`]);
    await bind.set(`${name}-c`, "A", ["127.0.0.2"]);
    await watchA(name).until("127.0.0.2:8080");
  });

  it("does not follow aliases in a circle", async () => {
    const name = freshName();
    await bind.set(name, "CNAME", [`${name}-b.test.`]);
    await bind.set(`${name}-b`, "CNAME", [`${name}.test.`]);
    const reader = watchA(name);
    await reader.untilFailed();
    expect(reader.sets).toEqual([]);
  });

  it("reads ports, priorities and weights from SRV records", async () => {
    const name = freshName();
    await bind.set(`${name}-a`, "A", ["127.0.0.2"]);
    await bind.set(`${name}-b`, "A", ["127.0.0.3"]);
    await bind.set(`_${name}._tcp`, "SRV", [`10 5 8080 ${name}-a.test.`, `20 0 8081 ${name}-b.test.`]);
    const reader = watchSrv(name);
    await reader.until("127.0.0.2:8080", "127.0.0.3:8081");
    expect(reader.sets.at(-1)).toEqual([
      { id: "127.0.0.2:8080", host: "127.0.0.2", port: 8080, priority: 10, weight: 5, metadata: { target: `${name}-a.test` } },
      { id: "127.0.0.3:8081", host: "127.0.0.3", port: 8081, priority: 20, weight: 0, metadata: { target: `${name}-b.test` } },
    ]);
    await bind.set(`_${name}._tcp`, "SRV", ["0 0 0 ."]);
    await reader.until();
  });

  it("asks for the addresses of targets that are too many to come along", async () => {
    const name = freshName();
    const targets = Array.from({ length: 60 }, (_, i) => `${name}-a-name-that-takes-its-place-in-a-message-${i}`);
    for (const [i, target] of targets.entries()) await bind.set(target, "A", [`127.0.1.${i}`]);
    await bind.set(
      `_${name}._tcp`,
      "SRV",
      targets.map((target) => `0 1 8080 ${target}.test.`),
    );
    await watchSrv(name).until(...targets.map((_, i) => `127.0.1.${i}:8080`));
  });

  it("reads an answer that is too long for a datagram", async () => {
    const name = freshName();
    const hosts = Array.from({ length: 100 }, (_, i) => `127.1.0.${i}`);
    await bind.set(name, "A", hosts);
    await watchA(name).until(...hosts.map((host) => `${host}:8080`));
  });

  it.each(["servfail", "drop"] as const)("throws on %s and never says that there is nothing", async (fault) => {
    const name = freshName();
    await bind.set(name, "A", ["127.0.0.2"]);
    const reader = watchA(name);
    await reader.until("127.0.0.2:8080");
    await bind.fault(name, fault);
    expect(await reader.untilFailed()).toContain(fault === "drop" ? "did not answer within 300 ms" : "answered SERVFAIL");
    expect(reader.sets).toHaveLength(1);
    await bind.heal(name);
    await watchA(name).until("127.0.0.2:8080");
  });

  it.each(["nxdomain", "nodata"] as const)(
    "says an empty set on %s",
    async (fault) => {
      const name = freshName();
      await bind.set(name, "A", ["127.0.0.2"]);
      const reader = watchA(name);
      await reader.until("127.0.0.2:8080");
      await bind.fault(name, fault);
      await reader.until();
      expect(reader.error).toBeUndefined();
      await bind.heal(name);
      await reader.until("127.0.0.2:8080");
    },
    20_000,
  );

  it("is not disturbed by truncated answers", async () => {
    const name = freshName();
    await bind.set(name, "A", ["127.0.0.2"]);
    await bind.fault(name, "truncate");
    await watchA(name).until("127.0.0.2:8080");
  });

  it("passes over a server that does not listen and takes the next one", async () => {
    const name = freshName();
    await bind.set(name, "A", ["127.0.0.2"]);
    await watchA(name, { servers: ["127.0.0.1:1", bind.address] }).until("127.0.0.2:8080");
    const message = await watchA(name, { servers: ["127.0.0.1:1"] }).untilFailed();
    expect(message).toMatch(/^dns: no answer for .*\.test A \(127\.0\.0\.1:1 .*ECONNREFUSED.*\)$/);
  });

  // With TTL 0 this is the pause between queries: twenty cases that wait for a change need not take a second each.
  const minTtlMs = 50;
  const instances = [1, 2, 3].map((i) => ({ host: `127.0.2.${i}`, port: 8080 + i }));
  const fill = async (service: string, endpoints: readonly ContractEndpoint[]) => {
    for (const { host } of endpoints) await bind.set(targetOf(host), "A", [host]);
    const records = endpoints.map(({ host, port, weight = 1 }) => `0 ${weight} ${port} ${targetOf(host)}.test.`);
    await bind.set(`_${service}._tcp`, "SRV", records, 0);
  };
  const targetOf = (host: string) => `host-${host.replaceAll(".", "-")}`;

  describe("keeps the discovery contract with SRV records:", () => {
    const create = async (): Promise<DiscoveryHarness> => {
      const service = freshName();
      return {
        discovery: dns({ servers: [bind.address], name: "_{service}._tcp.test", timeoutMs: 300, minTtlMs }),
        service,
        otherService: freshName(),
        instances,
        set: (endpoints, name = service) => fill(name, endpoints),
        breakSource: () => bind.fault(`_${service}._tcp`, "servfail"),
        healSource: () => bind.heal(`_${service}._tcp`),
        close: () => bind.heal(`_${service}._tcp`),
        withinMs: 10_000,
      };
    };
    for (const { name, run } of discoveryContract(create, { lacks: ["services"] })) it(name, run, 60_000);
  });

  describe("keeps the discovery contract with A records:", () => {
    const create = async (): Promise<DiscoveryHarness> => {
      const service = freshName();
      return {
        discovery: dns({ servers: [bind.address], name: "{service}.test", port: 8080, timeoutMs: 300, minTtlMs }),
        service,
        otherService: freshName(),
        instances: instances.map(({ host }) => ({ host, port: 8080 })),
        set: (endpoints, name = service) =>
          bind.set(
            name,
            "A",
            endpoints.map(({ host }) => host),
            0,
          ),
        breakSource: () => bind.fault(service, "drop"),
        healSource: () => bind.heal(service),
        close: () => bind.heal(service),
        withinMs: 10_000,
      };
    };
    for (const { name, run } of discoveryContract(create, { lacks: ["services", "ports", "weights"] })) it(name, run, 60_000);
  });
});

describe.runIf(available("consul"))("dns with Consul's DNS server", () => {
  let consul: ConsulServer;
  beforeAll(async () => {
    consul = await startConsul({ config: { dns_config: { service_ttl: { "*": "1s" } } } });
    for (const [i, address] of ["127.0.0.2", "127.0.0.3"].entries()) {
      await consul.registerService({
        Name: "web",
        ID: `web${i}`,
        Address: address,
        Port: 8080 + i,
        Check: { TTL: "1h", Status: "passing" },
      });
    }
  }, 60_000);
  afterAll(() => consul?.stop());

  const options = (): DnsOptions => ({ servers: [`127.0.0.1:${consul.dnsPort}`], name: "{service}.service.consul" });

  it("finds the passing instances by SRV, with their ports", async () => {
    const reader = new Reader(options(), "web");
    await reader.until("127.0.0.2:8080", "127.0.0.3:8081");
    expect(reader.sets.at(-1)).toMatchObject([
      { priority: 1, weight: 1 },
      { priority: 1, weight: 1 },
    ]);
    await consul.setCheck("service:web1", "critical");
    await reader.until("127.0.0.2:8080");
    await consul.setCheck("service:web1", "passing");
    await reader.until("127.0.0.2:8080", "127.0.0.3:8081");
  });

  it("finds them by address with a port of its own", async () => {
    await new Reader({ ...options(), port: 9000 }, "web").until("127.0.0.2:9000", "127.0.0.3:9000");
  });

  it("says an empty set for a service that Consul does not know, until it is registered", async () => {
    const reader = new Reader(options(), "later");
    await reader.until();
    await consul.registerService({ Name: "later", Address: "127.0.0.4", Port: 8082 });
    await reader.until("127.0.0.4:8082");
  });
});
