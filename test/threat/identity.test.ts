import { createServer } from "node:https";
import { beforeAll, describe, expect, it } from "vitest";
import { askTls, type ClientTls, credentialsOf, GivenIdentity, secured } from "../server/entrance/secured.ts";
import { Authority, type Issued } from "../support/authority.ts";
import { doorNames, doors } from "../support/doors.ts";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { listening } from "../support/servers.ts";
import { type Authorities, honest, oddCertificates } from "./odd-certificates.ts";

let authorities: Authorities;
let own: Issued;

beforeAll(async () => {
  const td = await Authority.create("td");
  authorities = {
    td,
    far: await Authority.create("far"),
    impostor: await Authority.create("td"),
    past: await Authority.create("td past", td, { notBefore: new Date(0), notAfter: new Date(86_400_000) }),
  };
  own = await td.issue({ uris: ["spiffe://td/orders"] });
});

/** Two trust domains, and no peer without an id. */
function identity(): GivenIdentity {
  const { td, far } = authorities;
  return new GivenIdentity(
    credentialsOf(own, {
      bundles: new Map([
        ["td", [td.certificate]],
        ["far", [far.certificate]],
      ]),
    }),
  );
}

const clientOf = ({ chain, key }: Issued): ClientTls => ({ cert: chain, key, ca: authorities.td.certificate });

/** An instance with a certificate, which asks for one and sees all requests that come through. */
async function instance({ chain, key }: Issued) {
  const seen: string[] = [];
  const server = createServer({ cert: chain, key, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.end("served");
  });
  server.on("tlsClientError", () => {});
  server.on("upgrade", (_request, socket) => {
    seen.push("upgrade");
    socket.end("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n");
  });
  return { port: await listening(server), seen };
}

describe.each(oddCertificates)("%s: a certificate with %s", (_row, _what, issue, why) => {
  it("is refused by a server before a request is read", async () => {
    const { port, lines, seen } = await secured({ identity: identity() });
    await expect(askTls(port, clientOf(await issue(authorities)), { method: "POST" })).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(lines.at(-1)).toMatch(/has refused a connection: ERR_TLS_PEER_REFUSED: /);
    expect(lines.at(-1)).toMatch(why);
    expect(seen).toEqual([]);
    expect(await askTls(port, clientOf(await authorities.td.issue({ uris: [honest] })))).toBe("ok 1.1");
  });

  it.each(doorNames)("is refused by a mesh before a request is sent, by %s", async (door) => {
    const { port, seen } = await instance(await issue(authorities));
    const mesh = meshOf({ svc: port }, { retry: false, identity: identity(), peer: { mode: "strict", id: honest } });
    const error = (await rejectionOf(doors[door](mesh))) as Error & { code?: string };
    expect(error.message).toMatch(why);
    // The agent's client sees the error of its connection.
    if (door !== "agent") expect(error).toMatchObject({ code: "ERR_MESH_TLS_PEER", maybeExecuted: false });
    expect(seen).toEqual([]);
  });
});
