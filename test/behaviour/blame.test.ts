import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { request as undiciRequest } from "undici";
import { describe, expect, it } from "vitest";
import { outcomeOfAttempt } from "../../src/core/outcome.ts";
import { type Mesh, type MeshOptions, roundRobin } from "../../src/index.ts";
import { superseded } from "../../src/policies/hedge/race.ts";
import { continueFrom } from "../../src/policies/incoming.ts";
import { meshOf } from "../support/mesh.ts";
import { closedPort, serveRaw } from "../support/servers.ts";
import { until } from "../support/until.ts";

type Answer = (socket: Socket, head: string) => void;

/** One row of the table in docs/reference/policies/blame.md. */
interface Row {
  /** What an instance does with each request; `undefined` where it refuses connections. */
  readonly answer: Answer | undefined;
  readonly options?: Partial<MeshOptions>;
  /** Makes one call, or several; how they end does not matter. */
  readonly call?: (mesh: Mesh) => Promise<unknown>;
  /** Failures that are counted, and the state of the instance where that is part of the row. */
  readonly failures: number;
  readonly state?: string;
}

const silent: Answer = () => {};
const writes =
  (text: string): Answer =>
  (socket) =>
    void socket.write(text);
const after =
  (ms: number, answer: Answer): Answer =>
  (socket, head) =>
    void setTimeout(() => answer(socket, head), ms);
const ok = writes("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
const stalls = writes("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
const coded =
  (coding: string, content: Buffer): Answer =>
  (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: ${coding}\r\ncontent-length: ${content.length}\r\n\r\n`);
    socket.write(content);
  };
const resets: Answer = (socket) => void socket.resetAndDestroy();
/** The head of a refusal, and a reset behind it. */
const refusesAndResets: Answer = (socket) => {
  socket.write("HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\r\n");
  setTimeout(() => socket.resetAndDestroy(), 20);
};
const text = async (mesh: Mesh) => (await mesh.fetch("orders/")).text();
const large = "x".repeat(9_000);
/** Seven warming calls, which show how long the instance takes, and then `call`. */
const warmed = (call: (mesh: Mesh) => Promise<unknown>) => async (mesh: Mesh) => {
  for (let index = 0; index < 7; index++) await (await mesh.fetch("orders/warm")).text();
  await call(mesh);
};
/** Answers `/warm` at once, and all else with `answer`. */
const warm =
  (answer: Answer): Answer =>
  (socket, head) =>
    (head.includes("/warm") ? ok : answer)(socket, head);
const aborting = (ms: number) => AbortSignal.timeout(ms);

const rows: Readonly<Record<string, Row>> = {
  "no connection can be made": { answer: undefined, failures: 1, state: "ejected" },
  "502, 503 or 504": { answer: writes("HTTP/1.1 502 No\r\ncontent-length: 0\r\n\r\n"), failures: 1 },
  "the connection is lost before the head": { answer: resets, failures: 1 },
  "the body is cut off": {
    answer: (socket, head) => {
      stalls(socket, head);
      setTimeout(() => socket.resetAndDestroy(), 20);
    },
    failures: 1,
  },
  "a body that arrives whole and does not decode": {
    answer: coded("gzip", gzipSync("whole").subarray(0, 18)),
    failures: 1,
  },
  "a body that decodes to more than a limit": {
    answer: coded("gzip", gzipSync(Buffer.alloc(2 ** 22))),
    failures: 0,
  },
  "a body that does not decode and is not read": {
    answer: coded("gzip", Buffer.from("garbage")),
    call: async (mesh) => {
      await mesh.fetch("orders/");
    },
    failures: 0,
  },
  "no head within `attemptTimeoutMs`": { answer: silent, options: { attemptTimeoutMs: 60 }, failures: 1 },
  "no head within a shorter limit that was long enough": {
    answer: warm(silent),
    options: { attemptTimeoutMs: 1_000 },
    call: warmed((mesh) => mesh.fetch("orders/", { mesh: { timeoutMs: 400 } })),
    failures: 1,
  },
  "no byte of the body for long enough, while its reader waits": { answer: stalls, options: { timeoutMs: 150 }, failures: 1 },
  "no byte of the body, which is not read": {
    answer: stalls,
    options: { timeoutMs: 150 },
    call: async (mesh) => {
      const response = await mesh.fetch("orders/");
      await new Promise((resolve) => setTimeout(resolve, 250));
      await response.text();
    },
    failures: 0,
  },
  "a reader that does not keep up until the deadline": {
    answer: (socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9000000\r\n\r\n");
      socket.write(Buffer.alloc(9_000_000));
    },
    options: { timeoutMs: 150 },
    call: async (mesh) => {
      const reader = (await mesh.fetch("orders/")).body?.getReader();
      await reader?.read();
      await new Promise((resolve) => setTimeout(resolve, 250));
      for (;;) if ((await reader?.read())?.done) break;
    },
    failures: 0,
  },
  "a limit of the call that was too short (`mesh.timeoutMs`, `mesh.attemptTimeoutMs`)": {
    answer: warm(after(30, ok)),
    call: warmed(async (mesh) => {
      await mesh.fetch("orders/", { mesh: { timeoutMs: 10 } }).catch(() => {});
      await mesh.fetch("orders/", { mesh: { attemptTimeoutMs: 10 } });
    }),
    failures: 0,
  },
  "a caller of this process that waits no longer (`x-mesh-deadline-ms`)": {
    answer: warm(after(30, ok)),
    call: warmed((mesh) => continueFrom({ "x-mesh-deadline-ms": "5" }, () => mesh.fetch("orders/"))),
    failures: 0,
  },
  "the caller's abort before the head": {
    answer: silent,
    call: (mesh) => mesh.fetch("orders/", { signal: aborting(30) }),
    failures: 0,
  },
  "the caller's abort in the body": {
    answer: stalls,
    call: async (mesh) => (await mesh.fetch("orders/", { signal: aborting(100) })).text(),
    failures: 0,
  },
  "the caller's abort of an upgrade": {
    answer: silent,
    call: (mesh) => mesh.dispatcher().upgrade({ origin: "http://orders", path: "/", protocol: "echo", signal: aborting(30) } as never),
    failures: 0,
  },
  "a body that its reader cancels, or that is larger than a limit": {
    answer: stalls,
    call: async (mesh) => {
      await (await mesh.fetch("orders/")).body?.cancel();
      const reply = await mesh.request("orders/");
      reply.body.cancel();
    },
    failures: 0,
  },
  "a 4xx, also where its body is cut off": { answer: refusesAndResets, failures: 0 },
  "the connection is lost after a head of more than 8 KiB": {
    answer: resets,
    call: (mesh) => mesh.fetch("orders/", { headers: { "x-large": large } }),
    failures: 0,
  },
  "429 of one caller, with `Retry-After`": {
    answer: writes("HTTP/1.1 429 No\r\nretry-after: 60\r\ncontent-length: 0\r\n\r\n"),
    failures: 0,
    state: "available",
  },
  "500 and every other 5xx": { answer: writes("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"), failures: 1, state: "available" },
  "a request body that cannot be read": {
    answer: silent,
    call: (mesh) =>
      mesh.fetch("orders/", {
        method: "POST",
        duplex: "half",
        body: (async function* () {
          yield "some";
          throw new Error("the source failed");
        })(),
      }),
    failures: 0,
  },
  "no room under a limit of this mesh": {
    answer: silent,
    options: { concurrency: { maxInFlight: 1, maxQueued: 0 }, attemptTimeoutMs: false },
    call: async (mesh) => {
      const stop = new AbortController();
      const first = mesh.fetch("orders/", { signal: stop.signal }).catch(() => {});
      await mesh.fetch("orders/").catch(() => {});
      stop.abort();
      await first;
    },
    failures: 0,
  },
};

/** Rows whose own test is below. */
const others = [
  "503 with `Retry-After`",
  "the connection is lost while the request body goes out",
  "a hedge that the other attempt has overtaken",
];

/** The statistics of the one instance after the calls of a row. */
async function booksOf({ answer, options, call = text }: Row) {
  const port = answer === undefined ? await closedPort() : (await serveRaw(answer)).port;
  const mesh = meshOf({ orders: port }, { retry: false, observers: [], ...options });
  await call(mesh).catch(() => {});
  const [endpoint] = await until("the attempts have ended", () => {
    const { endpoints = [] } = mesh.explain("orders") ?? {};
    return endpoints[0]?.inFlight === 0 && endpoints;
  });
  return { failures: endpoint?.failures, state: endpoint?.state };
}

describe("what counts against an instance", () => {
  it.each(Object.entries(rows))("%s", async (_name, row) => {
    const { failures, state = expect.anything() } = row;
    expect(await booksOf(row)).toEqual({ failures, state });
  });

  it("503 with `Retry-After`", async () => {
    const busy = await serveRaw(writes("HTTP/1.1 503 No\r\nretry-after: 60\r\ncontent-length: 0\r\n\r\n"));
    const well = await serveRaw(ok);
    const mesh = meshOf({ orders: [busy.port, well.port] }, { observers: [] });
    for (let call = 0; call < 10; call++) await (await mesh.fetch("orders/")).text();
    const out = mesh.explain("orders")?.endpoints.filter(({ state }) => state !== "available");
    expect(out?.map(({ failures, ejection }) => [failures, ejection?.rule])).toEqual([[1, "retry-after"]]);
  });

  it("the connection is lost while the request body goes out", async () => {
    const { port } = await serveRaw((socket) => {
      socket.pause();
      setTimeout(() => socket.resetAndDestroy(), 50);
    });
    const mesh = meshOf({ orders: port }, { retry: false, observers: [] });
    await mesh.fetch("orders/", { method: "POST", body: new Uint8Array(64 * 2 ** 20) }).catch(() => {});
    expect(mesh.explain("orders")?.endpoints[0]?.failures).toBe(0);
  });

  it("a hedge that the other attempt has overtaken", () => {
    const end = { error: superseded, waitedMs: 60_000, patience: { isEnough: () => true }, isRefusable: false };
    expect([outcomeOfAttempt({ ...end, status: undefined }), outcomeOfAttempt({ ...end, status: 200 })]).toEqual(["neutral", "neutral"]);
  });

  it("is what the page says, row by row", () => {
    const page = readFileSync(new URL("../../docs/reference/policies/blame.md", import.meta.url), "utf8");
    const table = page.slice(page.indexOf("## Use"), page.indexOf("Each row is a test"));
    const told = [...table.matchAll(/^\| (?!end of|---)(.+?) \| (.+) \|$/gm)].map(([, end, counts]) => [end, counts?.startsWith("yes")]);
    const held = [
      ...Object.entries(rows).map(([end, { failures }]) => [end, failures > 0]),
      ...others.map((end) => [end, end.startsWith("503")]),
    ];
    expect(new Map(told as [string, boolean][])).toEqual(new Map(held as [string, boolean][]));
  });
});

describe("the service as a whole", () => {
  it("is not refused to honest callers for those whose time is too short, by any door", async () => {
    const { port } = await serveRaw(warm(after(30, ok)));
    const mesh = meshOf({ orders: port }, { observers: [], concurrency: { maxInFlight: 100 }, throttle: {} });
    await warmed(async () => {})(mesh);
    const doors = [
      () => mesh.fetch("orders/"),
      () => mesh.request("orders/"),
      () => undiciRequest("http://orders/", { dispatcher: mesh.dispatcher() }),
    ];
    for (let round = 0; round < 20; round++)
      for (const door of doors) await continueFrom({ "x-mesh-deadline-ms": "5" }, () => door().catch(() => {}));
    expect(mesh.explain("orders")?.breaker).toBe("closed");
    expect((await mesh.fetch("orders/warm")).status).toBe(200);
    expect(mesh.explain("orders")?.endpoints[0]).toMatchObject({ failures: 0, state: "available" });
  });
});

describe("an instance that sends heads and no bodies", () => {
  it("is taken out, and its next heads do not bring it back", async () => {
    const bad = await serveRaw(stalls);
    const good = await serveRaw(ok);
    const mesh = meshOf(
      { orders: [bad.port, good.port] },
      { observers: [], timeoutMs: 100, picker: roundRobin(), breaker: { breakMs: 50, consecutiveFailures: 2 } },
    );
    const stateOf = () => mesh.explain("orders")?.endpoints.find(({ address }) => address.endsWith(`:${bad.port}`))?.state;
    await until("it is out", async () => {
      await text(mesh).catch(() => {});
      return stateOf() !== "available";
    });
    await until("it is probed", async () => {
      await text(mesh).catch(() => {});
      return bad.received.join("").split("GET").length - 1 > 2;
    });
    expect(["ejected", "probing"]).toContain(stateOf());
  });
});
