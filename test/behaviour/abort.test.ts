import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CallEnd } from "../../src/core/observing/call-observer.ts";
import type { Discovery } from "../../src/discovery/discovery.ts";
import type { Mesh } from "../../src/mesh/mesh.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serve, serveRaw } from "../support/servers.ts";
import { until } from "../support/until.ts";

const reason = { why: "the caller's own" };
const unhandled: unknown[] = [];
const note = (error: unknown) => void unhandled.push(error);

beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", note);
});
afterEach(async () => {
  await new Promise((resolve) => setTimeout(resolve, 10));
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});

/** Calls, waits for `reached`, aborts, and checks what every abort has to hold. */
async function aborted(mesh: Mesh, reached: () => Promise<unknown>, init: RequestInit = {}): Promise<void> {
  const controller = new AbortController();
  const call = mesh.fetch("orders/x", { ...(init as object), signal: controller.signal });
  let isSettled = false;
  const rejection = rejectionOf(call).finally(() => {
    isSettled = true;
  });
  await reached();
  expect(isSettled).toBe(false);
  controller.abort(reason);
  await new Promise((resolve) => setImmediate(resolve));
  expect(isSettled, "rejects within a turn of the event loop").toBe(true);
  expect(await rejection).toBe(reason);
  expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  expect(mesh.explain("orders")?.endpoints.map(({ inFlight, failures }) => ({ inFlight, failures })) ?? []).toEqual(
    (mesh.explain("orders")?.endpoints ?? []).map(() => ({ inFlight: 0, failures: 0 })),
  );
}

describe("an abort", () => {
  it("before the call sends nothing and looks nothing up", async () => {
    const server = await serve();
    const mesh = meshOf({ orders: server.port });
    const signal = AbortSignal.abort(reason);
    expect(await rejectionOf(mesh.fetch("orders/x", { signal }))).toBe(reason);
    expect(mesh.explain("orders")).toBeUndefined();
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(server.accepted).toBe(0);
  });

  it("while the call waits for discovery", async () => {
    let asked = 0;
    const discovery: Discovery = {
      async *watch(_service, signal) {
        asked++;
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      },
    };
    const mesh = closing(createMesh({ discovery }));
    await aborted(mesh, () => until("it is asked", () => asked === 1));
  });

  it("while the request waits for a free connection: it is never written, and the connection stays", async () => {
    const answers: (() => void)[] = [];
    const server = await serve((_request, response) => void answers.push(() => response.end("first")));
    const mesh = meshOf({ orders: server.port }, { connections: { max: 1 } });
    const first = mesh.fetch("orders/first");
    await until("the first is on its way", () => answers.length === 1);
    // Another two of them: one that undici holds, and its pool.
    for (let turn = 0; turn < 2; turn++) {
      const controller = new AbortController();
      const call = mesh.fetch("orders/abandoned", { method: "POST", body: "x", signal: controller.signal });
      await new Promise((resolve) => setTimeout(resolve, 20));
      controller.abort(reason);
      expect(await rejectionOf(call)).toBe(reason);
      expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    }
    answers[0]?.();
    expect(await (await first).text()).toBe("first");
    const last = mesh.fetch("orders/last");
    await until("the last is on its way", () => answers.length === 2);
    answers[1]?.();
    await (await last).text();
    expect(server.begun).toEqual(["GET /first", "GET /last"]);
    expect(server.accepted).toBe(1);
    expect(mesh.explain("orders")?.endpoints[0]).toMatchObject({ inFlight: 0, failures: 0 });
  });

  it("while the connection is being made", async () => {
    // A TLS server that never says hello.
    const server = await serveRaw(() => {});
    const mesh = closing(
      createMesh({
        discovery: {
          watch: async function* () {
            yield [{ id: "a", host: "127.0.0.1", port: server.port, secure: true }];
          },
        },
        drainTimeoutMs: 0,
      }),
    );
    await aborted(mesh, () => until("it is connected", () => server.sockets.length === 1), { method: "POST", body: "x" });
  });

  it("while the call waits for the response head: the connection is closed", async () => {
    const server = await serve(() => {});
    const mesh = meshOf({ orders: server.port });
    await aborted(mesh, () => until("the server has it", () => server.seen.length === 1));
    await until("the connection is closed", () => server.abandoned === 1);
  });

  it("while the request body is sent: the connection is closed and the stream is let go", async () => {
    const server = await serve();
    const mesh = meshOf({ orders: server.port });
    let isEnded = false;
    async function* endless() {
      try {
        for (;;) {
          yield "x".repeat(1_000);
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      } finally {
        isEnded = true;
      }
    }
    await aborted(mesh, () => until("the server has begun", () => server.begun.length === 1), {
      method: "POST",
      body: endless() as never,
      duplex: "half",
    } as RequestInit);
    await until("the connection is closed", () => server.abandoned === 1);
    await until("the stream is let go", () => isEnded);
  });

  it("while a retry waits for its turn", async () => {
    const server = await serve((_request, response) => response.writeHead(503, { "retry-after": "5" }).end());
    const mesh = meshOf({ orders: server.port });
    const controller = new AbortController();
    const call = rejectionOf(mesh.fetch("orders/x", { signal: controller.signal }));
    await until("it has failed once", () => server.seen.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    controller.abort(reason);
    expect(await call).toBe(reason);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    expect(server.seen).toHaveLength(1);
  });

  it("inside a user's interceptor", async () => {
    let isReached = false;
    const mesh = meshOf(
      { orders: 1 },
      {
        interceptors: [
          () => () => {
            isReached = true;
            return new Promise<never>(() => {});
          },
        ],
      },
    );
    await aborted(mesh, () => until("the interceptor works", () => isReached));
  });

  const readers: Readonly<Record<string, (response: Response) => Promise<unknown>>> = {
    text: (response) => response.text(),
    bytes: (response) => response.bytes(),
    "its stream": async (response) => {
      for await (const _part of response.body as ReadableStream);
    },
    "a clone": (response) => Promise.all([response.clone().text(), response.text()]),
    "no reader until later": async (response) => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return response.text();
    },
  };
  for (const [reader, read] of Object.entries(readers)) {
    it(`while the body is read by ${reader}: the connection is closed`, async () => {
      const server = await serve((_request, response) => void response.write("begin"));
      const ends: CallEnd[] = [];
      const mesh = meshOf({ orders: server.port }, { observers: [{ onCall: () => ({ onEnd: (end) => ends.push(end) }) }] });
      const controller = new AbortController();
      const response = await mesh.fetch("orders/x", { signal: controller.signal });
      expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
      const rejection = rejectionOf(read(response));
      await new Promise((resolve) => setTimeout(resolve, 10));
      controller.abort(reason);
      expect(await rejection).toBe(reason);
      expect(getEventListeners(controller.signal, "abort")).toEqual([]);
      await until("the connection is closed", () => server.abandoned === 1);
      expect(mesh.explain("orders")?.endpoints[0]).toMatchObject({ inFlight: 0, failures: 0, state: "available" });
      expect(ends).toMatchObject([{ status: 200, cancelled: true, error: reason }]);
    });
  }

  it("after the body has been read does nothing, and the signal holds no listener", async () => {
    const server = await serve((_request, response) => response.end("text"));
    const mesh = meshOf({ orders: server.port }, { connections: { max: 1 } });
    const controller = new AbortController();
    const response = await mesh.fetch("orders/x", { signal: controller.signal });
    expect(await response.text()).toBe("text");
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    controller.abort(reason);
    expect(await (await mesh.fetch("orders/x")).text()).toBe("text");
    expect(server.accepted).toBe(1);
  });

  it("leaves no listener behind when calls fail or succeed", async () => {
    const server = await serve();
    const mesh = meshOf({ orders: server.port, gone: [] });
    const controller = new AbortController();
    for (const target of ["orders/x", "gone/x", "bad name/x"]) {
      await mesh.fetch(target, { signal: controller.signal }).then(
        (response) => response.text(),
        () => {},
      );
    }
    await rejectionOf(mesh.fetch("orders/x", { signal: controller.signal, headers: { "a b": "c" } }));
    await mesh.close();
    await rejectionOf(mesh.fetch("orders/x", { signal: controller.signal }));
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });

  it("without a reason rejects with an AbortError, a time limit with a TimeoutError", async () => {
    const server = await serve(() => {});
    const mesh = meshOf({ orders: server.port });
    const controller = new AbortController();
    const call = rejectionOf(mesh.fetch("orders/x", { signal: controller.signal }));
    controller.abort();
    expect(await call).toMatchObject({ name: "AbortError" });
    expect(await rejectionOf(mesh.fetch("orders/x", { signal: AbortSignal.timeout(10) }))).toMatchObject({ name: "TimeoutError" });
  });

  it("while the body is being made ready sends nothing", async () => {
    const server = await serve();
    const mesh = meshOf({ orders: server.port });
    const controller = new AbortController();
    const body = new FormData();
    body.append("a", "1");
    const call = rejectionOf(mesh.fetch("orders/x", { method: "POST", body, signal: controller.signal }));
    controller.abort("mine");
    expect(await call).toBe("mine");
    expect(server.accepted).toBe(0);
  });
});
