import type { CancelHandler } from "../core/cancellation.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import { describeError, MeshError } from "../core/errors.ts";
import { quoted } from "../core/text/clean-text.ts";
import type { LiveWeightsOf } from "./compiled-rule.ts";
import type { RoutableRequest } from "./matching/routed-call.ts";
import type { Route } from "./route.ts";
import type { RouteSource } from "./route-source.ts";
import { compileRoutes, type RouteTable } from "./route-table.ts";

/** The parts of {@link LiveRoutes}. */
export interface LiveRoutesOptions {
  /** @throws Error for routes that are wrong; it names the part. */
  readonly check: (routes: readonly Route[]) => void;
  readonly liveWeightsOf?: LiveWeightsOf;
  /** Told of a table that is in force from now on. */
  readonly onTable?: (table: RouteTable) => void;
  /** Told of a table that was refused, and of a source that failed. The one before stays. */
  readonly onRefused?: (error: Error) => void;
}

/** The routes of a mesh: the table in force, which its source may replace as a whole. */
export class LiveRoutes {
  readonly #options: LiveRoutesOptions;
  readonly #source: RouteSource | undefined;
  readonly #waiting = new Set<WaitingCall>();
  #table: RouteTable | undefined = undefined;
  #lastError: Error | undefined = undefined;
  #end: (() => void) | undefined = undefined;
  #isClosed = false;
  #isRetired = false;

  /** Routes in code have been checked; of a source, the watch begins with {@link start}. */
  constructor(given: readonly Route[] | RouteSource, options: LiveRoutesOptions) {
    this.#options = options;
    if (isSource(given)) this.#source = given;
    else this.#put(given);
  }

  /** The table in force; `undefined` until the source has told of one. */
  get table(): RouteTable | undefined {
    return this.#table;
  }

  /**
   * The name of the rule that a request comes to; `undefined` where none matches.
   * @throws MeshError `ERR_MESH_ROUTE` while there is no table.
   */
  ruleOf(request: RoutableRequest): string | undefined {
    this.start();
    if (this.#table === undefined) throw this.unready(request);
    return this.#table.ruleOf(request)?.name;
  }

  /** Begins to watch the source, at the first call. */
  start(): void {
    if (this.#source === undefined || this.#end !== undefined || this.#isClosed) return;
    // Before the source is asked, which may tell at once and must not be asked again by that.
    this.#end = () => {};
    try {
      const end: unknown = this.#source.watch(this.#take, this.#refuse);
      if (typeof end !== "function") throw new TypeError(`watch of ${quoted(this.#source.name)} must return a function that ends it`);
      this.#end = end as () => void;
    } catch (error) {
      this.#refuse(error as Error);
    }
  }

  /**
   * Puts other routes in force, in one step.
   * @throws Error for routes that are wrong; those before stay.
   */
  replace(routes: readonly Route[]): void {
    this.#options.check(routes);
    this.#put(routes);
  }

  #put(routes: readonly Route[]): void {
    const table = compileRoutes(routes, this.#options.liveWeightsOf);
    this.#table = table;
    this.#lastError = undefined;
    this.#options.onTable?.(table);
    for (const call of [...this.#waiting]) call.goOn();
    if (this.#isRetired) this.#stop();
  }

  /** Ends the watch as soon as there is a table, which stays: for calls that began by it. */
  retire(): void {
    this.#isRetired = true;
    if (this.#table !== undefined || this.#waiting.size === 0) this.#stop();
  }

  /** Once the source has returned its end, where it tells at once. */
  #stop(): void {
    queueMicrotask(() => this.#endWatch());
  }

  /** The end of a source is code of others: where it throws, that is told, and stops nothing else. */
  #endWatch(): void {
    const end = this.#end;
    this.#end = () => {};
    try {
      end?.();
    } catch (error) {
      this.#options.onRefused?.(error as Error);
    }
  }

  /** Calls `goOn` once there is a table; `fail` where the call is given up before, or the mesh is closed. */
  whenReady(request: MeshRequest, goOn: () => void, fail: (error: unknown) => void): void {
    this.start();
    if (this.#table !== undefined) goOn();
    else if (this.#isClosed) fail(this.#closedError(request));
    else new WaitingCall(request, this.#waiting, { goOn, fail, waitError: () => this.unready(request) });
  }

  /** Ends the watch. Calls that wait for the first table fail. */
  close(): void {
    this.#isClosed = true;
    this.#endWatch();
    for (const call of [...this.#waiting]) call.fail(this.#closedError(call.request));
  }

  readonly #take = (routes: readonly Route[]): void => {
    if (this.#isClosed) return;
    try {
      this.replace(routes);
    } catch (error) {
      this.#refuse(error as Error);
    }
  };

  readonly #refuse = (error: Error): void => {
    if (this.#isClosed) return;
    this.#lastError = error;
    this.#options.onRefused?.(error);
  };

  /** The error of a call for which there is no table yet. */
  unready({ service }: RoutableRequest): MeshError {
    const why = this.#lastError === undefined ? "it has told of none yet" : describeError(this.#lastError);
    return new MeshError("ERR_MESH_ROUTE", `there are no routes yet: asked ${this.#source?.name ?? "their source"}, ${why}`, {
      service,
      maybeExecuted: false,
      cause: this.#lastError,
    });
  }

  #closedError({ service }: MeshRequest): MeshError {
    return new MeshError("ERR_MESH_CLOSED", "the mesh was closed while the call waited for the routes", { service, maybeExecuted: false });
  }
}

/** Whether routes come from a source, and are no list. */
export function isSource(given: readonly Route[] | RouteSource): given is RouteSource {
  return !Array.isArray(given);
}

/** A call that waits for the first table. */
class WaitingCall implements CancelHandler {
  readonly request: MeshRequest;
  readonly #waiting: Set<WaitingCall>;
  readonly #then: { readonly goOn: () => void; readonly fail: (error: unknown) => void };

  constructor(
    request: MeshRequest,
    waiting: Set<WaitingCall>,
    then: { readonly goOn: () => void; readonly fail: (error: unknown) => void; readonly waitError: () => MeshError },
  ) {
    this.request = request;
    this.#waiting = waiting;
    this.#then = then;
    waiting.add(this);
    // No instance was asked: the deadline says nothing of the service.
    if (request.call !== undefined) request.call.waitError = then.waitError;
    request.cancellation.onCancel(this);
  }

  goOn(): void {
    if (this.#leave()) this.#then.goOn();
  }

  fail(error: unknown): void {
    if (this.#leave()) this.#then.fail(error);
  }

  handleCancel(reason: unknown): void {
    this.fail(reason);
  }

  #leave(): boolean {
    if (!this.#waiting.delete(this)) return false;
    this.request.cancellation.removeListener(this);
    if (this.request.call !== undefined) this.request.call.waitError = undefined;
    return true;
  }
}
