import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { serve } from "../../src/server/server.ts";
import { GivenIdentity } from "../server/entrance/secured.ts";
import { available } from "../servers/available.ts";
import { startSidecars } from "../servers/envoy-sidecars.ts";
import { Authority, type Issued, keyUsage, type Wanted } from "../support/odd-authority.ts";

const host = "127.0.0.1";
const web = "spiffe://example.org/web";
const hourMs = 3_600_000;

/** Client certificates, and what becomes of a request with each: at Envoy, whose rule names `web`, and here with the same rule. */
const odd: readonly (readonly [what: string, wanted: Wanted, atEnvoy: string, here: string])[] = [
  ["the right id", { uris: [web] }, "200", "200"],
  ["the right id, beside a DNS name", { uris: [web], dnsNames: ["web.test"] }, "200", "200"],
  ["another id", { uris: [`${web}-admin`] }, "403", "403"],
  ["another case", { uris: ["spiffe://example.org/Web"] }, "403", "403"],
  ["a slash at the end", { uris: [`${web}/`] }, "403", "refused"],
  ["a query", { uris: [`${web}?x`] }, "403", "refused"],
  ["the id as a DNS name and as the common name", { dnsNames: ["web"], commonName: web }, "403", "403"],
  [
    "an expired one",
    { uris: [web], notBefore: new Date(Date.now() - 2 * hourMs), notAfter: new Date(Date.now() - hourMs) },
    "refused",
    "refused",
  ],
  [
    "one of tomorrow",
    { uris: [web], notBefore: new Date(Date.now() + hourMs), notAfter: new Date(Date.now() + 2 * hourMs) },
    "refused",
    "refused",
  ],
  // Envoy looks at the first names that match, and at no rule of X509-SVID.
  ["two ids, the right one first", { uris: [web, "spiffe://example.org/admin"] }, "200", "refused"],
  ["two ids, the right one last", { uris: ["spiffe://example.org/admin", web] }, "200", "refused"],
  [
    "the right to sign others",
    { uris: [web], isAuthority: true, keyUsage: keyUsage.digitalSignature | keyUsage.keyCertSign },
    "200",
    "refused",
  ],
  ["a key that may sign lists of revoked ones", { uris: [web], keyUsage: keyUsage.digitalSignature | keyUsage.cRLSign }, "200", "refused"],
  ["a certificate for servers only", { uris: [web], extendedUsage: ["1.3.6.1.5.5.7.3.1"] }, "refused", "refused"],
];

describe.skipIf(!available("envoy"))("client certificates at a real Envoy and at a server of inmesh", () => {
  it("are judged alike, or more strictly here", async () => {
    const authority = await Authority.create();
    const stranger = await Authority.create();
    const issue = (wanted: Wanted, by = authority) => by.issue(wanted);
    const [own, envoyClient] = await Promise.all([issue({ uris: ["spiffe://example.org/orders"] }), issue({ uris: [web] })]);
    const plain = createServer((_request, response) => response.end("ok")).listen(0, host);
    await once(plain, "listening");
    onTestFinished(() => void plain.close());
    const sidecar = ({ cert, key }: Issued) => ({ certificate: cert, key, authority: authority.cert });
    await using pair = await startSidecars({
      client: sidecar(envoyClient),
      server: { ...sidecar(own), identity: "spiffe://example.org/orders" },
      rules: [{ id: "web", identity: web, method: "GET", pathPrefix: "/" }],
      endpoint: { host, port: (plain.address() as AddressInfo).port },
    });
    const server = createServer((_request, response) => response.end("ok")).listen(0, host);
    await once(server, "listening");
    const trust = { authorities: [authority.cert], bundles: new Map([["example.org", [authority.cert]]]) };
    const serving = serve(server, {
      identity: new GivenIdentity({ certificate: own.cert, key: own.key, trust }),
      inbound: {
        authorization: { policy: { rules: [{ id: "web", action: "allow", from: { identities: [web] }, to: { methods: ["GET"] } }] } },
      },
      lameDuckMs: 0,
      signals: [],
      log: false,
    });
    onTestFinished(async () => void (await serving.stop()));
    const ask = async (port: number, { cert, key }: Issued): Promise<string> => {
      const asked = request({ host, port, cert, key, ca: authority.cert, checkServerIdentity: () => undefined, agent: false });
      asked.end();
      try {
        const [response] = (await once(asked, "response")) as [IncomingMessage];
        await response.toArray();
        return String(response.statusCode);
      } catch {
        return "refused";
      }
    };
    const found: (readonly string[])[] = [];
    for (const [what, wanted] of odd) {
      const issued = await issue(wanted);
      found.push([what, await ask(pair.serverPort, issued), await ask((server.address() as AddressInfo).port, issued)]);
    }
    expect(found).toEqual(odd.map(([what, , atEnvoy, here]) => [what, atEnvoy, here]));
    const strange = await issue({ uris: [web] }, stranger);
    expect([await ask(pair.serverPort, strange), await ask((server.address() as AddressInfo).port, strange)]).toEqual([
      "refused",
      "refused",
    ]);
  }, 60_000);
});
