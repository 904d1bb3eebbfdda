// In which asynchronous context what runs: the caller's own in the caller's, also where a connection, a queue or a timer is between.
import { AsyncLocalStorage } from "node:async_hooks";
import { get } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Interceptor } from "../../src/core/dispatch.ts";
import type { Observer } from "../../src/core/observing/observer.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import { meshOf } from "../support/mesh.ts";
import { serve } from "../support/servers.ts";

const storage = new AsyncLocalStorage<string>();

/** Calls in contexts of their own, whose name is their route; `wrong` has what ran in another. */
function watched() {
  const wrong: string[] = [];
  const seen = new Set<string>();
  const note = (what: string, expected: string | undefined) => {
    seen.add(what);
    const got = storage.getStore();
    if (got !== expected) wrong.push(`${what} of ${expected} ran in ${got}`);
  };
  const observer: Observer = {
    onCall: ({ route }) => {
      note("onCall", route);
      return { onEnd: () => note("the end of a call", route) };
    },
    onAttempt: ({ route }) => {
      note("onAttempt", route);
      return { onEnd: () => note("the end of an attempt", route) };
    },
  };
  const interceptor: Interceptor = (next) => async (request) => {
    note("an interceptor", request.route);
    const response = await next(request);
    note("an interceptor, afterwards", request.route);
    return response;
  };
  const body = (name: string) => () => {
    note("the function that makes a body", name);
    return (async function* () {
      note("a body", name);
      yield "x";
      note("a body, going on", name);
    })();
  };
  return { wrong, seen, body, observers: [observer], interceptors: [interceptor] };
}

async function callAll(options: Partial<MeshOptions>, names: readonly string[]) {
  const { body, wrong, seen, ...watching } = watched();
  const server = await serve((_request, response) => {
    // In two parts: the body closes when its connection is read, long after the head.
    response.write("head");
    setTimeout(() => response.end("end"), 5);
  });
  const mesh = meshOf({ orders: server.port }, { ...watching, ...options });
  const call = (name: string) =>
    storage.run(name, async () => {
      const response = await mesh.fetch("orders/x", { method: "POST", body: body(name), mesh: { route: name } });
      expect(await response.text()).toBe("headend");
    });
  await call(names[0] as string);
  await Promise.all(names.slice(1).map(call));
  return { wrong, seen };
}

describe("what is a caller's runs in the caller's context", () => {
  it.each<[string, Partial<MeshOptions>]>([
    ["on connections that other calls have opened", {}],
    ["on one connection", { connections: { max: 1 } }],
    ["after a queue", { concurrency: { maxInFlight: 1 } }],
  ])("%s", async (_where, options) => {
    const { wrong, seen } = await callAll(options, ["a", "b", "c", "d"]);
    expect(wrong).toEqual([]);
    expect([...seen].sort()).toEqual([
      "a body",
      "a body, going on",
      "an interceptor",
      "an interceptor, afterwards",
      "onAttempt",
      "onCall",
      "the end of a call",
      "the end of an attempt",
      "the function that makes a body",
    ]);
  });
});

describe("a request of an agent", () => {
  it("is answered in its caller's context, on whichever connection", async () => {
    const server = await serve((_request, response) => response.end("whole"));
    const agent = meshOf({ orders: server.port }).agent({ maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const wrong: string[] = [];
    const call = (name: string) =>
      storage.run(name, () => {
        const note = (what: string) => {
          if (storage.getStore() !== name) wrong.push(`${what} of ${name} ran in ${storage.getStore()}`);
        };
        return new Promise<void>((resolve, reject) => {
          const request = get("http://orders/x", { agent }, (response) => {
            note("the response");
            response
              .resume()
              .on("end", () => note("its end"))
              .on("close", resolve);
          });
          request.on("error", reject);
        });
      });
    await call("a");
    await Promise.all(["b", "c"].map(call));
    expect(wrong).toEqual([]);
  });
});
