// Makes calls with secrets in them and tells where they could have come out: a process of its own, whose output is looked at too.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { metrics as meters, trace } from "@opentelemetry/api";
import type { Discovery, Interceptor } from "../../src/extend.ts";
import { createMesh, type Mesh, openTelemetry } from "../../src/index.ts";
import { certificate } from "../support/certificate.ts";
import { type Canaries, calls, outcomeOf, refusedOptions, type Step, secureCalls } from "./calls.ts";
import { startInstances } from "./instances.ts";
import { registries } from "./registries.ts";
import { secrets } from "./secrets.ts";
import { sinksOf } from "./sinks.ts";

/** How a program is started, as JSON in its first argument. */
export interface Plan {
  /** Queries are recorded in spans, and everything else that can be. */
  readonly recordsAll: boolean;
  /** Shows a secret in every place, on purpose. */
  readonly leaks: boolean;
}

/** The report at the end. */
export interface Report {
  readonly outcomes: readonly { readonly name: string; readonly expected: string; readonly found: string }[];
  readonly sinks: readonly { readonly name: string; readonly marker: string; readonly text: string }[];
}

const { recordsAll, leaks }: Plan = JSON.parse(process.argv[2] ?? "{}");
const canaries: Canaries = {
  init: { headers: { authorization: `Bearer ${secrets.authorization}`, cookie: `session=${secrets.cookie}` } },
  // What is recorded on request is recorded without what usually is a secret.
  query: recordsAll ? `?id=7&access_token=${secrets.query}` : `?id=${secrets.query}`,
};
const instances = await startInstances();
const ports = { orders: instances.http, broken: instances.http, narrow: instances.http, gone: instances.closed, echo: instances.echo };
const securePorts = { sealed: instances.tls, streams: instances.http2 };

const directory = mkdtempSync(join(tmpdir(), "inmesh-canary-"));
process.on("exit", () => rmSync(directory, { recursive: true }));
const errors: unknown[] = [];
const sinks = sinksOf([...Object.keys({ ...ports, ...securePorts }), "nobody", "late"], errors, directory);
const texts = new Map(sinks.map(({ name }) => [name, ""]));
const outcomes: { name: string; expected: string; found: string }[] = [];

async function take({ name, outcome, run }: Step, mesh: Mesh): Promise<void> {
  const result = await run(mesh).catch((error: unknown) => {
    errors.push(error);
    // What most programs do with it.
    console.error(error);
    console.log(`${name}: ${error}`);
    return error;
  });
  outcomes.push({ name, expected: outcome, found: outcomeOf(result) });
}

/** Shows what a call is made with, in each way that there is. */
const leak: Interceptor = (next) => (request) => {
  const value = request.headers["authorization"] ?? "";
  console.log(value);
  console.error(Buffer.from(value));
  process.emitWarning(`sent ${value}`);
  errors.push(new Error("sent", { cause: { nested: { headers: request.headers } } }));
  trace.getTracer("inmesh").startSpan("leak", { attributes: { value } }).end();
  meters.getMeter("inmesh").createCounter("leak").add(1, { value });
  for (const sink of sinks) sink.leak?.(value);
  return next(request);
};

/** Instances that carry a secret. */
const giveAway = (discovery: Discovery): Discovery => ({
  ...discovery,
  async *watch(service, signal) {
    const metadata = { token: secrets.authorization };
    const zone = secrets.authorization;
    for await (const yielded of discovery.watch(service, signal)) {
      const { endpoints, certain } = "endpoints" in yielded ? yielded : { endpoints: yielded, certain: false };
      yield { endpoints: endpoints.map((endpoint) => ({ ...endpoint, metadata, zone })), certain };
    }
  },
});

async function readSinks(mesh: Mesh): Promise<void> {
  for (const { name, read } of sinks) texts.set(name, `${texts.get(name)}\n${await read(mesh)}`);
}

for (const [kind, start] of Object.entries(registries)) {
  const { discovery, break: breakDown } = await start(kind === "memory" ? { ...ports, ...securePorts } : ports);
  const mesh = createMesh({
    discovery: leaks ? giveAway(discovery) : discovery,
    observers: [
      openTelemetry({ callSpans: recordsAll, recordQuery: recordsAll, perEndpoint: recordsAll, perRoute: recordsAll }),
      ...sinks.flatMap(({ observer }) => observer ?? []),
      // One that throws is reported as a warning.
      {
        onCall() {
          throw new Error("a warning");
        },
      },
    ],
    // Only the services that are meant to have one open do.
    breaker: false,
    discoveryTimeoutMs: 500,
    drainTimeoutMs: 100,
    services: {
      broken: { breaker: { minCalls: 5 }, ejection: false, retry: false },
      narrow: { concurrency: { maxInFlight: 1, maxQueued: 0 }, retry: false },
      streams: { protocol: "h2", retry: false },
    },
    retry: { baseDelayMs: 1 },
    tls: { ca: certificate.cert, cert: certificate.cert, key: certificate.key },
    lastGoodDirectory: join(directory, kind),
    ...(leaks ? { interceptors: [leak] } : undefined),
  });
  for (const { begin } of sinks) await begin?.(mesh);
  for (const step of calls(canaries)) await take(step, mesh);
  if (kind === "memory") for (const step of [...secureCalls(canaries), ...refusedOptions]) await take(step, mesh);
  breakDown();
  const late = () => mesh.fetch(`late/200${canaries.query}`, canaries.init);
  await take({ name: `no ${kind}`, outcome: "ERR_MESH_NO_ENDPOINTS", run: late }, mesh);
  const register = () => mesh.register({ service: "orders", port: 1, host: "127.0.0.1" });
  await take({ name: `no registration with ${kind}`, outcome: "ERR_MESH_REGISTRATION", run: register }, mesh);
  if (leaks) Object.assign(mesh, { token: secrets.authorization });
  await readSinks(mesh);
  await mesh.close();
  await take({ name: "a closed mesh", outcome: "ERR_MESH_CLOSED", run: late }, mesh);
  await readSinks(mesh);
}

const report: Report = { outcomes, sinks: sinks.map(({ name, marker }) => ({ name, marker, text: texts.get(name) ?? "" })) };
await new Promise((resolve) => process.send?.(report, resolve));
// Connections to what it started would keep it for some seconds.
process.exit();
