import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import type { Interceptor } from "../../src/core/dispatch.ts";
import { meshOf } from "../support/mesh.ts";

/** A server that takes its time, and keeps which POSTs it has executed. */
async function slow(executed: Map<string, string>): Promise<number> {
  const server: Server = createServer((request, response) => {
    const { "x-call": call = "", "x-configuration": configuration = "" } = request.headers;
    const id = String(call);
    executed.set(id, executed.has(id) ? "twice" : String(configuration));
    request.resume().on("end", () => setTimeout(() => response.end(String(configuration)), 1 + (executed.size % 7)));
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** The configuration with this number: two of its parts, far apart on the way of a call, write it down; a third is a route. */
function configuration(number: number) {
  const mark =
    (header: string): Interceptor =>
    (next) =>
    async (request) => {
      // The call is held up between the two, while the configuration changes.
      await new Promise((resolve) => setTimeout(resolve, number % 3));
      return next({ ...request, headers: { ...request.headers, [header]: String(number) } });
    };
  return {
    timeoutMs: 30_000 + number,
    attemptTimeoutMs: 20_000 + number,
    retry: { maxAttempts: 2 + (number % 3) },
    concurrency:
      number % 4 === 0
        ? (false as const)
        : { maxInFlight: 2 + (number % 50), queueTimeoutMs: 30_000, maxQueued: 10_000, ...(number % 2 && { maxInFlightPerInstance: 3 }) },
    breaker: number % 5 === 0 ? (false as const) : { minCalls: 20 + number },
    interceptors: [mark("x-configuration")],
    routes: [{ name: `r${number}`, requestHeaders: { set: { "x-route": String(number) } }, options: { timeoutMs: 31_000 + number } }],
    services: { orders: { interceptors: [mark("x-service")], hedge: number % 2 === 0 ? {} : (false as const) } },
  };
}

it("a hundred changes of the configuration within two seconds lose no call, execute none twice, and each call has one configuration", async () => {
  const executed = new Map<string, string>();
  const seen: string[] = [];
  const ports = await Promise.all([slow(executed), slow(executed), slow(executed)]);
  const observer = {
    onAttempt(request: { readonly headers: Readonly<Record<string, string | undefined>> }) {
      const { "x-configuration": ofMesh, "x-service": ofService, "x-route": ofRoute } = request.headers;
      if (ofMesh !== ofService || ofMesh !== ofRoute) seen.push(`${ofMesh} ${ofService} ${ofRoute}`);
      return undefined;
    },
  };
  const mesh = meshOf({ orders: ports }, { ...configuration(0), observers: [observer as never], drainTimeoutMs: 5_000 });
  const failures: string[] = [];
  let calls = 0;
  let isOver = false;
  const caller = async () => {
    while (!isOver) {
      const id = String(++calls);
      const answer = await mesh.fetch("orders/x", { method: "POST", body: id, headers: { "x-call": id } }).catch((error: unknown) => error);
      if (!(answer instanceof Response) || !answer.ok) failures.push(String(answer));
      else await answer.text();
    }
  };
  const callers = Array.from({ length: 40 }, caller);
  const startedAt = performance.now();
  for (let number = 1; number <= 100; number++) {
    expect(mesh.reconfigure(configuration(number)).length).toBeGreaterThan(3);
    const dueAt = startedAt + number * 18;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueAt - performance.now())));
  }
  isOver = true;
  await Promise.all(callers);
  expect(failures).toEqual([]);
  expect(seen).toEqual([]);
  expect(calls).toBeGreaterThan(200);
  expect(executed.size).toBe(calls);
  expect([...executed.values()].filter((each) => each === "twice")).toEqual([]);
  // Calls of many of them were under way: the load and the changes met.
  expect(new Set(executed.values()).size).toBeGreaterThan(30);
}, 60_000);
