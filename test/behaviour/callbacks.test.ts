import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Picker } from "../../src/balancer/picker.ts";
import { BufferedBody } from "../../src/core/buffered-body.ts";
import { Cancellation } from "../../src/core/cancellation.ts";
import type { Interceptor, MeshResponse } from "../../src/core/dispatch.ts";
import { describeError } from "../../src/core/errors.ts";
import type { Observer } from "../../src/core/observing/observer.ts";
import { fallback } from "../../src/discovery/combined/fallback.ts";
import { union } from "../../src/discovery/combined/union.ts";
import type { Discovery } from "../../src/discovery/discovery.ts";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serve } from "../support/servers.ts";
import { until } from "../support/until.ts";

const boom = (): never => {
  throw new Error("the program's own mistake");
};
// Nothing that a callback is allowed to return: an async function is easily put there.
const later = (): never => Promise.reject(new Error("the program's own mistake, later")) as never;

const first: Picker = { pick: (upstreams) => upstreams[0] };
const pickerCases: Record<string, (callback: () => never) => Picker> = {
  "update of a picker": (callback) => ({ ...first, update: callback }),
  "onAttempt of a picker": (callback) => ({ ...first, onAttempt: callback }),
  "onHead of a picker's learner": (callback) => ({ ...first, onAttempt: () => ({ onHead: callback, onEnd() {} }) }),
  "onEnd of a picker's learner": (callback) => ({ ...first, onAttempt: () => ({ onHead() {}, onEnd: callback }) }),
  "explain of a picker": (callback) => ({ ...first, explain: callback }),
  "avoids of a picker": (callback) => ({ ...first, avoids: callback }),
  "explainPick of a picker": (callback) => ({ ...first, explainPick: callback }),
};
const observerCases: Record<string, (callback: () => never) => Observer> = {
  onOpen: (onOpen) => ({ onOpen }),
  onClose: (onClose) => ({ onClose }),
  onEvent: (onEvent) => ({ onEvent }),
  onCall: (onCall) => ({ onCall }),
  onAttempt: (onAttempt) => ({ onAttempt }),
  "onEnd of a call": (onEnd) => ({ onCall: () => ({ onEnd }) }),
  "onEnd of an attempt": (onEnd) => ({ onAttempt: () => ({ onEnd }) }),
};
const failing: Discovery = {
  // biome-ignore lint/correctness/useYield: it fails before it has anything to yield
  async *watch() {
    throw new Error("down");
  },
  services: () => Promise.reject(new Error("down")),
};
const sourceCases: Record<string, (good: Discovery, callback: () => never) => Discovery> = {
  "onError of union": (good, onError) => union([failing, good], { onError, waitMs: 10 }),
  "onError of fallback": (good, onError) => fallback(failing, good, { onError, switchAfterMs: 10 }),
  "onSwitch of fallback": (good, onSwitch) => fallback(failing, good, { onSwitch, switchAfterMs: 10 }),
};

/** Calls a service with a good and a failing instance by all doors that the callbacks are behind. */
async function everything(options: (good: Discovery) => Partial<MeshOptions>): Promise<void> {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on("unhandledRejection", note);
  process.on("uncaughtException", note);
  onTestFinished(() => {
    vi.restoreAllMocks();
    process.off("unhandledRejection", note);
    process.off("uncaughtException", note);
  });
  const server = await serve((_request, response) => response.end("ok"));
  const discovery = staticDiscovery({ orders: [{ host: "127.0.0.1", port: server.port }], refusing: [{ host: "127.0.0.1", port: 1 }] });
  const mesh = closing(createMesh({ discovery, observers: [], timeoutMs: 2_000, traceRatio: 1, ...options(discovery) }));
  const codes: unknown[] = [];
  for (let call = 0; call < 3; call++) codes.push(await mesh.fetch("orders/x").then((response) => response.text(), describeError));
  codes.push(
    await mesh.fetch("refusing/x").then(
      () => "an answer",
      ({ code }) => code,
    ),
  );
  expect(codes).toEqual(["ok", "ok", "ok", expect.stringMatching(/^ERR_MESH_(CONNECT|RETRY_EXHAUSTED)$/)]);
  expect(mesh.explain("orders")?.endpoints).toHaveLength(1);
  expect(String(mesh.explain("orders"))).toContain("1 of 1 endpoints");
  await mesh.close();
  await new Promise((resolve) => setImmediate(resolve));
  expect(unhandled).toEqual([]);
}

describe.each([
  ["throws", boom],
  ["is an async function that rejects", later],
])("a callback of the program that %s disturbs nothing else", (_how, callback) => {
  it.each(Object.keys(observerCases))("as %s of an observer", (name) =>
    everything(() => ({ observers: [observerCases[name]?.(callback) as Observer] })),
  );

  it.each(Object.keys(sourceCases))("as %s", (name) =>
    everything((good) => ({ discovery: sourceCases[name]?.(good, callback) as Discovery })),
  );
});

describe("a callback of the program that throws disturbs nothing else", () => {
  it.each(Object.keys(pickerCases))("as %s", (name) => everything(() => ({ picker: pickerCases[name]?.(boom) as Picker })));

  it.each(["explain of a picker", "avoids of a picker", "explainPick of a picker"])(
    "as %s, also as an async function that rejects",
    (name) => everything(() => ({ picker: pickerCases[name]?.(later as () => never) as Picker })),
  );

  it("as a listener of a cancellation, which stops the others as well", () => {
    vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    onTestFinished(() => void vi.restoreAllMocks());
    const cancellation = new Cancellation();
    const told: unknown[] = [];
    for (const listener of [boom, (reason: unknown) => told.push(reason), boom, (reason: unknown) => told.push(reason)])
      cancellation.onCancel(listener);
    cancellation.cancel("now");
    expect(told).toEqual(["now", "now"]);
  });

  it("as a listener of the end of a body", async () => {
    const told: unknown[] = [];
    await everything(() => ({
      interceptors: [
        (next) => async (request) => {
          const response = await next(request);
          if (request.service !== "orders") return response;
          response.body.onClose(boom);
          response.body.onClose((error) => told.push(error));
          return response;
        },
      ],
    }));
    await until("the others are told", () => told.length === 3);
    expect(told).toEqual([undefined, undefined, undefined]);
  });

  it.each([Object.create(null), Symbol("x"), undefined, 5, { toString: boom }])("whatever it throws: %o", (thrown) =>
    everything(() => ({
      observers: [
        {
          onEvent() {
            throw thrown;
          },
        },
      ],
    })),
  );
});

/** Answers of interceptors that are no responses. */
const answers: Readonly<Record<string, unknown>> = {
  null: null,
  undefined: undefined,
  "a text": "ok",
  "a head alone": { status: 200, statusText: "", headers: [], upstream: undefined },
  "a Response": new Response("ok"),
  "a body without a head": { body: new BufferedBody("ok") },
};
const answerCases = Object.entries(answers).flatMap(([what, answer]) =>
  ["of the mesh", "of the service"].map((of) => ({ what, answer, of })),
);

describe("an interceptor that answers with something else than a response", () => {
  it.each(answerCases)("ends the call with an error, at once: $what, $of", async ({ answer, of }) => {
    const server = await serve();
    const interceptors: Interceptor[] = [
      (next) => (request) => next(request).then(() => answer as MeshResponse),
      () => () => answer as never,
    ];
    for (const interceptor of interceptors) {
      const own = { interceptors: [interceptor] };
      const mesh = meshOf({ orders: server.port }, of === "of the mesh" ? own : { services: { orders: own } });
      for (const door of [() => mesh.fetch("orders/"), () => mesh.request("orders/").then((reply) => reply.headers)])
        expect(await rejectionOf(door())).toBeInstanceOf(TypeError);
      await until("nothing is in flight", () => (mesh.explain("orders")?.endpoints[0]?.inFlight ?? 0) === 0);
      expect(mesh.explain("orders")?.endpoints[0]?.failures ?? 0).toBe(0);
    }
  });
});

describe("a picker whose explain throws", () => {
  it("is explained by its error", async () => {
    const mesh = closing(
      createMesh({
        discovery: staticDiscovery({ orders: [{ host: "127.0.0.1", port: 1 }] }),
        picker: { ...first, explain: boom },
        observers: [],
      }),
    );
    await mesh.warm("orders", { maxInstances: 0 });
    expect(mesh.explain("orders")?.endpoints[0]?.picker).toEqual({ error: "the program's own mistake" });
  });
});
