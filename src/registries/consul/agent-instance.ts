import type { InstanceStatus } from "../../registration/registrar.ts";
import type { ConsulAnswer, ConsulClient, ConsulRequest } from "./client.ts";
import { ConsulError } from "./consul-error.ts";
import type { Definition } from "./definition.ts";
import { field } from "./json.ts";

/** How a request about an instance is made. */
export interface AgentRequest {
  readonly timeoutMs: number;
  readonly keepsProcess: boolean;
  readonly signal?: AbortSignal | undefined;
}

const maintenanceReasons = { down: "inmesh: down", "out-of-service": "inmesh: out of service" } as const;

/**
 * One instance as an agent is told of it: what requests a status takes, in an order in which an instance that is not up is
 * never routable in between. Calls must not overlap.
 */
export class AgentInstance {
  readonly #client: ConsulClient;
  readonly #definition: Definition;
  readonly #isTtl: boolean;
  /** What the agent knows; `undefined` when that is not certain. */
  #told: InstanceStatus | undefined = undefined;
  /** Whether the agent may have the instance in maintenance. */
  #isInMaintenance = false;

  constructor(client: ConsulClient, definition: Definition) {
    this.#client = client;
    this.#definition = definition;
    this.#isTtl = definition.check.type === "ttl";
  }

  /** Registers the instance with `status`, replacing what the agent has under its id. */
  async announce(status: InstanceStatus, request: AgentRequest): Promise<void> {
    const { service, serviceCheck, body } = this.#definition;
    this.#told = undefined;
    // A check of Consul's own starts as critical until Consul has seen for itself.
    const initial = this.#isTtl ? { status: status === "up" ? "passing" : "critical" } : {};
    await this.#ask(request, {
      call: (npm, options) => npm.agent.service.register(options),
      options: { ...service, check: { ...serviceCheck, ...initial } },
      // Else a check left by an earlier process under this id would stay for ever. It ends a maintenance, too.
      query: { "replace-existing-checks": "true" },
      body,
    });
    this.#isInMaintenance = false;
    if (status === "up") this.#told = status;
    else await this.#report(status, request);
  }

  /** Tells a new status, registering again if the agent has forgotten the instance. */
  async tell(status: InstanceStatus, request: AgentRequest): Promise<void> {
    this.#told = undefined;
    try {
      await this.#report(status, request);
    } catch (error) {
      if (!isForgotten(error)) throw error;
      await this.announce(status, request);
    }
  }

  /** Keeps the registration alive: renews a TTL check, looks whether the agent still has any other. */
  async renew(status: InstanceStatus, request: AgentRequest): Promise<void> {
    if (this.#told !== status) return await this.tell(status, request);
    if (!this.#isTtl) {
      if (!(await this.#isKnown(request))) await this.announce(status, request);
      return;
    }
    try {
      await this.#setCheck(status, request);
    } catch (error) {
      if (!isForgotten(error)) throw error;
      await this.announce(status, request);
    }
  }

  /** Deregisters. That the agent does not know the instance is success. */
  async withdraw(request: AgentRequest): Promise<void> {
    try {
      await this.#ask(request, { call: (npm, options) => npm.agent.service.deregister(options), options: { id: this.#definition.id } });
    } catch (error) {
      if (!isForgotten(error)) throw error;
    }
  }

  async #report(status: InstanceStatus, request: AgentRequest): Promise<void> {
    const isMaintenance = status === "out-of-service" || (status === "down" && !this.#isTtl);
    if (isMaintenance) await this.#setMaintenance(status, request);
    if (this.#isTtl) await this.#setCheck(status, request);
    if (!isMaintenance && this.#isInMaintenance) await this.#setMaintenance("up", request);
    this.#told = status;
  }

  async #setMaintenance(status: InstanceStatus, request: AgentRequest): Promise<void> {
    const enable = status !== "up";
    this.#isInMaintenance = true;
    await this.#ask(request, {
      call: (npm, options) => npm.agent.service.maintenance(options),
      options: { id: this.#definition.id, enable, ...(enable ? { reason: maintenanceReasons[status] } : {}) },
    });
    this.#isInMaintenance = enable;
  }

  async #setCheck(status: InstanceStatus, request: AgentRequest): Promise<void> {
    await this.#ask(request, {
      call: (npm, options) => (status === "down" ? npm.agent.check.fail(options) : npm.agent.check.pass(options)),
      options: { id: this.#definition.checkId },
    });
  }

  async #isKnown(request: AgentRequest): Promise<boolean> {
    const { body } = await this.#ask(request, { call: (npm, options) => npm.agent.service.list(options) });
    return field(body, this.#definition.id) !== undefined;
  }

  #ask(request: AgentRequest, what: Pick<ConsulRequest, "call" | "options" | "query" | "body">): Promise<ConsulAnswer> {
    return this.#client.ask({ ...what, ...request });
  }
}

/** Whether the agent does not know the check or the service: it was restarted without its data, or reaped the instance. */
function isForgotten(error: unknown): boolean {
  if (!(error instanceof ConsulError)) return false;
  if (error.status === 404) return true;
  return error.status === 500 && /unknown (check|service)|no service registered|does not have associated ttl/i.test(error.message);
}
