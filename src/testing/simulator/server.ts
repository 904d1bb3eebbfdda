import type { Random } from "../../core/clock.ts";
import type { MeshRequest } from "../../core/dispatch.ts";
import type { Latency, ServerAnswer, ServerErrors, ServerFault, ServerMoment, ServerPhase, SimulatedServer } from "./scenario.ts";
import { probePath, ServerLoad } from "./server-load.ts";
import type { SimulatedClock } from "./simulated-clock.ts";

/** The sender of a request to a {@link Server}, which is told how it ends. */
export interface Caller {
  readonly request: MeshRequest;
  /** Random numbers of this attempt alone; without them those of the server are used. */
  readonly random: Random | undefined;
  onAnswer(status: number, headers: readonly string[]): void;
  onFault(fault: Exclude<ServerFault, "hang">): void;
}

/** A request at a server. */
export interface Job {
  readonly caller: Caller;
  readonly answer: ServerAnswer;
  /** `answer.errors`, when this request is one of those that end in an error. */
  readonly error: ServerErrors | undefined;
  readonly fault: ServerFault | undefined;
  /** Number of requests that arrived before this one. */
  readonly before: number;
  readonly atMs: number;
  /** Number of requests at the server when this one arrived, itself included. */
  inFlight: number;
  state: "new" | "waiting" | "working" | "over" | "given up";
}

const defaultLatencyMs = 10;
/** Time to a refused connection, in milliseconds. */
const refusedMs = 1;
/** Time to the answer of a load probe, which waits in no queue, in milliseconds. */
const probeMs = 1;
/** Time to a failed connection to an unreachable server, in milliseconds. */
const unreachableMs = 1_000;
/** Least length of the served part of the queue at which it is cut off. */
const minCut = 1_000;
const noHeaders: readonly string[] = Object.freeze([]);
const notStarted: ServerPhase = { fault: "refuse" };

/** One simulated server: a script, workers and a queue. */
export class Server {
  readonly name: string;
  /** Number of requests, refused connections included. */
  requests = 0;
  /** Number of requests that were answered with a status below 400. */
  successes = 0;
  maxInFlight = 0;
  readonly #clock: SimulatedClock;
  readonly #random: Random;
  readonly #phases: readonly ServerPhase[];
  readonly #workers: number;
  readonly #room: number;
  readonly #load: ServerLoad | undefined;
  #phase = -1;
  #inFlight = 0;
  #busy = 0;
  #waiting = 0;
  /** Waiting requests begin at `#head`: `shift` of a long array is slow. */
  #queue: Job[] = [];
  #head = 0;

  constructor(name: string, script: SimulatedServer, clock: SimulatedClock, random: Random) {
    const { answers, workers = Number.POSITIVE_INFINITY, queue = Number.POSITIVE_INFINITY } = script;
    this.name = name;
    this.#clock = clock;
    this.#random = random;
    this.#phases = phasesOf(answers);
    this.#workers = workers;
    this.#room = queue;
    this.#load = script.reportsLoad ? new ServerLoad() : undefined;
  }

  /** Whether `request` is a load probe: it is answered outside of the queue and not counted. */
  isProbe({ path }: MeshRequest): boolean {
    return this.#load !== undefined && path === probePath;
  }

  /** A request arrives. */
  accept(caller: Caller): Job {
    const { path } = caller.request;
    const phase = this.#phaseNow();
    const answer = phase.paths !== undefined && Object.hasOwn(phase.paths, path) ? (phase.paths[path] as ServerAnswer) : phase;
    const isProbe = this.isProbe(caller.request);
    const before = isProbe ? this.requests : this.requests++;
    // The first number of an attempt is that of its error, also where no error is possible: the next ones are the same at every server.
    const chance = caller.random !== undefined || answer.errors !== undefined ? this.#randomFor(caller)() : 1;
    const error = answer.errors === undefined ? undefined : errorOf(answer.errors, chance);
    const scripted = typeof answer.fault === "function" ? answer.fault(this.#momentOf(caller, before)) : answer.fault;
    const job: Job = { caller, answer, error, fault: error?.fault ?? scripted, before, atMs: this.#clock.now(), inFlight: 0, state: "new" };
    if (isProbe && job.fault === undefined) this.#answerProbe(job);
    else this.#admit(job);
    return job;
  }

  /** The caller has closed its connection. A request that is being worked on continues, as in real servers; one that waits or hangs is dropped. */
  giveUp(job: Job): void {
    const { state, fault } = job;
    if (state === "over" || state === "given up") return;
    job.state = "given up";
    if (state === "working" || fault === "refuse" || fault === "unreachable") return;
    this.#inFlight--;
    if (state === "waiting") this.#waiting--;
  }

  #admit(job: Job): void {
    const { fault } = job;
    if (fault === "refuse" || fault === "unreachable") {
      const refuse = () => {
        if (job.state === "given up") return;
        job.state = "over";
        job.caller.onFault(fault);
      };
      this.#clock.setTimer(refuse, fault === "refuse" ? refusedMs : unreachableMs);
      return;
    }
    job.inFlight = ++this.#inFlight;
    this.maxInFlight = Math.max(this.maxInFlight, job.inFlight);
    if (fault === "hang") return;
    if (this.#busy < this.#workers) this.#work(job);
    else if (this.#waiting < this.#room) {
      job.state = "waiting";
      this.#waiting++;
      this.#queue.push(job);
    } else {
      this.#end(job);
      job.caller.onAnswer(503, noHeaders);
    }
  }

  #answerProbe(job: Job): void {
    job.state = "working";
    this.#clock.setTimer(() => {
      if (job.state === "working") job.caller.onAnswer(200, this.#report());
      job.state = "over";
    }, probeMs);
  }

  #report(): readonly string[] {
    const utilisation = Number.isFinite(this.#workers) ? this.#busy / this.#workers : undefined;
    return this.#load?.header(this.#clock.now(), this.#inFlight, utilisation) ?? noHeaders;
  }

  #work(job: Job): void {
    job.state = "working";
    this.#busy++;
    this.#clock.setTimer(() => this.#finish(job), this.#drawMs(job));
  }

  #finish(job: Job): void {
    this.#busy--;
    const isGivenUp = job.state === "given up";
    // Before the request leaves: its status may depend on the requests in flight.
    const status = this.#statusOf(job);
    this.#load?.onEnd(this.#clock.now(), job.inFlight, this.#clock.now() - job.atMs, status >= 500);
    const headers = [...this.#headersOf(job), ...this.#report()];
    this.#end(job);
    if (!isGivenUp && job.fault === "reset") job.caller.onFault("reset");
    else if (!isGivenUp) {
      if (status < 400) this.successes++;
      job.caller.onAnswer(status, headers);
    }
    while (this.#busy < this.#workers && this.#head < this.#queue.length) {
      const next = this.#queue[this.#head++] as Job;
      if (next.state !== "waiting") continue;
      this.#waiting--;
      this.#work(next);
    }
    if (this.#head > minCut && 2 * this.#head > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }

  #end(job: Job): void {
    job.state = "over";
    this.#inFlight--;
  }

  #drawMs({ caller, answer, error, before }: Job): number {
    const latency: Latency = error?.latencyMs ?? answer.latencyMs ?? defaultLatencyMs;
    if (typeof latency === "number") return latency;
    if (typeof latency === "function") return latency(this.#momentOf(caller, before));
    if ("exponentialMs" in latency) return (latency.leastMs ?? 0) - latency.exponentialMs * Math.log(1 - this.#randomFor(caller)());
    return latency[0] + (latency[1] - latency[0]) * this.#randomFor(caller)();
  }

  #statusOf({ caller, answer, error, before }: Job): number {
    if (error !== undefined) return error.status ?? 500;
    const { status = 200 } = answer;
    return typeof status === "function" ? status(this.#momentOf(caller, before)) : status;
  }

  #headersOf({ caller, answer, before }: Job): readonly string[] {
    const { headers } = answer;
    if (headers === undefined) return noHeaders;
    const given = typeof headers === "function" ? headers(this.#momentOf(caller, before)) : headers;
    return Object.entries(given).flatMap(([name, value]) => [name.toLowerCase(), value]);
  }

  /** The phase at the present time. Phases are in the order of time: the search continues from the last one. */
  #phaseNow(): ServerPhase {
    while ((this.#phases[this.#phase + 1]?.fromMs ?? Number.POSITIVE_INFINITY) <= this.#clock.now()) this.#phase++;
    return this.#phases[this.#phase] ?? notStarted;
  }

  #momentOf(caller: Caller, before: number): ServerMoment {
    const { method, path } = caller.request;
    return { nowMs: this.#clock.now(), inFlight: this.#inFlight, before, method, path, random: this.#randomFor(caller) };
  }

  #randomFor({ random = this.#random }: Caller): Random {
    return random;
  }
}

/** The error of a request by its chance, 0 to 1: each kind takes its part of those that the kinds before it have left. */
function errorOf(errors: ServerErrors | readonly ServerErrors[], chance: number): ServerErrors | undefined {
  if (!isList(errors)) return chance < errors.ratio ? errors : undefined;
  let left = chance;
  for (const each of errors) {
    if (left < each.ratio) return each;
    left = (left - each.ratio) / (1 - each.ratio);
  }
  return undefined;
}

/** `Array.isArray` for lists that are only read. */
export function isList(errors: ServerErrors | readonly ServerErrors[]): errors is readonly ServerErrors[] {
  return Array.isArray(errors);
}

/** The phases of a script, each with the time at which it begins. */
export function phasesOf(answers: SimulatedServer["answers"]): readonly (ServerPhase & { readonly fromMs: number })[] {
  const phases = Array.isArray(answers) ? (answers as readonly ServerPhase[]) : [answers as ServerPhase];
  return phases.map((phase) => ({ ...phase, fromMs: phase.fromMs ?? 0 }));
}
