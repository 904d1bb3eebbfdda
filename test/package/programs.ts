// What a user of the package might write, as text: it is run where only the installed package is.

const body = `
const server = createServer((request, response) => response.end("hello from " + request.url));
server.listen(0, "127.0.0.1", async () => {
  const mesh = createMesh({ discovery: staticDiscovery({ web: [{ host: "127.0.0.1", port: server.address().port }] }) });
  const response = await mesh.fetch("web/path");
  console.log(response.status, await response.text());
  console.log(consul().name);
  console.log(eureka().name);
  console.log(typeof memoryRegistry);
  await mesh.close();
  server.close();
});
`;

/** Uses every entry of the package by `import`. */
export const esmProgram: string = `
import { createServer } from "node:http";
import { createMesh, staticDiscovery } from "inmesh";
import { consul } from "inmesh/consul";
import { eureka } from "inmesh/eureka";
import { memoryRegistry } from "inmesh/testing";
${body}`;

/** Uses every entry of the package by `require`. */
export const cjsProgram: string = `
const { createServer } = require("node:http");
const { createMesh, staticDiscovery } = require("inmesh");
const { consul } = require("inmesh/consul");
const { eureka } = require("inmesh/eureka");
const { memoryRegistry } = require("inmesh/testing");
${body}`;

/** The same in TypeScript, with the types a strict user would write. */
export const tsProgram: string = `
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMesh, isMeshError, meshErrorCodes, staticDiscovery, type Endpoint, type Mesh, type MeshOptions } from "inmesh";
import { type Discovery, type Picker } from "inmesh/extend";
import { consul, type Consul, type ConsulOptions } from "inmesh/consul";
import { eureka, type Eureka, type EurekaOptions } from "inmesh/eureka";
import { type MemoryRegistry, memoryRegistry } from "inmesh/testing";

const first: Picker = { pick: (upstreams) => upstreams[0] };
const server = createServer((request, response) => { response.end("hello from " + request.url); });
server.listen(0, "127.0.0.1", async () => {
  const { port } = server.address() as AddressInfo;
  const endpoints: readonly Endpoint[] = [{ id: "one", host: "127.0.0.1", port }];
  const discovery: Discovery = staticDiscovery({ web: endpoints });
  const options: MeshOptions = { discovery, picker: first, timeoutMs: 5_000 };
  const mesh: Mesh = createMesh(options);
  const response: Response = await mesh.fetch("web/path", { method: "GET", headers: { accept: "text/plain" } });
  console.log(response.status, await response.text());
  const agent: ConsulOptions = {};
  const found: Consul = consul(agent);
  console.log(found.name);
  const registry: EurekaOptions = {};
  const other: Eureka = eureka(registry);
  console.log(other.name);
  const memory: MemoryRegistry = memoryRegistry();
  console.log(typeof memoryRegistry, memory === undefined ? "" : "");
  const refused = await mesh.fetch("http://user@web/").catch((error: unknown) => error);
  if (!isMeshError(refused) || !(refused.code in meshErrorCodes)) throw new Error("not refused");
  await mesh.close();
  server.close();
});
`;

/** What a CommonJS file in TypeScript does. */
export const ctsProgram: string = `
import { createMesh, staticDiscovery } from "inmesh";
import testing = require("inmesh/testing");
const mesh = createMesh({ discovery: staticDiscovery({}) });
export const status: Promise<number> = mesh.fetch("web/").then((response) => response.status);
export const registry: testing.MemoryRegistry = testing.memoryRegistry();
`;

/** Mistakes that the types must show, each on a line of its own. */
export const wrongProgram: string = `
import { createMesh, staticDiscovery } from "inmesh";
import { consul } from "inmesh/consul";
import { eureka } from "inmesh/eureka";
createMesh({});
createMesh({ discovery: staticDiscovery({}), timeoutMs: "1" });
createMesh({ discovery: staticDiscovery({}), timeOutMs: 1 });
createMesh({ discovery: consul }).fetch(1);
consul({ agent: 1 });
eureka({ server: 1 });
`;

/**
 * Prints what importing the whole package leaves behind. Node makes its own dispatcher at the first use of anything that
 * belongs to fetch, which is fine; one of the package's undici in its place would change every fetch of the process.
 */
export const footprintProgram: string = `
import { createRequire } from "node:module";
const Agent = createRequire(import.meta.url)("undici/lib/dispatcher/agent.js");
const dispatchers = [1, 2].map((version) => Symbol.for("undici.globalDispatcher." + version));
const look = () => ({
  dispatchers: dispatchers.map((key) => globalThis[key]),
  names: Reflect.ownKeys(globalThis).filter((key) => !dispatchers.includes(key)).length,
  signals: process.eventNames().length,
});
const before = look();
if (process.argv[2] === "after fetch") {
  await fetch("data:,").then((response) => response.text());
  before.dispatchers = look().dispatchers;
}
const entries = process.argv[2] === "as undici" ? ["undici"] : ["inmesh", "inmesh/consul", "inmesh/eureka", "inmesh/prometheus", "inmesh/server", "inmesh/fastify", "inmesh/gateway", "inmesh/jwt", "inmesh/spiffe", "inmesh/grpc", "inmesh/testing"];
for (const entry of entries) await import(entry);
const after = look();
const changed = ["names", "signals"].filter((name) => before[name] !== after[name]);
for (const [index, key] of dispatchers.entries()) {
  const [was, is] = [before.dispatchers[index], after.dispatchers[index]];
  if (is instanceof Agent || (was !== undefined && was !== is)) changed.push(key.description);
}
console.log(JSON.stringify({ changed, active: process.getActiveResourcesInfo().filter((name) => !/Pipe|TTY|FSReq/.test(name)) }));
`;

/** Prints whether what each entry throws is of the class that `inmesh` exports. */
export const classesProgram: string = `
import { MeshError } from "inmesh";
import { consul } from "inmesh/consul";
import { eureka } from "inmesh/eureka";
import { mockMesh } from "inmesh/testing";
const registry = eureka({ servers: ["http://127.0.0.1:9/eureka"] });
const mesh = mockMesh({ web: { fault: "reset" } });
const errors = await Promise.all([
  consul({ port: 9, registerTimeoutMs: 200 }).register({ service: "web", host: "127.0.0.1", port: 1 }).catch((error) => error),
  registry.services(new AbortController().signal).catch((error) => error),
  mesh.fetch("web").catch((error) => error),
]);
await registry.close();
await mesh.close();
console.log(JSON.stringify(errors.map((error) => [error.code, error instanceof MeshError])));
`;

/** Prints what the two registries and the metrics say when the package that they need is not installed. */
export const withoutPeersProgram: string = `
import { createMesh, staticDiscovery } from "inmesh";
import { consul } from "inmesh/consul";
import { eureka } from "inmesh/eureka";
import { jwt } from "inmesh/jwt";
import { prometheus } from "inmesh/prometheus";
const token = () => jwt({ issuer: "https://id.example", audience: "orders", secret: new Uint8Array(32) });
const messageOf = (create) => {
  try {
    create();
    return "nothing was thrown";
  } catch (error) {
    return error instanceof Error ? error.message : "no Error";
  }
};
await createMesh({ discovery: staticDiscovery({}) }).close();
console.log(JSON.stringify([messageOf(consul), messageOf(eureka), messageOf(prometheus), messageOf(token)]));
`;

/**
 * Makes a call with what a mesh has by default, and one through a dispatcher, and prints what has been loaded for them: packages, files of
 * undici, and those of Node's own modules that are dear and that such calls do not need; the latter once more after a look at the
 * response's class.
 */
export const startProgram: string = `
import { registerHooks } from "node:module";
const packages = new Set();
const undici = [];
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    const [, name, file] = /.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)\\/(.*)/.exec(resolved.url) ?? [];
    if (name !== undefined) packages.add(name);
    if (name === "undici") undici.push(file);
    return resolved;
  },
});
const { createMesh, staticDiscovery } = await import("inmesh");
const dear = ["internal/deps/undici/undici", "zlib", "http2", "fs/promises", "tls"];
const ofNode = () => dear.filter((name) => process.moduleLoadList.includes("NativeModule " + name));
// Not by import, which reads every export, and one of them loads Node's own undici.
const { createServer } = process.getBuiltinModule("node:http");
const server = createServer((request, response) => response.end('{"hello":"world"}'));
server.listen(0, "127.0.0.1", async () => {
  const mesh = createMesh({ discovery: staticDiscovery({ web: [{ host: "127.0.0.1", port: server.address().port }] }) });
  const response = await mesh.fetch("web/path");
  await response.json();
  const { statusCode: throughDispatcher, body } = await mesh.dispatcher().request({ origin: "http://web", path: "/", method: "GET" });
  await body.dump();
  const before = ofNode();
  const isResponse = response instanceof Response;
  console.log(JSON.stringify({ packages: [...packages].sort(), undici, before, isResponse, after: ofNode(), throughDispatcher }));
  await mesh.close();
  server.close();
});
`;

/**
 * What an application that is bundled into one file might do: prints a status, one that came through a dispatcher, the name of
 * a span, the code of a call to a service that there is not, and whether its message has a suggestion.
 */
export const bundledProgram: string = `
import { createServer } from "node:http";
import { trace } from "@opentelemetry/api";
import { createMesh, staticDiscovery } from "inmesh";
const names = [];
const span = { spanContext: () => ({ traceId: "", spanId: "", traceFlags: 0 }), isRecording: () => true, end() {} };
for (const method of ["setAttribute", "setAttributes", "addEvent", "setStatus", "updateName"]) span[method] = () => span;
trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan: (name) => (names.push(name), span) }) });
const server = createServer((request, response) => response.end("ok"));
server.listen(0, "127.0.0.1", async () => {
  const mesh = createMesh({ discovery: staticDiscovery({ web: [{ host: "127.0.0.1", port: server.address().port }] }) });
  const { status } = await mesh.fetch("web/");
  const { statusCode, body } = await mesh.dispatcher().request({ origin: "http://web", path: "/", method: "GET" });
  await body.dump();
  for (let call = 0; call < 50 && names.length === 0; call++) await (await mesh.fetch("web/")).text();
  const { code, message } = await mesh.fetch("wab/").catch((error) => error);
  const hint = /did you mean "web"/i.test(message);
  console.log(status, statusCode, names[0], code, hint);
  await mesh.close();
  server.close();
});
`;

/** Prints what each entry says on a Node of the version in the arguments, which also lacks a function that the package needs. */
export const oldNodeProgram: string = `
const [node] = process.argv.slice(2);
Object.defineProperty(process, "versions", { value: { ...process.versions, node } });
delete process.getBuiltinModule;
const entries = ["inmesh", "inmesh/extend", "inmesh/consul", "inmesh/eureka", "inmesh/prometheus", "inmesh/server", "inmesh/fastify", "inmesh/jwt", "inmesh/config", "inmesh/envoy", "inmesh/nginx", "inmesh/grpc", "inmesh/admin", "inmesh/testing"];
const said = await Promise.all(entries.map((entry) => import(entry).then(() => "nothing", ({ message }) => message)));
console.log(JSON.stringify([...new Set(said)]));
`;
