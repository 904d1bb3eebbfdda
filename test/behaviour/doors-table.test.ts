import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import type { IdentitySource } from "../../src/identity/identity-source.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import { certificate } from "../support/certificate.ts";
import { type DoorCall, doors } from "../support/doors.ts";
import { closing } from "../support/mesh.ts";
import { listening } from "../support/servers.ts";
import { until } from "../support/until.ts";

vi.mock("node:dns", async (original) => {
  const dns = await original<typeof import("node:dns")>();
  const addresses: Readonly<Record<string, string>> = { "eureka.test": "127.0.0.1", "bad.test": "0.0.0.0" };
  const lookup = (host: string, options: object, callback: (error: null, found: object[]) => void) => {
    const address = addresses[host];
    if (address === undefined) return dns.lookup(host, options, callback as never);
    process.nextTick(callback, null, [{ address, family: 4 }]);
  };
  return { ...dns, lookup, default: { ...dns, lookup } };
});

/** What an instance has seen of a door, and what the door's caller of the instance. */
interface Seen {
  readonly requests: readonly IncomingMessage[];
  readonly answers: readonly object[];
}

/** One try of a cell. */
interface Try {
  readonly isTls?: boolean;
  readonly endpoint?: Partial<Endpoint>;
  readonly options?: Partial<MeshOptions>;
  readonly call?: DoorCall;
  readonly times?: number;
}

async function instance(isTls: boolean) {
  const requests: IncomingMessage[] = [];
  const answer: RequestListener = (request, response) => {
    requests.push(request);
    response.writeHead(200, { connection: "close", "x-mesh-refused": "1" }).end();
  };
  const server = isTls ? createTlsServer(certificate, answer) : createServer(answer);
  server.on("tlsClientError", () => {});
  server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
    requests.push(request);
    socket.end("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\nx-mesh-refused: 1\r\n\r\n");
  });
  return { port: await listening(server), requests };
}

/** Goes through a door to one instance. */
async function tryDoor(
  door: string,
  { isTls = false, endpoint = {}, options = {}, call = {}, times = 1 }: Try,
): Promise<Seen & { port: number }> {
  const { port, requests } = await instance(isTls);
  const discovery = staticDiscovery({ svc: [{ host: "127.0.0.1", port, secure: isTls, ...endpoint }] });
  const common = {
    discovery,
    retry: false,
    breaker: false,
    drainTimeoutMs: 0,
    propagateDeadline: false,
    tls: { ca: certificate.cert },
  } as const;
  if (door !== "health check") {
    const mesh = closing(createMesh({ ...common, ...options }));
    const answers: object[] = [];
    for (let count = 0; count < times; count++)
      await doors[door as "fetch"](mesh, call)
        .then(({ headers }) => answers.push(headers))
        .catch(() => {});
    return { requests, answers, port };
  }
  const healthCheck = { type: "http", path: "/health", intervalMs: 20 } as const;
  const mesh = closing(createMesh({ ...common, ...options, healthCheck }));
  await mesh
    .request("svc/")
    .then(({ body }) => body.discard())
    .catch(() => {});
  const { endpoints = [] } = mesh.explain("svc") ?? {};
  if (endpoints.length === 0) return { requests: [], answers: [], port };
  await until("it was checked", () => (mesh.explain("svc")?.endpoints[0]?.healthCheck?.inRow ?? 0) >= times);
  return { requests: requests.filter(({ url }) => url === "/health"), answers: [], port };
}

const isEncrypted = (request: IncomingMessage | undefined) => (request?.socket as Partial<TLSSocket> | undefined)?.encrypted === true;
const protocolOf = async (door: string, given: Try) => {
  const { requests } = await tryDoor(door, given);
  return requests.length === 0 ? "refused" : isEncrypted(requests[0]) ? "TLS" : "plain text";
};
const hostOf = async (door: string, given: Try) => {
  const { requests, port } = await tryDoor(door, given);
  const names: Readonly<Record<string, string>> = {
    [`127.0.0.1:${port}`]: "host:port",
    svc: "service",
    "eureka.test": "peer.name",
    "of.caller": "sent",
  };
  return names[requests[0]?.headers.host ?? ""];
};
const nameOf = async (door: string, expected: string, given: Try) => {
  const { requests } = await tryDoor(door, { isTls: true, ...given });
  const { servername } = (requests[0]?.socket ?? {}) as { servername?: string };
  return servername === "eureka.test" ? expected : `refused or ${servername}`;
};
const reached = async (door: string, given: Try, yes: string, no: string) => ((await tryDoor(door, given)).requests.length > 0 ? yes : no);

/** The token that a request has carried. */
const tokenOf = async (door: string, given: Try) => {
  const provider = async () => ({ token: "t", expiresAtMs: Date.now() + 60_000 });
  const { requests } = await tryDoor(door, { ...given, options: { services: { svc: { token: { provider } } } } });
  const names: Readonly<Record<string, string>> = { "Bearer t": "sent", "Basic b3du": "its own is sent" };
  return requests.length === 0 ? "refused" : names[requests[0]?.headers.authorization ?? ""];
};

/** The source of an identity that this process must not use. */
const withdrawn: IdentitySource = {
  name: "test",
  watch(listener) {
    queueMicrotask(() => listener.withdraw(new Error("there is none")));
    return { close() {} };
  },
};

/** For each row of the page, by its first cell, what a door does. */
const rows: Readonly<Record<string, (door: string) => Promise<string | undefined>>> = {
  "`http:`, an instance without TLS": (door) => protocolOf(door, {}),
  "`http:`, an instance with TLS": (door) => protocolOf(door, { isTls: true }),
  "`https:` or `wss:`, an instance with TLS": (door) => protocolOf(door, { isTls: true, call: { scheme: "https" } }),
  "`https:` or `wss:`, no instance with TLS": (door) => protocolOf(door, { call: { scheme: "https" } }),
  '`peer.mode: "strict"`, an instance without `secure`': (door) =>
    protocolOf(door, { isTls: true, endpoint: { secure: false }, options: { peer: { mode: "strict" } } }),
  '`peer.mode: "off"`, an instance with `secure`': (door) =>
    protocolOf(door, { endpoint: { secure: true }, options: { peer: { mode: "off" } } }),
  "`host` header": (door) => hostOf(door, {}),
  "`host` header, with `peer.name`": (door) =>
    hostOf(door, { options: { peer: { name: "eureka.test" } }, call: { headers: { host: "of.caller" } } }),
  "name of the certificate": (door) => nameOf(door, "host", { endpoint: { host: "eureka.test" } }),
  "name of the certificate, with `tls.serverName`": (door) =>
    nameOf(door, "tls.serverName", { options: { tls: { ca: certificate.cert, serverName: "eureka.test" } } }),
  "name of the certificate, with `peer.name`": (door) =>
    nameOf(door, "peer.name", { options: { peer: { name: "eureka.test" }, tls: { ca: certificate.cert, serverName: "other.test" } } }),
  async "certificate, with `NODE_TLS_REJECT_UNAUTHORIZED=0`"(door) {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    onTestFinished(() => void vi.unstubAllEnvs());
    return reached(door, { isTls: true, options: { tls: {} } }, "not verified", "verified");
  },
  "`peer.id`, an instance without that id": (door) =>
    reached(door, { isTls: true, options: { peer: { id: "spiffe://example.org/svc" } } }, "reached", "refused"),
  "the id that discovery lists (`peer` of an endpoint), an instance without it": (door) =>
    reached(door, { isTls: true, endpoint: { peer: { id: "spiffe://example.org/*" } } }, "reached", "refused"),
  "`peer.id`, an instance without TLS": (door) =>
    reached(door, { options: { peer: { id: "spiffe://example.org/svc" } } }, "reached", "refused"),
  "no `identity` that is good now, an instance with TLS": (door) =>
    reached(door, { isTls: true, options: { tls: undefined, identity: withdrawn } as object }, "reached", "refused"),
  "[`token`](../guides/authentication.md) of the service": (door) => tokenOf(door, { isTls: true }),
  "`token`, a request with an own `authorization`": (door) =>
    tokenOf(door, { isTls: true, call: { headers: { authorization: "Basic b3du" } } }),
  "`token`, an instance without TLS, no `allowPlain`": (door) => tokenOf(door, {}),
  async "TLS session of an earlier connection"(door) {
    const { requests } = await tryDoor(door, { isTls: true, times: 3 });
    const resumed = requests.filter(({ socket }) => (socket as TLSSocket).isSessionReused());
    return requests.length >= 3 && resumed.length === 0 ? "not resumed" : "resumed";
  },
  "address that no instance can have": (door) => reached(door, { endpoint: { host: "bad.test" } }, "reached", "refused"),
  "address of `connections.refusedAddresses`": (door) =>
    reached(door, { options: { connections: { refusedAddresses: ["loopback"] } } }, "reached", "refused"),
  "address outside of `connections.allowCidrs`": (door) =>
    reached(door, { options: { connections: { allowCidrs: ["10.0.0.0/8"] } } }, "reached", "refused"),
  async "port of `connections.denyPorts`"(door) {
    const denyPorts = Array.from({ length: 65_535 - 1_023 }, (_, index) => index + 1_024);
    return reached(door, { options: { connections: { denyPorts } } }, "reached", "refused");
  },
  "instance outside of the `boundary`": (door) =>
    reached(door, { endpoint: { region: "us-1" }, options: { boundary: { region: ["eu-*"] } } }, "reached", "refused"),
  "path without a slash at its start": (door) => reached(door, { call: { path: "-admin/x" } }, "reached", "refused"),
  async "path with `..`, a backslash or a space"(door) {
    const all = await Promise.all(["/a/../b", "/a\\b", "/a b"].map((path) => reached(door, { call: { path } }, "reached", "refused")));
    return [...new Set(all)].join();
  },
  async "`host` header of the caller"(door) {
    const host = await hostOf(door, { call: { headers: { host: "of.caller" } } });
    return host === "sent" ? "sent" : "dropped";
  },
  async "`x-mesh-…` headers of the caller"(door) {
    const headers = { "x-mesh-attempt": "7", "x-mesh-deadline-ms": "9999999", "x-mesh-refused": "1" };
    const { requests } = await tryDoor(door, { call: { headers } });
    return requests.length === 1 && !requests[0]?.rawHeaders.some((part) => /^x-mesh/i.test(part)) ? "dropped" : "sent";
  },
  async "`x-mesh-refused` of the instance"(door) {
    const { answers } = await tryDoor(door, {});
    return answers.length === 1 && !JSON.stringify(answers).includes("x-mesh") ? "removed" : "handed on";
  },
};

const page = readFileSync(new URL("../../docs/reference/doors.md", import.meta.url), "utf8");
const cellsOf = (line: string) =>
  line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
const [header = [], , ...table] = (page.split("\n\n").find((part) => part.startsWith("| | fetch")) ?? "").split("\n").map(cellsOf);
const doorsOfPage = header.slice(1);

describe("the page of the doors", () => {
  it("has a row for each rule and a column for each door", () => {
    expect(doorsOfPage).toEqual([...Object.keys(doors), "health check"]);
    expect(table.map(([rule]) => rule)).toEqual(Object.keys(rows));
  });

  describe.each(doorsOfPage.map((door, index) => ({ door, index })))("says of $door", ({ door, index }) => {
    it.each(table.map((cells) => [cells[0] as string, cells[index + 1] as string]).filter(([, cell]) => cell !== "–"))(
      "%s: %s",
      async (rule, cell) => {
        expect(await rows[rule]?.(door)).toBe(cell);
      },
    );
  });
});
