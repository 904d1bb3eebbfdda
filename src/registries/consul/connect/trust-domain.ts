import { askUntilAborted } from "../blocking-loop.ts";
import type { ConsulClient } from "../http/client.ts";
import type { ConsulError } from "../http/consul-error.ts";
import type { ConsulSettings } from "../options.ts";
import { askRoots } from "./agent-endpoints.ts";
import { rootsOf } from "./answers.ts";

/**
 * The trust domain of a Consul Connect mesh, by which its certificates are named: asked for while anything holds it, by one query for all. It changes only
 * where the servers of Consul have lost their data.
 */
export class TrustDomain {
  readonly #client: ConsulClient;
  readonly #settings: ConsulSettings;
  /** Called when another one has been told. */
  readonly #holders = new Set<() => void>();
  readonly #waiting = new Set<() => void>();
  #loop: AbortController | undefined = undefined;
  #told: { readonly domain: string } | { readonly failure: ConsulError } | undefined = undefined;

  constructor(client: ConsulClient, settings: ConsulSettings) {
    this.#client = client;
    this.#settings = settings;
  }

  /** The last that was told; `undefined` before that. */
  get current(): string | undefined {
    return this.#told !== undefined && "domain" in this.#told ? this.#told.domain : undefined;
  }

  /** Asks, and goes on asking, until the returned function is called. */
  hold(onChange: () => void): () => void {
    this.#holders.add(onChange);
    if (this.#loop === undefined) {
      this.#loop = new AbortController();
      this.#told = undefined;
      void askUntilAborted(
        this.#client,
        this.#settings,
        { call: askRoots, onAnswer: this.#onAnswer, onError: this.#onError },
        this.#loop.signal,
      );
    }
    return () => {
      this.#holders.delete(onChange);
      if (this.#holders.size > 0) return;
      this.#loop?.abort();
      this.#loop = undefined;
    };
  }

  /** Resolves once it is held and known. Rejects with the {@link ConsulError} of the last question while there was no answer, and with the signal's reason. */
  read(signal: AbortSignal): Promise<string> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiting.delete(end);
        signal.removeEventListener("abort", end);
        if (signal.aborted) reject(signal.reason as Error);
        else if (this.#told !== undefined && "domain" in this.#told) resolve(this.#told.domain);
        else if (this.#told !== undefined) reject(this.#told.failure);
      };
      if (signal.aborted || this.#told !== undefined) return end();
      this.#waiting.add(end);
      signal.addEventListener("abort", end, { once: true });
    });
  }

  readonly #onAnswer = (body: unknown): boolean => {
    const { trustDomain } = rootsOf(body);
    const isOther = this.current !== undefined && this.current !== trustDomain;
    this.#told = { domain: trustDomain };
    this.#settle();
    if (isOther) for (const changed of [...this.#holders]) changed();
    return true;
  };

  /** A failure takes nothing away. */
  readonly #onError = (failure: ConsulError): void => {
    if (this.current === undefined) this.#told = { failure };
    this.#settle();
  };

  #settle(): void {
    for (const end of [...this.#waiting]) end();
  }
}
