import { describe, expect, it } from "vitest";
import { sidecarPeer } from "../../../../src/registries/consul/connect/sidecar-peer.ts";

const trustDomain = "11111111-2222-3333-4444-555555555555.consul";
const place = { service: "orders", trustDomain, namespace: undefined, partition: undefined };
const node = { Datacenter: "dc2" };

describe("the certificate to expect of a sidecar", () => {
  it("is that of the service which was asked for, in any datacentre", () => {
    expect(sidecarPeer(place)({}, node)).toEqual({
      id: `spiffe://${trustDomain}/ns/default/dc/*/svc/orders`,
      serverName: `orders.default.dc2.internal.${trustDomain}`,
      negotiates: true,
    });
  });

  it("has the namespace and the partition that were asked for", () => {
    expect(sidecarPeer({ ...place, namespace: "shop", partition: "eu" })({}, node)).toEqual({
      id: `spiffe://${trustDomain}/ap/eu/ns/shop/dc/*/svc/orders`,
      serverName: `orders.shop.eu.dc2.internal-v1.${trustDomain}`,
      negotiates: true,
    });
    expect(sidecarPeer({ ...place, partition: "default" })({}, node).id).toBe(`spiffe://${trustDomain}/ns/default/dc/*/svc/orders`);
  });

  it("is not what an instance says that it is, but for the spelling of the name", () => {
    const other = {
      Service: "evil",
      Namespace: "evil",
      Partition: "evil",
      Proxy: { DestinationServiceName: "evil" },
      Meta: { id: "evil" },
    };
    expect(sidecarPeer(place)(other, node)).toEqual(sidecarPeer(place)({}, node));
    const spelt = { Service: "sidecar", Proxy: { DestinationServiceName: "Orders" } };
    expect(sidecarPeer(place)(spelt, node).id).toBe(`spiffe://${trustDomain}/ns/default/dc/*/svc/Orders`);
    expect(sidecarPeer(place)({ Service: "ORDERS" }, node).id).toBe(`spiffe://${trustDomain}/ns/default/dc/*/svc/ORDERS`);
  });

  it("asks for no name where the node has no datacentre", () => {
    expect(sidecarPeer(place)({}, {})).toEqual({ id: `spiffe://${trustDomain}/ns/default/dc/*/svc/orders`, negotiates: true });
  });
});
