import { getEventListeners } from "node:events";
import { inspect } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { isMeshError, type MeshError } from "../../../src/core/errors.ts";
import { type Consul, type ConsulOptions, consul } from "../../../src/registries/consul.ts";
import { WatchReader } from "../../../src/testing/contract/watch-reader.ts";
import { settle, until } from "../../support/until.ts";
import { ManualClock } from "../manual-clock.ts";
import { answer, entry, refuse, type Script, type ScriptedConsul, scriptedConsul } from "./scripted-consul.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function rig(
  script: Script,
  options: ConsulOptions = {},
): Promise<{ server: ScriptedConsul; adapter: Consul; reader: () => WatchReader }> {
  const server = await scriptedConsul(script);
  cleanups.push(() => server[Symbol.asyncDispose]());
  const adapter = consul({ url: server.url, ...options });
  const reader = (): WatchReader => {
    const made = new WatchReader(adapter, "orders");
    cleanups.push(() => made.stop());
    return made;
  };
  return { server, adapter, reader };
}

/** The sets that are a change, without those that confirm the one before by being the same array. */
const ports = (reader: WatchReader): number[][] => reader.changes.map((set) => set.map(({ port }) => port));

async function failureOf(reader: WatchReader): Promise<MeshError> {
  await reader.untilFailed(5_000);
  if (!isMeshError(reader.error)) throw reader.error;
  expect(reader.error.code).toBe("ERR_MESH_DISCOVERY");
  expect(reader.error.service).toBe("orders");
  return reader.error;
}

describe("a watch of Consul", () => {
  it("asks at once first and then waits at the index it was given", async () => {
    const { server, reader } = await rig((_request, response, number) => {
      if (number === 0) answer(response, [entry(8081)], { "x-consul-index": "9007199254740993" });
    });
    const watch = reader();
    await until("the second question", () => server.seen.length === 2);
    expect(ports(watch)).toEqual([[8081]]);
    const [first, second] = server.seen;
    expect(first?.path).toBe("/v1/health/service/orders");
    expect(String(first?.query)).toBe("stale=1");
    expect(String(second?.query)).toBe("stale=1&index=9007199254740993&wait=60000ms");
  });

  it("says what it was told to say", async () => {
    const asked = { datacenter: "dc2", partition: "p", tags: ["a", "b"], near: "_agent", filter: 'Service.Meta.v == "2"', waitMs: 1_500 };
    const { server, reader } = await rig((_request, response) => answer(response, []), {
      ...asked,
      consistency: "consistent",
      token: "secret",
    });
    reader();
    await until("the second question", () => server.seen.length >= 2);
    const { query, headers } = server.seen[1] ?? expect.fail();
    expect(Object.fromEntries(query)).toEqual({
      dc: "dc2",
      partition: "p",
      tag: "b",
      near: "_agent",
      filter: asked.filter,
      consistent: "1",
      index: "1",
      wait: "1500ms",
    });
    expect(query.getAll("tag")).toEqual(["a", "b"]);
    expect(headers["x-consul-token"]).toBe("secret");
  });

  it("gives the rest of an answer up whose head has come, long before a change has been waited for", async () => {
    const { server, reader } = await rig(
      (_request, response, number) => {
        if (number === 1) response.writeHead(200, { "content-type": "application/json", "x-consul-index": "2" }).write("[");
        else if (number !== 0) return;
        else answer(response, [entry(8081)]);
      },
      { waitMs: 600_000, requestTimeoutMs: 50 },
    );
    const error = await failureOf(reader());
    expect(error.message).toContain("an answer whose head has come, and not its rest within 50 ms");
    expect(server.seen.length).toBe(2);
  });

  it("encodes the name of the service", async () => {
    const { server, adapter } = await rig((_request, response) => answer(response, []));
    const controller = new AbortController();
    await adapter.watch("../kv/secret?x=1", controller.signal).next();
    controller.abort();
    expect(server.seen[0]?.path).toBe("/v1/health/service/..%2Fkv%2Fsecret%3Fx%3D1");
  });

  it("begins again when the index goes backwards, and misses nothing", async () => {
    const { server, reader } = await rig((_request, response, number) => {
      const [port, index] =
        [
          [8081, "101"],
          [8082, "50"],
          [8083, "51"],
        ][number] ?? [];
      if (port !== undefined) answer(response, [entry(Number(port))], { "x-consul-index": String(index) });
    });
    const watch = reader();
    await until("the fourth question", () => server.seen.length === 4);
    // What comes with the lower index is asked for again at once.
    expect(ports(watch)).toEqual([[8081], [8083]]);
    expect(server.seen.map(({ query }) => query.get("index"))).toEqual([null, "101", null, "51"]);
  });

  it.each([
    ["the same index", "5"],
    ["an index of 1", "1"],
  ])("does not believe an empty list under %s when it has waited in vain", async (_name, index) => {
    const clock = new ManualClock();
    const { server, reader } = await rig(
      (request, response, number) => {
        if (!request.query.has("index")) answer(response, [entry(8081)], { "x-consul-index": "5" });
        else if (number === 1) {
          clock.advance(60_000);
          answer(response, [], { "x-consul-index": index });
        }
      },
      { clock },
    );
    const watch = reader();
    await until("the question is asked again", () => server.seen.at(-1)?.query.get("index") === "5" && server.seen.length > 2);
    expect(ports(watch)).toEqual([[8081]]);
    // Asked without a wait, the list was confirmed.
    expect(watch.sets).toHaveLength(2);
  });

  it("asks without a wait before it believes an empty list, since only then is it said that the token sees nothing", async () => {
    const { server, reader } = await rig((request, response, number) => {
      if (number === 0) answer(response, [entry(8081)], { "x-consul-index": "5" });
      else if (request.query.has("index")) answer(response, [], { "x-consul-index": "6" });
      else answer(response, [], { "x-consul-index": "6", "x-consul-results-filtered-by-acls": "true" });
    });
    const watch = reader();
    expect((await failureOf(watch)).message).toMatch(/filtered by ACLs/);
    expect(ports(watch)).toEqual([[8081]]);
    expect(server.seen.map(({ query }) => query.get("index"))).toEqual([null, "5", null]);
  });

  it("sees a change although the index always stays the same", async () => {
    const { reader } = await rig(
      (_request, response, number) => answer(response, [entry(8081 + Math.floor(number / 4))], { "x-consul-index": "7" }),
      {
        minIntervalMs: 1,
      },
    );
    await reader().until("the third change", (set) => (set[0]?.port ?? 0) >= 8084, 5_000);
  });

  it.each(["missing", "0", "abc", String(2n ** 70n)])("polls once a second where the index is %s", async (index) => {
    const clock = new ManualClock();
    const headers: Record<string, string> = index === "missing" ? {} : { "x-consul-index": index };
    const { server, reader } = await rig(
      (_request, response, number) => answer(response, [entry(8081 + Math.floor(number / 2))], headers),
      { clock },
    );
    const watch = reader();
    for (let asked = 1; asked <= 5; asked++) {
      await until("the pause", () => clock.delays.includes(1_000));
      await settle();
      expect(server.seen.length).toBe(asked);
      clock.advance(999);
      await settle();
      expect(server.seen.length).toBe(asked);
      clock.advance(1);
    }
    expect(server.seen.every(({ query }) => !query.has("index"))).toBe(true);
    await until("the sixth set", () => watch.sets.length === 6);
    expect(ports(watch)).toEqual([[8081], [8082], [8083]]);
  });

  it.each([
    ["the same index is answered at once", () => "7"],
    ["the index grows with every answer", (number: number) => String(7 + number)],
  ])("asks at most every half second when %s, and tells no change without one, but each confirmation", async (_name, indexOf) => {
    const clock = new ManualClock();
    const { server, reader } = await rig(
      (_request, response, number) => answer(response, [entry(8081)], { "x-consul-index": indexOf(number) }),
      { clock },
    );
    const watch = reader();
    for (let asked = 3; asked <= 6; asked++) {
      await until("the pause", () => clock.delays.includes(500));
      await settle();
      expect(server.seen.length).toBe(asked);
      expect(watch.sets.length).toBe(asked);
      clock.advance(500);
    }
    expect(ports(watch)).toEqual([[8081]]);
  });

  it("takes another order for no change, but for a confirmation", async () => {
    const { server, reader } = await rig((_request, response, number) => {
      if (number < 2)
        answer(response, number === 0 ? [entry(1), entry(2)] : [entry(2), entry(1)], { "x-consul-index": String(number + 1) });
    });
    const watch = reader();
    await until("the third question", () => server.seen.length === 3);
    expect(ports(watch)).toEqual([[1, 2]]);
    expect(watch.sets.map((set) => set.map(({ port }) => port))).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it("believes no confirmation of emptiness that it has waited for", async () => {
    const clock = new ManualClock();
    const { server, reader } = await rig(
      (request, response, number) => {
        if (number === 0) answer(response, [], { "x-consul-index": "5" });
        else if (number === 1) {
          clock.advance(60_000);
          answer(response, [], { "x-consul-index": "5" });
        } else if (!request.query.has("index"))
          answer(response, [], { "x-consul-index": "5", "x-consul-results-filtered-by-acls": "true" });
      },
      { clock },
    );
    const watch = reader();
    expect((await failureOf(watch)).message).toMatch(/filtered by ACLs/);
    expect(watch.sets).toEqual([[]]);
    expect(server.seen.map(({ query }) => query.get("index"))).toEqual([null, "5", null]);
  });

  it.each<[string, Script, RegExp]>([
    ["null", (_request, response) => answer(response, null), /null, not an array/],
    ["an object", (_request, response) => answer(response, {}), /object, not an array/],
    [
      "a page",
      (_request, response) => response.writeHead(200, { "content-type": "text/html" }).end("<h1>login</h1>"),
      /string, not an array/,
    ],
    ["nothing", (_request, response) => response.writeHead(200, { "x-consul-index": "5" }).end(), /undefined, not an array/],
    ["broken JSON", (_request, response) => response.writeHead(200, { "content-type": "application/json" }).end('[{"Node"'), /not JSON/],
    ["a redirect", (_request, response) => response.writeHead(302, { location: "/v1/other" }).end(), /HTTP 302/],
    ["400", (_request, response) => refuse(response, 400, "Invalid index"), /HTTP 400: Invalid index/],
    ["403", (_request, response) => refuse(response, 403, "ACL not found"), /HTTP 403: ACL not found/],
    ["429", (_request, response) => refuse(response, 429, ""), /HTTP 429$/],
    ["500", (_request, response) => refuse(response, 500, `No cluster leader\r\n${"x".repeat(200)}`), /HTTP 500: No cluster leader x/],
    ["a reset", (_request, response) => void response.socket?.resetAndDestroy(), /ECONNRESET/],
    ["too much", (_request, response) => answer(response, ["x".repeat(100_000)]), /larger than 50000 bytes/],
    ["a cut body", (_request, response) => cut(response), /cut off/],
    [
      "an empty list filtered by ACLs",
      (_request, response) => answer(response, [], { "x-consul-index": "5", "x-consul-results-filtered-by-acls": "true" }),
      /filtered by ACLs/,
    ],
  ])("throws when the answer is %s, at first and later, and works when started again", async (_name, fault, message) => {
    const { server, reader } = await rig(
      (request, response, number) => {
        if (number === 0 || number === 2) fault(request, response, number);
        else if (number === 1) answer(response, [entry(8081)]);
      },
      { maxBodyBytes: 50_000 },
    );
    const first = reader();
    expect((await failureOf(first)).message).toMatch(message);
    expect((await failureOf(first)).message).toContain(`consul at ${server.url}: orders: `);
    const second = reader();
    expect((await failureOf(second)).message).toMatch(message);
    expect([ports(first), ports(second)]).toEqual([[], [[8081]]]);
    expect(server.seen[2]?.query.get("index")).toBe("1");
    expect(server.seen.every(({ path }) => path === "/v1/health/service/orders")).toBe(true);
    reader();
    await until("a fresh start", () => server.seen.length === 4);
    expect(server.seen[3]?.query.has("index")).toBe(false);
  });

  it("believes a list that is filtered in part", async () => {
    const { reader } = await rig((_request, response, number) => {
      if (number === 0) answer(response, [entry(8081)], { "x-consul-index": "5", "x-consul-results-filtered-by-acls": "true" });
    });
    expect((await reader().first(5_000)).map(({ port }) => port)).toEqual([8081]);
  });

  it("throws when there is no agent", async () => {
    const { server, reader } = await rig(() => {});
    await server[Symbol.asyncDispose]();
    cleanups.splice(0);
    const error = await failureOf(reader());
    expect(error.message).toMatch(/ECONNREFUSED/);
    expect(error.cause).toMatchObject({ name: "ConsulError", code: "ECONNREFUSED" });
  });

  it.each<[string, Script, number]>([
    ["no answer after the wait, a sixteenth and 5 s", () => {}, 68_750],
    [
      "a body that never ends after 5 s more",
      (_request, response) => void response.writeHead(200, { "content-type": "application/json" }).write("["),
      5_000,
    ],
  ])("gives up %s, and after 5 s at first", async (_name, hang, waitedMs) => {
    const clock = new ManualClock();
    const { server, reader } = await rig(
      (request, response, number) => {
        if (number === 1) answer(response, [entry(8081)]);
        else hang(request, response, number);
      },
      { clock },
    );
    for (const [asked, timeoutMs] of [
      [1, 5_000],
      [3, waitedMs],
    ] as const) {
      const watch = reader();
      await until("the question", () => server.seen.length === asked);
      await until("its limit", () => clock.delays.includes(timeoutMs));
      await settle();
      clock.advance(timeoutMs - 1);
      await settle();
      expect(watch.failed).toBe(false);
      clock.advance(1);
      expect((await failureOf(watch)).message).toMatch(new RegExp(`within ${timeoutMs} ms`));
      await until("the connection is closed", () => server.connections === 0);
    }
  });

  describe("that gets stale answers", () => {
    const stale = { "x-consul-index": "5", "x-consul-lastcontact": "10001", "x-consul-knownleader": "false" };

    it("asks the leader when they are too stale", async () => {
      const { server, reader } = await rig((request, response) => {
        if (request.query.has("index")) return;
        if (request.query.has("stale")) answer(response, [entry(1)], stale);
        else answer(response, [entry(2)]);
      });
      const watch = reader();
      await until("the third question", () => server.seen.length === 3);
      expect(ports(watch)).toEqual([[2]]);
    });

    it("uses them when there is no leader", async () => {
      const { reader } = await rig((_request, response, number) => {
        if (number === 0) answer(response, [entry(1)], stale);
        else if (number === 1) refuse(response, 500, "No cluster leader");
      });
      expect((await reader().first(5_000)).map(({ port }) => port)).toEqual([1]);
    });

    it("takes those that are fresh enough", async () => {
      const { server, reader } = await rig((_request, response, number) => {
        if (number === 0) answer(response, [entry(1)], { ...stale, "x-consul-lastcontact": "10000" });
      });
      const watch = reader();
      await until("the second question", () => server.seen.length === 2);
      expect(ports(watch)).toEqual([[1]]);
      expect(server.seen.every(({ query }) => query.has("stale"))).toBe(true);
    });
  });

  describe("says that an answer is certain", () => {
    const informed = { "x-consul-knownleader": "true", "x-consul-lastcontact": "0" };
    interface Case {
      readonly indexes: readonly [number, number];
      readonly headers?: Readonly<Record<string, string>>;
      readonly token?: string;
    }
    /** Whether the second answer, which lists no instance any more, is certain. */
    const isCertain = async ({ indexes: [first, second], headers = informed, token = "secret" }: Case): Promise<boolean> => {
      let isGone = false;
      const { adapter } = await rig(
        ({ query }, response) => {
          if (!query.has("index") && !isGone) {
            isGone = true;
            answer(response, [entry(8081)], { ...headers, "x-consul-index": String(first) });
          } else answer(response, [], { ...headers, "x-consul-index": String(second) });
        },
        { ...(token === "" ? {} : { token }), minIntervalMs: 1 },
      );
      const controller = new AbortController();
      cleanups.push(() => controller.abort());
      const sets = adapter.watch("orders", controller.signal)[Symbol.asyncIterator]();
      expect((await sets.next()).value?.certain).toBe(false);
      const { value } = await sets.next();
      expect(value?.endpoints).toEqual([]);
      return value?.certain ?? expect.fail();
    };

    it("where the index has moved on, the leader is known and a token hid nothing", async () => {
      expect(await isCertain({ indexes: [20, 21] })).toBe(true);
    });

    it.each<[string, Case]>([
      ["an index that went back", { indexes: [20, 3] }],
      ["no token, without which Consul does not say what it hides", { indexes: [20, 21], token: "" }],
      ["no leader", { indexes: [20, 21], headers: { ...informed, "x-consul-knownleader": "false" } }],
      ["a server that heard of its leader too long ago", { indexes: [20, 21], headers: { ...informed, "x-consul-lastcontact": "1001" } }],
      ["no word on leaders", { indexes: [20, 21], headers: {} }],
    ])("and not with %s", async (_what, each) => {
      expect(await isCertain(each)).toBe(false);
    });

    it("without a token where those without one may read everything, and not where ACLs hide a part from a token", async () => {
      const allows = { ...informed, "x-consul-default-acl-policy": "allow" };
      expect(await isCertain({ indexes: [20, 21], token: "", headers: allows })).toBe(true);
      expect(await isCertain({ indexes: [20, 21], token: "", headers: { ...allows, "x-consul-default-acl-policy": "deny" } })).toBe(false);
    });

    it("and not after a failed question, until as many are listed as before: a catalogue that lost its data may have any index", async () => {
      let at = 0;
      const answers: ([number, unknown[]] | "fails")[] = [
        [20, [entry(1), entry(2)]],
        "fails",
        [90, []],
        [95, [entry(1), entry(2)]],
        [96, []],
      ];
      const { adapter } = await rig(
        (_request, response) => {
          const next = answers[at] ?? expect.fail();
          if (next === "fails") refuse(response, 500, "No cluster leader");
          else answer(response, next[1], { ...informed, "x-consul-index": String(next[0]) });
        },
        { token: "secret" },
      );
      const marks: unknown[] = [];
      for (; at < answers.length; at++) {
        const controller = new AbortController();
        const next = adapter.watch("orders", controller.signal)[Symbol.asyncIterator]().next();
        marks.push(await next.then(({ value }) => value?.certain).catch(() => "failed"));
        controller.abort();
      }
      expect(marks).toEqual([false, "failed", false, false, true]);
    });

    it("asks the catalogue at once about a cliff that the streaming backend shows", async () => {
      const streaming = { ...informed, "x-consul-knownleader": "false" };
      const allows = { "x-consul-default-acl-policy": "allow" };
      const all = [1, 2, 3, 4, 5].map((port) => entry(port));
      const { server, adapter } = await rig(({ query }, response, number) => {
        if (number === 0) answer(response, all, { ...informed, ...allows, "x-consul-index": "20" });
        else if (query.get("index") === "20") answer(response, all.slice(0, 1), { ...streaming, ...allows, "x-consul-index": "21" });
        else if (!query.has("index")) answer(response, all.slice(0, 1), { ...informed, ...allows, "x-consul-index": "21" });
      });
      const controller = new AbortController();
      cleanups.push(() => controller.abort());
      const marks: [number, boolean][] = [];
      for await (const { endpoints, certain } of adapter.watch("orders", controller.signal)) {
        marks.push([endpoints.length, certain]);
        if (marks.length === 3) break;
      }
      expect(marks).toEqual([
        [5, false],
        [1, false],
        [1, true],
      ]);
      expect(server.seen.map(({ query }) => query.get("index"))).toEqual([null, "20", null]);
    });

    it("and not by a catalogue that was emptied and has counted on since, over a broken watch too", async () => {
      const answers: [number, unknown[]][] = [
        [500, [entry(8081), entry(8082)]],
        [12, []],
        [13, [entry(8081)]],
        [14, []],
        [501, []],
        [502, [entry(8081), entry(8082)]],
        [503, []],
      ];
      let at = 0;
      const { adapter } = await rig(
        (_request, response) => {
          const [index, entries] = answers[Math.min(at, answers.length - 1)] ?? expect.fail();
          answer(response, entries, { ...informed, "x-consul-index": String(index) });
        },
        { token: "secret" },
      );
      const marks: boolean[] = [];
      for (; at < answers.length; at++) {
        const controller = new AbortController();
        const { value } = await adapter.watch("orders", controller.signal)[Symbol.asyncIterator]().next();
        marks.push(value?.certain ?? expect.fail());
        controller.abort();
      }
      expect(marks, "only once it lists as many as before is it the catalogue again").toEqual([
        false,
        false,
        false,
        false,
        false,
        false,
        true,
      ]);
    });
  });

  it("asks without a wait when it is told to ask again, and waits on from the answer", async () => {
    const { server, adapter, reader } = await rig(({ query }, response) => {
      if (!query.has("index")) answer(response, [entry(8081)], { "x-consul-index": "20" });
    });
    const watch = reader();
    await until("it waits", () => server.seen.length === 2);
    adapter.refresh("billing");
    adapter.refresh("orders");
    await until("it has asked, and waits again", () => server.seen.length === 4);
    expect(server.seen.map(({ query }) => query.get("index"))).toEqual([null, "20", null, "20"]);
    expect(watch.sets).toHaveLength(2);
  });

  it("polls when too many others wait already", async () => {
    const clock = new ManualClock();
    const { server, reader } = await rig((request, response) => void (request.query.has("index") || answer(response, [entry(8081)])), {
      clock,
      maxBlockingQueries: 1,
    });
    const first = reader();
    await until("the first watch waits", () => server.seen.length === 2);
    reader();
    for (let asked = 4; asked <= 6; asked++) {
      await until("the pause", () => clock.delays.includes(5_000) && server.seen.length === asked);
      await settle();
      expect(server.seen.length).toBe(asked);
      clock.advance(5_000);
    }
    expect(server.seen.filter(({ query }) => query.has("index")).length).toBe(1);
    await first.stop();
    await until("the second watch waits", () => {
      if (clock.delays.includes(5_000)) clock.advance(5_000);
      return server.seen.filter(({ query }) => query.has("index")).length === 2;
    });
  });

  it("leaves no connection, listener and timer behind when its signal aborts", async () => {
    const clock = new ManualClock();
    const { server, adapter } = await rig((_request, response, number) => void (number > 0 || answer(response, [entry(8081)])), { clock });
    const controller = new AbortController();
    const iterator = adapter.watch("orders", controller.signal);
    await iterator.next();
    const next = iterator.next();
    await until("the blocking question", () => server.seen.length === 2);
    controller.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    expect(clock.delays).toEqual([]);
    await until("the connection is closed", () => server.connections === 0);
  });

  it("adds no listener to its signal from question to question", async () => {
    const { server, adapter } = await rig(
      (_request, response, number) =>
        void (number > 30 || answer(response, [entry(8081 + number)], { "x-consul-index": String(number + 1) })),
      {
        minIntervalMs: 0,
      },
    );
    const controller = new AbortController();
    const iterator = adapter.watch("orders", controller.signal);
    for (let read = 0; read < 30; read++) {
      await iterator.next();
      expect(getEventListeners(controller.signal, "abort").length).toBe(1);
    }
    controller.abort();
    await iterator.return();
    await until("the connection is closed", () => server.connections === 0);
  });

  it("ends when the adapter is closed, which can be used again", async () => {
    const { server, adapter } = await rig((request, response) => void (request.query.has("index") || answer(response, [entry(8081)])));
    const { signal } = new AbortController();
    const iterator = adapter.watch("orders", signal);
    await iterator.next();
    const next = iterator.next();
    await until("the blocking question", () => server.seen.length === 2);
    await adapter.services(signal).catch(() => {});
    await adapter.close();
    expect(await next).toEqual({ done: true, value: undefined });
    await until("every connection is closed", () => server.connections === 0);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    const again = adapter.watch("orders", signal);
    expect((await again.next()).value?.endpoints.length).toBe(1);
    await again.return();
    await adapter.close();
    await until("every connection is closed again", () => server.connections === 0);
  });
});

describe("the token", () => {
  const canary = "canary-5f2a9c";
  const everythingOf = (error: unknown): string => inspect(error, { depth: 20, showHidden: true, getters: true });

  it.each<[string, Script]>([
    ["a refusal that quotes it", (_request, response) => refuse(response, 403, `token ${canary} not found`)],
    ["JSON that is broken", (_request, response) => response.writeHead(200, { "content-type": "application/json" }).end("[")],
    ["a wrong answer", (_request, response) => answer(response, null)],
    ["a cut answer", (_request, response) => cut(response)],
    ["a reset", (_request, response) => void response.socket?.resetAndDestroy()],
    ["a timeout", () => {}],
  ])("is in no error after %s", async (_name, script) => {
    const { server, adapter, reader } = await rig(script, { token: canary, requestTimeoutMs: 100, registerTimeoutMs: 0 });
    const errors = [
      await failureOf(reader()),
      await adapter.services(new AbortController().signal).catch((error: unknown) => error),
      await adapter.register({ service: "orders", port: 80 }).catch((error: unknown) => error),
    ];
    expect(server.seen[0]?.headers["x-consul-token"]).toBe(canary);
    for (const error of errors) {
      expect(error === undefined || isMeshError(error) || "id" in (error as object)).toBe(true);
      expect(everythingOf(error)).not.toContain(canary);
      expect(JSON.stringify(error)).not.toContain(canary);
    }
  });

  it("is asked for anew with every request", async () => {
    const tokens = ["one", "two"];
    const { server, reader } = await rig((_request, response) => answer(response, []), { token: async () => tokens.shift() ?? "last" });
    reader();
    await until("three questions", () => server.seen.length >= 3);
    expect(server.seen.slice(0, 3).map(({ headers }) => headers["x-consul-token"])).toEqual(["one", "two", "last"]);
  });

  it("that cannot be had is an error, and a function that hangs ends with the timeout", async () => {
    const { server, reader } = await rig(() => {}, { token: { file: "/nonexistent/token" } });
    expect((await failureOf(reader())).message).toMatch(/ENOENT/);
    const hanging = await rig(() => {}, { token: () => new Promise<string>(() => {}), requestTimeoutMs: 50 });
    expect((await failureOf(hanging.reader())).message).toMatch(/no answer within 50 ms/);
    expect([...server.seen, ...hanging.server.seen]).toEqual([]);
  });

  it("that comes too late is not used any more", async () => {
    const late = Promise.withResolvers<string>();
    const { server, reader } = await rig(() => {}, { token: () => late.promise, requestTimeoutMs: 20 });
    await failureOf(reader());
    late.resolve("late");
    await settle();
    expect(server.seen).toEqual([]);
  });
});

describe("the catalogue of Consul", () => {
  const { signal } = new AbortController();

  it("lists names, whatever they are", async () => {
    const { server, adapter } = await rig((_request, response) =>
      response.writeHead(200, { "content-type": "application/json" }).end('{"consul":[],"__proto__":["a"],"orders":[]}'),
    );
    expect(await adapter.services(signal)).toEqual(["consul", "__proto__", "orders"]);
    expect(server.seen[0]?.path).toBe("/v1/catalog/services");
  });

  it.each<[string, Script]>([
    ["a list", (_request, response) => answer(response, [])],
    ["null", (_request, response) => answer(response, null)],
    ["filtered to nothing", (_request, response) => answer(response, {}, { "x-consul-results-filtered-by-acls": "true" })],
    ["an error", (_request, response) => refuse(response, 500, "No cluster leader")],
  ])("is an error when the answer is %s", async (_name, script) => {
    const { adapter } = await rig(script);
    await expect(adapter.services(signal)).rejects.toMatchObject({ code: "ERR_MESH_DISCOVERY" });
  });

  it("rejects with the reason when its signal aborts", async () => {
    const { server, adapter } = await rig(() => {});
    const controller = new AbortController();
    const reason = new Error("enough");
    const names = adapter.services(controller.signal);
    await until("the question", () => server.seen.length === 1);
    controller.abort(reason);
    await expect(names).rejects.toBe(reason);
    await until("the connection is closed", () => server.connections === 0);
  });
});

/** Sends the head and half of the body, and ends the connection as a killed process does. */
function cut(response: Parameters<Script>[1]): void {
  response.writeHead(200, { "content-type": "application/json", "x-consul-index": "5", "content-length": "1000" });
  response.write("[", () => response.socket?.destroy());
}
