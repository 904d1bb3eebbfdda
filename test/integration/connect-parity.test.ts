import { once } from "node:events";
import { createServer as createPlainServer, type IncomingMessage } from "node:http";
import { Agent, createServer, request as send } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import type { Caller, VerifiedToken } from "../../src/core/caller.ts";
import { consul } from "../../src/registries/consul.ts";
import { available } from "../servers/available.ts";
import { type ConsulServer, startConsul } from "../servers/consul.ts";
import { startConsulSidecar } from "../servers/consul-sidecar.ts";
import { until } from "../support/until.ts";
import { generated, handMade, type IntentionCase, type IntentionSetCase, trickyPaths } from "./intention-cases.ts";

const issuer = "https://issuer.test";
const host = "127.0.0.1";
interface Leaf {
  readonly CertPEM: string;
  readonly PrivateKeyPEM: string;
}

async function tokensOf() {
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  const sign = (claims: Record<string, unknown>, from = issuer, expires: string | number = "1h"): Promise<string> =>
    new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "k" }).setIssuer(from).setExpirationTime(expires).sign(privateKey);
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "k", alg: "RS256" }] });
  const tokens = {
    admin: await sign({ role: "admin" }),
    user: await sign({ role: "user" }),
    expired: await sign({ role: "admin" }, issuer, 1_000),
    "other-issuer": await sign({ role: "admin" }, "https://other.test"),
    nested: await sign({ realm: { role: "admin" } }),
  };
  const verify = async (header: string | undefined): Promise<readonly VerifiedToken[]> => {
    try {
      const { payload } = await jwtVerify((header ?? "").replace(/^Bearer /, ""), publicKey, { issuer, algorithms: ["RS256"] });
      return [{ provider: "test-provider", issuer, subject: payload.sub, claims: payload }];
    } catch {
      return [];
    }
  };
  return { jwks, tokens, verify };
}

const stepOf = (set: IntentionSetCase, { source, method = "GET", path = "/", headers, token }: IntentionCase, byDefault: string): string =>
  `default ${byDefault}, ${set.name}: ${source} ${method} ${path} ${JSON.stringify(headers ?? {})} ${token ?? "no token"}`;

describe.skipIf(!available("consul") || !available("envoy"))("intentions at a real sidecar and at a server of inmesh", () => {
  it.each(["deny", "allow"] as const)(
    "are decided alike where the default is %s, but for paths that inmesh refuses",
    async (byDefault) => {
      const sets = [...handMade, ...generated(10, byDefault === "deny" ? 7 : 11)];
      await using server = await startConsul({ grpc: true, config: { connect: { enabled: true }, default_intention_policy: byDefault } });
      const { jwks, tokens, verify } = await tokensOf();
      await server.put("/v1/config", { Kind: "service-defaults", Name: "orders", Protocol: "http" });
      const JSONWebKeySet = { Local: { JWKS: Buffer.from(jwks).toString("base64") } };
      await server.put("/v1/config", { Kind: "jwt-provider", Name: "test-provider", Issuer: issuer, JSONWebKeySet });
      const plain = createPlainServer((_request, response) => response.end("from behind the sidecar")).listen(0, host);
      await once(plain, "listening");
      await using sidecar = await startConsulSidecar(server, { service: "orders", servicePort: (plain.address() as AddressInfo).port });
      const credentials = await credentialsOf(server);

      const registry = consul({ url: server.url, minIntervalMs: 0 });
      const failures: string[] = [];
      const onError = (error: Error): void => void failures.push(error.message);
      using strict = registry.intentions("orders", { onError });
      using asEnvoy = registry.intentions("orders", { pathPolicy: "as-envoy", onError });
      await Promise.all([strict.ready, asEnvoy.ready]);
      const own = createServer({ ...credentials("orders"), requestCert: true, rejectUnauthorized: true }, async (request, response) => {
        const caller = await callerOf(request, verify);
        response.setHeader("x-strict", strict.judge(request, caller).status);
        response.writeHead(asEnvoy.judge(request, caller).status).end();
      }).listen(0, host);
      await once(own, "listening");
      const ownPort = (own.address() as AddressInfo).port;

      let cases = 0;
      let tricks = 0;
    let allowed = 0;
      const differences: string[] = [];
      try {
        for (const [index, set] of sets.entries()) {
          const marker = `marker-${byDefault}-${index}`;
          await write(server, set, { Name: marker, Action: byDefault === "deny" ? "allow" : "deny" });
          await until(`${set.name} is in force at the sidecar`, () => hasMarker(sidecar.adminUrl, marker), 20_000);
          const known = (): boolean =>
            [strict, asEnvoy].every((each) =>
              each.judge({ rawHeaders: [] }, markerCaller(credentials.trustDomain, marker)).ruleId?.startsWith(marker),
            );
          await until(`${set.name} is in force here`, known, 20_000);
          const agents = new Map<string, Agent>();
          const agentOf = (source: string): Agent => {
            const agent =
              agents.get(source) ?? new Agent({ ...credentials(source), keepAlive: true, checkServerIdentity: () => undefined });
            agents.set(source, agent);
            return agent;
          };
          for (const each of set.requests) {
            const bearer = each.token === undefined ? undefined : tokens[each.token];
            const atSidecar = await statusOf(sidecar.port, agentOf(each.source), each, bearer);
            const here = await statusOf(ownPort, agentOf(each.source), each, bearer);
            const isTricky = (trickyPaths as readonly string[]).includes(each.path ?? "/");
            cases++;
            if (isTricky) tricks++;
          if (atSidecar.status === 200) allowed++;
            const isStricter = byDefault === "deny" && set.deniedByPrecedence === each.source;
          if (isStricter) expect(atSidecar.status).toBe(200);
          const expected = isStricter ? 403 : atSidecar.status;
          if (here.status !== expected || here.strict !== String(isTricky ? 400 : expected))
            differences.push(
                `${stepOf(set, each, byDefault)}: sidecar ${atSidecar.status}, inmesh ${here.status}, strict ${here.strict}`,
              );
          }
          for (const agent of agents.values()) agent.destroy();
        }
      } finally {
        for (const each of [own, plain]) {
          each.closeAllConnections();
          each.close();
        }
      }
      console.log(`default ${byDefault}: ${cases} cases in ${sets.length} sets, ${allowed} let pass by the sidecar, ${tricks} of them with paths that inmesh refuses`);
      expect(failures).toEqual([]);
      expect(differences).toEqual([]);
      expect(cases).toBeGreaterThan(120);
    expect(Math.min(allowed, cases - allowed)).toBeGreaterThan(50);
    },
    180_000,
  );
});

async function credentialsOf(server: ConsulServer) {
  const roots = (await server.get("/v1/agent/connect/ca/roots")) as { TrustDomain: string; Roots: { RootCert: string }[] };
  const ca = roots.Roots.map(({ RootCert }) => RootCert);
  const leaves = new Map<string, Leaf>();
  for (const name of ["web", "batch", "other", "orders"]) leaves.set(name, (await server.get(`/v1/agent/connect/ca/leaf/${name}`)) as Leaf);
  const of = (name: string) => {
    const { CertPEM, PrivateKeyPEM } = leaves.get(name) as Leaf;
    return { cert: CertPEM, key: PrivateKeyPEM, ca };
  };
  return Object.assign(of, { trustDomain: roots.TrustDomain });
}

async function write(server: ConsulServer, set: IntentionSetCase, marker: object): Promise<void> {
  const remove = await fetch(`${server.url}/v1/config/service-intentions/*`, { method: "DELETE" });
  await remove.text();
  const entry = { Kind: "service-intentions", ...(set.jwt === undefined ? {} : { JWT: set.jwt }) };
  if (set.anySources !== undefined) await server.put("/v1/config", { Kind: "service-intentions", Name: "*", Sources: set.anySources });
  await server.put("/v1/config", { ...entry, Name: "orders", Sources: [...set.sources, marker] });
}

/** Whether the listener that is in force, not one that is being prepared, has been made of the newest intentions. */
async function hasMarker(adminUrl: string, marker: string): Promise<boolean> {
  const response = await fetch(`${adminUrl}/config_dump?resource=dynamic_listeners`);
  const { configs = [] } = (await response.json()) as { configs?: { active_state?: unknown }[] };
  return configs.some(({ active_state }) => JSON.stringify(active_state ?? {}).includes(`${marker}$`));
}

function markerCaller(trustDomain: string, marker: string): Caller {
  return { identity: `spiffe://${trustDomain}/ns/default/dc/dc1/svc/${marker}`, address: undefined, tokens: [] };
}

async function callerOf(
  request: IncomingMessage,
  verify: (header: string | undefined) => Promise<readonly VerifiedToken[]>,
): Promise<Caller> {
  const socket = request.socket as TLSSocket;
  const identity = socket.getPeerX509Certificate()?.subjectAltName?.replace(/^URI:/, "");
  return { identity, address: socket.remoteAddress, tokens: await verify(request.headers.authorization) };
}

async function statusOf(
  port: number,
  agent: Agent,
  { method = "GET", path = "/", headers = {} }: IntentionCase,
  bearer: string | undefined,
): Promise<{ readonly status: number | undefined; readonly strict: unknown }> {
  const request = send({ host, port, agent, method, path });
  for (const [name, value] of Object.entries(headers)) request.setHeader(name, typeof value === "string" ? value : [...value]);
  if (bearer !== undefined) request.setHeader("authorization", `Bearer ${bearer}`);
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  await response.toArray();
  return { status: response.statusCode, strict: response.headers["x-strict"] };
}
