// The choice of instances is the mesh's, by each of its rules, and changes of a source reach the next call.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { callOptions, grpcDetails } from "../../src/grpc/grpc.ts";
import { createMesh, fileDiscovery, ringHash, roundRobin, staticDiscovery, weighted } from "../../src/index.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { clientOf } from "./clients.ts";
import { errorOf, Greeter, type GreeterClient, type GreeterInstance, greet, sleep, startGreeter } from "./greeter.ts";

const endpoint = ({ port }: GreeterInstance, more: Partial<Endpoint> = {}): Endpoint => ({ host: "127.0.0.1", port, ...more }) as Endpoint;

async function many(count: number): Promise<GreeterInstance[]> {
  return await Promise.all(Array.from({ length: count }, () => startGreeter()));
}

describe("the choice of instances", () => {
  it("follows weights", async () => {
    const [one, two] = (await many(2)) as [GreeterInstance, GreeterInstance];
    const discovery = staticDiscovery({ greeter: [endpoint(one, { weight: 3 }), endpoint(two, { weight: 1 })] });
    const client = clientOf(closing(createMesh({ discovery, picker: weighted() })));
    for (let call = 0; call < 40; call++) await greet(client, "x");
    expect([one.calls, two.calls]).toEqual([30, 10]);
  });

  it("keeps calls with one key at one instance, by the option of a call and by metadata", async () => {
    const instances = await many(4);
    const mesh = meshOf({ greeter: instances.map(({ port }) => port) }, { picker: ringHash() });
    const byCall = clientOf(mesh);
    const byMetadata = clientOf(mesh, { hashKeyFrom: "User-Id" });
    const metadata = new grpc.Metadata();
    metadata.set("user-id", "Ada");
    for (let call = 0; call < 10; call++) {
      await greet(byCall, "x", callOptions({ hashKey: "Ada" }));
      await greet(byMetadata, "x", {}, { metadata });
    }
    expect(instances.map(({ calls }) => calls).sort()).toEqual([0, 0, 0, 20]);
  });

  it("stays with a preferred priority while it has instances, and with operators' holds", async () => {
    const [first, second] = (await many(2)) as [GreeterInstance, GreeterInstance];
    const discovery = staticDiscovery({
      greeter: [endpoint(first, { id: "first", priority: 0 }), endpoint(second, { id: "second", priority: 1 })],
    });
    const mesh = closing(createMesh({ discovery }));
    const client = clientOf(mesh);
    for (let call = 0; call < 5; call++) await greet(client, "x");
    expect([first.calls, second.calls]).toEqual([5, 0]);
    mesh.eject("greeter", "first", { forMs: 60_000 });
    for (let call = 0; call < 5; call++) await greet(client, "x");
    expect([first.calls, second.calls]).toEqual([5, 5]);
  });

  it("takes an instance out that answers UNAVAILABLE, and explain says so", async () => {
    const good = await startGreeter();
    const bad = await startGreeter({ greet: (_call, told) => told({ code: grpc.status.UNAVAILABLE }) });
    const mesh = meshOf({ greeter: [good.port, bad.port] }, { picker: roundRobin() });
    const client = clientOf(mesh);
    const stateOf = () => mesh.explain("greeter")?.endpoints.find(({ address }) => address === `127.0.0.1:${bad.port}`)?.state;
    let calls = 0;
    while (calls === 0 || (stateOf() === "available" && calls < 100)) {
      calls++;
      await greet(client, "x").catch(() => {});
    }
    expect(stateOf()).not.toBe("available");
    expect(calls).toBeLessThan(30);
    for (let call = 0; call < 5; call++) expect(await greet(client, "x")).toBe("hello x");
  });

  it("is one for each mesh, however many there are in a process", async () => {
    const [one, two] = (await many(2)) as [GreeterInstance, GreeterInstance];
    const first = clientOf(meshOf({ greeter: one.port }));
    const second = clientOf(meshOf({ greeter: two.port }));
    for (let call = 0; call < 3; call++) {
      await greet(first, "x");
      await greet(second, "x");
    }
    expect([one.calls, two.calls]).toEqual([3, 3]);
  });

  it("gives an instance of unknown weight the mean share, where the balancer of grpc-js starves it", async () => {
    const instances = await Promise.all(
      [500, 500, 500, undefined].map((weight) =>
        startGreeter(
          {
            greet(call, told) {
              const recorder = call.getMetricsRecorder();
              if (weight !== undefined) {
                recorder.recordApplicationUtilizationMetric(0.1);
                recorder.recordQpsMetric(weight / 10);
              }
              told(null, "x");
            },
          },
          { options: { "grpc.server_call_metric_recording": 1 } },
        ),
      ),
    );
    const ports = instances.map(({ port }) => port);
    const mine = clientOf(meshOf({ greeter: ports }, { picker: weighted({ by: "reported", blackoutMs: 0, updateMs: 100 }) }));
    const loadBalancingConfig = [{ weighted_round_robin: { blackout_period: "0s", weight_update_period: "0.1s" } }];
    const target = `ipv4:${ports.map((port) => `127.0.0.1:${port}`).join(",")}`;
    const options = { "grpc.service_config": JSON.stringify({ loadBalancingConfig }) };
    const theirs = new Greeter(target, grpc.credentials.createInsecure(), options);
    onTestFinished(() => theirs.close());
    const counts = async (client: GreeterClient, warmUps: number, measured: number) => {
      for (let call = 0; call < warmUps; call++) await greet(client, "x");
      await sleep(300);
      for (let call = 0; call < 8; call++) await greet(client, "x");
      const before = instances.map(({ calls }) => calls);
      for (let call = 0; call < measured; call++) await greet(client, "x");
      return instances.map(({ calls }, index) => calls - (before[index] as number));
    };
    for (const count of await counts(mine, 40, 200)) expect(Math.abs(count - 50)).toBeLessThan(6);
    // Its calls wait for the next weights, a tenth of a second each.
    const starved = await counts(theirs, 8, 20);
    expect(starved[3]).toBeLessThan(3);
  }, 120_000);
});

describe("a change of a source", () => {
  it("reaches the next call of a client, whose connections stay", async () => {
    const [one, two] = (await many(2)) as [GreeterInstance, GreeterInstance];
    const path = join(mkdtempSync(join(tmpdir(), "inmesh-grpc-")), "services.json");
    const list = (...instances: GreeterInstance[]) =>
      writeFileSync(path, JSON.stringify({ greeter: instances.map(({ port }) => ({ host: "127.0.0.1", port })) }));
    list(one);
    const mesh = closing(createMesh({ discovery: fileDiscovery(path), picker: roundRobin() }));
    const client = clientOf(mesh);
    const told: number[] = [];
    mesh.observe({ onEvent: (event) => event.type === "endpoints" && told.push(performance.now()) });
    await greet(client, "x");
    const before = told.length;
    list(one, two);
    await expect.poll(() => told.length, { timeout: 10_000, interval: 5 }).toBeGreaterThan(before);
    await greet(client, "x");
    await greet(client, "x");
    expect(performance.now() - (told.at(-1) as number)).toBeLessThan(2_000);
    expect(two.calls).toBeGreaterThan(0);
    list(two);
    const grown = told.length;
    await expect.poll(() => told.length, { timeout: 10_000, interval: 5 }).toBeGreaterThan(grown);
    const calls = one.calls;
    for (let call = 0; call < 4; call++) await greet(client, "x");
    expect(one.calls).toBe(calls);
  });
});

it("a call that waits until it is ready outlives a time without instances, and one that does not is told at once", async () => {
  const one = await startGreeter();
  const path = join(mkdtempSync(join(tmpdir(), "inmesh-grpc-")), "services.json");
  writeFileSync(path, JSON.stringify({ greeter: [], other: [{ host: "127.0.0.1", port: one.port }] }));
  const mesh = closing(createMesh({ discovery: fileDiscovery(path) }));
  const client = clientOf(mesh);
  const waits = new grpc.Metadata({ waitForReady: true });
  const waiting = greet(client, "x", { deadline: Date.now() + 20_000 }, { metadata: waits });
  const error = await errorOf(greet(client, "x"));
  expect(error.code).toBe(grpc.status.UNAVAILABLE);
  expect(grpcDetails(error)?.maybeExecuted).toBe(false);
  writeFileSync(path, JSON.stringify({ greeter: [{ host: "127.0.0.1", port: one.port }] }));
  expect(await waiting).toBe("hello x");
});
