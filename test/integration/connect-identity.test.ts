import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer, get } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Credentials } from "../../src/identity/credentials.ts";
import { consul } from "../../src/registries/consul.ts";
import { available } from "../servers/available.ts";
import { type ConsulServer, startConsul } from "../servers/consul.ts";
import { until } from "../support/until.ts";

describe.skipIf(!available("consul"))("an identity from a real Consul", () => {
  let server: ConsulServer;
  beforeAll(async () => {
    server = await startConsul({ acl: true, config: { connect: { enabled: true, test_ca_leaf_root_change_spread: "1s" } } });
  });
  afterAll(() => server.stop());

  const watchOf = (token: string | undefined, waitMs = 60_000) => {
    const updates: Credentials[] = [];
    const failures: string[] = [];
    const registry = consul({ url: server.url, waitMs, ...(token === undefined ? {} : { token }) });
    const watch = registry.identity("web").watch({
      update: (credentials) => void updates.push(credentials),
      withdraw: (reason) => void failures.push(`withdrawn: ${reason.message}`),
      fail: (error) => void failures.push(error.message),
    });
    return { updates, failures, [Symbol.dispose]: () => watch.close() };
  };

  it("without service:write is a failure that says so", async () => {
    using watched = watchOf(undefined);
    await until("the refusal", () => watched.failures.some((each) => each.includes('service:write for "web"')));
    expect(watched.updates).toEqual([]);
  });

  it("verifies others before, during and after the authority is replaced, with no failed connection, and after a restart of the agent", async () => {
    using watched = watchOf(server.token);
    await until("the first credentials", () => watched.updates.length > 0);
    const options = () => {
      const { certificate: cert, key, trust } = watched.updates.at(-1) as Credentials;
      return { cert, key, ca: [...trust.bundles.values()].flat() };
    };
    const first = watched.updates[0] as Credentials;
    const [trustDomain = ""] = first.trust.bundles.keys();
    expect(new X509Certificate(first.certificate).subjectAltName).toBe(`URI:spiffe://${trustDomain}/ns/default/dc/dc1/svc/web`);

    const peer = createServer({ ...options(), requestCert: true, rejectUnauthorized: true, minVersion: "TLSv1.3" }, (request, response) => {
      response.end((request.socket as TLSSocket).getPeerX509Certificate()?.subjectAltName);
    });
    peer.listen(0, "127.0.0.1");
    await once(peer, "listening");
    const { port } = peer.address() as AddressInfo;
    const call = async (): Promise<string> => {
      const request = get({ port, host: "127.0.0.1", agent: false, ...options(), checkServerIdentity: () => undefined });
      const [response] = await once(request, "response");
      return (await response.toArray()).join("");
    };
    try {
      expect(await call()).toContain("/svc/web");
      await server.put("/v1/connect/ca/configuration", { Provider: "consul", Config: { PrivateKeyType: "ec", PrivateKeyBits: 384 } });
      let calls = 0;
      await until(
        "a certificate of the new authority",
        async () => {
          peer.setSecureContext({ ...options(), minVersion: "TLSv1.3" });
          expect(await call()).toContain("/svc/web");
          calls++;
          const { certificate, trust } = watched.updates.at(-1) as Credentials;
          return trust.bundles.get(trustDomain)?.length === 2 && certificate !== first.certificate;
        },
        40_000,
      );
      expect(calls).toBeGreaterThan(1);
      expect(watched.failures).toEqual([]);
      // A restart of a development agent makes another mesh, with another authority.
      await server.restart();
      await until("the credentials of the other mesh", () => watched.updates.some(({ trust }) => !trust.bundles.has(trustDomain)), 40_000);
      expect(watched.failures.join()).not.toContain("withdrawn");
    } finally {
      peer.close();
      peer.closeAllConnections();
    }
  }, 90_000);
});
