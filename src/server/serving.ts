import type { AddressInfo } from "node:net";
import { describeError } from "../core/errors.ts";
import { fenced } from "../core/observing/fence.ts";
import type { MeshRegistration } from "../registration/mesh-registration.ts";
import { guardDoor } from "./connections/door.ts";
import { stopListening } from "./connections/stop-listening.ts";
import { Traffic } from "./connections/traffic.ts";
import { DrainGate } from "./drain-gate.ts";
import { Inbound } from "./inbound/inbound.ts";
import { inboundOptions } from "./inbound/inbound-options.ts";
import { useMesh } from "./mesh-users.ts";
import { isSecure, type Servable, serverOf } from "./node-server.ts";
import { Readiness } from "./readiness.ts";
import type { ServeSettings } from "./serve-options.ts";
import { onSignals } from "./signals.ts";
import { problemWithin } from "./within.ts";

/**
 * The state of a server.
 *
 * - `starting`: it does not listen yet, its services are not warm, or the program is not ready.
 * - `serving`: it is ready, and registered where that was asked for, or on the way to it.
 * - `lame-duck`: it has left the registry and serves on, until callers know.
 * - `draining`: it accepts nothing new and ends what is under way.
 * - `stopped`: nothing is left.
 */
export type ServingState = "starting" | "serving" | "lame-duck" | "draining" | "stopped";

/** What became of a stop. */
export interface StopReport {
  /** Milliseconds of the lame duck. */
  readonly lameDuckMs: number;
  /** Milliseconds for which it then waited for what was under way. */
  readonly drainMs: number;
  /** Requests, upgraded connections and tracked work that were cut off after `graceMs`. */
  readonly cutOff: number;
  /** What went wrong, such as a registry that could not be told. Empty where all went well. */
  readonly problems: readonly string[];
}

/** A server that is served; see `serve`. Disposing it stops it. */
export interface Serving extends AsyncDisposable {
  readonly state: ServingState;
  /** The registration; `undefined` where none was asked for, and before the server is ready. */
  readonly registration: MeshRegistration | undefined;
  /** Resolves once the server listens, is warm and ready, and is registered where that was asked for. Rejects where it stops before that. */
  readonly started: Promise<void>;
  /** Aborts when the server begins to leave: for loops and consumers that should begin nothing new. */
  readonly leaving: AbortSignal;
  /** Whether this process is ready for requests, and if not, why. */
  readiness(): Promise<{ readonly ready: boolean; readonly reason: string | undefined }>;
  /** Lets a stop wait for work that is no request, such as a job. Returns `work`. */
  track<Work extends PromiseLike<unknown>>(work: Work): Work;
  /** Stops without losing a request; a second call returns the same promise, which never rejects. */
  stop(why?: string): Promise<StopReport>;
}

/** Longest time to tell the registry anything while stopping, in milliseconds: one that is down does not hold the process. */
const registryMs = 2_000;
/** The lame duck where nothing is known about callers, in milliseconds. */
const unknownLameDuckMs = 5_000;
/** Pause between two questions for readiness at the start, in milliseconds. */
const askAgainMs = 250;

export class ServedServer implements Serving {
  readonly #settings: ServeSettings;
  readonly #server: ReturnType<typeof serverOf>["server"];
  readonly #application: ReturnType<typeof serverOf>["application"];
  readonly #traffic: Traffic;
  readonly #inbound: Inbound | undefined;
  readonly #gate: DrainGate;
  readonly #readiness: Readiness;
  readonly #leaving = new AbortController();
  readonly #takeGateAway: () => void;
  readonly #offSignals: () => void;
  readonly #releaseMesh: (() => Promise<void>) | undefined;
  readonly #problems: string[] = [];
  #state: ServingState = "starting";
  #registration: MeshRegistration | undefined = undefined;
  #stopping: Promise<StopReport> | undefined = undefined;
  readonly started: Promise<void>;

  constructor(servable: Servable, settings: ServeSettings) {
    const { server, application } = serverOf(servable);
    this.#settings = settings;
    this.#server = server;
    this.#application = application;
    this.#traffic = new Traffic(server);
    this.#readiness = new Readiness(settings.ready, settings.clock);
    this.#inbound =
      settings.inbound === false
        ? undefined
        : new Inbound(inboundOptions.settle(settings.inbound), { mesh: settings.mesh, readiness: () => this.readiness() });
    this.#gate = new DrainGate(this.#traffic, settings.clock, this.#inbound);
    this.#takeGateAway = guardDoor(server, this.#gate);
    this.#releaseMesh = settings.mesh === undefined ? undefined : useMesh(settings.mesh);
    this.#offSignals = onSignals(
      settings.signals,
      (signal) => void this.stop(`upon ${signal}`),
      () => this.#traffic.destroy(),
    );
    this.started = this.#start();
    // Whether it has started is also told by the state and the log: a program need not wait for it.
    this.started.catch(() => {});
  }

  get state(): ServingState {
    return this.#state;
  }

  get registration(): MeshRegistration | undefined {
    return this.#registration;
  }

  get leaving(): AbortSignal {
    return this.#leaving.signal;
  }

  async readiness(): Promise<{ readonly ready: boolean; readonly reason: string | undefined }> {
    const reason = await this.#readiness.reasonAgainst();
    return { ready: reason === undefined, reason };
  }

  track<Work extends PromiseLike<unknown>>(work: Work): Work {
    this.#traffic.track(work);
    return work;
  }

  stop(why = "as the program asked"): Promise<StopReport> {
    this.#stopping ??= this.#stop(why);
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Listens, warms, asks the program, registers: in this order, so that the first request finds all of it done. */
  async #start(): Promise<void> {
    const { mesh, warm, register } = this.#settings;
    await this.#listening();
    for (const service of warm) {
      const problem = await mesh?.warm(service).then(
        (connected) => (connected === 0 ? "no instance could be reached" : undefined),
        (error: unknown) => describeError(error),
      );
      if (problem !== undefined) this.#log(`could not warm ${service}: ${problem}`);
    }
    await this.#ready();
    this.#readiness.open();
    this.#state = "serving";
    if (register !== undefined) await this.#register(register);
    else this.#log("serves");
  }

  /** Resolves once the server listens. */
  #listening(): Promise<void> {
    const { signal } = this.#leaving;
    if (this.#server.listening) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const off = (): void => {
        this.#server.off("listening", onListening);
        signal.removeEventListener("abort", onStop);
      };
      const onListening = (): void => {
        off();
        resolve();
      };
      const onStop = (): void => {
        off();
        reject(signal.reason);
      };
      this.#server.once("listening", onListening);
      signal.addEventListener("abort", onStop, { once: true });
    });
  }

  /** Resolves once the program is ready. */
  async #ready(): Promise<void> {
    const { clock } = this.#settings;
    let said: string | undefined;
    for (;;) {
      this.#leaving.signal.throwIfAborted();
      const reason = await this.#readiness.ownReason();
      this.#leaving.signal.throwIfAborted();
      if (reason === undefined) return;
      if (reason !== said) this.#log(`is not ready: ${reason}`);
      said = reason;
      await new Promise<void>((resolve) => clock.setTimer(resolve, askAgainMs, false));
    }
  }

  async #register({ port, health, ...instance }: NonNullable<ServeSettings["register"]>): Promise<void> {
    const { mesh, lameDuckMs } = this.#settings;
    if (mesh === undefined) return;
    const address = this.#server.address() as AddressInfo | string | null;
    const ownPort = typeof address === "object" && address !== null ? address.port : undefined;
    if (port === undefined && ownPort === undefined)
      throw new TypeError("serve: register needs a port, since the server listens on a Unix socket");
    const registration = await mesh.register(
      {
        secure: isSecure(this.#server),
        ...instance,
        port: port ?? (ownPort as number),
        keepTrying: true,
        health: async (signal) => ((await this.#readiness.ownReason()) === undefined ? ((await health?.(signal)) ?? true) : false),
      },
      this.#leaving.signal,
    );
    this.#registration = registration;
    await registration.whenRegistered(this.#leaving.signal);
    const names = registration.registries.map(({ registry }) => registry).join(" and ");
    this.#log(`serves, registered as ${registration.service} (${registration.id}) in ${names}`);
    const neededMs = registration.callersKnowAfterMs;
    if (lameDuckMs === undefined && neededMs !== undefined && neededMs > unknownLameDuckMs)
      this.#log(
        `callers learn of its end within ${neededMs} ms in ${names}: its orchestrator has to wait at least ${Math.ceil((neededMs + this.#settings.graceMs) / 1000)} s for it (terminationGracePeriodSeconds, TimeoutStopSec, kill_timeout), or lameDuckMs has to be shorter`,
      );
  }

  async #stop(why: string): Promise<StopReport> {
    const { clock, graceMs } = this.#settings;
    const wasServing = this.#state === "serving";
    this.#readiness.close("it is stopping");
    this.#state = "lame-duck";
    this.#leaving.abort(new Error("the server is stopping"));
    const lameDuckMs = wasServing ? await this.#beLameDuck(why) : 0;

    this.#state = "draining";
    const startedAt = clock.now();
    this.#log(`accepts nothing new; ${this.#traffic.open} under way, at most ${graceMs} ms`);
    this.#gate.refuse("this instance is stopping");
    const closed = stopListening(this.#server);
    this.#traffic.end();
    await problemWithin(clock, graceMs, this.#traffic.ended());
    const cutOff = this.#traffic.open;
    const drainMs = clock.now() - startedAt;
    if (cutOff > 0)
      this.#note(`${cutOff} of requests, upgraded connections and tracked work did not end within ${graceMs} ms and were cut off`);
    this.#traffic.destroy();
    await closed;
    // Its own part of closing, which found nothing to cut off any more.
    if (this.#application === undefined) this.#server.close(() => {});
    await this.#end();
    this.#state = "stopped";
    this.#log(`stopped after ${Math.round(lameDuckMs + drainMs)} ms`);
    return { lameDuckMs, drainMs, cutOff, problems: this.#problems };
  }

  /** Leaves the registry and serves on until callers know. Returns how long that took, in milliseconds. */
  async #beLameDuck(why: string): Promise<number> {
    const { clock } = this.#settings;
    const startedAt = clock.now();
    const registration = this.#registration;
    const lameDuckMs = this.#settings.lameDuckMs ?? registration?.callersKnowAfterMs ?? unknownLameDuckMs;
    this.#log(`leaves ${why}; serves on for ${lameDuckMs} ms`);
    this.#traffic.leave();
    if (registration !== undefined) {
      const problem = await problemWithin(clock, registryMs, registration.setStatus("out-of-service"));
      if (problem !== undefined) this.#note(`the registry could not be told that it leaves: ${describeError(problem)}`);
    }
    if (lameDuckMs > 0) await new Promise<void>((resolve) => clock.setTimer(resolve, lameDuckMs));
    return clock.now() - startedAt;
  }

  /** Leaves the registry for good, and closes what the server has used. */
  async #end(): Promise<void> {
    const { clock, graceMs } = this.#settings;
    const steps: [what: string, work: () => PromiseLike<unknown> | undefined, limitMs: number][] = [
      ["deregister", () => this.#registration?.deregister(), registryMs],
      ["close the application", () => this.#application?.close(), graceMs],
      ["close the mesh", () => this.#releaseMesh?.(), graceMs],
      ["write the access log", () => this.#inbound?.close(), registryMs],
    ];
    for (const [what, work, limitMs] of steps) {
      const problem = await problemWithin(clock, limitMs, (async () => work())());
      if (problem !== undefined) this.#note(`could not ${what}: ${describeError(problem)}`);
    }
    this.#traffic.dispose();
    this.#takeGateAway();
    this.#offSignals();
  }

  #note(problem: string): void {
    this.#problems.push(problem);
    this.#log(problem);
  }

  #log(text: string): void {
    const { log, register } = this.#settings;
    const address = this.#server.address();
    const place = typeof address === "object" && address !== null ? ` on port ${address.port}` : "";
    if (log !== false) fenced("the log of serve", () => log(`inmesh: ${register?.service ?? "the server"}${place} ${text}`));
  }
}
