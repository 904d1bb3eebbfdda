// A process: node picks-process.ts CASE ROUNDS. Answers with the time of a pick, and of the first pick after a change.
import type { Picker } from "../src/balancer/picker.ts";
import type { MeshRequest } from "../src/core/dispatch.ts";
import type { Upstream } from "../src/core/upstream.ts";
import { answerParent } from "./children.ts";
import { type PickerCase, pickerCases, requestsFor, teach, upstreamsFor } from "./picker-cases.ts";

/** The times of a picker at their lowest: interruptions by other work of the machine are not the picker's. */
export interface PickSample {
  /** Time of an array access in a loop like that of the picks, in nanoseconds. */
  readonly bareNanos: number;
  /** Times of a pick by number of endpoints, in nanoseconds. */
  readonly nanos: readonly number[];
  /** Time of the first pick from 10,000 new endpoints, and of the first after one of them has left or joined. */
  readonly buildMs: number;
  readonly changeMs: number;
}

/** Numbers of endpoints. */
export const sizes: readonly number[] = [3, 20, 100, 256, 10_000];
export const many = 10_000;
const batchMs = 2;
const warmUpMs = 30;
const builds = 8;
const changes = 16;

function fastest(rounds: number, call: () => unknown): number {
  nanosPerCall(call, warmUpMs);
  return Math.min(...Array.from({ length: rounds }, () => nanosPerCall(call, batchMs)));
}

function nanosPerCall(call: () => unknown, forMs: number): number {
  const startedAt = performance.now();
  const endAt = startedAt + forMs;
  let count = 0;
  while (performance.now() < endAt) {
    for (let index = 0; index < 200; index++) call();
    count += 200;
  }
  return ((performance.now() - startedAt) * 1e6) / count;
}

function pickNanos(each: PickerCase, requests: readonly MeshRequest[], size: number, rounds: number): number {
  const picker = each.create();
  const upstreams = upstreamsFor(each, size);
  picker.update?.(upstreams);
  teach(each, picker, upstreams);
  let call = 0;
  return fastest(rounds, () => picker.pick(upstreams, requests[call++ & 1_023] as MeshRequest));
}

function bareNanos(rounds: number): number {
  const values = Array.from({ length: 20 }, (_, index) => ({ index }));
  let call = 0;
  return fastest(rounds, () => values[call++ % values.length]);
}

/** Picks from new lists with warm code, as after a burst of changes. */
function updateMs(each: PickerCase, [request]: readonly MeshRequest[]): Pick<PickSample, "buildMs" | "changeMs"> {
  const first: number[] = [];
  const later: number[] = [];
  const timed = (picker: Picker, list: readonly Upstream[]): number => {
    const startedAt = performance.now();
    picker.update?.(list);
    picker.pick(list, request as MeshRequest);
    return performance.now() - startedAt;
  };
  for (let build = 0; build < builds; build++) {
    const picker = each.create();
    const upstreams = upstreamsFor(each, many);
    first.push(timed(picker, upstreams));
    teach(each, picker, upstreams);
    for (let change = 0; change < changes; change++)
      later.push(timed(picker, change % 2 === 0 ? upstreams.toSpliced(change * 101, 1) : [...upstreams]));
  }
  return { buildMs: Math.min(...first), changeMs: Math.min(...later) };
}

if (import.meta.main) {
  const [name = "", rounds] = process.argv.slice(2);
  const each = pickerCases.find((candidate) => candidate.name === name);
  if (each === undefined) throw new Error(`no case is called ${JSON.stringify(name)}`);
  const requests = requestsFor(each);
  const nothing: PickSample = { bareNanos: 0, nanos: [], buildMs: 0, changeMs: 0 };
  answerParent<"measure", PickSample>(nothing, async () => ({
    bareNanos: bareNanos(Number(rounds)),
    nanos: sizes.map((size) => pickNanos(each, requests, size, Number(rounds))),
    ...updateMs(each, requests),
  }));
}
