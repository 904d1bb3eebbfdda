import { inspect } from "node:util";
import type { Timer } from "../../core/clock.ts";
import { describeError, MeshError } from "../../core/errors.ts";
import type { InstanceStatus, Registration } from "../../registration/registrar.ts";
import type { AgentInstance, AgentRequest } from "./agent-instance.ts";
import { ConsulError } from "./consul-error.ts";
import type { Definition } from "./definition.ts";
import type { ConsulSettings } from "./options.ts";

const retryBaseMs = 250;
const minRetryMs = 50;

/** Wraps what an agent answered to a request about an instance; the abort reason of a caller stays what it is. */
export function registrationError(settings: ConsulSettings, definition: Definition, doing: string, error: unknown): unknown {
  if (!(error instanceof ConsulError)) return error;
  const service = String(definition.service["name"]);
  const message = `${settings.name}: ${doing} ${definition.id}: ${describeError(error)}`;
  return new MeshError("ERR_MESH_REGISTRATION", message, { service, cause: error });
}

/** An instance that an agent has accepted: renewed by a background loop that keeps no process alive, until it is deregistered. */
export class ConsulRegistration implements Registration {
  readonly #agent: AgentInstance;
  readonly #definition: Definition;
  readonly #settings: ConsulSettings;
  #status: InstanceStatus = "up";
  #timer: Timer = undefined;
  #failures = 0;
  /** The end of everything asked so far: one request about an instance at a time. */
  #queue: Promise<unknown> = Promise.resolve();
  #isEnded = false;
  #deregistered: Promise<void> | undefined = undefined;

  constructor(agent: AgentInstance, definition: Definition, settings: ConsulSettings) {
    this.#agent = agent;
    this.#definition = definition;
    this.#settings = settings;
    this.#schedule();
  }

  get id(): string {
    return this.#definition.id;
  }

  get status(): InstanceStatus {
    return this.#status;
  }

  async setStatus(status: InstanceStatus): Promise<void> {
    if (status !== "up" && status !== "down" && status !== "out-of-service") {
      throw new TypeError(`consul: a status must be "up", "down" or "out-of-service", got ${inspect(status)}`);
    }
    if (this.#isEnded) {
      throw new MeshError("ERR_MESH_REGISTRATION", `${this.#settings.name}: ${this.id} has been deregistered`, {
        service: String(this.#definition.service["name"]),
      });
    }
    this.#status = status;
    await this.#inTurn("telling the status of", async () => {
      // What came later in the meantime is what counts, and after deregister() nothing may bring the instance back.
      if (!this.#isEnded) await this.#agent.tell(this.#status, this.#request(true));
    });
  }

  deregister(signal?: AbortSignal): Promise<void> {
    this.#deregistered ??= this.#deregister(signal).catch((error: unknown) => {
      // The next call may try again.
      this.#deregistered = undefined;
      throw error;
    });
    return this.#deregistered;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.deregister();
  }

  async #deregister(signal: AbortSignal | undefined): Promise<void> {
    this.#isEnded = true;
    this.#settings.clock.clearTimer(this.#timer);
    // Behind a renewal that is under way: cancelled, it might still be carried out, after this.
    await this.#inTurn("deregistering", () => this.#agent.withdraw({ ...this.#request(true), signal }));
  }

  #schedule(): void {
    const { clock } = this.#settings;
    this.#timer = clock.setTimer(() => void this.#renew(), this.#pauseMs(), false);
  }

  /** Slightly less than the interval, by chance, so that processes started together do not stay in step. */
  #pauseMs(): number {
    const { renewMs } = this.#definition;
    const { random } = this.#settings;
    if (this.#failures === 0) return renewMs * (0.9 + 0.1 * random());
    return Math.max(minRetryMs, random() * Math.min(renewMs, retryBaseMs * 2 ** Math.min(this.#failures, 20)));
  }

  async #renew(): Promise<void> {
    try {
      await this.#inTurn("renewing", async () => {
        if (!this.#isEnded) await this.#agent.renew(this.#status, this.#request(false));
      });
      this.#failures = 0;
    } catch (error) {
      this.#failures++;
      this.#report(error);
    }
    if (!this.#isEnded) this.#schedule();
  }

  #report(error: unknown): void {
    try {
      this.#settings.onRenewalError?.(error instanceof Error ? error : new Error(String(error)));
    } catch (thrown) {
      process.emitWarning(`inmesh: onRenewalError of ${this.#settings.name} threw: ${describeError(thrown)}`);
    }
  }

  #request(isAwaited: boolean): AgentRequest {
    const { requestTimeoutMs } = this.#settings;
    // A heartbeat that hangs must be over before the next is due.
    return { timeoutMs: isAwaited ? requestTimeoutMs : Math.min(requestTimeoutMs, this.#definition.renewMs), keepsProcess: isAwaited };
  }

  async #inTurn(doing: string, work: () => Promise<void>): Promise<void> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => {});
    try {
      await turn;
    } catch (error) {
      throw registrationError(this.#settings, this.#definition, doing, error);
    }
  }
}
