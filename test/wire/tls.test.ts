import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { MeshReading } from "../../src/core/observing/reading.ts";
import { fixedCertificateOf } from "../../src/wire/tls.ts";
import { Authority } from "../support/authority.ts";
import { certificate } from "../support/certificate.ts";
import { meshOf } from "../support/mesh.ts";

/** Self-signed, made for this test; it ends earlier than the other. */
const early = `-----BEGIN CERTIFICATE-----
MIIBgDCCASWgAwIBAgIUNsOQLEEke26HcSFaqciDzDuEtj0wCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKc2hvcnQudGVzdDAeFw0yNjExMjIyMjMyMjdaFw0zNjExMTky
MjMyMjdaMBUxEzARBgNVBAMMCnNob3J0LnRlc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARe+rpApINRnXjSCJ/sLYC8qJz4NUBv/FkXbr3eJcnTNmr1ZHO//fdD
UpFrgaU3uZxoYbLKNGQygYCHWw4DR86Jo1MwUTAdBgNVHQ4EFgQUirvexofIeJlU
OFYy5VduMwrGTrowHwYDVR0jBBgwFoAUirvexofIeJlUOFYy5VduMwrGTrowDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEAr3TI7QXYUj4/MvQkoMqD
0yIGkLAoA7B9yO6EAxh1rrgCIQDl3r1865iyhWyu9ySnh0W5UbH7OH+dY0+6gC9L
OVOjMQ==
-----END CERTIFICATE-----`;
const earlyEndMs = Date.parse("2036-11-19T22:32:27.000Z");
const lateEndMs = Date.parse("2126-10-29T16:33:52.000Z");

describe("fixedCertificateOf", () => {
  it("is the end of the client certificate, in milliseconds since the epoch", () => {
    expect(fixedCertificateOf({ cert: certificate.cert })?.expiresAtMs).toBe(lateEndMs);
    expect(fixedCertificateOf({ cert: early })?.expiresAtMs).toBe(earlyEndMs);
  });

  it("is that of the first of a chain to end, wherever in it that is, with whatever text between them", () => {
    expect(fixedCertificateOf({ cert: `${certificate.cert}\n${early}` })?.expiresAtMs).toBe(earlyEndMs);
    expect(fixedCertificateOf({ cert: `subject=CN = short-test\n${early}\n\nissuer=x\r\n${certificate.cert}` })?.expiresAtMs).toBe(
      earlyEndMs,
    );
    expect(fixedCertificateOf({ cert: early.replaceAll("\n", "\r\n") })?.expiresAtMs).toBe(earlyEndMs);
  });

  it("reads bytes as it reads a string", () => {
    expect(fixedCertificateOf({ cert: new TextEncoder().encode(`${certificate.cert}${early}`) })?.expiresAtMs).toBe(earlyEndMs);
  });

  it("is not known without a client certificate, nor of DER, which is no PEM", () => {
    expect(fixedCertificateOf({ ca: certificate.cert })).toBeUndefined();
    expect(fixedCertificateOf({})).toBeUndefined();
    expect(fixedCertificateOf({ cert: new X509Certificate(early).raw })).toBeUndefined();
    expect(fixedCertificateOf({ cert: "" })).toBeUndefined();
  });

  it("has the id and the lifetime, and no id where there is none", async () => {
    const authority = await Authority.create("td");
    const { chain } = await authority.issue({ uris: ["spiffe://td/web"] });
    const found = new X509Certificate(chain);
    const lifetimeMs = Date.parse(found.validTo) - Date.parse(found.validFrom);
    expect(fixedCertificateOf({ cert: chain })).toMatchObject({ id: "spiffe://td/web", lifetimeMs });
    expect(fixedCertificateOf({ cert: early })?.id).toBeUndefined();
  });

  it("is what the mesh tells its observers", () => {
    const readings: MeshReading[] = [];
    meshOf({ users: 9 }, { tls: certificate, observers: [{ onOpen: (mesh) => void readings.push(mesh) }] });
    expect(readings.map(({ certificateExpiresAtMs }) => certificateExpiresAtMs)).toEqual([lateEndMs]);
    expect(readings[0]?.identity?.()).toMatchObject({ source: "tls", state: "ready", id: undefined, expiresAtMs: lateEndMs });
  });
});
