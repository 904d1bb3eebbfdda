import type { TlsFiles } from "../registry/tls-files.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";
import type { ProbeAnswer } from "./http-probe.ts";

const check = "connect";
const dayMs = 86_400_000;

/** Asks the agent, with the token. */
export type AskAgent = (path: string) => Promise<ProbeAnswer>;

/**
 * Checks that a process can be `service` in a Consul Connect mesh: the mesh has authorities, the token gets the certificate of that name, and the intentions about
 * its callers can be read. Returns the certificate, for connections to sidecars; `undefined` where there is none.
 */
export async function* connectFindings(ask: AskAgent, service: string): AsyncGenerator<Finding, TlsFiles | undefined, undefined> {
  const name = encodeURIComponent(service);
  const roots = await ask("/v1/agent/connect/ca/roots");
  const authorities = listAt(roots, "Roots").flatMap((root) => textAt(root, "RootCert") ?? []);
  if (roots.status !== 200 || authorities.length === 0) {
    yield fail(
      check,
      `the mesh has no authority (${roots.status})`,
      "switch Connect on at the servers of Consul: connect { enabled = true }",
    );
    return undefined;
  }
  const count = authorities.length === 1 ? "one authority" : `${authorities.length} authorities, since one is being replaced`;
  yield ok(check, `the trust domain is ${textAt(parsed(roots), "TrustDomain")}, with ${count}`);
  const leaf = await ask(`/v1/agent/connect/ca/leaf/${name}`);
  const tls = leaf.status === 200 ? credentialsIn(parsed(leaf), authorities) : undefined;
  yield leafFinding(service, leaf);
  yield* intentionFindings(ask, service, name);
  return tls;
}

function leafFinding(service: string, leaf: ProbeAnswer): Finding {
  if (leaf.status === 403) return fail(check, `the token gets no certificate of ${service}`, policyFix(service, "write"));
  if (leaf.status !== 200) return fail(check, `there is no certificate of ${service} (${leaf.status})`, "look at the log of the agent");
  const [id, until] = [textAt(parsed(leaf), "ServiceURI"), Date.parse(textAt(parsed(leaf), "ValidBefore") ?? "")];
  const message = `the certificate of ${service} is ${id}, until ${Number.isNaN(until) ? "?" : new Date(until).toISOString()}`;
  // The agent renews in time. One that does not has another problem.
  return until - Date.now() > dayMs / 24
    ? ok(check, message)
    : warn(check, message, "it should have been renewed: look at the log of the agent");
}

async function* intentionFindings(ask: AskAgent, service: string, name: string): AsyncGenerator<Finding, void, undefined> {
  const match = await ask(`/v1/connect/intentions/match?by=destination&name=${name}`);
  if (match.status !== 200) {
    yield fail(check, `the intentions about callers of ${service} cannot be read (${match.status})`, policyFix(service, "write"));
    return;
  }
  const intentions = listAt(match, service);
  yield ok(check, `${countOf(intentions.length)} about callers of ${service}`);
  const chain = await ask(`/v1/discovery-chain/${name}`);
  const protocol = textAt((parsed(chain) as { Chain?: unknown } | undefined)?.Chain, "Protocol");
  if (chain.status !== 200) yield fail(check, `the protocol of ${service} cannot be read (${chain.status})`, policyFix(service, "read"));
  else if (protocol === "tcp" && JSON.stringify(intentions).includes('"Permissions":[{'))
    yield warn(
      check,
      `${service} is of the protocol tcp, so that its intentions with permissions deny everything`,
      `say its protocol: consul config write, Kind = "service-defaults", Name = ${JSON.stringify(service)}, Protocol = "http"`,
    );
  else yield ok(check, `${service} is of the protocol ${protocol ?? "?"}`);
  for (const provider of new Set(intentions.flatMap(providersOf))) {
    const { status } = await ask(`/v1/config/jwt-provider/${encodeURIComponent(provider)}`);
    if (status === 200) yield ok(check, `the jwt-provider ${provider} of an intention can be read`);
    else if (status === 403)
      yield fail(check, `the jwt-provider ${provider} of an intention cannot be read`, 'add to the policy: mesh = "read"');
    else yield fail(check, `the jwt-provider ${provider} of an intention does not exist (${status})`, "write it: consul config write");
  }
}

function countOf(intentions: number): string {
  return intentions === 0 ? "no intention is" : intentions === 1 ? "one intention is" : `${intentions} intentions are`;
}

/** The names of the providers of tokens that an intention asks for, in it and in its permissions. */
function providersOf(part: unknown): readonly string[] {
  const { JWT, Permissions } = (part ?? {}) as { JWT?: { Providers?: unknown } | null; Permissions?: unknown };
  const own = Array.isArray(JWT?.Providers) ? JWT.Providers.flatMap((each: unknown) => textAt(each, "Name") ?? []) : [];
  return [...own, ...(Array.isArray(Permissions) ? Permissions.flatMap(providersOf) : [])];
}

function policyFix(service: string, access: "read" | "write"): string {
  return `add to the policy: service ${JSON.stringify(service)} { policy = "${access}" }`;
}

function credentialsIn(leaf: unknown, authorities: readonly string[]): TlsFiles | undefined {
  const [cert, key] = [textAt(leaf, "CertPEM"), textAt(leaf, "PrivateKeyPEM")];
  return cert === undefined || key === undefined ? undefined : { cert, key, ca: authorities.join("\n") };
}

function parsed({ body }: ProbeAnswer): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function listAt(answer: ProbeAnswer, name: string): readonly unknown[] {
  const list = (parsed(answer) as Readonly<Record<string, unknown>> | null | undefined)?.[name];
  return Array.isArray(list) ? list : [];
}

function textAt(value: unknown, name: string): string | undefined {
  const text = (value as Readonly<Record<string, unknown>> | null | undefined)?.[name];
  return typeof text === "string" ? text : undefined;
}
