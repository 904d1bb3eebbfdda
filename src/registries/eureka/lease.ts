import { randomUUID } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import { describeError, MeshError } from "../../core/errors.ts";
import { inTurns } from "../../core/json/in-turns.ts";
import { readJson } from "../../core/json/json-scanner.ts";
import type { InstanceStatus } from "../../registration/registrar.ts";
import type { EntryAction, EntryCall, Recognition, RegistryEntry } from "../../registration/registry-entry.ts";
import type { Description } from "./description.ts";
import { isRecord, registrationMark } from "./entry.ts";
import { type FencedClient, fencedClient } from "./fenced-client.ts";
import type { PackageClass } from "./package.ts";
import type { RestAnswer } from "./rest-call.ts";
import type { Servers } from "./servers.ts";

/** Options of a {@link EurekaLease}. */
export interface EurekaLeaseOptions {
  readonly Package: PackageClass;
  readonly servers: Servers;
  readonly description: Description;
  /** How often it is renewed, in milliseconds; a third of the lease at most. */
  readonly heartbeatMs: number;
  readonly clock: Clock;
}

/** The answer of a server that repeating the call, or asking another server, would not change. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor({ server, status }: RestAnswer) {
    super(`${server} answered ${status}`);
  }
}

/** An instance as a server lists it. */
interface Listed {
  readonly status: unknown;
  readonly isOverridden: boolean;
  /** The time stamp of its last registration. */
  readonly dirtyAt: number;
  /** The mark of the process that has registered it, where that is one of inmesh. */
  readonly mark: unknown;
}

/** Bytes of an answer about one instance. The limit of the option is that of a whole registry. */
const maxBytes = 1_048_576;

const eurekaStatuses: Readonly<Record<InstanceStatus, string>> = { up: "UP", down: "DOWN", "out-of-service": "OUT_OF_SERVICE" };
const doing: Readonly<Record<EntryAction, string>> = {
  register: "register",
  report: "set the status of",
  reweigh: "set the weight of",
  renew: "renew",
  withdraw: "deregister",
};

/**
 * One instance and its lease at Eureka. The status is part of the registration, so that a change of it is a registration again. Eureka's
 * status overrides (`PUT …/status`) are left to operators: an override outlives the process that set it and would keep its successor out of
 * service.
 */
export class EurekaLease implements RegistryEntry {
  readonly renewMs: number;
  readonly #options: EurekaLeaseOptions;
  readonly #client: FencedClient;
  /** Eureka's word for the status of the call under way. */
  #status = "UP";
  /** The metadata by which this process knows its own registration: a successor under the same id has the rest too. */
  readonly #mark = randomUUID();
  #weight: string | undefined = undefined;
  /** Time stamp of the last registration; a server that has older data answers a renewal with 404. */
  #dirtyAt: number;

  constructor(options: EurekaLeaseOptions) {
    const { Package, servers, description, heartbeatMs, clock } = options;
    this.#options = options;
    this.#dirtyAt = clock.wallNow();
    // Three renewals in a lease, so that a lost one does no harm.
    this.renewMs = Math.min(heartbeatMs, description.leaseMs / 3);
    this.#client = fencedClient(Package, (request, signal) => servers.send({ ...request, maxBytes }, judge, signal), {
      ...description,
      describe: () => ({
        ...description.fields,
        metadata: this.#metadata(),
        ...this.#leaseInfo(),
        status: this.#status,
        lastDirtyTimestamp: String(this.#dirtyAt),
      }),
      renewQuery: () => `?status=${this.#status}&lastDirtyTimestamp=${this.#dirtyAt}`,
    });
  }

  get id(): string {
    return this.#options.description.instanceId;
  }

  /**
   * Registers and reads back what the server has made of it, since Eureka does not always take what it answers 204 to: an earlier
   * registration of this id whose clock was ahead wins by its time stamp, and once a lease is UP or OUT_OF_SERVICE the one does not
   * replace the other (LeaseExistsRule) unless another status lies between.
   */
  async announce(status: InstanceStatus, call: EntryCall): Promise<void> {
    const wanted = eurekaStatuses[status];
    for (let round = 0; round < 3; round++) {
      await this.#register(wanted, call);
      const listed = await this.#look(call);
      if (listed === undefined) return;
      if (listed.dirtyAt > this.#dirtyAt) {
        this.#dirtyAt = listed.dirtyAt;
        continue;
      }
      // An override is an operator's, and stays.
      if (listed.status === wanted || listed.isOverridden) return;
      await this.#register("STARTING", call);
    }
  }

  async report(status: InstanceStatus, call: EntryCall): Promise<Recognition> {
    await this.announce(status, call);
    return "known";
  }

  /** The weight is metadata, so that a change of it is a registration again. */
  async reweigh(weight: number, status: InstanceStatus, call: EntryCall): Promise<Recognition> {
    this.#weight = String(weight);
    return await this.report(status, call);
  }

  /** A server that lags behind may list an earlier registration still, whose time stamp is less. */
  async isReplaced(call: EntryCall): Promise<boolean> {
    const listed = await this.#look(call);
    return listed?.mark !== undefined && listed.mark !== this.#mark && listed.dirtyAt > this.#dirtyAt;
  }

  async renew(status: InstanceStatus, call: EntryCall): Promise<Recognition> {
    this.#status = eurekaStatuses[status];
    const answer = await this.#client.renew(call);
    if (answer.status === 200) return "known";
    if (answer.status === 404) return "forgotten";
    throw new Refusal(answer);
  }

  async withdraw(call: EntryCall): Promise<void> {
    const answer = await this.#client.deregister(call);
    // 404: the registry has lost it already.
    if (answer.status >= 300 && answer.status !== 404) throw new Refusal(answer);
  }

  isRefusal(error: unknown): boolean {
    return error instanceof Refusal;
  }

  errorOf(action: EntryAction, cause: unknown): MeshError {
    const { app, instanceId } = this.#options.description;
    return new MeshError("ERR_MESH_REGISTRATION", `eureka: could not ${doing[action]} ${app}/${instanceId}: ${describeError(cause)}`, {
      service: app.toLowerCase(),
      cause,
    });
  }

  async #register(status: string, call: EntryCall): Promise<void> {
    this.#status = status;
    this.#dirtyAt = Math.max(this.#options.clock.wallNow(), this.#dirtyAt + 1);
    const answer = await this.#client.register(call);
    if (answer.status >= 300) throw new Refusal(answer);
  }

  /** The instance as it is listed; `undefined` when that cannot be found out, which is no reason to fail. */
  async #look({ awaited, signal }: EntryCall): Promise<Listed | undefined> {
    const { servers, description } = this.#options;
    const path = `${encodeURIComponent(description.app)}/${encodeURIComponent(description.instanceId)}`;
    try {
      const { status, body } = await servers.send({ method: "GET", path, keepsProcess: awaited, maxBytes }, judge, signal);
      const answer = status === 200 ? await inTurns(readJson(body), signal) : undefined;
      const listed = isRecord(answer) ? answer["instance"] : undefined;
      if (!isRecord(listed)) return undefined;
      const override = listed["overriddenStatus"] ?? listed["overriddenstatus"] ?? "UNKNOWN";
      const dirtyAt = Number(listed["lastDirtyTimestamp"]);
      return {
        status: listed["status"],
        isOverridden: override !== "UNKNOWN",
        dirtyAt: Number.isSafeInteger(dirtyAt) ? dirtyAt : 0,
        mark: isRecord(listed["metadata"]) ? listed["metadata"][registrationMark] : undefined,
      };
    } catch {
      if (signal?.aborted) throw signal.reason;
      return undefined;
    }
  }

  #metadata(): Readonly<Record<string, unknown>> {
    const { metadata } = this.#options.description.fields;
    const weight = this.#weight === undefined ? {} : { weight: this.#weight };
    return { ...(metadata as Readonly<Record<string, unknown>>), ...weight, [registrationMark]: this.#mark };
  }

  #leaseInfo(): Readonly<Record<string, unknown>> {
    const seconds = (ms: number) => Math.max(1, Math.ceil(ms / 1_000));
    const { leaseMs } = this.#options.description;
    return { leaseInfo: { renewalIntervalInSecs: seconds(this.renewMs), durationInSecs: seconds(leaseMs) } };
  }
}

/** Throws, so that the next server is asked, when the answer says nothing about the call itself. */
function judge(answer: RestAnswer): RestAnswer {
  const { status } = answer;
  if (status >= 500 || status === 408 || status === 429) throw new Error(`answered ${status}`);
  return answer;
}
