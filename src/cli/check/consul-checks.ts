import { describeError } from "../../core/errors.ts";
import { readNamedFile } from "../named-file.ts";
import type { ConsulAccess } from "../registry/consul-access.ts";
import type { TlsFiles } from "../registry/tls-files.ts";
import { clockFinding } from "./clock-check.ts";
import { connectFindings } from "./connect-checks.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";
import { type ProbeAnswer, probe, typeOf } from "./http-probe.ts";

/** Options of the checks of a registry. */
export interface RegistryCheck {
  readonly service: string | undefined;
  /** The name of this process in a Consul Connect mesh, where it is to be in one. */
  readonly connectAs?: string | undefined;
  readonly tls: TlsFiles;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Checks a Consul agent: reachable, with a leader, clock, token, and the rights of the token; with `connectAs` also the mesh. Returns the credentials of that
 * name in the mesh.
 */
export async function* consulFindings(
  access: ConsulAccess,
  options: RegistryCheck,
): AsyncGenerator<Finding, TlsFiles | undefined, undefined> {
  let token: string | undefined;
  try {
    token = typeof access.token === "object" ? (await readNamedFile(access.token.file)).toString("utf8").trim() : access.token;
  } catch (error) {
    yield fail("token", `the token file cannot be read (${describeError(error)})`, "check the path and the permissions of the file");
    return undefined;
  }
  const ask = (path: string, body?: unknown): Promise<ProbeAnswer> =>
    probe(`${access.url}${path}`, {
      ...options,
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
      headers: token === undefined ? {} : { "x-consul-token": token },
    });
  let leader: ProbeAnswer;
  try {
    leader = await ask("/v1/status/leader");
  } catch (error) {
    yield fail(
      "registry",
      `${access.url} cannot be reached (${describeError(error)})`,
      "check that the agent runs, its address (--consul, CONSUL_HTTP_ADDR) and firewalls",
    );
    return undefined;
  }
  yield leaderFinding(access.url, leader);
  // Another server's clock, and its rights, say nothing.
  if (!isConsuls(leader)) return undefined;
  yield clockFinding(leader);
  yield* rightsFindings(ask, token, options.service);
  return options.connectAs === undefined ? undefined : yield* connectFindings(ask, options.connectAs);
}

/** Whether an answer about the leader is that of a Consul: its address as a string of JSON, which is empty without one. */
function isConsuls({ status, body }: ProbeAnswer): boolean {
  return status === 200 && /^\s*"[^"]*"\s*$/.test(body);
}

function leaderFinding(url: string, answer: ProbeAnswer): Finding {
  const { status, body, ms } = answer;
  if (!isConsuls(answer)) {
    const what = status === 200 ? `200, but not as a Consul agent does${typeOf(answer)}` : `${status}`;
    return fail("registry", `${url} answered ${what}`, "check that this is the HTTP API of a Consul agent: its port is 8500 by default");
  }
  if (body.trim() === '""')
    return fail("registry", `${url} answers, but Consul has no leader`, "look at the servers: consul operator raft list-peers");
  return ok("registry", `${url} answered after ${Math.round(ms)} ms and has a leader`);
}

async function* rightsFindings(
  ask: (path: string, body?: unknown) => Promise<ProbeAnswer>,
  token: string | undefined,
  service: string | undefined,
): AsyncGenerator<Finding, void, undefined> {
  const own = await ask("/v1/acl/token/self");
  if (own.status === 401) {
    yield ok("token", "access control is off: everything may be read without a token");
    return;
  }
  if (own.status === 200) yield tokenFinding(own.body);
  else if (token === undefined)
    yield warn("token", "no token is given, and access control is on", "give one: --token-file FILE or CONSUL_HTTP_TOKEN");
  else {
    yield fail(
      "token",
      `Consul does not know the token (${own.status})`,
      "it was deleted, has expired or belongs to another datacentre: make a new one",
    );
    return;
  }
  const wanted = [
    { Resource: "service", Access: "read", Segment: service ?? "" },
    { Resource: "node", Access: "read", Segment: "" },
    { Resource: "service", Access: "write", Segment: service ?? "" },
  ];
  const answer = await ask("/v1/internal/acl/authorize", wanted);
  const allowed = readAllowed(answer, wanted.length);
  if (allowed === undefined) {
    yield warn(
      "rights",
      `Consul does not list the rights of the token (${answer.status})`,
      "look at its policies: consul acl token read -self",
    );
    return;
  }
  const [mayRead = false, mayReadNodes = false, mayWrite = false] = allowed;
  yield readFinding(service, mayRead);
  yield nodesFinding(mayReadNodes);
  if (service !== undefined) yield writeFinding(service, mayWrite);
}

const hidden = "Consul leaves out what may not be read, as if it did not exist";

function readFinding(service: string | undefined, mayRead: boolean): Finding {
  const what = service === undefined ? "every service" : `the service ${service}`;
  if (mayRead) return ok("rights", `${what} may be read`);
  const rule = service === undefined ? 'service_prefix ""' : `service ${JSON.stringify(service)}`;
  const report = service === undefined ? warn : fail;
  return report("rights", `not ${what} may be read: ${hidden}`, `add to the policy: ${rule} { policy = "read" }`);
}

/** Without the right to read nodes, a service that may be read is listed and has no endpoints. */
function nodesFinding(mayReadNodes: boolean): Finding {
  if (mayReadNodes) return ok("rights", "every node may be read");
  return fail(
    "rights",
    `not every node may be read, and instances are listed with their node: ${hidden}`,
    'add to the policy: node_prefix "" { policy = "read" }',
  );
}

function writeFinding(service: string, mayWrite: boolean): Finding {
  const what = `the service ${service}`;
  return ok(
    "rights",
    mayWrite ? `${what} may be registered` : `${what} may not be registered, which only its own instances need (service:write)`,
  );
}

function tokenFinding(body: string): Finding {
  const token = parsed(body) as { Description?: unknown; Policies?: unknown; ExpirationTime?: unknown } | undefined;
  const policies = Array.isArray(token?.Policies) ? token.Policies.map((policy: { Name?: unknown }) => String(policy?.Name)) : [];
  const endMs = Date.parse(String(token?.ExpirationTime ?? ""));
  const described = `${JSON.stringify(String(token?.Description ?? ""))}, ${policies.length === 0 ? "no policies of its own" : `policies ${policies.join(", ")}`}`;
  const leftMs = endMs - Date.now();
  if (leftMs < 86_400_000)
    return warn(
      "token",
      `${described}; it expires at ${new Date(endMs).toISOString()}`,
      "renew it: a file given by --token-file is read again when it changes",
    );
  return ok("token", described);
}

function readAllowed({ status, body }: ProbeAnswer, count: number): readonly boolean[] | undefined {
  const list = status === 200 ? parsed(body) : undefined;
  if (!Array.isArray(list) || list.length !== count) return undefined;
  return list.map((each: { Allow?: unknown } | null) => each?.Allow === true);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
