import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { MeshReading } from "../../src/core/observing/reading.ts";
import { certificateEndOf } from "../../src/wire/tls.ts";
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

describe("certificateEndOf", () => {
  it("is the end of the client certificate, in milliseconds since the epoch", () => {
    expect(certificateEndOf({ cert: certificate.cert })).toBe(lateEndMs);
    expect(certificateEndOf({ cert: early })).toBe(earlyEndMs);
  });

  it("is that of the first of a chain to end, wherever in it that is, with whatever text between them", () => {
    expect(certificateEndOf({ cert: `${certificate.cert}\n${early}` })).toBe(earlyEndMs);
    expect(certificateEndOf({ cert: `subject=CN = short-test\n${early}\n\nissuer=x\r\n${certificate.cert}` })).toBe(earlyEndMs);
    expect(certificateEndOf({ cert: early.replaceAll("\n", "\r\n") })).toBe(earlyEndMs);
  });

  it("reads bytes as it reads a string", () => {
    expect(certificateEndOf({ cert: new TextEncoder().encode(`${certificate.cert}${early}`) })).toBe(earlyEndMs);
  });

  it("is not known without a client certificate, nor of DER, which is no PEM", () => {
    expect(certificateEndOf({ ca: certificate.cert })).toBeUndefined();
    expect(certificateEndOf({})).toBeUndefined();
    expect(certificateEndOf({ cert: new X509Certificate(early).raw })).toBeUndefined();
    expect(certificateEndOf({ cert: "" })).toBeUndefined();
  });

  it("is what the mesh tells its observers", () => {
    const readings: MeshReading[] = [];
    meshOf({ users: 9 }, { tls: certificate, observers: [{ onOpen: (mesh) => void readings.push(mesh) }] });
    expect(readings.map(({ certificateExpiresAtMs }) => certificateExpiresAtMs)).toEqual([lateEndMs]);
  });
});
