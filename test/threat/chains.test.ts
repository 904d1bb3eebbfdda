// The library of certificates needs its polyfill before it.
import "reflect-metadata";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { createServer } from "node:https";
import { BasicConstraintsExtension, ExtendedKeyUsageExtension, Extension, KeyUsageFlags, KeyUsagesExtension } from "@peculiar/x509";
import { beforeAll, describe, expect, it } from "vitest";
import { weakKeyOf } from "../../src/identity/key-strength.ts";
import { trustStore } from "../../src/identity/trust-store.ts";
import { verifyPeer } from "../../src/identity/verify-peer.ts";
import { askTls, credentialsOf, GivenIdentity, secured } from "../server/entrance/secured.ts";
import { Authority, type Issued } from "../support/authority.ts";
import { doorNames, doors } from "../support/doors.ts";
import { meshOf } from "../support/mesh.ts";
import { listening } from "../support/servers.ts";
import { honest } from "./odd-certificates.ts";

const mayIssue = [
  new BasicConstraintsExtension(true, undefined, true),
  new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
];

/** The constraint of names (RFC 5280 §4.2.1.10) that permits URIs and DNS names of this host alone. */
function namesOf(host: string): Extension {
  const der = (tag: number, ...parts: Buffer[]) => {
    const content = Buffer.concat(parts);
    return Buffer.concat([Buffer.from([tag, content.length]), content]);
  };
  const permitted = [0x86, 0x82].map((kind) => der(0x30, der(kind, Buffer.from(host))));
  return new Extension("2.5.29.30", true, new Uint8Array(der(0x30, der(0xa0, ...permitted))));
}

let td: Authority;
let far: Authority;
let own: Issued;

beforeAll(async () => {
  [td, far] = [await Authority.create("td"), await Authority.create("far")];
  own = await td.issue({ uris: ["spiffe://td/orders"] });
});

/** Both domains are trusted, each for its own ids; `td` for peers without one, too. */
function identity(): GivenIdentity {
  const bundles = new Map([
    ["td", [td.certificate]],
    ["far", [far.certificate]],
  ]);
  return new GivenIdentity(credentialsOf(own, { bundles, authorities: [td.certificate] }));
}

/** An instance that shows this certificate and key. */
async function instance({ chain, key }: Issued) {
  const seen: string[] = [];
  const server = createServer({ cert: chain, key }, (request, response) => {
    seen.push(request.url ?? "");
    response.end("served");
  });
  server.on("tlsClientError", () => {});
  server.on("upgrade", (request, socket) => {
    seen.push(request.url ?? "");
    socket.end("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n");
  });
  return { port: await listening(server), seen };
}

/** A leaf of `issuer` that shows these certificates above it. */
async function showing(issuer: Authority, above: readonly string[], uri = honest): Promise<Issued> {
  const leaf = await issuer.issue({ uris: [uri], dnsNames: ["svc.test"], addresses: ["127.0.0.1"] });
  return { ...leaf, chain: [leaf.certificate, ...above].join("\n") };
}

/** The outcome at a server, and at a mesh with each kind of expectation. */
async function outcomes(issued: Issued): Promise<Record<string, string>> {
  const { port, lines } = await secured({ identity: identity() });
  const asked = await askTls(port, { cert: issued.chain, key: issued.key, ca: td.certificate }).catch(() => lines.at(-1) ?? "refused");
  const found: Record<string, string> = { server: asked.replace(/^.*PEER_REFUSED: /, "") };
  const at = await instance(issued);
  for (const [name, peer] of [
    ["id", { id: honest }],
    ["name", { name: "svc.test" }],
  ] as const) {
    const mesh = meshOf({ svc: at.port }, { retry: false, identity: identity(), peer: { mode: "strict", ...peer } });
    found[name] = await mesh.fetch("svc/x").then(
      (response) => response.text(),
      (error: Error) => error.message.replace(/^.*of "svc": (?:\w+: )?/, ""),
    );
  }
  return found;
}

const shownBeside = "an authority above its certificate restricts what is below it, and it has shown a chain beside it";
const notTrusted = "no authority that is trusted for it has issued its certificate";

describe("T41: certificates above that of a peer", () => {
  it.each(doorNames)("are enough below an authority that is trusted: by %s, and at a server", async (door) => {
    const [mid, name] = [await Authority.create("mid", td), honest];
    const low = await Authority.create("low", mid);
    const issued = await low.issue({ uris: [name] });
    const { port, seen } = await instance(issued);
    await doors[door](meshOf({ svc: port }, { retry: false, identity: identity(), peer: { mode: "strict", id: honest } }));
    expect(seen).toHaveLength(1);
    const served = await secured({ identity: identity() });
    expect(await askTls(served.port, { cert: issued.chain, key: issued.key, ca: td.certificate })).toBe("ok 1.1");
  });

  it("are refused where there are more than eight: the one that matters may stand behind them", async () => {
    const mid = await Authority.create("mid", td);
    const padding = await Promise.all(Array.from({ length: 8 }, async (_, at) => (await Authority.create(`p${at}`)).certificate));
    const why = "it has shown more than 8 certificates above its own";
    expect(await outcomes(await showing(mid, [mid.certificate, ...padding]))).toEqual({ server: why, id: why, name: why });
  });

  it("hold the constraints of names, by whichever of two chains the handshake has gone", async () => {
    const confined = await Authority.create("confined", td, { extensions: [...mayIssue, namesOf("other.test")] });
    const free = await confined.crossSigned(far);
    const alone = await outcomes(await showing(confined, [confined.certificate]));
    expect(alone).toMatchObject({
      server: "permitted subtree violation",
      id: expect.stringMatching(/subtree/),
      name: expect.stringMatching(/subtree/),
    });
    // The authority of another domain vouches for the same key without the constraint: the handshake holds, and this domain does not know of it.
    expect(await outcomes(await showing(confined, [free]))).toMatchObject({ server: notTrusted });
    for (const above of [
      [free, confined.certificate],
      [confined.certificate, free],
    ]) {
      const found = await outcomes(await showing(confined, above));
      for (const each of Object.values(found)) expect(each).toMatch(new RegExp(`${shownBeside}|subtree|issuer`));
    }
    const both = await outcomes(await showing(confined, [free, confined.certificate]));
    expect(both["server"]).toBe(shownBeside);
  });

  it("may be restricted for the honest: constraints that permit the name, a purpose, and a renewed authority", async () => {
    const purposes = new ExtendedKeyUsageExtension(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    const wanted = { extensions: [...mayIssue, namesOf("td"), purposes] };
    const mid = await Authority.create("mid", td, wanted);
    const renewed = await mid.crossSigned(td, wanted);
    for (const above of [[mid.certificate], [renewed], [renewed, mid.certificate]]) {
      const leaf = await mid.issue({ uris: [honest] });
      const found = await outcomes({ ...leaf, chain: [leaf.certificate, ...above].join("\n") });
      expect(found).toMatchObject({ server: "ok 1.1", id: "served" });
    }
  });

  it("are not asked what they are where nothing is restricted: an authority that two others have signed", async () => {
    const mid = await Authority.create("mid", td);
    const other = await mid.crossSigned(far);
    for (const above of [
      [mid.certificate, other],
      [other, mid.certificate],
    ])
      expect(await outcomes(await showing(mid, above))).toMatchObject({ server: "ok 1.1" });
  });

  it("and that of the peer have strong keys", async () => {
    const rsa = generateKeyPairSync("rsa", { modulusLength: 1_024 }).publicKey;
    const weak = [
      [rsa, "RSA of 1024 bits, and 2048 are needed"],
      [generateKeyPairSync("rsa", { modulusLength: 2_048 }).publicKey, undefined],
      [generateKeyPairSync("ec", { namedCurve: "secp224r1" }).publicKey, "on the curve secp224r1"],
      [generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey, undefined],
      [generateKeyPairSync("ed25519").publicKey, undefined],
      [generateKeyPairSync("dsa", { modulusLength: 2_048, divisorLength: 256 }).publicKey, "of the kind dsa, which is not supported"],
    ] as const;
    for (const [publicKey, why] of weak) expect(weakKeyOf({ publicKey } as X509Certificate)).toBe(why);
    const keys = await crypto.subtle.generateKey(
      { name: "RSASSA-PKCS1-v1_5", modulusLength: 1_024, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" },
      true,
      ["sign", "verify"],
    );
    const issued = await td.issue({ uris: [honest] }, keys);
    const { port, seen } = await secured({ identity: identity() });
    // Some levels of security of OpenSSL refuse to show it already.
    await expect(askTls(port, { cert: issued.chain, key: issued.key, ca: td.certificate })).rejects.toBeInstanceOf(Error);
    expect(seen).toEqual([]);
    const trust = trustStore({ authorities: [], bundles: new Map([["td", [td.certificate]]]) });
    expect(() => verifyPeer(trust, new X509Certificate(issued.certificate), [], {}, Date.now())).toThrow(
      "the key of its certificate is RSA of 1024 bits, and 2048 are needed",
    );
  });
});
