import { type Answer as DnsRecord, decode, encode } from "dns-packet";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AddressMemory } from "../../../src/discovery/dns/addresses.ts";
import { type Answer, readAnswer } from "../../../src/discovery/dns/answer.ts";
import type { QueryType } from "../../../src/discovery/dns/message.ts";
import { findServices } from "../../../src/discovery/dns/services.ts";
import { record } from "./dns-responder.ts";

const name = "_web._tcp.test";

interface Source {
  /** Of all names. */
  readonly records: readonly DnsRecord[];
  readonly additional?: readonly DnsRecord[];
  /** Names whose queries fail. */
  readonly failing?: readonly string[];
}

/** Resolves from lists; `asked` has every query, `most` how many ran at once. */
class Lists {
  readonly asked: string[] = [];
  most = 0;
  #running = 0;
  source: Source;

  constructor(source: Source) {
    this.source = source;
  }

  readonly resolve = async (owner: string, type: QueryType): Promise<Answer> => {
    const { records, additional = [], failing = [] } = this.source;
    this.asked.push(`${owner} ${type}`);
    this.most = Math.max(this.most, ++this.#running);
    await Promise.resolve();
    this.#running--;
    if (failing.includes(owner)) throw new Error(`${owner} fails`);
    const packet = decode(encode({ type: "response", answers: [...records], additionals: type === "SRV" ? [...additional] : [] }));
    const answer = readAnswer(packet, false, owner, type);
    if (typeof answer === "string") throw new Error(answer);
    return answer;
  };
}

function srv(priority: number, weight: number, port: number, target: string, ttl = 60): DnsRecord {
  return record("SRV", name, { priority, weight, port, target }, ttl);
}

function find(lists: Lists, memory = new AddressMemory()) {
  const { signal } = new AbortController();
  return findServices(name, { types: ["A", "AAAA"], resolve: lists.resolve, memory, signal });
}

const a = record("A", "a.test", "10.0.0.1");
const b = record("A", "b.test", "10.0.0.2");
const hostsOf = (found: Awaited<ReturnType<typeof find>>) => found.services.map(({ host, port }) => `${host}:${port}`);

describe("findServices", () => {
  it("tells port, priority, weight and target of every address, and asks once per target", async () => {
    const lists = new Lists({
      records: [srv(10, 5, 8080, "a.test"), srv(10, 0, 8081, "A.TEST"), srv(20, 1, 8080, "b.test"), a, record("AAAA", "a.test", "::1"), b],
    });
    expect((await find(lists)).services).toEqual([
      { host: "10.0.0.1", port: 8080, priority: 10, weight: 5, target: "a.test" },
      { host: "::1", port: 8080, priority: 10, weight: 5, target: "a.test" },
      { host: "10.0.0.1", port: 8081, priority: 10, weight: 0, target: "a.test" },
      { host: "::1", port: 8081, priority: 10, weight: 0, target: "a.test" },
      { host: "10.0.0.2", port: 8080, priority: 20, weight: 1, target: "b.test" },
    ]);
    expect(lists.asked.sort()).toEqual([`${name} SRV`, "a.test A", "a.test AAAA", "b.test A", "b.test AAAA"].sort());
  });

  it("takes the addresses that came along, through aliases too, and asks only for the others", async () => {
    const additional = [a, record("CNAME", "c.test", "d.test", 40), record("A", "d.test", "10.0.0.4", 50)];
    const lists = new Lists({ records: [srv(0, 1, 80, "a.test"), srv(0, 1, 80, "b.test"), srv(0, 1, 80, "c.test"), b], additional });
    const found = await find(lists);
    expect(hostsOf(found)).toEqual(["10.0.0.1:80", "10.0.0.2:80", "10.0.0.4:80"]);
    expect(found.ttlS).toBe(40);
    expect(lists.asked).toEqual([`${name} SRV`, "b.test A", "b.test AAAA"]);
  });

  it("holds for the smallest TTL of all records that were used", async () => {
    const ttlOf = async (srvTtl: number, addressTtl: number) =>
      (await find(new Lists({ records: [srv(0, 1, 80, "a.test", srvTtl), record("A", "a.test", "10.0.0.1", addressTtl)] }))).ttlS;
    expect(await ttlOf(9, 60)).toBe(9);
    expect(await ttlOf(60, 8)).toBe(8);
  });

  it("is decidedly empty for the target '.', and without an instance where port or target name none", async () => {
    const absent = new Lists({ records: [srv(0, 0, 0, ".", 33)] });
    expect(await find(absent)).toEqual({ services: [], ttlS: 33, isDecidedlyAbsent: true });
    expect(absent.asked).toHaveLength(1);
    const odd = new Lists({
      records: [
        srv(0, 0, 80, "."),
        srv(0, 0, 0, "a.test"),
        srv(0, 0, 80, "10.0.0.9"),
        srv(0, 0, 80, "x y.test"),
        srv(1, 0, 80, "b.test"),
        a,
        b,
      ],
    });
    expect(hostsOf(await find(odd))).toEqual(["10.0.0.2:80"]);
  });

  it("is empty without records, and leaves out targets without addresses", async () => {
    expect(await find(new Lists({ records: [] }))).toEqual({ services: [], ttlS: 5 });
    expect(await find(new Lists({ records: [srv(0, 1, 80, "a.test"), srv(0, 1, 80, "gone.test"), a] }))).toMatchObject({
      services: [{ host: "10.0.0.1" }],
      ttlS: 5,
    });
  });

  it("rejects when the query fails", async () => {
    await expect(find(new Lists({ records: [], failing: [name] }))).rejects.toThrow("fails");
  });

  it("keeps the earlier addresses of a target that fails and asks for it again soon", async () => {
    const records = [srv(0, 1, 80, "a.test"), srv(0, 1, 80, "b.test"), a, b];
    const lists = new Lists({ records });
    const memory = new AddressMemory();
    expect((await find(lists, memory)).ttlS).toBe(60);
    for (let round = 0; round < 3; round++) {
      lists.source = { records, failing: ["b.test"] };
      memory.nextRound();
      const found = await find(lists, memory);
      expect(hostsOf(found)).toEqual(["10.0.0.1:80", "10.0.0.2:80"]);
      expect(found.ttlS).toBe(5);
    }
  });

  it("goes without a target that never answered, unless no other has an address", async () => {
    const records = [srv(0, 1, 80, "a.test"), srv(0, 1, 80, "b.test"), a];
    expect(hostsOf(await find(new Lists({ records, failing: ["b.test"] })))).toEqual(["10.0.0.1:80"]);
    await expect(find(new Lists({ records, failing: ["a.test", "b.test"] }))).rejects.toThrow("a.test fails");
  });

  it("does not forward an outage as an empty or smaller set", async () => {
    const records = [srv(0, 1, 80, "a.test"), srv(0, 1, 80, "b.test"), a, b];
    const lists = new Lists({ records });
    const memory = new AddressMemory();
    await find(lists, memory);
    lists.source = { records, failing: ["a.test", "b.test"] };
    memory.nextRound();
    await expect(find(lists, memory)).rejects.toThrow("fails");
  });

  it("asks for at most 16 targets at once, and takes at most 256 records, the preferred ones", async () => {
    const count = 300;
    const records = Array.from({ length: count }, (_, i) => srv(count - i, 1, 80, `h${i}.test`));
    const addresses = Array.from({ length: count }, (_, i) => record("A", `h${i}.test`, `10.1.${i >> 8}.${i & 255}`));
    const lists = new Lists({ records: [...records, ...addresses] });
    const { services } = await find(lists);
    expect(services).toHaveLength(256);
    expect(services.map(({ priority }) => priority)).toEqual(Array.from({ length: 256 }, (_, i) => i + 1));
    expect(lists.most).toBe(32);
    expect(lists.asked).toHaveLength(1 + 2 * 256);
  });

  it("takes at most 256 addresses of all targets together", async () => {
    const many = (target: string, net: number) => Array.from({ length: 200 }, (_, i) => record("A", target, `10.${net}.0.${i}`));
    const records = [srv(1, 1, 80, "a.test"), srv(2, 1, 80, "b.test"), ...many("a.test", 1), ...many("b.test", 2)];
    const { services } = await find(new Lists({ records }));
    expect(services).toHaveLength(256);
    expect(services.filter(({ target }) => target === "a.test")).toHaveLength(200);
  });

  it("says the same whatever the order of the records, with one entry per address and port", async () => {
    const oneSrv = fc.record({
      priority: fc.nat(2),
      weight: fc.nat(2),
      port: fc.integer({ min: 80, max: 82 }),
      target: fc.constantFrom("a.test", "b.test", "c.test"),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(oneSrv, { minLength: 1, maxLength: 12 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        async (list, order) => {
          const addresses = [a, b, record("A", "c.test", "10.0.0.1")];
          const records = list.map((one) => record("SRV", name, one));
          const shuffled = records
            .map((one) => ({ one, key: order.next().value ?? 0 }))
            .sort((x, y) => x.key - y.key)
            .map(({ one }) => one);
          const found = await find(new Lists({ records: [...records, ...addresses] }));
          expect(await find(new Lists({ records: [...shuffled, ...addresses] }))).toEqual(found);
          expect(new Set(hostsOf(found)).size).toBe(found.services.length);
          const hostOf = (target: string) => (target === "b.test" ? "10.0.0.2" : "10.0.0.1");
          for (const { host, port, priority } of found.services) {
            const same = list.filter((one) => hostOf(one.target) === host && one.port === port);
            expect(priority).toBe(Math.min(...same.map((one) => one.priority)));
          }
        },
      ),
    );
  });
});
