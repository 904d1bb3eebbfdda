import { describe, expect, expectTypeOf, it } from "vitest";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import type { Reply } from "../../src/fetch/reply.ts";
import { createMesh, type Mesh } from "../../src/mesh/mesh.ts";
import { closing } from "../support/mesh.ts";
import { serve } from "../support/servers.ts";

type Target = Parameters<Mesh<"users" | `orders/${number}`>["fetch"]>[0];

describe("declared targets", () => {
  it("are names with any path, and whole targets, with or without a scheme", () => {
    expectTypeOf<"users">().toExtend<Target>();
    expectTypeOf<"users/42">().toExtend<Target>();
    expectTypeOf<"users?q=1">().toExtend<Target>();
    expectTypeOf<"orders/42">().toExtend<Target>();
    expectTypeOf<"http://users/42">().toExtend<Target>();
    expectTypeOf<"https://orders/1">().toExtend<Target>();
    expectTypeOf<"mesh://users/42">().toExtend<Target>();
    expectTypeOf<`users/${string}`>().toExtend<Target>();
    expectTypeOf<URL>().toExtend<Target>();
    expectTypeOf<Request>().toExtend<Target>();
    expectTypeOf<"user/42">().not.toExtend<Target>();
    expectTypeOf<"usersx">().not.toExtend<Target>();
    expectTypeOf<"orders">().not.toExtend<Target>();
    expectTypeOf<"orders/latest">().not.toExtend<Target>();
    expectTypeOf<"ftp://users/42">().not.toExtend<Target>();
    expectTypeOf<string>().not.toExtend<Target>();
  });

  it("hold for fetch and request, and anything goes where none are declared", async () => {
    const server = await serve();
    const at = [{ host: "127.0.0.1", port: server.port }];
    const mesh = createMesh<"users" | `orders/${number}`>({ discovery: staticDiscovery({ users: at, orders: at }) });
    closing(mesh);
    await (await mesh.fetch("users/42")).text();
    (await mesh.request(`orders/${7}`)).body.discard();
    // @ts-expect-error no service is called `user`
    await expect(mesh.fetch("user/42")).rejects.toMatchObject({ code: "ERR_MESH_NO_ENDPOINTS" });
    // @ts-expect-error an order has a number
    await (await mesh.fetch("orders/latest")).text();
    // @ts-expect-error the same for request
    (await mesh.request("orders")).body.discard();
    const free = createMesh({ discovery: staticDiscovery({ users: at }) });
    closing(free);
    const name: string = "users/42";
    await (await free.fetch(name)).text();
    expectTypeOf(free.fetch).returns.resolves.toEqualTypeOf<Response>();
    expectTypeOf(free.request).returns.resolves.toEqualTypeOf<Reply>();
    expect(server.begun).toEqual(["GET /42", "GET /7", "GET /latest", "GET /", "GET /42"]);
  });
});
