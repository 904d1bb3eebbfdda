import type { Random } from "../../core/clock.ts";
import type { Dispatch } from "../../core/dispatch.ts";
import { isMeshError } from "../../core/errors.ts";
import { meshRequest } from "../../core/mesh-request.ts";
import { dispatchOf } from "../../core/stages/stage.ts";
import { Catalogue } from "../../discovery/catalogue.ts";
import type { Discovery } from "../../discovery/discovery.ts";
import type { ServiceContext } from "../../mesh/live/service-context.ts";
import { checkMeshOptions } from "../../mesh/mesh-options.ts";
import { callPipeline } from "../../mesh/pipeline.ts";
import { Service } from "../../mesh/service.ts";
import type { ServiceOptions } from "../../mesh/service-options.ts";
import { timeoutOption } from "../../policies/deadline.ts";
import { Observers } from "../../telemetry/observing/observers.ts";
import { seededRandom } from "../seeded-random.ts";
import { type Arrival, arrivalsOf } from "./arrivals.ts";
import { ChanceOfCalls } from "./chance-of-calls.ts";
import { checkScenario } from "./check-scenario.ts";
import { nameServers, scriptedDiscovery } from "./listing.ts";
import type { SimulationResult } from "./result.ts";
import { ResultBuilder } from "./result-builder.ts";
import type { Scenario, SimulatedOptions } from "./scenario.ts";
import { Server } from "./server.ts";
import { SimulatedClock } from "./simulated-clock.ts";
import { simulatedTransport } from "./simulated-transport.ts";

const service = "simulated";
const noHeaders = Object.freeze(Object.create(null) as Record<string, string>);

/**
 * Plays a scenario in virtual time: the mesh's own balancer, pickers, retries, breakers and time limits against simulated
 * servers. Nothing sleeps and no socket is opened; the same scenario and seed give the same result to the byte.
 * @throws TypeError or RangeError naming the field and the value, for an invalid scenario
 * @throws whatever a function of the scenario throws
 */
export async function simulate(scenario: Scenario): Promise<SimulationResult> {
  checkScenario(scenario);
  return new Simulation(scenario).run();
}

/** One run of a scenario. */
class Simulation {
  readonly #scenario: Scenario;
  readonly #seed: number;
  readonly #clock = new SimulatedClock();
  readonly #isSuccess: (status: number) => boolean;
  readonly #servers: ReadonlyMap<string, Server>;
  readonly #clients: readonly SimulatedCaller[];
  readonly #arrivals: Iterator<Arrival, void>;
  readonly #chance: ChanceOfCalls | undefined;
  readonly #result: ResultBuilder;
  #hasMoreArrivals = true;
  /** An error thrown by a function of the scenario: a mistake in the scenario, not a failure of a call. */
  #broken: { readonly error: unknown } | undefined;

  constructor(scenario: Scenario) {
    const { seed = 1, chance = "server", clients = 1, requests = [{}], isSuccess = (status) => status < 400 } = scenario;
    const { arrivals, durationMs, timelineParts = 60 } = scenario;
    this.#scenario = scenario;
    this.#seed = seed;
    this.#isSuccess = isSuccess;
    this.#chance = chance === "request" ? new ChanceOfCalls(seed) : undefined;
    const nextRandom = randomsOf(seed);
    const random = nextRandom();
    const named = nameServers(scenario.servers);
    this.#servers = new Map(named.map(({ name, script }) => [name, new Server(name, script, this.#clock, nextRandom())] as const));
    this.#result = new ResultBuilder({ servers: [...this.#servers.values()], clients, durationMs, timelineParts });
    const discovery = scriptedDiscovery(named, this.#clock);
    this.#clients = Array.from({ length: clients }, (_, index) => this.#clientAt(index, discovery, nextRandom()));
    this.#arrivals = arrivalsOf({ arrivals, durationMs, clients, requests, random });
  }

  /** Plays the whole scenario; once only. */
  async run(): Promise<SimulationResult> {
    const { name = "simulation", durationMs, drainMs = 60_000 } = this.#scenario;
    this.#scheduleNext();
    try {
      await this.#clock.run(durationMs + drainMs, () => this.#broken !== undefined || this.#isOver());
    } finally {
      await Promise.all(this.#clients.map((client) => client.close()));
    }
    if (this.#broken !== undefined) throw this.#broken.error;
    return this.#result.result(name, this.#seed);
  }

  #isOver(): boolean {
    return !this.#hasMoreArrivals && this.#result.ended === this.#result.requests;
  }

  #clientAt(index: number, discovery: Discovery, random: Random): SimulatedCaller {
    const { options = {} } = this.#scenario;
    const clock = this.#clock;
    const transport = simulatedTransport(
      (id) => this.#servers.get(id),
      clock,
      (server) => this.#result.onAttempt(index, server, clock.now()),
      this.#onBroken,
      this.#chance?.of ?? (() => undefined),
    );
    const own = typeof options === "function" ? options({ index, clock, random }) : options;
    return clientOf(own, { discovery, transport, clock, random });
  }

  /** Sets a timer for the next call only: a scenario may have millions. */
  #scheduleNext(): void {
    const { value, done = false } = this.#arrivals.next();
    this.#hasMoreArrivals = !done;
    if (value === undefined) return;
    this.#clock.setTimerAt(() => {
      this.#call(value);
      this.#scheduleNext();
    }, value.atMs);
  }

  #call({ client, method, path, options }: Arrival): void {
    const clock = this.#clock;
    const atMs = clock.now();
    const request = meshRequest({ service, method, path, headers: noHeaders, body: undefined, options });
    const end = (outcome: string, isSuccess: boolean) =>
      this.#result.onEnd(atMs, clock.now() - atMs, outcome, isSuccess, request.attempts.length);
    this.#chance?.begin(request);
    this.#result.onCall(atMs);
    (this.#clients[client] as SimulatedCaller)
      .dispatch(request)
      .then(
        ({ status }) => end(String(status), this.#isSuccess(status)),
        (error: unknown) => end(isMeshError(error) ? error.code : String(error), false),
      )
      .catch(this.#onBroken);
  }

  readonly #onBroken = (error: unknown): void => {
    this.#broken ??= { error };
  };
}

/** One simulated process that calls. */
interface SimulatedCaller {
  readonly dispatch: Dispatch;
  close(): Promise<void>;
}

function clientOf(
  options: SimulatedOptions,
  context: Pick<ServiceContext, "discovery" | "transport" | "clock" | "random">,
): SimulatedCaller {
  const { healthCheck = false } = options as ServiceOptions;
  if (healthCheck !== false) throw new TypeError("simulate: options.healthCheck must be absent: it would open sockets");
  checkMeshOptions({ ...options, discovery: context.discovery });
  const { discovery, clock } = context;
  const catalogue = new Catalogue(discovery, clock);
  const observers = new Observers([]);
  const simulated = new Service(service, options, [], { ...context, zone: options.zone, catalogue, observers });
  const { timeoutMs } = timeoutOption.settle(options);
  const send = callPipeline({
    observers,
    clock,
    limitOf: () => timeoutMs,
    interceptors: options.interceptors ?? [],
    route: (request, receiver) => simulated.send(request, receiver),
  });
  return { dispatch: dispatchOf(send), close: () => simulated.close() };
}

/** Independent streams of random numbers: the draws of a picker must not change those of a server. */
function randomsOf(seed: number): () => Random {
  const seeds = seededRandom(seed);
  return () => seededRandom(Math.floor(seeds() * 2 ** 32));
}
