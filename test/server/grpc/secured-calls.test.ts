import * as grpc from "@grpc/grpc-js";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { callerOf, serve } from "../../../src/server/server.ts";
import { Authority } from "../../support/authority.ts";
import { boundServer, get, type OrdersHandlers, ordersClient } from "../../support/shop-service.ts";
import { credentialsOf, GivenIdentity } from "../entrance/secured.ts";

const client = "spiffe://shop.test/cart";
let authority: Authority;
let other: Authority;
beforeAll(async () => {
  authority = await Authority.create("shop");
  other = await Authority.create("other");
});

function tellingCaller(callers: unknown[]): OrdersHandlers {
  return {
    Get: (_call, done) => {
      callers.push(callerOf()?.identity);
      done(null, {});
    },
  };
}

async function clientCredentials(by = authority): Promise<grpc.ChannelCredentials> {
  const { chain, key } = await by.issue({ uris: [client] });
  return grpc.credentials.createSsl(Buffer.from(authority.certificate), Buffer.from(key), Buffer.from(chain), {
    checkServerIdentity: () => undefined,
  });
}

test("a server with an identity knows the SPIFFE id of its callers, and takes none of another authority or in clear text", async () => {
  const callers: unknown[] = [];
  const { server, port } = await boundServer(tellingCaller(callers));
  const issued = await authority.issue({ uris: ["spiffe://shop.test/orders"] });
  const identity = new GivenIdentity(credentialsOf(issued, { bundles: new Map([["shop.test", [authority.certificate]]]) }));
  const policy = { rules: [{ id: "cart", action: "allow", from: { identities: [client] } }] } as const;
  const serving = serve(server, { signals: [], log: false, lameDuckMs: 0, identity, inbound: { authorization: { policy } } });
  onTestFinished(async () => void (await serving.stop()));
  await serving.started;
  expect((await get(ordersClient(port, await clientCredentials()))).error).toBeUndefined();
  expect(callers).toEqual([client]);
  for (const credentials of [await clientCredentials(other), grpc.credentials.createInsecure()])
    expect((await get(ordersClient(port, credentials), { deadline: Date.now() + 3_000 })).error?.code).toBe(grpc.status.UNAVAILABLE);
  expect(callers).toHaveLength(1);
});

test("a server with certificates of grpc-js knows its callers, too", async () => {
  const callers: unknown[] = [];
  const { chain, key } = await authority.issue({ dnsNames: ["localhost"] });
  const credentials = grpc.ServerCredentials.createSsl(
    Buffer.from(authority.certificate),
    [{ cert_chain: Buffer.from(chain), private_key: Buffer.from(key) }],
    true,
  );
  const { server, port } = await boundServer(tellingCaller(callers), {}, credentials);
  const serving = serve(server, { signals: [], log: false, lameDuckMs: 0, inbound: {} });
  onTestFinished(async () => void (await serving.stop()));
  await serving.started;
  expect((await get(ordersClient(port, await clientCredentials()))).error).toBeUndefined();
  expect(callers).toEqual([client]);
});
