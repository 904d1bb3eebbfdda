import { createServer } from "node:http";
import { createServer as createHttp2Server, createSecureServer } from "node:http2";
import { connect } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { beforeAll, describe, expect, test } from "vitest";
import type { Observer } from "../../../src/core/observing/observer.ts";
import type { MeshReading } from "../../../src/core/observing/reading.ts";
import { Authority, type Issued, type Wanted } from "../../support/authority.ts";
import { meshOf } from "../../support/mesh.ts";
import { askHttp2, askPlain, askTls, type ClientTls, credentialsOf, GivenIdentity, secured } from "./secured.ts";

const web = "spiffe://td/web";
let authority: Authority;
let other: Authority;
let own: Issued;

beforeAll(async () => {
  authority = await Authority.create("td");
  other = await Authority.create("other");
  own = await authority.issue({ uris: ["spiffe://td/orders"], addresses: ["127.0.0.1"] });
});

function identity(): GivenIdentity {
  return new GivenIdentity(
    credentialsOf(own, {
      bundles: new Map([
        ["td", [authority.certificate]],
        ["far", [other.certificate]],
      ]),
      authorities: [other.certificate],
    }),
  );
}

async function client(wanted: Wanted, by = authority): Promise<ClientTls> {
  const { chain, key } = await by.issue(wanted);
  return { cert: chain, key, ca: authority.certificate };
}

describe("a server with an identity", () => {
  test("takes callers of each trust domain whose certificate its own bundle vouches for, and names them", async () => {
    const { port, access, serving, seen } = await secured({ identity: identity() });
    expect(await askTls(port, await client({ uris: [web] }), { path: "/web" })).toBe("ok 1.1");
    expect(await askTls(port, await client({ uris: ["spiffe://far/app"] }, other), { path: "/far" })).toBe("ok 1.1");
    expect(await askTls(port, await client({ dnsNames: ["old.test"] }, other), { path: "/old" })).toBe("ok 1.1");
    expect(seen).toHaveLength(3);
    await serving.stop();
    expect(access.map(({ target, identity: caller }) => [target, caller])).toEqual([
      ["/web", web],
      ["/far", "spiffe://far/app"],
      ["/old", "old.test"],
    ]);
  });

  test("says of a client that speaks too old a version of TLS which option decides", async () => {
    const { port, lines } = await secured({ identity: identity() });
    const tls = { ...(await client({ uris: [web] })), maxVersion: "TLSv1.2" };
    await expect(askTls(port, tls as ClientTls)).rejects.toThrow();
    expect(lines.join("\n")).toContain("its client speaks no TLSv1.3 (callers.minVersion)");
  });

  test("refuses every other connection before a request of it is read", async () => {
    const { port, seen, lines } = await secured({ identity: identity() });
    const hour = 3_600_000;
    const past = { notBefore: new Date(Date.now() - 2 * hour), notAfter: new Date(Date.now() - hour) };
    // Each with the reason that the server gives, and no other.
    const attacks: readonly (readonly [attack: string, tls: ClientTls, why: string])[] = [
      ["no certificate", { ca: authority.certificate }, "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE"],
      [
        "an id of a trust domain by the authority of another",
        await client({ uris: [web] }, other),
        "ERR_TLS_PEER_REFUSED: no authority that is trusted for it has issued its certificate",
      ],
      [
        "an authority that is not trusted",
        await client({ uris: [web] }, await Authority.create("td")),
        "ERR_TLS_PEER_REFUSED: certificate signature failure",
      ],
      [
        "two ids",
        await client({ uris: [web, "spiffe://td/admin"] }),
        "ERR_TLS_PEER_REFUSED: the certificate has 2 URIs; one is allowed beside a SPIFFE id",
      ],
      [
        "another spelling",
        await client({ uris: ["spiffe://td/web/../admin"] }),
        'ERR_TLS_PEER_REFUSED: "spiffe://td/web/../admin" is no SPIFFE id',
      ],
      ["a certificate of the past", await client({ uris: [web], ...past }), "ERR_TLS_PEER_REFUSED: certificate has expired"],
      ["an old version of TLS", { ...(await client({ uris: [web] })), maxVersion: "TLSv1.2" }, "ERR_SSL_UNSUPPORTED_PROTOCOL"],
    ];
    for (const [attack, tls, why] of attacks) {
      const before = lines.length;
      await expect(askTls(port, tls, { method: "POST" }), attack).rejects.toMatchObject({ code: expect.any(String) });
      expect(
        lines.slice(before).map((line) => line.split(" has refused a connection: ")[1]),
        attack,
      ).toEqual([why]);
    }
    await expect(askPlain(port)).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(seen).toEqual([]);
    expect(lines.join("\n")).toMatch(/clear text/);
    expect(lines.join("\n")).not.toContain("PRIVATE");
    // The honest one still comes through.
    expect(await askTls(port, await client({ uris: [web] }))).toBe("ok 1.1");
  });

  test("speaks HTTP/2 and HTTP/1.1, each of them where its server does", async () => {
    const tls = await client({ uris: [web] });
    const both = await secured({ identity: identity() }, createSecureServer({ allowHTTP1: true }));
    expect(await askTls(both.port, tls)).toBe("ok 1.1");
    expect(await askHttp2(`https://127.0.0.1:${both.port}`, tls)).toBe("ok 2.0");
    const http2 = await secured({ identity: identity() }, createHttp2Server());
    expect(await askHttp2(`https://127.0.0.1:${http2.port}`, tls)).toBe("ok 2.0");
    await expect(askHttp2(`https://127.0.0.1:${http2.port}`)).rejects.toThrow();
    await expect(askHttp2(`http://127.0.0.1:${http2.port}`)).rejects.toThrow();
  });

  test("leaves the certificate of the caller to handlers", async () => {
    const found: unknown[] = [];
    const server = createServer(({ socket }) => {
      for (let time = 0; time < 2; time++) found.push((socket as TLSSocket).getPeerX509Certificate()?.subjectAltName);
    });
    const { port } = await secured({ identity: identity() }, server);
    await askTls(port, await client({ uris: [web] }));
    expect(found).toEqual([`URI:${web}`, `URI:${web}`]);
  });

  test("resumes no session", async () => {
    const { port } = await secured({ identity: identity() });
    const tls = await client({ uris: [web] });
    const isReused = (session?: Buffer): Promise<[boolean, Buffer | undefined]> =>
      new Promise((resolve, reject) => {
        let given: Buffer | undefined;
        let isResumed = false;
        const socket = connectTls({ port, host: "127.0.0.1", checkServerIdentity: () => undefined, session, ...tls }, () => {
          isResumed = socket.isSessionReused();
          socket.write("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        });
        socket.on("session", (ticket: Buffer) => {
          given = ticket;
        });
        socket
          .once("error", reject)
          .once("close", () => resolve([isResumed, given]))
          .resume();
      });
    const [, ticket] = await isReused();
    expect((await isReused(ticket))[0]).toBe(false);
  });

  test("takes no TLS connection and is not ready without an identity that is good", async () => {
    const source = identity();
    const { port, serving, lines, seen } = await secured({ identity: source });
    source.listener?.withdraw(new Error("the authority has none for this process"));
    expect(await serving.readiness()).toEqual({ ready: false, reason: "its identity was withdrawn" });
    await expect(askTls(port, await client({ uris: [web] }))).rejects.toThrow();
    expect(seen).toEqual([]);
    expect(lines.join("\n")).toMatch(/withdrawn/);
    source.update(credentialsOf(own, { bundles: new Map([["td", [authority.certificate]]]) }));
    expect((await serving.readiness()).ready).toBe(true);
    expect(await askTls(port, await client({ uris: [web] }))).toBe("ok 1.1");
  });
});

describe("a permissive server", () => {
  const permissive = { callers: { mode: "permissive" } } as const;

  test("takes clear text and TLS on one port, of HTTP/1.1 and HTTP/2", async () => {
    const tls = await client({ uris: [web] });
    const http1 = await secured({ identity: identity(), ...permissive });
    expect(await askPlain(http1.port)).toBe("ok 1.1");
    expect(await askTls(http1.port, tls)).toBe("ok 1.1");
    const http2 = await secured({ identity: identity(), ...permissive }, createHttp2Server());
    expect(await askHttp2(`http://127.0.0.1:${http2.port}`)).toBe("ok 2.0");
    expect(await askHttp2(`https://127.0.0.1:${http2.port}`, tls)).toBe("ok 2.0");
    const both = await secured({ identity: identity(), ...permissive }, createSecureServer({ allowHTTP1: true }));
    expect(await askPlain(both.port)).toBe("ok 1.1");
    expect(await askHttp2(`http://127.0.0.1:${both.port}`)).toBe("ok 2.0");
    expect(await askHttp2(`https://127.0.0.1:${both.port}`, tls)).toBe("ok 2.0");
    expect(await askTls(both.port, tls)).toBe("ok 1.1");
  });

  test("never continues a failed handshake in clear text", async () => {
    const { port, seen } = await secured({ identity: identity(), ...permissive });
    await expect(askTls(port, { ca: authority.certificate })).rejects.toThrow();
    const answer = await new Promise<string>((resolve) => {
      let text = "";
      const socket = connect(port, "127.0.0.1", () => socket.write(Buffer.from([0x16, 3, 1, 0, 4, 0xff, 0, 0, 0])));
      socket.on("data", (bytes: Buffer) => {
        text += bytes.toString("latin1");
        socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
      });
      socket.once("close", () => resolve(text)).once("error", () => {});
    });
    expect(answer).not.toContain("HTTP/1.1");
    expect(seen).toEqual([]);
  });

  test("reads requests that come byte by byte, and ends connections that never say what they are", async () => {
    const { port, seen } = await secured({ identity: identity(), callers: { mode: "permissive", handshakeMs: 200 } }, createServer());
    const slow = connect(port, "127.0.0.1");
    const answer = new Promise<string>((resolve) => slow.once("data", (bytes: Buffer) => resolve(bytes.toString("latin1"))));
    for (const char of "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n") {
      slow.write(char);
      await new Promise(setImmediate);
    }
    expect(await answer).toContain("200 OK");
    slow.destroy();
    const silent = connect(port, "127.0.0.1");
    const half = connect(port, "127.0.0.1", () => half.write("PR"));
    const stuck = connect(port, "127.0.0.1", () => stuck.write(Buffer.from([0x16])));
    await Promise.all(
      [silent, half, stuck].map(
        (socket) =>
          new Promise((resolve) =>
            socket
              .once("close", resolve)
              .once("error", () => {})
              .resume(),
          ),
      ),
    );
    expect(seen).toEqual(["PUT / HTTP/1.1"]);
  });

  test("stops at once, whatever waits at its entrance", async () => {
    const { port, serving } = await secured({ identity: identity(), ...permissive });
    const silent = connect(port, "127.0.0.1");
    const closed = new Promise((resolve) =>
      silent
        .once("close", resolve)
        .once("error", () => {})
        .resume(),
    );
    await new Promise((resolve) => silent.once("connect", resolve));
    const report = await serving.stop();
    expect(report.cutOff).toBe(0);
    await closed;
  });
});

describe("observers of a server with an identity", () => {
  /** The connections and requests that an observer hears of: `tls`, `none refused: clear-text`. */
  function heard() {
    const connections: string[] = [];
    const requests: string[] = [];
    const readings: MeshReading[] = [];
    const observer: Observer = {
      onOpen: (reading) => void readings.push(reading),
      onEvent: (event) => {
        if (event.type !== "server-connection") return;
        const { encryption, refusal, peerAddress, error } = event;
        expect(peerAddress).toBe("127.0.0.1");
        expect(error === undefined).toBe(refusal === undefined || refusal === "clear-text" || refusal === "timeout");
        connections.push(`${encryption}${refusal === undefined ? "" : ` refused: ${refusal}`}`);
      },
      onServe: ({ scheme, isClearTextBesideTls }) => {
        requests.push(`${scheme}${isClearTextBesideTls === true ? " beside TLS" : ""}`);
        return undefined;
      },
    };
    return { connections, requests, readings, mesh: meshOf({}, { observers: [observer] }) };
  }

  test("hear of each connection that is refused, with the reason, and of each that is taken", async () => {
    const { mesh, connections, requests } = heard();
    const source = identity();
    const { port, serving } = await secured({ identity: source, mesh, callers: { handshakeMs: 200 } });
    const hour = 3_600_000;
    const past = { notBefore: new Date(Date.now() - 2 * hour), notAfter: new Date(Date.now() - hour) };
    await expect(askPlain(port)).rejects.toThrow();
    await expect(askTls(port, await client({ uris: [web] }, other))).rejects.toThrow();
    await expect(askTls(port, { ...(await client({ uris: [web] })), maxVersion: "TLSv1.2" })).rejects.toThrow();
    await expect(askTls(port, await client({ uris: [web, "spiffe://td/admin"] }))).rejects.toThrow();
    await expect(askTls(port, await client({ uris: [web], ...past }))).rejects.toThrow();
    const silent = connect(port, "127.0.0.1");
    await new Promise((resolve) => silent.resume().once("close", resolve));
    // A probe of a load balancer: nothing was refused.
    const probe = connect(port, "127.0.0.1", () => probe.end());
    await new Promise((resolve) => probe.resume().once("close", resolve));
    expect(await askTls(port, await client({ uris: [web] }))).toBe("ok 1.1");
    source.listener?.withdraw(new Error("gone"));
    await expect(askTls(port, await client({ uris: [web] }))).rejects.toThrow();
    await serving.stop();
    expect(connections).toEqual([
      "none refused: clear-text",
      "tls refused: authority",
      "tls refused: handshake",
      "tls refused: certificate",
      "tls refused: authority",
      "undefined refused: timeout",
      "tls",
      "tls refused: identity",
    ]);
    expect(requests).toEqual(["https"]);
  });

  test("hear which requests came in clear text beside TLS, of HTTP/1.1 and HTTP/2, and of no such thing elsewhere", async () => {
    const { mesh, connections, requests } = heard();
    const callers = { mode: "permissive" } as const;
    const tls = await client({ uris: [web] });
    const http1 = await secured({ identity: identity(), mesh, callers });
    await askPlain(http1.port);
    await askTls(http1.port, tls);
    const http2 = await secured({ identity: identity(), mesh, callers }, createHttp2Server());
    await askHttp2(`http://127.0.0.1:${http2.port}`);
    await askHttp2(`https://127.0.0.1:${http2.port}`, tls);
    const plain = await secured({ mesh });
    await askPlain(plain.port);
    expect(connections).toEqual(["none", "tls", "none", "tls"]);
    expect(requests).toEqual(["http beside TLS", "https", "http beside TLS", "https", "http"]);
  });

  test("read its identity, and that a stop refuses nothing", async () => {
    const { mesh, connections, readings } = heard();
    const source = identity();
    const { port, serving } = await secured({ identity: source, mesh, callers: { mode: "permissive" } });
    const [shown] = readings[0]?.servers() ?? [];
    expect(shown).toMatchObject({
      callersMode: "permissive",
      identity: { source: "given", state: "ready", id: "spiffe://td/orders", failure: undefined },
    });
    expect(JSON.stringify(shown)).not.toContain("PRIVATE");
    const waiting = connect(port, "127.0.0.1");
    const half = connect(port, "127.0.0.1", () => half.write(Buffer.from([0x16])));
    const closed = [waiting, half].map(
      (socket) =>
        new Promise((resolve) =>
          socket
            .resume()
            .once("close", resolve)
            .once("error", () => {}),
        ),
    );
    await Promise.all([waiting, half].map((socket) => socket.connecting && new Promise((resolve) => socket.once("connect", resolve))));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await serving.stop();
    await Promise.all(closed);
    expect(connections).toEqual([]);
  });
});
