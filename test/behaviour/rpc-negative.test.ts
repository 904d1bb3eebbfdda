// The cases of gRPC's negative HTTP/2 tests, by a server that misbehaves and a journal of what it has executed: no call is lost, none is executed twice, and
// none that was executed is said to be certainly not.
import { constants, createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { expect, test } from "vitest";
import { isMeshError, type MeshOptions } from "../../src/index.ts";
import { writeFrame } from "../../src/rpc/frames.ts";
import { meshOf } from "../support/mesh.ts";
import { listening } from "../support/servers.ts";

const type = { ":status": 200, "content-type": "application/grpc+proto" };
const message = writeFrame(0, new Uint8Array(2_000));

/** What a server does with the call of this number, from 1, that has been executed. */
type Behave = (stream: ServerHttp2Stream, number: number) => void;

function ok(stream: ServerHttp2Stream): void {
  // Another call may have cut the connection off.
  if (stream.destroyed) return;
  stream.respond(type, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(message);
}

interface Misbehaving {
  readonly port: number;
  /** The calls that were executed, by their ids. */
  readonly journal: Map<string, number>;
  readonly sessions: number;
}

async function misbehaving(
  behave: Behave,
  { settings = {}, onSession = () => {} }: { settings?: object; onSession?: (session: ServerHttp2Session) => void } = {},
): Promise<Misbehaving> {
  const journal = new Map<string, number>();
  const state = { port: 0, journal, sessions: 0 };
  let number = 0;
  const server = createServer({ settings });
  server.on("session", (session) => {
    state.sessions++;
    session.on("error", () => {});
    onSession(session);
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    stream.resume();
    stream.once("end", () => {
      const id = String(headers["x-id"]);
      journal.set(id, (journal.get(id) ?? 0) + 1);
      behave(stream, ++number);
    });
  });
  state.port = await listening(server);
  return state;
}

/** Makes calls that may be executed once, a few at a time, and holds each against the journal. Returns how many were answered. */
async function callAll(server: Misbehaving, count: number, options: Partial<MeshOptions> = {}): Promise<number> {
  const mesh = meshOf({ carts: [server.port] }, { protocol: "h2", breaker: false, ejection: false, timeoutMs: 10_000, ...options });
  let answered = 0;
  const one = async (id: string): Promise<void> => {
    let isExecuted: boolean | "maybe" = true;
    try {
      const reply = await mesh.request("carts/shop.v1.Carts/Add", {
        method: "POST",
        headers: { "content-type": "application/grpc+proto", "x-id": id },
        body: message,
      });
      await reply.body.bytes();
      if (reply.trailers["grpc-status"] === "0") answered++;
      else isExecuted = "maybe";
    } catch (error) {
      if (!isMeshError(error)) throw error;
      isExecuted = error.maybeExecuted ? "maybe" : false;
    }
    const executions = server.journal.get(id) ?? 0;
    expect(executions, `executions of ${id}`).toBeLessThanOrEqual(1);
    if (isExecuted !== "maybe") expect(executions, `executions of ${id}`).toBe(isExecuted ? 1 : 0);
  };
  for (let from = 0; from < count; from += 10) await Promise.all(Array.from({ length: 10 }, (_, index) => one(`${from + index}`)));
  return answered;
}

test("goaway: calls go on on another connection, and none is lost", async () => {
  const server = await misbehaving((stream, number) => {
    ok(stream);
    if (number % 7 === 0) stream.session?.close();
  });
  expect(await callAll(server, 100)).toBe(100);
  expect(server.sessions).toBeGreaterThan(5);
});

test.each<[string, Behave]>([
  [
    "rst_after_header",
    (stream) => {
      stream.respond(type);
      setImmediate(() => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    },
  ],
  [
    "rst_during_data",
    (stream) => {
      stream.respond(type);
      stream.write(message.subarray(0, 1_000), () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    },
  ],
  [
    "rst_after_data",
    (stream) => {
      stream.respond(type);
      stream.write(message, () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    },
  ],
  ["rst without a head", (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR)],
])("%s: the call fails as one that may have been executed, others are answered", async (_name, cut) => {
  const server = await misbehaving((stream, number) => (number % 5 === 0 ? cut(stream, number) : ok(stream)));
  expect(await callAll(server, 50)).toBe(40);
  expect(server.journal.size).toBe(50);
});

test("refused streams were executed by nothing, and are repeated", async () => {
  let seen = 0;
  const server = createServer();
  const journal = new Map<string, number>();
  server.on("session", (session) => session.on("error", () => {}));
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    if (++seen % 3 === 0) {
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    stream.resume();
    stream.once("end", () => {
      const id = String(headers["x-id"]);
      journal.set(id, (journal.get(id) ?? 0) + 1);
      ok(stream);
    });
  });
  const port = await listening(server);
  await callAll({ port, journal, sessions: 0 }, 50);
  expect(journal.size).toBeGreaterThan(40);
});

test("ping: a server that pings without an end is answered, and calls go on", async () => {
  const server = await misbehaving(ok, {
    onSession: (session) => {
      const timer = setInterval(() => {
        if (session.destroyed) clearInterval(timer);
        else for (let count = 0; count < 5; count++) session.ping(() => {});
      }, 1);
      session.once("close", () => clearInterval(timer));
    },
  });
  expect(await callAll(server, 100)).toBe(100);
});

test("max_streams: a server that takes one stream at a time gets all calls", async () => {
  let open = 0;
  let most = 0;
  const server = await misbehaving(
    (stream) => {
      most = Math.max(most, ++open);
      stream.once("close", () => open--);
      setTimeout(() => ok(stream), 2);
    },
    { settings: { maxConcurrentStreams: 1 } },
  );
  expect(await callAll(server, 50, { connections: { max: 1 } })).toBe(50);
  expect(most).toBe(1);
});

test("a connection that is cut off under calls loses none of them without a word", async () => {
  const server = await misbehaving((stream, number) => (number % 19 === 0 ? stream.session?.destroy() : ok(stream)));
  expect(await callAll(server, 100)).toBeGreaterThan(40);
});
