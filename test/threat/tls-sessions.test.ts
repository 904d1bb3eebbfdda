import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { beforeAll, describe, expect, it } from "vitest";
import { credentialsOf, GivenIdentity, secured } from "../server/entrance/secured.ts";
import { Authority, type Issued } from "../support/authority.ts";

let td: Authority;
let own: Issued;
let web: Issued;

beforeAll(async () => {
  td = await Authority.create("td");
  [own, web] = [await td.issue({ uris: ["spiffe://td/orders"] }), await td.issue({ uris: ["spiffe://td/web"] })];
});

const serverOf = (callers: object = {}) =>
  secured({ identity: new GivenIdentity(credentialsOf(own, { bundles: new Map([["td", [td.certificate]]]) })), callers });

interface Session {
  readonly protocol: string | null;
  readonly cipher: string;
  readonly isResumed: boolean;
  readonly ticket: Buffer | undefined;
}

/** One connection with a request; the code of the error where there is none. */
function attempt(port: number, options: ConnectionOptions, meanwhile: (socket: TLSSocket) => void = () => {}): Promise<Session | string> {
  return new Promise((resolve) => {
    let ticket: Buffer | undefined;
    let seen: Omit<Session, "ticket"> | undefined;
    const tls = { cert: web.chain, key: web.key, ca: td.certificate, checkServerIdentity: () => undefined };
    const socket = connect({ port, host: "127.0.0.1", ...tls, ...options }, () => {
      seen = { protocol: socket.getProtocol(), cipher: socket.getCipher().standardName, isResumed: socket.isSessionReused() };
      meanwhile(socket);
      socket.write("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    });
    let answer = "";
    socket.on("session", (given) => (ticket = given)).on("data", (bytes) => (answer += bytes.toString("latin1")));
    socket.once("error", (error) => resolve((error as { code?: string }).code ?? error.message));
    socket.once("close", () => resolve(seen !== undefined && answer.includes(" 200 ") ? { ...seen, ticket } : "closed"));
  });
}

const weak = { ciphers: "ALL:@SECLEVEL=0" };

describe("T43: the TLS of a server", () => {
  it.each(["TLSv1", "TLSv1.1", "TLSv1.2"] as const)("is not %s, unless the options say 1.2", async (version) => {
    const old = { minVersion: version, maxVersion: version, ...weak };
    const { port, seen } = await serverOf();
    expect(await attempt(port, old)).toEqual(expect.any(String));
    expect(seen).toEqual([]);
    expect(await attempt(port, {})).toMatchObject({ protocol: "TLSv1.3" });
    const older = await serverOf({ minVersion: "TLSv1.2" });
    const outcome = await attempt(older.port, old);
    if (version === "TLSv1.2") expect(outcome).toMatchObject({ protocol: "TLSv1.2" });
    else expect(outcome).toEqual(expect.any(String));
  });

  it("has ciphers with forward secrecy and authentication alone, whatever a client offers", async () => {
    const { port } = await serverOf({ minVersion: "TLSv1.2" });
    const legacy = ["AES128-SHA", "AES256-SHA256", "AES128-GCM-SHA256", "NULL-SHA256", "ADH-AES256-GCM-SHA384", "RC4-MD5", "DES-CBC3-SHA"];
    for (const name of legacy) {
      const outcome = await attempt(port, { maxVersion: "TLSv1.2", ciphers: `${name}:@SECLEVEL=0` }).catch(
        (error: { code?: string }) => error.code,
      );
      expect(outcome, name).not.toMatchObject({ protocol: "TLSv1.2" });
    }
    expect(await attempt(port, { maxVersion: "TLSv1.2" })).toMatchObject({
      cipher: expect.stringMatching(/^TLS_ECDHE_ECDSA_WITH_(?:AES|CHACHA20)/),
    });
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)("resumes no session of %s, and takes no renegotiation", async (version) => {
    const { port } = await serverOf({ minVersion: "TLSv1.2" });
    const options = { minVersion: version, maxVersion: version };
    const first = (await attempt(port, options)) as Session;
    expect(first).toMatchObject({ protocol: version, isResumed: false });
    const again = await attempt(port, { ...options, session: first.ticket });
    expect(again).toMatchObject({ protocol: version, isResumed: false });
    if (version === "TLSv1.3") return;
    let renegotiated: Error | null | undefined;
    await attempt(port, options, (socket) => {
      socket.renegotiate({}, (error) => {
        renegotiated = error;
      });
    });
    // Refused, or not answered before the end.
    expect(renegotiated).not.toBeNull();
  });
});
