import { getEventListeners } from "node:events";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import type { EurekaTls } from "../../../src/registries/eureka/options.ts";
import { parseServer } from "../../../src/registries/eureka/server-address.ts";
import { Servers } from "../../../src/registries/eureka/servers.ts";
import { seededRandom } from "../../../src/testing/seeded-random.ts";
import { certificate } from "../../support/certificate.ts";
import { ManualClock } from "../manual-clock.ts";
import { scriptedEureka } from "./scripted-eureka.ts";

const limits = { timeoutMs: 5_000, maxBytes: 1_000_000, tls: {}, clock: systemClock, order: "listed", random: () => 0.5 } as const;
const serversAt = (urls: readonly string[], overrides: { timeoutMs?: number; maxBytes?: number; tls?: EurekaTls } = {}): Servers =>
  new Servers(
    urls.map((url, index) => parseServer(url, `servers[${index}]`, { username: "user", password: "pass" })),
    { ...limits, ...overrides },
  );
const get = { method: "GET", path: "" };
const textOf = ({ body }: { body: Buffer }): string => String(body);

describe("the Eureka servers", () => {
  it("are asked for JSON below /apps/, with credentials, on a connection that is closed afterwards", async () => {
    await using server = await scriptedEureka(() => ({ body: "hello" }));
    const servers = serversAt([server.url]);
    const { signal } = new AbortController();
    expect(await servers.send({ method: "POST", path: "USERS", body: '{"a":"ä"}' }, textOf, signal)).toBe("hello");
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(server.seen[0]).toMatchObject({ method: "POST", path: "/eureka/apps/USERS", body: '{"a":"ä"}' });
    expect(server.seen[0]?.headers).toMatchObject({
      accept: "application/json",
      "accept-encoding": "gzip",
      authorization: `Basic ${Buffer.from("user:pass").toString("base64")}`,
      "content-type": "application/json",
      "content-length": "10",
    });
    await expect.poll(() => server.connections).toBe(0);
  });

  it("are asked with the credentials of their own URL, decoded", async () => {
    await using server = await scriptedEureka(() => ({}));
    await serversAt([server.url.replace("://", "://m%40sh:p%3Aw%C3%A4@")]).send(get, textOf);
    expect(server.seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from("m@sh:p:wä").toString("base64")}`);
  });

  it("may answer in gzip", async () => {
    await using server = await scriptedEureka(() => ({ headers: { "content-encoding": "gzip" }, body: gzipSync("hällo") }));
    expect(await serversAt([server.url]).send(get, textOf)).toBe("hällo");
  });

  it.each([
    ["does not answer", undefined, /no complete answer within 100 ms/],
    ["redirects", { status: 302, headers: { location: "http://127.0.0.1:1/" } }, /answered 302: redirects are not followed/],
    ["sends more than the limit", { body: "x".repeat(1_000_001) }, /answered more than 1000000 bytes/],
    [
      "sends a gzip bomb",
      { headers: { "content-encoding": "gzip" }, body: gzipSync(Buffer.alloc(64 * 2 ** 20)) },
      /answered more than 1000000 bytes/,
    ],
    ["sends gzip that is none", { headers: { "content-encoding": "gzip" }, body: "garbage" }, /incorrect header check/],
    [
      "sends gzip that ends early",
      { headers: { "content-encoding": "gzip" }, body: gzipSync("hello").subarray(0, 15) },
      /unexpected end of file/,
    ],
    ["sends an encoding it was not asked for", { headers: { "content-encoding": "br" }, body: "x" }, /content encoding "br"/],
    [
      "breaks off in gzip",
      { headers: { "content-encoding": "gzip" }, body: gzipSync("hello").subarray(0, 15), isCutOff: true },
      /aborted|ECONNRESET|socket hang up/,
    ],
    ["breaks off", { body: "x", isCutOff: true }, /aborted|ECONNRESET|socket hang up/],
  ] as const)("are given up, and their connection with them, when one %s", async (_what, answer, message) => {
    await using bad = await scriptedEureka(() => answer);
    await using good = await scriptedEureka(() => ({ body: "good" }));
    const timeoutMs = answer === undefined ? 100 : 5_000;
    await expect(serversAt([bad.url], { timeoutMs }).send(get, textOf)).rejects.toThrow(message);
    expect(await serversAt([bad.url, good.url], { timeoutMs }).send(get, textOf)).toBe("good");
    await expect.poll(() => bad.connections).toBe(0);
    expect(bad.seen).toHaveLength(2);
  });

  it("are asked one after the other until one is accepted, which is asked first for a while", async () => {
    await using first = await scriptedEureka((_call, number) => ({ body: number === 0 ? "bad" : "better" }));
    await using second = await scriptedEureka((_call, number) => ({ body: number === 2 ? "bad" : "good" }));
    const servers = serversAt([first.url, second.url]);
    const accept = ({ body }: { body: Buffer }): string => {
      const text = String(body);
      if (text === "bad") throw new Error("not what I wanted");
      return text;
    };
    expect(await servers.send(get, accept)).toBe("good");
    expect(await servers.send(get, accept)).toBe("good");
    expect([first.seen.length, second.seen.length]).toEqual([1, 2]);
    expect(await servers.send(get, accept)).toBe("better");
    expect([first.seen.length, second.seen.length]).toEqual([2, 3]);
  });

  it("are spread over by clients with one list, also while one of them fails, and again soon after it is back", async () => {
    await using first = await scriptedEureka(() => ({ status: isDown ? 503 : 200 }));
    await using second = await scriptedEureka(() => ({}));
    await using third = await scriptedEureka(() => ({}));
    let isDown = false;
    const all = [first, second, third];
    const clock = new ManualClock();
    const random = seededRandom(7);
    const addresses = all.map(({ url }, index) => parseServer(url, `servers[${index}]`, undefined));
    const clients = Array.from({ length: 60 }, () => new Servers(addresses, { ...limits, clock, order: "random", random }));
    const accept = ({ status }: { status: number }) => {
      if (status !== 200) throw new Error(`answered ${status}`);
    };
    const shares = async () => {
      const before = all.map(({ seen }) => seen.length);
      await Promise.all(clients.map((client) => client.send(get, accept)));
      return all.map(({ seen }, index) => seen.length - (before[index] ?? 0));
    };
    const usual = await shares();
    expect(Math.min(...usual)).toBeGreaterThan(10);
    isDown = true;
    const [asked = 0, ...others] = await shares();
    expect(asked).toBe(usual[0]);
    expect(Math.min(...others)).toBeGreaterThan(20);
    // Avoided, so that a call does not cost its time limit each time.
    expect((await shares())[0]).toBe(0);
    isDown = false;
    clock.advance(1_000);
    expect(await shares()).toEqual(usual);
  });

  it("are tried again after pauses that grow up to half a minute and differ from client to client", async () => {
    await using bad = await scriptedEureka(() => ({ status: 500 }));
    await using good = await scriptedEureka(() => ({}));
    const clock = new ManualClock();
    const pausesOf = async (random: () => number) => {
      const addresses = [bad, good].map(({ url }, index) => parseServer(url, `servers[${index}]`, undefined));
      const servers = new Servers(addresses, { ...limits, clock, random });
      const pauses: number[] = [];
      let triedAt = clock.now();
      while (pauses.length < 8) {
        const before = bad.seen.length;
        await servers.send(get, ({ status }) => {
          if (status === 500) throw new Error("answered 500");
        });
        if (bad.seen.length > before) {
          pauses.push(clock.now() - triedAt);
          triedAt = clock.now();
        }
        clock.advance(250);
      }
      return pauses.slice(1);
    };
    expect(await pausesOf(() => 1)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(await pausesOf(() => 0)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
  });

  it("are all named, with what each did and no credentials, when none will do", async () => {
    await using hanging = await scriptedEureka(() => undefined);
    const servers = serversAt([hanging.url.replace("://", "://me:c4n4ry@"), "http://127.0.0.1:1/custom/apps/"], { timeoutMs: 100 });
    const error = await servers.send(get, textOf).catch((reason: unknown) => reason);
    expect(String(error)).toMatch(
      /^Error: http:\/\/127\.0\.0\.1:\d+\/eureka: no complete answer within 100 ms; http:\/\/127\.0\.0\.1:1\/custom: .*ECONNREFUSED/,
    );
    expect(String(error)).not.toContain("c4n4ry");
  });

  it("are left alone, the next ones too, when the signal aborts", async () => {
    await using hanging = await scriptedEureka(() => undefined);
    await using next = await scriptedEureka(() => ({}));
    const controller = new AbortController();
    const reason = new Error("enough");
    const sent = serversAt([hanging.url, next.url]).send(get, textOf, controller.signal);
    await Promise.all([
      expect(sent).rejects.toBe(reason),
      expect
        .poll(() => hanging.seen.length)
        .toBe(1)
        .then(() => controller.abort(reason)),
    ]);
    await expect.poll(() => hanging.connections).toBe(0);
    expect(next.seen).toHaveLength(0);
    await expect(serversAt([next.url]).send(get, textOf, controller.signal)).rejects.toBe(reason);
    expect(next.seen).toHaveLength(0);
  });

  it("are trusted over HTTPS by the authority that is given, and by no other", async () => {
    await using server = await scriptedEureka(() => ({ body: "secret" }), certificate);
    expect(await serversAt([server.url], { tls: { ca: certificate.cert } }).send(get, textOf)).toBe("secret");
    expect(await serversAt([server.url], { tls: { ca: certificate.cert, serverName: "eureka.test" } }).send(get, textOf)).toBe("secret");
    await expect(serversAt([server.url]).send(get, textOf)).rejects.toThrow(/DEPTH_ZERO_SELF_SIGNED_CERT|self-signed/);
    await expect(serversAt([server.url], { tls: { ca: certificate.cert, serverName: "other.test" } }).send(get, textOf)).rejects.toThrow(
      /ALTNAME/,
    );
    expect(server.seen).toHaveLength(2);
  });
});

describe("a Eureka service URL", () => {
  const parse = (url: unknown) => parseServer(url, "servers[0]", undefined);

  it.each([
    ["http://eureka", "http://eureka/eureka", "eureka", 80],
    ["http://eureka:8761/", "http://eureka:8761/eureka", "eureka", 8761],
    ["http://eureka:8761/eureka/", "http://eureka:8761/eureka", "eureka", 8761],
    ["http://eureka:8761/eureka/apps/", "http://eureka:8761/eureka", "eureka", 8761],
    ["http://eureka:8761/apps", "http://eureka:8761", "eureka", 8761],
    ["https://[::1]/eureka/v2", "https://[::1]/eureka/v2", "::1", 443],
    ["http://user:c4n4ry@eureka/", "http://eureka/eureka", "eureka", 80],
  ])("%s is %s", (url, label, hostname, port) => {
    expect(parse(url)).toMatchObject({ label, hostname, port });
  });

  it.each([
    ["c4n4ry", /must be a URL/],
    ["", /must be a URL/],
    [7, /must be a URL/],
    [undefined, /must be a URL/],
    ["ftp://user:c4n4ry@eureka", /must begin with http/],
    ["http://user:c4n4ry@eureka/?a=b", /neither a query nor a fragment/],
    ["http://user:c4n4ry@eureka/#a", /neither a query nor a fragment/],
    ["http://user:c4n4ry%@eureka/", /not percent-encoded/],
  ])("%j is refused, by the option's name and without its secrets", (url, message) => {
    const refused = (): unknown => parse(url);
    expect(refused).toThrow(TypeError);
    expect(refused).toThrow(message);
    expect(refused).toThrow(/servers\[0\]/);
    expect(refused).not.toThrow(/c4n4ry/);
  });
});
