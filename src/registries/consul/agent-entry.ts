import { randomUUID } from "node:crypto";
import { describeError, MeshError } from "../../core/errors.ts";
import type { InstanceStatus } from "../../registration/registrar.ts";
import type { EntryAction, EntryCall, Recognition, RegistryEntry } from "../../registration/registry-entry.ts";
import type { Definition } from "./definition.ts";
import { field, text } from "./entries/json.ts";
import { tenancyOf } from "./health-query.ts";
import type { ConsulAnswer, ConsulClient, ConsulRequest } from "./http/client.ts";
import { ConsulError, isRefusal } from "./http/consul-error.ts";

/** Options of an {@link AgentEntry}. */
export interface AgentEntryOptions {
  /** The registry's name in errors. */
  readonly name: string;
  readonly requestTimeoutMs: number;
  readonly namespace: string | undefined;
}

const maintenanceReasons = { down: "inmesh: down", "out-of-service": "inmesh: out of service" } as const;
/** How often an agent may not know an instance before it is given up to find the one that does. */
const maxMisses = 6;
const doing: Readonly<Record<EntryAction, string>> = {
  register: "registering",
  report: "telling the status of",
  reweigh: "changing the weight of",
  renew: "renewing",
  withdraw: "deregistering",
};

/**
 * One instance at a Consul agent. `out-of-service` is Consul's maintenance mode; `down` is a failed check, or maintenance where the check
 * is Consul's own. The requests that a status takes come in an order in which an instance that is not up is never routable in between.
 */
export class AgentEntry implements RegistryEntry {
  readonly lossReasons =
    "the agent was restarted without its data, or the address leads to several agents: each instance needs the address of one agent";
  readonly #client: ConsulClient;
  readonly #definition: Definition;
  readonly #options: AgentEntryOptions;
  readonly #isTtl: boolean;
  /** Whether the agent may have the instance in maintenance. */
  #isInMaintenance = false;
  /**
   * Text in the notes of the check by which this process knows its own registration: ids, names and addresses are those of a successor under the
   * same id too, and metadata would be seen by callers.
   */
  readonly #mark = `inmesh ${randomUUID()}`;
  #weight: number;
  /** Announcements that an agent has accepted, and which an agent still has to be asked to remove. */
  #accepted = 0;

  constructor(client: ConsulClient, definition: Definition, options: AgentEntryOptions) {
    this.#client = client;
    this.#definition = definition;
    this.#options = options;
    this.#isTtl = definition.check.type === "ttl";
    this.#weight = definition.weight;
  }

  get id(): string {
    return this.#definition.id;
  }

  get renewMs(): number {
    return this.#definition.renewMs;
  }

  async announce(status: InstanceStatus, call: EntryCall): Promise<void> {
    // Otherwise a check left by an earlier process under this id would stay for ever. It ends a maintenance, too.
    await this.#register(status, call, { "replace-existing-checks": "true" });
    this.#accepted++;
    this.#isInMaintenance = false;
    if (status !== "up") await this.#setStatus(status, call);
  }

  /** Registers it again in place: the agent keeps what its checks have found, and a maintenance. */
  async reweigh(weight: number, status: InstanceStatus, call: EntryCall): Promise<Recognition> {
    this.#weight = weight;
    await this.#register(status, call, {});
    // Where the agent had lost it, this was an announcement.
    if (status !== "up") await this.#setStatus(status, call);
    return "known";
  }

  async isReplaced(call: EntryCall): Promise<boolean> {
    const { checkId } = this.#definition;
    const { body } = await this.#ask(call, {
      call: (npm, options) => npm.agent.check.list(options),
      options: filterFor(checkId),
    });
    const mark = text(field(field(body, checkId), "Notes"));
    return mark?.startsWith("inmesh ") === true && mark !== this.#mark;
  }

  report(status: InstanceStatus, call: EntryCall): Promise<Recognition> {
    return recognition(this.#setStatus(status, call));
  }

  /** Renews a TTL check; of any other check, looks whether the agent still has it. */
  async renew(status: InstanceStatus, call: EntryCall): Promise<Recognition> {
    if (this.#isTtl) return await recognition(this.#setCheck(status, call));
    const { body } = await this.#ask(call, { call: (npm, options) => npm.agent.service.list(options) });
    return field(body, this.id) === undefined ? "forgotten" : "known";
  }

  /**
   * An agent that does not know the instance has lost it, or is not the one that took it: behind a load balancer there are several. Then it is
   * looked for, on new connections; it stays for good otherwise. Rejects when the catalogue lists it still.
   */
  async withdraw(call: EntryCall): Promise<void> {
    const { id } = this.#definition;
    this.#accepted = Math.max(1, this.#accepted);
    for (let misses = 0; this.#accepted > 0 && misses < maxMisses; ) {
      const removal = this.#tell(call, { call: (npm, options) => npm.agent.service.deregister(options), options: { id } });
      if ((await recognition(removal)) === "known") {
        this.#accepted--;
      } else {
        misses++;
        this.#client.closeIdle();
      }
    }
    const node = this.#accepted > 0 ? await this.#nodeInCatalogue(call) : undefined;
    if (node !== undefined) {
      const message = `the agent does not know it, but the catalogue lists it at the node ${node}: the address leads to several agents`;
      throw new ConsulError(message);
    }
  }

  isRefusal(error: unknown): boolean {
    return isRefusal(error);
  }

  errorOf(action: EntryAction, cause: unknown): MeshError {
    return new MeshError("ERR_MESH_REGISTRATION", `${this.#options.name}: ${doing[action]} ${this.id}: ${describeError(cause)}`, {
      service: String(this.#definition.service["name"]),
      cause,
    });
  }

  /** The node at which the catalogue lists the instance; `undefined` also when that cannot be found out, which is no reason to fail. */
  async #nodeInCatalogue(call: EntryCall): Promise<string | undefined> {
    const { id, service } = this.#definition;
    // An id is unique on its node only: without its own address the instance could be that of another process.
    if (service["address"] === undefined) return undefined;
    try {
      const { body } = await this.#ask(call, {
        call: (npm, options) => npm.catalog.service.nodes(options),
        options: { service: service["name"] },
      });
      const found = (Array.isArray(body) ? body : []).find(
        (entry) =>
          field(entry, "ServiceID") === id &&
          field(entry, "ServiceAddress") === service["address"] &&
          field(entry, "ServicePort") === service["port"],
      );
      return text(field(found, "Node"));
    } catch (error) {
      if (error instanceof ConsulError) return undefined;
      throw error;
    }
  }

  async #setStatus(status: InstanceStatus, call: EntryCall): Promise<void> {
    const isMaintenance = status === "out-of-service" || (status === "down" && !this.#isTtl);
    if (isMaintenance) await this.#setMaintenance(status, call);
    if (this.#isTtl) await this.#setCheck(status, call);
    if (!isMaintenance && this.#isInMaintenance) await this.#setMaintenance("up", call);
  }

  async #register(status: InstanceStatus, call: EntryCall, query: Readonly<Record<string, string>>): Promise<void> {
    const { service, serviceCheck } = this.#definition;
    // A check that Consul makes itself starts as critical, until Consul has made it once.
    const initial = this.#isTtl ? { status: status === "up" ? "passing" : "critical" } : {};
    await this.#tell(call, {
      call: (npm, options) => npm.agent.service.register(options),
      options: { ...service, check: { ...serviceCheck, ...initial, notes: this.#mark } },
      query,
      // With a warning an instance keeps a small share.
      body: { Weights: { Passing: this.#weight, Warning: 1 } },
    });
  }

  async #setMaintenance(status: InstanceStatus, call: EntryCall): Promise<void> {
    const enable = status !== "up";
    this.#isInMaintenance = true;
    await this.#tell(call, {
      call: (npm, options) => npm.agent.service.maintenance(options),
      options: { id: this.#definition.id, enable, ...(enable ? { reason: maintenanceReasons[status] } : {}) },
    });
    this.#isInMaintenance = enable;
  }

  async #setCheck(status: InstanceStatus, call: EntryCall): Promise<void> {
    await this.#tell(call, {
      call: (npm, options) => (status === "down" ? npm.agent.check.fail(options) : npm.agent.check.pass(options)),
      options: { id: this.#definition.checkId },
    });
  }

  /** Tells the agent something, whose answer is a few bytes. */
  #tell(call: EntryCall, request: EntryRequest): Promise<ConsulAnswer> {
    return this.#ask(call, { ...request, maxBodyBytes: maxBytesWhenTold });
  }

  #ask({ awaited, signal }: EntryCall, request: EntryRequest & Pick<ConsulRequest, "maxBodyBytes">): Promise<ConsulAnswer> {
    const { requestTimeoutMs } = this.#options;
    // A renewal that hangs must be over before the next one is due.
    const timeoutMs = awaited ? requestTimeoutMs : Math.min(requestTimeoutMs, this.renewMs);
    const query = { ...request.query, ...tenancyOf(this.#options) };
    return this.#client.ask({ ...request, query, timeoutMs, keepsProcess: awaited, signal });
  }
}

type EntryRequest = Pick<ConsulRequest, "call" | "options" | "query" | "body">;

/** Bytes of the answer of an agent that was told something. The limit of the option is that of a list of a whole service. */
const maxBytesWhenTold = 1_048_576;

/** The filter for one check. Consul's texts have no escapes, so that for an id with both kinds of quotes all checks are asked for. */
function filterFor(checkId: string): Readonly<Record<string, string>> {
  const quote = ["`", '"'].find((each) => !checkId.includes(each));
  return quote === undefined || (quote === '"' && checkId.includes("\\")) ? {} : { filter: `CheckID == ${quote}${checkId}${quote}` };
}

/** `forgotten` when the agent does not know the check or the service: it was restarted without its data, or reaped the instance. */
async function recognition(request: Promise<unknown>): Promise<Recognition> {
  try {
    await request;
    return "known";
  } catch (error) {
    if (isForgotten(error)) return "forgotten";
    throw error;
  }
}

function isForgotten(error: unknown): boolean {
  if (!(error instanceof ConsulError)) return false;
  if (error.status === 404) return true;
  return error.status === 500 && /unknown (check|service)|no service registered|does not have associated ttl/i.test(error.message);
}
