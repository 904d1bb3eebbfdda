import { context, metrics, propagation, SpanKind, trace } from "@opentelemetry/api";
import { cpuMicros } from "./children.ts";

/**
 * The CPU of one call's records without a mesh, in µs: what the SDK takes for itself, since the mesh makes the same records with the same
 * attributes. `metrics`: three histograms; otherwise the span of an attempt and its headers.
 */
export async function bareSdkMicros(kind: "metrics" | "span", calls: number): Promise<number> {
  const record = kind === "metrics" ? threeRecords() : spanAndHeaders();
  return (
    (await cpuMicros(async () => {
      for (let call = 0; call < calls; call++) record(call);
    })) / calls
  );
}

function threeRecords(): (call: number) => void {
  const meter = metrics.getMeter("bare");
  const boundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
  const [calls, attempts, counts] = ["calls", "attempts", "counts"].map((name) =>
    meter.createHistogram(name, { advice: { explicitBucketBoundaries: boundaries } }),
  );
  const service = { "server.service.name": "users" };
  const ofCall = { ...service, "http.request.method": "GET", "inmesh.outcome": "success" };
  const ofAttempt = { ...service, "http.request.method": "GET", "server.address": "users", "http.response.status_code": 200 };
  return (call) => {
    attempts?.record((call % 100) / 1000, ofAttempt, context.active());
    calls?.record((call % 100) / 1000, ofCall, context.active());
    counts?.record(1, service, context.active());
  };
}

function spanAndHeaders(): () => void {
  const tracer = trace.getTracer("bare");
  return () => {
    const parent = context.active();
    const attributes = { "http.request.method": "GET", "server.address": "users", "url.full": "http://127.0.0.1/users/42" };
    const span = tracer.startSpan("GET", { kind: SpanKind.CLIENT, attributes }, parent);
    propagation.inject(trace.setSpan(parent, span), {});
    span.end();
  };
}
