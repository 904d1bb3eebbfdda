// Clients, meshes and servers that end with calls open: every call has its status, and nothing is left.
import { AsyncLocalStorage } from "node:async_hooks";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import * as grpc from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { grpcDetails } from "../../src/grpc/grpc.ts";
import { meshOf } from "../support/mesh.ts";
import { clientOf } from "./clients.ts";
import { errorOf, type GreeterClient, greet, messagesOf, startGreeter } from "./greeter.ts";

const { status, connectivityState } = grpc;

/** A stream of a client that has its first answer, and its end. */
async function openTalk(client: GreeterClient) {
  const talk = client.talk();
  const ended = new Promise<grpc.ServiceError | undefined>((resolve) => {
    talk.on("error", (error: grpc.ServiceError) => resolve(error));
    talk.on("end", () => setImmediate(() => resolve(undefined)));
  });
  talk.write("a");
  const heard: string[] = [];
  const first = once(talk, "data");
  talk.on("data", (each: string) => heard.push(each));
  await first;
  return { talk, ended, heard };
}

describe("an end with streams open", () => {
  it("of the mesh is UNAVAILABLE for each, with a message, and for every later call", async () => {
    const { port } = await startGreeter();
    const mesh = meshOf({ greeter: port }, { drainTimeoutMs: 50 });
    const client = clientOf(mesh);
    const streams = await Promise.all([openTalk(client), openTalk(client)]);
    await mesh.close();
    for (const { ended } of streams) {
      const error = await ended;
      expect(error?.code).toBe(status.UNAVAILABLE);
      expect(error?.details).toContain("closed");
      expect(grpcDetails(error)).toMatchObject({ service: "greeter", instance: `127.0.0.1:${port}`, maybeExecuted: true });
    }
    const late = await errorOf(greet(client, "x"));
    expect(late.code).toBe(status.UNAVAILABLE);
    expect(grpcDetails(late)?.maybeExecuted).toBe(false);
  });

  it("of the client leaves them to go on, and refuses later calls", async () => {
    const { port } = await startGreeter();
    const client = clientOf(meshOf({ greeter: port }));
    const { talk, heard, ended } = await openTalk(client);
    client.close();
    expect(await errorOf(greet(client, "x"))).toMatchObject({
      code: status.UNAVAILABLE,
      details: 'the client of "greeter" has been closed',
    });
    talk.write("b");
    talk.end();
    expect(await ended).toBeUndefined();
    expect(heard).toEqual(["A", "B"]);
    expect(() => client.getChannel().watchConnectivityState(connectivityState.IDLE, Infinity, () => {})).toThrow("closed");
  });

  it("of the instance is UNAVAILABLE behind the messages that came", async () => {
    const { port, server } = await startGreeter();
    const { ended, heard } = await openTalk(clientOf(meshOf({ greeter: port })));
    server.forceShutdown();
    expect((await ended)?.code).toBe(status.UNAVAILABLE);
    expect(heard).toEqual(["A"]);
  });

  it("by the caller reaches the instance, which is not blamed", async () => {
    let cancelled = 0;
    const { port } = await startGreeter({ greet: (call) => void call.on("cancelled", () => cancelled++) });
    const mesh = meshOf({ greeter: port });
    const client = clientOf(mesh);
    const error = await new Promise<grpc.ServiceError | null>((resolve) => {
      const call = client.greet("x", new grpc.Metadata(), {}, resolve);
      setTimeout(() => call.cancel(), 100);
    });
    expect(error).toMatchObject({ code: status.CANCELLED, details: "Cancelled on client" });
    await expect.poll(() => cancelled).toBe(1);
    expect(mesh.explain("greeter")?.endpoints[0]).toMatchObject({ inFlight: 0, failures: 0, state: "available" });
  });

  it("of the call of a server that this call is made for ends it, too", async () => {
    const inner = await startGreeter({ greet() {} });
    const client = clientOf(meshOf({ greeter: inner.port }));
    const ends: unknown[] = [];
    const outer = await startGreeter({
      greet(call) {
        client.greet("x", new grpc.Metadata(), { parent: call }, (error) => ends.push(error?.code));
      },
    });
    const outside = clientOf(meshOf({ greeter: outer.port }));
    expect((await errorOf(greet(outside, "x", { deadline: Date.now() + 400 }))).code).toBe(status.DEADLINE_EXCEEDED);
    await expect.poll(() => ends).toEqual([expect.toSatisfy((code) => code === status.CANCELLED || code === status.DEADLINE_EXCEEDED)]);
  });
});

it("the answer is told in the asynchronous context of its call", async () => {
  const { port } = await startGreeter();
  const client = clientOf(meshOf({ greeter: port }));
  const context = new AsyncLocalStorage<number>();
  const seen = await Promise.all(
    [1, 2, 3].map((id) =>
      context.run(id, () => new Promise((resolve) => client.greet("x", new grpc.Metadata(), {}, () => resolve(context.getStore())))),
    ),
  );
  expect(seen).toEqual([1, 2, 3]);
  const streamed = await context.run(7, async () => {
    const stores: unknown[] = [];
    const stream = client.count("3");
    stream.on("data", () => stores.push(context.getStore()));
    await once(stream, "end");
    return stores;
  });
  expect(streamed).toEqual([7, 7, 7]);
});

it("a client waits until it is ready, and is told where it is not in time", async () => {
  const { port } = await startGreeter();
  const ready = clientOf(meshOf({ greeter: port }));
  const states = [ready.getChannel().getConnectivityState(false)];
  await new Promise<void>((resolve, reject) =>
    ready.waitForReady(Date.now() + 10_000, (error) => (error === undefined ? resolve() : reject(error))),
  );
  states.push(ready.getChannel().getConnectivityState(false));
  expect(states).toEqual([connectivityState.IDLE, connectivityState.READY]);
  const never = clientOf(meshOf({ greeter: 9 }));
  const error = await new Promise<Error | undefined>((resolve) => never.waitForReady(Date.now() + 700, resolve));
  expect(error?.message).toMatch(/Failed to connect before the deadline/);
});

it("a stream whose reader stops is held back, and goes on", async () => {
  let written = 0;
  const { port } = await startGreeter({
    async count(call) {
      const chunk = "x".repeat(16_384);
      for (; written < 400; written++) if (!call.write(chunk)) await once(call, "drain");
      call.end();
    },
  });
  const stream = clientOf(meshOf({ greeter: port })).count("1");
  await once(stream, "readable");
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(written).toBeLessThan(400);
  expect(await messagesOf(stream)).toHaveLength(400);
});

it("a process with a client of a closed mesh ends by itself", async () => {
  const { port } = await startGreeter();
  const program = `
    import * as grpc from "@grpc/grpc-js";
    import { createMesh, staticDiscovery } from "./src/index.ts";
    import { clientOptions } from "./src/grpc/grpc.ts";
    const mesh = createMesh({ discovery: staticDiscovery({ greeter: [{ host: "127.0.0.1", port: ${port} }] }), drainTimeoutMs: 0 });
    const client = new grpc.Client("inmesh:///greeter", grpc.credentials.createInsecure(), clientOptions(mesh));
    const stream = client.makeBidiStreamRequest("/test.Greeter/Talk", Buffer.from, String, new grpc.Metadata());
    stream.on("error", (error) => console.log(error.code));
    stream.on("data", () => void mesh.close());
    stream.write("a");
  `;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  const printed = text(child.stdout);
  const [code] = await once(child, "exit");
  expect({ code, printed: await printed }).toEqual({ code: 0, printed: "14\n" });
}, 120_000);
