// A process: node inbound-process.ts CASE. Answers with the CPU of a request to a Fastify hello-world over connections that are in memory.
import { Duplex } from "node:stream";
import { context, metrics, propagation, ROOT_CONTEXT, SpanKind, trace } from "@opentelemetry/api";
import Fastify from "fastify";
import { createMesh, gradient2, openTelemetry, staticDiscovery } from "../src/index.ts";
import { type InboundOptions, serve } from "../src/server/server.ts";
import { prometheus } from "../src/telemetry/prometheus.ts";
import { answerParent, cpuMicros } from "./children.ts";
import { registerSdk } from "./register-sdk.ts";

/** The options of a case; `false`: the server is served without a middleware. */
const off = { health: false, deadline: false, trust: false, load: false } as const;
const everything: InboundOptions = {
  trust: { peers: ["192.0.2.0/24"] },
  concurrency: { maxInFlight: gradient2() },
  rateLimit: { perSecond: 1_000_000, burst: 1_000_000 },
  shedding: {},
  accessLog: { write() {} },
};

/** What each case has in front of its handler; `undefined`: nothing, not even `serve`. */
export const inboundCases = {
  "bare Fastify": undefined,
  "with serve": false,
  "no part on": off,
  "health and readiness": { ...off, health: {} },
  deadline: { ...off, deadline: true },
  trust: { ...off, trust: everything.trust as object },
  "load report": { ...off, load: {} },
  concurrency: { ...off, concurrency: everything.concurrency as object },
  "rate limit": { ...off, rateLimit: everything.rateLimit as object },
  shedding: { ...off, shedding: {} },
  "access log": { ...off, accessLog: everything.accessLog as object },
  "inmesh/prometheus": off,
  "SDK metrics": off,
  "SDK traces": off,
  "SDK metrics, own calls": undefined,
  "SDK traces, own calls": undefined,
  everything,
  "everything and inmesh/prometheus": everything,
} satisfies Record<string, InboundOptions | false | undefined>;

export type InboundCase = keyof typeof inboundCases;

const request = Buffer.from(
  "GET /hello HTTP/1.1\r\nhost: orders\r\naccept: */*\r\naccept-encoding: gzip\r\nuser-agent: bench\r\nx-request-id: 0123456789\r\n\r\n",
);
const connections = 16;
/** Parts of a turn. */
const parts = 10;

/** A connection of HTTP/1.1 in memory: it sends a request as soon as the one before is answered. No kernel is measured. */
class MemoryConnection extends Duplex {
  readonly remoteAddress = "10.1.2.3";
  readonly remotePort: number;
  bytesRead = 0;
  bytesWritten = 0;
  #left = 0;
  #done = (): void => {};

  constructor(remotePort: number) {
    super();
    this.remotePort = remotePort;
  }

  run(count: number): Promise<void> {
    this.#left = count;
    return new Promise((resolve) => {
      this.#done = resolve;
      this.push(request);
    });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#answered(chunk.length);
    done();
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    this.#answered(chunks.reduce((sum, { chunk }) => sum + chunk.length, 0));
    done();
  }

  setTimeout(): this {
    return this;
  }
  destroySoon(): void {
    this.destroy();
  }

  #answered(bytes: number): void {
    this.bytesWritten += bytes;
    this.#left--;
    if (this.#left === 0) this.#done();
    else
      setImmediate(() => {
        this.bytesRead += request.length;
        this.push(request);
      });
  }
}

if (import.meta.main) {
  const name = process.argv[2] as InboundCase;
  if (name.includes("SDK")) registerSdk({ metrics: name.includes("metrics"), traces: name.includes("traces") });
  const observers = name.includes("prometheus") ? [prometheus()] : name.includes("SDK") ? [openTelemetry()] : [];
  const mesh = createMesh({ discovery: staticDiscovery({}), observers });
  const app = Fastify();
  const hello = { hello: "world" };
  if (name === "SDK metrics, own calls") {
    const duration = metrics.getMeter("bench").createHistogram("http.server.request.duration");
    const set = { "http.request.method": "GET", "url.scheme": "http", "http.response.status_code": 200, "network.protocol.version": "1.1" };
    app.get("/hello", (_request, reply) => {
      duration.record(0.001, set);
      reply.send(hello);
    });
  } else if (name === "SDK traces, own calls") {
    // The calls that any instrumentation makes of a request: its caller's context, a span, and the handler within it.
    const tracer = trace.getTracer("bench");
    app.get("/hello", ({ raw }, reply) => {
      const parent = propagation.extract(ROOT_CONTEXT, raw.rawHeaders, { get: () => undefined, keys: () => [] });
      const span = tracer.startSpan(
        "GET",
        {
          kind: SpanKind.SERVER,
          attributes: {
            "http.request.method": "GET",
            "url.scheme": "http",
            "url.path": "/hello",
            "network.protocol.version": "1.1",
            "network.peer.address": "10.1.2.3",
            "user_agent.original": "bench",
          },
        },
        parent,
      );
      context.with(trace.setSpan(parent, span), () => reply.send(hello));
      span.setAttribute("http.response.status_code", 200);
      span.end();
    });
  } else app.get("/hello", (_request, reply) => void reply.send(hello));
  await app.listen({ port: 0, host: "127.0.0.1" });
  const inbound = inboundCases[name];
  if (inbound !== undefined) await serve(app, { mesh, signals: [], log: false, inbound }).started;
  const open = Array.from({ length: connections }, (_, index) => new MemoryConnection(10_000 + index));
  for (const connection of open) app.server.emit("connection", connection);
  answerParent<number, number>(0, async (requests) => {
    // The quickest of several parts: what else runs on the machine makes a part slower, and never quicker.
    const each = Math.ceil(requests / parts / connections);
    let least = Number.POSITIVE_INFINITY;
    for (let part = 0; part < parts; part++)
      least = Math.min(least, await cpuMicros(() => Promise.all(open.map((connection) => connection.run(each)))));
    return least / (each * connections);
  });
}
