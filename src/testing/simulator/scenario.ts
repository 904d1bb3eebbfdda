import type { Clock, Random } from "../../core/clock.ts";
import type { CallOptions } from "../../core/dispatch.ts";
import type { MeshOptions } from "../../mesh/mesh-options.ts";
import type { ServiceOptions } from "../../mesh/service-options.ts";

/** Servers, and clients that call them for some time, for {@link simulate}. */
export interface Scenario {
  /** Name of the result. @default "simulation" */
  readonly name?: string;
  readonly servers: readonly SimulatedServer[];
  /** Times at which calls begin, whether or not earlier ones have ended. Each call is made by a client chosen at random. */
  readonly arrivals: Arrivals;
  /** Time in which calls begin, in milliseconds, above 0. */
  readonly durationMs: number;
  /** Time after that in which calls may still end, in milliseconds; calls that have not ended by then have failed. @default 60000 */
  readonly drainMs?: number;
  /** Number of calling processes, 1 or more. Each has a mesh of its own and knows nothing of the others. @default 1 */
  readonly clients?: number;
  /** Kinds of requests, drawn in proportion to their `share`. @default one GET of / */
  readonly requests?: readonly SimulatedRequest[];
  /** Options of the clients: picker, retry, breaker, time limits. A function makes those of each client, with seeded random numbers. */
  readonly options?: SimulatedOptions | ((client: SimulatedClient) => SimulatedOptions);
  /** Whether a status is a success. @default below 400 */
  readonly isSuccess?: (status: number) => boolean;
  /** Seed of all random numbers, 0 or more: the same scenario and seed give the same result. @default 1 */
  readonly seed?: number;
  /**
   * Whose random numbers decide about errors and latencies. `request`: each attempt of a call has its own, so that a call has the same luck
   * at whatever server, and with whatever picker. `server`: the servers'. @default "server"
   */
  readonly chance?: "server" | "request";
  /** Number of parts of the result's `timeline`, 0 to 10000; 0 = no timeline. @default 60 */
  readonly timelineParts?: number;
}

/** Options of the mesh of a simulated client: those of `createMesh` that do not concern connections. */
export interface SimulatedOptions extends Omit<ServiceOptions, "healthCheck" | "protocol">, Pick<MeshOptions, "zone"> {}

/** The rate of calls, of all clients together. */
export interface Arrivals {
  /** Calls per second, or phases with different rates, in the order of time. */
  readonly ratePerSecond: number | readonly RatePhase[];
  /** `poisson`: at random times, as from many independent users. `uniform`: at equal distances. @default "poisson" */
  readonly spacing?: "poisson" | "uniform";
}

/** A rate of calls from one time on, until the next phase begins. */
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
  /** Number of such requests in proportion to the others, 0 or more. @default 1 */
  readonly share?: number;
  /** Number of different keys, 1 or more, of which each call draws one as its `hashKey`, for pickers that hash. @default no key */
  readonly keys?: number;
  /** Options of the call; `init.mesh`. */
  readonly options?: CallOptions;
}

/** One of the calling processes, for a function that makes its options. */
export interface SimulatedClient {
  /** From 0. */
  readonly index: number;
  /** Virtual time. */
  readonly clock: Clock;
  /** Seeded random numbers of this client. */
  readonly random: Random;
}

/** A server, or several alike. */
export interface SimulatedServer {
  /** Its id. @default "server-1", … */
  readonly name?: string;
  /** Number of servers like this, named `name-1`, …, each with its own queue and random numbers. @default 1, without a number in the name */
  readonly copies?: number;
  readonly zone?: string;
  readonly weight?: number;
  readonly priority?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Time from which discovery lists it. @default 0 */
  readonly listedFromMs?: number;
  /** Time from which discovery no longer lists it. @default never */
  readonly listedUntilMs?: number;
  /** Number of requests that it works on at a time, 1 or more; others wait, first come first served. @default no limit */
  readonly workers?: number;
  /** Number of requests that may wait; further ones are answered with 503 at once. @default no limit */
  readonly queue?: number;
  /**
   * Answers load probes (`/.inmesh/load`) within a millisecond, outside of its queue, and reports its load in each response
   * (`endpoint-load-metrics`). Load probes are not counted. @default false
   */
  readonly reportsLoad?: boolean;
  /** Its answers, or phases with different answers, in the order of time. Before the first phase it refuses connections. */
  readonly answers: ServerPhase | readonly ServerPhase[];
}

/** The answers of a server from one time on. */
export interface ServerPhase extends ServerAnswer {
  /** @default 0 */
  readonly fromMs?: number;
  /** Other answers for single paths. */
  readonly paths?: Readonly<Record<string, ServerAnswer>>;
}

/** The answers of a server. */
export interface ServerAnswer {
  /** Time that a worker spends on a request, in milliseconds. @default 10 */
  readonly latencyMs?: Latency;
  /** Status of the response, 200 to 599; a function is called when the work is done. @default 200 */
  readonly status?: number | ((moment: ServerMoment) => number);
  /** Headers of the response; a function is called when the work is done. @default none */
  readonly headers?: Readonly<Record<string, string>> | ((moment: ServerMoment) => Readonly<Record<string, string>>);
  /** Fault of every request, or of those for which the function, called on arrival, returns one. @default none */
  readonly fault?: ServerFault | ((moment: ServerMoment) => ServerFault | undefined);
  /** Makes a part of the requests end in an error; of several kinds each takes its part of those that the kinds before it have left. @default none */
  readonly errors?: ServerErrors | readonly ServerErrors[];
}

/** A random part of the requests that ends in an error. */
export interface ServerErrors {
  /** Share of the requests, 0 to 1. */
  readonly ratio: number;
  /** Status of the response, 200 to 599. @default 500 */
  readonly status?: number;
  /** Fault in place of a response. @default none */
  readonly fault?: ServerFault;
  /** Time that a worker spends on such a request, in milliseconds. @default that of the others */
  readonly latencyMs?: Latency;
}

/** A time in milliseconds: constant, uniformly distributed between two bounds, exponentially distributed, or computed. */
export type Latency = number | readonly [fromMs: number, toMs: number] | ExponentialLatency | ((moment: ServerMoment) => number);

/** An exponentially distributed time, as of a server whose work varies much. */
export interface ExponentialLatency {
  /** Mean of the random part, in milliseconds. */
  readonly exponentialMs: number;
  /** Constant part, in milliseconds. @default 0 */
  readonly leastMs?: number;
}

/**
 * `refuse`: no connection, after a millisecond. `unreachable`: no connection, after a second, as with `connectTimeoutMs`.
 * `reset`: the connection is lost `latencyMs` after the request has been sent. `hang`: there is never a response.
 */
export type ServerFault = "refuse" | "unreachable" | "reset" | "hang";

/** A server at one point in time, for functions in a scenario. */
export interface ServerMoment {
  /** Time since the simulation began, in milliseconds. */
  readonly nowMs: number;
  /** Number of requests at the server, waiting ones and this one included. */
  readonly inFlight: number;
  /** Number of requests that arrived before this one. */
  readonly before: number;
  readonly method: string;
  readonly path: string;
  /** Seeded random numbers of the server, or of the attempt: see `chance`. */
  readonly random: Random;
}
