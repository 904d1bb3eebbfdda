import type { CallObserver, MeshEvent, MeshRequest, Observer, Upstream } from "../../extend.ts";

/** Counts since the demo began. */
export interface Totals {
  getOk: number;
  getFailed: number;
  postOk: number;
  postFailed: number;
  attempts: number;
  retries: number;
  retriesDenied: number;
  breakerOpened: number;
  /** Times that the picker began to avoid an instance. */
  avoided: number;
}

const windowMs = 1_000;

/** Counts calls, and attempts per instance, as an observer of the mesh. */
export class DemoStatistics implements Observer {
  readonly totals: Totals = {
    getOk: 0,
    getFailed: 0,
    postOk: 0,
    postFailed: 0,
    attempts: 0,
    retries: 0,
    retriesDenied: 0,
    breakerOpened: 0,
    avoided: 0,
  };
  /** Lines about what happened, the newest last. */
  readonly events: string[] = [];
  readonly failures: unknown[] = [];
  readonly #startedAt = performance.now();
  #recent: { readonly at: number; readonly id: string }[] = [];

  onCall(request: MeshRequest): CallObserver {
    return {
      onEnd: ({ status, error }) => {
        const isOk = error === undefined && status !== undefined && status < 500;
        if (!isOk) this.failures.push(error ?? status);
        if (request.method === "GET") this.totals[isOk ? "getOk" : "getFailed"]++;
        else this.totals[isOk ? "postOk" : "postFailed"]++;
      },
    };
  }

  onAttempt(_request: MeshRequest, upstream: Upstream): undefined {
    this.totals.attempts++;
    this.#recent.push({ at: performance.now(), id: upstream.id });
  }

  onEvent(event: MeshEvent): void {
    switch (event.type) {
      case "retry":
        this.totals.retries++;
        break;
      case "retry-denied":
        this.totals.retriesDenied++;
        break;
      case "instance-state":
        if (event.state === "ejected") this.totals.breakerOpened++;
        this.note(`${event.upstream.id} is ${event.state}`);
        break;
      case "breaker":
        if (event.state === "open") this.totals.breakerOpened++;
        this.note(`breaker of the service: ${event.state}`);
    }
  }

  /** Forgets the calls so far, which were made while instances were not listed yet. */
  reset(): void {
    Object.assign(this.totals, { getOk: 0, getFailed: 0, attempts: 0, retries: 0, retriesDenied: 0 });
    this.failures.length = 0;
  }

  /** Adds a line to the events, with the time in seconds. */
  note(text: string): void {
    this.events.push(`${((performance.now() - this.#startedAt) / 1_000).toFixed(1).padStart(5)} s  ${text}`);
  }

  /** Number of attempts in the last second, by endpoint id. */
  recentShare(): ReadonlyMap<string, number> {
    const since = performance.now() - windowMs;
    this.#recent = this.#recent.filter(({ at }) => at >= since);
    const share = new Map<string, number>();
    for (const { id } of this.#recent) share.set(id, (share.get(id) ?? 0) + 1);
    return share;
  }
}
