// One instance of the service under test, a process of its own: a real HTTP/1.1 or HTTP/2 server that writes down what it executes.
import { openSync, writeSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createH2cServer, type Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Session } from "node:http2";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import type { HealthCheck, Registrar, Registration } from "../../../src/registration/registrar.ts";
import { seededRandom } from "../../../src/testing/seeded-random.ts";
import type {
  Behaviour,
  HandmadeEnd,
  InstanceConfig,
  InstanceOrder,
  InstanceTls,
  RegistrationConfig,
  ServeConfig,
} from "./instance-config.ts";
import { now } from "./now.ts";
import { bodyFor, uploadFor } from "./payload.ts";

const config = JSON.parse(process.argv[2] ?? "{}") as InstanceConfig;
// Opened to append, one write a line: it survives the process, and lines of several processes do not mix.
const journal = openSync(config.journal, "a");
const random = seededRandom(config.seed);
let behaviour: Behaviour = config.behaviour ?? {};
let current: Registration | undefined;
/** For bodies that are about their size. */
const bigBody = Buffer.alloc(2 ** 20, 97);
const sessions = new Set<ServerHttp2Session>();

const note = (event: "begin" | "end", id: string, method: string) => writeSync(journal, `${event} ${id} ${method} ${now()}\n`);

type Incoming = IncomingMessage | Http2ServerRequest;
type Outgoing = ServerResponse | Http2ServerResponse;

const handle = (request: Incoming, response: Outgoing): void => {
  const id = String(request.headers["x-id"] ?? "?");
  const method = request.method ?? "?";
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (text: string) => {
    body += text;
  });
  request.on("error", () => {});
  response.on("error", () => {});
  request.on("end", () => {
    // Node ends a stream that was reset, too.
    if ((request as Partial<Http2ServerRequest>).stream?.rstCode) return;
    note("begin", id, method);
    const { delayMs = 3, answers = [], slowShare = 0, slowMs = 0 } = behaviour;
    const isGood = method === "GET" || body === uploadFor(id, Number(request.headers["x-upload-bytes"] ?? 0));
    const special = drawn(answers, random());
    const wait = random() < slowShare ? slowMs : delayMs;
    setTimeout(() => {
      const status = isGood ? (special?.status ?? 200) : 400;
      if (status === 200) note("end", id, method);
      const headers = { "x-id": id, "x-instance": config.name, ...special?.headers };
      const plain = response as ServerResponse;
      plain.writeHead(status, headers);
      plain.end(request.url === "/big" ? bigBody : bodyFor(id));
    }, wait);
  });
};

let { tls } = config;
const isH2 = config.protocol === "h2c";
const server = isH2
  ? createH2cServer(handle)
  : config.tls !== undefined
    ? createTlsServer({ ...tlsOptions(config.tls), keepAliveTimeout: 65_000 }, (request, response) => {
        if (isTooOld(request)) response.writeHead(403).end();
        else handle(request, response);
      })
    : createServer({ keepAliveTimeout: config.keepAliveMs ?? 65_000 }, await listenerOf(config.serve?.framework ?? "node", handle));
if (isH2) {
  server.on("session", (session: ServerHttp2Session) => {
    sessions.add(session);
    session.on("error", () => {});
    session.on("close", () => sessions.delete(session));
  });
}
server.listen(config.port, config.host, () => {
  const { port } = server.address() as AddressInfo;
  const joined = config.serve === undefined ? join(port) : serveIt(config.serve);
  void joined.then(() => process.send?.({ type: "listening", port }));
});

process.on("message", (order: InstanceOrder) => {
  if (order.type === "behave") behaviour = order.behaviour;
  if (order.type === "tls") changeTls(order.tls);
  if (order.type === "trust" && tls !== undefined) changeTls({ ...tls, ca: order.ca });
  if (order.type === "status") void current?.setStatus(order.status);
  if (order.type === "goaway") for (const session of sessions) leaveGracefully(session);
  process.send?.({ type: "done" });
});
// Ends with whoever started it, however that ends.
process.on("disconnect", () => process.exit());
if (config.end !== undefined) process.once("SIGTERM", () => void endByHand(config.end as HandmadeEnd));
// An instance that serves ends by itself.
if (config.serve !== undefined) process.channel?.unref();

function tlsOptions({ cert, key, ca }: InstanceTls) {
  return { cert, key, ca, requestCert: true, rejectUnauthorized: true };
}

function changeTls(next: InstanceTls): void {
  tls = next;
  (server as TlsServer).setSecureContext(tlsOptions(next));
}

/** Whether the certificate of a connection should have been replaced by now. */
function isTooOld({ socket }: IncomingMessage): boolean {
  const began = (socket as TLSSocket).getPeerX509Certificate()?.validFromDate.getTime() ?? 0;
  return Date.now() - began > (tls?.maxClientAgeMs ?? Number.POSITIVE_INFINITY);
}

/** The answer whose share of the requests this one falls into. */
function drawn(answers: NonNullable<Behaviour["answers"]>, draw: number): NonNullable<Behaviour["answers"]>[number] | undefined {
  let from = 0;
  for (const answer of answers) {
    from += answer.share;
    if (draw < from) return answer;
  }
  return undefined;
}

/** As RFC 9113 §6.8 wants it: first that nothing new should come, a round trip later which stream was the last. */
function leaveGracefully(session: ServerHttp2Session): void {
  session.goaway(0, 2 ** 31 - 1);
  setTimeout(() => session.close(), 100);
}

/** What a server calls for a request, as a framework has it. */
async function listenerOf(framework: "node" | "fastify" | "express", plain: typeof handle): Promise<RequestListener> {
  if (framework === "express") {
    const { default: express } = await import("express");
    return express().use((request, response) => plain(request, response));
  }
  if (framework === "fastify") {
    const { fastify } = await import("fastify");
    const app = fastify();
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", (_request, _payload, done) => done(null));
    app.all("*", (request, reply) => {
      reply.hijack();
      plain(request.raw, reply.raw);
    });
    await app.ready();
    return (request, response) => app.routing(request, response);
  }
  return plain;
}

/** Ends as programs do that have no `inmesh/server`. */
async function endByHand({ deregisters, waitMs }: HandmadeEnd): Promise<void> {
  if (deregisters) await current?.deregister();
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  server.close(() => process.exit());
}

/** Serves and registers by `inmesh/server`. What starts it hears of the first step of its end, as one that updates a DNS zone has to. */
async function serveIt({ framework: _framework, ...options }: ServeConfig): Promise<void> {
  const { createMesh, staticDiscovery } = await import("../../../src/index.ts");
  const { serve } = await import("../../../src/server/server.ts");
  const { registration } = config;
  const registrar = registration === undefined ? undefined : await registrarOf(registration);
  const mesh = createMesh({ discovery: staticDiscovery({}) });
  const serving = serve(server, {
    mesh,
    ...(registrar === undefined || registration === undefined
      ? {}
      : { register: { service: "shop", id: config.name, host: config.host, check: checkOf(registration), registrar } }),
    ...options,
  });
  serving.leaving.addEventListener("abort", () => {
    process.send?.({ type: "leaving" });
    // The channel must not end before the message has left.
    void serving.stop().then((report) => {
      process.channel?.ref();
      process.send?.({ type: "stopped", report }, () => process.channel?.unref());
    });
  });
  await serving.started;
}

// Only where it is needed: most instances register nowhere, and start sooner without.
async function registrarOf(registration: RegistrationConfig): Promise<Registrar> {
  return registration.kind === "consul"
    ? (await import("../../../src/registries/consul.ts")).consul(registration.options)
    : (await import("../../../src/registries/eureka.ts")).eureka(registration.options);
}

function checkOf({ ttlMs }: RegistrationConfig): HealthCheck {
  return { type: "ttl", ...(ttlMs === undefined ? {} : { ttlMs }) };
}

/** Registers itself where it is told to, and stays registered until it is killed. */
async function join(port: number): Promise<void> {
  const { registration } = config;
  if (registration === undefined) return;
  const registrar = await registrarOf(registration);
  const check = checkOf(registration);
  const registered = registrar.register({ service: "shop", id: config.name, host: config.host, port, check }).then(
    (registration) => {
      current = registration;
    },
    (error: unknown) => console.error(error),
  );
  if (registration.mayWait !== true) await registered;
}
