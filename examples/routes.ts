// node examples/routes.ts: routes in front of two versions of a shop: a split that keeps users at their version, a rewrite, a redirect and an answer.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMesh, staticDiscovery } from "inmesh";

async function instance(name: string) {
  const server = createServer((request, response) => response.setHeader("x-version", name).end(request.url));
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

const [old, next] = [await instance("old"), await instance("new")];
const mesh = createMesh({
  discovery: staticDiscovery({
    shop: [
      { host: "127.0.0.1", port: old.port, metadata: { version: "1.4.0" } },
      { host: "127.0.0.1", port: next.port, metadata: { version: "2.0.1" } },
    ],
  }),
  routes: [
    {
      name: "cart",
      match: { service: "shop", path: { prefix: "/cart" } },
      split: {
        targets: [
          { name: "old", subset: { version: "^1" }, weight: 60 },
          { name: "new", subset: { version: "^2" }, weight: 40 },
        ],
        sticky: { header: "x-user" },
      },
    },
    {
      name: "items",
      match: { service: "shop", path: { template: "/items/{id}" } },
      to: { subset: { version: ">=2" } },
      rewrite: { path: "/v2/items/{id}" },
    },
    { name: "old pages", match: { service: "shop", path: { prefix: "/v1" } }, redirect: { prefix: "/", status: 308 } },
    { name: "the rest", match: { service: "shop" }, respond: { status: 404, body: "no such page" } },
  ],
});

const versions: string[] = [];
for (const user of ["7", "8", "7"]) {
  const response = await mesh.fetch("shop/cart", { headers: { "x-user": user } });
  await response.text();
  versions.push(`${user}: ${response.headers.get("x-version")}`);
}
console.log(versions.join(", "));

console.log(await (await mesh.fetch("shop/items/3")).text());

const moved = await mesh.fetch("shop/v1/items");
console.log(moved.status, moved.headers.get("location"));

const missing = await mesh.fetch("shop/nowhere");
console.log(missing.status, await missing.text());

const { before } = await mesh.route("shop/nowhere");
const last = before.at(-1);
console.log(`not ${last?.rule}, since ${last?.because.join(", ")} does not hold`);

await mesh.close();
old.server.close();
next.server.close();
