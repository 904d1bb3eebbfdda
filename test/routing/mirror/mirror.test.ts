import { describe, expect, it } from "vitest";
import type { Dispatch, MeshRequest, MeshResponse } from "../../../src/core/dispatch.ts";
import { MeshError } from "../../../src/core/errors.ts";
import type { MirrorEvent } from "../../../src/core/observing/routes/route-events.ts";
import { interceptorOf, type Receiver } from "../../../src/core/stages/stage.ts";
import { deadline } from "../../../src/policies/deadline.ts";
import type { SentCopy } from "../../../src/routing/mirror/copy.ts";
import { mirrorStage } from "../../../src/routing/mirror/mirror.ts";
import type { RouteMirror } from "../../../src/routing/route.ts";
import { testRequest } from "../../../src/testing/request.ts";
import { virtualClock } from "../../../src/testing/virtual-clock.ts";
import { openResponse } from "../../support/open-response.ts";

/** A copy that was sent, and its receiver. */
interface Taken extends SentCopy {
  readonly receiver: Receiver;
}

/** Reads a body as a transport does. */
async function readBody({ body }: MeshRequest): Promise<string> {
  if (body === undefined) return "";
  if (typeof body === "string") return body;
  if (body instanceof Blob) return body.text();
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  let text = "";
  for await (const chunk of typeof body === "function" ? body() : (body as AsyncIterable<Uint8Array | string>))
    text += Buffer.from(chunk as string);
  return text;
}

function under(mirror: RouteMirror | readonly RouteMirror[], next?: Dispatch) {
  const clock = virtualClock();
  const told: string[] = [];
  const order: string[] = [];
  const copies: Taken[] = [];
  const underWay = new Set<{ cancel(): void }>();
  const answer: Dispatch = async (request) => {
    order.push("call");
    await readBody(request);
    return openResponse();
  };
  const stage = mirrorStage(
    [mirror].flat().map((each) => ({ mirror: each, subset: undefined })),
    {
      rule: "shadow",
      clock,
      random: () => 0.5,
      underWay,
      events: {
        emit(event) {
          const { service, outcome, omission } = event as MirrorEvent;
          told.push(`${service}: ${outcome ?? omission}`);
        },
      },
      sendCopy(copy, receiver) {
        order.push("copy");
        copies.push({ ...copy, receiver });
      },
    },
  );
  const send = interceptorOf(deadline({ limitOf: () => 1_000, clock }))(interceptorOf(stage)(next ?? answer));
  const call = async (overrides: Partial<MeshRequest> = {}): Promise<MeshResponse | Error> => {
    const answered = send(testRequest(overrides)).catch((error: Error) => error);
    await clock.advance(0);
    return answered;
  };
  return { clock, told, order, copies, underWay, call };
}

async function* chunks(...texts: readonly string[]): AsyncGenerator<string> {
  yield* texts;
}

/** The same body in every form; a stream can be read once. */
const bodies = () =>
  [
    ["text", "a€b"],
    ["bytes", Buffer.from("a€b")],
    ["a blob", new Blob(["a€b"])],
    ["a stream", chunks("a", "€", "b")],
    ["a function that makes a stream", () => chunks("a€", "b")],
  ] as const;

describe("the mirror of a route", () => {
  it("copies a call after it has gone, marked, with the same path and with no credentials", async () => {
    const { copies, order, call, told } = under({ service: "orders-next" });
    const headers = { accept: "text/plain", authorization: "Bearer S", cookie: "S", "x-api-key": "S", "x-forwarded-client-cert": "S" };
    await call({ service: "orders", path: "/a?page=2", headers, route: "/a" });
    const [{ request, original, credentials } = {} as Taken] = copies;
    expect(order).toEqual(["call", "copy"]);
    expect(request).toMatchObject({ service: "orders-next", method: "GET", path: "/a?page=2", route: "/a", requiresTls: false });
    expect({ ...request.headers }).toEqual({ accept: "text/plain", "x-mesh-mirrored": "1" });
    expect([original.service, credentials, request.attempts === original.attempts, request.tried === original.tried]).toEqual([
      "orders",
      false,
      false,
      false,
    ]);
    expect([request.routed?.rule, told]).toEqual(["shadow", []]);
  });

  it("goes to the service of the call where it names none", async () => {
    const { copies, call } = under({ subset: { version: "2" } });
    await call({ service: "orders" });
    expect(copies[0]?.request.service).toBe("orders");
  });

  it("keeps TLS where the call asks for it, and the key of the call", async () => {
    const { copies, call } = under({});
    await call({ requiresTls: true, options: { hashKey: "user-7", timeoutMs: 50, trace: true } });
    expect(copies[0]?.request).toMatchObject({ requiresTls: true, options: { hashKey: "user-7" } });
  });

  it("carries credentials where that is said", async () => {
    const { copies, call } = under({ credentials: true });
    await call({ headers: { authorization: "Bearer S" }, path: "/?access_token=S" });
    expect(copies[0]).toMatchObject({ credentials: true, request: { headers: { authorization: "Bearer S" } } });
  });

  it("copies no call with a secret in its query", async () => {
    const { copies, call, told } = under({});
    await call({ path: "/?access_token=S" });
    expect([copies, told]).toEqual([[], ["test: credentials"]]);
  });

  it("copies what is marked as a copy never again", async () => {
    const { copies, call } = under({});
    await call({ headers: { "x-mesh-mirrored": "1" } });
    expect(copies).toEqual([]);
  });

  it.each([
    ["GET", 1],
    ["HEAD", 1],
    ["OPTIONS", 1],
    ["QUERY", 1],
    ["TRACE", 1],
    ["POST", 0],
    ["PUT", 0],
    ["DELETE", 0],
    ["PATCH", 0],
    ["PURGE", 0],
  ])("copies %s calls %i times by default", async (method, times) => {
    const { copies, call } = under({});
    await call({ method });
    expect(copies).toHaveLength(times);
  });

  it("copies each method where that is said", async () => {
    const { copies, call } = under({ methods: "all" });
    await call({ method: "POST", body: "text" });
    expect(await readBody((copies[0] as Taken).request)).toBe("text");
  });

  it("copies a share of the calls", async () => {
    const [none, all] = [under({ percent: 50 }), under({ percent: 50.000_1 })];
    await none.call();
    await all.call();
    expect([none.copies.length, all.copies.length, none.told]).toEqual([0, 1, []]);
  });

  it.each(bodies())("copies %s up to the largest body", async (_, body) => {
    const { copies, call, told } = under({ methods: "all", maxBodyBytes: 5 });
    await call({ method: "POST", body });
    expect(await readBody((copies[0] as Taken).request)).toBe("a€b");
    expect(told).toEqual([]);
  });

  it.each(bodies())("leaves %s out beyond the largest body, and its call has it whole", async (_, body) => {
    let seen = "";
    const { copies, call, told } = under({ methods: "all", maxBodyBytes: 4 }, async (request) => {
      seen = await readBody(request);
      return openResponse();
    });
    await call({ method: "POST", body });
    expect([seen, copies, told]).toEqual(["a€b", [], ["test: body-size"]]);
  });

  it("keeps the bytes of a stream that uses its memory again", async () => {
    async function* reusing(): AsyncGenerator<Uint8Array> {
      const memory = Buffer.alloc(1);
      for (const letter of ["a", "b", "c"]) {
        memory.write(letter);
        yield memory;
      }
    }
    const { copies, call } = under({ methods: "all" });
    await call({ method: "POST", body: reusing() });
    expect(await readBody((copies[0] as Taken).request)).toBe("abc");
  });

  it("sends no part of a body that was not read to its end, and holds no place for it", async () => {
    let returned = false;
    async function* endless(): AsyncGenerator<string> {
      try {
        for (;;) yield "a";
      } finally {
        returned = true;
      }
    }
    const { copies, call, told } = under({ methods: "all", maxInFlight: 1 }, async ({ body }) => {
      for await (const _ of body as AsyncIterable<string>) break;
      throw new MeshError("ERR_MESH_PROTOCOL", "broken");
    });
    await call({ method: "POST", body: endless() });
    await call({ method: "POST", body: endless() });
    expect([copies, told, returned]).toEqual([[], ["test: body-unread", "test: body-unread"], true]);
  });

  it("copies the body of the attempt that was read to its end, once", async () => {
    const { copies, call } = under({ methods: "all" }, async (request) => {
      const make = request.body as () => AsyncIterable<string>;
      for await (const _ of make()) break;
      await readBody(request);
      await readBody(request);
      return openResponse();
    });
    await call({ method: "POST", body: () => chunks("a", "b") });
    expect(copies).toHaveLength(1);
    expect(await readBody((copies[0] as Taken).request)).toBe("ab");
  });

  it("keeps the bytes of a body once for several mirrors, each up to its own bound", async () => {
    const { copies, call, told } = under([
      { service: "one", methods: "all", maxBodyBytes: 2 },
      { service: "two", methods: "all", maxBodyBytes: 3 },
      { service: "three" },
    ]);
    await call({ method: "POST", body: chunks("abc") });
    expect([copies.map(({ request }) => request.service), told]).toEqual([["two"], ["one: body-size"]]);
  });

  it("has at most as many copies under way as it may, and counts each that it leaves out", async () => {
    const { copies, call, told, underWay } = under({ maxInFlight: 2 });
    for (let count = 0; count < 4; count++) await call();
    expect([copies.length, told, underWay.size]).toEqual([2, ["test: in-flight", "test: in-flight"], 2]);
    copies[0]?.receiver.answered(openResponse(204));
    await call();
    expect([copies.length, told.at(-1), underWay.size]).toEqual([3, "test: answered", 2]);
  });

  it.each([
    [200, "answered"],
    [404, "answered"],
    [500, "failed"],
    [503, "failed"],
  ])("reads the body of a %i and drops it: %s", async (status, outcome) => {
    const { copies, call, told, clock } = under({});
    await call();
    const response = openResponse(status);
    copies[0]?.receiver.answered(response);
    expect([response.body.discards, told]).toEqual([1, [`test: ${outcome}`]]);
    expect(clock.pending).toEqual([{ inMs: 1_000, keepsProcess: true }]);
  });

  it.each([
    ["ERR_MESH_CONNECT", "failed"],
    ["ERR_MESH_TIMEOUT", "timeout"],
    ["ERR_MESH_FORBIDDEN", "forbidden"],
    ["ERR_MESH_TOKEN", "forbidden"],
    ["ERR_MESH_NO_ENDPOINTS", "unavailable"],
    ["ERR_MESH_OVERLOADED", "unavailable"],
    ["ERR_MESH_CLOSED", "unavailable"],
    ["ERR_MESH_INVALID_TARGET", "unavailable"],
  ] as const)("tells of a copy that ended with %s: %s", async (code, said) => {
    const { copies, call, told } = under({});
    await call();
    copies[0]?.receiver.failed(new MeshError(code, "said"));
    expect(told).toEqual([`test: ${said}`]);
  });

  it("ends a copy at its own time limit, which it tells its instance, and not with its call", async () => {
    const { copies, call, told, clock, underWay } = under({ timeoutMs: 5_000 });
    await call();
    const { request, receiver } = copies[0] as Taken;
    expect(request.deadline).toBe(5_000);
    await clock.advance(4_999);
    expect([told, request.cancellation.cancelled]).toEqual([[], false]);
    await clock.advance(1);
    expect([told, request.cancellation.cancelled, underWay.size]).toEqual([["test: timeout"], true, 0]);
    const late = openResponse();
    receiver.answered(late);
    receiver.failed(new Error("late"));
    expect([late.body.complete, told]).toEqual([true, ["test: timeout"]]);
  });

  it("ends with its mesh, and leaves no timer", async () => {
    const { copies, call, told, clock, underWay } = under({});
    const answered = (await call()) as MeshResponse;
    answered.body.cancel();
    for (const copy of underWay) copy.cancel();
    expect([told, copies[0]?.request.cancellation.cancelled, underWay.size, clock.pending]).toEqual([["test: cancelled"], true, 0, []]);
  });

  it("copies a call that fails, too", async () => {
    const { call, copies } = under({}, async () => {
      throw new MeshError("ERR_MESH_CONNECT", "down");
    });
    expect(await call()).toMatchObject({ code: "ERR_MESH_CONNECT" });
    expect(copies).toHaveLength(1);
  });
});
