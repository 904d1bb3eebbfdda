import { warnOfThrow } from "../../../core/observing/fence.ts";
import { quoted } from "../../../core/text/clean-text.ts";
import { answerOf } from "../answer-of.ts";
import type { InboundPart, InboundRequest } from "../inbound-request.ts";
import { LatencyByLoad } from "./latency-by-load.ts";
import type { LoadSettings } from "./load-options.ts";
import type { ProcessLoad } from "./process-load.ts";
import { type ReportedLoad, reportBytes } from "./report-bytes.ts";

/** Time for which the numbers beside those of requests in flight are used again, in milliseconds. */
const cacheMs = 100;
/** Named metrics of the program in a report, and characters of a name: a caller's mesh reads 64 of both kinds. */
const maxNamed = 32;
const metricName = /^[\w.-]{1,64}$/;
/** Part of the way to a new rate that the reported one goes with each sample. */
const smoothing = 0.5;

/** Counts requests, and reports the load of this instance. */
export class LoadPart implements InboundPart {
  readonly name = "load report";
  readonly #process: ProcessLoad;
  readonly #settings: LoadSettings;
  readonly #now: () => number;
  readonly #latencies = new LatencyByLoad();
  #inFlight = 0;
  #ended = 0;
  #failed = 0;
  #rps = 0;
  #eps = 0;
  #text = "";
  #textAt = Number.NEGATIVE_INFINITY;

  constructor(settings: LoadSettings, load: ProcessLoad, now: () => number) {
    this.#settings = settings;
    this.#process = load;
    this.#now = now;
    load.onSample((elapsedMs) => this.#sample(elapsedMs));
  }

  /** Requests that have come so far and have not ended, those in queues included. */
  get inFlight(): number {
    return this.#inFlight;
  }

  arrive(record: InboundRequest): boolean {
    this.#process.touch();
    record.inFlight = ++this.#inFlight;
    const { header } = this.#settings;
    if (header === "never") return false;
    const asked = record.header("endpoint-load-metrics-format");
    if (header === "always" || asked !== undefined) this.#answer(record, asked);
    return false;
  }

  /** Puts the report into a response, in the form that is asked for. */
  #answer(record: InboundRequest, asked: string | undefined): void {
    const { reply } = record;
    const given = asked?.trim().toLowerCase();
    // gRPC has but one form of it.
    const form = record.isRpc ? "bin" : given === "text" || given === "json" || given === "bin" ? given : this.#settings.format;
    if (form === "bin") reply.setHeader("endpoint-load-metrics-bin", reportBytes(this.report()));
    else reply.setHeader("endpoint-load-metrics", form === "json" ? this.json() : this.text());
  }

  leave(record: InboundRequest): void {
    this.#inFlight--;
    if (record.refusedBy !== undefined) return;
    const now = this.#now();
    this.#ended++;
    if (record.reply.statusCode >= 500) this.#failed++;
    this.#latencies.add(record.inFlight, now - record.startedAt, now);
  }

  /** The report as `TEXT …`. */
  text(): string {
    const now = this.#now();
    if (now - this.#textAt > cacheMs) {
      this.#textAt = now;
      const { named_metrics: named, ...scalars } = this.#slow();
      const pairs = [...Object.entries(scalars), ...Object.entries(named).map(([name, value]) => [`named_metrics.${name}`, value])];
      this.#text = `TEXT ${pairs.map(([name, value]) => `${name}=${value}`).join(", ")}`;
    }
    return `${this.#text}, named_metrics.rif=${this.#inFlight}, named_metrics.latency_ms=${rounded(this.#latencies.at(this.#inFlight))}`;
  }

  /** The report as `JSON …`. */
  json(): string {
    return `JSON ${JSON.stringify(this.report())}`;
  }

  /** The report. Requests for it are none of those in flight. */
  report(): ReportedLoad {
    const { named_metrics: named, ...scalars } = this.#slow();
    const latency = rounded(this.#latencies.at(this.#inFlight));
    return { ...scalars, named_metrics: { ...named, rif: this.#inFlight, latency_ms: latency } };
  }

  /**
   * The numbers that change slowly. The scarcest resource of a process of Node.js is the CPU of its container or the one thread of its event loop: which of them
   * is nearer to its end is `application_utilization`.
   */
  #slow(): ReportedLoad {
    const { cpu, eventLoop, lagMs } = this.#process;
    return {
      cpu_utilization: rounded(cpu),
      application_utilization: rounded(Math.max(cpu, eventLoop)),
      rps_fractional: rounded(this.#rps),
      eps: rounded(this.#eps),
      named_metrics: { ...this.#named(), event_loop_lag_ms: rounded(lagMs) },
    };
  }

  /** The metrics of the program, without those that are no finite number or have no name that a report can carry. */
  #named(): Record<string, number> {
    const { metrics } = this.#settings;
    const named: Record<string, number> = {};
    if (metrics === undefined) return named;
    const what = "the function load.metrics";
    const given = answerOf({ what, ask: metrics, isAnswer: isRecord, wanted: "object with numbers" }, () => ({}));
    for (const [name, value] of Object.entries(given).slice(0, maxNamed)) {
      if (typeof value === "number" && Math.abs(value) <= 1e12 && metricName.test(name)) named[name] = rounded(value);
      else warnOfThrow(what, new TypeError(`${quoted(name)} is no metric that a report can carry, and was left out`));
    }
    return named;
  }

  #sample(elapsedMs: number): void {
    const follow = (rate: number, count: number): number => {
      const measured = (count * 1_000) / elapsedMs;
      return rate === 0 ? measured : rate + smoothing * (measured - rate);
    };
    this.#rps = follow(this.#rps, this.#ended);
    this.#eps = follow(this.#eps, this.#failed);
    this.#ended = 0;
    this.#failed = 0;
  }
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

function isRecord(given: unknown): given is Readonly<Record<string, unknown>> {
  return typeof given === "object" && given !== null && typeof (given as Partial<PromiseLike<unknown>>).then !== "function";
}
