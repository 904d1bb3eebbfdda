import type { Random } from "../../core/clock.ts";
import type { Dispatch } from "../../core/dispatch.ts";
import { isMeshError } from "../../core/errors.ts";
import { meshRequest } from "../../core/mesh-request.ts";
import { Catalogue } from "../../discovery/catalogue.ts";
import { checkMeshOptions } from "../../mesh/mesh-options.ts";
import { callPipeline } from "../../mesh/pipeline.ts";
import { Service, type ServiceContext } from "../../mesh/service.ts";
import type { ServiceOptions } from "../../mesh/service-options.ts";
import { timeoutOption } from "../../policies/deadline.ts";
import { Observers } from "../../telemetry/observing/observers.ts";
import { seededRandom } from "../seeded-random.ts";
import { type Arrival, arrivalsOf } from "./arrivals.ts";
import { checkScenario } from "./check-scenario.ts";
import { nameServers, scriptedDiscovery } from "./listing.ts";
import type { SimulationResult } from "./result.ts";
import type { Scenario, SimulatedOptions } from "./scenario.ts";
import { Server } from "./server.ts";
import { SimulatedClock } from "./simulated-clock.ts";
import { simulatedTransport } from "./simulated-transport.ts";
import { Tally } from "./tally.ts";

const service = "simulated";
const noHeaders = Object.freeze(Object.create(null) as Record<string, string>);

/**
 * Plays a scenario in virtual time: the mesh's own balancer, pickers, retries, breakers and time limits against simulated
 * servers. Nothing sleeps and no socket is opened; the same scenario and seed give the same result.
 * @throws TypeError or RangeError naming the field and the value, for a scenario that is none.
 */
export async function simulate(scenario: Scenario): Promise<SimulationResult> {
  checkScenario(scenario);
  const { name = "simulation", seed = 1, clients: count = 1, durationMs, drainMs = 60_000, options = {} } = scenario;
  const { requests = [{}], isSuccess = (status) => status < 400, timelineParts = 60 } = scenario;
  const clock = new SimulatedClock();
  const nextRandom = randomsOf(seed);
  const random = nextRandom();
  const named = nameServers(scenario.servers);
  const servers = new Map(named.map(({ name: id, script }) => [id, new Server(id, script, clock, nextRandom())] as const));
  const tally = new Tally({ servers: [...servers.values()], clients: count, durationMs, timelineParts });
  const discovery = scriptedDiscovery(named, clock);

  // What a function of the scenario throws is a mistake in it, and no failure of a call.
  let broken: { readonly error: unknown } | undefined;
  const onBroken = (error: unknown): void => {
    broken ??= { error };
  };

  const clients = Array.from({ length: count }, (_, index) => {
    const own = nextRandom();
    const transport = simulatedTransport(
      (id) => servers.get(id),
      clock,
      (server) => tally.onAttempt(index, server, clock.now()),
      onBroken,
    );
    const given = typeof options === "function" ? options({ index, clock, random: own }) : options;
    return clientOf(given, { discovery, transport, clock, random: own });
  });

  const call = ({ client, method, path, options: callOptions }: Arrival): void => {
    const atMs = clock.now();
    const request = meshRequest({ service, method, path, headers: noHeaders, body: undefined, options: callOptions });
    const end = (outcome: string, succeeded: boolean) => tally.onEnd(atMs, clock.now() - atMs, outcome, succeeded, request.attempts.length);
    tally.onCall(atMs);
    (clients[client] as SimulatedCaller)
      .dispatch(request)
      .then(
        ({ status }) => end(String(status), isSuccess(status)),
        (error: unknown) => end(isMeshError(error) ? error.code : String(error), false),
      )
      .catch(onBroken);
  };
  const arrivals = arrivalsOf({ arrivals: scenario.arrivals, durationMs, clients: count, requests, random });
  let hasMore = true;
  const next = (): void => {
    const { value, done = false } = arrivals.next();
    hasMore = !done;
    if (value === undefined) return;
    clock.setTimerAt(() => {
      call(value);
      next();
    }, value.atMs);
  };
  next();

  try {
    await clock.run(durationMs + drainMs, () => broken !== undefined || (!hasMore && tally.ended === tally.requests));
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
  if (broken !== undefined) throw broken.error;
  return tally.result(name, seed);
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
  const dispatch = callPipeline({
    observers,
    clock,
    limitOf: () => timeoutMs,
    interceptors: options.interceptors ?? [],
    route: (request) => simulated.dispatch(request),
  });
  return { dispatch, close: () => simulated.close() };
}

/** Streams of random numbers that do not depend on each other: what a picker draws must not change what the servers do. */
function randomsOf(seed: number): () => Random {
  const seeds = seededRandom(seed);
  return () => seededRandom(Math.floor(seeds() * 2 ** 32));
}
