import { type Clock, type Random, sleepUnlessAborted } from "../../core/clock.ts";
import { describeError, MeshError } from "../../core/errors.ts";
import type { InstanceStatus, Registration } from "../../registration/registrar.ts";
import type { Description } from "./description.ts";
import { isRecord } from "./entry.ts";
import type { RestAnswer } from "./exchange.ts";
import { type FencedClient, fencedClient } from "./fenced-client.ts";
import type { PackageClass } from "./package.ts";
import type { Servers } from "./servers.ts";

/** What a {@link EurekaRegistration} needs. */
export interface RegistrationOptions {
  readonly Package: PackageClass;
  readonly servers: Servers;
  readonly description: Description;
  readonly heartbeatMs: number;
  readonly onRenewalError: (error: Error) => void;
  readonly clock: Clock;
  readonly random: Random;
}

/** A server's answer that asking again, or elsewhere, would not change. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor({ server, status }: RestAnswer) {
    super(`${server} answered ${status}`);
  }
}

const eurekaStatuses: Readonly<Record<InstanceStatus, string>> = { up: "UP", down: "DOWN", "out-of-service": "OUT_OF_SERVICE" };
/** Longest pause between two heartbeats while they fail: a registry that is back knows the instance within that time. */
const maxRetryMs = 5_000;

/**
 * One instance and its lease. Its calls are made one after the other, so that a heartbeat and a change of status never
 * overtake each other.
 *
 * The status is the instance's own and goes with the registration. The status overrides of Eureka (`PUT …/status`) are
 * left to operators: one outlives the process that set it and would keep its successor out of service.
 */
export class EurekaRegistration implements Registration {
  readonly #options: RegistrationOptions;
  readonly #client: FencedClient;
  readonly #heartbeatMs: number;
  readonly #ended = new AbortController();
  #status: InstanceStatus = "up";
  /** What the next registration says, which is another status for a moment when Eureka would not take this one. */
  #said = "UP";
  #dirtyAt: number;
  #isTold = false;
  #last: Promise<unknown> = Promise.resolve();
  #deregistered: Promise<void> | undefined = undefined;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#dirtyAt = options.clock.wallNow();
    const { Package, servers, description } = options;
    // Three in a lease, where that is shorter than usual: one that is lost does no harm.
    this.#heartbeatMs = Math.min(options.heartbeatMs, description.leaseMs / 3);
    this.#client = fencedClient(Package, (request, signal) => servers.send(request, judge, signal), {
      ...description,
      describe: () => ({ ...description.fields, ...this.#leaseInfo(), status: this.#said, lastDirtyTimestamp: String(this.#dirtyAt) }),
      // A server that has older data than this answers 404 and is told everything again.
      renewQuery: () => `?status=${eurekaStatuses[this.#status]}&lastDirtyTimestamp=${this.#dirtyAt}`,
    });
  }

  get id(): string {
    return this.#options.description.instanceId;
  }

  get status(): InstanceStatus {
    return this.#status;
  }

  /** Registers once, with the status as it is. */
  announce(signal?: AbortSignal): Promise<void> {
    return this.#inTurn(() => this.#tell(signal));
  }

  /** Starts the heartbeat, which keeps no process alive. */
  keep(): void {
    void this.#beatUntilEnded();
  }

  async setStatus(status: InstanceStatus): Promise<void> {
    if (!Object.hasOwn(eurekaStatuses, status))
      throw new TypeError(`eureka: status ${JSON.stringify(status)} is not "up", "down" or "out-of-service"`);
    if (this.#ended.signal.aborted) throw this.#error("set the status of", new Error("it is deregistered"));
    this.#status = status;
    this.#isTold = false;
    try {
      await this.#inTurn(async () => {
        // A later call has told it, or a heartbeat in between.
        if (!this.#isTold && !this.#ended.signal.aborted) await this.#tell();
      });
    } catch (error) {
      throw this.#error("set the status of", error);
    }
  }

  deregister(signal?: AbortSignal): Promise<void> {
    this.#ended.abort();
    this.#deregistered ??= this.#inTurn(() => this.#remove(signal)).catch((error: unknown) => {
      this.#deregistered = undefined;
      throw signal?.aborted ? signal.reason : this.#error("deregister", error);
    });
    return this.#deregistered;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.deregister();
  }

  async #remove(signal?: AbortSignal): Promise<void> {
    const answer = await this.#client.deregister(signal);
    // 404: the registry has lost it already.
    if (answer.status >= 300 && answer.status !== 404) throw new Refusal(answer);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    // The next in turn does not care how this one ended; whoever asked for it is told by `result`.
    this.#last = result.catch(() => {});
    return result;
  }

  async #beatUntilEnded(): Promise<void> {
    const { clock, random, onRenewalError } = this.#options;
    const heartbeatMs = this.#heartbeatMs;
    const { signal } = this.#ended;
    let failures = 0;
    while (!signal.aborted) {
      const retryMs = random() * Math.min(heartbeatMs, maxRetryMs, 250 * 2 ** failures);
      const delayMs = failures === 0 ? heartbeatMs * (0.9 + 0.1 * random()) : retryMs;
      try {
        await sleepUnlessAborted(clock, delayMs, signal);
        await this.#inTurn(() => this.#beat());
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures = Math.min(failures + 1, 10);
        try {
          onRenewalError(this.#error("renew", error));
        } catch {
          // The user's callback must not end the heartbeat.
        }
      }
    }
  }

  async #beat(): Promise<void> {
    // Not passed on to the calls: one that is cut off may have arrived or not, and the DELETE comes after it either way.
    if (this.#ended.signal.aborted) return;
    if (!this.#isTold) return await this.#tell();
    const answer = await this.#client.renew();
    if (answer.status === 200 || this.#ended.signal.aborted) return;
    if (answer.status !== 404) throw new Refusal(answer);
    await this.#tell();
  }

  /**
   * Registers and looks at what became of it, since Eureka does not always take what it answers 204 to:
   * an earlier life of this id whose clock was ahead wins by its time stamp, and once a lease is UP or OUT_OF_SERVICE
   * the one does not replace the other (LeaseExistsRule), unless another status lies between.
   */
  async #tell(signal?: AbortSignal): Promise<void> {
    const status = this.#status;
    this.#said = eurekaStatuses[status];
    for (let round = 0; round < 3; round++) {
      await this.#register(signal);
      const listed = await this.#look(signal);
      if (listed === undefined) break;
      if (listed.dirtyAt > this.#dirtyAt) {
        this.#dirtyAt = listed.dirtyAt;
        continue;
      }
      // An override is an operator's, and stays.
      if (listed.status === this.#said || listed.isOverridden) break;
      this.#said = "STARTING";
      await this.#register(signal);
      this.#said = eurekaStatuses[status];
    }
    // It may have been changed meanwhile.
    if (status === this.#status) this.#isTold = true;
  }

  async #register(signal?: AbortSignal): Promise<void> {
    this.#dirtyAt = Math.max(this.#options.clock.wallNow(), this.#dirtyAt + 1);
    const answer = await this.#client.register(signal);
    if (answer.status >= 300) throw new Refusal(answer);
  }

  /** The instance as it is listed; `undefined` when that can't be found out, which is no reason to fail. */
  async #look(signal?: AbortSignal): Promise<{ status: unknown; isOverridden: boolean; dirtyAt: number } | undefined> {
    const { servers, description } = this.#options;
    const path = `${encodeURIComponent(description.app)}/${encodeURIComponent(description.instanceId)}`;
    try {
      const { status, text } = await servers.send({ method: "GET", path }, judge, signal);
      const answer: unknown = status === 200 ? JSON.parse(text) : undefined;
      const listed = isRecord(answer) ? answer["instance"] : undefined;
      if (!isRecord(listed)) return undefined;
      const override = listed["overriddenStatus"] ?? listed["overriddenstatus"] ?? "UNKNOWN";
      const dirtyAt = Number(listed["lastDirtyTimestamp"]);
      return { status: listed["status"], isOverridden: override !== "UNKNOWN", dirtyAt: Number.isSafeInteger(dirtyAt) ? dirtyAt : 0 };
    } catch {
      if (signal?.aborted) throw signal.reason;
      return undefined;
    }
  }

  #leaseInfo(): Readonly<Record<string, unknown>> {
    const { description } = this.#options;
    const seconds = (ms: number) => Math.max(1, Math.ceil(ms / 1_000));
    return { leaseInfo: { renewalIntervalInSecs: seconds(this.#heartbeatMs), durationInSecs: seconds(description.leaseMs) } };
  }

  #error(what: string, cause: unknown): MeshError {
    const { app, instanceId } = this.#options.description;
    return new MeshError("ERR_MESH_REGISTRATION", `eureka: could not ${what} ${app}/${instanceId}: ${describeError(cause)}`, {
      service: app.toLowerCase(),
      cause,
    });
  }
}

/** Lets another server be asked when the answer says nothing about the call itself. */
function judge(answer: RestAnswer): RestAnswer {
  const { status } = answer;
  if (status >= 500 || status === 408 || status === 429) throw new Error(`answered ${status}`);
  return answer;
}
