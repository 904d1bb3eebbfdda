import * as grpc from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { callOptions, grpcDetails } from "../../src/grpc/grpc.ts";
import type { Mesh } from "../../src/mesh/mesh.ts";
import { continueFrom } from "../../src/policies/incoming.ts";
import { meshOf } from "../support/mesh.ts";
import { clientOf } from "./clients.ts";
import { errorOf, greet, messagesOf, startGreeter } from "./greeter.ts";

const { status } = grpc;

/** An instance that never answers and notes how long its callers wait. */
async function silent() {
  const waits: number[] = [];
  let cancelled = 0;
  const instance = await startGreeter({
    greet(call) {
      waits.push(Number(call.getDeadline()) - Date.now());
      call.on("cancelled", () => cancelled++);
    },
  });
  return { port: instance.port, waits, cancelled: () => cancelled };
}

/** Connects first, so that a time limit is that of the call. */
async function connected(mesh: Mesh) {
  const client = clientOf(mesh);
  await messagesOf(client.count("1"));
  return client;
}

it("the deadline of a call goes with it to the instance, and ends it there and here", async () => {
  const { port, waits, cancelled } = await silent();
  const client = await connected(meshOf({ greeter: port }));
  const error = await errorOf(greet(client, "x", { deadline: Date.now() + 1_000 }));
  expect(error.code).toBe(status.DEADLINE_EXCEEDED);
  expect(error.details).toContain('"greeter"');
  expect(grpcDetails(error)).toMatchObject({ instance: `127.0.0.1:${port}`, maybeExecuted: true });
  expect(waits).toHaveLength(1);
  expect(waits[0]).toBeGreaterThan(0);
  expect(waits[0]).toBeLessThanOrEqual(1_001);
  await expect.poll(cancelled).toBe(1);
});

it("a deadline that has passed sends nothing", async () => {
  const { port, waits } = await silent();
  const error = await errorOf(greet(clientOf(meshOf({ greeter: port })), "x", { deadline: Date.now() - 1 }));
  expect(error.code).toBe(status.DEADLINE_EXCEEDED);
  expect(grpcDetails(error)).toMatchObject({ maybeExecuted: false, attempts: [] });
  expect(waits).toEqual([]);
});

it("a call without a deadline has the limit of the mesh, of its service or of its own, and tells it the instance", async () => {
  const { port, waits } = await silent();
  const client = await connected(meshOf({ greeter: port }, { services: { greeter: { timeoutMs: 1_500, attemptTimeoutMs: false } } }));
  expect((await errorOf(greet(client, "x"))).code).toBe(status.DEADLINE_EXCEEDED);
  expect((await errorOf(greet(client, "x", callOptions({ timeoutMs: 700 })))).code).toBe(status.DEADLINE_EXCEEDED);
  expect(waits[0]).toBeLessThanOrEqual(1_501);
  expect(waits[1]).toBeLessThanOrEqual(701);
});

it("the time that the caller of this process waits ends the calls for its answer", async () => {
  const { port, waits } = await silent();
  const client = await connected(meshOf({ greeter: port }));
  const call = continueFrom({ "x-mesh-deadline-ms": "900" }, () => errorOf(greet(client, "x", { deadline: Date.now() + 60_000 })));
  expect((await call).code).toBe(status.DEADLINE_EXCEEDED);
  expect(waits[0]).toBeLessThanOrEqual(901);
});

it("a deadline that is longer than the limit of an attempt is the caller's to choose", async () => {
  const { port } = await startGreeter({ greet: (call, told) => setTimeout(() => told(null, call.request), 250) });
  const client = clientOf(meshOf({ greeter: port }, { attemptTimeoutMs: 100, retry: false }));
  expect(await greet(client, "x", { deadline: Date.now() + 20_000 })).toBe("x");
  expect((await errorOf(greet(client, "x"))).code).toBe(status.DEADLINE_EXCEEDED);
});

it("streams have no limit but the deadline of their caller", async () => {
  const { port } = await startGreeter({
    count(call) {
      setTimeout(() => {
        call.write("late");
        call.end();
      }, 400);
    },
  });
  const mesh = meshOf({ greeter: port }, { timeoutMs: 100, attemptTimeoutMs: 50, bodyIdleTimeoutMs: 50 });
  const client = clientOf(mesh);
  expect(await messagesOf(client.count("1"))).toEqual(["late"]);
  const bounded = client.count("1", new grpc.Metadata(), { deadline: Date.now() + 100 });
  expect((await errorOf(messagesOf(bounded))).code).toBe(status.DEADLINE_EXCEEDED);
});
