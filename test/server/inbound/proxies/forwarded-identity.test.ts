import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { identityOfClientCert, identityOfXfcc } from "../../../../src/server/inbound/proxies/forwarded-identity.ts";
import type { TrustOptions } from "../../../../src/server/inbound/trust-options.ts";
import { Authority, type Wanted } from "../../../support/authority.ts";
import { askRaw, guarded } from "../served.ts";

let authority: Authority;
beforeAll(async () => {
  authority = await Authority.create("proxies");
});

async function clientCert(wanted: Wanted): Promise<string> {
  const { certificate } = await authority.issue(wanted);
  return `:${new X509Certificate(certificate).raw.toString("base64")}:`;
}

/** The identity in the access log of a request that comes with these lines of headers. */
async function identityOf(trust: TrustOptions, ...lines: readonly string[]): Promise<unknown> {
  const written: string[] = [];
  const { port, guard } = await guarded({ trust, accessLog: { write: (text: string) => void written.push(text) } });
  await askRaw(port, `GET / HTTP/1.1\r\nhost: a\r\n${lines.map((line) => `${line}\r\n`).join("")}connection: close\r\n\r\n`);
  await guard.close();
  return (JSON.parse(written.join("")) as { identity?: string }).identity;
}

const xfcc = { peers: ["127.0.0.1"], identity: "x-forwarded-client-cert" } as const;
const rfc9440 = { peers: ["127.0.0.1"], identity: "client-cert" } as const;

describe("the caller behind a proxy", () => {
  test("is the one of the last element, from a trusted peer", async () => {
    expect(await identityOf(xfcc, "X-Forwarded-Client-Cert: URI=spiffe://td/admin,By=spiffe://td/p;URI=spiffe://td/web")).toBe(
      "spiffe://td/web",
    );
  });

  test("is not believed of another peer, of a header that is not the one of the options, or without the option", async () => {
    const line = "x-forwarded-client-cert: URI=spiffe://td/admin";
    expect(await identityOf({ ...xfcc, peers: ["10.0.0.0/8"] }, line)).toBeUndefined();
    expect(await identityOf({ peers: ["127.0.0.1"] }, line)).toBeUndefined();
    expect(await identityOf(rfc9440, line)).toBeUndefined();
    expect(await identityOf(xfcc, `client-cert: ${await clientCert({ uris: ["spiffe://td/admin"] })}`)).toBeUndefined();
  });

  test("is none where the header comes twice, in any spelling of its name", async () => {
    expect(
      await identityOf(xfcc, "x-forwarded-client-cert: URI=spiffe://td/web", "X-Forwarded-Client-CERT: URI=spiffe://td/admin"),
    ).toBeUndefined();
    expect(
      await identityOf(xfcc, "x-forwarded-client-cert: URI=spiffe://td/web", "x_forwarded_client_cert: URI=spiffe://td/admin"),
    ).toBeUndefined();
  });

  test("is the one of the certificate in a header of RFC 9440", async () => {
    const header = await clientCert({ uris: ["spiffe://td/web"] });
    expect(await identityOf(rfc9440, `Client-Cert: ${header}`)).toBe("spiffe://td/web");
    expect(identityOfClientCert(await clientCert({ dnsNames: ["web.test"] }))).toBe("web.test");
    expect(identityOfClientCert(await clientCert({ subject: "O=shop,CN=web" }))).toBe("O=shop,CN=web");
  });

  test("is none of a certificate that is no proper one, and of a spelling that is not canonical", async () => {
    expect(identityOfClientCert(await clientCert({ uris: ["spiffe://td/web", "spiffe://td/admin"] }))).toBeUndefined();
    expect(identityOfClientCert(await clientCert({ uris: ["spiffe://td/web/../admin"], dnsNames: ["admin"] }))).toBeUndefined();
    expect(identityOfClientCert(await clientCert({ uris: ["spiffe://td"] }))).toBeUndefined();
    const good = await clientCert({ uris: ["spiffe://td/web"] });
    for (const bad of [
      good.slice(1),
      good.slice(0, -1),
      good.replace("M", " M"),
      `${good}, ${good}`,
      `${good};a=1`,
      "::",
      ":AAAA:",
      `:${Buffer.from("-----BEGIN CERTIFICATE-----").toString("base64")}:`,
    ])
      expect(identityOfClientCert(bad), bad.slice(0, 40)).toBeUndefined();
    const { certificate } = await authority.issue({ uris: ["spiffe://td/web"] });
    // PEM in place of DER, and bytes behind the certificate.
    expect(identityOfClientCert(`:${Buffer.from(certificate).toString("base64")}:`)).toBeUndefined();
    expect(
      identityOfClientCert(`:${Buffer.concat([new X509Certificate(certificate).raw, Buffer.from("x")]).toString("base64")}:`),
    ).toBeUndefined();
  });

  test("is the only URI of the element, else its only DNS name; never a subject", () => {
    expect(identityOfXfcc("URI=spiffe://td/web;DNS=admin.test")).toBe("spiffe://td/web");
    expect(identityOfXfcc('Subject="CN=admin";URI=;DNS=Web.test')).toBe("web.test");
    for (const none of [
      "URI=spiffe://td/web;uri=spiffe://td/admin",
      'Subject="CN=admin"',
      "DNS=a;DNS=b",
      "DNS=*.test",
      "URI=spiffe://td/w%65b;DNS=web",
      "URI=SPIFFE://td/web;DNS=web",
      'URI="spiffe://td/web,spiffe://td/admin";DNS=web',
    ])
      expect(identityOfXfcc(none), none).toBeUndefined();
  });
});
