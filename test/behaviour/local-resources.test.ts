import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { serve } from "../support/servers.ts";

const calls: Readonly<Record<string, string>> = {
  fetch: 'mesh.fetch("orders/" + index, { method: "POST" })',
  agent: 'new Promise((_, reject) => http.get("http://orders/" + index, { agent }).on("error", reject))',
  upgrade: 'dispatcher.upgrade({ origin: "http://orders", path: "/" + index, protocol: "echo" })',
};

it.each(Object.keys(calls))("a process without file descriptors says so and blames no instance, by %s", async (door) => {
  // Held open, so that every call needs a connection of its own.
  const server = await serve(() => {});
  const index = new URL("../../src/index.ts", import.meta.url).href;
  const script = `
    import http from "node:http";
    import { createMesh, staticDiscovery } from ${JSON.stringify(index)};
    const mesh = createMesh({
      discovery: staticDiscovery({ orders: [{ host: "127.0.0.1", port: ${server.port} }] }),
      timeoutMs: false, attemptTimeoutMs: false, drainTimeoutMs: 0, retry: { baseDelayMs: 0 },
    });
    const errors = [];
    const [agent, dispatcher] = [mesh.agent(), mesh.dispatcher()];
    // The first loads whatever is loaded late.
    mesh.fetch("orders/first").catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    const calls = Array.from({ length: 100 }, (_, index) => ${calls[door]}.catch((error) => errors.push(error)));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const { breaker, endpoints: [endpoint] } = mesh.explain("orders");
    const said = errors.map(({ code, maybeExecuted, attempts }) => [code, maybeExecuted, attempts?.at(-1)?.code]);
    console.log(JSON.stringify({ said, breaker, endpoint }));
    await mesh.close();
    process.exit();`;
  const { stdout } = await promisify(execFile)(
    "sh",
    ["-c", 'ulimit -n 64 && exec "$0" --input-type=module --eval "$1"', process.execPath, script],
    { cwd: join(import.meta.dirname, "../.."), timeout: 20_000 },
  );
  const { said, breaker, endpoint } = JSON.parse(stdout) as {
    said: unknown[][];
    breaker: string;
    endpoint: { failures: number; state: string };
  };
  expect(said.length).toBeGreaterThan(20);
  // The client of an agent gets the error of the connection itself.
  const expected = door === "agent" ? ["EMFILE", null, null] : ["ERR_MESH_LOCAL_RESOURCE", false, "EMFILE"];
  for (const each of said) expect(each).toEqual(expected);
  expect([breaker, endpoint.state, endpoint.failures]).toEqual(["closed", "available", 0]);
});
