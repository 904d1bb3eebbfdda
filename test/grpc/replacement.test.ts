// Instances are replaced one by one, as a deployment does it, while calls and streams are under way.
import { setTimeout as sleep } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { roundRobin } from "../../src/index.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import { memoryRegistry } from "../../src/testing/index.ts";
import { closing } from "../support/mesh.ts";
import { clientOf } from "./clients.ts";
import { type GreeterClient, type GreeterInstance, greet, startGreeter } from "./greeter.ts";

const unaryPerSecond = 200;
const streams = 20;

/** Counts from the number in the request on, until the instance leaves or the caller has enough. */
async function startCounter() {
  const open = new Set<() => void>();
  const instance = await startGreeter({
    count(call) {
      let next = Number(call.request);
      const timer = setInterval(() => call.write(String(next++)), 5);
      const stop = () => {
        clearInterval(timer);
        open.delete(end);
      };
      // An instance that leaves asks its subscribers to come back elsewhere.
      const end = () => {
        stop();
        call.emit("error", { code: grpc.status.UNAVAILABLE, details: "leaving" });
      };
      open.add(end);
      call.on("cancelled", stop);
    },
  });
  const end = () => {
    for (const each of [...open]) each();
  };
  return { ...instance, server: instance.server, end };
}

/** A subscriber that resumes behind the last number that it has seen. */
function subscribe(client: GreeterClient) {
  const seen: number[] = [];
  let resumed = 0;
  let isOver = false;
  let current: grpc.ClientReadableStream<string> | undefined;
  const open = () => {
    const stream = client.count(String((seen.at(-1) ?? 0) + 1));
    current = stream;
    stream.on("data", (number: string) => seen.push(Number(number)));
    stream.on("error", () => {
      if (isOver) return;
      resumed++;
      setImmediate(open);
    });
  };
  open();
  const stop = () => {
    isOver = true;
    current?.cancel();
  };
  return { seen, stop, resumed: () => resumed };
}

it(`under ${unaryPerSecond} calls a second and ${streams} streams, no call fails, and no message is lost or comes twice`, async () => {
  const registry = memoryRegistry();
  const announce = (instance: Pick<GreeterInstance, "port">) =>
    registry.add("greeter", { host: "127.0.0.1", port: instance.port, id: `${instance.port}` });
  let instances: Awaited<ReturnType<typeof startCounter>>[] = await Promise.all([startCounter(), startCounter(), startCounter()]);
  for (const instance of instances) announce(instance);
  const mesh = closing(createMesh({ discovery: registry, picker: roundRobin(), drainTimeoutMs: 0 }));
  const client = clientOf(mesh);
  await greet(client, "x");
  const failures: unknown[] = [];
  let calls = 0;
  const load = setInterval(() => {
    calls++;
    greet(client, "x").catch((error) => failures.push(error));
  }, 1_000 / unaryPerSecond);
  const subscribers = Array.from({ length: streams }, () => subscribe(client));
  for (let round = 0; round < 3; round++) {
    await sleep(400);
    const next = await startCounter();
    announce(next);
    const [leaving, ...rest] = instances as [(typeof instances)[number], ...(typeof instances)[number][]];
    registry.remove("greeter", `${leaving.port}`);
    await sleep(100);
    leaving.end();
    // GOAWAY, and the end of what is under way.
    await new Promise<void>((resolve) => leaving.server.tryShutdown(() => resolve()));
    instances = [...rest, next];
  }
  await sleep(300);
  clearInterval(load);
  await sleep(200);
  for (const { stop } of subscribers) stop();
  expect(failures).toEqual([]);
  expect(calls).toBeGreaterThan(20);
  for (const { seen } of subscribers) {
    expect(seen.length).toBeGreaterThan(10);
    expect(seen).toEqual(Array.from({ length: seen.length }, (_each, index) => index + 1));
  }
  expect(subscribers.reduce((sum, { resumed }) => sum + resumed(), 0)).toBeGreaterThan(streams / 2);
}, 60_000);
