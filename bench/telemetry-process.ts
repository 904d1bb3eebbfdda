// A process: node telemetry-process.ts MODE. Answers with the CPU of a call through the pipeline without a socket.
import { AlwaysOffSampler, AlwaysOnSampler } from "@opentelemetry/sdk-trace";
import type { Dispatch, MeshRequest } from "../src/core/dispatch.ts";
import { Catalogue } from "../src/discovery/catalogue.ts";
import { localResponse, systemClock } from "../src/extend.ts";
import { fetchThrough } from "../src/fetch/fetch.ts";
import { openTelemetry, staticDiscovery } from "../src/index.ts";
import { callPipeline } from "../src/mesh/pipeline.ts";
import { Service } from "../src/mesh/service.ts";
import { Observers } from "../src/telemetry/observing/observers.ts";
import { prometheus } from "../src/telemetry/prometheus.ts";
import type { Transport } from "../src/wire/transport.ts";
import { bareSdkMicros } from "./bare-sdk.ts";
import { answerParent, cpuMicros } from "./children.ts";
import { registerSdk } from "./register-sdk.ts";

/** The SDKs that are registered, and the observer of the mesh. */
export type TelemetryMode =
  | "no observer"
  | "no SDK"
  | "metrics"
  | "traces, sampled out"
  | "traces, sampled in"
  | "metrics and traces, sampled in"
  | "inmesh/prometheus"
  | "the SDK alone, metrics"
  | "the SDK alone, traces, sampled out";

const body = new TextEncoder().encode("{}");

/** Answers at once, in the place of the wire, and records the attempt as the real transport does. */
const answer: Dispatch = async (request: MeshRequest) => {
  request.attempts.push({
    endpoint: request.upstream?.id,
    address: request.upstream?.address,
    phase: "body",
    status: 200,
    ms: 1,
    maybeExecuted: true,
  });
  return { ...localResponse(200, body), upstream: request.upstream };
};

if (import.meta.main) {
  const mode = process.argv[2] as TelemetryMode;
  const sampler = mode.includes("sampled in") ? new AlwaysOnSampler() : new AlwaysOffSampler();
  registerSdk({ metrics: mode.includes("metrics"), traces: mode.includes("traces"), sampler });
  // The service has all its layers; its transport has two methods of the real one.
  const transport = { dispatch: () => answer, release() {} } as unknown as Transport;
  const discovery = staticDiscovery({ users: [{ host: "127.0.0.1", port: 80 }] });
  const observers = new Observers(mode === "no observer" ? [] : [mode === "inmesh/prometheus" ? prometheus() : openTelemetry()]);
  const service = new Service("users", {}, [], {
    discovery,
    catalogue: new Catalogue(discovery, systemClock),
    transport,
    observers,
    clock: systemClock,
    random: Math.random,
  });
  const send = callPipeline({
    observers,
    clock: systemClock,
    limitOf: () => 10_000,
    interceptors: [],
    route: (request, receiver) => service.send(request, receiver),
  });
  const edge = { decode: { maxRatio: 100, maxBytes: false as const }, clock: systemClock };
  const bare = mode.startsWith("the SDK alone") ? (mode.endsWith("metrics") ? "metrics" : "span") : undefined;
  answerParent<number, number>(0, async (calls) => {
    if (bare !== undefined) return bareSdkMicros(bare, calls);
    return (
      (await cpuMicros(async () => {
        for (let call = 0; call < calls; call++) await (await fetchThrough(send, () => edge, "users/users/42")).text();
      })) / calls
    );
  });
}
