// A process with one client: node secured-client.ts NAME PORT DIRECTORY. Answers with the CPU of a call in microseconds.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createMesh, type MeshOptions, staticDiscovery } from "../src/index.ts";
import { answerParent, cpuMicros } from "./children.ts";
import { drive, unmeasuredCalls } from "./client-process.ts";
import { identityIn } from "./secured-identity.ts";
import { serverIdentity } from "./secured-rules.ts";

type Call = () => Promise<unknown>;

const discoveryOf = (port: number): MeshOptions["discovery"] => staticDiscovery({ users: [{ host: "127.0.0.1", port }] });

function securedBy(directory: string): Partial<MeshOptions> {
  return {
    identity: identityIn(directory, "client"),
    services: { users: { peer: { mode: "strict", id: serverIdentity } } },
  };
}

async function meshCall(options: MeshOptions): Promise<Call> {
  const mesh = createMesh(options);
  return async () => (await mesh.fetch("users/users/42")).json();
}

/** Makes each client of {@link secured}: for the port of a server, and the directory of the certificates. */
const clients: Readonly<Record<string, (port: number, directory: string) => Promise<Call>>> = {
  async "Node's fetch"(port) {
    return async () => (await fetch(`http://127.0.0.1:${port}/users/42`)).json();
  },

  async "undici.request"(port) {
    const { request } = await import("undici");
    return async () => (await request(`http://127.0.0.1:${port}/users/42`)).body.json();
  },

  async "undici.request, mutual TLS"(port, directory) {
    const { Agent, request } = await import("undici");
    const pem = (file: string): string => readFileSync(join(directory, file), "utf8");
    const dispatcher = new Agent({ connect: { cert: pem("client.pem"), key: pem("client-key.pem"), ca: pem("authority.pem") } });
    return async () => (await request(`https://127.0.0.1:${port}/users/42`, { dispatcher })).body.json();
  },
  "mesh.fetch": (port) => meshCall({ discovery: discoveryOf(port) }),

  "mesh.fetch, mutual TLS": (port, directory) => meshCall({ discovery: discoveryOf(port), ...securedBy(directory) }),

  async "mesh.fetch, everything"(port, directory) {
    const { prometheus } = await import("../src/telemetry/prometheus.ts");
    return await meshCall({ discovery: discoveryOf(port), ...securedBy(directory), observers: [prometheus()] });
  },
};

const [name = "", port = "", directory = ""] = process.argv.slice(2);
const create = clients[name];
if (create === undefined) throw new Error(`no client is called ${JSON.stringify(name)}`);
const call = await create(Number(port), directory);
// For no calls it makes those that are not measured, which open the connections: what the other processes spend on handshakes is no part of a request.
answerParent<number, number>(0, async (calls) => {
  if (calls > 0) return (await cpuMicros(() => drive(call, calls))) / calls;
  await drive(call, unmeasuredCalls);
  return 0;
});
