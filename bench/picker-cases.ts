import type { Picker } from "../src/balancer/picker.ts";
import type { MeshRequest } from "../src/core/dispatch.ts";
import type { Upstream } from "../src/core/upstream.ts";
import { localResponse } from "../src/extend.ts";
import { adaptive, leastRequest, maglev, peakEwma, prequal, random, ringHash, roundRobin, weighted } from "../src/index.ts";
import { testRequest, testUpstream } from "../src/testing/index.ts";

/** A picker and its conditions, by a name that says what is special: "differ" = weights differ, "unknown" = nothing is learnt, "fail" = some instances answer 503. */
export interface PickerCase {
  readonly name: string;
  create(): Picker;
  /** Bounds of a pick in nanoseconds, by number of endpoints; `any` for every number. */
  readonly maxNanos?: Readonly<Record<number | "any", number | undefined>>;
}

const any = (nanos: number) => ({ any: nanos });

export const pickerCases: readonly PickerCase[] = [
  { name: "roundRobin", create: () => roundRobin(), maxNanos: any(60) },
  { name: "random, equal", create: () => random(), maxNanos: any(60) },
  { name: "random, weights differ", create: () => random() },
  { name: "weighted, equal", create: () => weighted(), maxNanos: any(300) },
  { name: "weighted, weights differ", create: () => weighted(), maxNanos: any(300) },
  { name: "weighted, reported", create: () => weighted({ by: "reported", blackoutMs: 0 }), maxNanos: any(300) },
  { name: "leastRequest, of 2", create: () => leastRequest(), maxNanos: any(60) },
  { name: "leastRequest, weights differ", create: () => leastRequest() },
  { name: "peakEwma, of 2", create: () => peakEwma() },
  { name: "adaptive, unknown", create: () => adaptive() },
  { name: "adaptive, learnt", create: () => adaptive(), maxNanos: { 20: 1_500, 10000: 2_000, any: undefined } },
  { name: "adaptive, learnt, some fail", create: () => adaptive() },
  { name: "adaptive, learnt, weights differ", create: () => adaptive() },
  { name: "prequal, unknown", create: () => prequal() },
  { name: "prequal, learnt", create: () => prequal({ maxProbeAgeMs: 1e9 }) },
  { name: "ringHash", create: () => ringHash(), maxNanos: { 10000: 300, any: undefined } },
  { name: "ringHash, balanceFactor 125", create: () => ringHash({ balanceFactor: 125 }), maxNanos: { 10000: 300, any: undefined } },
  { name: "maglev", create: () => maglev(), maxNanos: { 10000: 300, any: undefined } },
  { name: "maglev, balanceFactor 125", create: () => maglev({ balanceFactor: 125 }), maxNanos: { 10000: 300, any: undefined } },
];

/** Endpoints that differ in weight where the case says so. */
export function upstreamsFor({ name }: Pick<PickerCase, "name">, count: number): Upstream[] {
  const weightOf = (index: number) => (name.includes("differ") ? 1 + (index % 7) : 1);
  return Array.from({ length: count }, (_, index) =>
    testUpstream({ host: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, weight: weightOf(index) }),
  );
}

const request = testRequest({ path: "/users/42" });

/** The requests of the picks, in turn; each has its own key where the picker hashes. */
export function requestsFor({ name }: Pick<PickerCase, "name">): readonly MeshRequest[] {
  const hasKeys = /^(ringHash|maglev)/.test(name);
  return Array.from({ length: 1_024 }, (_, index) => (hasKeys ? testRequest({ options: { hashKey: `user-${index}` } }) : request));
}

/** Reports one answer of each instance to the picker. */
export function teach({ name }: Pick<PickerCase, "name">, picker: Picker, upstreams: readonly Upstream[]): void {
  if (name.includes("unknown") || picker.onAttempt === undefined) return;
  picker.pick(upstreams, request);
  for (const [index, upstream] of upstreams.entries()) {
    const report = `TEXT cpu_utilization=0.${1 + (index % 7)},rps_fractional=100,named_metrics.rif=${index % 5},named_metrics.latency_ms=5`;
    const learner = picker.onAttempt(upstream, request);
    learner?.onHead(localResponse(name.includes("fail") && index % 4 === 0 ? 503 : 200, "", { "endpoint-load-metrics": report }));
    learner?.onEnd(undefined);
  }
}
