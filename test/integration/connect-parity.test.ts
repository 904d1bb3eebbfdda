import { once } from "node:events";
import { createServer as createPlainServer, type IncomingMessage } from "node:http";
import { Agent, createServer, request as send } from "node:https";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import type { DecidingPolicy, PolicySource } from "../../src/authorization/sources/policy-source.ts";
import type { Caller, VerifiedToken } from "../../src/core/peers/caller.ts";
import { consul } from "../../src/registries/consul.ts";
import { inbound } from "../../src/server/inbound/middleware.ts";
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
    list: await sign({ role: ["admin", "user"] }),
    number: await sign({ role: 1 }),
    nested: await sign({ realm: { role: "admin" } }),
  };
  const verified = new Map<string, readonly VerifiedToken[]>();
  for (const token of Object.values(tokens)) {
    const found = await jwtVerify(token, publicKey, { issuer, algorithms: ["RS256"] }).catch(() => undefined);
    if (found === undefined) continue;
    const { payload: claims } = found;
    verified.set(`Bearer ${token}`, [{ provider: "test-provider", issuer, subject: claims.sub, claims }]);
  }
  return { jwks, tokens, verified };
}

const stepOf = (set: IntentionSetCase, { source, method = "GET", path = "/", headers, token }: IntentionCase, byDefault: string): string =>
  `default ${byDefault}, ${set.name}: ${source} ${method} ${path} ${JSON.stringify(headers ?? {})} ${token ?? "no token"}`;

describe.skipIf(!available("consul") || !available("envoy"))("intentions at a real sidecar and at a server of inmesh", () => {
  it.each(["deny", "allow"] as const)(
    "are decided alike where the default is %s, but for paths that inmesh refuses",
    async (byDefault) => {
      const sets = [...handMade, ...generated(10, byDefault === "deny" ? 7 : 11)];
      await using server = await startConsul({ grpc: true, config: { connect: { enabled: true }, default_intention_policy: byDefault } });
      const { jwks, tokens, verified } = await tokensOf();
      await server.put("/v1/config", { Kind: "service-defaults", Name: "orders", Protocol: "http" });
      const JSONWebKeySet = { Local: { JWKS: Buffer.from(jwks).toString("base64") } };
      await server.put("/v1/config", { Kind: "jwt-provider", Name: "test-provider", Issuer: issuer, JSONWebKeySet });
      const plain = createPlainServer((_request, response) => response.end("from behind the sidecar")).listen(0, host);
      await once(plain, "listening");
      await using sidecar = await startConsulSidecar(server, { service: "orders", servicePort: (plain.address() as AddressInfo).port });
      const credentials = await credentialsOf(server);

      const failures: string[] = [];
      const known = { strict: "", "as-envoy": "" };
      const caller = (name: string): Caller => callerNamed(credentials.trustDomain, name);
      let marker = "";
      const serve = async (pathPolicy: "strict" | "as-envoy") => {
        const intentions = consul({ url: server.url, minIntervalMs: 0 }).intentions("orders");
        const source: PolicySource = {
          name: intentions.name,
          watch: (listener) =>
            intentions.watch({
              fail: (error) => void failures.push(error.message),
              update(policy) {
                listener.update(withTokens(policy as DecidingPolicy, (header) => verified.get(header)));
                const decision = (policy as DecidingPolicy).decide({ method: "GET", path: "/", headerValues: () => [] }, caller(marker), 0);
                if (decision.ruleId?.startsWith(marker)) known[pathPolicy] = marker;
              },
            }),
        };
        const guard = inbound({ authorization: { source, pathPolicy } });
        const options = { ...credentials("orders"), requestCert: true, rejectUnauthorized: true };
        const own = createServer(options, (request, response) => guard(request, response, () => response.end("from inmesh"))).listen(
          0,
          host,
        );
        await once(own, "listening");
        return { own, guard, port: (own.address() as AddressInfo).port };
      };
      const strict = await serve("strict");
      const asEnvoy = await serve("as-envoy");

      let cases = 0;
      let tricks = 0;
      let allowed = 0;
      const differences: string[] = [];
      try {
        for (const [index, set] of sets.entries()) {
          marker = `marker-${byDefault}-${index}`;
          await write(server, set, { Name: marker, Action: byDefault === "deny" ? "allow" : "deny" });
          await until(`${set.name} is in force at the sidecar`, () => hasMarker(sidecar.adminUrl, marker), 20_000);
          await until(`${set.name} is in force here`, () => known.strict === marker && known["as-envoy"] === marker, 20_000);
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
            const here = await statusOf(asEnvoy.port, agentOf(each.source), each, bearer);
            const strictly = await statusOf(strict.port, agentOf(each.source), each, bearer);
            const isTricky = (trickyPaths as readonly string[]).includes(each.path ?? "/");
            cases++;
            if (isTricky) tricks++;
            if (atSidecar === 200) allowed++;
            const isStricter = byDefault === "deny" && set.deniedByPrecedence === each.source;
            if (isStricter) expect(atSidecar).toBe(200);
            const expected = isStricter ? 403 : atSidecar;
            if (here !== expected || strictly !== (isTricky ? 400 : expected))
              differences.push(`${stepOf(set, each, byDefault)}: sidecar ${atSidecar}, inmesh ${here}, strict ${strictly}`);
          }
          for (const agent of agents.values()) agent.destroy();
        }
      } finally {
        await Promise.all([strict.guard.close(), asEnvoy.guard.close()]);
        for (const each of [strict.own, asEnvoy.own, plain]) {
          each.closeAllConnections();
          each.close();
        }
      }
      console.log(
        `default ${byDefault}: ${cases} cases in ${sets.length} sets, ${allowed} let pass by the sidecar, ${tricks} of them with paths that inmesh refuses`,
      );
      expect(failures).toEqual([]);
      expect(differences).toEqual([]);
      expect(cases).toBeGreaterThan(120);
      expect(Math.min(allowed, cases - allowed)).toBeGreaterThan(50);
    },
    300_000,
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

function callerNamed(trustDomain: string, name: string): Caller {
  return { identity: `spiffe://${trustDomain}/ns/default/dc/dc1/svc/${name}`, address: undefined, tokens: [] };
}

/** The policy for callers with the tokens that their requests carry, which have been verified before. */
function withTokens(policy: DecidingPolicy, verified: (header: string) => readonly VerifiedToken[] | undefined): DecidingPolicy {
  return {
    dryRun: false,
    decide(request, { identity, address }, nowMs) {
      const [header = ""] = request.headerValues("authorization");
      return policy.decide(request, { identity, address, tokens: verified(header) ?? [] }, nowMs);
    },
  };
}

async function statusOf(
  port: number,
  agent: Agent,
  { method = "GET", path = "/", headers = {} }: IntentionCase,
  bearer: string | undefined,
): Promise<number | undefined> {
  const request = send({ host, port, agent, method, path });
  for (const [name, value] of Object.entries(headers)) request.setHeader(name, typeof value === "string" ? value : [...value]);
  if (bearer !== undefined) request.setHeader("authorization", `Bearer ${bearer}`);
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  await response.toArray();
  return response.statusCode;
}
