import { type Child, startChild } from "./children.ts";
import { equalInstances } from "./equal-instances.ts";
import { type AttemptMade, type CallMade, type Load, type LoadReport, pickers } from "./instances-client.ts";
import type { Fault, Order } from "./instances-server.ts";
import { measuredVersion } from "./measured-node.ts";
import { atLeast, atMost, type BenchReport, type Bound, median, progress, progressDone } from "./report.ts";

/** What {@link instances} runs. */
export interface InstancesOptions {
  readonly rounds?: number | undefined;
  /** How long one instance is bad. @default 30 */
  readonly seconds?: number | undefined;
  /** The columns. The first one's bounds are judged. @default ["adaptive", "roundRobin"] */
  readonly pickers?: readonly string[] | undefined;
}

const instanceCount = 10;
const bad = 0;
const perSecond = 250;
const warmUpSeconds = 5;
/** The mesh's default of `attemptTimeoutMs`, which an attempt at a black hole takes. */
const attemptTimeoutMs = 2_000;
const maxControlMs = 15;
const faults: readonly Exclude<Fault, "none" | "work">[] = ["slow", "500", "503", "reset", "black hole"];

/** The figures of one run, beside those of a run without a fault at the same time. */
interface Finding {
  readonly calls: number;
  readonly success: number;
  readonly p99Ms: number;
  readonly p99ControlMs: number;
  readonly p99Ratio: number;
  readonly attemptsPerCall: number;
  readonly toBad: number;
  /** The most attempts that the failing instance held at a time, once the first could have timed out. */
  readonly heldByBad: number;
}

/** Measures calls to real instances, one of which begins to fail; the mesh has its defaults but for the picker. */
export async function instances({
  rounds = 1,
  seconds = 30,
  pickers: names = ["adaptive", "roundRobin"],
}: InstancesOptions = {}): Promise<BenchReport> {
  const wrong = names.find((name) => !Object.hasOwn(pickers, name));
  if (wrong !== undefined) {
    throw new Error(`no picker is called ${JSON.stringify(wrong)}; there are: ${Object.keys(pickers).join(", ")}`);
  }
  const findings = new Map<string, Finding[]>();
  const judged = names[0] as string;
  const equals: Bound[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      for (const fault of faults) {
        for (const name of names) {
          progress("instances", `${fault}, ${name}, round ${round + 1} of ${rounds}`);
          const found = await measure(name, fault, seconds);
          findings.set(rowName(fault, name), [...(findings.get(rowName(fault, name)) ?? []), found]);
        }
      }
    }
    equals.push(...(await equalInstances(judged)));
  } finally {
    progressDone();
  }
  const of = (fault: Fault, name: string, field: keyof Finding): number =>
    median((findings.get(rowName(fault, name)) as Finding[]).map((finding) => finding[field]));
  const controls = faults.map((fault) => of(fault, judged, "p99ControlMs"));
  return {
    bench: "instances",
    about: `GETs at ${perSecond} per second to ${instanceCount} real instances that answer in 4 ms ± 25 %; after ${warmUpSeconds} s one of them is bad for ${seconds} s. The control has other instances, none of them bad, and runs at the same time. Below, three equal instances that are processes of their own`,
    node: measuredVersion(),
    rounds,
    columns: [
      "one of 10, picker",
      "success %",
      "p99 ms",
      "control p99 ms",
      "× control",
      "attempts per call",
      "% to the bad one",
      "it holds",
    ],
    rows: faults.flatMap((fault) =>
      names.map((name) => [
        rowName(fault, name),
        100 * of(fault, name, "success"),
        of(fault, name, "p99Ms"),
        of(fault, name, "p99ControlMs"),
        of(fault, name, "p99Ratio"),
        of(fault, name, "attemptsPerCall"),
        100 * of(fault, name, "toBad"),
        of(fault, name, "heldByBad"),
      ]),
    ),
    bounds: [
      // Calls that wait for a processor are slow because of the machine and not because of the picker.
      atMost("the control's p99 in ms: above it the machine is too busy to judge by", Math.max(...controls), maxControlMs),
      ...boundsOf((fault, field) => of(fault, judged, field)),
      ...equals,
    ],
    ratios: { [`mesh p99 with a slow instance × without, ${judged}`]: of("slow", judged, "p99Ratio") },
  };
}

function boundsOf(of: (fault: Fault, field: keyof Finding) => number): readonly Bound[] {
  return [
    atMost("50 times slower: p99 × the control's", of("slow", "p99Ratio"), 1.25),
    atLeast("instant 500s, which are not retried: success %", 100 * of("500", "success"), 99.8),
    atLeast("instant 503s: success %", 100 * of("503", "success"), 99.9),
    atMost("instant 503s: attempts per call", of("503", "attemptsPerCall"), 1.05),
    atLeast("resets: success %", 100 * of("reset", "success"), 99.9),
    atMost("resets: attempts per call", of("reset", "attemptsPerCall"), 1.05),
    atLeast("black hole: success %", 100 * of("black hole", "success"), 99.9),
    atMost("black hole: attempts it holds after one attempt timeout", of("black hole", "heldByBad"), 1),
  ];
}

function rowName(fault: Fault, name: string): string {
  return `${fault}, ${name}`;
}

type Instances = Child<Order, readonly number[]>;
type Client = Child<Load, LoadReport>;

async function measure(picker: string, fault: Fault, seconds: number): Promise<Finding> {
  await using stack = new AsyncDisposableStack();
  const start = async (): Promise<{ readonly server: Instances; readonly client: Client }> => {
    const server = stack.use(await startChild<Order, readonly number[]>("instances-server.ts", [String(instanceCount)]));
    return { server, client: stack.use(await startChild<Load, LoadReport>("instances-client.ts", [picker, ...server.ready.map(String)])) };
  };
  const faulty = await start();
  const control = await start();
  const load: Load = { perSecond, seconds: warmUpSeconds + seconds };
  const reports = Promise.all([faulty.client.ask(load), control.client.ask(load)]);
  await new Promise((resolve) => setTimeout(resolve, warmUpSeconds * 1_000));
  await faulty.server.ask({ instance: bad, fault });
  const since = performance.timeOrigin + performance.now();
  const [report, controlReport] = await reports;
  if (controlReport.failure !== undefined) throw new Error(`without any fault calls fail, too: ${controlReport.failure}`);
  const calls = report.calls.filter(({ at }) => at >= since);
  const attempts = report.attempts.filter(({ at }) => at >= since);
  const toBad = attempts.filter(({ port }) => port === faulty.server.ready[bad]);
  const p99Ms = p99(calls);
  const p99ControlMs = p99(controlReport.calls.filter(({ at }) => at >= since));
  return {
    calls: calls.length,
    success: calls.filter(({ isGood }) => isGood).length / calls.length,
    p99Ms,
    p99ControlMs,
    p99Ratio: p99Ms / p99ControlMs,
    attemptsPerCall: attempts.length / calls.length,
    toBad: toBad.length / attempts.length,
    // Attempts of the first moments may still be ending then: a timer of 2 s is not exact.
    heldByBad: mostAtATime(toBad.filter(({ at }) => at >= since + attemptTimeoutMs)),
  };
}

function p99(calls: readonly CallMade[]): number {
  const sorted = calls.map(({ ms }) => ms).sort((a, b) => a - b);
  return sorted[Math.floor(0.99 * sorted.length)] ?? 0;
}

function mostAtATime(attempts: readonly AttemptMade[]): number {
  const turns = attempts.flatMap(({ at, ms }) => [
    { at, change: 1 },
    { at: at + ms, change: -1 },
  ]);
  turns.sort((a, b) => a.at - b.at || a.change - b.change);
  let count = 0;
  let most = 0;
  for (const { change } of turns) {
    count += change;
    most = Math.max(most, count);
  }
  return most;
}
