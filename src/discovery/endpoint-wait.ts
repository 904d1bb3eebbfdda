import type { Clock } from "../core/clock.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import type { Endpoint } from "../core/endpoint.ts";
import { describeError, MeshError } from "../core/errors.ts";
import { reasonsText } from "../core/left-out.ts";
import type { Routed } from "../core/routed.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Watcher } from "./watcher.ts";

/** Options of an {@link EndpointWait}. */
export interface EndpointWaitOptions {
  readonly service: string;
  readonly watcher: Watcher;
  /** The regions that its endpoints must be in, for messages. */
  readonly boundary?: string | undefined;
  /** The name of the discovery, for messages. */
  readonly discovery: string;
  /** How long a call waits, in milliseconds. */
  readonly discoveryTimeoutMs: number;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
}

/** The wait of calls for the first endpoints of a service, and the errors when there are none. */
export class EndpointWait {
  #options: EndpointWaitOptions;
  /** Ends the wait of each call with an error. */
  readonly #waiting = new Set<(error: MeshError) => void>();

  constructor(options: EndpointWaitOptions) {
    this.#options = options;
  }

  /** Takes another limit, for calls that come. */
  adjust(discoveryTimeoutMs: number): void {
    this.#options = { ...this.#options, discoveryTimeoutMs };
  }

  /** `true` once discovery has answered, but for the time in which it renews an answer that calls have found wrong. */
  get isOver(): boolean {
    const { watcher } = this.#options;
    return watcher.answered && !watcher.isRenewing;
  }

  /** Waits for discovery's first answer, or for one that renews it, at most `discoveryTimeoutMs`. Rejects with `ERR_MESH_NO_ENDPOINTS`, at once when discovery has been failing for that long. */
  join(request: MeshRequest): Promise<void> {
    const { watcher, discoveryTimeoutMs } = this.#options;
    const isRenewing = watcher.answered;
    const waitMs = isRenewing || watcher.lastError === undefined ? discoveryTimeoutMs : discoveryTimeoutMs - watcher.watchedMs;
    if (waitMs <= 0) return Promise.reject(this.#unanswered());
    // What is known is better than an error.
    const waited = this.#nextAnswer(request, waitMs, () => (isRenewing ? undefined : this.#unanswered()));
    // No instance was asked: the deadline says nothing of the service.
    if (request.call !== undefined) request.call.waitError = (deadline) => this.#unanswered(`; ${deadline} has passed`);
    return waited.then(() => {});
  }

  /**
   * Waits for discovery's next answer, where its last one lists instances, and none of the subset that the route of a call leads to: within
   * `discoveryTimeoutMs` of the beginning of the watch. Resolves with `false` at the end of that, at once where it is over.
   */
  joinForSubset(request: MeshRequest): Promise<boolean> {
    const { watcher, discoveryTimeoutMs } = this.#options;
    const waitMs = discoveryTimeoutMs - watcher.watchedMs;
    if (waitMs <= 0 || watcher.endpoints.length === 0) return Promise.resolve(false);
    return this.#nextAnswer(request, waitMs, () => undefined);
  }

  /** Resolves with `true` at discovery's next answer, and after `waitMs` with `false`, or rejects with the error that `late` makes. */
  #nextAnswer(request: MeshRequest, waitMs: number, late: () => MeshError | undefined): Promise<boolean> {
    const { watcher, clock } = this.#options;
    return new Promise<boolean>((resolve, reject) => {
      const settle = (act: () => void) => {
        clock.clearTimer(timer);
        forget();
        this.#waiting.delete(refuse);
        request.cancellation.removeListener(onCancel);
        if (request.call !== undefined) request.call.waitError = undefined;
        act();
      };
      const refuse = (error: MeshError) => settle(() => reject(error));
      this.#waiting.add(refuse);
      const onCancel = (reason: unknown) => settle(() => reject(reason));
      const forget = watcher.onFirstAnswer(() => settle(() => resolve(true)));
      const timer = clock.setTimer(() => {
        const error = late();
        if (error === undefined) settle(() => resolve(false));
        else refuse(error);
      }, waitMs);
      request.cancellation.onCancel(onCancel);
    });
  }

  /** Ends every wait with `ERR_MESH_CLOSED`: the watch has been stopped, and answers no more. */
  close(): void {
    const { service } = this.#options;
    const message = `the mesh was closed while the call waited for the endpoints of "${service}"`;
    for (const refuse of this.#waiting) refuse(new MeshError("ERR_MESH_CLOSED", message, { service, maybeExecuted: false }));
  }

  /** The `ERR_MESH_NO_ENDPOINTS` for a call whose service has no instance. */
  async noEndpoints(request: MeshRequest): Promise<MeshError> {
    const { service, boundary, discovery, catalogue, watcher } = this.#options;
    if (request.routed?.subset !== undefined && watcher.endpoints.length > 0) return this.#noneOfSubset(request, request.routed);
    // A service of which entries are listed has the right name.
    const suggestion = watcher.leftOut.length > 0 ? undefined : await catalogue.nearest(service);
    const age = Math.round(watcher.ageMs ?? 0);
    const { leftOut, outside } = watcher;
    const listed = leftOut.length === 0 ? "listed none" : `listed none that may be called (left out: ${reasonsText(leftOut)})`;
    const where = boundary === undefined ? "" : ` within its boundary (region ${boundary}), and ${outside.length} outside of it`;
    return new MeshError(
      "ERR_MESH_NO_ENDPOINTS",
      `"${service}" has no endpoints${where}: ${discovery} ${listed} ${age} ms ago${suggestion === undefined ? "" : `. Did you mean "${suggestion}"?`}`,
      { service, attempts: [...request.attempts], cause: watcher.lastError },
    );
  }

  /** The error of a call to a subset without instances, in a service that has some. */
  #noneOfSubset({ attempts }: MeshRequest, { rule, target, subset }: Routed): MeshError {
    const { service, discovery, watcher } = this.#options;
    const shown = watcher.endpoints.slice(0, maxShown).map(describeInstance);
    const more = watcher.endpoints.length - shown.length;
    const by = `rule "${rule}"${target === undefined ? "" : `, target "${target}"`}`;
    const others = `${shown.join(", ")}${more === 0 ? "" : ` and ${more} more`}`;
    return new MeshError(
      "ERR_MESH_NO_ENDPOINTS",
      `no instance of "${service}" is of the subset ${subset?.name} (${by}): ${discovery} listed ${others} ${Math.round(watcher.ageMs ?? 0)} ms ago`,
      { service, attempts: [...attempts], cause: watcher.lastError },
    );
  }

  #unanswered(limit = ""): MeshError {
    const { service, discovery } = this.#options;
    const { lastError, watchedMs } = this.#options.watcher;
    const why = lastError === undefined ? "it has not answered yet" : describeError(lastError);
    return new MeshError(
      "ERR_MESH_NO_ENDPOINTS",
      `"${service}" has no endpoints: asked ${discovery} ${Math.round(watchedMs)} ms ago, ${why}${limit}`,
      {
        service,
        maybeExecuted: false,
        cause: lastError,
      },
    );
  }
}

/** Instances that an error names. */
const maxShown = 5;

function describeInstance({ id, metadata }: Endpoint): string {
  const version = metadata?.["version"];
  return version === undefined ? id : `${id} (version ${version})`;
}
