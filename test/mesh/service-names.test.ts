import { get } from "node:http";
import { request as undiciRequest } from "undici";
import { describe, expect, expectTypeOf, it, onTestFinished } from "vitest";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh, type Mesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import { closing } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serve } from "../support/servers.ts";

const discovery = staticDiscovery({});
const serviceNames = ["orders", "users"] as const;
const meant = '"user" is not in serviceNames; did you mean "users"?';

describe("serviceNames", () => {
  it("refuses a key of services that the list does not have, and says what was meant", () => {
    const create = (options: object) => () => createMesh({ discovery, serviceNames, ...options } as MeshOptions);
    expect(create({ services: { user: {} } })).toThrow(new TypeError(`services: ${meant}`));
    expect(create({ services: { zebra: {} } })).toThrow(new TypeError('services: "zebra" is not in serviceNames; it has orders, users'));
    expect(create({ services: { users: {} } })).not.toThrow();
    expect(create({ serviceNames: [], services: { users: {} } })).toThrow("it has none");
    for (const wrong of [5, "users", [5], [""], null]) expect(create({ serviceNames: wrong })).toThrow("serviceNames must be an array");
    for (const wrong of ["orders/42", "orders/", "mesh://orders", "my orders", "10.0.0.1"])
      expect(create({ serviceNames: ["users", wrong] })).toThrow(
        new TypeError(`serviceNames must be names of services, without a path: not ${JSON.stringify(wrong)}`),
      );
  });

  it.each<[string, (mesh: Mesh) => Promise<unknown>]>([
    ["fetch", (mesh) => mesh.fetch("user/1")],
    ["request", (mesh) => mesh.request("user/1")],
    ["dispatcher", (mesh) => undiciRequest("http://user/1", { dispatcher: mesh.dispatcher() })],
    ["warm", (mesh) => mesh.warm("user")],
    [
      "agent",
      (mesh) =>
        new Promise((resolve, reject) => {
          const agent = mesh.agent();
          onTestFinished(() => agent.destroy());
          get("http://user/1", { agent }, resolve).on("error", reject);
        }),
    ],
    [
      "upgrade",
      (mesh) => mesh.dispatcher().upgrade({ origin: "http://user", path: "/1", protocol: "echo" } as never) as unknown as Promise<unknown>,
    ],
  ])("refuses a call outside of the list by %s, before any interceptor or lookup", async (_door, call) => {
    let asked = 0;
    const mesh = closing(
      createMesh({
        discovery: { ...discovery, watch: (...args) => discovery.watch(args[0], args[1]) },
        serviceNames: serviceNames as readonly string[],
        observers: [],
        interceptors: [
          (next) => (request) => {
            asked++;
            return next(request);
          },
        ],
      }),
    );
    expect(await rejectionOf(call(mesh))).toEqual(new TypeError(`call: ${meant}`));
    expect([asked, mesh.services()]).toEqual([0, []]);
  });

  it("lets those in the list be called", async () => {
    const { port } = await serve();
    const mesh = closing(createMesh({ discovery: staticDiscovery({ users: [{ host: "127.0.0.1", port }] }), serviceNames, observers: [] }));
    expect((await mesh.fetch("users/1")).status).toBe(200);
  });

  it("tells the compiler what may be called", () => {
    const mesh = closing(
      createMesh({ discovery, serviceNames: ["orders", "users"], services: { users: { timeoutMs: 5 } } }) as unknown as Mesh,
    );
    expectTypeOf(createMesh({ discovery, serviceNames: ["orders", "users"] })).toEqualTypeOf<Mesh<"orders" | "users">>();
    expectTypeOf(createMesh({ discovery })).toEqualTypeOf<Mesh<string>>();
    expectTypeOf<NonNullable<MeshOptions<"users" | `orders/${number}`>["services"]>>().toHaveProperty("orders");
    // @ts-expect-error a key of services that is not declared
    expect(() => createMesh({ discovery, serviceNames: ["orders", "users"], services: { user: {} } })).toThrow(TypeError);
    // @ts-expect-error the same with a type argument
    closing(createMesh<"users" | `orders/${number}`>({ discovery, services: { user: {} } }));
    closing(createMesh<"users" | `orders/${number}`>({ discovery, services: { orders: {}, users: {} } }));
    expect(mesh.services()).toEqual([]);
  });
});
