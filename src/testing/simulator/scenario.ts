import type { Clock, Random } from "../../core/clock.ts";
import type { CallOptions } from "../../core/dispatch.ts";
import type { MeshOptions } from "../../mesh/mesh-options.ts";
import type { ServiceOptions } from "../../mesh/service-options.ts";

/** What {@link simulate} plays: servers, and clients that call them for some time. */
export interface Scenario {
  /** What it is called in the result. @default "simulation" */
  readonly name?: string;
  readonly servers: readonly SimulatedServer[];
  /** When calls begin; each is made by one of the clients, chosen at random. They begin whether or not earlier ones have ended. */
  readonly arrivals: Arrivals;
  /** How long calls arrive, in milliseconds. */
  readonly durationMs: number;
  /** How long what is under way then may still take, in milliseconds; what has not ended by then has failed. @default 60000 */
  readonly drainMs?: number;
  /** Processes that call, each with a mesh of its own which knows nothing of the others. @default 1 */
  readonly clients?: number;
  /** What is sent, drawn by `share`. @default one GET of / */
  readonly requests?: readonly SimulatedRequest[];
  /** Options of the clients: picker, retry, breaker, time limits. A function makes each client's own, with its seeded chance. */
  readonly options?: SimulatedOptions | ((client: SimulatedClient) => SimulatedOptions);
  /** Which statuses are a success. @default those below 400 */
  readonly isSuccess?: (status: number) => boolean;
  /** The same seed gives the same result. @default 1 */
  readonly seed?: number;
  /** In how many parts the time is cut for the result's `timeline`; 0 = none. @default 60 */
  readonly timelineParts?: number;
}

/** What the mesh of a simulated client is given: the options of `createMesh` that have no part in connections. */
export interface SimulatedOptions extends Omit<ServiceOptions, "healthCheck" | "protocol">, Pick<MeshOptions, "zone"> {}

/** How many calls there are, of all clients together. */
export interface Arrivals {
  /** Calls per second, or how many from when on. */
  readonly ratePerSecond: number | readonly RatePhase[];
  /** `poisson`: at random moments, as from many independent users. `uniform`: at equal distances. @default "poisson" */
  readonly spacing?: "poisson" | "uniform";
}

/** A rate that holds until the next one begins. */
export interface RatePhase {
  readonly fromMs: number;
  readonly ratePerSecond: number;
}

/** A kind of request. */
export interface SimulatedRequest {
  /** @default "GET" */
  readonly method?: string;
  /** @default "/" */
  readonly path?: string;
  /** How often it is sent, in proportion to the others. @default 1 */
  readonly share?: number;
  /** Draws a `hashKey` out of so many for each call, for pickers that hash. */
  readonly keys?: number;
  /** What the call says for itself; `init.mesh`. */
  readonly options?: CallOptions;
}

/** One of the processes that call, as `options` is told of it. */
export interface SimulatedClient {
  /** From 0. */
  readonly index: number;
  /** Virtual time. */
  readonly clock: Clock;
  /** This client's seeded chance. */
  readonly random: Random;
}

/** A server, or several that are alike. */
export interface SimulatedServer {
  /** Its id. @default "server-1", … */
  readonly name?: string;
  /** So many servers like this, named `name-1`, …, each with a queue and chance of its own. @default 1 */
  readonly copies?: number;
  readonly zone?: string;
  readonly weight?: number;
  readonly priority?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Discovery lists it from then on. @default 0 */
  readonly listedFromMs?: number;
  /** Discovery lists it no longer. @default it stays */
  readonly listedUntilMs?: number;
  /** Requests that it works on at a time; others wait their turn. @default all that come */
  readonly workers?: number;
  /** Requests that may wait; it answers 503 at once to those that find the queue full. @default no limit */
  readonly queue?: number;
  /**
   * It answers probes of its load (`/.inmesh/load`) within a millisecond, beside its queue, and says in each response how busy it is
   * (`endpoint-load-metrics`). Probes are counted nowhere. @default false
   */
  readonly reportsLoad?: boolean;
  /** How it answers, or how from when on. Before the first phase it refuses connections. */
  readonly answers: ServerPhase | readonly ServerPhase[];
}

/** How a server answers from one moment on. */
export interface ServerPhase extends ServerAnswer {
  /** @default 0 */
  readonly fromMs?: number;
  /** Other answers for some paths. */
  readonly paths?: Readonly<Record<string, ServerAnswer>>;
}

/** How a server answers. */
export interface ServerAnswer {
  /** How long it works on a request, in milliseconds. @default 10 */
  readonly latencyMs?: Latency;
  /** A function is asked when the work is done. @default 200 */
  readonly status?: number | ((moment: ServerMoment) => number);
  /** Headers of the response. */
  readonly headers?: Readonly<Record<string, string>> | ((moment: ServerMoment) => Readonly<Record<string, string>>);
  /** What goes wrong with every request, or with those for which the function says so when they come. */
  readonly fault?: ServerFault | ((moment: ServerMoment) => ServerFault | undefined);
  /** A part of the requests ends in an error. */
  readonly errors?: ServerErrors;
}

/** A part of the requests that ends in an error. */
export interface ServerErrors {
  /** 0–1. */
  readonly ratio: number;
  /** @default 500 */
  readonly status?: number;
  /** Instead of a status. */
  readonly fault?: ServerFault;
  /** @default that of the others */
  readonly latencyMs?: Latency;
}

/** A time in milliseconds: always the same, drawn evenly from two bounds, drawn from an exponential distribution, or computed. */
export type Latency = number | readonly [fromMs: number, toMs: number] | ExponentialLatency | ((moment: ServerMoment) => number);

/** An exponentially distributed time: what a server takes whose work varies much. */
export interface ExponentialLatency {
  /** The mean of it, in milliseconds. */
  readonly exponentialMs: number;
  /** Added to it. @default 0 */
  readonly leastMs?: number;
}

/**
 * `refuse`: no connection, after a millisecond. `unreachable`: no connection, after a second (`connectTimeoutMs`).
 * `reset`: the connection is lost after the request has been sent and `latencyMs` have gone. `hang`: no answer ever.
 */
export type ServerFault = "refuse" | "unreachable" | "reset" | "hang";

/** A server at one moment, for functions in a scenario. */
export interface ServerMoment {
  /** Since the simulation began. */
  readonly nowMs: number;
  /** Requests at the server, waiting ones and this one included. */
  readonly inFlight: number;
  /** Requests that had come before this one. */
  readonly before: number;
  readonly method: string;
  readonly path: string;
  /** The server's seeded chance. */
  readonly random: Random;
}
