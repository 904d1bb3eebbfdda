import { describe, expect, it } from "vitest";
import { createMesh, type Mesh, type MeshOptions } from "../../src/index.ts";
import { doors } from "../support/doors.ts";
import { closing } from "../support/mesh.ts";
import { closedPort, serve } from "../support/servers.ts";
import { until } from "../support/until.ts";

const calls: Readonly<Record<string, (mesh: Mesh) => Promise<unknown>>> = {
  ...doors,
  "fetch of a POST": async (mesh) => (await mesh.fetch("svc/1", { method: "POST", body: "x" })).text(),
};

/** A mesh whose source lists one instance, and moves it to the port that `refresh` gives when it is asked again. */
function meshThatMoves(from: number, to: number, options: Partial<MeshOptions> = {}) {
  const hints: string[] = [];
  let wake = () => {};
  const mesh = closing(
    createMesh({
      discovery: {
        refresh(service) {
          hints.push(service);
          wake();
        },
        async *watch(_service, signal) {
          yield [{ id: "one", host: "127.0.0.1", port: from }];
          await new Promise<void>((resolve) => {
            wake = resolve;
            signal.addEventListener("abort", () => resolve(), { once: true });
          });
          yield [{ id: "one", host: "127.0.0.1", port: to }];
          await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
        },
      },
      observers: [],
      drainTimeoutMs: 0,
      ...options,
    }),
  );
  return { mesh, hints };
}

describe.each([
  ["breakers", {}],
  ["breaker: false", { breaker: false }],
] as const)("an instance that cannot be reached makes discovery look again, with %s", (_what, options) => {
  it.each(Object.entries(calls))("by the door %s", async (_door, call) => {
    const server = await serve();
    const { mesh, hints } = meshThatMoves(await closedPort(), server.port, { retry: false, ...options });
    await call(mesh).catch(() => {});
    await until("discovery has been asked, and knows better", () => mesh.explain("svc")?.endpoints[0]?.endpoint.port === server.port);
    expect(hints).toEqual(["svc"]);
    expect((await mesh.fetch("svc/1")).status).toBe(200);
  });
});

describe("the last instance that goes out of rotation", () => {
  it("makes discovery look again, and one that answers does not", async () => {
    let status = 200;
    const broken = await serve((_request, response) => void response.writeHead(status).end());
    const server = await serve();
    // The breaker of the service must not open before discovery has been asked.
    const { mesh, hints } = meshThatMoves(broken.port, server.port, { retry: false, breaker: { minCalls: 1_000 } });
    for (let call = 0; call < 10; call++) await (await mesh.fetch("svc/1")).text();
    expect(hints).toEqual([]);
    status = 503;
    await until("the instance is out", async () => {
      await (await mesh.fetch("svc/1")).text();
      return hints.length > 0;
    });
    await until("discovery knows better", () => mesh.explain("svc")?.endpoints[0]?.endpoint.port === server.port);
    expect((await mesh.fetch("svc/1")).status).toBe(200);
  });
});
