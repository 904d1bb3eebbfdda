import cluster from "node:cluster";
import { describeError } from "../core/errors.ts";
import type { ServerParts } from "./parts.ts";
import { portOf, registerServer, registryMs, sayRegistered, tellMs } from "./register-server.ts";
import { type ProgramState, programStateOf, programStateText, ServedInstance } from "./served-instance.ts";
import { problemWithin } from "./within.ts";
import { groupDirectory } from "./workers/group-directory.ts";
import { GroupFiles } from "./workers/group-files.ts";
import { ownMark } from "./workers/process-mark.ts";
import { WorkerGroup } from "./workers/worker-group.ts";

/**
 * The registration of a server. Workers of a cluster, PM2's included, that serve the same port are one instance with one registration, which one of them
 * holds: it is handed over when that one leaves, and taken when that one has died.
 */
export class ServedRegistration {
  readonly #parts: ServerParts;
  readonly #onClosed: () => void;
  #port = 0;
  #current: ServedInstance | undefined = undefined;
  #group: WorkerGroup | undefined = undefined;
  /** Settles once it is known whether this worker belongs to a group, and never rejects. */
  #joining: Promise<void> | undefined = undefined;
  #failure: unknown = undefined;
  #isLeaving = false;
  /** Whether all registries have had the server. */
  #wasRegistered = false;
  #isOneOfSeveral = false;

  /** @param onClosed called where something else has closed the server of a worker. */
  constructor(parts: ServerParts, onClosed: () => void) {
    this.#parts = parts;
    this.#onClosed = onClosed;
  }

  /** The registration, where this process holds it. */
  get current(): ServedInstance | undefined {
    return this.#current;
  }

  /** Whether this worker leaves while others serve on, so that the instance stays. It may become so while it leaves as the last one. */
  get isOneOfSeveral(): boolean {
    return this.#isOneOfSeveral;
  }

  /** Resolves once all registries have the server, or another worker is registered for it. Rejects where it leaves before. */
  async begin(): Promise<void> {
    const { settings, leaving, log } = this.#parts;
    if (settings.register === undefined) {
      log("serves");
      return;
    }
    // Known now, and not any more once something has closed the server.
    this.#port = portOf(this.#parts);
    if (cluster.isWorker) {
      this.#joining = this.#join();
      await this.#joining;
      if (this.#failure !== undefined) throw this.#failure;
    }
    if (this.#group === undefined) this.#current = await this.#register({}, leaving);
    const registration = this.#current;
    if (registration === undefined) {
      log(`serves; another worker is registered for it as ${settings.register.service}`);
      return;
    }
    await registration.whenRegistered(leaving);
    this.#wasRegistered = true;
    sayRegistered(this.#parts, registration);
  }

  /** This process leaves. Once this resolves, {@link isOneOfSeveral} is known, and the last one has the registration. Never rejects. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    await this.#joining;
    if (this.#group === undefined) return;
    const { clock } = this.#parts.settings;
    const left = this.#group.leave().then((departure) => {
      this.#isOneOfSeveral = departure === "one-of-several";
    });
    await problemWithin(clock, registryMs, left);
    // The last one may have got it only just now.
    if (this.#current !== undefined) await problemWithin(clock, tellMs, this.#current.whenRegistered());
  }

  /** Ends the registration, unless it is another worker's. */
  async deregister(signal: AbortSignal): Promise<void> {
    try {
      await this.#current?.deregister(signal);
    } finally {
      cluster.worker?.off("disconnect", this.#onClosed);
      await this.#group?.end();
    }
  }

  async #join(): Promise<void> {
    const { settings, server, log } = this.#parts;
    const { clock, register } = settings;
    try {
      const { service, id, host } = register ?? {};
      const directory = await groupDirectory([service, id, host, this.#port, server.address()]);
      const group = new WorkerGroup({
        files: new GroupFiles(directory, await ownMark()),
        onTake: (kept) => this.#take(programStateOf(kept)),
        onGive: () => this.#give(),
        onLook: () => {
          if (!server.listening && !this.#isLeaving) this.#onClosed();
        },
        onTrouble: (error) => log(`cannot look after the other workers: ${describeError(error)}`),
        clock,
      });
      await group.join();
      this.#group = group;
      // A primary that disconnects a worker closes its server and then the channel, upon which an idle process would end.
      cluster.worker?.once("disconnect", this.#onClosed);
    } catch (error) {
      log(
        `registers on its own, since it cannot share a registration with other workers: ${describeError(error)}; TMPDIR sets the directory`,
      );
    }
  }

  async #take(state: ProgramState): Promise<void> {
    const { log } = this.#parts;
    this.#isOneOfSeveral = false;
    try {
      this.#current = await this.#register(state);
      log(`holds the registration for all workers${shown(state)}`);
    } catch (error) {
      this.#failure = error;
      log(`could not be registered: ${describeError(error)}`);
    }
  }

  async #register(state: ProgramState, signal?: AbortSignal): Promise<ServedInstance | undefined> {
    const isLeaving = this.#isLeaving;
    const registration = await registerServer(this.#parts, {
      port: this.#port,
      state: isLeaving ? { ...state, status: "out-of-service" } : state,
      ...(signal === undefined ? {} : { signal }),
    });
    const onChange = async (changed: ProgramState): Promise<void> => {
      await this.#joining;
      await this.#group?.keep(programStateText(changed));
    };
    // A signal gives up what has not been accepted before it aborts.
    const isGivenUp = (): boolean => signal?.aborted === true && !this.#wasRegistered;
    return registration && new ServedInstance({ registration, state, isLeaving, isGivenUp, onChange });
  }

  async #give(): Promise<void> {
    const registration = this.#current;
    this.#current = undefined;
    this.#isOneOfSeveral = this.#isLeaving;
    try {
      await registration?.abandon();
    } catch (error) {
      this.#parts.log(`could not hand over the registration: ${describeError(error)}`);
    }
    this.#parts.log("has left the registration to another worker");
  }
}

/** The state that a registration is taken over with, for the log. */
function shown({ status, weight }: ProgramState): string {
  const parts = [...(status === undefined ? [] : [`the status ${status}`]), ...(weight === undefined ? [] : [`the weight ${weight}`])];
  return parts.length === 0 ? "" : `, with ${parts.join(" and ")}, which the program has set before`;
}
