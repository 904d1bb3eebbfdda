import { request as httpRequest } from "node:http";
import { request as undiciRequest } from "undici";
import { createMesh, isMeshError, type Mesh, type MeshRequestInit } from "../../src/index.ts";
import { consul } from "../../src/registries/consul.ts";
import { eureka } from "../../src/registries/eureka.ts";
import { certificate } from "../support/certificate.ts";
import { secrets } from "./secrets.ts";

/** The input of a call. */
export interface Canaries {
  readonly init: MeshRequestInit;
  /** `?…`, with a secret in it. */
  readonly query: string;
}

/** Something that is done with a mesh: resolves with a status, or rejects. */
export interface Step {
  readonly name: string;
  /** The status, or the code or the name of the error. */
  readonly outcome: string;
  run(mesh: Mesh): Promise<unknown>;
}

/** Every call that works, and every kind of failure, by HTTP/1.1 to services that each registry lists. */
export function calls({ init, query }: Canaries): readonly Step[] {
  const post: MeshRequestInit = { ...init, method: "POST", body: secrets.requestBody };
  const fetched =
    (target: string, more: MeshRequestInit = init) =>
    async (mesh: Mesh) => {
      const response = await mesh.fetch(`${target}${query}`, more);
      await response.text();
      return response.status;
    };
  const authorization = `Bearer ${secrets.authorization}`;
  return [
    { name: "a GET that works", outcome: "200", run: fetched("orders/200") },
    { name: "a POST that works", outcome: "200", run: fetched("orders/200", post) },
    { name: "a plain request", outcome: "200", run: async (mesh) => (await mesh.request(`orders/200${query}`, init)).statusCode },
    { name: "by the dispatcher", outcome: "200", run: (mesh) => byDispatcher(mesh, `http://orders/200${query}`, init) },
    { name: "by the agent", outcome: "200", run: (mesh) => byAgent(mesh, "orders", query, init) },
    { name: "an error of the server", outcome: "500", run: fetched("orders/500") },
    { name: "a refusal", outcome: "503", run: fetched("orders/503") },
    { name: "a redirect", outcome: "302", run: fetched("orders/away") },
    { name: "a redirect that is an error", outcome: "ERR_MESH_PROTOCOL", run: fetched("orders/away", { ...init, redirect: "error" }) },
    { name: "a redirect to elsewhere", outcome: "ERR_MESH_PROTOCOL", run: fetched("orders/away", { ...init, redirect: "follow" }) },
    { name: "a reset", outcome: "ERR_MESH_PROTOCOL", run: fetched("orders/reset", post) },
    { name: "a reset, repeated", outcome: "ERR_MESH_RETRY_EXHAUSTED", run: fetched("orders/reset") },
    { name: "what is no HTTP", outcome: "ERR_MESH_PROTOCOL", run: fetched("echo/200", post) },
    { name: "a cut body", outcome: "ERR_MESH_BODY", run: fetched("orders/cut") },
    { name: "a body that is not what it says", outcome: "ERR_MESH_BODY", run: fetched("orders/no-gzip") },
    {
      name: "an attempt that is too slow",
      outcome: "ERR_MESH_TIMEOUT",
      run: fetched("orders/hang", { ...post, mesh: { attemptTimeoutMs: 50 } }),
    },
    { name: "a deadline", outcome: "ERR_MESH_TIMEOUT", run: fetched("orders/hang", { ...init, mesh: { timeoutMs: 50 } }) },
    { name: "a caller that gives up", outcome: "TimeoutError", run: fetched("orders/hang", { ...init, signal: AbortSignal.timeout(50) }) },
    { name: "no connection", outcome: "ERR_MESH_CONNECT", run: fetched("gone/200", { ...post, mesh: { retry: false } }) },
    { name: "no connection, by the agent", outcome: "ECONNREFUSED", run: (mesh) => byAgent(mesh, "gone", query, init) },
    { name: "an open breaker", outcome: "ERR_MESH_CIRCUIT_OPEN", run: untilRefused(fetched("broken/503")) },
    {
      name: "too many",
      outcome: "ERR_MESH_OVERLOADED",
      run: (mesh) =>
        Promise.all([fetched("narrow/hang", { ...init, mesh: { timeoutMs: 50 } })(mesh).catch(() => {}), fetched("narrow/200")(mesh)]),
    },
    { name: "no such service", outcome: "ERR_MESH_NO_ENDPOINTS", run: fetched("nobody/200") },
    { name: "user information", outcome: "ERR_MESH_INVALID_TARGET", run: fetched(`http://user:${secrets.userinfo}@orders/x`) },
    {
      name: "user information with a slash",
      outcome: "ERR_MESH_INVALID_TARGET",
      run: fetched(`http://user:a/${secrets.userinfo}@orders/x`),
    },
    { name: "user information alone", outcome: "ERR_MESH_INVALID_TARGET", run: fetched(`${secrets.userinfo}@orders/x`) },
    {
      name: "user information, by the dispatcher",
      outcome: "ERR_MESH_INVALID_TARGET",
      run: (mesh) => byDispatcher(mesh, `http://orders:1${query}`, init),
    },
    { name: "a target with white space", outcome: "ERR_MESH_INVALID_TARGET", run: (mesh) => mesh.fetch(`orders/x${query} y`, init) },
    { name: "a target with dots", outcome: "ERR_MESH_INVALID_TARGET", run: fetched("orders/../x") },
    {
      name: "a header with a line break",
      outcome: "TypeError",
      run: fetched("orders/200", { headers: { authorization: `${authorization}\nx` } }),
    },
    { name: "headers as text", outcome: "TypeError", run: fetched("orders/200", { headers: `authorization: ${authorization}` as never }) },
    {
      name: "a header as a name",
      outcome: "TypeError",
      run: fetched("orders/200", { headers: { [`authorization: ${authorization}`]: "" } }),
    },
    { name: "a signal that is none", outcome: "TypeError", run: fetched("orders/200", { ...init, signal: authorization as never }) },
    { name: "call options that are none", outcome: "TypeError", run: fetched("orders/200", { ...init, mesh: authorization as never }) },
    {
      name: "a body that is none",
      outcome: "TypeError",
      run: fetched("orders/200", { ...post, body: Object(secrets.requestBody.length) as never }),
    },
  ];
}

/** Over TLS and HTTP/2, which registries need not know of. */
export function secureCalls({ init, query }: Canaries): readonly Step[] {
  const fetched = (target: string) => async (mesh: Mesh) => {
    const response = await mesh.fetch(`${target}${query}`, { ...init, method: "POST", body: secrets.requestBody });
    await response.text();
    return response.status;
  };
  return [
    { name: "over TLS", outcome: "200", run: fetched("sealed/200") },
    { name: "a reset stream", outcome: "ERR_MESH_PROTOCOL", run: fetched("streams/200") },
    {
      name: "a certificate that nobody vouches for",
      outcome: "ERR_MESH_TLS_PEER",
      run: (mesh) => withoutTrust(mesh, fetched("sealed/200")),
    },
  ];
}

/** Options that are refused: what is in the wrong place may be a secret. */
export const refusedOptions: readonly Step[] = (
  [
    ["tls as text", () => createMesh({ discovery: noDiscovery, tls: certificate.key as never })],
    ["tls as a list", () => createMesh({ discovery: noDiscovery, tls: [certificate.key] as never })],
    ["a key that is none", () => createMesh({ discovery: noDiscovery, tls: { key: `${certificate.key}x`, cert: certificate.key } })],
    ["a certificate that is a key", () => createMesh({ discovery: noDiscovery, tls: { ca: certificate.key } })],
    ["a key as a name", () => createMesh({ discovery: noDiscovery, tls: { serverName: [certificate.key] as never } })],
    ["services as text", () => createMesh({ discovery: noDiscovery, services: secrets.authorization as never })],
    ["a service as text", () => createMesh({ discovery: noDiscovery, services: { orders: secrets.authorization as never } })],
    ["consul: a token that is none", () => consul({ token: [secrets.consulToken] as never })],
    ["consul: a token in the URL", () => consul({ url: `http://user:${secrets.consulToken}@127.0.0.1` })],
    ["consul: a token in the query", () => consul({ url: `http://127.0.0.1?token=${secrets.consulToken}` })],
    ["consul: a token in a URL that is none", () => consul({ url: `127.0.0.1?token=${secrets.consulToken}` })],
    ["consul: a key as tls", () => consul({ url: "https://127.0.0.1", tls: certificate.key as never })],
    ["eureka: a password in a URL that is none", () => eureka({ servers: [`http://user:${secrets.eurekaPassword}@ 127.0.0.1`] })],
    ["eureka: a password in another scheme", () => eureka({ servers: [`ftp://user:${secrets.eurekaPassword}@127.0.0.1`] })],
    ["eureka: a password alone", () => eureka({ password: secrets.eurekaPassword })],
    ["eureka: a password as options", () => eureka(secrets.eurekaPassword as never)],
  ] as const
).map(([name, make]) => ({ name, outcome: "TypeError", run: async () => make() }));

const noDiscovery = { async *watch() {} };

/** The status, or what a program tells errors apart by. */
export function outcomeOf(result: unknown): string {
  if (!(result instanceof Error)) return String(result);
  const { code } = result as { code?: unknown };
  return isMeshError(result) || (typeof code === "string" && !("cause" in result)) ? String(code) : result.name;
}

async function withoutTrust(mesh: Mesh, run: (mesh: Mesh) => Promise<unknown>): Promise<unknown> {
  const port = mesh.explain("sealed")?.endpoints[0]?.endpoint.port ?? 0;
  const registry = {
    async *watch() {
      yield [{ id: "1", host: "127.0.0.1", port, secure: true }];
    },
  };
  const { cert, key } = certificate;
  const distrustful = createMesh({ discovery: registry, retry: false, tls: { cert, key } });
  try {
    return await run(distrustful);
  } finally {
    await distrustful.close();
  }
}

const untilRefused = (run: (mesh: Mesh) => Promise<unknown>) => async (mesh: Mesh) => {
  for (let call = 0; call < 200; call++) await run(mesh);
  throw new Error("the breaker has not opened");
};

async function byDispatcher(mesh: Mesh, url: string, { headers }: MeshRequestInit): Promise<unknown> {
  const { statusCode, body } = await undiciRequest(url, { dispatcher: mesh.dispatcher(), headers: headers as Record<string, string> });
  await body.dump();
  return statusCode;
}

function byAgent(mesh: Mesh, service: string, query: string, { headers }: MeshRequestInit): Promise<unknown> {
  const agent = mesh.agent();
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: service, path: `/200${query}`, agent, headers: headers as Record<string, string> });
    request.on("response", (response) => response.resume().on("end", () => resolve(response.statusCode)));
    request.on("error", reject);
    request.end();
  }).finally(() => agent.destroy());
}
