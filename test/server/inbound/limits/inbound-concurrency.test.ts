import { AsyncLocalStorage } from "node:async_hooks";
import { request as send } from "node:http";
import { describe, expect, test } from "vitest";
import { aimd } from "../../../../src/policies/concurrency/aimd.ts";
import { ask, guarded, Held } from "../served.ts";

describe("a limit of the requests that are handled at a time", () => {
  test("lets others wait, the important ones first, and refuses what finds the queue full with the marker of a refusal", async () => {
    const held = new Held();
    const { port } = await guarded(
      {
        concurrency: { maxInFlight: 1, maxQueued: 2, queueTimeoutMs: 20_000 },
        priority: ({ headers }) => headers["x-priority"] as "high",
      },
      held.listener,
    );
    const as = (path: string, priority: string) => ask(port, { path, headers: { "x-priority": priority } });
    const first = as("/first", "normal");
    await expect.poll(() => held.requests.length).toBe(1);
    const low = as("/low", "low");
    await new Promise((resolve) => setTimeout(resolve, 30));
    const normal = as("/normal", "normal");
    await new Promise((resolve) => setTimeout(resolve, 30));
    const high = as("/high", "high");
    // The place of the lowest is given to the highest.
    expect(await low).toMatchObject({ status: 503, headers: { "x-mesh-refused": "1" } });
    expect(await as("/another", "low")).toMatchObject({ status: 503, headers: { "x-mesh-refused": "1" } });
    for (let index = 0; index < 3; index++) {
      await expect.poll(() => held.requests.length).toBe(index + 1);
      held.requests[index]?.answer();
    }
    for (const answer of [first, normal, high]) expect((await answer).status).toBe(200);
    expect(held.requests.map(({ request }) => request.url)).toEqual(["/first", "/high", "/normal"]);
  });

  test("refuses what has waited too long", async () => {
    const held = new Held();
    const { port } = await guarded({ concurrency: { maxInFlight: 1, queueTimeoutMs: 30 } }, held.listener);
    const first = ask(port);
    await expect.poll(() => held.requests.length).toBe(1);
    expect((await ask(port)).text).toContain("it has waited for 30 ms");
    held.requests[0]?.answer();
    expect((await first).status).toBe(200);
    expect(held.requests).toHaveLength(1);
  });

  test("forgets a request whose client has gone, and gives its place to the next", async () => {
    const held = new Held();
    const { port } = await guarded({ concurrency: { maxInFlight: 1, queueTimeoutMs: 20_000 } }, held.listener);
    const first = send({ port, host: "127.0.0.1", agent: false }).on("error", () => {});
    first.end();
    await expect.poll(() => held.requests.length).toBe(1);
    const gone = send({ port, host: "127.0.0.1", path: "/gone", agent: false }).on("error", () => {});
    gone.end();
    await new Promise((resolve) => setTimeout(resolve, 30));
    gone.destroy();
    const last = ask(port, { path: "/last" });
    await new Promise((resolve) => setTimeout(resolve, 30));
    first.destroy();
    await expect.poll(() => held.requests.length).toBe(2);
    expect(held.requests[1]?.request.url).toBe("/last");
    held.requests[1]?.answer();
    expect((await last).status).toBe(200);
  });

  test("runs a handler that has waited in the context of its own request", async () => {
    const storage = new AsyncLocalStorage<string>();
    const held = new Held();
    const seen: (string | undefined)[] = [];
    const { guard, server, port } = await guarded({ concurrency: { maxInFlight: 1, queueTimeoutMs: 20_000 } });
    server.removeAllListeners("request");
    server.on("request", (request, response) => {
      storage.run(String(request.url), () =>
        guard(request, response, () => {
          seen.push(storage.getStore());
          held.listener(request, response as never);
        }),
      );
    });
    const first = ask(port, { path: "/first" });
    await expect.poll(() => held.requests.length).toBe(1);
    const second = ask(port, { path: "/second" });
    await new Promise((resolve) => setTimeout(resolve, 30));
    held.requests[0]?.answer();
    await expect.poll(() => held.requests.length).toBe(2);
    held.requests[1]?.answer();
    await Promise.all([first, second]);
    expect(seen).toEqual(["/first", "/second"]);
  });

  test("adapts to what handlers answer", async () => {
    let status = 503;
    const { port } = await guarded(
      { concurrency: { maxInFlight: aimd({ initial: 4, min: 1, max: 10 }), maxQueued: 0 } },
      (_request, response) => {
        response.statusCode = status;
        response.end();
      },
    );
    for (let count = 0; count < 6; count++) await ask(port);
    status = 200;
    // The limit has fallen to 1: of two at a time one is refused, which is not a sample.
    const answers = await Promise.all([ask(port), ask(port)]);
    expect(answers.filter(({ headers }) => headers["x-mesh-refused"] === "1").length).toBeLessThanOrEqual(1);
    expect((await ask(port)).status).toBe(200);
  });

  test.each<[kind: string, priority: () => "high"]>([
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["returns nonsense", () => "urgent" as never],
    ["is async", (async () => "high") as never],
  ])("is as ever where the program's priority %s", async (_kind, priority) => {
    const held = new Held();
    const { port } = await guarded({ concurrency: { maxInFlight: 1 }, priority }, held.listener);
    const both = [ask(port), ask(port)];
    for (let index = 0; index < 2; index++) {
      await expect.poll(() => held.requests.length).toBe(index + 1);
      held.requests[index]?.answer();
    }
    for (const answer of both) expect((await answer).status).toBe(200);
  });
});
