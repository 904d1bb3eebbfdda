// A gateway in front of two versions of `orders`: users need a token, the version of the API is in the path, and one call in four of version 2 goes to its
// next release.
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMesh, staticDiscovery } from "inmesh";
import { gateway } from "inmesh/gateway";
import { jwt } from "inmesh/jwt";
import { serve } from "inmesh/server";
import { exportJWK, SignJWT } from "jose";

/** Starts an instance that answers with its name. */
async function startInstance(name: string): Promise<number> {
  const server = createServer((request, response) => response.end(`${name} ${request.url}`)).unref();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const at = async (name: string) => [{ host: "127.0.0.1", port: await startInstance(name) }];
const mesh = createMesh({
  discovery: staticDiscovery({ ordersV1: await at("v1"), ordersV2: await at("v2"), ordersNext: await at("v2 next") }),
  routes: [
    { name: "v1", match: { path: { prefix: "/v1/orders" } }, rewrite: { prefix: "/orders" }, to: "ordersV1" },
    {
      name: "v2",
      match: { path: { prefix: "/v2/orders" } },
      rewrite: { prefix: "/orders" },
      split: {
        targets: [
          { service: "ordersV2", weight: 3 },
          { service: "ordersNext", weight: 1 },
        ],
        // The calls of one user go to the same release.
        sticky: { header: "x-user" },
      },
    },
  ],
});

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const issuer = "https://issuer.example";
const keys = [{ ...(await exportJWK(publicKey)), kid: "1" }];
const tokens = [jwt({ issuer, audience: "orders", jwks: { keys: keys as never } })];

const server = await gateway(mesh, { rules: { v1: { tokens }, v2: { tokens, rateLimit: { perSecond: 100, burst: 100 } } } }).listen();
const serving = serve(server, { mesh, log: false, lameDuckMs: 0 });
await serving.started;

const token = await new SignJWT({})
  .setProtectedHeader({ alg: "ES256", kid: "1" })
  .setIssuer(issuer)
  .setAudience("orders")
  .setSubject("ada")
  .setExpirationTime("5m")
  .sign(privateKey);
const call = async (path: string, headers: Record<string, string> = { authorization: `Bearer ${token}` }): Promise<string> => {
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, { headers });
  return `${response.status} ${(await response.text()).trim()}`;
};

console.log(await call("/v1/orders/7", {}));
console.log(await call("/v1/orders/7"));
console.log(await call("/v3/orders/7"));
const releases = new Map<string, number>();
for (let user = 0; user < 80; user++) {
  const answer = await call("/v2/orders/7", { authorization: `Bearer ${token}`, "x-user": `user-${user}` });
  releases.set(answer, (releases.get(answer) ?? 0) + 1);
}
console.log([...releases.keys()].sort().join(", "));
console.log(`the next release got about a quarter: ${Math.abs((releases.get("200 v2 next /orders/7") ?? 0) - 20) < 14}`);
await serving.stop();
