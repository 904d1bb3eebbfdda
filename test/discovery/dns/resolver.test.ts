import type { OptAnswer } from "dns-packet";
import { describe, expect, it } from "vitest";
import type { Answer } from "../../../src/discovery/dns/answer.ts";
import { DnsError, resolver } from "../../../src/discovery/dns/resolver.ts";
import { type DnsServer, parseServer } from "../../../src/discovery/dns/server.ts";
import { ManualClock } from "./dns-clock.ts";
import { type Asked, answerTo, type Responder, record, type Said, startResponder, truncated } from "./dns-responder.ts";
import { respond } from "./respond.ts";

function parse(...responders: readonly (Responder | string)[]): () => readonly DnsServer[] {
  const servers = responders.map((one) => parseServer(typeof one === "string" ? one : one.address) as DnsServer);
  return () => servers;
}

const { signal } = new AbortController();
const options = { timeoutMs: 5_000, maxAttempts: 1 };

/** Resolves `name` with a clock that stands, so that nothing times out by itself. */
function ask(servers: () => readonly DnsServer[], name = "web.test", clock = new ManualClock()): Promise<Answer> {
  return resolver({ servers, ...options, clock })(name, "A", signal);
}

const good = (asked: Asked): Said => ({ answers: [record("A", asked.name, "127.0.0.5")] });
const addressesOf = (answer: Answer) => (answer.kind === "records" ? answer.records.map(({ data }) => data) : answer.kind);

/** A reply to another question. */
function otherQuestion(asked: Asked, name: string, type: "A" | "AAAA", id = asked.id): Buffer {
  return answerTo({ ...asked, id, message: renamed(asked, name, type) }, { answers: [record("A", "web.test", "6.6.6.6")] });
}

function renamed(asked: Asked, name: string, type: "A" | "AAAA"): Buffer {
  const fake = Buffer.from(asked.message);
  fake.write(name.slice(0, 3), 13, "latin1");
  fake.writeUInt16BE(type === "A" ? 1 : 28, 12 + "web.test".length + 2);
  return fake;
}

describe("resolver", () => {
  it("asks recursively, with room for 1,232 bytes, and from a new port with a new id each time", async () => {
    const server = await respond(good);
    const resolve = resolver({ servers: parse(server), ...options });
    for (let i = 0; i < 20; i++) expect(addressesOf(await resolve("web.test", "A", signal))).toEqual(["127.0.0.5"]);
    expect(new Set(server.asked.map(({ id }) => id)).size).toBeGreaterThan(15);
    expect(new Set(server.asked.map(({ port }) => port)).size).toBeGreaterThan(15);
    for (const { message, hasEdns } of server.asked) {
      expect(message.readUInt16BE(2)).toBe(0x0100);
      expect(hasEdns).toBe(true);
      expect(message.includes(Buffer.from([0, 41, 1232 >> 8, 1232 & 0xff]))).toBe(true);
    }
  });

  it.each([
    ["another id", (asked: Asked) => answerTo({ ...asked, id: asked.id ^ 1 }, { answers: [record("A", "web.test", "6.6.6.6")] })],
    ["another name", (asked: Asked) => otherQuestion(asked, "wab", "A")],
    ["another type", (asked: Asked) => otherQuestion(asked, "web", "AAAA")],
    ["no question", (asked: Asked) => ({ questions: [], id: asked.id, answers: [record("A", "web.test", "6.6.6.6")] })],
    [
      "two questions",
      (asked: Asked) => ({
        questions: [
          { type: "A" as const, name: "web.test" },
          { type: "A" as const, name: "web.test" },
        ],
        id: asked.id,
      }),
    ],
    ["a query", (asked: Asked) => asked.message],
    ["nothing", () => Buffer.alloc(0)],
    ["half a header", (asked: Asked) => asked.message.subarray(0, 6)],
    [
      "bytes after the question that are no records",
      (asked: Asked) => answerTo(asked, { answers: [record("A", "web.test", "6.6.6.6")] }).subarray(0, -2),
    ],
  ])("ignores a datagram with %s and takes the good one behind it", async (_what, forge) => {
    const server = await respond((asked) => [forge(asked) as Buffer, answerTo(asked, good(asked) as { rcode?: number })]);
    expect(addressesOf(await ask(parse(server)))).toEqual(["127.0.0.5"]);
  });

  it("takes the case of the question as the server writes it", async () => {
    const server = await respond((asked) => ({
      questions: [{ type: "A", name: "WEB.Test" }],
      answers: [record("A", "wEB.tEST", "127.0.0.5")],
      id: asked.id,
    }));
    expect(addressesOf(await ask(parse(server)))).toEqual(["127.0.0.5"]);
  });

  it("says what it ignored when the good answer never came", async () => {
    const server = await respond((asked) => answerTo({ ...asked, id: asked.id ^ 1 }, {}));
    const clock = new ManualClock();
    const answer = ask(parse(server), "web.test", clock);
    await server.untilAsked(1);
    // A datagram on loopback is there after the next turns of the event loop; the clock stands meanwhile.
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(5_000);
    await expect(answer).rejects.toThrow(
      `no answer for web.test A (${server.address} did not answer within 5000 ms (what came was ignored: another id))`,
    );
  });

  it("gives up a silent server after timeoutMs and asks the next", async () => {
    const silent = await respond(() => undefined);
    const server = await respond(good);
    const clock = new ManualClock();
    const answer = ask(parse(silent, server), "web.test", clock);
    await silent.untilAsked(1);
    clock.advance(4_999);
    expect(server.asked).toHaveLength(0);
    clock.advance(1);
    expect(addressesOf(await answer)).toEqual(["127.0.0.5"]);
    expect(clock.timers).toBe(0);
  });

  it.each([
    ["SERVFAIL", 2],
    ["REFUSED", 5],
    ["NOTIMP", 4],
    ["FORMERR", 1],
    ["NOTAUTH", 9],
    ["RCODE11", 11],
  ])("takes %s for a failure of the server, asks the next and says so when there is none", async (name, rcode) => {
    const bad = await respond(() => ({ rcode }));
    const server = await respond(good);
    expect(addressesOf(await ask(parse(bad, server)))).toEqual(["127.0.0.5"]);
    const failed = ask(parse(bad));
    await expect(failed).rejects.toBeInstanceOf(DnsError);
    await expect(failed).rejects.toThrow(`no answer for web.test A (${bad.address} answered ${name})`);
  });

  it("reads the upper bits of the response code from EDNS", async () => {
    const opt: OptAnswer = {
      type: "OPT",
      name: ".",
      udpPayloadSize: 1232,
      extendedRcode: 1,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    };
    const server = await respond(() => ({ additionals: [opt] }));
    await expect(ask(parse(server))).rejects.toThrow("answered BADVERS");
  });

  it("asks again without EDNS where a server from before it answers FORMERR, with or without the question", async () => {
    for (const questions of [undefined, []]) {
      const server = await respond((asked) => (asked.hasEdns ? { rcode: 1, ...(questions && { questions }) } : good(asked)));
      expect(addressesOf(await ask(parse(server)))).toEqual(["127.0.0.5"]);
      expect(server.asked.map(({ hasEdns }) => hasEdns)).toEqual([true, false]);
    }
  });

  it("asks each server maxAttempts times, the one that answered last first", async () => {
    const bad = await respond(() => ({ rcode: 2 }));
    const server = await respond((asked) => (asked.name === "broken.test" ? { rcode: 2 } : good(asked)));
    const resolve = resolver({ servers: parse(bad, server), timeoutMs: 5_000, maxAttempts: 3 });
    await expect(resolve("broken.test", "A", signal)).rejects.toThrow(bad.address);
    expect([bad.asked.length, server.asked.length]).toEqual([3, 3]);
    await resolve("web.test", "A", signal);
    await resolve("web.test", "A", signal);
    expect([bad.asked.length, server.asked.length]).toEqual([4, 5]);
  });

  it("fails at once where nothing listens, and where no server is configured", async () => {
    const gone = await startResponder(good);
    await gone[Symbol.asyncDispose]();
    await expect(ask(parse(gone))).rejects.toThrow("ECONNREFUSED");
    await expect(ask(() => [])).rejects.toThrow("no DNS server is configured");
  });

  it("asks by TCP for an answer that was cut off, and reads 300 records in pieces", async () => {
    const all = Array.from({ length: 300 }, (_, i) => record("A", "web.test", `10.0.${i >> 8}.${i & 255}`));
    const server = await respond(({ transport }) =>
      transport === "udp" ? { flags: truncated, answers: all.slice(0, 3) } : { answers: all },
    );
    const answer = await ask(parse(server));
    expect(addressesOf(answer)).toHaveLength(300);
    expect(server.asked.map(({ transport }) => transport)).toEqual(["udp", "tcp"]);
    expect(server.asked[0]?.id).not.toBe(server.asked[1]?.id);
  });

  it("sees that an answer is cut off even in the middle of a record", async () => {
    const server = await respond((asked) => {
      if (asked.transport === "tcp") return good(asked);
      return answerTo(asked, { flags: truncated, answers: [record("A", "web.test", "6.6.6.6")] }).subarray(0, -3);
    });
    expect(addressesOf(await ask(parse(server)))).toEqual(["127.0.0.5"]);
  });

  it.each([
    ["another id", (asked: Asked) => answerTo({ ...asked, id: asked.id ^ 1 }, {}), "sent another id by TCP"],
    ["the end of the connection", () => "hang up" as const, "closed the TCP connection after 0 bytes"],
    ["garbage", () => Buffer.from("HTTP/1.1 400 Bad Request"), "sent another id by TCP"],
    ["an answer that is cut off again", (asked: Asked) => answerTo(asked, { flags: truncated }), "answered by TCP, but cut off"],
  ])("fails on %s by TCP", async (_what, forge, message) => {
    const server = await respond((asked) => (asked.transport === "udp" ? { flags: truncated } : forge(asked)));
    await expect(ask(parse(server))).rejects.toThrow(message);
  });

  it("does not wait for a TCP connection that stays silent", async () => {
    const server = await respond((asked) => (asked.transport === "udp" ? { flags: truncated } : undefined));
    const clock = new ManualClock();
    const answer = ask(parse(server), "web.test", clock);
    await server.untilAsked(2);
    clock.advance(5_000);
    await expect(answer).rejects.toThrow("did not answer within 5000 ms");
  });

  it.each(["udp", "tcp"])("lets go of the %s socket and its timer at once on abort", async (transport) => {
    const server = await respond((asked) => (asked.transport === "udp" && transport === "tcp" ? { flags: truncated } : undefined));
    const clock = new ManualClock();
    const controller = new AbortController();
    const answer = resolver({ servers: parse(server), ...options, clock })("web.test", "A", controller.signal);
    await server.untilAsked(transport === "udp" ? 1 : 2);
    const socketsOf = () => process.getActiveResourcesInfo().filter((name) => name === "UDPWrap" || name === "TCPSocketWrap").length;
    const before = socketsOf();
    controller.abort(new Error("enough"));
    expect(clock.timers).toBe(0);
    await expect(answer).rejects.toThrow("enough");
    // A handle is gone one turn of the event loop after it was closed.
    for (let turn = 0; turn < 100 && socketsOf() >= before; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(socketsOf()).toBeLessThan(before);
    const asked = server.asked.length;
    await expect(resolver({ servers: parse(server), ...options })("web.test", "A", controller.signal)).rejects.toThrow("enough");
    expect(server.asked).toHaveLength(asked);
  });

  it("tells a name that does not exist from one without such records, with the SOA's TTL", async () => {
    const soa = record(
      "SOA",
      "test",
      { mname: "ns.test", rname: "root.test", serial: 1, refresh: 60, retry: 60, expire: 60, minimum: 7 },
      90,
    );
    const script = ({ name }: Asked): Said => ({ rcode: name.startsWith("no") ? 3 : 0, authorities: name.includes("soa") ? [soa] : [] });
    const server = await respond(script);
    expect(await ask(parse(server), "no.soa.test")).toEqual({ kind: "nxdomain", ttlS: 7 });
    expect(await ask(parse(server), "no.test")).toEqual({ kind: "nxdomain", ttlS: undefined });
    expect(await ask(parse(server), "some.soa.test")).toEqual({ kind: "nodata", ttlS: 7 });
    expect(await ask(parse(server), "some.test")).toEqual({ kind: "nodata", ttlS: undefined });
  });

  it("does not take a referral for a name without records", async () => {
    const server = await respond(() => ({ authorities: [record("NS", "test", "ns.test")] }));
    await expect(ask(parse(server))).rejects.toThrow("a referral");
  });
});
