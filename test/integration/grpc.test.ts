// A client of grpc-js, whose instances are in a real Consul.
import { expect, it, onTestFinished } from "vitest";
import { createMesh, roundRobin } from "../../src/index.ts";
import { consul } from "../../src/registries/consul.ts";
import { clientOf } from "../grpc/clients.ts";
import { greet, startGreeter } from "../grpc/greeter.ts";
import { available } from "../servers/available.ts";
import { startConsul } from "../servers/consul.ts";
import { closing } from "../support/mesh.ts";

it.skipIf(!available("consul"))(
  "an instance that Consul lists has the next calls of a client, whose connections stay",
  { timeout: 120_000 },
  async () => {
    const server = await startConsul();
    onTestFinished(() => server.stop());
    const registry = consul({ url: server.url, minIntervalMs: 20 });
    const [first, second] = await Promise.all([startGreeter(), startGreeter()]);
    const stop = new AbortController();
    const register = (port: number) => registry.register({ service: "greeter", host: "127.0.0.1", port }, stop.signal);
    const one = await register(first.port);
    const mesh = closing(createMesh({ discovery: consul({ url: server.url, minIntervalMs: 20 }), picker: roundRobin() }));
    const client = clientOf(mesh);
    expect(await greet(client, "x")).toBe("hello x");
    let changedAt = 0;
    mesh.observe({
      onEvent(event) {
        if (event.type === "endpoints" && event.endpoints.length === 2 && changedAt === 0) changedAt = performance.now();
      },
    });
    const two = await register(second.port);
    while (second.calls === 0) await greet(client, "x");
    // With room for a machine that does other things too.
    expect(performance.now() - changedAt).toBeLessThan(1_000);
    expect(changedAt).toBeGreaterThan(0);
    await one.deregister();
    await expect.poll(() => mesh.explain("greeter")?.endpoints.length, { timeout: 20_000 }).toBe(1);
    const calls = first.calls;
    for (let call = 0; call < 6; call++) await greet(client, "x");
    expect(first.calls).toBe(calls);
    await two.deregister();
    await registry.close?.();
  },
);
