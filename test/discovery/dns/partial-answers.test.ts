import type { Answer as DnsRecord } from "dns-packet";
import { describe, expect, it } from "vitest";
import type { Answer } from "../../../src/discovery/dns/answer.ts";
import type { Transport } from "../../../src/discovery/dns/options.ts";
import { resolver } from "../../../src/discovery/dns/resolver.ts";
import { parseServer } from "../../../src/discovery/dns/server.ts";
import { ManualClock } from "./dns-clock.ts";
import { type Asked, record, type Said } from "./dns-responder.ts";
import { respond } from "./respond.ts";

const { signal } = new AbortController();

/** A server that says `part(n)` to its n-th query by UDP, and `whole` by TCP, and one that asks it. */
async function asking(part: (nth: number) => Said, whole: Said | "hang up", transport?: Transport) {
  let nth = 0;
  const server = await respond((asked) => (asked.transport === "tcp" ? whole : part(nth++)));
  const clock = new ManualClock();
  const servers = [parseServer(server.address) ?? expect.fail()];
  const resolve = resolver({ servers: () => servers, timeoutMs: 500, maxAttempts: 1, clock, ...(transport && { transport }) });
  return {
    server,
    clock,
    count: async () => countOf(await resolve("web.test", "A", signal)),
    transports: () => (server.asked as Asked[]).splice(0).map(({ transport: by }) => by),
  };
}

const countOf = (answer: Answer) => (answer.kind === "records" ? answer.records.length : 0);
const records = (from: number, count: number): readonly DnsRecord[] =>
  Array.from({ length: count }, (_, i) => record("A", "web.test", `10.0.${(from + i) >> 8}.${(from + i) & 255}`));
const lists = (from: number, count: number): Said => ({ answers: [...records(from, count)] });

describe("an answer by UDP that is a part", () => {
  it("is replaced by that of TCP when it fills its datagram, and TCP is asked from then on", async () => {
    // An A record without compression takes 24 bytes.
    const { count, transports } = await asking(() => lists(0, 50), lists(0, 120));
    expect(await count()).toBe(120);
    expect(transports()).toEqual(["udp", "tcp"]);
    expect(await count()).toBe(120);
    expect(transports()).toEqual(["tcp"]);
  });

  it("is recognized by its records that change from one answer to the next", async () => {
    const { count, transports } = await asking((nth) => lists(nth, 3), lists(0, 60));
    expect(await count()).toBe(3);
    expect(await count()).toBe(60);
    expect(transports()).toEqual(["udp", "udp", "tcp"]);
    expect(await count()).toBe(60);
    expect(transports()).toEqual(["tcp"]);
  });

  it("is not seen in answers that grow, shrink or stay, which cost one query each", async () => {
    const sizes = [3, 5, 4, 4];
    const { count, transports } = await asking((nth) => lists(0, sizes[nth] ?? 0), lists(0, 60));
    for (const size of sizes) expect(await count()).toBe(size);
    expect(transports()).toEqual(["udp", "udp", "udp", "udp"]);
  });

  it("is compared once a minute at most where TCP says the same", async () => {
    const { clock, count, transports } = await asking((nth) => lists(nth, 3), lists(0, 3));
    for (let i = 0; i < 4; i++) expect(await count()).toBe(3);
    expect(transports()).toEqual(["udp", "udp", "tcp", "udp", "udp"]);
    clock.advance(60_000);
    await count();
    expect(transports()).toEqual(["udp", "tcp"]);
    const full = await asking(() => lists(0, 50), lists(0, 50));
    for (let i = 0; i < 3; i++) expect(await full.count()).toBe(50);
    expect(full.transports()).toEqual(["udp", "tcp", "udp", "udp"]);
  });

  it("is used where TCP does not work, at once and later", async () => {
    const { server, count, transports } = await asking(() => lists(0, 50), "hang up");
    expect(await count()).toBe(50);
    expect(await count()).toBe(50);
    expect(transports()).toEqual(["udp", "tcp", "udp"]);
    const later = await asking((nth) => lists(nth, 3), lists(0, 60));
    await later.count();
    expect(await later.count()).toBe(60);
    later.server.script = ({ transport }) => (transport === "tcp" ? "hang up" : lists(0, 3));
    expect(await later.count()).toBe(3);
    expect(server.asked).toEqual([]);
  });

  it("is never asked for with the transport tcp", async () => {
    const { count, transports } = await asking(() => lists(0, 3), lists(0, 60), "tcp");
    expect(await count()).toBe(60);
    expect(transports()).toEqual(["tcp"]);
  });
});
