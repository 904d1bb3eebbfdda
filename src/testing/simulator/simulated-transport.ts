import { BufferedBody } from "../../core/buffered-body.ts";
import type { Clock, Random } from "../../core/clock.ts";
import type { MeshRequest, MeshResponse } from "../../core/dispatch.ts";
import type { ServiceContext } from "../../mesh/live/service-context.ts";
import { codeOfReason, failureOf, record } from "../../wire/failure.ts";
import type { ServerFault } from "./scenario.ts";
import type { Caller, Job, Server } from "./server.ts";

/** Finds a server by the id that discovery gives it. */
export type ServerOf = (id: string) => Server | undefined;

/**
 * The transport of one client, with simulated servers in place of the network.
 * @param onAttempt is called for every request that is sent
 * @param onBroken is called with an error that a function of the scenario throws
 * @param randomOf the random numbers of an attempt; `undefined` for those of the server
 */
export function simulatedTransport(
  serverOf: ServerOf,
  clock: Clock,
  onAttempt: (server: Server) => void,
  onBroken: (error: unknown) => void,
  randomOf: (request: MeshRequest) => Random | undefined,
): ServiceContext["transport"] {
  return {
    dispatch: () => (request) =>
      new Promise((resolve, reject) => {
        const server = serverOf(request.upstream?.id ?? "");
        const exchange = new SimulatedExchange(request, randomOf(request), clock, resolve, reject);
        if (request.cancellation.cancelled) return;
        if (server === undefined) {
          exchange.onFault("refuse");
          return;
        }
        if (!server.isProbe(request)) onAttempt(server);
        try {
          exchange.begin(server);
        } catch (error) {
          onBroken(error);
        }
      }),
    release: () => {},
  };
}

const empty = new Uint8Array();
const causes: Readonly<Record<Exclude<ServerFault, "hang">, Error>> = {
  refuse: Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }),
  unreachable: Object.assign(new Error("Connect Timeout Error"), { code: "UND_ERR_CONNECT_TIMEOUT" }),
  reset: Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }),
};

/** One request to a simulated server, with the same records and errors as those of the real transport. */
class SimulatedExchange implements Caller {
  readonly request: MeshRequest;
  readonly random: Random | undefined;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #resolve: (response: MeshResponse) => void;
  readonly #reject: (reason: unknown) => void;
  #server: Server | undefined = undefined;
  #job: Job | undefined = undefined;

  constructor(
    request: MeshRequest,
    random: Random | undefined,
    clock: Clock,
    resolve: (response: MeshResponse) => void,
    reject: (reason: unknown) => void,
  ) {
    this.request = request;
    this.random = random;
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#resolve = resolve;
    this.#reject = reject;
    request.cancellation.onCancel(this.#onCancel);
  }

  begin(server: Server): void {
    this.#server = server;
    this.#job = server.accept(this);
  }

  onAnswer(status: number, headers: readonly string[]): void {
    this.request.cancellation.removeListener(this.#onCancel);
    record({ ...this.#state(true), hasHead: true, status }, undefined, true);
    this.#resolve({ status, statusText: "", headers, body: new BufferedBody(empty), upstream: this.request.upstream });
  }

  onFault(fault: Exclude<ServerFault, "hang">): void {
    this.request.cancellation.removeListener(this.#onCancel);
    this.#reject(failureOf(this.#state(fault === "reset"), causes[fault]));
  }

  readonly #onCancel = (reason: unknown): void => {
    // Without a connection nothing has been sent.
    const isSent = this.#job !== undefined && this.#job.fault !== "refuse" && this.#job.fault !== "unreachable";
    record(this.#state(isSent), codeOfReason(reason), isSent);
    if (this.#job !== undefined) this.#server?.giveUp(this.#job);
    this.#reject(reason);
  };

  #state(isSent: boolean) {
    const { request } = this;
    return { request, isSent, hasHead: false, status: undefined, ms: this.#clock.now() - this.#startedAt, index: undefined };
  }
}
