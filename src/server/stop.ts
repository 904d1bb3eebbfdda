import { describeError } from "../core/errors.ts";
import { stopListening } from "./connections/stop-listening.ts";
import type { ServerParts } from "./parts.ts";
import { registryMs, tellMs, unknownLameDuckMs } from "./register-server.ts";
import type { ServedRegistration } from "./served-registration.ts";
import { problemWithin, turnsOfTheLoop } from "./within.ts";

/** The course of a stop. */
export interface StopReport {
  /** Milliseconds of the lame duck. */
  readonly lameDuckMs: number;
  /** Milliseconds for which it then waited for what was under way. */
  readonly drainMs: number;
  /** Requests, upgraded connections and tracked work that were cut off after `graceMs`. */
  readonly cutOff: number;
  /** Failures on the way, such as a registry that could not be told. Empty where all went well. */
  readonly problems: readonly string[];
}

/** The shortest one unless another is asked for, in milliseconds: a caller that knows at once may have sent something just before. */
const shortestLameDuckMs = 500;

/** Time after the lame duck in which the server is still there, as its callers are told, in milliseconds. */
const goneAfterMs = 2_000;
/** Time after the last connection was accepted in which what is on its way arrives and is still served, in milliseconds. */
const arrivingMs = 100;
/** Longest time in which connections close that have been ended, in milliseconds. */
const closingMs = 1_000;
/** Pause between two looks at the callers, in milliseconds. */
const askCallersMs = 20;
/** Looks in a row that find no caller left. */
const looksToBeSure = 3;

/** The time in which callers learn that an instance leaves. */
interface LameDuck {
  readonly lameDuckMs: number;
  readonly told: Promise<void> | undefined;
  readonly newUntil: number;
}

/** One stop of a server: its steps, which are taken in the order of the methods. None of them rejects. */
export class Stop {
  readonly #parts: ServerParts;
  readonly #registration: ServedRegistration;
  readonly #problems: string[] = [];
  readonly #hurry = Promise.withResolvers<void>();
  #isHurried = false;
  #lameDuckMs = 0;
  #drainMs = 0;
  #cutOff = 0;

  constructor(parts: ServerParts, registration: ServedRegistration) {
    this.#parts = parts;
    this.#registration = registration;
  }

  /** Requests, upgraded connections and tracked work that were cut off. */
  get cutOff(): number {
    return this.#cutOff;
  }

  /** Waits for nothing from now on: what is under way is cut off. */
  hurry(): void {
    this.#isHurried = true;
    this.#hurry.resolve();
    this.#parts.traffic.destroy();
  }

  /** Leaves the registry and serves on until callers know. `servingSince`: the time from which on callers may have learnt of it. */
  async beLameDuck(why: string, servingSince: number): Promise<void> {
    const { clock } = this.#parts.settings;
    const startedAt = clock.now();
    // Of a worker that has the registration handed over meanwhile, the rest is that of one of several.
    await this.#registration.leave();
    if (!this.#registration.isOneOfSeveral) await this.#leaveWithInstance(why, servingSince);
    if (this.#registration.isOneOfSeveral) await this.#leaveAlone(why);
    this.#lameDuckMs = clock.now() - startedAt;
  }

  /** Leaves as the last process of the instance, which leaves the registry. */
  async #leaveWithInstance(why: string, servingSince: number): Promise<void> {
    const { settings, traffic, gate, log } = this.#parts;
    const { clock } = settings;
    const startedAt = clock.now();
    const registration = this.#registration.current;
    const neededMs = registration?.callersKnowAfterMs ?? unknownLameDuckMs;
    const lameDuckMs = settings.lameDuckMs ?? Math.max(neededMs, shortestLameDuckMs);
    log(`leaves ${why}; serves on for ${lameDuckMs} ms, or until all callers know`);
    traffic.leave();
    gate.leave(startedAt + lameDuckMs + goneAfterMs);
    const told = registration?.leave();
    if (told !== undefined) {
      const problem = await problemWithin(clock, tellMs, Promise.race([told, this.#hurry.promise]));
      if (problem !== undefined) this.#note(`could not tell the registry that it leaves: ${describeError(problem)}`);
    }
    await this.#untilCallersKnow({ lameDuckMs, told, newUntil: servingSince + lameDuckMs });
    if (this.#registration.isOneOfSeveral) gate.stay();
  }

  /**
   * Leaves an instance that stays, as one of its workers: accepts no connection from now on, since the others do, and serves on until no client can send a
   * request on a connection that is about to close. Each closes after its next response; a client uses none that is idle for longer than this lasts.
   */
  async #leaveAlone(why: string): Promise<void> {
    const { settings, server, traffic, log } = this.#parts;
    const { clock, lameDuckMs = unknownLameDuckMs } = settings;
    log(`leaves ${why}; other workers serve on. Its connections close after their next response, within ${lameDuckMs} ms`);
    void stopListening(server);
    traffic.leave();
    const endAt = clock.now() + lameDuckMs;
    while (!this.#isHurried && traffic.hasLastingConnections && clock.now() < endAt)
      await this.#pause(Math.min(askCallersMs, Math.max(1, endAt - clock.now())));
  }

  /**
   * Waits for `lameDuckMs` milliseconds, or until each caller has let go of this instance. `told`: settles when the registry has been told, perhaps only
   * now, from which on callers have this time. `newUntil`: the time before which callers may just have learnt of it that have not called yet.
   */
  async #untilCallersKnow({ lameDuckMs, told, newUntil }: LameDuck): Promise<void> {
    const { settings, traffic, callers, log } = this.#parts;
    const { clock } = settings;
    let endAt = clock.now() + lameDuckMs;
    told?.then(
      () => {
        endAt = clock.now() + lameDuckMs;
      },
      () => {},
    );
    let looks = 0;
    while (!this.#isHurried && !this.#registration.isOneOfSeveral && clock.now() < endAt) {
      const { meshes, others } = callers.left();
      const isNew = !callers.hasBeenCalled && clock.now() < newUntil;
      looks = meshes === 0 && !others && !isNew && !traffic.hasUnusedConnections ? looks + 1 : 0;
      if (looks === looksToBeSure) {
        log(callers.hasBeenCalled ? "all callers have let go of it" : "it has not been called");
        return;
      }
      await this.#pause(Math.min(askCallersMs, Math.max(1, endAt - clock.now())));
    }
  }

  /** Accepts nothing new, and waits for what is under way. */
  async drain(): Promise<void> {
    const { settings, server, traffic, gate, application, log } = this.#parts;
    const { clock, graceMs } = settings;
    const startedAt = clock.now();
    log(`accepts nothing new; ${traffic.open} under way, which may take ${graceMs} ms`);
    // Before and after it, all that has arrived is read: a process that was held up would close connections whose requests wait in the kernel.
    await turnsOfTheLoop();
    const closed = stopListening(server);
    await this.#pause(arrivingMs);
    await turnsOfTheLoop();
    gate.refuse("this instance is stopping");
    traffic.end();
    await problemWithin(clock, graceMs, Promise.race([traffic.ended(), this.#hurry.promise]));
    this.#cutOff = traffic.open;
    this.#drainMs = clock.now() - startedAt;
    if (this.#cutOff > 0)
      this.#note(
        `cut off ${this.#cutOff} of requests, upgraded connections and tracked work, which had not ended after ${Math.round(this.#drainMs)} ms`,
      );
    traffic.destroy();
    // No connection that only the system knows of keeps it from its end.
    const problem = await problemWithin(clock, closingMs, closed);
    if (problem !== undefined) this.#note("could not close all connections: some were made before it was served");
    // The server's own part of closing, which finds nothing to cut off any more.
    if (application === undefined) server.close(() => {});
  }

  /** Leaves the registry for good, and closes what the server has used. */
  async leave(releaseMesh: () => Promise<void>): Promise<StopReport> {
    const { settings, traffic, inbound, application, log } = this.#parts;
    const { clock, graceMs } = settings;
    const graceUntil = clock.now() - this.#drainMs + graceMs;
    // What hooks and calls may take is a part of the same time.
    const leftMs = (): number => Math.max(registryMs, Math.round(graceUntil - clock.now()));
    const steps: [what: string, work: (signal: AbortSignal) => PromiseLike<unknown> | undefined, limitMs: () => number][] = [
      ["deregister", (signal) => this.#registration.deregister(signal), () => registryMs],
      ["close the application", () => application?.close(), leftMs],
      ["close the mesh", () => releaseMesh(), leftMs],
      ["write the access log", () => inbound?.close(), () => registryMs],
    ];
    for (const [what, work, limitMs] of steps) {
      const stop = new AbortController();
      const problem = await problemWithin(clock, this.#isHurried ? 100 : limitMs(), (async () => work(stop.signal))());
      stop.abort(problem);
      if (problem !== undefined) this.#note(`could not ${what}: ${describeError(problem)}`);
    }
    traffic.dispose();
    log(`stopped after ${Math.round(this.#lameDuckMs + this.#drainMs)} ms`);
    return { lameDuckMs: this.#lameDuckMs, drainMs: this.#drainMs, cutOff: this.#cutOff, problems: this.#problems };
  }

  /** Waits this many milliseconds, unless it is hurried. */
  async #pause(ms: number): Promise<void> {
    await problemWithin(this.#parts.settings.clock, ms, this.#hurry.promise);
  }

  #note(problem: string): void {
    this.#problems.push(problem);
    this.#parts.log(problem);
  }
}
